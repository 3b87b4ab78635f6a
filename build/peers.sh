#!/bin/sh
# Installs the third-party peers that tests marked "peer" talk to, into .venv/peers:
#   snap7-1.4.1  the C library snap7 with its Python wrapper (requirements-peers.lock)
#   cyclonedx    what checks a list of contents (requirements-peers-cyclonedx.lock)
#   node         nodes7 and luxtronik2 for Node.js (peers-node/package-lock.json)
# A peer that this machine cannot have is skipped with its reason; its tests are then skipped too.
set -eu

SNAP7=snap7-1.4.1

note() {
    printf 'peers: %s\n' "$*"
}

fingerprint() { # of the files that say what is installed
    cat "$@" | cksum
}

is_installed() { # directory, fingerprint
    [ -f "$1/.installed" ] && [ "$(cat "$1/.installed")" = "$2" ]
}

settle() { # fresh directory, its place, fingerprint: a broken installation never takes the place
    printf '%s\n' "$3" >"$1/.installed"
    rm -rf "$2"
    mv "$1" "$2"
}

reason() { # the last error line of a log
    grep -i 'err' "$1" | tail -n 1 || true
}

install_python() { # name, file with versions
    want=$(fingerprint "$here/$2")
    if is_installed "$peers/$1" "$want"; then
        note "$1 is there already"
        return
    fi
    if [ ! -x "$python" ]; then
        note "$1 skipped: no $python, make the virtual environment first"
        return
    fi
    if "$python" -m pip install --quiet --no-deps --only-binary :all: --require-hashes \
        --target "$work/$1" -r "$here/$2" >"$work/log" 2>&1; then
        settle "$work/$1" "$peers/$1" "$want"
        note "$1 installed in $peers/$1"
    else
        note "$1 skipped: pip cannot install it on $(uname -s) $(uname -m): $(reason "$work/log")"
    fi
}

install_node() {
    want=$(fingerprint "$here/peers-node/package-lock.json")
    if is_installed "$peers/node" "$want"; then
        note "node clients are there already"
        return
    fi
    for program in node npm; do
        if ! command -v "$program" >/dev/null; then
            note "node clients skipped: $program is not installed"
            return
        fi
    done
    mkdir -p "$work/node"
    cp "$here/peers-node/package.json" "$here/peers-node/package-lock.json" "$work/node"
    if (cd "$work/node" && npm ci --ignore-scripts --no-audit --no-fund) >"$work/log" 2>&1; then
        settle "$work/node" "$peers/node" "$want"
        note "nodes7 installed in $peers/node"
    else
        note "node clients skipped: npm ci failed: $(reason "$work/log")"
    fi
}

main() {
    here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
    root=$(dirname -- "$here")
    peers=$root/.venv/peers
    python=$root/.venv/bin/python
    mkdir -p "$peers"
    work=$(mktemp -d "$peers/.work.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    install_python "$SNAP7" requirements-peers.lock
    install_python cyclonedx requirements-peers-cyclonedx.lock
    install_node
}

main "$@"

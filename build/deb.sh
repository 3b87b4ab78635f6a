#!/bin/sh
# Make a Debian package of each one file in dist: edge-agent_VERSION_ARCH.deb.
# Usage: build/deb.sh [FILE...]   dist/agent-linux-arm64, ...; all that are there by default
set -eu

OUT=${OUT:-dist}
PYTHON=${PYTHON:-.venv/bin/python}
TREES=${TREES:-build/made/deb}
LINTIAN=${LINTIAN:-lintian}

architecture() { # FILE
    case "$1" in
        *-x86_64) echo amd64 ;;
        *) echo "${1##*-}" ;;
    esac
}

package() { # FILE
    arch=$(architecture "$1")
    tree=$TREES/$arch
    if [ ! -e "$1.cdx.json" ]; then
        echo "deb: $1.cdx.json, the list of its contents, is missing: sh build/build.sh" >&2
        exit 1
    fi
    name=$(PYTHONPATH=. PYTHONDONTWRITEBYTECODE=1 "$PYTHON" -m build.deb.tree "$1" "$arch" "$tree")
    # The times in the package are those of its changelog.
    SOURCE_DATE_EPOCH=$(stat -c %Y "$tree") \
        dpkg-deb --root-owner-group -Zxz --build "$tree" "$OUT/$name" >/dev/null
    size=$(stat -c %s "$OUT/$name")
    installed=$(dpkg-deb --field "$OUT/$name" Installed-Size)
    echo "$OUT/$name: $((size / 1000)) kB, $installed KiB installed"
}

check() { # PACKAGES
    if ! command -v "$LINTIAN" >/dev/null 2>&1; then
        echo "lintian is not installed, packages are not checked (apt install lintian)"
        return 0
    fi
    "$LINTIAN" --fail-on error,warning --tag-display-limit 0 "$@"
}

main() {
    cd "$(dirname "$0")/.."
    sh build/tools.sh dpkg:dpkg-deb coreutils:md5sum
    if [ $# -eq 0 ]; then
        set -- "$OUT"/agent-linux-x86_64 "$OUT"/agent-linux-arm64 "$OUT"/agent-linux-armhf
    fi
    made=
    for file in "$@"; do
        if [ ! -e "$file" ]; then
            echo "deb: no $file, so no package of it: make build, or build/cross.sh"
            continue
        fi
        package "$file"
        made="$made $OUT/$name"
    done
    if [ -z "$made" ]; then
        echo "deb: nothing to make a package of: make build" >&2
        exit 1
    fi
    sh build/sums.sh "$OUT"
    # shellcheck disable=SC2086
    check $made
}

main "$@"

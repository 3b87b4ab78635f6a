#!/bin/sh
# Make the one file for Raspberry Pi OS and Debian, 12 and newer, with Debian 12's Python:
# dist/agent-linux-ARCH. Other architectures run through qemu-user.
# Usage: build/cross.sh arm64|armhf|amd64...   [OUT=dist] [PYTHON=python3] [DEBIAN_MIRROR=...]
# Ends with 3 where it can't be done on this machine, for a reason that it says.
# Needs root; Debian's packages, Python's and the bootloader are fetched once, into build/made.
set -eu

OUT=${OUT:-dist}
MADE=build/made
GLIBC=2.36      # of Debian 12
MOST=16000000   # bytes of the one file
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1577836800}
export SOURCE_DATE_EPOCH

name_of() { # ARCH
    case "$1" in
        amd64) echo agent-linux-x86_64 ;;
        *) echo "agent-linux-$1" ;;
    esac
}

compiler() { # ARCH
    if [ "$1" = "$(dpkg --print-architecture)" ]; then
        echo gcc
        return
    fi
    case "$1" in
        arm64) echo aarch64-linux-gnu-gcc ;;
        armhf) echo arm-linux-gnueabihf-gcc ;;
        amd64) echo x86_64-linux-gnu-gcc ;;
    esac
}

machine() { # ARCH
    case "$1" in
        amd64) echo x86_64 ;;
        arm64) echo aarch64 ;;
        armhf) echo armv7l ;;
    esac
}

elf_machine() { # ARCH
    case "$1" in
        amd64) echo 3e ;;
        arm64) echo b7 ;;
        armhf) echo 28 ;;
    esac
}

# Python's packages for an architecture. PyInstaller has none for some; but its bootloader, which is
# ours, it is the same everywhere, so that of this machine will do.
dependencies() { # ARCH FOLDER
    [ -d "$2" ] && return
    work=$(mktemp -d "$2.XXXXXX")
    machine=$(machine "$1")
    "$MADE/build-venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --require-hashes --no-deps --no-compile --only-binary :all: --target "$work" \
        --python-version 3.11 --platform "manylinux_2_28_$machine" \
        --platform "manylinux_2_31_$machine" --platform "manylinux2014_$machine" \
        --platform "manylinux2014_$(uname -m)" -r requirements-build.lock
    machines=$(find "$work" -name '*.so*' -exec od -An -tx1 -j18 -N1 {} \; | sort -u)
    if [ "$machines" != " $(elf_machine "$1")" ]; then
        echo "cross: compiled for another machine than $1: $(find "$work" -name '*.so*')" >&2
        rm -rf "$work"
        exit 1
    fi
    chmod 755 "$work"
    mv -T "$work" "$2" 2>/dev/null || rm -rf "$work"
}

# All that goes in or says how; the same sources are the same bytes.
sources() {
    tar -c --exclude=__pycache__ --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
        --mode=u+rw,go=rX agent hw_sim agent.toml LICENSE build/*.py build/agent.spec \
        build/licences build/bootloader build/cross build/cross.sh
}

check() { # FILE
    newest=$(readelf -VW "$1" | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1)
    if [ "$(printf 'GLIBC_%s\n%s\n' "$GLIBC" "$newest" | sort -V | tail -n 1)" != "GLIBC_$GLIBC" ]; then
        echo "cross: $1 needs $newest, Debian 12 has $GLIBC: build it on Debian 12" >&2
        exit 1
    fi
    size=$(stat -c %s "$1")
    if [ "$size" -gt "$MOST" ]; then
        echo "cross: $1 is too large: $size bytes, at most $MOST" >&2
        exit 1
    fi
}

# Whether the file is there, untouched, and made of the same.
is_made() { # ARCH NAME KEY
    [ -e "$MADE/cross-$1.key" ] && [ -e "$OUT/$2.cdx.json" ] && [ -e "$OUT/$2.sha256" ] &&
        [ "$3 $(cat "$OUT/$2.sha256")" = "$(cat "$MADE/cross-$1.key")" ] &&
        (cd "$OUT" && sha256sum --status -c "$2.sha256")
}

freeze() { # ARCH
    name=$(name_of "$1")
    sh build/cross/tools.sh "$1"
    root=$(sh build/cross/root.sh build "$1")
    sh build/cross/emulator.sh "$1" "$root"
    sh build/environment.sh
    sh build/bootloader/make.sh "$MADE/build-venv/bin/python" "$MADE/bootloader-${name#agent-linux-}" \
        "$(compiler "$1")"
    deps=$MADE/dependencies-$1-$(sha256sum <requirements-build.lock | cut -c 1-8)
    dependencies "$1" "$deps"
    work=$(mktemp -d "$MADE/cross-$1.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    # A copy, as the tree may be edited meanwhile.
    sources >"$work/src.tar"
    key="$(sha256sum <"$work/src.tar" | cut -c 1-64) $root $deps $SOURCE_DATE_EPOCH"
    if is_made "$1" "$name" "$key"; then
        echo "$OUT/$name is up to date"
        rm -rf "$work"
        return
    fi
    mkdir "$work/src"
    tar -x -f "$work/src.tar" -C "$work/src"
    unshare -m sh build/cross/freeze.sh "$root" "$work" "$deps" \
        "$MADE/bootloader-${name#agent-linux-}" "$name"
    check "$work/dist/$name"
    mkdir -p "$OUT"
    for file in "$work/dist/$name"*; do
        mv -f "$file" "$OUT/"
    done
    (cd "$OUT" && sha256sum "$name" >"$name.sha256")
    printf '%s %s\n' "$key" "$(cat "$OUT/$name.sha256")" >"$MADE/cross-$1.key"
    rm -rf "$work"
    ls -l "$OUT/$name"
}

main() {
    cd "$(dirname "$0")/.."
    [ $# -gt 0 ] || {
        echo "usage: build/cross.sh arm64|armhf|amd64..." >&2
        exit 2
    }
    if [ "$(id -u)" -ne 0 ]; then
        echo "cross: needs root, to mount and to change the root: sudo sh $0 $*" >&2
        exit 3
    fi
    if [ "${DEBIAN_SECURITY:-yes}" = no ] && [ "$(realpath -m "$OUT")" = "$PWD/dist" ]; then
        echo "cross: without Debian's security updates it is not for others: name a folder with OUT=" >&2
        exit 2
    fi
    for arch in "$@"; do
        case "$arch" in
            arm64 | armhf | amd64) freeze "$arch" ;;
            *)
                echo "cross: no architecture $arch, there are arm64, armhf and amd64" >&2
                exit 2
                ;;
        esac
    done
    sh build/sums.sh "$OUT"
    # What sudo made here is the user's: "make clean" must be able to remove it.
    if [ -n "${SUDO_UID:-}" ]; then
        chown -R "$SUDO_UID:${SUDO_GID:-}" "$MADE" "$OUT"
    fi
}

main "$@"

#!/bin/sh
# Compile PyInstaller's bootloader together with unpack_folder.c, from the source of the version
# that is locked.
# Usage: build/bootloader/make.sh PYTHON OUT [CC]
# OUT gets a folder such as Linux-64bit-intel with the file run.
set -eu

source_of() { # PYTHON FOLDER
    "$1" -m pip freeze --disable-pip-version-check | grep '^pyinstaller==' >"$2/wanted"
    awk '/^pyinstaller==/ {on = 1} on {print} on && !/\\$/ {exit}' requirements-build.lock \
        >"$2/wanted.lock"
    "$1" -m pip download --quiet --disable-pip-version-check --no-deps --no-build-isolation \
        --no-binary pyinstaller --require-hashes -r "$2/wanted.lock" -d "$2"
    tar -xf "$2"/pyinstaller-*.tar.gz -C "$2"
}

main() {
    python=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
    out=$2
    cc=${3:-gcc}
    sh build/tools.sh "gcc:$cc" libc6-dev:/usr/include/stdio.h binutils:strip
    here=$(dirname "$0")
    key=$(cat "$here/unpack_folder.c" "$here/make.sh" requirements-build.lock | sha256sum)
    if [ -e "$out/key" ] && [ "$(cat "$out/key")" = "$key" ]; then
        return
    fi
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    source_of "$python" "$work"
    "$cc" -O2 -Wall -Wextra -Werror -fPIE -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
        -D_FILE_OFFSET_BITS=64 -c "$here/unpack_folder.c" -o "$work/unpack_folder.o"
    (
        cd "$work"/pyinstaller-*/bootloader
        # Objects of ours come with the linker's options; zlib is built in, for any Debian. Where
        # numbers have 32 bits it could not remove what it unpacked on a disk with larger ones.
        PYI_STATIC_ZLIB=1 CC=$cc CFLAGS=-D_FILE_OFFSET_BITS=64 \
            LDFLAGS="$work/unpack_folder.o -Wl,-z,relro,-z,now" \
            "$python" ./waf configure build_release install_release >"$work/log" 2>&1 || {
            cat "$work/log" >&2
            exit 1
        }
    )
    rm -rf "$out"
    mkdir -p "$out"
    cp -R "$work"/pyinstaller-*/PyInstaller/bootloader/Linux-* "$out/"
    printf '%s\n' "$key" >"$out/key"
}

main "$@"

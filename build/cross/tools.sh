#!/bin/sh
# Install what cross.sh uses from Debian, where it may, and say what is missing otherwise.
# Usage: build/cross/tools.sh arm64|armhf|amd64
set -eu

tools() { # ARCH
    echo "mmdebstrap:mmdebstrap util-linux:unshare binutils:readelf"
    echo "debian-archive-keyring:/usr/share/keyrings/debian-archive-keyring.gpg"
    if [ "$1" = "$(dpkg --print-architecture)" ]; then
        echo "gcc:gcc libc6-dev:/usr/include/stdio.h"
        return
    fi
    case "$1" in
        arm64)
            echo "gcc-aarch64-linux-gnu:aarch64-linux-gnu-gcc"
            echo "libc6-dev-arm64-cross:/usr/aarch64-linux-gnu/include/stdio.h"
            ;;
        armhf)
            echo "gcc-arm-linux-gnueabihf:arm-linux-gnueabihf-gcc"
            echo "libc6-dev-armhf-cross:/usr/arm-linux-gnueabihf/include/stdio.h"
            ;;
        amd64)
            echo "gcc-x86-64-linux-gnu:x86_64-linux-gnu-gcc"
            echo "libc6-dev-amd64-cross:/usr/x86_64-linux-gnu/include/stdio.h"
            ;;
    esac
    echo "qemu-user-static:qemu-aarch64-static"
}

main() {
    command -v dpkg >/dev/null 2>&1 || {
        echo "cross: needs Debian or a relative of it: there is no dpkg here" >&2
        exit 3
    }
    # shellcheck disable=SC2046
    sh build/tools.sh $(tools "$1") || exit 3
}

main "$@"

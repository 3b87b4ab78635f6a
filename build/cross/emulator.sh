#!/bin/sh
# See to it that programs of another architecture run here: qemu-user through binfmt_misc.
# Usage: build/cross/emulator.sh ARCH ROOT
# What is registered stays until the machine is restarted, as it does after installing qemu's
# package; what was registered before is left alone.
set -eu

MISC=/proc/sys/fs/binfmt_misc

machine() { # ARCH
    case "$1" in
        arm64) echo aarch64 ;;
        armhf) echo arm ;;
        amd64) echo x86_64 ;;
    esac
}

runs() { # ROOT
    chroot "$1" /bin/true 2>/dev/null
}

register() { # MACHINE
    conf=/usr/lib/binfmt.d/qemu-$1.conf
    if [ ! -e "$conf" ]; then
        echo "cross: $conf is missing, install qemu-user-static or qemu-user-binfmt" >&2
        return
    fi
    [ -e "$MISC/register" ] || mount -t binfmt_misc binfmt_misc "$MISC" || return 0
    # A name of our own: a newer entry comes before one that is off, or that has not the flag F,
    # which opens qemu outside of the root.
    sed "s/^:[^:]*:/:agent-qemu-$1:/" "$conf" >"$MISC/register" || true
}

main() {
    runs "$2" && return
    register "$(machine "$1")"
    runs "$2" && return
    echo "cross: programs for $1 don't run here, and that can't be changed from here (in a container" \
        "it is the host's to allow); on the host, as root: apt install qemu-user-static" \
        "&& systemctl restart systemd-binfmt" >&2
    exit 3
}

main "$@"

#!/bin/sh
# Run PyInstaller in a root: the second half of cross.sh, in a namespace whose mounts end with it.
# Usage: unshare -m build/cross/freeze.sh ROOT WORK DEPS BOOTLOADER NAME
# WORK has the sources in src and gets dist; the paths inside are always the same, for the same bytes.
set -eu

PACKAGES=usr/local/lib/python3.11/dist-packages

main() {
    root=$1
    name=$5
    mount --rbind /proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/tmp"
    mount --bind "$2" "$root/made"
    mount --bind "$2/src" "$root/src"
    mount --bind "$3" "$root/$PACKAGES"
    for folder in "$4"/Linux-*; do
        mkdir -p "$3/PyInstaller/bootloader/$(basename "$folder")"
        mount --bind "$folder" "$root/$PACKAGES/PyInstaller/bootloader/$(basename "$folder")"
    done
    unshare -R "$root" /usr/sbin/ldconfig
    set -- env -i PATH=/usr/bin:/usr/sbin HOME=/made LANG=C.UTF-8 PYTHONPATH=/src \
        PYTHONHASHSEED=0 SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" PYTHONDONTWRITEBYTECODE=1 \
        AGENT_NAME="$name" unshare -R "$root" -w /src /usr/bin/python3.11 -m
    "$@" PyInstaller --noconfirm --clean --log-level "${LOG_LEVEL:-WARN}" \
        --distpath /made/dist --workpath /made/pyinstaller build/agent.spec
    "$@" build.contents "/made/dist/$name" /made/pyinstaller/agent/contents.json
}

main "$@"

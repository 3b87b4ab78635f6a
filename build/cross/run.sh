#!/bin/sh
# Run a program as on a user's machine: on the system below ROOT, with this machine's other files.
# Usage: build/cross/run.sh ROOT PROGRAM [ARGUMENTS]
# The mounts end with the program. The environment, the folder and the process stay what they are.
set -eu

# Not exported where it was not: the program's environment is the caller's.
PATH=/usr/sbin:/usr/bin:/sbin:/bin

main() {
    if [ "$1" != --mounted ]; then
        exec unshare -m /bin/sh "$0" --mounted "$@"
    fi
    shift
    root=$1
    shift
    for folder in /*; do
        case "$folder" in
            /bin | /sbin | /lib* | /usr | /etc | /var | /boot | /lost+found) continue ;;
        esac
        if [ -d "$folder" ]; then
            mkdir -p "$root$folder"
            mount --rbind "$folder" "$root$folder"
        fi
    done
    mount --rbind /var/tmp "$root/var/tmp"
    exec unshare -R "$root" -w "$(pwd -P)" -- "$@"
}

main "$@"

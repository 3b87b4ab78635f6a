#!/bin/sh
# Install what is missing of Debian's packages, where that is allowed; what is missing still is
# said, and is the end of it.
# Usage: build/tools.sh PACKAGE:COMMAND-OR-FILE...   what shows that a package is there
set -eu

is_there() { # COMMAND-OR-FILE
    case "$1" in
        /*) [ -e "$1" ] ;;
        *.so.*) find /usr/lib /usr/local/lib -name "$1" 2>/dev/null | grep -q . ;;
        *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

missing() {
    for tool in "$@"; do
        is_there "${tool#*:}" || printf ' %s' "${tool%%:*}"
    done
}

install_debian() {
    command -v apt-get >/dev/null 2>&1 || return 1
    root=""
    if [ "$(id -u)" -ne 0 ]; then
        # Only without a question: nothing may stop and wait for a password.
        sudo -n true 2>/dev/null || return 1
        root="sudo -n"
    fi
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $root apt-get -qq update >/dev/null 2>&1 || true
    # One by one: a package that Debian has not must not keep the others away.
    for package in "$@"; do
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive $root apt-get -qq -y --no-install-recommends install \
            "$package" >/dev/null 2>&1 || true
    done
}

main() {
    wanted=$(missing "$@")
    [ -n "$wanted" ] || return 0
    # shellcheck disable=SC2086
    install_debian $wanted || true
    wanted=$(missing "$@")
    if [ -n "$wanted" ]; then
        echo "missing, and can't be installed from here: apt install$wanted" >&2
        exit 1
    fi
}

main "$@"

#!/bin/sh
# Install what the test suite uses from Debian, where it may, and say what is missing otherwise.
# Usage: build/test_tools.sh [PACKAGE:COMMAND ...]   those of "make test" by default
set -eu

# package:command-or-file that shows that it is there
TOOLS="sqlite3:sqlite3 shellcheck:shellcheck libfaketime:libfaketime.so.1 mbpoll:mbpoll iproute2:ip"

is_there() {
    case "$1" in
        *.so.*) find /usr/lib /usr/local/lib -name "$1" 2>/dev/null | grep -q . ;;
        *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

missing() {
    for tool in $TOOLS; do
        is_there "${tool#*:}" || echo "${tool%%:*}"
    done
}

install_debian() {
    command -v apt-get >/dev/null 2>&1 || return 1
    root=""
    if [ "$(id -u)" -ne 0 ]; then
        # Only without a question: make test must not stop and wait for a password.
        sudo -n true 2>/dev/null || return 1
        root="sudo -n"
    fi
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $root apt-get -qq update >/dev/null 2>&1 || true
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $root apt-get -qq -y --no-install-recommends install "$@" \
        >/dev/null 2>&1
}

main() {
    [ $# -eq 0 ] || TOOLS="$*"
    wanted=$(missing)
    [ -n "$wanted" ] || return 0
    # shellcheck disable=SC2086
    install_debian $wanted || true
    for package in $(missing); do
        echo "skipping the tests that need $package: it is not installed and can't be from here" \
            "(apt install $package)"
    done
}

main "$@"

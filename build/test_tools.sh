#!/bin/sh
# Install what the test suite uses from Debian, where it may, and say what is missing otherwise.
# Usage: build/test_tools.sh [PACKAGE:COMMAND ...]   those of "make test" by default
set -eu

TOOLS="sqlite3:sqlite3 shellcheck:shellcheck libfaketime:libfaketime.so.1 mbpoll:mbpoll iproute2:ip"

main() {
    # shellcheck disable=SC2086
    [ $# -gt 0 ] || set -- $TOOLS
    sh "$(dirname "$0")/tools.sh" "$@" 2>&1 || echo "the tests that need them are skipped"
}

main "$@"

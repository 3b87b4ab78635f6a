#!/bin/sh
# Check every shell script of the project; say so where shellcheck is not installed.
set -eu

main() {
    if ! command -v shellcheck >/dev/null 2>&1; then
        echo "shellcheck is not installed, scripts are not checked (apt install shellcheck)"
        return 0
    fi
    git ls-files '*.sh' .ci/run | xargs shellcheck
}

main "$@"

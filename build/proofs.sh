#!/bin/sh
# The proofs that are slower than "make test": the one file, a real systemd, ARM.
# Usage: build/proofs.sh short|long [pytest's options]
# What can't run here is said by pytest as skipped, with the reason.
set -eu

PYTHON=.venv/bin/python
TOOLS="systemd-container:systemd-nspawn systemd:systemd-analyze mmdebstrap:mmdebstrap \
    util-linux:nsenter lintian:lintian e2fsprogs:mkfs.ext4 gcc:gcc binutils:strip"

proofs() { # MARKERS...: pytest on those that were collected
    title=$1
    markers=$2
    shift 2
    echo "== $title"
    code=0
    $PYTHON -m pytest -rs -m "$markers" "$@" || code=$?
    # 5: none were selected
    [ "$code" -eq 0 ] || [ "$code" -eq 5 ] || exit "$code"
}

main() {
    cd "$(dirname "$0")/.."
    form=$1
    shift
    # shellcheck disable=SC2086
    sh build/test_tools.sh $TOOLS
    sh build/build.sh
    if [ "$form" = long ]; then
        proofs "everything slow, the one file, systemd, ARM" \
            "slow or frozen or systemd or cross" "$@"
        return
    fi
    proofs "every command of the one file" "frozen and not slow" "$@"
    proofs "the service in a real systemd" "systemd and not slow" "$@"
    proofs "the one file for ARM" "cross and not slow" "$@"
}

main "$@"

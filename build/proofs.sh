#!/bin/sh
# The proofs that are slower than "make test": the one file, a real systemd, ARM.
# Usage: build/proofs.sh short|long [pytest's options]
# What can't run here is said by pytest as skipped, with the reason.
set -eu

PYTHON=.venv/bin/python
TOOLS="systemd-container:systemd-nspawn systemd:systemd-analyze mmdebstrap:mmdebstrap \
    util-linux:nsenter lintian:lintian e2fsprogs:mkfs.ext4"

proofs() { # TITLE MARKERS [OPTIONS]: pytest on those that were collected
    title=$1
    markers=$2
    shift 2
    echo "== $title"
    {
        code=0
        $PYTHON -m pytest -rs -m "$markers" "$@" || code=$?
        echo "$code" >"$work/code"
    } 2>&1 | tee "$work/said"
    code=$(cat "$work/code")
    # 5: none were selected
    [ "$code" -eq 0 ] || [ "$code" -eq 5 ] || exit "$code"
    note "$title" >>"$work/summary"
}

# What became of a proof: green is no word for what could not run here.
note() { # TITLE
    outcome=$(tail -n 1 "$work/said")
    case "$outcome" in
        *" passed"*) echo "$1: $outcome" ;;
        *) echo "$1: NOT PROVEN HERE: $outcome" ;;
    esac
    sed -n 's/^SKIPPED/    skipped/p' "$work/said"
}

main() {
    cd "$(dirname "$0")/.."
    form=$1
    shift
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    # shellcheck disable=SC2086
    sh build/test_tools.sh $TOOLS
    sh build/build.sh
    only=" and not slow"
    if [ "$form" = long ]; then
        only=""
        proofs "long forms of tests" "slow and not (frozen or systemd or cross)" "$@"
    fi
    proofs "every command of the one file" "frozen$only" "$@"
    proofs "the service in a real systemd" "systemd$only" "$@"
    proofs "the one file for ARM" "cross$only" "$@"
    echo "== what was proven on this machine"
    cat "$work/summary"
}

main "$@"

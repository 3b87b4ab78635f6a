#!/bin/sh
# Set up what building needs in build/made/build-venv, once.
# Usage: build/environment.sh   [PYTHON=python3]
set -eu

PYTHON=${PYTHON:-python3}
VENV=build/made/build-venv

main() {
    cd "$(dirname "$0")/.."
    if [ -e "$VENV/ready" ] && [ -z "$(find requirements-build.lock -newer "$VENV/ready")" ]; then
        return
    fi
    echo "setting up the build environment, once" >&2
    rm -rf "$VENV"
    "$PYTHON" -m venv "$VENV"
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check \
        --require-hashes -r requirements-build.lock
    touch "$VENV/ready"
}

main "$@"

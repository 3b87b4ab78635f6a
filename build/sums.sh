#!/bin/sh
# Write SHA256SUMS of all that is in a folder to download.
# Usage: build/sums.sh FOLDER
set -eu

main() {
    cd "$1"
    for file in *; do
        case "$file" in
            *.sha256 | SHA256SUMS*) ;;
            *) [ ! -f "$file" ] || sha256sum "$file" ;;
        esac
    done >SHA256SUMS.new
    mv -f SHA256SUMS.new SHA256SUMS
}

main "$@"

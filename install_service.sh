#!/bin/sh
# Install the agent as a service of this machine: from a checkout, or from a folder of downloads.
# All options are those of "agent install-service"; --help shows them.
set -eu

say() {
    echo "install_service.sh: $*" >&2
}

fail() {
    say "$*"
    exit 1
}

usage() {
    cat <<'END'
Usage: ./install_service.sh [--user] [--config FILE] [--prefix DIR] [--dry-run] [--json]

Installs the agent as a service, or upgrades it. It takes the program for this machine,
agent-linux-x86_64, -arm64 or -armhf, from beside this script (a folder of downloads, with
SHA256SUMS) or from dist (a checkout; made with "make build" where it is missing), checks its
checksum, asks for the password with sudo, and runs "agent install-service" with all options:

  --user         for this user alone, with systemctl --user, without sudo
  --config FILE  copied to /etc/agent/agent.toml, if there is none
  --prefix DIR   where the program goes: DIR/bin/agent; /usr/local by default
  --dry-run      say what would be done, and do nothing
  --json         print JSON for programs

To remove it again: sudo agent uninstall-service
END
}

# The programs that run here are those of the installed system, not those of the kernel: a Raspberry
# Pi OS of 32 bits has a kernel of 64.
architecture() {
    kernel=$(uname -m)
    bits=$(getconf LONG_BIT 2>/dev/null || echo 64)
    debian=$(dpkg --print-architecture 2>/dev/null || true)
    case "${debian:-$kernel/$bits}" in
        amd64 | x86_64/64) echo x86_64 ;;
        arm64 | aarch64/64) echo arm64 ;;
        armhf | armv7l/32 | armv8l/32 | aarch64/32)
            # A Raspberry Pi OS calls itself armhf there too, and has programs for ARMv6.
            [ "$kernel" != armv6l ] || unsupported "an ARMv6 (Raspberry Pi 1, Zero, Zero W)"
            echo armhf
            ;;
        *) unsupported "${debian:+$debian on }$kernel with $bits bits" ;;
    esac
}

unsupported() {
    say "there is no program for this machine: $1"
    fail "there are: x86_64, arm64 (64 bits) and armhf (ARMv7, 32 bits; Raspberry Pi 2 and newer)"
}

# Sets "program" and "sums": the file for this machine, and the list with its checksum.
find_program() {
    name=$1
    for folder in "$here" "$here/dist"; do
        if [ -f "$folder/$name" ]; then
            program=$folder/$name
            sums=$folder/SHA256SUMS
            return 0
        fi
    done
    return 1
}

build() {
    if [ ! -f "$here/Makefile" ] || [ ! -d "$here/agent" ]; then
        fail "there is no $1 in $here: put it there, with SHA256SUMS, and try again"
    fi
    command -v make >/dev/null 2>&1 || fail "$1 has to be made first: sudo apt install make"
    command -v python3 >/dev/null 2>&1 || fail "$1 has to be made first: sudo apt install python3"
    say "making $1, which takes some minutes"
    (cd "$here" && make build >&2) || fail "it could not be made, see above"
}

check() {
    [ -f "$sums" ] || fail "$sums is missing, so $program can't be checked: get that file too"
    file=${program##*/}
    # Exactly this file: a list may have others, that need not be here.
    wanted=$(awk -v name="$file" '$2 == name || $2 == "*" name { print $1; exit }' "$sums")
    [ -n "$wanted" ] || fail "$sums has no checksum of $file: get both files of the same version"
    found=$(sha256sum <"$program")
    [ "${found%% *}" = "$wanted" ] ||
        fail "$program is damaged, its checksum is not that in $sums: get it again"
}

# A folder of downloads has no right to run, and may be on a file system where nothing runs.
runnable() {
    if [ -x "$program" ] && "$program" --version >/dev/null 2>&1; then
        return 0
    fi
    copy=$(mktemp -d "${TMPDIR:-/tmp}/agent-install.XXXXXX")
    trap 'rm -rf "$copy"' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    cp "$program" "$copy/agent"
    chmod 755 "$copy/agent"
    program=$copy/agent
    "$program" --version >/dev/null || fail "the program does not run on this machine, see above"
}

needs_root() {
    for word in "$@"; do
        case "$word" in
            --user | --dry-run) return 1 ;;
        esac
    done
    [ "$(id -u)" -ne 0 ]
}

main() {
    for word in "$@"; do
        case "$word" in
            -h | --help)
                usage
                return 0
                ;;
        esac
    done
    here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
    arch=$(architecture)
    name=agent-linux-$arch
    if ! find_program "$name"; then
        build "$name"
        find_program "$name" || fail "\"make build\" did not make $here/dist/$name"
    fi
    check
    runnable
    if needs_root "$@"; then
        command -v sudo >/dev/null 2>&1 || fail "run it as root: there is no sudo here"
        say "asking for the rights of root with sudo"
        sudo "$program" install-service "$@"
    else
        "$program" install-service "$@"
    fi
}

main "$@"

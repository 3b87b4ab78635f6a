#!/bin/sh
# Make a Debian of another architecture in a folder below build/made, once, and print its path.
# Usage: build/cross/root.sh build|user ARCH [SUITE]   bookworm, as the oldest that is supported
# build: with the Python that goes into the one file. user: what everybody has, without Python.
# DEBIAN_SECURITY=no leaves Debian's security updates out: for a try where a mirror has lost step.
# Nothing of it is run or configured: that takes 10 s instead of minutes through an emulator.
set -eu

MADE=$(cd "$(dirname "$0")/.." && pwd)/made
SECURITY=${DEBIAN_SECURITY:-yes}
MERGED=/usr/share/mmdebstrap/hooks/merged-usr

packages() { # KIND
    case "$1" in
        # Python with its shared library; binutils and ldd for PyInstaller; os-release for the list
        # of contents.
        build) echo "python3.11-minimal,libpython3.11-stdlib,libpython3.11,binutils,bash,dash,coreutils,libc-bin,base-files" ;;
        user) echo "?essential" ;;
    esac
}

# The mirror is this machine's, its releases are those wanted.
sources() { # SUITE
    if [ -n "${DEBIAN_MIRROR:-}" ]; then
        echo "deb $DEBIAN_MIRROR $1 main"
        return
    fi
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(SITE) $(CODENAME)' 'Created-By: Packages' 'Origin: Debian' |
        sort -u | while read -r site codename; do
        case "$codename" in
            *-updates) echo "deb $site $1-updates main" ;;
            *-security) [ "$SECURITY" = no ] || echo "deb $site $1-security main" ;;
            *-*) ;;
            ?*) echo "deb $site $1 main" ;;
        esac
    done | sort -u
}

known_sources() { # SUITE
    found=$(sources "$1")
    if [ -z "$found" ]; then
        apt-get -qq update >&2 || true
        found=$(sources "$1")
    fi
    if [ -z "$found" ]; then
        echo "cross: apt knows no mirror of Debian; name one: DEBIAN_MIRROR=http://..." >&2
        exit 3
    fi
    echo "$found"
}

# What dpkg would have written: the list of contents asks which package a file is of.
# shellcheck disable=SC2016
REGISTER='
    set -eu
    for deb in "$1"/var/cache/apt/archives/*.deb; do
        name=$(dpkg-deb --field "$deb" Package)
        { dpkg-deb --field "$deb" && echo; } >>"$1/var/lib/dpkg/status"
        dpkg-deb --fsys-tarfile "$deb" | tar -t | sed "s:^\.::; s:/\$::" \
            >"$1/var/lib/dpkg/info/$name.list"
    done
    if [ -e "$1/usr/share/base-passwd/passwd.master" ]; then
        cp "$1/usr/share/base-passwd/passwd.master" "$1/etc/passwd"
        cp "$1/usr/share/base-passwd/group.master" "$1/etc/group"
        # As an installation does.
        echo "hosts: files dns" >"$1/etc/nsswitch.conf"
        echo "127.0.0.1 localhost" >"$1/etc/hosts"
        echo Etc/UTC >"$1/etc/timezone"
    fi
    for folder in dev made proc src tmp var/tmp \
        usr/local/lib/python3.11/dist-packages; do mkdir -p "$1/$folder"; done'

make_root() { # KIND ARCH SUITE ROOT
    echo "making a Debian $3 for $2 ($1), once" >&2
    work=$(mktemp -d "$4.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    log=$work.log
    list=$(known_sources "$3")
    # It mounts /proc in the new root. Among mounts of its own that ends with it, also where it is
    # killed; among ours it would stay, and "rm -rf" of the root would go on in there.
    echo "$list" | unshare -m mmdebstrap --architectures="$2" --variant=extract --skip=check/qemu \
        --hook-dir="$MERGED" --include="$(packages "$1")" --extract-hook="$REGISTER" \
        "$3" "$work" - >"$log" 2>&1 || {
        tail -n 20 "$log" >&2
        echo "cross: no Debian $3 for $2: see $log" >&2
        if grep -q 'unexpected size\|Hash Sum mismatch' "$log"; then
            echo "cross: the mirror's lists do not fit their signature, as while it is updated; try" \
                "again later, or name another: DEBIAN_MIRROR=http://..." >&2
        fi
        exit 3
    }
    rm -f "$log"
    chmod 755 "$work"
    # Another build may have been faster.
    mv -T "$work" "$4" 2>/dev/null || [ -d "$4" ]
    rm -rf "$work"
    trap - EXIT
}

main() {
    kind=$1
    arch=$2
    suite=${3:-bookworm}
    key=$( (cat "$0" && packages "$kind" && echo "$arch $suite $SECURITY") | sha256sum | cut -c 1-8)
    root=$MADE/root-$kind-$suite-$arch-$key
    mkdir -p "$MADE"
    [ -d "$root" ] || make_root "$kind" "$arch" "$suite" "$root"
    echo "$root"
}

main "$@"

#!/bin/sh
# Make the one file for the machine at hand: dist/agent-linux-ARCH, its checksum, its contents.
# Usage: build/build.sh   [OUT=dist] [PYTHON=python3]
set -eu

OUT=${OUT:-dist}
PYTHON=${PYTHON:-python3}
MADE=build/made

arch() {
    case "$(uname -m)" in
        x86_64) echo x86_64 ;;
        aarch64) echo arm64 ;;
        armv7l | armv8l) echo armhf ;;
        *) uname -m ;;
    esac
}

main() {
    cd "$(dirname "$0")/.."
    name="agent-linux-$(arch)"
    PYTHON=$PYTHON sh build/environment.sh
    bin=$MADE/build-venv/bin
    sh build/bootloader/make.sh "$bin/python" "$MADE/bootloader-$(arch)"
    packages=$("$bin/python" -c "import PyInstaller; print(PyInstaller.__path__[0])")
    cp -R "$MADE/bootloader-$(arch)/." "$packages/bootloader/"
    mkdir -p "$OUT"
    # Hash seeds and times are what makes two builds differ.
    # PyInstaller's cache is emptied by --clean: two builds at once would take it from each other.
    AGENT_NAME=$name PYTHONHASHSEED=0 SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1577836800} \
        PYINSTALLER_CONFIG_DIR="$PWD/$MADE/cache" PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=. \
        "$bin/python" -m PyInstaller --noconfirm --clean --log-level "${LOG_LEVEL:-WARN}" \
        --distpath "$OUT" --workpath "$MADE/pyinstaller" build/agent.spec
    (cd "$OUT" && sha256sum "$name" >"$name.sha256")
    # Also a check: something inside that nobody is known to have made ends it.
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=. \
        "$bin/python" -m build.contents "$OUT/$name" "$MADE/pyinstaller/agent/contents.json"
    sh build/sums.sh "$OUT"
    ls -l "$OUT/$name"
}

main "$@"

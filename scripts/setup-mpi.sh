#!/usr/bin/env bash
# Makes sure that the system has an MPI, for the crate autojit-mpi, and a libclang for the bindings of the crate `mpi`. Does nothing
# if it has.
#
# OpenMPI comes by apt. libclang is that of scripts/setup-xla.sh where that has run; else the official Python package, whose hash is
# checked, is put into a cache outside of the clone (AUTOJIT_CACHE, else autojit in the user's cache folder), and .cargo/mpi.toml
# tells cargo where it is. Another one is used instead if LIBCLANG_PATH names its folder.
set -euo pipefail
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-python3}
CACHE=${AUTOJIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/autojit}
PREFIX="$CACHE/libclang-18.1.1"

fail() {
    printf 'setup-mpi.sh: %s\n' "$*" >&2
    exit 1
}

has_mpi() {
    command -v mpicc >/dev/null && command -v mpirun >/dev/null
}

if ! has_mpi; then
    root=
    if [ "$(id -u)" != 0 ]; then
        root="sudo -n"
    fi
    if command -v apt-get >/dev/null && $root true 2>/dev/null; then
        echo "installing libopenmpi-dev and openmpi-bin"
        $root apt-get update -qq || true
        DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends libopenmpi-dev openmpi-bin
    fi
    has_mpi || fail "mpicc or mpirun is missing: install libopenmpi-dev and openmpi-bin (Debian, Ubuntu), openmpi-devel" \
        "(Fedora) or open-mpi (Homebrew)"
fi

if [ -n "${LIBCLANG_PATH:-}" ] || [ -f .cargo/xla.toml ]; then
    exit 0
fi
if [ ! -f "$PREFIX/libclang.so" ]; then
    [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] ||
        fail "only x86-64 Linux is known here; elsewhere set LIBCLANG_PATH to the folder of a libclang"
    "$PYTHON" -m pip --version >/dev/null 2>&1 || fail "pip is missing; install it, as python3-pip on Debian"
    mkdir -p "$CACHE"
    work=$(mktemp -d -p "$CACHE" setup-mpi.XXXXXX)
    trap 'rm -rf "$work"' EXIT
    echo "libclang==18.1.1 --hash=sha256:c533091d8a3bbf7460a00cb6c1a71da93bffe148f172c7d03b1c31fbf8aa2a0b" >"$work/requirements.txt"
    "$PYTHON" -m pip download --no-cache-dir --no-deps --only-binary=:all: --require-hashes --disable-pip-version-check \
        --platform manylinux2010_x86_64 -d "$work" -r "$work/requirements.txt" ||
        fail "the download failed, or what came has another hash (see above); nothing was installed"
    "$PYTHON" -m zipfile -e "$work"/libclang-*.whl "$work/wheel"
    mkdir "$work/libclang"
    find "$work/wheel" -name libclang.so -exec mv {} "$work/libclang/" \;
    [ -f "$work/libclang/libclang.so" ] || fail "libclang.so is not in the package"
    mv "$work/libclang" "$PREFIX"
fi
compiler=$(${CC:-cc} -print-file-name=include) || fail "a C compiler is missing; install one, or name it in CC"
settings=$(
    cat <<SETTINGS
# Written by scripts/setup-mpi.sh.
[env]
LIBCLANG_PATH = { value = "$PREFIX", relative = false }
BINDGEN_EXTRA_CLANG_ARGS = "-I$compiler"
SETTINGS
)
if [ "$(cat .cargo/mpi.toml 2>/dev/null)" != "$settings" ]; then
    printf '%s\n' "$settings" >.cargo/mpi.toml
fi

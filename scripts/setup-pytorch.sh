#!/usr/bin/env bash
# Gets PyTorch for Python, for the one test that reads saved modules with it: 530 MB to download, 1.3 GB on disk.
#
#   scripts/setup-pytorch.sh      prints the command that runs its Python
#
# PyTorch for Linux is linked with the libraries of CUDA, 3 GB more, of which nothing is called without a GPU. So they
# are not fetched: empty libraries stand in for them. This serves that test; it is no way to use PyTorch.
# Run scripts/setup-torch.sh before. Needs Python 3.11 with pip and venv, and a C compiler with binutils.
set -euo pipefail
cd "$(dirname "$0")/.."

TORCH=2.13.0
PYTHON=${PYTHON:-python3.11}
CACHE=${AUTOJIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/autojit}
LIBTORCH="$CACHE/libtorch-$TORCH/lib"
PREFIX="$CACHE/pytorch-$TORCH"

fail() {
    printf 'setup-pytorch.sh: %s\n' "$*" >&2
    exit 1
}

install() {
    [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || fail "only x86-64 Linux is known here"
    [ -e "$LIBTORCH/libcudart.so.13" ] || fail "libtorch is missing; run scripts/setup-torch.sh"
    command -v "$PYTHON" >/dev/null || fail "$PYTHON is missing; name a Python 3.11 in PYTHON"
    rm -rf "$PREFIX"
    trap 'rm -rf "$PREFIX"' ERR
    "$PYTHON" -m venv "$PREFIX"
    wheel=$(sed -n 's/^torch==/torch==/p' scripts/setup-torch.sh)
    pip() { "$PREFIX/bin/python" -m pip install --no-cache-dir --disable-pip-version-check --only-binary=:all: "$@" >&2; }
    pip filelock typing-extensions sympy networkx jinja2 fsspec numpy setuptools
    pip --no-deps --require-hashes -r <(echo "$wheel")

    local lib stand_ins name
    lib=$(echo "$PREFIX"/lib/python*/site-packages/torch/lib)
    stand_ins="$PREFIX/stand-ins"
    mkdir "$stand_ins"
    cp "$LIBTORCH"/libcudart.so.13 "$LIBTORCH"/libcupti.so.13 "$stand_ins"
    # Functions of nothing for every name that starts a line; the name of the library, then the file.
    stand_in() { sed 's/.*/void &(void) {}/' | gcc -w -shared -fPIC -x c -Wl,-soname,"$1" -o "$2" -; }
    for name in $(readelf -d "$lib"/*.so* | sed -n 's/.*NEEDED.*\[\(lib\(cu\|nccl\|nvrtc\|nvshmem\).*\)\]/\1/p' | sort -u); do
        [ -e "$stand_ins/$name" ] || stand_in "$name" "$stand_ins/$name" </dev/null
    done
    nm -D --defined-only "$lib/libtorch_nvshmem.so" | sed -n 's/.* T \(_Z[^@]*\).*/\1/p' | sort -u >"$stand_ins/names"
    stand_in libtorch_nvshmem.so "$lib/libtorch_nvshmem.so" <"$stand_ins/names"
    nm -D --defined-only "$stand_ins"/*.so.13 | sed -n 's/.* \([^ @]*\)@*.*$/\1/p' | sort -u >"$stand_ins/there"
    nm -D --undefined-only "$lib"/*.so | sed -n 's/.* U \([^@]*\).*/\1/p' | sort -u |
        grep -E '^(cublas|cusolver|cudnn|nccl|cufft|curand|cusparse|nvshmem|nvrtc|cuFile|cu[A-Z])' |
        comm -23 - "$stand_ins/there" | stand_in libstandins.so "$stand_ins/libstandins.so"
    cat >"$PREFIX/bin/pytorch" <<RUN
#!/bin/sh
LD_PRELOAD="$stand_ins/libstandins.so" LD_LIBRARY_PATH="$stand_ins" exec "$PREFIX/bin/python" "\$@"
RUN
    chmod +x "$PREFIX/bin/pytorch"
    "$PREFIX/bin/pytorch" -c 'import torch; torch.ones(2).sum()' 2>"$PREFIX/log" ||
        fail "PyTorch does not start: $(tail -1 "$PREFIX/log")"
}

[ -x "$PREFIX/bin/pytorch" ] || install
echo "$PREFIX/bin/pytorch"

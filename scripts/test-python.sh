#!/usr/bin/env bash
# Builds the Python package of python/ and runs its tests and its notebook, with autoray, quimb, cotengra, dask and mpi4py from PyPI. Called by
# `scripts/test.sh`, which formats and lints the Rust part with the rest of the workspace.
#
# Needs Python 3.10 or newer with venv. The packages are installed into a virtual environment in a cache outside of the clone
# (AUTOJIT_CACHE, else autojit in the user's cache folder); another interpreter than `python3` is named by PYTHON.
set -euo pipefail
cd "$(dirname "$0")/../python"

PYTHON=${PYTHON:-python3}
CACHE=${AUTOJIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/autojit}
VENV="$CACHE/python-venv"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/../target}

command -v "$PYTHON" >/dev/null || {
    echo "test-python.sh: $PYTHON is missing; install Python 3.10 or newer, or name it in PYTHON" >&2
    exit 1
}
[ -x "$VENV/bin/python" ] || "$PYTHON" -m venv "$VENV"
export VIRTUAL_ENV="$VENV" PATH="$VENV/bin:$PATH"
python -m pip install --quiet --disable-pip-version-check 'maturin>=1.9,<2' 'numpy>=2.0' pytest autoray quimb cotengra ruff \
    distributed nbclient ipykernel
# Ranks of MPI as a pool: where there is an MPI, and a wheel of this or what it is built with.
if command -v mpirun >/dev/null; then
    python -m pip install --quiet --disable-pip-version-check mpi4py==4.1.2 ||
        echo "test-python.sh: mpi4py cannot be installed, so the test of its pool is skipped" >&2
fi

ruff format --check .
ruff check .
maturin develop --release --locked
python -m pytest -q

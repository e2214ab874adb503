#!/usr/bin/env bash
# Measures the suite of the native engine beside NumPy, JAX, CasADi, SLEEF and LIBXSMM, and how compiling grows, and writes the figures
# of docs/benchmarks.md. Takes half an hour in all on two cores; what peers need is installed into a folder under `target`.
#
#   scripts/benchmark.sh          on this processor, with the vectors that it has
#   scripts/benchmark.sh --avx2   also with code for AVX2, on a processor that has AVX-512
#
# Needs Rust, Python 3.11 or newer with venv, and gcc. Results are in target/benchmarks/*.json. A machine with nothing else to do gives
# the best figures; ratios hold on any.
set -euo pipefail
cd "$(dirname "$0")/.."

case "$#:${1:-}" in
0: | 1:--avx2) ;;
*)
    # The comment above.
    sed -n '2,/^set /{s/^# \{0,1\}//p}' scripts/benchmark.sh
    [ "$*" = --help ] && exit 0
    exit 2
    ;;
esac

FOLDER=$PWD/target/benchmarks
mkdir -p "$FOLDER"
# Files of an earlier run belong to other code.
rm -f "$FOLDER"/*.json
harness() {
    cargo bench --quiet --locked -p autojit-benches --bench harness -- "$@"
}
harness run --suite engine --peers numpy,jax,casadi,sleef,libxsmm --json "$FOLDER/engine.json"
harness law --json "$FOLDER/law.json"
if [ "${1:-}" = --avx2 ]; then
    AUTOJIT_TARGET=avx2 harness run --suite engine --json "$FOLDER/engine-avx2.json"
    AUTOJIT_TARGET=avx2 harness law --json "$FOLDER/law-avx2.json"
fi
harness targets "$FOLDER"/*.json
harness report "$FOLDER"/*.json --into "$PWD/docs/benchmarks.md"

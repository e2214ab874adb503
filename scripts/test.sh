#!/usr/bin/env bash
# All checks of the project, as CI runs them. Needs Rust, a C compiler and Python 3.10; what else it needs
# it installs.
#
#   scripts/test.sh           everything but what has a word of its own below, with the features that need libraries in
#                             C++, torch and xla, which it downloads once (840 MB)
#   scripts/test.sh pytorch   that PyTorch in Python reads saved modules, with another download (530 MB)
#   scripts/test.sh bench     every workload of the benchmarks by every backend; fails for wrong results, never for times
#   scripts/test.sh fuzz      each fuzz target by libFuzzer, for a minute or AUTOJIT_FUZZ_SECONDS; findings go to
#                             fuzz/regressions, inputs with new coverage to fuzz/corpus
#   scripts/test.sh random    random programs, their gradients and batches on each target: 20 000 or AUTOJIT_CASES, from AUTOJIT_SEED
#   scripts/test.sh soak      threads that compile, call and drop functions within 4 GB of address space: for half an hour, or
#                             AUTOJIT_SOAK_SECONDS
#   scripts/test.sh python    the Python package alone: builds it, and runs its tests with autoray, quimb and cotengra from PyPI
#   scripts/test.sh browser   that the interactive pages work in Chromium, which it installs by apt where it can
#   scripts/test.sh quick     without any download: formatting, lints and the debug tests only
#   scripts/test.sh --help    prints this
#
# It ends with the time that each step took.
set -Eeuo pipefail
cd "$(dirname "$0")/.."

# The comment above.
usage() {
    sed -n '2,/^set /{s/^# \{0,1\}//p}' scripts/test.sh
}

case "$#:${1:-}" in
0: | 1:bench | 1:pytorch | 1:fuzz | 1:random | 1:soak | 1:python | 1:browser | 1:quick) ;;
1:-h | 1:--help | 1:help)
    usage
    exit 0
    ;;
*)
    printf 'test.sh: `%s` is none of its words\n\n' "$*" >&2
    usage >&2
    exit 2
    ;;
esac

# What is built here is built once.
export CARGO_INCREMENTAL=0
TARGET=${CARGO_TARGET_DIR:-target}

times=()

# cargo gives rustc /dev/null to read. Where that has become a file, as linkers that run as root can leave it, rustc
# reads what was last written there.
null_device() {
    [ -c /dev/null ] && return
    echo "/dev/null is no device; making it one" >&2
    rm -f /dev/null && mknod -m 666 /dev/null c 1 3
}

step() {
    local start=$SECONDS
    null_device
    printf '\n== %s\n' "$*"
    "$@"
    times+=("$(printf '%5d s  %s' $((SECONDS - start)) "$*")")
}

# Runs cargo, and fails for warnings, which cargo shows again for what is built already.
without_warnings() {
    local log
    log=$(mktemp)
    "$@" 2>&1 | tee "$log"
    ! grep '^warning' "$log" || return 1
    rm "$log"
}

summary() {
    printf '\n== %d s in all\n' "$SECONDS"
    [ ${#times[@]} = 0 ] || printf '%s\n' "${times[@]}"
}
trap summary EXIT

# A full disk looks like a broken linker.
trap 'echo "failed; free disk space:" >&2; df -h . "${TMPDIR:-/tmp}" >&2' ERR

# Where the disk has no room for all builds, the test programs that have run go: linking them again takes a minute.
make_room() {
    local free
    free=$( (df --output=avail --block-size=1G . || echo 99) 2>/dev/null | tail -n 1)
    if [ "$free" -lt 12 ] && [ -d "$TARGET/debug/deps" ]; then
        step find "$TARGET/debug/deps" -maxdepth 1 -type f -perm -u+x ! -name '*.so' -delete
    fi
}

# The packages of one cargo command decide the features of their common dependencies, and with other features the linear
# algebra is built anew. So there is one set of packages and features, and each command takes all of it. LAPACK refuses
# to live beside libtorch, which one of its tests sees.
EVERYTHING=(--workspace --locked --features "autojit/torch,autojit/xla,autojit-lapack/torch,autojit-fuzz/targets")
# The part that can do without the code generator and the libraries in C++.
PURE=(-p autojit -p autojit-runtime -p autojit-benches -p autojit-lapack --locked --no-default-features)

# What the features need. Programs of all packages find the libraries by this path, those of autojit itself by an rpath.
set_up() {
    step scripts/setup-torch.sh
    step scripts/setup-xla.sh
    # LAPACK by the OpenBLAS of the system: a crate of its own, see crates/lapack/src/lib.rs.
    step scripts/setup-lapack.sh
    # OpenMPI, for crates/mpi.
    step scripts/setup-mpi.sh
    local folders
    folders=$(sed -n 's/^\(LIBTORCH\|XLA_EXTENSION_DIR\) = { value = "\([^"]*\)".*/\2\/lib/p' .cargo/torch.toml .cargo/xla.toml)
    export LD_LIBRARY_PATH=${folders//$'\n'/:}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
}

# Four ranks of an example, however few cores there are, and whoever runs them.
ranks() {
    OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 step mpirun --oversubscribe --bind-to none -n 4 \
        "$TARGET/debug/examples/$1"
}

# Examples end by checking themselves.
example() {
    local name=$1
    shift
    step "$TARGET/debug/examples/$name" "$@"
}

case "${1:-}" in
bench)
    step cargo bench --locked --bench harness -- run --suite quick --time 0.02
    exit 0
    ;;
pytorch)
    set_up
    step scripts/setup-pytorch.sh
    AUTOJIT_PYTORCH=$(scripts/setup-pytorch.sh) step cargo test "${EVERYTHING[@]}" --test external python -- --ignored
    exit 0
    ;;
fuzz)
    targets=(graph kernel call exported_file text)
    RUSTC_WORKSPACE_WRAPPER=$PWD/scripts/coverage-rustc.sh step cargo build --workspace --exclude autojit-torch \
        --exclude autojit-xla --locked --features autojit-fuzz/libfuzzer "${targets[@]/#/--bin=}"
    for target in "${targets[@]}"; do
        mkdir -p "fuzz/corpus/$target" "fuzz/regressions/$target"
        # A hang and a blow-up are findings too.
        step "$TARGET/debug/$target" -max_total_time="${AUTOJIT_FUZZ_SECONDS:-60}" -timeout=5 -rss_limit_mb=4096 \
            -malloc_limit_mb=2048 -artifact_prefix="fuzz/regressions/$target/" "fuzz/corpus/$target" "fuzz/regressions/$target"
    done
    exit 0
    ;;
random)
    set_up
    export AUTOJIT_CASES=${AUTOJIT_CASES:-20000}
    # Graphs with their gradients, against forward mode and differences, by the reference interpreter.
    step cargo test "${EVERYTHING[@]}" --lib --exclude autojit-python -- random_graphs
    for target in $(grep -qw avx512f /proc/cpuinfo && echo avx512) $(grep -qw avx2 /proc/cpuinfo && echo avx2) clif; do
        step env AUTOJIT_TARGET="$target" cargo test "${EVERYTHING[@]}" --test compiler -- differential::random \
            batches_of_random_graphs random_programs
    done
    exit 0
    ;;
soak)
    step cargo build --release --locked --example soak
    # The limit is that of the program alone.
    (
        ulimit -v 4000000
        step "$TARGET/release/examples/soak" --seconds "${AUTOJIT_SOAK_SECONDS:-1800}"
    )
    exit 0
    ;;
python)
    step scripts/test-python.sh
    exit 0
    ;;
browser)
    step scripts/test-browser.sh
    exit 0
    ;;
quick)
    step cargo fmt --all --check
    step cargo clippy --all-targets --locked -- -D warnings
    step cargo test --locked
    exit 0
    ;;
esac

step cargo fmt --all --check
set_up
step cargo clippy "${EVERYTHING[@]}" --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" step cargo doc "${EVERYTHING[@]}" --no-deps
step cargo test "${EVERYTHING[@]}"
for dtype in float32 complex64 complex128; do
    example gram_schmidt --n 20 --dtype "$dtype"
done
example quickstart
example custom_library
example explain
example exported
example variational_circuit
example loops
example lstm
example kalman_likelihood
example matrix_product_state
example sliced_contraction
example soak --seconds 5
example large_contraction
ranks ranks
example scaling simulate
example pictures --out "$(mktemp -d)"
example torchscript
example gram_schmidt --library torch
example gram_schmidt --library xla --n 20
example tensor_network --backend xla
for mode in eager lazy replay cranelift torch; do
    example conformance --backend "$mode" tests/conformance
done
# Without more.json, where `nextafter` has subnormal results, which XLA does not give. Without gradients and tangents one by one,
# each of which is a program of XLA's own: whole programs with gradients are there, and batches.
example conformance --backend xla $(find tests/conformance -name '*.json' ! -name more.json ! -name gradients.json \
    ! -name tangents.json | sort)
example conformance --library torch tests/conformance

# Verifiers between all stages, as in release builds that ask for them, and new code against replay, but for a million steps of a
# loop, which replay would take minutes for.
step env AUTOJIT_VERIFY=1 cargo test "${EVERYTHING[@]}" --test filetests
step env AUTOJIT_VERIFY=1 cargo test "${EVERYTHING[@]}" --test api -- control:: jit:: lazy:: numpy:: transform:: \
    --skip million_steps

# Code for other processors, as far as this one runs it: loops by Cranelift alone, for AVX2 where there is more, and without the
# vectors of AVX. What depends on the processor: not the table of all ops, which takes minutes, nor memory and scale.
AVX2=
if grep -qw avx512f /proc/cpuinfo 2>/dev/null; then
    AVX2=AUTOJIT_TARGET=avx2
fi
echo "Native code is tested for: the best target of this processor, clif, ${AVX2:+avx2, }baseline"
for processor in AUTOJIT_TARGET=clif $AVX2 AUTOJIT_PROCESSOR=baseline; do
    step env "$processor" cargo test "${EVERYTHING[@]}" --test filetests
    step env "$processor" cargo test "${EVERYTHING[@]}" --test compiler -- --skip every_op_agrees --skip coverage \
        --skip scale:: --skip flat_memory --skip huge_arrays
done

# The pure interpreter build: neither a code generator nor the libraries in C++, so LAPACK may be there. Clippy would build all
# dependencies once more for it, so here the compiler's own warnings are what fails.
step without_warnings cargo test "${PURE[@]}" --test api --test filetests --test against_autojit

# The README's first command: the one release build.
make_room
step cargo run --release --locked -p autojit --example gram_schmidt

# The Python package, which is built from the same crates.
step scripts/test-python.sh

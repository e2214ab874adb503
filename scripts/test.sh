#!/usr/bin/env bash
# All checks of the project, as CI runs them. Needs Rust and a C compiler; what else it needs it installs.
#
#   scripts/test.sh           everything but what has a word of its own below
#   scripts/test.sh features  the last part of that alone: the features that need C++ libraries, torch and xla, which it
#                             downloads once (840 MB)
#   scripts/test.sh pytorch   that PyTorch in Python reads saved modules, with another download (530 MB)
#   scripts/test.sh bench     every workload of the benchmarks by every backend; fails for wrong results, never for times
#   scripts/test.sh browser   that the interactive pages work in Chromium, which it installs by apt where it can
#   scripts/test.sh quick     without any download: formatting, lints and the debug tests only
#
# It ends with the time that each step took.
set -Eeuo pipefail
cd "$(dirname "$0")/.."

# What is built here is built once.
export CARGO_INCREMENTAL=0
TARGET=${CARGO_TARGET_DIR:-target}

times=()

step() {
    local start=$SECONDS
    printf '\n== %s\n' "$*"
    "$@"
    times+=("$(printf '%5d s  %s' $((SECONDS - start)) "$*")")
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
# algebra is built anew. So there are two sets of packages, and each command takes all of one.
PACKAGES=(--workspace --exclude autojit-torch --exclude autojit-xla --locked)
# The features with C++ in them, together. LAPACK refuses to live beside libtorch, which one of its tests sees.
WITH_FEATURES=(-p autojit -p autojit-torch -p autojit-xla -p autojit-lapack --locked
    --features "autojit/torch,autojit/xla,autojit-lapack/torch")
# The part of PACKAGES that can do without the code generator.
WITHOUT_CRANELIFT=(-p autojit -p autojit-runtime -p autojit-benches -p autojit-lapack --locked
    --no-default-features)

# Examples end by checking themselves.
example() {
    local name=$1
    shift
    step "$TARGET/debug/examples/$name" "$@"
}

# Tests and examples with these features. Each has a script that gets what it needs, and examples of its own.
with_features() {
    step scripts/setup-torch.sh
    step scripts/setup-xla.sh
    step scripts/setup-lapack.sh
    step cargo clippy "${WITH_FEATURES[@]}" --all-targets -- -D warnings
    AUTOJIT_CASES=50 step cargo test "${WITH_FEATURES[@]}" --lib --test compiler --test external --test filetests \
        --test beside_torch
    step cargo build "${WITH_FEATURES[@]}" --examples
    example torchscript
    example gram_schmidt --library torch
    example gram_schmidt --library xla --n 20
    example conformance --backend torch tests/conformance
    example conformance --library torch tests/conformance
    example conformance --backend xla tests/conformance
    example tensor_network --backend xla
}

case "${1:-}" in
bench)
    step cargo bench --locked --bench harness -- run --suite quick --time 0.02
    exit 0
    ;;
pytorch)
    step scripts/setup-torch.sh
    step scripts/setup-xla.sh
    step scripts/setup-pytorch.sh
    step scripts/setup-lapack.sh
    AUTOJIT_PYTORCH=$(scripts/setup-pytorch.sh) step cargo test "${WITH_FEATURES[@]}" --test external python -- --ignored
    exit 0
    ;;
browser)
    step scripts/test-browser.sh
    exit 0
    ;;
features)
    with_features
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
# LAPACK by the OpenBLAS of the system: a crate of its own, see crates/lapack/src/lib.rs.
step scripts/setup-lapack.sh
step cargo clippy "${PACKAGES[@]}" --features autojit-fuzz/targets --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" step cargo doc "${PACKAGES[@]}" --no-deps
step cargo test "${PACKAGES[@]}"
for dtype in float32 complex64 complex128; do
    example gram_schmidt --n 20 --dtype "$dtype"
done
example quickstart
example custom_library
example explain
example exported
example pictures --out "$(mktemp -d)"
example conformance --backend all tests/conformance

# Code for other processors, as far as this one runs it: loops by Cranelift alone, and without the vectors of AVX. Of the
# differential tests the random graphs only, as the table of all ops takes minutes.
for processor in AUTOJIT_WIDE=0 AUTOJIT_PROCESSOR=baseline; do
    step env "$processor" cargo test "${PACKAGES[@]}" --test api --test filetests
    step env "$processor" cargo test "${PACKAGES[@]}" --test compiler -- --skip every_op_agrees
done

# The pure interpreter build: no code generator.
step cargo clippy "${WITHOUT_CRANELIFT[@]}" --all-targets -- -D warnings
step cargo test "${WITHOUT_CRANELIFT[@]}" --test api --test filetests

# The README's first command: the one release build.
make_room
step cargo run --release --locked --example gram_schmidt

make_room
with_features

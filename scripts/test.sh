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
set -Eeuo pipefail
cd "$(dirname "$0")/.."

# What is built here is built once.
export CARGO_INCREMENTAL=0

step() {
    printf '\n== %s\n' "$*"
    "$@"
}

# A full disk looks like a broken linker.
trap 'echo "failed; free disk space:" >&2; df -h . "${TMPDIR:-/tmp}" >&2' ERR

# All builds together take 15 GB. Where the disk has no room for that, the test programs that have run go: linking them
# again takes a minute.
make_room() {
    local free
    free=$( (df --output=avail --block-size=1G . || echo 99) 2>/dev/null | tail -n 1)
    if [ "$free" -lt 12 ] && [ -d target/debug/deps ]; then
        step find target/debug/deps -maxdepth 1 -type f -perm -u+x ! -name '*.so' -delete
    fi
}

# The features with C++ in them, always together, as each set of features is a build of its own: debug, as that takes
# minutes.
FEATURES=torch,xla

# Tests and examples with these features. Each has a script that gets what it needs, and examples of its own.
with_features() {
    step scripts/setup-torch.sh
    step scripts/setup-xla.sh
    step cargo clippy -p autojit --all-targets --features "$FEATURES" --locked -- -D warnings
    AUTOJIT_CASES=50 step cargo test -p autojit --features "$FEATURES" --locked
    example() {
        step cargo run -p autojit --features "$FEATURES" --locked --example "$@"
    }
    example torchscript
    example gram_schmidt -- --library torch
    example gram_schmidt -- --library xla --n 20
    example conformance -- --backend torch tests/conformance
    example conformance -- --library torch tests/conformance
    example conformance -- --backend xla tests/conformance
    example tensor_network -- --backend xla
    # LAPACK refuses to live beside libtorch. Both packages, for the same set of features of all others.
    step scripts/setup-lapack.sh
    step cargo test -p autojit -p autojit-lapack --features autojit/torch,autojit/xla,autojit-lapack/torch --locked \
        --test beside_torch
}
if [ "${1:-}" = bench ]; then
    step cargo bench --locked --bench harness -- run --suite quick --time 0.02
    exit 0
fi
if [ "${1:-}" = pytorch ]; then
    step scripts/setup-torch.sh
    step scripts/setup-xla.sh
    step scripts/setup-pytorch.sh
    AUTOJIT_PYTORCH=$(scripts/setup-pytorch.sh) step cargo test -p autojit --features "$FEATURES" --locked \
        --test torch python -- --ignored
    exit 0
fi
if [ "${1:-}" = browser ]; then
    step scripts/test-browser.sh
    exit 0
fi
if [ "${1:-}" = features ]; then
    with_features
    exit 0
fi

step cargo fmt --all --check
step cargo clippy --all-targets --locked -- -D warnings
RUSTDOCFLAGS="-D warnings" step cargo doc --no-deps --locked
step cargo test --locked
if [ "${1:-}" = quick ]; then
    exit 0
fi

# The pure interpreter build: no code generator.
make_room
step cargo clippy -p autojit --all-targets --no-default-features --locked -- -D warnings
step cargo test -p autojit --no-default-features --locked

# LAPACK by the OpenBLAS of the system: a crate of its own, see lapack/src/lib.rs.
step scripts/setup-lapack.sh
step cargo clippy -p autojit-lapack --all-targets --locked -- -D warnings
step cargo test -p autojit-lapack --locked

# Examples end by checking themselves.
make_room
step cargo build --release --examples --locked
step cargo run --release --locked --example gram_schmidt
for dtype in float32 complex64 complex128; do
    step cargo run --release --locked --example gram_schmidt -- --n 20 --dtype "$dtype"
done
step cargo run --release --locked --example quickstart
step cargo run --release --locked --example custom_library
step cargo run --release --locked --example explain
step cargo run --release --locked --example exported
step cargo run --release --locked --example pictures -- --out "$(mktemp -d)"
step cargo run --release --locked --example conformance -- --backend all tests/conformance

make_room
with_features

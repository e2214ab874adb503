#!/usr/bin/env bash
# All checks of the project, as CI runs them. Needs Rust and a C compiler; what else it needs it installs.
#
#   scripts/test.sh          everything
#   scripts/test.sh torch    the feature torch, with its download of 540 MB
#   scripts/test.sh quick    formatting, lints and the debug tests only
set -euo pipefail
cd "$(dirname "$0")/.."

step() {
    printf '\n== %s\n' "$*"
    "$@"
}

# Arrays of libtorch and TorchScript, in one build more: debug, as the C++ in it takes minutes. Not a part of
# everything yet: scatter and random are not spelled there, and its time on a new machine is not measured.
torch() {
    step scripts/setup-torch.sh
    step cargo clippy -p autojit --all-targets --features torch --locked -- -D warnings
    AUTOJIT_CASES=50 step cargo test -p autojit --features torch --locked
    step cargo run --features torch --locked --example torchscript
    step cargo run --features torch --locked --example gram_schmidt -- --library torch
    step cargo run --features torch --locked --example conformance -- --backend torch tests/conformance
    step cargo run --features torch --locked --example conformance -- --library torch tests/conformance
}
if [ "${1:-}" = torch ]; then
    torch
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
step cargo clippy -p autojit --all-targets --no-default-features --locked -- -D warnings
step cargo test -p autojit --no-default-features --locked

# LAPACK by the OpenBLAS of the system: a crate of its own, see lapack/src/lib.rs.
step scripts/setup-lapack.sh
step cargo clippy -p autojit-lapack --all-targets --locked -- -D warnings
step cargo test -p autojit-lapack --locked

# Examples end by checking themselves.
step cargo build --release --examples --locked
step cargo run --release --locked --example gram_schmidt
for dtype in float32 complex64 complex128; do
    step cargo run --release --locked --example gram_schmidt -- --n 20 --dtype "$dtype"
done
step cargo run --release --locked --example quickstart
step cargo run --release --locked --example custom_library
step cargo run --release --locked --example conformance -- --backend all tests/conformance

# Every workload by every backend; what fails is wrong results, never a time.
step cargo bench --locked --bench harness -- run --suite quick --time 0.02

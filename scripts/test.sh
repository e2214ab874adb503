#!/usr/bin/env bash
# All checks of the project, as CI runs them. Needs Rust, a C compiler and nothing else.
#
#   scripts/test.sh          everything
#   scripts/test.sh quick    formatting, lints and the debug tests only
set -euo pipefail
cd "$(dirname "$0")/.."

step() {
    printf '\n== %s\n' "$*"
    "$@"
}

step cargo fmt --all --check
step cargo clippy --workspace --all-targets --locked -- -D warnings
RUSTDOCFLAGS="-D warnings" step cargo doc --workspace --no-deps --locked
step cargo test --workspace --locked
if [ "${1:-}" = quick ]; then
    exit 0
fi

# The pure interpreter build: no code generator.
step cargo clippy -p autojit --all-targets --no-default-features --locked -- -D warnings
step cargo test -p autojit --no-default-features --locked

# Examples end by checking themselves.
step cargo build --release --examples --locked
step cargo run --release --locked --example gram_schmidt
for dtype in float32 complex64 complex128; do
    step cargo run --release --locked --example gram_schmidt -- --n 20 --dtype "$dtype"
done
step cargo run --release --locked --example quickstart
step cargo run --release --locked --example custom_library
step cargo run --release --locked --example conformance -- --backend all tests/conformance/programs.json

#!/bin/sh
# Compiles the project's own crates with the counters that libFuzzer reads; RUSTC_WORKSPACE_WRAPPER of `scripts/test.sh fuzz`.
# The flags are those of cargo-fuzz that stable Rust has. What runs inside the compiler goes without.
case " $* " in
*" build_script_"* | *" --crate-type proc-macro "*) exec "$@" ;;
esac
exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares

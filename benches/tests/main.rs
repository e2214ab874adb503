//! The part of the benchmarks that does not depend on the machine: counts of what compiling costs, and the harness's files.

#[path = "../../tests/process.rs"]
mod process;

mod compile_counts;
mod harness_files;

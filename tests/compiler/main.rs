//! Compiled code: every backend against the reference interpreter, and what compiling and calling takes of the machine.

#[path = "../process.rs"]
mod process;

mod call_allocations;
mod differential;
mod flat_memory;
mod huge_arrays;
mod limits;
mod modes;
mod programs;
mod scale;
mod sums;
mod updates;

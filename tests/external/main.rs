//! Array libraries and backends that are not built by default: torch and XLA.
#![cfg(any(feature = "torch", feature = "xla"))]

#[path = "../process.rs"]
#[cfg_attr(
    not(all(feature = "torch", feature = "xla")),
    allow(dead_code, reason = "some tests need both features")
)]
mod process;

mod torch;
mod torch_and_xla;
mod xla;
mod xla_memory;

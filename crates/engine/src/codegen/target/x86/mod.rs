//! Parts that the targets on x86-64 share.
//!
//! ```text
//! assembler.rs   prefixes, operands, labels, constants
//! general.rs     instructions on general-purpose registers, and jumps
//! ```

pub(super) mod assembler;
mod general;

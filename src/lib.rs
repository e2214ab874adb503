//! autojit.
mod array;
pub mod error;
pub mod ir;
pub mod lazy;
mod library;
mod operand;
pub use array::Array;
pub use error::{Error, Result};
pub use ir::{ArrayType, DType, Scalar};
pub use operand::Operand;

//! autojit.
mod array;
pub mod dispatch;
pub mod error;
pub mod index;
pub mod ir;
pub mod lazy;
mod library;
pub mod numpy;
mod operand;
mod operators;
mod value;
pub use array::Array;
pub use error::{Error, Result};
pub use index::Index;
pub use ir::{ArrayType, DType, Scalar};
pub use operand::Operand;
pub use value::Value;

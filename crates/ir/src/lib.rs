//! The intermediate representation: types, the op table, graphs, their text form and their meaning.
//!
//! This layer knows nothing of libraries, backends or user-facing arrays. Everything about an op stands in
//! one row of `op.rs`; the other files hold the functions that rows refer to.

// The op table is read row by row.
#![recursion_limit = "512"]

// First, as its macros are for the modules below.
#[macro_use]
mod op;

mod attribute;
mod body;
mod bytes;
mod c_order;
mod constants;
mod draw;
mod dtype;
pub mod einsum;
mod equal_nodes;
pub mod error;
mod eval;
mod expand;
pub mod file;
mod fourier;
mod graph;
mod host;
pub mod index;
mod infer;
mod modes;
mod nested;
mod node;
mod opaque;
pub mod random;
mod rules;
mod scalar;
pub mod scatter;
pub mod semantics;
pub mod serial;
mod shared;
mod site;
mod source;
mod text;
pub mod transform;
mod types;
mod verify;

pub use attribute::{Attribute, NormOrder};
pub use body::{Bodies, Body};
pub use bytes::Bytes;
pub use constants::Constants;
pub use dtype::{Class, DType};
pub use error::{Error, Result};
pub use eval::Tensor;
pub use eval::evaluate_op;
pub use expand::{Builder, Form, OperandType, Simplify, expansion, is_widened};
pub use fourier::{Fourier, FourierKind};
pub use graph::{Graph, source_lines};
pub use host::{Element, HostArray};
pub use infer::{Signature, normalize_axis};
pub use modes::{Cutoff, FourierNorm, IndexedBy, QrMode};
pub use node::{Node, ValueId};
pub use op::{
    Arity, ContractOp, ControlOp, FourierOp, IndexOp, JoinOp, LeafOp, LinalgOp, MapOp, Op,
    ReduceOp, ScanOp, SortOp, ViewOp,
};
pub use opaque::OpaqueFunction;
pub use scalar::{Literal, Scalar};
pub use shared::{BlockSize, SharedArray, UnwrittenArray};
pub use site::{Site, SourceLine};
pub use types::{ArrayType, Axes, Dims, Shape, Steps, Type, broadcast_shapes};

pub use infer::{
    PlainType, infer_plain, plain_result, resolve_scalar, resolve_scalars, strong_dtype,
};

//! The intermediate representation: types, the op table, graphs, their text form and their meaning.
//!
//! This layer knows nothing of libraries, backends or user-facing arrays. Everything about an op stands in
//! one row of `op.rs`; the other files hold the functions that rows refer to.

mod attribute;
pub mod einsum;
mod equal_nodes;
mod eval;
mod expand;
mod graph;
mod host;
pub mod index;
mod infer;
mod modes;
mod op;
mod opaque;
pub mod random;
mod scalar;
pub mod scatter;
mod source;
mod text;
mod types;
mod verify;

pub use attribute::{Attribute, NormOrder};
pub use eval::Tensor;
pub(crate) use eval::evaluate_op;
pub use expand::Builder;
pub(crate) use expand::{Form, Simplify};
pub use graph::{Graph, Node, ValueId};
pub use host::{Element, HostArray};
pub use infer::{Signature, broadcast_shapes, normalize_axis};
#[cfg(any(feature = "torch", feature = "xla"))]
pub(crate) use modes::Fourier;
pub(crate) use modes::FourierKind;
pub use modes::{Cutoff, FourierNorm, QrMode};
pub use op::{Arity, Op};
pub use opaque::OpaqueFunction;
pub use scalar::{Literal, Scalar};
pub use source::SourceLine;
pub(crate) use source::source_lines;
pub use types::{ArrayType, Axes, Class, DType, Dims, Shape, Steps, Type};

pub(crate) use host::{dispatch_host, host_from};
pub(crate) use infer::{infer_plain, plain_result, resolve_scalar, resolve_scalars, strong_dtype};
pub(crate) use op::for_each_op;

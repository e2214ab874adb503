//! Numeric code, written once: run on any array library, traced, looked at, and compiled.
//!
//! # Functions that find their library
//!
//! [`numpy`] has NumPy's functions under NumPy's names. They run where their arguments live, and give an
//! [`Array`]; a mistake is carried along and comes out where values leave, with your own source line.
//!
//! ```
//! use autojit::{Array, numpy as np};
//!
//! let x = Array::from([[3.0, 4.0], [1.0, 2.0]]);
//! let lengths = np::linalg::norm(&x, np::axis(1).keepdims());
//! println!("{}", &x / lengths);
//! # Ok::<(), autojit::Error>(())
//! ```
//!
//! # Lazy arrays
//!
//! [`lazy`] arrays write a computation down instead of running it: look at it, share what repeats, compute it.
//!
//! ```
//! use autojit::{DType, lazy, numpy as np};
//!
//! let x = lazy::variable(&[2, 2], DType::Float64);
//! let y = np::tanh(np::matmul(&x, &x));
//! println!("{}", y.as_lazy().unwrap().show());
//! ```
//!
//! # Compiled functions
//!
//! [`autojit()`] traces a closure once for each kind of arguments, optimises the graph and compiles it, by
//! default to native code.
//!
//! ```
//! use autojit::{Array, autojit, numpy as np};
//!
//! let norm = autojit(|(x, y): (Array, Array)| np::sqrt(&x * &x + &y * &y));
//! let (x, y) = (Array::from([3.0, 5.0]), Array::from([4.0, 12.0]));
//! assert_eq!(norm.call((&x, &y))?.to_vec::<f64>()?, [5.0, 13.0]);
//! # Ok::<(), autojit::Error>(())
//! ```
//!
//! # Where things are
//!
//! `docs/tutorial.md` goes through all of it, step by step.
//!
//! | to .. | see |
//! |---|---|
//! | make arrays, get values out | [`Array`] |
//! | compute | [`numpy`], [`numpy::linalg`], [`numpy::fft`] |
//! | index | [`ix!`](crate::ix), [`Array::get`] |
//! | call functions by name | [`dispatch`] |
//! | pass your own structs | [`Tree`] and its derive macro |
//! | see what was compiled | [`Jit::explain`], [`Explanation::summary`] as data |
//! | log compilations | a subscriber of [`tracing`], or `AUTOJIT_LOG`, see below |
//! | find the line that makes a NaN, or where backends differ | [`Jit::debug_nans`], [`Jit::check_against`] |
//! | contract tensor networks, in slices where memory is limited | [`contract`] |
//! | draw a computation | [`lazy::LazyArray::plot`], [`plot`] |
//! | save a traced function in a file | [`Jit::export`], [`Exported::load`] |
//! | read, write and check graphs | [`ir`] |
//! | save options in a file | [`JitOptions`] |
//!
//! # Logging
//!
//! Compilations are logged through [`tracing`], under the target `autojit`: each compilation is a span `compile` with the
//! fields `function`, `signature` and `reason` (`first call`, or what changed since the last one), with the spans `trace`,
//! `optimise` and `generate` for its stages. Calls that find compiled code log nothing.
//!
//! | level | events |
//! |---|---|
//! | `WARN` | a backend does not support a graph and replay takes over (`backend`, `why`) |
//! | `INFO` | what came of a compilation (`backend`, `traced_nodes`, `compile_seconds`, ..), or how it failed |
//! | `DEBUG` | each pass of the optimiser (`pass`, `visited`, `nodes`, `seconds`, ..), and the graph that the backend is given |
//! | `TRACE` | the graph as it was traced |
//!
//! A program without a subscriber prints them on standard error with `AUTOJIT_LOG=warn`, `info`, `debug` or `trace`. With
//! `AUTOJIT_DUMP=folder` each compilation writes its graphs, its explanation and an [`Exported`] function to a subfolder of
//! its own.

/// The intermediate representation: types, the op table, graphs, their text form and their meaning.
pub mod ir {
    pub use autojit_ir::{
        Arity, ArrayType, Attribute, Axes, Bodies, Body, Builder, Class, ContractOp, ControlOp,
        Cutoff, DType, Dims, FourierNorm, FourierOp, Graph, HostArray, IndexOp, IndexedBy, JoinOp,
        LeafOp, LinalgOp, Literal, MapOp, Node, NormOrder, Op, OpaqueFunction, QrMode, ReduceOp,
        Scalar, ScanOp, Shape, SharedArray, Signature, Site, SortOp, SourceLine, Steps, Tensor,
        Type, ValueId, ViewOp, broadcast_shapes, derived, einsum, index, normalize_axis, random,
        scatter,
    };

    pub use autojit_ir::transform::{
        batch::batch,
        differentiate,
        partition::{Partition, partition},
    };

    pub use crate::array::Element;
}

/// Errors: what went wrong, in which operation, and at which line of the user's.
pub mod error {
    pub use autojit_ir::error::*;
}

mod array;
mod backends;
pub mod contract;
pub mod control;
pub mod dispatch;
mod export;
pub mod index;
pub mod jit;
pub mod lazy;
mod libraries;
mod like;
mod nodes;
pub mod numpy;
pub mod plot;
mod registry;
pub mod transform;
pub mod tree;

/// The blocks of pages that no module shows, which are run as tests of the documentation.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/coming_from.md")]
    struct ComingFrom;
}

pub use array::{Array, Operand, Value};
pub use autojit_derive::Tree;
pub use autojit_ir::transform::simplify::{Options as OptimizerOptions, PassReport};
pub use autojit_ir::{ArrayType, DType, Error, Result, Scalar};
pub use autojit_library::backend::{CodeReport, KernelCode, Support};
pub use autojit_library::interrupt::{clear_interrupt_check, set_interrupt_check};
pub use autojit_library::{Library, Spelled};
pub use backends::{CompiledGraph, backends, optimize_graph, run_graph, support};
pub use control::{cond, fori_loop, scan, switch, while_loop};
pub use dispatch::{
    backend_like, compose, get_namespace, register_function, register_function_wrapping,
};
pub use index::Index;
pub use jit::{
    Comparison, Cost, Difference, Explanation, Exported, Jit, JitOptions, Profile, ProfiledStep,
    Report, Summary, autojit,
};
pub use libraries::{libraries, register_library};
pub use like::Like;
/// Arrays in main memory, as [`Array::from`] takes and [`Array::to_ndarray`] gives them.
pub use ndarray;
pub use nodes::set_source_lines;
/// Complex numbers, the elements of arrays of complex dtypes.
pub use num_complex;
#[cfg(feature = "torch")]
pub use tch;
pub use transform::{
    check_grads, checkpoint, custom_vjp, grad, hessian, hvp, jacobian, jvp, linearize,
    stop_gradient, value_and_grad, value_and_grad_aux, vjp, vmap, vmap_axes,
};
pub use tree::{Args, Tree, tree_flatten, tree_map, tree_unflatten};

//! Transformations of functions: batches of examples, and derivatives.
//!
//! Each takes a function of a [`Tree`](crate::Tree) and gives a function (or its result): the closure is traced into a graph, the
//! graph is transformed, and the result is applied to the arguments. That happens at each call: eagerly it runs at once, op by op, in
//! the library of the arrays; of lazy arrays it is written down; inside of a function that is traced, as by
//! [`autojit`](crate::autojit()), it becomes a part of that, and is compiled with it. So transformations nest in any order.
//!
#![doc = include_str!("../../docs/gradients.md")]

mod batch_axes;
mod check;
mod checkpoint;
mod custom;
mod draws;
mod flat;
mod forward;
mod reverse;
mod trace;
mod vmap;

pub use batch_axes::{BatchAxes, SHARED};
pub use check::check_grads;
pub use checkpoint::checkpoint;
pub use custom::{custom_vjp, stop_gradient};
pub use forward::{hessian, hvp, jacobian, jvp, linearize};
pub use reverse::{grad, value_and_grad, value_and_grad_aux, vjp};
pub use vmap::{vmap, vmap_axes};

pub(crate) use draws::trace_drawn;
pub(crate) use flat::{Flat, place, rebuild};
pub(crate) use trace::Function;

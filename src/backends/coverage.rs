//! What a backend does with an op, asked op by op: the source of the coverage table.

use std::fmt;

use super::find;
use crate::error::{Error, Result};
use crate::ir::{ArrayType, Graph, Op};
use crate::opt;

/// What a backend does with an op on arguments of some types.
#[derive(Clone, Debug)]
pub enum Support {
    /// It has the op.
    Native,
    /// It runs the op written with others, which it has.
    Expanded,
    /// Its program calls back into autojit for the op, on copies of its arrays.
    Called,
    /// It does not run the op, for this reason; graphs with it fall back to replay.
    Declined(Error),
}

impl fmt::Display for Support {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Native => "native",
            Self::Expanded => "expanded",
            Self::Called => "called",
            Self::Declined(_) => "declined",
        })
    }
}

/// What the backend of this name does with an op on arguments of these types.
///
/// ```
/// use autojit::{ArrayType, DType, Support, ir::Op, support};
/// let x = ArrayType::new(DType::Float64, &[3]);
/// assert!(matches!(support("replay", &Op::Sqrt, &[x])?, Support::Native));
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// There is no such backend, or the op does not take arguments of these types.
pub fn support(backend: &str, op: &Op, arguments: &[ArrayType]) -> Result<Support> {
    let backend = find(backend)?;
    let mut graph = Graph::new();
    let inputs: Vec<_> = arguments
        .iter()
        .map(|ty| graph.add_input(ty.clone()))
        .collect();
    let value = graph.push(op.clone(), &inputs, None)?;
    let results = graph[value].ty.arrays().len();
    let outputs = match graph.ty(value) {
        Ok(_) => vec![value],
        Err(_) => (0..results)
            .map(|index| graph.push(Op::Get { index }, &[value], None))
            .collect::<Result<_>>()?,
    };
    graph.set_outputs(outputs);
    match backend.support(op, &opt::optimize(&graph)?.0) {
        Err(error) if error.is_unsupported() => Ok(Support::Declined(error)),
        other => other,
    }
}

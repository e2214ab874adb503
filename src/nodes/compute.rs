//! Computing lazy arrays: all of a graph, or only what does not depend on variables.
//!
//! Invariants: nodes are computed one after the other in a loop; a computed node holds its value and no
//! references, so an intermediate result without other references is freed after its last use. When two
//! threads compute the same node the first value stays, and all that follows is computed from that.
//! When a node fails, those before it keep their values and it stays as it was.

use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use super::node::{LazyArray, LazyOperand, State};
use super::traversal::walk;
use autojit_ir::error::{Error, Result};
use autojit_ir::random::Draw;
use autojit_ir::{DType, HostArray, Op, Site, resolve_scalars};
use autojit_library::{self as library, Concrete, Results};

/// Gives each root its value.
pub(crate) fn compute_nodes(roots: &[LazyArray]) -> Result<()> {
    // The walk is consumed, not borrowed: its hold on a node ends with the node's own step.
    for step in walk(roots) {
        compute_node(&step.node)?;
    }
    Ok(())
}

/// Gives each node on which a root depends, and which depends neither on one of `variables` nor on a variable
/// without a value, its value.
pub(crate) fn compute_constant_nodes(roots: &[LazyArray], variables: &[LazyArray]) -> Result<()> {
    let given: FxHashSet<usize> = variables.iter().map(LazyArray::address).collect();
    let mut varies: Vec<bool> = Vec::new();
    for step in walk(roots) {
        let node = step.node;
        let is_variable =
            given.contains(&node.address()) || matches!(&*node.state(), State::Variable);
        // What a call draws anew has no value yet.
        let is_variable = is_variable
            || matches!(
                &*node.state(),
                State::Pending {
                    op: Op::Random {
                        draw: Draw::Call(_),
                        ..
                    },
                    ..
                }
            );
        let depends = step.inputs.iter().any(|&input| varies[input as usize]);
        varies.push(is_variable || depends);
        if !is_variable && !depends {
            compute_node(&node)?;
        }
    }
    Ok(())
}

/// Gives a node whose dependencies have values its value.
fn compute_node(node: &LazyArray) -> Result<()> {
    let (op, inputs) = match &*node.state() {
        State::Value(_) => return Ok(()),
        State::Pending { op, inputs } => (op.clone(), inputs.clone()),
        State::Variable => {
            let error = Error::unbound_variable(format!("the variable {} has no value", node.ty()));
            return Err(error.at(node.location()));
        }
    };
    let value = run(&op, &inputs).map_err(|e| located(e, &op, node.location()))?;
    node.set_value(value);
    Ok(())
}

fn located(error: Error, op: &Op, location: Site) -> Error {
    error.in_op(op.error_name()).at(location)
}

fn run(op: &Op, inputs: &[LazyOperand]) -> Result<Results> {
    if let (Op::Get { index }, [LazyOperand::Node(tuple)]) = (op, inputs) {
        let result = tuple.value().and_then(|v| v.get(*index).cloned());
        let result = result.ok_or_else(|| Error::internal(format!("no result {index} to get")))?;
        return Ok(Results::from_iter([result]));
    }
    let mut arrays: SmallVec<[Option<Concrete>; 4]> = SmallVec::with_capacity(inputs.len());
    for input in inputs {
        arrays.push(input.node().map(LazyArray::concrete).transpose()?);
    }
    // Constants in main memory go where the others are; two other libraries do not meet, as nowhere.
    let is_foreign = |array: &&Concrete| matches!(array, Concrete::Foreign(_));
    library::check_together(arrays.iter().flatten().filter(is_foreign))?;
    let library = library::common(arrays.iter().flatten());
    let dtypes: SmallVec<[Option<DType>; 4]> = arrays
        .iter()
        .map(|a| a.as_ref().map(|a| a.ty().dtype))
        .collect();
    let mut arguments: SmallVec<[Concrete; 4]> = SmallVec::with_capacity(inputs.len());
    for (input, array) in inputs.iter().zip(arrays) {
        arguments.push(match (input, array) {
            (_, Some(array)) => array.moved_to(library)?,
            (LazyOperand::Scalar(scalar), None) => {
                let literal = resolve_scalars(op, &dtypes, *scalar)?;
                library.from_host(HostArray::scalar(literal.value, literal.dtype))?
            }
            (LazyOperand::Node(_), None) => return Err(Error::internal("an array was lost")),
        });
    }
    library::apply(library, op, &arguments.iter().collect::<SmallVec<[_; 4]>>())
}

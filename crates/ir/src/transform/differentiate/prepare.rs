//! Preparation of a graph: which nodes carry derivatives, and those among them that are written with other ops first.

use super::treatment::{Treatment, treatment};
use crate::einsum::Subscripts;
use crate::einsum::path::{self, Search};
use crate::error::{Error, Result};
use crate::types::Axes;
use crate::{ArrayType, Builder, Class, ContractOp, Graph, LeafOp, LinalgOp, Op, Type, ValueId};

/// Which nodes depend on an argument in `wrt` by numbers that vary continuously, and lead to one of the results.
pub(super) fn active(graph: &Graph, wrt: &[usize], outputs: &[usize]) -> Vec<bool> {
    let mut asked = vec![false; graph.input_types().len()];
    wrt.iter().for_each(|&i| asked[i] = true);
    let is_smooth = |ty: &Type| {
        let mut types = ty.arrays().iter();
        types.any(|ty| ty.dtype.class() >= Class::Float)
    };
    let mut varied = vec![false; graph.nodes().len()];
    for (i, node) in graph.nodes().iter().enumerate() {
        varied[i] = is_smooth(&node.ty)
            && match &node.op {
                Op::Leaf(LeafOp::Input { index, .. }) => asked[*index],
                op => {
                    node.inputs.iter().any(|input| varied[input.index()])
                        && treatment(op) != Treatment::Zero
                }
            };
    }
    let mut useful = vec![false; graph.nodes().len()];
    for &output in outputs {
        useful[graph.outputs()[output].index()] = true;
    }
    for value in graph.values().rev() {
        let i = value.index();
        useful[i] &= varied[i];
        if useful[i] {
            for input in &graph[value].inputs {
                useful[input.index()] = true;
            }
        }
    }
    useful
}

/// The live part of the graph with nodes written out that are differentiated by their expansion. Equal nodes are one, as their
/// derivatives would not be: a trace has many.
///
/// # Errors
/// An expansion does not fit: an internal error.
pub(super) fn prepare(graph: &Graph, wrt: &[usize], outputs: &[usize]) -> Result<Graph> {
    let active = active(graph, wrt, outputs);
    let live = graph.live();
    let mut new = graph.same_inputs();
    let mut map: Vec<ValueId> = Vec::with_capacity(graph.nodes().len());
    for value in graph.values() {
        let node = &graph[value];
        let written = match &node.op {
            // The arguments are the first nodes of the new graph.
            Op::Leaf(LeafOp::Input { index, .. }) => {
                let value = ValueId(*index as u32);
                new.locate(value, node.location);
                value
            }
            _ if !live[value.index()] => ValueId(u32::MAX),
            Op::Leaf(LeafOp::Constant { index, .. }) => {
                let value = new.carry_constant(graph.constants()[*index].clone());
                new.locate(value, node.location);
                value
            }
            op => {
                let mut node = node.clone();
                for input in &mut node.inputs {
                    *input = map[input.index()];
                }
                if active[value.index()] && treatment(op) == Treatment::Expansion {
                    expanded(&mut new, &node)?
                } else {
                    new.insert_node(node)
                }
            }
        };
        map.push(written);
    }
    let outputs = graph.outputs().iter().map(|output| map[output.index()]);
    new.set_outputs(outputs.collect());
    Ok(new)
}

fn expanded(graph: &mut Graph, node: &crate::Node) -> Result<ValueId> {
    let location = node.location;
    let mut first_of = |op: LinalgOp, index: usize| {
        let tuple = graph.push(op.into(), &node.inputs, location)?;
        graph.push(Op::Get { index }, &[tuple], location)
    };
    match &node.op {
        Op::Contract(ContractOp::Einsum { subscripts }) => pairwise(graph, subscripts, node),
        Op::Linalg(LinalgOp::Svdvals) => first_of(
            LinalgOp::Svd {
                full_matrices: false,
            },
            1,
        ),
        Op::Linalg(LinalgOp::Eigvalsh) => first_of(LinalgOp::Eigh, 0),
        Op::Linalg(LinalgOp::Eigvals) => first_of(LinalgOp::Eig, 0),
        // All axes of a vector are one, over which norms have a rule of their own.
        Op::Linalg(LinalgOp::Norm {
            order,
            axes: None,
            keepdims,
        }) if graph[node.inputs[0]].ty.array()?.ndim() == 1 => {
            let along = Op::Linalg(LinalgOp::Norm {
                order: *order,
                axes: Some(Axes::from_slice(&[0])),
                keepdims: *keepdims,
            });
            let mut node = node.clone();
            node.op = along;
            match treatment(&node.op) {
                Treatment::Expansion => expanded(graph, &node),
                Treatment::Rule | Treatment::Zero | Treatment::None => Ok(graph.insert_node(node)),
            }
        }
        op => {
            // Singular values in it are to be differentiated by a decomposition, too.
            let value = Builder::new(graph, location).push(op.clone(), &node.inputs)?;
            replace_singular_values(graph, value)
        }
    }
}

/// Rewrites the end of an expansion that takes singular values of a matrix.
fn replace_singular_values(graph: &mut Graph, value: ValueId) -> Result<ValueId> {
    let mut node = graph[value].clone();
    match &node.op {
        Op::Linalg(LinalgOp::Svdvals) => expanded(graph, &node),
        // What stands between: a sum or an extremum, and views.
        Op::Reduce(_) | Op::View(_) | Op::Map(_) => match node.inputs.first() {
            Some(&input) if node.inputs.len() == 1 => {
                let new = replace_singular_values(graph, input)?;
                if new == input {
                    return Ok(value);
                }
                node.inputs[0] = new;
                Ok(graph.insert_node(node))
            }
            _ => Ok(value),
        },
        Op::Leaf(_)
        | Op::Scan(_)
        | Op::Sort(_)
        | Op::Contract(_)
        | Op::Index(_)
        | Op::Join(_)
        | Op::Linalg(_)
        | Op::Fourier(_)
        | Op::Control(_)
        | Op::Get { .. }
        | Op::Random { .. }
        | Op::Opaque { .. } => Ok(value),
    }
}

/// An `einsum` of many operands as ones of two, in the order in which its expansion contracts them.
fn pairwise(graph: &mut Graph, subscripts: &str, node: &crate::Node) -> Result<ValueId> {
    let subscripts = Subscripts::parse(subscripts)?;
    let types = node
        .inputs
        .iter()
        .map(|&v| graph.ty(v).cloned())
        .collect::<Result<Vec<_>>>()?;
    let types: Vec<&ArrayType> = types.iter().collect();
    let sizes = subscripts.sizes(&types)?;
    let operands = subscripts.operands.iter().cloned();
    let mut operands: Vec<(ValueId, Vec<char>)> =
        node.inputs.iter().copied().zip(operands).collect();
    for step in path::find(&subscripts, &types, &sizes, Search::Auto)? {
        let &[first, second] = step.as_slice() else {
            return Err(Error::internal("a contraction of other than two operands"));
        };
        let (y, y_labels) = operands.remove(second);
        let (x, x_labels) = operands.remove(first);
        let result = if operands.is_empty() {
            subscripts.result.clone()
        } else {
            let mut labels: Vec<char> = Vec::new();
            for &label in x_labels.iter().chain(&y_labels) {
                let needed = subscripts.result.contains(&label)
                    || operands.iter().any(|(_, o)| o.contains(&label));
                if needed && !labels.contains(&label) {
                    labels.push(label);
                }
            }
            labels
        };
        let pair = Subscripts {
            operands: vec![x_labels, y_labels],
            result: result.clone(),
        };
        let subscripts = pair.renamed().to_string().into();
        let op = ContractOp::Einsum { subscripts };
        operands.push((graph.push(op.into(), &[x, y], node.location)?, result));
    }
    match operands.pop() {
        Some((value, _)) => Ok(value),
        None => Err(Error::internal("a contraction of nothing")),
    }
}

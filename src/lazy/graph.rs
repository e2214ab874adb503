//! From lazy nodes to a dense graph, in one linear pass.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::node::{LazyArray, LazyOperand, State};
use crate::error::{Error, Result};
use crate::ir::{DType, Graph, HostArray, Op, ValueId, resolve_scalars};
use crate::library::Concrete;

/// Rebuilds what the outputs depend on as a graph whose arguments are `inputs`, in that order.
///
/// Nodes that compare equal become one. Nodes with values become constants.
///
/// # Errors
/// A variable is not among the inputs.
pub(crate) fn to_graph(inputs: &[LazyArray], outputs: &[LazyArray]) -> Result<Graph> {
    let mut graph = Graph::new();
    let mut values: FxHashMap<usize, ValueId> = FxHashMap::default();
    for input in inputs {
        let value = graph.add_input(input.ty().array()?.clone());
        values.insert(input.address(), value);
    }
    let mut results = Vec::with_capacity(outputs.len());
    for output in outputs {
        results.push(add(&mut graph, &mut values, output)?);
    }
    graph.set_outputs(results);
    Ok(graph)
}

/// Adds a node after all that it depends on; a stack stands in for recursion.
fn add(
    graph: &mut Graph,
    values: &mut FxHashMap<usize, ValueId>,
    root: &LazyArray,
) -> Result<ValueId> {
    let mut stack = vec![root.clone()];
    while let Some(node) = stack.last() {
        if values.contains_key(&node.address()) {
            stack.pop();
            continue;
        }
        if let Some(value) = known_result(node) {
            let constant = graph.add_constant(constant_of(&value)?);
            values.insert(node.address(), constant);
            stack.pop();
            continue;
        }
        let state = node.state();
        let value = match &*state {
            State::Variable => {
                let error = Error::unbound_variable(format!(
                    "the variable {} is not an argument",
                    node.ty()
                ));
                return Err(error.at(node.location()));
            }
            State::Value(value) => match value.as_slice() {
                [value] => {
                    graph.add_constant(constant_of(value).map_err(|e| e.at(node.location()))?)
                }
                // A tuple that another thread has just computed: its user is looked at again, and finds it.
                _ => {
                    drop(state);
                    stack.pop();
                    continue;
                }
            },
            State::Pending { op, inputs } => {
                let waiting: SmallVec<[LazyArray; 4]> = inputs
                    .iter()
                    .filter_map(LazyOperand::node)
                    .filter(|n| !values.contains_key(&n.address()))
                    .cloned()
                    .collect();
                if !waiting.is_empty() {
                    drop(state);
                    stack.extend(waiting.into_iter().rev());
                    continue;
                }
                add_op(graph, values, node, op, inputs)?
            }
        };
        drop(state);
        values.insert(node.address(), value);
        stack.pop();
    }
    values
        .get(&root.address())
        .copied()
        .ok_or_else(|| Error::internal("a traced node was lost"))
}

/// A captured array as a constant of the graph, which is kept in main memory.
fn constant_of(value: &Concrete) -> Result<HostArray> {
    if !value.library().round_trips() {
        return Err(Error::unsupported(format!(
            "the captured array {} of the library {} cannot become a constant, pass it as an argument",
            value.ty(),
            value.library().name()
        )));
    }
    value.to_host()
}

/// The array that is taken out of a tuple which has been computed: graphs have no tuple constants.
fn known_result(node: &LazyArray) -> Option<Concrete> {
    let (index, tuple) = match &*node.state() {
        State::Pending {
            op: Op::Get { index },
            inputs,
        } => (*index, inputs.first()?.node()?.clone()),
        _ => return None,
    };
    tuple.value()?.get(index).cloned()
}

fn add_op(
    graph: &mut Graph,
    values: &FxHashMap<usize, ValueId>,
    node: &LazyArray,
    op: &Op,
    inputs: &[LazyOperand],
) -> Result<ValueId> {
    let dtypes: SmallVec<[Option<DType>; 4]> = inputs
        .iter()
        .map(|i| {
            i.node()
                .map(|n| n.ty().array().map(|t| t.dtype))
                .transpose()
                .ok()
                .flatten()
        })
        .collect();
    let mut arguments: SmallVec<[ValueId; 4]> = SmallVec::with_capacity(inputs.len());
    for input in inputs {
        arguments.push(match input {
            LazyOperand::Node(n) => values[&n.address()],
            LazyOperand::Scalar(scalar) => {
                let literal = resolve_scalars(op, &dtypes, *scalar)?;
                graph.add_literal(literal.value, literal.dtype)
            }
        });
    }
    Ok(graph.insert(
        op.clone(),
        &arguments,
        node.ty().clone(),
        Some(node.location()),
    ))
}

#[cfg(test)]
mod tests {
    use crate::{Array, DType, lazy, numpy as np};

    #[test]
    fn the_rest_of_a_computed_tuple_is_a_constant() {
        let x = lazy::array(&Array::from([[2.0, 0.0], [0.0, 3.0]]));
        let (u, s, _) = np::linalg::svd(&x, ..);
        u.compute().unwrap();
        let variable = lazy::variable(&[2], DType::Float64);
        let y: Array = &variable + &s;
        let node = |x: &Array| x.as_lazy().unwrap().clone();
        let graph = super::to_graph(&[node(&variable)], &[node(&y), node(&s)]).unwrap();
        assert_eq!(
            graph.to_string(),
            "constant 0 = f64[2] 3.0 2.0
%0 = input index=0 ty=f64[2]
%1 = constant index=0 ty=f64[2]
%2 = add %0 %1 : f64[2]
return %2 %1
"
        );
    }

    #[test]
    fn equal_nodes_become_one_and_unknown_variables_are_refused() {
        let (x, other) = (
            lazy::variable(&[2], DType::Float64),
            lazy::variable(&[2], DType::Float64),
        );
        let node = |x: &Array| x.as_lazy().unwrap().clone();
        let y = np::sin(&x) + np::sin(&x);
        assert_eq!(lazy::history([&y]).unwrap().num_nodes(), 4);
        let graph = super::to_graph(&[node(&x)], &[node(&y)]).unwrap();
        assert_eq!(graph.nodes().len(), 3);
        let error = super::to_graph(&[node(&other)], &[node(&y)]).unwrap_err();
        assert!(error.is_unbound_variable());
        assert!(
            error
                .to_string()
                .starts_with("the variable f64[2] is not an argument, at ")
        );
    }
}

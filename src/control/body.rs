//! Closures as the bodies of loops and branches, and the ops that are made of them.

use std::panic::Location;

use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, Body, DType, Graph, HostArray, Op, Scalar, Type, ValueId};
use autojit_library::Concrete;

use crate::array::{Array, Operand, Repr};
use crate::transform::{Flat, Function, place};
use crate::tree::{Structure, Token, array_paths, show_tokens};

/// A graph whose captured arrays are some of those that several graphs capture.
///
/// # Errors
/// There is an internal error.
pub(super) fn widened(
    function: &Function,
    arguments: &[ArrayType],
    captured: &[ArrayType],
    own: std::ops::Range<usize>,
) -> Result<Body> {
    let mut graph = Graph::new();
    let inputs: Vec<ValueId> = arguments
        .iter()
        .chain(captured)
        .map(|ty| graph.add_input(ty.clone()))
        .collect();
    let (arguments, captured) = inputs.split_at(arguments.len());
    let given = [arguments, &captured[own]].concat();
    let outputs = graph.inline(&function.graph, &given, None)?;
    graph.set_outputs(outputs);
    Body::new(graph)
}

/// The types of arrays.
///
/// # Errors
/// One has failed.
pub(super) fn types_of(arrays: &[Array]) -> Result<Vec<ArrayType>> {
    arrays.iter().map(Array::ty).collect()
}

/// The results of a loop or a choice.
///
/// # Errors
/// The inputs do not fit, or it failed.
pub(super) fn run(
    op: Op,
    inputs: &[Array],
    location: &'static Location<'static>,
) -> Result<Vec<Array>> {
    let types: Vec<Type> = types_of(inputs)?.into_iter().map(Type::from).collect();
    let result = op.infer(&types.iter().collect::<Vec<_>>())?.result;
    if result.arrays().is_empty() {
        return Ok(Vec::new());
    }
    let operands: Vec<Operand<'_>> = inputs.iter().map(Operand::from).collect();
    let name = op.name();
    let value = Array::apply_opaque(op, &operands, &result, location);
    value.map_err(|e| e.in_op(name))?.into_arrays()
}

/// A number as an array of the library of the others.
///
/// # Errors
/// That library fails.
pub(super) fn beside(number: Scalar, dtype: DType, others: &[Array]) -> Result<Array> {
    let host = HostArray::scalar(number, dtype);
    let foreign = others.iter().find_map(|array| match &array.0 {
        Repr::Concrete(array @ Concrete::Foreign(_)) => Some(array.library()),
        _ => None,
    });
    match foreign {
        Some(library) => Ok(Array::from_concrete(library.from_host(host)?)),
        None => Ok(Array::from_host(host)),
    }
}

/// The structure of a tuple of two.
pub(super) fn pair(first: &[Token<'_>], second: &[Token<'_>]) -> Structure {
    let tokens: Vec<Token<'_>> = std::iter::once(Token::Tuple(2))
        .chain(first.iter().cloned())
        .chain(second.iter().cloned())
        .collect();
    Structure::from_tokens(&tokens)
}

/// Checks that an iteration gives what it is given.
///
/// # Errors
/// The tree is another one (`is_tree`), or the type of an array (`is_shape`): the message names the first one.
pub(super) fn check_carried(
    name: &str,
    carried: &Flat,
    tokens: &[Token<'_>],
    types: &[ArrayType],
) -> Result<()> {
    if carried.structure.tokens() != tokens {
        let given = show_tokens(tokens, &mut std::iter::repeat("*"));
        return Err(Error::tree(format!(
            "the body of {name} carries {}, and gives {given} to the next iteration, where * is an array",
            carried.structure
        )));
    }
    let mut pairs = carried.types.iter().zip(types);
    let Some(index) = pairs.position(|(x, y)| x != y) else {
        return Ok(());
    };
    let (before, after) = (&carried.types[index], &types[index]);
    let advice = match before.shape == after.shape {
        true => format!("; begin with {}, or convert by astype", after.dtype.name()),
        false => String::new(),
    };
    let paths = carried.paths();
    let path = match name {
        // A pair is carried: the number, and what the user carries.
        "fori_loop" => paths[index].strip_prefix(".1").unwrap_or(&paths[index]),
        _ => &paths[index],
    };
    Err(Error::shape(format!(
        "the body of {name} carries {before} at {}, and gives {after} to the next iteration{advice}",
        place("what is carried", path),
    )))
}

/// Where each array stands in a tree of these tokens.
pub(super) fn place_in(tree: &str, tokens: &[Token<'_>], index: usize) -> String {
    let paths = array_paths(tokens);
    place(tree, paths.get(index).map_or("", String::as_str))
}

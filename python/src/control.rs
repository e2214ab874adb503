//! Loops, branches and functions with a rule of their own for gradients: what takes functions of Python and trees.
//!
//! Numbers and truth values in what is carried are arrays, as they change from one iteration to the next.

use autojit::control::{scan_length, scan_reverse, while_loop_within};
use autojit::{Array, Operand};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::errors::{OrRaise, carried, raised, raised_by_cond};
use crate::jit::call_function_of;
use crate::tree::{Leaves, PyTree};
use crate::values::to_operand;

/// A tree, or why there is none; a tree of Rust too.
type Tried = autojit::Result<PyTree>;

/// Calls a function of Python with trees as its arguments by position.
fn called(function: &Py<PyAny>, args: impl IntoIterator<Item = Tried>) -> Tried {
    let args = args.into_iter().collect::<autojit::Result<Vec<PyTree>>>()?;
    Python::attach(|py| {
        let call = || {
            let result = called_in(py, function, args)?;
            PyTree::of(&result, Leaves::All, "the result")
        };
        call().map_err(carried)
    })
}

fn called_in<'py>(
    py: Python<'py>,
    function: &Py<PyAny>,
    args: Vec<PyTree>,
) -> PyResult<Bound<'py, PyAny>> {
    let args = args.into_iter().map(|arg| arg.build(py, false));
    let args = args.collect::<PyResult<Vec<_>>>()?;
    function.bind(py).call1(PyTuple::new(py, args)?)
}

/// Calls a function of Python that gives a pair.
fn called_for_pair(
    function: &Py<PyAny>,
    args: impl IntoIterator<Item = Tried>,
    what: &str,
) -> (Tried, Tried) {
    let call = || {
        let args = args.into_iter().collect::<autojit::Result<Vec<PyTree>>>()?;
        Python::attach(|py| {
            let call = || {
                let result = called_in(py, function, args)?;
                let pair = result.cast::<PyTuple>().ok().filter(|pair| pair.len() == 2);
                let pair = match pair {
                    Some(pair) => pair,
                    None => {
                        let kind = result.get_type().fully_qualified_name()?;
                        return Err(PyTypeError::new_err(format!(
                            "the function must return a pair, {what}; it returned {kind}"
                        )));
                    }
                };
                let first = PyTree::of(&pair.get_item(0)?, Leaves::All, "the result[0]")?;
                let second = PyTree::of(&pair.get_item(1)?, Leaves::All, "the result[1]")?;
                Ok((first, second))
            };
            call().map_err(carried)
        })
    };
    match call() {
        Ok((first, second)) => (Ok(first), Ok(second)),
        Err(error) => (Err(error.clone()), Err(error)),
    }
}

fn operand(value: &Bound<'_, PyAny>, what: &str) -> PyResult<Operand<'static>> {
    to_operand(value)?.ok_or_else(|| {
        PyTypeError::new_err(format!(
            "{what} is an array or a number, got {}",
            value.get_type()
        ))
    })
}

/// A number of iterations.
fn count(given: i64, what: &str) -> PyResult<usize> {
    usize::try_from(given)
        .map_err(|_| PyValueError::new_err(format!("{what} cannot be negative, got {given}")))
}

/// A loop over the elements of trees: see `autojit.scan`.
#[pyfunction]
#[pyo3(signature = (function, init, xs, length, reverse))]
pub(crate) fn scan<'py>(
    py: Python<'py>,
    function: Py<PyAny>,
    init: &Bound<'py, PyAny>,
    xs: &Bound<'py, PyAny>,
    length: Option<i64>,
    reverse: bool,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let what = "what is carried on, and an element of the result";
    let length = length.map(|length| count(length, "the length of scan"));
    let length = length.transpose()?;
    let init = PyTree::of(init, Leaves::All, "init")?;
    let xs = PyTree::of(xs, Leaves::All, "xs")?;
    let as_numpy = init.is_numpys() && xs.is_numpys();
    let scanned = if xs.arrays.is_empty() {
        let length = length.ok_or_else(|| {
            PyValueError::new_err("scan needs xs with an array, or the length of the loop")
        })?;
        py.detach(|| {
            let step = |carry: Tried| called_for_pair(&function, [carry, Ok(xs.clone())], what);
            scan_length(step, Ok(init), length)
        })
    } else {
        if let Some(length) = length {
            let ty = xs.arrays[0].ty().or_raise(py)?;
            if ty.shape.first() != Some(&length) {
                return Err(PyValueError::new_err(format!(
                    "scan got the length {length} and an array {ty}"
                )));
            }
        }
        py.detach(|| {
            let step = |carry: Tried, x: Tried| called_for_pair(&function, [carry, x], what);
            match reverse {
                true => scan_reverse(step, Ok(init), Ok(xs)),
                false => autojit::scan(step, Ok(init), Ok(xs)),
            }
        })
    };
    let (carry, ys) = scanned.or_raise(py)?;
    let (carry, ys) = (carry.or_raise(py)?, ys.or_raise(py)?);
    Ok((carry.build(py, as_numpy)?, ys.build(py, as_numpy)?))
}

/// A loop over integers: see `autojit.fori_loop`.
#[pyfunction]
pub(crate) fn fori_loop<'py>(
    py: Python<'py>,
    lower: &Bound<'py, PyAny>,
    upper: &Bound<'py, PyAny>,
    body: Py<PyAny>,
    init: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let (lower, upper) = (operand(lower, "lower")?, operand(upper, "upper")?);
    let init = PyTree::of(init, Leaves::All, "init")?;
    let as_numpy = init.is_numpys();
    let result = py.detach(|| {
        let step = |i: Array, carry: Tried| called(&body, [Ok(PyTree::of_array(i)), carry]);
        autojit::fori_loop(lower, upper, step, Ok(init))
    });
    result.or_raise(py)?.or_raise(py)?.build(py, as_numpy)
}

/// A loop as long as a condition holds: see `autojit.while_loop`.
#[pyfunction]
#[pyo3(signature = (condition, body, init, limit))]
pub(crate) fn while_loop<'py>(
    py: Python<'py>,
    condition: Py<PyAny>,
    body: Py<PyAny>,
    init: &Bound<'py, PyAny>,
    limit: Option<i64>,
) -> PyResult<Bound<'py, PyAny>> {
    let limit = limit.map(|limit| count(limit, "the limit of while_loop"));
    let limit = limit.transpose()?;
    let init = PyTree::of(init, Leaves::All, "init")?;
    let as_numpy = init.is_numpys();
    let result = py.detach(|| {
        let holds = |carry: Tried| called(&condition, [carry]);
        let step = |carry: Tried| called(&body, [carry]);
        match limit {
            Some(limit) => while_loop_within(limit as u64, holds, step, Ok(init)),
            None => autojit::while_loop(holds, step, Ok(init)),
        }
    });
    result.or_raise(py)?.or_raise(py)?.build(py, as_numpy)
}

/// One of several functions, chosen by a number: see `autojit.switch` and `autojit.cond`.
#[pyfunction]
#[pyo3(signature = (index, branches, operands, is_cond))]
pub(crate) fn switch<'py>(
    py: Python<'py>,
    index: &Bound<'py, PyAny>,
    branches: Vec<Py<PyAny>>,
    operands: &Bound<'py, PyTuple>,
    is_cond: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let index = operand(index, if is_cond { "the predicate" } else { "index" })?;
    let operands = PyTree::of(operands.as_any(), Leaves::All, "operands")?;
    let as_numpy = operands.is_numpys();
    let result = py.detach(|| {
        let branch = |function: &Py<PyAny>, args: Tried| called_with_tuple(function, args);
        let functions: Vec<_> = branches
            .iter()
            .map(|function| move |args: Tried| branch(function, args))
            .collect();
        match functions.as_slice() {
            [if_true, if_false] if is_cond => autojit::cond(index, if_true, if_false, Ok(operands)),
            _ => {
                let functions: Vec<&dyn Fn(Tried) -> Tried> = functions
                    .iter()
                    .map(|f| f as &dyn Fn(Tried) -> Tried)
                    .collect();
                autojit::switch(index, &functions, Ok(operands))
            }
        }
    });
    let raise = |error| match is_cond {
        true => raised_by_cond(py, error),
        false => raised(py, error),
    };
    let result = result.and_then(|result| result).map_err(raise)?;
    result.build(py, as_numpy)
}

/// Calls a function of Python with the members of a tuple.
fn called_with_tuple(function: &Py<PyAny>, args: Tried) -> Tried {
    let args = args?;
    Python::attach(|py| {
        let call = || {
            let args = args.build(py, false)?.cast_into::<PyTuple>()?;
            let result = function.bind(py).call1(args)?;
            PyTree::of(&result, Leaves::All, "the result")
        };
        call().map_err(carried)
    })
}

/// A function that is computed again where its gradient is taken: see `autojit.checkpoint`.
#[pyfunction]
#[pyo3(signature = (function, args, keywords))]
pub(crate) fn checkpoint<'py>(
    py: Python<'py>,
    function: Py<PyAny>,
    args: &Bound<'py, PyTuple>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut tree = PyTree::default();
    let keywords = keywords.filter(|keywords| !keywords.is_empty());
    tree.begin_tuple(args.len() + usize::from(keywords.is_some()));
    for (at, arg) in args.iter().enumerate() {
        tree.add_argument(&arg, at)?;
    }
    if let Some(keywords) = keywords {
        tree.add_keywords(keywords, Leaves::Arrays, &|_| false)?;
    }
    let as_numpy = tree.is_numpys();
    let result = py
        .detach(|| autojit::checkpoint(|args: Tried| call_function_of(&function, args?))(Ok(tree)));
    result.or_raise(py)?.or_raise(py)?.build(py, as_numpy)
}

/// A function with a rule of its own for gradients: see `autojit.custom_vjp`.
#[pyfunction]
pub(crate) fn custom_vjp<'py>(
    py: Python<'py>,
    function: Py<PyAny>,
    forward: Py<PyAny>,
    backward: Py<PyAny>,
    args: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let tree = PyTree::of(args.as_any(), Leaves::Numbers, "the arguments")?;
    let as_numpy = tree.is_numpys();
    let result = py.detach(|| {
        let plain = |args: Tried| called_with_tuple(&function, args);
        let with_rest = |args: Tried| {
            // Taken apart here, as the function takes its arguments one by one.
            let members = args.and_then(PyTree::into_members);
            let what = "the result, and what the backward function needs";
            match members {
                Ok(members) => called_for_pair(&forward, members.into_iter().map(Ok), what),
                Err(error) => (Err(error.clone()), Err(error)),
            }
        };
        let pull = |rest: Tried, cotangent: Tried| called(&backward, [rest, cotangent]);
        autojit::transform::custom_vjp(plain, with_rest, pull)(Ok(tree))
    });
    result.or_raise(py)?.or_raise(py)?.build(py, as_numpy)
}

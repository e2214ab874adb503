//! Derivatives and batches of functions of Python.
//!
//! A function is transformed with respect to some of its positional arguments; the others are captured by the closure that Rust
//! traces. Numbers among the arguments of derivatives are arrays.

use std::sync::Arc;

use autojit::transform::BatchAxes;
use autojit::{Array, Error};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::convert::to_array;
use crate::errors::{OrRaise, carried, raised_under_name};
use crate::jit::Traced;
use crate::object::{PyArrayObject, wrapped};
use crate::tree::{Leaves, PyTree};

/// A call whose chosen arguments vary.
struct Call {
    function: Py<PyAny>,
    args: Vec<Py<PyAny>>,
    chosen: Vec<usize>,
    keywords: Option<Py<PyDict>>,
}

impl Call {
    /// The closure that calls the function with a tuple of the chosen arguments.
    fn closure(
        function: Py<PyAny>,
        args: &Bound<'_, PyTuple>,
        chosen: &[usize],
        keywords: Option<Bound<'_, PyDict>>,
    ) -> Traced {
        let call = Self {
            function,
            args: args.iter().map(Bound::unbind).collect(),
            chosen: chosen.to_vec(),
            keywords: keywords.map(Bound::unbind),
        };
        Box::new(move |tree| call.run(tree))
    }

    fn run(&self, chosen: PyTree) -> autojit::Result<PyTree> {
        Python::attach(|py| {
            let call = || {
                let chosen = chosen.build(py, false)?.cast_into::<PyTuple>()?;
                let mut args: Vec<Bound<'_, PyAny>> =
                    self.args.iter().map(|arg| arg.bind(py).clone()).collect();
                for (&at, value) in self.chosen.iter().zip(&chosen) {
                    args[at] = value;
                }
                let keywords = self.keywords.as_ref().map(|keywords| keywords.bind(py));
                let result = self
                    .function
                    .bind(py)
                    .call(PyTuple::new(py, args)?, keywords)?;
                PyTree::of(&result, Leaves::Numbers, "the result")
            };
            call().map_err(carried)
        })
    }
}

/// The chosen arguments as a tree, a tuple of them.
fn chosen_tree(args: &Bound<'_, PyTuple>, chosen: &[usize]) -> PyResult<PyTree> {
    let mut tree = PyTree::default();
    tree.begin_tuple(chosen.len());
    for &at in chosen {
        tree.add(
            &args.get_item(at)?,
            Leaves::Numbers,
            &format!("argument {at}"),
        )?;
    }
    Ok(tree)
}

/// Checks that there are derivatives with respect to the chosen arguments, which the message names as Python counts them.
///
/// # Errors
/// One holds integers or booleans.
fn check_differentiable(name: &str, args: &Bound<'_, PyTuple>, chosen: &[usize]) -> PyResult<()> {
    let py = args.py();
    for &at in chosen {
        let tree = chosen_tree(args, &[at])?;
        for array in &tree.arrays {
            let ty = array.ty().or_raise(py)?;
            if !(ty.dtype.is_float() || ty.dtype.is_complex()) {
                return Err(PyTypeError::new_err(format!(
                    "{name} takes derivatives by floating and complex arrays, got {ty} in argument {at}: make it floating, as \
                     by `x.astype(float)`, or choose other arguments by argnums"
                )));
            }
        }
    }
    Ok(())
}

/// Value and gradient with respect to the chosen arguments: a pair of the result and a tuple. The name is that of the function
/// of Python, for messages.
#[pyfunction]
#[pyo3(signature = (name, function, chosen, has_aux, args, keywords))]
pub(crate) fn value_and_grad<'py>(
    py: Python<'py>,
    name: &str,
    function: Py<PyAny>,
    chosen: Vec<usize>,
    has_aux: bool,
    args: &Bound<'py, PyTuple>,
    keywords: Option<Bound<'py, PyDict>>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    check_differentiable(name, args, &chosen)?;
    let tree = chosen_tree(args, &chosen)?;
    let as_numpy = tree.is_numpys();
    let closure = Call::closure(function, args, &chosen, keywords);
    let of_rust = match has_aux {
        true => "value_and_grad_aux",
        false => "value_and_grad",
    };
    let value_and_gradient = py.detach(|| match has_aux {
        true => {
            let (value, gradient) = autojit::value_and_grad_aux(closure)(tree)?;
            Ok::<_, Error>((value?, gradient))
        }
        false => {
            let (value, gradient) = autojit::value_and_grad(closure)(tree)?;
            Ok((PyTree::of_array(value), gradient))
        }
    });
    let (value, gradient) =
        value_and_gradient.map_err(|error| raised_under_name(py, error, of_rust, name))?;
    Ok((value.build(py, as_numpy)?, gradient.build(py, as_numpy)?))
}

type Linear = Box<dyn Fn(PyTree) -> autojit::Result<PyTree> + Send + Sync>;

/// The pullback of a function at a point: from cotangents of its results to gradients.
#[pyclass(frozen, module = "autojit")]
pub(crate) struct Pullback {
    linear: Linear,
    as_numpy: bool,
}

#[pymethods]
impl Pullback {
    /// A tuple of the gradients of all arguments.
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        cotangent: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let cotangent = PyTree::of(cotangent, Leaves::Numbers, "the cotangent")?;
        let gradient = py.detach(|| (self.linear)(cotangent));
        gradient.or_raise(py)?.build(py, self.as_numpy)
    }
}

/// The value of a function, and its pullback.
#[pyfunction]
#[pyo3(signature = (function, args))]
pub(crate) fn vjp<'py>(
    py: Python<'py>,
    function: Py<PyAny>,
    args: &Bound<'py, PyTuple>,
) -> PyResult<(Bound<'py, PyAny>, Pullback)> {
    let chosen: Vec<usize> = (0..args.len()).collect();
    let tree = chosen_tree(args, &chosen)?;
    let as_numpy = tree.is_numpys();
    let closure = Call::closure(function, args, &chosen, None);
    let pulled = py.detach(|| {
        let (value, pullback) = autojit::vjp(closure, tree)?;
        let linear: Linear = Box::new(move |cotangent| pullback(Ok(cotangent)));
        Ok::<_, Error>((value?, linear))
    });
    let (value, linear) = pulled.or_raise(py)?;
    Ok((value.build(py, as_numpy)?, Pullback { linear, as_numpy }))
}

/// The value of a function, and its derivative in a direction.
#[pyfunction]
#[pyo3(signature = (function, args, tangents))]
pub(crate) fn jvp<'py>(
    py: Python<'py>,
    function: Py<PyAny>,
    args: &Bound<'py, PyTuple>,
    tangents: &Bound<'py, PyTuple>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let chosen: Vec<usize> = (0..args.len()).collect();
    let tree = chosen_tree(args, &chosen)?;
    let as_numpy = tree.is_numpys();
    let tangents = PyTree::of(tangents.as_any(), Leaves::Numbers, "the tangents")?;
    let closure = Call::closure(function, args, &chosen, None);
    let pushed = py.detach(|| autojit::jvp(closure, tree, tangents));
    let (value, derivative) = pushed.or_raise(py)?;
    let (value, derivative) = (value.or_raise(py)?, derivative.or_raise(py)?);
    Ok((value.build(py, as_numpy)?, derivative.build(py, as_numpy)?))
}

/// A function of one example applied to many.
#[pyfunction]
#[pyo3(signature = (function, in_axes, out_axes, args))]
pub(crate) fn vmap<'py>(
    py: Python<'py>,
    function: Py<PyAny>,
    in_axes: &Bound<'py, PyAny>,
    out_axes: &Bound<'py, PyAny>,
    args: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let chosen: Vec<usize> = (0..args.len()).collect();
    let mut tree = PyTree::default();
    tree.begin_tuple(args.len());
    for (at, arg) in args.iter().enumerate() {
        tree.add_argument(&arg, at)?;
    }
    let as_numpy = tree.is_numpys();
    let (in_axes, out_axes) = (batch_axes(in_axes)?, batch_axes(out_axes)?);
    let closure = Call::closure(function, args, &chosen, None);
    let mapped = py.detach(|| autojit::vmap_axes(closure, in_axes, out_axes)(tree));
    mapped.or_raise(py)?.or_raise(py)?.build(py, as_numpy)
}

fn batch_axes(axes: &Bound<'_, PyAny>) -> PyResult<BatchAxes> {
    if axes.is_none() {
        return Ok(BatchAxes::Shared);
    }
    if let Ok(axis) = axes.extract::<i64>() {
        return Ok(BatchAxes::Axis(axis));
    }
    if let Ok(members) = axes.cast::<PyDict>() {
        let mut members: Vec<(String, Bound<'_, PyAny>)> = members
            .iter()
            .map(|(k, v)| Ok((k.extract()?, v)))
            .collect::<PyResult<_>>()?;
        members.sort_by(|(a, _), (b, _)| a.cmp(b));
        let axes = members.iter().map(|(_, axes)| batch_axes(axes));
        return axes.collect::<PyResult<_>>().map(BatchAxes::Members);
    }
    if axes.is_instance_of::<PyTuple>() || axes.is_instance_of::<PyList>() {
        let members = axes.try_iter()?.map(|member| batch_axes(&member?));
        return members.collect::<PyResult<_>>().map(BatchAxes::Members);
    }
    Err(PyTypeError::new_err(format!(
        "axes of vmap are integers, None, or tuples, lists and dicts of them, got {}",
        axes.get_type().fully_qualified_name()?
    )))
}

/// The same values, which no gradient flows through, of all arrays and numbers in a tree.
#[pyfunction]
#[pyo3(signature = (x))]
pub(crate) fn stop_gradient<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut tree = PyTree::of(x, Leaves::Numbers, "x")?;
    let as_numpy = tree.is_numpys();
    for array in &mut tree.arrays {
        *array = autojit::stop_gradient(&*array).check().or_raise(py)?;
    }
    tree.build(py, as_numpy)
}

/// All derivatives of an array by an array, of the first or of the second order.
#[pyfunction]
#[pyo3(signature = (function, order, x))]
pub(crate) fn derivatives<'py>(
    py: Python<'py>,
    function: Py<PyAny>,
    order: u32,
    x: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let as_numpy = !x.is_instance_of::<PyArrayObject>();
    let x = to_array(x)?;
    let function = Arc::new(function);
    let closure = move |x: Array| -> autojit::Result<Array> {
        Python::attach(|py| {
            let call = || {
                let result = function.bind(py).call1((wrapped(py, x)?,))?;
                to_array(&result)
            };
            call().map_err(carried)
        })
    };
    let matrix = py.detach(|| match order {
        1 => autojit::jacobian(closure)(x),
        _ => autojit::hessian(closure)(x),
    });
    let matrix = matrix.or_raise(py)?;
    match as_numpy {
        true => crate::convert::to_numpy_owned(py, matrix),
        false => Ok(wrapped(py, matrix)?.into_any()),
    }
}

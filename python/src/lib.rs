//! `autojit._autojit`: what the Python package `autojit` is made of.
//!
//! The package is a door, not a second implementation: arrays, functions, derivatives and compiled code are those of the crate
//! `autojit`. Functions come from its table of names (`autojit::dispatch`), errors become exceptions in one place (`errors.rs`),
//! and values cross in two (`convert.rs` for arrays, `values.rs` for arguments).

mod array;
mod classes;
mod contract;
mod control;
mod convert;
mod errors;
mod exported;
mod functions;
mod index;
mod jit;
mod lazy;
mod lines;
mod object;
#[allow(
    unsafe_op_in_unsafe_fn,
    reason = "what PyO3 writes for methods that a macro makes"
)]
mod operators;
mod protocols;
mod reports;
mod statics;
mod transforms;
mod tree;
mod values;

use pyo3::prelude::*;

use crate::object::{PyArrayObject, wrapped};

/// An array of a value: of one of NumPy's, a number, nested lists, or anything with `__array__`. NumPy's arrays are copied.
#[pyfunction]
#[pyo3(signature = (obj, /, dtype = None, *, copy = None, device = None))]
fn asarray<'py>(
    py: Python<'py>,
    obj: &Bound<'py, PyAny>,
    dtype: Option<&Bound<'py, PyAny>>,
    copy: Option<bool>,
    device: Option<&str>,
) -> PyResult<Bound<'py, PyArrayObject>> {
    if device.is_some_and(|device| device != "cpu") {
        return Err(pyo3::exceptions::PyValueError::new_err(
            "the only device is \"cpu\"",
        ));
    }
    let is_ours = obj.is_instance_of::<PyArrayObject>();
    if copy == Some(false) && !is_ours {
        return Err(pyo3::exceptions::PyValueError::new_err(
            "values from outside are copied; leave copy=False out",
        ));
    }
    match dtype {
        None if is_ours => Ok(obj.cast::<PyArrayObject>()?.clone()),
        None => wrapped(py, convert::to_array(obj)?),
        Some(dtype) => wrapped(py, convert::to_array_of(obj, convert::to_dtype(dtype)?)?),
    }
}

#[pymodule]
mod _autojit {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::{
        array::Picture,
        asarray,
        classes::register_pytree,
        contract::{
            CompiledContraction, ContractionPlan, DistributedContraction, contraction_plan_along,
            contraction_plan_from_json, contraction_plan_in_order, contraction_plan_search,
        },
        control::{checkpoint, custom_vjp, fori_loop, scan, switch, while_loop},
        errors::TracingError,
        exported::{ExportedFunction, ExportedFunctions, exported_from_bytes, load},
        functions::{Function, all_functions},
        jit::{CompiledFunction, backends},
        lazy::{lazy_array, lazy_compute, lazy_variable},
        object::PyArrayObject,
        reports::{Explanation, Profile},
        transforms::{Pullback, derivatives, jvp, stop_gradient, value_and_grad, vjp, vmap},
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        autojit::set_interrupt_check(super::errors::is_interrupted);
        autojit::set_source_lines(super::lines::line_of_caller);
        super::array::add_methods(module.py())
    }
}

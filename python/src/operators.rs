//! The operators of arrays. Numbers at the other side are weakly typed, lists are arrays, as with NumPy's arrays.

use autojit::{Array, numpy as np};
use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;

use crate::object::{Object, PyArrayObject, wrapped};
use crate::values::{beyond_64_bits, to_operand};

/// An operator on the array and whatever stands at its other side.
fn binary<'py>(
    py: Python<'py>,
    array: &Array,
    other: &Bound<'py, PyAny>,
    f: impl FnOnce(autojit::Operand<'static>) -> Array,
) -> Object<'py> {
    meeting(py, array, other, false, f)
}

/// The same; `is_compared` says that the function is a comparison.
fn meeting<'py>(
    py: Python<'py>,
    array: &Array,
    other: &Bound<'py, PyAny>,
    is_compared: bool,
    f: impl FnOnce(autojit::Operand<'static>) -> Array,
) -> Object<'py> {
    let operand = match to_operand(other) {
        Err(error) if error.is_instance_of::<PyOverflowError>(py) => {
            match beyond_64_bits(other, array, is_compared)? {
                Some(scalar) => Some(scalar.into()),
                None => return Err(error),
            }
        }
        operand => operand?,
    };
    match operand {
        Some(other) => Ok(wrapped(py, f(other))?.into_any()),
        None => Ok(py.NotImplemented().into_bound(py)),
    }
}

/// The methods for operators; those with `r` have the array on the right.
macro_rules! operators {
    (
        binary { $($method:ident $reflected:ident $function:ident;)* }
        unary { $($unary:ident $unary_function:ident;)* }
    ) => {
        #[pymethods]
        impl PyArrayObject {
            $(
                fn $method<'py>(&self, py: Python<'py>, other: &Bound<'py, PyAny>) -> Object<'py> {
                    binary(py, &self.0, other, |other| np::$function(&self.0, other))
                }

                fn $reflected<'py>(&self, py: Python<'py>, other: &Bound<'py, PyAny>) -> Object<'py> {
                    binary(py, &self.0, other, |other| np::$function(other, &self.0))
                }
            )*
            $(
                fn $unary<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Self>> {
                    wrapped(py, np::$unary_function(&self.0))
                }
            )*
        }
    };
}

operators! {
    binary {
        __add__ __radd__ add;
        __sub__ __rsub__ subtract;
        __mul__ __rmul__ multiply;
        __truediv__ __rtruediv__ divide;
        __floordiv__ __rfloordiv__ floor_divide;
        __mod__ __rmod__ remainder;
        __matmul__ __rmatmul__ matmul;
        __and__ __rand__ bitwise_and;
        __or__ __ror__ bitwise_or;
        __xor__ __rxor__ bitwise_xor;
        __lshift__ __rlshift__ left_shift;
        __rshift__ __rrshift__ right_shift;
    }
    unary {
        __neg__ negative;
        __pos__ positive;
        __abs__ absolute;
        __invert__ invert;
    }
}

#[pymethods]
impl PyArrayObject {
    fn __pow__<'py>(
        &self,
        py: Python<'py>,
        other: &Bound<'py, PyAny>,
        modulo: Option<&Bound<'py, PyAny>>,
    ) -> Object<'py> {
        no_modulo(modulo)?;
        binary(py, &self.0, other, |other| np::power(&self.0, other))
    }

    fn __rpow__<'py>(
        &self,
        py: Python<'py>,
        other: &Bound<'py, PyAny>,
        modulo: Option<&Bound<'py, PyAny>>,
    ) -> Object<'py> {
        no_modulo(modulo)?;
        binary(py, &self.0, other, |other| np::power(other, &self.0))
    }

    fn __divmod__<'py>(&self, py: Python<'py>, other: &Bound<'py, PyAny>) -> Object<'py> {
        let quotient = self.__floordiv__(py, other)?;
        with_remainder(quotient, || self.__mod__(py, other))
    }

    fn __rdivmod__<'py>(&self, py: Python<'py>, other: &Bound<'py, PyAny>) -> Object<'py> {
        let quotient = self.__rfloordiv__(py, other)?;
        with_remainder(quotient, || self.__rmod__(py, other))
    }

    fn __richcmp__<'py>(
        &self,
        py: Python<'py>,
        other: &Bound<'py, PyAny>,
        op: CompareOp,
    ) -> Object<'py> {
        compared(self, py, other, op)
    }
}

/// The result of `divmod`, unless there is no quotient.
fn with_remainder<'py>(
    quotient: Bound<'py, PyAny>,
    remainder: impl FnOnce() -> Object<'py>,
) -> Object<'py> {
    let py = quotient.py();
    if quotient.is(py.NotImplemented()) {
        return Ok(quotient);
    }
    Ok((quotient, remainder()?).into_pyobject(py)?.into_any())
}

/// A comparison, element by element.
pub(crate) fn compared<'py>(
    array: &PyArrayObject,
    py: Python<'py>,
    other: &Bound<'py, PyAny>,
    op: CompareOp,
) -> Object<'py> {
    let array = &array.0;
    meeting(py, array, other, true, |other| match op {
        CompareOp::Lt => np::less(array, other),
        CompareOp::Le => np::less_equal(array, other),
        CompareOp::Eq => np::equal(array, other),
        CompareOp::Ne => np::not_equal(array, other),
        CompareOp::Gt => np::greater(array, other),
        CompareOp::Ge => np::greater_equal(array, other),
    })
}

fn no_modulo(modulo: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    match modulo {
        None => Ok(()),
        Some(_) => Err(PyTypeError::new_err(
            "pow() of arrays takes no third argument",
        )),
    }
}

//! Cases for XLA, which takes subnormal numbers for zeros.
//!
//! NumPy's answers to subnormal numbers are none that XLA could give. Cases that have any are run with zeros in their
//! place, and compared with what the ndarray library, which gives all of NumPy's answers, says to those.

use autojit::{DType, Result, Scalar};
use num_complex::Complex64;

use crate::execute::evaluate;
use crate::json::{Case, Data, Expected};

/// The case with zeros in the place of subnormal numbers; `None` if there are none.
///
/// # Errors
/// The ndarray library fails.
pub(crate) fn without_subnormals(case: &Case) -> Result<Option<Case>> {
    let inputs: Vec<Data> = case.inputs.iter().map(flushed).collect();
    let same = |(a, b): (&Data, &Data)| a.elements == b.elements;
    if inputs.iter().zip(&case.inputs).all(same) || !matches!(case.expected, Expected::Arrays(_)) {
        return Ok(None);
    }
    let arrays: Vec<_> = inputs.iter().map(Data::to_array).collect();
    let results = evaluate(case, &arrays)?;
    let expected = results.iter().map(Data::of).collect::<Result<_>>()?;
    Ok(Some(Case {
        inputs,
        expected: Expected::Arrays(expected),
        ..case.clone()
    }))
}

fn flushed(data: &Data) -> Data {
    let smallest = match data.dtype.real() {
        DType::Float32 => f64::from(f32::MIN_POSITIVE),
        _ => f64::MIN_POSITIVE,
    };
    let real = |x: f64| {
        if x.abs() < smallest {
            0.0f64.copysign(x)
        } else {
            x
        }
    };
    let scalar = |s: &Scalar| match *s {
        Scalar::Float(x) => Scalar::Float(real(x)),
        Scalar::Complex(z) => Scalar::Complex(Complex64::new(real(z.re), real(z.im))),
        whole => whole,
    };
    Data {
        elements: data.elements.iter().map(scalar).collect(),
        ..data.clone()
    }
}

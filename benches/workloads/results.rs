//! Comparing results.

use autojit::{Array, DType};
use num_complex::Complex64;

/// How far results may be apart: what reordered sums and other elementary functions do to well-behaved numbers.
pub(crate) fn tolerance(dtype: DType) -> f64 {
    match dtype {
        DType::Float32 | DType::Complex64 => 2e-4,
        _ => 1e-9,
    }
}

/// The elements as complex numbers.
pub(super) fn values(x: &Array) -> Result<Vec<Complex64>, String> {
    let x = x.astype(DType::Complex128);
    x.to_vec::<Complex64>().map_err(|e| e.to_string())
}

/// The elements of a real array.
pub(super) fn reals(x: &Array) -> Vec<f64> {
    // A failed array has no elements; comparing says so.
    x.astype(DType::Float64).to_vec::<f64>().unwrap_or_default()
}

/// The largest difference of two lists of arrays, each array relative to its largest element.
///
/// # Errors
/// The lists differ in anything but the values, or values are not finite in one of them.
pub(crate) fn difference(got: &[Array], expected: &[Array]) -> Result<f64, String> {
    if got.len() != expected.len() {
        return Err(format!(
            "{} results, expected {}",
            got.len(),
            expected.len()
        ));
    }
    let mut largest = 0.0_f64;
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        let shape = |x: &Array| x.shape().map_err(|e| e.to_string());
        let (got_shape, expected_shape) = (shape(got)?, shape(expected)?);
        if got_shape != expected_shape {
            return Err(format!(
                "result {i} has shape {got_shape:?}, expected {expected_shape:?}"
            ));
        }
        let (got, expected) = (values(got)?, values(expected)?);
        let scale = expected.iter().map(|x| x.norm()).fold(1e-300, f64::max);
        for (x, y) in got.iter().zip(&expected) {
            if !x.is_finite() || !y.is_finite() {
                return Err(format!("result {i} has {x}, expected {y}"));
            }
            largest = largest.max((x - y).norm() / scale);
        }
    }
    Ok(largest)
}

/// Passes if the results are close to what is expected of them.
pub(super) fn expect_close(got: &[Array], expected: &[Array], within: f64) -> Result<(), String> {
    let difference = difference(got, expected)?;
    if difference <= within {
        Ok(())
    } else {
        Err(format!(
            "results are off by {difference:.1e}, allowed are {within:.1e}"
        ))
    }
}

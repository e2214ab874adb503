//! Parameters of draws: how they broadcast, and what is refused of those whose numbers are known.

use super::super::options::Creation;
use super::super::special::{beside, cast};
use super::super::{add, arange, astype, multiply, subtract, to_array};
use super::SizeOptions;
use crate::like::Place;
use crate::{Array, DType, Error, Operand, Result};
use autojit_ir::{Class, Dims, Scalar, broadcast_shapes};

/// The shape to which parameters broadcast, and the options with the place of the first array among them.
pub(super) fn parameters(
    operands: &[&Operand],
    mut options: SizeOptions,
) -> Result<(Dims, SizeOptions)> {
    let mut shape = Dims::new();
    for operand in operands {
        let ty = operand.ty()?;
        if ty.dtype.class() == Class::Complex {
            return Err(Error::dtype(format!("expected real parameters, got {ty}")));
        }
        shape = broadcast_shapes(&shape, &ty.shape).ok_or_else(|| {
            Error::shape(format!(
                "cannot broadcast the parameter {ty} with the others"
            ))
        })?;
        if let (None, Operand::Array(array)) = (&options.creation.like, operand) {
            let dtype = options.creation.dtype.unwrap_or(DType::Float64);
            options.creation = beside(array).dtype(dtype);
        }
    }
    Ok((shape, options))
}

/// The numbers of a parameter, where they are known when the draw is made: not those of lazy and traced arrays.
fn known(operand: &Operand) -> Option<Vec<f64>> {
    match operand {
        Operand::Scalar(number) => Some(vec![number.to_f64()]),
        Operand::Array(array) => match array.own_place() {
            Ok(Place::Library(_)) => astype(&**array, DType::Float64).to_vec().ok(),
            _ => None,
        },
    }
}

/// Refuses a parameter with a negative number, -0 included, as NumPy does; NaN is let through.
pub(super) fn not_negative(name: &str, operand: &Operand) -> Result<()> {
    let numbers = known(operand).unwrap_or_default();
    let wrong = numbers.iter().find(|x| x.is_sign_negative() && !x.is_nan());
    wrong.map_or(Ok(()), |number| {
        Err(Error::value(format!(
            "{name} cannot be negative, got {number:?}"
        )))
    })
}

/// Refuses limits of a uniform distribution whose distance is negative or not finite in the dtype of the numbers.
pub(super) fn distance(low: &Operand, high: &Operand, dtype: DType) -> Result<()> {
    let (Some(lows), Some(highs)) = (known(low), known(high)) else {
        return Ok(());
    };
    let is_single = dtype == DType::Float32;
    let refused = |low: f64, high: f64| {
        let width = if is_single {
            f64::from(high as f32 - low as f32)
        } else {
            high - low
        };
        if !width.is_finite() {
            return Some(format!(
                "the distance from {low:?} to {high:?} is not a finite {dtype}"
            ));
        }
        (width < 0.0).then(|| format!("the upper limit {high:?} is below the lower one, {low:?}"))
    };
    let wrong = match (lows.as_slice(), highs.as_slice()) {
        (&[low], highs) => highs.iter().find_map(|&high| refused(low, high)),
        (lows, &[high]) => lows.iter().find_map(|&low| refused(low, high)),
        // Arrays of different shapes: those of the broadcast distances, and each limit on its own.
        _ => {
            let width = subtract(high.clone(), low.clone());
            let widths = known(&width.into()).unwrap_or_default();
            widths.into_iter().find_map(|width| refused(0.0, width))
        }
    };
    wrong.map_or(Ok(()), |message| Err(Error::value(message)))
}

/// `loc + scale * numbers`, without what changes nothing.
#[track_caller]
pub(super) fn scaled(loc: Operand, scale: Operand, numbers: Array) -> Array {
    let is = |operand: &Operand, number: f64| matches!(operand, Operand::Scalar(s) if s.to_f64() == number);
    let numbers = if is(&scale, 1.0) {
        numbers
    } else {
        multiply(numbers, scale)
    };
    if is(&loc, 0.0) {
        numbers
    } else {
        add(loc, numbers)
    }
}

/// The population of a choice: an array with a first axis, or the integers below a number.
#[track_caller]
pub(super) fn population(x: Operand, creation: &Creation) -> Result<Array> {
    match x {
        Operand::Scalar(Scalar::Int(n)) => {
            let creation = creation.clone().dtype(DType::Int64);
            let n = n.max(0);
            arange(n, creation).check()
        }
        x => {
            let ty = x.ty()?;
            if ty.ndim() == 0 {
                return Err(Error::shape(format!(
                    "expected an array with at least one axis or an integer, got {ty}"
                )));
            }
            Ok(to_array(x))
        }
    }
}

/// Checks what can be known of probabilities, of which at least `least` must be above zero.
#[track_caller]
pub(super) fn probabilities(p: Operand, length: usize, least: usize) -> Result<Array> {
    let ty = p.ty()?;
    if ty.shape.as_slice() != [length] || ty.dtype.class() == Class::Complex {
        return Err(Error::value(format!(
            "expected {length} probabilities, got {ty}"
        )));
    }
    if let Some(values) = known(&p) {
        // As NumPy: the root of the precision.
        let tolerance = if ty.dtype == DType::Float32 {
            f64::from(f32::EPSILON).sqrt()
        } else {
            f64::EPSILON.sqrt()
        };
        let total: f64 = values.iter().sum();
        let is_one = (total - 1.0).abs() <= tolerance;
        if values.iter().any(|x| x.is_nan() || *x < 0.0) || !is_one {
            return Err(Error::value(
                "expected probabilities that are not negative and sum to one",
            ));
        }
        let possible = values.iter().filter(|&&x| x > 0.0).count();
        if possible < least {
            return Err(Error::value(format!(
                "cannot choose {least} without replacement where {possible} have a probability above zero"
            )));
        }
    }
    Ok(cast(p, DType::Float64))
}

//! Complex numbers in order, which libtorch has for real ones only.
//!
//! By NumPy's rules the real part decides, then the imaginary one. Sorts put NaN last, first those in the imaginary
//! part alone; extrema are the first NaN, if there is one.

use super::super::functions::Torch;
use super::{Over, ints};
use autojit_ir::error::Result;
use autojit_ir::{ArrayType, DType, Dims, Literal};

/// The positions along an axis in rising order, equal elements as they stand.
pub(super) fn argsort<T: Torch>(t: &mut T, x: &T::Value, axis: usize) -> Result<T::Value> {
    let (re, im) = (t.real(x)?, t.imag(x)?);
    let (in_re, in_im) = (t.isnan(&re)?, t.isnan(&im)?);
    let (in_re, in_im) = (t.cast(&in_re, DType::Uint8)?, t.cast(&in_im, DType::Uint8)?);
    let twice = t.add(&in_re, &in_re)?;
    let class = t.add(&twice, &in_im)?;
    by_keys(t, [&im, &re, &class], axis)
}

/// The rank of each element of a vector by which is wanted of several: from 0, without ties. NaN come before the
/// largest or smallest, and equal elements as they stand. Also the positions by rank.
pub(super) fn ranks<T: Torch>(
    t: &mut T,
    x: &T::Value,
    dtype: DType,
    largest: bool,
) -> Result<[T::Value; 2]> {
    let zero = t.literal(Literal::new(0, dtype.real()))?;
    let is_nan = t.isnan(x)?;
    let key = |t: &mut T, part: T::Value| {
        let rising = if largest { t.neg(&part)? } else { part };
        t.select(&is_nan, &zero, &rising)
    };
    let (re, im) = (t.real(x)?, t.imag(x)?);
    let (re, im) = (key(t, re)?, key(t, im)?);
    let is_number = t.logical_not(&is_nan)?;
    let is_number = t.cast(&is_number, DType::Uint8)?;
    let positions = by_keys(t, [&im, &re, &is_number], 0)?;
    let [_, ranks] = t.sort(&positions, 0)?;
    Ok([ranks, positions])
}

/// The positions in rising order by three keys, of which the last matters most.
fn by_keys<T: Torch>(t: &mut T, keys: [&T::Value; 3], axis: usize) -> Result<T::Value> {
    let axis = axis as i64;
    let [_, mut positions] = t.sort(keys[0], axis)?;
    for key in &keys[1..] {
        let key = t.gather(key, axis, &positions)?;
        let [_, order] = t.sort(&key, axis)?;
        positions = t.gather(&positions, axis, &order)?;
    }
    Ok(positions)
}

/// The position of the largest or smallest element along an axis, which stays with the length one.
pub(super) fn position<T: Torch>(
    t: &mut T,
    x: &T::Value,
    dtype: DType,
    axis: usize,
    largest: bool,
) -> Result<T::Value> {
    let (best, worst): (Over<T>, f64) = if largest {
        (T::amax, f64::NEG_INFINITY)
    } else {
        (T::amin, f64::INFINITY)
    };
    let axes = [axis as i64];
    let (re, im) = (t.real(x)?, t.imag(x)?);
    let best_re = best(t, &re, &axes, true)?;
    let has_best_re = t.eq(&re, &best_re)?;
    let worst = t.literal(Literal::new(worst, dtype.real()))?;
    let im = t.select(&has_best_re, &im, &worst)?;
    let best_im = best(t, &im, &axes, true)?;
    let has_best_im = t.eq(&im, &best_im)?;
    let is_best = t.bitwise_and(&has_best_re, &has_best_im)?;
    // With NaN, 2 is the first of them; without, 1 is the first of the best.
    let (is_best, is_nan) = (t.cast(&is_best, DType::Uint8)?, t.isnan(x)?);
    let two = t.literal(Literal::new(2, DType::Uint8))?;
    let score = t.select(&is_nan, &two, &is_best)?;
    t.argmax(&score, axis as i64, true)
}

/// The largest or smallest elements over some axes.
pub(super) fn extremum<T: Torch>(
    t: &mut T,
    x: &T::Value,
    ty: &ArrayType,
    axes: &[usize],
    keepdims: bool,
    largest: bool,
) -> Result<T::Value> {
    let all = 0..ty.ndim();
    let kept: Dims = all.clone().filter(|axis| !axes.contains(axis)).collect();
    let perm: Dims = kept.iter().chain(axes).copied().collect();
    let mut shape: Dims = kept.iter().map(|&axis| ty.shape[axis]).collect();
    let result: Dims = if keepdims {
        let size = |axis| {
            if axes.contains(&axis) {
                1
            } else {
                ty.shape[axis]
            }
        };
        all.map(size).collect()
    } else {
        shape.clone()
    };
    shape.push(axes.iter().map(|&axis| ty.shape[axis]).product());
    let lines = t.permute(x, &ints(&perm))?;
    let lines = t.reshape(&lines, &ints(&shape))?;
    let position = position(t, &lines, ty.dtype, kept.len(), largest)?;
    let found = t.gather(&lines, kept.len() as i64, &position)?;
    t.reshape(&found, &ints(&result))
}

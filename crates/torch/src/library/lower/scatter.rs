//! Copies of arrays with other values at given positions, taken one after the other as NumPy does.
//!
//! libtorch leaves open which of several values for one position it takes, so that is asked for: of the positions in
//! all elements, followed by all values, the last one wins. Its sums and extrema take values in their order.

use super::super::functions::{Refusal, Torch};
use super::parts::astype;
use super::{ints, order};
use autojit_ir::error::Result;
use autojit_ir::scatter::ScatterMode;
use autojit_ir::{ArrayType, DType, Literal};

/// A copy of `x` whose elements at positions in C order are combined with the values; `count` is their number.
pub(super) fn lower<T: Torch>(
    t: &mut T,
    mode: ScatterMode,
    [x, values, positions]: [&T::Value; 3],
    ty: &ArrayType,
    count: usize,
) -> Result<T::Value> {
    if count == 0 {
        return Ok(t.share(x));
    }
    let (size, dtype) = (ty.size(), ty.dtype);
    let x = t.reshape(x, &ints(&[size]))?;
    let values = t.reshape(values, &ints(&[count]))?;
    let positions = t.reshape(positions, &ints(&[count]))?;
    refuse_outside(t, &positions, size)?;
    let updated = match mode {
        ScatterMode::Set => last(t, &x, &values, &positions, ty)?,
        // Booleans: the sum is the largest, the product the smallest.
        ScatterMode::Add | ScatterMode::Max if dtype == DType::Bool => {
            of_booleans(t, &x, &values, &positions, "amax")?
        }
        ScatterMode::Multiply | ScatterMode::Min if dtype == DType::Bool => {
            of_booleans(t, &x, &values, &positions, "amin")?
        }
        ScatterMode::Add => t.scatter_add(&x, 0, &positions, &values)?,
        ScatterMode::Multiply => t.scatter_reduce(&x, 0, &positions, &values, "prod")?,
        ScatterMode::Min | ScatterMode::Max if dtype.is_complex() => {
            let largest = mode == ScatterMode::Max;
            complex_extremum(t, &x, &values, &positions, ty, largest)?
        }
        ScatterMode::Min => t.scatter_reduce(&x, 0, &positions, &values, "amin")?,
        ScatterMode::Max => t.scatter_reduce(&x, 0, &positions, &values, "amax")?,
    };
    t.reshape(&updated, &ints(&ty.shape))
}

fn refuse_outside<T: Torch>(t: &mut T, positions: &T::Value, size: usize) -> Result<()> {
    let zero = t.literal(Literal::new(0, DType::Int64))?;
    let end = t.literal(Literal::new(size as i64, DType::Int64))?;
    let (below, above) = (t.lt(positions, &zero)?, t.ge(positions, &end)?);
    let outside = t.bitwise_or(&below, &above)?;
    t.refuse_where(&outside, positions, Refusal::Position { size })
}

/// The last value for each position, else the element that is there.
fn last<T: Torch>(
    t: &mut T,
    x: &T::Value,
    values: &T::Value,
    positions: &T::Value,
    ty: &ArrayType,
) -> Result<T::Value> {
    let (size, dtype) = (ty.size(), ty.dtype);
    let all = t.cat(&[x, values], 0)?;
    let ones = t.ones_like(&all)?;
    let ones = astype(t, &ones, dtype, DType::Int64)?;
    let (count, one) = (
        t.cumsum(&ones, 0)?,
        t.literal(Literal::new(1, DType::Int64))?,
    );
    let numbers = t.sub(&count, &one)?;
    let [own, new] = split(t, &numbers, size)?;
    let winner = t.scatter_reduce(&own, 0, positions, &new, "amax")?;
    t.index_select(&all, 0, &winner)
}

/// The first elements of a vector, so many of them, and the others.
fn split<T: Torch>(t: &mut T, x: &T::Value, size: usize) -> Result<[T::Value; 2]> {
    let size = size as i64;
    Ok([
        t.slice(x, 0, 0, size, 1)?,
        t.slice(x, 0, size, i64::MAX, 1)?,
    ])
}

fn of_booleans<T: Torch>(
    t: &mut T,
    x: &T::Value,
    values: &T::Value,
    positions: &T::Value,
    which: &'static str,
) -> Result<T::Value> {
    let (x, values) = (t.cast(x, DType::Uint8)?, t.cast(values, DType::Uint8)?);
    let found = t.scatter_reduce(&x, 0, positions, &values, which)?;
    t.cast(&found, DType::Bool)
}

/// By the ranks of all elements and values: the best one is taken.
fn complex_extremum<T: Torch>(
    t: &mut T,
    x: &T::Value,
    values: &T::Value,
    positions: &T::Value,
    ty: &ArrayType,
    largest: bool,
) -> Result<T::Value> {
    let all = t.cat(&[x, values], 0)?;
    let [ranks, by_rank] = order::ranks(t, &all, ty.dtype, largest)?;
    let [own, new] = split(t, &ranks, ty.size())?;
    let best = t.scatter_reduce(&own, 0, positions, &new, "amin")?;
    let winner = t.index_select(&by_rank, 0, &best)?;
    t.index_select(&all, 0, &winner)
}

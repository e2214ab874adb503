//! `fori_loop`: a body for each of some numbers.

use std::panic::Location;

use autojit_ir::error::{Error, Result};
use autojit_ir::{Class, DType, MapOp, Op, Scalar};

use super::body::beside;
use super::repeat::repeated;
use super::scan::iterated;
use crate::array::{Array, Operand, Repr};
use crate::transform::Flat;
use crate::tree::Tree;

/// Repeats `body` for each number from `lower` up to and without `upper`.
///
/// It takes the number, of dtype int64, and what is carried, and gives what is carried on, of the same types. Bounds are integers or
/// integer arrays without axes. With bounds that are known where the function is traced the loop is a [`scan`](super::scan()), and has a
/// gradient; else it is a [`while_loop`](super::while_loop()), and has none. Where the bounds are known only when the loop runs, an
/// `upper` below `lower` means no iterations.
///
/// ```
/// use autojit::{Array, fori_loop};
///
/// let factorial = fori_loop(1, 6, |i: Array, product: Array| product * i, Array::from(1_i64))?;
/// assert_eq!(factorial.item::<i64>()?, 120);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// A bound is not an integer (`is_dtype`); `upper` is known to be below `lower` (`is_value`); otherwise as
/// [`while_loop`](super::while_loop()).
///
/// Source: `jax.lax.fori_loop`.
#[track_caller]
pub fn fori_loop<'a, C: Tree>(
    lower: impl Into<Operand<'a>>,
    upper: impl Into<Operand<'a>>,
    body: impl Fn(Array, C) -> C,
    init: C,
) -> Result<C> {
    let location = Location::caller();
    let bounds = [lower.into(), upper.into()];
    looped(&bounds, &body, init, location).map_err(|e| e.at(location))
}

/// As [`fori_loop`], for a line of the user's.
pub(crate) fn looped<C: Tree>(
    bounds: &[Operand<'_>; 2],
    body: &impl Fn(Array, C) -> C,
    init: C,
    location: &'static Location<'static>,
) -> Result<C> {
    let name = "fori_loop";
    for bound in bounds {
        let ty = bound.ty()?;
        if ty.ndim() != 0 || ty.dtype.class() != Class::Integer {
            return Err(Error::dtype(format!(
                "the bounds of {name} are integers without axes, got {ty}"
            )));
        }
    }
    let others = Flat::of(&init)?.arrays;
    if let (Some(lower), Some(upper)) = (known(&bounds[0])?, known(&bounds[1])?) {
        let count = upper.checked_sub(lower).map(usize::try_from);
        let Some(Ok(count)) = count else {
            return Err(Error::value(format!(
                "{name} counts up, got the bounds {lower} and {upper}"
            )));
        };
        let step = |(number, carried): (Array, C)| {
            let next = &number + 1;
            ((next, body(number, carried)), Vec::<Array>::new())
        };
        let first = beside(lower.into(), DType::Int64, &others)?;
        let init = (first, init);
        let ((_, carried), _) = iterated(&step, &init, count, name, location)?;
        return Ok(carried);
    }
    let array = |bound: &Operand<'_>| {
        let op = Op::Map(MapOp::Astype {
            dtype: DType::Int64,
        });
        match bound {
            Operand::Array(array) => Array::apply(op, &[array.as_ref().into()]).check(),
            Operand::Scalar(scalar) => beside(*scalar, DType::Int64, &others),
        }
    };
    let (lower, upper) = (array(&bounds[0])?, array(&bounds[1])?);
    let goes_on = |(number, _): (Array, C)| {
        Array::apply(MapOp::Less.into(), &[number.into(), (&upper).into()])
    };
    let step = |(number, carried): (Array, C)| {
        let next = &number + 1;
        (next, body(number, carried))
    };
    let (_, carried) = repeated(&goes_on, &step, &(lower, init), u64::MAX, name, location)?;
    Ok(carried)
}

/// A bound whose value is there.
fn known(bound: &Operand<'_>) -> Result<Option<i64>> {
    let array = match bound {
        Operand::Scalar(Scalar::Int(number)) => return Ok(Some(*number)),
        Operand::Scalar(_) => return Ok(None),
        Operand::Array(array) => array,
    };
    match &array.0 {
        Repr::Concrete(array) => match array.to_host()?.to_scalars().as_slice() {
            [Scalar::Int(number)] => Ok(Some(*number)),
            _ => Ok(None),
        },
        Repr::Lazy(_) | Repr::Traced(_) => Ok(None),
        Repr::Failed(error) => Err(error.clone()),
    }
}

//! The rule of norms.

use super::Signature;
use super::reduce::reduced;
use crate::NormOrder;
use crate::error::{Error, Result};
use crate::types::{ArrayType, Axes, Dims, Type};

pub(crate) fn norm(
    order: &NormOrder,
    axes: &Option<Axes>,
    keepdims: &bool,
    inputs: &[&Type],
) -> Result<Signature> {
    let ty = inputs[0].array()?;
    let dtype = ty.dtype.floating();
    let count = axes.as_ref().map_or(ty.ndim(), smallvec::SmallVec::len);
    // Only without order and axes is it the norm of all elements, however many axes they have.
    if (*order != NormOrder::Default || axes.is_some()) && !(1..=2).contains(&count) {
        return Err(Error::value(format!(
            "a norm of order {order} is over one or two axes, got {count} of {ty}"
        )));
    }
    match (order, count) {
        (NormOrder::Frobenius | NormOrder::Nuclear, 1) => {
            return Err(Error::value(format!(
                "the norm `{order}` is for matrices, got a vector {ty}"
            )));
        }
        (NormOrder::Number(_), 2)
            if !order
                .as_number()
                .is_some_and(|p| [1.0, -1.0, 2.0, -2.0].contains(&p)) =>
        {
            return Err(Error::value(format!(
                "matrices have norms of order 1, -1, 2 and -2, got {order}"
            )));
        }
        _ => {}
    }
    let mut ordered: Dims = match axes {
        Some(axes) => Dims::from_slice(axes),
        None => (0..ty.ndim()).collect(),
    };
    ordered.sort_unstable();
    let shape = reduced(ty, &ordered, *keepdims)?;
    Signature::uniform(
        1,
        dtype,
        ArrayType {
            dtype: dtype.real(),
            shape,
        },
    )
}

//! Functions of singular values and eigenvalues: rank, condition, the pseudo-inverse.

use super::options::{Pinv, Rank, Relative};
use super::{eigvalsh, inv, norm, slogdet, svdvals};
use crate::numpy::options::{NormOptions, Order};
use crate::numpy::special::constant;
use crate::numpy::{
    absolute, any, astype, attempt, axis, count_nonzero, divide, equal, expand_dims, eye, fail,
    greater, isnan, like, logical_and, logical_not, max, multiply, not_equal, replaceable,
    to_array, where_,
};
use crate::{Array, DType, Error, Operand, Result, Value};
use autojit_ir::{ArrayType, Cutoff, LinalgOp, NormOrder, Op};

/// Rows, columns and the floating dtype.
fn matrices(ty: &ArrayType) -> Result<(usize, usize, DType)> {
    match ty.shape[..] {
        [.., m, n] => Ok((m, n, ty.dtype.floating())),
        _ => Err(Error::shape(format!("expected matrices, got {ty}"))),
    }
}

impl Relative {
    fn resolve(self, m: usize, n: usize, dtype: DType) -> f64 {
        match self {
            Self::Number(number) => number,
            Self::Precision => dtype.epsilon() * m.max(n) as f64,
        }
    }
}

impl From<Relative> for Value {
    fn from(relative: Relative) -> Self {
        match relative {
            Relative::Number(number) => number.into(),
            Relative::Precision => Self::None,
        }
    }
}

/// Which of real values along the last axis are above a part of the largest.
#[track_caller]
fn large(values: &Array, part: f64, dtype: DType) -> Array {
    let largest = max(values, axis(-1).keepdims());
    greater(
        values,
        multiply(constant(part, dtype.real(), values), largest),
    )
}

/// The Moore-Penrose pseudo-inverse of `[.., m, n]`: `[.., n, m]`. Singular values up to a part of the largest one,
/// `1e-15` by default, count as zero.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::linalg::pinv(Array::from([[2.0, 0.0], [0.0, 0.0]]), ..).to_string(), "[[0.5 0. ]\n [0.  0. ]]");
/// ```
///
/// # Errors
/// There are fewer than two axes; when it runs, an element is not finite.
///
/// Source: `numpy.linalg.pinv`.
#[track_caller]
pub fn pinv<'a>(x: impl Into<Operand<'a>>, options: impl Into<Pinv>) -> Array {
    let (x, options) = (x.into(), options.into());
    let (m, n, dtype) = attempt!("pinv", x.ty().and_then(|ty| matrices(&ty)));
    let op = LinalgOp::Pinv {
        rcond: Cutoff::new(Some(options.rtol.resolve(m, n, dtype))),
        hermitian: options.hermitian,
    };
    Array::apply(Op::Linalg(op), &[x])
}

/// How many singular values of `[.., m, n]` are above a limit, as `int64`; for vectors and scalars, whether an element
/// is not zero.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::linalg::matrix_rank(Array::from([[1.0, 2.0], [2.0, 4.0]]), ..).to_string(), "1");
/// ```
///
/// # Errors
/// When it runs, an element is not finite; the matrices are not square, if they are to be Hermitian.
///
/// Source: `numpy.linalg.matrix_rank`.
#[track_caller]
pub fn matrix_rank<'a>(x: impl Into<Operand<'a>>, options: impl Into<Rank>) -> Array {
    let (x, options) = (to_array(x.into()), options.into());
    replaceable!(
        "linalg.matrix_rank",
        [&x],
        "tol" = options.tol,
        "rtol" = options.rtol,
        "hermitian" = options.hermitian
    );
    let ty = attempt!("matrix_rank", x.ty());
    let Ok((m, n, dtype)) = matrices(&ty) else {
        return astype(any(not_equal(&x, 0), ..), DType::Int64);
    };
    let values = if options.hermitian {
        absolute(eigvalsh(&x, ..))
    } else {
        svdvals(&x)
    };
    let kept = match options.tol {
        Some(tol) => greater(&values, constant(tol, dtype.real(), &values)),
        // There is no largest one of none.
        None if m == 0 || n == 0 => not_equal(&values, 0),
        None => large(&values, options.rtol.resolve(m, n, dtype), dtype),
    };
    count_nonzero(kept, -1)
}

/// The condition number of `[.., m, n]` in a norm of matrices: by default, and for 2 and -2, the ratio of the largest
/// and the smallest singular value, or the other way; else the product of the norms of the matrix and its inverse,
/// infinite for a singular matrix.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let ratio = np::linalg::cond(Array::from([[4.0, 0.0], [0.0, 2.0]]), ..);
/// assert_eq!(np::round(ratio, 9).to_string(), "2.0");
/// ```
///
/// # Errors
/// The matrix is empty, has fewer than two axes, or is not square where it is inverted.
///
/// Source: `numpy.linalg.cond`.
#[track_caller]
pub fn cond<'a>(x: impl Into<Operand<'a>>, order: impl Into<Order>) -> Array {
    let (x, order) = (to_array(x.into()), order.into());
    replaceable!("linalg.cond", [&x, &order]);
    let ty = attempt!("cond", x.ty());
    let (m, n, dtype) = attempt!("cond", matrices(&ty));
    if m == 0 || n == 0 {
        let wrong = Error::linear_algebra(format!("an empty matrix has no condition, got {ty}"));
        return fail("cond", wrong);
    }
    let order = attempt!("cond", order.resolve());
    let two = match order {
        NormOrder::Default => Some(2.0),
        order => order.as_number().filter(|p| p.abs() == 2.0),
    };
    let condition = if let Some(p) = two {
        let values = svdvals(&x);
        let (largest, smallest) = (max(&values, -1), crate::numpy::min(&values, -1));
        if p > 0.0 {
            divide(largest, smallest)
        } else {
            divide(smallest, largest)
        }
    } else {
        let over = || NormOptions {
            order: match order {
                NormOrder::Frobenius => Order::Name("fro".into()),
                NormOrder::Nuclear => Order::Name("nuc".into()),
                NormOrder::Infinity => Order::Number(f64::INFINITY),
                NormOrder::NegativeInfinity => Order::Number(f64::NEG_INFINITY),
                order => Order::Number(order.as_number().unwrap_or(2.0)),
            },
            reduction: axis([-2, -1]),
        };
        // What cannot be inverted is not: the identity stands in for it.
        let singular = equal(slogdet(&x).0, 0);
        let one = eye(n as i64, like(&x).dtype(dtype));
        let inverse = inv(where_(expand_dims(&singular, [-2, -1]), one, &x));
        let condition = multiply(norm(&x, over()), norm(inverse, over()));
        where_(
            singular,
            constant(f64::INFINITY, dtype.real(), &x),
            condition,
        )
    };
    // A matrix of zeros has 0 / 0.
    let odd = logical_and(
        isnan(&condition),
        logical_not(any(isnan(&x), axis([-2, -1]))),
    );
    where_(odd, constant(f64::INFINITY, dtype.real(), &x), condition)
}

//! Cholesky decomposition: by hand for small matrices, faer's blocked one for large.

use super::field::{Field, guarded};
use super::householder::Scalar;
use crate::kind::Failure;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{cholesky_in_place, cholesky_in_place_scratch};
use faer::{Mat, Par, Spec};

/// Up to this order the loops by hand are faster than faer (measured on Zen 5: at 16 by 1.5 for real matrices and 1.1 for
/// complex ones, at 8 four times, at 2 thirty times).
const BY_HAND: usize = 16;

/// Cholesky decomposition (`numpy.linalg.cholesky`): the lower triangular `l` with positive diagonal and `a = l l^H`.
///
/// Only the lower triangle of `a` is read, and of its diagonal only real parts; the upper triangle of `l` is zero.
///
/// # Errors
/// [`Failure::NotPositiveDefinite`] if a pivot is not positive; also if it is NaN.
///
/// # Panics
/// If `a` does not have `n * n` elements.
pub fn cholesky<T: Field>(a: &[T], n: usize) -> Result<Vec<T>, Failure> {
    let mut l = vec![T::NULL; n * n];
    cholesky_into(a, n, &mut l)?;
    Ok(l)
}

/// [`cholesky`] into a given slice.
pub(super) fn cholesky_into<T: Field>(a: &[T], n: usize, l: &mut [T]) -> Result<(), Failure> {
    assert_eq!((a.len(), l.len()), (n * n, n * n));
    let positive = match n {
        0 => true,
        1 => by_hand(a, l, 1),
        2 => by_hand(a, l, 2),
        3 => by_hand(a, l, 3),
        4 => by_hand(a, l, 4),
        5 => by_hand(a, l, 5),
        6 => by_hand(a, l, 6),
        7 => by_hand(a, l, 7),
        8 => by_hand(a, l, 8),
        9..=BY_HAND => by_hand(a, l, n),
        _ => {
            let mut positive = false;
            guarded(|| {
                positive = large(a, n, l);
                Ok(())
            })?;
            positive
        }
    };
    if positive {
        Ok(())
    } else {
        Err(Failure::NotPositiveDefinite)
    }
}

/// Row by row; every element is a product of two contiguous rows. Returns whether all pivots are positive.
#[inline(always)]
pub(super) fn by_hand<T: Scalar>(a: &[T], l: &mut [T], n: usize) -> bool {
    for i in 0..n {
        let (done, rest) = l.split_at_mut(i * n);
        let row = &mut rest[..n];
        let mut diagonal = a[i * n + i].parts().0;
        for j in 0..i {
            let other = &done[j * n..(j + 1) * n];
            let mut sum = a[i * n + j];
            for k in 0..j {
                sum = sum - row[k] * other[k].conj();
            }
            let ((re, im), pivot) = (sum.parts(), other[j].parts().0);
            let x = T::from_parts(re / pivot, im / pivot);
            let (re, im) = x.parts();
            diagonal -= re * re + im * im;
            row[j] = x;
        }
        // Rounded first, because a positive double may round to zero.
        row[i] = T::from_parts(diagonal.sqrt(), 0.0);
        let positive = row[i].parts().0 > 0.0;
        if !positive {
            return false;
        }
        row[i + 1..].fill(T::NULL);
    }
    true
}

/// faer's decomposition. Returns whether all pivots are positive.
pub(super) fn large<T: Field>(a: &[T], n: usize, l: &mut [T]) -> bool {
    let mut factor: Mat<T> = Mat::from_fn(n, n, |i, j| match j.cmp(&i) {
        std::cmp::Ordering::Less => a[i * n + j],
        std::cmp::Ordering::Equal => T::from_parts(a[i * n + i].parts().0, 0.0),
        std::cmp::Ordering::Greater => T::NULL,
    });
    let scratch = cholesky_in_place_scratch::<T>(n, Par::Seq, Spec::default());
    let result = cholesky_in_place(
        factor.as_mut(),
        Default::default(),
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch)),
        Spec::default(),
    );
    for (i, row) in l.chunks_exact_mut(n).enumerate() {
        for (j, l) in row.iter_mut().enumerate() {
            *l = match j.cmp(&i) {
                std::cmp::Ordering::Less => factor[(i, j)],
                // faer leaves rounding errors in its imaginary part.
                std::cmp::Ordering::Equal => T::from_parts(factor[(i, i)].parts().0, 0.0),
                std::cmp::Ordering::Greater => T::NULL,
            };
        }
    }
    // Not left to faer alone, whose comparisons may let NaN pass.
    result.is_ok() && (0..n).all(|i| l[i * (n + 1)].parts().0 > 0.0)
}

//! LU decomposition with partial pivoting by hand: LAPACK's `getf2` and `getrs` on rows.
//!
//! One kernel for every order, compiled once more for each order up to [`FIXED`], where loops unroll and matrices live on
//! the stack. As in LAPACK a pivot is the first entry of largest `|re| + |im|`, a zero pivot is passed over, and NaN is
//! carried along.

use super::householder::Scalar;

/// Orders up to this have kernels of their own.
pub(super) const FIXED: usize = 8;

/// The factors of a row-major square matrix, in its place: `L` below the diagonal, its own diagonal of ones left out, and `U`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Factors<'a, T> {
    pub(super) lu: &'a [T],
    pub(super) order: usize,
    /// Row `k` changed places with row `pivots[k]`, in ascending order of `k`.
    pub(super) pivots: &'a [usize],
    /// Whether an odd number of rows changed places.
    pub(super) odd: bool,
    /// Whether a pivot is exactly zero.
    pub(super) singular: bool,
}

/// Absolute value for comparisons; exact for `f32`.
#[inline(always)]
fn modulus<T: Scalar>(x: T) -> f64 {
    let (re, im) = x.parts();
    re.abs() + im.abs()
}

/// Factorises the `m` by `n` matrix `a` in place; gives `odd` and `singular` of [`Factors`]. `n` is not zero.
#[inline(always)]
pub(super) fn factorise<T: Scalar>(
    a: &mut [T],
    m: usize,
    n: usize,
    pivots: &mut [usize],
) -> (bool, bool) {
    let (mut odd, mut singular) = (false, false);
    for step in 0..m.min(n) {
        let (top, rest) = a.split_at_mut((step + 1) * n);
        let top = &mut top[step * n..];
        let (mut best, mut largest) = (step, modulus(top[step]));
        for (below, row) in rest.chunks_exact(n).enumerate() {
            let candidate = modulus(row[step]);
            if candidate > largest {
                (best, largest) = (step + 1 + below, candidate);
            }
        }
        pivots[step] = best;
        if best != step {
            odd = !odd;
            let start = (best - step - 1) * n;
            top.swap_with_slice(&mut rest[start..start + n]);
        }
        let pivot = top[step];
        if pivot == T::NULL {
            singular = true;
            continue;
        }
        // The reciprocal of a subnormal number may overflow.
        let safe = largest.max(modulus(pivot)) >= T::TINY;
        let reciprocal = T::UNIT.over(pivot);
        for row in rest.chunks_exact_mut(n) {
            let factor = if safe {
                row[step] * reciprocal
            } else {
                row[step].over(pivot)
            };
            row[step] = factor;
            for (x, &p) in row[step + 1..].iter_mut().zip(&top[step + 1..]) {
                *x = *x - factor * p;
            }
        }
    }
    (odd, singular)
}

/// `target -= factor source` for rows of a right-hand side.
#[inline(always)]
fn subtract_row<T: Scalar>(rows: &mut [T], width: usize, target: usize, factor: T, source: usize) {
    let (head, tail) = rows.split_at_mut(target.max(source) * width);
    let (target, source) = if target < source {
        (
            &mut head[target * width..(target + 1) * width],
            &tail[..width],
        )
    } else {
        (
            &mut tail[..width],
            &head[source * width..(source + 1) * width],
        )
    };
    for (x, &y) in target.iter_mut().zip(source) {
        *x = *x - factor * y;
    }
}

impl<T: Scalar> Factors<'_, T> {
    /// Solves for the `width` right-hand sides that are the columns of the row-major `x`, in place.
    #[inline(always)]
    pub(super) fn solve(&self, x: &mut [T], width: usize) {
        if width == 1 {
            self.solve_rows(x, 1);
        } else {
            self.solve_rows(x, width);
        }
    }

    #[inline(always)]
    fn solve_rows(&self, x: &mut [T], width: usize) {
        let n = self.order;
        let x = &mut x[..n * width];
        for (step, &pivot) in self.pivots[..n].iter().enumerate() {
            if pivot != step {
                let (head, tail) = x.split_at_mut(pivot * width);
                head[step * width..(step + 1) * width].swap_with_slice(&mut tail[..width]);
            }
        }
        // By columns, so that the updates of one column do not wait for each other.
        for column in 0..n {
            for row in column + 1..n {
                subtract_row(x, width, row, self.lu[row * n + column], column);
            }
        }
        for column in (0..n).rev() {
            let pivot = self.lu[column * n + column];
            for x in &mut x[column * width..(column + 1) * width] {
                *x = x.over(pivot);
            }
            for row in 0..column {
                subtract_row(x, width, row, self.lu[row * n + column], column);
            }
        }
    }

    /// The diagonal of `U`.
    pub(super) fn diagonal(&self) -> impl Iterator<Item = T> + '_ {
        self.lu.iter().step_by(self.order + 1).copied()
    }
}

/// Factorises a copy of the square matrix `a` and hands it to `consume`, which is compiled for each small order.
#[inline]
pub(super) fn factorised<T: Scalar, R>(
    a: &[T],
    order: usize,
    consume: impl FnOnce(Factors<'_, T>) -> R,
) -> R {
    match order {
        1 => fixed::<T, R, 1>(a, consume),
        2 => fixed::<T, R, 2>(a, consume),
        3 => fixed::<T, R, 3>(a, consume),
        4 => fixed::<T, R, 4>(a, consume),
        5 => fixed::<T, R, 5>(a, consume),
        6 => fixed::<T, R, 6>(a, consume),
        7 => fixed::<T, R, 7>(a, consume),
        FIXED => fixed::<T, R, FIXED>(a, consume),
        _ => {
            let (mut lu, mut pivots) = (a.to_vec(), vec![0; order]);
            let (odd, singular) = if order == 0 {
                (false, false)
            } else {
                factorise(&mut lu, order, order, &mut pivots)
            };
            consume(Factors {
                lu: &lu,
                order,
                pivots: &pivots,
                odd,
                singular,
            })
        }
    }
}

/// [`factorised`] for one order.
fn fixed<T: Scalar, R, const N: usize>(a: &[T], consume: impl FnOnce(Factors<'_, T>) -> R) -> R {
    let mut rows = [[T::NULL; N]; N];
    let mut pivots = [0; N];
    let lu = rows.as_flattened_mut();
    lu.copy_from_slice(&a[..N * N]);
    let (odd, singular) = factorise(lu, N, N, &mut pivots);
    consume(Factors {
        lu,
        order: N,
        pivots: &pivots,
        odd,
        singular,
    })
}

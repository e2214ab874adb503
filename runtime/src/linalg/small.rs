//! Small self-adjoint matrices, several at a time: one in each lane of the vector registers.
//!
//! Reflections make a matrix tridiagonal, and the implicit QL iteration makes that diagonal: LAPACK's way, of which NumPy's
//! errors are, a few units of rounding of the norm. Invariants:
//!
//! - all lanes do the same; where matrices part, masks decide, so a result depends on its matrix alone: not on the others of the
//!   batch, its place among them, or the instructions of the processor;
//! - all is computed in double precision on matrices scaled to a largest part between 1 and 2 by a power of two; what is
//!   below [`NEGLIGIBLE`] there is far below the rounding errors and taken as zero, as its square would lose digits;
//! - nothing is allocated.

// Rows and columns are numbers here: most loops index several matrices and vectors by them.
#![allow(clippy::needless_range_loop)]

mod number;
mod ql;

use super::field::Field;
use super::householder::Scalar;
use crate::kind::{Failure, Kind};
use crate::math::wide::{Lanes, OverLanes, over_lanes};
use crate::processor::{self, Level};
use number::{Complex, Number, Real};

/// Self-adjoint matrices up to this order are decomposed several at a time, without any memory beyond the results.
pub(super) const ORDER: usize = 16;
const ELEMENTS: usize = ORDER * ORDER;
/// Squares below this are taken as zero.
const NEGLIGIBLE: f64 = 1e-280;

/// Eigenvalues, ascending, and where wanted eigenvectors of matrices one after the other, of which the lower triangles are
/// read. `n` is in `1..=ORDER`.
pub(super) fn eigh<T: Field>(
    a: &[T],
    n: usize,
    values: &mut [T::Magnitude],
    vectors: Option<&mut [T]>,
) -> Result<(), Failure> {
    // SAFETY: the processor has the instructions of its level.
    unsafe { eigh_by(processor::level(), a, n, values, vectors) }
}

/// [`eigh`] by the instructions of a level.
///
/// # Safety
/// The processor must have them.
pub(super) unsafe fn eigh_by<T: Field>(
    level: Level,
    a: &[T],
    n: usize,
    values: &mut [T::Magnitude],
    vectors: Option<&mut [T]>,
) -> Result<(), Failure> {
    assert!((1..=ORDER).contains(&n) && a.len() == values.len() * n);
    let one = values.len() == n;
    let work = Eigh {
        a,
        n,
        values,
        vectors,
    };
    // SAFETY: the caller's promise.
    unsafe { over_lanes(level, one, work) }
}

struct Eigh<'a, T: Field> {
    a: &'a [T],
    n: usize,
    values: &'a mut [T::Magnitude],
    vectors: Option<&'a mut [T]>,
}

impl<T: Field> OverLanes for Eigh<'_, T> {
    type Output = Result<(), Failure>;
    #[inline(always)]
    fn run<V: Lanes>(self, lane: V) -> Result<(), Failure> {
        match (T::KIND, self.vectors.is_some()) {
            (Kind::Complex64 | Kind::Complex128, false) => self.batch::<V, Complex<V>, false>(lane),
            (Kind::Complex64 | Kind::Complex128, true) => self.batch::<V, Complex<V>, true>(lane),
            (_, false) => self.batch::<V, Real<V>, false>(lane),
            (_, true) => self.batch::<V, Real<V>, true>(lane),
        }
    }
}

impl<T: Field> Eigh<'_, T> {
    #[inline(always)]
    fn batch<V: Lanes, N: Number<V>, const VECTORS: bool>(self, lane: V) -> Result<(), Failure> {
        let (n, size) = (self.n, self.n * self.n);
        let mut room = Room::<V, N>::new(lane);
        let mut vectors = self.vectors.unwrap_or_default();
        let groups = self.a.chunks(size * V::LANES);
        for (a, values) in groups.zip(self.values.chunks_mut(n * V::LANES)) {
            let back = room.load(a, n, lane)?;
            room.reduce(n, lane);
            if VECTORS {
                room.accumulate(n, lane);
                if !ql::with_vectors(&mut room.d, &mut room.e, &mut room.z, n) {
                    return Err(Failure::NoConvergence);
                }
                let here;
                (here, vectors) = std::mem::take(&mut vectors).split_at_mut(a.len());
                room.store_with_vectors(n, back, values, here);
            } else {
                if !ql::values(&mut room.d, &mut room.e, n) {
                    return Err(Failure::NoConvergence);
                }
                room.store(n, back, values);
            }
        }
        Ok(())
    }
}

/// The power of two that undoes the scaling, in two factors, of which one alone may not be a number of the type.
type Back<V> = (V, V);

/// Where a group of matrices is worked on.
struct Room<V, N> {
    /// The lower triangles, then the reflectors below the subdiagonal.
    a: [N; ELEMENTS],
    /// The orthogonal matrices, column by column.
    z: [N; ELEMENTS],
    tau: [N; ORDER],
    /// The diagonals and the elements below them.
    d: [V; ORDER],
    e: [V; ORDER],
}

impl<V: Lanes, N: Number<V>> Room<V, N> {
    #[inline(always)]
    fn new(lane: V) -> Self {
        let zero = N::zero(lane);
        Room {
            a: [zero; ELEMENTS],
            z: [zero; ELEMENTS],
            tau: [zero; ORDER],
            d: [lane.of(0.0); ORDER],
            e: [lane.of(0.0); ORDER],
        }
    }

    /// The lower triangles of one to `LANES` matrices, scaled. Lanes that are left over have the last matrix again.
    #[inline(always)]
    fn load<T: Field>(&mut self, a: &[T], n: usize, lane: V) -> Result<Back<V>, Failure> {
        let (zero, size) = (lane.of(0.0), n * n);
        let last = a.len() / size - 1;
        // Stays zero unless something is infinite or NaN.
        let (mut largest, mut wrong) = (zero, zero);
        for i in 0..n {
            for j in 0..=i {
                let (mut re, mut im) = ([0.0; 8], [0.0; 8]);
                for k in 0..V::LANES {
                    (re[k], im[k]) = a[k.min(last) * size + i * n + j].parts();
                }
                let re = lane.of_array(&re);
                wrong = re.mul_add(zero, wrong);
                largest = re.abs().at_least(largest);
                let mut imaginary = zero;
                if N::COMPLEX && i != j {
                    imaginary = lane.of_array(&im);
                    wrong = imaginary.mul_add(zero, wrong);
                    largest = imaginary.abs().at_least(largest);
                }
                self.a[i * n + j] = N::of_parts(re, imaginary);
            }
        }
        if lane.any(!wrong.eq(zero)) {
            return Err(Failure::NoConvergence);
        }
        // Subnormal numbers have no exponent of their own.
        let (one, low) = (lane.of(1.0), largest.lt(lane.of(1e-200)));
        let first = lane.of(2.0_f64.powi(200)).where_or(low, one);
        let power = (largest * first).and_bits(0x7ff << 52);
        let power = one.where_or(power.eq(zero), power);
        let down = one / power;
        for i in 0..n {
            for x in &mut self.a[i * n..=i * n + i] {
                *x = x.times(first).times(down);
            }
        }
        Ok((power, one / first))
    }

    /// Reflections from both sides that make the matrices tridiagonal with real elements beside the diagonal (`sytd2` and
    /// `hetd2` of LAPACK).
    #[inline(always)]
    fn reduce(&mut self, n: usize, lane: V) {
        let (zero, one) = (lane.of(0.0), lane.of(1.0));
        for k in 0..n - 1 {
            let alpha = self.a[(k + 1) * n + k];
            if !N::COMPLEX && k + 2 == n {
                self.e[k] = alpha.re();
                self.tau[k] = N::zero(lane);
                break;
            }
            let (re, im) = (alpha.re(), alpha.im());
            let mut rest = im * im;
            for i in k + 2..n {
                rest = self.a[i * n + k].square_plus(rest);
            }
            let done = rest.lt(lane.of(NEGLIGIBLE));
            let norm = re.mul_add(re, rest).sqrt();
            let beta = -norm.copysign(re);
            // Neither cancels: the signs of `re` and `beta` differ.
            let difference = re - beta;
            let square = one / difference.mul_add(difference, im * im);
            let inverse = N::of_parts(difference * square, -im * square);
            let over = one / beta;
            let tau = N::of_parts(-difference * over, -im * over);
            let tau = N::zero(lane).where_or(done, tau);
            self.e[k] = re.where_or(done, beta);
            self.tau[k] = tau;
            let mut v = [N::zero(lane); ORDER];
            let mut w = [N::zero(lane); ORDER];
            v[k + 1] = N::of_parts(one, zero);
            for i in k + 2..n {
                let x = self.a[i * n + k].multiply(inverse);
                v[i] = N::zero(lane).where_or(done, x);
                self.a[i * n + k] = v[i];
            }
            for i in k + 1..n {
                let mut sum = v[i].times(self.a[i * n + i].re());
                for j in k + 1..i {
                    let x = self.a[i * n + j];
                    sum = sum.plus_product(x, v[j]);
                    w[j] = w[j].plus_product(x.conj(), v[i]);
                }
                w[i] = w[i].plus(sum);
            }
            let mut dot = N::zero(lane);
            for i in k + 1..n {
                w[i] = w[i].multiply(tau);
                dot = dot.plus_product(w[i].conj(), v[i]);
            }
            let half = tau.multiply(dot).times(lane.of(-0.5));
            for i in k + 1..n {
                w[i] = w[i].plus_product(half, v[i]);
            }
            for i in k + 1..n {
                for j in k + 1..=i {
                    let x = self.a[i * n + j].minus_product(v[i], w[j].conj());
                    self.a[i * n + j] = x.minus_product(w[i], v[j].conj());
                }
            }
        }
        for i in 0..n {
            self.d[i] = self.a[i * n + i].re();
        }
    }

    /// The product of the reflections, from the last to the first.
    #[inline(always)]
    fn accumulate(&mut self, n: usize, lane: V) {
        let one = N::of_parts(lane.of(1.0), lane.of(0.0));
        for column in 0..n {
            for row in 0..n {
                self.z[column * n + row] = if row == column { one } else { N::zero(lane) };
            }
        }
        for k in (0..n - 1).rev() {
            if !N::COMPLEX && k + 2 == n {
                continue;
            }
            let tau = self.tau[k];
            for column in k + 1..n {
                let z = &mut self.z[column * n..column * n + n];
                let mut dot = z[k + 1];
                for i in k + 2..n {
                    dot = dot.plus_product(self.a[i * n + k].conj(), z[i]);
                }
                let factor = tau.multiply(dot);
                z[k + 1] = z[k + 1].plus(factor.times(lane.of(-1.0)));
                for i in k + 2..n {
                    z[i] = z[i].minus_product(factor, self.a[i * n + k]);
                }
            }
        }
    }

    /// Eigenvalues in ascending order.
    #[inline(always)]
    fn store<T: Field>(&mut self, n: usize, back: Back<V>, values: &mut [T]) {
        for i in 1..n {
            for j in (1..=i).rev() {
                let (x, y) = (self.d[j - 1], self.d[j]);
                let swap = y.lt(x);
                self.d[j - 1] = y.where_or(swap, x);
                self.d[j] = x.where_or(swap, y);
            }
        }
        for i in 0..n {
            let lanes = (self.d[i] * back.0 * back.1).to_array();
            for (value, x) in values.iter_mut().skip(i).step_by(n).zip(lanes) {
                *value = T::from_parts(x, 0.0);
            }
        }
    }

    /// Eigenvalues in ascending order, and their vectors.
    #[inline(always)]
    fn store_with_vectors<T: Field>(
        &mut self,
        n: usize,
        back: Back<V>,
        values: &mut [T::Magnitude],
        vectors: &mut [T],
    ) {
        let zero = self.d[0].of(0.0);
        // The position of the value in each column: how many there are before it.
        let mut lanes = [[0.0; 8]; ORDER];
        let mut positions = [[0_usize; 8]; ORDER];
        for i in 0..n {
            lanes[i] = self.d[i].to_array();
        }
        for i in 0..n {
            for j in 0..i {
                for k in 0..8 {
                    let after = usize::from(lanes[i][k] < lanes[j][k]);
                    positions[j][k] += after;
                    positions[i][k] += 1 - after;
                }
            }
        }
        for i in 0..n {
            let lanes = (self.d[i] * back.0 * back.1).to_array();
            for (k, values) in values.chunks_exact_mut(n).enumerate() {
                values[positions[i][k]] = T::Magnitude::from_parts(lanes[k], 0.0);
            }
            for row in 0..n {
                // Lanes that wait for others are rotated by nothing, which changes signs of zeros: they are made positive.
                let x = self.z[i * n + row];
                let (re, im) = (x.re() + zero, x.im() + zero);
                let (re, im) = (re.to_array(), im.to_array());
                for (k, vectors) in vectors.chunks_exact_mut(n * n).enumerate() {
                    vectors[row * n + positions[i][k]] = T::from_parts(re[k], im[k]);
                }
            }
        }
    }
}

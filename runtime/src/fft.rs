//! Fourier transforms along one axis of contiguous arrays, by the crates rustfft and realfft.
//!
//! A [`Fft`] says what to transform; [`Fft::run`] does it on buffers seen as `[outer, length, inner]`, with truncation or
//! zero padding to the transform's length. Plans are made once per length and kept for the whole process, shared by all
//! threads; their number and size are bounded. Any length works: primes go by Bluestein's or Rader's algorithm.
//!
//! Infinities and NaN spread over the transforms that they are in. Shapes are not checked: that is the caller's business.

#[cfg(test)]
mod tests;

use crate::kind::{Failure, Kind};
use num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::{FftNum, FftPlanner};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

/// How many plans are held; when one more is needed, the one goes that was not used for longest.
const MOST_PLANS: usize = 512;
/// How many elements the plans that are held transform together. A plan takes up to about 50 bytes for each.
const MOST_ELEMENTS: usize = 1 << 21;
/// How many transforms are gathered at a time where the axis is not the last one, so that reading and writing moves along
/// cache lines.
const GATHERED: usize = 8;

/// Which transform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transform {
    /// `sum of x[t] exp(-2 pi i t f / n)`, complex to complex (`numpy.fft.fft`).
    Forward,
    /// `sum of x[f] exp(2 pi i t f / n)`, complex to complex (`numpy.fft.ifft`).
    Inverse,
    /// The forward transform of real input, `n / 2 + 1` of its elements (`numpy.fft.rfft`).
    Real,
    /// The inverse transform with real result, from `n / 2 + 1` elements (`numpy.fft.irfft`); imaginary parts of the first
    /// one and, for even `n`, of the last one are ignored.
    RealInverse,
}

/// A transform along the middle axis of an array seen as `[outer, length, inner]`.
///
/// ```
/// use autojit_runtime::{abi::Kind, fft::{Fft, Transform}};
/// let fft = Fft {
///     kind: Kind::Complex128,
///     transform: Transform::Real,
///     n: 4,
///     len_in: 3, // one zero is appended
///     outer: 1,
///     inner: 1,
///     factor: 1.0,
/// };
/// let (x, mut y) = ([1.0, 2.0, 3.0], [[0.0; 2]; 3]);
/// // SAFETY: three real numbers are read, three complex ones written.
/// unsafe { fft.run(x.as_ptr().cast(), y.as_mut_ptr().cast()) }?;
/// assert_eq!(y, [[6.0, 0.0], [-2.0, -2.0], [2.0, 0.0]]);
/// # Ok::<(), autojit_runtime::abi::Failure>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Fft {
    /// [`Kind::Complex64`] or [`Kind::Complex128`]; real sides are of the same precision.
    pub kind: Kind,
    /// Which transform.
    pub transform: Transform,
    /// NumPy's `n`: length of the transform; for [`Transform::RealInverse`] that of its result.
    pub n: usize,
    /// Length of the input's axis, of which the transform takes the first elements and appends zeros.
    pub len_in: usize,
    /// Product of the lengths of the axes before.
    pub outer: usize,
    /// Product of the lengths of the axes after.
    pub inner: usize,
    /// Every result is multiplied by this: NumPy's norm "backward" is `1` forward and `1 / n` inverse.
    pub factor: f64,
}

/// A plan that threads share.
#[derive(Clone)]
enum Plan<T: FftNum> {
    Complex(Arc<dyn rustfft::Fft<T>>),
    Real(Arc<dyn RealToComplex<T>>),
    RealInverse(Arc<dyn ComplexToReal<T>>),
}

/// A plan, and when it was last used.
type Dated<T> = (Plan<T>, AtomicU64);

/// Plans by transform and length.
struct Plans<T: FftNum> {
    held: RwLock<HashMap<(Transform, usize), Dated<T>>>,
    clock: AtomicU64,
}

impl<T: FftNum> Default for Plans<T> {
    fn default() -> Self {
        Self {
            held: RwLock::default(),
            clock: AtomicU64::new(0),
        }
    }
}

/// Counts of the cache of plans in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlanStatistics {
    /// Plans that are held.
    pub held: usize,
    /// Plans that were made.
    pub made: u64,
    /// Plans that were dropped to make room.
    pub dropped: u64,
}

static MADE: AtomicU64 = AtomicU64::new(0);
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// How many plans were dropped to make room.
#[must_use]
pub fn plans_dropped() -> u64 {
    DROPPED.load(Relaxed)
}

/// Counts of the cache of plans in this process.
#[must_use]
pub fn plan_statistics() -> PlanStatistics {
    fn held<T: FftNum>(plans: &Plans<T>) -> usize {
        let held = plans.held.read();
        held.unwrap_or_else(PoisonError::into_inner).len()
    }
    PlanStatistics {
        held: held(f32::plans()) + held(f64::plans()),
        made: MADE.load(Relaxed),
        dropped: DROPPED.load(Relaxed),
    }
}

/// `f32` or `f64`.
trait Precision: FftNum + Copy + Zero
where
    Complex<Self>: Zero,
{
    /// The plans of this precision.
    fn plans() -> &'static Plans<Self>;
    /// Rounds.
    fn round(value: f64) -> Self;
}

macro_rules! precision {
    ($($type:ty)*) => {$(
        impl Precision for $type {
            fn plans() -> &'static Plans<Self> {
                static PLANS: LazyLock<Plans<$type>> = LazyLock::new(Plans::default);
                &PLANS
            }

            fn round(value: f64) -> Self {
                value as $type
            }
        }
    )*};
}

precision! { f32 f64 }

/// The element of padding.
trait Zero {
    const ZERO: Self;
}

macro_rules! zero {
    ($($type:ty)*) => {$(
        impl Zero for $type {
            const ZERO: Self = 0.0;
        }

        impl Zero for Complex<$type> {
            const ZERO: Self = Complex::new(0.0, 0.0);
        }
    )*};
}

zero! { f32 f64 }

/// `len` elements.
///
/// # Safety
/// They must be readable and aligned, and stay unchanged for `'a`.
unsafe fn source<'a, T: Zero>(first: *const u8, len: usize) -> &'a [T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(first.cast(), len) }
}

/// `len` elements that are about to be overwritten.
///
/// # Safety
/// They must be writable, aligned and not otherwise in use for `'a`.
unsafe fn target<'a, T: Zero>(first: *mut u8, len: usize) -> &'a mut [T] {
    if len == 0 {
        return &mut [];
    }
    let first: *mut T = first.cast();
    // SAFETY: the caller's promise; zeroing first, because a slice must not hold uninitialised memory, and zero bytes are
    // the number zero.
    unsafe {
        first.write_bytes(0, len);
        std::slice::from_raw_parts_mut(first, len)
    }
}

/// The plan for a transform of length `n`, made at the first call.
fn plan<T: Precision>(transform: Transform, n: usize) -> Plan<T>
where
    Complex<T>: Zero,
{
    let key = (transform, n);
    // A panic while the lock was held cannot have left half a plan behind.
    let plans = T::plans();
    let now = || plans.clock.fetch_add(1, Relaxed);
    {
        let held = plans.held.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((plan, used)) = held.get(&key) {
            used.store(now(), Relaxed);
            return plan.clone();
        }
    }
    // Outside of the lock: others may run meanwhile; at worst two threads plan the same.
    let plan = match transform {
        Transform::Forward => Plan::Complex(FftPlanner::new().plan_fft_forward(n)),
        Transform::Inverse => Plan::Complex(FftPlanner::new().plan_fft_inverse(n)),
        Transform::Real => Plan::Real(RealFftPlanner::new().plan_fft_forward(n)),
        Transform::RealInverse => Plan::RealInverse(RealFftPlanner::new().plan_fft_inverse(n)),
    };
    MADE.fetch_add(1, Relaxed);
    let mut held = plans.held.write().unwrap_or_else(PoisonError::into_inner);
    held.insert(key, (plan.clone(), AtomicU64::new(now())));
    let mut elements = held.keys().map(|(_, n)| *n).fold(0, usize::saturating_add);
    // The new one stays, however long it is.
    while held.len() > 1 && (held.len() > MOST_PLANS || elements > MOST_ELEMENTS) {
        let others = held.iter().filter(|(other, _)| **other != key);
        let oldest = others.min_by_key(|(_, (_, used))| used.load(Relaxed));
        let Some((&oldest, _)) = oldest else { break };
        held.remove(&oldest);
        elements = elements.saturating_sub(oldest.1);
        DROPPED.fetch_add(1, Relaxed);
    }
    drop(held);
    plan
}

impl Fft {
    /// Length of the result's axis.
    #[must_use]
    pub fn len_out(&self) -> usize {
        match self.transform {
            Transform::Real => self.n / 2 + 1,
            _ => self.n,
        }
    }

    /// Transforms. With `n` = 0, which NumPy refuses, nothing is written.
    ///
    /// # Errors
    /// [`Failure::UnsupportedKind`] unless `kind` is complex.
    ///
    /// # Safety
    /// `input` must be readable for `outer * len_in * inner` and `output` writable for `outer * len_out * inner` aligned
    /// elements: complex ones of `kind`, but real ones where the transform says so. They must not overlap.
    pub unsafe fn run(&self, input: *const u8, output: *mut u8) -> Result<(), Failure> {
        // SAFETY: passed on from the caller.
        unsafe {
            match self.kind {
                Kind::Complex64 => self.run_precision::<f32>(input, output),
                Kind::Complex128 => self.run_precision::<f64>(input, output),
                _ => Err(Failure::UnsupportedKind(self.kind)),
            }
        }
    }

    /// # Safety
    /// As for [`run`](Self::run), with `T` the real type of the kind.
    unsafe fn run_precision<T: Precision>(
        &self,
        input: *const u8,
        output: *mut u8,
    ) -> Result<(), Failure>
    where
        Complex<T>: Zero,
    {
        let (rows, read) = (self.outer * self.inner, self.len_in);
        if rows == 0 || self.n == 0 {
            return Ok(());
        }
        let (n, written) = (self.n, self.len_out());
        let zero = <T as Zero>::ZERO;
        let complex_zero = Complex::new(zero, zero);
        let factor = T::round(self.factor);
        let scale = |x: Complex<T>| Complex::new(x.re * factor, x.im * factor);
        // The crates refuse slices of wrong length, which these are not.
        let refused = Failure::NoConvergence;
        // SAFETY: the buffers are as the caller promises, with the element types of the transform.
        unsafe {
            match plan::<T>(self.transform, n) {
                Plan::Complex(plan) => {
                    let mut scratch = vec![complex_zero; plan.get_outofplace_scratch_len()];
                    self.rows(
                        source(input, rows * read),
                        target(output, rows * written),
                        n,
                        |from, to| {
                            plan.process_outofplace_with_scratch(from, to, &mut scratch);
                            Ok(())
                        },
                        scale,
                    )
                }
                Plan::Real(plan) => {
                    let mut scratch = vec![complex_zero; plan.get_scratch_len()];
                    self.rows(
                        source(input, rows * read),
                        target(output, rows * written),
                        n,
                        |from, to| {
                            from.chunks_exact_mut(n)
                                .zip(to.chunks_exact_mut(written))
                                .try_for_each(|(from, to)| {
                                    plan.process_with_scratch(from, to, &mut scratch)
                                })
                                .map_err(|_| refused)
                        },
                        scale,
                    )
                }
                Plan::RealInverse(plan) => {
                    let mut scratch = vec![complex_zero; plan.get_scratch_len()];
                    self.rows(
                        source(input, rows * read),
                        target(output, rows * written),
                        n / 2 + 1,
                        |from: &mut [Complex<T>], to: &mut [T]| {
                            from.chunks_exact_mut(n / 2 + 1)
                                .zip(to.chunks_exact_mut(n))
                                .try_for_each(|(from, to)| {
                                    from[0].im = zero;
                                    if n.is_multiple_of(2) {
                                        from[n / 2].im = zero;
                                    }
                                    plan.process_with_scratch(from, to, &mut scratch)
                                })
                                .map_err(|_| refused)
                        },
                        |x| x * factor,
                    )
                }
            }
        }
    }

    /// Hands rows of length `taken` to `transform`, a few at a time, and stores what it makes of them.
    fn rows<I: Copy + Zero, O: Copy + Zero>(
        &self,
        input: &[I],
        output: &mut [O],
        taken: usize,
        mut transform: impl FnMut(&mut [I], &mut [O]) -> Result<(), Failure>,
        scale: impl Fn(O) -> O,
    ) -> Result<(), Failure> {
        let (read, written, inner) = (self.len_in, self.len_out(), self.inner);
        let (copied, rows) = (taken.min(read), self.outer * inner);
        let width = GATHERED.min(rows);
        let mut from = vec![I::ZERO; width * taken];
        let mut to = vec![O::ZERO; if inner == 1 { 0 } else { width * written }];
        for first in (0..rows).step_by(width) {
            let count = width.min(rows - first);
            let from = &mut from[..count * taken];
            // Also because the crates use the input as scratch space.
            from.fill(I::ZERO);
            if inner == 1 {
                for (row, from) in from.chunks_exact_mut(taken).enumerate() {
                    let start = (first + row) * read;
                    from[..copied].copy_from_slice(&input[start..start + copied]);
                }
                let output = &mut output[first * written..(first + count) * written];
                transform(from, output)?;
                if self.factor != 1.0 {
                    output.iter_mut().for_each(|x| *x = scale(*x));
                }
                continue;
            }
            let (mut starts_in, mut starts_out) = ([0; GATHERED], [0; GATHERED]);
            for row in 0..count {
                let (before, after) = ((first + row) / inner, (first + row) % inner);
                starts_in[row] = before * read * inner + after;
                starts_out[row] = before * written * inner + after;
            }
            for t in 0..copied {
                for (row, start) in starts_in[..count].iter().enumerate() {
                    from[row * taken + t] = input[start + t * inner];
                }
            }
            let to = &mut to[..count * written];
            transform(from, to)?;
            for t in 0..written {
                for (row, start) in starts_out[..count].iter().enumerate() {
                    output[start + t * inner] = scale(to[row * written + t]);
                }
            }
        }
        Ok(())
    }
}

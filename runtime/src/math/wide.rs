//! Elementary functions of many numbers at once, and the same functions of one number.
//!
//! Each function is written once, over the trait `Lanes`, and compiled for AVX-512, AVX2, NEON and for one lane;
//! the machine is asked at run time. [`UnaryFunction`] and [`BinaryFunction`] name them.
//!
//! Invariants:
//!
//! - an element's result depends on its arguments alone, never on its position, the length of the slice, the
//!   instructions at hand, or whether it was computed by [`UnaryFunction::of_f64`] or among others (but the payload of a
//!   NaN is unspecified);
//! - results of double precision are within 1.25 units in the last place of the exact ones (`erf`: 1.5), over the whole range
//!   of arguments; those of single precision within 0.51: they are computed in lanes of double precision, too, by the shorter
//!   forms of `single`, and rounded once, or with a table in lanes of single precision, where one rounding counts;
//! - zeros, infinities and NaN have NumPy's (C99 Annex F's) values.
//!
//! Strides are not taken: callers copy to contiguous blocks.

// Before those that use its macros.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[macro_use]
mod instructions;

mod coefficients;
mod exponential;
mod inverse;
mod inverse_hyperbolic;
mod lanes;
mod logarithm;
#[cfg(target_arch = "aarch64")]
mod neon;
mod over;
mod roots;
mod single;
mod singles;
#[cfg(test)]
mod tests;
mod trigonometric;
#[cfg(target_arch = "x86_64")]
mod x86;

use crate::kind::{Failure, Kind};
#[cfg(target_arch = "x86_64")]
use crate::processor::{self, Level};
pub(crate) use lanes::Lanes;
use lanes::Scalar;
pub(crate) use over::{OverLanes, over_lanes};
use singles::{Single, Singles, map_singles};

/// A number that is stored: `f32` or `f64`.
trait Element: Copy + 'static {
    /// Whether results are rounded to single precision.
    const SINGLE: bool;
    /// # Safety
    /// As of [`Lanes::load`].
    unsafe fn load<V: Lanes>(from: *const Self, lanes: usize) -> V;
    /// # Safety
    /// As of [`Lanes::store`].
    unsafe fn store<V: Lanes>(value: V, to: *mut Self, lanes: usize);
}

impl Element for f64 {
    const SINGLE: bool = false;
    #[inline(always)]
    unsafe fn load<V: Lanes>(from: *const f64, lanes: usize) -> V {
        // SAFETY: the caller's promise.
        unsafe { V::load(from, lanes) }
    }
    #[inline(always)]
    unsafe fn store<V: Lanes>(value: V, to: *mut f64, lanes: usize) {
        // SAFETY: the caller's promise.
        unsafe { value.store(to, lanes) }
    }
}

impl Element for f32 {
    const SINGLE: bool = true;
    #[inline(always)]
    unsafe fn load<V: Lanes>(from: *const f32, lanes: usize) -> V {
        // SAFETY: the caller's promise.
        unsafe { V::load_single(from, lanes) }
    }
    #[inline(always)]
    unsafe fn store<V: Lanes>(value: V, to: *mut f32, lanes: usize) {
        // SAFETY: the caller's promise.
        unsafe { value.store_single(to, lanes) }
    }
}

/// A function of one or two numbers, over any lanes.
trait Function<const ARITY: usize>: Sized {
    fn of<V: Lanes, E: Element>(arguments: [V; ARITY]) -> V;

    /// The loop over a slice, in the lanes that the function takes for such elements.
    ///
    /// # Safety
    /// As of [`map_lanes`], with the instructions of `S`, too.
    #[inline(always)]
    unsafe fn map<V: Lanes, S: Singles, E: Element>(from: [*const E; ARITY], to: *mut E, n: usize) {
        // SAFETY: the caller's promise.
        unsafe { map_lanes::<Self, V, E, ARITY>(from, to, n) }
    }
}

/// The instructions that this machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Machine {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// One lane at a time.
    #[cfg_attr(target_arch = "aarch64", allow(dead_code))]
    Portable,
}

impl Machine {
    /// The best one here. Asking is a load and a test.
    #[inline]
    fn here() -> Machine {
        #[cfg(target_arch = "x86_64")]
        match processor::level() {
            Level::Avx512 => return Machine::Avx512,
            Level::Avx2 => return Machine::Avx2,
            Level::Baseline => {}
        }
        #[cfg(target_arch = "aarch64")]
        return Machine::Neon;
        #[cfg(not(target_arch = "aarch64"))]
        Machine::Portable
    }
}

/// The loop over a slice.
///
/// # Safety
/// The machine must have the instructions of `V`. Each of `from` must be valid for reading `n` elements and `to` for
/// writing them; `to` may be one of `from` but not overlap them otherwise.
#[inline(always)]
unsafe fn map_lanes<F: Function<N>, V: Lanes, E: Element, const N: usize>(
    from: [*const E; N],
    to: *mut E,
    n: usize,
) {
    let mut position = 0;
    // The short functions of single precision wait for themselves: two at once take up to a tenth less with AVX2.
    while E::SINGLE && V::LANES > 1 && n - position >= 2 * V::LANES {
        let next = position + V::LANES;
        // SAFETY: `2 LANES` elements from `position` on lie within the `n` that the caller promises.
        unsafe {
            let first = F::of::<V, E>(load(from, position, V::LANES));
            let second = F::of::<V, E>(load(from, next, V::LANES));
            E::store(first, to.add(position), V::LANES);
            E::store(second, to.add(next), V::LANES);
        }
        position = next + V::LANES;
    }
    // Apart from the rest, because the number of lanes is known.
    while n - position >= V::LANES {
        // SAFETY: `LANES` elements from `position` on lie within the `n` that the caller promises.
        unsafe {
            let result = F::of::<V, E>(load(from, position, V::LANES));
            E::store(result, to.add(position), V::LANES);
        }
        position += V::LANES;
    }
    if position < n {
        let lanes = n - position;
        // SAFETY: `lanes` elements from `position` on lie within the `n` that the caller promises, and are fewer than `LANES`.
        unsafe {
            let result = F::of::<V, E>(load(from, position, lanes));
            E::store(result, to.add(position), lanes);
        }
    }
}

/// One vector of each argument.
///
/// # Safety
/// As of [`Lanes::load`], of each of `from` at `position`.
#[inline(always)]
unsafe fn load<V: Lanes, E: Element, const N: usize>(
    from: [*const E; N],
    position: usize,
    lanes: usize,
) -> [V; N] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut arguments = [V::splat(0.0); N];
        for (argument, from) in arguments.iter_mut().zip(from) {
            *argument = E::load(from.add(position), lanes);
        }
        arguments
    }
}

/// # Safety
/// As of [`map_lanes`], with AVX-512.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
unsafe fn map_avx512<F: Function<N>, E: Element, const N: usize>(
    from: [*const E; N],
    to: *mut E,
    n: usize,
) {
    // SAFETY: the caller's promise.
    unsafe { F::map::<x86::Avx512, singles::Avx512, E>(from, to, n) }
}

/// # Safety
/// As of [`map_lanes`], with AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn map_avx2<F: Function<N>, E: Element, const N: usize>(
    from: [*const E; N],
    to: *mut E,
    n: usize,
) {
    // SAFETY: the caller's promise.
    unsafe { F::map::<x86::Avx2, singles::Avx2, E>(from, to, n) }
}

/// One element.
///
/// # Safety
/// The machine must have AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn one_avx2<F: Function<N>, E: Element, const N: usize>(arguments: [E; N]) -> E {
    // SAFETY: the caller's promise.
    unsafe { one_lane::<F, x86::Avx2One, E, N>(arguments) }
}

/// # Safety
/// The machine must have the instructions of `V`.
#[inline(always)]
unsafe fn one_lane<F: Function<N>, V: Lanes, E: Element, const N: usize>(arguments: [E; N]) -> E {
    let (mut from, mut result) = ([std::ptr::null(); N], arguments[0]);
    for (from, argument) in from.iter_mut().zip(&arguments) {
        *from = &raw const *argument;
    }
    // SAFETY: the instructions are there, and each pointer is that of one element.
    unsafe { F::map::<V, Single<V>, E>(from, &raw mut result, 1) };
    result
}

/// A function of single elements.
fn one<F: Function<N>, E: Element, const N: usize>(arguments: [E; N]) -> E {
    #[cfg(target_arch = "x86_64")]
    if processor::level() >= Level::Avx2 {
        // SAFETY: the processor has AVX2 and FMA.
        return unsafe { one_avx2::<F, E, N>(arguments) };
    }
    // SAFETY: a scalar needs no instructions.
    unsafe { one_lane::<F, Scalar, E, N>(arguments) }
}

/// A function of slices, with the best instructions of `machine`, which must be [`Machine::here`] or less.
///
/// # Safety
/// As of [`map_lanes`] for the memory.
unsafe fn map<F: Function<N>, E: Element, const N: usize>(
    machine: Machine,
    from: [*const E; N],
    to: *mut E,
    n: usize,
) {
    // SAFETY: the caller's promise, and the machine's instructions.
    unsafe {
        match machine {
            #[cfg(target_arch = "x86_64")]
            Machine::Avx512 => map_avx512::<F, E, N>(from, to, n),
            #[cfg(target_arch = "x86_64")]
            Machine::Avx2 => map_avx2::<F, E, N>(from, to, n),
            #[cfg(target_arch = "aarch64")]
            Machine::Neon => F::map::<neon::Neon, singles::Neon, E>(from, to, n),
            Machine::Portable => F::map::<Scalar, Single<Scalar>, E>(from, to, n),
        }
    }
}

/// The enumeration of the functions of one arity, with all that is said of each.
macro_rules! functions {
    // The loop of a function with a form in lanes of single precision.
    (@map $form:ident) => {
        #[inline(always)]
        unsafe fn map<V: Lanes, S: Singles, E: Element>(from: [*const E; 1], to: *mut E, n: usize) {
            // SAFETY: the caller's promise; elements of single precision are `f32`.
            unsafe {
                if E::SINGLE {
                    $form::<Self, S>(from[0].cast(), to.cast(), n);
                } else {
                    map_lanes::<Self, V, E, 1>(from, to, n);
                }
            }
        }
    };
    (
        $(#[$doc:meta])* $enum:ident $arity:literal ($($argument:ident)*);
        $($(#[$variant_doc:meta])* $variant:ident $name:literal $module:ident::$function:ident($($lanes:ident)*) $(by $form:ident)?;)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $enum {
            $($(#[$variant_doc])* $variant,)*
        }

        $(
            struct $variant;
            impl Function<$arity> for $variant {
                #[inline(always)]
                fn of<V: Lanes, E: Element>([$($lanes),*]: [V; $arity]) -> V {
                    if E::SINGLE {
                        single::$function::<V>($($lanes),*)
                    } else {
                        $module::$function::<V>($($lanes),*)
                    }
                }
                $(functions! { @map $form })?
            }
        )*

        impl $enum {
            /// All of them.
            pub const ALL: &[$enum] = &[$($enum::$variant),*];

            /// NumPy's name (SciPy's for `erf`).
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $($enum::$variant => $name,)*
                }
            }

            /// The function of one element.
            #[inline]
            #[must_use]
            pub fn of_f64(self $(, $argument: f64)*) -> f64 {
                let arguments = [$($argument),*];
                match self {
                    $($enum::$variant => one::<$variant, f64, $arity>(arguments),)*
                }
            }

            /// The function of one element.
            #[inline]
            #[must_use]
            pub fn of_f32(self $(, $argument: f32)*) -> f32 {
                let arguments = [$($argument),*];
                match self {
                    $($enum::$variant => one::<$variant, f32, $arity>(arguments),)*
                }
            }

            /// The function of `n` contiguous elements.
            ///
            /// # Safety
            /// Each source must be valid for reading `n` elements and `to` for writing them, and they must be aligned;
            /// `to` may be equal to a source but not overlap it otherwise.
            #[inline]
            pub unsafe fn map_f64(self $(, $argument: *const f64)*, to: *mut f64, n: usize) {
                // SAFETY: the caller's promise.
                unsafe { self.map_on(Machine::here() $(, $argument)*, to, n) }
            }

            /// The function of `n` contiguous elements.
            ///
            /// # Safety
            /// As of [`map_f64`](Self::map_f64).
            #[inline]
            pub unsafe fn map_f32(self $(, $argument: *const f32)*, to: *mut f32, n: usize) {
                // SAFETY: the caller's promise.
                unsafe { self.map_on(Machine::here() $(, $argument)*, to, n) }
            }

            /// The function of `n` contiguous elements of `kind`.
            ///
            /// # Errors
            /// [`Failure::UnsupportedKind`] for other kinds than the two real floating-point ones; nothing is done then.
            ///
            /// # Safety
            /// As of [`map_f64`](Self::map_f64), with elements of that kind.
            pub unsafe fn run(
                self,
                kind: Kind,
                $($argument: *const u8,)*
                to: *mut u8,
                n: usize,
            ) -> Result<(), Failure> {
                // SAFETY: the caller's promise.
                unsafe {
                    match kind {
                        Kind::Float32 => self.map_f32($($argument.cast(),)* to.cast(), n),
                        Kind::Float64 => self.map_f64($($argument.cast(),)* to.cast(), n),
                        _ => return Err(Failure::UnsupportedKind(kind)),
                    }
                }
                Ok(())
            }

            /// # Safety
            /// As of [`map`].
            #[inline]
            unsafe fn map_on<E: Element>(
                self,
                machine: Machine
                $(, $argument: *const E)*,
                to: *mut E,
                n: usize,
            ) {
                let from = [$($argument),*];
                // SAFETY: the caller's promise.
                unsafe {
                    match self {
                        $($enum::$variant => map::<$variant, E, $arity>(machine, from, to, n),)*
                    }
                }
            }
        }
    };
}

functions! {
    /// A function of one real number.
    ///
    /// ```
    /// use autojit_runtime::math::wide::UnaryFunction;
    /// let mut x = [0.0, 1.0, f64::NEG_INFINITY];
    /// // SAFETY: the source is the destination, and it has three elements.
    /// unsafe { UnaryFunction::Exp.map_f64(x.as_ptr(), x.as_mut_ptr(), 3) };
    /// assert_eq!(x, [1.0, std::f64::consts::E, 0.0]);
    /// assert_eq!(UnaryFunction::Exp.of_f64(1.0), x[1]);
    /// ```
    UnaryFunction 1 (x);
    /// e to the power `x` (`numpy.exp`).
    Exp "exp" exponential::exp(x) by map_singles;
    /// 2 to the power `x` (`numpy.exp2`).
    Exp2 "exp2" exponential::exp2(x) by map_singles;
    /// `exp(x) - 1` without cancellation (`numpy.expm1`).
    Expm1 "expm1" exponential::expm1(x);
    /// Natural logarithm (`numpy.log`).
    Log "log" logarithm::log(x);
    /// `log(1 + x)` without cancellation (`numpy.log1p`).
    Log1p "log1p" logarithm::log1p(x);
    /// Logarithm to base 2 (`numpy.log2`).
    Log2 "log2" logarithm::log2(x);
    /// Logarithm to base 10 (`numpy.log10`).
    Log10 "log10" logarithm::log10(x);
    /// Sine of an angle in radians (`numpy.sin`).
    Sin "sin" trigonometric::sin(x);
    /// Cosine of an angle in radians (`numpy.cos`).
    Cos "cos" trigonometric::cos(x);
    /// Tangent of an angle in radians (`numpy.tan`).
    Tan "tan" trigonometric::tan(x);
    /// Inverse sine (`numpy.arcsin`).
    Arcsin "arcsin" inverse::asin(x);
    /// Inverse cosine (`numpy.arccos`).
    Arccos "arccos" inverse::acos(x);
    /// Inverse tangent (`numpy.arctan`).
    Arctan "arctan" inverse::atan(x);
    /// Hyperbolic sine (`numpy.sinh`).
    Sinh "sinh" exponential::sinh(x);
    /// Hyperbolic cosine (`numpy.cosh`).
    Cosh "cosh" exponential::cosh(x);
    /// Hyperbolic tangent (`numpy.tanh`).
    Tanh "tanh" exponential::tanh(x);
    /// Inverse hyperbolic sine (`numpy.arcsinh`).
    Arcsinh "arcsinh" inverse_hyperbolic::arcsinh(x);
    /// Inverse hyperbolic cosine (`numpy.arccosh`).
    Arccosh "arccosh" inverse_hyperbolic::arccosh(x);
    /// Inverse hyperbolic tangent (`numpy.arctanh`).
    Arctanh "arctanh" inverse_hyperbolic::arctanh(x);
    /// The error function (`scipy.special.erf`).
    Erf "erf" exponential::erf(x);
    /// Cube root (`numpy.cbrt`).
    Cbrt "cbrt" roots::cbrt(x);
}

functions! {
    /// A function of two real numbers.
    BinaryFunction 2 (x y);
    /// `x` to the power `y` (`numpy.power`).
    Power "power" logarithm::power(x y);
    /// The angle of the point `(y, x)`: the first argument is the ordinate (`numpy.arctan2`).
    Arctan2 "arctan2" inverse::atan2(x y);
    /// Length of the hypotenuse without overflow on the way (`numpy.hypot`).
    Hypot "hypot" roots::hypot(x y);
}

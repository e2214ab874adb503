//! Exponential and hyperbolic functions: `e^x = 2^n 2^f` with `n` the nearest integer to `x / log(2)`.

use super::super::lanes::{INTEGER_IN_LOW_BITS, Lanes, polynomial};
use super::coefficients::*;
use super::horner;
use std::f64::consts::LOG2_E;

/// `n + f` in parts.
pub(super) struct Exponent<V> {
    f: V,
    /// `n`, in the low bits of a number.
    n: V,
}

impl<V: Lanes> Exponent<V> {
    /// `x factor`; its magnitude is at most 1000. Of a zero `f` has the sign.
    #[inline(always)]
    fn of_product(x: V, factor: f64) -> Self {
        let integer = x.of(INTEGER_IN_LOW_BITS);
        let n = x.mul_add(x.of(factor), integer);
        let f = x.mul_add(x.of(factor), -(n - integer));
        Exponent { f, n }
    }

    /// `x`, likewise.
    #[inline(always)]
    pub(super) fn of(x: V) -> Self {
        let integer = x.of(INTEGER_IN_LOW_BITS);
        let n = x + integer;
        let f = x - (n - integer);
        Exponent { f, n }
    }

    /// `2^n` times a normal number.
    #[inline(always)]
    fn scale(&self, x: V) -> V {
        x.plus_bits(self.n.shl(52))
    }

    /// `2^(n + f)`.
    #[inline(always)]
    pub(super) fn power(&self) -> V {
        self.scale(polynomial(self.f, &EXP2))
    }

    /// `2^(n + f) - 1`, with the sign of a zero.
    #[inline(always)]
    fn power_less_one(&self) -> V {
        let one = self.f.of(1.0);
        let scale = self.scale(one);
        let less_one = self.f * horner(self.f, &EXP2_LESS_ONE);
        // Less a positive zero, a zero keeps its sign.
        less_one.mul_add(scale, -(one - scale))
    }

    /// The parts of the theorems of addition for `n` and `f`, both times log(2).
    #[inline(always)]
    fn hyperbolic(&self) -> Hyperbolic<V> {
        let half = self.f.of(0.5);
        let (up, down) = (self.scale(half), half.sub_bits(self.n.shl(52)));
        let square = self.f * self.f;
        Hyperbolic {
            whole: (down - up, up + down),
            rest: (self.f * horner(square, &SINH), horner(square, &COSH)),
        }
    }
}

/// Hyperbolic sines and cosines of `-n log(2)` and of `f log(2)`.
struct Hyperbolic<V> {
    whole: (V, V),
    rest: (V, V),
}

// The limits of arguments are those beyond which results are infinite, zero, or 1.

#[inline(always)]
pub(in super::super) fn exp<V: Lanes>(x: V) -> V {
    let x = x.at_least(x.of(-104.0)).at_most(x.of(89.0));
    Exponent::of_product(x, LOG2_E).power()
}

#[inline(always)]
pub(in super::super) fn exp2<V: Lanes>(x: V) -> V {
    Exponent::of(x.at_least(x.of(-151.0)).at_most(x.of(129.0))).power()
}

#[inline(always)]
pub(in super::super) fn expm1<V: Lanes>(x: V) -> V {
    let inside = x.at_least(x.of(-20.0)).at_most(x.of(89.0));
    let power = Exponent::of_product(inside, LOG2_E);
    power.power_less_one()
}

#[inline(always)]
pub(in super::super) fn sinh<V: Lanes>(x: V) -> V {
    let inside = x.at_least(x.of(-90.0)).at_most(x.of(90.0));
    let Hyperbolic { whole, rest } = Exponent::of_product(inside, LOG2_E).hyperbolic();
    // As above: this keeps the sign of a zero.
    whole.1.mul_add(rest.0, -(whole.0 * rest.1))
}

#[inline(always)]
pub(in super::super) fn cosh<V: Lanes>(x: V) -> V {
    let inside = x.at_least(x.of(-90.0)).at_most(x.of(90.0));
    let Hyperbolic { whole, rest } = Exponent::of_product(inside, LOG2_E).hyperbolic();
    whole.0.subtract_from(rest.0, whole.1 * rest.1)
}

#[inline(always)]
pub(in super::super) fn tanh<V: Lanes>(x: V) -> V {
    let inside = x.at_least(x.of(-10.0)).at_most(x.of(10.0));
    let less_one = Exponent::of_product(inside, 2.0 * LOG2_E).power_less_one();
    less_one / (less_one + x.of(2.0))
}

//! Real and complex numbers of several matrices at once: an element of each, in a lane of its own.

use crate::math::wide::Lanes;

/// A number in each lane, in double precision. Multiply-add rounds once, on every machine.
pub(super) trait Number<V: Lanes>: Copy {
    /// Whether there are imaginary parts.
    const COMPLEX: bool;
    /// From real and imaginary parts; a real type ignores the second.
    fn of_parts(re: V, im: V) -> Self;
    fn re(self) -> V;
    fn im(self) -> V;
    fn conj(self) -> Self;
    fn plus(self, other: Self) -> Self;
    /// The product with a real number.
    fn times(self, factor: V) -> Self;
    /// `self * a`.
    fn multiply(self, a: Self) -> Self;
    /// `self + a * b`.
    fn plus_product(self, a: Self, b: Self) -> Self;
    /// `self - a * b`.
    fn minus_product(self, a: Self, b: Self) -> Self;
    /// `|self|^2 + addend`.
    fn square_plus(self, addend: V) -> V;
    /// `self * c + other * s` for real factors.
    fn blend(self, c: V, other: Self, s: V) -> Self;
    /// `self` where the mask holds, else `other`.
    fn where_or(self, mask: V::Mask, other: Self) -> Self;
    /// The real number zero.
    #[inline(always)]
    fn zero(lane: V) -> Self {
        Self::of_parts(lane.of(0.0), lane.of(0.0))
    }
}

/// Numbers without imaginary parts.
#[derive(Clone, Copy)]
pub(super) struct Real<V>(V);

impl<V: Lanes> Number<V> for Real<V> {
    const COMPLEX: bool = false;
    #[inline(always)]
    fn of_parts(re: V, _: V) -> Self {
        Real(re)
    }
    #[inline(always)]
    fn re(self) -> V {
        self.0
    }
    #[inline(always)]
    fn im(self) -> V {
        self.0.of(0.0)
    }
    #[inline(always)]
    fn conj(self) -> Self {
        self
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Real(self.0 + other.0)
    }
    #[inline(always)]
    fn times(self, factor: V) -> Self {
        Real(self.0 * factor)
    }
    #[inline(always)]
    fn multiply(self, a: Self) -> Self {
        Real(self.0 * a.0)
    }
    #[inline(always)]
    fn plus_product(self, a: Self, b: Self) -> Self {
        Real(a.0.mul_add(b.0, self.0))
    }
    #[inline(always)]
    fn minus_product(self, a: Self, b: Self) -> Self {
        Real(a.0.subtract_from(b.0, self.0))
    }
    #[inline(always)]
    fn square_plus(self, addend: V) -> V {
        self.0.mul_add(self.0, addend)
    }
    #[inline(always)]
    fn blend(self, c: V, other: Self, s: V) -> Self {
        Real(self.0.mul_add(c, other.0 * s))
    }
    #[inline(always)]
    fn where_or(self, mask: V::Mask, other: Self) -> Self {
        Real(self.0.where_or(mask, other.0))
    }
}

/// Numbers with imaginary parts.
#[derive(Clone, Copy)]
pub(super) struct Complex<V> {
    re: V,
    im: V,
}

impl<V: Lanes> Number<V> for Complex<V> {
    const COMPLEX: bool = true;
    #[inline(always)]
    fn of_parts(re: V, im: V) -> Self {
        Complex { re, im }
    }
    #[inline(always)]
    fn re(self) -> V {
        self.re
    }
    #[inline(always)]
    fn im(self) -> V {
        self.im
    }
    #[inline(always)]
    fn conj(self) -> Self {
        Self::of_parts(self.re, -self.im)
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Self::of_parts(self.re + other.re, self.im + other.im)
    }
    #[inline(always)]
    fn times(self, factor: V) -> Self {
        Self::of_parts(self.re * factor, self.im * factor)
    }
    #[inline(always)]
    fn multiply(self, a: Self) -> Self {
        Self::of_parts(
            self.im.subtract_from(a.im, self.re * a.re),
            self.im.mul_add(a.re, self.re * a.im),
        )
    }
    #[inline(always)]
    fn plus_product(self, a: Self, b: Self) -> Self {
        let (re, im) = (a.re.mul_add(b.re, self.re), a.re.mul_add(b.im, self.im));
        Self::of_parts(a.im.subtract_from(b.im, re), a.im.mul_add(b.re, im))
    }
    #[inline(always)]
    fn minus_product(self, a: Self, b: Self) -> Self {
        let re = a.re.subtract_from(b.re, self.re);
        let im = a.re.subtract_from(b.im, self.im);
        Self::of_parts(a.im.mul_add(b.im, re), a.im.subtract_from(b.re, im))
    }
    #[inline(always)]
    fn square_plus(self, addend: V) -> V {
        self.im.mul_add(self.im, self.re.mul_add(self.re, addend))
    }
    #[inline(always)]
    fn blend(self, c: V, other: Self, s: V) -> Self {
        Self::of_parts(
            self.re.mul_add(c, other.re * s),
            self.im.mul_add(c, other.im * s),
        )
    }
    #[inline(always)]
    fn where_or(self, mask: V::Mask, other: Self) -> Self {
        Self::of_parts(
            self.re.where_or(mask, other.re),
            self.im.where_or(mask, other.im),
        )
    }
}

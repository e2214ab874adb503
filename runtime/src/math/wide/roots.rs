//! Cube root and hypotenuse: an approximation, then one correction by the exact residual.

use super::coefficients::RCBRT;
use super::lanes::{Lanes, fast_two_sum, polynomial, two_product};
use super::logarithm::split;

#[inline(always)]
pub(super) fn cbrt<V: Lanes>(x: V) -> V {
    let third = x.of(1.0 / 3.0);
    let magnitude = x.abs();
    let (k, m) = split(magnitude);
    // |x| = 2^(3 cube) 2^left m with `left` of -1, 0, 1.
    let cube = (k * third).round();
    let left = cube.subtract_from(x.of(3.0), k);
    let (above, below) = (x.of(0.0).lt(left), left.lt(x.of(0.0)));
    let factor = x
        .of(2.0)
        .where_or(above, x.of(0.5).where_or(below, x.of(1.0)));
    // The cube roots of 1/2 and 2, which are those of 1 / factor.
    let inverse = x.of(0.793_700_525_984_099_8).where_or(
        above,
        x.of(1.259_921_049_894_873_2).where_or(below, x.of(1.0)),
    );
    let y = polynomial(m, &RCBRT) * inverse;
    let m = m * factor;
    // Householder's step for m^(-1/3); its error is that of the fourth power.
    let error = (y * y).subtract_from(y * m, x.of(1.0));
    let step = error.mul_add(x.of(14.0 / 81.0), x.of(2.0 / 9.0));
    let step = error.mul_add(step, third);
    let y = (y * error).mul_add(step, y);
    let (square, root) = (y * y, y * y * m);
    let (second, second_low) = two_product(root, root);
    let (cubed, cubed_low) = two_product(second, root);
    let residual = (m - cubed) - second_low.mul_add(root, cubed_low);
    let root = (residual * square).mul_add(third, root);
    let result = root.scale(cube).copysign(x);
    let ordinary = x.of(0.0).lt(magnitude) & magnitude.lt(x.of(f64::INFINITY));
    result.where_or(ordinary, x)
}

#[inline(always)]
pub(super) fn hypot<V: Lanes>(x: V, y: V) -> V {
    let infinity = x.of(f64::INFINITY);
    let (a, b) = (x.abs(), y.abs());
    let swap = a.lt(b);
    let result = precise_hypot(b.where_or(swap, a), a.where_or(swap, b));
    let result = (x + y).where_or(x.is_nan() | y.is_nan(), result);
    infinity.where_or(a.eq(infinity) | b.eq(infinity), result)
}

/// For `a >= b >= 0`.
#[inline(always)]
fn precise_hypot<V: Lanes>(a: V, b: V) -> V {
    const BIG: f64 = 1e150;
    const SMALL: f64 = 1e-130;
    /// 2^600
    const UP: f64 = f64::from_bits((1023 + 600) << 52);
    const DOWN: f64 = f64::from_bits((1023 - 600) << 52);
    let (one, big, small) = (a.of(1.0), a.of(BIG).lt(a), a.lt(a.of(SMALL)));
    let scale = a.of(DOWN).where_or(big, a.of(UP).where_or(small, one));
    let unscale = a.of(UP).where_or(big, a.of(DOWN).where_or(small, one));
    let (a, b) = (a * scale, b * scale);
    let (a_square, a_lost) = two_product(a, a);
    let (b_square, b_lost) = two_product(b, b);
    let (sum, lost) = fast_two_sum(a_square, b_square);
    let lost = lost + (a_lost + b_lost);
    let root = sum.sqrt();
    let residual = root.subtract_from(root, sum) + lost;
    let result = (residual / (root + root) + root) * unscale;
    a.where_or(a.eq(a.of(0.0)), result)
}

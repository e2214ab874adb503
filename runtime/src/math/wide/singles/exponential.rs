//! `e^x` and `2^x` as `2^n 2^(j/32) e^y` with `|y| <= log(2) / 64` (Tang, 1989). The result is a root from the table and something of at
//! most 1/46 of it, of which all but one rounding is below 2^-9 units in the last place; that one is 2^-7 of them, so the error is at most
//! 0.51.

use super::Singles;
use std::f32;

/// `1.5 * 2^18`: adding it to a number below `2^17` leaves the nearest 32nds in the low bits.
const INTEGER_IN_32NDS: f32 = 393_216.0;
/// log(2) less `f32::consts::LN_2`.
const LN_2_REST: f32 = -1.904_654_3e-9;

/// For `|x|` up to 87.
#[inline(always)]
pub(super) fn exp<S: Singles>(x: S) -> S {
    let integer = x.of(INTEGER_IN_32NDS);
    let exponent = x.mul_add(x.of(f32::consts::LOG2_E), integer);
    let whole = exponent - integer;
    // Exact: multiples of 2^-30 below 2^-6.
    let high = whole.subtract_from(x.of(f32::consts::LN_2), x);
    let low = whole * x.of(-LN_2_REST);
    power(exponent, high, high + low, low)
}

/// For `|x|` up to 126.
#[inline(always)]
pub(super) fn exp2<S: Singles>(x: S) -> S {
    let integer = x.of(INTEGER_IN_32NDS);
    let exponent = x + integer;
    let rest = x - (exponent - integer);
    // What the constant lacks is 2^-28.4 of it, or 0.0005 units in the last place of the result.
    let high = rest * x.of(f32::consts::LN_2);
    let low = rest.mul_sub(x.of(f32::consts::LN_2), high);
    power(exponent, high, high, low)
}

/// `2^exponent e^(high + low)`, the exponent as 32nds in the low bits; `y` is the sum.
#[inline(always)]
fn power<S: Singles>(exponent: S, high: S, y: S, low: S) -> S {
    let root = exponent.entry(&ROOTS);
    let root_rest = exponent.entry(&ROOTS_REST);
    let series = y.mul_add(y.of(EXP_REST[1]), y.of(EXP_REST[0]));
    let tail = (y * y).mul_add(series, low);
    let rest = root.mul_add(tail, root_rest.mul_add(y, root_rest));
    (root + root.mul_add(high, rest)).scale(exponent)
}

/// `2^(j / 32)`, in single precision; static, because lanes take entries from memory.
static ROOTS: [f32; 32] = [
    1.0,
    1.0218972,
    1.0442737,
    1.0671405,
    1.0905077,
    1.1143868,
    1.1387886,
    1.1637249,
    1.1892071,
    1.2152474,
    1.2418578,
    1.269051,
    1.2968396,
    1.3252367,
    1.3542556,
    1.38391,
    std::f32::consts::SQRT_2,
    1.4451808,
    1.4768262,
    1.5091645,
    1.5422108,
    1.5759809,
    1.6104903,
    1.6457555,
    1.6817929,
    1.7186193,
    1.7562522,
    1.7947091,
    1.8340081,
    1.8741677,
    1.9152066,
    1.9571441,
];

/// What these lack.
static ROOTS_REST: [f32; 32] = [
    0.0,
    -4.81156e-8,
    4.83347e-8,
    -5.933752e-8,
    -1.307754e-8,
    -5.43554e-8,
    5.3862223e-8,
    -4.0514415e-8,
    3.7976353e-8,
    -3.267395e-8,
    4.496838e-8,
    1.4193333e-9,
    -4.0189995e-8,
    -3.4963733e-8,
    -1.0123349e-8,
    -5.8755774e-8,
    2.4203235e-8,
    3.3242e-8,
    -4.500899e-8,
    -2.4959373e-8,
    8.070905e-9,
    -5.6610254e-8,
    9.836217e-9,
    -5.124972e-8,
    -2.4755327e-8,
    -4.8496176e-8,
    -9.23577e-9,
    -1.1415045e-8,
    -1.1239278e-8,
    -4.6630056e-8,
    9.845328e-9,
    -1.7021804e-8,
];

/// `(e^y - 1 - y) / y^2` for `|y| <= log(2) / 64`, in single precision: the series, but for the constant term, which is that of the least largest
/// error of the whole; that is 9.8e-11.
const EXP_REST: [f32; 2] = [0.50000405, 1.0 / 6.0];

//! Functions of complex numbers by their parts, with C99's and NumPy's results at special values.
//!
//! The rarer ones are calls back into autojit, whose special cases would be dozens of instructions each.

use super::super::instructions::Compare;
use super::super::module::{Value, Writer};
use super::real::{by_size, copysign, hypot, log_plus_one};

/// Smith's method, as NumPy has it.
pub(super) fn divide(w: &mut Writer, x: &Value, y: &Value) -> Value {
    if y.is_real {
        return divide_by_real(w, x, y);
    }
    let (a, b, c, d) = (w.real(x), w.imag(x), w.real(y), w.imag(y));
    let (c_size, d_size) = (w.unary("abs", &c), w.unary("abs", &d));
    let by_real = w.compare(Compare::GreaterEqual, &c_size, &d_size);
    // The larger part of the divisor and the smaller one; the parts of `x` that go with them.
    let (large, small) = (w.select(&by_real, &c, &d), w.select(&by_real, &d, &c));
    let (first, second) = (w.select(&by_real, &a, &b), w.select(&by_real, &b, &a));
    let zero = w.like(&a, 0);
    let ratio = w.binary("divide", &small, &large);
    let product = w.binary("multiply", &small, &ratio);
    // Divided by, and not multiplied with its inverse, which may be a subnormal number.
    let sum = w.binary("add", &large, &product);
    let moved = w.binary("multiply", &second, &ratio);
    let re = w.binary("add", &first, &moved);
    let re = w.binary("divide", &re, &sum);
    let moved = w.binary("multiply", &first, &ratio);
    let (there, back) = (
        w.binary("subtract", &second, &moved),
        w.binary("subtract", &moved, &second),
    );
    let im = w.select(&by_real, &there, &back);
    let im = w.binary("divide", &im, &sum);
    // Neither part is larger than zero.
    let is_zero = w.compare(Compare::Equal, &c_size, &zero);
    let is_zero = w.binary("and", &is_zero, &by_real);
    let (re_by_zero, im_by_zero) = (
        w.binary("divide", &a, &c_size),
        w.binary("divide", &b, &c_size),
    );
    let re = w.select(&is_zero, &re_by_zero, &re);
    let im = w.select(&is_zero, &im_by_zero, &im);
    w.complex(&re, &im)
}

/// The same where all imaginary parts of `y` are zero: a third of the instructions, and the same bits.
fn divide_by_real(w: &mut Writer, x: &Value, y: &Value) -> Value {
    let (a, b, c) = (w.real(x), w.imag(x), w.real(y));
    let (zero, size) = (w.like(&a, 0), w.unary("abs", &c));
    // Zero, but NaN for NaN; infinities and NaN of `x` show in both parts.
    let ratio = w.binary("divide", &zero, &c);
    let is_zero = w.compare(Compare::Equal, &c, &zero);
    let [re, im] = [(&a, &b, "add"), (&b, &a, "subtract")].map(|(part, other, join)| {
        let moved = w.binary("multiply", other, &ratio);
        let sum = w.binary(join, part, &moved);
        let quotient = w.binary("divide", &sum, &c);
        let by_zero = w.binary("divide", part, &size);
        w.select(&is_zero, &by_zero, &quotient)
    });
    w.complex(&re, &im)
}

/// With the branch cut along the negative real axis.
pub(super) fn sqrt(w: &mut Writer, z: &Value) -> Value {
    let (x, y) = (w.real(z), w.imag(z));
    let single = x.ty.dtype == autojit_ir::DType::Float32;
    // Powers of four keep the sum of squares in range, and their roots are exact.
    let (large, small, up, up_root) = if single {
        (1e37, 1e-30, 2f64.powi(48), 2f64.powi(-24))
    } else {
        (1e300, 1e-290, 2f64.powi(108), 2f64.powi(-54))
    };
    let (zero, one, two) = (w.like(&x, 0), w.like(&x, 1), w.like(&x, 2));
    let (x_size, y_size) = (w.unary("abs", &x), w.unary("abs", &y));
    let (largest, _) = by_size(w, &x_size, &y_size);
    let (large, small) = (w.like(&x, large), w.like(&x, small));
    let (is_large, is_small) = (
        w.compare(Compare::Greater, &largest, &large),
        w.compare(Compare::Less, &largest, &small),
    );
    let (up, up_root) = (w.like(&x, up), w.like(&x, up_root));
    let (down, down_root) = (w.like(&x, 0.0625), w.like(&x, 4));
    let scale = w.select(&is_small, &up, &one);
    let scale = w.select(&is_large, &down, &scale);
    let root = w.select(&is_small, &up_root, &one);
    let root = w.select(&is_large, &down_root, &root);
    let (sx, sy) = (
        w.binary("multiply", &x, &scale),
        w.binary("multiply", &y, &scale),
    );
    let size = hypot(w, &sx, &sy);
    let sx_size = w.unary("abs", &sx);
    let sum = w.binary("add", &sx_size, &size);
    let half = w.binary("divide", &sum, &two);
    let t = w.unary("sqrt", &half);
    let twice = w.binary("multiply", &two, &t);
    let other = w.binary("divide", &sy, &twice);
    let (t, other) = (
        w.binary("multiply", &t, &root),
        w.binary("multiply", &other, &root),
    );
    let right = w.compare(Compare::GreaterEqual, &x, &zero);
    let (other_size, t_signed) = (w.unary("abs", &other), copysign(w, &t, &y));
    let (re, im) = (
        w.select(&right, &t, &other_size),
        w.select(&right, &other, &t_signed),
    );
    // Zero keeps the sign of its imaginary part.
    let is_zero = w.compare(Compare::Equal, &largest, &zero);
    let (re, im) = (w.select(&is_zero, &zero, &re), w.select(&is_zero, &y, &im));
    // Infinities: an infinite imaginary part first, then a real one.
    let infinity = w.like(&x, f64::INFINITY);
    let nan = w.like(&x, f64::NAN);
    let minus_infinity = w.like(&x, f64::NEG_INFINITY);
    let y_nan = w.compare(Compare::NotEqual, &y, &y);
    let (signed_zero, signed_infinity) = (copysign(w, &zero, &y), copysign(w, &infinity, &y));
    let x_plus = w.compare(Compare::Equal, &x, &infinity);
    let im_plus = w.select(&y_nan, &y, &signed_zero);
    let (re, im) = (
        w.select(&x_plus, &infinity, &re),
        w.select(&x_plus, &im_plus, &im),
    );
    let x_minus = w.compare(Compare::Equal, &x, &minus_infinity);
    let re_minus = w.select(&y_nan, &y, &zero);
    let (re, im) = (
        w.select(&x_minus, &re_minus, &re),
        w.select(&x_minus, &signed_infinity, &im),
    );
    let x_nan = w.compare(Compare::NotEqual, &x, &x);
    let (re, im) = (w.select(&x_nan, &nan, &re), w.select(&x_nan, &nan, &im));
    let y_infinite = w.compare(Compare::Equal, &y_size, &infinity);
    let (re, im) = (
        w.select(&y_infinite, &infinity, &re),
        w.select(&y_infinite, &y, &im),
    );
    w.complex(&re, &im)
}

/// `e^x (cos y, sin y)`, without overflow before the product.
pub(super) fn exp(w: &mut Writer, z: &Value) -> Value {
    let (x, y) = (w.real(z), w.imag(z));
    let (zero, half) = (w.like(&x, 0), w.like(&x, 0.5));
    let (cos, sin) = (w.unary("cosine", &y), w.unary("sine", &y));
    let halved = w.binary("multiply", &x, &half);
    let root = w.unary("exponential", &halved);
    let whole = w.unary("exponential", &x);
    // Where the exponential itself overflows, two steps may not.
    let infinity = w.like(&x, f64::INFINITY);
    let overflows = w.compare(Compare::Equal, &whole, &infinity);
    let mut parts = [cos, sin].map(|part| {
        let plain = w.binary("multiply", &whole, &part);
        let first = w.binary("multiply", &root, &part);
        let second = w.binary("multiply", &first, &root);
        w.select(&overflows, &second, &plain)
    });
    // A real number stays one.
    let is_real = w.compare(Compare::Equal, &y, &zero);
    parts = [
        w.select(&is_real, &whole, &parts[0]),
        w.select(&is_real, &y, &parts[1]),
    ];
    // No angle: zero at minus infinity, at plus infinity an infinity and NaN.
    let difference = w.binary("subtract", &y, &y);
    let no_angle = w.compare(Compare::NotEqual, &difference, &difference);
    let nan = w.like(&x, f64::NAN);
    let minus_infinity = w.like(&x, f64::NEG_INFINITY);
    let (vanishes, explodes) = (
        w.compare(Compare::Equal, &x, &minus_infinity),
        w.compare(Compare::Equal, &x, &infinity),
    );
    let signed_zero = copysign(w, &zero, &y);
    let re = w.select(&explodes, &infinity, &nan);
    let re = w.select(&vanishes, &zero, &re);
    let im = w.select(&vanishes, &signed_zero, &nan);
    let (re, im) = (
        w.select(&no_angle, &re, &parts[0]),
        w.select(&no_angle, &im, &parts[1]),
    );
    w.complex(&re, &im)
}

/// The logarithm of the modulus and the angle.
pub(super) fn log(w: &mut Writer, z: &Value) -> Value {
    let (x, y) = (w.real(z), w.imag(z));
    let (one, half) = (w.like(&x, 1), w.like(&x, 0.5));
    let (x_size, y_size) = (w.unary("abs", &x), w.unary("abs", &y));
    let (large, small) = by_size(w, &x_size, &y_size);
    // Near the unit circle the logarithm of the modulus is small, and only (large - 1)(large + 1) + small^2 shows it.
    let (minus, plus) = (
        w.binary("subtract", &large, &one),
        w.binary("add", &large, &one),
    );
    let product = w.binary("multiply", &minus, &plus);
    let square = w.binary("multiply", &small, &small);
    let beyond = w.binary("add", &product, &square);
    let near = log_plus_one(w, &beyond);
    let near = w.binary("multiply", &near, &half);
    let ratio = w.binary("divide", &small, &large);
    let square = w.binary("multiply", &ratio, &ratio);
    let more = log_plus_one(w, &square);
    let more = w.binary("multiply", &more, &half);
    let log = w.unary("log", &large);
    let far = w.binary("add", &log, &more);
    let (low, high) = (w.like(&x, 0.5), w.like(&x, 2));
    let above = w.compare(Compare::Greater, &large, &low);
    let below = w.compare(Compare::Less, &large, &high);
    let is_near = w.binary("and", &above, &below);
    let finite = w.select(&is_near, &near, &far);
    // Zero over zero, and infinity over infinity. Of a NaN and a zero the zero counts as larger.
    let zero = w.like(&x, 0);
    let x_zero = w.compare(Compare::Equal, &x, &zero);
    let y_zero = w.compare(Compare::Equal, &y, &zero);
    let is_zero = w.binary("and", &x_zero, &y_zero);
    let finite = w.select(&is_zero, &log, &finite);
    let infinity = w.like(&x, f64::INFINITY);
    let x_infinite = w.compare(Compare::Equal, &x_size, &infinity);
    let y_infinite = w.compare(Compare::Equal, &y_size, &infinity);
    let infinite = w.binary("or", &x_infinite, &y_infinite);
    let re = w.select(&infinite, &infinity, &finite);
    let im = w.binary("atan2", &y, &x);
    w.complex(&re, &im)
}

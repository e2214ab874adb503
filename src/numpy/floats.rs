//! Elementwise functions of floating-point numbers: their sign and neighbours, and two special functions.
//!
//! All of them are written with other elementwise functions, so they run in every mode and on every backend.

use super::special::{cast, constant, real_floating};
use super::{
    absolute, add, attempt, copysign, divide, equal, erf, exp, isnan, less, less_equal, logical_or,
    maximum, minimum, multiply, replaceable, sqrt, subtract, where_,
};
use crate::{Array, DType, Operand};

/// Whether the sign is minus: also of `-0.0`, and of a NaN with that sign. The result is boolean.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let signs = np::signbit(Array::from([-1.0, -0.0, 0.0, 2.0]));
/// assert_eq!(signs.to_vec::<bool>()?, [true, true, false, false]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// `x` is complex.
///
/// Source: `numpy.signbit`.
#[track_caller]
pub fn signbit<'a>(x: impl Into<Operand<'a>>) -> Array {
    let x = x.into();
    replaceable!("signbit", [&x]);
    let dtype = attempt!("signbit", real_floating(&[&x]));
    less(copysign(1.0, cast(x, dtype)), 0.0)
}

/// The next number after `x` in the direction of `y`, in the common floating dtype of both; `y` if they are equal.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let next = np::nextafter(Array::from([1.0, 0.0, f64::INFINITY]), Array::from([2.0, -1.0, 0.0]));
/// assert_eq!(next.to_vec::<f64>()?, [1.0 + f64::EPSILON, -5e-324, f64::MAX]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// The shapes do not broadcast, or an input is complex.
///
/// Source: `numpy.nextafter`; the algorithm is Rump, Zimmermann, Boldo and Melquiond, "Computing predecessor and successor
/// in rounding to nearest", BIT 49 (2009).
#[track_caller]
pub fn nextafter<'a>(x: impl Into<Operand<'a>>, y: impl Into<Operand<'a>>) -> Array {
    let (x, y) = (x.into(), y.into());
    replaceable!("nextafter", [&x, &y]);
    let dtype = attempt!("nextafter", real_floating(&[&x, &y]));
    let (x, y) = (cast(x, dtype), cast(y, dtype));
    // Half the distance of one to its successor; the smallest positive and normal numbers; the largest number.
    let (half, smallest, normal, largest) = match dtype {
        DType::Float32 => (
            f64::from(f32::EPSILON) / 2.0,
            f64::from(f32::from_bits(1)),
            f64::from(f32::MIN_POSITIVE),
            f64::from(f32::MAX),
        ),
        _ => (
            f64::EPSILON / 2.0,
            f64::from_bits(1),
            f64::MIN_POSITIVE,
            f64::MAX,
        ),
    };
    let size = absolute(&x);
    // Below this the neighbours are found on numbers that are larger by a power of two, else the distance underflows.
    let is_small = less(&size, normal / half);
    let (up, down) = (
        where_(&is_small, 1.0 / half, constant(1.0, dtype, &x)),
        where_(&is_small, half, constant(1.0, dtype, &x)),
    );
    let scaled = multiply(&size, up);
    let distance = multiply(&scaled, half * (1.0 + 2.0 * half));
    let is_tiny = less(&size, 2.0 * normal);
    let above = where_(
        &is_tiny,
        add(&size, smallest),
        multiply(add(&scaled, &distance), &down),
    );
    let below = where_(
        is_tiny,
        subtract(&size, smallest),
        multiply(subtract(&scaled, &distance), down),
    );
    // Infinity has no distance to its neighbour.
    let below = where_(equal(&size, f64::INFINITY), largest, below);
    let grows = equal(less(&x, &y), less(0.0, &x));
    let next = copysign(where_(grows, above, below), &x);
    let next = where_(equal(&x, 0.0), copysign(smallest, &y), next);
    let next = where_(equal(&x, &y), &y, next);
    where_(logical_or(isnan(&x), isnan(&y)), add(&x, &y), next)
}

/// The value at `t`, from -1 to 1, of a series of Chebyshev polynomials, by Clenshaw's recurrence.
#[track_caller]
fn chebyshev(coefficients: &[f64], t: &Array) -> Array {
    let twice = multiply(t, 2.0);
    let (mut last, mut before) = (multiply(t, 0.0), multiply(t, 0.0));
    for &c in coefficients[1..].iter().rev() {
        let next = add(subtract(multiply(&twice, &last), before), c);
        before = std::mem::replace(&mut last, next);
    }
    add(subtract(multiply(t, last), before), coefficients[0])
}

/// The complementary error function: `1 - erf(x)`, accurate where that is small.
///
/// Computed in double precision; the result has the floating dtype of `x`.
///
/// ```
/// use autojit::numpy as np;
///
/// assert!((np::erfc(10.0).item::<f64>()? / 2.088487583762545e-45 - 1.0).abs() < 1e-14);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// `x` is complex.
///
/// Source: `scipy.special.erfc`.
#[track_caller]
pub fn erfc<'a>(x: impl Into<Operand<'a>>) -> Array {
    let x = x.into();
    replaceable!("erfc", [&x]);
    let dtype = attempt!("erfc", real_floating(&[&x]));
    let x = cast(x, DType::Float64);
    // Beyond this the result is zero, or two.
    let size = minimum(absolute(&x), 30.0);
    let t = divide(subtract(&size, 3.75), add(&size, 3.75));
    // `exp(-size^2)` without the rounding error of the square: a part of few digits has an exact one.
    let short = super::astype(super::astype(&size, DType::Float32), DType::Float64);
    let rest = multiply(subtract(&short, &size), add(&short, &size));
    let square = multiply(&short, &short);
    let decay = multiply(exp(super::negative(square)), exp(rest));
    let tail = divide(
        multiply(decay, chebyshev(&SCALED_ERFC, &t)),
        add(multiply(&size, 2.0), 1.0),
    );
    let far = where_(less(&x, 0.0), subtract(2.0, &tail), &tail);
    let result = where_(
        less(absolute(&x), 0.5),
        subtract(1.0, erf(&x)),
        where_(isnan(&x), &x, far),
    );
    cast(result.into(), dtype)
}

/// The modified Bessel function of the first kind of order zero, of the magnitude of real numbers.
///
/// Computed in double precision; the result has the floating dtype of `x`.
///
/// ```
/// use autojit::numpy as np;
///
/// assert!((np::i0(1.0).item::<f64>()? - 1.2660658777520084).abs() < 1e-15);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// `x` is complex.
///
/// Source: `numpy.i0`.
#[track_caller]
pub fn i0<'a>(x: impl Into<Operand<'a>>) -> Array {
    let x = x.into();
    replaceable!("i0", [&x]);
    let dtype = attempt!("i0", real_floating(&[&x]));
    let size = absolute(cast(x, DType::Float64));
    let near = subtract(divide(minimum(&size, 8.0), 4.0), 1.0);
    let near = multiply(exp(minimum(&size, 8.0)), chebyshev(&I0_NEAR, &near));
    let large = maximum(&size, 8.0);
    let far = chebyshev(&I0_FAR, &subtract(divide(16.0, &large), 1.0));
    let far = divide(multiply(exp(&large), far), sqrt(&large));
    cast(where_(less_equal(&size, 8.0), near, far).into(), dtype)
}

/// `exp(x^2) erfc(x) (1 + 2 x)` for `x >= 0` in `t = (x - 3.75) / (x + 3.75)`.
///
/// This series and the next two were computed with 60 digits by `tests/conformance/make_series.py`.
const SCALED_ERFC: [f64; 27] = [
    1.1775789345674017,
    -0.004590054580646478,
    -0.08424913336651792,
    0.05920993999819189,
    -0.026658668435305753,
    0.009074997670705265,
    -0.002413163540417608,
    0.0004907758365258086,
    -6.916973302501207e-05,
    4.13902798607301e-06,
    7.74038306619849e-07,
    -2.1886401049234397e-07,
    1.076499946567091e-08,
    4.521959811218287e-09,
    -7.754400208831351e-10,
    -6.318088340886684e-11,
    2.86879501093067e-11,
    1.9455868545777347e-13,
    -9.65469674843344e-13,
    3.25254814814874e-14,
    3.3478119482868056e-14,
    -1.864562880419313e-15,
    -1.2507950530688648e-15,
    7.418235256624044e-17,
    5.068148904796111e-17,
    -2.2370566594359995e-18,
    -2.187342944303018e-18,
];

/// `exp(-x) i0(x)` for `0 <= x <= 8` in `t = x / 4 - 1`.
const I0_NEAR: [f64; 31] = [
    0.33839763720473803,
    -0.3046826723431984,
    0.17162090152220877,
    -0.09490109704804764,
    0.04930528423967071,
    -0.02373741480589947,
    0.010546460394594998,
    -0.004324309995050576,
    0.0016394756169413357,
    -0.0005763755745385824,
    0.00018850288509584165,
    -5.754195010082104e-05,
    1.6448448070728896e-05,
    -4.4167383584587505e-06,
    1.1173875391201037e-06,
    -2.670793853940612e-07,
    6.046995022541919e-08,
    -1.300025009986248e-08,
    2.6598237246823866e-09,
    -5.189795601635263e-10,
    9.675809035373237e-11,
    -1.7268262914415555e-11,
    2.95505266312964e-12,
    -4.856446783111929e-13,
    7.676185498604936e-14,
    -1.1685332877993451e-14,
    1.715391285555133e-15,
    -2.431279846547955e-16,
    3.3307945188222384e-17,
    -4.4153416464793395e-18,
    5.669178006921496e-19,
];

/// `exp(-x) sqrt(x) i0(x)` for `x >= 8` in `t = 16 / x - 1`.
const I0_FAR: [f64; 27] = [
    0.4022452055070544,
    0.0033691164782556943,
    6.889758346916825e-05,
    2.8913705208347567e-06,
    2.0489185894690638e-07,
    2.266668990498178e-08,
    3.3962320257083865e-09,
    4.94060238822497e-10,
    1.1889147107846439e-11,
    -3.1499165279632416e-11,
    -1.3215811840447713e-11,
    -1.7941785315068062e-12,
    7.180124451383666e-13,
    3.8527783827421426e-13,
    1.54008621752141e-14,
    -4.150569347287222e-14,
    -9.554846698828307e-15,
    3.8116806693526224e-15,
    1.7725601330565263e-15,
    -3.425485619677219e-16,
    -2.8276239805165836e-16,
    3.461222867697461e-17,
    4.46562142029676e-17,
    -4.830504485944182e-18,
    -7.233180487874754e-18,
    9.921475412173699e-19,
    1.193650890845982e-18,
];

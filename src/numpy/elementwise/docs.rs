//! What the documentation of an elementwise function says beside its row of the op table: types, errors, an example.
//!
//! A new rule of inference does not compile until it has a text here, and a test fails for an op without an example.

/// The dtype of the result and what is refused, by the rule of inference and the parameters.
macro_rules! types_and_errors {
    (absolute ($x:ident)) => {
        "The dtype stays, that of complex numbers becomes the one of their parts."
    };
    (real_part ($x:ident)) => {
        "The dtype stays, that of complex numbers becomes the one of their parts."
    };
    (numeric_or_bytes ($x:ident)) => {
        "The dtype stays, but booleans give `int8`."
    };
    (numeric ($x:ident)) => {
        "The dtype stays.\n\n# Errors\nThe array is boolean."
    };
    (rounding ($x:ident)) => {
        "The dtype stays.\n\n# Errors\nThe array is complex."
    };
    (bitwise ($x:ident)) => {
        "The dtype stays.\n\n# Errors\nThe array is floating or complex."
    };
    (floating ($x:ident)) => {
        "Booleans and integers give `float64`; other dtypes stay."
    };
    (real_floating ($x:ident)) => {
        "Booleans and integers give `float64`; other dtypes stay.\n\n# Errors\nThe array is complex."
    };
    (predicate ($x:ident)) => {
        "The result is boolean."
    };
    (logical ($x:ident)) => {
        "The result is boolean."
    };
    (arithmetic ($x:ident, $y:ident)) => {
        "The result has the common dtype.\n\n# Errors\nThe shapes do not broadcast."
    };
    (no_bool ($x:ident, $y:ident)) => {
        "The result has the common dtype.\n\n# Errors\nThe shapes do not broadcast, or both arrays are boolean."
    };
    (real_numbers ($x:ident, $y:ident)) => {
        "The result has the common dtype, of booleans `int8`.\n\n# Errors\nThe shapes do not broadcast, or an array is complex."
    };
    (power ($x:ident, $y:ident)) => {
        "The result has the common dtype, of booleans `int8`.\n\n# Errors\nThe shapes do not broadcast. For integers, an exponent is negative, which is known when elements are read."
    };
    (floating ($x:ident, $y:ident)) => {
        "The result has the common dtype, of booleans and integers `float64`.\n\n# Errors\nThe shapes do not broadcast."
    };
    (real_floating ($x:ident, $y:ident)) => {
        "The result has the common dtype, of booleans and integers `float64`.\n\n# Errors\nThe shapes do not broadcast, or an array is complex."
    };
    (bitwise ($x:ident, $y:ident)) => {
        "The result has the common dtype.\n\n# Errors\nThe shapes do not broadcast, or an array is floating or complex."
    };
    (shift ($x:ident, $y:ident)) => {
        "The result has the common dtype, of booleans `int8`.\n\n# Errors\nThe shapes do not broadcast, or an array is floating or complex."
    };
    (comparison ($x:ident, $y:ident)) => {
        "The result is boolean.\n\n# Errors\nThe shapes do not broadcast."
    };
    (logical ($x:ident, $y:ident)) => {
        "The result is boolean.\n\n# Errors\nThe shapes do not broadcast."
    };
    (select ($condition:ident, $x:ident, $y:ident)) => {
        "The result has the common dtype of `x` and `y`.\n\n# Errors\nThe shapes do not broadcast."
    };
}

/// A call and what NumPy prints of its result, as a test.
macro_rules! shown {
    ($call:expr => $printed:literal) => {
        concat!(
            "```\nuse autojit::{Array, numpy as np};\n# use num_complex::Complex64;\n\nassert_eq!(",
            stringify!($call),
            ".to_string(), ",
            stringify!($printed),
            ");\n```"
        )
    };
}

/// An example for each function, with NumPy's answer. An op compiles without; `tests/api/documentation.rs` asks for it.
macro_rules! example {
    (negative) => {
        shown!(np::negative(Array::from([1, -2])) => "[-1  2]")
    };
    (absolute) => {
        shown!(np::absolute(Array::from([-3.5, 2.0])) => "[3.5 2. ]")
    };
    (square) => {
        shown!(np::square(Array::from([1, -2, 3])) => "[1 4 9]")
    };
    (sign) => {
        shown!(np::sign(Array::from([-2.5, 0.0, 4.0])) => "[-1.  0.  1.]")
    };
    (sqrt) => {
        shown!(np::sqrt(Array::from([4.0, 9.0, -1.0])) => "[ 2.  3. nan]")
    };
    (reciprocal) => {
        shown!(np::reciprocal(Array::from([2.0, 0.5])) => "[0.5 2. ]")
    };
    (exp) => {
        shown!(np::exp(Array::from([0.0, 1.0])) => "[1.         2.71828183]")
    };
    (exp2) => {
        shown!(np::exp2(Array::from([0, 3, -1])) => "[1.  8.  0.5]")
    };
    (expm1) => {
        shown!(np::expm1(Array::from([0.0, 1e-10])) => "[0.e+00 1.e-10]")
    };
    (log) => {
        shown!(np::log(Array::from([1.0, 2.0, 0.0])) => "[0.         0.69314718       -inf]")
    };
    (log2) => {
        shown!(np::log2(Array::from([1.0, 8.0])) => "[0. 3.]")
    };
    (log10) => {
        shown!(np::log10(Array::from([1.0, 1000.0])) => "[0. 3.]")
    };
    (log1p) => {
        shown!(np::log1p(Array::from([0.0, 1e-10])) => "[0.e+00 1.e-10]")
    };
    (sin) => {
        shown!(np::sin(Array::from([0.0, 0.5, 1.0])) => "[0.         0.47942554 0.84147098]")
    };
    (cos) => {
        shown!(np::cos(Array::from([0.0, 0.5, 1.0])) => "[1.         0.87758256 0.54030231]")
    };
    (tan) => {
        shown!(np::tan(Array::from([0.0, 0.5, 1.0])) => "[0.         0.54630249 1.55740772]")
    };
    (arcsin) => {
        shown!(np::arcsin(Array::from([0.0, 0.5, 1.0])) => "[0.         0.52359878 1.57079633]")
    };
    (arccos) => {
        shown!(np::arccos(Array::from([0.0, 0.5, 1.0])) => "[1.57079633 1.04719755 0.        ]")
    };
    (arctan) => {
        shown!(np::arctan(Array::from([0.0, 0.5, 1.0])) => "[0.         0.46364761 0.78539816]")
    };
    (sinh) => {
        shown!(np::sinh(Array::from([0.0, 0.5, 1.0])) => "[0.         0.52109531 1.17520119]")
    };
    (cosh) => {
        shown!(np::cosh(Array::from([0.0, 0.5, 1.0])) => "[1.         1.12762597 1.54308063]")
    };
    (tanh) => {
        shown!(np::tanh(Array::from([0.0, 0.5, 1.0])) => "[0.         0.46211716 0.76159416]")
    };
    (conj) => {
        shown!(np::conj(Complex64::new(1.0, 2.0)) => "(1-2j)")
    };
    (real) => {
        shown!(np::real(Complex64::new(1.0, 2.0)) => "1.0")
    };
    (imag) => {
        shown!(np::imag(Complex64::new(1.0, 2.0)) => "2.0")
    };
    (logical_not) => {
        shown!(np::logical_not(Array::from([0, 1, 2])) => "[ True False False]")
    };
    (isnan) => {
        shown!(np::isnan(Array::from([1.0, f64::NAN, f64::INFINITY])) => "[False  True False]")
    };
    (isinf) => {
        shown!(np::isinf(Array::from([1.0, f64::NAN, f64::INFINITY])) => "[False False  True]")
    };
    (isfinite) => {
        shown!(np::isfinite(Array::from([1.0, f64::NAN, f64::INFINITY])) => "[ True False False]")
    };
    (floor) => {
        shown!(np::floor(Array::from([-1.5, 1.5])) => "[-2.  1.]")
    };
    (ceil) => {
        shown!(np::ceil(Array::from([-1.5, 1.5])) => "[-1.  2.]")
    };
    (trunc) => {
        shown!(np::trunc(Array::from([-1.5, 1.5])) => "[-1.  1.]")
    };
    (rint) => {
        shown!(np::rint(Array::from([0.5, 1.5, 2.4])) => "[0. 2. 2.]")
    };
    (cbrt) => {
        shown!(np::cbrt(Array::from([8.0, -27.0])) => "[ 2. -3.]")
    };
    (arcsinh) => {
        shown!(np::arcsinh(Array::from([0.0, 0.5, 1.0])) => "[0.         0.48121183 0.88137359]")
    };
    (arccosh) => {
        shown!(np::arccosh(Array::from([1.0, 2.0])) => "[0.        1.3169579]")
    };
    (arctanh) => {
        shown!(np::arctanh(Array::from([0.0, 0.5])) => "[0.         0.54930614]")
    };
    (erf) => {
        shown!(np::erf(Array::from([0.0, 0.5, 1.0])) => "[0.         0.52049988 0.84270079]")
    };
    (lgamma) => {
        shown!(np::lgamma(Array::from([1.0, 0.5, 10.0])) => "[ 0.          0.57236494 12.80182748]")
    };
    (invert) => {
        shown!(np::invert(Array::from([0, 5])) => "[-1 -6]")
    };
    (add) => {
        shown!(np::add(Array::from([1, 2]), Array::from([0.5, 0.25])) => "[1.5  2.25]")
    };
    (subtract) => {
        shown!(np::subtract(Array::from([1, 2]), 3) => "[-2 -1]")
    };
    (multiply) => {
        shown!(np::multiply(Array::from([[1], [2]]), Array::from([3, 4])) => "[[3 4]\n [6 8]]")
    };
    (divide) => {
        shown!(np::divide(Array::from([1, 2]), 2) => "[0.5 1. ]")
    };
    (floor_divide) => {
        shown!(np::floor_divide(Array::from([7, -7]), 2) => "[ 3 -4]")
    };
    (remainder) => {
        shown!(np::remainder(Array::from([7, -7]), 3) => "[1 2]")
    };
    (power) => {
        shown!(np::power(Array::from([1, 2, 3]), 2) => "[1 4 9]")
    };
    (arctan2) => {
        shown!(np::arctan2(Array::from([1.0, -1.0]), Array::from([-1.0, 0.0])) => "[ 2.35619449 -1.57079633]")
    };
    (maximum) => {
        shown!(np::maximum(Array::from([1, 5]), Array::from([4, 2])) => "[4 5]")
    };
    (minimum) => {
        shown!(np::minimum(Array::from([1, 5]), Array::from([4, 2])) => "[1 2]")
    };
    (equal) => {
        shown!(np::equal(Array::from([1, 2]), Array::from([1, 3])) => "[ True False]")
    };
    (not_equal) => {
        shown!(np::not_equal(Array::from([1, 2]), Array::from([1, 3])) => "[False  True]")
    };
    (less) => {
        shown!(np::less(Array::from([1, 2]), 2) => "[ True False]")
    };
    (less_equal) => {
        shown!(np::less_equal(Array::from([1, 2]), Array::from([1, 1])) => "[ True False]")
    };
    (greater) => {
        shown!(np::greater(Array::from([1, 2]), 1) => "[False  True]")
    };
    (greater_equal) => {
        shown!(np::greater_equal(Array::from([1, 2]), 2) => "[False  True]")
    };
    (logical_and) => {
        shown!(np::logical_and(Array::from([0, 1, 2]), Array::from([1, 1, 0])) => "[False  True False]")
    };
    (logical_or) => {
        shown!(np::logical_or(Array::from([0, 1, 2]), Array::from([0, 0, 0])) => "[False  True  True]")
    };
    (logical_xor) => {
        shown!(np::logical_xor(Array::from([0, 1, 2]), Array::from([1, 1, 0])) => "[ True False  True]")
    };
    (fmod) => {
        shown!(np::fmod(Array::from([7, -7]), 3) => "[ 1 -1]")
    };
    (hypot) => {
        shown!(np::hypot(Array::from([3.0, 5.0]), Array::from([4.0, 12.0])) => "[ 5. 13.]")
    };
    (copysign) => {
        shown!(np::copysign(Array::from([1.0, 2.0]), Array::from([-0.0, 3.0])) => "[-1.  2.]")
    };
    (bitwise_and) => {
        shown!(np::bitwise_and(Array::from([6, 5]), 3) => "[2 1]")
    };
    (bitwise_or) => {
        shown!(np::bitwise_or(Array::from([6, 5]), 3) => "[7 7]")
    };
    (bitwise_xor) => {
        shown!(np::bitwise_xor(Array::from([6, 5]), 3) => "[5 6]")
    };
    (left_shift) => {
        shown!(np::left_shift(Array::from([1, 3]), 2) => "[ 4 12]")
    };
    (right_shift) => {
        shown!(np::right_shift(Array::from([-8, 9]), 1) => "[-4  4]")
    };
    (where_) => {
        shown!(np::where_(Array::from([true, false]), Array::from([1, 2]), 0) => "[1 0]")
    };
    ($name:ident) => {
        ""
    };
}

pub(super) use {example, shown, types_and_errors};

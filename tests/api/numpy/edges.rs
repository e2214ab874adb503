//! What NumPy 2.4 answers at the edges of functions, in every mode.

use std::slice::from_ref;

use super::modes::{modes, same, types};
use autojit::numpy as np;
use autojit::{Array, DType};

#[test]
fn a_0d_array_has_one_axis_for_some_functions() {
    let x = Array::from(3.0);
    let f = |x: &[Array]| {
        let x = &x[0];
        let mut all = Vec::new();
        for axis in [0, -1] {
            all.extend([
                np::sum(x, axis),
                np::prod(x, axis),
                np::max(x, axis),
                np::min(x, axis),
            ]);
            all.extend([np::any(x, axis), np::all(x, axis), np::ptp(x, axis)]);
            all.extend([
                np::count_nonzero(x, axis),
                np::nansum(x, axis),
                np::squeeze(x, axis),
            ]);
            all.extend([
                np::take(x, 0, axis),
                np::cumsum(x, axis),
                np::cumprod(x, axis),
            ]);
            all.extend([np::argsort(x, axis), np::repeat(x, 2, axis)]);
        }
        all
    };
    let one = "f64[] f64[] f64[] f64[] bool[] bool[] f64[] i64[] f64[] f64[] f64[] f64[1] f64[1] i64[1] f64[2]";
    assert_eq!(types(from_ref(&x), f), format!("{one} {one}"));
    let one = [
        "3.0", "3.0", "3.0", "3.0", "True", "True", "0.0", "1", "3.0", "3.0", "3.0", "[3.]",
        "[3.]", "[0]", "[3. 3.]",
    ];
    for (mode, results) in modes(from_ref(&x), f) {
        let texts: Vec<String> = results.iter().map(ToString::to_string).collect();
        assert_eq!(texts, [one, one].concat(), "{mode}");
    }
    // Others have none, and no function has a second one.
    let refused = [
        np::mean(&x, 0),
        np::var(&x, 0),
        np::median(&x, 0),
        np::sort(&x, 0),
        np::flip(&x, 0),
        np::sum(&x, 1),
        np::sum(&x, -2),
        np::cumsum(&x, 1),
        np::squeeze(&x, 1),
        np::take(&x, 0, 1),
        np::repeat(&x, 2, 1),
        np::argsort(&x, 1),
    ];
    for (at, refused) in refused.into_iter().enumerate() {
        assert!(refused.check().unwrap_err().is_index(), "{at}");
    }
}

#[test]
fn functions_without_one_for_booleans_take_them_as_bytes() {
    let x = Array::from([true, false]);
    let f = |x: &[Array]| vec![np::square(&x[0]), np::conj(&x[0]), np::reciprocal(&x[0])];
    assert_eq!(types(from_ref(&x), f), "i8[2] i8[2] i8[2]");
    for (mode, results) in modes(from_ref(&x), f) {
        for y in results {
            assert_eq!(
                y.astype(DType::Int64).to_vec::<i64>().unwrap(),
                [1, 0],
                "{mode}"
            );
        }
    }
    // NumPy gives float16, which is float64 here.
    let rounded = |x: &[Array]| vec![np::round(&x[0], ..)];
    assert_eq!(types(from_ref(&x), rounded), "f64[2]");
    assert!(np::round(&x, 1).check().unwrap_err().is_dtype());
}

/// The size of an axis that is given twice is that of the array, as the first transform has made it shorter.
#[test]
fn real_transforms_along_one_axis_twice() {
    let x = np::sin(np::reshape(np::arange(12, ..), [3, 4]));
    same(from_ref(&x), |x| {
        let half = np::fft::rfft(&x[0], ..);
        vec![
            np::fft::rfftn(&x[0], np::fft::axes([1, 1])),
            np::fft::fft(half, np::fft::n(4)),
        ]
    });
    same(from_ref(&x), |x| {
        let half = np::fft::rfft(&x[0], np::fft::axis(0));
        let others = np::fft::fft(half, np::fft::axis(1));
        vec![
            np::fft::rfftn(&x[0], np::fft::axes([0, 1, -2])),
            np::fft::fft(others, np::fft::n(3).axis(0)),
        ]
    });
}

#[test]
fn axes_of_an_ellipsis_are_not_summed_silently() {
    let x = np::ones([2, 3], ..);
    for text in ["...i->i", "i...->i", "...->"] {
        let error = np::einsum(text, [&x]).check().unwrap_err();
        assert!(
            error.is_value() && error.to_string().contains("are not in the result"),
            "{error}"
        );
    }
    // None are there.
    assert_eq!(np::einsum("...ij->ji", [&x]).shape().unwrap(), [3, 2]);
}

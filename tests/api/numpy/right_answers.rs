//! Values that were wrong once, with the right ones: NumPy's, SciPy's for `expm`, or of one definition for all modes.

use autojit::{Array, DType, numpy as np};
use np::linalg;
use num_complex::Complex64;

use super::modes::modes;

const INF: f64 = f64::INFINITY;

fn c(re: f64, im: f64) -> Complex64 {
    Complex64::new(re, im)
}

/// The parts of all elements as bits, any NaN as the same.
fn bits(x: &Array) -> Vec<u64> {
    let z = np::ravel(x).astype(DType::Complex128).to_vec::<Complex64>();
    let part = |x: f64| {
        if x.is_nan() {
            f64::NAN.to_bits()
        } else {
            x.to_bits()
        }
    };
    z.unwrap()
        .iter()
        .flat_map(|z| [part(z.re), part(z.im)])
        .collect()
}

/// The first result is `expected` in every mode but those of libraries that round otherwise.
#[track_caller]
fn gives(inputs: &[Array], f: fn(&[Array]) -> Vec<Array>, expected: impl Into<Array>) {
    let expected = expected.into();
    for (mode, results) in modes(inputs, f) {
        if ["torch", "xla"].contains(&mode) {
            continue;
        }
        assert_eq!(
            bits(&results[0]),
            bits(&expected),
            "{mode}: {} is not {expected}",
            results[0]
        );
    }
}

#[test]
fn squares_are_products_however_long_the_array_is() {
    let x = 5.430273782279421_f64;
    for n in [1, 2, 3, 4, 5, 8, 17] {
        let inputs = [
            Array::from(vec![x; n]),
            Array::from(2.0),
            Array::from(vec![2.0; n]),
        ];
        gives(
            &inputs,
            |v| vec![np::power(&v[0], 2.0)],
            vec![29.487873350511254; n],
        );
        gives(
            &inputs,
            |v| vec![np::power(&v[0], 2)],
            vec![29.487873350511254; n],
        );
        gives(
            &inputs,
            |v| vec![np::power(&v[0], &v[1])],
            vec![29.487873350511254; n],
        );
        gives(
            &inputs,
            |v| vec![np::power(&v[0], &v[2])],
            vec![29.487873350511254; n],
        );
    }
    let z = num_complex::Complex32::new(3.7, -2.9);
    let inputs = [
        Array::from(vec![z; 5]),
        Array::from(vec![num_complex::Complex32::new(2.0, 0.0); 5]),
    ];
    gives(&inputs, |v| vec![np::power(&v[0], &v[1])], vec![z * z; 5]);
}

#[test]
fn products_of_complex_numbers_are_taken_in_order() {
    let factors = [c(1.0, 2.0), c(-2.0, INF)];
    let product = c(-INF, INF);
    gives(
        &[Array::from(factors)],
        |v| vec![np::prod(&v[0], ..)],
        product,
    );
    gives(
        &[Array::from([factors])],
        |v| vec![np::prod(&v[0], 1)],
        vec![product],
    );
    let column = [[factors[0]], [factors[1]]];
    gives(
        &[Array::from(column)],
        |v| vec![np::prod(&v[0], 0)],
        vec![product],
    );
    gives(
        &[Array::from([c(-2.0, INF)])],
        |v| vec![np::prod(&v[0], ..)],
        c(f64::NAN, INF),
    );
}

#[test]
fn extrema_take_zeros_by_sign() {
    gives(
        &[Array::from([1.0, -0.0, 0.0, -0.0])],
        |v| vec![np::min(&v[0], ..)],
        -0.0,
    );
    gives(
        &[Array::from([1.0, 0.0, 0.0])],
        |v| vec![np::min(&v[0], ..)],
        0.0,
    );
    gives(
        &[Array::from([-1.0, -0.0, 0.0, -0.0])],
        |v| vec![np::max(&v[0], ..)],
        0.0,
    );
    gives(
        &[Array::from([-1.0, -0.0, -0.0])],
        |v| vec![np::max(&v[0], ..)],
        -0.0,
    );
    for n in 1..70 {
        let mut x = vec![0.0; n];
        gives(&[Array::from(x.clone())], |v| vec![np::min(&v[0], ..)], 0.0);
        x[n / 2] = -0.0;
        gives(&[Array::from(x)], |v| vec![np::min(&v[0], ..)], -0.0);
    }
    let nan = f64::NAN;
    gives(
        &[Array::from([c(1.0, nan), c(nan, 2.0)])],
        |v| vec![np::max(&v[0], ..)],
        c(1.0, nan),
    );
    gives(
        &[Array::from([c(nan, 2.0), c(1.0, nan)])],
        |v| vec![np::min(&v[0], ..)],
        c(nan, 2.0),
    );
}

#[test]
fn sums_of_products_begin_at_zero() {
    let inputs = [Array::from([[-0.0]]), Array::from([[1.0]])];
    // NumPy multiplies numbers.
    gives(&inputs, |v| vec![np::inner(&v[0], &v[1])], [[-0.0]]);
    gives(&inputs, |v| vec![np::tensordot(&v[0], &v[1], 1)], [[-0.0]]);
    gives(&inputs, |v| vec![np::tensordot(&v[0], &v[1], 2)], -0.0);
    gives(&inputs, |v| vec![np::matmul(&v[0], &v[1])], [[0.0]]);
    gives(
        &inputs,
        |v| vec![np::einsum("ij,jk->ik", [&v[0], &v[1]])],
        [[0.0]],
    );
    let inputs = [Array::from([[-0.0], [-0.0]]), Array::from([[1.0, 1.0]])];
    gives(
        &inputs,
        |v| vec![np::tensordot(&v[0], &v[1], 1)],
        [[0.0; 2]; 2],
    );
    gives(&inputs, |v| vec![np::matmul(&v[0], &v[1])], [[0.0; 2]; 2]);
}

/// The relative error of an element of the exponential, in every mode.
#[track_caller]
fn exponential(a: impl Into<Array>, [i, j]: [usize; 2], right: f64) {
    let a = a.into();
    let n = a.shape().unwrap()[1];
    for (mode, results) in modes(&[a], |v| vec![linalg::expm(&v[0])]) {
        let got = results[0].to_vec::<f64>();
        let got = match got {
            Ok(all) => all[i * n + j],
            Err(_) => np::ravel(&results[0]).to_vec::<f64>().unwrap()[i * n + j],
        };
        let error = (got - right).abs() / right.abs();
        // libtorch's own exponential chooses its scaling by one norm; docs/adapters.md says so.
        if mode != "torch" {
            assert!(error <= 4e-15, "{mode}: {got}, not {right}");
        }
    }
}

#[test]
fn exponentials_of_matrices_are_not_scaled_too_much() {
    let e = std::f64::consts::E;
    exponential([[1.0, 1e9], [0.0, 1.0]], [0, 0], e);
    exponential([[1.0, 1e9], [0.0, 1.0]], [0, 1], 1e9 * e);
    exponential([[1.0, 1e10], [0.0, -1.0]], [0, 0], e);
    exponential([[1.0, 1e10], [0.0, -1.0]], [1, 1], 1.0 / e);
    exponential([[1.0, 1e10], [0.0, -1.0]], [0, 1], 1e10 * 1.0_f64.sinh());
    exponential(
        [[0.0, 1e300], [0.0, -1.0]],
        [0, 1],
        1e300 * -(-1.0_f64).exp_m1(),
    );
    exponential(
        [[1.0, 0.0], [1e12, -3.0]],
        [1, 0],
        1e12 * (e - (-3.0_f64).exp()) / 4.0,
    );
}

#[test]
fn exponentials_of_graded_matrices_are_accurate() {
    let small = 1.001001e-12;
    let mut a = [[0.0; 4]; 4];
    a[0] = [-0.0600094776, -1.37334693e9, -1.16936523e19, small];
    (a[1][0], a[2][1]) = (small, small);
    for (mode, results) in modes(&[Array::from(a)], |v| vec![linalg::expm(&v[0])]) {
        let got = np::ravel(&results[0]).to_vec::<f64>().unwrap()[0];
        let allowed = if mode == "torch" { 1e-1 } else { 1e-6 };
        assert!((got - 0.941093318).abs() < allowed, "{mode}: {got}");
    }
}

#[test]
fn complex_numbers_are_rounded_part_by_part() {
    let x = [
        c(INF, 0.0),
        c(INF, 4.6e6),
        c(0.0, 1e308),
        c(1.234, -0.0),
        c(-0.0, 1.005),
        c(-1.5, -INF),
    ];
    let right = [
        c(INF, 0.0),
        c(INF, 4.6e6),
        c(0.0, INF),
        c(1.23, -0.0),
        c(-0.0, 1.0),
        c(-1.5, -INF),
    ];
    gives(&[Array::from(x)], |v| vec![np::round(&v[0], 2)], right);
    let tens = [c(INF, 14.0), c(-0.0, 1e308), c(-14.0, f64::NAN)];
    gives(
        &[Array::from(tens)],
        |v| vec![np::round(&v[0], -1)],
        [c(INF, 10.0), c(-0.0, 1e308), c(-10.0, f64::NAN)],
    );
    let special = [c(f64::NAN, -0.0), c(-0.0, INF)];
    gives(
        &[Array::from(special)],
        |v| vec![np::nan_to_num(&v[0], ..)],
        [c(0.0, -0.0), c(-0.0, f64::MAX)],
    );
}

#[test]
fn reciprocals_of_the_smallest_and_largest_complex_numbers() {
    let x = [
        c(0.0, 1e-310),
        c(1e-310, 0.0),
        c(1e-310, 1e-310),
        c(0.0, 1e308),
        c(1e308, 1e308),
        c(0.0, INF),
        c(0.0, 0.0),
    ];
    let nan = f64::NAN;
    let right = [
        c(0.0, -INF),
        c(INF, -0.0),
        c(INF, -INF),
        c(0.0, -1.0 / 1e308),
        c(0.0, -0.0),
        c(0.0, -0.0),
        c(nan, nan),
    ];
    gives(&[Array::from(x)], |v| vec![np::reciprocal(&v[0])], right);
    let one = Array::from(vec![c(1.0, 0.0); 3]);
    // As NumPy has it: the reciprocal of the divisor overflows.
    let y = Array::from([c(1e-310, 0.0), c(0.0, INF), c(1e308, 1e308)]);
    let right = [c(INF, nan), c(0.0, -0.0), c(0.0, -0.0)];
    gives(&[one, y], |v| vec![np::divide(&v[0], &v[1])], right);
}

#[test]
fn complex_log1p_is_accurate_near_zero() {
    for (z, re) in [
        (c(1e-20, 1e-20), 1e-20),
        (c(1e-300, 1e-310), 1e-300),
        (c(-1e-310, 0.0), -1e-310),
        (c(0.0, 1e-8), 5e-17),
        (c(-5e-17, 1e-8), 0.0),
        (c(1e-5, 0.0), 1e-5_f64.ln_1p()),
    ] {
        for (mode, results) in modes(&[Array::from(z)], |v| vec![np::log1p(&v[0])]) {
            if ["torch", "xla"].contains(&mode) {
                continue;
            }
            let got = results[0].item::<Complex64>().unwrap();
            let error = (got.re - re).abs();
            assert!(
                error <= 4e-16 * re.abs() + 1e-32 * f64::from(u8::from(re == 0.0)),
                "{mode}: {got} of {z}"
            );
            assert!(
                (got.im - z.im).abs() <= 1e-15 * z.im.abs() + z.re.abs() * z.im.abs(),
                "{mode}: {got}"
            );
        }
    }
}

/// An error that says so, eagerly, lazily and in traced functions.
#[track_caller]
fn refused(f: fn(&np::random::Generator) -> Array) {
    let generator = np::random::default_rng(1);
    let error = f(&generator).check().unwrap_err();
    assert!(error.is_value() || error.is_shape(), "{error}");
    let location = error.location().map(|l| l.file().to_owned());
    assert_eq!(location.as_deref(), Some(file!()), "{error}");
    for backend in autojit::backends() {
        let generator = generator.clone();
        let jit = autojit::autojit(move |x: Array| x + f(&generator)).backend(backend);
        assert!(jit.call(Array::from(1.0)).is_err(), "{backend}");
    }
}

#[test]
fn distributions_refuse_bad_parameters() {
    use np::random::size;
    refused(|g| g.choice(3, size([3]).replace(false).p([1.0, 0.0, 0.0])));
    refused(|g| g.choice(3, size([4]).replace(false)));
    refused(|g| g.choice(3, size([1]).p([1.0, f64::NAN, 0.0])));
    refused(|g| g.choice(3, size([1]).p([1.0, 1e-7, 0.0])));
    refused(|g| g.choice(3, size([1]).p([2.0, -1.0, 0.0])));
    refused(|g| g.choice(3, size([1]).p([INF, 0.0, 0.0])));
    refused(|g| g.choice(3, size([1]).p([0.5, 0.5])));
    refused(|g| g.choice(0, [1]));
    refused(|g| g.choice(-1, [1]));
    refused(|g| g.choice(3, [-1]));
    refused(|g| g.uniform(-1e308, 1e308, ..));
    refused(|g| g.uniform(-1e308, 1e308, [4]));
    refused(|g| g.uniform(-3e38, 3e38, size([4]).dtype(DType::Float32)));
    refused(|g| g.uniform(1.0, 0.0, [4]));
    refused(|g| g.uniform(0.0, INF, [4]));
    refused(|g| g.uniform(f64::NAN, 1.0, [4]));
    refused(|g| g.uniform(Array::from([0.0, 1.0]), Array::from([1.0, 0.0]), ..));
    refused(|g| {
        g.uniform(
            Array::from([[0.0], [1e308]]),
            Array::from([1e308, 1e308, -1e308]),
            ..,
        )
    });
    refused(|g| g.uniform(0.0, Array::from([1.0, -1.0]), ..));
    refused(|g| g.normal(0.0, -1.0, [4]));
    refused(|g| g.normal(0.0, -0.0, [4]));
    refused(|g| g.normal(0.0, Array::from([1.0, -1.0]), ..));
    refused(|g| g.exponential(-1.0, [4]));
    refused(|g| g.exponential(Array::from([1.0, -1.0]), ..));
    refused(|g| g.integers(1, 1, [4]));
    refused(|g| g.integers(2, 1, [4]));
    refused(|g| g.random([-1]));
    refused(|g| g.standard_normal([-1]));
    let generator = np::random::default_rng(1);
    // NumPy lets these through.
    for fine in [
        generator.normal(0.0, f64::NAN, ..),
        generator.normal(INF, 1.0, ..),
        generator.uniform(1.0, 1.0, ..),
        generator.choice(3, size([0]).replace(false).p([1.0, 0.0, 0.0])),
        generator.choice(3, size([1]).replace(false).p([0.0, 1.0, 0.0])),
    ] {
        assert!(fine.check().is_ok());
    }
    for _ in 0..50 {
        let chosen = generator.choice(4, size([2]).replace(false).p([0.5, 0.0, 5e-324, 0.5]));
        let mut chosen = chosen.to_vec::<i64>().unwrap();
        chosen.sort_unstable();
        assert_eq!(chosen, [0, 3]);
    }
}

#[test]
fn integers_need_not_fit_beside_others_where_the_result_has_another_dtype() {
    let bytes = [Array::from([1u8, 3, 5])];
    let sixteenths = [1.0 / 1024.0, 3.0 / 1024.0, 5.0 / 1024.0];
    gives(&bytes, |v| vec![np::divide(&v[0], 1024)], sixteenths);
    gives(&bytes, |v| vec![&v[0] / -2], [-0.5, -1.5, -2.5]);
    gives(&bytes, |v| vec![np::logical_and(&v[0], 256)], [true; 3]);
    gives(&bytes, |v| vec![np::logical_xor(-1, &v[0])], [false; 3]);
    let words = [Array::from([1i32, -4])];
    let scale = 2.0_f64.powi(40);
    gives(
        &words,
        |v| vec![np::divide(&v[0], 1i64 << 40)],
        [1.0 / scale, -4.0 / scale],
    );
    gives(
        &words,
        |v| vec![np::arctan2(&v[0], 1i64 << 40)],
        [(1.0 / scale).atan(), (-4.0 / scale).atan()],
    );
    gives(
        &bytes,
        |v| vec![np::copysign(&v[0], -256)],
        [-1.0, -3.0, -5.0],
    );
    let far = [Array::from([0u8, 1])];
    gives(&far, |v| vec![np::hypot(&v[0], 1i64 << 40)], [scale, scale]);
}

#[test]
fn numbers_put_into_an_array_get_its_dtype_whatever_dtype_positions_have() {
    let truths = [Array::from([false; 3]), Array::from([0i32, 2])];
    let set = |v: &[Array]| vec![v[0].at(&v[1]).set(true)];
    gives(&truths, set, [true, false, true]);
    let unsigned = [Array::from([1u64, 2, 3]), Array::from([-1i64])];
    let add = |v: &[Array]| vec![v[0].at(&v[1]).add(2)];
    gives(&unsigned, add, [1u64, 2, 5]);
    let bytes = Array::from([1u8, 2]);
    let error = bytes.at(Array::from([0i64])).set(300).check().unwrap_err();
    assert!(error.is_overflow(), "{error}");
}

#[test]
fn integers_that_do_not_fit_fill_no_array() {
    let refused = |x: Array| assert!(x.check().unwrap_err().is_overflow());
    refused(np::full(2, -1, DType::Uint8));
    refused(np::full_like(Array::from([1u16]), 1i64 << 40, ..));
    refused(np::arange(-3..3, DType::Uint64));
    let last = np::full(2, 255, DType::Uint8);
    assert_eq!(last.to_vec::<u8>().unwrap(), [255, 255]);
    // NumPy looks at the first two alone.
    let wraps = np::arange(254..257, DType::Uint8);
    assert_eq!(wraps.to_vec::<u8>().unwrap(), [254, 255, 0]);
}

#[test]
fn integers_beyond_a_dtype_are_no_limits() {
    let bytes = [Array::from([0u8, 200])];
    gives(&bytes, |v| vec![np::clip(&v[0], -3, 300)], [0u8, 200]);
    gives(&bytes, |v| vec![np::clip(&v[0], 5, 300)], [5u8, 200]);
    gives(&bytes, |v| vec![np::clip(&v[0], .., 7)], [0u8, 7]);
    let refused = np::clip(&bytes[0], 300, ..).check().unwrap_err();
    assert!(refused.is_overflow(), "{refused}");
}

#[test]
fn differences_from_an_integer_do_not_wrap() {
    let within_two = |v: &[Array]| {
        let tolerance = np::logic::Tolerance {
            rtol: 0.0,
            atol: 2.0,
            equal_nan: false,
        };
        vec![np::isclose(&v[0], 5, tolerance)]
    };
    gives(&[Array::from([3u8, 8, 7])], within_two, [true, false, true]);
    let far = |v: &[Array]| {
        vec![
            np::isclose(&v[0], -1, ..),
            np::isclose(&v[0], 1i64 << 40, ..),
        ]
    };
    gives(&[Array::from([255u8, 0])], far, [false, false]);
}

#[test]
fn steps_of_integers_are_differences_of_converted_numbers() {
    let halves = np::arange(-0.5..2.5, DType::Int8);
    assert_eq!(halves.to_vec::<i8>().unwrap(), [0, 0, 0]);
    let steps = np::arange((0.0, 5.0, 1.5), DType::Int64);
    assert_eq!(steps.to_vec::<i64>().unwrap(), [0, 1, 2, 3]);
}

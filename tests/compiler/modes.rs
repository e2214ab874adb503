//! One definition for all modes: functions on special values, bit for bit the same eagerly, lazily, replayed and compiled.
//!
//! Elementwise functions get ordinary, subnormal, huge and infinite numbers, NaN and zeros of both signs; what adds up or
//! multiplies gets numbers whose sums and products are exact, with infinities, several NaN and zeros of both signs among
//! them. Lengths go from 1 to 40, past every width of vectors. The payload of a NaN does not count.
//!
//! `AUTOJIT_SEED` is the seed of the values, `AUTOJIT_CASES` how many draws there are of each length.

use autojit::index::step;
use autojit::{Array, DType, autojit, backends, ix, lazy, numpy as np};
use num_complex::{Complex32, Complex64};

use crate::differential::values::{Random, seed};

pub(crate) type Function = (&'static str, fn(&[Array]) -> Array);

macro_rules! functions {
    ($($name:ident($($argument:ident),*);)*) => {
        vec![$((stringify!($name), (|v: &[Array]| functions!(@call v $name $($argument)*)) as fn(&[Array]) -> Array)),*]
    };
    (@call $v:ident $name:ident x) => { np::$name(&$v[0]) };
    (@call $v:ident $name:ident x y) => { np::$name(&$v[0], &$v[1]) };
}

/// Functions of single elements.
pub(crate) fn elementwise() -> Vec<Function> {
    let mut all: Vec<Function> = functions! {
        negative(x); absolute(x); square(x); sign(x); sqrt(x); reciprocal(x); exp(x); exp2(x); expm1(x);
        log(x); log2(x); log10(x); log1p(x); sin(x); cos(x); tan(x); arcsin(x); arccos(x); arctan(x);
        sinh(x); cosh(x); tanh(x); conj(x); real(x); imag(x); logical_not(x); isnan(x); isinf(x); isfinite(x);
        floor(x); ceil(x); trunc(x); rint(x); cbrt(x); arcsinh(x); arccosh(x); arctanh(x); erf(x); lgamma(x); invert(x);
        add(x, y); subtract(x, y); multiply(x, y); divide(x, y); floor_divide(x, y); remainder(x, y);
        arctan2(x, y); maximum(x, y); minimum(x, y); equal(x, y); not_equal(x, y); less(x, y); less_equal(x, y);
        greater(x, y); greater_equal(x, y); logical_and(x, y); logical_or(x, y); logical_xor(x, y); fmod(x, y);
        hypot(x, y); copysign(x, y); bitwise_and(x, y); bitwise_or(x, y); bitwise_xor(x, y); left_shift(x, y);
        right_shift(x, y); fmax(x, y); fmin(x, y); heaviside(x, y); logaddexp(x, y); logaddexp2(x, y);
        float_power(x, y); outer(x, y); fabs(x); deg2rad(x); rad2deg(x); sinc(x); positive(x);
    };
    all.extend([
        (
            "power",
            (|v| np::power(&v[0], &v[1])) as fn(&[Array]) -> Array,
        ),
        ("power 2", |v| np::power(&v[0], 2.0)),
        ("power of integers", |v| np::power(&v[0], 2)),
        ("power 0-d", |v| np::power(&v[0], &v[3])),
        ("power of one", |v| {
            np::power(&v[0], np::reshape(&v[3], [1]))
        }),
        ("power of twos", |v| {
            np::power(&v[0], np::full_like(&v[0], 2.0, ..))
        }),
        ("power 0.5", |v| np::power(&v[0], 0.5)),
        ("power -1", |v| np::power(&v[0], -1.0)),
        ("round", |v| np::round(&v[0], ..)),
        ("round 2", |v| np::round(&v[0], 2)),
        ("round -2", |v| np::round(&v[0], -2)),
        ("angle", |v| np::angle(&v[0], ..)),
        ("nan_to_num", |v| np::nan_to_num(&v[0], ..)),
        ("clip", |v| np::clip(&v[0], -1.0, 1.0)),
        ("where", |v| {
            np::where_(np::less(&v[0], &v[1]), &v[0], &v[1])
        }),
        ("isclose", |v| np::isclose(&v[0], &v[1], ..)),
        ("plus", |v| &v[0] + 0.0),
        ("times", |v| &v[0] * -1.0),
        ("chain", |v| {
            np::exp(np::negative(np::square(&v[0]))) * &v[1] - &v[0]
        }),
        ("f32", |v| v[0].astype(DType::Float32)),
        ("f64", |v| v[0].astype(DType::Float64)),
        ("c64", |v| v[0].astype(DType::Complex64)),
        ("c128", |v| v[0].astype(DType::Complex128)),
        ("i64", |v| v[0].astype(DType::Int64)),
        ("i32", |v| v[0].astype(DType::Int32)),
        ("u8", |v| v[0].astype(DType::Uint8)),
        ("bool", |v| v[0].astype(DType::Bool)),
        ("rows", |v| np::multiply(&v[2], &v[0])),
        ("columns", |v| {
            np::maximum(np::transpose(&v[2], ..), np::expand_dims(&v[0], -1))
        }),
        ("reversed", |v| np::exp(np::flip(&v[0], ..))),
        ("strided", |v| np::log(v[0].get(step(.., 2)))),
    ]);
    all
}

/// Functions that bring elements together, or into order.
pub(crate) fn together() -> Vec<Function> {
    vec![
        ("sum", |v| np::sum(&v[0], ..)),
        ("prod", |v| np::prod(&v[0], ..)),
        ("min", |v| np::min(&v[0], ..)),
        ("max", |v| np::max(&v[0], ..)),
        ("any", |v| np::any(&v[0], ..)),
        ("all", |v| np::all(&v[0], ..)),
        ("argmin", |v| np::argmin(&v[0], ..)),
        ("argmax", |v| np::argmax(&v[0], ..)),
        ("ptp", |v| np::ptp(&v[0], ..)),
        ("nansum", |v| np::nansum(&v[0], ..)),
        ("nanprod", |v| np::nanprod(&v[0], ..)),
        ("nanmin", |v| np::nanmin(&v[0], ..)),
        ("nanmax", |v| np::nanmax(&v[0], ..)),
        ("count_nonzero", |v| np::count_nonzero(&v[0], ..)),
        ("reversed min", |v| np::min(np::flip(&v[0], ..), ..)),
        ("reversed max", |v| np::max(np::flip(&v[0], ..), ..)),
        ("reversed prod", |v| np::prod(np::flip(&v[0], ..), ..)),
        ("min of negatives", |v| np::min(np::negative(&v[0]), ..)),
        ("max of sums", |v| np::max(np::add(&v[0], &v[1]), ..)),
        ("sum of products", |v| {
            np::sum(np::multiply(&v[0], &v[1]), ..)
        }),
        ("sum of negatives", |v| np::sum(np::negative(&v[0]), ..)),
        ("sum 0", |v| np::sum(&v[2], 0)),
        ("sum 1", |v| np::sum(&v[2], 1)),
        ("sum all", |v| np::sum(&v[2], ..)),
        ("sum over nothing", |v| np::sum(&v[0], np::axis([0_i64; 0]))),
        ("prod over nothing", |v| {
            np::prod(&v[0], np::axis([0_i64; 0]))
        }),
        ("prod 0", |v| np::prod(&v[2], 0)),
        ("prod 1", |v| np::prod(&v[2], 1)),
        ("prod all", |v| np::prod(&v[2], ..)),
        ("prod t0", |v| np::prod(np::transpose(&v[2], ..), 0)),
        ("prod t", |v| np::prod(np::transpose(&v[2], ..), ..)),
        ("min 0", |v| np::min(&v[2], 0)),
        ("min 1", |v| np::min(&v[2], 1)),
        ("min all", |v| np::min(&v[2], ..)),
        ("max 0", |v| np::max(&v[2], 0)),
        ("max 1", |v| np::max(&v[2], 1)),
        ("max t", |v| np::max(np::transpose(&v[2], ..), ..)),
        ("max t0", |v| np::max(np::transpose(&v[2], ..), 0)),
        ("max t1", |v| np::max(np::transpose(&v[2], ..), 1)),
        ("min t", |v| np::min(np::transpose(&v[2], ..), ..)),
        ("argmin t", |v| np::argmin(np::transpose(&v[2], ..), ..)),
        ("argmax 0", |v| np::argmax(&v[2], 0)),
        ("cumsum", |v| np::cumsum(&v[0], ..)),
        ("cumprod", |v| np::cumprod(&v[0], ..)),
        ("cumsum 0", |v| np::cumsum(&v[2], 0)),
        ("cumprod 0", |v| np::cumprod(&v[2], 0)),
        ("sort", |v| np::sort(&v[0], ..)),
        ("argsort", |v| np::argsort(&v[0], ..)),
        ("sort 0", |v| np::sort(&v[2], 0)),
        ("argsort 0", |v| np::argsort(&v[2], 0)),
        ("inner", |v| np::inner(&v[0], &v[1])),
        ("inner 2", |v| np::inner(&v[2], &v[2])),
        ("inner numbers", |v| {
            np::inner(
                np::reshape(&v[3], [1, 1]),
                v[0].get(ix![..1]).reshape([1, 1]),
            )
        }),
        ("tensordot numbers", |v| {
            np::tensordot(
                np::reshape(&v[3], [1, 1]),
                v[0].get(ix![..1]).reshape([1, 1]),
                2,
            )
        }),
        ("tensordot outer", |v| np::tensordot(&v[0], &v[1], 0)),
        ("tensordot one", |v| {
            np::tensordot(np::expand_dims(&v[0], 1), np::expand_dims(&v[1], 0), 1)
        }),
        ("tensordot", |v| {
            np::tensordot(&v[2], np::transpose(&v[2], ..), 1)
        }),
        ("tensordot 2", |v| np::tensordot(&v[2], &v[2], 2)),
        ("dot", |v| np::dot(&v[2], &v[0])),
        ("vdot", |v| np::vdot(&v[0], &v[1])),
        ("matmul", |v| np::matmul(&v[2], np::transpose(&v[2], ..))),
        ("matmul columns", |v| {
            np::matmul(np::expand_dims(&v[0], 1), np::expand_dims(&v[1], 0))
        }),
        ("matmul rows", |v| {
            np::matmul(np::transpose(&v[2], ..), &v[2])
        }),
        ("kron", |v| np::kron(&v[0], &v[1])),
        ("trace", |v| np::trace(np::outer(&v[0], &v[1]), ..)),
        ("einsum i,i->", |v| np::einsum("i,i->", [&v[0], &v[1]])),
        ("einsum i,i->i", |v| np::einsum("i,i->i", [&v[0], &v[1]])),
        ("einsum ij,kj->ik", |v| {
            np::einsum("ij,kj->ik", [&v[2], &v[2]])
        }),
        ("einsum i->", |v| np::einsum("i->", [&v[0]])),
        ("einsum ij->j", |v| np::einsum("ij->j", [&v[2]])),
        ("einsum ki,kj->ij", |v| {
            np::einsum("ki,kj->ij", [v[2].get(ix![..1]), v[2].get(ix![..1])])
        }),
        ("einsum i,i,j->j", |v| {
            np::einsum("i,i,j->j", [&v[0], &v[0], &v[1]])
        }),
        ("diff", |v| np::diff(&v[0], ..)),
        ("norm inf", |v| {
            np::linalg::norm(&v[0], np::ord(f64::INFINITY))
        }),
        ("norm -inf", |v| {
            np::linalg::norm(&v[0], np::ord(f64::NEG_INFINITY))
        }),
        ("softmax of zeros", |v| {
            np::softmax(np::multiply(&v[0], 0.0), ..)
        }),
        ("triu", |v| np::triu(&v[2], ..)),
        ("roll", |v| np::roll(&v[0], 1, ..)),
        ("take", |v| np::take(&v[0], np::argsort(&v[1], ..), ..)),
        ("at add", |v| {
            v[0].at(np::zeros_like(&v[0], np::dtype(DType::Int64)))
                .add(&v[1])
        }),
        ("at multiply", |v| {
            v[0].at(np::zeros_like(&v[0], np::dtype(DType::Int64)))
                .multiply(&v[1])
        }),
        ("at min", |v| {
            v[0].at(np::zeros_like(&v[0], np::dtype(DType::Int64)))
                .min(&v[1])
        }),
        ("at max", |v| {
            v[0].at(np::zeros_like(&v[0], np::dtype(DType::Int64)))
                .max(&v[1])
        }),
    ]
}

/// Numbers for [`elementwise`].
fn any_real(random: &mut Random, single: bool) -> f64 {
    let (smallest, tiny, huge) = if single {
        (1e-45, 1.1e-38, f64::from(f32::MAX))
    } else {
        (5e-324, 1.1e-308, f64::MAX)
    };
    let special = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        2.0,
        -3.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        -f64::NAN,
        smallest,
        -smallest,
        tiny,
        -tiny,
        huge,
        -huge,
        1e16,
        -745.5,
        709.5,
        1e22,
        1e-310,
    ];
    match random.below(3) {
        0 => special[random.below(special.len())],
        1 => 10.0 * random.unit(),
        _ => random.unit() * 10_f64.powi(random.below(40) as i32 - 20),
    }
}

/// Numbers for [`together`]: sums and products of few of them are exact.
fn exact_real(random: &mut Random) -> f64 {
    let often = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, 1.0, -1.0, 0.0, -0.0];
    let seldom = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -f64::NAN];
    if random.below(16) == 0 {
        seldom[random.below(4)]
    } else {
        often[random.below(often.len())]
    }
}

/// An array, sometimes of zeros of both signs and one other number alone.
pub(crate) fn array(random: &mut Random, dtype: DType, shape: &[usize], exact: bool) -> Array {
    let zeros = random.below(4) == 0;
    let single = matches!(dtype.real(), DType::Float32);
    let mut draw = || match (zeros, exact) {
        (true, _) => [0.0, -0.0][random.below(2)],
        (false, true) => exact_real(random),
        (false, false) => any_real(random, single),
    };
    let count: usize = shape.iter().product();
    let flat = match dtype {
        DType::Complex64 | DType::Complex128 => {
            let numbers: Vec<Complex64> =
                (0..count).map(|_| Complex64::new(draw(), draw())).collect();
            if dtype == DType::Complex64 {
                let narrow = |z: &Complex64| Complex32::new(z.re as f32, z.im as f32);
                Array::from(numbers.iter().map(narrow).collect::<Vec<_>>())
            } else {
                Array::from(numbers)
            }
        }
        DType::Float32 => Array::from((0..count).map(|_| draw() as f32).collect::<Vec<_>>()),
        DType::Float64 => Array::from((0..count).map(|_| draw()).collect::<Vec<_>>()),
        DType::Int8 => Array::from((0..count).map(|_| draw() as i8).collect::<Vec<_>>()),
        DType::Uint8 => Array::from((0..count).map(|_| draw() as u8).collect::<Vec<_>>()),
        DType::Int16 => Array::from((0..count).map(|_| draw() as i16).collect::<Vec<_>>()),
        DType::Uint16 => Array::from((0..count).map(|_| draw() as u16).collect::<Vec<_>>()),
        DType::Int32 => Array::from((0..count).map(|_| draw() as i32).collect::<Vec<_>>()),
        DType::Uint32 => Array::from((0..count).map(|_| draw() as u32).collect::<Vec<_>>()),
        DType::Int64 => Array::from((0..count).map(|_| draw() as i64).collect::<Vec<_>>()),
        DType::Uint64 => Array::from((0..count).map(|_| draw() as u64).collect::<Vec<_>>()),
        DType::Bool => Array::from((0..count).map(|_| draw() > 0.0).collect::<Vec<_>>()),
    };
    let shape: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
    np::reshape(flat, shape)
}

/// The elements as bits of their parts; any NaN as the same.
pub(crate) fn bits(x: &Array) -> Vec<u64> {
    let part = |x: f64| {
        if x.is_nan() {
            f64::NAN.to_bits()
        } else {
            x.to_bits()
        }
    };
    let flat = np::ravel(x);
    match x.dtype().unwrap() {
        DType::Complex64 | DType::Complex128 => {
            let numbers = flat
                .astype(DType::Complex128)
                .to_vec::<Complex64>()
                .unwrap();
            numbers
                .iter()
                .flat_map(|z| [part(z.re), part(z.im)])
                .collect()
        }
        DType::Float32 | DType::Float64 => {
            let numbers = flat.astype(DType::Float64).to_vec::<f64>().unwrap();
            numbers.into_iter().map(part).collect()
        }
        _ => {
            let numbers = flat.astype(DType::Int64).to_vec::<i64>().unwrap();
            numbers.into_iter().map(|i| i as u64).collect()
        }
    }
}

/// Every difference between the modes in the functions that take this dtype.
pub(crate) fn compare(
    functions: &[Function],
    dtype: DType,
    inputs: &[Array],
    failures: &mut Vec<String>,
) {
    let functions: Vec<&Function> = functions
        .iter()
        .filter(|(_, f)| f(inputs).check().is_ok())
        .collect();
    let run =
        |inputs: &[Array]| -> Vec<Array> { functions.iter().map(|(_, f)| f(inputs)).collect() };
    let eager = run(inputs);
    let lazily: Vec<Array> = inputs.iter().map(lazy::array).collect();
    let mut modes = vec![("lazy", lazy::compute(run(&lazily)).unwrap())];
    for backend in backends()
        .into_iter()
        .filter(|&b| b == "replay" || b == "cranelift")
    {
        let jit = autojit(|x: Vec<Array>| run(&x))
            .backend(backend)
            .strict(true);
        modes.push((backend, jit.call(inputs.to_vec()).unwrap()));
    }
    for (mode, results) in modes {
        for (((name, _), expected), got) in functions.iter().zip(&eager).zip(&results) {
            let same_type = got.ty().unwrap() == expected.ty().unwrap();
            if !same_type || bits(got) != bits(expected) {
                failures.push(format!(
                    "{name} of {dtype}: {mode} gives {got:?}, eager {expected:?}, for {:?}",
                    inputs.iter().map(|x| format!("{x:?}")).collect::<Vec<_>>()
                ));
            }
        }
    }
}

#[track_caller]
fn check(functions: &[Function], dtypes: &[DType], exact: bool) {
    // Without a number, each length comes with one of the dtypes.
    let draws: usize =
        std::env::var("AUTOJIT_CASES").map_or(0, |s| s.parse().expect("AUTOJIT_CASES is a number"));
    let mut random = Random::new(seed());
    let mut failures = Vec::new();
    for (number, &dtype) in dtypes.iter().enumerate() {
        for n in (1..=40).flat_map(|n| std::iter::repeat_n(n, draws.max(1))) {
            if draws == 0 && n % dtypes.len() != number {
                continue;
            }
            let inputs = [
                array(&mut random, dtype, &[n], exact),
                array(&mut random, dtype, &[n], exact),
                array(&mut random, dtype, &[3, n], exact),
                np::full_like(
                    array(&mut random, dtype, &[], exact),
                    [2.0, -1.0][n % 2],
                    ..,
                ),
            ];
            compare(functions, dtype, &inputs, &mut failures);
        }
    }
    let names: std::collections::BTreeSet<&str> = failures
        .iter()
        .filter_map(|text| text.split(": ").next())
        .collect();
    assert!(
        failures.is_empty(),
        "{} differences: {names:#?}\n{}",
        failures.len(),
        failures[..failures.len().min(12)].join("\n")
    );
}

const FLOATING: [DType; 2] = [DType::Float32, DType::Float64];
const COMPLEX: [DType; 2] = [DType::Complex64, DType::Complex128];
const WHOLE: [DType; 4] = [DType::Bool, DType::Uint8, DType::Int32, DType::Int64];
const STORED: [DType; 5] = [
    DType::Int8,
    DType::Int16,
    DType::Uint16,
    DType::Uint32,
    DType::Uint64,
];

#[test]
fn elementwise_functions_of_real_numbers() {
    check(&elementwise(), &FLOATING, false);
}

#[test]
fn elementwise_functions_of_complex_numbers() {
    check(&elementwise(), &COMPLEX, false);
}

#[test]
fn elementwise_functions_of_whole_numbers() {
    check(&elementwise(), &WHOLE, false);
}

#[test]
fn elementwise_functions_of_integers_that_are_only_stored() {
    check(&elementwise(), &STORED, false);
}

#[test]
fn sums_and_orders_of_real_numbers() {
    check(&together(), &FLOATING, true);
}

#[test]
fn sums_and_orders_of_complex_numbers() {
    check(&together(), &COMPLEX, true);
}

#[test]
fn sums_and_orders_of_whole_numbers() {
    check(&together(), &WHOLE, true);
}

#[test]
fn sums_and_orders_of_integers_that_are_only_stored() {
    check(&together(), &STORED, true);
}

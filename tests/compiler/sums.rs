//! One order of summation: sums, means, products, dots and norms of rounded numbers, bit for bit the same eagerly, lazily, replayed,
//! compiled and by the reference, whatever the shape, the axes, the strides and what is fused with them.
//!
//! Run under each `AUTOJIT_TARGET` it says that targets agree, as eager arrays know nothing of them. Products of matrices are not
//! among these: they add in an order of their own. `AUTOJIT_CASES` multiplies the number of shapes.

use autojit::index::step;
use autojit::ir::HostArray;
use autojit::{Array, DType, autojit, ix, numpy as np};

use crate::differential::values::{Random, seed};
use crate::modes::{Function, bits, compare};

/// Over all, some or one of three axes; `v[1]` has the last axis and `v[2]` the first.
fn sums() -> Vec<Function> {
    vec![
        ("sum", |v| np::sum(&v[0], ..)),
        ("sum 0", |v| np::sum(&v[0], 0)),
        ("sum 1", |v| np::sum(&v[0], 1)),
        ("sum 2", |v| np::sum(&v[0], 2)),
        ("sum 0 1", |v| np::sum(&v[0], np::axis([0, 1]))),
        ("sum 0 2", |v| np::sum(&v[0], np::axis([0, 2]))),
        ("sum 1 2", |v| np::sum(&v[0], np::axis([1, 2]))),
        ("sum t", |v| np::sum(np::transpose(&v[0], ..), ..)),
        ("sum t 0", |v| np::sum(np::transpose(&v[0], ..), 0)),
        ("sum t 2", |v| np::sum(np::transpose(&v[0], ..), 2)),
        ("sum t 0 1", |v| {
            np::sum(np::transpose(&v[0], ..), np::axis([0, 1]))
        }),
        ("sum reversed", |v| np::sum(np::flip(&v[0], ..), ..)),
        ("sum strided", |v| np::sum(v[0].get(step(.., 2)), ..)),
        ("sum part", |v| np::sum(v[0].get(ix![.., .., 1..]), ..)),
        ("sum part 0 2", |v| {
            np::sum(v[0].get(ix![.., .., 1..]), np::axis([0, 2]))
        }),
        ("sum scaled", |v| np::sum(&v[0] * &v[1], ..)),
        ("sum scaled 0", |v| np::sum(&v[0] * &v[1], 0)),
        ("sum scaled 2", |v| np::sum(&v[0] * &v[1], 2)),
        ("sum scaled 0 2", |v| {
            np::sum(&v[0] * &v[1], np::axis([0, 2]))
        }),
        ("sum outer", |v| {
            np::sum(np::multiply(np::expand_dims(&v[2], 1), &v[1]), ..)
        }),
        ("sum squares", |v| np::sum(&v[0] * &v[0] - &v[1], ..)),
        ("sum exp", |v| np::sum(np::exp(&v[0]), ..)),
        ("sum exp 0", |v| np::sum(np::exp(&v[0]), 0)),
        ("sum exp 2", |v| np::sum(np::exp(&v[0]) * &v[1], 2)),
        ("sum exp part", |v| {
            np::sum(np::exp(v[0].get(ix![.., .., 1..])), ..)
        }),
        ("sum single", |v| {
            np::sum((&v[0] * 0.1).astype(DType::Complex64), 2)
        }),
        ("sum double", |v| {
            np::sum(v[0].astype(DType::Complex128) * &v[1], 2)
        }),
        ("mean", |v| np::mean(&v[0], ..)),
        ("mean 0", |v| np::mean(&v[0], 0)),
        ("mean 2", |v| np::mean(&v[0], 2)),
        ("var", |v| np::var(&v[0], ..)),
        ("var 0 2", |v| np::var(&v[0], np::axis([0, 2]))),
        ("std", |v| np::std(&v[0], ..)),
        ("std 1", |v| np::std(&v[0], 1)),
        ("std t", |v| np::std(np::transpose(&v[0], ..), ..)),
        ("centred", |v| {
            np::sum((&v[0] - np::mean(&v[0], ..)) * &v[1], 2)
        }),
        ("prod", |v| np::prod(&v[0] * 0.01 + 1.0, ..)),
        ("prod 0", |v| np::prod(&v[0] * 0.1 + 1.0, 0)),
        ("prod 1", |v| np::prod(&v[0] * 0.1 + 1.0, 1)),
        ("prod 0 2", |v| {
            np::prod(&v[0] * 0.01 + 1.0, np::axis([0, 2]))
        }),
        ("prod t", |v| {
            np::prod(np::transpose(&v[0], ..) * 0.01 + 1.0, ..)
        }),
        ("norm", |v| np::linalg::norm(np::ravel(&v[0]), ..)),
        ("norm 1", |v| np::linalg::norm(&v[1], np::ord(1.0))),
        ("norm 3", |v| np::linalg::norm(&v[1], np::ord(3.0))),
        ("frobenius", |v| np::linalg::norm(np::sum(&v[0], 0), ..)),
        ("dot", |v| np::dot(&v[1], &v[1])),
        ("dot of sums", |v| {
            np::dot(&v[1], np::sum(&v[0], np::axis([0, 1])))
        }),
        ("vdot", |v| np::vdot(&v[0], &v[0])),
        ("inner", |v| np::inner(&v[2], &v[2])),
        ("matmul", |v| np::matmul(&v[1], &v[1])),
        ("trace", |v| np::trace(np::outer(&v[1], &v[2]), ..)),
        ("einsum ijk->", |v| np::einsum("ijk->", [&v[0]])),
        ("einsum ijk->j", |v| np::einsum("ijk->j", [&v[0]])),
        ("einsum ijk->ki", |v| np::einsum("ijk->ki", [&v[0]])),
        ("einsum i,i->", |v| np::einsum("i,i->", [&v[1], &v[1]])),
        ("einsum ijk,ijk->", |v| {
            np::einsum("ijk,ijk->", [&v[0], &v[0]])
        }),
        ("tensordot 3", |v| np::tensordot(&v[0], &v[0], 3)),
        ("average", |v| np::average(&v[0], 2)),
    ]
}

/// Numbers of a few magnitudes, none of which makes a sum exact.
fn rounded(random: &mut Random, dtype: DType, shape: &[usize]) -> Array {
    let count: usize = shape.iter().product();
    let mut draw = || -> Array {
        let numbers = (0..count).map(|_| {
            let magnitude = 10_f64.powi(random.below(4) as i32 - 3);
            (random.unit() - 0.5) * magnitude
        });
        Array::from(numbers.collect::<Vec<f64>>())
    };
    let flat = if dtype.is_complex() {
        let (re, im) = (draw(), draw());
        re + im * num_complex::Complex64::new(0.0, 1.0)
    } else {
        draw()
    };
    let shape: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
    np::reshape(flat.astype(dtype), shape)
}

#[test]
fn sums_are_in_one_order() {
    let cases: usize =
        std::env::var("AUTOJIT_CASES").map_or(1, |s| s.parse().expect("AUTOJIT_CASES is a number"));
    let mut random = Random::new(seed());
    let mut failures = Vec::new();
    // Lengths around those of vectors, lanes, rows and blocks.
    let lengths = [
        1, 2, 3, 5, 7, 8, 13, 16, 17, 29, 31, 32, 33, 50, 64, 127, 256, 257, 300, 530,
    ];
    let dtypes = [
        DType::Float64,
        DType::Float32,
        DType::Complex128,
        DType::Complex64,
    ];
    for number in 0..12 * cases {
        let dtype = dtypes[number % dtypes.len()];
        let mut shape = [0; 3];
        loop {
            shape.fill_with(|| lengths[random.below(lengths.len())]);
            if shape.iter().product::<usize>() <= 6000 {
                break;
            }
        }
        let inputs = [
            rounded(&mut random, dtype, &shape),
            rounded(&mut random, dtype, &shape[2..]),
            rounded(&mut random, dtype, &shape[..1]),
        ];
        let before = failures.len();
        compare(&sums(), dtype, &inputs, &mut failures);
        if failures.len() > before {
            failures.insert(before, format!("of shape {shape:?}:"));
        }
    }
    let names: Vec<&str> = failures
        .iter()
        .filter_map(|text| text.split(" gives").next())
        .collect();
    assert!(
        failures.is_empty(),
        "{} differences: {names:#?}",
        names.len()
    );
}

#[test]
fn long_sums_are_in_one_order() {
    let mut random = Random::new(seed());
    let mut failures = Vec::new();
    for dtype in [DType::Float64, DType::Float32, DType::Complex64] {
        let x = rounded(&mut random, dtype, &[30_011]);
        let functions: Vec<Function> = vec![
            ("sum", |v| np::sum(&v[0], ..)),
            ("sum of columns", |v| {
                np::sum(np::reshape(v[0].get(ix![..30_000]), [10_000, 3]), 0)
            }),
            ("sum of a matrix", |v| {
                np::sum(np::reshape(v[0].get(ix![..30_000]), [1000, 30]), ..)
            }),
            ("sum of rows", |v| {
                np::sum(np::reshape(v[0].get(ix![..30_000]), [300, 100]), ..)
            }),
            ("sum of two columns", |v| {
                np::sum(
                    np::reshape(v[0].get(ix![..30_000]), [10_000, 3]).get(ix![.., 1..]),
                    ..,
                )
            }),
            ("dot", |v| np::dot(&v[0], &v[0])),
            ("std", |v| np::std(&v[0], ..)),
        ];
        compare(&functions, dtype, &[x], &mut failures);
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// The reference sums in the same order. Its elementary functions and its complex products round otherwise, so there are none.
#[test]
fn the_reference_sums_in_that_order() {
    let mut random = Random::new(seed());
    for (number, shape) in [[3, 5, 7], [2, 40, 9], [1, 1, 700], [31, 33, 3], [4, 16, 16]]
        .iter()
        .enumerate()
    {
        let plain = sums().into_iter().filter(|(name, _)| {
            name.starts_with("sum") && !name.contains("exp")
                || ["prod", "dot", "inner", "einsum", "trace", "norm"]
                    .iter()
                    .any(|start| name.starts_with(start) && *name != "norm 3")
        });
        for (name, function) in plain {
            for dtype in [DType::Float64, DType::Float32] {
                let x = [
                    rounded(&mut random, dtype, shape),
                    rounded(&mut random, dtype, &shape[2..]),
                    rounded(&mut random, dtype, &shape[..1]),
                ];
                let expected = function(&x);
                if expected.ty().is_err() {
                    continue;
                }
                let jit = autojit(|x: Vec<Array>| function(&x));
                let exported = jit.to_exported(x.to_vec()).unwrap();
                let hosts: Vec<HostArray> =
                    x.iter().map(|x| HostArray::try_from(x).unwrap()).collect();
                let got = exported.graph().evaluate(&hosts).unwrap();
                let got = Array::from(got[0].clone());
                assert_eq!(
                    bits(&got),
                    bits(&expected),
                    "{number}: {name} of {dtype} and {shape:?}"
                );
            }
        }
    }
}

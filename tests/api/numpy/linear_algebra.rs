//! Linear algebra at the edges, in every mode: nothing, one, many, NaN and infinity, and options.
//!
//! NumPy's results for ordinary input are in `tests/conformance`, and the agreement of engines in `tests/differential`.

use std::slice::from_ref;

use super::modes::{close, modes, same, ty, types};
use autojit::dispatch::{call, get_namespace};
use autojit::numpy::fft::FourierNorm;
use autojit::numpy::linalg::{QrMode, Transposition, Uplo};
use autojit::{Array, DType, Value, call, numpy as np};
use num_complex::Complex64;

fn square() -> Array {
    Array::from([[4.0, 1.0, 2.0], [1.0, 5.0, 3.0], [0.0, 1.0, 6.0]])
}

fn complex() -> Array {
    square() + &square().t() * Complex64::new(0.0, 0.5)
}

#[test]
fn nothing_has_a_decomposition() {
    let none = |shape: &[usize]| vec![np::zeros(shape, ..)];
    for shape in [&[0, 0][..], &[0, 3, 3], &[2, 0, 0]] {
        let x = none(shape);
        same(&x, |x| vec![np::linalg::inv(&x[0]), x[0].clone()]);
        same(&x, |x| vec![np::linalg::cholesky(&x[0], ..), x[0].clone()]);
        same(&x, |x| vec![np::linalg::expm(&x[0]), x[0].clone()]);
        same(&x, |x| {
            let (w, v) = np::linalg::eigh(&x[0], ..);
            vec![w * 2.0 + np::sum(v, -2), np::sum(&x[0], -1)]
        });
    }
    let x = none(&[0, 0]);
    assert_eq!(types(&x, |x| vec![np::linalg::det(&x[0])]), "f64[]");
    same(&x, |x| vec![np::linalg::det(&x[0]), Array::from(1.0)]);
    let x = none(&[2, 0, 0]);
    same(&x, |x| {
        vec![np::linalg::det(&x[0]), Array::from([1.0, 1.0])]
    });
    same(&x, |x| {
        vec![np::linalg::slogdet(&x[0]).1, Array::from([0.0, 0.0])]
    });
    let x = none(&[0, 3]);
    assert_eq!(types(&x, |x| vec![np::linalg::pinv(&x[0], ..)]), "f64[3,0]");
    assert_eq!(
        types(&x, |x| vec![np::linalg::matrix_rank(&x[0], ..)]),
        "i64[]"
    );
    let full = |x: &[Array]| {
        let (u, s, vh) = np::linalg::svd(&x[0], np::full_matrices(true));
        vec![u, s, vh]
    };
    assert_eq!(types(&x, full), "f64[0,0] f64[0] f64[3,3]");
    let complete = |x: &[Array]| {
        let (q, r) = np::linalg::qr(x[0].t(), QrMode::Complete);
        vec![q, r]
    };
    assert_eq!(types(&x, complete), "f64[3,3] f64[3,0]");
}

#[test]
fn dtypes_of_results() {
    let all = |x: &[Array]| {
        let (w, v) = np::linalg::eig(&x[0]);
        let (sign, logarithm) = np::linalg::slogdet(&x[0]);
        let (p, l, _) = np::linalg::lu(&x[0]);
        let (_, residuals, rank, _) = np::linalg::lstsq(&x[0], &x[0], ..);
        vec![
            w,
            v,
            sign,
            logarithm,
            p,
            l,
            residuals,
            rank,
            np::fft::fft(&x[0], ..),
        ]
    };
    let expected = [
        (
            DType::Bool,
            "c128[1] c128[1,1] f64[] f64[] f64[1,1] f64[1,1] f64[0] i32[] c128[1,1]",
        ),
        (
            DType::Uint8,
            "c128[1] c128[1,1] f64[] f64[] f64[1,1] f64[1,1] f64[0] i32[] c128[1,1]",
        ),
        (
            DType::Int64,
            "c128[1] c128[1,1] f64[] f64[] f64[1,1] f64[1,1] f64[0] i32[] c128[1,1]",
        ),
        (
            DType::Float32,
            "c64[1] c64[1,1] f32[] f32[] f32[1,1] f32[1,1] f32[0] i32[] c64[1,1]",
        ),
        (
            DType::Float64,
            "c128[1] c128[1,1] f64[] f64[] f64[1,1] f64[1,1] f64[0] i32[] c128[1,1]",
        ),
        (
            DType::Complex64,
            "c64[1] c64[1,1] c64[] f32[] f32[1,1] c64[1,1] f32[0] i32[] c64[1,1]",
        ),
        (
            DType::Complex128,
            "c128[1] c128[1,1] c128[] f64[] f64[1,1] c128[1,1] f64[0] i32[] c128[1,1]",
        ),
    ];
    for (dtype, expected) in expected {
        assert_eq!(types(&[np::ones([1, 1], dtype)], all), expected, "{dtype}");
    }
}

/// A one-dimensional right side is one vector, also for a batch of matrices; more axes are matrices.
#[test]
fn vectors_and_matrices_on_the_right() {
    let a = np::stack([square(), square() * 2.0, square() - 9.0], 0);
    let shapes = |b: Array| types(&[a.clone(), b], |x| vec![np::linalg::solve(&x[0], &x[1])]);
    assert_eq!(shapes(np::ones(3, ..)), "f64[3,3]");
    assert_eq!(shapes(np::ones([3, 3], ..)), "f64[3,3,3]");
    assert_eq!(shapes(np::ones([3, 1], ..)), "f64[3,3,1]");
    assert_eq!(shapes(np::ones([2, 1, 3, 4], ..)), "f64[2,3,3,4]");
    same(&[a.clone(), np::arange(3.0, ..)], |x| {
        let solution = np::linalg::solve(&x[0], &x[1]);
        let back = np::einsum("bij,bj->bi", [&x[0], &solution]);
        vec![back, np::broadcast_to(&x[1], [3, 3])]
    });
}

#[test]
fn triangles() {
    same(&[complex(), np::arange(6.0, ..)], |x| {
        let b = np::reshape(&x[1], [3, 2]);
        let mut wanted = Vec::new();
        for trans in [
            Transposition::None,
            Transposition::Transposed,
            Transposition::Adjoint,
        ] {
            for lower in [false, true] {
                let options = np::linalg::trans(trans);
                let options = if lower { options.lower() } else { options };
                let solution = np::linalg::solve_triangular(&x[0], &b, options);
                let triangle = if lower {
                    np::tril(&x[0], ..)
                } else {
                    np::triu(&x[0], ..)
                };
                let triangle = match trans {
                    Transposition::None => triangle,
                    Transposition::Transposed => triangle.t(),
                    Transposition::Adjoint => triangle.t().conj(),
                };
                wanted.push(np::matmul(triangle, solution));
            }
        }
        let count = wanted.len();
        vec![
            np::stack(wanted, 0),
            np::stack(vec![b; count], 0) + &x[0].get(0).get(0) * 0.0,
        ]
    });
    // The diagonal may be anything if it is not read.
    same(&[square()], |x| {
        let a = np::tril(&x[0], -1);
        let solution =
            np::linalg::solve_triangular(&a, [1.0, 2.0, 3.0], np::linalg::lower().unit_diagonal());
        let one = np::eye(3, ..);
        vec![
            np::matmul(a + one, solution),
            Array::from([1.0, 2.0, 3.0]) + np::sum(&x[0] * 0.0, 0),
        ]
    });
    same(&[square()], |x| {
        let spoiled = np::tril(&x[0], ..) + np::triu(&x[0] * f64::NAN, 1);
        let solution = np::linalg::solve_triangular(spoiled, [4.0, 6.0, 7.0], np::linalg::lower());
        vec![solution, Array::from([1.0, 1.0, 1.0])]
    });
}

/// One triangle of a Hermitian matrix is read, and no imaginary part of the diagonal.
#[test]
fn one_triangle_is_enough() {
    let a = complex();
    let hermitian = np::matmul(&a, a.t().conj());
    for uplo in [Uplo::Lower, Uplo::Upper] {
        let spoil = |x: Array| match uplo {
            Uplo::Lower => np::tril(x, ..),
            Uplo::Upper => np::triu(x, ..),
        };
        let spoiled = spoil(hermitian.clone()) + np::eye(3, ..) * Complex64::new(0.0, 3.0);
        let run = match uplo {
            Uplo::Lower => |x: &[Array]| {
                let (w, v) = np::linalg::eigh(&x[0], Uplo::Lower);
                vec![
                    w,
                    v,
                    np::linalg::eigvalsh(&x[0], ..),
                    np::linalg::cholesky(&x[0], ..),
                ]
            },
            Uplo::Upper => |x: &[Array]| {
                let (w, v) = np::linalg::eigh(&x[0], Uplo::Upper);
                let values = np::linalg::eigvalsh(&x[0], Uplo::Upper);
                vec![w, v, values, np::linalg::cholesky(&x[0], Uplo::Upper)]
            },
        };
        for (mode, results) in modes(&[spoiled], run) {
            let [w, v, values, factor] = results.as_slice() else {
                panic!("{mode}: four results");
            };
            let back = np::matmul(v * w, v.t().conj());
            close(&back, &hermitian, mode);
            close(w, values, mode);
            let factor = match uplo {
                Uplo::Lower => factor.clone(),
                Uplo::Upper => factor.t().conj(),
            };
            close(&np::tril(&factor, ..), &factor, mode);
            close(&np::matmul(&factor, factor.t().conj()), &hermitian, mode);
        }
    }
}

#[test]
fn factors_of_elimination() {
    for shape in [[3i64, 3], [5, 3], [3, 5]] {
        let x = np::sin(np::reshape(
            np::arange(15, ..).get(0..shape[0] * shape[1]),
            shape,
        ));
        for (mode, results) in modes(&[x.clone(), x * Complex64::new(0.5, 1.0)], |x| {
            let (p, l, u) = np::linalg::lu(&x[0]);
            let (cp, cl, cu) = np::linalg::lu(&x[1]);
            vec![x[0].clone(), p, l, u, x[1].clone(), cp, cl, cu]
        }) {
            for part in results.chunks(4) {
                let [x, p, l, u] = part else { panic!() };
                close(&np::matmul(np::matmul(p, l), u), x, mode);
                close(&np::tril(l, ..), l, mode);
                close(&np::triu(u, ..), u, mode);
                let ones = np::diagonal(l, ..);
                close(&ones, &np::ones_like(&ones, ..), mode);
                assert!(!p.dtype().unwrap().is_complex());
                assert!(
                    l.abs().max(..).item::<f64>().unwrap() < 1.0 + 1e-12
                        || l.dtype().unwrap().is_complex()
                );
            }
        }
    }
}

#[test]
fn least_squares_of_low_rank() {
    let a = Array::from([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]]);
    let b = Array::from([[1.0, 0.0], [2.0, 1.0], [3.0, 0.0]]);
    for (mode, results) in modes(&[a.clone(), b.clone()], |x| {
        let (solution, residuals, rank, s) = np::linalg::lstsq(&x[0], &x[1], ..);
        vec![solution, residuals, rank, s, np::linalg::pinv(&x[0], ..)]
    }) {
        // The smallest of all solutions is that of the pseudo-inverse.
        close(&results[0], &np::matmul(&results[4], &b), mode);
        let rest = np::sum(np::square(&b - np::matmul(&a, &results[0])), 0);
        close(&results[1], &rest, mode);
        assert_eq!(results[2].item::<i32>().unwrap(), 1, "{mode}");
        assert_eq!(ty(&results[3]), "f64[2]");
    }
    let ranks = |x: &[Array]| {
        let rank = |rcond: f64| np::linalg::lstsq(&x[0], &x[1], rcond).2;
        vec![
            np::stack([rank(1e-3), rank(1e-12), rank(-1.0)], 0),
            Array::from([1, 2, 2]),
        ]
    };
    same(
        &[a + Array::from([[1e-7, 0.0], [0.0, 0.0], [0.0, 0.0]]), b],
        ranks,
    );
}

/// Direct methods carry NaN and infinities on; nothing hangs or traps.
#[test]
fn what_is_not_finite() {
    for wild in [f64::NAN, f64::INFINITY] {
        let x = square() + np::eye(3, ..) * wild * Array::from([0.0, 1.0, 0.0]);
        let all = |x: &[Array]| {
            let (q, r) = np::linalg::qr(&x[0], ..);
            let (sign, logarithm) = np::linalg::slogdet(&x[0]);
            let solution = np::linalg::solve(&x[0], [1.0, 2.0, 3.0]);
            let parts = [
                q.sum(..),
                r.sum(..),
                sign,
                logarithm,
                np::linalg::det(&x[0]),
                solution.sum(..),
            ];
            let exponential = np::linalg::expm(&x[0]).sum(..);
            vec![
                np::stack(parts, 0),
                exponential,
                np::fft::fft(&x[0], ..).sum(..).real(),
            ]
        };
        let all = modes(&[x], all);
        for (mode, results) in &all {
            assert!(results[1].item::<f64>().unwrap().is_nan(), "{mode}");
            assert!(!results[2].item::<f64>().unwrap().is_finite(), "{mode}");
            close(&results[0], &all[0].1[0], mode);
        }
    }
}

#[test]
fn ranks_and_conditions() {
    let zero = np::zeros([2, 3, 3], ..);
    same(from_ref(&zero), |x| {
        vec![np::linalg::matrix_rank(&x[0], ..), Array::from([0, 0])]
    });
    same(&[zero], |x| {
        vec![np::linalg::cond(&x[0], ..), Array::from([f64::INFINITY; 2])]
    });
    // Singular and regular ones side by side: the rows of the second are exact multiples of each other.
    let several = Array::from(vec![
        0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 4.0, 1.0, 2.0, 3.0, 4.0,
    ])
    .reshape([3, 2, 2]);
    same(&[several], |x| {
        let conditions = [np::linalg::cond(&x[0], 1), np::linalg::cond(&x[0], "fro")];
        let infinite = f64::INFINITY;
        vec![
            np::stack(conditions, 0),
            Array::from([[infinite, infinite, 21.0], [infinite, infinite, 15.0]]),
        ]
    });
    same(&[Array::from([0.0, 3.0])], |x| {
        let ranks = [
            np::linalg::matrix_rank(&x[0], ..),
            np::linalg::matrix_rank(x[0].get(0), ..),
        ];
        vec![np::stack(ranks, 0), Array::from([1, 0])]
    });
    let diagonal = np::diag(Array::from([1e-3, 1.0, 100.0]), ..);
    same(from_ref(&diagonal), |x| {
        let rank = |options: np::linalg::Rank| np::linalg::matrix_rank(&x[0], options);
        let ranks = [
            rank(np::linalg::tol(1e-2)),
            rank(np::linalg::rtol(0.1).into()),
            rank(np::linalg::tol(0.0).hermitian()),
        ];
        vec![np::stack(ranks, 0), Array::from([2, 1, 3])]
    });
    same(&[diagonal], |x| {
        let cond = |order: &str| np::linalg::cond(&x[0], order);
        let conditions = [
            np::linalg::cond(&x[0], ..),
            np::linalg::cond(&x[0], -2),
            np::linalg::cond(&x[0], 1),
            np::linalg::cond(&x[0], f64::INFINITY),
            cond("nuc"),
        ];
        let norm = 101.001;
        vec![
            np::stack(conditions, 0),
            Array::from([1e5, 1e-5, 1e5, 1e5, norm * 1001.01]),
        ]
    });
}

#[test]
fn pseudo_inverses() {
    for (m, n) in [(3, 3), (5, 3), (3, 5)] {
        let x = np::cos(np::reshape(np::arange(m * n, ..), [2, m, n][1..].to_vec()));
        same(&[x], |x| {
            let inverse = np::linalg::pinv(&x[0], ..);
            vec![np::matmul(np::matmul(&x[0], inverse), &x[0]), x[0].clone()]
        });
    }
    same(&[square() + square().t()], |x| {
        let lower = np::tril(&x[0], ..);
        vec![
            np::linalg::pinv(lower, np::linalg::hermitian()),
            np::linalg::inv(&x[0]),
        ]
    });
    // What counts as zero is inverted to zero.
    same(&[np::diag(Array::from([1.0, 1e-3]), ..)], |x| {
        vec![
            np::linalg::pinv(&x[0], 0.1),
            np::diag(Array::from([1.0, 0.0]), ..),
        ]
    });
}

#[test]
fn powers() {
    let x = square();
    same(from_ref(&x), |x| {
        let fifth = np::linalg::matrix_power(&x[0], 5);
        let back = np::linalg::matrix_power(&x[0], -5);
        vec![np::matmul(fifth, back), np::eye(3, ..)]
    });
    let integers = np::reshape(np::arange(8, ..), [2, 2, 2]);
    let all = |x: &[Array]| {
        let power = |n| np::linalg::matrix_power(&x[0], n);
        vec![power(0), power(1), power(3), power(-1)]
    };
    assert_eq!(
        types(from_ref(&integers), all),
        "i64[2,2,2] i64[2,2,2] i64[2,2,2] f64[2,2,2]"
    );
    same(&[integers], |x| {
        let cube = np::matmul(np::matmul(&x[0], &x[0]), &x[0]);
        vec![np::linalg::matrix_power(&x[0], 3), cube]
    });
}

#[test]
fn chains_of_products() {
    let sizes = [30, 2, 20, 1, 10];
    let chain: Vec<Array> = sizes
        .windows(2)
        .map(|s| np::sin(np::reshape(np::arange(s[0] * s[1], ..), [s[0], s[1]])))
        .collect();
    same(&chain, |x| {
        let one_by_one = x[1..].iter().fold(x[0].clone(), |y, x| np::matmul(y, x));
        vec![np::linalg::multi_dot(x), one_by_one]
    });
    let vectors = [
        np::arange(4.0, ..),
        np::ones([4, 3], ..),
        np::arange(3.0, ..),
    ];
    same(&vectors, |x| {
        vec![np::linalg::multi_dot(x), Array::from(18.0)]
    });
    let types_of = |x: &[Array]| {
        vec![
            np::linalg::multi_dot(&x[..2]),
            np::linalg::multi_dot(&x[1..]),
        ]
    };
    assert_eq!(types(&vectors, types_of), "f64[3] f64[4]");
    let few = np::linalg::multi_dot([np::ones([2, 2], ..)])
        .check()
        .unwrap_err();
    assert!(
        few.to_string()
            .starts_with("expected at least two arrays, got 1 in multi_dot")
    );
}

/// NumPy's names and keywords, also those that no conformance case has.
#[test]
fn by_name() {
    let x = &square();
    let r: Array = call!("linalg.qr", x, mode = "r")
        .unwrap()
        .try_into()
        .unwrap();
    close(&r, &np::linalg::qr(x, ..).1, "r");
    let (q, _): (Array, Array) = call!("linalg.qr", x, mode = "complete")
        .unwrap()
        .try_into()
        .unwrap();
    assert_eq!(ty(&q), "f64[3,3]");
    let s: Array = call!("linalg.svd", x, compute_uv = false)
        .unwrap()
        .try_into()
        .unwrap();
    close(&s, &np::linalg::svdvals(x), "svdvals");
    let upper: Array = call!("linalg.eigvalsh", x, UPLO = "U")
        .unwrap()
        .try_into()
        .unwrap();
    close(&upper, &np::linalg::eigvalsh(x, Uplo::Upper), "eigvalsh");
    let b = Array::from([1.0, 2.0, 3.0]);
    let solved: Array = call!("linalg.solve_triangular", x, &b, trans = "C", lower = true)
        .unwrap()
        .try_into()
        .unwrap();
    close(
        &np::matmul(np::tril(x, ..).t(), solved),
        &b,
        "solve_triangular",
    );
    let (_, _, rank, _): (Array, Array, Array, Array) =
        call!("linalg.lstsq", x, &b).unwrap().try_into().unwrap();
    assert_eq!(rank.item::<i32>().unwrap(), 3);
    let ortho: Array = call!("fft.fft", &b, norm = "ortho")
        .unwrap()
        .try_into()
        .unwrap();
    close(&ortho, &np::fft::fft(&b, FourierNorm::Ortho), "norm");
    let grid: Array = call!("fft.fftn", x, s = [2, 4], axes = [1, 0])
        .unwrap()
        .try_into()
        .unwrap();
    assert_eq!(ty(&grid), "c128[4,2]");
    let product: Array = call("linalg.multi_dot", &[Value::from(vec![x, x, &b])], &[])
        .unwrap()
        .try_into()
        .unwrap();
    assert_eq!(ty(&product), "f64[3]");

    let message = |result: autojit::Result<Value>| result.unwrap_err().to_string();
    let wrong = message(call!("linalg.qr", x, mode = "raw"));
    assert!(
        wrong.starts_with("`raw` is not a mode of qr, expected one of reduced, complete"),
        "{wrong}"
    );
    let wrong = message(call!("fft.fft", x, norm = "none"));
    assert!(
        wrong.starts_with(
            "`none` is not a norm of Fourier transforms, expected one of backward, ortho, forward"
        ),
        "{wrong}"
    );
    let wrong = message(call!("linalg.eigh", x, UPLO = "X"));
    assert!(
        wrong.starts_with("the argument UPLO is the string \"X\", expected one of L, U"),
        "{wrong}"
    );
    let wrong = message(call!("linalg.pinv", x, rcond = 0.1, rtol = 0.1));
    assert!(
        wrong.starts_with("the arguments rcond and rtol mean the same"),
        "{wrong}"
    );
}

#[test]
fn in_a_namespace() {
    let x = square();
    let xp = get_namespace(&x);
    close(&xp.linalg().inv(&x), &np::linalg::inv(&x), "inv");
    let (w, _) = xp.linalg().eigh(&x, Uplo::Lower);
    assert_eq!(ty(&w), "f64[3]");
    close(
        &xp.fft().fft(&x, ..).real(),
        &np::fft::fft(&x, ..).real(),
        "fft",
    );
    let single = get_namespace(&x.astype(DType::Float32));
    assert_eq!(ty(&single.fft().fftfreq(4, ..)), "f32[4]");
}

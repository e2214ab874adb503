//! Bad and odd input: an error or an answer as on ndarray, eagerly and compiled; never a panic or the end of the program.

use autojit::ir::{Graph, HostArray};
use autojit::{Array, DType, Error, Result, autojit, ix, numpy as np, run_graph};
use num_complex::Complex64;

use super::array;

/// The outcome: the values, or the message without the place.
type Outcome = Result<Vec<Array>, String>;

fn message(error: &Error) -> String {
    error
        .to_string()
        .split(", at ")
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn outcome(results: Vec<Array>) -> Outcome {
    let checked = results
        .into_iter()
        .map(Array::check)
        .collect::<Result<Vec<Array>, _>>();
    checked.map_err(|e| message(&e))
}

/// Runs a function of any number of results on ndarray, on torch, and compiled.
fn everywhere(f: impl Fn(Array) -> Vec<Array>, x: &Array) -> [Outcome; 3] {
    let in_torch = x.to("torch");
    let compiled = autojit(|x: Array| f(x)).strict(true);
    [
        outcome(f(x.clone())),
        outcome(f(in_torch.clone())),
        compiled
            .call(&in_torch)
            .map_err(|e| message(&e))
            .and_then(outcome),
    ]
}

/// All fail, or all give arrays of the same types.
#[track_caller]
fn agree(name: &str, f: impl Fn(Array) -> Vec<Array>, x: &Array) {
    let ty = x.ty().unwrap();
    let [expected, eager, compiled] = everywhere(f, x);
    for (way, got) in [("eager", eager), ("compiled", compiled)] {
        match (&got, &expected) {
            (Err(got), Err(_)) => assert!(
                !got.contains('\n') && !got.contains("bug"),
                "{name} of {ty}, {way}: {got}"
            ),
            (Ok(got), Ok(expected)) => {
                for (got, expected) in got.iter().zip(expected) {
                    assert_eq!(
                        got.ty().unwrap(),
                        expected.ty().unwrap(),
                        "{name} of {ty}, {way}"
                    );
                }
            }
            _ => panic!("{name} of {ty}, {way}: {got:?}, not {expected:?}"),
        }
    }
}

type Function = (&'static str, fn(Array) -> Vec<Array>);

/// Every function of linear algebra.
const LINEAR_ALGEBRA: [Function; 20] = [
    ("qr", |x| {
        let (q, r) = np::linalg::qr(x, ..);
        vec![q, r]
    }),
    ("svd", |x| {
        let (u, s, v) = np::linalg::svd(x, ..);
        vec![u, s, v]
    }),
    ("svdvals", |x| vec![np::linalg::svdvals(x)]),
    ("eigh", |x| {
        let (w, v) = np::linalg::eigh(x, ..);
        vec![w, v]
    }),
    ("eigvalsh", |x| vec![np::linalg::eigvalsh(x, ..)]),
    ("eig", |x| {
        let (w, v) = np::linalg::eig(x);
        vec![w, v]
    }),
    ("eigvals", |x| vec![np::linalg::eigvals(x)]),
    ("cholesky", |x| vec![np::linalg::cholesky(x, ..)]),
    ("lu", |x| {
        let (p, l, u) = np::linalg::lu(x);
        vec![p, l, u]
    }),
    ("inv", |x| vec![np::linalg::inv(x)]),
    ("det", |x| vec![np::linalg::det(x)]),
    ("slogdet", |x| {
        let (s, l) = np::linalg::slogdet(x);
        vec![s, l]
    }),
    ("expm", |x| vec![np::linalg::expm(x)]),
    ("solve", |x| vec![np::linalg::solve(&x, &x)]),
    ("solve_triangular", |x| {
        vec![np::linalg::solve_triangular(&x, &x, ..)]
    }),
    ("lstsq", |x| {
        let (x, residuals, rank, s) = np::linalg::lstsq(&x, &x, ..);
        vec![x, residuals, rank, s]
    }),
    ("pinv", |x| vec![np::linalg::pinv(x, ..)]),
    ("matrix_rank", |x| vec![np::linalg::matrix_rank(x, ..)]),
    ("norm", |x| vec![np::linalg::norm(x, ..)]),
    ("matrix_power", |x| vec![np::linalg::matrix_power(x, -1)]),
];

fn matrix(numbers: &[f64], shape: &[i64], dtype: DType) -> Array {
    np::astype(Array::from(numbers.to_vec()), dtype).reshape(shape.to_vec())
}

const FLOATING: [DType; 4] = [
    DType::Float32,
    DType::Float64,
    DType::Complex64,
    DType::Complex128,
];

#[test]
fn matrices_that_are_not_finite_end_nothing() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for place in 0..4 {
            let mut numbers = [4.0, 1.0, 1.0, 3.0];
            numbers[place] = number;
            for dtype in FLOATING {
                let x = matrix(&numbers, &[2, 2], dtype);
                for (name, f) in LINEAR_ALGEBRA {
                    // What comes out may be NaN in one library and an error in the other; it must come out.
                    for outcome in everywhere(f, &x) {
                        if let Err(message) = outcome {
                            assert!(
                                !message.contains('\n') && !message.contains("bug"),
                                "{name}: {message}"
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn matrices_of_every_shape_are_decomposed_or_refused() {
    let shapes: [&[i64]; 12] = [
        &[],
        &[0],
        &[3],
        &[0, 0],
        &[0, 3],
        &[3, 0],
        &[1, 1],
        &[2, 3],
        &[3, 2],
        &[0, 2, 2],
        &[2, 0, 0],
        &[2, 2, 2],
    ];
    for shape in shapes {
        let size: i64 = shape.iter().product();
        let numbers: Vec<f64> = (0..size).map(|i| (i as f64 * 1.7).sin() + 0.1).collect();
        for dtype in [DType::Float64, DType::Complex128] {
            let x = matrix(&numbers, shape, dtype);
            for (name, f) in LINEAR_ALGEBRA {
                if name == "cholesky" && size > 1 {
                    continue;
                }
                agree(name, f, &x);
            }
        }
    }
}

#[test]
fn singular_matrices_are_refused_in_the_same_words() {
    let x = matrix(&[1.0, 2.0, 2.0, 4.0], &[2, 2], DType::Float64);
    let zero = matrix(&[0.0; 4], &[2, 2], DType::Float64);
    for (name, f) in LINEAR_ALGEBRA {
        agree(name, f, &zero);
        if ["inv", "solve", "cholesky", "solve_triangular"].contains(&name) {
            let x = if name == "inv" || name == "solve" {
                &x
            } else {
                &zero
            };
            let [expected, eager, compiled] = everywhere(f, x);
            let expected = expected.unwrap_err();
            assert_eq!(
                (eager.unwrap_err(), compiled.unwrap_err()),
                (expected.clone(), expected)
            );
        }
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused_in_the_same_words() {
    let functions: [Function; 14] = [
        ("add", |x| vec![&x + np::zeros([7], np::like(&x))]),
        ("matmul", |x| {
            vec![np::matmul(&x, np::zeros([7, 2], np::like(&x)))]
        }),
        ("tensordot", |x| {
            vec![np::tensordot(&x, np::zeros([7], np::like(&x)), 1)]
        }),
        ("reshape", |x| vec![x.reshape([5, 5])]),
        ("transpose", |x| vec![np::transpose(&x, [0, 0])]),
        ("stack", |x| vec![np::stack(&[x.clone(), x.get(0)], 0)]),
        ("concatenate", |x| {
            vec![np::concatenate(
                &[x.clone(), np::zeros([2, 9], np::like(&x))],
                0,
            )]
        }),
        ("sum", |x| vec![np::sum(&x, 5)]),
        ("get", |x| vec![x.get(10)]),
        ("broadcast_to", |x| vec![np::broadcast_to(&x, [4, 4])]),
        ("max of nothing", |x| {
            vec![np::max(x.get(ix![0..0, ..]), ..)]
        }),
        ("argmax of nothing", |x| {
            vec![np::argmax(x.get(ix![0..0, ..]), 0)]
        }),
        ("scatter", |x| vec![x.at(ix![0, 9]).set(1.0)]),
        ("scatter of values", |x| {
            vec![x.at(0).set(np::zeros([7], np::like(&x)))]
        }),
    ];
    let x = Array::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    for (name, f) in functions {
        let [expected, eager, compiled] = everywhere(f, &x);
        let expected = expected.expect_err(name);
        assert_eq!(eager.expect_err(name), expected);
        assert_eq!(compiled.expect_err(name), expected);
    }
}

#[test]
fn positions_out_of_range_are_refused_when_the_module_runs() {
    let scatter = autojit(|(x, i): (Array, Array)| x.at(&i).add(1.0)).strict(true);
    let x = array(&[1.0, 2.0, 3.0]);
    let index = |i: &[i64]| Array::from(i.to_vec()).to("torch");
    assert!(scatter.call((&x, &index(&[0, -3, 2]))).is_ok());
    for bad in [&[0, 3][..], &[-4, 0]] {
        let eager = x.at(index(bad)).add(1.0).check().unwrap_err();
        assert!(eager.is_index(), "{eager}");
        let error = scatter.call((&x, &index(bad))).unwrap_err();
        assert!(error.is_index() && error.location().is_some(), "{error}");
    }
    assert!(scatter.call((&x, &index(&[1, 1]))).is_ok());

    let flat: Graph = "%x = input index=0 ty=f64[3]
        %v = input index=1 ty=f64[2]
        %p = input index=2 ty=i64[2]
        %s = scatter_flat mode=set %x %v %p
        return %s"
        .parse()
        .unwrap();
    let host = |x: Array| HostArray::try_from(&x).unwrap();
    let numbers = [
        host(Array::from([1.0, 2.0, 3.0])),
        host(Array::from([7.0, 8.0])),
    ];
    for bad in [[0i64, 3], [-1, 0]] {
        let inputs = [
            numbers[0].clone(),
            numbers[1].clone(),
            host(Array::from(bad)),
        ];
        let (got, expected) = (run_graph("torch", &flat, &inputs), flat.evaluate(&inputs));
        assert_eq!(
            got.unwrap_err().to_string(),
            expected.unwrap_err().to_string()
        );
    }
}

#[test]
fn empty_and_zero_dimensional_arrays_go_everywhere() {
    let functions: [Function; 12] = [
        ("sum", |x| {
            vec![
                np::sum(&x, ..),
                np::prod(&x, ..),
                np::any(&x, ..),
                np::all(&x, ..),
            ]
        }),
        ("elementwise", |x| {
            vec![
                np::exp(&x),
                np::sign(&x),
                &x * &x,
                np::maximum(&x, 0.0),
                np::power(&x, 2.0),
            ]
        }),
        ("backwards", |x| vec![np::flip(&x, ..)]),
        ("sort", |x| {
            vec![np::sort(x.ravel(), -1), np::argsort(x.ravel(), -1)]
        }),
        ("cumsum", |x| vec![np::cumsum(&x, ..), np::cumprod(&x, ..)]),
        ("fft", |x| {
            vec![np::fft::fft(
                np::concatenate(&[x.ravel(), x.ravel(), np::ones([1], np::like(&x))], 0),
                ..,
            )]
        }),
        ("join", |x| {
            vec![
                np::stack(&[x.clone(), x.clone()], -1),
                np::concatenate(&[x.ravel(), x.ravel()], 0),
            ]
        }),
        ("matmul", |x| {
            vec![np::matmul(x.reshape([-1, 1]), x.reshape([1, -1]))]
        }),
        ("where", |x| vec![np::where_(np::isfinite(&x), &x, 0.0)]),
        ("take", |x| {
            vec![np::take(
                x.ravel(),
                Array::from(Vec::<i64>::new()).to(x.library().unwrap_or("ndarray")),
                0,
            )]
        }),
        ("scatter", |x| {
            vec![x.ravel().at(0..0).set(1.0), x.at(..).add(1.0)]
        }),
        ("astype", |x| {
            DType::ALL.map(|d| np::astype(np::real(&x), d)).to_vec()
        }),
    ];
    let shapes: [&[i64]; 6] = [&[], &[0], &[0, 3], &[3, 0, 2], &[1], &[1, 1]];
    for shape in shapes {
        let size: i64 = shape.iter().product();
        for dtype in FLOATING {
            let x = matrix(&vec![1.5; size as usize], shape, dtype);
            for (name, f) in functions {
                agree(name, f, &x);
            }
        }
    }
}

#[test]
fn negative_steps_of_every_kind() {
    let x = np::arange(60, ..).reshape([3, 4, 5]);
    let text = |x: &Array| x.to("ndarray").to_string();
    let functions: [fn(Array) -> Array; 6] = [
        |x| x.get(ix![..; -1, ..; -2, 3..0; -1]),
        |x| x.get(ix![0, ..; -3, -1]),
        |x| x.get(ix![-1..-3; -1, ..]).get(ix![.., ..; -1]),
        |x| np::transpose(x.get(ix![.., ..; -1]), ..) + np::transpose(&x, ..),
        |x| x.get(ix![0..2; -1, ..]),
        |x| {
            x.at(ix![..; -2, 1, ..; -1])
                .set(np::arange(5, np::like(&x)))
        },
    ];
    for (number, f) in functions.into_iter().enumerate() {
        let [expected, eager, compiled] = everywhere(|x| vec![f(x)], &x);
        let (expected, eager, compiled) = (expected.unwrap(), eager.unwrap(), compiled.unwrap());
        assert_eq!(text(&eager[0]), text(&expected[0]), "{number}");
        assert_eq!(text(&compiled[0]), text(&expected[0]), "{number}");
    }
}

/// Deep in one chain and wide in one sum; the stack of the caller is an ordinary one.
#[test]
fn graphs_of_twenty_thousand_ops() {
    let deep = autojit(|x: Array| {
        let mut y = x.clone();
        for _ in 0..10_000 {
            y = np::sin(&y) + &x;
        }
        y
    })
    .strict(true);
    let wide = autojit(|x: Array| {
        let parts: Vec<Array> = (0..20_000).map(|i| &x * f64::from(i % 100)).collect();
        np::sum(np::stack(&parts, 0), 0)
    })
    .strict(true);
    let x = Array::from([0.1, 0.2]);
    std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(move || {
            let got = deep.call(x.to("torch")).unwrap();
            let mut expected = x.clone();
            for _ in 0..10_000 {
                expected = np::sin(&expected) + &x;
            }
            let error: f64 = np::max(np::abs(got.to("ndarray") - expected), ..)
                .item()
                .unwrap();
            assert!(error < 1e-12, "{error}");
            let sum = wide.call(x.to("torch")).unwrap();
            let expected = x * (200.0 * 4950.0);
            let error: f64 = np::max(np::abs(sum.to("ndarray") - expected), ..)
                .item()
                .unwrap();
            assert!(error < 1e-6, "{error}");
        })
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn many_threads_compile_call_and_fail_at_once() {
    let x = array(&[1.0, 2.0, 3.0]);
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let x = &x;
            scope.spawn(move || {
                for round in 0..20 {
                    let scale = f64::from(thread * 100 + round);
                    let f = autojit(move |(x, i): (Array, Array)| np::take(&x, &i, 0) * scale);
                    let index = |i: i64| Array::from([i]).to("torch");
                    let got: f64 = f.call((x, &index(1))).unwrap().get(0).item().unwrap();
                    assert_eq!(got, 2.0 * scale);
                    assert!(f.call((x, &index(9))).unwrap_err().is_index());
                    let nan = x * f64::NAN;
                    let matrix = np::stack(&[nan.clone(), nan.clone(), nan], 0);
                    assert!(np::linalg::eigvals(matrix).check().is_err());
                }
            });
        }
    });
}

/// Arguments of other dtypes, other libraries and odd memory.
#[test]
fn arguments_of_odd_memory() {
    let f = autojit(|x: Array| np::sum(&x * 2.0, 0)).strict(true);
    let x = Array::from((0..12).map(f64::from).collect::<Vec<_>>())
        .reshape([3, 4])
        .to("torch");
    for view in [
        np::transpose(&x, ..),
        x.get(ix![..; -1, ..; -2]),
        np::broadcast_to(x.get(0), [3, 4]),
        x.get(ix![.., 0..0]),
        np::imag(&x * Complex64::i()),
    ] {
        let expected = f64::from(2) * np::sum(&view, 0);
        let got = f.call(&view).unwrap();
        assert_eq!(
            got.to("ndarray").to_string(),
            expected.to("ndarray").to_string()
        );
    }
}

#[test]
fn graphs_without_arguments_or_with_too_many() {
    let none = autojit(|()| np::ones([2], ..) + 1.0)
        .backend("torch")
        .strict(true);
    assert_eq!(none.call(()).unwrap().to_vec::<f64>().unwrap(), [2.0, 2.0]);
    let many = autojit(|xs: Vec<Array>| {
        xs.into_iter()
            .reduce(|a, b| a + b)
            .unwrap_or_else(|| Array::from(0.0))
    })
    .backend("torch")
    .strict(true);
    let xs: Vec<Array> = (0..1000).map(|i| array(&[f64::from(i)])).collect();
    assert_eq!(
        many.call(&xs).unwrap().to_vec::<f64>().unwrap(),
        [499_500.0]
    );
    let wrong = run_graph(
        "torch",
        &Graph::new(),
        &[HostArray::try_from(&Array::from(1.0)).unwrap()],
    );
    assert!(wrong.is_err());
}

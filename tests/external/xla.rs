//! Arrays of XLA, and graphs run as XLA's programs.
#![cfg(feature = "xla")]

use std::panic::Location;

use autojit::ir::HostArray;
use autojit::{Array, DType, autojit, numpy as np};

fn array(values: &[f64]) -> Array {
    Array::from(values.to_vec()).to("xla")
}

fn values(x: &Array) -> Vec<f64> {
    x.to_vec().unwrap()
}

// ---- the library ----

#[test]
fn arrays_go_there_and_back() {
    assert!(autojit::libraries().contains(&"xla"));
    for dtype in DType::ALL {
        for shape in [&[3][..], &[], &[0], &[1, 3], &[3, 0, 2]] {
            let count: i64 = shape.iter().product();
            let numbers: Vec<f64> = (0..count).map(|i| i as f64).collect();
            let x = np::astype(Array::from(numbers), dtype).reshape(shape);
            let there = x.to("xla");
            assert_eq!(there.library().unwrap(), "xla");
            assert_eq!(there.device().unwrap(), "cpu");
            assert_eq!(there.ty().unwrap(), x.ty().unwrap());
            let host = |x: &Array| HostArray::try_from(x).unwrap();
            assert!(
                host(&there.to("ndarray")).same_bits(&host(&x)),
                "{dtype} {shape:?}"
            );
        }
    }
    assert_eq!(array(&[1.0, 2.0, 3.0]).to_string(), "[1. 2. 3.]");
    let error = Array::from([1.0]).to("xla-cuda:0").check().unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the library xla has no device cuda:0"),
        "{error}"
    );
}

#[test]
fn operations_stay_there() {
    let x = array(&[3.0, 4.0]);
    let y = np::sqrt(np::sum(&x * &x, ..));
    assert_eq!(y.library().unwrap(), "xla");
    assert_eq!(y.item::<f64>().unwrap(), 5.0);
    let error = (x + Array::from([2.0, 1.0])).check().unwrap_err();
    assert!(error.is_mixed_libraries(), "{error}");
    let z = np::zeros([2, 3], np::like("xla-float32"));
    assert_eq!(
        (z.library().unwrap(), z.ty().unwrap().to_string().as_str()),
        ("xla", "f32[2,3]")
    );
}

/// Ops that XLA lacks are done in main memory.
#[test]
fn decompositions_come_back_to_the_library() {
    let x = array(&[2.0, 1.0, 1.0, 3.0]).reshape([2, 2]);
    let (q, r) = np::linalg::qr(&x, ..);
    assert_eq!(q.library().unwrap(), "xla");
    let product = np::matmul(&q, &r).to("ndarray");
    let error: f64 = np::max(np::abs(product - x.to("ndarray")), ..)
        .item()
        .unwrap();
    assert!(error < 1e-15, "{error}");
}

// ---- the backend ----

#[test]
fn xla_arrays_choose_their_backend() {
    let f = autojit(|x: Array| np::exp(&x) + 1.0);
    let x = array(&[0.0, 0.0]);
    let explanation = f.explain(&x).unwrap();
    assert_eq!(explanation.backend(), "xla");
    assert!(
        explanation.executable().contains("exponential(x.0)"),
        "{explanation}"
    );
    let y = f.call(&x).unwrap();
    assert_eq!(y.library().unwrap(), "xla");
    assert_eq!(values(&y), [2.0, 2.0]);
    assert_ne!(f.explain(Array::from([0.0])).unwrap().backend(), "xla");
    // Asked for by name, results come back to the library and dtype of the caller.
    let named = autojit(|x: Array| np::exp(&x) + 1.0)
        .backend("xla")
        .strict(true);
    let y = named.call(Array::from([0.0f32])).unwrap();
    assert_eq!(
        (y.library().unwrap(), y.ty().unwrap().to_string().as_str()),
        ("ndarray", "f32[1]")
    );
}

#[test]
fn linear_algebra_and_random_numbers_are_calls_back() {
    let f = autojit(|x: Array| {
        let (u, s, vh) = np::linalg::svd(&x, ..);
        np::matmul(u * s, vh) - x
    });
    let x = array(&[2.0, 1.0, 1.0, 3.0, 5.0, 8.0]).reshape([3, 2]);
    assert_eq!(f.explain(&x).unwrap().backend(), "xla");
    for _ in 0..3 {
        let rest = f.call(&x).unwrap();
        assert_eq!(rest.library().unwrap(), "xla");
        assert!(values(&rest.ravel()).iter().all(|r| r.abs() < 1e-14));
    }
}

#[test]
fn failures_at_run_time_name_the_op_and_the_line() {
    let here = Location::caller().line();
    let f = autojit(|(x, i): (Array, Array)| {
        let y = np::exp(&x);
        let taken = np::take(&y, &i, 0);
        np::sqrt(taken)
    });
    let x = array(&[1.0, 2.0]);
    let index = |i: i64| Array::from([i]).to("xla");
    assert!(f.call((&x, &index(-2))).is_ok());
    for _ in 0..2 {
        let error = f.call((&x, &index(2))).unwrap_err();
        assert!(error.is_index(), "{error}");
        assert_eq!(error.op(), Some("take"));
        assert_eq!(error.location().unwrap().line(), here + 3, "{error}");
        assert!(
            error
                .to_string()
                .contains("out of range for axis 0 with size 2"),
            "{error}"
        );
    }
    // Later calls are as before.
    assert!(f.call((&x, &index(1))).is_ok());
}

fn gram_schmidt(x: Array) -> Array {
    let mut rows: Vec<Array> = Vec::new();
    for j in 0..x.len().unwrap_or(0) as i64 {
        let mut row = x.get(j);
        for q in &rows {
            row = &row - np::tensordot(np::conj(q), &row, 1) * q;
        }
        let norm = np::linalg::norm(&row, ..);
        rows.push(row / norm);
    }
    np::stack(&rows, 0)
}

fn largest_difference(x: &Array, y: &Array) -> f64 {
    let difference = x.to("ndarray") - y.to("ndarray");
    let largest = np::max(np::abs(difference), ..);
    np::astype(largest, DType::Float64).item().unwrap()
}

#[test]
fn thousands_of_ops_equal_the_reference() {
    for (dtype, n) in [
        (DType::Float64, 20),
        (DType::Float64, 50),
        (DType::Complex128, 20),
    ] {
        let value = |k: f64, step: f64| (k * step).fract() - 0.5;
        let numbers = |step: f64| -> Vec<f64> {
            (0..n * n)
                .map(|k| value(f64::from(k * (k / n + 1)), step))
                .collect()
        };
        let mut x = Array::from(numbers(0.618_033_988_749_894_9));
        if dtype.is_complex() {
            x += Array::from(numbers(0.414_213_562_373_095_1)) * num_complex::Complex64::i();
        }
        let x = x.reshape([i64::from(n), i64::from(n)]);
        let f = autojit(gram_schmidt).strict(true);
        let got = f.call(x.to("xla")).unwrap();
        let error = largest_difference(&got, &gram_schmidt(x));
        assert!(error < 1e-12, "{dtype} {n}: {error}");
    }
}

/// A block of a transformer: attention of several heads and two layers of neurons, each normalised and added.
fn transformer_block((x, weights): (Array, Vec<Array>)) -> Array {
    let normalize = |x: &Array| {
        let mean = np::mean(x, np::axis(-1).keepdims());
        let variance = np::mean(np::square(x - &mean), np::axis(-1).keepdims());
        (x - mean) / np::sqrt(variance + 1e-5)
    };
    let (batch, length, heads, size) = (2, 7, 4, 8);
    let split = |x: Array| {
        let parts = x.reshape([batch, length, heads, size]);
        np::transpose(parts, [0, 2, 1, 3])
    };
    let [q, k, v, out, up, down] = &weights[..] else {
        panic!("six matrices of weights");
    };
    let y = normalize(&x);
    let [q, k, v] = [q, k, v].map(|w| split(np::matmul(&y, w)));
    let scores = np::matmul(q, np::transpose(k, [0, 1, 3, 2])) / (size as f64).sqrt();
    let exps = np::exp(&scores - np::max(&scores, np::axis(-1).keepdims()));
    let attention = &exps / np::sum(&exps, np::axis(-1).keepdims());
    let mixed = np::transpose(np::matmul(attention, v), [0, 2, 1, 3]);
    let x = x + np::matmul(mixed.reshape([batch, length, heads * size]), out);
    let hidden = np::matmul(normalize(&x), up);
    let gelu = &hidden * 0.5 * (np::erf(&hidden / 2f64.sqrt()) + 1.0);
    x + np::matmul(gelu, down)
}

#[test]
fn a_transformer_block_equals_the_reference() {
    for dtype in [DType::Float64, DType::Float32] {
        let mut seed = 0.5;
        let mut random = |shape: &[i64]| {
            let numbers = (0..shape.iter().product::<i64>()).map(|_| {
                seed = (seed * 997.0 + 0.618_033_988_749_894_9f64).fract();
                (seed - 0.5) / (shape[0] as f64).sqrt()
            });
            np::astype(
                Array::from(numbers.collect::<Vec<f64>>()).reshape(shape),
                dtype,
            )
        };
        let weights: Vec<Array> = [[32, 32], [32, 32], [32, 32], [32, 32], [32, 128], [128, 32]]
            .iter()
            .map(|shape| random(shape))
            .collect();
        let x = random(&[2, 7, 32]);
        let expected = transformer_block((x.clone(), weights.clone()));
        let there: Vec<Array> = weights.iter().map(|w| w.to("xla")).collect();
        let f = autojit(transformer_block).strict(true);
        let got = f.call((x.to("xla"), there)).unwrap();
        assert_eq!(got.library().unwrap(), "xla");
        let error = largest_difference(&got, &expected);
        let bound = if dtype == DType::Float32 { 1e-5 } else { 1e-13 };
        assert!(error < bound, "{dtype}: {error}");
        // Several blocks in a row stay with XLA.
        let named = autojit(transformer_block).backend("xla").strict(true);
        let got = named.call((x, weights)).unwrap();
        assert_eq!(got.library().unwrap(), "ndarray");
        assert!(largest_difference(&got, &expected) < bound);
    }
}

#[test]
fn constants_small_and_large() {
    for n in [3, 100] {
        let captured = Array::from((0..n).map(f64::from).collect::<Vec<_>>());
        let f = autojit(move |x: Array| (&x * &captured, captured.clone()));
        let x = np::ones([i64::from(n)], np::like("xla"));
        let text = f.hlo_text(&x).unwrap();
        assert_eq!(text.contains("parameter(1)"), n == 100, "{text}");
        let (product, constant) = f.call(&x).unwrap();
        let expected: Vec<f64> = (0..n).map(f64::from).collect();
        assert_eq!(values(&product), expected);
        assert_eq!(values(&constant), expected);
    }
}

#[test]
fn results_of_every_number_and_dtype() {
    let none = autojit(|_: Array| Vec::<Array>::new());
    assert!(none.call(array(&[1.0])).unwrap().is_empty());
    for dtype in DType::ALL {
        let f = autojit(move |x: Array| {
            let y = np::astype(&x, dtype);
            vec![np::stack(&[y.clone(), y.clone()], 0), y.clone(), y, x]
        });
        let x = array(&[0.0, 1.0]);
        let results = f.strict(true).call(&x).unwrap();
        assert_eq!(results.len(), 4);
        assert_eq!(results[0].ty().unwrap().dtype, dtype);
        for result in &results[1..] {
            let numbers = np::astype(np::real(result), DType::Float64);
            assert_eq!(values(&numbers), [0.0, 1.0]);
        }
    }
}

#[test]
fn zeros_of_both_signs_stay_apart() {
    let f = autojit(|x: Array| (&x * 0.0, &x * -0.0)).backend("xla");
    let (a, b) = f.call(array(&[1.0])).unwrap();
    assert!(values(&a)[0].is_sign_positive() && values(&b)[0].is_sign_negative());
}

/// The differences that the differential tests allow XLA alone. XLA sets both itself, with no switch: the mode of the processor around
/// each run, and the contraction of LLVM's code for a program. If one of them no longer holds, the tests must not allow
/// it any more either.
#[test]
fn subnormal_numbers_are_zeros_and_products_with_sums_round_once() {
    let halve = autojit(|x: Array| x * 0.5).backend("xla");
    for smallest in [f64::MIN_POSITIVE, -f64::MIN_POSITIVE] {
        let half = values(&halve.call(array(&[smallest])).unwrap())[0];
        assert_eq!(half, 0.0);
        assert_eq!(half.is_sign_negative(), smallest < 0.0);
    }
    // The square is 1 - 2^-60, which rounds to 1.
    let near = 1.0 - 2f64.powi(-60);
    let [x, y] = [1.0 + 2f64.powi(-30), 1.0 - 2f64.powi(-30)];
    let f = autojit(|(x, y, z): (Array, Array, Array)| x * y - z).backend("xla");
    let got = f.call((array(&[x]), array(&[y]), array(&[1.0]))).unwrap();
    assert_eq!((near, values(&got)[0]), (1.0, -(2f64.powi(-60))));
}

#[test]
fn integers_of_64_bits_keep_them() {
    let x = Array::from([(1i64 << 53) + 1, i64::MAX, i64::MIN]);
    let f = autojit(|x: Array| {
        (
            &x + 1,
            &x * 3,
            np::floor_divide(&x, -1),
            np::remainder(&x, 7),
        )
    });
    let expected = f.call_with("replay", &x).unwrap();
    let got = f.call(x.to("xla")).unwrap();
    let pairs = [
        (got.0, expected.0),
        (got.1, expected.1),
        (got.2, expected.2),
        (got.3, expected.3),
    ];
    for (got, expected) in pairs {
        assert_eq!(
            got.to_vec::<i64>().unwrap(),
            expected.to_vec::<i64>().unwrap()
        );
    }
}

/// The same numbers as elsewhere, and new ones at each call.
#[test]
fn random_draws_are_those_of_the_generator() {
    let draws = |backend: &str| {
        let generator = np::random::default_rng(7);
        let f = autojit(move |x: Array| {
            let normal = generator.normal(0.0, 1.0, [3]);
            &x + generator.random([3]) + normal
        });
        let x = Array::from([0.0, 0.0, 0.0]);
        [0, 1].map(|_| values(&f.call_with(backend, &x).unwrap()))
    };
    let [first, second] = draws("xla");
    assert_ne!(first, second);
    assert_eq!([first, second], draws("replay"));
}

#[test]
fn calls_from_many_threads_agree() {
    let f = autojit(|(x, i): (Array, Array)| {
        let mut y = x.clone();
        for _ in 0..10 {
            y = np::sin(&y) + &x;
        }
        (np::sum(&y, ..), np::linalg::svd(np::take(&y, &i, 0), ..).1)
    });
    let x = np::reshape(np::arange(12, ..), [4, 3]).to("xla") * 0.1;
    let index = |i: i64| Array::from([0, i]).to("xla");
    let expected = f.call((&x, &index(1))).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let (good, bad) = (index(1), index(4));
                for _ in 0..30 {
                    // Failures of one run are not those of another.
                    let (sum, s) = f.call((&x, &good)).unwrap();
                    assert_eq!(values(&sum), values(&expected.0));
                    assert_eq!(values(&s), values(&expected.1));
                    assert!(f.call((&x, &bad)).unwrap_err().is_index());
                }
            });
        }
    });
    assert_eq!(f.misses(), 1);
}

// ---- the program ----

#[test]
fn the_program_can_be_read() {
    let f = autojit(|(x, i): (Array, Array)| np::take(np::maximum(&x, 0.0), &i, 0));
    let arguments = (array(&[-1.0, 3.0]), Array::from([1i64]).to("xla"));
    let text = f.hlo_text(&arguments).unwrap();
    assert_eq!(
        text,
        "HloModule autojit

ENTRY main {
  x.0 = f64[2]{0} parameter(0)
  x.1 = s64[1]{0} parameter(1)
  constant.2 = f64[] constant(0.0)
  broadcast.3 = f64[2]{0} broadcast(constant.2), dimensions={}
  compare.4 = pred[2]{0} compare(broadcast.3, x.0), direction=LE
  compare.5 = pred[2]{0} compare(x.0, x.0), direction=NE
  or.6 = pred[2]{0} or(compare.4, compare.5)
  select.7 = f64[2]{0} select(or.6, x.0, broadcast.3)
  x.8 = s64[] parameter(2)
  custom-call.9 = s64[1]{0} custom-call(x.8, x.1), custom_call_target=\"autojit\", \
operand_layout_constraints={s64[], s64[1]{0}}, custom_call_has_side_effect=true, \
api_version=API_VERSION_STATUS_RETURNING_UNIFIED, backend_config=\"0\"
  gather.10 = f64[1]{0} gather(select.7, custom-call.9), offset_dims={}, collapsed_slice_dims={0}, \
start_index_map={0}, index_vector_dim=1, slice_sizes={1}
  ROOT results = (f64[1]{0}) tuple(gather.10)
}
"
    );
    assert_eq!((f.misses(), f.compiled()), (0, 0));
    let portable = f.stablehlo(&arguments).unwrap();
    assert!(portable.contains("stablehlo.gather"), "{portable}");
    assert!(!portable.contains("custom_call"), "{portable}");
}

#[test]
fn a_saved_program_runs_elsewhere() {
    let scale = Array::from((0..50).map(f64::from).collect::<Vec<_>>());
    let f = autojit(move |(x, i): (Array, Array)| (&x * &scale, np::take(&scale, &i, 0)));
    let x = Array::from(vec![2.0; 50]);
    let i = Array::from([-1i64, 3]);
    let path = std::env::temp_dir().join(format!("autojit-{}.pb", std::process::id()));
    f.save_hlo(&path, (&x, &i)).unwrap();
    let proto = xla::HloModuleProto::from_proto_file(&path, true).unwrap();
    std::fs::remove_file(&path).unwrap();
    let client = xla::PjRtClient::cpu().unwrap();
    let executable = client
        .compile(&xla::XlaComputation::from_proto(&proto))
        .unwrap();
    let x = client
        .buffer_from_host_buffer(&[2.0; 50], &[50], None)
        .unwrap();
    let i = client
        .buffer_from_host_buffer(&[-1i64, 3], &[2], None)
        .unwrap();
    let results = executable.execute_b(&[&x, &i]).unwrap().remove(0);
    let vector = |n: usize| {
        results[n]
            .to_literal_sync()
            .unwrap()
            .to_vec::<f64>()
            .unwrap()
    };
    assert_eq!(
        vector(0),
        (0..50).map(|k| 2.0 * f64::from(k)).collect::<Vec<_>>()
    );
    assert_eq!(vector(1), [49.0, 3.0]);

    let error = f.save_hlo(
        "/nowhere/at/all.pb",
        (&Array::from([1.0; 50].to_vec()), &Array::from([1])),
    );
    assert!(error.unwrap_err().is_file());
    // What would call autojit runs nowhere else.
    let g = autojit(|x: Array| np::linalg::svdvals(&x));
    let error = g.stablehlo(Array::from([[1.0, 2.0]])).unwrap_err();
    assert!(error.is_unsupported(), "{error}");
    assert_eq!(error.op(), Some("svdvals"));
}

#[test]
fn transpositions_of_many_axes_compile_in_steps() {
    // XLA alone takes minutes for each of these.
    for (axes, size) in [(20, 2_i64), (7, 9)] {
        let shape = vec![size; axes as usize];
        let x = np::arange(size.pow(axes), ..).reshape(shape);
        let reversed: Vec<i64> = (0..i64::from(axes)).rev().collect();
        let f = autojit(move |x: Array| np::transpose(&x, reversed.clone()) + 1);
        let f = f.backend("xla").strict(true);
        let expected = np::transpose(&x, ..) + 1;
        let numbers = |x: Array| x.ravel().to_vec::<i64>().unwrap();
        assert!(numbers(f.call(&x).unwrap()) == numbers(expected));
        let text = f.hlo_text(&x).unwrap();
        assert_eq!(text.matches(" transpose(").count(), 2, "{text}");
    }
}

#[test]
fn programs_that_xla_would_not_survive_are_declined() {
    // A hundred thousand of these overflow the stack of a thread of XLA's.
    let f = autojit(|x: Array| (0..30_001).fold(x, |y, _| np::sin(y))).backend("xla");
    let x = Array::from([0.5]);
    f.call(&x).unwrap().check().unwrap();
    let explanation = f.explain(&x).unwrap();
    assert_eq!(explanation.backend(), "replay");
    let (name, reason) = &explanation.declined()[0];
    assert_eq!(*name, "xla");
    assert!(reason.is_unsupported(), "{reason}");
    assert!(
        reason.to_string().contains("30000 instructions"),
        "{reason}"
    );
}

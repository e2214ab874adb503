//! Arrays of libtorch, and graphs run as TorchScript modules.
#![cfg(feature = "torch")]

use std::panic::Location;

use autojit::ir::{Graph, HostArray};
use autojit::tch::{self, Device, Kind, Tensor};
use autojit::{Array, DType, Result, autojit, numpy as np, run_graph};

use crate::process::in_own_process;

mod bad_input;
mod python;
mod spelled;

fn tensor(values: &[f64]) -> Tensor {
    Tensor::from_slice(values)
}

fn array(values: &[f64]) -> Array {
    Array::from(tensor(values))
}

fn values(x: &Array) -> Vec<f64> {
    x.to_vec().unwrap()
}

// ---- the library ----

#[test]
fn tensors_go_in_and_out_without_a_copy() {
    let x = tensor(&[1.0, 2.0, 3.0]);
    let array = Array::from(&x);
    assert_eq!(array.library().unwrap(), "torch");
    assert_eq!(array.device().unwrap(), "cpu");
    assert_eq!(array.ty().unwrap().to_string(), "f64[3]");
    let back = Tensor::try_from(&array).unwrap();
    assert_eq!(back.data_ptr(), x.data_ptr());
    // From another library it is a tensor with the same values.
    let copied = Tensor::try_from(Array::from([1.5f32, 2.5])).unwrap();
    assert_eq!((copied.kind(), copied.size()), (Kind::Float, vec![2]));
    assert_eq!(array.to_string(), "[1. 2. 3.]");
}

#[test]
fn every_dtype_has_its_kind() {
    for dtype in DType::ALL {
        let x = np::astype(Array::from([0.0, 1.0, 2.0]), dtype).to("torch");
        assert_eq!(x.ty().unwrap().dtype, dtype);
        let back = Array::from(Tensor::try_from(&x).unwrap());
        // libtorch computes nothing with these: tensors of int64 hold them.
        let held = match dtype {
            DType::Uint16 | DType::Uint32 | DType::Uint64 => DType::Int64,
            other => other,
        };
        assert_eq!(back.ty().unwrap(), x.ty().unwrap().with_dtype(held));
        let host = HostArray::try_from(&back.to("ndarray").astype(dtype)).unwrap();
        let expected = np::astype(Array::from([0.0, 1.0, 2.0]), dtype);
        assert!(
            host.same_bits(&HostArray::try_from(&expected).unwrap()),
            "{dtype}"
        );
    }
}

#[test]
fn tensors_that_have_no_array_are_failed_ones() {
    let half = Array::from(Tensor::zeros([2], (Kind::Half, Device::Cpu)));
    let error = half.check().unwrap_err();
    assert!(error.is_dtype(), "{error}");
    assert_eq!(
        error.to_string().split(", at").next().unwrap(),
        "there is no dtype for libtorch's Half"
    );
    assert!(Array::from(Tensor::new()).check().unwrap_err().is_dtype());
}

#[test]
fn memory_that_says_conjugate_is_read_as_such() {
    let x = Tensor::complex(&tensor(&[1.0]), &tensor(&[2.0])).conj();
    let x = Array::from(x);
    let plain: Vec<num_complex::Complex64> = x.to("ndarray").to_vec().unwrap();
    assert_eq!(plain, [num_complex::Complex64::new(1.0, -2.0)]);
    assert_eq!(values(&np::imag(&x)), [-2.0]);
}

#[test]
fn new_arrays_are_made_where_they_are_asked_for() {
    let x = np::zeros([2, 3], np::like("torch-float32-cpu"));
    assert_eq!(x.library().unwrap(), "torch");
    assert_eq!(x.ty().unwrap().to_string(), "f32[2,3]");
    let block = autojit::backend_like("torch", || np::arange(3, ..)).unwrap();
    assert_eq!(block.library().unwrap(), "torch");
    let error = Array::from([1.0]).to("torch-cuda:99").check().unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the library torch has no device cuda:99"),
        "{error}"
    );
    assert!(autojit::libraries().contains(&"torch"));
}

#[test]
fn libraries_do_not_mix_by_accident() {
    let error = (array(&[1.0]) + Array::from([2.0])).check().unwrap_err();
    assert!(error.is_mixed_libraries(), "{error}");
    assert_eq!(values(&(array(&[1.0]) + 2.0)), [3.0]);
}

#[test]
fn gradients_are_recorded_eagerly() {
    let x = tensor(&[1.0, 2.0, 3.0]).set_requires_grad(true);
    let y = np::sum(Array::from(&x) * Array::from(&x), ..);
    Tensor::try_from(&y).unwrap().backward();
    assert_eq!(Vec::<f64>::try_from(x.grad()).unwrap(), [2.0, 4.0, 6.0]);
    // Compiled code records none, and leaves the mode as it was.
    let square = autojit(|x: Array| &x * &x);
    let z = Tensor::try_from(square.call(Array::from(&x)).unwrap()).unwrap();
    assert!(!z.requires_grad());
    assert!((&x * 2.0).requires_grad());
}

#[test]
fn failures_are_errors_with_the_line() {
    let x = array(&[1.0, 2.0]);
    let here = Location::caller().line();
    let error = np::take(&x, 5, 0).check().unwrap_err();
    assert!(error.is_index(), "{error}");
    assert_eq!(error.location().unwrap().line(), here + 1);
    let nan = Array::from(Tensor::from_slice(&[f64::NAN, 1.0, 1.0, 1.0]).reshape([2, 2]));
    let error = np::linalg::svd(&nan, ..).1.check().unwrap_err();
    assert!(error.is_linear_algebra(), "{error}");
    assert!(!error.to_string().contains('\n'), "{error}");
    let whole = np::astype(&x, DType::Int64);
    let error = np::power(&whole, np::astype(array(&[1.0, -1.0]), DType::Int64));
    assert!(error.check().unwrap_err().is_value());
}

// ---- the backend ----

#[test]
fn torch_arrays_choose_their_backend() {
    let f = autojit(|x: Array| np::exp(&x) + 1.0);
    let x = array(&[0.0, 0.0]);
    let explanation = f.explain(&x).unwrap();
    assert_eq!(explanation.backend(), "torch");
    assert!(
        explanation.executable().contains("torch.exp(x0)"),
        "{explanation}"
    );
    let y = f.call(&x).unwrap();
    assert_eq!(y.library().unwrap(), "torch");
    assert_eq!(values(&y), [2.0, 2.0]);
    // The same function on other arrays runs as before.
    assert_eq!(
        f.call(Array::from([0.0])).unwrap().library().unwrap(),
        "ndarray"
    );
    assert_ne!(f.explain(Array::from([0.0])).unwrap().backend(), "torch");
    // Asked for by name, results still come back to their library and dtype.
    let named = autojit(|x: Array| np::exp(&x) + 1.0)
        .backend("torch")
        .strict(true);
    let y = named.call(Array::from([0.0f32])).unwrap();
    assert_eq!(
        (y.library().unwrap(), y.ty().unwrap().to_string().as_str()),
        ("ndarray", "f32[1]")
    );
}

#[test]
fn results_share_no_memory_with_arguments_or_constants() {
    let captured = array(&[5.0, 6.0]);
    let f = autojit(move |x: Array| {
        let c = captured.clone();
        (
            x.clone(),
            np::transpose(&x, ..),
            x.get(0),
            c.clone(),
            np::reshape(&c, [2, 1]),
            x,
        )
    });
    let x = Tensor::from_slice(&[1.0, 2.0, 3.0, 4.0]).reshape([2, 2]);
    let call = || f.call(Array::from(&x)).unwrap();
    let (a, b, c, d, e, again) = call();
    for y in [&a, &b, &c, &again] {
        let y = Tensor::try_from(y).unwrap();
        let _ = y.shallow_clone().fill_(9.0);
    }
    for y in [&d, &e] {
        let _ = Tensor::try_from(y).unwrap().fill_(9.0);
    }
    assert_eq!(
        Vec::<f64>::try_from(x.reshape([4])).unwrap(),
        [1.0, 2.0, 3.0, 4.0]
    );
    let (a, b, _, d, e, _) = call();
    assert_eq!(values(&a.ravel()), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(values(&b.ravel()), [1.0, 3.0, 2.0, 4.0]);
    assert_eq!(values(&d), [5.0, 6.0]);
    assert_eq!(values(&e.ravel()), [5.0, 6.0]);
}

#[test]
fn results_of_every_number_and_dtype() {
    let none = autojit(|_: Array| Vec::<Array>::new());
    assert!(none.call(array(&[1.0])).unwrap().is_empty());
    for dtype in DType::ALL {
        let f = autojit(move |x: Array| {
            let y = np::astype(&x, dtype);
            vec![np::stack(&[y.clone(), y.clone()], 0), y.clone(), y]
        });
        let results = f
            .backend("torch")
            .strict(true)
            .call(array(&[0.0, 1.0]))
            .unwrap();
        assert_eq!(results.len(), 3);
        assert_eq!(results[0].ty().unwrap().dtype, dtype);
        assert_eq!(
            values(&np::astype(np::real(&results[2]), DType::Float64)),
            [0.0, 1.0]
        );
    }
}

/// libtorch merges constants that are equal, as these two are.
#[test]
fn zeros_of_both_signs_stay_apart() {
    let f = autojit(|x: Array| (&x * 0.0, &x * -0.0)).backend("torch");
    let (a, b) = f.call(array(&[1.0])).unwrap();
    assert!(values(&a)[0].is_sign_positive() && values(&b)[0].is_sign_negative());
}

#[test]
fn arguments_of_two_libraries_do_not_meet() {
    let f = autojit(|(x, y): (Array, Array)| x + np::transpose(y, ..));
    let x = array(&[1.0, 2.0]);
    let y = np::transpose(Array::from([[1.0, 5.0], [2.0, 6.0]]), ..);
    let error = f.call((&x, &y)).unwrap_err();
    assert!(error.is_mixed_libraries(), "{error}");
    let z = f.call((&x, &y.to("torch"))).unwrap();
    drop(y);
    assert_eq!(z.library().unwrap(), "torch");
    assert_eq!(values(&z.ravel()), [2.0, 7.0, 3.0, 8.0]);
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
    let index = |i: i64| Array::from([i]).to("torch");
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

    let decompose = autojit(|x: Array| np::linalg::svd(&x, ..).1);
    let error = decompose
        .call(array(&[f64::NAN]).reshape([1, 1]))
        .unwrap_err();
    assert!(error.is_linear_algebra(), "{error}");
    assert_eq!(error.op(), Some("svd"));
    assert!(!error.to_string().contains('\n'), "{error}");
}

#[test]
fn a_failed_trace_leaves_nothing_on() {
    let f = autojit(|x: Array| np::matmul(&x, np::zeros([7, 7], ..)));
    assert!(f.call(array(&[1.0, 2.0])).unwrap_err().is_shape());
    let panics = autojit(|_: Array| -> Array { panic!("the closure panics") });
    let x = array(&[1.0]);
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| panics.call(&x).is_ok()));
    assert!(caught.is_err());
    assert_eq!(values(&(&x + &x)), [2.0]);
    assert!((tensor(&[1.0]).set_requires_grad(true) * 2.0).requires_grad());
}

#[test]
fn libtorchs_settings_are_put_back() {
    // Other tests change them for a moment, too.
    in_own_process!();
    for mode in [true, false] {
        tch::jit::set_profiling_mode(mode);
        let f = autojit(|x: Array| &x + 1.0);
        f.call(array(&[1.0])).unwrap();
        assert_eq!(tch::jit::get_profiling_mode(), mode);
    }
    tch::jit::set_profiling_mode(true);
}

#[test]
fn calls_from_many_threads_agree() {
    let f = autojit(|x: Array| {
        let mut y = x.clone();
        for _ in 0..50 {
            y = np::sin(&y) + &x;
        }
        np::sum(y, ..)
    });
    let x = array(&[0.1, 0.2, 0.3]);
    let expected = f.call(&x).unwrap().item::<f64>().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let y: f64 = f.call(&x).unwrap().item().unwrap();
                    assert_eq!(y.to_bits(), expected.to_bits());
                    // New signatures while others run.
                    assert!(autojit(|x: Array| &x + 1.0).call(&x).is_ok());
                }
            });
        }
    });
    assert_eq!(f.misses(), 1);
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

#[test]
fn thousands_of_ops_equal_the_reference() {
    for dtype in [DType::Float64, DType::Complex128] {
        let n = 50;
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
        let expected = gram_schmidt(x.clone());
        let f = autojit(gram_schmidt).strict(true);
        let got = f.call(x.to("torch")).unwrap().to("ndarray");
        let error: f64 = np::max(np::abs(got - expected), ..).item().unwrap();
        assert!(error < 1e-12, "{dtype}: {error}");
    }
}

#[test]
fn the_code_can_be_read_and_saved() {
    let scale = Array::from([[1.0, 2.0], [3.0, 4.0]]);
    let f = autojit(move |(x, y): (Array, Array)| (np::matmul(&x, &scale), np::maximum(&y, 0.0)));
    let (x, y) = (array(&[1.0, 2.0]), array(&[-1.0, 3.0]));
    let code = f.torchscript_source((&x, &y)).unwrap();
    assert_eq!(
        code,
        "class M(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  c0 : Tensor
  c1 : Tensor
  def forward(self: __torch__.M, x0: Tensor, x1: Tensor) -> List[Tensor]:
    c0 = self.c0
    c1 = self.c1
    _0 = torch.matmul(x0, c0)
    _1 = torch.maximum(x1, c1)
    return [_0, _1]
"
    );
    assert_eq!((f.misses(), f.compiled()), (0, 0));
    let path = std::env::temp_dir().join(format!("autojit-{}.pt", std::process::id()));
    f.save_torchscript(&path, (&x, &y)).unwrap();
    let module = tch::CModule::load(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let inputs = [&x, &y].map(|a| tch::IValue::Tensor(Tensor::try_from(a).unwrap()));
    match module.forward_is(&inputs).unwrap() {
        tch::IValue::TensorList(list) => {
            assert_eq!(Vec::<f64>::try_from(&list[0]).unwrap(), [7.0, 10.0]);
            assert_eq!(Vec::<f64>::try_from(&list[1]).unwrap(), [0.0, 3.0]);
        }
        other => panic!("{other:?}"),
    }
    let error = f
        .save_torchscript("/nowhere/at/all.pt", (&x, &y))
        .unwrap_err();
    assert!(error.is_file(), "{error}");
}

#[test]
fn graphs_run_by_name() -> Result<()> {
    let graph: Graph = "%x = input index=0 ty=i64[3]
        %y = input index=1 ty=i64[3]
        %q = floor_divide %x %y
        %r = remainder %x %y
        %f = fmod %x %y
        return %q %r %f"
        .parse()?;
    let host = |x: [i64; 3]| HostArray::try_from(&Array::from(x));
    let inputs = [host([-7, i64::MIN, 5])?, host([2, -1, 0])?];
    let results = run_graph("torch", &graph, &inputs)?;
    let expected = graph.evaluate(&inputs)?;
    for (got, expected) in results.iter().zip(&expected) {
        assert!(got.same_bits(expected), "{got:?} {expected:?}");
    }
    Ok(())
}

//! `like`, blocks, namespaces and conversions: where arrays are made, and what wins over what.

use crate::process::in_own_process;
use autojit::dispatch::{from_ndarray, get_common_dtype, infer_backend, infer_backend_multi};
use autojit::{Array, DType, Value, backend_like, call, get_namespace, lazy, numpy as np};

use super::toys::{self, Boxed, Marked};

fn boxed() -> Array {
    toys::register();
    Array::from_foreign(Boxed(Array::from([1.0f32, 2.0])))
}

/// Library and type.
fn kind(x: impl Into<Value>) -> String {
    let x = x.into().into_array().unwrap();
    format!("{} {}", x.library().unwrap(), x.ty().unwrap())
}

#[test]
fn every_function_that_makes_arrays_takes_like() {
    in_own_process!();
    let x = boxed();
    for (made, shape) in [
        (np::zeros([2, 3], np::like(&x)), "[2,3]"),
        (np::ones(2, np::like(&x)), "[2]"),
        (np::full((), 7, np::like(&x)), "[]"),
        (np::eye(2, np::like(&x)), "[2,2]"),
        (np::eye(2, np::columns(3).like(&x)), "[2,3]"),
        (np::identity(2, np::like(&x)), "[2,2]"),
        (np::arange(4, np::like(&x)), "[4]"),
        (np::linspace(0.0, 1.0, np::num(3).like(&x)), "[3]"),
        (np::zeros_like(&x, ..), "[2]"),
        (np::full_like(&x, 2, ..), "[2]"),
        (np::diag(&x, 1), "[3,3]"),
        (
            call!("zeros", [2, 3], like = &x)
                .unwrap()
                .into_array()
                .unwrap(),
            "[2,3]",
        ),
        (
            call!("arange", 5, like = &x).unwrap().into_array().unwrap(),
            "[5]",
        ),
        (
            call!("linspace", 0, 1, num = 3, like = &x)
                .unwrap()
                .into_array()
                .unwrap(),
            "[3]",
        ),
    ] {
        assert_eq!(kind(&made), format!("boxed f32{shape}"));
        assert!(made.to("ndarray").to_vec::<f32>().is_ok());
    }
    assert_eq!(
        kind(np::ones_like(&x, np::like("ndarray"))),
        "ndarray f32[2]"
    );
}

#[test]
fn explicit_wins_over_block_wins_over_default() {
    in_own_process!();
    let x = boxed();
    let (inner, outer, back) = backend_like(&x, || {
        let inner = backend_like("ndarray-int64", || np::ones(2, ..)).unwrap();
        (
            inner,
            np::ones(2, ..),
            call!("ones", 2, like = "lazy").unwrap(),
        )
    })
    .unwrap();
    assert_eq!(kind(inner), "ndarray i64[2]");
    assert_eq!(kind(outer), "boxed f32[2]");
    assert_eq!(kind(back), "lazy f32[2]");
    assert_eq!(kind(np::ones(2, ..)), "ndarray f64[2]");
    // Explicit dtypes win over those of arrays and blocks.
    let typed = np::zeros(2, np::like(&x).dtype(DType::Int32));
    assert_eq!(kind(typed), "boxed i32[2]");
    let typed = call!("zeros", 2, dtype = "uint8", like = &x).unwrap();
    assert_eq!(kind(typed), "boxed u8[2]");
    let typed = backend_like("boxed-float32", || np::zeros(2, DType::Bool)).unwrap();
    assert_eq!(kind(typed), "boxed bool[2]");
    // Arrays win over blocks; plain numbers do not.
    let (sum, number) = backend_like("boxed", || {
        let plain = Array::from([1.0]);
        (np::exp(plain), call!("exp", 1.0).unwrap())
    })
    .unwrap();
    assert_eq!(kind(sum), "ndarray f64[1]");
    assert_eq!(kind(number), "boxed f64[]");
    // A block decides within lists of numbers too.
    let list = call!("sum", [1.0, 2.0], like = "boxed").unwrap();
    assert_eq!(kind(list), "boxed f64[]");
}

#[test]
fn blocks_end_with_a_panic_and_stay_in_their_thread() {
    in_own_process!();
    toys::register();
    let outcome = std::panic::catch_unwind(|| backend_like("boxed", || panic!("on purpose")));
    assert!(outcome.is_err());
    assert_eq!(kind(np::ones(1, ..)), "ndarray f64[1]");
    backend_like("boxed", || {
        let other = std::thread::spawn(|| kind(np::ones(1, ..))).join().unwrap();
        assert_eq!(other, "ndarray f64[1]");
        assert_eq!(kind(np::ones(1, ..)), "boxed f64[1]");
    })
    .unwrap();
}

#[test]
fn namespaces_carry_library_dtype_and_device() {
    in_own_process!();
    toys::register();
    let x = Array::from_foreign(Marked(Array::from([1.0f32]), 3));
    assert_eq!(x.device().unwrap(), "gpu:3");
    let xp = get_namespace(&x);
    for made in [
        xp.zeros(2, ..),
        xp.arange(2, ..),
        xp.eye(2, ..),
        xp.linspace(0.0, 1.0, np::num(2)),
    ] {
        assert_eq!(made.ty().unwrap().dtype, DType::Float32);
        assert_eq!(made.as_foreign::<Marked>().unwrap().1, 3);
    }
    assert_eq!(kind(xp.ones(2, DType::Int64)), "tagged i64[2]");
    assert_eq!(kind(xp.ones(2, np::like("ndarray"))), "ndarray f64[2]");
    assert_eq!(xp.add(&x, 1).as_foreign::<Marked>().unwrap().1, 3);
}

#[test]
fn inference_looks_everywhere() {
    in_own_process!();
    let (x, plain) = (boxed(), Array::from([1.0f32, 2.0]));
    let lazy = lazy::array(&plain);
    assert_eq!(infer_backend([1.5, 2.0]).unwrap(), "ndarray");
    assert_eq!(
        infer_backend_multi([Value::from(2.0), (&x).into()]).unwrap(),
        "boxed"
    );
    let nested = Value::List(vec![
        Value::List(vec![1.into(), (&lazy).into()]),
        (&x).into(),
    ]);
    assert_eq!(infer_backend(nested).unwrap(), "lazy");
    for result in [
        call!("stack", [&x, &x]),
        call!("concatenate", (&x, &x), axis = 0),
        call!("einsum", "i,i->i", &x, &x),
        call!("where", call!("greater", &x, 1).unwrap(), 0.0, &x),
        call!("power", 2.0, &x),
        call!("sum", &x, where = call!("greater", &x, 1).unwrap()),
        call!("take", &x, [1, 0]),
        call!("getitem", &x, [[0, 1, 1]]),
        Ok(x.get([1, 0]).into()),
    ] {
        assert_eq!(infer_backend(result.unwrap()).unwrap(), "boxed");
    }
    let power = call!("power", 2.0, &lazy).unwrap();
    assert_eq!(infer_backend(power).unwrap(), "lazy");
    let ints = Array::from([1i64]);
    assert_eq!(get_common_dtype([&plain, &ints]).unwrap(), "float64");
    assert!(
        get_common_dtype(Vec::<Array>::new())
            .unwrap_err()
            .is_value()
    );
}

#[test]
fn conversions_take_their_words_in_any_order() {
    in_own_process!();
    toys::register();
    let x = Array::from([1.5, 2.5]);
    for words in ["boxed-int32-cpu", "cpu-boxed-int32", "int32-cpu-boxed"] {
        assert_eq!(kind(x.to(words)), "boxed i32[2]");
    }
    assert_eq!(kind(x.to("tagged-gpu:2")), "tagged f64[2]");
    assert_eq!(x.to("tagged-gpu:2").device().unwrap(), "gpu:2");
    assert!(x.to("cpu-cpu").check().unwrap_err().is_value());
    assert!(x.to("boxed-tagged").check().unwrap_err().is_value());
    let back = x.to("boxed").to("ndarray-float64");
    assert_eq!(back.to_vec::<f64>().unwrap(), [1.5, 2.5]);
    let lazy = x.to("lazy");
    assert_eq!(kind(&lazy), "lazy f64[2]");
    assert_eq!(kind(lazy.to("ndarray")), "ndarray f64[2]");
    let pending = (lazy + 1).to("ndarray").check().unwrap_err();
    assert!(
        pending.to_string().contains("call compute() first"),
        "{pending}"
    );
    let numbers = ndarray::array![[1.0f32]];
    assert_eq!(kind(from_ndarray(&numbers, &boxed())), "boxed f32[1,1]");
}

//! Registered libraries through everything: eagerly, lazily, by every backend, replaced, and mixed.

use crate::process::in_own_process;
use autojit::ir::HostArray;
use autojit::{Array, Result, autojit, backends, lazy, numpy as np, register_library};

use super::toys::{self, Boxed, Marked};

fn boxed(values: &[f64]) -> Array {
    toys::register();
    Array::from_foreign(Boxed(Array::from(values)))
}

fn marked(mark: i64) -> Array {
    toys::register();
    Array::from_foreign(Marked(Array::from([1.0, 2.0]), mark))
}

fn values(x: &Array) -> Vec<f64> {
    x.to_vec().unwrap()
}

#[test]
fn what_a_library_does_not_spell_is_written_with_what_it_does_or_done_in_main_memory() {
    in_own_process!();
    let x = boxed(&[3.0, 4.0]);
    // The norm expands; the matrix product and the decomposition go through main memory.
    for (y, expected) in [
        (np::linalg::norm(&x, ..), vec![5.0]),
        (np::matmul(&x, &x), vec![25.0]),
        (
            np::linalg::qr(np::diag(&x, ..), ..).1.abs().ravel(),
            vec![3.0, 0.0, 0.0, 4.0],
        ),
        (np::std(&x, ..), vec![0.5]),
    ] {
        assert_eq!(y.library().unwrap(), "boxed");
        for (a, b) in values(&y).iter().zip(&expected) {
            assert!((a - b).abs() < 1e-12, "{y}");
        }
    }
    assert_eq!(x.to_string(), "[3. 4.]");
    // Where values are not everything, that is refused.
    let error = np::exp(marked(1)).check().unwrap_err();
    assert!(error.is_unsupported());
    assert!(
        error
            .to_string()
            .contains("the library tagged does not support exp")
    );
}

#[test]
fn compiled_code_stands_in_where_values_are_everything() {
    in_own_process!();
    let f = |x: Array| np::exp(-&x) * 2.0 + np::sum(&x, np::keepdims());
    let x = boxed(&[0.5, 1.0]);
    let expected = values(&f(x.clone()));
    for backend in backends() {
        let compiled = autojit(f).backend(backend).strict(true);
        let y = compiled.call(&x).unwrap();
        assert_eq!(y.library().unwrap(), "boxed", "{backend}");
        for (a, b) in values(&y).iter().zip(&expected) {
            assert!((a - b).abs() < 1e-14, "{backend}");
        }
        // Another library is another signature.
        compiled.call(Array::from([0.5, 1.0])).unwrap();
        assert_eq!((compiled.misses(), compiled.hits()), (2, 0));
        // Arguments of two libraries are refused, as in every mode; constants go along.
        let sum = autojit(|(x, y): (Array, Array)| x + y).backend(backend);
        let error = sum.call((&Array::from([1.0, 1.0]), &x)).unwrap_err();
        assert!(error.is_mixed_libraries(), "{backend}: {error}");
        let constant = Array::from([1.0, 1.0]);
        let sum = autojit(|x: Array| x + &constant).backend(backend);
        assert_eq!(
            sum.call(&x).unwrap().library().unwrap(),
            "boxed",
            "{backend}"
        );
    }
}

#[test]
fn other_libraries_run_their_graphs_themselves() {
    in_own_process!();
    let x = marked(5);
    let f = autojit(|x: Array| -(&x * 2.0 + 1.0));
    let y = f.call(&x).unwrap();
    assert_eq!(y.as_foreign::<Marked>().unwrap().1, 5);
    assert_eq!(values(&y), [-3.0, -5.0]);
    let explanation = f.explain(&x).unwrap();
    assert_eq!(explanation.backend(), "replay");
    if backends().contains(&"cranelift") {
        let (_, why) = &explanation.declined()[0];
        assert!(
            why.to_string().contains("are more than their values"),
            "{why}"
        );
        let strict = autojit(|x: Array| x + 1).backend("cranelift").strict(true);
        assert!(strict.call(&x).unwrap_err().is_unsupported());
    }

    // As a constant in compiled code the mark would be lost, so that is refused.
    let captured = marked(7);
    let g = autojit(move |x: Array| x + &captured);
    let error = g.call(&x).unwrap_err();
    assert!(
        error.to_string().contains("pass it as an argument"),
        "{error}"
    );
}

#[test]
fn lazy_graphs_keep_the_arrays_of_their_library() {
    in_own_process!();
    let (x, y) = (lazy::array(&marked(2)), lazy::array(&marked(9)));
    let sum = &x + &y * 3;
    assert_eq!(sum.compute().unwrap().as_foreign::<Marked>().unwrap().1, 9);
    assert_eq!(sum.as_foreign::<Marked>().unwrap().1, 9);
    let shared = lazy::shared_intermediates(|| {
        let array = marked(1);
        let both = [lazy::array(&array), lazy::array(&array)];
        both[0]
            .as_lazy()
            .unwrap()
            .is_same(both[1].as_lazy().unwrap())
    });
    assert!(shared);
    // Two libraries do not meet in a graph either; what is in main memory is a constant of it.
    for mixed in [
        lazy::array(&boxed(&[1.0, 2.0])) + marked(4),
        lazy::array(&marked(4)) + boxed(&[1.0, 2.0]),
    ] {
        let error = mixed.compute().unwrap_err();
        assert!(error.is_mixed_libraries(), "{error}");
    }
    let with_constant = lazy::array(&marked(4)) + Array::from([1.0, 2.0]);
    let with_constant = with_constant.compute().unwrap();
    assert_eq!(with_constant.as_foreign::<Marked>().unwrap().1, 4);
}

/// As [`BoxedLibrary`], under a name that a test can register again.
struct Versioned(i64);

#[derive(Clone)]
struct Version(Array);

impl autojit::Library for Versioned {
    type Array = Version;

    fn name(&self) -> &'static str {
        "versioned"
    }

    fn array_type(&self, x: &Version) -> autojit::ArrayType {
        x.0.ty().unwrap()
    }

    fn from_host(&self, array: &HostArray) -> Result<Version> {
        Ok(Version(array.clone().into()))
    }

    fn to_host(&self, x: &Version) -> Result<HostArray> {
        HostArray::try_from(&x.0)
    }

    fn call(&self, _: &autojit::ir::Op, inputs: &[&Version]) -> Result<autojit::Spelled<Version>> {
        Ok(Version(np::full_like(&inputs[0].0, self.0, ..)).into())
    }
}

#[test]
fn registering_a_library_again_replaces_it() {
    in_own_process!();
    register_library(Versioned(1)).unwrap();
    let x = Array::from_foreign(Version(Array::from(0.0)));
    assert_eq!(values(&np::exp(&x)), [1.0]);
    register_library(Versioned(2)).unwrap();
    assert_eq!(values(&np::exp(&x)), [2.0]);
    let names = autojit::libraries();
    assert_eq!(names.iter().filter(|name| **name == "versioned").count(), 1);
}

/// Gives what was not asked for.
struct Wrong;

#[derive(Clone)]
struct WrongArray;

impl autojit::Library for Wrong {
    type Array = WrongArray;

    fn name(&self) -> &'static str {
        "wrong"
    }

    fn array_type(&self, _: &WrongArray) -> autojit::ArrayType {
        "f64[2]".parse().unwrap()
    }

    fn from_host(&self, _: &HostArray) -> Result<WrongArray> {
        Ok(WrongArray)
    }

    fn to_host(&self, _: &WrongArray) -> Result<HostArray> {
        HostArray::try_from(&Array::from([1.0, 2.0]))
    }

    fn call(&self, _: &autojit::ir::Op, _: &[&WrongArray]) -> Result<autojit::Spelled<WrongArray>> {
        Ok(WrongArray.into())
    }
}

#[test]
fn a_library_that_gives_another_type_is_found_out() {
    in_own_process!();
    register_library(Wrong).unwrap();
    let x = Array::from_foreign(WrongArray);
    assert!(np::exp(&x).check().is_ok());
    let error = np::sum(&x, ..).check().unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the library wrong gave f64[2], expected f64[]"),
        "{error}"
    );
}

#[test]
fn loops_run_in_the_library_of_the_arrays() {
    in_own_process!();
    let x = boxed(&[0.5, 1.0]);
    let y = autojit::fori_loop(0, 3, |i: Array, x: Array| x * 2.0 + i, x.clone()).unwrap();
    assert_eq!(
        (y.library().unwrap(), values(&y)),
        ("boxed", vec![8.0, 12.0])
    );
    let z = autojit::cond(true, |x: Array| x + 1.0, |x: Array| -x, y).unwrap();
    assert_eq!(
        (z.library().unwrap(), values(&z)),
        ("boxed", vec![9.0, 13.0])
    );
    let step = |sum: Array, x: Array| (&sum + &x, sum * x);
    let (last, products) = autojit::scan(step, np::sum(&x, ..), x).unwrap();
    assert_eq!(
        (last.library().unwrap(), values(&last)),
        ("boxed", vec![3.0])
    );
    assert_eq!(values(&products), [0.75, 2.0]);
    let small = |x: Array| np::less(np::sum(&x, ..), 100.0);
    let large = autojit::while_loop(small, |x: Array| x * 2.0, z).unwrap();
    assert_eq!(
        (large.library().unwrap(), values(&large)),
        ("boxed", vec![72.0, 104.0])
    );
}

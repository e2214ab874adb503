//! Results that no memory can hold give an `Err` in every mode: neither an abort nor a panic, nor a wrong size.

use autojit::{Array, DType, Error, autojit, backends, lazy, numpy as np};

type F = fn(Array) -> Array;

/// The error of each mode.
fn in_every_mode(x: &Array, f: F) -> Vec<(&'static str, Result<Array, Error>)> {
    let mut results = vec![
        ("eager", f(x.clone()).check()),
        ("lazy", f(lazy::array(x)).compute()),
    ];
    for backend in backends() {
        results.push((backend, autojit(f).backend(backend).call(x)));
    }
    results
}

/// One number stretched to these sizes.
fn stretched(x: &Array, shape: impl Into<np::options::Integers>) -> Array {
    np::broadcast_to(x.get(0), shape)
}

/// More elements than bytes can be addressed on any machine.
const HUGE: i64 = 1 << 50;
/// Few enough that two of them are still counted, but not their product.
const LARGE: i64 = 1 << 40;

#[test]
#[rustfmt::skip]
fn results_that_do_not_fit_are_errors() {
    let cases: &[(&str, F)] = &[
        ("broadcast_to", |x| stretched(&x, [LARGE, LARGE])),
        ("broadcast_to and sum", |x| np::sum(stretched(&x, [LARGE, LARGE]), ..)),
        ("broadcast_to and add", |x| stretched(&x, [HUGE]) + 1.0),
        ("tile", |x| np::tile(x, [LARGE, LARGE])),
        ("tile many", |x| np::tile(x, [1i64 << 62])),
        ("tile some", |x| np::tile(x, [HUGE])),
        ("outer", |x| { let y = stretched(&x, [LARGE]); np::outer(&y, &y) }),
        ("outer of some", |x| { let y = stretched(&x, [1i64 << 25]); np::outer(&y, &y) }),
        ("broadcast", |x| { let y = stretched(&x, [LARGE]); np::reshape(&y, [-1i64, 1]) + &y }),
        ("matmul", |x| { let y = stretched(&x, [LARGE, 1]); np::matmul(&y, np::transpose(&y, ..)) }),
        ("einsum", |x| { let y = stretched(&x, [LARGE]); np::einsum("i,j->ij", [&y, &y]) }),
        ("tensordot", |x| { let y = stretched(&x, [LARGE]); np::tensordot(&y, &y, 0) }),
        ("kron", |x| { let y = stretched(&x, [LARGE]); np::kron(&y, &y) }),
        ("stack", |x| { let y = stretched(&x, [1i64 << 59]); np::stack(vec![y; 40], 0) }),
        ("concatenate", |x| { let y = stretched(&x, [1i64 << 59]); np::concatenate(vec![y; 40], 0) }),
        ("several at once", |x| { let y = stretched(&x, [1i64 << 59]); np::cumsum(np::cumsum(&y, 0) + np::sort(&y, 0), 0) }),
        ("repeat", |x| np::repeat(x, 1i64 << 62, ..)),
        ("pad", |x| np::pad(x, 1i64 << 62, ..)),
        ("zeros", |x| np::zeros([LARGE, LARGE], ..) + x.get(0)),
        ("zeros of some", |x| np::zeros([HUGE], ..) + x.get(0)),
        ("ones_like", |x| np::ones_like(stretched(&x, [LARGE, LARGE]), ..)),
        ("full", |x| np::full([LARGE, LARGE], 2.0, ..) + x.get(0)),
        ("eye", |x| np::eye(LARGE, ..) + x.get(0)),
        ("identity", |x| np::identity(1i64 << 25, ..) + x.get(0)),
        ("tri", |x| np::tri(LARGE, ..) + x.get(0)),
        ("arange", |x| np::arange(HUGE, ..) + x.get(0)),
        ("linspace", |x| np::linspace(0, 1, np::num(HUGE)) + x.get(0)),
        ("diag", |x| np::diag(x, LARGE)),
        ("vander", |x| np::vander(x, HUGE)),
        ("meshgrid", |x| { let y = stretched(&x, [LARGE]); np::meshgrid([&y, &y], ..).remove(0) }),
        ("cumsum", |x| np::cumsum(stretched(&x, [HUGE]), 0)),
        ("sort", |x| np::sort(stretched(&x, [HUGE]), 0)),
        ("astype", |x| stretched(&x, [1i64 << 59]).astype(DType::Complex128)),
        ("svd", |x| np::linalg::svd(stretched(&x, [2, HUGE]), np::full_matrices(true)).2),
        ("indices", |x| x.get(np::broadcast_to(Array::from(0i64), [HUGE]))),
        ("reshape", |x| np::reshape(x, [LARGE, LARGE])),
        ("empty but long", |x| stretched(&x, [0, LARGE, LARGE]) * 2.0),
    ];
    let x = Array::from([1.0, 2.0]);
    for (name, f) in cases {
        for (mode, result) in in_every_mode(&x, *f) {
            let error = match result {
                Ok(array) => panic!("{name}, {mode}: no error but {:?}", array.shape()),
                Err(error) => error,
            };
            assert!(error.is_value() || error.is_shape(), "{name}, {mode}: {error:?}");
            assert!(!error.is_internal(), "{name}, {mode}: {error}");
            assert!(error.location().is_some(), "{name}, {mode}: {error}");
        }
    }
}

#[test]
fn lazy_results_are_refused_when_they_are_written_down() {
    let x = lazy::variable(&[1 << 40], DType::Float64);
    let error = np::outer(&x, &x).check().unwrap_err();
    let text = error.to_string();
    let expected = "an array f64[1099511627776,1099511627776] is too large in multiply, at tests/compiler/huge_arrays.rs";
    assert!(text.starts_with(expected), "{text}");
    assert!(
        lazy::variable(&[1 << 40, 1 << 40], DType::Bool)
            .check()
            .is_err()
    );
}

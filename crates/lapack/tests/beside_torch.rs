//! In a program with libtorch nothing is installed: `cargo test -p autojit-lapack --features torch --test beside_torch`.

use autojit::{Array, numpy as np};

#[test]
fn install_refuses() {
    let error = autojit_lapack::install().unwrap_err();
    assert!(error.is_unsupported(), "{error}");
    let text = error.to_string();
    let expected = "LAPACK by OpenBLAS and libtorch cannot be used in one program";
    assert!(text.starts_with(expected), "{text}");
    // autojit's own functions are still there.
    let x = Array::from([[2.0, 1.0], [1.0, 3.0]]);
    assert_eq!(np::linalg::det(x).item::<f64>().unwrap().round(), 5.0);
}

//! PyTorch itself, in Python, reads what is saved: `scripts/test.sh pytorch`.

use std::path::PathBuf;
use std::process::Command;

use autojit::{Array, DType, Jit, autojit, ix, numpy as np};
use num_complex::Complex64;

/// Loads a module, its arguments and its results, each of the two a module that gives constants, and compares.
const SCRIPT: &str = "
import sys, torch
for name in sys.argv[1:]:
    module, arguments, expected = (torch.jit.load(f'{name}-{part}.pt') for part in ('module', 'arguments', 'expected'))
    got, expected = module(*arguments()), expected()
    assert len(got) == len(expected) > 0, name
    for x, y in zip(got, expected):
        assert x.dtype == y.dtype and x.shape == y.shape, (name, x, y)
        assert torch.allclose(x, y, rtol=1e-12, atol=1e-12, equal_nan=True), (name, x, y)
    print('read', name)
";

struct Saved {
    folder: PathBuf,
    names: Vec<String>,
}

impl Saved {
    fn add<F: Fn(Vec<Array>) -> Vec<Array>>(
        &mut self,
        name: &str,
        f: Jit<Vec<Array>, Vec<Array>, F>,
        x: &[Array],
    ) {
        let x: Vec<Array> = x.iter().map(|x| x.to("torch")).collect();
        let path = |part: &str| self.folder.join(format!("{name}-{part}.pt"));
        let expected = f.call(&x).unwrap();
        f.save_torchscript(path("module"), &x).unwrap();
        for (part, arrays) in [("arguments", x), ("expected", expected)] {
            let constants = autojit(move |()| arrays.clone());
            constants.save_torchscript(path(part), ()).unwrap();
        }
        self.names
            .push(self.folder.join(name).display().to_string());
    }
}

#[test]
#[ignore = "needs PyTorch in Python: scripts/test.sh pytorch"]
fn python_reads_what_is_saved() {
    let python =
        std::env::var("AUTOJIT_PYTORCH").expect("AUTOJIT_PYTORCH names a Python with PyTorch");
    let folder = std::env::temp_dir().join(format!("autojit-python-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut saved = Saved {
        folder: folder.clone(),
        names: vec![],
    };

    let x = Array::from(
        (0..12)
            .map(|i| f64::from(i * 7 % 12) - 4.5)
            .collect::<Vec<_>>(),
    )
    .reshape([3, 4]);
    let scale = Array::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    saved.add(
        "real",
        autojit(move |x: Vec<Array>| {
            let x = &x[0];
            vec![
                np::matmul(np::transpose(x, ..), &scale),
                np::sum(np::exp(x) / 3.0, 0),
                x.get(ix![..; -2, 1..]),
                np::power(x, 3.0),
                np::floor_divide(x, 2.0),
                x * 0.0,
                x * -0.0,
            ]
        }),
        std::slice::from_ref(&x),
    );
    for dtype in DType::ALL {
        let y = np::astype(&x, dtype);
        saved.add(
            &format!("dtype-{dtype}"),
            autojit(|x: Vec<Array>| {
                let x = &x[0];
                vec![
                    x.clone(),
                    np::sort(x, -1),
                    np::max(x, 1),
                    np::sum(x, ..),
                    x.at(ix![[0, 0, 2]]).set(x),
                ]
            }),
            std::slice::from_ref(&y),
        );
    }
    let z = &x.get(ix![.., ..3]) + np::transpose(x.get(ix![.., ..3]), ..) * Complex64::i();
    saved.add(
        "linear algebra",
        autojit(|z: Vec<Array>| {
            let z = &z[0];
            let (q, r) = np::linalg::qr(z, ..);
            let rest = np::matmul(np::transpose(np::conj(z), ..), z) + np::eye(3, ..);
            vec![
                np::matmul(q, r),
                np::linalg::svdvals(z),
                np::linalg::eigvalsh(&rest, ..),
                np::linalg::cholesky(&rest, ..),
                np::linalg::solve(&rest, z),
                np::linalg::det(z),
                np::fft::fft(z, ..),
            ]
        }),
        &[z],
    );
    saved.add(
        "many ops",
        autojit(|x: Vec<Array>| {
            let mut y = x[0].clone();
            for _ in 0..3000 {
                y = np::sin(y) + &x[0];
            }
            vec![y]
        }),
        &[x],
    );

    let output = Command::new(python)
        .args(["-c", SCRIPT])
        .args(&saved.names)
        .output()
        .unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    let (out, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}\n{errors}");
    assert_eq!(
        out.lines().filter(|line| line.starts_with("read ")).count(),
        saved.names.len(),
        "{out}"
    );
}

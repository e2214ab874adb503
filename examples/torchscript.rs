//! A function as a TorchScript module: its code, and the file that PyTorch reads.
//!
//! ```text
//! cargo run --features torch --example torchscript -- [FILE.pt]
//! ```
//!
//! In Python, `torch.jit.load("FILE.pt")(x)` then gives the list of the results. Here the file is read by libtorch.

use std::error::Error;

use autojit::tch::{CModule, IValue, Tensor};
use autojit::{Array, autojit, numpy as np};

/// One step of the heat equation on a ring, and what is left of the differences.
fn step(u: Array) -> (Array, Array) {
    let next = &u + 0.1 * (np::roll(&u, 1, ..) - 2.0 * &u + np::roll(&u, -1, ..));
    let spread = np::linalg::norm(&next - np::mean(&next, ..), ..);
    (next, spread)
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1);
    let temporary = std::env::temp_dir().join(format!("heat-{}.pt", std::process::id()));
    let file = path.as_ref().map_or(temporary.clone(), Into::into);

    let u = Array::from(Tensor::from_slice(&[0.0, 0.0, 1.0, 0.0]));
    let f = autojit(step);
    println!("{}", f.torchscript_source(&u)?);
    f.save_torchscript(&file, &u)?;

    let module = CModule::load(&file)?;
    let IValue::TensorList(results) =
        module.forward_is(&[IValue::Tensor(Tensor::try_from(&u)?)])?
    else {
        return Err("expected a list of tensors".into());
    };
    let (next, spread) = f.call(&u)?;
    println!("next {next}, spread {spread}");
    let loaded = Array::from(&results[0]);
    assert_eq!(loaded.to_vec::<f64>()?, next.to_vec::<f64>()?);
    assert_eq!(np::sum(&next, ..).item::<f64>()?, 1.0);
    if path.is_none() {
        std::fs::remove_file(temporary)?;
    }
    Ok(())
}

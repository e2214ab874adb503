//! A library of your own: dual numbers, which carry a derivative along with each value.
//!
//! Implementing `Library` for them makes them work with every function of `numpy`, lazily, and replayed by
//! `autojit`: the derivative of a function comes out beside its value. Ops that are not spelled here, such as
//! `square`, are written with those that are.
//!
//! ```text
//! cargo run --release -p autojit --example custom_library
//! ```

use autojit::dispatch::Arguments;
use autojit::ir::{HostArray, MapOp, Op, ReduceOp, ViewOp};
use autojit::{Array, ArrayType, DType, Error, Library, Result, Spelled};
use autojit::{autojit, lazy, numpy as np, register_function, register_library};

/// Values and their derivatives. Both are arrays themselves, so that their own library does the arithmetic.
#[derive(Clone)]
struct Dual {
    value: Array,
    derivative: Array,
}

struct DualLibrary;

impl Library for DualLibrary {
    type Array = Dual;

    fn name(&self) -> &'static str {
        "dual"
    }

    fn array_type(&self, x: &Dual) -> ArrayType {
        x.value
            .ty()
            .unwrap_or_else(|_| ArrayType::scalar(DType::Float64))
    }

    /// Numbers are constants: their derivative is zero.
    fn from_host(&self, array: &HostArray) -> Result<Dual> {
        let value = Array::from(array.clone());
        let derivative = np::zeros_like(&value, ..);
        Ok(Dual { value, derivative })
    }

    fn to_host(&self, x: &Dual) -> Result<HostArray> {
        HostArray::try_from(&x.value)
    }

    fn call(&self, op: &Op, inputs: &[&Dual]) -> Result<Spelled<Dual>> {
        let (value, derivative) = match (op, inputs) {
            (Op::Map(MapOp::Add), [x, y]) => (&x.value + &y.value, &x.derivative + &y.derivative),
            (Op::Map(MapOp::Subtract), [x, y]) => {
                (&x.value - &y.value, &x.derivative - &y.derivative)
            }
            (Op::Map(MapOp::Multiply), [x, y]) => (
                &x.value * &y.value,
                &x.derivative * &y.value + &x.value * &y.derivative,
            ),
            (Op::Map(MapOp::Divide), [x, y]) => {
                let value = &x.value / &y.value;
                let derivative = (&x.derivative - &value * &y.derivative) / &y.value;
                (value, derivative)
            }
            (Op::Map(MapOp::Negative), [x]) => (-&x.value, -&x.derivative),
            (Op::Map(MapOp::Exp), [x]) => (np::exp(&x.value), np::exp(&x.value) * &x.derivative),
            (Op::Map(MapOp::Sin), [x]) => (np::sin(&x.value), np::cos(&x.value) * &x.derivative),
            // Linear: the derivative goes the way of the value.
            (
                Op::Reduce(ReduceOp::Sum { .. })
                | Op::View(ViewOp::Reshape { .. } | ViewOp::BroadcastTo { .. }),
                [x],
            ) => (
                Array::apply(op.clone(), &[(&x.value).into()]),
                Array::apply(op.clone(), &[(&x.derivative).into()]),
            ),
            _ => return Ok(Spelled::Unknown),
        };
        let (value, derivative) = (value.check()?, derivative.check()?);
        Ok(Dual { value, derivative }.into())
    }
}

/// A point at which derivatives are taken.
fn variable(values: [f64; 3]) -> Array {
    Array::from_foreign(Dual {
        value: values.into(),
        derivative: np::ones(3, ..),
    })
}

/// Plain code: it does not know of dual numbers.
fn model(x: &Array) -> Array {
    np::square(x) * np::sin(x) + np::mean(np::exp(x), np::keepdims())
}

fn show(how: &str, y: &Array) -> Result<String> {
    let y: Dual = y.as_foreign()?;
    let text = format!("{} and {}", y.value, y.derivative);
    println!("{how:8} {text}");
    Ok(text)
}

fn main() -> Result<(), Error> {
    register_library(DualLibrary)?;
    let x = variable([0.5, 1.0, 1.5]);

    let eager = show("eager", &model(&x))?;

    let traced = model(&lazy::array(&x));
    println!(
        "{}",
        traced
            .as_lazy()
            .map(|y| y.show().to_string())
            .unwrap_or_default()
    );
    assert_eq!(show("lazy", &traced.compute()?)?, eager);

    // The arrays are more than their values, so `autojit` replays the graph with this library's ops.
    let compiled = autojit(|x: Array| model(&x));
    assert_eq!(show("autojit", &compiled.call(&x)?)?, eager);

    // An operation that the library lacks is an error with a reason, until a function for it is registered.
    println!("{}", np::tanh(&x).check().unwrap_err());
    register_function("dual", "tanh", |args: &Arguments| {
        let x: Dual = args.array(0).as_foreign()?;
        let value = np::tanh(&x.value);
        let derivative = (1.0 - &value * &value) * &x.derivative;
        Ok::<_, Error>(Array::from_foreign(Dual { value, derivative }))
    })?;
    show("tanh", &np::tanh(&x))?;

    // Against the difference quotient.
    let values = |shift: f64| model(&Array::from([0.5 + shift, 1.0 + shift, 1.5 + shift]));
    let slope = (values(1e-6) - values(-1e-6)) / 2e-6;
    let exact = model(&x).as_foreign::<Dual>()?.derivative;
    let error: f64 = np::max(np::abs(slope - exact), ..).item()?;
    assert!(error < 1e-8);
    println!("largest difference from the quotient: below 1e-8");
    Ok(())
}

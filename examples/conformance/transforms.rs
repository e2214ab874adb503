//! Runs what a transformation makes of the function of a case.

use autojit::{Array, Result, jvp, vjp, vmap_axes};

use crate::execute::call_all;
use crate::json::{Case, Data, Transform};

/// Transforms the function of a case, and calls it.
pub(crate) fn evaluate(case: &Case, transform: &Transform, inputs: &[Array]) -> Result<Vec<Array>> {
    match transform {
        Transform::Batch { in_axes, out_axis } => {
            let f = |inputs: Vec<Array>| call_all(case, &inputs);
            vmap_axes(f, in_axes.clone(), *out_axis)(inputs.to_vec())?
        }
        Transform::Gradient {
            wrt,
            outputs,
            cotangents,
        } => {
            let f = of_some(case, wrt, outputs, inputs);
            pulled(&f, some(inputs, wrt), &beside(inputs, cotangents)?)
        }
        Transform::Tangent {
            wrt,
            outputs,
            tangents,
        } => {
            let f = of_some(case, wrt, outputs, inputs);
            jvp(f, some(inputs, wrt), beside(inputs, tangents)?)?.1
        }
        Transform::HessianProduct {
            wrt,
            outputs,
            cotangents,
            tangents,
        } => {
            let f = of_some(case, wrt, outputs, inputs);
            let cotangents = beside(inputs, cotangents)?;
            let gradient = |inputs: Vec<Array>| pulled(&f, inputs, &cotangents);
            jvp(gradient, some(inputs, wrt), beside(inputs, tangents)?)?.1
        }
    }
}

/// The function from some inputs to some results; the other inputs are captured.
fn of_some(
    case: &Case,
    wrt: &[usize],
    outputs: &[usize],
    inputs: &[Array],
) -> impl Fn(Vec<Array>) -> Result<Vec<Array>> {
    move |changed: Vec<Array>| {
        let mut inputs = inputs.to_vec();
        for (&index, array) in wrt.iter().zip(changed) {
            inputs[index] = array;
        }
        let results = call_all(case, &inputs)?;
        Ok(some(&results, outputs))
    }
}

/// The gradients for cotangents of the results.
fn pulled(
    f: &impl Fn(Vec<Array>) -> Result<Vec<Array>>,
    inputs: Vec<Array>,
    cotangents: &[Array],
) -> Result<Vec<Array>> {
    let (_, pullback) = vjp(f, inputs)?;
    pullback(Ok(cotangents.to_vec()))
}

fn some(arrays: &[Array], numbers: &[usize]) -> Vec<Array> {
    numbers.iter().map(|&index| arrays[index].clone()).collect()
}

/// The arrays of a case, in the library of its inputs where they have values.
fn beside(inputs: &[Array], data: &[Data]) -> Result<Vec<Array>> {
    let library = match inputs.first() {
        Some(input) => input.library()?,
        None => "lazy",
    };
    let arrays = data.iter().map(Data::to_array);
    Ok(match library {
        "lazy" => arrays.collect(),
        library => arrays.map(|x| x.to(library)).collect(),
    })
}

//! `cond` and `switch`: one of several functions.

use std::panic::Location;

use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, Bodies, Class, ControlOp, DType};

use super::body::{beside, place_in, run, types_of, widened};
use crate::array::{Array, Operand};
use crate::transform::{Flat, Function, rebuild, trace_drawn};
use crate::tree::Tree;

/// The result of `if_true` for the arguments if `predicate` holds, else that of `if_false`. Only that one is run.
///
/// Both give trees of the same structure, with arrays of the same types. Arrays that they capture count as arguments.
///
/// In a batch in which the predicate differs between examples both are run, and each example takes the results of its own one: an
/// error in either is an error of the call.
///
/// ```
/// use autojit::{Array, cond, numpy as np};
///
/// let x = Array::from([3.0, -4.0]);
/// let large = np::greater(np::max(&x, ..), 1.0);
/// let y = cond(large, |x: Array| x / 2.0, |x: Array| x * 2.0, x)?;
/// assert_eq!(y.to_vec::<f64>()?, [1.5, -2.0]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// The predicate is not one boolean without axes (`is_value`); the branches give different trees (`is_tree`), or arrays of different
/// types (`is_shape`); an operation in the one that is run failed.
///
/// Source: `jax.lax.cond`.
#[track_caller]
pub fn cond<'a, A: Tree, R: Tree>(
    predicate: impl Into<Operand<'a>>,
    if_true: impl Fn(A) -> R,
    if_false: impl Fn(A) -> R,
    args: A,
) -> Result<R> {
    let location = Location::caller();
    let choose = || {
        let predicate = predicate.into();
        let ty = predicate.ty()?;
        if ty != ArrayType::scalar(DType::Bool) {
            return Err(Error::value(format!(
                "the predicate of cond is one boolean without axes, got {ty}"
            )));
        }
        // In the order of the numbers that stand for the truth values.
        let branches: [&dyn Fn(A) -> R; 2] = [&if_false, &if_true];
        let names = ["if_false", "if_true"];
        let name = |branch: usize| format!("`{}` of cond", names[branch]);
        chosen(&predicate, &branches, &name, &args, location)
    };
    choose().map_err(|e| e.at(location))
}

/// The result of one of several branches for the arguments: of that with the number `index`. Only that one is run; an index out of range
/// is that of the nearest one.
///
/// Otherwise as [`cond`].
///
/// ```
/// use autojit::{Array, numpy as np, switch};
///
/// let f = |x: Array| np::sin(&x);
/// let g = |x: Array| np::exp(&x);
/// let h = |x: Array| x * 0.0;
/// let index = Array::from(1_i64);
/// let y = switch(index, &[&f, &g, &h], Array::from(0.0))?;
/// assert_eq!(y.item::<f64>()?, 1.0);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// The index is not one integer without axes (`is_value`); there is no branch (`is_value`); otherwise as [`cond`].
///
/// Source: `jax.lax.switch`.
#[track_caller]
pub fn switch<'a, A: Tree, R: Tree>(
    index: impl Into<Operand<'a>>,
    branches: &[&dyn Fn(A) -> R],
    args: A,
) -> Result<R> {
    let location = Location::caller();
    let choose = || {
        let index = index.into();
        let ty = index.ty()?;
        if ty.ndim() != 0 || ty.dtype.class() != Class::Integer {
            return Err(Error::value(format!(
                "the index of switch is one integer without axes, got {ty}"
            )));
        }
        let name = |branch: usize| format!("branch {branch} of switch");
        chosen(&index, branches, &name, &args, location)
    };
    choose().map_err(|e| e.at(location))
}

fn chosen<A: Tree, R: Tree>(
    index: &Operand<'_>,
    branches: &[&dyn Fn(A) -> R],
    name: &dyn Fn(usize) -> String,
    args: &A,
    location: &'static Location<'static>,
) -> Result<R> {
    let args = Flat::of(args)?;
    let functions = branches.iter().map(|branch| {
        let branch = |args: A| branch(args);
        let (mut function, draws) = trace_drawn(&branch, &args.structure, &args.types, location)?;
        let others = [args.arrays.as_slice(), &function.captured].concat();
        let numbers = draws
            .iter()
            .map(|draw| draw.numbers(None, &others, location));
        let mut captured = numbers.collect::<Result<Vec<Array>>>()?;
        captured.append(&mut function.captured);
        function.captured = captured;
        Ok(function)
    });
    let functions: Vec<Function> = functions.collect::<Result<_>>()?;
    let Some(first) = functions.first() else {
        return Err(Error::value("switch needs a branch, got none"));
    };
    for (number, function) in functions.iter().enumerate() {
        check_alike([first, function], [name(0), name(number)])?;
    }
    let captured: Vec<Array> = functions.iter().flat_map(|f| f.captured.clone()).collect();
    let types = types_of(&captured)?;
    let mut start = 0;
    let bodies = functions.iter().map(|function| {
        let own = start..start + function.captured.len();
        start = own.end;
        widened(function, &args.types, &types, own)
    });
    let branches = bodies.collect::<Result<Bodies>>()?;
    let index = match index {
        Operand::Array(array) => array.as_ref().clone(),
        Operand::Scalar(scalar) => beside(*scalar, scalar.dtype(), &args.arrays)?,
    };
    let inputs = [vec![index], args.arrays, captured].concat();
    let results = run(ControlOp::Switch { branches }.into(), &inputs, location)?;
    rebuild(&first.output, results)
}

/// Checks that two branches give arrays of the same types at the same places.
fn check_alike(functions: [&Function; 2], names: [String; 2]) -> Result<()> {
    let [first, second] = functions;
    let [of_first, of_second] = names;
    if first.output != second.output {
        return Err(Error::tree(format!(
            "{of_first} gives {}, and {of_second} gives {}, where * is an array",
            first.output, second.output
        )));
    }
    let (x, y) = (first.output_types()?, second.output_types()?);
    match x.iter().zip(&y).position(|(x, y)| x != y) {
        None => Ok(()),
        Some(index) => Err(Error::shape(format!(
            "{of_first} gives {}, and {of_second} gives {} at {}",
            x[index],
            y[index],
            place_in("the result", first.output.tokens(), index),
        ))),
    }
}

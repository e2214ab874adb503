//! The rules of loops and branches: the types that the graphs inside say, checked against what is given.

use super::Signature;
use crate::body::{Bodies, Body};
use crate::error::{Error, Result};
use crate::types::{ArrayType, Class, DType, Type};

/// Carried values and elements of stacked results, which come with their axis.
pub(crate) fn scan_loop(
    body: &Body,
    carry: &usize,
    xs: &usize,
    length: &usize,
    _reverse: &bool,
    inputs: &[&Type],
) -> Result<Signature> {
    let given = arrays(inputs)?;
    let (carry, xs) = (*carry, *xs);
    check_counts(body, carry, carry.saturating_add(xs), given.len())?;
    for (i, (ty, expected)) in given.iter().zip(body.input_types()).enumerate() {
        let is_x = (carry..carry + xs).contains(&i);
        let expected = if is_x {
            stacked(expected, *length)
        } else {
            expected.clone()
        };
        check_type(ty, &expected, i, carry, xs)?;
    }
    check_carried(body, carry)?;
    let (carried, elements) = body.output_types().split_at(carry);
    let elements = elements.iter().map(|ty| stacked(ty, *length));
    let result: Vec<ArrayType> = carried.iter().cloned().chain(elements).collect();
    Signature::unchanged(inputs.len(), Type::Tuple(result.into()))
}

/// Carried values alone; the condition is one boolean.
pub(crate) fn while_loop(
    condition: &Body,
    body: &Body,
    carry: &usize,
    _limit: &u64,
    inputs: &[&Type],
) -> Result<Signature> {
    let given = arrays(inputs)?;
    check_counts(body, *carry, *carry, given.len())?;
    for (i, (ty, expected)) in given.iter().zip(body.input_types()).enumerate() {
        check_type(ty, expected, i, *carry, 0)?;
    }
    check_carried(body, *carry)?;
    if body.output_types().len() != *carry {
        return Err(Error::shape(format!(
            "the body of a loop that carries {carry} arrays gives {}",
            body.output_types().len()
        )));
    }
    if condition.input_types() != body.input_types() {
        return Err(Error::shape(
            "the condition of a loop does not take what its body takes",
        ));
    }
    match condition.output_types() {
        [ty] if *ty == ArrayType::scalar(DType::Bool) => {}
        types => {
            return Err(Error::shape(format!(
                "the condition of a loop is one boolean without axes, got {}",
                shown(types)
            )));
        }
    }
    Signature::unchanged(inputs.len(), Type::Tuple(body.output_types().into()))
}

/// The types of the first branch, which all have.
pub(crate) fn switch(branches: &Bodies, inputs: &[&Type]) -> Result<Signature> {
    let given = arrays(inputs)?;
    let Some((index, operands)) = given.split_first() else {
        return Err(Error::value("a choice needs an index"));
    };
    let Some(first) = branches.first() else {
        return Err(Error::value("a choice needs a branch"));
    };
    if index.ndim() != 0 || index.dtype.class() > Class::Integer {
        return Err(Error::dtype(format!(
            "the index of a choice is a boolean or an integer without axes, got {index}"
        )));
    }
    if index.dtype == DType::Bool && branches.len() != 2 {
        return Err(Error::value(format!(
            "a boolean chooses between two branches, got {}",
            branches.len()
        )));
    }
    for branch in branches {
        if branch.output_types() != first.output_types() {
            return Err(Error::shape(format!(
                "the branches of a choice give {} and {}",
                shown(first.output_types()),
                shown(branch.output_types())
            )));
        }
        let taken = branch.input_types();
        if taken.len() != operands.len() || taken.iter().zip(operands).any(|(x, y)| x != *y) {
            let given: Vec<ArrayType> = operands.iter().map(|&ty| ty.clone()).collect();
            return Err(Error::shape(format!(
                "a branch takes {}, got {}",
                shown(taken),
                shown(&given)
            )));
        }
    }
    Signature::unchanged(inputs.len(), Type::Tuple(first.output_types().into()))
}

fn arrays<'t>(inputs: &[&'t Type]) -> Result<Vec<&'t ArrayType>> {
    inputs.iter().map(|ty| ty.array()).collect()
}

/// The type of so many arrays along a new first axis.
fn stacked(ty: &ArrayType, length: usize) -> ArrayType {
    let mut ty = ty.clone();
    ty.shape.insert(0, length);
    ty
}

fn shown(types: &[ArrayType]) -> String {
    let types: Vec<String> = types.iter().map(ToString::to_string).collect();
    format!("({})", types.join(", "))
}

fn check_counts(body: &Body, carry: usize, least: usize, given: usize) -> Result<()> {
    let (takes, gives) = (body.input_types().len(), body.output_types().len());
    if given < least || takes != given || gives < carry {
        return Err(Error::value(format!(
            "a loop that carries {carry} arrays has a body of {takes} arrays to {gives}, and is given {given}"
        )));
    }
    Ok(())
}

fn check_type(
    given: &ArrayType,
    expected: &ArrayType,
    i: usize,
    carry: usize,
    xs: usize,
) -> Result<()> {
    if given == expected {
        return Ok(());
    }
    let what = match i {
        _ if i < carry => format!("carried array {i}"),
        _ if i < carry + xs => format!("array {} of `xs`", i - carry),
        _ => format!("invariant array {}", i - carry - xs),
    };
    Err(Error::shape(format!(
        "the body of a loop takes {what} as {expected}, got {given}"
    )))
}

fn check_carried(body: &Body, carry: usize) -> Result<()> {
    let pairs = body.input_types().iter().zip(body.output_types());
    for (i, (before, after)) in pairs.take(carry).enumerate() {
        if before != after {
            return Err(Error::shape(format!(
                "the body of a loop takes carried array {i} as {before}, and gives it as {after}"
            )));
        }
    }
    Ok(())
}

//! Arrays put together from nested lists of blocks.

use super::{attempt, concatenate, replaceable, reshape, to_array};
use crate::{Array, Error, Operand, Result, Value};
use autojit_ir::Dims;

/// Nested lists of arrays, which [`block`] puts together: an array, or a list of such.
///
/// Converts from arrays, numbers, and arrays or vectors of what converts.
#[derive(Clone, Debug)]
pub enum Blocks<'a> {
    /// An array or a number.
    One(Operand<'a>),
    /// A list.
    List(Vec<Self>),
}

macro_rules! one_block {
    ($([$($generic:tt)*] $t:ty),*) => {$(
        impl<'a $($generic)*> From<$t> for Blocks<'a> {
            fn from(array: $t) -> Self {
                Self::One(array.into())
            }
        }
    )*};
}

one_block!([] Array, [] &'a Array, [] Operand<'a>, [] f64, [] i64, [] i32);

impl<'a, T: Into<Self>, const N: usize> From<[T; N]> for Blocks<'a> {
    fn from(list: [T; N]) -> Self {
        Self::List(list.into_iter().map(Into::into).collect())
    }
}

impl<'a, T: Into<Self>> From<Vec<T>> for Blocks<'a> {
    fn from(list: Vec<T>) -> Self {
        Self::List(list.into_iter().map(Into::into).collect())
    }
}

impl From<&Blocks<'_>> for Value {
    fn from(blocks: &Blocks<'_>) -> Self {
        match blocks {
            Blocks::One(array) => array.into(),
            Blocks::List(list) => Self::List(list.iter().map(Self::from).collect()),
        }
    }
}

/// An array put together from nested lists of blocks: the innermost lists along the last axis, those around them along the
/// one before, and so on.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let (a, b) = (np::eye(2, ..), np::ones([2, 1], ..));
/// let x = np::block([vec![np::blocks::Blocks::from(&a), (&b).into()], vec![np::zeros([1, 2], ..).into(), 5.0.into()]]);
/// assert_eq!(x.to_string(), "[[1. 0. 1.]\n [0. 1. 1.]\n [0. 0. 5.]]");
/// ```
///
/// # Errors
/// A list is empty, lists are nested to different depths, or blocks beside each other do not fit.
///
/// Source: `numpy.block`.
#[track_caller]
pub fn block<'a>(blocks: impl Into<Blocks<'a>>) -> Array {
    let blocks = blocks.into();
    replaceable!("block", [&blocks]);
    let depth = attempt!("block", depth(&blocks, 0));
    let mut most = depth;
    attempt!("block", most_axes(&blocks, &mut most));
    joined(blocks, 0, most - depth, most)
}

/// How deep arrays lie; the same for all.
fn depth(blocks: &Blocks<'_>, around: usize) -> Result<usize> {
    /// NumPy's most axes.
    const DEEPEST: usize = 64;
    let Blocks::List(list) = blocks else {
        return Ok(around);
    };
    if around == DEEPEST {
        return Err(Error::value(format!(
            "expected lists that are nested at most {DEEPEST} deep"
        )));
    }
    let mut found = None;
    for item in list {
        let depth = depth(item, around + 1)?;
        match found {
            Some(other) if other != depth => {
                return Err(Error::value(format!(
                    "expected all blocks at the same depth of lists, got {other} and {depth}"
                )));
            }
            _ => found = Some(depth),
        }
    }
    found.ok_or_else(|| Error::value("expected blocks, got an empty list"))
}

fn most_axes(blocks: &Blocks<'_>, most: &mut usize) -> Result<()> {
    match blocks {
        Blocks::One(array) => *most = (*most).max(array.ty()?.ndim()),
        Blocks::List(list) => {
            for item in list {
                most_axes(item, most)?;
            }
        }
    }
    Ok(())
}

/// Lists at `level` are joined along axis `first + level`.
#[track_caller]
fn joined(blocks: Blocks<'_>, level: usize, first: usize, ndim: usize) -> Array {
    match blocks {
        Blocks::One(array) => {
            let ty = attempt!("block", array.ty());
            if ty.ndim() >= ndim {
                return to_array(array);
            }
            let missing = std::iter::repeat_n(1, ndim - ty.ndim());
            let shape: Dims = missing.chain(ty.shape.iter().copied()).collect();
            reshape(array, &shape)
        }
        Blocks::List(list) => {
            let mut parts = Vec::with_capacity(list.len());
            for item in list {
                parts.push(joined(item, level + 1, first, ndim));
            }
            concatenate(parts, Some((first + level) as i64))
        }
    }
}

//! Expansions: how rows of the op table that are not core ops are written with others.
//!
//! An expansion adds nodes through a [`Builder`], which converts inputs to the dtypes that inference asks for
//! and expands what it is given in turn: what comes out is core ops only, with equal dtypes. Expansions are
//! exact where the row's meaning is; they never look at values.

use std::panic::Location;

use smallvec::SmallVec;

use super::einsum::Subscripts;
use super::graph::{Graph, ValueId};
use super::index::{IndexItem, IndexKey, advanced_position};
use super::types::{ArrayType, Class, DType, Dims};
use super::{NormOrder, Op, Scalar};
use crate::error::{Error, Result};

type Expanded = Result<ValueId>;

/// Adds core ops to a graph.
pub struct Builder<'a> {
    graph: &'a mut Graph,
    location: Option<&'static Location<'static>>,
}

impl<'a> Builder<'a> {
    /// A builder whose nodes carry the given source line.
    pub fn new(graph: &'a mut Graph, location: Option<&'static Location<'static>>) -> Self {
        Self { graph, location }
    }

    /// Adds an op: converts its inputs, and expands it if it is not a core op.
    ///
    /// # Errors
    /// The inputs do not fit the op.
    pub fn push(&mut self, op: Op, inputs: &[ValueId]) -> Expanded {
        let signature = self.graph.infer(&op, inputs)?;
        let mut converted: SmallVec<[ValueId; 4]> = inputs.into();
        for (input, operand) in converted.iter_mut().zip(&signature.operands) {
            if let Some(dtype) = operand {
                *input = self.cast(*input, *dtype)?;
            }
        }
        match op.expand(self, &converted) {
            Some(expanded) => {
                let value = expanded?;
                if self.graph[value].ty == signature.result {
                    Ok(value)
                } else {
                    let got = &self.graph[value].ty;
                    Err(Error::internal(format!(
                        "the expansion of {op} gives {got}, not {}",
                        signature.result
                    )))
                }
            }
            None => Ok(self
                .graph
                .insert(op, &converted, signature.result, self.location)),
        }
    }

    /// The array type of a value.
    ///
    /// # Errors
    /// The value is a tuple.
    pub fn ty(&self, value: ValueId) -> Result<ArrayType> {
        self.graph.ty(value).cloned()
    }

    /// Adds a scalar of the given dtype.
    pub fn literal(&mut self, value: impl Into<Scalar>, dtype: DType) -> ValueId {
        self.graph.add_literal(value, dtype)
    }

    fn cast(&mut self, x: ValueId, dtype: DType) -> Expanded {
        if self.graph.ty(x)?.dtype == dtype {
            return Ok(x);
        }
        if let Some(literal) = self.graph.as_literal(x) {
            return Ok(self.literal(literal.value, dtype));
        }
        self.push(Op::Astype { dtype }, &[x])
    }

    fn reshape(&mut self, x: ValueId, shape: &[usize]) -> Expanded {
        if self.graph.ty(x)?.shape.as_slice() == shape {
            return Ok(x);
        }
        self.push(
            Op::Reshape {
                shape: shape.into(),
            },
            &[x],
        )
    }

    fn transpose(&mut self, x: ValueId, perm: Dims) -> Expanded {
        if perm.is_sorted() {
            return Ok(x);
        }
        self.push(Op::Transpose { perm }, &[x])
    }

    fn sum(&mut self, x: ValueId, axes: Dims, keepdims: bool) -> Expanded {
        if axes.is_empty() {
            return Ok(x);
        }
        self.push(Op::Sum { axes, keepdims }, &[x])
    }
}

// ---- elementwise ----

pub(super) fn square(b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    b.push(Op::Multiply, &[x[0], x[0]])
}

pub(super) fn reciprocal(b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    let dtype = b.ty(x[0])?.dtype;
    let one = b.literal(1, dtype);
    if dtype.class() != Class::Integer {
        return b.push(Op::Divide, &[one, x[0]]);
    }
    // 1 / x is zero except at 1 and -1, where it is x itself.
    let magnitude = b.push(Op::Absolute, x)?;
    let is_unit = b.push(Op::Equal, &[magnitude, one])?;
    let zero = b.literal(0, dtype);
    b.push(Op::Where, &[is_unit, x[0], zero])
}

pub(super) fn isnan(b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    b.push(Op::NotEqual, &[x[0], x[0]])
}

/// Of each part for complex numbers, with `join` between the two.
fn of_parts(
    b: &mut Builder<'_>,
    x: ValueId,
    join: Op,
    test: impl Fn(&mut Builder<'_>, ValueId) -> Expanded,
) -> Expanded {
    if !b.ty(x)?.dtype.is_complex() {
        return test(b, x);
    }
    let (re, im) = (b.push(Op::Real, &[x])?, b.push(Op::Imag, &[x])?);
    let (re, im) = (test(b, re)?, test(b, im)?);
    b.push(join, &[re, im])
}

pub(super) fn isinf(b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    of_parts(b, x[0], Op::LogicalOr, |b, x| {
        let dtype = b.ty(x)?.dtype;
        if !dtype.is_float() {
            return b.push(Op::NotEqual, &[x, x]);
        }
        let infinity = b.literal(f64::INFINITY, dtype);
        let magnitude = b.push(Op::Absolute, &[x])?;
        b.push(Op::Equal, &[magnitude, infinity])
    })
}

pub(super) fn isfinite(b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    of_parts(b, x[0], Op::LogicalAnd, |b, x| {
        let dtype = b.ty(x)?.dtype;
        if !dtype.is_float() {
            return b.push(Op::Equal, &[x, x]);
        }
        let infinity = b.literal(f64::INFINITY, dtype);
        let magnitude = b.push(Op::Absolute, &[x])?;
        b.push(Op::Less, &[magnitude, infinity])
    })
}

pub(super) fn greater(b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    b.push(Op::Less, &[x[1], x[0]])
}

pub(super) fn greater_equal(b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    b.push(Op::LessEqual, &[x[1], x[0]])
}

pub(super) fn logical_xor(b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    b.push(Op::NotEqual, x)
}

// ---- reductions ----

pub(super) fn sum_where(
    axes: &Dims,
    keepdims: &bool,
    b: &mut Builder<'_>,
    x: &[ValueId],
) -> Expanded {
    let dtype = b.ty(x[0])?.dtype;
    let zero = b.literal(0, dtype);
    let kept = b.push(Op::Where, &[x[1], x[0], zero])?;
    b.push(
        Op::Sum {
            axes: axes.clone(),
            keepdims: *keepdims,
        },
        &[kept],
    )
}

/// `numpy.linalg.norm`: vectors over one axis, matrices over two, everything for the default order.
pub(super) fn norm(
    order: &NormOrder,
    axes: &Option<Dims>,
    keepdims: &bool,
    b: &mut Builder<'_>,
    x: &[ValueId],
) -> Expanded {
    let x = x[0];
    let ty = b.ty(x)?;
    let axes = axes.clone().unwrap_or_else(|| (0..ty.ndim()).collect());
    let mut sorted = axes.clone();
    sorted.sort_unstable();
    let real = ty.dtype.real();
    let kept = match (order, axes.as_slice()) {
        (NormOrder::Default | NormOrder::Frobenius, _) => euclidean_norm(b, x, sorted.clone())?,
        (NormOrder::Number(_), &[axis]) => {
            vector_norm(b, x, axis, order.as_number().unwrap_or(2.0))?
        }
        (NormOrder::Nuclear, &[rows, columns]) => {
            let values = singular_values(b, x, rows, columns)?;
            b.sum(values, Dims::from_slice(&[ty.ndim() - 2]), false)?
        }
        (NormOrder::Number(_), &[rows, columns]) => match order.as_number() {
            Some(p) if p.abs() == 2.0 => {
                let values = singular_values(b, x, rows, columns)?;
                extremum(b, values, ty.ndim() - 2, p > 0.0)?
            }
            p => {
                let sums = absolute_sum(b, x, rows)?;
                extremum(b, sums, columns, p > Some(0.0))?
            }
        },
        (NormOrder::Infinity | NormOrder::NegativeInfinity, &[first, ref rest @ ..]) => {
            let largest = *order == NormOrder::Infinity;
            match rest.first() {
                Some(&columns) => {
                    let sums = absolute_sum(b, x, columns)?;
                    extremum(b, sums, first, largest)?
                }
                None => {
                    let magnitude = b.push(Op::Absolute, &[x])?;
                    extremum(b, magnitude, first, largest)?
                }
            }
        }
        _ => {
            return Err(Error::internal(format!(
                "no norm of order {order} over {} axes",
                axes.len()
            )));
        }
    };
    let kept = b.cast(kept, real)?;
    let reduced = ty.shape.iter().enumerate();
    let shape: Dims = reduced
        .filter_map(|(a, &n)| {
            if axes.contains(&a) {
                keepdims.then_some(1)
            } else {
                Some(n)
            }
        })
        .collect();
    b.reshape(kept, &shape)
}

fn euclidean_norm(b: &mut Builder<'_>, x: ValueId, axes: Dims) -> Expanded {
    let mut squares = b.push(Op::Real, &[x])?;
    squares = b.push(Op::Multiply, &[squares, squares])?;
    if b.ty(x)?.dtype.is_complex() {
        let imag = b.push(Op::Imag, &[x])?;
        let imag = b.push(Op::Multiply, &[imag, imag])?;
        squares = b.push(Op::Add, &[squares, imag])?;
    }
    let sum = b.sum(squares, axes, true)?;
    b.push(Op::Sqrt, &[sum])
}

fn vector_norm(b: &mut Builder<'_>, x: ValueId, axis: usize, p: f64) -> Expanded {
    if p == 2.0 {
        return euclidean_norm(b, x, Dims::from_slice(&[axis]));
    }
    let real = b.ty(x)?.dtype.real();
    if p == 0.0 {
        let zero = b.literal(0, real);
        let magnitude = b.push(Op::Absolute, &[x])?;
        let counted = b.push(Op::NotEqual, &[magnitude, zero])?;
        let counted = b.cast(counted, real)?;
        return b.sum(counted, Dims::from_slice(&[axis]), true);
    }
    if p == 1.0 {
        return absolute_sum(b, x, axis);
    }
    let magnitude = b.push(Op::Absolute, &[x])?;
    let (power, root) = (b.literal(p, real), b.literal(1.0 / p, real));
    let powers = b.push(Op::Power, &[magnitude, power])?;
    let sum = b.sum(powers, Dims::from_slice(&[axis]), true)?;
    b.push(Op::Power, &[sum, root])
}

fn absolute_sum(b: &mut Builder<'_>, x: ValueId, axis: usize) -> Expanded {
    let magnitude = b.push(Op::Absolute, &[x])?;
    b.sum(magnitude, Dims::from_slice(&[axis]), true)
}

fn extremum(b: &mut Builder<'_>, x: ValueId, axis: usize, largest: bool) -> Expanded {
    let axes = Dims::from_slice(&[axis]);
    if largest && b.ty(x)?.shape[axis] == 0 {
        // The largest of no magnitudes is zero, as NumPy has it; the empty sum gives just that.
        return b.sum(x, axes, true);
    }
    let op = if largest {
        Op::Max {
            axes,
            keepdims: true,
        }
    } else {
        Op::Min {
            axes,
            keepdims: true,
        }
    };
    b.push(op, &[x])
}

/// The singular values of the matrices over two axes, as the new last axis.
fn singular_values(b: &mut Builder<'_>, x: ValueId, rows: usize, columns: usize) -> Expanded {
    let ndim = b.ty(x)?.ndim();
    let mut perm: Dims = (0..ndim).filter(|&a| a != rows && a != columns).collect();
    perm.extend([rows, columns]);
    let matrices = b.transpose(x, perm)?;
    let decomposition = b.push(
        Op::Svd {
            full_matrices: false,
        },
        &[matrices],
    )?;
    b.push(Op::Get { index: 1 }, &[decomposition])
}

// ---- products ----

pub(super) fn tensordot(
    x_axes: &Dims,
    y_axes: &Dims,
    b: &mut Builder<'_>,
    x: &[ValueId],
) -> Expanded {
    let (x_ndim, y_ndim) = (b.ty(x[0])?.ndim(), b.ty(x[1])?.ndim());
    let x_free: Dims = (0..x_ndim).filter(|a| !x_axes.contains(a)).collect();
    let y_free: Dims = (0..y_ndim).filter(|a| !y_axes.contains(a)).collect();
    let operand = |free: &Dims, axes: &Dims| Contraction {
        batch: Dims::new(),
        free: free.clone(),
        summed: axes.clone(),
    };
    contract(
        b,
        x[0],
        &operand(&x_free, x_axes),
        x[1],
        &operand(&y_free, y_axes),
    )
}

/// The axes of one operand of a contraction, by role.
struct Contraction {
    batch: Dims,
    free: Dims,
    summed: Dims,
}

/// The contraction with axes batch, free of `x`, free of `y`.
///
/// A matrix product where both sides have free axes; otherwise a product and a sum, which fuse.
fn contract(
    b: &mut Builder<'_>,
    x: ValueId,
    xa: &Contraction,
    y: ValueId,
    ya: &Contraction,
) -> Expanded {
    let (x_ty, y_ty) = (b.ty(x)?, b.ty(y)?);
    let sizes =
        |ty: &ArrayType, axes: &Dims| -> Dims { axes.iter().map(|&a| ty.shape[a]).collect() };
    let order = |parts: [&Dims; 3]| -> Dims { parts.into_iter().flatten().copied().collect() };
    let (batch, x_free, y_free) = (
        sizes(&x_ty, &xa.batch),
        sizes(&x_ty, &xa.free),
        sizes(&y_ty, &ya.free),
    );
    let summed = sizes(&x_ty, &xa.summed);
    let result: Dims = [&batch, &x_free, &y_free]
        .into_iter()
        .flatten()
        .copied()
        .collect();
    let (m, k, n): (usize, usize, usize) = (
        x_free.iter().product(),
        summed.iter().product(),
        y_free.iter().product(),
    );
    let with =
        |batch: &Dims, rest: &[usize]| -> Dims { batch.iter().chain(rest).copied().collect() };

    let product = if m == 1 && n == 1 || k == 1 {
        let x = b.transpose(x, order([&xa.batch, &xa.free, &xa.summed]))?;
        let y = b.transpose(y, order([&ya.batch, &ya.free, &ya.summed]))?;
        if k == 1 {
            let x = b.reshape(x, &with(&batch, &[m, 1]))?;
            let y = b.reshape(y, &with(&batch, &[1, n]))?;
            b.push(Op::Multiply, &[x, y])?
        } else {
            let x = b.reshape(x, &with(&batch, &[k]))?;
            let y = b.reshape(y, &with(&batch, &[k]))?;
            let products = b.push(Op::Multiply, &[x, y])?;
            b.push(
                Op::Sum {
                    axes: Dims::from_slice(&[batch.len()]),
                    keepdims: false,
                },
                &[products],
            )
            .and_then(|sum| b.cast(sum, x_ty.dtype))?
        }
    } else {
        let x = b.transpose(x, order([&xa.batch, &xa.free, &xa.summed]))?;
        let y = b.transpose(y, order([&ya.batch, &ya.summed, &ya.free]))?;
        let x = b.reshape(x, &with(&batch, &[m, k]))?;
        let y = b.reshape(y, &with(&batch, &[k, n]))?;
        b.push(Op::Matmul, &[x, y])?
    };
    b.reshape(product, &result)
}

/// Operands are contracted pairwise from the left, after sums and diagonals of each alone.
#[allow(clippy::borrowed_box, reason = "rows pass attributes by reference")]
pub(super) fn einsum(subscripts: &Box<str>, b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    let subscripts = Subscripts::parse(subscripts)?;
    let types = x.iter().map(|&v| b.ty(v)).collect::<Result<Vec<_>>>()?;
    let sizes = subscripts.sizes(&types.iter().collect::<Vec<_>>())?;
    let mut operands: Vec<(ValueId, Vec<char>)> = Vec::with_capacity(x.len());
    for (i, (&value, labels)) in x.iter().zip(&subscripts.operands).enumerate() {
        let needed = |label: char| {
            let elsewhere = subscripts
                .operands
                .iter()
                .enumerate()
                .any(|(j, o)| j != i && o.contains(&label));
            elsewhere || subscripts.result.contains(&label)
        };
        let (value, labels) = take_diagonals(b, value, labels)?;
        // Axes of length one that stand for a longer label: drop them here, broadcasting brings them back.
        let ty = b.ty(value)?;
        let short = |a: usize| ty.shape[a] == 1 && sizes[&labels[a]] != 1;
        let shape: Dims = (0..ty.ndim())
            .filter(|&a| !short(a))
            .map(|a| ty.shape[a])
            .collect();
        let labels: Vec<char> = (0..ty.ndim())
            .filter(|&a| !short(a))
            .map(|a| labels[a])
            .collect();
        let value = b.reshape(value, &shape)?;
        operands.push(sum_labels(b, value, &labels, &|l| !needed(l))?);
    }
    while operands.len() > 1 {
        let ((x, x_labels), (y, y_labels)) = (operands.remove(0), operands.remove(0));
        let needed = |label: &char| {
            subscripts.result.contains(label) || operands.iter().any(|(_, o)| o.contains(label))
        };
        let positions = |labels: &[char], keep: &dyn Fn(&char) -> bool| -> Dims {
            labels
                .iter()
                .enumerate()
                .filter(|(_, l)| keep(l))
                .map(|(a, _)| a)
                .collect()
        };
        let find = |labels: &[char], axes: &Dims, other: &[char]| -> Dims {
            axes.iter()
                .filter_map(|&a| other.iter().position(|l| *l == labels[a]))
                .collect()
        };
        let batch = positions(&x_labels, &|l| y_labels.contains(l) && needed(l));
        let summed = positions(&x_labels, &|l| y_labels.contains(l) && !needed(l));
        let xa = Contraction {
            free: positions(&x_labels, &|l| !y_labels.contains(l)),
            batch,
            summed,
        };
        let ya = Contraction {
            free: positions(&y_labels, &|l| !x_labels.contains(l)),
            batch: find(&x_labels, &xa.batch, &y_labels),
            summed: find(&x_labels, &xa.summed, &y_labels),
        };
        let mut labels: Vec<char> = xa
            .batch
            .iter()
            .chain(&xa.free)
            .map(|&a| x_labels[a])
            .collect();
        labels.extend(ya.free.iter().map(|&a| y_labels[a]));
        let value = contract(b, x, &xa, y, &ya)?;
        // A label that only this pair had is gone from both; one that only one operand had may end here.
        let last = operands.is_empty();
        let (value, labels) = sum_labels(b, value, &labels, &|l| {
            last && !subscripts.result.contains(&l)
        })?;
        operands.insert(0, (value, labels));
    }
    let (value, labels) = operands.remove(0);
    let perm: Dims = subscripts
        .result
        .iter()
        .filter_map(|r| labels.iter().position(|l| l == r))
        .collect();
    let value = b.transpose(value, perm)?;
    // Labels that were one everywhere but in the result cannot be: sizes are the largest of each label.
    let shape: Dims = subscripts.result.iter().map(|l| sizes[l]).collect();
    b.reshape(value, &shape)
}

/// Sums over the axes whose label is not needed any more, keeping the dtype.
fn sum_labels(
    b: &mut Builder<'_>,
    x: ValueId,
    labels: &[char],
    done: &dyn Fn(char) -> bool,
) -> Result<(ValueId, Vec<char>)> {
    let axes: Dims = (0..labels.len()).filter(|&a| done(labels[a])).collect();
    let dtype = b.ty(x)?.dtype;
    let sum = b.sum(x, axes, false)?;
    Ok((
        b.cast(sum, dtype)?,
        labels.iter().copied().filter(|&l| !done(l)).collect(),
    ))
}

/// Replaces repeated labels of one operand by the diagonal over their axes.
fn take_diagonals(
    b: &mut Builder<'_>,
    mut x: ValueId,
    labels: &[char],
) -> Result<(ValueId, Vec<char>)> {
    let mut labels = labels.to_vec();
    while let Some((first, second)) = repeated(&labels) {
        let ty = b.ty(x)?;
        let n = ty.shape[first];
        if ty.shape[second] != n {
            return Err(Error::shape(format!(
                "the diagonal of {ty} needs axes of equal length"
            )));
        }
        let mut perm: Dims = (0..ty.ndim())
            .filter(|a| *a != first && *a != second)
            .collect();
        let mut shape: Dims = perm.iter().map(|&a| ty.shape[a]).collect();
        perm.extend([first, second]);
        let moved = b.transpose(x, perm)?;
        shape.push(n * n);
        let flat = b.reshape(moved, &shape)?;
        // The diagonal is every (n + 1)-th element.
        let mut items = vec![IndexItem::FULL; shape.len() - 1];
        items.push(IndexItem::Slice {
            start: None,
            stop: None,
            step: Some(n as i64 + 1),
        });
        x = b.push(
            Op::Getitem {
                key: IndexKey(items.into()),
            },
            &[flat],
        )?;
        let label = labels[first];
        labels.remove(second);
        labels.remove(first);
        labels.push(label);
    }
    Ok((x, labels))
}

fn repeated(labels: &[char]) -> Option<(usize, usize)> {
    (0..labels.len()).find_map(|i| {
        labels[i + 1..]
            .iter()
            .position(|l| *l == labels[i])
            .map(|j| (i, i + 1 + j))
    })
}

// ---- indexing and joining ----

pub(super) fn getitem(key: &IndexKey, b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    let (x, arrays) = (x[0], &x[1..]);
    let ty = b.ty(x)?;
    let slicing = key.slicing(&ty)?;
    let whole = slicing.sizes == ty.shape && slicing.steps.iter().all(|&s| s == 1);
    let sliced = if whole {
        x
    } else {
        b.push(
            Op::Slice {
                slicing: slicing.clone(),
            },
            &[x],
        )?
    };
    let basic = b.reshape(sliced, &key.basic_shape(&slicing))?;
    if arrays.is_empty() {
        return Ok(basic);
    }

    // Positions of the indexed axes, in `basic` and in `x`.
    let mut axes = Dims::new();
    let mut original = Dims::new();
    let (mut basic_axis, mut x_axis) = (0, 0);
    for item in &key.0 {
        if *item == IndexItem::Array {
            axes.push(basic_axis);
            original.push(x_axis);
        }
        basic_axis += usize::from(!matches!(item, IndexItem::Int(_)));
        x_axis += usize::from(*item != IndexItem::NewAxis);
    }
    let basic_ty = b.ty(basic)?;
    let sizes: Dims = axes.iter().map(|&a| basic_ty.shape[a]).collect();

    let at = advanced_position(key).unwrap_or(0);
    if let ([array], [axis]) = (arrays, axes.as_slice()) {
        // The slices are taken where the axis is, and only moved if single positions stand apart from it.
        let taken = b.push(Op::Take { axis: *axis }, &[basic, *array])?;
        let (common, ndim) = (b.ty(*array)?.ndim(), b.ty(taken)?.ndim());
        let moved = *axis..*axis + common;
        let others: Dims = (0..ndim).filter(|a| !moved.contains(a)).collect();
        let perm = others[..at].iter().copied().chain(moved);
        return b.transpose(taken, perm.chain(others[at..].iter().copied()).collect());
    }

    // One flat index over all indexed axes, which come to the front.
    let mut flat = None;
    for ((&array, &size), &axis) in arrays.iter().zip(&sizes).zip(&original) {
        let wrapped = b.push(Op::WrapIndex { axis, size }, &[array])?;
        flat = Some(match flat {
            None => wrapped,
            Some(so_far) => {
                let size = b.literal(size as i64, DType::Int64);
                let scaled = b.push(Op::Multiply, &[so_far, size])?;
                b.push(Op::Add, &[scaled, wrapped])?
            }
        });
    }
    let flat = flat.ok_or_else(|| Error::internal("no index array"))?;
    let common = b.ty(flat)?.ndim();
    let mut perm = axes.clone();
    perm.extend((0..basic_ty.ndim()).filter(|a| !axes.contains(a)));
    let moved = b.transpose(basic, perm)?;
    let mut shape = Dims::from_slice(&[sizes.iter().product()]);
    shape.extend_from_slice(&b.ty(moved)?.shape[axes.len()..]);
    let rows = b.reshape(moved, &shape)?;
    let taken = b.push(Op::Take { axis: 0 }, &[rows, flat])?;

    // The axes of the indices go where the indexed axes stood.
    let rest = b.ty(taken)?.ndim() - common;
    let perm = (0..at)
        .map(|i| common + i)
        .chain(0..common)
        .chain((at..rest).map(|i| common + i));
    b.transpose(taken, perm.collect())
}

pub(super) fn stack(axis: &usize, b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    let mut shape = b.ty(x[0])?.shape;
    shape.insert(*axis, 1);
    let expanded = x
        .iter()
        .map(|&v| b.reshape(v, &shape))
        .collect::<Result<Vec<_>>>()?;
    b.push(Op::Concatenate { axis: *axis }, &expanded)
}

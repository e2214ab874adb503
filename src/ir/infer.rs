//! The rules for dtypes and shapes that rows of the op table name.
//!
//! A rule gives a [`Signature`]: the dtype to which each input is converted before the op runs, and the type
//! of the result. So promotion is decided once, here; the interpreter, the libraries and the compilers all
//! see inputs of equal dtype.
//!
//! Messages name the types, as `f64[3,4]`, and what was expected.

use smallvec::{SmallVec, smallvec};

use super::einsum::Subscripts;
use super::index::{IndexKey, Slicing};
use super::scalar::{Literal, Scalar};
use super::types::{ArrayType, Class, DType, Dims, Shape, Type};
use super::{NormOrder, Op};
use crate::error::{Error, Result};

/// What an op does to types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The dtype to which each input is converted; `None` leaves it as it is.
    pub operands: SmallVec<[Option<DType>; 4]>,
    /// The type of the result.
    pub result: Type,
}

impl Signature {
    /// All inputs are converted to one dtype.
    fn uniform(count: usize, operand: DType, result: ArrayType) -> Result<Self> {
        Ok(Self {
            operands: smallvec![Some(operand); count],
            result: result.into(),
        })
    }

    /// Inputs stay as they are.
    fn unchanged(count: usize, result: impl Into<Type>) -> Result<Self> {
        Ok(Self {
            operands: smallvec![None; count],
            result: result.into(),
        })
    }
}

/// The shape to which two shapes broadcast; `None` if they do not.
///
/// Source: NumPy, "Broadcasting".
#[must_use]
pub fn broadcast_shapes(x: &[usize], y: &[usize]) -> Option<Shape> {
    let (long, short) = if x.len() >= y.len() { (x, y) } else { (y, x) };
    let mut shape = Shape::from_slice(long);
    let lead = long.len() - short.len();
    for (a, &b) in shape[lead..].iter_mut().zip(short) {
        if *a == 1 {
            *a = b;
        } else if b != 1 && b != *a {
            return None;
        }
    }
    Some(shape)
}

/// An axis that may count from the end, brought into `0..ndim`.
///
/// # Errors
/// The axis is out of range.
pub fn normalize_axis(axis: i64, ndim: usize) -> Result<usize> {
    let wrapped = if axis < 0 {
        axis.saturating_add(ndim as i64)
    } else {
        axis
    };
    usize::try_from(wrapped)
        .ok()
        .filter(|&a| a < ndim)
        .ok_or_else(|| Error::index(format!("axis {axis} is out of range for {ndim} dimensions")))
}

/// Gives each weak scalar among the inputs its dtype beside the dtypes of the arrays.
///
/// The condition of `where` and the indices of `take` take no part in the promotion of the others.
pub(crate) fn resolve_scalars(
    op: &Op,
    arrays: &[Option<DType>],
    scalar: Scalar,
) -> Result<Literal> {
    let apart = matches!(op, Op::Where).into();
    let strong = arrays
        .iter()
        .skip(apart)
        .flatten()
        .copied()
        .reduce(DType::promote);
    let Some(strong) = strong else {
        return Ok(Literal {
            value: scalar,
            dtype: scalar.dtype(),
        });
    };
    let dtype = scalar.weak_dtype(strong);
    if let (Scalar::Int(i), Class::Integer) = (scalar, dtype.class())
        && scalar.cast(dtype) != scalar
    {
        if is_comparison(op) {
            return Ok(Literal {
                value: scalar,
                dtype: DType::Int64,
            });
        }
        return Err(Error::value(format!(
            "the integer {i} does not fit into {dtype}"
        )));
    }
    Ok(Literal::new(scalar, dtype))
}

fn is_comparison(op: &Op) -> bool {
    matches!(
        op,
        Op::Equal | Op::NotEqual | Op::Less | Op::LessEqual | Op::Greater | Op::GreaterEqual
    )
}

// ---- elementwise ----

/// The promoted dtype and the broadcast shape of all inputs.
fn promote_and_broadcast(inputs: &[&Type]) -> Result<ArrayType> {
    let mut result = inputs[0].array()?.clone();
    for input in &inputs[1..] {
        let input = input.array()?;
        let Some(shape) = broadcast_shapes(&result.shape, &input.shape) else {
            return Err(Error::shape(format!(
                "cannot broadcast {} with {}",
                inputs[0], input
            )));
        };
        result = ArrayType {
            dtype: result.dtype.promote(input.dtype),
            shape,
        };
    }
    Ok(result)
}

fn refuse(class: Class, ty: &ArrayType, inputs: &[&Type]) -> Result<()> {
    if ty.dtype.class() == class {
        let types: Vec<String> = inputs.iter().map(ToString::to_string).collect();
        let what = match class {
            Class::Bool => "booleans",
            Class::Integer => "integers",
            Class::Float => "floating numbers",
            Class::Complex => "complex numbers",
        };
        return Err(Error::dtype(format!(
            "{what} are not supported, got {}",
            types.join(" and ")
        )));
    }
    Ok(())
}

pub(super) fn arithmetic(inputs: &[&Type]) -> Result<Signature> {
    let ty = promote_and_broadcast(inputs)?;
    Signature::uniform(inputs.len(), ty.dtype, ty)
}

pub(super) fn numeric_or_bool(inputs: &[&Type]) -> Result<Signature> {
    arithmetic(inputs)
}

pub(super) fn no_bool(inputs: &[&Type]) -> Result<Signature> {
    let ty = promote_and_broadcast(inputs)?;
    refuse(Class::Bool, &ty, inputs)?;
    Signature::uniform(inputs.len(), ty.dtype, ty)
}

pub(super) fn numeric(inputs: &[&Type]) -> Result<Signature> {
    no_bool(inputs)
}

/// Integers give `float64`.
pub(super) fn floating(inputs: &[&Type]) -> Result<Signature> {
    let ty = promote_and_broadcast(inputs)?;
    let dtype = ty.dtype.floating();
    Signature::uniform(inputs.len(), dtype, ty.with_dtype(dtype))
}

pub(super) fn real_floating(inputs: &[&Type]) -> Result<Signature> {
    refuse(Class::Complex, &promote_and_broadcast(inputs)?, inputs)?;
    floating(inputs)
}

/// Real numbers; booleans count as the smallest integers do.
pub(super) fn real_numbers(inputs: &[&Type]) -> Result<Signature> {
    let ty = promote_and_broadcast(inputs)?;
    refuse(Class::Complex, &ty, inputs)?;
    // NumPy computes with int8 here, which there is no dtype for.
    refuse(Class::Bool, &ty, inputs)?;
    Signature::uniform(inputs.len(), ty.dtype, ty)
}

/// Real numbers of any kind, booleans included.
pub(super) fn rounding(inputs: &[&Type]) -> Result<Signature> {
    refuse(Class::Complex, &promote_and_broadcast(inputs)?, inputs)?;
    arithmetic(inputs)
}

/// Booleans and integers.
pub(super) fn bitwise(inputs: &[&Type]) -> Result<Signature> {
    refuse(Class::Float, &promote_and_broadcast(inputs)?, inputs)?;
    rounding(inputs)
}

/// Integers alone.
pub(super) fn shift(inputs: &[&Type]) -> Result<Signature> {
    // NumPy shifts booleans as int8, which there is no dtype for.
    refuse(Class::Bool, &promote_and_broadcast(inputs)?, inputs)?;
    bitwise(inputs)
}

pub(super) fn power(inputs: &[&Type]) -> Result<Signature> {
    no_bool(inputs)
}

pub(super) fn absolute(inputs: &[&Type]) -> Result<Signature> {
    let ty = inputs[0].array()?;
    Signature::uniform(1, ty.dtype, ty.with_dtype(ty.dtype.real()))
}

pub(super) fn real_part(inputs: &[&Type]) -> Result<Signature> {
    absolute(inputs)
}

pub(super) fn predicate(inputs: &[&Type]) -> Result<Signature> {
    let ty = inputs[0].array()?;
    Signature::unchanged(1, ty.with_dtype(DType::Bool))
}

pub(super) fn comparison(inputs: &[&Type]) -> Result<Signature> {
    let ty = promote_and_broadcast(inputs)?;
    Signature::uniform(inputs.len(), ty.dtype, ty.with_dtype(DType::Bool))
}

pub(super) fn logical(inputs: &[&Type]) -> Result<Signature> {
    let ty = promote_and_broadcast(inputs)?;
    Signature::uniform(inputs.len(), DType::Bool, ty.with_dtype(DType::Bool))
}

pub(super) fn select(inputs: &[&Type]) -> Result<Signature> {
    let dtype = inputs[1].array()?.dtype.promote(inputs[2].array()?.dtype);
    let shape = promote_and_broadcast(inputs)?.shape;
    Ok(Signature {
        operands: smallvec![Some(DType::Bool), Some(dtype), Some(dtype)],
        result: ArrayType { dtype, shape }.into(),
    })
}

// ---- leaves and conversions ----

/// The rule of both leaves that carry their type.
pub(super) fn typed_leaf(_index: &usize, ty: &ArrayType, _inputs: &[&Type]) -> Result<Signature> {
    Signature::unchanged(0, ty.clone())
}

pub(super) fn literal(value: &Literal, _inputs: &[&Type]) -> Result<Signature> {
    Signature::unchanged(0, ArrayType::scalar(value.dtype))
}

pub(super) fn get(index: &usize, inputs: &[&Type]) -> Result<Signature> {
    match inputs[0] {
        Type::Tuple(types) if *index < types.len() => {
            Signature::unchanged(1, types[*index].clone())
        }
        other => Err(Error::index(format!("no result number {index} in {other}"))),
    }
}

pub(super) fn astype(dtype: &DType, inputs: &[&Type]) -> Result<Signature> {
    Signature::unchanged(1, inputs[0].array()?.with_dtype(*dtype))
}

// ---- reductions ----

/// The shape that is left after reducing over `axes`.
fn reduced(ty: &ArrayType, axes: &[usize], keepdims: bool) -> Result<Shape> {
    if let Some(axis) = axes.iter().find(|&&a| a >= ty.ndim()) {
        return Err(Error::index(format!(
            "axis {axis} is out of range for {ty}"
        )));
    }
    if !axes.is_sorted_by(|a, b| a < b) {
        return Err(Error::value(format!(
            "expected different axes in order, got {axes:?}"
        )));
    }
    let sizes = ty.shape.iter().enumerate();
    Ok(sizes
        .filter_map(|(i, &n)| {
            if axes.contains(&i) {
                keepdims.then_some(1)
            } else {
                Some(n)
            }
        })
        .collect())
}

pub(super) fn sum(axes: &Dims, keepdims: &bool, inputs: &[&Type]) -> Result<Signature> {
    let ty = inputs[0].array()?;
    let dtype = if ty.dtype.class() <= Class::Integer {
        DType::Int64
    } else {
        ty.dtype
    };
    Signature::uniform(
        1,
        dtype,
        ArrayType {
            dtype,
            shape: reduced(ty, axes, *keepdims)?,
        },
    )
}

pub(super) fn sum_where(axes: &Dims, keepdims: &bool, inputs: &[&Type]) -> Result<Signature> {
    let (x, mask) = (inputs[0].array()?, inputs[1].array()?);
    if broadcast_shapes(&x.shape, &mask.shape).as_ref() != Some(&x.shape) {
        return Err(Error::shape(format!(
            "cannot broadcast the mask {mask} to {x}"
        )));
    }
    let mut signature = sum(axes, keepdims, &inputs[..1])?;
    signature.operands.push(Some(DType::Bool));
    Ok(signature)
}

pub(super) fn extremum(axes: &Dims, keepdims: &bool, inputs: &[&Type]) -> Result<Signature> {
    let ty = inputs[0].array()?;
    let shape = reduced(ty, axes, *keepdims)?;
    // NumPy refuses an empty axis even where the result has no elements either.
    if axes.iter().any(|&a| ty.shape[a] == 0) {
        return Err(Error::value(format!(
            "an empty array has no largest or smallest element, got {ty}"
        )));
    }
    Signature::unchanged(
        1,
        ArrayType {
            dtype: ty.dtype,
            shape,
        },
    )
}

pub(super) fn quantifier(axes: &Dims, keepdims: &bool, inputs: &[&Type]) -> Result<Signature> {
    let ty = inputs[0].array()?;
    let shape = reduced(ty, axes, *keepdims)?;
    Signature::uniform(
        1,
        DType::Bool,
        ArrayType {
            dtype: DType::Bool,
            shape,
        },
    )
}

pub(super) fn arg_extremum(axis: &usize, keepdims: &bool, inputs: &[&Type]) -> Result<Signature> {
    let mut signature = extremum(&smallvec![*axis], keepdims, inputs)?;
    if let Type::Array(ty) = &mut signature.result {
        ty.dtype = DType::Int64;
    }
    Ok(signature)
}

/// A result of the shape of the input, worked out along an axis.
fn along(axis: usize, inputs: &[&Type]) -> Result<ArrayType> {
    let ty = inputs[0].array()?;
    if axis >= ty.ndim() {
        return Err(Error::index(format!(
            "axis {axis} is out of range for {ty}"
        )));
    }
    Ok(ty.clone())
}

pub(super) fn scan(axis: &usize, inputs: &[&Type]) -> Result<Signature> {
    let ty = along(*axis, inputs)?;
    let dtype = if ty.dtype.class() <= Class::Integer {
        DType::Int64
    } else {
        ty.dtype
    };
    Signature::uniform(1, dtype, ty.with_dtype(dtype))
}

pub(super) fn sort(axis: &usize, inputs: &[&Type]) -> Result<Signature> {
    Signature::unchanged(1, along(*axis, inputs)?)
}

pub(super) fn argsort(axis: &usize, inputs: &[&Type]) -> Result<Signature> {
    Signature::unchanged(1, along(*axis, inputs)?.with_dtype(DType::Int64))
}

// ---- products ----

pub(super) fn matmul(inputs: &[&Type]) -> Result<Signature> {
    let (x, y) = (inputs[0].array()?, inputs[1].array()?);
    let wrong = || Error::shape(format!("cannot multiply {x} with {y}"));
    let (Some(&k), Some(_)) = (x.shape.last(), y.shape.last()) else {
        return Err(wrong());
    };
    let k_axis = y.ndim().saturating_sub(2);
    if y.shape[k_axis] != k {
        return Err(Error::shape(format!(
            "cannot multiply {x} with {y}: expected {k} rows on the right, got {}",
            y.shape[k_axis]
        )));
    }
    let lead = |ty: &ArrayType| Shape::from_slice(&ty.shape[..ty.ndim().saturating_sub(2)]);
    let mut shape = broadcast_shapes(&lead(x), &lead(y)).ok_or_else(wrong)?;
    if x.ndim() > 1 {
        shape.push(x.shape[x.ndim() - 2]);
    }
    if y.ndim() > 1 {
        shape.push(y.shape[y.ndim() - 1]);
    }
    let dtype = x.dtype.promote(y.dtype);
    Signature::uniform(2, dtype, ArrayType { dtype, shape })
}

pub(super) fn tensordot(x_axes: &Dims, y_axes: &Dims, inputs: &[&Type]) -> Result<Signature> {
    let (x, y) = (inputs[0].array()?, inputs[1].array()?);
    let in_range = x_axes.iter().all(|&a| a < x.ndim()) && y_axes.iter().all(|&a| a < y.ndim());
    let sizes =
        |ty: &ArrayType, axes: &Dims| -> Dims { axes.iter().map(|&a| ty.shape[a]).collect() };
    let distinct = |axes: &Dims| (1..axes.len()).all(|i| !axes[..i].contains(&axes[i]));
    if !in_range || !distinct(x_axes) || !distinct(y_axes) || sizes(x, x_axes) != sizes(y, y_axes) {
        return Err(Error::shape(format!(
            "cannot contract axes {x_axes:?} of {x} with axes {y_axes:?} of {y}"
        )));
    }
    let free = |ty: &ArrayType, axes: &Dims| -> Shape {
        (0..ty.ndim())
            .filter(|a| !axes.contains(a))
            .map(|a| ty.shape[a])
            .collect()
    };
    let mut shape = free(x, x_axes);
    shape.extend(free(y, y_axes));
    let dtype = x.dtype.promote(y.dtype);
    Signature::uniform(2, dtype, ArrayType { dtype, shape })
}

#[allow(clippy::borrowed_box, reason = "rows pass attributes by reference")]
pub(super) fn einsum(subscripts: &Box<str>, inputs: &[&Type]) -> Result<Signature> {
    let types = inputs
        .iter()
        .map(|t| t.array())
        .collect::<Result<Vec<_>>>()?;
    let shape = Subscripts::parse(subscripts)?.result_shape(&types)?;
    let dtype = types.iter().map(|t| t.dtype).reduce(DType::promote);
    let dtype = dtype.ok_or_else(|| Error::value("expected at least one operand"))?;
    Signature::uniform(inputs.len(), dtype, ArrayType { dtype, shape })
}

pub(super) fn norm(
    order: &NormOrder,
    axes: &Option<Dims>,
    keepdims: &bool,
    inputs: &[&Type],
) -> Result<Signature> {
    let ty = inputs[0].array()?;
    let dtype = ty.dtype.floating();
    let count = axes.as_ref().map_or(ty.ndim(), smallvec::SmallVec::len);
    // Only without order and axes is it the norm of all elements, however many axes they have.
    if (*order != NormOrder::Default || axes.is_some()) && !(1..=2).contains(&count) {
        return Err(Error::value(format!(
            "a norm of order {order} is over one or two axes, got {count} of {ty}"
        )));
    }
    match (order, count) {
        (NormOrder::Frobenius | NormOrder::Nuclear, 1) => {
            return Err(Error::value(format!(
                "the norm `{order}` is for matrices, got a vector {ty}"
            )));
        }
        (NormOrder::Number(_), 2)
            if !order
                .as_number()
                .is_some_and(|p| [1.0, -1.0, 2.0, -2.0].contains(&p)) =>
        {
            return Err(Error::value(format!(
                "matrices have norms of order 1, -1, 2 and -2, got {order}"
            )));
        }
        _ => {}
    }
    let all: Dims = (0..ty.ndim()).collect();
    let over = axes.as_ref().unwrap_or(&all);
    let mut ordered = over.clone();
    ordered.sort_unstable();
    let shape = reduced(ty, &ordered, *keepdims)?;
    Signature::uniform(
        1,
        dtype,
        ArrayType {
            dtype: dtype.real(),
            shape,
        },
    )
}

// ---- shapes ----

pub(super) fn reshape(shape: &Dims, inputs: &[&Type]) -> Result<Signature> {
    let ty = inputs[0].array()?;
    let result = ArrayType {
        dtype: ty.dtype,
        shape: shape.clone(),
    };
    // The number of elements asked for may not fit into a `usize`.
    let asked = shape.iter().try_fold(1usize, |n, &s| n.checked_mul(s));
    if asked != Some(ty.size()) && !(shape.contains(&0) && ty.size() == 0) {
        let asked = asked.map_or_else(|| "more".into(), |n| n.to_string());
        return Err(Error::shape(format!(
            "cannot reshape {ty} into {result}: {} elements are not {asked}",
            ty.size()
        )));
    }
    Signature::unchanged(1, result)
}

pub(super) fn transpose(perm: &Dims, inputs: &[&Type]) -> Result<Signature> {
    let ty = inputs[0].array()?;
    let mut sorted = perm.clone();
    sorted.sort_unstable();
    if !sorted.iter().copied().eq(0..ty.ndim()) {
        return Err(Error::shape(format!(
            "{perm:?} is not an order of the {} axes of {ty}",
            ty.ndim()
        )));
    }
    Signature::unchanged(
        1,
        ArrayType {
            dtype: ty.dtype,
            shape: perm.iter().map(|&p| ty.shape[p]).collect(),
        },
    )
}

pub(super) fn broadcast_to(shape: &Dims, inputs: &[&Type]) -> Result<Signature> {
    let ty = inputs[0].array()?;
    let result = ArrayType {
        dtype: ty.dtype,
        shape: shape.clone(),
    };
    if broadcast_shapes(&ty.shape, shape).as_ref() != Some(shape) {
        return Err(Error::shape(format!("cannot broadcast {ty} to {result}")));
    }
    Signature::unchanged(1, result)
}

pub(super) fn slice(slicing: &Slicing, inputs: &[&Type]) -> Result<Signature> {
    let ty = inputs[0].array()?;
    let wrong = || Error::index(format!("the slicing does not fit {ty}"));
    if slicing.sizes.len() != ty.ndim()
        || slicing.starts.len() != ty.ndim()
        || slicing.steps.len() != ty.ndim()
    {
        return Err(wrong());
    }
    for (axis, &n) in ty.shape.iter().enumerate() {
        let (start, step, size) = (
            slicing.starts[axis],
            slicing.steps[axis],
            slicing.sizes[axis],
        );
        // The last position, with care for numbers that a hand-written text may hold.
        let last = (size as isize - 1)
            .checked_mul(step)
            .and_then(|d| d.checked_add(start as isize));
        let inside = |p: isize| usize::try_from(p).is_ok_and(|p| p < n);
        if step == 0 || (size > 0 && !(inside(start as isize) && last.is_some_and(inside))) {
            return Err(wrong());
        }
    }
    Signature::unchanged(
        1,
        ArrayType {
            dtype: ty.dtype,
            shape: slicing.sizes.clone(),
        },
    )
}

/// Index arrays must hold integers.
fn check_indices(ty: &ArrayType) -> Result<()> {
    if ty.dtype.is_integer() {
        return Ok(());
    }
    let hint = if ty.dtype == DType::Bool {
        "; the result of a mask has no shape before it runs, use where or take"
    } else {
        ""
    };
    Err(Error::dtype(format!(
        "expected integer indices, got {ty}{hint}"
    )))
}

pub(super) fn getitem(key: &IndexKey, inputs: &[&Type]) -> Result<Signature> {
    let ty = inputs[0].array()?;
    let arrays = inputs[1..]
        .iter()
        .map(|t| t.array())
        .collect::<Result<Vec<_>>>()?;
    if arrays.len() != key.arrays() {
        return Err(Error::index(format!(
            "the key {key} needs {} index arrays, got {}",
            key.arrays(),
            arrays.len()
        )));
    }
    let mut operands: SmallVec<[Option<DType>; 4]> = smallvec![None];
    for array in &arrays {
        check_indices(array)?;
        operands.push(Some(DType::Int64));
    }
    let slicing = key.slicing(ty)?;
    let shape = if arrays.is_empty() {
        key.basic_shape(&slicing)
    } else {
        super::index::advanced_shape(key, &slicing, &arrays)?
    };
    Ok(Signature {
        operands,
        result: ArrayType {
            dtype: ty.dtype,
            shape,
        }
        .into(),
    })
}

pub(super) fn wrap_index(_axis: &usize, _size: &usize, inputs: &[&Type]) -> Result<Signature> {
    let ty = inputs[0].array()?;
    check_indices(ty)?;
    Signature::uniform(1, DType::Int64, ty.with_dtype(DType::Int64))
}

pub(super) fn take(axis: &usize, inputs: &[&Type]) -> Result<Signature> {
    let (x, indices) = (inputs[0].array()?, inputs[1].array()?);
    check_indices(indices)?;
    if *axis >= x.ndim() {
        return Err(Error::index(format!("axis {axis} is out of range for {x}")));
    }
    if x.shape[*axis] == 0 && indices.size() > 0 {
        return Err(Error::index(format!(
            "cannot take from the empty axis {axis} of {x}"
        )));
    }
    let mut shape = Shape::from_slice(&x.shape[..*axis]);
    shape.extend_from_slice(&indices.shape);
    shape.extend_from_slice(&x.shape[*axis + 1..]);
    Ok(Signature {
        operands: smallvec![None, Some(DType::Int64)],
        result: ArrayType {
            dtype: x.dtype,
            shape,
        }
        .into(),
    })
}

fn all_arrays<'a>(inputs: &[&'a Type]) -> Result<(Vec<&'a ArrayType>, DType)> {
    let types = inputs
        .iter()
        .map(|t| t.array())
        .collect::<Result<Vec<_>>>()?;
    let dtype = types.iter().map(|t| t.dtype).reduce(DType::promote);
    Ok((
        types,
        dtype.ok_or_else(|| Error::value("expected at least one array"))?,
    ))
}

pub(super) fn concatenate(axis: &usize, inputs: &[&Type]) -> Result<Signature> {
    let (types, dtype) = all_arrays(inputs)?;
    let mut shape = types[0].shape.clone();
    if *axis >= shape.len() {
        return Err(Error::index(format!(
            "axis {axis} is out of range for {}",
            types[0]
        )));
    }
    for ty in &types[1..] {
        let same = ty.ndim() == shape.len()
            && (0..shape.len()).all(|a| a == *axis || ty.shape[a] == shape[a]);
        if !same {
            return Err(Error::shape(format!(
                "cannot join {} with {ty} along axis {axis}",
                types[0]
            )));
        }
        shape[*axis] += ty.shape[*axis];
    }
    Signature::uniform(inputs.len(), dtype, ArrayType { dtype, shape })
}

pub(super) fn stack(axis: &usize, inputs: &[&Type]) -> Result<Signature> {
    let (types, dtype) = all_arrays(inputs)?;
    if let Some(ty) = types.iter().find(|t| t.shape != types[0].shape) {
        return Err(Error::shape(format!(
            "cannot stack {} with {ty}: expected equal shapes",
            types[0]
        )));
    }
    let mut shape = types[0].shape.clone();
    if *axis > shape.len() {
        return Err(Error::index(format!(
            "axis {axis} is out of range for a stack of {}",
            types[0]
        )));
    }
    shape.insert(*axis, types.len());
    Signature::uniform(inputs.len(), dtype, ArrayType { dtype, shape })
}

// ---- linear algebra ----

/// Leading axes, rows, columns and the floating dtype of a batch of matrices.
fn matrices(ty: &ArrayType) -> Result<(&[usize], usize, usize, DType)> {
    match ty.shape.as_slice() {
        [batch @ .., m, n] => Ok((batch, *m, *n, ty.dtype.floating())),
        _ => Err(Error::shape(format!("expected matrices, got {ty}"))),
    }
}

fn matrix_type(dtype: DType, batch: &[usize], rest: &[usize]) -> ArrayType {
    let mut shape = Shape::from_slice(batch);
    shape.extend_from_slice(rest);
    ArrayType { dtype, shape }
}

pub(super) fn qr(inputs: &[&Type]) -> Result<Signature> {
    let (batch, m, n, dtype) = matrices(inputs[0].array()?)?;
    let k = m.min(n);
    let types = [
        matrix_type(dtype, batch, &[m, k]),
        matrix_type(dtype, batch, &[k, n]),
    ];
    Ok(Signature {
        operands: smallvec![Some(dtype)],
        result: Type::Tuple(types.into()),
    })
}

pub(super) fn svd(full_matrices: &bool, inputs: &[&Type]) -> Result<Signature> {
    let (batch, m, n, dtype) = matrices(inputs[0].array()?)?;
    let k = m.min(n);
    let (columns, rows) = if *full_matrices { (m, n) } else { (k, k) };
    let types = [
        matrix_type(dtype, batch, &[m, columns]),
        matrix_type(dtype.real(), batch, &[k]),
        matrix_type(dtype, batch, &[rows, n]),
    ];
    Ok(Signature {
        operands: smallvec![Some(dtype)],
        result: Type::Tuple(types.into()),
    })
}

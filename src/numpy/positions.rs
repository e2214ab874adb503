//! Positions in arrays: writing at positions along an axis, flat positions and those along each axis, triangles.

use super::along::Along;
use super::options::{EyeOptions, Integers};
use super::special::beside;
use super::{
    add, arange, attempt, broadcast_to, clip, fail, floor_divide, less, multiply, ravel, remainder,
    replaceable, reshape, to_array, where_,
};
use crate::{Array, DType, Error, Operand, Result};
use autojit_ir::index::{IndexItem, IndexKey};
use autojit_ir::scatter::ScatterMode;
use autojit_ir::{ArrayType, Class, Dims, HostArray, IndexOp, IndexedBy, MapOp, Op, Scalar, Shape};

/// A copy of the array with values at positions along an axis, each line of `indices` going to its own line of `x`.
///
/// NumPy writes into its argument; here arrays never change, and the result is the copy. Where a position is given
/// several times, the last value stays.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let x = Array::from([[10, 30, 20], [60, 40, 50]]);
/// let largest = np::expand_dims(np::argmax(&x, 1), 1);
/// assert_eq!(np::put_along_axis(&x, largest, 99, 1).to_string(), "[[10 99 20]\n [99 40 50]]");
/// ```
///
/// # Errors
/// The numbers of axes differ, shapes do not broadcast beside the axis, the values do not broadcast to the positions or
/// are of a wider class of numbers, or a position is out of range.
///
/// Source: `numpy.put_along_axis`.
#[track_caller]
pub fn put_along_axis<'a>(
    x: impl Into<Operand<'a>>,
    indices: impl Into<Operand<'a>>,
    values: impl Into<Operand<'a>>,
    axis: impl Into<Along>,
) -> Array {
    let (x, mut indices) = (to_array(x.into()), to_array(indices.into()));
    let (values, axis) = (values.into(), axis.into());
    replaceable!("put_along_axis", [&x, &indices, &values, axis.0]);
    let whole = attempt!("put_along_axis", x.ty());
    let mut flat = x.clone();
    if axis.0.is_none() {
        (flat, indices) = (ravel(x), ravel(indices));
    }
    let ty = attempt!("put_along_axis", flat.ty());
    let indices_ty = attempt!("put_along_axis", indices.ty());
    let along = attempt!("put_along_axis", axis.resolve(&ty));
    if ty.ndim() != indices_ty.ndim() {
        let wrong = Error::shape(format!(
            "expected as many axes of positions as of elements, got {indices_ty} for {ty}"
        ));
        return fail("put_along_axis", wrong);
    }
    let values = match values {
        Operand::Array(array) => attempt!(
            "put_along_axis",
            array.into_owned().brought_to(&Operand::from(&flat))
        )
        .into(),
        scalar => scalar,
    };
    let size = ty.shape[along];
    let indices = in_range(IndexedBy::PutAlongAxis, indices, along, size);
    let lines = lines(&flat, &ty.shape, along, indices);
    let key = IndexKey(ty.shape.iter().map(|_| IndexItem::Array).collect());
    let mut inputs = vec![Operand::from(&flat), values];
    inputs.extend(lines.iter().map(Operand::from));
    let mode = ScatterMode::Set;
    let result = Array::apply(Op::Index(IndexOp::Scatter { key, mode }), &inputs);
    if axis.0.is_none() {
        reshape(result, &whole.shape)
    } else {
        result
    }
}

/// Indices counted from the start, which must be in range. What takes them next would say so under its own name.
#[track_caller]
pub(super) fn in_range(of: IndexedBy, indices: Array, axis: usize, size: usize) -> Array {
    let op = Op::Map(MapOp::WrapIndex { axis, size, of });
    Array::apply(op, &[indices.into()])
}

/// For each axis the positions along it: those given for one axis, and every position for the others.
#[track_caller]
pub(super) fn lines(x: &Array, shape: &Shape, along: usize, indices: Array) -> Vec<Array> {
    let creation = beside(x).dtype(DType::Int64);
    let mut lines = Vec::with_capacity(shape.len());
    for (axis, &n) in shape.iter().enumerate() {
        lines.push(if axis == along {
            indices.clone()
        } else {
            let mut sizes = vec![1i64; shape.len()];
            sizes[axis] = n as i64;
            reshape(arange(n as i64, creation.clone()), sizes)
        });
    }
    lines
}

/// Positions as `int64`, which must be at least zero and below a size. When it runs, others are an error.
#[track_caller]
fn checked(of: IndexedBy, positions: Array, axis: usize, size: usize) -> Array {
    let name = of.name();
    let ty = match positions.ty() {
        Ok(ty) => ty,
        Err(error) => return fail(name, error),
    };
    if ty.dtype.class() != Class::Integer {
        let wrong = Error::dtype(format!("expected integer positions, got {ty}"));
        return fail(name, wrong);
    }
    let positions = super::special::cast(positions.into(), DType::Int64);
    // The op counts negative positions from the end; here they are out of range, as `size` is.
    let end = Scalar::Int(i64::try_from(size).unwrap_or(i64::MAX));
    let positions = where_(less(&positions, 0), end, &positions);
    let op = Op::Map(MapOp::WrapIndex { axis, size, of });
    Array::apply(op, &[positions.into()])
}

/// The order of elements in memory that flat positions count in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The last axis runs fastest, as in C.
    #[default]
    C,
    /// The first axis runs fastest, as in Fortran.
    F,
}

impl Order {
    fn letter(self) -> &'static str {
        match self {
            Self::C => "C",
            Self::F => "F",
        }
    }

    /// The axes from the one that runs fastest.
    fn axes(self, count: usize) -> Box<dyn Iterator<Item = usize>> {
        match self {
            Self::C => Box::new((0..count).rev()),
            Self::F => Box::new(0..count),
        }
    }
}

impl From<std::ops::RangeFull> for Order {
    fn from(_: std::ops::RangeFull) -> Self {
        Self::default()
    }
}

/// For each axis of an array of a shape, the positions along it of flat positions.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let axes = np::unravel_index(Array::from([22, 41, 37]), [7, 6], ..);
/// assert_eq!(axes[0].to_string(), "[3 6 6]");
/// assert_eq!(axes[1].to_string(), "[4 5 1]");
/// ```
///
/// # Errors
/// The positions are not integers, the shape is empty or negative; when it runs, a position is negative or not below
/// the number of elements. A failure is the only item of the list.
///
/// Source: `numpy.unravel_index`.
#[track_caller]
pub fn unravel_index<'a>(
    indices: impl Into<Operand<'a>>,
    shape: impl Into<Integers>,
    order: impl Into<Order>,
) -> Vec<Array> {
    let (indices, shape, order) = (to_array(indices.into()), shape.into(), order.into());
    replaceable!("unravel_index", [&indices, &shape, order.letter()]);
    let sizes = match shape.as_sizes(1) {
        Ok(sizes) if !sizes.is_empty() => sizes,
        Ok(_) => {
            let wrong = Error::shape("expected a shape with at least one axis");
            return vec![fail("unravel_index", wrong)];
        }
        Err(error) => return vec![fail("unravel_index", error)],
    };
    let total = sizes.iter().product();
    let mut rest = checked(IndexedBy::UnravelIndex, indices, 0, total);
    let mut positions: Vec<Option<Array>> = vec![None; sizes.len()];
    for axis in order.axes(sizes.len()) {
        // Nothing is in range of an empty array, so what is divided by does not matter.
        let size = sizes[axis].max(1) as i64;
        positions[axis] = Some(remainder(&rest, size));
        rest = floor_divide(&rest, size);
    }
    positions.into_iter().flatten().collect()
}

/// The treatment of positions out of range by [`ravel_multi_index`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutOfRange {
    /// It fails.
    #[default]
    Raise,
    /// They count on from the other end.
    Wrap,
    /// The nearest position takes their place; negative ones become zero.
    Clip,
}

/// The options of [`ravel_multi_index`]: the shape of the array, positions out of range, and the order of elements.
///
/// Written `[3, 4]`, `dims([3, 4]).mode(OutOfRange::Wrap)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raveling {
    pub(crate) dims: Integers,
    pub(crate) mode: OutOfRange,
    pub(crate) order: Order,
}

/// Positions in an array of this shape. See [`Raveling`].
///
/// ```
/// use autojit::Array;
/// use autojit::numpy::positions::{OutOfRange, dims, ravel_multi_index};
///
/// let at = [Array::from([1]), Array::from([5])];
/// assert_eq!(ravel_multi_index(at, dims([3, 4]).mode(OutOfRange::Clip)).to_string(), "[7]");
/// ```
pub fn dims(dims: impl Into<Integers>) -> Raveling {
    Raveling {
        dims: dims.into(),
        mode: OutOfRange::default(),
        order: Order::default(),
    }
}

impl<T: Into<Integers>> From<T> for Raveling {
    fn from(sizes: T) -> Self {
        dims(sizes)
    }
}

impl Raveling {
    /// The treatment of positions out of range.
    #[must_use]
    pub fn mode(self, mode: OutOfRange) -> Self {
        Self { mode, ..self }
    }

    /// The order of elements.
    #[must_use]
    pub fn order(self, order: Order) -> Self {
        Self { order, ..self }
    }
}

/// The flat positions of positions along each axis, which broadcast; the inverse of [`unravel_index`].
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let flat = np::ravel_multi_index([Array::from([3, 6, 6]), Array::from([4, 5, 1])], [7, 6]);
/// assert_eq!(flat.to_string(), "[22 41 37]");
/// ```
///
/// # Errors
/// There are not as many arrays as axes, they are not integers or do not broadcast, or the shape is negative or too
/// large; when it runs, a position is out of range, unless the mode says what it becomes.
///
/// Source: `numpy.ravel_multi_index`.
#[track_caller]
pub fn ravel_multi_index<'a, I>(multi_index: I, options: impl Into<Raveling>) -> Array
where
    I: IntoIterator<Item: Into<Operand<'a>>>,
{
    let indices: Vec<Operand> = multi_index.into_iter().map(Into::into).collect();
    let Raveling { dims, mode, order } = options.into();
    let word = match mode {
        OutOfRange::Raise => "raise",
        OutOfRange::Wrap => "wrap",
        OutOfRange::Clip => "clip",
    };
    replaceable!("ravel_multi_index", [&indices, &dims, word, order.letter()]);
    let sizes = attempt!("ravel_multi_index", dims.as_sizes(1));
    if sizes.len() != indices.len() || sizes.is_empty() {
        let wrong = Error::value(format!(
            "expected an array of positions for each axis of {:?}, got {}",
            dims.0,
            indices.len()
        ));
        return fail("ravel_multi_index", wrong);
    }
    let mut flat: Option<Array> = None;
    let mut stride = 1i64;
    for axis in order.axes(sizes.len()) {
        let size = sizes[axis];
        let positions = to_array(indices[axis].clone());
        let ty = attempt!("ravel_multi_index", positions.ty());
        if ty.dtype.class() != Class::Integer {
            let wrong = Error::dtype(format!("expected integer positions, got {ty}"));
            return fail("ravel_multi_index", wrong);
        }
        let positions = match mode {
            OutOfRange::Raise => checked(IndexedBy::RavelMultiIndex, positions, axis, size),
            // No position of an empty axis is in range.
            _ if size == 0 => checked(IndexedBy::RavelMultiIndex, positions, axis, size),
            OutOfRange::Wrap => remainder(
                super::special::cast(positions.into(), DType::Int64),
                size as i64,
            ),
            OutOfRange::Clip => clip(
                super::special::cast(positions.into(), DType::Int64),
                0,
                size as i64 - 1,
            ),
        };
        let part = multiply(positions, stride);
        flat = Some(match flat {
            Some(flat) => add(flat, part),
            None => part,
        });
        stride = stride.saturating_mul(size.max(1) as i64);
    }
    let lost = || Error::internal("no axis to count along");
    attempt!("ravel_multi_index", flat.ok_or_else(lost))
}

/// A part of a matrix: some rows, and of each row some columns.
struct Triangle {
    rows: std::ops::Range<i64>,
    columns: i64,
    k: i64,
    lower: bool,
}

impl Triangle {
    fn new(n: i64, options: &EyeOptions, lower: bool) -> Result<Self> {
        // NumPy counts negative sizes as none.
        let (k, columns) = (options.k, options.columns.unwrap_or(n).max(0));
        let n = n.max(0);
        Integers::from([n, columns]).as_sizes(size_of::<i64>())?;
        // Without those rows that have no columns.
        let rows = match lower {
            _ if columns == 0 => 0..0,
            true => k.saturating_neg().clamp(0, n)..n,
            false => 0..columns.saturating_sub(k).clamp(0, n),
        };
        Ok(Self {
            rows,
            columns,
            k,
            lower,
        })
    }

    fn columns_of(&self, row: i64) -> std::ops::Range<i64> {
        let diagonal = row.saturating_add(self.k);
        match self.lower {
            true => 0..diagonal.saturating_add(1).clamp(0, self.columns),
            false => diagonal.clamp(0, self.columns)..self.columns,
        }
    }

    /// The number of elements, without looking at each row.
    fn len(&self) -> i128 {
        let (first, end) = (i128::from(self.rows.start), i128::from(self.rows.end));
        let (columns, k) = (i128::from(self.columns), i128::from(self.k));
        // In the rows of one range the numbers of columns are consecutive; in those of the other all columns are in.
        let sum = |rows: std::ops::Range<i128>, first: i128, last: i128| {
            (rows.end - rows.start).max(0) * (first + last) / 2
        };
        if self.lower {
            let full = (columns - k - 1).clamp(first, end);
            sum(first..full, first + k + 1, full + k) + (end - full) * columns
        } else {
            let full = (-k).clamp(first, end);
            let rest = sum(full..end, columns - full - k, columns - end + 1 - k);
            (full - first) * columns + rest
        }
    }

    fn positions(&self, options: &EyeOptions, pick: impl Fn(i64, i64) -> i64) -> Result<Array> {
        let creation = options.creation.clone().dtype(DType::Int64);
        super::create::made(&creation, DType::Int64, |_| {
            let count = usize::try_from(self.len()).unwrap_or(usize::MAX);
            let mut list = HostArray::room_for(count, format_args!("{count} positions"))?;
            for row in self.rows.clone() {
                list.extend(self.columns_of(row).map(|column| pick(row, column)));
            }
            Ok(HostArray::from(ndarray::Array1::from_vec(list).into_dyn()))
        })
    }
}

fn triangle(n: i64, options: &EyeOptions, lower: bool) -> Result<(Array, Array)> {
    let triangle = Triangle::new(n, options, lower)?;
    Ok((
        triangle.positions(options, |row, _| row)?,
        triangle.positions(options, |_, column| column)?,
    ))
}

#[track_caller]
fn both(name: &'static str, made: Result<(Array, Array)>) -> (Array, Array) {
    match made {
        Ok(pair) => pair,
        Err(error) => {
            let failed = fail(name, error);
            (failed.clone(), failed)
        }
    }
}

/// The rows and the columns of the elements on and below diagonal `k` of a matrix with `n` rows, and as many columns
/// unless the options say otherwise.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let (rows, columns) = np::tril_indices(3, ..);
/// assert_eq!(rows.to_string(), "[0 1 1 2 2 2]");
/// assert_eq!(columns.to_string(), "[0 0 1 0 1 2]");
/// ```
///
/// # Errors
/// The positions do not fit into memory.
///
/// Source: `numpy.tril_indices`.
#[track_caller]
pub fn tril_indices(n: i64, options: impl Into<EyeOptions>) -> (Array, Array) {
    let options = options.into();
    replaceable!("tril_indices", [n, options.k, options.columns]; like = options.creation);
    both("tril_indices", triangle(n, &options, true))
}

/// The rows and the columns of the elements on and above diagonal `k` of a matrix with `n` rows, and as many columns
/// unless the options say otherwise.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let (rows, columns) = np::triu_indices(3, np::columns(2).k(0));
/// assert_eq!(rows.to_string(), "[0 0 1]");
/// assert_eq!(columns.to_string(), "[0 1 1]");
/// ```
///
/// # Errors
/// The positions do not fit into memory.
///
/// Source: `numpy.triu_indices`.
#[track_caller]
pub fn triu_indices(n: i64, options: impl Into<EyeOptions>) -> (Array, Array) {
    let options = options.into();
    replaceable!("triu_indices", [n, options.k, options.columns]; like = options.creation);
    both("triu_indices", triangle(n, &options, false))
}

/// Arrays of one shape: those to which they broadcast together.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let same = np::broadcast_arrays([Array::from([1, 2]), Array::from([[3], [4]])]);
/// assert_eq!(same[0].to_string(), "[[1 2]\n [1 2]]");
/// assert_eq!(same[1].to_string(), "[[3 3]\n [4 4]]");
/// ```
///
/// # Errors
/// The shapes do not broadcast. A failure is the only item of the list.
///
/// Source: `numpy.broadcast_arrays`.
#[track_caller]
pub fn broadcast_arrays<'a, I>(arrays: I) -> Vec<Array>
where
    I: IntoIterator<Item: Into<Operand<'a>>>,
{
    let arrays: Vec<Operand> = arrays.into_iter().map(Into::into).collect();
    replaceable!("broadcast_arrays", &arrays);
    let types = arrays.iter().map(Operand::ty).collect::<Result<Vec<_>>>();
    let shape = match types.and_then(|types| common_shape(&types)) {
        Ok(shape) => shape,
        Err(error) => return vec![fail("broadcast_arrays", error)],
    };
    let mut results = Vec::with_capacity(arrays.len());
    for array in arrays {
        results.push(broadcast_to(array, &shape));
    }
    results
}

fn common_shape(types: &[ArrayType]) -> Result<Dims> {
    let mut shape = Dims::new();
    for ty in types {
        shape = autojit_ir::broadcast_shapes(&shape, &ty.shape).ok_or_else(|| {
            let list: Vec<String> = types.iter().map(ToString::to_string).collect();
            Error::shape(format!("cannot broadcast {} together", list.join(", ")))
        })?;
    }
    Ok(shape)
}

//! Ops that rearrange arrays, convert them, or take and change parts of them.

use smallvec::SmallVec;

use super::super::calls::Work;
use super::super::instructions::Compare;
use super::super::module::{Purpose, Value, Writer, list};
use super::not_native;
use super::parts::{greater_of, smaller_of};
use autojit_ir::error::Result;
use autojit_ir::index::Slicing;
use autojit_ir::scatter::ScatterMode;
use autojit_ir::{
    ArrayType, Class, DType, Dims, IndexOp, IndexedBy, JoinOp, Literal, MapOp, Op, ViewOp, derived,
};

/// An op that rearranges elements.
pub(super) fn view(w: &mut Writer, op: &ViewOp, x: &Value) -> Value {
    match op {
        ViewOp::Reshape { shape } => w.reshape(x, shape),
        ViewOp::Transpose { perm } => w.transpose(x, perm),
        ViewOp::BroadcastTo { shape } => w.broadcast(x, shape),
        ViewOp::Slice { slicing } => slice(w, x, slicing),
    }
}

/// An op that takes or changes elements at positions.
#[allow(
    clippy::unnested_or_patterns,
    reason = "the pattern of derived ops is one of alternatives"
)]
pub(super) fn index(
    w: &mut Writer,
    op: &IndexOp,
    inputs: &[&Value],
    result: &ArrayType,
) -> Result<Value> {
    match (op, inputs) {
        (IndexOp::Getitem { key }, &[x]) => {
            let slicing = key.slicing(&x.ty)?;
            let part = slice(w, x, &slicing);
            Ok(w.reshape(&part, &key.basic_shape(&slicing)))
        }
        (IndexOp::Take { axis }, &[x, indices]) => Ok(take(w, x, indices, *axis, result)),
        (IndexOp::ScatterFlat { mode }, &[x, values, positions]) => {
            scatter_flat(w, x, values, positions, *mode)
        }
        (IndexOp::Take { .. } | IndexOp::ScatterFlat { .. } | derived!(IndexOp), _) => {
            Err(not_native(op.name()))
        }
    }
}

/// Several arrays as one.
pub(super) fn join(
    w: &mut Writer,
    op: &JoinOp,
    inputs: &[&Value],
    result: &ArrayType,
) -> Result<Value> {
    Ok(match op {
        JoinOp::Concatenate { axis } => {
            let attributes = format!(", dimensions={{{axis}}}");
            w.op("concatenate", result.clone(), inputs, &attributes)
        }
        JoinOp::Stack { axis } => {
            let stretched = |x: &&Value| {
                let mut shape = x.ty.shape.clone();
                shape.insert(*axis, 1);
                shape
            };
            let parts = inputs.iter().map(|x| w.reshape(x, &stretched(x)));
            let parts: Vec<Value> = parts.collect();
            let attributes = format!(", dimensions={{{axis}}}");
            let parts: Vec<&Value> = parts.iter().collect();
            w.op("concatenate", result.clone(), &parts, &attributes)
        }
        derived!(JoinOp) => return Err(not_native(op.name())),
    })
}

/// NumPy's conversion: anything but zero is true, complex numbers lose their imaginary part, integers wrap, and
/// floats that do not fit are the smallest integer, as on x86; XLA's gives the nearest that fits.
pub(in super::super) fn astype(w: &mut Writer, x: &Value, to: DType) -> Value {
    let from = x.ty.dtype;
    if from == to {
        return x.clone();
    }
    if let Some(known) = x.known {
        let shape = x.ty.shape.clone();
        return w.literal(known.value, to, &shape);
    }
    match (from.class(), to.class()) {
        (Class::Complex | Class::Float | Class::Integer, Class::Bool) => {
            let zero = w.like(x, 0);
            w.compare(Compare::NotEqual, x, &zero)
        }
        (Class::Complex, Class::Integer | Class::Float) => {
            let real = w.real(x);
            astype(w, &real, to)
        }
        (Class::Float, Class::Integer) => whole(w, x, to),
        (Class::Bool, Class::Float) => {
            // Not converted: XLA makes a product with converted booleans a choice between the factor and zero, which
            // loses NaN and infinities.
            let shape = x.ty.shape.clone();
            let (one, zero) = (w.literal(1, to, &shape), w.literal(0, to, &shape));
            w.select(x, &one, &zero)
        }
        (Class::Bool | Class::Integer | Class::Float, Class::Complex) => {
            let real = astype(w, x, to.real());
            let zero = w.like(&real, 0);
            w.complex(&real, &zero).without_imaginary_parts()
        }
        (Class::Complex, Class::Complex) => {
            let (re, im) = (w.real(x), w.imag(x));
            let (re, im) = (w.convert(&re, to.real()), w.convert(&im, to.real()));
            w.complex(&re, &im)
        }
        _ => w.convert(x, to),
    }
}

fn whole(w: &mut Writer, x: &Value, to: DType) -> Value {
    if to == DType::Uint8 {
        let wide = whole(w, x, DType::Int64);
        return w.convert(&wide, to);
    }
    let converted = w.convert(x, to);
    // Both ends are powers of two, which every float dtype has; of int32 in float64 the numbers up to the next
    // integer below truncate to the end.
    let (low, high) = if to == DType::Int64 {
        (-9_223_372_036_854_775_808.0, 9_223_372_036_854_775_808.0)
    } else if x.ty.dtype == DType::Float64 {
        (-2_147_483_648.999_999_9, 2_147_483_648.0)
    } else {
        (-2_147_483_648.0, 2_147_483_648.0)
    };
    let (low, high) = (w.like(x, low), w.like(x, high));
    let above = w.compare(Compare::GreaterEqual, x, &low);
    let below = w.compare(Compare::Less, x, &high);
    let fits = w.binary("and", &above, &below);
    let smallest = if to == DType::Int64 {
        i64::MIN
    } else {
        i64::from(i32::MIN)
    };
    let smallest = w.like(&converted, smallest);
    w.select(&fits, &converted, &smallest)
}

/// HLO has no negative steps: what runs backwards is taken forwards, and then reversed.
fn slice(w: &mut Writer, x: &Value, slicing: &Slicing) -> Value {
    let mut ranges: SmallVec<[(usize, usize, usize); 4]> = SmallVec::new();
    let mut reversed = Dims::new();
    for (axis, &size) in slicing.sizes.iter().enumerate() {
        let (start, step) = (slicing.starts[axis], slicing.steps[axis]);
        if size == 0 {
            ranges.push((0, 0, 1));
            continue;
        }
        let reach = (size - 1) * step.unsigned_abs();
        let first = if step < 0 { start - reach } else { start };
        let step_size = if size == 1 { 1 } else { step.unsigned_abs() };
        ranges.push((first, first + reach + 1, step_size));
        if step < 0 && size > 1 {
            reversed.push(axis);
        }
    }
    let part = w.slice(x, &ranges);
    if reversed.is_empty() {
        return part;
    }
    let attributes = format!(", dimensions={{{}}}", list(&reversed));
    w.op("reverse", part.ty.clone(), &[&part], &attributes)
}

/// Positions that may count from the end, counted from the start. The call that does it also checks them; a module for
/// others leaves the check out.
pub(super) fn wrap_index(
    w: &mut Writer,
    indices: &Value,
    axis: usize,
    size: usize,
    of: IndexedBy,
) -> Value {
    if w.purpose == Purpose::Save {
        let (zero, end) = (w.like(indices, 0), w.like(indices, size as i64));
        let negative = w.compare(Compare::Less, indices, &zero);
        let wrapped = w.binary("add", indices, &end);
        return w.select(&negative, &wrapped, indices);
    }
    if let Some(known) = indices.known
        && let Some(position) = wrapped(known, size)
    {
        return w.like(indices, position);
    }
    w.checked(
        indices,
        Work::Op(Op::Map(MapOp::WrapIndex { axis, size, of })),
    )
}

/// The position of an index that is in range.
pub(super) fn wrapped(index: Literal, size: usize) -> Option<i64> {
    let (i, size) = (index.value.to_i64(), size as i64);
    (-size..size)
        .contains(&i)
        .then(|| if i < 0 { i + size } else { i })
}

fn take(w: &mut Writer, x: &Value, indices: &Value, axis: usize, result: &ArrayType) -> Value {
    let (size, common) = (x.ty.shape[axis], indices.ty.ndim());
    if size == 0 {
        // There is nothing to take; whoever tries fails.
        if indices.ty.size() > 0 {
            wrap_index(w, indices, axis, size, IndexedBy::Getitem);
        }
        return w.literal(0, x.ty.dtype, &result.shape);
    }
    let positions = wrap_index(w, indices, axis, size, IndexedBy::Getitem);
    let offsets: Dims = (0..axis).chain(axis + common..result.ndim()).collect();
    let mut sizes = x.ty.shape.clone();
    sizes[axis] = 1;
    let attributes = format!(
        ", offset_dims={{{}}}, collapsed_slice_dims={{{axis}}}, start_index_map={{{axis}}}, \
         index_vector_dim={common}, slice_sizes={{{}}}",
        list(&offsets),
        list(&sizes)
    );
    w.op("gather", result.clone(), &[x, &positions], &attributes)
}

/// One by one in the order of the values, as XLA's scatter on CPUs does it.
fn scatter_flat(
    w: &mut Writer,
    x: &Value,
    values: &Value,
    positions: &Value,
    mode: ScatterMode,
) -> Result<Value> {
    if values.ty.size() == 0 {
        return Ok(x.clone());
    }
    let positions = &w.checked(positions, Work::Positions(x.ty.size()));
    let dtype = x.ty.dtype;
    let scalar = ArrayType::scalar(dtype);
    let is_bool = dtype == DType::Bool;
    let name = format!("scatter_{mode}_{}", super::super::module::type_name(dtype));
    let region = w.region(&name, &[scalar.clone(), scalar], |w, x| {
        let (element, value) = (&x[0], &x[1]);
        let combined = match mode {
            ScatterMode::Set => value.clone(),
            ScatterMode::Add if is_bool => w.binary("or", element, value),
            ScatterMode::Add => w.binary("add", element, value),
            ScatterMode::Multiply if is_bool => w.binary("and", element, value),
            ScatterMode::Multiply => w.binary("multiply", element, value),
            ScatterMode::Min => smaller_of(w, element, value)?,
            ScatterMode::Max => greater_of(w, element, value)?,
        };
        Ok([combined].into_iter().collect())
    })?;
    let flat = w.reshape(x, &[x.ty.size()]);
    let count = values.ty.size();
    let (values, positions) = (
        w.reshape(values, &[count]),
        w.reshape(positions, &[count, 1]),
    );
    let attributes = format!(
        ", update_window_dims={{}}, inserted_window_dims={{0}}, scatter_dims_to_operand_dims={{0}}, \
         index_vector_dim=1, to_apply={region}"
    );
    let scattered = w.op(
        "scatter",
        flat.ty.clone(),
        &[&flat, &positions, &values],
        &attributes,
    );
    Ok(w.reshape(&scattered, &x.ty.shape))
}

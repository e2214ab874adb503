//! How an op is called by name: NumPy's name and arguments for it, so that a function can stand in its place.
//!
//! Ops that only expansions write down (`slice`, `wrap_index`) have no name that users know.

use super::Arguments;
use crate::Value;
use crate::ir::index::{IndexItem, IndexKey};
use crate::ir::{Dims, NormOrder, Op};

/// NumPy's name for an op.
pub(super) fn name_of(op: &Op) -> Option<&'static str> {
    match op {
        Op::Input { .. }
        | Op::Literal { .. }
        | Op::Constant { .. }
        | Op::Get { .. }
        | Op::Slice { .. }
        | Op::WrapIndex { .. }
        | Op::Opaque { .. } => None,
        Op::SumWhere { .. } => Some("sum"),
        Op::Norm { .. } => Some("linalg.norm"),
        Op::Qr => Some("linalg.qr"),
        Op::Svd { .. } => Some("linalg.svd"),
        _ => Some(op.name()),
    }
}

/// Whether a function of this name is written down as one op.
pub(super) fn is_op(name: &str) -> bool {
    let hidden = ["slice", "wrap_index", "opaque", "get", "input", "literal"];
    let name = name.strip_prefix("linalg.").unwrap_or(name);
    Op::NAMES.contains(&name) && !hidden.contains(&name)
}

/// The arguments of a call that means an op on these inputs.
pub(super) fn arguments(op: &Op, mut inputs: Vec<Value>) -> Option<Arguments> {
    let mut named: Vec<(String, Value)> = Vec::new();
    let mut name = |name: &str, value: Value| named.push((name.into(), value));
    match op {
        Op::Sum { axes, keepdims }
        | Op::Prod { axes, keepdims }
        | Op::Max { axes, keepdims }
        | Op::Min { axes, keepdims }
        | Op::Any { axes, keepdims }
        | Op::All { axes, keepdims } => {
            name("axis", list(axes));
            name("keepdims", (*keepdims).into());
        }
        Op::SumWhere { axes, keepdims } => {
            name("axis", list(axes));
            name("keepdims", (*keepdims).into());
            name("where", inputs.pop()?);
        }
        Op::Argmax { axis, keepdims } | Op::Argmin { axis, keepdims } => {
            name("axis", (*axis).into());
            name("keepdims", (*keepdims).into());
        }
        Op::Astype { dtype } => name("dtype", (*dtype).into()),
        Op::Tensordot { x_axes, y_axes } => {
            name("axes", Value::List(vec![list(x_axes), list(y_axes)]));
        }
        Op::Einsum { subscripts } => inputs.insert(0, (**subscripts).into()),
        Op::Norm {
            order,
            axes,
            keepdims,
        } => {
            name("ord", order_value(*order));
            name("axis", axes.as_ref().map_or(Value::None, list));
            name("keepdims", (*keepdims).into());
        }
        Op::Reshape { shape } | Op::BroadcastTo { shape } => name("shape", list(shape)),
        Op::Transpose { perm } => name("axes", list(perm)),
        Op::Take { axis } => name("axis", (*axis).into()),
        Op::Concatenate { axis } | Op::Stack { axis } => {
            inputs = vec![Value::List(inputs)];
            name("axis", (*axis).into());
        }
        Op::Getitem { key } => {
            let mut arrays = inputs.split_off(1.min(inputs.len())).into_iter();
            inputs.push(key_value(key, &mut arrays));
        }
        Op::Svd { full_matrices } => name("full_matrices", (*full_matrices).into()),
        Op::Matmul | Op::Qr => {}
        op if op.is_elementwise() => {}
        _ => return None,
    }
    Some(Arguments::new(inputs, named))
}

fn list(numbers: &Dims) -> Value {
    numbers.as_slice().into()
}

fn order_value(order: NormOrder) -> Value {
    match order {
        NormOrder::Default => Value::None,
        NormOrder::Frobenius | NormOrder::Nuclear => order.to_string().into(),
        NormOrder::Infinity => f64::INFINITY.into(),
        NormOrder::NegativeInfinity => f64::NEG_INFINITY.into(),
        NormOrder::Number(bits) => f64::from_bits(bits).into(),
    }
}

fn key_value(key: &IndexKey, arrays: &mut dyn Iterator<Item = Value>) -> Value {
    let item = |item: &IndexItem| match *item {
        IndexItem::Int(i) => i.into(),
        IndexItem::Slice { start, stop, step } => Value::Slice { start, stop, step },
        IndexItem::Ellipsis => Value::Ellipsis,
        IndexItem::NewAxis => Value::None,
        IndexItem::Array => arrays.next().unwrap_or(Value::None),
    };
    Value::List(key.0.iter().map(item).collect())
}

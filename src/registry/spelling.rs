//! How an op is called by name: NumPy's name and arguments for it, so that a function can stand in its place.
//!
//! Ops that only expansions write down (`slice`, `wrap_index`) have no name that users know.

use super::Arguments;
use crate::Value;
use autojit_ir::index::{IndexItem, IndexKey};
use autojit_ir::{
    ContractOp, ControlOp, IndexOp, JoinOp, LeafOp, LinalgOp, MapOp, NormOrder, Op, ReduceOp,
    ViewOp,
};

/// The name of an op, where users know it; functions of linear algebra have a longer one.
pub(super) fn name_of(op: &Op) -> Option<&'static str> {
    match op {
        Op::Leaf(LeafOp::Input { .. } | LeafOp::Literal { .. } | LeafOp::Constant { .. })
        | Op::Get { .. }
        | Op::View(ViewOp::Slice { .. })
        | Op::Map(MapOp::WrapIndex { .. })
        | Op::Control(
            ControlOp::Scan { .. } | ControlOp::While { .. } | ControlOp::Switch { .. },
        )
        | Op::Opaque { .. } => None,
        Op::Reduce(ReduceOp::SumWhere { .. }) => Some("sum"),
        _ => Some(op.name()),
    }
}

/// Whether a function of this name is written down as one op.
pub(super) fn is_op(name: &str) -> bool {
    let hidden = [
        "slice",
        "wrap_index",
        "opaque",
        "get",
        "input",
        "literal",
        "scan",
        "while_loop",
        "switch",
    ];
    let name = name.rsplit('.').next().unwrap_or(name);
    Op::NAMES.contains(&name) && !hidden.contains(&name)
}

/// The arguments of a call that means an op on these inputs.
///
/// Attributes have NumPy's names and become arguments by name, except where NumPy writes them otherwise.
pub(super) fn arguments(op: &Op, mut inputs: Vec<Value>) -> Arguments {
    let mut named: Vec<(String, Value)> = Vec::new();
    for (name, text) in op.attributes() {
        named.push((numpys(name).into(), attribute(&text)));
    }
    match op {
        Op::Reduce(ReduceOp::SumWhere { .. }) => {
            let mask = inputs.pop().unwrap_or(Value::None);
            named.push(("where".into(), mask));
        }
        Op::Map(MapOp::Astype { dtype }) => named = vec![("dtype".into(), (*dtype).into())],
        Op::Contract(ContractOp::Tensordot { x_axes, y_axes }) => {
            let axes = Value::List(vec![x_axes.as_slice().into(), y_axes.as_slice().into()]);
            named = vec![("axes".into(), axes)];
        }
        Op::Contract(ContractOp::Einsum { subscripts }) => {
            inputs.insert(0, (**subscripts).into());
            named.clear();
        }
        Op::Linalg(LinalgOp::Norm { order, .. }) => {
            named.retain(|(name, _)| name != "order");
            named.push(("ord".into(), order_value(*order)));
        }
        Op::View(ViewOp::Transpose { perm }) => {
            named = vec![("axes".into(), perm.as_slice().into())];
        }
        Op::Join(JoinOp::Concatenate { .. } | JoinOp::Stack { .. }) => {
            inputs = vec![Value::List(inputs)];
        }
        Op::Index(IndexOp::Getitem { key }) => {
            let mut arrays = inputs.split_off(1.min(inputs.len())).into_iter();
            inputs.push(key_value(key, &mut arrays));
            named.clear();
        }
        Op::Index(IndexOp::Scatter { key, mode }) => {
            let mut arrays = inputs.split_off(2.min(inputs.len())).into_iter();
            inputs.insert(1.min(inputs.len()), key_value(key, &mut arrays));
            named = vec![("mode".into(), mode.to_string().into())];
        }
        _ => {}
    }
    Arguments::new(inputs, named)
}

/// NumPy's name for an attribute.
fn numpys(attribute: &'static str) -> &'static str {
    match attribute {
        "axes" => "axis",
        other => other,
    }
}

/// The value that the text form of an attribute stands for.
fn attribute(text: &str) -> Value {
    if let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        let items = inner.split(',').filter(|item| !item.is_empty());
        return Value::List(items.map(attribute).collect());
    }
    match text {
        "None" => Value::None,
        "true" => true.into(),
        "false" => false.into(),
        _ => match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(i), _) => i.into(),
            // Words such as `inf` are text: no attribute writes a number so.
            (_, Ok(x)) if text.contains(|c: char| c.is_ascii_digit()) => x.into(),
            _ => text.into(),
        },
    }
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

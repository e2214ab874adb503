//! Transposed linear ops: what a cotangent of the result of an op is to its inputs.
//!
//! The inner product is `Re sum(conj(x) y)`, so the transposed of a product with `c` is one with `conj(c)`. Cotangents may
//! be of a shape to which that of the input broadcasts, and of another dtype: they are summed and converted where they
//! are accumulated.
//!
//! Only ops that the rules for tangents write, and those of the function that are direct, are linear; any other one is an
//! internal error.

mod assemble;
mod contract;
mod fourier;
mod index;
mod solve;

use smallvec::{SmallVec, smallvec};

use super::treatment::constant;
use super::writer::{Whole, Writer};
use crate::error::{Error, Result};
use crate::index::IndexKey;
use crate::types::Dims;
use crate::{
    ContractOp, Graph, IndexOp, JoinOp, MapOp, Node, Op, ReduceOp, ScanOp, ValueId, ViewOp,
};

pub(super) use assemble::{Part, assemble};

/// The contribution of a node's result to the cotangent of an input.
pub(super) enum Cotangent {
    /// An array.
    Whole(ValueId),
    /// Nothing but in a box.
    Part(Box<Part>),
    /// Elements that are added at the positions of a key.
    Added(Box<Added>),
}

/// The elements `ct`, added at the positions that a key of these arrays names.
pub(super) struct Added {
    pub(super) key: IndexKey,
    pub(super) arrays: Vec<ValueId>,
    pub(super) ct: ValueId,
}

impl From<ValueId> for Cotangent {
    fn from(value: ValueId) -> Self {
        Self::Whole(value)
    }
}

/// The cotangents of the inputs that are linear, by their numbers.
pub(super) type Cotangents = SmallVec<[(usize, Cotangent); 2]>;

/// Whether a node of the function is transposed by [`of_node`] as it is, in each input that has a tangent: its inputs need no
/// conversion, and it is linear in each of them.
pub(super) fn is_direct(graph: &Graph, node: &Node, t: &[Option<ValueId>]) -> bool {
    let Ok(ty) = node.ty.array() else {
        return false;
    };
    let is_linear = match &node.op {
        Op::Map(MapOp::Add | MapOp::Subtract | MapOp::Negative) => true,
        Op::Map(MapOp::Multiply) => node.inputs[0] != node.inputs[1],
        Op::Map(MapOp::Divide) => t[1].is_none(),
        Op::Contract(ContractOp::Matmul | ContractOp::Tensordot { .. }) => true,
        Op::Reduce(ReduceOp::Sum { .. }) | Op::View(_) | Op::Join(_) => true,
        Op::Index(IndexOp::Getitem { key }) => key.arrays() == 0,
        Op::Leaf(_)
        | Op::Map(_)
        | Op::Reduce(_)
        | Op::Scan(_)
        | Op::Sort(_)
        | Op::Contract(_)
        | Op::Index(_)
        | Op::Linalg(_)
        | Op::Fourier(_)
        | Op::Control(_)
        | Op::Get { .. }
        | Op::Random { .. }
        | Op::Opaque { .. } => false,
    };
    let same = |input: &ValueId| {
        let of_input = &graph[*input].ty;
        std::sync::Arc::ptr_eq(of_input, &node.ty)
            || of_input.array().is_ok_and(|x| x.dtype == ty.dtype)
    };
    is_linear && node.inputs.iter().all(same)
}

/// The cotangents of the inputs of a node that [is direct](is_direct).
///
/// # Errors
/// As [`of_node`].
pub(super) fn of_direct(
    w: &mut Writer,
    node: &Node,
    t: &[Option<ValueId>],
    ct: ValueId,
) -> Result<Cotangents> {
    let is_multilinear = match &node.op {
        Op::Map(op) => *op == MapOp::Multiply,
        Op::Contract(_) => true,
        Op::Leaf(_)
        | Op::Reduce(_)
        | Op::Scan(_)
        | Op::Sort(_)
        | Op::View(_)
        | Op::Join(_)
        | Op::Index(_)
        | Op::Linalg(_)
        | Op::Fourier(_)
        | Op::Control(_)
        | Op::Get { .. }
        | Op::Random { .. }
        | Op::Opaque { .. } => false,
    };
    match t {
        // One input at a time, the other being constant.
        [Some(_), Some(_)] if is_multilinear => {
            let mut cotangents = of_node(w, node, &[false, true], ct)?;
            cotangents.extend(of_node(w, node, &[true, false], ct)?);
            Ok(cotangents)
        }
        [first, second] => of_node(w, node, &[first.is_some(), second.is_some()], ct),
        _ => {
            let linear: SmallVec<[bool; 4]> = t.iter().map(Option::is_some).collect();
            of_node(w, node, &linear, ct)
        }
    }
}

/// The cotangents of the inputs of a node for that of its result.
///
/// # Errors
/// The node is not linear in the inputs that `linear` names.
pub(super) fn of_node(
    w: &mut Writer,
    node: &Node,
    linear: &[bool],
    ct: ValueId,
) -> Result<Cotangents> {
    match &node.op {
        Op::Map(op) => map(w, *op, node, linear, ct),
        Op::Reduce(op) => reduce(w, op, node, ct),
        Op::Scan(op) => scan(w, op, node, ct),
        Op::View(op) => view(w, op, node, ct),
        Op::Join(op) => join(w, op, node, linear, ct),
        Op::Index(op) => index::of_node(w, op, node, linear, ct),
        Op::Contract(op) => contract::of_node(w, op, node, linear, ct),
        Op::Linalg(op) => solve::of_node(w, op, node, linear, ct),
        Op::Fourier(op) => Ok(smallvec![(
            0,
            fourier::of_transform(w, op.transform(), node, ct)?.into(),
        )]),
        Op::Leaf(_)
        | Op::Sort(_)
        | Op::Control(_)
        | Op::Get { .. }
        | Op::Random { .. }
        | Op::Opaque { .. } => Err(not_linear(node)),
    }
}

/// The cotangent of the direction of a linear function that is transposed as a whole, and that direction.
///
/// # Errors
/// An op does not fit: an internal error.
pub(super) fn of_whole(w: &mut Writer, whole: Whole, ct: ValueId) -> Result<(ValueId, ValueId)> {
    match whole {
        // The derivative at the conjugate transposed.
        Whole::Expm { x, t } => {
            let x = w.adjoint(x)?;
            Ok((t, w.expm_along(x, ct)?))
        }
    }
}

fn not_linear(node: &Node) -> Error {
    Error::internal(format!("{} is not linear in a tangent", node.op))
}

fn map(w: &mut Writer, op: MapOp, node: &Node, linear: &[bool], ct: ValueId) -> Result<Cotangents> {
    let mut each = |ct: ValueId, minus: bool| -> Result<Cotangents> {
        let mut cotangents = Cotangents::new();
        for (i, _) in linear.iter().enumerate().filter(|(_, linear)| **linear) {
            let ct = if minus && i == 1 { w.neg(ct)? } else { ct };
            cotangents.push((i, ct.into()));
        }
        Ok(cotangents)
    };
    match op {
        MapOp::Add => each(ct, false),
        MapOp::Subtract => each(ct, true),
        MapOp::Negative => Ok(smallvec![(0, w.neg(ct)?.into())]),
        MapOp::Conj => Ok(smallvec![(0, w.conj(ct)?.into())]),
        MapOp::Real | MapOp::Astype { .. } => Ok(smallvec![(0, ct.into())]),
        MapOp::Imag => {
            let dtype = w.dtype(node.inputs[0])?;
            let ct = w.cast(ct, dtype)?;
            let unit = num_complex::Complex64::i();
            let unit = w.graph.add_literal(unit, dtype);
            Ok(smallvec![(0, w.mul(ct, unit)?.into())])
        }
        MapOp::Multiply => {
            let (own, other) = match *linear {
                [true, false] => (0, node.inputs[1]),
                [false, true] => (1, node.inputs[0]),
                _ => return Err(not_linear(node)),
            };
            let other = w.conj(other)?;
            Ok(smallvec![(own, w.mul(ct, other)?.into())])
        }
        MapOp::Divide if *linear == [true, false] => {
            let divisor = w.conj(node.inputs[1])?;
            Ok(smallvec![(0, w.div(ct, divisor)?.into())])
        }
        MapOp::Where => {
            let condition = node.inputs[0];
            let mut cotangents = Cotangents::new();
            if linear[1] {
                cotangents.push((1, w.keep(condition, ct)?.into()));
            }
            if linear[2] {
                cotangents.push((2, w.drop(condition, ct)?.into()));
            }
            Ok(cotangents)
        }
        constant!() => Err(not_linear(node)),
        MapOp::Absolute
        | MapOp::Square
        | MapOp::Sign
        | MapOp::Sqrt
        | MapOp::Reciprocal
        | MapOp::Exp
        | MapOp::Exp2
        | MapOp::Expm1
        | MapOp::Log
        | MapOp::Log2
        | MapOp::Log10
        | MapOp::Log1p
        | MapOp::Sin
        | MapOp::Cos
        | MapOp::Tan
        | MapOp::Arcsin
        | MapOp::Arccos
        | MapOp::Arctan
        | MapOp::Sinh
        | MapOp::Cosh
        | MapOp::Tanh
        | MapOp::Cbrt
        | MapOp::Arcsinh
        | MapOp::Arccosh
        | MapOp::Arctanh
        | MapOp::Erf
        | MapOp::Lgamma
        | MapOp::Divide
        | MapOp::Remainder
        | MapOp::Power
        | MapOp::Arctan2
        | MapOp::Maximum
        | MapOp::Minimum
        | MapOp::Fmod
        | MapOp::Hypot
        | MapOp::Copysign => Err(not_linear(node)),
    }
}

fn reduce(w: &mut Writer, op: &ReduceOp, node: &Node, ct: ValueId) -> Result<Cotangents> {
    let mut stretched = |axes: &Dims| {
        let shape = w.shape(node.inputs[0])?;
        let mut kept = shape.clone();
        axes.iter().for_each(|&a| kept[a] = 1);
        let ct = w.reshape(ct, &kept)?;
        w.broadcast(ct, &shape)
    };
    match op {
        ReduceOp::Sum { axes, .. } => Ok(smallvec![(0, stretched(axes)?.into())]),
        ReduceOp::SumWhere { axes, .. } => {
            let ct = stretched(axes)?;
            Ok(smallvec![(0, w.keep(node.inputs[1], ct)?.into())])
        }
        ReduceOp::Prod { .. }
        | ReduceOp::Max { .. }
        | ReduceOp::Min { .. }
        | ReduceOp::Any { .. }
        | ReduceOp::All { .. }
        | ReduceOp::Argmax { .. }
        | ReduceOp::Argmin { .. } => Err(not_linear(node)),
    }
}

fn scan(w: &mut Writer, op: &ScanOp, node: &Node, ct: ValueId) -> Result<Cotangents> {
    match *op {
        ScanOp::Cumsum { axis } => {
            let ct = w.flip(ct, axis)?;
            let ct = w.cumsum(ct, axis)?;
            Ok(smallvec![(0, w.flip(ct, axis)?.into())])
        }
        ScanOp::Cumprod { .. } => Err(not_linear(node)),
    }
}

fn view(w: &mut Writer, op: &ViewOp, node: &Node, ct: ValueId) -> Result<Cotangents> {
    let ty = w.ty(node.inputs[0])?;
    let ct = match op {
        ViewOp::Reshape { .. } => w.reshape(ct, &ty.shape)?,
        ViewOp::Transpose { perm } => {
            let mut inverse = perm.clone();
            perm.iter().enumerate().for_each(|(i, &p)| inverse[p] = i);
            w.transpose(ct, &inverse)?
        }
        // The sum is taken where cotangents are accumulated.
        ViewOp::BroadcastTo { .. } => ct,
        ViewOp::Slice { slicing } => return index::unslice(w, ct, slicing),
    };
    Ok(smallvec![(0, ct.into())])
}

fn join(
    w: &mut Writer,
    op: &JoinOp,
    node: &Node,
    linear: &[bool],
    ct: ValueId,
) -> Result<Cotangents> {
    let (JoinOp::Concatenate { axis } | JoinOp::Stack { axis }) = *op;
    let mut cotangents = Cotangents::new();
    let mut start = 0;
    for (i, &input) in node.inputs.iter().enumerate() {
        let shape = w.shape(input)?;
        let size = match op {
            JoinOp::Concatenate { .. } => shape[axis],
            JoinOp::Stack { .. } => 1,
        };
        if linear[i] {
            let part = w.narrow(ct, axis, start, size)?;
            cotangents.push((i, w.reshape(part, &shape)?.into()));
        }
        start += size;
    }
    Ok(cotangents)
}

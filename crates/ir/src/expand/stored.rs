//! Ops on dtypes that are [only stored](DType::is_stored): written with `int64`, which holds all of their integers but the upper
//! half of `uint64`.
//!
//! Inputs become `int64`, and the result is converted back, which wraps. An integer of `uint64` becomes the one with the same bits, so
//! sums, products and bitwise logic are those of `int64`; where the sign matters the ops here say what is meant. What
//! remains of the stored dtypes in core form are leaves, views, joins, gathers, and conversions from and to `int64`.

use smallvec::SmallVec;

use super::{Builder, Expanded};
use crate::error::Result;
use crate::node::Node;
use crate::scatter::ScatterMode;
use crate::types::{Class, DType, Type};
use crate::{IndexOp, MapOp, Op, ReduceOp, ValueId};

/// The smallest number that `int64` does not hold.
const HALF: f64 = 9_223_372_036_854_775_808.0;

/// Whether an op computes with integers that are only stored, so that [`expansion`](super::expansion) writes it with `int64`,
/// given the dtypes of its inputs.
#[inline]
pub fn is_widened(op: &Op, mut inputs: impl Iterator<Item = DType>) -> bool {
    match op {
        Op::Map(MapOp::Astype { dtype: to }) => {
            inputs.any(|from| match (from.is_stored(), to.is_stored()) {
                (false, false) => false,
                (true, false) => *to != DType::Int64,
                (false, true) => from != DType::Int64,
                (true, true) => from != *to,
            })
        }
        Op::Random { ty, .. } => ty.dtype.is_stored(),
        _ => inputs.any(DType::is_stored) && !is_kept(op),
    }
}

/// Whether an op does no more than move elements, whatever they are.
fn is_kept(op: &Op) -> bool {
    match op {
        Op::Map(op) => *op == MapOp::StopGradient,
        Op::Index(op) => match op {
            IndexOp::Getitem { .. } | IndexOp::Take { .. } => true,
            IndexOp::Scatter { mode, .. } => *mode == ScatterMode::Set,
            IndexOp::ScatterFlat { .. } => false,
        },
        Op::Reduce(_)
        | Op::Scan(_)
        | Op::Sort(_)
        | Op::Contract(_)
        | Op::Linalg(_)
        | Op::Fourier(_)
        | Op::Random { .. } => false,
        Op::Leaf(_)
        | Op::View(_)
        | Op::Join(_)
        | Op::Control(_)
        | Op::Get { .. }
        | Op::Opaque { .. } => true,
    }
}

impl Builder<'_> {
    /// The value of a node that computes with stored integers; `None` if it does not.
    pub(super) fn widened(&mut self, node: &Node) -> Option<Expanded> {
        // Nearly always there is none, and it is asked of every node.
        let is_stored = |&x: &ValueId| match &*self.graph[x].ty {
            Type::Array(ty) => ty.dtype.is_stored(),
            Type::Tuple(types) => types.iter().any(|ty| ty.dtype.is_stored()),
        };
        let may_be = match &node.op {
            Op::Map(MapOp::Astype { .. }) | Op::Random { .. } => true,
            _ => node.inputs.iter().any(is_stored),
        };
        let types = node.inputs.iter().flat_map(|&x| self.graph[x].ty.arrays());
        (may_be && is_widened(&node.op, types.map(|ty| ty.dtype))).then(|| self.widen(node))
    }

    fn widen(&mut self, node: &Node) -> Expanded {
        let result = node.ty.array()?.dtype;
        let x = &node.inputs;
        match &node.op {
            Op::Map(MapOp::Astype { dtype }) => self.stored_as(x[0], *dtype),
            Op::Random {
                draw,
                distribution,
                ty,
            } => {
                let drawn = Op::Random {
                    draw: draw.clone(),
                    distribution: *distribution,
                    ty: ty.with_dtype(DType::Int64).into(),
                };
                let drawn = self.push(drawn, &[])?;
                self.cast(drawn, result)
            }
            Op::Map(op) => {
                if let Some(value) = self.of_unsigned(*op, x)? {
                    return Ok(value);
                }
                self.in_int64(&node.op, x, result)
            }
            op => self.in_int64(op, x, result),
        }
    }

    /// The op on the same integers as `int64`.
    fn in_int64(&mut self, op: &Op, x: &[ValueId], result: DType) -> Expanded {
        let is_ordered = is_ordered(op);
        let mut inputs: SmallVec<[ValueId; 4]> = SmallVec::new();
        for &x in x {
            let dtype = self.graph.ty(x)?.dtype;
            inputs.push(match dtype {
                DType::Uint64 if is_ordered => self.rank(x)?,
                _ if dtype.is_stored() => self.int64(x)?,
                _ => x,
            });
        }
        let value = self.push(op.clone(), &inputs)?;
        if !result.is_stored() {
            return Ok(value);
        }
        if result == DType::Uint64 && is_ordered {
            let value = self.flip(value)?;
            return self.cast(value, result);
        }
        self.cast(value, result)
    }

    /// Stored integers as `int64`: the same, but for those of `uint64` with the same bits.
    fn int64(&mut self, x: ValueId) -> Expanded {
        let node = &self.graph[x];
        let to_uint64 = MapOp::Astype {
            dtype: DType::Uint64,
        };
        if node.op == Op::Map(to_uint64) && self.graph.ty(node.inputs[0])?.dtype == DType::Int64 {
            return Ok(node.inputs[0]);
        }
        self.cast(x, DType::Int64)
    }

    /// The integers of `int64` whose order is that of the ones of `uint64`.
    fn rank(&mut self, x: ValueId) -> Expanded {
        let bits = self.int64(x)?;
        self.flip(bits)
    }

    fn flip(&mut self, bits: ValueId) -> Expanded {
        let sign = self.literal(i64::MIN, DType::Int64);
        self.push(Op::Map(MapOp::BitwiseXor), &[bits, sign])
    }

    /// Conversions to and from stored dtypes.
    fn stored_as(&mut self, x: ValueId, to: DType) -> Expanded {
        let from = self.graph.ty(x)?.dtype;
        if from == DType::Uint64 && to.class() >= Class::Float {
            return self.uint64_to_float(x, to);
        }
        if to == DType::Uint64 && from.class() >= Class::Float {
            return self.float_to_uint64(x);
        }
        let wide = self.int64(x)?;
        self.cast(wide, to)
    }

    /// Integers of the upper half go by way of their half, rounded to odd: doubling it then rounds the integer once.
    ///
    /// Source: what C compilers do on x86.
    fn uint64_to_float(&mut self, x: ValueId, to: DType) -> Expanded {
        let bits = self.int64(x)?;
        let one = self.literal(1, DType::Int64);
        let shifted = self.half(bits)?;
        let odd = self.push(Op::Map(MapOp::BitwiseAnd), &[bits, one])?;
        let half = self.push(Op::Map(MapOp::BitwiseOr), &[shifted, odd])?;
        let is_upper = self.is_negative(bits)?;
        let fitting = self.push(Op::Map(MapOp::Where), &[is_upper, half, bits])?;
        let float = self.cast(fitting, to.real())?;
        let doubled = self.push(Op::Map(MapOp::Add), &[float, float])?;
        let float = self.push(Op::Map(MapOp::Where), &[is_upper, doubled, float])?;
        self.cast(float, to)
    }

    fn float_to_uint64(&mut self, x: ValueId) -> Expanded {
        let x = match self.graph.ty(x)?.dtype.class() {
            Class::Complex => self.push(Op::Map(MapOp::Real), &[x])?,
            Class::Bool | Class::Integer | Class::Float => x,
        };
        let half = self.literal(HALF, self.graph.ty(x)?.dtype);
        let is_upper = self.push(Op::Map(MapOp::LessEqual), &[half, x])?;
        let above = self.push(Op::Map(MapOp::Subtract), &[x, half])?;
        let above = self.cast(above, DType::Int64)?;
        let upper = self.flip(above)?;
        let lower = self.cast(x, DType::Int64)?;
        let bits = self.push(Op::Map(MapOp::Where), &[is_upper, upper, lower])?;
        self.cast(bits, DType::Uint64)
    }

    /// Half of the integers of `uint64` with these bits, rounded down.
    fn half(&mut self, bits: ValueId) -> Expanded {
        let one = self.literal(1, DType::Int64);
        let largest = self.literal(i64::MAX, DType::Int64);
        let shifted = self.push(Op::Map(MapOp::RightShift), &[bits, one])?;
        self.push(Op::Map(MapOp::BitwiseAnd), &[shifted, largest])
    }

    fn is_negative(&mut self, x: ValueId) -> Expanded {
        let zero = self.literal(0, DType::Int64);
        self.push(Op::Map(MapOp::Less), &[x, zero])
    }

    /// An elementwise op on integers of `uint64` that is another one of `int64`; `None` if it is the same.
    fn of_unsigned(&mut self, op: MapOp, x: &[ValueId]) -> Result<Option<ValueId>> {
        let is_unsigned = |b: &Self, x: ValueId| Ok(b.graph.ty(x)?.dtype == DType::Uint64);
        let unsigned =
            |b: &Self| -> Result<Vec<bool>> { x.iter().map(|&x| is_unsigned(b, x)).collect() };
        let value = match (op, unsigned(self)?.as_slice()) {
            (MapOp::Where, _) => return Ok(None),
            // Compared exactly, as no dtype holds both.
            (_, &[left, right]) if left != right => self.compare_mixed(op, x, left)?,
            (_, [false, ..] | []) => return Ok(None),
            (
                MapOp::Absolute
                | MapOp::Floor
                | MapOp::Ceil
                | MapOp::Trunc
                | MapOp::Conj
                | MapOp::Real,
                _,
            ) => x[0],
            (MapOp::Sign, _) => {
                let is_set = self.cast(x[0], DType::Bool)?;
                self.cast(is_set, DType::Uint64)?
            }
            (MapOp::Reciprocal, _) => {
                let one = self.literal(1, DType::Uint64);
                let is_one = self.push(Op::Map(MapOp::Equal), &[x[0], one])?;
                self.cast(is_one, DType::Uint64)?
            }
            (MapOp::FloorDivide, _) => {
                let (quotient, _) = self.divide_unsigned(x[0], x[1])?;
                self.cast(quotient, DType::Uint64)?
            }
            (MapOp::Remainder | MapOp::Fmod, _) => {
                let (_, remainder) = self.divide_unsigned(x[0], x[1])?;
                self.cast(remainder, DType::Uint64)?
            }
            (MapOp::Power, _) => self.power_unsigned(x[0], x[1])?,
            (MapOp::RightShift, _) => self.shift_unsigned(x[0], x[1])?,
            _ => return Ok(None),
        };
        Ok(Some(value))
    }

    /// A comparison of signed with unsigned integers, of which the left ones are unsigned or the right ones.
    fn compare_mixed(&mut self, op: MapOp, x: &[ValueId], left_is_unsigned: bool) -> Expanded {
        let mut ranks = [x[0], x[1]];
        for rank in &mut ranks {
            *rank = self.rank(*rank)?;
        }
        let same_sign = self.push(Op::Map(op), &ranks)?;
        let signed = x[usize::from(left_is_unsigned)];
        let is_negative = self.is_negative(signed)?;
        let holds = match op {
            MapOp::NotEqual => true,
            MapOp::Less | MapOp::LessEqual => !left_is_unsigned,
            MapOp::Greater | MapOp::GreaterEqual => left_is_unsigned,
            _ => false,
        };
        if holds {
            return self.push(Op::Map(MapOp::LogicalOr), &[is_negative, same_sign]);
        }
        let not_negative = self.push(Op::Map(MapOp::LogicalNot), &[is_negative])?;
        self.push(Op::Map(MapOp::LogicalAnd), &[not_negative, same_sign])
    }

    /// The bits of quotient and remainder; zero for a zero divisor.
    ///
    /// Source: H. S. Warren, "Hacker's Delight", second edition, section 9-3.
    fn divide_unsigned(&mut self, x: ValueId, y: ValueId) -> Result<(ValueId, ValueId)> {
        let (x_rank, y_rank) = (self.rank(x)?, self.rank(y)?);
        let (x, y) = (self.int64(x)?, self.int64(y)?);
        let map = |b: &mut Self, op: MapOp, x: &[ValueId]| b.push(Op::Map(op), x);
        let one = self.literal(1, DType::Int64);
        let zero = self.literal(0, DType::Int64);
        // Half of `x` has no sign, so the quotient by a `y` without one is right but for the last bit.
        let half = self.half(x)?;
        let quotient = map(self, MapOp::FloorDivide, &[half, y])?;
        let quotient = map(self, MapOp::LeftShift, &[quotient, one])?;
        let product = map(self, MapOp::Multiply, &[quotient, y])?;
        let rest = map(self, MapOp::Subtract, &[x, product])?;
        let rest_rank = self.flip(rest)?;
        let is_left = map(self, MapOp::LessEqual, &[y_rank, rest_rank])?;
        let one_more = map(self, MapOp::Add, &[quotient, one])?;
        let quotient = map(self, MapOp::Where, &[is_left, one_more, quotient])?;
        // A `y` of the upper half goes into `x` once, or not at all.
        let is_large = self.is_negative(y)?;
        let fits = map(self, MapOp::LessEqual, &[y_rank, x_rank])?;
        let once = map(self, MapOp::Where, &[fits, one, zero])?;
        let quotient = map(self, MapOp::Where, &[is_large, once, quotient])?;
        let by_zero = map(self, MapOp::Equal, &[y, zero])?;
        let quotient = map(self, MapOp::Where, &[by_zero, zero, quotient])?;
        let product = map(self, MapOp::Multiply, &[quotient, y])?;
        let remainder = map(self, MapOp::Subtract, &[x, product])?;
        let remainder = map(self, MapOp::Where, &[by_zero, zero, remainder])?;
        Ok((quotient, remainder))
    }

    /// Powers wrap at 64 bits, where those of odd numbers repeat after 2^62 and those of even ones are zero from 64 on: so a
    /// large exponent is brought below 2^63.
    fn power_unsigned(&mut self, x: ValueId, n: ValueId) -> Expanded {
        let (x, n) = (self.int64(x)?, self.int64(n)?);
        let period = self.literal(1_i64 << 62, DType::Int64);
        let below = self.literal((1_i64 << 62) - 1, DType::Int64);
        let above = self.literal(!((1_i64 << 62) - 1), DType::Int64);
        let zero = self.literal(0, DType::Int64);
        let large = self.push(Op::Map(MapOp::BitwiseAnd), &[n, above])?;
        let is_large = self.push(Op::Map(MapOp::NotEqual), &[large, zero])?;
        let rest = self.push(Op::Map(MapOp::BitwiseAnd), &[n, below])?;
        let again = self.push(Op::Map(MapOp::BitwiseOr), &[rest, period])?;
        let n = self.push(Op::Map(MapOp::Where), &[is_large, again, rest])?;
        let power = self.push(Op::Map(MapOp::Power), &[x, n])?;
        self.cast(power, DType::Uint64)
    }

    /// Shifts to the right bring in zeros.
    fn shift_unsigned(&mut self, x: ValueId, places: ValueId) -> Expanded {
        let (x, places) = (self.int64(x)?, self.int64(places)?);
        let zero = self.literal(0, DType::Int64);
        let one = self.literal(1, DType::Int64);
        let half = self.half(x)?;
        let others = self.push(Op::Map(MapOp::Subtract), &[places, one])?;
        let shifted = self.push(Op::Map(MapOp::RightShift), &[half, others])?;
        let is_none = self.push(Op::Map(MapOp::Equal), &[places, zero])?;
        let bits = self.push(Op::Map(MapOp::Where), &[is_none, x, shifted])?;
        self.cast(bits, DType::Uint64)
    }
}

/// Whether the result depends on which integers are larger.
fn is_ordered(op: &Op) -> bool {
    match op {
        Op::Map(op) => matches!(
            op,
            MapOp::Maximum
                | MapOp::Minimum
                | MapOp::Less
                | MapOp::LessEqual
                | MapOp::Greater
                | MapOp::GreaterEqual
        ),
        Op::Reduce(op) => matches!(
            op,
            ReduceOp::Max { .. }
                | ReduceOp::Min { .. }
                | ReduceOp::Argmax { .. }
                | ReduceOp::Argmin { .. }
        ),
        Op::Sort(_) => true,
        Op::Index(IndexOp::Scatter { mode, .. } | IndexOp::ScatterFlat { mode }) => {
            matches!(mode, ScatterMode::Min | ScatterMode::Max)
        }
        Op::Leaf(_)
        | Op::Scan(_)
        | Op::Contract(_)
        | Op::View(_)
        | Op::Index(_)
        | Op::Join(_)
        | Op::Linalg(_)
        | Op::Fourier(_)
        | Op::Control(_)
        | Op::Get { .. }
        | Op::Random { .. }
        | Op::Opaque { .. } => false,
    }
}

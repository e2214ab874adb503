//! `Writer`: what the rules of differentiation add nodes with.
//!
//! Nodes are added as written down: the optimiser converts their inputs and expands derived ops later. Every node
//! carries the source line of the node that is being differentiated.
//!
//! In reverse mode the tangents of the arguments are *placeholders*: leaves that stand for a direction while the tangents
//! are written, and on which nothing in the finished graph depends.

mod shapes;

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::site::Site;
use crate::types::{ArrayType, DType, Dims, Shape, Type};
use crate::{
    Bodies, Graph, HostArray, LeafOp, MapOp, Node, Op, OpaqueFunction, PlainType, ReduceOp, ScanOp,
    ValueId, infer_plain,
};

/// Up to so many positions are a constant; more are counted when the graph runs.
const LISTED: usize = 4096;

/// Which derivative is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Tangents are results.
    Forward,
    /// Tangents are written to be transposed.
    Reverse,
}

/// A linear function of a tangent that no op is: it is transposed as a whole.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whole {
    /// The derivative of `expm` at `x` in the direction `t`.
    Expm { x: ValueId, t: ValueId },
}

/// How cotangents of several results go back to the arguments at once.
pub(super) enum Pullback {
    /// By the rule of a function that has one.
    Function(OpaqueFunction),
    /// By a loop from the last iteration to the first.
    Loop(Box<LoopPullback>),
    /// By that of the branch that was taken.
    Branches(Bodies),
}

/// The facts about a loop that is gone back through.
pub(super) struct LoopPullback {
    /// Takes what was kept of an iteration and the cotangents of what varies, and gives gradients.
    pub(super) late: Graph,
    /// For each input that varies, whether `late` gives its gradient; the first residuals are those of the others.
    pub(super) is_late: Vec<bool>,
    pub(super) residuals: Vec<Residual>,
    /// Which inputs of the body vary.
    pub(super) inputs: Vec<bool>,
    /// Which results of the body vary.
    pub(super) outputs: Vec<bool>,
    /// The types of the results of the body.
    pub(super) element_types: Vec<ArrayType>,
    pub(super) carry: usize,
    pub(super) xs: usize,
    pub(super) length: usize,
    pub(super) reverse: bool,
}

/// A value of the way there that the way back through a loop reads.
#[derive(Clone, Copy)]
pub(super) enum Residual {
    /// The same in all iterations.
    Invariant(ValueId),
    /// An element for each.
    Stacked(ValueId),
}

/// An op with several results that is gone back through as a whole.
pub(super) struct Call {
    pub(super) pullback: Pullback,
    /// The arguments.
    pub(super) x: SmallVec<[ValueId; 4]>,
    /// Their tangents.
    pub(super) t: SmallVec<[Option<ValueId>; 4]>,
    /// The placeholder of each result that is asked for.
    pub(super) results: Vec<Option<ValueId>>,
}

/// Adds nodes to a graph.
pub(super) struct Writer {
    pub(super) graph: Graph,
    pub(super) mode: Mode,
    /// The source line that new nodes carry.
    pub(super) location: Option<Site>,
    /// The placeholders that stand for linear functions.
    pub(super) whole: FxHashMap<ValueId, Whole>,
    /// Ops that are gone back through as a whole, by the first placeholder of their results.
    pub(super) calls: FxHashMap<ValueId, Call>,
    /// The functions that were called so.
    pub(super) called: FxHashSet<OpaqueFunction>,
    /// For tuples those that stand in their place, and where their results are.
    pub(super) replaced: FxHashMap<ValueId, (ValueId, Vec<usize>)>,
    /// For each placeholder what it stands for, if it is the tangent of a node that is transposed as it is.
    direct: Vec<Option<Direct>>,
}

/// A node that is linear in its inputs, or in each of them: its tangent is not written, but transposed right away.
#[derive(Debug)]
pub(super) struct Direct {
    /// The node.
    pub(super) value: ValueId,
    /// The tangents of its inputs.
    pub(super) t: SmallVec<[Option<ValueId>; 4]>,
}

/// The number of a placeholder in its op. No constant has such a number, and dead constants are left out of the finished graph.
const PLACEHOLDERS: usize = usize::MAX / 2;

impl Writer {
    pub(super) fn new(graph: Graph, mode: Mode) -> Self {
        Self {
            graph,
            mode,
            location: None,
            whole: FxHashMap::default(),
            calls: FxHashMap::default(),
            called: FxHashSet::default(),
            replaced: FxHashMap::default(),
            direct: Vec::new(),
        }
    }

    /// A leaf of its own, on which nothing depends in the end.
    pub(super) fn placeholder(&mut self, ty: ArrayType) -> ValueId {
        let shared = Arc::new(Type::from(ty.clone()));
        self.stand_in(ty, shared, None)
    }

    /// A placeholder for the tangent of a node that is transposed as it is.
    ///
    /// # Errors
    /// The node gives a tuple.
    pub(super) fn direct(&mut self, direct: Direct) -> Result<ValueId> {
        let ty = self.ty(direct.value)?;
        let shared = Arc::clone(&self.graph[direct.value].ty);
        Ok(self.stand_in(ty, shared, Some(direct)))
    }

    fn stand_in(&mut self, ty: ArrayType, shared: Arc<Type>, direct: Option<Direct>) -> ValueId {
        let index = PLACEHOLDERS + self.direct.len();
        self.direct.push(direct);
        self.graph.push_apart(Node {
            op: LeafOp::Constant { index, ty }.into(),
            inputs: SmallVec::new(),
            ty: shared,
            location: self.location,
        })
    }

    /// Whether a node is a placeholder.
    pub(super) fn is_placeholder(&self, node: &Node) -> bool {
        self.placeholder_number(node).is_some()
    }

    /// The node that a placeholder stands for, if it stands for one, and if the value is a placeholder. It is given away.
    pub(super) fn take_placeholder(&mut self, value: ValueId) -> Option<Option<Direct>> {
        let number = self.placeholder_number(&self.graph[value])?;
        self.direct.get_mut(number).map(Option::take)
    }

    fn placeholder_number(&self, node: &Node) -> Option<usize> {
        match &node.op {
            Op::Leaf(LeafOp::Constant { index, .. }) => {
                let number = index.checked_sub(PLACEHOLDERS)?;
                (number < self.direct.len()).then_some(number)
            }
            _ => None,
        }
    }

    /// Adds an op.
    pub(super) fn op(&mut self, op: impl Into<Op>, inputs: &[ValueId]) -> Result<ValueId> {
        let op = op.into();
        let types = inputs.iter().map(|&input| Some(&self.graph[input].ty));
        let ty = match infer_plain(&op, inputs.len(), types) {
            Some(PlainType::Input(ty)) => Arc::clone(ty),
            Some(PlainType::Other(ty)) => self.graph.shared_type(ty),
            None => return self.graph.push(op, inputs, self.location),
        };
        Ok(self.graph.insert(op, inputs, ty, self.location))
    }

    pub(super) fn ty(&self, value: ValueId) -> Result<ArrayType> {
        self.graph.ty(value).cloned()
    }

    pub(super) fn dtype(&self, value: ValueId) -> Result<DType> {
        Ok(self.graph.ty(value)?.dtype)
    }

    pub(super) fn shape(&self, value: ValueId) -> Result<Shape> {
        Ok(self.graph.ty(value)?.shape.clone())
    }

    // ---- numbers ----

    /// A number in the dtype of a value.
    pub(super) fn number(&mut self, number: f64, like: ValueId) -> Result<ValueId> {
        let dtype = self.dtype(like)?;
        Ok(self.graph.add_literal(number, dtype))
    }

    pub(super) fn zeros(&mut self, ty: &ArrayType) -> Result<ValueId> {
        let zero = self.graph.add_literal(0, ty.dtype);
        self.broadcast(zero, &ty.shape)
    }

    pub(super) fn fill(&mut self, number: f64, ty: &ArrayType) -> Result<ValueId> {
        let number = self.graph.add_literal(number, ty.dtype);
        self.broadcast(number, &ty.shape)
    }

    /// A constant matrix whose elements follow from their row and column.
    pub(super) fn matrix(
        &mut self,
        dtype: DType,
        (rows, columns): (usize, usize),
        element: impl Fn(usize, usize) -> f64,
    ) -> Result<ValueId> {
        let data = (0..rows * columns).map(|k| Scalar::Float(element(k / columns, k % columns)));
        let data: Vec<Scalar> = data.map(|x| x.cast(dtype)).collect();
        self.constant(&ArrayType::new(dtype, &[rows, columns]), &data)
    }

    pub(super) fn constant(&mut self, ty: &ArrayType, data: &[Scalar]) -> Result<ValueId> {
        let host = HostArray::from_scalars(ty, data)
            .ok_or_else(|| Error::internal(format!("a constant that is not {ty}")))?;
        Ok(self.graph.add_constant(host))
    }

    /// The numbers from 0 to `n - 1`.
    pub(super) fn positions(&mut self, n: usize) -> Result<ValueId> {
        let ty = ArrayType::new(DType::Int64, &[n]);
        if n <= LISTED {
            let data: Vec<Scalar> = (0..n as i64).map(Scalar::Int).collect();
            return self.constant(&ty, &data);
        }
        let ones = self.fill(1.0, &ty)?;
        let counts = self.op(ScanOp::Cumsum { axis: 0 }, &[ones])?;
        let one = self.graph.add_literal(1, DType::Int64);
        self.sub(counts, one)
    }

    /// Whether a comparison of column and row holds, for the elements of matrices: `column op row + k`.
    fn mask(&mut self, op: MapOp, (rows, columns): (usize, usize), k: i64) -> Result<ValueId> {
        let (row, column) = (self.positions(rows)?, self.positions(columns)?);
        let row = self.reshape(row, &[rows, 1])?;
        let row = if k == 0 {
            row
        } else {
            let k = self.graph.add_literal(k, DType::Int64);
            self.add(row, k)?
        };
        self.op(op, &[column, row])
    }

    /// Whether an element is on the diagonal of a square matrix.
    pub(super) fn on_diagonal(&mut self, n: usize) -> Result<ValueId> {
        self.mask(MapOp::Equal, (n, n), 0)
    }

    // ---- element by element ----

    pub(super) fn add(&mut self, x: ValueId, y: ValueId) -> Result<ValueId> {
        self.op(MapOp::Add, &[x, y])
    }

    pub(super) fn sub(&mut self, x: ValueId, y: ValueId) -> Result<ValueId> {
        self.op(MapOp::Subtract, &[x, y])
    }

    pub(super) fn mul(&mut self, x: ValueId, y: ValueId) -> Result<ValueId> {
        self.op(MapOp::Multiply, &[x, y])
    }

    pub(super) fn div(&mut self, x: ValueId, y: ValueId) -> Result<ValueId> {
        self.op(MapOp::Divide, &[x, y])
    }

    pub(super) fn neg(&mut self, x: ValueId) -> Result<ValueId> {
        self.op(MapOp::Negative, &[x])
    }

    pub(super) fn scale(&mut self, x: ValueId, factor: f64) -> Result<ValueId> {
        if factor == 1.0 {
            return Ok(x);
        }
        let factor = self.number(factor, x)?;
        self.mul(x, factor)
    }

    /// `x + k` for a number `k`.
    pub(super) fn shift(&mut self, x: ValueId, k: f64) -> Result<ValueId> {
        let k = self.number(k, x)?;
        self.add(x, k)
    }

    /// `k - x` for a number `k`.
    pub(super) fn minus(&mut self, k: f64, x: ValueId) -> Result<ValueId> {
        let k = self.number(k, x)?;
        self.sub(k, x)
    }

    pub(super) fn conj(&mut self, x: ValueId) -> Result<ValueId> {
        if self.dtype(x)?.is_complex() {
            return self.op(MapOp::Conj, &[x]);
        }
        Ok(x)
    }

    pub(super) fn real(&mut self, x: ValueId) -> Result<ValueId> {
        if self.dtype(x)?.is_complex() {
            return self.op(MapOp::Real, &[x]);
        }
        Ok(x)
    }

    /// `Re(conj(x) t)`: the real inner product, element by element.
    pub(super) fn along(&mut self, x: ValueId, t: ValueId) -> Result<ValueId> {
        let x = self.conj(x)?;
        let product = self.mul(x, t)?;
        self.real(product)
    }

    pub(super) fn select(&mut self, condition: ValueId, x: ValueId, y: ValueId) -> Result<ValueId> {
        self.op(MapOp::Where, &[condition, x, y])
    }

    /// `x` where the condition holds, else zero, whatever `x` is there.
    pub(super) fn keep(&mut self, condition: ValueId, x: ValueId) -> Result<ValueId> {
        let zero = self.number(0.0, x)?;
        self.select(condition, x, zero)
    }

    /// `x` where the condition does not hold, else zero.
    pub(super) fn drop(&mut self, condition: ValueId, x: ValueId) -> Result<ValueId> {
        let zero = self.number(0.0, x)?;
        self.select(condition, zero, x)
    }

    pub(super) fn is_zero(&mut self, x: ValueId) -> Result<ValueId> {
        let zero = self.number(0.0, x)?;
        self.op(MapOp::Equal, &[x, zero])
    }

    /// `x`, and one where it is zero.
    pub(super) fn nonzero(&mut self, x: ValueId) -> Result<ValueId> {
        let is_zero = self.is_zero(x)?;
        let one = self.number(1.0, x)?;
        self.select(is_zero, one, x)
    }

    /// `1 / x`, and zero where `x` is zero.
    pub(super) fn inverse_or_zero(&mut self, x: ValueId) -> Result<ValueId> {
        let is_zero = self.is_zero(x)?;
        let safe = self.nonzero(x)?;
        let inverse = self.op(MapOp::Reciprocal, &[safe])?;
        self.drop(is_zero, inverse)
    }

    /// `x` in another dtype; a complex number loses its imaginary part.
    pub(super) fn cast(&mut self, x: ValueId, dtype: DType) -> Result<ValueId> {
        let own = self.dtype(x)?;
        if own == dtype {
            return Ok(x);
        }
        if let Some(literal) = self.graph.as_literal(x) {
            return Ok(self.graph.add_literal(literal.value, dtype));
        }
        let x = if own.is_complex() && !dtype.is_complex() {
            self.real(x)?
        } else {
            x
        };
        if self.dtype(x)? == dtype {
            return Ok(x);
        }
        self.op(MapOp::Astype { dtype }, &[x])
    }

    // ---- sums ----

    pub(super) fn sum(&mut self, x: ValueId, axes: &[usize], keepdims: bool) -> Result<ValueId> {
        if axes.is_empty() {
            return Ok(x);
        }
        let axes = Dims::from_slice(axes);
        self.op(ReduceOp::Sum { axes, keepdims }, &[x])
    }

    pub(super) fn cumsum(&mut self, x: ValueId, axis: usize) -> Result<ValueId> {
        self.op(ScanOp::Cumsum { axis }, &[x])
    }

    /// The sum of those that are not zero.
    pub(super) fn total(
        &mut self,
        terms: impl IntoIterator<Item = Option<ValueId>>,
    ) -> Result<Option<ValueId>> {
        let mut sum = None;
        for term in terms.into_iter().flatten() {
            sum = Some(match sum {
                Some(sum) => self.add(sum, term)?,
                None => term,
            });
        }
        Ok(sum)
    }
}

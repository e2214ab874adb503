//! The reference interpreter: what every op means, written wide, slow and obvious.
//!
//! It is the oracle that engines are tested against, and it folds constants. Values are computed as `i64`,
//! `f64` or `Complex<f64>` and rounded to the dtype of the result after each op, so `float32` results are
//! correctly rounded `float64` ones; integers wrap at their width. Elements are visited one by one through
//! their multi-index: no strides, no blocking, no reuse, and nothing taken from the runtime crate, so that a
//! mistake there cannot hide here.
//!
//! Invariants: the data of a [`Tensor`] has as many elements as its type says, each already of the dtype.
//! Functions that rows of the op table name take the attributes, the inputs with the dtypes of the
//! signature, and the type of the result; they never look at anything else. Every failure that depends on
//! values (an index, a singular iteration) is an `Err`, never a panic.

mod bits;
mod complex;
mod contract;
mod control;
mod eigen;
mod elementwise;
#[cfg(test)]
mod expansion_tests;
mod fourier;
mod linalg;
mod norm;
mod opaque;
mod order;
mod random;
mod reduce;
mod scatter;
mod shape;
mod special;
mod summation;
mod systems;

pub(super) use bits::*;
pub(super) use contract::{einsum, matmul, tensordot};
pub(super) use control::{scan_loop, switch, while_loop};
pub(super) use eigen::{eig, eigh, eigvals, eigvalsh};
pub(super) use elementwise::*;
pub(super) use fourier::{fft, ifft, irfft, rfft};
pub(super) use linalg::{qr, svd, svdvals};
pub(super) use norm::norm;
pub(super) use opaque::opaque;
pub(super) use order::{argsort, cumprod, cumsum, sort};
pub(super) use random::random;
pub(super) use reduce::{all, any, argmax, argmin, max, min, prod, sum, sum_where};
pub(super) use scatter::{scatter, scatter_flat};
pub(super) use shape::{
    broadcast_to, concatenate, getitem, reshape, slice, stack, take, transpose, wrap_index,
};
pub(super) use special::{erf, lgamma};
pub(super) use systems::{
    cholesky, det, expm, inv, lstsq, lu, pinv, slogdet, solve, solve_triangular,
};

use super::expand::{OperandType, expansion};
use super::graph::Graph;
use super::host::HostArray;
use super::op::{LeafOp, Op};
use super::random::Reserved;
use super::scalar::{Literal, Scalar};
use super::types::{ArrayType, DType, Type};
use crate::error::{Error, Result};

/// An array of wide scalars in C order: what the reference interpreter computes with.
///
/// ```
/// use autojit_ir::{DType, HostArray, Tensor};
/// let x = HostArray::scalar(2.5.into(), DType::Float32);
/// assert!(Tensor::from(&x).to_host().unwrap().same_bits(&x));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    ty: ArrayType,
    data: Vec<Scalar>,
}

impl Tensor {
    /// A tensor from its elements in C order, each converted to the dtype.
    ///
    /// # Errors
    /// The number of elements is not that of the type.
    pub fn new(ty: ArrayType, data: impl IntoIterator<Item = Scalar>) -> Result<Self> {
        let data: Vec<Scalar> = data.into_iter().map(|s| s.cast(ty.dtype)).collect();
        if data.len() != ty.size() {
            return Err(Error::shape(format!(
                "{ty} needs {} elements, got {}",
                ty.size(),
                data.len()
            )));
        }
        Ok(Self { ty, data })
    }

    /// dtype and shape.
    #[must_use]
    pub fn ty(&self) -> &ArrayType {
        &self.ty
    }

    /// The elements in C order.
    #[must_use]
    pub fn data(&self) -> &[Scalar] {
        &self.data
    }

    /// The same values as `astype` gives them.
    #[must_use]
    pub fn cast(&self, dtype: DType) -> Self {
        Self {
            ty: self.ty.with_dtype(dtype),
            data: self.data.iter().map(|s| s.cast(dtype)).collect(),
        }
    }

    /// The same values as an array in main memory.
    ///
    /// # Errors
    /// Never for a tensor that was made by this module.
    pub fn to_host(&self) -> Result<HostArray> {
        HostArray::from_scalars(&self.ty, &self.data).ok_or_else(|| {
            Error::internal(format!("a tensor with too few elements for {}", self.ty))
        })
    }

    fn shape(&self) -> &[usize] {
        &self.ty.shape
    }

    /// The element at a multi-index of this shape.
    fn at(&self, index: &[usize]) -> Scalar {
        self.data[flat_index(self.shape(), index)]
    }

    /// The element at a multi-index of a shape to which this one broadcasts.
    fn at_broadcast(&self, index: &[usize]) -> Scalar {
        let own = &index[index.len() - self.ty.ndim()..];
        let own: Vec<usize> = own
            .iter()
            .zip(self.shape())
            .map(|(&i, &n)| if n == 1 { 0 } else { i })
            .collect();
        self.at(&own)
    }

    /// Computes every element from its multi-index and rounds it to the dtype.
    fn build(ty: &ArrayType, mut element: impl FnMut(&[usize]) -> Scalar) -> Self {
        let data = Indices::new(&ty.shape).map(|i| element(&i).cast(ty.dtype));
        Self {
            ty: ty.clone(),
            data: data.collect(),
        }
    }

    /// As [`Tensor::build`], where computing an element can fail.
    fn try_build(
        ty: &ArrayType,
        mut element: impl FnMut(&[usize]) -> Result<Scalar>,
    ) -> Result<Self> {
        let data = Indices::new(&ty.shape).map(|i| Ok(element(&i)?.cast(ty.dtype)));
        Ok(Self {
            ty: ty.clone(),
            data: data.collect::<Result<_>>()?,
        })
    }
}

impl From<&HostArray> for Tensor {
    fn from(array: &HostArray) -> Self {
        Self {
            ty: array.ty(),
            data: array.to_scalars(),
        }
    }
}

/// The position of a multi-index in C order.
fn flat_index(shape: &[usize], index: &[usize]) -> usize {
    shape.iter().zip(index).fold(0, |flat, (n, i)| flat * n + i)
}

/// All multi-indices of a shape in C order: one, the empty one, for a 0-d shape.
struct Indices {
    shape: Vec<usize>,
    next: Option<Vec<usize>>,
}

impl Indices {
    fn new(shape: &[usize]) -> Self {
        Self {
            shape: shape.to_vec(),
            next: (!shape.contains(&0)).then(|| vec![0; shape.len()]),
        }
    }
}

impl Iterator for Indices {
    type Item = Vec<usize>;

    fn next(&mut self) -> Option<Vec<usize>> {
        let current = self.next.take()?;
        let mut following = current.clone();
        for axis in (0..self.shape.len()).rev() {
            following[axis] += 1;
            if following[axis] < self.shape[axis] {
                self.next = Some(following);
                break;
            }
            following[axis] = 0;
        }
        Some(current)
    }
}

/// The single result of most ops.
fn one(tensor: Tensor) -> Result<Vec<Tensor>> {
    Ok(vec![tensor])
}

// ---- leaves and conversions ----

/// Arguments and constants have no value of their own; the graph walker supplies it.
pub(super) fn no_value(
    index: &usize,
    ty: &ArrayType,
    _inputs: &[Tensor],
    _result: &Type,
) -> Result<Vec<Tensor>> {
    Err(Error::internal(format!(
        "leaf number {index} of type {ty} was evaluated without its graph"
    )))
}

pub(super) fn literal(value: &Literal, _inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    one(Tensor::build(result.array()?, |_| value.value))
}

/// The inputs are the results of the op with several results.
pub(super) fn get(index: &usize, inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    match inputs.get(*index) {
        Some(tensor) => one(tensor.clone()),
        None => Err(Error::index(format!(
            "no result number {index} among {}",
            inputs.len()
        ))),
    }
}

pub(super) fn astype(_dtype: &DType, inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    one(inputs[0].cast(result.array()?.dtype))
}

/// The meaning of a derived op that has none of its own: that of its expansion.
fn expanded(op: &Op, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
    let operands: Vec<OperandType<'_>> = inputs.iter().map(|x| (&x.ty).into()).collect();
    let hosts: Vec<HostArray> = inputs.iter().map(Tensor::to_host).collect::<Result<_>>()?;
    let results = expansion(op, &operands)?.evaluate(&hosts)?;
    Ok(results.iter().map(Tensor::from).collect())
}

// ---- ops and graphs ----

/// The results of one op: one tensor, or those of its tuple.
///
/// Converts the inputs as the op's signature says. The inputs of `get` are the results of the op before it.
///
/// # Errors
/// The inputs do not fit the op, or its computation fails. Arguments and array constants have no value here.
pub fn evaluate_op(op: &Op, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
    let types: Vec<Type> = if matches!(op, Op::Get { .. }) {
        vec![Type::Tuple(inputs.iter().map(|t| t.ty.clone()).collect())]
    } else {
        inputs.iter().map(|t| t.ty.clone().into()).collect()
    };
    let signature = op.infer(&types.iter().collect::<Vec<_>>())?;
    let mut converted = inputs.to_vec();
    for (tensor, operand) in converted.iter_mut().zip(&signature.operands) {
        if let Some(dtype) = *operand
            && tensor.ty.dtype != dtype
        {
            *tensor = tensor.cast(dtype);
        }
    }
    let results = match op.reference(&converted, &signature.result) {
        Some(results) => results?,
        None => expanded(op, &converted)?,
    };
    let expected = signature.result.arrays();
    let fits =
        |(tensor, ty): (&Tensor, &ArrayType)| tensor.ty == *ty && tensor.data.len() == ty.size();
    if results.len() != expected.len() || !results.iter().zip(expected).all(fits) {
        return Err(Error::internal(format!(
            "the reference of {op} does not give {}",
            signature.result
        )));
    }
    Ok(results)
}

impl Graph {
    /// Runs the program by the reference interpreter.
    ///
    /// Only nodes that the results depend on are run; values are dropped after their last use.
    ///
    /// # Errors
    /// The arguments do not have the types of the graph, or an op fails; the error then carries the source
    /// line of its node.
    pub fn evaluate(&self, inputs: &[HostArray]) -> Result<Vec<HostArray>> {
        self.check_arguments(inputs)?;
        let live = self.live();
        let draws = Reserved::new(self.nodes().iter().map(|node| &node.op));
        let mut uses = vec![0usize; self.nodes().len()];
        for value in self.values().filter(|v| live[v.index()]) {
            for input in &self[value].inputs {
                uses[input.index()] += 1;
            }
        }
        for output in self.outputs() {
            uses[output.index()] += 1;
        }
        let mut values: Vec<Option<Vec<Tensor>>> = vec![None; self.nodes().len()];
        for value in self.values().filter(|v| live[v.index()]) {
            let node = &self[value];
            let result = match &node.op {
                Op::Leaf(LeafOp::Input { index, .. }) => leaf(inputs, *index),
                Op::Leaf(LeafOp::Constant { index, .. }) => leaf(self.constants(), *index),
                op => {
                    let arguments: Option<Vec<Vec<Tensor>>> = node
                        .inputs
                        .iter()
                        .map(|i| values[i.index()].clone())
                        .collect();
                    let arguments = arguments.ok_or_else(|| {
                        Error::internal(format!("an input of {value} is missing"))
                    })?;
                    let fixed = draws.fixed(op);
                    evaluate_op(fixed.as_ref().unwrap_or(op), &arguments.concat())
                }
            };
            values[value.index()] = Some(result.map_err(|e| match node.location {
                Some(location) => e.at(location),
                None => e,
            })?);
            for input in &node.inputs {
                uses[input.index()] -= 1;
                if uses[input.index()] == 0 {
                    values[input.index()] = None;
                }
            }
        }
        let output = |v: &super::ValueId| match values[v.index()].as_deref() {
            Some([tensor]) => tensor.to_host(),
            _ => Err(Error::internal(format!("result {v} is not an array"))),
        };
        self.outputs().iter().map(output).collect()
    }

    /// Whether the arguments are those that the graph takes.
    pub fn check_arguments(&self, inputs: &[HostArray]) -> Result<()> {
        let expected = self.input_types();
        if inputs.len() != expected.len() {
            return Err(Error::value(format!(
                "expected {} arguments, got {}",
                expected.len(),
                inputs.len()
            )));
        }
        for (i, (input, ty)) in inputs.iter().zip(expected).enumerate() {
            let got = input.ty();
            if got.dtype != ty.dtype {
                return Err(Error::dtype(format!(
                    "expected {ty} as argument {i}, got {got}"
                )));
            }
            if got != *ty {
                return Err(Error::shape(format!(
                    "expected {ty} as argument {i}, got {got}"
                )));
            }
        }
        Ok(())
    }
}

fn leaf(arrays: &[HostArray], index: usize) -> Result<Vec<Tensor>> {
    match arrays.get(index) {
        Some(array) => one(Tensor::from(array)),
        None => Err(Error::internal(format!("no leaf number {index}"))),
    }
}

#[cfg(test)]
mod tests {
    use crate::{IndexOp, MapOp, ViewOp};
    use std::panic::Location;

    use super::*;
    use crate::{Dims, Site};

    fn vector(data: &[f64]) -> HostArray {
        let scalars: Vec<Scalar> = data.iter().map(|&x| x.into()).collect();
        HostArray::from_scalars(&ArrayType::new(DType::Float64, &[data.len()]), &scalars).unwrap()
    }

    #[test]
    fn a_failure_names_its_op_and_line() {
        let mut graph = Graph::new();
        let x = graph.add_input(ArrayType::new(DType::Float64, &[2]));
        let i = graph.add_input(ArrayType::scalar(DType::Int64));
        let here = Site::from(Location::caller());
        let taken = graph
            .push(Op::Index(IndexOp::Take { axis: 0 }), &[x, i], Some(here))
            .unwrap();
        graph.set_outputs(vec![taken]);
        let index = HostArray::scalar(Scalar::Int(2), DType::Int64);
        let error = graph.evaluate(&[vector(&[1.0, 2.0]), index]).unwrap_err();
        assert!(error.is_index());
        assert_eq!(error.location(), Some(here));
        assert_eq!(error.op(), Some("take"));
    }

    #[test]
    fn single_ops_convert_their_inputs() {
        let x = Tensor::new(
            ArrayType::new(DType::Uint8, &[2]),
            [Scalar::Int(1), Scalar::Int(255)],
        );
        let y = Tensor::new(ArrayType::scalar(DType::Float32), [Scalar::Float(0.1)]);
        let sum = evaluate_op(&Op::Map(MapOp::Add), &[x.unwrap(), y.unwrap()]).unwrap();
        assert_eq!(*sum[0].ty(), ArrayType::new(DType::Float32, &[2]));
        assert_eq!(sum[0].data()[0], Scalar::Float(f64::from(1.1f32)));
        let get = evaluate_op(&Op::Get { index: 0 }, &sum).unwrap();
        assert_eq!(get, sum);
        assert!(
            evaluate_op(&Op::Get { index: 1 }, &sum)
                .unwrap_err()
                .is_index()
        );
    }

    #[test]
    fn long_chains_keep_only_what_is_needed() {
        let mut graph = Graph::new();
        let mut x = graph.add_input(ArrayType::new(DType::Float64, &[1]));
        for _ in 0..20_000 {
            x = graph
                .push(
                    Op::View(ViewOp::Reshape {
                        shape: Dims::from_slice(&[1]),
                    }),
                    &[x],
                    None,
                )
                .unwrap();
        }
        graph.set_outputs(vec![x]);
        assert!(graph.evaluate(&[vector(&[3.0])]).unwrap()[0].same_bits(&vector(&[3.0])));
    }

    #[test]
    fn indices_run_in_c_order() {
        let all: Vec<_> = Indices::new(&[2, 1, 2]).collect();
        assert_eq!(all, [[0, 0, 0], [0, 0, 1], [1, 0, 0], [1, 0, 1]]);
        assert_eq!(Indices::new(&[]).count(), 1);
        assert_eq!(Indices::new(&[3, 0]).count(), 0);
    }
}

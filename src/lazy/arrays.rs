//! The lazy functions on [`Array`]: making lazy arrays, computing them, looking at them.
//!
//! The rest of this module knows only nodes; what users hold is an [`Array`], which may also be concrete or
//! failed. Here the two meet: a concrete array is its own value, and a failed one gives its error.

use std::borrow::Borrow;
use std::panic::Location;

use crate::array::{Array, Operand, Repr};
use crate::nodes::{
    History, LazyArray, LazyOperand, State, compute_constant_nodes, compute_nodes, site_of,
};
use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, DType};

/// A lazy array with a known value: a leaf of the graphs that are written down from it.
///
/// A lazy array is given back as it is, and so is a failed one.
///
/// ```
/// use autojit::{lazy, numpy as np, Array};
///
/// let x = lazy::array(&Array::from([1.0, 4.0]));
/// let y = np::sqrt(&x);
/// assert!(y.as_lazy().is_some());
/// assert_eq!(y.compute()?.to_string(), "[1. 2.]");
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// Source: autoray's `lazy.array`.
#[must_use]
#[track_caller]
pub fn array(x: &Array) -> Array {
    match &x.0 {
        Repr::Concrete(value) => Array::from_lazy(LazyArray::from_concrete(
            value.clone(),
            site_of(Location::caller().into()),
        )),
        Repr::Lazy(_) | Repr::Traced(_) | Repr::Failed(_) => x.clone(),
    }
}

/// A lazy array without a value, which stands for an argument.
///
/// ```
/// use autojit::{DType, lazy, numpy as np};
///
/// let x = lazy::variable(&[3, 4], DType::Float64);
/// let y = np::sum(np::exp(&x), 0);
/// assert_eq!(y.shape()?, [4]);
/// assert!(y.compute().is_err());
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// A shape that does not fit into memory gives a failed array.
///
/// Source: autoray's `lazy.Variable`.
#[must_use]
#[track_caller]
pub fn variable(shape: &[usize], dtype: DType) -> Array {
    let bytes = shape
        .iter()
        .try_fold(dtype.size(), |n, &d| n.checked_mul(d));
    if bytes.is_none_or(|n| isize::try_from(n).is_err()) {
        let error = Error::shape(format!(
            "an array of shape {shape:?} does not fit into memory"
        ));
        return Array::failed(error.at(Location::caller()));
    }
    let ty = ArrayType::new(dtype, shape);
    Array::from_lazy(LazyArray::variable(ty, site_of(Location::caller().into())))
}

/// Computes several arrays at once; what they have in common is computed once.
///
/// Afterwards every node on the way holds its value and lets go of what it was computed from.
///
/// # Errors
/// An operation failed, or a variable has no value; the error names its line.
///
/// ```
/// use autojit::{lazy, numpy as np, Array};
///
/// let x = np::exp(lazy::array(&Array::from([0.0, 0.0])));
/// let sums = lazy::compute([&np::add(&x, 1), &np::add(&x, 2)])?;
/// assert_eq!(sums[1].to_string(), "[3. 3.]");
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// Source: autoray's `lazy.compute`.
pub fn compute(arrays: impl IntoIterator<Item: Borrow<Array>>) -> Result<Vec<Array>> {
    let arrays: Vec<Array> = arrays.into_iter().map(|a| a.borrow().clone()).collect();
    compute_nodes(&lazy_ones(&arrays)?)?;
    arrays.into_iter().map(known).collect()
}

/// Computes all that the arrays depend on, but that does not depend on `variables`, nor on a variable without
/// a value. The graphs of the arrays change in place: what was computed is an input of them now.
///
/// # Errors
/// An operation failed, or one of `variables` is not lazy.
///
/// Source: autoray's `lazy.compute_constants`.
#[track_caller]
pub fn compute_constants(
    arrays: impl IntoIterator<Item: Borrow<Array>>,
    variables: impl IntoIterator<Item: Borrow<Array>>,
) -> Result<()> {
    let location = Location::caller();
    let arrays: Vec<Array> = arrays.into_iter().map(|a| a.borrow().clone()).collect();
    let variables = variables.into_iter().map(|v| {
        let v = v.borrow();
        let ty = v.ty()?;
        let lazy = v.as_lazy().cloned();
        lazy.ok_or_else(|| {
            Error::value(format!("expected a lazy array as a variable, got {ty}")).at(location)
        })
    });
    let variables = variables.collect::<Result<Vec<_>>>()?;
    compute_constant_nodes(&lazy_ones(&arrays)?, &variables)
}

/// The nodes that several arrays depend on, each once, to ask for statistics. Concrete arrays have none.
///
/// ```
/// use autojit::{Array, lazy, numpy as np};
///
/// let x = lazy::array(&Array::from([1.0, 2.0]));
/// let y = np::exp(&x);
/// let history = lazy::history([&y + 1.0, np::sum(&y, ..)])?;
/// assert_eq!(history.num_nodes(), 4);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// One of the arrays failed.
pub fn history(arrays: impl IntoIterator<Item: Borrow<Array>>) -> Result<History> {
    let arrays: Vec<Array> = arrays.into_iter().map(|a| a.borrow().clone()).collect();
    Ok(History::of(&lazy_ones(&arrays)?))
}

fn lazy_ones(arrays: &[Array]) -> Result<Vec<LazyArray>> {
    let lazy = arrays.iter().filter_map(|array| match &array.0 {
        Repr::Concrete(_) => None,
        Repr::Lazy(node) => Some(Ok(node.clone())),
        Repr::Traced(traced) => Some(Ok(traced.node().clone())),
        Repr::Failed(error) => Some(Err(error.clone())),
    });
    lazy.collect()
}

/// The value of an array that is concrete or has been computed.
fn known(array: Array) -> Result<Array> {
    match &array.0 {
        Repr::Lazy(node) => node.concrete().map(Array::from_concrete),
        Repr::Traced(traced) => traced.node().concrete().map(Array::from_concrete),
        Repr::Concrete(_) | Repr::Failed(_) => array.check(),
    }
}

impl Array {
    /// The value of a lazy array; a concrete one is its own. See [`compute`](fn@compute).
    ///
    /// ```
    /// use autojit::{Array, lazy, numpy as np};
    ///
    /// let x = lazy::array(&Array::from([1.0, 2.0]));
    /// assert_eq!(np::sum(&x, ..).compute()?.item::<f64>()?, 3.0);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// An operation failed, or a variable has no value; the error names its line.
    pub fn compute(&self) -> Result<Self> {
        if let Some(node) = self.as_lazy() {
            compute_nodes(std::slice::from_ref(node))?;
        }
        known(self.clone())
    }

    /// Computes what does not depend on `variables`. See [`compute_constants`].
    ///
    /// # Errors
    /// An operation failed, or one of `variables` is not lazy.
    #[track_caller]
    pub fn compute_constants(
        &self,
        variables: impl IntoIterator<Item: Borrow<Self>>,
    ) -> Result<()> {
        compute_constants([self], variables)
    }

    /// Computes what does not depend on a variable without a value. See [`compute_constants`].
    ///
    /// ```
    /// use autojit::{Array, DType, lazy, numpy as np};
    ///
    /// let x = lazy::variable(&[2], DType::Float64);
    /// let y = &x * np::exp(lazy::array(&Array::from([1.0, 2.0])));
    /// y.fold_constants()?;
    /// assert_eq!(y.as_lazy().unwrap().history_num_nodes(), 3);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// An operation failed.
    pub fn fold_constants(&self) -> Result<()> {
        compute_constants([self], std::iter::empty::<Self>())
    }

    /// The node of a lazy array, with all that can be asked about how it is computed.
    ///
    /// ```
    /// use autojit::{Array, lazy, numpy as np};
    ///
    /// let y = np::exp(lazy::array(&Array::from([1.0, 2.0])));
    /// assert_eq!(y.as_lazy().unwrap().fn_name(), Some("exp"));
    /// ```
    #[must_use]
    pub fn as_lazy(&self) -> Option<&LazyArray> {
        match &self.0 {
            Repr::Lazy(node) => Some(node),
            Repr::Traced(traced) => Some(traced.node()),
            Repr::Concrete(_) | Repr::Failed(_) => None,
        }
    }
}

impl LazyArray {
    /// The arguments: lazy arrays and numbers. Empty for variables and known values.
    #[must_use]
    pub fn args(&self) -> Vec<Operand<'static>> {
        let operand = |input: &LazyOperand| match input {
            LazyOperand::Node(node) => Operand::from(Array::from_lazy(node.clone())),
            LazyOperand::Scalar(scalar) => Operand::Scalar(*scalar),
        };
        match &*self.state() {
            State::Pending { inputs, .. } => inputs.iter().map(operand).collect(),
            State::Variable | State::Value(_) => Vec::new(),
        }
    }
}

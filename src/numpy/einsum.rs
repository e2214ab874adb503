//! Einstein summation, with an order of contraction for more than two operands.
//!
//! Up to three operands are one op, whose order the engine chooses where it runs. More are written down as
//! contractions of two, in an order found here: traced programs then show and share the intermediate results.

use std::fmt;
use std::ops::RangeFull;

use rustc_hash::FxHashMap;

use super::special::{cast, promoted};
use super::{attempt, fail};
use crate::{Array, Error, Operand, Result};
use autojit_ir::einsum::Subscripts;
use autojit_ir::einsum::path::{self, Contraction, Search, Step};
use autojit_ir::{ArrayType, ContractOp, Op};

/// The order in which [`einsum_with`] contracts its operands.
///
/// Written `..`, `false` (all at once), `"greedy"`, `"optimal"`, or as a path: `[(1, 2), (0, 1)]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Optimize {
    /// The best order for up to 11 operands; for more that of greedy searches, improved by a short annealing. It is the
    /// same on every machine, and found in milliseconds for hundreds of operands.
    #[default]
    Auto,
    /// One op with all operands.
    Off,
    /// A way to search by name: `"auto"`, `"greedy"` or `"optimal"`.
    Name(String),
    /// Each step names positions in the list of operands, which go; what they give is appended at the end.
    Path(Vec<Vec<usize>>),
}

impl From<RangeFull> for Optimize {
    fn from(_: RangeFull) -> Self {
        Self::Auto
    }
}

impl From<bool> for Optimize {
    fn from(optimize: bool) -> Self {
        if optimize { Self::Auto } else { Self::Off }
    }
}

impl From<&str> for Optimize {
    fn from(name: &str) -> Self {
        Self::Name(name.into())
    }
}

impl From<Vec<Vec<usize>>> for Optimize {
    fn from(path: Vec<Vec<usize>>) -> Self {
        Self::Path(path)
    }
}

impl From<&[(usize, usize)]> for Optimize {
    fn from(pairs: &[(usize, usize)]) -> Self {
        Self::Path(pairs.iter().map(|&(i, j)| vec![i, j]).collect())
    }
}

impl<const N: usize> From<[(usize, usize); N]> for Optimize {
    fn from(pairs: [(usize, usize); N]) -> Self {
        pairs.as_slice().into()
    }
}

impl From<Vec<(usize, usize)>> for Optimize {
    fn from(pairs: Vec<(usize, usize)>) -> Self {
        pairs.as_slice().into()
    }
}

impl From<&ContractionPath> for Optimize {
    fn from(path: &ContractionPath) -> Self {
        Self::Path(path.steps.clone())
    }
}

/// An order of contraction, and what it costs. Made by [`einsum_path`].
#[derive(Clone, Debug, PartialEq)]
pub struct ContractionPath {
    /// The positions that each step takes, in the linear format of `numpy.einsum_path`.
    pub steps: Vec<Vec<usize>>,
    /// The subscripts of each step, such as `"ij,jk->ik"`.
    pub contractions: Vec<String>,
    /// The number of products of all steps.
    pub products: f64,
    /// The number of products if everything is summed at once.
    pub products_at_once: f64,
    /// The number of elements of the largest array that a step gives.
    pub largest: f64,
}

/// The costs, then one line for each step.
impl fmt::Display for ContractionPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:e} products, {:e} at once; largest intermediate {:e} elements",
            self.products, self.products_at_once, self.largest
        )?;
        for (positions, contraction) in self.steps.iter().zip(&self.contractions) {
            writeln!(f, "{positions:?} {contraction}")?;
        }
        Ok(())
    }
}

/// The parsed subscripts, after checking the operands.
struct Request<'a> {
    operands: Vec<Operand<'a>>,
    types: Vec<ArrayType>,
    subscripts: Subscripts,
    sizes: FxHashMap<char, usize>,
}

impl<'a> Request<'a> {
    fn new<I>(subscripts: &str, operands: I) -> Result<Self>
    where
        I: IntoIterator<Item: Into<Operand<'a>>>,
    {
        let operands: Vec<Operand> = operands.into_iter().map(Into::into).collect();
        let types = operands.iter().map(Operand::ty);
        let types = types.collect::<Result<Vec<ArrayType>>>()?;
        let ndims: Vec<usize> = types.iter().map(ArrayType::ndim).collect();
        let subscripts = Subscripts::normalize(subscripts, &ndims)?;
        let sizes = subscripts.sizes(&types.iter().collect::<Vec<_>>())?;
        Ok(Self {
            operands,
            types,
            subscripts,
            sizes,
        })
    }

    fn path(&self, optimize: &Optimize) -> Result<Vec<Step>> {
        let search = match optimize {
            Optimize::Off => return Ok(vec![(0..self.operands.len()).collect()]),
            Optimize::Path(path) => return Ok(path.clone()),
            Optimize::Auto => Search::Auto,
            Optimize::Name(name) => match name.as_str() {
                "auto" => Search::Auto,
                "greedy" => Search::Greedy,
                "optimal" => Search::Optimal,
                other => {
                    return Err(Error::value(format!(
                        "`{other}` is not a way to find a path, expected auto, greedy or optimal"
                    )));
                }
            },
        };
        if self.operands.len() == 1 {
            return Ok(vec![vec![0]]);
        }
        let types: Vec<&ArrayType> = self.types.iter().collect();
        path::find(&self.subscripts, &types, &self.sizes, search)
    }
}

/// Einstein summation: `"ij,jk->ik"`, or without the arrow, when labels that occur once make the result in
/// alphabetical order; `...` stands for any number of axes. A label may repeat within an operand.
///
/// More than two operands are contracted in an order that takes few products; [`einsum_with`] lets you choose it,
/// [`einsum_path`] shows it.
///
/// Labels that are equal have equal lengths, or one of them is 1, which stretches. Dtypes are promoted together.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let x = Array::from([[1.0, 2.0], [3.0, 4.0]]);
/// assert_eq!(np::einsum("ij,jk", [&x, &x]).to_string(), "[[ 7. 10.]\n [15. 22.]]");
/// assert_eq!(np::einsum("ii->i", [&x]).to_string(), "[1. 4.]");
/// assert_eq!(np::einsum("ab,bc,cd,de->ae", [&x, &x, &x, &x]).shape()?, [2, 2]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// The subscripts are malformed or do not fit the operands.
///
/// Source: `numpy.einsum`.
#[track_caller]
pub fn einsum<'a, I>(subscripts: &str, operands: I) -> Array
where
    I: IntoIterator<Item: Into<Operand<'a>>>,
{
    /// So many operands are one op: autoray's statistics count it as one.
    const ONE_OP: usize = 3;
    let request = attempt!("einsum", Request::new(subscripts, operands));
    if request.operands.len() <= ONE_OP {
        return contract(&request.subscripts, &request.operands);
    }
    along(request, &Optimize::Auto)
}

/// Writes one contraction down.
#[track_caller]
fn contract(subscripts: &Subscripts, operands: &[Operand<'_>]) -> Array {
    let subscripts = subscripts.to_string().into();
    Array::apply(Op::Contract(ContractOp::Einsum { subscripts }), operands)
}

/// [`einsum`] in a chosen order, each contraction an op of its own.
///
/// ```
/// # use autojit::{Array, numpy as np};
/// # let x = Array::from([[1.0, 2.0], [3.0, 4.0]]);
/// let y = np::einsum_with("ij,jk,kl->il", [&x, &x, &x], [(1, 2), (0, 1)]);
/// let z = np::einsum_with("ij,jk,kl->il", [&x, &x, &x], "greedy");
/// assert_eq!(y.to_string(), z.to_string());
/// ```
///
/// # Errors
/// As [`einsum`]; the path does not fit the operands or leaves more than one, or the best order is asked for of
/// more than 13 operands.
///
/// Source: the argument `optimize` of `numpy.einsum`.
#[track_caller]
pub fn einsum_with<'a, I>(subscripts: &str, operands: I, optimize: impl Into<Optimize>) -> Array
where
    I: IntoIterator<Item: Into<Operand<'a>>>,
{
    let request = attempt!("einsum", Request::new(subscripts, operands));
    along(request, &optimize.into())
}

/// The order in which [`einsum_with`] would contract these operands, and its costs.
///
/// ```
/// # use autojit::{DType, numpy as np};
/// let shapes = [[2, 30], [30, 40], [40, 50]];
/// let operands = shapes.map(|shape| np::ones(shape, DType::Float64));
/// let path = np::einsum_path("ij,jk,kl->il", &operands, ..)?;
/// assert_eq!(path.steps, [[0, 1], [0, 1]]);
/// assert_eq!(path.products, 2.0 * 30.0 * 40.0 + 2.0 * 40.0 * 50.0);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// As [`einsum_with`].
///
/// Source: `numpy.einsum_path`.
#[track_caller]
pub fn einsum_path<'a, I>(
    subscripts: &str,
    operands: I,
    optimize: impl Into<Optimize>,
) -> Result<ContractionPath>
where
    I: IntoIterator<Item: Into<Operand<'a>>>,
{
    let location = std::panic::Location::caller();
    let found = || {
        let request = Request::new(subscripts, operands)?;
        let steps = request.path(&optimize.into())?;
        let contractions = path::contractions(&request.subscripts, &steps)?;
        let costs = path::costs(&contractions, &request.sizes);
        let sizes = request.sizes.values().map(|&n| n as f64);
        Ok(ContractionPath {
            steps,
            contractions: contractions
                .iter()
                .map(|c| c.subscripts.to_string())
                .collect(),
            products: costs.iter().map(|c| c.0).sum(),
            products_at_once: sizes.product(),
            largest: costs.iter().map(|c| c.1).fold(0.0, f64::max),
        })
    };
    found().map_err(|e: Error| e.in_op("einsum_path").at(location))
}

/// Writes the contractions down one after the other.
#[track_caller]
fn along(request: Request<'_>, optimize: &Optimize) -> Array {
    let path = attempt!("einsum", request.path(optimize));
    let contractions = attempt!("einsum", path::contractions(&request.subscripts, &path));
    let Request { mut operands, .. } = request;
    let several = contractions.len() > 1;
    if several {
        // All at once, as a product of two integers may need the range of the third operand's dtype.
        let dtype = attempt!("einsum", promoted(&operands.iter().collect::<Vec<_>>()));
        for operand in &mut operands {
            let own = attempt!("einsum", operand.ty()).dtype;
            if own != dtype {
                *operand = cast(operand.clone(), dtype).into();
            }
        }
    }
    let mut present = path::Present::new(operands.len());
    let mut operands: Vec<Option<Operand>> = operands.into_iter().map(Some).collect();
    for Contraction {
        positions,
        subscripts,
    } in contractions
    {
        let mut taken: Vec<Operand> = Vec::with_capacity(positions.len());
        for &position in positions.iter().rev() {
            if let Some(number) = present.number(position) {
                present.remove(number);
                taken.extend(operands[number].take());
            }
        }
        taken.reverse();
        // With labels in order of appearance, equal contractions of different summations are shared.
        let subscripts = if several {
            subscripts.renamed()
        } else {
            subscripts
        };
        let value = contract(&subscripts, &taken);
        operands.push(Some(value.into()));
        present.push();
    }
    match operands.pop().flatten() {
        Some(Operand::Array(result)) => result.into_owned(),
        _ => fail("einsum", Error::value("expected at least one operand")),
    }
}

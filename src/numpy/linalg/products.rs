//! Products of more than two matrices: powers, and chains in the cheapest order.

use crate::numpy::{
    attempt, broadcast_to, eye, fail, like, matmul, replaceable, reshape, to_array,
};
use crate::{Array, Error, Operand, Result};
use autojit_ir::{ArrayType, HostArray};

use super::inv;

/// Square matrices `[.., n, n]` to an integer power, by repeated squaring; a negative one inverts first. The zeroth
/// power is the identity.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::linalg::matrix_power(Array::from([[1, 1], [0, 1]]), 5).to_string(), "[[1 5]\n [0 1]]");
/// ```
///
/// # Errors
/// The matrices are not square; when it runs, one is singular and the power negative.
///
/// Source: `numpy.linalg.matrix_power`.
#[track_caller]
pub fn matrix_power<'a>(x: impl Into<Operand<'a>>, n: i64) -> Array {
    let x = to_array(x.into());
    replaceable!("linalg.matrix_power", [&x, n]);
    let ty = attempt!("matrix_power", x.ty());
    let order = match ty.shape[..] {
        [.., m, n] if m == n => n,
        _ => {
            let wrong = Error::shape(format!("expected square matrices, got {ty}"));
            return fail("matrix_power", wrong);
        }
    };
    if n == 0 {
        let one = eye(order as i64, like(&x).dtype(ty.dtype));
        return broadcast_to(one, &ty.shape);
    }
    let mut square = if n < 0 { inv(&x) } else { x };
    let mut left = n.unsigned_abs();
    let mut result: Option<Array> = None;
    loop {
        if left & 1 == 1 {
            result = Some(match result {
                Some(result) => matmul(result, &square),
                None => square.clone(),
            });
        }
        left >>= 1;
        if left == 0 {
            break;
        }
        square = matmul(&square, &square);
    }
    result.unwrap_or(square)
}

/// The product of two or more matrices, in the order of multiplications that takes the fewest. The first may be a
/// vector, which is a row, and the last one too, which is a column.
///
/// ```
/// use autojit::numpy as np;
///
/// let (a, b, c) = (np::ones([2, 30], ..), np::ones([30, 3], ..), np::ones([3, 4], ..));
/// assert_eq!(np::linalg::multi_dot([a, b, c]).shape()?, [2, 4]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// There are fewer than two arrays, one has another number of axes, or neighbours do not fit.
///
/// Source: `numpy.linalg.multi_dot`; the order by dynamic programming (Cormen et al., 15.2).
#[track_caller]
pub fn multi_dot<'a, I>(arrays: I) -> Array
where
    I: IntoIterator<Item: Into<Operand<'a>>>,
{
    let arrays: Vec<Operand> = arrays.into_iter().map(Into::into).collect();
    replaceable!("linalg.multi_dot", [&arrays]);
    let types = arrays.iter().map(Operand::ty).collect::<Result<Vec<_>>>();
    let types = attempt!("multi_dot", types);
    let sizes = attempt!("multi_dot", sizes(&types));
    let count = arrays.len();
    let mut matrices: Vec<Array> = Vec::with_capacity(count);
    for (i, array) in arrays.into_iter().enumerate() {
        let array = to_array(array);
        matrices.push(if types[i].ndim() == 1 {
            reshape(array, [sizes[i], sizes[i + 1]])
        } else {
            array
        });
    }
    let cuts = attempt!("multi_dot", Cuts::new(&sizes));
    let product = multiply(matrices, &cuts);
    let ends = [(0, sizes[0]), (count - 1, sizes[count])];
    let shape = ends.iter().filter(|(i, _)| types[*i].ndim() == 2);
    let shape: Vec<usize> = shape.map(|(_, n)| *n).collect();
    if shape.len() == 2 {
        product
    } else {
        reshape(product, shape)
    }
}

/// The rows of the first matrix, and the columns of each.
fn sizes(types: &[ArrayType]) -> Result<Vec<usize>> {
    if types.len() < 2 {
        let count = types.len();
        return Err(Error::value(format!(
            "expected at least two arrays, got {count}"
        )));
    }
    let last = types.len() - 1;
    let mut sizes: Vec<usize> = Vec::with_capacity(types.len() + 1);
    for (i, ty) in types.iter().enumerate() {
        let (rows, columns) = match ty.shape[..] {
            [m, n] => (m, n),
            [n] if i == 0 => (1, n),
            [m] if i == last => (m, 1),
            _ => {
                return Err(Error::shape(format!(
                    "expected matrices, and vectors only at the ends, got {ty}"
                )));
            }
        };
        match sizes.last() {
            None => sizes.push(rows),
            Some(&n) if n == rows => {}
            Some(_) => {
                let left = &types[i - 1];
                return Err(Error::shape(format!("cannot multiply {left} with {ty}")));
            }
        }
        sizes.push(columns);
    }
    Ok(sizes)
}

/// Where to cut each chain `i..=j` in two: a function of `(i, j)`.
struct Cuts<'a> {
    sizes: &'a [usize],
    count: usize,
    /// The costs of the chains `i..=j`, by `i` and then by `j`, and by `j` and then by `i`: both factors of a cut are read
    /// along memory.
    by_first: Vec<f64>,
    by_last: Vec<f64>,
}

impl<'a> Cuts<'a> {
    /// # Errors
    /// There is no memory for the costs.
    fn new(sizes: &'a [usize]) -> Result<Self> {
        let count = sizes.len() - 1;
        let cells = count.saturating_mul(count);
        let mut by_first = HostArray::list_of(cells)?;
        let mut by_last = HostArray::list_of(cells)?;
        by_first.resize(cells, 0.0);
        by_last.resize(cells, 0.0);
        let mut cuts = Self {
            sizes,
            count,
            by_first,
            by_last,
        };
        let inner: Vec<f64> = sizes.iter().map(|&n| n as f64).collect();
        for length in 1..count {
            for i in 0..count - length {
                let j = i + length;
                let ends = inner[i] * inner[j + 1];
                let (left, right, between) = cuts.parts(i, j, &inner);
                // Eight at a time, so that no comparison waits for the one before.
                let mut least = [f64::INFINITY; 8];
                let whole = left.len() / 8 * 8;
                for at in (0..whole).step_by(8) {
                    for (lane, least) in least.iter_mut().enumerate() {
                        let cost = left[at + lane] + right[at + lane] + ends * between[at + lane];
                        *least = if cost < *least { cost } else { *least };
                    }
                }
                let rest = (whole..left.len()).map(|at| left[at] + right[at] + ends * between[at]);
                let cost = least.into_iter().chain(rest).fold(f64::INFINITY, f64::min);
                cuts.by_first[i * count + j] = cost;
                cuts.by_last[j * count + i] = cost;
            }
        }
        Ok(cuts)
    }

    /// For each cut of `i..=j` the cost of what is left of it, of what is right of it, and the length between.
    fn parts<'s>(
        &'s self,
        i: usize,
        j: usize,
        sizes: &'s [f64],
    ) -> (&'s [f64], &'s [f64], &'s [f64]) {
        let count = self.count;
        (
            &self.by_first[i * count + i..i * count + j],
            &self.by_last[j * count + i + 1..j * count + j + 1],
            &sizes[i + 1..j + 1],
        )
    }

    /// The last matrix of the left factor.
    fn at(&self, i: usize, j: usize) -> usize {
        let count = self.count;
        let ends = self.sizes[i] as f64 * self.sizes[j + 1] as f64;
        let mut best = (f64::INFINITY, i);
        for cut in i..j {
            let cost = self.by_first[i * count + cut]
                + self.by_last[j * count + cut + 1]
                + ends * self.sizes[cut + 1] as f64;
            if cost < best.0 {
                best = (cost, cut);
            }
        }
        best.1
    }
}

/// The product of all matrices. Factors of a product come before it, the left one first.
#[track_caller]
fn multiply(matrices: Vec<Array>, cuts: &Cuts<'_>) -> Array {
    enum Step {
        Chain(usize, usize),
        Product,
    }
    let mut stack = vec![Step::Chain(0, matrices.len() - 1)];
    let mut products: Vec<Array> = Vec::new();
    while let Some(step) = stack.pop() {
        match step {
            Step::Chain(i, j) if i == j => products.push(matrices[i].clone()),
            Step::Chain(i, j) => {
                let cut = cuts.at(i, j);
                stack.extend([Step::Product, Step::Chain(cut + 1, j), Step::Chain(i, cut)]);
            }
            Step::Product => {
                let (right, left) = (products.pop(), products.pop());
                if let (Some(left), Some(right)) = (left, right) {
                    products.push(matmul(left, right));
                }
            }
        }
    }
    products
        .pop()
        .unwrap_or_else(|| fail("multi_dot", Error::internal("a chain without a product")))
}

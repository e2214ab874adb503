//! Products of more than two matrices: powers, and chains in the cheapest order.

use crate::numpy::{
    attempt, broadcast_to, eye, fail, like, matmul, replaceable, reshape, to_array,
};
use crate::{Array, Error, Operand, Result};
use autojit_ir::ArrayType;

use super::inv;

/// Square matrices `[.., n, n]` to an integer power, by repeated squaring; a negative one inverts first. The zeroth
/// power is the identity.
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
    let product = multiply(&mut matrices, 0, &cuts(&sizes));
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

/// Where to cut each chain `i..=j` in two.
fn cuts(sizes: &[usize]) -> Vec<Vec<usize>> {
    let count = sizes.len() - 1;
    let mut costs = vec![vec![0.0f64; count]; count];
    let mut cuts = vec![vec![0; count]; count];
    for length in 1..count {
        for i in 0..count - length {
            let j = i + length;
            costs[i][j] = f64::INFINITY;
            for cut in i..j {
                let outer = sizes[i] as f64 * sizes[cut + 1] as f64 * sizes[j + 1] as f64;
                let cost = costs[i][cut] + costs[cut + 1][j] + outer;
                if cost < costs[i][j] {
                    costs[i][j] = cost;
                    cuts[i][j] = cut;
                }
            }
        }
    }
    cuts
}

/// The product of a chain that begins with matrix number `first`.
#[track_caller]
fn multiply(chain: &mut [Array], first: usize, cuts: &[Vec<usize>]) -> Array {
    if let [one] = chain {
        return one.clone();
    }
    let cut = cuts[first][first + chain.len() - 1] + 1;
    let (left, right) = chain.split_at_mut(cut - first);
    let left = multiply(left, first, cuts);
    matmul(left, multiply(right, cut, cuts))
}

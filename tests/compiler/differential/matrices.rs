//! Linear algebra and Fourier transforms in the table: what they are applied to, and what of the results is unique.
//!
//! Decompositions are free in signs, phases and orders. They are compared by what they must satisfy: the product of
//! the factors, products of factors with their adjoints, sums of powers of eigenvalues.

use autojit::Result;
use autojit::ir::{
    Class, ContractOp, Cutoff, FourierNorm, FourierOp, Graph, LinalgOp, MapOp, Op, QrMode,
    ReduceOp, ValueId, ViewOp,
};

use super::cases::Case;
use super::compare::Tolerance;
use super::values::Role::Finite;
use super::values::dominant;

/// The absolute error in units of the machine epsilon that small matrices may have.
const fn within(absolute: f64) -> Tolerance {
    Tolerance {
        absolute,
        any_zero_sign: true,
        ..Tolerance::ulps(256.0)
    }
}

const SQUARE: &[&[usize]] = &[
    &[1, 1],
    &[2, 2],
    &[3, 3],
    &[2, 4, 4],
    &[9, 9],
    &[0, 0],
    &[0, 2, 2],
    &[2, 0, 0],
];

const ANY: &[&[usize]] = &[
    &[1, 1],
    &[3, 3],
    &[5, 2],
    &[2, 5],
    &[2, 4, 3],
    &[9, 9],
    &[0, 3],
    &[3, 0],
    &[0, 2, 3],
];

const SYSTEMS: &[[&[usize]; 2]] = &[
    [&[1, 1], &[1]],
    [&[3, 3], &[3]],
    [&[3, 3], &[3, 3]],
    [&[9, 9], &[9, 4]],
    [&[2, 3, 3], &[3]],
    [&[3, 3], &[2, 3, 2]],
    [&[2, 1, 3, 3], &[4, 3, 2]],
    [&[0, 0], &[0, 2]],
    [&[3, 3], &[3, 0]],
    [&[0, 3, 3], &[3, 1]],
];

const LEAST_SQUARES: &[[&[usize]; 2]] = &[
    [&[1, 1], &[1]],
    [&[5, 3], &[5]],
    [&[5, 3], &[5, 2]],
    [&[3, 5], &[3, 2]],
    [&[9, 9], &[9]],
    [&[4, 0], &[4, 2]],
    [&[0, 3], &[0, 2]],
    [&[3, 2], &[3, 0]],
];

/// The cases of an op; `None` if it is none of this kind.
pub(crate) fn cases(name: &str) -> Option<Vec<Case>> {
    let on = |op: Op, shapes: &[&[usize]], tolerance: Tolerance| -> Vec<Case> {
        let case = |shape: &&[usize]| Case::new(op.clone(), Finite, &[shape]).with(tolerance);
        shapes.iter().map(case).collect()
    };
    let pairs = |op: Op, shapes: &[[&[usize]; 2]]| -> Vec<Case> {
        let case = |pair: &[&[usize]; 2]| Case {
            mixed: *pair == [&[3, 3][..], &[3, 3]] || *pair == [&[5, 3][..], &[5, 2]],
            ..Case::new(op.clone(), Finite, pair).with(within(1024.0))
        };
        shapes.iter().map(case).collect()
    };
    Some(match name {
        "qr" => [QrMode::Reduced, QrMode::Complete]
            .into_iter()
            .flat_map(|mode| on(Op::Linalg(LinalgOp::Qr { mode }), ANY, within(2048.0)))
            .collect(),
        "svd" => [false, true]
            .into_iter()
            .flat_map(|full_matrices| {
                on(
                    Op::Linalg(LinalgOp::Svd { full_matrices }),
                    ANY,
                    within(2048.0),
                )
            })
            .collect(),
        "svdvals" => on(Op::Linalg(LinalgOp::Svdvals), ANY, within(2048.0)),
        "lu" => on(Op::Linalg(LinalgOp::Lu), ANY, within(2048.0)),
        "eigh" => on(Op::Linalg(LinalgOp::Eigh), SQUARE, within(8192.0)),
        "eigvalsh" => on(Op::Linalg(LinalgOp::Eigvalsh), SQUARE, within(2048.0)),
        "eig" => on(Op::Linalg(LinalgOp::Eig), SQUARE, within(1e5)),
        "eigvals" => on(Op::Linalg(LinalgOp::Eigvals), SQUARE, within(1e6)),
        "cholesky" => on(Op::Linalg(LinalgOp::Cholesky), SQUARE, within(1024.0)),
        "inv" => on(Op::Linalg(LinalgOp::Inv), SQUARE, within(64.0)),
        "det" => on(Op::Linalg(LinalgOp::Det), SQUARE, within(64.0)),
        "slogdet" => on(Op::Linalg(LinalgOp::Slogdet), SQUARE, within(1024.0)),
        "expm" => on(Op::Linalg(LinalgOp::Expm), SQUARE, within(1e5)),
        // The cutoffs are above the rounding errors of float32, which are no zeros of matrices with equal rows.
        "pinv" => [(1e-4, false, ANY), (0.3, false, ANY), (1e-4, true, SQUARE)]
            .into_iter()
            .flat_map(|(rcond, hermitian, shapes)| {
                let rcond = Cutoff::new(Some(rcond));
                on(
                    Op::Linalg(LinalgOp::Pinv { rcond, hermitian }),
                    shapes,
                    within(1e5),
                )
            })
            .collect(),
        "solve" => pairs(Op::Linalg(LinalgOp::Solve), SYSTEMS),
        "solve_triangular" => [(false, false), (true, false), (true, true)]
            .into_iter()
            .flat_map(|(lower, unit_diagonal)| {
                let op = Op::Linalg(LinalgOp::SolveTriangular {
                    lower,
                    unit_diagonal,
                });
                pairs(op, SYSTEMS)
            })
            .collect(),
        "lstsq" => [None, Some(1e-3)]
            .into_iter()
            .flat_map(|rcond| {
                let rcond = Cutoff::new(rcond);
                pairs(Op::Linalg(LinalgOp::Lstsq { rcond }), LEAST_SQUARES)
            })
            .collect(),
        "fft" | "ifft" | "rfft" | "irfft" => transforms(name),
        _ => return None,
    })
}

fn transforms(name: &str) -> Vec<Case> {
    let shapes: &[(&[usize], usize, usize)] = &[
        (&[1], 1, 0),
        (&[8], 8, 0),
        (&[7], 7, 0),
        (&[12], 5, 0),
        (&[5], 12, 0),
        (&[64], 64, 0),
        (&[37], 37, 0),
        (&[3, 6], 6, 1),
        (&[3, 6], 4, 0),
        (&[2, 5, 3], 5, 1),
        (&[9, 2, 2], 9, 0),
        (&[0], 3, 0),
        (&[0, 4], 4, 1),
        (&[4, 0], 4, 0),
    ];
    let norms = [
        FourierNorm::Backward,
        FourierNorm::Ortho,
        FourierNorm::Forward,
    ];
    let mut all = Vec::new();
    for (number, &(shape, n, axis)) in shapes.iter().enumerate() {
        let norm = norms[number % 3];
        let op = match name {
            "fft" => Op::Fourier(FourierOp::Fft { n, axis, norm }),
            "ifft" => Op::Fourier(FourierOp::Ifft { n, axis, norm }),
            "rfft" => Op::Fourier(FourierOp::Rfft { n, axis, norm }),
            _ => Op::Fourier(FourierOp::Irfft { n, axis, norm }),
        };
        // Whole numbers go up to five.
        let tolerance = within(128.0 * n as f64);
        all.push(Case::new(op, Finite, &[shape]).with(tolerance));
    }
    all
}

/// Adds ops to a graph one after the other.
struct Chain<'a>(&'a mut Graph);

impl Chain<'_> {
    fn op(&mut self, op: Op, inputs: &[ValueId]) -> Result<ValueId> {
        self.0.push(op, inputs, None)
    }

    fn results<const N: usize>(&mut self, op: Op, inputs: &[ValueId]) -> Result<[ValueId; N]> {
        let tuple = self.op(op, inputs)?;
        let mut all = [tuple; N];
        for (index, result) in all.iter_mut().enumerate() {
            *result = self.op(Op::Get { index }, &[tuple])?;
        }
        Ok(all)
    }

    /// The last two axes exchanged.
    fn transposed(&mut self, x: ValueId) -> Result<ValueId> {
        let ndim = self.0.ty(x)?.ndim();
        let mut perm: autojit::ir::Dims = (0..ndim).collect();
        perm.swap(ndim - 2, ndim - 1);
        self.op(Op::View(ViewOp::Transpose { perm }), &[x])
    }

    fn product(&mut self, x: ValueId, y: ValueId) -> Result<ValueId> {
        self.op(Op::Contract(ContractOp::Matmul), &[x, y])
    }

    fn adjoint(&mut self, x: ValueId) -> Result<ValueId> {
        let conj = self.op(Op::Map(MapOp::Conj), &[x])?;
        self.transposed(conj)
    }

    /// `x^H x`.
    fn gram(&mut self, x: ValueId) -> Result<ValueId> {
        let adjoint = self.adjoint(x)?;
        self.product(adjoint, x)
    }

    /// The columns of matrices times the numbers of vectors.
    fn scaled(&mut self, x: ValueId, factors: ValueId) -> Result<ValueId> {
        let mut shape = self.0.ty(factors)?.shape.clone();
        shape.insert(shape.len() - 1, 1);
        let row = self.op(Op::View(ViewOp::Reshape { shape }), &[factors])?;
        self.op(Op::Map(MapOp::Multiply), &[x, row])
    }

    /// Sums of the first powers along the last axis: what does not depend on the order.
    fn power_sums(&mut self, x: ValueId) -> Result<Vec<ValueId>> {
        let axes = autojit::ir::Dims::from_slice(&[self.0.ty(x)?.ndim() - 1]);
        let sum = Op::Reduce(ReduceOp::Sum {
            axes,
            keepdims: false,
        });
        let square = self.op(Op::Map(MapOp::Multiply), &[x, x])?;
        Ok(vec![self.op(sum.clone(), &[x])?, self.op(sum, &[square])?])
    }
}

/// Adds the op with what of its results is unique; `None` if the op is none of this kind.
pub(crate) fn finish(op: &Op, graph: &mut Graph, x: &[ValueId]) -> Result<Option<Vec<ValueId>>> {
    let Some(&first) = x.first() else {
        return Ok(None);
    };
    let ty = graph.ty(first)?.clone();
    let mut chain = Chain(graph);
    let unique = match op {
        Op::Linalg(LinalgOp::Qr { .. }) => {
            let [q, r] = chain.results(op.clone(), x)?;
            let mut all = vec![chain.product(q, r)?, chain.gram(q)?];
            // Integers, and what was stretched, make matrices of low rank, whose factors are not unique.
            if ty.dtype.class() >= Class::Float {
                all.push(chain.gram(r)?);
            }
            all
        }
        Op::Linalg(LinalgOp::Svd { full_matrices }) => {
            let [u, s, vh] = chain.results(op.clone(), x)?;
            let mut all = vec![s, chain.gram(u)?, chain.gram(vh)?];
            if !full_matrices {
                let scaled = chain.scaled(u, s)?;
                all.remove(2);
                all.push(chain.product(scaled, vh)?);
            }
            all
        }
        Op::Linalg(LinalgOp::Lu) => {
            let [p, l, u] = chain.results(op.clone(), x)?;
            let lower = chain.product(p, l)?;
            vec![chain.product(lower, u)?, chain.gram(p)?]
        }
        Op::Linalg(LinalgOp::Eigh) => {
            let [w, v] = chain.results(op.clone(), x)?;
            let scaled = chain.scaled(v, w)?;
            let adjoint = chain.adjoint(v)?;
            vec![w, chain.product(scaled, adjoint)?, chain.gram(v)?]
        }
        Op::Linalg(LinalgOp::Eig) => {
            let [w, v] = chain.results(op.clone(), x)?;
            let (left, right) = (chain.product(x[0], v)?, chain.scaled(v, w)?);
            let mut all = chain.power_sums(w)?;
            all.push(chain.op(Op::Map(MapOp::Subtract), &[left, right])?);
            let sizes = chain.op(Op::Map(MapOp::Absolute), &[v])?;
            let squares = chain.op(Op::Map(MapOp::Multiply), &[sizes, sizes])?;
            let axes = autojit::ir::Dims::from_slice(&[ty.ndim() - 2]);
            let keepdims = false;
            all.push(chain.op(Op::Reduce(ReduceOp::Sum { axes, keepdims }), &[squares])?);
            all
        }
        Op::Linalg(LinalgOp::Eigvals) => {
            let w = chain.op(op.clone(), x)?;
            chain.power_sums(w)?
        }
        Op::Linalg(LinalgOp::Expm) => {
            let part = chain.0.add_literal(0.125, ty.dtype.floating());
            let small = chain.op(Op::Map(MapOp::Multiply), &[x[0], part])?;
            let transposed = chain.transposed(small)?;
            vec![
                chain.op(op.clone(), &[small])?,
                chain.op(op.clone(), &[transposed])?,
            ]
        }
        Op::Linalg(LinalgOp::Cholesky | LinalgOp::Inv | LinalgOp::Det) => {
            let a = dominant(chain.0, x[0], 64)?;
            let transposed = chain.transposed(a)?;
            vec![
                chain.op(op.clone(), &[a])?,
                chain.op(op.clone(), &[transposed])?,
            ]
        }
        Op::Linalg(LinalgOp::Slogdet) => {
            let a = dominant(chain.0, x[0], 64)?;
            chain.results::<2>(op.clone(), &[a])?.to_vec()
        }
        Op::Linalg(LinalgOp::Solve | LinalgOp::SolveTriangular { .. }) => {
            let a = dominant(chain.0, x[0], 64)?;
            let a = if let Op::Linalg(LinalgOp::SolveTriangular {
                unit_diagonal: true,
                ..
            }) = op
            {
                // Small beside the ones that are not there.
                let part = chain.0.add_literal(0.0625, ty.dtype.floating());
                chain.op(Op::Map(MapOp::Multiply), &[a, part])?
            } else {
                a
            };
            let transposed = chain.transposed(a)?;
            vec![
                chain.op(op.clone(), &[a, x[1]])?,
                chain.op(op.clone(), &[transposed, x[1]])?,
            ]
        }
        Op::Linalg(LinalgOp::Lstsq { .. }) => {
            let a = dominant(chain.0, x[0], 64)?;
            chain.results::<4>(op.clone(), &[a, x[1]])?.to_vec()
        }
        _ => return Ok(None),
    };
    Ok(Some(unique))
}

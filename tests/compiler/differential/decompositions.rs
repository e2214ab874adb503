//! Linear algebra and Fourier transforms in random graphs: of small whole numbers, and only what is unique.

use autojit::DType;
use autojit::ir::{ContractOp, Cutoff, FourierNorm, FourierOp, LinalgOp, Op, QrMode, ValueId};

use super::super::values::dominant;
use super::{Builder, Level, Value};

impl Builder {
    /// One of many ops, and of its results what does not depend on signs and orders that are free.
    pub(super) fn decompose(&mut self, a: u16, b: u16) -> Option<()> {
        let kind = b % 18;
        let fits = |v: &Value| {
            let [.., m, n] = v.ty.shape[..] else {
                return false;
            };
            matches!(v.level, Level::Whole(size) if size < 100.0)
                && (kind < 9 || m == n)
                && v.ty.dtype.real() != DType::Float32
        };
        let x = self.pick(a, fits)?;
        let id = match kind {
            0 => {
                let full_matrices = b & 32 == 0;
                self.results::<3>(Op::Linalg(LinalgOp::Svd { full_matrices }), &[x.id])?[1]
            }
            1 | 2 => {
                let mode = [QrMode::Reduced, QrMode::Complete][b as usize % 2];
                let [q, r] = self.results(Op::Linalg(LinalgOp::Qr { mode }), &[x.id])?;
                self.op(Op::Contract(ContractOp::Matmul), &[q, r])?
            }
            3 => self.op(Op::Linalg(LinalgOp::Svdvals), &[x.id])?,
            4 => {
                let [p, l, u] = self.results(Op::Linalg(LinalgOp::Lu), &[x.id])?;
                let product = self.op(Op::Contract(ContractOp::Matmul), &[p, l])?;
                self.op(Op::Contract(ContractOp::Matmul), &[product, u])?
            }
            5..=8 => self.transform(&x, b / 18)?,
            _ => self.square(&x, kind)?,
        };
        let ty = self.graph.ty(id).ok()?.clone();
        self.values.push(Value {
            id,
            ty,
            level: Level::Rounded,
            any_zero: true,
        });
        Some(())
    }

    fn op(&mut self, op: Op, inputs: &[ValueId]) -> Option<ValueId> {
        self.graph.push(op, inputs, None).ok()
    }

    fn results<const N: usize>(&mut self, op: Op, inputs: &[ValueId]) -> Option<[ValueId; N]> {
        let tuple = self.op(op, inputs)?;
        let mut all = [tuple; N];
        for (index, result) in all.iter_mut().enumerate() {
            *result = self.op(Op::Get { index }, &[tuple])?;
        }
        Some(all)
    }

    fn transform(&mut self, x: &Value, b: u16) -> Option<ValueId> {
        let norm = [FourierNorm::Backward, FourierNorm::Ortho][b as usize / 4 % 2];
        let axis = b as usize % x.ty.ndim();
        let n = (x.ty.shape[axis] + 2)
            .saturating_sub(b as usize / 8 % 5)
            .max(1);
        if n > 50 {
            return None;
        }
        let op = match b % 4 {
            0 => Op::Fourier(FourierOp::Fft { n, axis, norm }),
            1 => Op::Fourier(FourierOp::Ifft { n, axis, norm }),
            2 => Op::Fourier(FourierOp::Rfft { n, axis, norm }),
            _ => Op::Fourier(FourierOp::Irfft { n, axis, norm }),
        };
        self.op(op, &[x.id])
    }

    /// Ops of square matrices, made well conditioned by a large diagonal.
    fn square(&mut self, x: &Value, kind: u16) -> Option<ValueId> {
        let a = dominant(&mut self.graph, x.id, 400).ok()?;
        Some(match kind {
            9 if x.ty.ndim() == 2 => {
                let (rcond, hermitian) = (Cutoff::default(), false);
                self.op(Op::Linalg(LinalgOp::Pinv { rcond, hermitian }), &[a])?
            }
            9 => self.op(Op::Linalg(LinalgOp::Inv), &[a])?,
            10 => {
                let [_, logarithm] = self.results(Op::Linalg(LinalgOp::Slogdet), &[a])?;
                logarithm
            }
            11 => self.op(Op::Linalg(LinalgOp::Solve), &[a, x.id])?,
            12 => {
                let triangle = Op::Linalg(LinalgOp::SolveTriangular {
                    lower: x.ty.ndim() == 2,
                    unit_diagonal: false,
                });
                self.op(triangle, &[a, x.id])?
            }
            13 => self.op(Op::Linalg(LinalgOp::Cholesky), &[a])?,
            14 => self.op(Op::Linalg(LinalgOp::Eigvalsh), &[x.id])?,
            15 => {
                let [values, _] = self.results(Op::Linalg(LinalgOp::Eigh), &[x.id])?;
                values
            }
            16 => {
                let rcond = Cutoff::default();
                self.results::<4>(Op::Linalg(LinalgOp::Lstsq { rcond }), &[a, x.id])?[0]
            }
            _ => {
                let inverse = self.op(Op::Linalg(LinalgOp::Inv), &[a])?;
                self.op(Op::Linalg(LinalgOp::Det), &[inverse])?
            }
        })
    }
}

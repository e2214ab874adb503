//! Linear algebra and Fourier transforms in random graphs: of small whole numbers, and only what is unique.

use autojit::DType;
use autojit::ir::{Cutoff, FourierNorm, Op, QrMode, ValueId};

use super::{Builder, Level, Value};
use crate::matrices::dominant;

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
                self.results::<3>(Op::Svd { full_matrices }, &[x.id])?[1]
            }
            1 | 2 => {
                let mode = [QrMode::Reduced, QrMode::Complete][b as usize % 2];
                let [q, r] = self.results(Op::Qr { mode }, &[x.id])?;
                self.op(Op::Matmul, &[q, r])?
            }
            3 => self.op(Op::Svdvals, &[x.id])?,
            4 => {
                let [p, l, u] = self.results(Op::Lu, &[x.id])?;
                let product = self.op(Op::Matmul, &[p, l])?;
                self.op(Op::Matmul, &[product, u])?
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
            0 => Op::Fft { n, axis, norm },
            1 => Op::Ifft { n, axis, norm },
            2 => Op::Rfft { n, axis, norm },
            _ => Op::Irfft { n, axis, norm },
        };
        self.op(op, &[x.id])
    }

    /// Ops of square matrices, made well conditioned by a large diagonal.
    fn square(&mut self, x: &Value, kind: u16) -> Option<ValueId> {
        let a = dominant(&mut self.graph, x.id, 400).ok()?;
        Some(match kind {
            9 => self.op(Op::Inv, &[a])?,
            10 => {
                let [_, logarithm] = self.results(Op::Slogdet, &[a])?;
                logarithm
            }
            11 => self.op(Op::Solve, &[a, x.id])?,
            12 => {
                let triangle = Op::SolveTriangular {
                    lower: x.ty.ndim() == 2,
                    unit_diagonal: false,
                };
                self.op(triangle, &[a, x.id])?
            }
            13 => self.op(Op::Cholesky, &[a])?,
            14 => self.op(Op::Eigvalsh, &[x.id])?,
            15 => {
                let [values, _] = self.results(Op::Eigh, &[x.id])?;
                values
            }
            16 => {
                let rcond = Cutoff::default();
                self.results::<4>(Op::Lstsq { rcond }, &[a, x.id])?[0]
            }
            _ => {
                let inverse = self.op(Op::Inv, &[a])?;
                self.op(Op::Det, &[inverse])?
            }
        })
    }
}

//! Calls of the runtime that take contiguous arrays: linear algebra and Fourier transforms.
//!
//! [`RuntimeCall::plan`] is the one place that says which function of the runtime an op is; the ndarray library and
//! the tape of compiled programs both run what it gives. Inputs are broadcast to [`RuntimeCall::operands`] and laid
//! out in C order by the caller; so are the results.
//!
//! Invariants: types come from inference, so ranks and dtypes fit; only what depends on values can fail.

use autojit_runtime::abi::{Failure, Kind};
use autojit_runtime::fft::{Fft, Transform, plan_statistics, plans_dropped};
use autojit_runtime::linalg::{
    Triangle, cholesky_batched, det_batched, eig_batched, eigh_batched, eigvals_batched,
    eigvalsh_batched, expm_batched, inv_batched, lstsq_batched, lu_batched, qr_batched,
    qr_complete_batched, slogdet_batched, solve_batched, solve_triangular_batched, svd_batched,
    svdvals_batched,
};
use smallvec::{SmallVec, smallvec};

use crate::logging::{Doublings, TARGET};
use autojit_ir::error::{Error, Result};
use autojit_ir::{
    ArrayType, DType, FourierKind, FourierOp, HostArray, LinalgOp, Op, QrMode, Shape, Type, derived,
};

/// Which function, with what it takes beside sizes.
#[derive(Clone, Debug)]
enum Function {
    Qr,
    QrComplete,
    Svd { full_matrices: bool },
    Svdvals,
    Eigh,
    Eigvalsh,
    Eig,
    Eigvals,
    Cholesky,
    Lu,
    Inv,
    Det,
    Slogdet,
    Expm,
    Solve,
    SolveTriangular(Triangle),
    Lstsq { rcond: Option<f64> },
    Fourier(Fft),
}

/// A function of the runtime for inputs of known types.
#[derive(Clone, Debug)]
pub struct RuntimeCall {
    function: Function,
    kind: Kind,
    batch: usize,
    rows: usize,
    columns: usize,
    /// How many right sides a system has.
    sides: usize,
    /// The type of the first input before broadcasting, for messages.
    ty: ArrayType,
    operands: SmallVec<[Shape; 2]>,
}

/// The runtime's name of a floating dtype.
fn floating_kind(dtype: DType) -> Option<Kind> {
    (dtype.is_float() || dtype.is_complex())
        .then(|| kind(dtype).ok())
        .flatten()
}

/// The runtime's name of a dtype.
///
/// # Errors
/// An internal error for dtypes that are [only stored](DType::is_stored): ops on them are written with int64.
#[inline]
pub fn kind(dtype: DType) -> Result<Kind> {
    Ok(match dtype {
        DType::Bool => Kind::Bool,
        DType::Uint8 => Kind::Uint8,
        DType::Int32 => Kind::Int32,
        DType::Int64 => Kind::Int64,
        DType::Float32 => Kind::Float32,
        DType::Float64 => Kind::Float64,
        DType::Complex64 => Kind::Complex64,
        DType::Complex128 => Kind::Complex128,
        DType::Int8 | DType::Int16 | DType::Uint16 | DType::Uint32 | DType::Uint64 => {
            return Err(Error::internal(format!(
                "the runtime met {dtype}, which is only stored"
            )));
        }
    })
}

impl RuntimeCall {
    /// The call that computes an op on inputs with the dtypes of its signature; `None` if it is none.
    pub fn plan(op: &Op, inputs: &[&ArrayType], result: &Type) -> Option<Self> {
        let op = match op {
            Op::Linalg(op) => op,
            Op::Fourier(op) => return Self::fourier(op, inputs.first()?, result.array().ok()?),
            Op::Leaf(_)
            | Op::Map(_)
            | Op::Reduce(_)
            | Op::Scan(_)
            | Op::Sort(_)
            | Op::Contract(_)
            | Op::View(_)
            | Op::Index(_)
            | Op::Join(_)
            | Op::Control(_)
            | Op::Get { .. }
            | Op::Random { .. }
            | Op::Opaque { .. } => return None,
        };
        let function = match *op {
            LinalgOp::Qr { mode } => match mode {
                QrMode::Reduced => Function::Qr,
                QrMode::Complete => Function::QrComplete,
            },
            LinalgOp::Svd { full_matrices } => Function::Svd { full_matrices },
            LinalgOp::Svdvals => Function::Svdvals,
            LinalgOp::Eigh => Function::Eigh,
            LinalgOp::Eigvalsh => Function::Eigvalsh,
            LinalgOp::Eig => Function::Eig,
            LinalgOp::Eigvals => Function::Eigvals,
            LinalgOp::Cholesky => Function::Cholesky,
            LinalgOp::Lu => Function::Lu,
            LinalgOp::Inv => Function::Inv,
            LinalgOp::Det => Function::Det,
            LinalgOp::Slogdet => Function::Slogdet,
            LinalgOp::Expm => Function::Expm,
            LinalgOp::Solve => Function::Solve,
            LinalgOp::SolveTriangular {
                lower,
                unit_diagonal,
            } => Function::SolveTriangular(Triangle {
                lower,
                unit_diagonal,
                ..Triangle::default()
            }),
            LinalgOp::Lstsq { rcond } => Function::Lstsq {
                rcond: rcond.rcond(),
            },
            derived!(LinalgOp) => return None,
        };
        let a = *inputs.first()?;
        let (lead, &[rows, columns]) = a.shape.split_last_chunk::<2>()?;
        let mut call = Self {
            function,
            kind: floating_kind(a.dtype)?,
            batch: lead.iter().product(),
            rows,
            columns,
            sides: 1,
            ty: a.clone(),
            operands: smallvec![a.shape.clone()],
        };
        match (op, inputs.get(1)) {
            (LinalgOp::Lstsq { .. }, Some(b)) => {
                call.sides = b.shape.get(1).copied().unwrap_or(1);
                call.operands.push(b.shape.clone());
            }
            // The leading axes of both broadcast to those of the result; so does a vector.
            (_, Some(b)) => {
                let shape = &result.array().ok()?.shape;
                let axes = b.ndim().min(2);
                let batch = shape.get(..shape.len().checked_sub(axes)?)?;
                call.batch = batch.iter().product();
                call.operands[0] = batch.iter().copied().chain([rows, columns]).collect();
                call.operands.push(shape.clone());
                if axes == 2 {
                    call.sides = *shape.last()?;
                }
            }
            _ => {}
        }
        Some(call)
    }

    fn fourier(op: &FourierOp, x: &ArrayType, result: &ArrayType) -> Option<Self> {
        let fourier = op.transform();
        let axis = fourier.axis;
        // Where one side is real, the kind is that of the complex one.
        let kind = floating_kind(x.dtype.promote(result.dtype))?;
        let transform = match fourier.kind {
            FourierKind::Forward => Transform::Forward,
            FourierKind::Inverse => Transform::Inverse,
            FourierKind::Real => Transform::Real,
            FourierKind::RealInverse => Transform::RealInverse,
        };
        Some(Self {
            function: Function::Fourier(Fft {
                kind,
                transform,
                n: fourier.n,
                len_in: *x.shape.get(axis)?,
                outer: x.shape[..axis].iter().product(),
                inner: x.shape[axis + 1..].iter().product(),
                factor: fourier.factor(),
            }),
            kind,
            batch: 0,
            rows: 0,
            columns: 0,
            sides: 0,
            ty: x.clone(),
            operands: smallvec![x.shape.clone()],
        })
    }

    /// The shapes to which the inputs are broadcast.
    pub fn operands(&self) -> &[Shape] {
        &self.operands
    }

    /// Runs it on the inputs and then the results of the op, by their first elements.
    ///
    /// # Safety
    /// The pointers address arrays in C order, of the shapes of [`RuntimeCall::operands`] and of the result that the
    /// call was planned for, aligned for their dtypes; nothing overlaps a result.
    ///
    /// # Errors
    /// A matrix is singular, not positive definite, or an iteration does not converge.
    pub unsafe fn run(&self, pointers: &[*mut u8]) -> Result<()> {
        HostArray::check_bytes(self.temporaries())?;
        let at = |index: usize| pointers.get(index).copied();
        let (Some(a), Some(x)) = (at(0), at(1)) else {
            return Err(Error::internal("a call of the runtime without operands"));
        };
        let rest = |index| at(index).unwrap_or(std::ptr::null_mut());
        let (y, z) = (rest(2), rest(3));
        let &Self {
            ref function,
            kind,
            batch,
            rows: m,
            columns: n,
            sides: k,
            ..
        } = self;
        // SAFETY: the functions read and write as many elements as inference gives the op's inputs and results.
        let done = unsafe {
            match *function {
                Function::Qr => qr_batched(kind, batch, m, n, a, x, y),
                Function::QrComplete => qr_complete_batched(kind, batch, m, n, a, x, y),
                Function::Svd { full_matrices } => {
                    svd_batched(kind, full_matrices, batch, m, n, a, x, y, z)
                }
                Function::Svdvals => svdvals_batched(kind, batch, m, n, a, x),
                Function::Eigh => eigh_batched(kind, batch, n, a, x, y),
                Function::Eigvalsh => eigvalsh_batched(kind, batch, n, a, x),
                Function::Eig => eig_batched(kind, batch, n, a, x, y),
                Function::Eigvals => eigvals_batched(kind, batch, n, a, x),
                Function::Cholesky => cholesky_batched(kind, batch, n, a, x),
                Function::Lu => lu_batched(kind, batch, m, n, a, x, y, z),
                Function::Inv => inv_batched(kind, batch, n, a, x),
                Function::Det => det_batched(kind, batch, n, a, x),
                Function::Slogdet => slogdet_batched(kind, batch, n, a, x, y),
                Function::Expm => expm_batched(kind, batch, n, a, x),
                Function::Solve => solve_batched(kind, batch, n, k, a, x, y),
                Function::SolveTriangular(triangle) => {
                    solve_triangular_batched(kind, triangle, batch, n, k, a, x, y)
                }
                Function::Lstsq { rcond } => {
                    lstsq_batched(kind, rcond, batch, m, n, k, a, x, y, z, rest(4), rest(5))
                }
                Function::Fourier(ref fft) => {
                    let done = fft.run(a, x);
                    log_thrashing(fft.n);
                    done
                }
            }
        };
        done.map_err(|failure| self.explain(failure))
    }

    /// Bytes that the runtime needs on the way, at most. The crates that it calls abort or panic where they get none, so
    /// they are asked for before.
    fn temporaries(&self) -> usize {
        /// Of the widest element.
        const ELEMENT: usize = 16;
        let (m, n, k) = (self.rows, self.columns, self.sides);
        let product = |x: usize, y: usize| x.saturating_mul(y);
        let elements = match &self.function {
            // Plans of lengths with large prime factors convolve at more than twice the length.
            Function::Fourier(fft) if fft.outer == 0 || fft.inner == 0 => 0,
            Function::Fourier(fft) => fft.n.saturating_mul(8),
            // Powers of the matrix, in double precision.
            Function::Expm => product(n, n).saturating_mul(16),
            // The square matrices are among the results.
            Function::QrComplete
            | Function::Svd {
                full_matrices: true,
            } => {
                let squares = product(m, m).saturating_add(product(n, n));
                squares.saturating_mul(4)
            }
            Function::Qr
            | Function::Svd {
                full_matrices: false,
            }
            | Function::Lu
            | Function::Lstsq { .. }
            | Function::Svdvals
            | Function::Eigh
            | Function::Eigvalsh
            | Function::Eig
            | Function::Eigvals
            | Function::Cholesky
            | Function::Inv
            | Function::Det
            | Function::Slogdet
            | Function::Solve
            | Function::SolveTriangular(_) => {
                let matrix = product(m, n).saturating_add(product(m.max(n), k));
                matrix.saturating_mul(6)
            }
        };
        let is_empty = self.batch == 0 && !matches!(self.function, Function::Fourier(_));
        if is_empty {
            0
        } else {
            product(elements, ELEMENT)
        }
    }

    /// The error of a failure.
    fn explain(&self, failure: Failure) -> Error {
        let ty = &self.ty;
        match failure {
            Failure::Singular => Error::linear_algebra(format!("a matrix of {ty} is singular")),
            Failure::NotPositiveDefinite => {
                Error::linear_algebra(format!("a matrix of {ty} is not positive definite"))
            }
            Failure::NoConvergence => Error::linear_algebra(format!(
                "the iteration did not converge for {ty}, expected finite elements"
            )),
            Failure::OutOfMemory => Error::value(format!("not enough memory for {ty}")),
            other => Error::internal(format!("{other} for {ty}")),
        }
    }
}

/// Says in the log that plans of Fourier transforms are made again and again, once for each doubling of their number.
fn log_thrashing(n: usize) {
    static DROPPED: Doublings = Doublings::above(63);
    let dropped = plans_dropped();
    if !DROPPED.reached(dropped) {
        return;
    }
    let held = plan_statistics().held;
    tracing::warn!(
        target: TARGET,
        "the cache of plans of Fourier transforms holds {held} and dropped {dropped}, the last one for the length {n}: \
         transforms of so many different lengths are planned anew each time"
    );
}

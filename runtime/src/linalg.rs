//! Dense linear algebra on the calling thread: by hand where matrices are small, by faer where they are large.
//!
//! Matrices are row-major and contiguous on both sides. Two forms of everything: generic functions on slices that return
//! vectors ([`qr`], [`solve`], ...), and kind-dispatched functions on raw pointers over a batch ([`qr_batched`],
//! [`solve_batched`], ...), which allocate nothing per matrix up to order 8 where the algorithm is a direct one,
//! nothing at all up to order 16 where the matrix is self-adjoint, and where it is a QR, SVD or self-adjoint decomposition nothing
//! once the thread has a workspace that is large enough.
//!
//! Input that is not finite never reaches an iteration: direct methods carry NaN through, as LAPACK does; iterative ones
//! fail. Empty matrices are legal. Should faer panic, the panic is caught and becomes [`Failure::NoConvergence`](crate::abi::Failure::NoConvergence).

mod batched;
mod cholesky;
mod eig;
mod eigh;
mod elimination;
mod expm;
mod field;
mod householder;
mod lstsq;
mod lu;
mod qr;
mod small;
mod solve;
mod svd;
#[cfg(test)]
mod tests;
mod triangular;
mod workspace;

pub use batched::*;
pub use cholesky::cholesky;
pub use eig::{eig, eigvals};
pub use eigh::{eigh, eigvalsh};
pub use expm::expm;
pub use field::Field;
pub use householder::Scalar;
pub use lstsq::{LeastSquares, lstsq};
pub use lu::lu;
pub use qr::qr;
pub use solve::{det, inv, slogdet, solve};
pub use svd::{svd, svdvals};
pub use triangular::{Triangle, solve_triangular};

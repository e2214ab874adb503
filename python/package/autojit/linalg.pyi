"""Written by stubs.py from the table of functions."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from . import Array
from ._results import EighResult, EigResult, SlogdetResult

Axes: TypeAlias = int | Sequence[int] | None
Shape: TypeAlias = int | Sequence[int]

def block_diag(*arrays: Any) -> Array:
    """Matrices along the diagonal of a matrix of zeros. Vectors are rows, numbers are matrices of one element; leading axes broadcast."""

def cho_solve(c_and_lower: ArrayLike | Any, b: ArrayLike | Any) -> Array:
    """The solutions of `a x = b` by the triangular factor that `cholesky` gives."""

def cholesky(a: ArrayLike | Any, upper: Any = ...) -> Array:
    """The lower triangular `l` with a positive diagonal and `x = l l^H` for positive definite `[.., n, n]`, of which the lower triangle is read. With `Uplo::Upper` it is the upper triangular `u` with `x = u^H u`, and the upper triangle is read."""

def cond(x: ArrayLike | Any, p: Any = ...) -> Array:
    """The condition number of `[.., m, n]` in a norm of matrices: by default, and for 2 and -2, the ratio of the largest and the smallest singular value, or the other way; else the product of the norms of the matrix and its inverse."""

def det(a: ArrayLike | Any) -> Array:
    """The determinants of `[.., n, n]`; one if `n` is zero."""

def eig(a: ArrayLike | Any) -> EigResult:
    """Eigenvalues, in no particular order, and eigenvectors of length one, in columns, of `[.., n, n]`; both always complex. NumPy gives real ones where no imaginary part is left; here the dtype does not depend on values."""

def eigh(a: ArrayLike | Any, UPLO: str = ...) -> EighResult:
    """Eigenvalues, real and ascending, and orthonormal eigenvectors, in columns, of Hermitian `[.., n, n]`: `w` is `[.., n]`, `v` is `[.., n, n]` and `x v = v diag(w)`. Only the lower triangle is read, or the upper one if the options say so. The phases of the vectors are not specified."""

def eigvals(a: ArrayLike | Any) -> Array:
    """The eigenvalues alone of `eig`."""

def eigvalsh(a: ArrayLike | Any, UPLO: str = ...) -> Array:
    """The eigenvalues alone of `eigh`."""

def expm(A: ArrayLike | Any) -> Array:
    """The exponentials of `[.., n, n]`; NaN where a matrix is not finite."""

def inv(a: ArrayLike | Any) -> Array:
    """The inverses of `[.., n, n]`."""

def logm(A: ArrayLike | Any) -> Array:
    """The principal logarithms of `[.., n, n]`. Real matrices have real logarithms here, NaN where there is none."""

def lstsq(a: ArrayLike | Any, b: ArrayLike | Any, rcond: Any = ...) -> tuple[Array, ...]:
    """The `x` of smallest norm among those with the smallest `|b - a x|`, for `a` of shape `[m, n]` and `b` of shape `[m]` or `[m, k]`: `x`, the squared norms of the columns of `b - a x`, the rank of `a` (`int32`, 0-d) and its singular values."""

def lu(a: ArrayLike | Any) -> tuple[Array, ...]:
    """The decomposition `x = p l u` with partial pivoting: for `[.., m, n]` and `k = min(m, n)`, `p` is a real permutation matrix `[.., m, m]`, `l` is `[.., m, k]`, lower triangular with ones on the diagonal, and `u` is `[.., k, n]`, upper triangular."""

def lu_solve(lu_and_piv: ArrayLike | Any, b: ArrayLike | Any, trans: Any = ...) -> Array:
    """The solutions of `a x = b` by the factors of `a` in one matrix, with the exchanges of rows."""

def matmul(x1: ArrayLike | Any, x2: ArrayLike | Any) -> Array:
    """The matrix product over the last two axes: `[.., m, k]` with `[.., k, n]` gives `[.., m, n]`."""

def matrix_power(a: ArrayLike | Any, n: ArrayLike | Any) -> Array:
    """Square matrices `[.., n, n]` to an integer power, by repeated squaring; a negative one inverts first. The zeroth power is the identity."""

def matrix_rank(A: ArrayLike | Any, tol: Any = ..., hermitian: Any = ..., rtol: Any = ...) -> Array:
    """How many singular values of `[.., m, n]` are above a limit, as `int64`; for vectors and scalars, whether an element is not zero."""

def multi_dot(arrays: ArrayLike | Any) -> Array:
    """The product of two or more matrices, in the order of multiplications that takes the fewest. The first may be a vector, which is a row, and the last one too, which is a column."""

def norm(x: ArrayLike | Any, ord: Any = ..., axis: Axes = ..., keepdims: bool = ...) -> Array:
    """A norm of vectors (along one axis), of matrices (over two axes), or of all elements. The result is real."""

def qr(a: ArrayLike | Any, mode: str = ...) -> Any:
    """The QR decomposition: for `[.., m, n]` and `k = min(m, n)`, `q` is `[.., m, k]` with orthonormal columns and `r` is `[.., k, n]`, upper triangular. With `QrMode::Complete` `q` is square, and `r` has the shape of `x`."""

def slogdet(a: ArrayLike | Any) -> SlogdetResult:
    """Sign, or phase, and logarithm of the modulus of the determinants of `[.., n, n]`: zero and minus infinity for a singular matrix."""

def solve(a: ArrayLike | Any, b: ArrayLike | Any) -> Array:
    """The solutions of `a x = b` for `a` of shape `[.., n, n]`. If `b` has one axis, it is one right side `[n]`; else it is `[.., n, k]`, the right sides being columns, and leading axes broadcast."""

def solve_triangular(a: ArrayLike | Any, b: ArrayLike | Any, trans: Any = ..., lower: Any = ..., unit_diagonal: Any = ...) -> Array:
    """The solutions of `a x = b` where of `a` only the upper triangle is read, or the lower one if the options say so. Shapes are as for `solve`."""

def sqrtm(A: ArrayLike | Any) -> Array:
    """The principal square roots of `[.., n, n]`. Real matrices have real roots here, NaN where there is none."""

def svd(a: ArrayLike | Any, full_matrices: bool = ..., compute_uv: Any = ...) -> Any:
    """The singular value decomposition: for `[.., m, n]` and `k = min(m, n)`, `u` is `[.., m, k]`, the singular values are `[.., k]`, real and in descending order, and `vh` is `[.., k, n]`. With full matrices `u` and `vh` are square."""

def svdvals(x: ArrayLike | Any) -> Array:
    """The singular values of `[.., m, n]`: `[.., min(m, n)]`, real and in descending order."""

def tensordot(a: ArrayLike | Any, b: ArrayLike | Any, axes: Any = ...) -> Array:
    """The sum of products over pairs of axes; the other axes of `x`, then those of `y`, make the result."""

def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Array:
    """The cross products of vectors of three elements, as ``numpy.linalg.cross``."""

def diagonal(x: Any, /, *, offset: int = 0) -> Array:
    """The diagonals of matrices, which are the last two axes; as ``numpy.linalg.diagonal``."""

def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = fro) -> Array:
    """The norms of matrices, which are the last two axes; as ``numpy.linalg.matrix_norm``."""

def matrix_transpose(x: Any, /) -> Array:
    """The last two axes exchanged, as ``numpy.matrix_transpose``."""

def outer(x1: Any, x2: Any, /) -> Array:
    """The products of all elements of one vector with all of another, as ``numpy.linalg.outer``."""

def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Array:
    """The pseudoinverses of matrices, with one cutoff or one for each matrix; as ``numpy.linalg.pinv``."""

def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Array:
    """The sums of the diagonals of matrices, which are the last two axes; as ``numpy.linalg.trace``."""

def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Array:
    """Sums of products along an axis, where the first array is conjugated; as ``numpy.vecdot``."""

def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Array:
    """The norms of vectors along axes, of all elements by default; as ``numpy.linalg.vector_norm``."""

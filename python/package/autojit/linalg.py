"""Linear algebra, as numpy.linalg."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._array_api import matrix_transpose, vecdot  # noqa: F401, exported
from ._autojit import Array, asarray
from ._functions import FUNCTIONS, OF_NUMPY, export

_functions = export("linalg", globals())


def diagonal(x: Any, /, *, offset: int = 0) -> Array:
    """The diagonals of matrices, which are the last two axes; as ``numpy.linalg.diagonal``."""
    return FUNCTIONS["diagonal"](x, offset, -2, -1)


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Array:
    """The sums of the diagonals of matrices, which are the last two axes; as ``numpy.linalg.trace``."""
    return FUNCTIONS["trace"](x, offset, -2, -1, dtype=dtype)


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Array:
    """The cross products of vectors of three elements, as ``numpy.linalg.cross``."""
    x1, x2 = asarray(x1), asarray(x2)
    if x1.shape[axis] != 3 or x2.shape[axis] != 3:
        raise ValueError(f"cross needs vectors of three elements, got {x1.shape} and {x2.shape}")
    return FUNCTIONS["cross"](x1, x2, axis=axis)


def outer(x1: Any, x2: Any, /) -> Array:
    """The products of all elements of one vector with all of another, as ``numpy.linalg.outer``."""
    x1, x2 = asarray(x1), asarray(x2)
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError(f"outer needs vectors, got shapes {x1.shape} and {x2.shape}")
    return FUNCTIONS["outer"](x1, x2)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Array:
    """The norms of matrices, which are the last two axes; as ``numpy.linalg.matrix_norm``."""
    return FUNCTIONS["linalg.norm"](x, ord, (-2, -1), keepdims)


def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Array:
    """The norms of vectors along axes, of all elements by default; as ``numpy.linalg.vector_norm``."""
    x = asarray(x)
    axes = tuple(range(x.ndim)) if axis is None else axis
    axes = (axes,) if isinstance(axes, int) else tuple(axes)
    for at in axes:
        if not -x.ndim <= at < x.ndim:
            raise np.exceptions.AxisError(
                f"axis {at} is out of range for an array with {x.ndim} axes"
            )
    axes = tuple(at % x.ndim for at in axes)
    others = tuple(at for at in range(x.ndim) if at not in axes)
    kept = tuple(x.shape[at] for at in others)
    flat = x.transpose(others + axes).reshape((*kept, -1) if x.size else (*kept, _size(x, axes)))
    result = FUNCTIONS["linalg.norm"](flat, ord, -1)
    if not keepdims:
        return result
    return result.reshape(tuple(1 if at in axes else n for at, n in enumerate(x.shape)))


def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Array:
    """The pseudoinverses of matrices, with one cutoff or one for each matrix; as ``numpy.linalg.pinv``."""
    cutoff = rcond if rtol is None else rtol
    if cutoff is None:
        return FUNCTIONS["linalg.pinv"](a, hermitian=hermitian)
    cutoff = asarray(cutoff)
    if cutoff.ndim == 0 and not cutoff.is_lazy:
        return FUNCTIONS["linalg.pinv"](a, hermitian=hermitian, rtol=float(cutoff))
    u, s, vh = FUNCTIONS["linalg.svd"](a, full_matrices=False)
    if s.shape[-1] == 0:
        return FUNCTIONS["conj"](vh).mT @ FUNCTIONS["conj"](u).mT
    kept = s > cutoff[..., None] * s.max(axis=-1, keepdims=True)
    inverse = FUNCTIONS["where"](kept, 1 / FUNCTIONS["where"](kept, s, 1), 0)
    return FUNCTIONS["conj"](vh).mT @ (inverse[..., None] * FUNCTIONS["conj"](u).mT)


def _size(x: Array, axes: tuple[int, ...]) -> int:
    size = 1
    for at in axes:
        size *= x.shape[at]
    return size


_own = [
    "cross",
    "diagonal",
    "matrix_norm",
    "matrix_transpose",
    "outer",
    "pinv",
    "trace",
    "vecdot",
    "vector_norm",
]
OF_NUMPY.update({f"linalg.{name}": globals()[name] for name in _own})

__all__ = sorted({*_functions, *_own})

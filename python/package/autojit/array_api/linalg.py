"""Linear algebra of the Python array API: ``autojit.linalg``, with the standard's default of ``svd``."""

from __future__ import annotations

from typing import Any

import autojit.linalg as _package

from .. import asarray
from .._autojit import Array
from .._functions import FUNCTIONS as _f
from ..linalg import *  # noqa: F403

__all__ = list(_package.__all__)


def svd(x: Any, /, *, full_matrices: bool = True) -> Any:
    """The singular value decompositions of matrices, with square factors by default."""
    return _f["linalg.svd"](x, full_matrices=full_matrices)


def matrix_rank(x: Any, /, *, rtol: Any = None) -> Array:
    """The numbers of singular values above ``rtol`` times the largest one, a number or one for each matrix."""
    if rtol is None or isinstance(rtol, (int, float)):
        return _f["linalg.matrix_rank"](x, rtol=rtol)
    values = _f["linalg.svdvals"](x)
    if values.shape[-1] == 0:
        return _f["zeros"](values.shape[:-1], dtype="int64")
    smallest = asarray(rtol)[..., None] * _f["max"](values, axis=-1, keepdims=True)
    return _f["count_nonzero"](values > smallest, axis=-1)

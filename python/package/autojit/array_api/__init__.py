"""The namespace of the Python array API: ``x.__array_namespace__()``.

Everything here is what the package ``autojit`` has under the same name, but for the functions below. There NumPy's answers or
defaults differ from those of the standard; ``autojit`` gives NumPy's, and this module those of the standard. Operators belong to
arrays rather than to a namespace, and are NumPy's: ``x // y`` is ``autojit.floor_divide``.

The dtypes are NumPy's scalar types, as they are in NumPy's own namespace, and equal those of arrays: ``numpy.dtype("float64")`` would
be equal to ``None``, too, which is no dtype in the standard.
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as _numpy

import autojit as _package

from .._autojit import Array, asarray
from .._functions import FUNCTIONS as _f

__all__ = list(_package.__all__)
globals().update({name: getattr(_package, name) for name in __all__ if name != "linalg"})

from . import linalg as linalg  # noqa: E402, in the place of that of the package

globals().update(
    {name: value.type for name, value in globals().items() if isinstance(value, _numpy.dtype)}
)


def floor_divide(x1: Any, x2: Any, /) -> Array:
    """The largest integers that are no larger than the quotients; an infinity by a finite number is an infinity, and a finite
    number by an infinity is a zero with the sign of the quotient."""
    quotient = _f["floor_divide"](x1, x2)
    if quotient.dtype.kind != "f":
        return quotient
    is_one_infinite = _f["isinf"](x1) != _f["isinf"](x2)
    return _f["where"](is_one_infinite, _f["divide"](x1, x2), quotient)


def expm1(x: Any, /) -> Array:
    """``exp(x) - 1``, accurate near zero; of complex numbers with the limits that the standard gives for infinities, NaN and numbers
    on the real axis, which stay there."""
    x = asarray(x)
    result = _f["expm1"](x)
    if result.dtype.kind != "c":
        return result
    real, imag = _f["real"](x), _f["imag"](x)
    # The sum makes +0 of -0.
    on_axis = _with_sign((_f["expm1"](real) + 0.0).astype(result.dtype), imag)
    result = _f["where"](imag == 0, on_axis, result)
    is_limit = _f["isinf"](real) & ~_f["isfinite"](imag)
    below = _with_sign(_f["full_like"](result, -1), _f["where"](_f["isnan"](imag), 0, imag))
    limit = _f["where"](real < 0, below, builtins.complex("inf+nanj"))
    return _f["where"](is_limit, limit, result)


def tanh(x: Any, /) -> Array:
    """The hyperbolic tangent; of complex numbers with a real part that is infinite it has an imaginary part of zero with the sign of
    that of ``x``."""
    x = asarray(x)
    result = _f["tanh"](x)
    if result.dtype.kind != "c":
        return result
    real, imag = _f["real"](x), _f["imag"](x)
    limit = _with_sign(_f["sign"](real).astype(result.dtype), imag)
    return _f["where"](_f["isinf"](real) & _f["isfinite"](imag), limit, result)


def _with_sign(on_axis: Array, imag: Array) -> Array:
    """Numbers on the real axis, whose zero imaginary part gets this sign."""
    return _f["where"](_f["signbit"](imag), _f["conj"](on_axis), on_axis)


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: Any = None,
    device: Any = None,
) -> Array:
    """Ones on a diagonal of a matrix of zeros; ``k`` is any integer."""
    columns = n_rows if n_cols is None else n_cols
    # Beyond the matrix it does not matter where the diagonal is.
    k = builtins.max(-n_rows, builtins.min(k, columns))
    return _f["eye"](n_rows, columns, k, dtype=dtype, device=device)

"""Functions of the Python array API and of NumPy that are made of others, with their names."""

from __future__ import annotations

import builtins
from typing import Any, NamedTuple

import numpy as np

from ._autojit import Array, asarray
from ._functions import FUNCTIONS, OF_NUMPY
from ._inspection import NamespaceInfo

__all__ = [
    "__array_namespace_info__",
    "broadcast_shapes",
    "cumulative_prod",
    "cumulative_sum",
    "indices",
    "isin",
    "matrix_transpose",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
    "unstack",
    "vecdot",
]

_f = dict(FUNCTIONS)


class UniqueAllResult(NamedTuple):
    """The distinct elements, where they stand first, which of them each element is, and how often they occur."""

    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


class UniqueCountsResult(NamedTuple):
    """The distinct elements, and how often they occur."""

    values: Array
    counts: Array


class UniqueInverseResult(NamedTuple):
    """The distinct elements, and which of them each element is."""

    values: Array
    inverse_indices: Array


def __array_namespace_info__() -> NamespaceInfo:
    """Capabilities, devices and dtypes of the package."""
    return NamespaceInfo()


def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape to which these shapes are broadcast, as ``numpy.broadcast_shapes``."""
    return np.broadcast_shapes(*shapes)


def _cumulative(running: str, x: Any, axis: int | None, dtype: Any, initial: Any) -> Array:
    x = asarray(x)
    if axis is None:
        if x.ndim != 1:
            raise ValueError(f"an array of {x.ndim} axes needs the axis to go along")
        axis = 0
    result = _f[running](x, axis=axis, dtype=dtype)
    if initial is None:
        return result
    shape = list(x.shape)
    shape[axis] = 1
    first = _f["full"](tuple(shape), initial, dtype=result.dtype)
    return _f["concatenate"]([first, result], axis=axis)


def cumulative_sum(
    x: Any,
    /,
    *,
    axis: int | None = None,
    dtype: Any = None,
    include_initial: builtins.bool = False,
) -> Array:
    """Running sums along an axis, with a zero before them if ``include_initial``; as ``numpy.cumulative_sum``."""
    return _cumulative("cumsum", x, axis, dtype, 0 if include_initial else None)


def cumulative_prod(
    x: Any,
    /,
    *,
    axis: int | None = None,
    dtype: Any = None,
    include_initial: builtins.bool = False,
) -> Array:
    """Running products along an axis, with a one before them if ``include_initial``; as ``numpy.cumulative_prod``."""
    return _cumulative("cumprod", x, axis, dtype, 1 if include_initial else None)


def isin(x1: Any, x2: Any, /, assume_unique: Any = None, *, invert: builtins.bool = False) -> Array:
    """Whether each element of an array is one of another array, as ``numpy.isin``."""
    given = [x if isinstance(x, (int, float, builtins.complex)) else asarray(x) for x in (x1, x2)]
    try:
        dtype = np.result_type(*(_stand_in(x) for x in given))
        for x in given:
            if not isinstance(x, Array):
                np.asarray(x, dtype=dtype)
    except OverflowError:
        # An integer that does not fit beside the others is none of them.
        given = [asarray(x) for x in given]
        dtype = np.result_type(*(_stand_in(x) for x in given))
    x1, x2 = (asarray(x).astype(dtype) for x in given)
    if x2.size == 0:
        found = _f["zeros"](x1.shape, dtype="bool")
    elif dtype.kind in "bc" or x2.size < 16:
        found = (x1[..., None] == x2.ravel()).any(axis=-1)
    else:
        ordered = _f["sort"](x2.ravel())
        at = _f["minimum"](ordered.searchsorted(x1), x2.size - 1)
        found = ordered[at] == x1
    return ~found if invert else found


def _stand_in(x: Any) -> Any:
    return np.empty((0,) * x.ndim, x.dtype) if isinstance(x, Array) else x


def _unique(x: Any) -> UniqueAllResult:
    """The distinct elements in order; each NaN is one of its own."""
    x = asarray(x)
    parts = _f["unique"](x, return_index=True, return_inverse=True, return_counts=True)
    values, indices, inverse, counts = parts
    if x.dtype.kind not in "fc" or not builtins.bool(_f["isnan"](values).any()):
        return UniqueAllResult(values, indices, inverse.reshape(x.shape), counts)
    flat = x.ravel()
    # NaNs come last; each of them gets an entry.
    finite = ~_f["isnan"](values)
    kept = builtins.int(finite.sum())
    nans = _f["nonzero"](_f["isnan"](flat))[0]
    values = _f["concatenate"]([values[:kept], flat[nans]])
    indices = _f["concatenate"]([indices[:kept], nans])
    counts = _f["concatenate"]([counts[:kept], _f["ones_like"](nans)])
    inverse = inverse.ravel().at[nans].set(kept + _f["arange"](nans.size))
    return UniqueAllResult(values, indices, inverse.reshape(x.shape), counts)


def unique_all(x: Any, /) -> UniqueAllResult:
    """The distinct elements, their first positions, which of them each element is, and counts; as ``numpy.unique_all``."""
    return _unique(x)


def unique_counts(x: Any, /) -> UniqueCountsResult:
    """The distinct elements and how often they occur, as ``numpy.unique_counts``."""
    all_ = _unique(x)
    return UniqueCountsResult(all_.values, all_.counts)


def unique_inverse(x: Any, /) -> UniqueInverseResult:
    """The distinct elements and which of them each element is, as ``numpy.unique_inverse``."""
    all_ = _unique(x)
    return UniqueInverseResult(all_.values, all_.inverse_indices)


def unique_values(x: Any, /) -> Array:
    """The distinct elements, as ``numpy.unique_values``."""
    return _unique(x).values


def indices(dimensions: Any, dtype: Any = int, sparse: builtins.bool = False) -> Any:
    """The positions in a grid: an array for each axis, stacked unless they are ``sparse``; as ``numpy.indices``."""
    counts = tuple(dimensions)
    axes = []
    for at, count in enumerate(counts):
        shape = tuple(count if other == at else 1 for other in range(builtins.len(counts)))
        axes.append(_f["arange"](count, dtype=dtype).reshape(shape))
    if sparse:
        return tuple(axes)
    if not axes:
        return _f["zeros"]((0,), dtype=dtype)
    return _f["stack"]([_f["broadcast_to"](axis, counts) for axis in axes])


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Array, ...]:
    """The parts of an array along an axis, as ``numpy.unstack``."""
    x = asarray(x)
    if x.ndim == 0:
        raise ValueError("an array without axes cannot be taken apart")
    return tuple(_f["moveaxis"](x, axis, 0))


def matrix_transpose(x: Any, /) -> Array:
    """The last two axes exchanged, as ``numpy.matrix_transpose``."""
    return asarray(x).mT


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Array:
    """Sums of products along an axis, where the first array is conjugated; as ``numpy.vecdot``."""
    x1, x2 = (_f["moveaxis"](asarray(x), axis, -1) for x in (x1, x2))
    if x1.shape[-1] != x2.shape[-1]:
        raise ValueError(f"vecdot of axes of {x1.shape[-1]} and {x2.shape[-1]} elements")
    return (x1.conj()[..., None, :] @ x2[..., :, None])[..., 0, 0]


for _function in (
    broadcast_shapes,
    cumulative_prod,
    cumulative_sum,
    isin,
    matrix_transpose,
    unique_all,
    unique_counts,
    unique_inverse,
    unique_values,
    unstack,
    vecdot,
):
    OF_NUMPY[_function.__name__] = _function

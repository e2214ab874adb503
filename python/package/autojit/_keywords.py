"""Keywords of NumPy and of the Python array API that functions of the table do not have.

Each function here takes all of them, and is written with the function of the table that has its name. A call comes here only if it
has such a keyword; the others go to the table at once.
"""

from __future__ import annotations

import builtins
import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ._autojit import Array, asarray
from ._functions import FUNCTIONS

__all__ = ["call_ufunc", "extended"]

_f = dict(FUNCTIONS)

#: The functions of this module by the names that they extend.
_EXTENDED: dict[str, Callable[..., Any]] = {}


def extended(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes a function the one that is called for keywords which the functions of these names do not have."""

    def extend(function: Callable[..., Any]) -> Callable[..., Any]:
        function.__annotations__.clear()
        given = list(inspect.signature(function).parameters.values())
        for name in names:
            table = list(inspect.signature(FUNCTIONS[name]).parameters)
            shared = 0
            for ours, theirs in zip(given, table, strict=False):
                if ours.kind is ours.VAR_POSITIONAL:
                    shared = sys.maxsize
                    break
                if ours.kind is ours.KEYWORD_ONLY or ours.name != theirs and shared > 0:
                    break
                shared += 1
            FUNCTIONS[name].extend(function, shared)
            method = vars(Array).get(name)
            if method is not None and type(method) is type(FUNCTIONS[name]):
                method.extend(function, shared)
            _EXTENDED[name] = function
        return function

    return extend


def _into(out: Any, result: Any) -> Any:
    """The result, which is written to ``out`` if there is one."""
    if isinstance(out, tuple) and len(out) == 1:
        out = out[0]
    if out is None:
        return result
    if not isinstance(out, np.ndarray):
        raise TypeError(
            "arrays of autojit never change, so `out` is one of NumPy's arrays; "
            "use the result (`x = x + y` in the place of `x += y`)"
        )
    if result.is_lazy:
        raise TypeError(
            "cannot write to `out` while a function is traced: arrays of autojit never change, and NumPy's arrays hold no traced "
            "values; use the result (`x = x + y` in the place of `x += y`)"
        )
    np.copyto(out, result.numpy(), casting="same_kind")
    return out


def _cast(x: Any, dtype: Any) -> Array:
    x = asarray(x)
    return x if dtype is None or x.dtype == dtype else x.astype(dtype)


def _number(x: Any, dtype: Any) -> Any:
    """A number as one of a dtype: what does not fit is refused, as an operand of that dtype refuses it."""
    if isinstance(x, (builtins.int, builtins.float, builtins.complex)):
        return _f["full"]((), x, dtype=dtype)
    return _cast(x, dtype)


def _check_device(device: Any) -> None:
    if device not in (None, "cpu"):
        raise ValueError(f'the only device is "cpu", got {device!r}')


def call_ufunc(name: str, function: Any, inputs: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """A ufunc of NumPy's with keywords: `out`, `where`, `dtype`, `casting`."""
    keywords = dict(keywords)
    out, where = keywords.pop("out", None), keywords.pop("where", True)
    dtype, casting = keywords.pop("dtype", None), keywords.pop("casting", "same_kind")
    for ignored in ("order", "subok"):
        keywords.pop(ignored, None)
    if keywords:
        raise TypeError(f"numpy.{name} of arrays of autojit takes no {', '.join(keywords)}")
    if dtype is not None:
        for x in inputs:
            given = getattr(x, "dtype", None)
            if given is not None and not np.can_cast(given, dtype, casting):
                raise TypeError(
                    f"numpy.{name} cannot cast {given} to {np.dtype(dtype)} with casting={casting!r}"
                )
        inputs = tuple(_cast(x, dtype) for x in inputs)
    result = function(*inputs)
    if where is not True:
        old = (out[0] if isinstance(out, tuple) else out) if out is not None else 0
        result = _f["where"](where, result, _cast(old, result.dtype))
    return _into(out, result)


def _axes(x: Array, axis: Any) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    axes = (axis,) if not isinstance(axis, (tuple, list)) else axis
    for a in axes:
        if not -x.ndim <= a < builtins.max(x.ndim, 1):
            raise IndexError(f"axis {a} is out of range for an array with {x.ndim} axes")
    return tuple(int(a) % builtins.max(x.ndim, 1) for a in axes)


def _is_empty(x: Array, axis: Any) -> builtins.bool:
    return builtins.any(x.shape[a] == 0 for a in _axes(x, axis)) if x.ndim else False


def _reduced_shape(x: Array, axis: Any, keepdims: builtins.bool) -> tuple[int, ...]:
    axes = _axes(x, axis)
    if keepdims:
        return tuple(1 if a in axes else n for a, n in enumerate(x.shape))
    return tuple(n for a, n in enumerate(x.shape) if a not in axes)


@extended("sum")
def sum(
    a: Any,
    /,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: builtins.bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """``numpy.sum`` with all of its keywords."""
    where = None if where is True else where
    result = _f["sum"](_cast(a, dtype), axis=axis, keepdims=keepdims, where=where)
    if initial is not None:
        result = result + _number(initial, result.dtype)
    return _into(out, _cast(result, dtype))


@extended("prod")
def prod(
    a: Any,
    /,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: builtins.bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """``numpy.prod`` with all of its keywords."""
    x = _cast(a, dtype)
    if where is not True:
        x = _f["where"](where, x, _f["ones_like"](x))
    result = _f["prod"](x, axis=axis, keepdims=keepdims)
    if initial is not None:
        result = result * _number(initial, result.dtype)
    return _into(out, _cast(result, dtype))


def _extremum(name: str, better: str) -> Callable[..., Any]:
    reduce, pair = _f[name], _f[better]

    def function(
        a: Any,
        /,
        axis: Any = None,
        out: Any = None,
        keepdims: builtins.bool = False,
        initial: Any = None,
        where: Any = True,
    ) -> Any:
        x = asarray(a)
        if where is not True:
            if initial is None:
                raise ValueError(f"numpy.{name} with `where` needs `initial`")
            x = _f["where"](where, x, _number(initial, x.dtype))
        if initial is None:
            return _into(out, reduce(x, axis=axis, keepdims=keepdims))
        if _is_empty(x, axis):
            result = _f["full"](_reduced_shape(x, axis, keepdims), initial, dtype=x.dtype)
        else:
            result = pair(reduce(x, axis=axis, keepdims=keepdims), _number(initial, x.dtype))
        return _into(out, result)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"``numpy.{name}`` with all of its keywords."
    return function


extended("max", "amax")(_extremum("max", "maximum"))
extended("min", "amin")(_extremum("min", "minimum"))


def _truth(name: str, neutral: builtins.bool) -> Callable[..., Any]:
    reduce = _f[name]

    def function(
        a: Any,
        /,
        axis: Any = None,
        out: Any = None,
        keepdims: builtins.bool = False,
        *,
        where: Any = True,
    ) -> Any:
        x = asarray(a)
        if where is not True:
            x = _f["where"](where, _cast(x, "bool"), asarray(neutral))
        return _into(out, reduce(x, axis=axis, keepdims=keepdims))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"``numpy.{name}`` with all of its keywords."
    return function


extended("any")(_truth("any", False))
extended("all")(_truth("all", True))


def _count(x: Array, axis: Any, where: Any, keepdims: builtins.bool) -> Any:
    """How many elements are reduced: a number, or an array in the precision of `x`."""
    if where is True:
        return int(np.prod([x.shape[a] for a in _axes(x, axis)], dtype=int))
    mask = _f["broadcast_to"](_cast(where, "bool"), x.shape)
    count = _f["sum"](mask, axis=axis, keepdims=keepdims)
    return count.astype("float32" if x.dtype.name in ("float32", "complex64") else "float64")


def _floating(x: Array) -> Array:
    """Integers as float64, in which their sums do not overflow."""
    return _cast(x, "float64") if x.dtype.name.startswith(("int", "uint", "bool")) else x


@extended("mean")
def mean(
    a: Any,
    /,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: builtins.bool = False,
    *,
    where: Any = True,
) -> Any:
    """``numpy.mean`` with all of its keywords."""
    x = _cast(a, dtype)
    if where is True:
        result = _f["mean"](x, axis=axis, keepdims=keepdims)
    else:
        x = _floating(x)
        total = _f["sum"](x, axis=axis, keepdims=keepdims, where=where)
        result = total / _count(x, axis, where, keepdims)
    return _into(out, _cast(result, dtype))


def _variance(
    x: Array, axis: Any, ddof: Any, keepdims: builtins.bool, where: Any, mean: Any
) -> Array:
    if where is True and mean is None and isinstance(ddof, int):
        return _f["var"](x, axis=axis, ddof=ddof, keepdims=keepdims)
    x = _floating(x)
    middle = _f["mean"](x, axis=axis, keepdims=True) if where is True else None
    if mean is not None:
        middle = asarray(mean)
    elif middle is None:
        total = _f["sum"](x, axis=axis, keepdims=True, where=where)
        middle = total / _count(x, axis, where, True)
    distance = _f["abs"](x - middle)
    mask = None if where is True else where
    total = _f["sum"](distance * distance, axis=axis, keepdims=keepdims, where=mask)
    count = _count(x, axis, where, keepdims)
    if isinstance(count, int):
        return total / builtins.max(count - ddof, 0) if count > ddof else total * np.nan
    return total / _f["maximum"](count - ddof, 0)


def _ddof(ddof: Any, correction: Any) -> Any:
    if correction is None:
        return ddof
    if ddof != 0:
        raise ValueError("ddof and correction mean the same, expected one of them")
    return int(correction) if float(correction).is_integer() else float(correction)


@extended("var")
def var(
    a: Any,
    /,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: builtins.bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    """``numpy.var`` with all of its keywords."""
    ddof = _ddof(ddof, correction)
    result = _variance(_cast(a, dtype), axis, ddof, keepdims, where, mean)
    return _into(out, _cast(result, dtype))


@extended("std")
def std(
    a: Any,
    /,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: builtins.bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    """``numpy.std`` with all of its keywords."""
    ddof = _ddof(ddof, correction)
    result = _f["sqrt"](_variance(_cast(a, dtype), axis, ddof, keepdims, where, mean))
    return _into(out, _cast(result, dtype))


def _running(name: str) -> Callable[..., Any]:
    running = _f[name]

    def function(a: Any, /, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        return _into(out, _cast(running(_cast(a, dtype), axis=axis), dtype))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"``numpy.{name}`` with all of its keywords."
    return function


extended("cumsum")(_running("cumsum"))
extended("cumprod")(_running("cumprod"))


@extended("trace")
def trace(
    a: Any, /, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None
) -> Any:
    """``numpy.trace`` with all of its keywords."""
    result = _f["trace"](_cast(a, dtype), offset, axis1, axis2)
    return _into(out, _cast(result, dtype))


@extended("sort")
def sort(
    a: Any,
    /,
    axis: Any = -1,
    kind: Any = None,
    order: Any = None,
    *,
    stable: Any = None,
    descending: builtins.bool = False,
) -> Any:
    """``numpy.sort`` with all of its keywords. Sorting is stable."""
    if order is not None:
        raise ValueError("arrays have no fields to sort by, leave `order` out")
    result = _f["sort"](a, axis=axis)
    return _f["flip"](result, -1 if axis is None else axis) if descending else result


@extended("argsort")
def argsort(
    a: Any,
    /,
    axis: Any = -1,
    kind: Any = None,
    order: Any = None,
    *,
    stable: Any = None,
    descending: builtins.bool = False,
) -> Any:
    """``numpy.argsort`` with all of its keywords. Sorting is stable."""
    if order is not None:
        raise ValueError("arrays have no fields to sort by, leave `order` out")
    if not descending:
        return _f["argsort"](a, axis=axis)
    x = asarray(a)
    if axis is None:
        x, axis = x.ravel(), -1
    # Equal elements keep their order: they are sorted from behind, and the result is turned round.
    turned = _f["argsort"](_f["flip"](x, axis), axis=axis)
    return x.shape[axis] - 1 - _f["flip"](turned, axis)


@extended("argmax")
def argmax(a: Any, /, axis: Any = None, out: Any = None, *, keepdims: builtins.bool = False) -> Any:
    """``numpy.argmax`` with all of its keywords."""
    return _into(out, _f["argmax"](a, axis=axis, keepdims=keepdims))


@extended("argmin")
def argmin(a: Any, /, axis: Any = None, out: Any = None, *, keepdims: builtins.bool = False) -> Any:
    """``numpy.argmin`` with all of its keywords."""
    return _into(out, _f["argmin"](a, axis=axis, keepdims=keepdims))


@extended("searchsorted")
def searchsorted(a: Any, v: Any, /, side: str = "left", sorter: Any = None) -> Any:
    """``numpy.searchsorted`` with all of its keywords."""
    return _f["searchsorted"](a if sorter is None else _f["take"](a, sorter), v, side=side)


@extended("reshape")
def reshape(a: Any, /, shape: Any, order: str = "C", *, copy: Any = None) -> Any:
    """``numpy.reshape`` with all of its keywords; elements are in C order."""
    if order not in ("C", "A"):
        raise ValueError(f"elements are in C order, got order={order!r}")
    return _f["reshape"](a, shape)


@extended("astype")
def astype(x: Any, dtype: Any, /, *, copy: builtins.bool = True, device: Any = None) -> Any:
    """``numpy.astype`` with all of its keywords."""
    _check_device(device)
    return _f["astype"](x, dtype)


@extended("clip")
def clip(
    a: Any,
    /,
    min: Any = None,
    max: Any = None,
    out: Any = None,
    *,
    a_min: Any = None,
    a_max: Any = None,
) -> Any:
    """``numpy.clip`` with all of its keywords."""
    low = a_min if min is None else min
    high = a_max if max is None else max
    return _into(out, _f["clip"](a, a_min=low, a_max=high))


@extended("round", "around")
def round(a: Any, /, decimals: int = 0, out: Any = None) -> Any:
    """``numpy.round`` with all of its keywords."""
    return _into(out, _f["round"](a, decimals))


@extended("take")
def take(a: Any, indices: Any, /, axis: Any = None, out: Any = None, mode: str = "raise") -> Any:
    """``numpy.take`` with all of its keywords."""
    if mode != "raise":
        x = asarray(a)
        is_flat = axis is None or x.ndim == 0
        length = x.size if is_flat else builtins.sum(x.shape[at] for at in _axes(x, axis))
        # In their own dtype the length may not fit.
        indices = _cast(indices, "int64")
        indices = indices % length if mode == "wrap" else _f["clip"](indices, 0, length - 1)
    return _into(out, _f["take"](a, indices, axis=axis))


def _joined(name: str, arrays: Any, dtype: Any, casting: str) -> Any:
    """The arrays in the dtype of the result, each converted at once, as their common one may not hold all of their numbers."""
    if dtype is None:
        return arrays
    arrays = [asarray(x) for x in arrays]
    for x in arrays:
        if not np.can_cast(x.dtype, dtype, casting):
            raise TypeError(
                f"numpy.{name} cannot cast {x.dtype} to {np.dtype(dtype)} with casting={casting!r}"
            )
    return [_cast(x, dtype) for x in arrays]


@extended("concatenate")
def concatenate(
    arrays: Any,
    /,
    axis: Any = 0,
    out: Any = None,
    *,
    dtype: Any = None,
    casting: str = "same_kind",
) -> Any:
    """``numpy.concatenate`` with all of its keywords."""
    arrays = _joined("concatenate", arrays, dtype, casting)
    return _into(out, _f["concatenate"](arrays, axis=axis))


@extended("stack")
def stack(
    arrays: Any,
    /,
    axis: int = 0,
    out: Any = None,
    *,
    dtype: Any = None,
    casting: str = "same_kind",
) -> Any:
    """``numpy.stack`` with all of its keywords."""
    arrays = _joined("stack", arrays, dtype, casting)
    return _into(out, _f["stack"](arrays, axis=axis))


@extended("matmul")
def matmul(x1: Any, x2: Any, /, out: Any = None, *, dtype: Any = None) -> Any:
    """``numpy.matmul`` with its keywords."""
    result = _f["matmul"](_cast(x1, dtype), _cast(x2, dtype)) if dtype else _f["matmul"](x1, x2)
    return _into(out, result)


@extended("dot")
def dot(a: Any, b: Any, /, out: Any = None) -> Any:
    """``numpy.dot`` with its keywords."""
    return _into(out, _f["dot"](a, b))


def _made(name: str) -> Callable[..., Any]:
    """A function that makes an array, with the keyword `device` of the array API and those of NumPy about memory."""
    make = _f[name]
    own = inspect.signature(make)
    keyword = inspect.Parameter.KEYWORD_ONLY
    extra = [inspect.Parameter(n, keyword, default=None) for n in ("device", "order", "subok")]
    if name.endswith("_like"):
        extra.append(inspect.Parameter("shape", keyword, default=None))
    signature = own.replace(parameters=[*own.parameters.values(), *extra])

    def function(*args: Any, **keywords: Any) -> Any:
        bound = signature.bind(*args, **keywords)
        _check_device(bound.arguments.pop("device", None))
        for ignored in ("order", "subok"):
            bound.arguments.pop(ignored, None)
        shape = bound.arguments.pop("shape", None) if name.endswith("_like") else None
        if shape is None:
            return make(*bound.args, **bound.kwargs)
        given = bound.arguments
        dtype = given.get("dtype")
        dtype = asarray(given["a"]).dtype if dtype is None else dtype
        fill = [given["fill_value"]] if "fill_value" in given else []
        return _f[name.removesuffix("_like")](shape, *fill, dtype=dtype)

    function.__signature__ = signature  # type: ignore[attr-defined]
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"``numpy.{name}`` with all of its keywords."
    return function


for _name in (
    "arange",
    "eye",
    "full",
    "full_like",
    "linspace",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
):
    extended(_name)(_made(_name))


def _frequencies(name: str) -> Callable[..., Any]:
    make = _f[name]

    def function(n: int, /, d: float = 1.0, *, dtype: Any = None, device: Any = None) -> Any:
        _check_device(device)
        return _cast(make(n, d), dtype)

    function.__name__ = function.__qualname__ = name.removeprefix("fft.")
    function.__doc__ = f"``numpy.{name}`` with the keywords of the array API."
    return function


extended("fft.fftfreq")(_frequencies("fft.fftfreq"))
extended("fft.rfftfreq")(_frequencies("fft.rfftfreq"))


@extended("einsum")
def einsum(subscripts: Any, *operands: Any, optimize: Any = None) -> Any:
    """``numpy.einsum`` of arrays that are followed by lists of their axes."""
    subscripts, arrays = _subscripts((subscripts, *operands))
    return _f["einsum"](subscripts, *arrays, optimize=optimize)


def _subscripts(operands: tuple[Any, ...]) -> tuple[str, list[Any]]:
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

    def text(axes: Any) -> str:
        try:
            return "".join("..." if axis is Ellipsis else letters[axis] for axis in axes)
        except (TypeError, IndexError) as error:
            raise ValueError(
                f"einsum takes a string, or arrays each followed by a list of its axes, got the axes {axes!r}"
            ) from error

    arrays = list(operands[0::2])
    lists = operands[1::2]
    if len(operands) % 2 == 1:
        result = "->" + text(arrays.pop())
    else:
        result = ""
    if not arrays or len(arrays) != len(lists):
        raise ValueError("einsum takes a string, or arrays each followed by a list of its axes")
    return ",".join(text(axes) for axes in lists) + result, arrays

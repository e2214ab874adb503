"""What NumPy's namespace has besides its functions of arrays."""

from __future__ import annotations

import builtins
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from ._autojit import Array, asarray
from ._functions import FUNCTIONS, OF_NUMPY

_zeros = FUNCTIONS["zeros"]
_zeros_like = FUNCTIONS["zeros_like"]


def array(object: Any, dtype: Any = None, *, copy: bool | None = True, ndmin: int = 0) -> Array:
    """An array of a value: of one of NumPy's, a number, nested lists, or anything with ``__array__``."""
    made = asarray(object, dtype)
    missing = ndmin - made.ndim
    return made if missing <= 0 else made.reshape((1,) * missing + made.shape)


def from_dlpack(x: Any, /, *, device: Any = None, copy: builtins.bool | None = None) -> Array:
    """An array with a copy of the values of any array that knows DLPack, such as one of PyTorch."""
    if device not in (None, "cpu"):
        raise ValueError('the only device is "cpu"')
    if isinstance(x, Array):
        return x
    if copy is False:
        raise ValueError("values from outside are copied; leave copy=False out")
    return asarray(np.from_dlpack(x))


def empty(shape: Any, dtype: Any = None, *, device: Any = None) -> Array:
    """An array whose values do not matter; they are zeros."""
    return _zeros(shape, dtype=dtype, device=device)


def empty_like(prototype: Any, dtype: Any = None, *, device: Any = None) -> Array:
    """An array of the shape of another one whose values do not matter; they are zeros."""
    return _zeros_like(prototype, dtype=dtype, device=device)


def complex(real: Any, imag: Any) -> Array:
    """The complex numbers with these real and imaginary parts, whatever they are: neither part meets the other one."""
    real, imag = asarray(real), asarray(imag)
    dtype = np.result_type(real.dtype, imag.dtype, np.complex64)
    # (real - 0j) + (-0 + imag j), as the sum of any number and -0 is that number. A product with 1j is exact for finite numbers.
    turned = (-(imag.astype(dtype).conj() * 1j)).conj()
    unlimited = builtins.complex(-0.0, np.inf)
    special = FUNCTIONS["where"](imag > 0, unlimited, unlimited.conjugate())
    special = FUNCTIONS["where"](FUNCTIONS["isnan"](imag), builtins.complex(-0.0, np.nan), special)
    turned = FUNCTIONS["where"](FUNCTIONS["isfinite"](imag), turned, special.astype(dtype))
    return real.astype(dtype).conj() + turned


def copy(a: Any) -> Array:
    """The array itself, as arrays never change."""
    return asarray(a)


def to_numpy(x: Any) -> np.ndarray:
    """The values as an array of NumPy's that looks at the same memory, and cannot be written to."""
    return x.numpy() if isinstance(x, Array) else np.asarray(x)


def shape(a: Any) -> tuple[int, ...]:
    """The number of elements along each axis."""
    return a.shape if isinstance(a, Array) else np.shape(a)


def ndim(a: Any) -> int:
    """The number of axes."""
    return builtins.len(shape(a))


def size(a: Any, axis: int | None = None) -> int:
    """The number of elements, or that along one axis."""
    if axis is not None:
        return shape(a)[axis]
    return a.size if isinstance(a, Array) else np.size(a)


def iscomplexobj(x: Any) -> builtins.bool:
    """Whether the dtype is complex."""
    return np.issubdtype(x.dtype, np.complexfloating) if hasattr(x, "dtype") else np.iscomplexobj(x)


def get_dtype_name(x: Any) -> str:
    """The name of the dtype, such as ``"float64"``."""
    return x.dtype.name if hasattr(x, "dtype") else np.asarray(x).dtype.name


def _plain(x: Any) -> Any:
    """A stand-in for an array with its dtype and shape, for questions about types."""
    return np.empty((0,) * x.ndim, x.dtype) if isinstance(x, Array) else x


def result_type(*arrays_and_dtypes: Any) -> np.dtype:
    """The dtype of a result computed from these, as ``numpy.result_type``."""
    return np.result_type(*(_plain(x) for x in arrays_and_dtypes))


def can_cast(from_: Any, to: Any, casting: str = "safe") -> builtins.bool:
    """Whether a dtype can be converted to another one, as ``numpy.can_cast``."""
    return np.can_cast(from_.dtype if isinstance(from_, Array) else from_, to, casting)


def isdtype(dtype: Any, kind: Any) -> builtins.bool:
    """Whether a dtype is of a kind such as ``"real floating"``, as ``numpy.isdtype``."""
    return np.isdtype(np.dtype(dtype), kind)


@dataclasses.dataclass(frozen=True)
class FloatInfo:
    """The limits of a floating dtype, as numbers of Python; ``dtype`` is that of the real numbers."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    tiny: float
    resolution: float
    precision: int
    dtype: np.dtype


def finfo(type: Any, /) -> FloatInfo:
    """The limits of a floating dtype, as ``numpy.finfo`` gives them."""
    info = np.finfo(type.dtype if isinstance(type, Array) else type)
    return FloatInfo(
        bits=builtins.int(info.bits),
        eps=builtins.float(info.eps),
        max=builtins.float(info.max),
        min=builtins.float(info.min),
        smallest_normal=builtins.float(info.smallest_normal),
        tiny=builtins.float(info.tiny),
        resolution=builtins.float(info.resolution),
        precision=builtins.int(info.precision),
        dtype=info.dtype,
    )


def iinfo(type: Any) -> np.iinfo:
    """The limits of an integer dtype, as ``numpy.iinfo``."""
    return np.iinfo(type.dtype if isinstance(type, Array) else type)


OF_NUMPY.update(
    {
        f.__name__: f
        for f in (can_cast, copy, empty_like, iscomplexobj, ndim, result_type, shape, size)
    }
)


def _as_text(function: Callable[..., str]) -> Callable[..., str]:
    """One of NumPy's functions that write an array as text, for arrays of autojit."""
    return lambda a, *args, **kwargs: function(to_numpy(a), *args, **kwargs)


OF_NUMPY.update({f.__name__: _as_text(f) for f in (np.array_repr, np.array_str, np.array2string)})


def _saving(function: Callable[..., None]) -> Callable[..., None]:
    """One of NumPy's functions that write arrays into a file, for arrays of autojit."""

    def saving(file: Any, *args: Any, **kwargs: Any) -> None:
        def plain(x: Any) -> Any:
            return to_numpy(x) if isinstance(x, Array) else x

        function(file, *map(plain, args), **{name: plain(x) for name, x in kwargs.items()})

    return saving


OF_NUMPY.update(
    {f.__name__: _saving(f) for f in (np.save, np.savez, np.savez_compressed, np.savetxt)}
)

"""Array code that is traced and compiled to native code in milliseconds.

>>> import autojit, numpy as np
>>> @autojit.jit
... def norm(x, y):
...     return np.sqrt(x * x + y * y)
>>> norm(np.array([3.0, 5.0]), np.array([4.0, 12.0]))
array([ 5., 13.])

Functions have NumPy's names, signatures and semantics: ``autojit.sum``, ``autojit.linalg.norm``. NumPy's own functions work on
arrays of autojit too, also while they are traced. See ``autojit.jit``, ``autojit.grad``, ``autojit.vmap``, ``autojit.Array``.
"""

import numpy as _numpy

from . import _integrations, fft, lazy, linalg, random, scipy, special
from ._api import (
    grad,
    hessian,
    jacobian,
    jit,
    jvp,
    value_and_grad,
    vjp,
    vmap,
)
from ._autojit import (
    Array,
    CompiledFunction,
    Explanation,
    TracingError,
    asarray,
    backends,
    register_pytree,
)
from ._creation import (
    array,
    can_cast,
    complex,
    copy,
    empty,
    empty_like,
    finfo,
    from_dlpack,
    get_dtype_name,
    iinfo,
    iscomplexobj,
    isdtype,
    ndim,
    result_type,
    shape,
    size,
    to_numpy,
)
from ._functions import export as _export
from ._version import __version__

_functions = _export("", globals())

bool = _numpy.dtype("bool")
bool_ = bool
uint8 = _numpy.dtype("uint8")
int32 = _numpy.dtype("int32")
int64 = _numpy.dtype("int64")
float32 = _numpy.dtype("float32")
float64 = _numpy.dtype("float64")
complex64 = _numpy.dtype("complex64")
complex128 = _numpy.dtype("complex128")

pi = _numpy.pi
e = _numpy.e
inf = _numpy.inf
nan = _numpy.nan
newaxis = None

_own = [
    "__version__",
    "Array",
    "CompiledFunction",
    "Explanation",
    "TracingError",
    "array",
    "asarray",
    "backends",
    "bool",
    "bool_",
    "can_cast",
    "complex",
    "complex128",
    "complex64",
    "copy",
    "e",
    "empty",
    "empty_like",
    "fft",
    "finfo",
    "float32",
    "float64",
    "from_dlpack",
    "get_dtype_name",
    "grad",
    "hessian",
    "iinfo",
    "inf",
    "int32",
    "int64",
    "iscomplexobj",
    "isdtype",
    "jacobian",
    "jit",
    "jvp",
    "lazy",
    "linalg",
    "nan",
    "ndim",
    "newaxis",
    "pi",
    "random",
    "register_pytree",
    "result_type",
    "scipy",
    "shape",
    "size",
    "special",
    "to_numpy",
    "uint8",
    "value_and_grad",
    "vjp",
    "vmap",
]
__all__ = [*_own, *_functions]

_integrations.install()

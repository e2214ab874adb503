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

from . import _integrations, _keywords, fft, lazy, linalg, random, scipy, special
from ._api import (
    grad,
    hessian,
    jacobian,
    jit,
    jvp,
    stop_gradient,
    value_and_grad,
    vjp,
    vmap,
)
from ._array_api import (
    __array_namespace_info__,
    broadcast_shapes,
    cumulative_prod,
    cumulative_sum,
    indices,
    isin,
    matrix_transpose,
    unique_all,
    unique_counts,
    unique_inverse,
    unique_values,
    unstack,
    vecdot,
)
from ._autojit import (
    Array,
    CompiledFunction,
    ContractionPlan,
    Explanation,
    ExportedFunction,
    ExportedFunctions,
    Profile,
    TracingError,
    asarray,
    backends,
    contraction_plan_from_json,
    load,
    register_pytree,
)
from ._contract import contract, contraction_plan
from ._control import checkpoint, cond, custom_vjp, fori_loop, scan, switch, while_loop
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
from ._integrations import install_as
from ._pools import pmap
from ._version import __version__

_functions = _export("", globals())

bool = _numpy.dtype("bool")
bool_ = bool
int8 = _numpy.dtype("int8")
int16 = _numpy.dtype("int16")
int32 = _numpy.dtype("int32")
int64 = _numpy.dtype("int64")
uint8 = _numpy.dtype("uint8")
uint16 = _numpy.dtype("uint16")
uint32 = _numpy.dtype("uint32")
uint64 = _numpy.dtype("uint64")
float32 = _numpy.dtype("float32")
float64 = _numpy.dtype("float64")
complex64 = _numpy.dtype("complex64")
complex128 = _numpy.dtype("complex128")

pi = _numpy.pi
e = _numpy.e
inf = _numpy.inf
nan = _numpy.nan
newaxis = None

#: The version of the Python array API that the package follows.
__array_api_version__ = "2025.12"

_own = [
    "Array",
    "CompiledFunction",
    "ContractionPlan",
    "Explanation",
    "ExportedFunction",
    "ExportedFunctions",
    "Profile",
    "TracingError",
    "__array_api_version__",
    "__array_namespace_info__",
    "__version__",
    "array",
    "asarray",
    "backends",
    "bool",
    "bool_",
    "broadcast_shapes",
    "can_cast",
    "checkpoint",
    "complex",
    "complex128",
    "complex64",
    "cond",
    "contract",
    "contraction_plan",
    "contraction_plan_from_json",
    "copy",
    "cumulative_prod",
    "cumulative_sum",
    "custom_vjp",
    "e",
    "empty",
    "empty_like",
    "fft",
    "finfo",
    "float32",
    "float64",
    "fori_loop",
    "from_dlpack",
    "get_dtype_name",
    "grad",
    "hessian",
    "iinfo",
    "indices",
    "inf",
    "install_as",
    "int16",
    "int32",
    "int64",
    "int8",
    "iscomplexobj",
    "isdtype",
    "isin",
    "jacobian",
    "jit",
    "jvp",
    "lazy",
    "linalg",
    "load",
    "matrix_transpose",
    "nan",
    "ndim",
    "newaxis",
    "pi",
    "pmap",
    "random",
    "register_pytree",
    "result_type",
    "scan",
    "scipy",
    "shape",
    "size",
    "special",
    "stop_gradient",
    "switch",
    "to_numpy",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
    "unstack",
    "value_and_grad",
    "vecdot",
    "vjp",
    "vmap",
    "while_loop",
]
__all__ = [*_own, *_functions]

_integrations.install()

# It has all of the above.
from . import array_api  # noqa: E402

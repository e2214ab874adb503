"""Writes the type stubs of the package from the table of functions, or checks that they are what it would write.

python stubs.py [--check]
"""

from __future__ import annotations

import inspect
import pathlib
import sys

import autojit
from autojit import _array_api, _autojit, _contract, _control, _pools
from autojit._functions import FUNCTIONS

FOLDER = pathlib.Path(__file__).parent / "package" / "autojit"
HEAD = '''"""Written by stubs.py from the table of functions."""

'''

# Names of parameters whose type is known.
TYPES = {
    "axis": "Axes",
    "axes": "Any",
    "keepdims": "bool",
    "dtype": "DTypeLike",
    "shape": "Shape",
    "subscripts": "str",
    "method": "str",
    "mode": "str",
    "full_matrices": "bool",
    "UPLO": "str",
}

# Functions with several results, or with one that is no array.
RESULTS = {
    "linalg.svd": "Any",
    "linalg.qr": "Any",
    "linalg.eigh": "EighResult",
    "linalg.eig": "EigResult",
    "linalg.slogdet": "SlogdetResult",
    "linalg.lu": "tuple[Array, ...]",
    "linalg.lstsq": "tuple[Array, ...]",
    "split": "list[Array]",
    "array_split": "list[Array]",
    "nonzero": "tuple[Array, ...]",
    "meshgrid": "tuple[Array, ...]",
    "broadcast_arrays": "tuple[Array, ...]",
    "atleast_1d": "Any",
    "atleast_2d": "Any",
    "atleast_3d": "Any",
    "unique": "Any",
    "average": "Any",
    "gradient": "Any",
    "einsum_path": "Any",
    "unravel_index": "tuple[Array, ...]",
    "tril_indices": "tuple[Array, ...]",
    "triu_indices": "tuple[Array, ...]",
    "random.seed": "None",
}

RANDOM = """
class Generator:
    \"\"\"A generator with a state of its own: NumPy's, whose numbers are arrays of autojit.\"\"\"
    def __init__(self, seed: Any = ...) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

def default_rng(seed: Any = ...) -> Generator: ...
"""

COMMON = """from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

"""

ALIASES = """
_Array: TypeAlias = Any
Axes: TypeAlias = int | Sequence[int] | None
Shape: TypeAlias = int | Sequence[int]
"""


def parameter(p: inspect.Parameter) -> str:
    """A parameter with its type and whether it has a default."""
    kind = TYPES.get(p.name, "ArrayLike | Any" if p.default is p.empty else "Any")
    if p.kind is p.VAR_POSITIONAL:
        return f"*{p.name}: Any"
    return f"{p.name}: {kind}" + ("" if p.default is p.empty else " = ...")


def function(
    full: str, *, method: bool = False, keyword_names: tuple[str, ...] = ("where",)
) -> str:
    """A function of the table as a stub."""
    named = FUNCTIONS[full]
    parameters = list(inspect.signature(named).parameters.values())
    parts = [parameter(p) for p in parameters]
    if method:
        parts[0] = "self"
    name = named.__name__
    result = RESULTS.get(full, "Array")
    doc = (named.__doc__ or "").strip().replace("\\", "\\\\")
    indent = "    " if method else ""
    return f'{indent}def {name}({", ".join(parts)}) -> {result}:\n{indent}    """{doc}"""\n'


def plain(function: object) -> str:
    """A function that is written in Python as a stub."""
    doc = (function.__doc__ or "").strip()
    signature = str(inspect.signature(function)).replace("'", "")
    return f'def {function.__name__}{signature}:\n    """{doc}"""\n'


def exported(module: str) -> list[str]:
    """The full names of the functions of a module."""
    prefix = f"{module}." if module else ""
    skipped = {"getitem", "scatter", *(f"linalg.{name}" for name in autojit.linalg._own)}
    return [
        full
        for full in FUNCTIONS
        if full.startswith(prefix) and "." not in full[len(prefix) :] and full not in skipped
    ]


def submodule(module: str) -> str:
    """The stub of a submodule."""
    text = HEAD + COMMON + "from . import Array\n"
    if module == "linalg":
        text += "from ._results import EighResult, EigResult, SlogdetResult\n"
    text += ALIASES.replace("_Array: TypeAlias = Any\n", "") + "\n"
    text += "\n".join(function(full) for full in exported(module))
    if module == "linalg":
        for name in autojit.linalg._own:
            text += "\n" + plain(getattr(autojit.linalg, name))
    if module == "random":
        text += RANDOM
    return text


def array_class() -> str:
    """The class of arrays: its own methods, and those of the table."""
    lines = ["class Array:", f'    """{(_autojit.Array.__doc__ or "").strip()}"""', ""]
    properties = {
        "shape": "tuple[int, ...]",
        "dtype": "np.dtype[Any]",
        "ndim": "int",
        "size": "int",
        "itemsize": "int",
        "nbytes": "int",
        "device": "str",
        "is_lazy": "bool",
        "at": "Any",
    }
    results = {
        "__bool__": "bool",
        "__len__": "int",
        "__float__": "float",
        "__int__": "int",
        "__complex__": "complex",
        "__index__": "int",
        "__repr__": "str",
        "__str__": "str",
        "__format__": "str",
        "__contains__": "bool",
        "__setitem__": "None",
        "__delitem__": "None",
        "sort": "None",
        "__array__": "np.ndarray[Any, Any]",
        "numpy": "np.ndarray[Any, Any]",
        "tolist": "Any",
        "item": "Any",
        "__iter__": "Any",
        "__reduce__": "Any",
        "show": "str",
        "plot": "Picture",
        "__array_namespace__": "Any",
        "__array_ufunc__": "Any",
        "__array_function__": "Any",
    }
    inherited = set(dir(object)) - {
        "__repr__",
        "__str__",
        "__eq__",
        "__ne__",
        "__lt__",
        "__le__",
        "__gt__",
        "__ge__",
    }
    for name in sorted(vars(_autojit.Array)):
        member = vars(_autojit.Array)[name]
        if (
            name in inherited
            and name not in {"__reduce__", "__format__"}
            or name in {"__doc__", "__module__", "__hash__", "__weakref__"}
        ):
            continue
        if isinstance(member, _autojit.Function):
            full = name if name in FUNCTIONS else None
            lines.append(function(full or name, method=True).rstrip("\n"))
        elif inspect.isgetsetdescriptor(member) or inspect.ismemberdescriptor(member):
            lines.append(
                f"    @property\n    def {name}(self) -> {properties.get(name, 'Array')}: ..."
            )
        else:
            try:
                signature = inspect.signature(member)
                parameters = ", ".join(typed(signature)) or "self"
            except ValueError:
                parameters = "self, *args: Any"
            lines.append(f"    def {name}({parameters}) -> {results.get(name, 'Array')}: ...")
    return "\n".join(lines) + "\n"


def typed(signature: inspect.Signature) -> list[str]:
    """The parameters of a method, of any type."""
    parts, star = [], False
    for p in signature.parameters.values():
        if p.name == "self":
            parts.append("self")
            continue
        if p.kind is p.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        star = star or p.kind is p.VAR_POSITIONAL
        prefix = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        default = "" if p.default is p.empty else " = ..."
        parts.append(f"{prefix}{p.name}: Any{default}")
    return parts


def package() -> str:
    """The stub of the package itself."""
    text = HEAD + COMMON
    text += "from . import array_api as array_api, fft as fft, lazy as lazy, linalg as linalg, random as random, scipy as scipy, special as special\n"
    api = [
        "grad",
        "hessian",
        "jacobian",
        "jit",
        "jvp",
        "stop_gradient",
        "value_and_grad",
        "vjp",
        "vmap",
    ]
    text += "from ._api import " + ", ".join(f"{name} as {name}" for name in api) + "\n"
    for module in (_array_api, _contract, _control, _pools):
        names = [name for name in module.__all__ if name in autojit._own]
        text += f"from .{module.__name__.removeprefix('autojit.')} import "
        text += ", ".join(f"{name} as {name}" for name in names) + "\n"
    text += "from ._integrations import install_as as install_as\n"
    made = sorted(name for name in autojit._creation.__dict__ if name in autojit._own)
    made = [
        name
        for name in made
        if getattr(getattr(autojit, name), "__module__", "") == "autojit._creation"
    ]
    text += "from ._creation import " + ", ".join(f"{name} as {name}" for name in made) + "\n"
    classes = [
        "Array",
        "CompiledFunction",
        "ContractionPlan",
        "ExportedFunction",
        "ExportedFunctions",
        "Explanation",
        "Profile",
        "TracingError",
        "asarray",
        "backends",
        "contraction_plan_from_json",
        "load",
        "register_pytree",
    ]
    text += "from ._autojit import " + ", ".join(f"{name} as {name}" for name in classes) + "\n"
    text += ALIASES.replace("_Array: TypeAlias = Any\n", "")
    dtypes = [
        name for name in autojit._own if isinstance(getattr(autojit, name), autojit._numpy.dtype)
    ]
    text += "\n" + "".join(f"{name}: np.dtype[Any]\n" for name in dtypes if name != "bool")
    text += "pi: float\ne: float\ninf: float\nnan: float\nnewaxis: None\n"
    text += "__version__: str\n__array_api_version__: str\n\n"
    functions = [full for full in exported("")]
    text += "\n".join(function(full) for full in functions)
    # Last, as it hides the type of Python's truth values.
    return text + "\nbool: Any\n"


def extension() -> str:
    """The stub of the extension module."""
    text = HEAD + COMMON + ALIASES.replace("_Array: TypeAlias = Any\n", "") + "\n"
    text += array_class()
    text += """
class TracingError(TypeError): ...

class Function:
    def __call__(self, *args: Any, **keywords: Any) -> Any: ...

class CompiledFunction:
    def __init__(self, function: Any, name: str, static_names: list[str], static_positions: list[int], backend: str | None, options: dict[str, Any]) -> None: ...
    def __call__(self, *args: Any, **keywords: Any) -> Any: ...
    def explain(self, *args: Any, **keywords: Any) -> Explanation: ...
    def graph(self, *args: Any, **keywords: Any) -> str: ...
    def compile(self, *args: Any, **keywords: Any) -> None: ...
    def exported(self, *args: Any, **keywords: Any) -> ExportedFunction: ...
    def exported_kinds(self) -> list[ExportedFunction]: ...
    def export(self, *args: Any, path: Any = ..., **keywords: Any) -> None: ...
    def profile(self, *args: Any, **keywords: Any) -> Profile: ...
    def clear(self) -> None: ...
    @property
    def stats(self) -> dict[str, Any]: ...

class Explanation:
    backend: str
    graph: str
    traced_nodes: int
    optimized_nodes: int
    seconds: dict[str, float]
    def to_html(self) -> str: ...

class ExportedFunction:
    signature: str
    results: str
    graph: str
    def __call__(self, *args: Any, **keywords: Any) -> Any: ...
    def save(self, path: Any) -> None: ...
    def explain(self) -> Explanation: ...

class ExportedFunctions:
    functions: tuple[ExportedFunction, ...]
    def __init__(self, functions: Sequence[ExportedFunction]) -> None: ...
    def __call__(self, *args: Any, **keywords: Any) -> Any: ...

class Profile:
    backend: str
    runs: int
    total: float
    steps: list[dict[str, Any]]

class ContractionPlan:
    path: list[tuple[int, int]]
    ssa_path: list[tuple[int, int]]
    operations: float
    largest: float
    written: float
    slices: int
    sliced: tuple[Any, ...]
    inputs: tuple[tuple[Any, ...], ...]
    output: tuple[Any, ...]
    shapes: tuple[tuple[int, ...], ...]
    def memory(self, dtype: DTypeLike | None = ..., threads: int = ...) -> int: ...
    def to_json(self) -> str: ...
    def contract(self, operands: Sequence[Any]) -> Array: ...
    def compile(self) -> CompiledContraction: ...
    def __hash__(self) -> int: ...

class CompiledContraction:
    calls: int
    def run(self, operands: Sequence[Any], *, threads: int | None, memory_limit: int | None, checkpoint: str | None, checkpoint_interval: float, progress: Any) -> Array: ...
    def memory(self, operands: Sequence[Any], threads: int = ...) -> int: ...
    def sum_calls(self, operands: Sequence[Any], first: int, end: int) -> list[tuple[Array, Array]]: ...
    def distribute(self, operands: Sequence[Any], *, memory_limit: int | None, checkpoint: str | None, checkpoint_interval: float) -> DistributedContraction: ...

class DistributedContraction:
    next_call: int
    progress: tuple[int, int, float]
    def add(self, sum: Any, lost: Any) -> None: ...
    def save(self) -> None: ...
    def result(self) -> Array: ...

class Picture:
    def to_svg(self) -> str: ...
    def to_html(self) -> str: ...
    def save(self, path: Any) -> None: ...

class Pullback:
    def __call__(self, cotangent: Any) -> Any: ...

def asarray(obj: ArrayLike | Any, /, dtype: DTypeLike = ..., *, copy: bool | None = ..., device: str | None = ...) -> Array: ...
def backends() -> list[str]: ...
def register_pytree(class_: type, flatten: Any, unflatten: Any) -> None: ...
def all_functions() -> dict[str, Function]: ...
def lazy_array(x: ArrayLike | Any) -> Array: ...
def lazy_variable(shape: Sequence[int], dtype: DTypeLike) -> Array: ...
def lazy_compute(arrays: Sequence[Any]) -> list[Array]: ...
def value_and_grad(name: str, function: Any, chosen: list[int], has_aux: bool, args: tuple[Any, ...], keywords: dict[str, Any] | None) -> tuple[Any, Any]: ...
def stop_gradient(x: Any) -> Any: ...
def vjp(function: Any, args: tuple[Any, ...]) -> tuple[Any, Pullback]: ...
def jvp(function: Any, args: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]: ...
def vmap(function: Any, in_axes: Any, out_axes: Any, args: tuple[Any, ...]) -> Any: ...
def scan(function: Any, init: Any, xs: Any, length: int | None, reverse: bool) -> tuple[Any, Any]: ...
def fori_loop(lower: Any, upper: Any, body: Any, init: Any) -> Any: ...
def while_loop(condition: Any, body: Any, init: Any, limit: int | None) -> Any: ...
def switch(index: Any, branches: list[Any], operands: tuple[Any, ...], is_cond: bool) -> Any: ...
def checkpoint(function: Any, args: tuple[Any, ...], keywords: dict[str, Any] | None) -> Any: ...
def custom_vjp(function: Any, forward: Any, backward: Any, args: tuple[Any, ...]) -> Any: ...
def load(path: Any, backend: str | None = ...) -> ExportedFunction: ...
def exported_from_bytes(bytes: bytes, backend: str | None, statics: Any, entries: Any) -> ExportedFunction: ...
def contraction_plan_search(network: Any, shapes: Sequence[Sequence[int]], *, seed: int, steps: int | None, seconds: float | None, largest: float | None, slice_output: bool) -> ContractionPlan: ...
def contraction_plan_in_order(network: Any, shapes: Sequence[Sequence[int]], search: str) -> ContractionPlan: ...
def contraction_plan_along(network: Any, shapes: Sequence[Sequence[int]], path: Sequence[Sequence[int]], sliced: Sequence[tuple[int, int]], is_ssa: bool = ...) -> ContractionPlan: ...
def contraction_plan_from_json(text: str) -> ContractionPlan: ...
def derivatives(function: Any, order: int, x: Any) -> Any: ...
"""
    return text


def main() -> None:
    """Writes or checks the files."""
    files = {"__init__.pyi": package(), "_autojit.pyi": extension()}
    for module in ("linalg", "fft", "random", "special"):
        files[f"{module}.pyi"] = submodule(module)
    stale = []
    for name, text in files.items():
        path = FOLDER / name
        if path.exists() and path.read_text() == text:
            continue
        stale.append(name)
        if "--check" not in sys.argv:
            path.write_text(text)
    if "--check" in sys.argv and stale:
        sys.exit(f"{', '.join(stale)} differ from the table of functions; run python/stubs.py")


if __name__ == "__main__":
    main()

"""Other packages that know autojit: autoray compiles with it, and quimb optimises with it.

Neither is imported from here. What they need to know is told to them once they are imported, before or after autojit.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np

from . import _api, _creation

__all__ = ["install", "install_as"]


class AutorayCompiler:
    """What ``autoray.autojit(f, backend="autojit")`` compiles with."""

    def __init__(self, function: Callable[..., Any], **options: Any) -> None:
        self._compiled = _api.jit(function, **options)

    def __call__(self, *args: Any, array_backend: str | None = None, **kwargs: Any) -> Any:
        if array_backend in (None, "autojit", "numpy", "builtins"):
            return self._compiled(*args, **kwargs)
        import autoray

        args, kwargs = autoray.tree_map(autoray.to_numpy, (args, kwargs), autoray.is_array)
        result = self._compiled(*args, **kwargs)
        return autoray.tree_map(
            lambda x: autoray.do("asarray", x, like=array_backend), result, autoray.is_array
        )


class QuimbHandler:
    """What ``quimb.tensor.TNOptimizer(autodiff_backend="autojit")`` differentiates with."""

    def __init__(self, jit_fn: bool = True, device: str | None = None, **options: Any) -> None:
        if device not in (None, "cpu"):
            raise ValueError("autojit computes on the CPU")
        self._jit = jit_fn
        self._options = options

    def to_variable(self, x: Any) -> np.ndarray:
        """A parameter of the optimisation."""
        return np.asarray(x)

    def to_constant(self, x: Any) -> np.ndarray:
        """An array that is not optimised."""
        return np.asarray(x)

    def setup_fn(self, function: Callable[[Any], Any]) -> None:
        """Sets the function of a tree of arrays that is optimised."""

        def hessian_product(primals: Any, tangents: Any) -> Any:
            return _api.jvp(_api.grad(function), (primals,), (tangents,))[1]

        transforms = (function, _api.value_and_grad(function), hessian_product)
        if self._jit:
            transforms = tuple(_api.jit(f, **self._options) for f in transforms)
        self._value, self._value_and_grad, self._hessian_product = transforms

    def value(self, arrays: Any) -> Any:
        """The loss."""
        return _creation.to_numpy(self._value(arrays))

    def value_and_grad(self, arrays: Any) -> tuple[Any, Any]:
        """The loss and its gradient, which is the direction of steepest ascent, as quimb takes it."""
        return self._value_and_grad(arrays)

    def hessp(self, primals: Any, tangents: Any) -> Any:
        """The product of the Hessian with a vector."""
        return self._hessian_product(primals, tangents)


#: Names of backends that autojit compiles for in the place of autoray itself.
_installed: list[str] = []


def install_as(backend: str = "numpy") -> None:
    """Makes autojit what ``autoray.autojit`` compiles with for arrays of a backend, by default for NumPy's.

    Code that calls ``autoray.autojit(f)`` on NumPy arrays is then compiled without a change. Other arrays are converted to NumPy's
    and back.

    Examples
    --------
    >>> import autojit
    >>> autojit.install_as("numpy")  # doctest: +SKIP
    """
    if not isinstance(backend, str):
        raise TypeError(f"the backend is a name such as 'numpy', got {backend!r}")
    if backend not in _installed:
        _installed.append(backend)
    if "autoray.compiler" in sys.modules:
        _tell_autoray(sys.modules["autoray.compiler"])


def _tell_autoray(module: ModuleType) -> None:
    for name in ("autojit", *_installed):
        module._compiler_lookup[name] = AutorayCompiler
    # What autoray found for a backend before.
    module._backend_lookup.clear()


def _tell_quimb(module: ModuleType) -> None:
    module._BACKEND_HANDLERS["autojit"] = QuimbHandler


_LISTENERS = {"autoray.compiler": _tell_autoray, "quimb.tensor.optimize": _tell_quimb}


class _AfterImport:
    """Finds a module as the finders after it do, and calls a function once the module was loaded."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """The module's own specification, with a loader that tells it of autojit."""
        listener = _LISTENERS.get(name)
        if listener is None:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                _call_after(spec.loader, listener)
                return spec
        return None


def _call_after(loader: Any, listener: Callable[[ModuleType], None]) -> None:
    load = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        load(module)
        listener(module)

    loader.exec_module = exec_module


def install() -> None:
    """Tells packages that are imported, and those that will be."""
    for name, listener in _LISTENERS.items():
        if name in sys.modules:
            listener(sys.modules[name])
    sys.meta_path.insert(0, _AfterImport())

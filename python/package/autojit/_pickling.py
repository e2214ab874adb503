"""How compiled functions are pickled: by their names where they have one, else by what was traced of them."""

from __future__ import annotations

import pickle
import sys
from typing import Any

from ._autojit import CompiledFunction, ExportedFunctions

__all__ = ["reduce_compiled"]


def reduce_compiled(compiled: CompiledFunction, made_with: tuple[Any, ...]) -> Any:
    """What `pickle` wants to know of a compiled function.

    A function that a module has under its name is pickled as that name, as Python's functions are. A compiled function of an
    importable function is made again from it. Of any other, such as a compiled lambda, the graphs are pickled that were traced for
    the kinds of arguments it was called with; they are compiled again where they arrive.
    """
    function = compiled.__wrapped__
    module = getattr(function, "__module__", None)
    name = getattr(function, "__qualname__", None)
    if module is not None and name is not None and _found(module, name) is compiled:
        return _named, (module, name)
    try:
        pickle.dumps(function)
    except Exception as error:
        kinds = compiled.exported_kinds()
        if not kinds:
            raise pickle.PicklingError(
                f"{compiled!r} cannot be pickled: its function cannot be imported by a name, and it was not called yet, so "
                "nothing was traced that could be pickled in its place"
            ) from error
        return ExportedFunctions, (kinds,)
    return _compiled, (function, *made_with)


def _found(module: str, name: str) -> Any:
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _named(module: str, name: str) -> Any:
    __import__(module)
    return _found(module, name)


def _compiled(function: Any, *made_with: Any) -> CompiledFunction:
    """A compiled function made as another one was, whose class cannot be pickled by its module, which is that of its function."""
    return CompiledFunction(function, *made_with)

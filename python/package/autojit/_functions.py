"""The functions of the table of names, for the modules that export them."""

from typing import Any

from ._autojit import Function, all_functions

# Of the object rather than of its class, which the extension module cannot say.
Function.__doc__ = property(lambda self: self.doc)  # type: ignore[assignment]

#: All functions by their full names, such as ``"linalg.norm"``.
FUNCTIONS: dict[str, Function] = all_functions()

#: What stands for a function of NumPy that is called with arrays of autojit, by its full name.
OF_NUMPY: dict[str, Any] = dict(FUNCTIONS)

# What Python has syntax for: ``x[key]`` and ``x.at[key]``.
_SYNTAX = {"getitem", "scatter"}


def export(module: str, namespace: dict[str, Any]) -> list[str]:
    """Puts the functions of a module into its namespace, and gives their names."""
    prefix = f"{module}." if module else ""
    names = []
    for full, function in FUNCTIONS.items():
        if not full.startswith(prefix) or "." in full[len(prefix) :] or full in _SYNTAX:
            continue
        name = full[len(prefix) :]
        namespace[name] = function
        names.append(name)
    return sorted(names)

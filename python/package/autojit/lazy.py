"""Lazy arrays: computations that are written down instead of being run, to look at them and to run them later.

>>> import autojit
>>> x = autojit.lazy.variable((2, 2))
>>> y = autojit.tanh(x @ x)
>>> y
Array(lazy f64[2,2])
"""

from __future__ import annotations

from typing import Any

from ._autojit import Array, lazy_array, lazy_compute, lazy_variable

__all__ = ["array", "compute", "variable"]


def array(x: Any) -> Array:
    """A lazy array with the values of another one: what is computed from it is written down."""
    return lazy_array(x)


def variable(shape: Any, dtype: Any = "float64") -> Array:
    """A lazy array without values, which stands for an argument."""
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    return lazy_variable(shape, dtype)


def compute(*arrays: Array) -> Any:
    """The values of lazy arrays; what they have in common is computed once."""
    computed = lazy_compute(list(arrays))
    return computed[0] if len(computed) == 1 else tuple(computed)

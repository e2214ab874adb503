"""Written by stubs.py from the table of functions."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from . import Array

Axes: TypeAlias = int | Sequence[int] | None
Shape: TypeAlias = int | Sequence[int]

def choice(a: ArrayLike | Any, size: Any = ..., replace: Any = ..., p: Any = ...) -> Array:
    """A random sample of the items of an array."""

def exponential(scale: Any = ..., size: Any = ..., dtype: DTypeLike = ...) -> Array:
    """Exponentially distributed numbers."""

def integers(low: ArrayLike | Any, high: Any = ..., size: Any = ..., dtype: DTypeLike = ..., endpoint: Any = ...) -> Array:
    """Random integers from `low` to below `high`."""

def normal(loc: Any = ..., scale: Any = ..., size: Any = ..., dtype: DTypeLike = ...) -> Array:
    """Normally distributed numbers."""

def permutation(x: ArrayLike | Any) -> Array:
    """The items along the first axis in random order, or those of `range(x)`."""

def randint(low: ArrayLike | Any, high: Any = ..., size: Any = ..., dtype: DTypeLike = ..., endpoint: Any = ...) -> Array:
    """Random integers from `low` to below `high`."""

def random(size: Any = ..., dtype: DTypeLike = ...) -> Array:
    """Random numbers from 0 to 1."""

def seed(seed: ArrayLike | Any) -> None:
    """Seeds the generator of the process."""

def standard_normal(size: Any = ..., dtype: DTypeLike = ...) -> Array:
    """Normally distributed numbers with mean 0 and standard deviation 1."""

def uniform(low: Any = ..., high: Any = ..., size: Any = ..., dtype: DTypeLike = ...) -> Array:
    """Evenly distributed numbers of an interval."""

class Generator:
    """A generator with a state of its own: NumPy's, whose numbers are arrays of autojit."""
    def __init__(self, seed: Any = ...) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

def default_rng(seed: Any = ...) -> Generator: ...

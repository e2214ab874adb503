"""Written by stubs.py from the table of functions."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from . import Array

Axes: TypeAlias = int | Sequence[int] | None
Shape: TypeAlias = int | Sequence[int]

def erf(x: ArrayLike | Any) -> Array:
    """The error function: `2 / sqrt(pi)` times the integral of `exp(-t * t)` from 0 to `x`."""

def erfc(x: ArrayLike | Any) -> Array:
    """The complementary error function: `1 - erf(x)`, accurate where that is small."""

def gammaln(x: ArrayLike | Any) -> Array:
    """The logarithm of the magnitude of the gamma function; infinite at zero and the negative integers."""

def i0(x: ArrayLike | Any) -> Array:
    """The modified Bessel function of the first kind of order zero, of the magnitude of real numbers."""

def log_softmax(x: ArrayLike | Any, axis: Axes = ...) -> Array:
    """The logarithm of `softmax`, without cancellation."""

def logsumexp(a: ArrayLike | Any, axis: Axes = ..., keepdims: bool = ...) -> Array:
    """`log(sum(exp(x)))` over axes, without overflow on the way."""

def softmax(x: ArrayLike | Any, axis: Axes = ...) -> Array:
    """`exp(x)` divided by its sum over axes, without overflow on the way."""

"""Written by stubs.py from the table of functions."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from . import Array

Axes: TypeAlias = int | Sequence[int] | None
Shape: TypeAlias = int | Sequence[int]

def fft(a: ArrayLike | Any, n: Any = ..., axis: Axes = ..., norm: Any = ...) -> Array:
    """The Fourier transform along one axis: `sum over t of x[t] exp(-2 pi i t f / n)`, complex."""

def fft2(a: ArrayLike | Any, s: Any = ..., axes: Any = ..., norm: Any = ...) -> Array:
    """The Fourier transform along two axes, the last two by default."""

def fftfreq(n: ArrayLike | Any, d: Any = ..., dtype: DTypeLike = ..., device: Any = ...) -> Array:
    """The frequencies of `fft` of a signal of this length, in cycles per unit of the distance `d` of samples: rising from zero, then the negative ones. `float64` by default."""

def fftn(a: ArrayLike | Any, s: Any = ..., axes: Any = ..., norm: Any = ...) -> Array:
    """The Fourier transform along several axes, all by default, or the last ones if sizes are given."""

def fftshift(x: ArrayLike | Any, axes: Any = ...) -> Array:
    """The zero frequency moved to the middle of the axes, all by default."""

def hfft(a: ArrayLike | Any, n: Any = ..., axis: Axes = ..., norm: Any = ...) -> Array:
    """The Fourier transform of a sequence whose second half is the conjugate of the first, which is given: real. The length of the result is `n`, by default `2 (m - 1)` for an axis of length `m`."""

def ifft(a: ArrayLike | Any, n: Any = ..., axis: Axes = ..., norm: Any = ...) -> Array:
    """The inverse Fourier transform along one axis, complex."""

def ifft2(a: ArrayLike | Any, s: Any = ..., axes: Any = ..., norm: Any = ...) -> Array:
    """The inverse Fourier transform along two axes, the last two by default."""

def ifftn(a: ArrayLike | Any, s: Any = ..., axes: Any = ..., norm: Any = ...) -> Array:
    """The inverse Fourier transform along several axes, all by default, or the last ones if sizes are given."""

def ifftshift(x: ArrayLike | Any, axes: Any = ...) -> Array:
    """The inverse of `fftshift`."""

def ihfft(a: ArrayLike | Any, n: Any = ..., axis: Axes = ..., norm: Any = ...) -> Array:
    """The inverse of `hfft`: of real numbers the first `n / 2 + 1` elements."""

def irfft(a: ArrayLike | Any, n: Any = ..., axis: Axes = ..., norm: Any = ...) -> Array:
    """The inverse of `rfft`, real. The length of the result is `n`, by default `2 (m - 1)` for an axis of length `m`; imaginary parts that a transform of real numbers does not have are ignored."""

def irfftn(a: ArrayLike | Any, s: Any = ..., axes: Any = ..., norm: Any = ...) -> Array:
    """The inverse of `rfftn`, real."""

def rfft(a: ArrayLike | Any, n: Any = ..., axis: Axes = ..., norm: Any = ...) -> Array:
    """The Fourier transform of real numbers along one axis: the first `n / 2 + 1` elements, of which the others are conjugates."""

def rfftfreq(n: ArrayLike | Any, d: Any = ..., dtype: DTypeLike = ..., device: Any = ...) -> Array:
    """The frequencies of `rfft` of a signal of this length, as `fftfreq` but none negative."""

def rfftn(a: ArrayLike | Any, s: Any = ..., axes: Any = ..., norm: Any = ...) -> Array:
    """The Fourier transform of real numbers along several axes, all by default, or the last ones if sizes are given: along the last of them as `rfft`, then along the others as `fft`."""

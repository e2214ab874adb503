"""Fourier transforms, as numpy.fft."""

from ._functions import export

__all__ = export("fft", globals())

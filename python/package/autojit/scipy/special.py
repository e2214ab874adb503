"""Special functions, as scipy.special."""

from .._functions import export

__all__ = export("special", globals())

"""Linear algebra, as scipy.linalg."""

from .._functions import export

__all__ = export("linalg", globals())

"""Linear algebra, as numpy.linalg."""

from ._functions import export

__all__ = export("linalg", globals())

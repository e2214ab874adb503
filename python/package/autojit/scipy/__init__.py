"""Functions that SciPy has, where autoray looks for them."""

from . import linalg, special

__all__ = ["linalg", "special"]

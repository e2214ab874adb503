"""The results of decompositions, with NumPy's names."""

from typing import NamedTuple

from ._autojit import Array

__all__ = ["EigResult", "EighResult", "QRResult", "SVDResult", "SlogdetResult"]


class SVDResult(NamedTuple):
    """``U @ diag(S) @ Vh``."""

    U: "Array"
    S: "Array"
    Vh: "Array"


class QRResult(NamedTuple):
    """``Q @ R``."""

    Q: "Array"
    R: "Array"


class EighResult(NamedTuple):
    """The eigenvalues in ascending order, and the eigenvectors as columns."""

    eigenvalues: "Array"
    eigenvectors: "Array"


class EigResult(NamedTuple):
    """The eigenvalues, and the eigenvectors as columns."""

    eigenvalues: "Array"
    eigenvectors: "Array"


class SlogdetResult(NamedTuple):
    """The sign of a determinant, and the logarithm of its absolute value."""

    sign: "Array"
    logabsdet: "Array"

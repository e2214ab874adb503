"""What the package can do, as the inspection functions of the Python array API say it."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["DTYPES", "NamespaceInfo"]

#: The dtypes of arrays, which are names of the package too.
DTYPES: dict[str, np.dtype] = {
    name: np.dtype(name)
    for name in (
        "bool",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float32",
        "float64",
        "complex64",
        "complex128",
    )
}

_MOST_AXES = 64


class NamespaceInfo:
    """Capabilities, devices and dtypes of the package, as ``autojit.__array_namespace_info__()`` gives them.

    Examples
    --------
    >>> import autojit
    >>> sorted(autojit.__array_namespace_info__().dtypes(kind="integral"))
    ['int16', 'int32', 'int64', 'int8', 'uint16', 'uint32', 'uint64', 'uint8']
    """

    def capabilities(self) -> dict[str, Any]:
        """What differs between libraries: masks as indices, shapes that depend on values, the most axes."""
        return {
            "boolean indexing": True,
            "data-dependent shapes": True,
            "max dimensions": _MOST_AXES,
        }

    def default_device(self) -> str:
        """Where arrays are made: ``"cpu"``."""
        return "cpu"

    def devices(self) -> tuple[str, ...]:
        """Where arrays can be."""
        return ("cpu",)

    def default_dtypes(self, *, device: str | None = None) -> dict[str, np.dtype]:
        """The dtypes of numbers that say none."""
        _check_device(device)
        return {
            "real floating": DTYPES["float64"],
            "complex floating": DTYPES["complex128"],
            "integral": DTYPES["int64"],
            "indexing": DTYPES["int64"],
        }

    def dtypes(
        self, *, device: str | None = None, kind: str | tuple[str, ...] | None = None
    ) -> dict[str, np.dtype]:
        """The dtypes that arrays can have, those of a kind such as ``"integral"`` or of several kinds."""
        _check_device(device)
        if kind is None:
            return dict(DTYPES)
        return {name: dtype for name, dtype in DTYPES.items() if np.isdtype(dtype, kind)}


def _check_device(device: str | None) -> None:
    if device not in (None, "cpu"):
        raise ValueError(f'the only device is "cpu", got {device!r}')

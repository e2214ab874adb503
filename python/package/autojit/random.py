"""Random numbers of the generator of the process, as numpy.random.

In a compiled function numbers are drawn anew in each call. A generator object of `default_rng` has a state of its own, as NumPy's:
it draws where it is called, so in a compiled function once, when the function is traced.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as _np

from ._autojit import asarray as _asarray
from ._functions import export

_functions = export("random", globals())


class Generator:
    """A generator with a state of its own: NumPy's ``numpy.random.Generator``, whose numbers are arrays of autojit."""

    def __init__(self, seed: Any = None) -> None:
        self._numpy = _np.random.default_rng(seed)

    def __repr__(self) -> str:
        return f"autojit.random.{self._numpy!r}"


def default_rng(seed: Any = None) -> Generator:
    """A generator with a state of its own, as ``numpy.random.default_rng``.

    It draws where it is called: in a compiled function once, when it is traced. The functions of ``autojit.random`` draw in each
    call.
    """
    return seed if isinstance(seed, Generator) else Generator(seed)


def _drawn(name: str) -> Callable[..., Any]:
    def draw(self: Generator, *args: Any, **keywords: Any) -> Any:
        return _asarray(getattr(self._numpy, name)(*args, **keywords))

    draw.__name__ = name
    draw.__qualname__ = f"Generator.{name}"
    draw.__doc__ = f"As ``numpy.random.Generator.{name}``."
    return draw


for _name in (
    "beta",
    "binomial",
    "chisquare",
    "choice",
    "exponential",
    "gamma",
    "geometric",
    "gumbel",
    "integers",
    "laplace",
    "logistic",
    "lognormal",
    "multinomial",
    "multivariate_normal",
    "normal",
    "permutation",
    "poisson",
    "random",
    "rayleigh",
    "standard_exponential",
    "standard_normal",
    "triangular",
    "uniform",
    "vonmises",
    "weibull",
):
    setattr(Generator, _name, _drawn(_name))

__all__ = sorted({*_functions, "Generator", "default_rng"})

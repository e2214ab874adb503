"""Loops and branches that are one operation, however often they run, and functions with a rule of their own for gradients."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any

from . import _autojit

__all__ = [
    "checkpoint",
    "cond",
    "custom_vjp",
    "fori_loop",
    "scan",
    "switch",
    "while_loop",
]


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """Goes through the elements of ``xs`` along the first axis with something that is carried from one to the next.

    ``f(carry, x)`` gives what is carried on and an element of the result. The results are what is carried after the last element,
    and the elements of the results, stacked. A loop of Python in a traced function is written down iteration by iteration; of this
    one the body is traced and compiled once, and it has gradients.

    Without ``xs`` there are ``length`` iterations, and ``x`` is None. With ``reverse`` it goes from the last element to the first.

    Examples
    --------
    >>> import autojit, numpy as np
    >>> total, sums = autojit.scan(lambda c, x: (c + x, c + x), 0.0, np.array([1.0, 2.0, 4.0]))
    >>> sums
    array([1., 3., 7.])
    """
    return _autojit.scan(f, init, xs, length, reverse)


def fori_loop(lower: Any, upper: Any, body: Callable[[Any, Any], Any], init: Any) -> Any:
    """What ``body(i, carry)`` carries on after the integers from ``lower`` to ``upper``, which is not among them.

    Examples
    --------
    >>> import autojit
    >>> int(autojit.fori_loop(1, 6, lambda i, product: product * i, 1))
    120
    """
    return _autojit.fori_loop(lower, upper, body, init)


def while_loop(
    condition: Callable[[Any], Any],
    body: Callable[[Any], Any],
    init: Any,
    *,
    limit: int | None = None,
) -> Any:
    """Repeats ``body`` on what is carried, as long as ``condition`` holds of it: one boolean without axes.

    With a ``limit`` it is an error if the condition still holds after so many iterations. It has derivatives in a direction, and no
    gradient: use ``scan`` or ``fori_loop`` for that.

    Examples
    --------
    >>> import autojit
    >>> float(autojit.while_loop(lambda x: x < 100, lambda x: x * 2, 1.0))
    128.0
    """
    return _autojit.while_loop(condition, body, init, limit)


def cond(
    pred: Any, true_fun: Callable[..., Any], false_fun: Callable[..., Any], *operands: Any
) -> Any:
    """What one of two functions gives for the operands. Both are traced, and only one is run.

    Examples
    --------
    >>> import autojit
    >>> x = autojit.array([3.0, -4.0])
    >>> autojit.cond(x.max() > 1, lambda x: x / 2, lambda x: x * 2, x)
    Array([ 1.5, -2. ])
    """
    return _autojit.switch(pred, [true_fun, false_fun], operands, True)


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """What one of several functions gives for the operands: that of the number ``index``, which is clipped to those there are.

    Examples
    --------
    >>> import autojit
    >>> float(autojit.switch(1, [autojit.sin, autojit.exp], 0.0))
    1.0
    """
    return _autojit.switch(index, list(branches), operands, False)


def checkpoint(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, which is computed again where its gradient is taken, in the place of keeping what it computed.

    Examples
    --------
    >>> import autojit
    >>> f = autojit.checkpoint(lambda x: autojit.sin(autojit.exp(x)))
    >>> round(float(autojit.grad(f)(0.0)), 6)
    0.540302
    """

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return _autojit.checkpoint(function, args, kwargs or None)

    return wrapped


class custom_vjp:  # noqa: N801, a decorator
    """A function with a rule of its own for gradients.

    ``defvjp(forward, backward)`` gives it: where the gradient is taken, ``forward`` runs in the place of the function and gives
    the result and whatever ``backward`` needs; ``backward(rest, cotangent)`` gives a tuple of the gradients of all arguments.

    Examples
    --------
    >>> import autojit
    >>> @autojit.custom_vjp
    ... def softplus(x):
    ...     return autojit.log1p(autojit.exp(x))
    >>> softplus.defvjp(lambda x: (softplus(x), x), lambda x, ct: (ct / (1 + autojit.exp(-x)),))
    >>> float(autojit.grad(softplus)(1000.0))
    1.0
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._rule: tuple[Callable[..., Any], Callable[..., Any]] | None = None
        self._in_forward = threading.local()

    def defvjp(self, forward: Callable[..., Any], backward: Callable[..., Any]) -> None:
        """Sets the functions that the gradient is made of."""

        def forward_once(*args: Any) -> Any:
            # The function itself may be called in its forward function, and has no rule there.
            self._in_forward.here = True
            try:
                return forward(*args)
            finally:
                self._in_forward.here = False

        self._rule = (forward_once, backward)

    def __call__(self, *args: Any) -> Any:
        if getattr(self._in_forward, "here", False):
            return self._function(*args)
        if self._rule is None:
            raise TypeError("the function has no rule yet: call defvjp(forward, backward) first")
        return _autojit.custom_vjp(self._function, *self._rule, args)

"""Transformations of functions: compiled, differentiated, batched."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from . import _autojit
from ._autojit import CompiledFunction

# Of the function rather than of its class.
CompiledFunction.__doc__ = property(lambda self: self.__wrapped__.__doc__)  # type: ignore[assignment]

__all__ = ["grad", "hessian", "jacobian", "jit", "jvp", "value_and_grad", "vjp", "vmap"]


def jit(
    function: Callable[..., Any] | None = None,
    /,
    *,
    backend: str | None = None,
    static_argnames: str | Iterable[str] = (),
    strict: bool = False,
    debug_nans: bool = False,
    fast_math: bool = False,
    reorder_products: bool = False,
    fold_limit: int | None = None,
    memory_limit: int | None = None,
    threads: int = 1,
) -> Any:
    """Compiles a function once for each kind of arguments that it is called with.

    The kind is everything about the arguments but the numbers in the arrays: structure, dtypes and shapes, and the values of
    numbers, strings and other static arguments. For a new kind the function is called once with arrays that have no values
    yet, and what it computes is compiled. So whatever else it does, such as ``print``, happens then and not at later calls;
    and ``if x > 0`` has no value to go by: use ``where``.

    Arguments and results are arrays, and tuples, lists, dicts, named tuples and dataclasses of them. Where no argument is an
    ``autojit.Array``, results are NumPy's arrays; one without axes is a NumPy scalar, as NumPy's functions give.

    Parameters
    ----------
    function
        The function; without it ``jit`` gives a decorator.
    backend
        What compiles and runs: one of ``autojit.backends()``. Native code by default.
    static_argnames
        Names of arguments that are any hashable objects, such as functions.
    strict
        Whether it is an error if the backend does not support an operation; otherwise operations run one by one then.
    debug_nans
        Whether a NaN or an infinity in a result is an error that names the operation which made it.
    fast_math
        Whether the optimiser may round otherwise and take numbers to be finite.
    reorder_products
        Whether chains of matrix products may be computed in the cheapest order.
    fold_limit
        The largest constant in bytes that is computed when compiling.
    memory_limit
        Bytes that intermediate results may take beyond what they take in the order of the program.
    threads
        The number of threads that one call may use.

    Examples
    --------
    >>> import autojit, numpy as np
    >>> double = autojit.jit(lambda x: 2 * x)
    >>> double(np.array([1.0, 2.0]))
    array([2., 4.])
    >>> double.stats["misses"]
    1
    """
    options: dict[str, Any] = {
        "strict": strict,
        "debug_nans": debug_nans,
        "fast_math": fast_math,
        "reorder_products": reorder_products,
        "memory_limit": memory_limit,
        "threads": threads,
    }
    if fold_limit is not None:
        options["fold_limit"] = fold_limit
    names = [static_argnames] if isinstance(static_argnames, str) else list(static_argnames)

    def compiled(function: Callable[..., Any]) -> CompiledFunction:
        if not callable(function):
            raise TypeError(f"jit compiles functions, got {type(function).__qualname__}")
        name = getattr(function, "__qualname__", type(function).__qualname__)
        positions = _positions_of(function, names)
        return CompiledFunction(function, name, names, positions, backend, options)

    return compiled if function is None else compiled(function)


def _positions_of(function: Callable[..., Any], names: Sequence[str]) -> list[int]:
    """Where arguments of these names stand if they are given by position."""
    if not names:
        return []
    parameters = list(inspect.signature(function).parameters.values())
    has_keywords = any(p.kind is p.VAR_KEYWORD for p in parameters)
    known = [p.name for p in parameters]
    for name in names:
        if name not in known and not has_keywords:
            raise ValueError(
                f"static_argnames has {name!r}, which is no argument of the function; there are {', '.join(known)}"
            )
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [i for i, p in enumerate(parameters) if p.kind in by_position and p.name in names]


def _chosen(argnums: int | Sequence[int], count: int, what: str) -> list[int]:
    """Positions of arguments, counted from the front."""
    given = [argnums] if isinstance(argnums, int) else list(argnums)
    if not all(isinstance(at, int) for at in given):
        raise TypeError(f"{what} takes positions of arguments as argnums, got {argnums!r}")
    chosen = [at + count if at < 0 else at for at in given]
    for at in chosen:
        if not 0 <= at < count:
            raise ValueError(
                f"{what} with argnums={argnums!r} needs that many positional arguments, got {count}; "
                "arguments to differentiate are given by position"
            )
    if len(set(chosen)) != len(chosen):
        raise ValueError(f"argnums={argnums!r} names an argument twice")
    return chosen


def value_and_grad(
    function: Callable[..., Any], argnums: int | Sequence[int] = 0, *, has_aux: bool = False
) -> Callable[..., tuple[Any, Any]]:
    """The function that gives the value of a real-valued function, and its gradient.

    The gradient has the structure of the argument; with several ``argnums`` it is a tuple. With ``has_aux`` the function gives
    a pair of the value and anything else, and so does the first result.

    For complex arrays it is the direction of steepest ascent, so that ``x - rate * gradient`` descends: PyTorch has the same
    convention, JAX's gradient is the conjugate.

    The function is traced in each call. For many calls compile it: ``jit(value_and_grad(f))``.

    Examples
    --------
    >>> import autojit, numpy as np
    >>> value, gradient = autojit.value_and_grad(lambda x: (x**2).sum())(np.array([1.0, 2.0]))
    >>> gradient
    array([2., 4.])
    """

    return _value_and_grad("value_and_grad", function, argnums, has_aux)


def _value_and_grad(
    name: str, function: Callable[..., Any], argnums: int | Sequence[int], has_aux: bool
) -> Callable[..., tuple[Any, Any]]:
    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        chosen = _chosen(argnums, len(args), name)
        value, gradients = _autojit.value_and_grad(
            name, function, chosen, has_aux, args, kwargs or None
        )
        return value, gradients[0] if isinstance(argnums, int) else gradients

    return wrapped


def grad(
    function: Callable[..., Any], argnums: int | Sequence[int] = 0, *, has_aux: bool = False
) -> Callable[..., Any]:
    """The gradient of a real-valued function; see ``value_and_grad``.

    With ``has_aux`` the result is a pair of the gradient and what the function gives besides its value.

    Examples
    --------
    >>> import autojit
    >>> float(autojit.grad(lambda x: x**3)(2.0))
    12.0
    """
    both = _value_and_grad("grad", function, argnums, has_aux)

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapped


def vjp(
    function: Callable[..., Any], *primals: Any
) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The value of a function, and its pullback: from a cotangent of the result to a tuple of gradients.

    Examples
    --------
    >>> import autojit, numpy as np
    >>> value, pullback = autojit.vjp(lambda x: 3 * x, np.array([1.0, 2.0]))
    >>> pullback(np.array([1.0, 10.0]))
    (array([ 3., 30.]),)
    """
    return _autojit.vjp(function, primals)


def jvp(
    function: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]
) -> tuple[Any, Any]:
    """The value of a function, and its derivative in a direction.

    Examples
    --------
    >>> import autojit, numpy as np
    >>> autojit.jvp(lambda x: x * x, (np.array([3.0]),), (np.array([0.5]),))
    (array([9.]), array([3.]))
    """
    return _autojit.jvp(function, tuple(primals), tuple(tangents))


def vmap(function: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0) -> Callable[..., Any]:
    """The function that does for each of many examples what a function does for one, without a loop.

    ``in_axes`` is the axis of the examples in all arguments, or a tuple with an entry for each: an axis, None for what all
    examples share, or a tuple, list or dict of these for the members of an argument. ``out_axes`` says the same of the result.

    Examples
    --------
    >>> import autojit, numpy as np
    >>> rows = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> autojit.vmap(np.dot, in_axes=(0, None))(rows, np.array([1.0, 1.0]))
    array([3., 7.])
    """

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            raise TypeError(
                "vmap maps positional arguments; bind keyword arguments with functools.partial"
            )
        axes = tuple(in_axes) if isinstance(in_axes, list) else in_axes
        if isinstance(axes, tuple) and len(axes) != len(args):
            raise ValueError(f"in_axes has {len(axes)} entries for {len(args)} arguments")
        return _autojit.vmap(function, axes, out_axes, args)

    return wrapped


def stop_gradient(x: Any) -> Any:
    """The same array, or dict, list or tuple of arrays, which no gradient flows through.

    Examples
    --------
    >>> import autojit
    >>> float(autojit.grad(lambda x: x * autojit.stop_gradient(x))(3.0))
    3.0
    """
    return _autojit.stop_gradient(x)


def jacobian(function: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """All derivatives of a function from an array to an array: of the shape of the result followed by that of the argument.

    The argument at the position ``argnums`` varies, the others stay as they are.

    Examples
    --------
    >>> import autojit, numpy as np
    >>> autojit.jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """

    return _derivatives("jacobian", function, argnums, 1)


def hessian(function: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """All second derivatives of a function from an array to one real number.

    The argument at the position ``argnums`` varies, the others stay as they are.

    Examples
    --------
    >>> import autojit, numpy as np
    >>> autojit.hessian(lambda x: x[0] * x[1])(np.array([2.0, 3.0]))
    array([[0., 1.],
           [1., 0.]])
    """

    return _derivatives("hessian", function, argnums, 2)


def _derivatives(
    name: str, function: Callable[..., Any], argnums: int, order: int
) -> Callable[..., Any]:
    if not isinstance(argnums, int):
        raise TypeError(f"{name} is by one argument, got argnums={argnums!r}")

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        (at,) = _chosen(argnums, len(args), name)

        def of_one(x: Any) -> Any:
            return function(*args[:at], x, *args[at + 1 :], **kwargs)

        return _autojit.derivatives(of_one, order, args[at])

    return wrapped

"""Contraction of tensor networks: plans, and runs of them in slices, on threads and on pools of workers."""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import _autojit, _pools
from ._autojit import Array, CompiledContraction, ContractionPlan

__all__ = ["contract", "contraction_plan"]

# Steps of the searches that find out how much must be sliced for a limit of memory.
_PROBING_STEPS = 1 << 16

# Calls that a task of a pool makes at most, tasks that there are at least, and the bytes that one gives at most.
_MOST_CALLS = 64
_TASKS = 256
_MOST_BYTES = 1 << 26


def contraction_plan(
    subscripts: Any,
    *operands: Any,
    path: Any = None,
    largest: float | None = None,
    memory_limit: int | None = None,
    dtype: Any = None,
    steps: int | None = None,
    seconds: float | None = None,
    seed: int = 0,
    slice_output: bool = True,
) -> ContractionPlan:
    """Looks for an order of contraction that takes few operations, and for labels to slice if there is a limit.

    Parameters
    ----------
    subscripts
        The network: as for ``numpy.einsum``, such as ``"ij,jk->ik"``; or a pair of the labels of all operands and those of the
        result, which are any hashable objects; or a ``ContractionTree`` of cotengra, which is a plan already.
    operands
        Arrays, or their shapes as tuples or lists of integers. A tree of cotengra knows the shapes.
    path
        An order, so that there is no search: a path of opt_einsum, a plan, a tree of cotengra with its sliced indices, or
        ``"auto"``, ``"greedy"`` or ``"optimal"``.
    largest
        The most elements of an array that a contraction gives; labels are sliced until all are below.
    memory_limit
        The most bytes that a contraction of such a dtype takes, by an estimate.
    dtype
        That of the operands; by default that of the arrays, or float64.
    steps, seconds
        How long the search takes, by a count or by time, whichever ends first. By default it is a million steps, which take
        about a second or less, and the plan is the same on every machine.
    seed
        Where random choices start.
    slice_output
        Whether labels of the result may be sliced.

    Raises
    ------
    ValueError
        The network, a shape, a path or an option is wrong, or the limit cannot be met by slicing.
    MemoryError
        No slices need as little as ``memory_limit``.

    Examples
    --------
    >>> import autojit
    >>> plan = autojit.contraction_plan("ab,bc,cd->ad", (2, 30), (30, 40), (40, 50))
    >>> plan.path, plan.operations
    ([(0, 1), (0, 1)], 6400.0)
    """
    if isinstance(subscripts, ContractionPlan) or _is_tree(subscripts):
        if path is not None:
            raise TypeError("a plan has its path already")
        path, network, shapes = _known(subscripts)
        if operands:
            shapes = tuple(_shape_of(operand) for operand in operands)
    else:
        network = _network_of(subscripts)
        shapes = tuple(_shape_of(operand) for operand in operands)
    if path is not None:
        if largest is not None or memory_limit is not None:
            raise ValueError("limits are met by a search, but there is a path already")
        return _along(network, shapes, path)
    options = {"seed": seed, "steps": steps, "seconds": seconds, "slice_output": slice_output}
    if memory_limit is None:
        return _autojit.contraction_plan_search(network, shapes, largest=largest, **options)
    if dtype is None:
        dtypes = [x.dtype for x in operands if hasattr(x, "dtype")]
        dtype = np.result_type(*dtypes) if dtypes else np.float64
    return _within(network, shapes, memory_limit, np.dtype(dtype), largest, options)


def _within(
    network: Any,
    shapes: Sequence[tuple[int, ...]],
    limit: int,
    dtype: np.dtype,
    largest: float | None,
    options: dict[str, Any],
) -> ContractionPlan:
    """The plan with the least slicing that a limit of memory allows."""
    own = sum(math.prod(shape) for shape in shapes) * dtype.itemsize
    if own > limit:
        raise MemoryError(f"the operands alone take {own} bytes, more than the limit of {limit}")
    search = functools.partial(_autojit.contraction_plan_search, network, shapes)
    plan = search(largest=largest, **options)
    if plan.memory(dtype) <= limit:
        return plan
    probing = {**options, "steps": min(options["steps"] or _PROBING_STEPS, _PROBING_STEPS)}
    elements = min(plan.largest, limit / dtype.itemsize)
    least = plan.memory(dtype)
    while elements >= 1:
        try:
            found = search(largest=elements, **probing)
        except ValueError:
            # There is nothing left to slice.
            break
        least = min(least, found.memory(dtype))
        if found.memory(dtype) <= limit:
            better = search(largest=elements, **options)
            return better if better.memory(dtype) <= limit else found
        elements /= 2
    raise MemoryError(
        f"the contraction takes at least {least} bytes however it is sliced, more than the limit of {limit}"
    )


@functools.lru_cache(maxsize=64)
def _searched(
    network: Any, shapes: tuple[tuple[int, ...], ...], limit: int | None, dtype: np.dtype
) -> ContractionPlan:
    """A plan as `contract` looks for it: once for each network."""
    return contraction_plan(network, *shapes, memory_limit=limit, dtype=dtype)


def _shape_of(operand: Any) -> tuple[int, ...]:
    if isinstance(operand, (tuple, list)) and all(
        isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in operand
    ):
        if any(n < 0 for n in operand):
            raise ValueError(f"an axis cannot have a negative length, as in the shape {operand}")
        return tuple(int(n) for n in operand)
    return tuple(operand.shape) if hasattr(operand, "shape") else np.shape(operand)


def _network_of(subscripts: Any) -> Any:
    """Subscripts, or labels as numbers in the order of their appearance."""
    if isinstance(subscripts, str):
        return subscripts
    try:
        inputs, output = subscripts
        numbers: dict[Any, int] = {}
        number = lambda labels: tuple(numbers.setdefault(x, len(numbers)) for x in labels)
        return tuple(number(labels) for labels in inputs), number(output)
    except (TypeError, ValueError) as error:
        raise TypeError(
            "a network is given by subscripts such as 'ij,jk->ik', by a pair of the labels of all operands and those of the "
            f"result, by a plan, or by a tree of cotengra; got {type(subscripts).__qualname__}"
        ) from error


def _is_tree(value: Any) -> bool:
    """Whether it is a `ContractionTree` of cotengra, which is not imported for that."""
    return all(hasattr(value, name) for name in ("get_path", "inputs", "output", "size_dict"))


def _known(source: Any) -> tuple[Any, Any, tuple[tuple[int, ...], ...]]:
    """What a plan or a tree says of its order, its network and the shapes."""
    if isinstance(source, ContractionPlan):
        return source, _named(source.inputs, source.output), source.shapes
    inputs = tuple(tuple(labels) for labels in source.inputs)
    shapes = tuple(tuple(source.size_dict[x] for x in labels) for labels in inputs)
    return source, _named(inputs, source.output), shapes


def _named(inputs: Sequence[Sequence[Any]], output: Sequence[Any]) -> Any:
    """Subscripts if all labels are characters, so that they are shown as such."""
    labels = {label for part in (*inputs, output) for label in part}
    if inputs and all(isinstance(x, str) and len(x) == 1 and x.isalpha() for x in labels):
        return f"{','.join(''.join(part) for part in inputs)}->{''.join(output)}"
    return _network_of((inputs, output))


def _along(network: Any, shapes: Sequence[tuple[int, ...]], path: Any) -> ContractionPlan:
    """The plan along an order that is given."""
    if isinstance(path, str):
        return _autojit.contraction_plan_in_order(network, shapes, path)
    is_ssa = isinstance(path, ContractionPlan)
    if is_ssa:
        inputs, sliced, path = path.inputs, path.sliced, path.ssa_path
    elif _is_tree(path):
        inputs, sliced, path = path.inputs, _sliced_of(path), path.get_path()
    else:
        return _autojit.contraction_plan_along(network, shapes, _steps_of(path), [])
    fits = len(inputs) == len(shapes) and all(
        len(labels) == len(shape) for labels, shape in zip(inputs, shapes, strict=True)
    )
    if not fits:
        raise ValueError(
            f"the plan is for {len(inputs)} operands with {[len(x) for x in inputs]} axes, "
            f"got {len(shapes)} with {[len(x) for x in shapes]}"
        )
    places = {x: (i, at) for i, labels in enumerate(inputs) for at, x in enumerate(labels)}
    axes = [places[label] for label in sliced]
    steps = [list(step) for step in path]
    return _autojit.contraction_plan_along(network, shapes, steps, axes, is_ssa)


def _sliced_of(tree: Any) -> list[Any]:
    sliced = getattr(tree, "sliced_inds", {})
    for label in sliced:
        if getattr(sliced[label], "project", None) is not None:
            raise ValueError(
                f"the tree takes one element of index {label!r}, which is not sliced but chosen; choose it in the operands"
            )
    return list(sliced)


def _steps_of(path: Any) -> list[list[int]]:
    try:
        steps = list(path)
        # As `numpy.einsum_path` gives it.
        if steps and steps[0] == "einsum_path":
            del steps[0]
        return [[int(n) for n in step] for step in steps]
    except (TypeError, ValueError) as error:
        raise TypeError(
            "a path is a list of tuples of positions, a plan, a tree of cotengra, or the name of an order; "
            f"got {type(path).__qualname__}"
        ) from error


def contract(
    subscripts: Any,
    *operands: Any,
    optimize: Any = None,
    memory_limit: int | None = None,
    threads: int | None = None,
    progress: bool | Callable[[int, int, float], Any] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_interval: float = 60.0,
    executor: Any = None,
) -> Any:
    """Contracts a tensor network, in slices where it would not fit into memory.

    A plan is searched for once for each network and compiled once for each dtype. Slices are added in a fixed order with compensation,
    so that the result has the same bits on any number of threads and workers. Operands are promoted to one dtype as NumPy does.
    Where no operand is an ``autojit.Array`` the result is NumPy's.

    In a function that is traced, and of lazy arrays, the contraction becomes part of the trace, with derivatives and batches.

    Parameters
    ----------
    subscripts
        As for ``contraction_plan``; or a plan.
    operands
        The arrays.
    optimize
        An order, as ``path`` of ``contraction_plan``; otherwise it is searched for, which takes up to a second or so once.
    memory_limit
        The most bytes, operands and result among them: labels are sliced until it is met, as many threads are used as fit, and
        what does not fit is an error before it runs. With an executor it is the limit of each worker.
    threads
        The most threads; by default as many as the machine runs at once.
    progress
        ``True`` shows a bar with the time that is left, if the standard error is a terminal; a function is called with the slices that
        are added, all slices, and the seconds that are left, and what it raises ends the run.
    checkpoint
        A file from which an equal run goes on. It is written every ``checkpoint_interval`` seconds and when the run is ended by an
        exception, such as Ctrl-C, and removed when there is a result.
    checkpoint_interval
        Seconds between two of them.
    executor
        Anything with ``submit`` or ``map`` that runs slices in the place of threads here: a pool of ``concurrent.futures``,
        ``multiprocessing`` or ``mpi4py.futures``, or a client of ``dask.distributed``, which also does slices of workers that died
        again. Elsewhere a worker that dies ends the run with an exception.

    Raises
    ------
    ValueError
        The network and the operands do not fit, or a path is wrong.
    TypeError
        Integers are to be contracted with a checkpoint, a limit, progress or an executor; something is no array or no executor.
    MemoryError
        The contraction takes more than ``memory_limit``.
    OSError
        The checkpoint cannot be written, is damaged, or is that of another contraction.
    concurrent.futures.BrokenExecutor
        A worker died.

    Examples
    --------
    >>> import autojit, numpy as np
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> float(autojit.contract("ab,bc,ca->", x, x, x))
    155.0
    """
    report = _reporter(progress)
    if executor is not None:
        _pools.check(executor)
        if threads is not None:
            raise ValueError(
                "an executor has its own number of workers; leave threads or executor out"
            )
    if threads is not None and threads < 1:
        raise ValueError(f"at least one thread is needed, got threads={threads}")
    if not operands:
        raise ValueError("expected at least one operand")
    as_numpy = not any(isinstance(operand, Array) for operand in operands)
    arrays = [x if isinstance(x, Array) else _autojit.asarray(x) for x in operands]
    dtype = np.result_type(*(x.dtype for x in arrays))
    arrays = [x if x.dtype == dtype else _autojit.asarray(x, dtype) for x in arrays]
    plan = _plan_of(subscripts, arrays, dtype, optimize, memory_limit)
    given = {
        "threads": threads,
        "progress": progress,
        "checkpoint": checkpoint,
        "executor": executor,
    }
    options = [name for name, value in given.items() if value not in (None, False)]
    if any(x.is_lazy for x in arrays):
        if options:
            raise ValueError(
                f"{' and '.join(options)} cannot be used with arrays that have no values yet: the contraction becomes a part of "
                "the function that is traced"
            )
        return plan.contract(arrays)
    if dtype.kind in "biu":
        if memory_limit is not None:
            options.append("memory_limit")
        if options:
            raise TypeError(
                f"{' and '.join(options)} can be used with floating and complex numbers, got {dtype}"
            )
        result = plan.contract(arrays)
    else:
        compiled = _compiled(plan)
        common = {
            "memory_limit": memory_limit,
            "checkpoint": None if checkpoint is None else os.fspath(checkpoint),
            "checkpoint_interval": float(checkpoint_interval),
        }
        try:
            if executor is None:
                result = compiled.run(arrays, threads=threads, progress=report, **common)
            else:
                run = compiled.distribute(arrays, **common)
                _distributed(plan, compiled, arrays, run, executor, report)
                result = run.result()
        finally:
            if isinstance(report, _Bar):
                report.close()
    if not as_numpy:
        return result
    owned = np.array(result)
    return owned if owned.ndim else owned[()]


@functools.lru_cache(maxsize=16)
def _compiled(plan: ContractionPlan) -> CompiledContraction:
    return plan.compile()


def _plan_of(
    subscripts: Any,
    arrays: Sequence[Array],
    dtype: np.dtype,
    optimize: Any,
    limit: int | None,
) -> ContractionPlan:
    if isinstance(subscripts, ContractionPlan) or _is_tree(subscripts):
        if optimize is not None:
            raise TypeError("a plan has its order already; leave optimize out")
        if isinstance(subscripts, ContractionPlan):
            return subscripts
        return contraction_plan(subscripts, *arrays)
    network = _network_of(subscripts)
    shapes = tuple(x.shape for x in arrays)
    if optimize is not None and optimize is not True:
        return _along(network, shapes, optimize)
    has_code = dtype.kind in "fc" and not any(x.is_lazy for x in arrays)
    aim, needed = limit, 0
    while True:
        try:
            plan = _searched(network, shapes, aim, dtype)
        except MemoryError as error:
            if aim == limit:
                raise
            raise MemoryError(
                f"the contraction takes {needed} bytes, more than the limit of {limit}, and no less however it is sliced"
            ) from error
        if limit is None or not has_code:
            return plan
        needed = _compiled(plan).memory(arrays)
        if needed <= limit:
            return plan
        # The plan's own figure is an estimate, which was too low.
        aim = int(0.9 * min(aim, plan.memory(dtype)))


class _Slices:
    """The job of some calls of a contraction."""

    def __init__(self, plan: ContractionPlan, operands: Sequence[Array]) -> None:
        self._plan, self._operands = plan, operands

    def __call__(self, calls: tuple[int, int]) -> list[tuple[np.ndarray, np.ndarray]]:
        sums = _compiled(self._plan).sum_calls(self._operands, *calls)
        return [(np.asarray(total), np.asarray(lost)) for total, lost in sums]


def _calls_of_task(plan: ContractionPlan, calls: int, itemsize: int) -> int:
    """How many calls of the compiled function a task makes: the plan alone decides it."""
    sizes = {
        label: n
        for labels, shape in zip(plan.inputs, plan.shapes, strict=True)
        for label, n in zip(labels, shape, strict=True)
    }
    block = math.prod(sizes[label] for label in plan.output if label not in plan.sliced)
    most = _MOST_BYTES // max(1, 2 * block * itemsize)
    return max(1, min(_MOST_CALLS, calls // _TASKS, most))


def _distributed(
    plan: ContractionPlan,
    compiled: CompiledContraction,
    operands: Sequence[Array],
    run: _autojit.DistributedContraction,
    executor: Any,
    report: Callable[[int, int, float], Any] | None,
) -> None:
    """Adds what the workers of a pool give."""
    each = _calls_of_task(plan, compiled.calls, operands[0].itemsize)
    tasks = (
        (first, min(first + each, compiled.calls))
        for first in range(run.next_call, compiled.calls, each)
    )
    try:
        with contextlib.closing(_pools.results(_Slices(plan, operands), tasks, executor)) as given:
            for sums in given:
                for total, lost in sums:
                    run.add(total, lost)
                if report is not None:
                    report(*run.progress)
    except BaseException as error:
        # The first error is the one to report.
        with contextlib.suppress(OSError):
            run.save()
        if isinstance(error, concurrent.futures.BrokenExecutor):
            done, total, _ = run.progress
            raise type(error)(
                f"a worker of the executor died when {done} of {total} slices were added; with a checkpoint an equal run "
                f"goes on from there: {error}"
            ) from error
        raise


class _Bar:
    """A bar on the standard error."""

    _WIDTH = 30

    def __init__(self) -> None:
        self._shown = -math.inf

    def __call__(self, done: int, total: int, left: float) -> None:
        now = time.monotonic()
        if done < total and now - self._shown < 0.1:
            return
        self._shown = now
        part = done / max(total, 1)
        full = int(part * self._WIDTH)
        bar = "#" * full + " " * (self._WIDTH - full)
        minutes, seconds = divmod(round(left), 60)
        hours, minutes = divmod(minutes, 60)
        text = (
            f"\r[{bar}] {part:6.1%}  {done}/{total} slices, {hours}:{minutes:02}:{seconds:02} left"
        )
        print(f"{text:<78}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Ends the line."""
        if self._shown > -math.inf:
            print(file=sys.stderr, flush=True)


def _reporter(progress: Any) -> Callable[[int, int, float], Any] | None:
    if progress is None or progress is False:
        return None
    if progress is True:
        return _Bar() if sys.stderr is not None and sys.stderr.isatty() else None
    if not callable(progress):
        raise TypeError(
            f"progress is True, or a function of what is done, of all and of the seconds left; got {progress!r}"
        )
    return progress

"""Pools of workers: anything with ``submit`` or ``map``, in this process, in others or on other machines.

A *job* is a function of one argument, of which a pool does many. It is pickled once; workers keep it under the hash of its bytes, so
that what it holds, such as the operands of a contraction, travels to each worker about once: the first tasks carry it, and a
worker that still does not have it says so, and its task is done again with it. Results come in the order of the tasks.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import hashlib
import multiprocessing.pool
import os
import pickle
import socket
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ._autojit import Array, asarray

__all__ = ["pmap", "results"]

Job = Callable[[Any], Any]

# Jobs that a worker keeps: those that were used last.
_MOST_JOBS = 2
_jobs: OrderedDict[str, Job] = OrderedDict()
_lock = threading.Lock()

# Seconds that a worker without its job waits before it says so, so that it does not take all tasks from those that have it.
_PAUSE = 0.02


def work(key: str, data: bytes | None, payload: Any) -> tuple[str, bool, Any]:
    """Runs on a worker: its name, whether it has the job, and what the job gives."""
    worker = f"{socket.gethostname()}:{os.getpid()}"
    with _lock:
        job = _jobs.get(key)
        if job is not None:
            _jobs.move_to_end(key)
    if job is None:
        if data is None:
            time.sleep(_PAUSE)
            return worker, False, None
        job = pickle.loads(data)
        with _lock:
            _jobs[key] = job
            while len(_jobs) > _MOST_JOBS:
                _jobs.popitem(last=False)
    return worker, True, job(payload)


def _work(task: tuple[str, bytes | None, Any]) -> tuple[str, bool, Any]:
    return work(*task)


def results(job: Job, payloads: Iterable[Any], executor: Any) -> Iterator[Any]:
    """What a job gives for each payload, in their order. Few tasks are given to the pool ahead of what is taken from here."""
    pool = _pool_of(job, executor)
    left = iter(payloads)
    waiting: deque[tuple[Any, Any]] = deque()
    try:
        while True:
            for payload in left:
                waiting.append((payload, pool.start(payload)))
                if len(waiting) >= 4 * pool.workers:
                    break
            if not waiting:
                return
            yield pool.result(*waiting.popleft())
    finally:
        for _, future in waiting:
            future.cancel()


def check(executor: Any) -> None:
    """Raises if it is no executor."""
    if not (hasattr(executor, "submit") or hasattr(executor, "map")):
        raise TypeError(
            f"an executor has the method submit or map, as those of concurrent.futures do; got {type(executor).__qualname__}"
        )


def _pool_of(job: Job, executor: Any) -> Any:
    check(executor)
    threads = (concurrent.futures.ThreadPoolExecutor, multiprocessing.pool.ThreadPool)
    if isinstance(executor, threads) and type(executor).__name__ != "InterpreterPoolExecutor":
        return _Local(job, executor)
    if type(executor).__module__.partition(".")[0] == "distributed" and hasattr(
        executor, "scatter"
    ):
        return _Dask(job, executor)
    return _Remote(job, executor) if hasattr(executor, "submit") else _Mapping(job, executor)


def _workers(executor: Any) -> int:
    """How many workers there are, or may be."""
    for name in ("_max_workers", "num_workers", "_processes"):
        count = getattr(executor, name, None)
        if isinstance(count, int) and count > 0:
            return count
    return os.cpu_count() or 1


class _Local:
    """Threads of this process."""

    def __init__(self, job: Job, executor: Any) -> None:
        self._job, self._executor = job, executor
        self.workers = _workers(executor)

    def start(self, payload: Any) -> Any:
        if hasattr(self._executor, "submit"):
            return self._executor.submit(self._job, payload)
        return _Result(self._executor.apply_async(self._job, (payload,)))

    def result(self, payload: Any, future: Any) -> Any:
        return future.result()


class _Result:
    """What a pool of `multiprocessing` gives, as a future."""

    def __init__(self, result: Any) -> None:
        self.result = result.get

    def cancel(self) -> None:
        """It cannot be."""


class _Remote:
    """Workers that have a memory of their own."""

    def __init__(self, job: Job, executor: Any) -> None:
        self._executor = executor
        self._data = pickle.dumps(job, protocol=pickle.HIGHEST_PROTOCOL)
        self._key = hashlib.sha256(self._data).hexdigest()
        self.workers = _workers(executor)
        # How often the data was sent, and the workers that have it.
        self._sent = 0
        self._known: set[str] = set()

    def start(self, payload: Any) -> Any:
        return self._start(payload, self._sent < self.workers)

    def _start(self, payload: Any, with_data: bool) -> Any:
        self._sent += with_data
        return self._submit(self._key, self._data if with_data else None, payload)

    def _submit(self, *task: Any) -> Any:
        return self._executor.submit(work, *task)

    def result(self, payload: Any, future: Any) -> Any:
        attempts = 0
        while True:
            worker, has_job, value = future.result()
            if has_job:
                self._known.add(worker)
                return value
            attempts += 1
            is_new = worker not in self._known and self._sent < 4 * self.workers
            future = self._start(payload, is_new or attempts > 2)


class _Mapping(_Remote):
    """A pool with nothing but ``map``."""

    def __init__(self, job: Job, executor: Any) -> None:
        super().__init__(job, executor)
        self._tasks: list[_Task] = []

    def _submit(self, *task: Any) -> Any:
        self._tasks.append(_Task(self, task))
        return self._tasks[-1]

    def run(self) -> None:
        """All tasks that were given."""
        tasks, self._tasks = self._tasks, []
        given = self._executor.map(_work, [task.task for task in tasks])
        for task, value in zip(tasks, given, strict=True):
            task.value = value


class _Task:
    """A task as a future."""

    def __init__(self, pool: _Mapping, task: tuple[Any, ...]) -> None:
        self._pool, self.task = pool, task
        self.value: Any = None

    def result(self) -> Any:
        if self.value is None:
            self._pool.run()
        return self.value

    def cancel(self) -> None:
        """It was not begun."""


class _Dask:
    """A client of dask.distributed, whose scheduler carries data to the workers, and does tasks of workers that died again."""

    def __init__(self, job: Job, client: Any) -> None:
        self._client = client
        self._data = pickle.dumps(job, protocol=pickle.HIGHEST_PROTOCOL)
        self._key = hashlib.sha256(self._data).hexdigest()
        self._scatter()
        self.workers = max(1, sum(client.nthreads().values()))

    def _scatter(self) -> None:
        self._scattered = self._client.scatter(self._data, broadcast=True, hash=False)

    def start(self, payload: Any) -> Any:
        return self._client.submit(work, self._key, self._scattered, payload, pure=False)

    def result(self, payload: Any, future: Any) -> Any:
        for _ in range(3):
            try:
                return future.result()[2]
            except concurrent.futures.CancelledError:
                # All workers that had the data died.
                if self._scattered.status != "finished":
                    self._scatter()
                future = self.start(payload)
        return future.result()[2]


def _tree_map(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """A function of the arrays at each place of trees of one structure."""

    def each(members: Callable[[Any], Iterable[Any]]) -> list[Any]:
        parts = [list(members(t)) for t in (tree, *others)]
        if any(len(p) != len(parts[0]) for p in parts):
            raise ValueError("results of different structures cannot be put together")
        return [_tree_map(function, *part) for part in zip(*parts, strict=True)]

    if tree is None:
        return None
    is_tree = isinstance(tree, (dict, tuple, list)) or dataclasses.is_dataclass(tree)
    if is_tree and any(type(other) is not type(tree) for other in others):
        raise ValueError("results of different structures cannot be put together")
    if isinstance(tree, dict):
        if any(other.keys() != tree.keys() for other in others):
            raise ValueError("results of different structures cannot be put together")
        keys = list(tree)
        return dict(zip(keys, each(lambda t: [t[key] for key in keys]), strict=True))
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*each(lambda t: t))
    if isinstance(tree, (tuple, list)):
        return type(tree)(each(lambda t: t))
    if is_tree:
        names = [field.name for field in dataclasses.fields(tree)]
        values = each(lambda t: [getattr(t, name) for name in names])
        return dataclasses.replace(tree, **dict(zip(names, values, strict=True)))
    return function(tree, *others)


def _leaves(tree: Any) -> list[Any]:
    found: list[Any] = []
    _tree_map(found.append, tree)
    return found


class _Examples:
    """The job of a batch of examples: a function of each of them."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    def __call__(self, batch: Any) -> Any:
        count = len(_leaves(batch)[0])
        values = [self._function(_tree_map(lambda x, at=at: x[at], batch)) for at in range(count)]
        return _tree_map(lambda *parts: np.stack([np.asarray(part) for part in parts]), *values)


# Batches that there are at least, where there are examples enough, so that workers share them well.
_BATCHES = 256


def pmap(
    f: Callable[[Any], Any], xs: Any, executor: Any = None, *, batch_size: int | None = None
) -> Any:
    """A function of each example, by the workers of a pool; the examples are the elements along the first axis of all arrays.

    ``f`` takes one example and gives arrays, or a tree of them; the results have the examples along their first axis, in order. It
    may be any function that the pool's workers can get, which for processes means one that can be pickled, as compiled functions
    can. It travels to each worker about once, and examples travel in batches.

    Parameters
    ----------
    f
        The function of one example.
    xs
        An array, or a tuple, list, dict, named tuple or dataclass of arrays, which all have as many examples.
    executor
        Anything with ``submit`` or ``map``: a pool of ``concurrent.futures``, ``multiprocessing`` or ``mpi4py.futures``, a client of
        ``dask.distributed``. Without it the examples are done here, one after the other.
    batch_size
        How many examples a task has.

    Examples
    --------
    >>> import autojit, numpy as np
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> norm = autojit.jit(np.linalg.norm)
    >>> with ThreadPoolExecutor(2) as pool:
    ...     autojit.pmap(norm, np.array([[3.0, 4.0], [5.0, 12.0]]), pool)
    array([ 5., 13.])
    """
    if not callable(f):
        raise TypeError(f"pmap maps functions, got {type(f).__qualname__}")
    leaves = _leaves(xs)
    shapes = [np.shape(leaf) for leaf in leaves]
    lengths = {shape[0] if shape else None for shape in shapes}
    if len(lengths) != 1 or None in lengths:
        raise ValueError(
            f"all arrays need a first axis of one length, that of the examples; their shapes are {shapes}"
        )
    count = lengths.pop()
    if count == 0:
        raise ValueError("there are no examples, so there is nothing to put together")
    if batch_size is None:
        batch_size = max(1, count // _BATCHES)
    elif batch_size < 1:
        raise ValueError(f"a batch has at least one example, got batch_size={batch_size}")
    as_numpy = not any(isinstance(leaf, Array) for leaf in leaves)
    arrays = _tree_map(np.asarray, xs)
    job = _Examples(f)
    batches = (
        _tree_map(lambda x, at=at: x[at : at + batch_size], arrays)
        for at in range(0, count, batch_size)
    )
    mapped: list[Any] = []
    try:
        given = map(job, batches) if executor is None else results(job, batches, executor)
        for value in given:
            mapped.append(value)
    except concurrent.futures.BrokenExecutor as error:
        done = len(mapped) * batch_size
        raise type(error)(
            f"a worker of the executor died when {done} of {count} examples were done: {error}"
        ) from error
    join = functools.partial(_joined, as_numpy=as_numpy)
    return _tree_map(join, *mapped)


def _joined(*parts: Any, as_numpy: bool) -> Any:
    whole = np.concatenate(parts)
    return whole if as_numpy else asarray(whole)

"""Compiled functions: kinds of arguments and results, the cache, and errors."""

import dataclasses
import enum
import gc
import threading
import time
import traceback
from typing import NamedTuple

import numpy as np
import pytest

import autojit


def test_numpy_in_numpy_out():
    f = autojit.jit(lambda x, y: np.sqrt(x * x + y * y))
    result = f(np.array([3.0, 5.0]), np.array([4.0, 12.0]))
    assert type(result) is np.ndarray and result.tolist() == [5, 13]
    result[0] = 1  # It is the caller's.
    assert isinstance(f(autojit.array([3.0]), np.array([4.0])), autojit.Array)
    total = autojit.jit(lambda x: x.sum())(np.ones(3))
    assert isinstance(total, np.float64) and total == 3


def test_results_that_are_arguments_are_not_shared():
    x = np.zeros(3)
    y = autojit.jit(lambda x: x)(x)
    y[0] = 1
    assert x.tolist() == [0, 0, 0]
    array = autojit.zeros(3)
    same = autojit.jit(lambda x: x.reshape(3, 1))(array)
    assert np.array(same).shape == (3, 1) and array.tolist() == [0, 0, 0]


def test_decorator_keeps_the_function_known():
    @autojit.jit(strict=True)
    def scaled(x, factor=2.0):
        """Multiplies."""
        return x * factor

    assert scaled.__name__ == "scaled" and scaled.__doc__ == "Multiplies."
    assert scaled.__wrapped__(3) == 6
    x = np.ones(2)
    assert (
        scaled(x).tolist() == [2, 2]
        and scaled(x, 3.0).tolist() == [3, 3]
        and scaled(x, factor=4.0).tolist() == [4, 4]
    )
    assert scaled.stats["misses"] == 3
    scaled(x)
    assert scaled.stats["hits"] == 1 and scaled.stats["compiled"] == 3
    assert "3 misses" in repr(scaled)


class Mode(enum.Enum):
    FAST = 1
    SLOW = 2


def test_static_arguments():
    traces = []

    @autojit.jit(static_argnames=("function", "mode"))
    def apply(function, x, *, mode=Mode.FAST):
        traces.append(mode)
        return function(x) if mode is Mode.FAST else -function(x)

    x = np.ones(2)
    assert apply(np.exp, x).tolist() == np.exp(x).tolist()
    assert apply(np.exp, x, mode=Mode.SLOW).tolist() == (-np.exp(x)).tolist()
    assert apply(np.sin, x).tolist() == np.sin(x).tolist()
    assert apply(function=np.sin, x=x).tolist() == np.sin(x).tolist()
    apply(np.exp, x)
    assert len(traces) == 4
    with pytest.raises(TypeError, match="hashable"):
        apply([], x)
    with pytest.raises(ValueError, match="no argument"):
        autojit.jit(lambda x: x, static_argnames="n")
    # Equal numbers of different types are different.
    seen = autojit.jit(lambda n, x: x + (1 if n is True else 2), static_argnames="n")
    assert seen(1, np.zeros(1)).tolist() == [2] and seen(True, np.zeros(1)).tolist() == [1]


def test_numbers_are_static_and_numpys_scalars_are_not():
    f = autojit.jit(lambda x, n: x * n)
    x = np.ones(2)
    for n in range(3):
        assert f(x, n).tolist() == [n, n]
    assert f.stats["misses"] == 3
    f.clear()
    for n in range(3):
        assert f(x, np.float64(n)).tolist() == [n, n]
    assert f.stats["misses"] == 4
    with pytest.raises(OverflowError):
        f(np.arange(2), 10**30)
    assert f(x, 10**30).tolist() == [1e30, 1e30]
    assert f(x, 1j).dtype == np.complex128


class Pair(NamedTuple):
    a: object
    b: object


@dataclasses.dataclass
class Layer:
    weights: object
    name: str = "layer"
    bias: object = None
    size: int = dataclasses.field(default=0, init=False)


@dataclasses.dataclass(frozen=True)
class Other:
    weights: object


def test_trees():
    f = autojit.jit(lambda tree: tree)
    tree = {
        "b": [np.ones(2), (np.zeros(1), None)],
        "a": Pair(np.arange(2), "text"),
        "layer": Layer(np.ones((2, 2)), bias=[1.5, True]),
        "other": Other(np.ones(1)),
        "empty": {},
    }
    got = f(tree)
    assert list(got) == sorted(tree)
    assert (
        got["b"][0].tolist() == [1, 1] and got["b"][1][1] is None and isinstance(got["b"][1], tuple)
    )
    assert isinstance(got["a"], Pair) and got["a"].b == "text" and got["a"].a.dtype == np.int64
    assert (
        isinstance(got["layer"], Layer)
        and got["layer"].bias == [1.5, True]
        and got["layer"].name == "layer"
    )
    assert isinstance(got["other"], Other) and got["empty"] == {}
    f(tree)
    assert f.stats["misses"] == 1
    tree["layer"].name = "renamed"
    assert f(tree)["layer"].name == "renamed"
    assert f.stats["misses"] == 2


def test_classes_with_the_same_name_and_fields_differ():
    def make(sign):
        @dataclasses.dataclass
        class Same:
            x: object

            def value(self):
                return sign * self.x

        return Same

    f = autojit.jit(lambda s: s.value())
    first, second = make(1), make(-1)
    assert f(first(np.ones(1))).tolist() == [1] and f(second(np.ones(1))).tolist() == [-1]


def test_registered_classes():
    class Box:
        def __init__(self, content, label):
            self.content, self.label = content, label

    with pytest.raises(TypeError, match="register_pytree"):
        autojit.jit(lambda b: b)(Box(np.ones(1), "x"))
    autojit.register_pytree(
        Box, lambda b: ((b.content,), b.label), lambda label, children: Box(*children, label)
    )
    got = autojit.jit(lambda b: Box(b.content * 2, b.label))(Box(np.ones(1), "x"))
    assert isinstance(got, Box) and got.content.tolist() == [2] and got.label == "x"
    with pytest.raises(TypeError, match="known already"):
        autojit.register_pytree(Box, None, None)


def test_keys_of_dicts_are_anything():
    f = autojit.jit(lambda d: {key: x * 2 for key, x in d.items()})
    got = f({2: np.ones(2), 1: np.zeros(1)})
    assert list(got) == [1, 2] and got[2].tolist() == [2, 2] and got[1].tolist() == [0]
    # The order of entries makes no difference.
    f({1: np.zeros(1), 2: np.ones(2)})
    assert f.stats["compiled"] == 1
    f({1: np.zeros(1), 3: np.ones(2)})
    assert f.stats["compiled"] == 2
    # Keys that do not compare, and dicts within others.
    got = f({(1, "a"): np.ones(1), "b": np.ones(2)})
    assert got["b"].tolist() == [2, 2] and got[1, "a"].tolist() == [2]
    nested = autojit.grad(lambda d: sum((d["x"][i] ** 2).sum() for i in range(2)))
    got = nested({"x": {1: np.array([3.0]), 0: np.array([1.0, 2.0])}})
    assert got["x"][1].tolist() == [6] and got["x"][0].tolist() == [2, 4]
    with pytest.raises(TypeError, match=r"argument 0"):
        f({1: object()})


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((object(),), "argument 0"),
        (([1, {"a": {1, 2}}],), r"argument 0\[1\]\[\"a\"\]"),
        ((np.array(["a"]),), "not text"),
        ((np.zeros(1, dtype="float16"),), "float16"),
        ((lambda x: x,), "static_argnames"),
    ],
)
def test_arguments_that_are_no_trees(args, message):
    with pytest.raises(TypeError, match=message):
        autojit.jit(lambda x: x)(*args)


def test_deep_and_cyclic_lists():
    cyclic = []
    cyclic.append(cyclic)
    with pytest.raises(RecursionError):
        autojit.jit(lambda x: x)(cyclic)
    with pytest.raises((ValueError, RecursionError)):
        autojit.array(cyclic)
    with pytest.raises((TypeError, RecursionError)):
        autojit.jit(lambda x: cyclic)(np.ones(1))


def test_results_that_are_no_trees():
    with pytest.raises(TypeError, match="the result"):
        autojit.jit(lambda x: object())(np.ones(1))


def test_control_flow_by_values_explains():
    @autojit.jit
    def f(x):
        if x[0] > 0:
            return x
        return -x

    with pytest.raises(autojit.TracingError, match="where"):
        f(np.ones(2))
    for function in [
        lambda x: float(x[0]),
        lambda x: int(x[0]),
        lambda x: x.item(),
        lambda x: np.asarray(x),
        lambda x: x[x > 0],
        lambda x: list(range(x.astype(int)[0])),
        lambda x: x.tolist(),
    ]:
        with pytest.raises(autojit.TracingError):
            autojit.jit(function)(np.ones(2))


def test_exceptions_of_the_function_pass_through_with_their_lines():
    class Mine(Exception):
        pass

    @autojit.jit
    def inner(x):
        raise Mine("no")

    @autojit.jit
    def outer(x):
        return inner(x + 1)

    with pytest.raises(Mine, match="no") as caught:
        outer(np.ones(1))
    functions = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert "inner" in functions
    with pytest.raises(Mine):
        outer(np.ones(1))

    @autojit.jit
    def mistake(x):
        y = x + 1
        return y @ np.ones(5)

    with pytest.raises(ValueError, match="matmul") as caught:
        mistake(np.ones(3))
    assert "mistake" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    with pytest.raises(KeyboardInterrupt):
        autojit.jit(interrupted)(np.ones(1))


def interrupted(x):
    raise KeyboardInterrupt


def test_errors_of_a_run():
    f = autojit.jit(lambda x: autojit.linalg.inv(x) + 1)
    assert f(np.eye(2)).tolist() == [[2, 1], [1, 2]]
    with pytest.raises(np.linalg.LinAlgError, match="inv"):
        f(np.zeros((2, 2)))
    checked = autojit.jit(lambda x: np.log(x) * 2, debug_nans=True)
    with pytest.raises(FloatingPointError, match="log"):
        checked(np.array([-1.0]))


def test_options():
    with pytest.raises(ValueError, match="backend"):
        autojit.jit(lambda x: x, backend="nonsense")
    with pytest.raises(TypeError):
        autojit.jit(3)
    with pytest.raises(TypeError):
        autojit.jit(lambda x: x, nonsense=True)
    for backend in autojit.backends():
        assert autojit.jit(lambda x: x + 1, backend=backend)(np.ones(1)).tolist() == [2]
    assert autojit.jit(lambda x: x + 1, threads=2, memory_limit=0, fold_limit=10)(
        np.ones(1)
    ).tolist() == [2]


def test_explanations():
    f = autojit.jit(lambda x: np.exp(x) + 1)
    explanation = f.explain(np.ones(3))
    assert "exp" in str(explanation) and "exp" in explanation.graph and "exp" in f.graph(np.ones(3))
    assert explanation.backend in autojit.backends() and explanation.traced_nodes >= 2
    assert set(explanation.seconds) == {"trace", "optimize", "compile"}
    assert "<" in explanation._repr_html_()
    f.compile(np.ones(3))
    f(np.ones(3))
    assert f.stats["hits"] == 1


def test_methods_and_nested_functions():
    class Model:
        def __init__(self, weights):
            self.weights = weights

        @autojit.jit(static_argnames="self")
        def predict(self, x):
            return self.weights * x

    model = Model(np.array([2.0, 3.0]))
    assert model.predict(np.ones(2)).tolist() == [2, 3]

    inner = autojit.jit(lambda x: x * 2)
    outer = autojit.jit(lambda x: inner(x) + inner(x + 1))
    assert outer(np.ones(1)).tolist() == [6]
    assert inner.stats["compiled"] == 0


def test_functions_without_arrays():
    assert autojit.jit(lambda: autojit.arange(3))().tolist() == [0, 1, 2]
    assert autojit.jit(lambda n: n)(3) == 3
    assert autojit.jit(lambda **kw: kw)(b=np.ones(1), a=2)["a"] == 2


def test_traced_arrays_that_escape():
    escaped = []
    autojit.jit(lambda x: escaped.append(x) or x)(np.ones(1))
    with pytest.raises((ValueError, TypeError)):
        np.asarray(escaped[0] + 1)


def test_many_threads_call_and_trace_once():
    traces = []

    @autojit.jit
    def f(x):
        traces.append(1)
        for _ in range(50):
            x = np.sin(x) + 0.5
        return x

    results, x = [], np.linspace(0, 1, 10000)
    threads = [threading.Thread(target=lambda: results.append(f(x))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8 and len(traces) == 1
    for result in results:
        np.testing.assert_array_equal(result, results[0])


def test_a_function_that_refers_to_itself_is_collected():
    import weakref

    def make():
        def recursive(x):
            return x if x.ndim == 0 else compiled(x[0])

        compiled = autojit.jit(recursive)
        compiled(np.ones((2, 2)))
        return weakref.ref(compiled)

    reference = make()
    gc.collect()
    assert reference() is None


def test_many_calls_leave_memory_flat():
    import resource

    f = autojit.jit(lambda x, y: x + y)
    x = np.ones(100)

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    for _ in range(2000):
        f(x, x)
    before = peak()
    for _ in range(20000):
        f(x, x)
    assert peak() - before < 4000


def test_small_results_have_memory_of_numpys():
    double = autojit.jit(lambda x: x * 2)
    for shape in ((3,), (2, 4), (), (0, 5)):
        for dtype in (np.float64, np.complex64, np.int16, np.bool_):
            x = np.ones(shape, dtype)
            for _ in range(2):
                got = double(x)
                assert np.array_equal(got, x * 2) and got.dtype == (x * 2).dtype
                assert got.ndim == 0 or got.flags.owndata and got.flags.writeable
    turned = autojit.jit(lambda x: x.T)(np.arange(6.0).reshape(2, 3))
    assert np.array_equal(turned, np.arange(6.0).reshape(2, 3).T) and turned.flags.writeable


def test_small_calls_from_many_threads():
    """Calls that keep the interpreter beside a trace that gives it up now and then."""

    def function(x):
        time.sleep(0.05)
        return x * 2 + 1

    compiled = autojit.jit(function)
    results, x = [], np.arange(3.0)

    def work():
        for _ in range(50):
            results.append(compiled(x))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert len(results) == 200 and all(np.array_equal(r, x * 2 + 1) for r in results)
    assert compiled.stats["misses"] == 1

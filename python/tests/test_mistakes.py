"""What goes wrong in the user's own code: the exception, and the line."""

import gc
import inspect
import math
import re
import traceback
import warnings

import autoray
import numpy as np
import pytest

import autojit


def line_of(error):
    """The last line of the traceback."""
    return traceback.extract_tb(error.__traceback__)[-1].line


def test_compiled_code_fails_at_the_line_of_the_user():
    def f(x):
        y = x + 1
        z = np.linalg.inv(y - 1)
        return z + 1

    compiled = autojit.jit(f)
    assert compiled(np.eye(2)).shape == (2, 2)
    for _ in range(2):
        with pytest.raises(np.linalg.LinAlgError, match="singular") as caught:
            compiled(np.zeros((2, 2)))
        assert line_of(caught.value) == "z = np.linalg.inv(y - 1)"
        assert isinstance(caught.value.__cause__, np.linalg.LinAlgError)
    assert compiled(np.eye(2)).shape == (2, 2)


def test_nans_are_found_at_the_line_of_the_user():
    def f(x):
        y = np.exp(x)
        z = np.log(-y)
        return z + 1

    with pytest.raises(FloatingPointError, match="log") as caught:
        autojit.jit(f, debug_nans=True)(np.ones(2))
    assert line_of(caught.value) == "z = np.log(-y)" and ".rs" not in str(caught.value)
    assert np.isnan(np.log(autojit.array(-1.0)))


def test_exceptions_pass_through():
    class OwnError(Exception):
        pass

    def f(x):
        raise OwnError("mine")

    def interrupted(x):
        raise KeyboardInterrupt

    for transformed in (
        autojit.jit(f),
        autojit.grad(f),
        autojit.vmap(f),
        autojit.jit(autojit.grad(f)),
        autojit.checkpoint(f),
        lambda x: autojit.scan(lambda c, y: f(y), x, np.ones(2)),
        lambda x: autojit.fori_loop(0, 3, lambda i, c: f(c), x),
        lambda x: autojit.cond(np.bool_(True), f, f, x),
        lambda x: autojit.jit(lambda y: autojit.cond(y.sum() > 0, f, f, y))(x),
    ):
        with pytest.raises(OwnError, match="mine"):
            transformed(np.ones(2))
    with pytest.raises(KeyboardInterrupt):
        autojit.jit(interrupted)(np.ones(2))
    with pytest.raises(KeyboardInterrupt):
        autojit.scan(lambda c, y: interrupted(c), 0.0, np.ones(2))


BAD = [
    [[1.0], [1.0, 2.0]],
    np.array([object()]),
    np.array(["a"]),
    ["a", "b"],
    np.array([1], dtype="datetime64[s]"),
    np.zeros(2, dtype=[("a", float)]),
    np.zeros(2, dtype=np.float16),
    {1: object()},
    object(),
]


@pytest.mark.parametrize("bad", BAD, ids=repr)
def test_bad_arguments_explain(bad):
    for call in (autojit.asarray, autojit.sum, autojit.jit(lambda x: np.sum(x))):
        if call is autojit.asarray and isinstance(bad, dict):
            continue
        with pytest.raises((TypeError, ValueError)) as caught:
            call(bad)
        assert str(caught.value)


def test_masks_of_arguments_are_not_lost():
    masked = np.ma.array([1.0, 2.0], mask=[False, True])
    calls = (
        autojit.asarray,
        autojit.sum,
        autojit.jit(lambda x: x.sum()),
        autojit.jit(lambda x: x[0] + masked),
    )
    for call in calls:
        with pytest.raises(TypeError, match="masks would be lost.*filled"):
            call(masked if call is not calls[-1] else np.ones(2))
    assert autojit.sum(masked.filled(0)) == 1
    # Other classes of arrays are taken.
    assert autojit.sum(np.ones(2).view(np.recarray)) == 2


def test_sorting_in_place_raises():
    def f(x):
        x.sort()
        return x

    for call in (autojit.jit(f), lambda x: f(autojit.array(x))):
        with pytest.raises(TypeError, match=r"np\.sort") as caught:
            call(np.array([2.0, 1.0]))
        assert line_of(caught.value) == "x.sort()"
    assert np.sort(autojit.array([2.0, 1.0])).tolist() == [1, 2]


@pytest.mark.parametrize(
    "write",
    [
        lambda x: np.put(x, [0], 9.0),
        lambda x: np.copyto(x, 1.0),
        lambda x: np.place(x, x > 1, 0.0),
        lambda x: np.add.at(x, [0], 1.0),
    ],
)
def test_functions_that_write_say_what_to_use(write):
    for call in (autojit.jit(write), lambda x: write(autojit.array(x))):
        with pytest.raises(TypeError, match=r"writes into an array.*x\.at\[key\]"):
            call(np.ones(2))


def test_where_of_a_condition_alone_gives_positions():
    x = np.array([[1.0, 0.0], [0.0, 3.0]])
    for where in (np.where, autojit.where):
        got = where(autojit.array(x) > 0)
        assert [part.tolist() for part in got] == [[0, 1], [0, 1]]
    with pytest.raises(autojit.TracingError, match=r"use where\(condition, x, y\)"):
        autojit.jit(lambda x: np.where(x > 0))(x)


def test_rounded_by_python():
    x = autojit.array([1.26, 2.5])
    assert round(x).tolist() == [1, 2] and round(x, 1).tolist() == [1.3, 2.5]
    assert autojit.jit(lambda x: round(x[0], 1))(x) == np.float64(1.3)


def test_positions_of_arguments_are_integers():
    with pytest.raises(TypeError, match="grad takes positions of arguments as argnums, got 'x'"):
        autojit.grad(lambda x: x, argnums="x")(1.0)


GOOD = [
    np.arange(12.0).reshape(3, 4)[::-1, ::2],
    np.arange(12.0).reshape(3, 4).T,
    np.arange(4.0).astype(">f8"),
    np.zeros((0, 3)),
    np.frombuffer(b"\x00" * 33, dtype=np.uint8)[1:].view(np.float64),
    np.ones((1,) * 33),
    np.ones((1,) * 64),
]


@pytest.mark.parametrize("good", GOOD, ids=lambda x: str(x.shape))
def test_odd_arrays_are_taken(good):
    frozen = good.copy() if good.flags.owndata else good
    frozen.flags.writeable = False
    for got in (np.asarray(autojit.asarray(frozen)), autojit.jit(lambda x: x * 1)(frozen)):
        assert got.shape == good.shape and np.array_equal(got, good)


def test_bad_indices_explain():
    x = autojit.array([1.0, 2.0, 3.0])
    for key in (
        float("nan"),
        np.array([np.nan]),
        "a",
        1.5,
        [0.5],
        7,
        np.array([9]),
        (0, 0),
        10**30,
    ):
        with pytest.raises((IndexError, TypeError, ValueError)) as caught:
            x[key]
        assert str(caught.value)
        with pytest.raises((IndexError, TypeError, ValueError)):
            autojit.jit(lambda x, key=key: x[key])(x)
    with pytest.raises(IndexError, match="got 'a' of type str"):
        x["a"]


def resident():
    """The memory of the process in KiB."""
    gc.collect()
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4


def test_memory_stays_flat():
    add = autojit.jit(lambda a, b: a * b + 1)
    a = np.ones(3)

    def calls(count):
        for _ in range(count):
            add(a, a)
            autojit.array(a) + 1

    def compilations(count):
        for _ in range(count):
            fresh = autojit.jit(lambda a: np.sum(np.sin(a) @ a))
            fresh(a)

    def failures(count):
        for _ in range(count):
            with pytest.raises(ValueError):
                add(a, np.ones(2))

    for work, warm, count in ((calls, 2000, 20_000), (compilations, 100, 300), (failures, 20, 100)):
        work(warm)
        before = resident()
        work(count)
        assert resident() - before < 4096, work.__name__


WANTS_VALUES = {
    "float": lambda x: float(x[0]),
    "int": lambda x: np.zeros(int(x[0])),
    "range": lambda x: list(range(x.astype(int)[0])),
    "math": lambda x: math.sqrt(x[0]),
    "format": lambda x: f"{x[0]:.2f}",
    "np.array": lambda x: np.array([x[0], x[1]]),
    "slice": lambda x: x[: x.astype(int)[0]],
    "tolist": lambda x: x.tolist(),
    "mask": lambda x: x[x > 0],
    "nonzero": lambda x: np.nonzero(x),
    "unique": lambda x: np.unique(x),
}


@pytest.mark.parametrize("name", WANTS_VALUES)
def test_values_of_traced_arrays_are_refused_with_advice(name):
    with pytest.raises(autojit.TracingError) as caught:
        autojit.jit(WANTS_VALUES[name])(np.array([1.0, 2.0]))
    text = str(caught.value)
    assert ("np.stack" in text and "static" in text) or "(use " in text, text
    assert "where_" not in text


def test_writing_into_an_array_of_numpy_says_why():
    def f(x):
        filled = np.zeros(2)
        filled[0] = x[0]
        return filled

    with pytest.raises(ValueError) as caught:
        autojit.jit(f)(np.ones(2))
    assert line_of(caught.value) == "filled[0] = x[0]"
    assert "writing into an array of NumPy" in str(caught.value.__cause__)


def test_messages_of_derivatives_name_what_was_called():
    for transform in (autojit.grad, autojit.value_and_grad):
        name = transform.__name__
        with pytest.raises(ValueError, match=f"^{name} takes a function to one real number"):
            transform(lambda x: 2 * x)(np.ones(3))
        with pytest.raises(ValueError, match=f"^{name} takes a function to a pair of one real"):
            transform(lambda x: (2 * x, x), has_aux=True)(np.ones(3))
        with pytest.raises(TypeError, match=f"^{name} .* got i64\\[3\\] in argument 1"):
            transform(lambda x, y: np.sum(x * y), argnums=1)(np.ones(3), np.arange(3))
    for transform in (autojit.jacobian, autojit.hessian):
        name = transform.__name__
        with pytest.raises(ValueError, match=f"^{name} with argnums=2"):
            transform(np.dot, argnums=2)(np.ones(3), np.ones(3))
        with pytest.raises(TypeError, match=f"^{name} is by one argument"):
            transform(np.dot, argnums=(0, 1))


def test_a_step_that_gives_no_pair_says_what_it_gives():
    with pytest.raises(
        TypeError, match="must return a pair, what is carried on.*returned autojit.Array"
    ):
        autojit.scan(lambda c, x: c + x, 0.0, np.ones(3))
    with pytest.raises(ValueError, match="gives f64.. to the next iteration; begin with float64"):
        autojit.scan(lambda c, x: (c + x, c), 0, np.ones(3))


def test_reports_name_no_lines_of_the_package():
    f = autojit.jit(lambda x: np.sum(np.exp(x) * 2))
    x = np.ones(3)
    f(x)
    explanation = f.explain(x)
    lazy = np.exp(autojit.lazy.array(x)) * 2
    texts = [str(explanation), repr(explanation), explanation.to_html(), explanation.graph]
    for text in [*texts, lazy.plot().to_html(), lazy.plot().to_svg()]:
        assert "exp" in text and ".rs:" not in text
    assert ".rs:" not in str(f.profile(x))


def test_reports_name_the_lines_of_python():
    def f(x):
        y = np.exp(x) * 2
        return autoray.do("sum", y)

    x = np.ones(3)
    compiled = autojit.jit(f)
    first = f.__code__.co_firstlineno
    explanation = compiled.explain(x)
    for text in (explanation.graph, compiled.graph(x), str(explanation)):
        ops = dict(re.findall(r"= (\w+) .*;.*test_mistakes\.py:(\d+)$", text, re.M))
        lines = {op: int(line) - first for op, line in ops.items()}
        assert lines["exp"] == lines["multiply"] == 1 and lines["sum"] == 2
    assert f"test_mistakes.py:{first + 1}" in explanation.to_html()
    assert f"test_mistakes.py:{first + 2}" in str(compiled.profile(x))
    lazy = np.exp(autojit.lazy.array(x))
    assert f"test_mistakes.py:{inspect.currentframe().f_lineno - 1}" in lazy.plot().to_html()
    # What derivatives and batches make of an operation has its line.
    for derived, y in ((autojit.grad(f), x), (autojit.vmap(f), np.ones((2, 3)))):
        assert re.search(
            rf"= exp .*test_mistakes\.py:{first + 1}$", autojit.jit(derived).graph(y), re.M
        )
    # What a function of another module of this package calls is a line of the function that calls it.
    loop = autojit.jit(lambda xs: autojit.scan(lambda c, x: (c + x, c), np.float64(0), xs))
    assert f"test_mistakes.py:{loop.__wrapped__.__code__.co_firstlineno}" in loop.graph(x)


def test_a_function_that_is_compiled_for_each_number_warns_once():
    f = autojit.jit(lambda x, a: x * a)
    x = np.ones(2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for i in range(31):
            f(x, i / 8)
    with pytest.warns(RuntimeWarning, match=r"compiled 32 times.*from 3.75 to 3.875.*float64"):
        f(x, 31 / 8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f(x, 32 / 8)
        # Other shapes are other kinds.
        g = autojit.jit(lambda x: x + 1)
        for n in range(40):
            g(np.ones(n))


def test_objects_that_are_no_trees_are_named():
    class Model:
        @autojit.jit
        def run(self, x):
            return x

    with pytest.raises(TypeError, match="^argument 0 is of the type .*Model.*`self`"):
        Model().run(np.ones(2))
    with pytest.raises(TypeError, match="^the result is of the type .*register_pytree$"):
        autojit.jit(lambda x: Model())(np.ones(2))


def test_graphs_leave_out_the_middle_of_large_constants():
    table = np.random.default_rng(0).normal(size=(100, 100))
    f = autojit.jit(lambda x: table @ x)
    x = np.ones(100)
    assert f.graph(x) == f.explain(x).graph and len(f.graph(x)) < 1000


def test_places_in_arguments_are_written_as_python_has_them():
    x, y = np.ones(3), np.ones(4)
    examples = "^vmap needs as many examples in all arrays, got 3 in "
    with pytest.raises(ValueError, match=examples + r"argument 0 \(.*and 4 in argument 1 \("):
        autojit.vmap(np.add)(x, y)
    with pytest.raises(ValueError, match=examples + r'`\["a"\]` of argument 0 \('):
        autojit.vmap(lambda d: d["a"] + d["b"])({"a": x, "b": y})
    with pytest.raises(TypeError, match=r'got i64\[3\] at `\[1\]\["k\.0"\]` of argument 0:'):
        autojit.vjp(lambda p: p[0] * p[1]["k.0"], [x, {"k.0": np.arange(3)}])
    with pytest.raises(ValueError, match=r"at `\[0\]\[1\]` of a tangent$"):
        autojit.jvp(lambda d: d[0], ((x, x),), ((x, y),))
    _, pullback = autojit.vjp(lambda x: (x, x), x)
    with pytest.raises(ValueError, match=r"at `\[1\]` of a cotangent$"):
        pullback((x, y))


def test_directions_and_cotangents_have_the_names_of_what_they_belong_to():
    x = np.ones(3)
    with pytest.raises(TypeError, match=r'expected a tangent as in .*"a".*got .*"b"'):
        autojit.jvp(lambda d: d["a"], ({"a": x},), ({"b": x},))
    _, pullback = autojit.vjp(lambda x: {"a": x}, x)
    with pytest.raises(TypeError, match=r'expected a cotangent as in {"a": \*}, got {"b": \*}'):
        pullback({"b": x})


def test_errors_of_control_flow_name_parameters_of_python():
    x = np.ones(3)
    with pytest.raises(ValueError, match="^`false_fun` of cond gives .* and `true_fun` of cond"):
        autojit.cond(True, lambda x: x, lambda x: x[:2], x)
    with pytest.raises(TypeError, match=r"of cond gives \(\*, \*\), where \* is an array"):
        autojit.cond(True, lambda x: (x, x), lambda x: x, x)
    for xs in ([1.0, 2.0], [x, np.ones(2)]):
        with pytest.raises(
            ValueError, match=r"of xs; to go through the members of a list, put .* `stack`"
        ):
            autojit.scan(lambda c, y: (c, c), 0.0, xs)
    with pytest.raises(ValueError, match="the length of scan cannot be negative, got -1"):
        autojit.scan(lambda c, y: (c, c), 0.0, length=-1)
    with pytest.raises(ValueError, match="the limit of while_loop cannot be negative, got -1"):
        autojit.while_loop(lambda x: x < 3, lambda x: x + 1, 0.0, limit=-1)


def test_exported_functions_name_no_lines_of_the_package(tmp_path):
    path = tmp_path / "inverse.autojit"
    autojit.jit(lambda x: np.linalg.inv(x)).export(np.eye(2), path)
    assert b".rs" not in path.read_bytes()
    assert b"test_mistakes.py" in path.read_bytes()
    with pytest.raises(
        np.linalg.LinAlgError, match=r"singular in inv, at .*test_mistakes\.py:\d+$"
    ):
        autojit.load(path)(np.zeros((2, 2)))

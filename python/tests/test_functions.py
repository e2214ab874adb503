"""Functions of the table of names: names, signatures, results, and errors."""

import importlib
import inspect
import pickle

import numpy as np
import pytest

import autojit
from autojit._functions import FUNCTIONS


def test_every_function_of_the_table_is_exported():
    for full, function in FUNCTIONS.items():
        if full in ("getitem", "scatter"):
            continue
        module, _, name = full.rpartition(".")
        home = importlib.import_module(f"autojit.{module}" if module else "autojit")
        if module == "linalg" and name in home._own:
            continue  # of the array API, which has other axes there
        assert getattr(home, name) is function
        assert name in home.__all__
        assert function.__name__ == name
        assert function.__module__ == home.__name__
        assert pickle.loads(pickle.dumps(function)) is function


def test_signatures_and_docs_are_those_of_the_table():
    assert str(inspect.signature(autojit.sum)) == (
        "(a, /, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=None)"
    )
    assert str(inspect.signature(autojit.einsum)) == "(subscripts, *operands, optimize=None)"
    assert (
        str(inspect.signature(autojit.array([1.0]).sum))
        == "(axis=None, dtype=None, out=None, keepdims=False, initial=None, where=None)"
    )
    assert autojit.sum.__doc__.startswith("The sum over axes")
    for function in FUNCTIONS.values():
        assert function.__doc__
        inspect.signature(function)
    assert inspect.isroutine(autojit.sum)
    assert repr(autojit.linalg.norm) == "<function autojit.linalg.norm>"


def test_submodules_are_where_autoray_looks():
    assert autojit.Array.__module__ == "autojit"
    assert autojit.scipy.linalg.expm is autojit.linalg.expm
    assert importlib.import_module("autojit.scipy.linalg").expm is autojit.linalg.expm
    assert importlib.import_module("autojit.fft").fft is autojit.fft.fft


@pytest.mark.parametrize(
    "text",
    [
        "sum(x, axis=1, keepdims=True)",
        "mean(x)",
        "tensordot(x, x, axes=((0, 1), (0, 1)))",
        "tensordot(x, x.T, 1)",
        "einsum('ij,ij->i', x, x)",
        "concatenate([x, x], axis=1)",
        "stack((x, x))",
        "where(x > 2, x, 0)",
        "clip(x, 1, 3)",
        "reshape(x, (3, 2))",
        "reshape(x, -1)",
        "transpose(x, (1, 0))",
        "linspace(0, 1, 5)",
        "linspace(np.float64(0), 1, 5)",
        "arange(5)",
        "arange(1, 2, 0.25)",
        "zeros((2, np.int64(3)))",
        "ones(3, dtype='float32')",
        "full((2,), 7.0)",
        "eye(3, dtype='complex128')",
        "zeros_like(x)",
        "linalg.norm(x)",
        "linalg.norm(x, axis=1)",
        "linalg.svd(x)[1]",
        "linalg.inv(x[:, :2])",
        "linalg.solve(x[:, :2], [1.0, 2.0])",
        "linalg.det(x[:, :2])",
        "fft.fft(x)",
        "sort(x, axis=0)",
        "argsort(x)",
        "cumsum(x, axis=1)",
        "take(x, [0, 1], axis=1)",
        "maximum(x, 2)",
        "exp(x)",
        "floor(x / 2)",
        "isclose(x, x)",
        "allclose(x, x)",
        "array_equal(x, x)",
        "kron(x, x)",
        "outer(x, x)",
        "trace(x)",
        "roll(x, np.array([1]))",
        "expand_dims(x, np.int32(0))",
        "sum([[1, 2], [3, 4]], 0)",
        "prod([1.5, 2])",
        "abs(-x)",
        "pad(x, 1)",
        "tile(x, (2, 1))",
        "repeat(x, 2, axis=0)",
        "unique([3, 1, 3])",
        "median(x)",
        "quantile(x, 0.5)",
        "diff(x)",
        "cross([1, 0, 0], [0, 1, 0])",
        "interp(1.5, [1, 2], [3, 4])",
        "searchsorted([1, 2, 3], 2)",
        "meshgrid([1, 2], [3])[0]",
        "split(np.arange(6.0), 3)[1]",
        "atleast_2d([1.0])",
        "vstack([x, x])",
        "triu(x)",
    ],
)
def test_results_are_numpys(text):
    x = np.array([[1.0, 2.0, 3.0], [4.0, 6.0, 5.0]])
    names = {name: getattr(autojit, name) for name in autojit.__all__}
    got = eval(text, {**names, "np": np}, {"x": autojit.array(x)})
    theirs = {name: getattr(np, name) for name in dir(np) if not name.startswith("_")}
    expected = eval(text, {**theirs, "np": np}, {"x": x})
    assert np.shape(got) == np.shape(expected)
    np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-12, atol=1e-14)


def test_functions_take_numpy_arrays_and_give_arrays():
    assert isinstance(autojit.exp(np.ones(2)), autojit.Array)
    assert autojit.exp(np.ones(2, dtype="float32")).dtype == np.float32
    assert (autojit.float32 == np.float32) and autojit.zeros(
        2, dtype=autojit.float32
    ).dtype == "float32"


def test_several_results_are_tuples_with_names():
    x = autojit.eye(2)
    decomposition = autojit.linalg.svd(x)
    assert isinstance(decomposition, tuple) and decomposition.S.tolist() == [1, 1]
    q, r = autojit.linalg.qr(x)
    assert q.shape == r.shape == (2, 2)
    assert autojit.linalg.slogdet(x).logabsdet.item() == 0
    assert autojit.linalg.eigh(x).eigenvalues.tolist() == [1, 1]
    assert isinstance(autojit.split(autojit.arange(4), 2), list)
    assert isinstance(autojit.nonzero(x), tuple)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("sum()", TypeError, "argument a is missing"),
        ("sum(x, axes=1)", TypeError, "axes"),
        ("sum(x, 0, None, None, False, None, None, 5)", TypeError, "positional"),
        ("sum(x, 0, axis=1)", TypeError, "twice"),
        ("sum(x, axis=7)", (IndexError, ValueError), "7"),
        ("sum('abc')", TypeError, "string"),
        ("sum(object())", TypeError, "object"),
        ("concatenate(3)", TypeError, "list of arrays"),
        ("reshape(x, (5,))", ValueError, "reshape"),
        ("linalg.inv(zeros((2, 2)))", np.linalg.LinAlgError, "singular"),
        ("linalg.cholesky(-eye(2))", np.linalg.LinAlgError, ""),
        ("einsum('ij,jk', x)", ValueError, ""),
        ("zeros(-1)", ValueError, ""),
        ("zeros((10**9, 10**9))", ValueError, ""),
        ("zeros(2, dtype='float16')", TypeError, "float16"),
        ("bitwise_and(x, 1)", TypeError, ""),
        ("stack([x, x[0]])", ValueError, ""),
        ("sum([[1], [2, 3]])", (TypeError, ValueError), "equal length"),
    ],
)
def test_errors_are_the_expected_exceptions(text, error, message):
    names = {name: getattr(autojit, name) for name in autojit.__all__}
    with pytest.raises(error, match=message or None) as caught:
        eval(text, {**names, "np": np}, {"x": autojit.ones((2, 3))})
    # The line of the user is in the traceback; lines of the package would only mislead.
    assert ".rs" not in str(caught.value)


def test_numpy_has_the_same_exception_for_linear_algebra():
    with pytest.raises(ValueError):
        autojit.linalg.inv(autojit.zeros((2, 2)))


def test_random_numbers():
    autojit.random.seed(3)
    x = autojit.random.normal(size=(2, 3))
    autojit.random.seed(3)
    assert x.tolist() == autojit.random.normal(size=(2, 3)).tolist()
    assert autojit.random.uniform(2.0, 3.0, size=5).min().item() >= 2
    draw = autojit.jit(lambda x: x + autojit.random.normal(size=x.shape))
    assert draw(np.zeros(3)).tolist() != draw(np.zeros(3)).tolist()


def test_types():
    assert autojit.result_type(autojit.ones(2, dtype="float32"), 1.0) == np.float32
    assert autojit.can_cast("int32", "float64") and autojit.isdtype(
        autojit.float64, "real floating"
    )
    assert autojit.finfo(autojit.ones(1)).eps == np.finfo("float64").eps
    assert autojit.iinfo("int32").max == 2**31 - 1
    assert (
        autojit.ndim(autojit.ones((2, 3))) == 2
        and autojit.size([1, 2]) == 2
        and autojit.shape(1.0) == ()
    )
    assert autojit.get_dtype_name(autojit.ones(1)) == "float64"

"""Keywords of NumPy beyond the table, and the functions of the array API."""

import warnings

import numpy as np
import pytest

import autojit

X = np.array([[1.0, -2.5, 3.0], [4.0, 0.5, -1.0]])
MASK = np.array([[True, False, True], [True, True, False]])

CALLS = [
    lambda x: np.sum(x, dtype=np.float32),
    lambda x: np.sum(x, 0, np.float32),
    lambda x: np.sum(x, axis=1, initial=10.0, where=MASK),
    lambda x: np.prod(x, axis=0, dtype="complex128", initial=2, where=MASK),
    lambda x: np.max(x, axis=1, initial=2.0),
    lambda x: np.max(x, axis=1, initial=-9.0, where=MASK),
    lambda x: np.min(x, initial=-7.0, keepdims=True),
    lambda x: np.max(x[:, :0], axis=1, initial=1.0),
    lambda x: np.any(x > 3, axis=0, where=MASK),
    lambda x: np.all(x > 0, where=MASK),
    lambda x: np.mean(x, axis=0, dtype=np.complex64),
    lambda x: np.mean(x, axis=1, where=MASK),
    lambda x: np.var(x, axis=1, where=MASK),
    lambda x: np.std(x, ddof=1, where=MASK, keepdims=True),
    lambda x: np.var(x, correction=0.5),
    lambda x: np.cumsum(x, axis=1, dtype=np.float32),
    lambda x: np.cumprod(x, 0, np.float32),
    lambda x: np.trace(x, 1, dtype=np.complex64),
    lambda x: np.sort(x, stable=True),
    lambda x: np.argsort(x, kind="stable"),
    lambda x: np.searchsorted(x[0], 2.0, sorter=np.array([1, 0, 2])),
    lambda x: np.reshape(x, (3, 2), copy=True),
    lambda x: np.clip(x, min=0, max=2),
    lambda x: np.take(x, [5, -1], axis=1, mode="clip"),
    lambda x: np.take(x, [5, -1], axis=1, mode="wrap"),
    lambda x: np.concatenate([x, x], dtype=np.float32),
    lambda x: np.stack([x, x], axis=1, dtype=np.float32),
    lambda x: np.zeros_like(x, shape=(2,), order="C"),
    lambda x: np.full_like(x, 3, dtype=np.int64),
    lambda x: np.add(x, x, dtype=np.complex64),
    lambda x: np.multiply(x, 2, where=MASK, out=None) * MASK,
    lambda x: np.add.reduce(x, axis=1, initial=3.0),
    lambda x: np.isin(x, [1.0, 4.0]),
    lambda x: np.isin(x, np.arange(20.0), invert=True),
    lambda x: np.vecdot(x, x),
    lambda x: np.linalg.vector_norm(x, axis=0, keepdims=True),
    lambda x: np.linalg.matrix_norm(x),
    lambda x: np.linalg.diagonal(np.stack([x, x])),
    lambda x: np.linalg.trace(np.stack([x, x])),
    lambda x: np.linalg.cross(x, x[::-1]),
    lambda x: np.linalg.pinv(x, rtol=0.1),
    lambda x: np.linalg.pinv(np.stack([x, 2 * x]), rtol=np.array([1e-3, 0.9])),
    lambda x: np.matrix_transpose(x),
    lambda x: np.cumulative_sum(x, axis=0, include_initial=True),
    lambda x: np.cumulative_prod(x, axis=1),
    lambda x: np.unstack(x, axis=1)[2],
]


@pytest.mark.parametrize("call", CALLS)
def test_keywords_of_numpy(call):
    expected = call(X)
    eager = call(autojit.array(X))
    assert isinstance(eager, autojit.Array)
    for got in (eager, autojit.jit(call)(X)):
        assert np.shape(got) == np.shape(expected)
        assert np.asarray(got).dtype == np.asarray(expected).dtype
        np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-6)


def test_methods_have_the_keywords():
    x = autojit.array(X)
    assert x.sum(dtype=np.float32).dtype == np.float32
    assert x.std(ddof=1, where=MASK).shape == ()
    assert x.max(initial=100.0) == 100
    assert x.cumsum(axis=0, dtype="float32").dtype == np.float32
    assert "initial" in str(autojit.sum.__signature__)


def test_out():
    x = autojit.array(X)
    out = np.empty(2)
    assert np.sum(x, axis=1, out=out) is out and np.allclose(out, X.sum(axis=1))
    both = np.zeros((2, 3))
    assert np.add(x, 1, out=both, where=MASK) is both
    assert np.array_equal(both, np.where(MASK, X + 1, 0))
    with pytest.raises(TypeError):
        np.add(x, 1, out=np.empty((2, 3), dtype=int))
    with pytest.raises(ValueError):
        np.sum(x, axis=1, out=np.empty(3))
    with pytest.raises(TypeError, match="never change"):
        autojit.jit(lambda x: np.add(x, 1, out=both))(X)
    with pytest.raises(TypeError, match="cannot cast"):
        np.add(x, 1, dtype=np.int64)
    with pytest.raises(ValueError, match="initial"):
        np.max(x, where=MASK)


def test_sorting_downwards_keeps_the_order_of_equals():
    x = autojit.array([2, 1, 2, 3, 1])
    assert autojit.argsort(x, descending=True).tolist() == [3, 0, 2, 1, 4]
    assert autojit.sort(x, descending=True).tolist() == [3, 2, 2, 1, 1]


def test_every_nan_is_unique():
    x = np.array([np.nan, 1.0, np.nan, 1.0])
    expected = np.unique_all(x)
    got = autojit.unique_all(x)
    for ours, numpys in zip(got, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), numpys)
    assert autojit.unique_values([3, 1, 3]).tolist() == [1, 3]
    assert autojit.unique_counts([3, 1, 3]).counts.tolist() == [1, 2]
    assert autojit.unique_inverse([3, 1, 3]).inverse_indices.tolist() == [1, 0, 1]


def test_inspection():
    info = autojit.__array_namespace_info__()
    assert info.default_device() == "cpu" and info.devices() == ("cpu",)
    assert info.default_dtypes()["real floating"] == np.float64
    for name in info.dtypes():
        assert autojit.zeros(1, dtype=name).dtype == getattr(autojit, name)
    assert set(info.dtypes(kind=("bool", "complex floating"))) == {
        "bool",
        "complex64",
        "complex128",
    }
    assert info.capabilities()["boolean indexing"]
    with pytest.raises(ValueError, match="only device"):
        info.dtypes(device="gpu")
    with pytest.raises(ValueError, match="only device"):
        autojit.zeros(1, device="gpu")
    assert autojit.__array_api_version__ == "2025.12"


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min"])
def test_initial_takes_on_the_type_of_the_result(name):
    for x in (np.array([1, -3]), np.float32([1, 2]), np.array([True, False])):
        for initial in (2.5, np.float64(2.5)):
            found = getattr(autojit, name)(x, initial=initial)
            expected = getattr(np, name)(x, initial=initial)
            assert found.dtype == expected.dtype
            assert found == expected


@pytest.mark.parametrize("name", ["mean", "var", "std"])
def test_where_keeps_the_precision(name):
    smallest = np.iinfo(np.int64).min
    for x in (np.float32([1, 2, 4]), np.complex64([1, 2j, 4]), np.array([smallest, smallest, 1])):
        for where in ([True, True, False], [True, False, True], [False] * 3):
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected = getattr(np, name)(x, where=np.array(where))
            found = getattr(autojit, name)(x, where=np.array(where))
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-6)


def test_joined_arrays_are_cast_one_by_one():
    big = np.array([2**64 - 1], np.uint64), np.array([2**62 + 1], np.int64)
    for name in ("concatenate", "stack"):
        ours, theirs = getattr(autojit, name), getattr(np, name)
        got = ours(big, dtype="int64", casting="unsafe")
        assert got.tolist() == theirs(big, dtype="int64", casting="unsafe").tolist()
        for casting in ("same_kind", "safe"):
            with pytest.raises(TypeError, match=f"{name} cannot cast float64 to int32"):
                ours([np.ones(2)], dtype="int32", casting=casting)


def test_axes_of_empty_arrays_are_checked():
    for name in ("max", "min"):
        with pytest.raises(IndexError):
            getattr(autojit, name)(np.ones((2, 0)), axis=-4, initial=1.0)
    assert autojit.max(np.ones((2, 0)), axis=-1, initial=1.0).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("mode", ["wrap", "clip"])
def test_small_integers_are_positions_in_long_arrays(mode):
    x, at = np.arange(300.0), np.array([-3, 100, -128], np.int8)
    assert autojit.take(x, at, mode=mode).tolist() == np.take(x, at, mode=mode).tolist()

"""NumPy's own functions on arrays of autojit: eagerly and traced."""

import numpy as np
import pytest

import autojit

FUNCTIONS = [
    lambda x: np.exp(x) + np.sin(x),
    lambda x: np.tensordot(x, x, 1),
    lambda x: np.linalg.norm(x),
    lambda x: np.linalg.norm(x, axis=0),
    lambda x: np.arange(2.0) * x,
    lambda x: np.arange(2.0) @ x,
    lambda x: np.add.reduce(x),
    lambda x: np.add.reduce(x, axis=None),
    lambda x: np.add.reduce(x, axis=1),
    lambda x: np.maximum.reduce(x, axis=0),
    lambda x: np.multiply.outer(x[0], x[1]),
    lambda x: np.subtract.outer(x[0], x),
    lambda x: np.add.accumulate(x),
    lambda x: np.sum(x, axis=0),
    lambda x: np.mean(x),
    lambda x: np.concatenate([x, np.ones((1, 2))]),
    lambda x: np.stack([x, x]),
    lambda x: np.where(x > 1, x, 0.0),
    lambda x: np.einsum("ij,jk->ik", x, x),
    lambda x: np.reshape(x, (4,)),
    lambda x: np.transpose(x),
    lambda x: np.clip(x, 1, 2),
    lambda x: np.linalg.qr(x)[1] ** 2,
    lambda x: np.fft.fft(x),
    lambda x: np.matmul(x, x),
    lambda x: np.dot(np.ones(2), x),
    lambda x: np.zeros_like(x) + np.ones_like(x),
    lambda x: np.float64(2) * x,
    lambda x: np.sqrt(np.square(x)).sum(),
    lambda x: np.linalg.inv(x),
    lambda x: np.trace(x) + np.prod(x),
    lambda x: np.cumsum(x, axis=0),
    lambda x: np.expand_dims(x, 0),
    lambda x: np.outer(x, x),
    lambda x: np.real(x) + np.abs(x),
    lambda x: np.round(x, 1),
    lambda x: np.max(x, axis=0) - np.min(x),
    lambda x: np.any(x > 2) | np.all(x > 0),
    lambda x: np.logical_and(x > 1, x < 3),
    lambda x: np.true_divide(x, 3),
    lambda x: np.shape(x)[0] * np.ones(np.ndim(x)) * x,
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_of_numpy(function):
    x = np.array([[1.0, 2.5], [3.0, 0.5]])
    expected = function(x)
    eager = function(autojit.array(x))
    assert isinstance(eager, autojit.Array)
    traced = autojit.jit(function)(x)
    for got in (eager, traced):
        assert np.shape(got) == np.shape(expected)
        np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-12, atol=1e-14)


def test_numpys_svd_is_full_and_ours_reduced():
    x = np.ones((3, 2))
    assert np.linalg.svd(autojit.array(x)).U.shape == np.linalg.svd(x).U.shape == (3, 3)
    assert np.linalg.svd(autojit.array(x), full_matrices=False).U.shape == (3, 2)
    assert np.linalg.svd(autojit.array(x), False).U.shape == (3, 2)
    assert autojit.linalg.svd(x).U.shape == (3, 2)


def test_functions_that_are_missing_explain():
    x = autojit.ones(2)
    with pytest.raises(NotImplementedError, match="numpy.ldexp"):
        np.ldexp(x, 1)
    with pytest.raises(TypeError, match="numpy.fill_diagonal writes into an array"):
        np.fill_diagonal(autojit.ones((2, 2)), 1)
    with pytest.raises(TypeError, match="never change"):
        np.add(x, x, out=x)
    with pytest.raises(ValueError):
        np.add(x, np.ones(3))


def test_namespace():
    xp = autojit.ones(1).__array_namespace__()
    assert xp is autojit.array_api and set(xp.__all__) == set(autojit.__all__)
    assert (
        xp.sum is autojit.sum
        and xp.float64 == autojit.float64
        and xp.float64 is not None
        and autojit.ones(1).dtype == xp.float64
        and xp.linalg.qr is autojit.linalg.qr
    )
    for name in [
        "asarray",
        "astype",
        "matmul",
        "permute_dims",
        "concat",
        "isdtype",
        "pow",
        "linalg",
        "fft",
        "newaxis",
    ]:
        assert hasattr(xp, name)


def test_the_standard_has_its_own_answers():
    xp = autojit.array_api
    inf, nan = np.inf, np.nan
    x = np.array([inf, -inf, inf, 1.0, -1.0, 7.0, -0.0, nan])
    y = np.array([2.0, 2.0, -2.0, -inf, inf, 2.0, inf, inf])
    expected = np.array([inf, -inf, -inf, -0.0, -0.0, 3.0, -0.0, nan])
    for divide in (xp.floor_divide, autojit.jit(xp.floor_divide)):
        found = np.asarray(divide(autojit.array(x), autojit.array(y)))
        np.testing.assert_array_equal(found, expected)
        assert np.signbit(found[:7]).tolist() == np.signbit(expected[:7]).tolist()
    assert xp.floor_divide(autojit.array([7, -7]), 2).tolist() == [3, -4]
    # Those of the package and of operators are NumPy's.
    with np.errstate(all="ignore"):
        numpys = np.floor_divide(x, y)
    np.testing.assert_array_equal(np.asarray(autojit.floor_divide(x, y)), numpys)
    np.testing.assert_array_equal(np.asarray(autojit.array(x) // autojit.array(y)), numpys)

    z = [0j, complex(-0.0, -0.0), complex(inf, 0), complex(-inf, inf), complex(-inf, -inf)]
    z += [complex(-inf, nan), complex(nan, 0), complex(inf, inf), complex(inf, nan), 1 + 2j]
    w = [0j, complex(0, -0.0), complex(inf, 0), complex(-1, 0), complex(-1, -0.0)]
    w += [complex(-1, 0), complex(nan, 0), complex(inf, nan), complex(inf, nan), np.expm1(1 + 2j)]
    for expm1 in (xp.expm1, autojit.jit(xp.expm1)):
        found = np.asarray(expm1(autojit.array(z)))
        np.testing.assert_allclose(found.real, np.real(w), rtol=1e-15)
        np.testing.assert_allclose(found.imag, np.imag(w), rtol=1e-15)
        assert np.signbit(found.imag[:7]).tolist() == np.signbit(np.imag(w)[:7]).tolist()
        assert np.signbit(found.real[:3]).tolist() == [False, False, False]
    assert np.isclose(xp.expm1(autojit.array(1e-20)), 1e-20, rtol=1e-12, atol=0)

    z = np.array([complex(inf, 1e30), complex(-inf, -1e30), 1 + 1j])
    found = np.asarray(xp.tanh(autojit.array(z)))
    np.testing.assert_allclose(found, [1, -1, np.tanh(1 + 1j)])
    assert np.signbit(found.imag).tolist() == [False, True, False]

    x = autojit.array(np.random.default_rng(0).normal(size=(2, 3, 2)))
    assert xp.linalg.svd(x)[0].shape == (2, 3, 3) and autojit.linalg.svd(x)[0].shape == (2, 3, 2)
    assert xp.linalg.svd(x, full_matrices=False).U.shape == (2, 3, 2)
    ranks = xp.linalg.matrix_rank(x, rtol=autojit.array([1e-9, 1.0]))
    assert ranks.tolist() == [2, 0] and xp.linalg.matrix_rank(x).tolist() == [2, 2]
    assert xp.linalg.matrix_rank(x, rtol=1e-9).tolist() == [2, 2]
    assert xp.eye(0, k=2**63).shape == (0, 0) and xp.eye(2, k=-(2**70)).tolist() == [[0, 0], [0, 0]]
    assert xp.eye(2, 3, k=1).tolist() == [[0, 1, 0], [0, 0, 1]]

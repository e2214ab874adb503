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
    with pytest.raises(NotImplementedError, match="numpy.fill_diagonal"):
        np.fill_diagonal(autojit.ones((2, 2)), 1)
    with pytest.raises(TypeError, match="never change"):
        np.add(x, x, out=x)
    with pytest.raises(ValueError):
        np.add(x, np.ones(3))


def test_namespace():
    xp = autojit.ones(1).__array_namespace__()
    assert xp is autojit
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

"""Derivatives and batches."""

import numpy as np
import pytest

import autojit


def loss(x, y=None):
    return (np.sin(x) * x).sum() if y is None else (x * y).sum()


def test_gradients():
    x = np.array([0.5, 1.5])
    gradient = autojit.grad(loss)(x)
    assert type(gradient) is np.ndarray
    np.testing.assert_allclose(gradient, np.cos(x) * x + np.sin(x))
    value, gradient = autojit.value_and_grad(loss)(autojit.array(x))
    assert isinstance(gradient, autojit.Array) and float(value) == pytest.approx(loss(x))
    compiled = autojit.jit(autojit.grad(loss))
    np.testing.assert_allclose(compiled(x), np.cos(x) * x + np.sin(x))
    assert float(autojit.grad(lambda x: x**3)(2.0)) == 12
    assert float(autojit.grad(autojit.grad(lambda x: x**3))(2.0)) == 12
    assert autojit.grad(lambda x: 3.0)(1.0) == 0


def test_argnums_and_trees():
    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    assert autojit.grad(loss, argnums=1)(x, y).tolist() == [1, 2]
    first, second = autojit.grad(loss, argnums=(0, -1))(x, y)
    assert (first.tolist(), second.tolist()) == ([3, 4], [1, 2])
    assert autojit.grad(lambda x, *, y: (x * y).sum())(x, y=y).tolist() == [3, 4]
    tree = {"w": x, "b": [y, "name"]}
    gradient = autojit.grad(lambda p: (p["w"] * p["b"][0]).sum())(tree)
    assert (
        gradient["w"].tolist() == [3, 4]
        and gradient["b"][0].tolist() == [1, 2]
        and gradient["b"][1] == "name"
    )
    (value, aux), gradient = autojit.value_and_grad(
        lambda x: (x.sum(), {"x": x * 2}), has_aux=True
    )(x)
    assert value == 3 and aux["x"].tolist() == [2, 4] and gradient.tolist() == [1, 1]
    gradient, aux = autojit.grad(lambda x: (x.sum(), x * 2), has_aux=True)(x)
    assert gradient.tolist() == [1, 1] and aux.tolist() == [2, 4]


def test_complex_gradients_point_uphill():
    z = np.array([1 + 2j])
    gradient = autojit.grad(lambda z: np.abs(z).sum() ** 2)(z)
    np.testing.assert_allclose(gradient, 2 * z)


def test_bad_functions_for_gradients():
    with pytest.raises(ValueError, match="real number"):
        autojit.grad(lambda x: x)(np.ones(2))
    with pytest.raises(TypeError, match="i64"):
        autojit.grad(lambda x: x.sum())(np.arange(3))
    with pytest.raises(TypeError):
        autojit.grad(lambda x: x * 1.0)(3)
    with pytest.raises(ValueError, match="argnums"):
        autojit.grad(loss, argnums=5)(np.ones(2))
    with pytest.raises(ValueError, match="twice"):
        autojit.grad(loss, argnums=(0, 0))(np.ones(2))
    with pytest.raises(ZeroDivisionError):
        autojit.grad(lambda x: x / (1 // 0))(1.0)
    with pytest.raises(autojit.TracingError):
        autojit.grad(lambda x: x if x > 0 else -x)(1.0)


def test_vjp_and_jvp():
    x = np.array([1.0, 2.0])
    value, pullback = autojit.vjp(lambda x, y: (x * y, x.sum()), x, 3.0)
    assert value[0].tolist() == [3, 6] and value[1] == 3
    gx, gy = pullback((np.ones(2), 1.0))
    assert gx.tolist() == [4, 4] and gy == 3
    value, derivative = autojit.jvp(lambda x: x * x, (x,), (np.ones(2),))
    assert value.tolist() == [1, 4] and derivative.tolist() == [2, 4]
    with pytest.raises((ValueError, TypeError)):
        pullback(np.ones(3))
    with pytest.raises((ValueError, TypeError)):
        autojit.jvp(lambda x: x, (x,), (np.ones(3),))


def test_matrices_of_derivatives():
    x = np.array([2.0, 3.0])
    assert autojit.jacobian(lambda x: x * x)(x).tolist() == [[4, 0], [0, 6]]
    assert autojit.hessian(lambda x: x[0] * x[1])(x).tolist() == [[0, 1], [1, 0]]

    def bilinear(a, b, scale=1.0):
        return scale * a[0] * b[1] * b[0]

    a, b = np.array([2.0, 0.0]), np.array([3.0, 5.0])
    assert autojit.jacobian(bilinear, argnums=1)(a, b).tolist() == [10, 6]
    assert autojit.hessian(bilinear, -1)(a, b, scale=2.0).tolist() == [[0, 4], [4, 0]]
    assert autojit.jit(autojit.hessian(bilinear, 1))(a, b).tolist() == [[0, 2], [2, 0]]


def test_constants_of_derivatives():
    x = np.array([2.0, 3.0])
    f = lambda x: np.sum(x * autojit.stop_gradient({"y": x * x})["y"])
    assert autojit.grad(f)(x).tolist() == autojit.jit(autojit.grad(f))(x).tolist() == [4, 9]
    assert autojit.stop_gradient(x).tolist() == [2, 3]
    assert autojit.jit(autojit.stop_gradient)(x).tolist() == [2, 3]
    assert isinstance(autojit.stop_gradient(autojit.array(x)), autojit.Array)


def test_batches():
    a = np.arange(6.0).reshape(3, 2)
    assert autojit.vmap(lambda x: x.sum())(a).tolist() == a.sum(1).tolist()
    assert autojit.vmap(lambda x: x.sum(), in_axes=1)(a).tolist() == a.sum(0).tolist()
    assert autojit.vmap(np.dot, in_axes=(0, None))(a, np.ones(2)).tolist() == a.sum(1).tolist()
    assert autojit.vmap(lambda x: x * 2, out_axes=1)(a).shape == (2, 3)
    assert autojit.vmap(lambda d: d["x"] * d["y"], in_axes=({"x": 0, "y": None},))(
        {"x": a, "y": np.ones(2)}
    ).shape == (3, 2)
    gradients = autojit.jit(autojit.vmap(autojit.grad(lambda x: (x**2).sum())))(a)
    np.testing.assert_allclose(gradients, 2 * a)
    assert isinstance(autojit.vmap(lambda x: x + 1)(autojit.array(a)), autojit.Array)


def test_bad_batches():
    with pytest.raises(ValueError):
        autojit.vmap(lambda x, y: x + y)(np.ones(2), np.ones(3))
    with pytest.raises(IndexError):
        autojit.vmap(lambda x: x, in_axes=3)(np.ones(2))
    with pytest.raises(TypeError, match="keyword"):
        autojit.vmap(lambda x: x)(x=np.ones(2))
    with pytest.raises(ValueError, match="entries"):
        autojit.vmap(lambda x: x, in_axes=(0, 0))(np.ones(2))
    with pytest.raises(TypeError):
        autojit.vmap(lambda x: x, in_axes="a")(np.ones(2))


def test_transforms_of_closures_over_traced_arrays():
    @autojit.jit
    def f(x, w):
        return autojit.grad(lambda x: (x * w).sum())(x) + autojit.vmap(lambda row: row * w)(x)

    x, w = np.ones((2, 3)), np.arange(3.0)
    assert f(x, w).tolist() == [[0, 2, 4], [0, 2, 4]]


@pytest.mark.parametrize("order", [None, 2, 3, 1.5, 0.5])
def test_norms_have_no_gradient_at_zero(order):
    for keywords in ({}, {"axis": 0}):
        gradient = autojit.grad(lambda x, k=keywords: np.linalg.norm(x, order, **k))
        assert gradient(np.zeros(3)).tolist() == [0, 0, 0]

"""Loops, branches, and functions with a rule of their own for gradients."""

import signal
import threading

import numpy as np
import pytest

import autojit


def test_scan():
    xs = np.array([1.0, 2.0, 4.0])
    total, sums = autojit.scan(lambda c, x: (c + x, c + x), 0.0, xs)
    assert type(sums) is np.ndarray and sums.tolist() == [1, 3, 7] and total == 7
    _, back = autojit.scan(lambda c, x: (c + x, c + x), 0.0, xs, reverse=True)
    assert back.tolist() == [7, 6, 4]
    _, powers = autojit.scan(lambda c, x: (2 * c, c), 1, length=4)
    assert powers.tolist() == [1, 2, 4, 8]
    carry, ys = autojit.scan(
        lambda c, x: ({"n": c["n"] + 1, "s": c["s"] + x["a"]}, None), {"n": 0, "s": 0.0}, {"a": xs}
    )
    assert carry == {"n": 3, "s": 7.0} and ys is None


def test_scan_is_one_operation_when_compiled():
    f = autojit.jit(lambda x: autojit.scan(lambda c, y: (c * y, c), x, np.full(1000, 1.001))[0])
    assert np.isclose(f(np.float64(2)), 2 * 1.001**1000)
    assert f.explain(np.float64(2)).optimized_nodes < 20
    gradient = autojit.jit(autojit.grad(f.__wrapped__))(np.float64(2))
    assert np.isclose(gradient, 1.001**1000)


def test_what_scan_refuses():
    with pytest.raises(ValueError, match="length"):
        autojit.scan(lambda c, x: (c, x), 0.0)
    with pytest.raises(ValueError, match="length 2"):
        autojit.scan(lambda c, x: (c, x), 0.0, np.ones(3), length=2)
    with pytest.raises(TypeError, match="pair"):
        autojit.scan(lambda c, x: c, 0.0, np.ones(3))
    with pytest.raises(ValueError, match="carries"):
        autojit.scan(lambda c, x: (np.ones(2), x), 0.0, np.ones(3))
    with pytest.raises(ZeroDivisionError):
        autojit.scan(lambda c, x: 1 / 0, 0.0, np.ones(3))


def test_fori_loop():
    assert autojit.fori_loop(1, 6, lambda i, product: product * i, 1) == 120
    f = autojit.jit(lambda n, x: autojit.fori_loop(0, n, lambda i, x: x + i, x))
    assert f(np.int64(4), np.int64(10)) == 16 and f(np.int64(5), np.int64(0)) == 10
    assert f.stats["misses"] == 1


def test_while_loop():
    assert autojit.while_loop(lambda x: x < 100, lambda x: x * 2, 1.0) == 128
    pair = autojit.while_loop(lambda c: c[1], lambda c: (c[0] + 1, c[0] < 4), (0, True))
    assert pair == (5, False)
    with pytest.raises(ValueError, match="still holds after 10 iterations"):
        autojit.while_loop(lambda x: x > 0, lambda x: x + 1, 1.0, limit=10)
    with pytest.raises(ValueError, match="one boolean"):
        autojit.while_loop(lambda x: x, lambda x: x + 1, 1.0)
    with pytest.raises(ZeroDivisionError):
        autojit.while_loop(lambda x: 1 / 0, lambda x: x, 1.0)


def test_branches():
    f = autojit.jit(lambda x: autojit.cond(x.sum() > 0, lambda x: x, lambda x: -x, x))
    assert f(-np.ones(2)).tolist() == [1, 1] and f(np.ones(2)).tolist() == [1, 1]
    assert f.stats["misses"] == 1
    branches = [np.sin, np.exp, lambda x: x * 0]
    g = autojit.jit(lambda i, x: autojit.switch(i, branches, x))
    assert g(np.int64(1), np.float64(0)) == 1 and g(np.int64(9), np.float64(3)) == 0
    with pytest.raises(TypeError, match="predicate"):
        autojit.cond("yes", lambda x: x, lambda x: x, 1.0)
    with pytest.raises((TypeError, ValueError)):
        autojit.cond(np.bool_(True), lambda x: x, lambda x: (x, x), 1.0)
    derivative = autojit.grad(lambda x: autojit.cond(x > 0, np.sin, np.cos, x))
    assert np.isclose(derivative(0.5), np.cos(0.5))


def test_checkpoint():
    def f(x, scale=1.0):
        return (np.sin(x) ** 2 * scale).sum()

    x = np.array([0.3, 0.6])
    expected = autojit.grad(f)(x)
    assert np.allclose(autojit.grad(autojit.checkpoint(f))(x), expected)
    assert np.allclose(autojit.jit(autojit.grad(autojit.checkpoint(f)))(x), expected)
    assert np.isclose(autojit.checkpoint(f)(x, scale=3.0), 3 * f(x))


def test_custom_vjp():
    @autojit.custom_vjp
    def softplus(x):
        """Log of one more than the exponential."""
        return np.log1p(np.exp(x))

    with pytest.raises(TypeError, match="defvjp"):
        softplus(1.0)
    softplus.defvjp(lambda x: (softplus(x), x), lambda x, ct: (ct / (1 + np.exp(-x)),))
    assert softplus.__doc__.startswith("Log")
    assert np.isclose(softplus(0.0), np.log(2))
    assert autojit.grad(softplus)(1000.0) == 1
    assert autojit.jit(autojit.grad(softplus))(np.float64(1000)) == 1
    two = autojit.custom_vjp(lambda x, y: x * y)
    two.defvjp(lambda x, y: (x * y, (x, y)), lambda rest, ct: (ct * 10, ct * 20))
    assert autojit.grad(two, argnums=(0, 1))(2.0, 3.0) == (10, 20)


@pytest.mark.parametrize("start", [2.0, [1.0, 2.0]])
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.usefixtures("interruptible")
def test_endless_loops_are_interrupted(start, compiled):
    def endless(x):
        return autojit.while_loop(lambda x: (x >= 0).all(), lambda x: abs(x * 0.5 - 1), x)

    f = autojit.jit(endless) if compiled else endless
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt) as raised:
        f(np.array(start))
    assert any(entry.path.name == "test_control.py" for entry in raised.traceback)

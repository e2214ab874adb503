"""Workloads of the benchmarks against other ways to compute them, with NumPy and compiled."""

import pathlib
import sys

import numpy as np
import pytest

import autojit

FOLDER = pathlib.Path(__file__).parents[2] / "benches" / "peers"
COMPARISON = pathlib.Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def independent():
    sys.path.insert(0, str(FOLDER))
    try:
        import independent
    finally:
        sys.path.remove(str(FOLDER))
    return independent


@pytest.mark.parametrize(
    "name, size", [("kinematics", 6), ("quasiseparable", 30), ("mps_gates", 6)]
)
def test_workloads_compute_what_they_say(independent, name, size):
    check = getattr(independent, name)
    independent.compare(*check(size))
    function = getattr(independent.workloads, name)

    def compiled(xp, arrays, n, parameters):
        return autojit.jit(lambda arrays: function(autojit, arrays, n, parameters))(arrays)

    original = function
    setattr(independent.workloads, name, compiled)
    try:
        independent.compare(*check(size))
    finally:
        setattr(independent.workloads, name, original)


def test_the_recursion_is_a_loop_too(independent):
    def rolled(xp, arrays, n, parameters):
        return autojit.jit(lambda arrays: original(autojit, arrays, n, parameters))(arrays)

    original = independent.workloads.quasiseparable
    independent.workloads.quasiseparable = rolled
    try:
        independent.compare(*independent.quasiseparable(30, np, True))
    finally:
        independent.workloads.quasiseparable = original


@pytest.mark.parametrize("name, size", [("mgs", 6), ("amplitude", 4), ("mps", 4), ("peps", 2)])
def test_workloads_of_the_comparison_compile(name, size):
    pytest.importorskip("quimb")
    sys.path.insert(0, str(COMPARISON))
    try:
        import compared
    finally:
        sys.path.remove(str(COMPARISON))
    work = getattr(compared, name)(size)
    expected = work.function(work.arrays)
    np.testing.assert_allclose(autojit.jit(work.function)(work.arrays), expected, rtol=1e-12)
    if work.gradient:
        value, gradient = autojit.jit(autojit.value_and_grad(work.function))(work.arrays)
        np.testing.assert_allclose(value, expected, rtol=1e-12)
        key, step = next(iter(work.arrays)), 1e-6
        direction = np.ones_like(work.arrays[key])
        shifted = [
            work.function({**work.arrays, key: work.arrays[key] + sign * step * direction})
            for sign in (1, -1)
        ]
        slope = (shifted[0] - shifted[1]) / (2 * step)
        np.testing.assert_allclose(np.sum(gradient[key]), slope, rtol=1e-6)

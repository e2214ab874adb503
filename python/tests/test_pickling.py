"""Pickles, copies and files of arrays and functions; processes and threads."""

import copy
import functools
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np
import pytest

import autojit


class Pair(NamedTuple):
    """Two arrays."""

    x: Any
    y: Any


@dataclass
class Weights:
    """Weights of a model."""

    w: Any
    b: Any


@autojit.jit
def squared(x):
    return x * x


def plain(x):
    return x + 1


def test_arrays():
    x = autojit.array([[1.0, 2.0]])
    for other in (pickle.loads(pickle.dumps(x)), copy.copy(x), copy.deepcopy(x)):
        assert isinstance(other, autojit.Array) and other.tolist() == x.tolist()
    with pytest.raises(TypeError):
        pickle.dumps(autojit.lazy.variable((2,)))


def test_functions_with_a_name_are_pickled_by_it():
    assert pickle.loads(pickle.dumps(squared)) is squared
    again = pickle.loads(pickle.dumps(autojit.jit(plain, threads=2)))
    assert again(np.ones(2)).tolist() == [2, 2]
    assert copy.copy(squared) is squared and copy.deepcopy([squared])[0] is squared


def test_functions_without_a_name_are_pickled_as_graphs():
    f = autojit.jit(lambda x, y, mode: Pair(x * y, {"m": x} if mode == "a" else y))
    with pytest.raises(pickle.PicklingError, match="not called yet"):
        pickle.dumps(f)
    first = f(np.ones(2), 3.0, "a")
    f(np.ones(3), np.arange(3.0), "b")
    g = pickle.loads(pickle.dumps(f))
    second = g(np.ones(2), 3.0, "a")
    assert type(second) is Pair and second.y.keys() == first.y.keys()
    assert g(np.full(3, 2.0), np.arange(3.0), "b").x.tolist() == [0, 2, 4]
    assert len(g.functions) == 2
    with pytest.raises((TypeError, ValueError), match="exported for"):
        g(np.ones(5), 3.0, "a")
    assert pickle.loads(pickle.dumps(g))(np.ones(2), 3.0, "a").x.tolist() == [3, 3]


def test_files(tmp_path):
    path = tmp_path / "f.autojit"
    f = autojit.jit(lambda w, x: {"y": w["a"] * x + w["b"]})
    f.export({"a": np.ones(2), "b": np.float64(1)}, np.ones(2), path)
    g = autojit.load(path)
    assert g({"a": np.ones(2), "b": np.float64(3)}, np.ones(2))["y"].tolist() == [4, 4]
    assert "f64[2]" in g.signature and "multiply" in g.graph and "f64[2]" in repr(g)
    with pytest.raises(TypeError):
        g(np.ones(2), np.ones(2))
    with pytest.raises(OSError):
        autojit.load(tmp_path / "missing")
    path.write_bytes(b"nonsense")
    with pytest.raises(OSError):
        autojit.load(path)


def test_classes_arrive():
    f = autojit.jit(lambda w: Weights(w.w * 2, w.b))
    f(Weights(np.ones(2), np.float64(1)))
    data = pickle.dumps(f)
    program = (
        "import pickle, sys, numpy as np; from test_pickling import Weights\n"
        "f = pickle.loads(sys.stdin.buffer.read()); w = f(Weights(np.ones(2), np.float64(1)))\n"
        "assert type(w) is Weights and w.w.tolist() == [2, 2]"
    )
    folder = __file__.rsplit("/", 1)[0]
    subprocess.run([sys.executable, "-c", program], input=data, check=True, cwd=folder)


def test_keys_of_dicts_arrive():
    f = autojit.jit(lambda d: {key: x * 2 for key, x in d.items()})
    f({2: np.ones(2), 1: np.zeros(1)})
    program = (
        "import pickle, sys, numpy as np\n"
        "f = pickle.loads(sys.stdin.buffer.read()); d = f({1: np.zeros(1), 2: np.ones(2)})\n"
        "assert list(d) == [1, 2] and d[2].tolist() == [2, 2]"
    )
    subprocess.run([sys.executable, "-c", program], input=pickle.dumps(f), check=True)


def test_processes():
    f = autojit.jit(lambda x: (x * 2).sum())
    f(np.ones(3))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(f, [np.ones(3), np.zeros(3)])) == [6, 0]
        assert pool.submit(squared, np.full(2, 3.0)).result().tolist() == [9, 9]


def test_threads():
    f = autojit.jit(lambda x: np.linalg.inv(x) @ x)
    matrices = [np.eye(3 + i % 3) * (i + 1) for i in range(60)]
    with ThreadPoolExecutor(4) as pool:
        for x, got in zip(matrices, pool.map(f, matrices), strict=True):
            assert np.allclose(got, np.eye(len(x)))


def test_profile():
    profile = autojit.jit(lambda x: np.linalg.det(np.exp(x))).profile(np.eye(3))
    assert profile.runs > 0 and profile.total >= 0 and ".rs" not in str(profile)
    assert any("det" in step["operations"] for step in profile.steps)


def test_partial_functions():
    f = functools.partial(autojit.jit(plain))
    assert pickle.loads(pickle.dumps(f))(np.ones(1)).tolist() == [2]

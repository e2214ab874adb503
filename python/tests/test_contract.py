"""Contraction plans, runs in slices, and pools of workers."""

import functools
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

import autojit
from autojit import _contract, _pools

RING = "ab,bc,cd,da->"
X = np.random.default_rng(0).normal(size=(4, 48, 48))


@functools.cache
def sliced():
    plan = autojit.contraction_plan(RING, *X, largest=16)
    assert plan.slices >= 64
    return plan


@functools.cache
def whole():
    return autojit.contract(sliced(), *X)


@pytest.fixture(scope="module")
def processes():
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield pool


def test_plans():
    plan = autojit.contraction_plan("ab,bc,cd->ad", (2, 30), [30, 40], np.ones((40, 50)))
    assert plan.path == [(0, 1), (0, 1)] and len(plan.ssa_path) == 2
    assert plan.operations == 2 * 30 * 40 + 2 * 40 * 50 and plan.largest == 100
    assert plan.inputs == (("a", "b"), ("b", "c"), ("c", "d")) and plan.output == ("a", "d")
    assert plan.shapes == ((2, 30), (30, 40), (40, 50))
    assert plan.slices == 1 and plan.sliced == ()
    assert plan.memory("float32") * 2 == plan.memory() and plan.memory(threads=2) > plan.memory()
    assert "3 operands" in repr(plan) and "ab, bc -> ac" in str(plan)
    again = autojit.contraction_plan_from_json(plan.to_json())
    assert again == plan == pickle.loads(pickle.dumps(plan)) and hash(again) == hash(plan)
    assert plan != sliced() and sliced().sliced and pickle.loads(pickle.dumps(sliced())) == sliced()
    same = autojit.contraction_plan("ab,bc,cd->ad", *plan.shapes, path=plan)
    assert same == plan == autojit.contraction_plan(plan)
    pair = ((("left", 0), (0, "x"), ("x", "right")), ("left", "right"))
    named = autojit.contraction_plan(pair, *plan.shapes, seconds=0.1)
    assert named.path == plan.path and named.inputs[0] == (0, 1)
    small = autojit.contraction_plan(RING, *X, memory_limit=100_000)
    assert small.memory("float64") <= 100_000


def test_it_contracts():
    expected = np.einsum(RING, *X)
    assert type(whole()) is np.float64 and np.isclose(whole(), expected, rtol=1e-12)
    assert whole() == autojit.contract(sliced(), *X, threads=1)
    for optimize in ([(0, 1), (0, 1), (0, 1)], [(0, 1, 2, 3)], "greedy", "optimal", sliced()):
        assert np.isclose(autojit.contract(RING, *X, optimize=optimize), expected, rtol=1e-12)
    path = np.einsum_path(RING, *X)[0]
    assert np.isclose(autojit.contract(RING, *X, optimize=path), expected, rtol=1e-12)
    limited = autojit.contract(RING, *X, memory_limit=300_000)
    assert np.isclose(limited, expected, rtol=1e-12)
    rows = autojit.contract("ij,jk", X[0].astype(np.float32), X[1])
    assert (
        rows.dtype == np.float64
        and rows.flags.writeable
        and np.allclose(rows, X[0] @ X[1], atol=1e-4)
    )
    assert isinstance(autojit.contract("ij,jk", X[0], autojit.array(X[1])), autojit.Array)
    outer = autojit.contraction_plan("ij,jk->ki", X[0], X[1], largest=100)
    np.testing.assert_allclose(autojit.contract(outer, X[0], X[1]), (X[0] @ X[1]).T, rtol=1e-12)
    count = np.arange(9).reshape(3, 3)
    assert (autojit.contract("ij,jk->ik", count, count) == count @ count).all()


def test_limits_of_memory_are_met_by_the_code():
    text, arrays = "abc,cde,efg,gha->bdfh", [X[i, :16, :32].reshape(8, 8, 8) for i in range(4)]
    expected = np.einsum(text, *arrays, optimize=True)
    # What the estimate allows and the code does not is sliced further.
    estimate = autojit.contraction_plan(text, *arrays).memory()
    for limit in (estimate, 125_000):
        got = autojit.contract(text, *arrays, memory_limit=limit)
        np.testing.assert_allclose(got, expected, atol=1e-11)
    with pytest.raises(MemoryError, match="operands alone"):
        autojit.contract(text, *arrays, memory_limit=10_000)
    with pytest.raises(MemoryError, match="however it is sliced"):
        autojit.contract("ab,bc->ac", *X[:2], memory_limit=X[:3].nbytes)


def test_it_is_traced():
    plan = sliced()
    f = autojit.jit(lambda x: autojit.contract(plan, *x))
    assert np.isclose(f(X), whole(), rtol=1e-12)
    gradient = autojit.grad(lambda x: autojit.contract(RING, x, *X[1:]))(X[0])
    np.testing.assert_allclose(gradient, (X[1] @ X[2] @ X[3]).T, rtol=1e-10)
    with pytest.raises(ValueError, match="threads and progress"):
        autojit.jit(lambda x: autojit.contract(plan, *x, threads=2, progress=print))(X)


def test_progress():
    seen = []
    result = autojit.contract(sliced(), *X, threads=2, progress=lambda *state: seen.append(state))
    assert result == whole()
    done, total, left = zip(*seen, strict=True)
    assert list(done) == sorted(done) and done[-1] == sliced().slices == total[0] and left[-1] == 0
    with ThreadPoolExecutor(2) as pool:
        assert (
            autojit.contract(sliced(), *X, executor=pool, progress=lambda *s: seen.append(s))
            == whole()
        )
    assert seen[-1] == seen[len(done) - 1]


def test_the_bar_is_for_terminals(monkeypatch, capsys):
    autojit.contract(sliced(), *X, progress=True)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    autojit.contract(sliced(), *X, progress=True)
    shown = capsys.readouterr().err
    assert "100.0%" in shown and "left" in shown and shown.endswith("\n")


class Enough(Exception):
    """Raised by a progress function."""


def ended_after(share):
    def report(done, total, left):
        if done >= share * total:
            raise Enough

    return report


@pytest.mark.parametrize("with_pool", [False, True])
def test_checkpoints(tmp_path, with_pool):
    path = tmp_path / "ring.checkpoint"
    with ThreadPoolExecutor(2) as pool:
        executor = pool if with_pool else None
        go = functools.partial(
            autojit.contract,
            sliced(),
            *X,
            checkpoint=path,
            checkpoint_interval=0,
            executor=executor,
        )
        with pytest.raises(Enough):
            go(progress=ended_after(0.5))
        kept = path.read_bytes()
        begun = []
        # A run on threads goes on from what a pool has added, and the other way round.
        other = autojit.contract(
            sliced(),
            *X,
            checkpoint=path,
            progress=lambda *state: begun.append(state[0]),
            executor=None if with_pool else pool,
        )
        assert other == whole() and begun[0] >= sliced().slices / 2 and not path.exists()
        path.write_bytes(kept[:-1])
        with pytest.raises(OSError, match="cut off"):
            go()
        path.write_bytes(kept)
        with pytest.raises(OSError, match="other operands"):
            autojit.contract(sliced(), X[0], *X[:3], checkpoint=path, executor=executor)


@pytest.mark.usefixtures("interruptible")
def test_interrupts(tmp_path):
    path = tmp_path / "ring.checkpoint"
    plan = autojit.contraction_plan(RING, *X, largest=1)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))

    def slow(done, total, left):
        time.sleep(0.01)

    autojit.contract(sliced(), *X)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        for _ in range(1000):
            autojit.contract(plan, *X, progress=slow, checkpoint=path)
    assert path.exists()


class Counting:
    """An executor that counts how often data is sent."""

    def __init__(self, pool):
        self.pool, self.sent = pool, 0

    def submit(self, function, *args):
        self.sent += args[1] is not None
        return self.pool.submit(function, *args)


class Mapping:
    """A pool with nothing but ``map``, some of whose workers do not have the data."""

    def map(self, function, tasks):
        for task in tasks:
            _pools._jobs.clear()
            yield function(task)


def test_processes_give_the_same_bits(processes):
    pool = Counting(processes)
    pool._max_workers = 2
    assert autojit.contract(sliced(), *X, executor=pool) == whole()
    assert 1 <= pool.sent <= 8
    pool.sent = 0
    complex_ = (X + 1j * X[::-1]).astype(np.complex64)
    rows = autojit.contraction_plan("ij,jk->ki", *complex_[:2], largest=100)
    there = autojit.contract(rows, *complex_[:2], executor=pool, memory_limit=1 << 22)
    assert (there == autojit.contract(rows, *complex_[:2])).all() and there.dtype == np.complex64


def test_pools_with_map_alone(monkeypatch):
    monkeypatch.setattr(_pools, "_PAUSE", 0)
    assert autojit.contract(sliced(), *X, executor=Mapping()) == whole()


def norm_and_sum(x):
    return {"norm": np.linalg.norm(x["a"]), "sum": (x["a"].sum(), x["b"])}


def test_pmap(processes):
    xs = {"a": X[0], "b": np.arange(48)}
    for executor in (None, processes, Mapping()):
        got = autojit.pmap(norm_and_sum, xs, executor, batch_size=7)
        np.testing.assert_allclose(got["norm"], np.linalg.norm(X[0], axis=1))
        np.testing.assert_array_equal(got["sum"][1], np.arange(48))
    f = autojit.jit(lambda x: 2 * x)
    f(X[0, 0])
    np.testing.assert_array_equal(autojit.pmap(f, X[0], processes), 2 * X[0])
    assert isinstance(autojit.pmap(f, autojit.array(X[0])), autojit.Array)
    with pytest.raises(ZeroDivisionError):
        autojit.pmap(fails, X[0], processes)
    for wrong in (np.float64(1), (X[0], X[0][1:]), np.ones((0, 2)), ()):
        with pytest.raises(ValueError):
            autojit.pmap(f, wrong)
    with pytest.raises(ValueError, match="structures"):
        autojit.pmap(lambda x: {str(x): x}, np.arange(3))
    with pytest.raises(TypeError):
        autojit.pmap(3, X[0])


def fails(x):
    raise ZeroDivisionError


class Deadly(_contract._Slices):
    """Ends its worker half-way."""

    def __call__(self, calls):
        if calls[0] >= 30:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(calls)


def test_a_killed_worker_is_an_exception(tmp_path, monkeypatch):
    path = tmp_path / "ring.checkpoint"
    monkeypatch.setattr(_contract, "_Slices", Deadly)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        with pytest.raises(BrokenExecutor, match=r"when \d+ of \d+ slices"):
            autojit.contract(sliced(), *X, executor=pool, checkpoint=path)
        with pytest.raises(BrokenExecutor, match="when 0 of 48 examples"):
            autojit.pmap(norm_and_sum, {"a": X[0], "b": X[0]}, pool)
    assert path.exists()
    assert autojit.contract(sliced(), *X, checkpoint=path) == whole() and not path.exists()


def test_a_killed_run_goes_on(tmp_path):
    path = tmp_path / "ring.checkpoint"
    program = (
        "import sys, os, signal, autojit, test_contract as t\n"
        "def report(done, total, left):\n"
        "    if done >= total / 2: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"autojit.contract(t.sliced(), *t.X, checkpoint={str(path)!r}, checkpoint_interval=0, progress=report)"
    )
    folder = os.path.dirname(__file__)
    run = subprocess.run([sys.executable, "-c", program], cwd=folder)
    assert run.returncode == -signal.SIGKILL
    begun = []
    got = autojit.contract(sliced(), *X, checkpoint=path, progress=lambda *s: begun.append(s[0]))
    assert got == whole() and begun[0] >= sliced().slices // 2


def test_trees_of_cotengra(processes):
    ctg = pytest.importorskip("cotengra")
    rng = np.random.default_rng(1)
    inputs, output, shapes, sizes = ctg.utils.lattice_equation([3, 4], d_min=3, d_max=3)
    arrays = [rng.normal(size=shape) for shape in shapes]
    tree = ctg.array_contract_tree(inputs, output, size_dict=sizes, optimize="greedy")
    tree = tree.slice(target_slices=9)
    expected = tree.contract(arrays)
    plan = autojit.contraction_plan(tree)
    assert plan.slices == tree.nslices > 1 and set(plan.sliced) == set(tree.sliced_inds)
    assert np.isclose(plan.operations, tree.contraction_cost(), rtol=0.5)
    for got in (
        autojit.contract(tree, *arrays),
        autojit.contract(plan, *arrays, executor=processes),
        autojit.contract((inputs, output), *arrays, optimize=tree),
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-10)
    named = [[("index", x) for x in labels] for labels in inputs]
    other = ctg.array_contract_tree([tuple(x) for x in named], (), shapes=shapes, optimize="greedy")
    np.testing.assert_allclose(autojit.contract(other, *arrays), expected, rtol=1e-10)
    with pytest.raises(ValueError, match="for 12 operands"):
        autojit.contract("ab,bc->ac", X[0], X[1], optimize=tree)


def test_mistakes():
    x, y = X[:2]
    for call, exception, text in [
        (lambda: autojit.contract("ab,bc->ac", x), ValueError, "operands"),
        (lambda: autojit.contract("ab,bc->ac", x, y[1:]), ValueError, "label b"),
        (lambda: autojit.contract("ab,bc->ad", x, y), ValueError, "label d"),
        (lambda: autojit.contract("...a,ab", x, y), ValueError, "ellipsis"),
        (lambda: autojit.contract("ab,bc->ac"), ValueError, "at least one"),
        (lambda: autojit.contract(3, x, y), TypeError, "subscripts"),
        (lambda: autojit.contract("ab,bc", x, "y"), TypeError, "text"),
        (lambda: autojit.contract("ab,bc", x, y, optimize=3), TypeError, "path"),
        (lambda: autojit.contract("ab,bc", x, y, optimize=[(0, 5)]), ValueError, "step 0"),
        (lambda: autojit.contract("ab,bc", x, y, optimize="slow"), ValueError, "slow"),
        (lambda: autojit.contract("ab,bc", x, y, executor=3), TypeError, "submit"),
        (lambda: autojit.contract("ab,bc", x, y, progress=3), TypeError, "progress"),
        (lambda: autojit.contract("ab,bc", x, y, threads=0), ValueError, "thread"),
        (lambda: autojit.contract(sliced(), x, y), ValueError, "4 operands"),
        (lambda: autojit.contract(sliced(), *X, optimize="auto"), TypeError, "optimize"),
        (lambda: autojit.contract(sliced(), *X, memory_limit=10), MemoryError, "10"),
        (
            lambda: autojit.contract("ab,bc->ac", x, y, checkpoint_interval=-1),
            ValueError,
            "seconds",
        ),
        (
            lambda: autojit.contract("ab,bc->ac", x.astype(int), y.astype(int), progress=print),
            TypeError,
            "int64",
        ),
        (lambda: autojit.contraction_plan("ab,bc", (2, 3), (3, -1)), ValueError, "negative"),
        (lambda: autojit.contraction_plan("ab,bc", (2, 3), (3, 4), largest=0), ValueError, "small"),
        (lambda: autojit.contraction_plan_from_json("{}"), ValueError, "no contraction plan"),
    ]:
        with pytest.raises(exception, match=text):
            call()


POOL = """
from mpi4py import MPI
from mpi4py.futures import MPIPoolExecutor
import numpy as np
import autojit, test_contract as t

if __name__ == "__main__":
    with MPIPoolExecutor() as pool:
        assert autojit.contract(t.sliced(), *t.X, executor=pool) == t.whole()
        norms = autojit.pmap(np.linalg.norm, t.X[0], pool)
        np.testing.assert_allclose(norms, np.linalg.norm(t.X[0], axis=1))
        workers = set(autojit.pmap(t.rank, np.arange(64), pool, batch_size=1))
    assert len(workers) == 2, workers
    print("done by", MPI.COMM_WORLD.size, "ranks")
"""


def rank(_):
    from mpi4py import MPI

    time.sleep(0.01)
    return MPI.COMM_WORLD.rank


def test_ranks_of_mpi(tmp_path):
    pytest.importorskip("mpi4py")
    mpirun = shutil.which("mpirun")
    if mpirun is None:
        pytest.skip("there is no mpirun")
    program = tmp_path / "pool.py"
    program.write_text(POOL)
    folder = os.path.dirname(__file__)
    path = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH")]))
    root = dict.fromkeys(["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"], "1")
    many = {"OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_hwloc_base_binding_policy": "none"}
    run = subprocess.run(
        [mpirun, "-n", "3", sys.executable, "-m", "mpi4py.futures", str(program)],
        cwd=folder,
        env={**os.environ, **root, **many, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0 and "done by 3 ranks" in run.stdout, run.stdout + run.stderr


def test_dask(monkeypatch):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert autojit.contract(sliced(), *X, executor=client) == whole()
        np.testing.assert_allclose(
            autojit.pmap(np.linalg.norm, X[0], client), np.linalg.norm(X[0], axis=1)
        )
        workers = list(client.run(os.getpid).values())
        killed = []

        def kill_one(done, total, left):
            if not killed:
                killed.append(workers[0])
                os.kill(workers[0], signal.SIGKILL)

        assert autojit.contract(sliced(), *X, executor=client, progress=kill_one) == whole()
        assert killed

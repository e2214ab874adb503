"""Runs workloads for the benchmark harness: `peer.py NAME THREADS`, spoken to in lines of JSON.

    {"do": "prepare", "workload": .., "n": .., "dtype": .., "parameters": .., "inputs": [npy ..], "folder": .., "call": ..}
        answers {"stage": ..} as each stage begins, then the nanoseconds of the stages, those of the first call with
        everything before it, and the files of the results
    {"do": "turn", "seconds": .., "batch": ..}
        answers the nanoseconds for a call of each batch

An answer may be {"declined": why} or {"failed": why}. The process ends with its standard input.
"""

import gc
import importlib
import json
import os
import sys
import time
from importlib.metadata import version


class Declined(Exception):
    """The peer does not have the workload."""


def answer(**fields):
    print(json.dumps(fields), flush=True)


class Stopwatch:
    """As in benches/harness/measure.rs: the time that passes; if the process had the core for less than nine tenths of
    it, the time that it had."""

    def __init__(self):
        self.had = time.process_time_ns()
        self.start = time.perf_counter_ns()

    def stop(self):
        passed = time.perf_counter_ns() - self.start
        had = time.process_time_ns() - self.had
        return had if had < 0.9 * passed else passed


class Peer:
    """What is the same for all: an eager call. Subclasses say how arrays come in, and what is compiled."""

    packages = ["numpy"]
    # Whether its namespace has `value_and_grad` and `vmap`.
    transforms = False
    # Whether it has `scan`, `fori_loop` and `while_loop`.
    has_loops = False

    def __init__(self, threads):
        self.threads = threads

    def array(self, x):
        return x

    def wait(self, results):
        """Returns when the results are there."""

    def numpy(self, x):
        import numpy

        return numpy.asarray(x)

    def prepare(self, function, arrays, call, task):
        """A function without arguments that does the work, and the stages that came before it."""
        xp = self.namespace()
        n, parameters = task["n"], task["parameters"]
        return lambda: function(xp, arrays, n, parameters), {}

    def forget(self):
        """Forgets what was compiled."""


class Numpy(Peer):
    packages = ["numpy", "scipy"]
    has_loops = True

    def namespace(self):
        import numpy
        import scipy.special

        class Namespace:
            erf = staticmethod(scipy.special.erf)

            def __getattr__(self, name):
                return getattr(numpy, name)

            @staticmethod
            def einsum(subscripts, *arrays):
                # Unless told so, einsum does not use matrix products.
                return numpy.einsum(subscripts, *arrays, optimize=True)

            @staticmethod
            def scan(f, carried, xs):
                results = []
                for x in zip(*xs) if isinstance(xs, tuple) else xs:
                    carried, result = f(carried, x)
                    results.append(result)
                if isinstance(results[0], tuple):
                    return carried, tuple(map(numpy.stack, zip(*results)))
                return carried, None if results[0] is None else numpy.stack(results)

            @staticmethod
            def fori_loop(lower, upper, f, carried):
                for i in range(lower, upper):
                    carried = f(i, carried)
                return carried

            @staticmethod
            def while_loop(condition, f, carried):
                while condition(carried):
                    carried = f(carried)
                return carried

        return Namespace()


class Autoray(Numpy):
    packages = ["autoray", "numpy"]
    has_loops = False
    # How autoray compiles what it traced; `None` is code in Python.
    backend = None

    def prepare(self, function, arrays, call, task):
        import autoray

        class Namespace:
            def __getattr__(self, name):
                return getattr(autoray.numpy, name)

            @staticmethod
            def erf(x):
                raise Declined("autoray has no erf")

        xp = Namespace()
        n, parameters = task["n"], task["parameters"]
        compiled = autoray.autojit(lambda arrays: function(xp, arrays, n, parameters), backend=self.backend)
        return lambda: compiled(arrays), {}


class JaxArrays:
    """How JAX starts, and its arrays: for peers whose code runs in it."""

    def __init__(self, threads):
        super().__init__(threads)
        # How many threads XLA has follows from the cores of the process, to which the harness confines it.
        import jax

        jax.config.update("jax_enable_x64", True)
        jax.config.update("jax_platforms", "cpu")
        # The first compilation of a process is not counted.
        jax.jit(lambda x: x + 1)(1.0).block_until_ready()

    def array(self, x):
        import jax.numpy

        return jax.numpy.asarray(x)

    def wait(self, results):
        for result in results:
            result.block_until_ready()


class Jax(JaxArrays, Peer):
    packages = ["jax", "jaxlib"]
    transforms = True
    has_loops = True

    def forget(self):
        import jax

        jax.clear_caches()

    def prepare(self, function, arrays, call, task):
        import jax
        import jax.numpy
        import jax.scipy.special

        class Namespace:
            erf = staticmethod(jax.scipy.special.erf)
            value_and_grad = staticmethod(jax.value_and_grad)
            vmap = staticmethod(jax.vmap)
            scan = staticmethod(jax.lax.scan)
            fori_loop = staticmethod(jax.lax.fori_loop)
            while_loop = staticmethod(jax.lax.while_loop)

            def __getattr__(self, name):
                return getattr(jax.numpy, name)

        xp = Namespace()
        n, parameters = task["n"], task["parameters"]
        stages = {}

        def timed(stage, f):
            answer(stage=stage)
            watch = Stopwatch()
            result = f()
            stages[stage] = watch.stop()
            return result

        jitted = jax.jit(lambda arrays: function(xp, arrays, n, parameters))
        traced = timed("trace", lambda: jitted.trace(arrays))
        lowered = timed("lower", traced.lower)
        compiled = timed("compile", lowered.compile)
        answer(stage="first call")
        if not call:
            return lambda: compiled(arrays), stages
        # What is compiled ahead of time is called as fast as what jit keeps: 6.4 us for three elements, against 5.9 us.
        watch = Stopwatch()
        self.wait(compiled(arrays))
        stages["first_call"] = sum(stages.values()) + watch.stop()
        return lambda: compiled(arrays), stages


class Numba(Peer):
    packages = ["numba", "llvmlite", "numpy"]

    def __init__(self, threads):
        super().__init__(threads)
        import loops

        self.loops = loops

    def forget(self):
        # Its functions are new ones then, which are not compiled yet.
        importlib.reload(self.loops)

    def prepare(self, function, arrays, call, task):
        made = getattr(self.loops, task["workload"].split(".")[0], None)
        if made is None:
            raise Declined("no loops are written for numba")
        n = task["n"]
        return lambda: made(arrays, n), {}


class Torch(Peer):
    packages = ["torch"]

    def __init__(self, threads):
        super().__init__(threads)
        import torch

        torch.set_num_threads(threads)
        # For good: nothing here is differentiated.
        torch.inference_mode(True).__enter__()

    def array(self, x):
        import torch

        return torch.from_numpy(x)

    def namespace(self):
        import torch_names

        return torch_names.namespace()


class Casadi(Peer):
    """Functions of CasADi's own language, called by its buffers, which is how it is called fastest from Python: results are
    written where those of the call before are.

    `sx` and `mx` are evaluated by CasADi's virtual machines for expressions of numbers and of matrices; `c` is compiled by gcc from
    CasADi's C code: that of the numbers up to `INSTRUCTIONS` of them, else that of the matrices."""

    packages = ["casadi", "numpy"]
    transforms = True
    has_loops = True
    INSTRUCTIONS = 20_000
    # The most numbers in arguments for which there are expressions.
    NUMBERS = 100_000
    FLAGS = ["-O2", "-march=native", "-fPIC", "-shared"]

    def __init__(self, threads, kind):
        super().__init__(threads)
        import casadi
        import casadi_functions

        self.casadi, self.functions, self.kind = casadi, casadi_functions, kind

    def expressions(self, S, written, arrays, task):
        symbols = [S.sym(f"x{i}", *(x.shape or (1,))) for i, x in enumerate(arrays)]
        results = written(S, symbols, task["n"], task["parameters"])
        return symbols, [self.casadi.densify(result) for result in results]

    def prepare(self, function, arrays, call, task):
        import numpy

        cs = self.casadi
        written = self.functions.find(task["workload"])
        if written is None:
            raise Declined("it is not written for CasADi")
        if any(x.ndim > 2 or x.dtype != numpy.float64 for x in arrays):
            raise Declined("CasADi has matrices of float64 alone")
        is_large = sum(x.size for x in arrays) > self.NUMBERS
        if is_large and self.kind == "sx":
            raise Declined(f"SX has an expression for each number: more than {self.NUMBERS}")
        is_loop = task["workload"].startswith("scan")
        if is_loop and self.kind == "sx" and task["n"] > self.functions.UNROLLED:
            raise Declined("SX has no loops")
        stages = {}

        def timed(stage, f):
            answer(stage=stage)
            watch = Stopwatch()
            result = f()
            stages[stage] = stages.get(stage, 0) + watch.stop()
            return result

        def made(S):
            symbols, results = timed("trace", lambda: self.expressions(S, written, arrays, task))
            return timed("lower", lambda: cs.Function("f", symbols, results))

        if self.kind == "c":
            is_short = not (is_large or is_loop and task["n"] > self.functions.UNROLLED)
            compiled = made(cs.SX) if is_short else None
            if compiled is None or compiled.n_instructions() > self.INSTRUCTIONS:
                compiled = made(cs.MX)
            compiled = timed("compile", lambda: self.in_c(compiled, task["folder"]))
        else:
            compiled = made({"sx": cs.SX, "mx": cs.MX}[self.kind])
        buffer, evaluate = compiled.buffer()
        # Columns first, and memory that stays.
        given = [numpy.array(x, order="F").ravel(order="F") for x in arrays]
        for i, x in enumerate(given):
            buffer.set_arg(i, memoryview(x))
        shapes = [compiled.size_out(i) for i in range(compiled.n_out())]
        out = [numpy.zeros(rows * columns) for rows, columns in shapes]
        for i, x in enumerate(out):
            buffer.set_res(i, memoryview(x))
        ranks = [shape if shape[1] > 1 else shape[: int(shape[0] > 1)] for shape in shapes]
        results = [x.reshape(shape, order="F") for x, shape in zip(out, ranks)]

        # The buffer has pointers to the memory, and `evaluate` one to the buffer: none of them keeps anything alive.
        def run(alive=(compiled, buffer, given, out)):
            evaluate()
            return results

        answer(stage="first call")
        watch = Stopwatch()
        if call:
            run()
            stages["first_call"] = sum(stages.values()) + watch.stop()
        return run, stages

    def in_c(self, function, folder):
        import subprocess

        # Libraries that are loaded stay, so each has a name of its own.
        self.count = getattr(self, "count", 0) + 1
        source = os.path.join(folder, f"f{self.count}.c")
        library = source[:-2] + ".so"
        generator = self.casadi.CodeGenerator(os.path.basename(source))
        generator.add(function)
        generator.generate(folder + os.sep)
        subprocess.run(["gcc", *self.FLAGS, "-o", library, source, "-lm"], check=True, capture_output=True)
        return self.casadi.external("f", library)


class AutorayJax(JaxArrays, Autoray):
    """autoray's own compiler, handing the traced function to JAX."""

    packages = ["autoray", "jax", "jaxlib", "numpy"]
    backend = "jax"


class TorchCompile(Torch):
    """`torch.compile` of the functions of `workloads.py`, with its defaults."""

    def prepare(self, function, arrays, call, task):
        import torch

        torch._dynamo.reset()
        xp = self.namespace()
        n, parameters = task["n"], task["parameters"]
        compiled = torch.compile(lambda arrays: function(xp, arrays, n, parameters))
        return lambda: compiled(arrays), {}


PEERS = {
    "numpy": Numpy,
    "autoray": Autoray,
    "autoray-jax": AutorayJax,
    "jax": Jax,
    "casadi-sx": lambda threads: Casadi(threads, "sx"),
    "casadi-mx": lambda threads: Casadi(threads, "mx"),
    "casadi-c": lambda threads: Casadi(threads, "c"),
    "numba": Numba,
    "torch": Torch,
    "torch-compile": TorchCompile,
}


def prepare(peer, task):
    import numpy
    import workloads

    function = workloads.find(task["workload"])
    if function is None:
        raise Declined("it is for autojit alone")
    if function in workloads.TRANSFORMED and not peer.transforms:
        raise Declined("it has neither gradients nor batches")
    if workloads.needs_loops(function, task["parameters"]) and not peer.has_loops:
        raise Declined("it has no loops")
    peer.forget()
    gc.collect()
    arrays = [peer.array(numpy.load(file)) for file in task["inputs"]]
    answer(stage="first call")
    watch = Stopwatch()
    run, stages = peer.prepare(function, arrays, task["call"], task)
    results = run()
    peer.wait(results)
    if task["call"]:
        stages.setdefault("first_call", watch.stop())
    files = []
    for i, result in enumerate(results):
        file = os.path.join(task["folder"], f"result{i}.npy")
        # A 0-d array must stay one.
        numpy.save(file, numpy.array(peer.numpy(result), order="C"))
        files.append(file)
    answer(results=files, **stages)
    return run


def turn(peer, run, seconds, batch):
    batches, calls = [], 0
    end = time.perf_counter_ns() + int(seconds * 1e9)
    # As timeit does: the collector is not what is measured.
    gc.disable()
    try:
        while True:
            watch = Stopwatch()
            for _ in range(batch):
                results = run()
                peer.wait(results)
            batches.append(watch.stop() / batch)
            calls += batch
            if time.perf_counter_ns() >= end:
                break
    finally:
        gc.enable()
    answer(batches=batches, calls=calls)


def main():
    name, threads = sys.argv[1], int(sys.argv[2])
    # A chain is a deep tree for some.
    sys.setrecursionlimit(1_000_000)
    try:
        peer = PEERS[name](threads)
        versions = {package: version(package) for package in peer.packages}
    except Exception as error:
        answer(failed=f"{type(error).__name__}: {error}")
        return
    answer(versions=versions)
    run = None
    for line in sys.stdin:
        task = json.loads(line)
        try:
            if task["do"] == "prepare":
                run = None
                run = prepare(peer, task)
            else:
                turn(peer, run, task["seconds"], task["batch"])
        except Declined as why:
            answer(declined=str(why))
        except Exception as error:
            text = str(error).strip().split("\n")[0][:200]
            answer(failed=f"{type(error).__name__}: {text}")


if __name__ == "__main__":
    main()

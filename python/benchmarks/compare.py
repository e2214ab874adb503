"""Compares ways to compile array code written in Python: the first call, with everything before it, and a call.

    python benchmarks/compare.py [--only mgs] [--limit 120] [--into FILE.md]

Each contestant runs a workload in a process of its own, on one core; they take turns of a tenth of a second, and the best call of all
turns counts. Results are compared with NumPy's. Versions are pinned in `requirements.txt`; what is not installed is left out. PyTorch
needs 3 GB from PyPI; on x86-64 Linux, `scripts/setup-pytorch.sh` prints a Python that has it in a sixth of that.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import platform
import select
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version

# Workload and size.
WORKLOADS = {"mgs": 50, "amplitude": 12, "mps": 20, "peps": 4}
TURNS = 5


class Declined(Exception):
    """The contestant does not have what a workload needs."""


def run_numpy(work):
    if work.gradient:
        raise Declined("no gradients")
    return work.arrays, work.function, lambda x: x


def run_autojit(work):
    import autojit

    function = autojit.value_and_grad(work.function) if work.gradient else work.function
    return work.arrays, autojit.jit(function), lambda x: x


def run_autoray(work, backend=None):
    import autoray

    if work.gradient:
        raise Declined("no gradients")
    return work.arrays, autoray.autojit(work.function, backend=backend), lambda x: x


def run_autoray_jax(work):
    import jax

    jax.config.update("jax_enable_x64", True)
    arrays, function, _ = run_autoray(work, "jax")
    return arrays, function, jax.block_until_ready


def run_autoray_torch(work):
    arrays, function, wait = run_autoray(work, "torch")
    return arrays, function, wait


def run_jax(work):
    import jax

    jax.config.update("jax_enable_x64", True)
    function = jax.value_and_grad(work.function) if work.gradient else work.function
    arrays = jax.tree.map(jax.numpy.asarray, work.arrays)
    return arrays, jax.jit(function), jax.block_until_ready


def run_torch(work):
    import torch

    torch.set_num_threads(1)
    function = work.function
    if work.gradient:
        gradient = torch.func.grad_and_value(work.function)

        def function(arrays):
            found, value = gradient(arrays)
            return value, found

    return mapped(torch.from_numpy, work.arrays), function, lambda x: x


def run_torch_compile(work):
    import torch

    arrays, function, wait = run_torch(work)
    return arrays, torch.compile(function), wait


def run_numba(work):
    import numba
    import numpy as np

    if work.function.__qualname__.split(".")[0] != "mgs":
        raise Declined("loops are written for mgs alone")

    @numba.njit
    def loops(x):
        n = x.shape[0]
        done = x.copy()
        for j in range(n):
            for i in range(j):
                done[j] -= np.dot(done[i], done[j]) * done[i]
            done[j] /= np.sqrt(np.dot(done[j], done[j]))
        return done

    return work.arrays, loops, lambda x: x


# Name in the table, what must be there, how it runs.
CONTESTANTS = {
    "autojit": (["autojit"], run_autojit),
    "NumPy": ([], run_numpy),
    "autoray, Python": (["autoray"], run_autoray),
    "autoray, JAX": (["autoray", "jax"], run_autoray_jax),
    "autoray, TorchScript": (["autoray", "torch"], run_autoray_torch),
    "JAX": (["jax"], run_jax),
    "PyTorch, eager": (["torch"], run_torch),
    "torch.compile": (["torch"], run_torch_compile),
    "numba": (["numba"], run_numba),
}


def mapped(f, arrays):
    if isinstance(arrays, dict):
        return {key: mapped(f, x) for key, x in arrays.items()}
    if isinstance(arrays, (list, tuple)):
        return [mapped(f, x) for x in arrays]
    return f(arrays)


def numbers(result):
    """All numbers of a result in one list, to compare them."""
    import numpy as np

    if isinstance(result, dict):
        result = [result[key] for key in sorted(result)]
    if isinstance(result, (list, tuple)):
        return np.concatenate([numbers(x) for x in result])
    if hasattr(result, "detach"):
        result = result.detach().numpy()
    return np.asarray(result).ravel()


def serve(workload, contestant):
    """One contestant in this process: answers a line with the first call, then one for each line that comes in."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    import compared
    import numpy as np

    work = getattr(compared, workload)(WORKLOADS[workload])
    try:
        arrays, function, wait = CONTESTANTS[contestant][1](work)
        begun = time.perf_counter()
        result = wait(function(arrays))
        first = time.perf_counter() - begun
    except Declined as why:
        print(json.dumps({"declined": str(why)}), flush=True)
        return
    except Exception as error:
        why = str(error).strip().splitlines() or [""]
        print(json.dumps({"failed": f"{type(error).__name__}: {why[0][:200]}"}), flush=True)
        return
    found = numbers(result)
    if work.gradient:
        # The value alone: NumPy has no gradients to compare with. They are compared with each other.
        expected = np.ravel(work.function(work.arrays))
        wrong = np.abs(found[:1] - expected).max() / np.abs(expected).max()
    else:
        expected = numbers(work.function(work.arrays))
        wrong = np.abs(found - expected).max() / np.abs(expected).max()
    norm = float(np.linalg.norm(found))
    print(json.dumps({"first": first, "error": float(wrong), "norm": norm}), flush=True)
    for _ in sys.stdin:
        best, until = np.inf, time.perf_counter() + 0.1
        while True:
            begun = time.perf_counter()
            wait(function(arrays))
            now = time.perf_counter()
            best = min(best, now - begun)
            if now > until:
                break
        print(json.dumps({"call": best}), flush=True)


def start(workload, contestant, limit):
    """The process, and its first answer; no process if there is nothing to measure."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", workload, contestant],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ
        | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"},
    )
    if select.select([process.stdout], [], [], limit)[0]:
        line = process.stdout.readline()
        said = json.loads(line) if line else {"failed": "the process ended"}
    else:
        said = {"limit": limit}
    if "first" in said:
        return process, said
    process.kill()
    process.wait()
    return None, said


def measure(workload, limit):
    running, said = {}, {}
    for name, (packages, _) in CONTESTANTS.items():
        if missing := [p for p in packages if importlib.util.find_spec(p) is None]:
            said[name] = {"declined": f"{missing[0]} is not installed"}
            continue
        process, said[name] = start(workload, name, limit)
        if process:
            running[name] = process
        print(f"{workload}: {name}: {said[name]}", file=sys.stderr, flush=True)
    for _ in range(TURNS):
        for name, process in running.items():
            process.stdin.write("turn\n")
            process.stdin.flush()
            call = json.loads(process.stdout.readline())["call"]
            said[name]["call"] = min(call, said[name].get("call", call))
    for process in running.values():
        process.stdin.close()
        process.wait()
    norms = [x["norm"] for x in said.values() if "norm" in x]
    for name, x in said.items():
        if x.get("error", 0) > 1e-8 or "norm" in x and abs(x["norm"] / norms[0] - 1) > 1e-8:
            said[name] = {"failed": f"another result: {x}"}
    return said


def duration(seconds):
    for unit, scale in [("s", 1), ("ms", 1e3), ("us", 1e6)]:
        if seconds * scale >= 1:
            return f"{plain(seconds * scale)} {unit}"
    return f"{plain(seconds * 1e9)} ns"


def plain(number):
    """Three digits, without an exponent."""
    return f"{number:.3g}" if number < 999.5 else f"{number:.0f}"


def table(workload, said):
    ours = said["autojit"].get("call")
    lines = [
        f"### {workload} {WORKLOADS[workload]}",
        "",
        "| | first call | call | call / autojit's |",
        "|---|---|---|---|",
    ]
    for name, x in said.items():
        if "call" in x:
            times = plain(x["call"] / ours) if ours else ""
            lines.append(f"| {name} | {duration(x['first'])} | {duration(x['call'])} | {times} |")
        elif "limit" in x:
            lines.append(f"| {name} | more than {x['limit']} s | | |")
        else:
            lines.append(f"| {name} | {x.get('declined') or 'fails: ' + x['failed']} | | |")
    return "\n".join(lines)


def versions():
    found = [f"Python {platform.python_version()}"]
    for name in ["autojit", "numpy", "autoray", "quimb", "cotengra", "jax", "torch", "numba"]:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            pass
    return ", ".join(found)


def processor():
    with open("/proc/cpuinfo") as file:
        text = file.read()
    name = next(line.split(":")[1].strip() for line in text.splitlines() if "model name" in line)
    return f"{name}, {'AVX-512' if 'avx512f' in text else 'AVX2'}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=WORKLOADS, help="one workload")
    parser.add_argument(
        "--limit", type=float, default=120, help="seconds that a first call may take"
    )
    parser.add_argument(
        "--into", type=pathlib.Path, help="a Markdown file: what follows its marker is replaced"
    )
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(*options.serve)
        return
    load = os.getloadavg()[0]
    about = f"{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}, {processor()}, one core each, load {load:.1f} as the run began; {versions()}."
    parts = [about]
    for workload in [options.only] if options.only else WORKLOADS:
        parts.append(table(workload, measure(workload, options.limit)))
    text = "\n\n".join(parts) + "\n"
    if options.into:
        marker = "<!-- figures of `compare.py --into`: -->"
        before, there, _ = options.into.read_text().partition(marker)
        if not there:
            sys.exit(f"{options.into} lacks the line {marker}")
        options.into.write_text(f"{before}{marker}\n\n{text}")
    else:
        print(text)


if __name__ == "__main__":
    main()

"""Makes the conformance cases of `integers.json`: NumPy 2.4.6 on every integer dtype. From this folder:

    python -m venv venv && venv/bin/pip install numpy==2.4.6
    venv/bin/python make_integers.py > integers.json

`README.md` describes the format. Elements are the ends of each dtype and numbers near zero. Left out are conversions of floating
numbers that do not fit, which C leaves open, and functions that give NumPy's half precision, or its single precision of two-byte integers.
"""

import json
import sys
import warnings

import numpy as np

warnings.simplefilter("ignore")
np.seterr(all="ignore")
assert np.__version__ == "2.4.6"

NEW = ["int8", "int16", "uint16", "uint32", "uint64"]
INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
ALL = ["bool", *INTEGERS, "float32", "float64", "complex64", "complex128"]
cases = []


def ends(dtype):
    dtype = np.dtype(dtype)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        near = [i for i in (-3, -2, -1, 0, 1, 2, 3, 7) if i >= info.min]
        return np.array([info.min, info.max, info.min + 1, info.max - 1, info.max // 2 + 1, *near], dtype)
    if dtype.kind == "b":
        return np.array([False, True, True])
    x = np.array([0.0, 1.0, -2.0, 2.5, 100.0])
    return (x + 1j * x[::-1] if dtype.kind == "c" else x).astype(dtype)


def small(dtype, *shape):
    count = int(np.prod(shape))
    return (np.arange(count) * 5 % 7).reshape(shape).astype(dtype)


def flat(x):
    x = np.ascontiguousarray(x)
    if x.dtype.kind == "c":
        return [[float(z.real), float(z.imag)] for z in x.ravel()]
    if x.dtype.kind == "f":
        special = {"inf": "inf", "-inf": "-inf", "nan": "nan"}
        return [special.get(str(float(v)), float(v)) for v in x.ravel()]
    return [int(v) for v in x.ravel()]


def as_array(x):
    x = np.asarray(x)
    return {"dtype": str(x.dtype), "shape": list(x.shape), "data": flat(x)}


def value(x):
    if isinstance(x, (np.ndarray, np.generic)):
        return {"array": as_array(x)}
    if isinstance(x, (list, tuple)):
        return {"list": [value(item) for item in x]}
    if isinstance(x, np.dtype):
        return {"dtype": str(x)}
    return x


def case(name, function, *args, **kwargs):
    """One call. What NumPy refuses, we must refuse."""
    entry = {
        "fn": name,
        "args": [value(x) for x in args],
        "kwargs": {key: value(x) for key, x in kwargs.items()},
    }
    try:
        out = function(*args, **kwargs)
    except Exception as error:
        entry["error"] = type(error).__name__
        cases.append(entry)
        return
    out = list(out) if isinstance(out, (list, tuple)) else [out]
    single = any(np.asarray(x).dtype in (np.float32, np.complex64) for x in out)
    entry["out"] = [as_array(x) for x in out]
    entry["rtol"] = entry["atol"] = 3e-5 if single else 1e-12
    cases.append(entry)


UNARY = ["negative", "absolute", "sign", "invert", "floor", "ceil", "trunc", "real", "imag", "isnan", "isinf", "isfinite"]
UNARY += ["logical_not", "square"]
BINARY = ["add", "subtract", "multiply", "divide", "floor_divide", "remainder", "fmod", "maximum", "minimum"]
BINARY += ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_xor"]
BITS = ["bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift"]


def elementwise():
    for dtype in NEW:
        x = ends(dtype)
        rows, columns = x[:, None], x[None]
        for name in UNARY:
            case(name, getattr(np, name), x)
        for name in BINARY + BITS:
            case(name, getattr(np, name), rows, columns)
        natural = x[x >= 0]
        case("power", np.power, rows, natural[None])
        case("power", np.power, x, x)
        case("where", np.where, x % 2 == 0, x, x[::-1])
        case("clip", np.clip, x, x[5], x[7])
    for a in ALL:
        for b in ALL:
            if a in NEW or b in NEW:
                x, y = ends(a), ends(b)
                n = min(len(x), len(y))
                for name in ["add", "multiply", "less", "equal", "greater_equal", "maximum"]:
                    case(name, getattr(np, name), x[:n], y[:n])
    for name in ["floor_divide", "remainder", "fmod", "left_shift", "right_shift", "power", "subtract", "negative"]:
        x = [np.array([True, False, True]), np.array([True, True, False])]
        case(name, getattr(np, name), *(x[:1] if name == "negative" else x))


def numbers_beside():
    for dtype in NEW:
        x = ends(dtype)
        info = np.iinfo(dtype)
        for number in [1, -1, int(info.max), int(info.max) + 1, 0, 1.5, True]:
            if -(2**63) <= number < 2**64:
                case("add", np.add, x, number)
                case("less", np.less, x, number)
                case("equal", np.equal, x, number)


def conversions():
    for a in ALL:
        for b in ALL:
            if a in NEW or b in NEW:
                x = ends(a)
                if a in ("float32", "float64", "complex64", "complex128"):
                    x = x[x.real >= 0]
                case("astype", lambda x, dtype: x.astype(dtype), x, np.dtype(b))


def together():
    for dtype in [*NEW, "uint8"]:
        x = np.stack([ends(dtype), ends(dtype)[::-1]])
        for name in ["sum", "prod", "max", "min", "argmax", "argmin", "any", "all", "mean", "var", "cumsum", "cumprod"]:
            for axis in [0, 1]:
                case(name, getattr(np, name), x if name != "var" else small(dtype, 3, 4), axis=axis)
        case("sort", np.sort, x)
        case("sort", np.sort, x, axis=0)
        case("diff", np.diff, x)
        case("trace", np.trace, x)
        case("concatenate", np.concatenate, [x, ends("uint16")[None, : x.shape[1]].repeat(1, 0)], axis=1)
        case("searchsorted", np.searchsorted, np.sort(x[0]), x[1])
        a, b = small(dtype, 3, 4), small(dtype, 4, 2)
        for name in ["matmul", "dot"]:
            case(name, getattr(np, name), a, b)
        case("tensordot", np.tensordot, a, b, 1)
        case("einsum", np.einsum, "ij,jk->k", a, b)
        case("einsum", np.einsum, "ij->i", x)
        case("matmul", np.matmul, x, x.T)
        case("outer", np.outer, a[0], b[0])
        case("median", np.median, a)


def making_and_indexing():
    for dtype in NEW:
        dtype = np.dtype(dtype)
        case("arange", np.arange, 2, 11, 3, dtype=dtype)
        case("linspace", np.linspace, 0, 100, 6, dtype=dtype)
        case("zeros", np.zeros, (2, 3), dtype=dtype)
        case("full", np.full, (3,), 7, dtype=dtype)
        case("eye", np.eye, 3, dtype=dtype)
        x = np.arange(12.0).reshape(4, 3)
        at = np.array([2, 0, 1], dtype)
        case("take", np.take, x, at, axis=0)
        case("take", np.take, ends(dtype), at)
        case("getitem", lambda x, key: x[tuple(key)], x, [at, at])
        case("getitem", lambda x, key: x[tuple(key)], ends(dtype), [at])
        if dtype.kind == "i":
            case("take", np.take, x, -at, axis=1)
        case("take", np.take, x, np.array([9], dtype), axis=0)


for make in [elementwise, numbers_beside, conversions, together, making_and_indexing]:
    make()

print('{"numpy": "2.4.6", "cases": [')
print(",\n".join(json.dumps(entry) for entry in cases))
print("]}")
print(f"{len(cases)} cases", file=sys.stderr)

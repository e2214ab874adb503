"""Makes the conformance cases of `more.json`: what NumPy 2.4.6 and SciPy 1.17.1 answer. From this folder:

    python -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1
    venv/bin/python make_more.py > more.json

`README.md` describes the format. NumPy's `put_along_axis` writes into its argument, so that is copied here. `linalg.sqrtm` and
`linalg.logm` of SciPy give complex matrices where values ask for it; only matrices whose dtype stays are asked for.
"""

import json
import math
import sys
import warnings

import numpy as np
import scipy
import scipy.linalg
import scipy.special

warnings.simplefilter("ignore")
assert (np.__version__, scipy.__version__) == ("2.4.6", "1.17.1")
rng = np.random.default_rng(20261129)

DTYPES = ["float64", "float32", "complex128", "complex64", "int64", "int32", "uint8", "bool"]
REAL = ["float64", "float32", "int64", "int32", "uint8", "bool"]
cases = []


def array(dtype, *shape):
    dtype = np.dtype(dtype)
    if dtype == bool:
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.kind == "u":
        return rng.integers(0, 9, shape).astype(dtype)
    if dtype.kind == "i":
        return rng.integers(-9, 9, shape).astype(dtype)
    x = rng.uniform(-3, 3, shape)
    if dtype.kind == "c":
        x = x + 1j * rng.uniform(-3, 3, shape)
    return np.asarray(x).astype(dtype)


def number(x):
    x = float(x)
    if math.isnan(x):
        return "nan"
    if math.isinf(x):
        return "inf" if x > 0 else "-inf"
    return x


def flat(x):
    x = np.ascontiguousarray(x)
    if x.dtype.kind == "c":
        return [[number(z.real), number(z.imag)] for z in x.ravel()]
    if x.dtype.kind == "f":
        return [number(v) for v in x.ravel()]
    return [int(v) for v in x.ravel()]


def as_array(x):
    x = np.asarray(x)
    return {"dtype": str(x.dtype), "shape": list(x.shape), "data": flat(x)}


def value(x):
    if isinstance(x, (np.ndarray, np.generic)):
        return {"array": as_array(x)}
    if isinstance(x, (list, tuple)):
        return {"list": [value(item) for item in x]}
    if isinstance(x, complex):
        return {"complex": [number(x.real), number(x.imag)]}
    if isinstance(x, float) and not math.isfinite(x):
        return {"float": number(x)}
    return x


def copies(x):
    if isinstance(x, np.ndarray):
        return x.copy()
    if isinstance(x, (list, tuple)):
        return type(x)(copies(item) for item in x)
    return x


def arrays_in(x):
    if isinstance(x, np.ndarray):
        yield x
    elif isinstance(x, (list, tuple)):
        for item in x:
            yield from arrays_in(item)


def case(name, function, *args, rtol=None, **kwargs):
    """One call. What NumPy refuses, we must refuse."""
    entry = {
        "fn": name,
        "args": [value(x) for x in args],
        "kwargs": {key: value(x) for key, x in kwargs.items()},
    }
    try:
        out = function(*copies(args), **copies(kwargs))
    except Exception as error:
        entry["error"] = type(error).__name__
        cases.append(entry)
        return
    out = list(out) if isinstance(out, (list, tuple)) else [out]
    single = any(
        np.asarray(x).dtype in (np.float32, np.complex64) for x in [*out, *arrays_in(args)]
    )
    if rtol is None:
        rtol = 3e-5 if single else 1e-11
    entry["out"] = [as_array(x) for x in out]
    entry["rtol"] = entry["atol"] = rtol
    cases.append(entry)


def gradient():
    for dtype in DTYPES:
        x = array(dtype, 7)
        case("gradient", np.gradient, x)
        case("gradient", np.gradient, x, edge_order=2)
        case("gradient", np.gradient, x, 0.5)
        y = array(dtype, 4, 5)
        case("gradient", np.gradient, y)
        case("gradient", np.gradient, y, 2.0, axis=1)
        case("gradient", np.gradient, y, 2.0, 0.25, edge_order=2)
    at, rows = np.cumsum(rng.uniform(0.5, 2, 7)), np.cumsum(rng.uniform(0.5, 2, 4))
    for dtype in ["float64", "float32", "complex128", "int64"]:
        case("gradient", np.gradient, array(dtype, 7), at)
        case("gradient", np.gradient, array(dtype, 7), at, edge_order=2)
        case("gradient", np.gradient, array(dtype, 4, 7), rows, at)
        case("gradient", np.gradient, array(dtype, 4, 7), rows, 0.5, edge_order=2)
        case("gradient", np.gradient, array(dtype, 7, 4), at, axis=0)
        case("gradient", np.gradient, array(dtype, 4, 7), at, rows, axis=(1, 0))
    case("gradient", np.gradient, array("float64", 3, 4, 5), axis=(-1, 0))
    case("gradient", np.gradient, np.array([1.0, np.inf, np.nan, -0.0, 2.0]))
    for wrong in [
        dict(args=(array("float64", 1),)),
        dict(args=(array("float64", 2),), edge_order=2),
        dict(args=(array("float64", 5),), edge_order=3),
        dict(args=(array("float64", 5), array("float64", 4))),
        dict(args=(array("float64", 5, 5), 1.0, 2.0, 3.0)),
        dict(args=(array("float64", 5),), axis=1),
        dict(args=(array("float64", 5, 5),), axis=(0, 0)),
    ]:
        case("gradient", np.gradient, *wrong.pop("args"), **wrong)


def products():
    for name, function in [("convolve", np.convolve), ("correlate", np.correlate)]:
        for mode in ["full", "same", "valid"]:
            for dtype in DTYPES:
                for n, m in [(6, 3), (3, 6), (5, 4), (4, 4), (1, 5)]:
                    case(name, function, array(dtype, n), array(dtype, m), mode=mode)
            case(name, function, array("float32", 6), array("float64", 2), mode=mode)
            case(name, function, array("int64", 6), array("complex64", 2), mode=mode)
        case(name, function, array("float64", 4), array("float64", 2))
        case(name, function, array("float64", 40), array("float64", 37))
        case(name, function, array("float64", 0), array("float64", 2))
        case(name, function, array("float64", 2, 2), array("float64", 2))
        case(name, function, array("float64", 4), array("float64", 2), mode="none")
    case("convolve", np.convolve, array("float64", 4), 2.5)


def quantiles():
    methods = [
        "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf",
        "hazen", "weibull", "linear", "median_unbiased", "normal_unbiased",
        "lower", "higher", "midpoint", "nearest",
    ]
    shares = np.array([0.0, 0.1, 0.25, 0.5, 0.55, 0.9, 1.0])
    for dtype in ["float64", "float32", "int64", "int32", "uint8"]:
        x = array(dtype, 5, 4)
        case("quantile", np.quantile, x, 0.3)
        case("quantile", np.quantile, x, shares)
        case("quantile", np.quantile, x, shares, axis=0)
        case("quantile", np.quantile, x, 0.75, axis=1, keepdims=True)
        case("quantile", np.quantile, x, shares, axis=(0, 1), keepdims=True)
        case("percentile", np.percentile, x, 30)
        case("percentile", np.percentile, x, 30.5, axis=-1)
        case("percentile", np.percentile, x, shares * 100, axis=0)
        for method in methods:
            case("quantile", np.quantile, x, shares, axis=0, method=method)
            case("quantile", np.quantile, x, 0.4, method=method)
    x = np.array([[1.0, np.nan, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, np.inf]])
    case("quantile", np.quantile, x, 0.5, axis=1)
    case("quantile", np.quantile, x, 0.5)
    case("quantile", np.quantile, x, shares[:2].reshape(1, 2), axis=1)
    for q in [-0.1, 1.1, float("nan")]:
        case("quantile", np.quantile, array("float64", 4), q)
    case("percentile", np.percentile, array("float64", 4), 101)
    case("quantile", np.quantile, array("complex128", 4), 0.5)
    case("quantile", np.quantile, array("bool", 4), 0.5)
    case("quantile", np.quantile, array("float64", 4), 0.5, method="best")
    case("quantile", np.quantile, array("float64", 4), 0.5, axis=1)
    case("quantile", np.quantile, array("float64", 0), 0.5)


def moments():
    for dtype in DTYPES:
        x = array(dtype, 3, 4)
        case("average", np.average, x)
        case("average", np.average, x, axis=1)
        case("average", np.average, x, axis=0, keepdims=True)
        case("average", np.average, x, axis=1, weights=np.array([1.0, 2.0, 0.5, 4.0]))
        case("average", np.average, x, weights=rng.uniform(0, 1, (3, 4)))
        case("average", np.average, x, axis=(1, 0), weights=rng.uniform(0, 1, (4, 3)))
        case("average", np.average, x, axis=0, weights=np.array([1, 2, 3]), returned=True)
        case("average", np.average, x, axis=0, weights=np.array([1, 2, 3], dtype="float32"))
        case("cov", np.cov, x)
        case("cov", np.cov, x, rowvar=False)
        case("cov", np.cov, x, array(dtype, 2, 4))
        case("cov", np.cov, x, bias=True)
        case("cov", np.cov, x, ddof=0)
        case("cov", np.cov, x, fweights=np.array([1, 2, 3, 4]))
        case("cov", np.cov, x, aweights=np.array([0.5, 1.0, 1.5, 2.0]))
        case("cov", np.cov, x, fweights=np.array([1, 2, 3, 4]), aweights=rng.uniform(0, 1, 4), bias=True)
        case("cov", np.cov, array(dtype, 5))
        case("cov", np.cov, array(dtype, 5), array(dtype, 5))
        if dtype != "bool":
            case("corrcoef", np.corrcoef, x)
            case("corrcoef", np.corrcoef, x, rowvar=False)
            case("corrcoef", np.corrcoef, array(dtype, 5), array(dtype, 5))
    case("average", np.average, array("float64", 4), returned=True)
    case("average", np.average, array("float64", 3, 4), weights=array("float64", 4))
    case("average", np.average, array("float64", 3, 4), axis=2)
    case("average", np.average, array("float64", 3, 4), axis=0, weights=array("float64", 4))
    case("cov", np.cov, array("float64", 2, 2, 2))
    case("cov", np.cov, array("float64", 3, 4), array("float64", 3, 5))
    case("cov", np.cov, array("float64", 3, 4), fweights=array("float64", 4))
    case("cov", np.cov, array("float64", 3, 4), aweights=array("float64", 3))
    case("corrcoef", np.corrcoef, array("float64", 5))


def special():
    for dtype in ["float64", "float32"]:
        x = np.concatenate([np.linspace(-12, 12, 49), np.linspace(-1, 1, 21)]).astype(dtype)
        case("i0", np.i0, x)
        case("erfc", scipy.special.erfc, x)
        case("special.erfc", scipy.special.erfc, np.array([0.0, -0.0, np.inf, -np.inf, np.nan], dtype))
        case("i0", np.i0, np.array([0.0, -0.0, np.nan, 100.0, -20.0][: 5 if dtype == "float64" else 3], dtype))
        edges = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 2.0, 0.5], dtype)
        info = np.finfo(dtype)
        edges = np.concatenate([edges, np.array([info.max, -info.max, info.tiny, 2 * info.tiny], dtype)])
        edges = np.concatenate([edges, array(dtype, 6)])
        case("signbit", np.signbit, edges)
        case("nextafter", np.nextafter, edges[:, None], edges[None, :], rtol=0.0)
        # No numbers below the smallest normal one: XLA has none.
        normal = edges[np.isfinite(edges) & (np.abs(edges) >= 1e-3)]
        case("nextafter", np.nextafter, normal, np.zeros((), dtype), rtol=0.0)
    case("erfc", scipy.special.erfc, np.linspace(5.0, 26.0, 43), rtol=1e-13)
    for dtype in ["int64", "int32", "uint8", "bool"]:
        case("signbit", lambda x: np.signbit(x.astype(float)), array(dtype, 5))
        case("i0", np.i0, array(dtype, 5))
        case("nextafter", lambda x, y: np.nextafter(x.astype(float), y.astype(float)), array(dtype, 5), array(dtype, 5), rtol=0.0)
    case("nextafter", np.nextafter, array("float32", 3), array("float64", 3), rtol=0.0)
    for name, function in [("i0", np.i0), ("signbit", np.signbit)]:
        case(name, function, array("complex128", 3))
    case("nextafter", np.nextafter, array("complex128", 3), array("complex128", 3))
    case("nextafter", np.nextafter, array("float64", 3), array("float64", 4))


def put(x, indices, values, axis):
    x = x.copy()
    np.put_along_axis(x, indices, values, axis)
    return x


def positions():
    for dtype in DTYPES:
        x = array(dtype, 3, 4)
        rows = np.argsort(rng.uniform(size=(3, 4)), axis=1)[:, :2]
        case("put_along_axis", put, x, rows, array(dtype, 3, 2), axis=1)
        case("put_along_axis", put, x, np.array([[1, -1, 0, 2]]), array(dtype, 1, 4), axis=0)
        case("put_along_axis", put, x, np.array([3, 11, 0]), array(dtype, 3), axis=None)
        case("array_equal", np.array_equal, x, x)
        case("array_equal", np.array_equal, x, array(dtype, 4))
        case("array_equal", np.array_equal, x, array(dtype, 3, 4))
    case("put_along_axis", put, array("float64", 3, 4), np.array([[0], [1], [3]]), 7.0, axis=1)
    case("put_along_axis", put, array("float64", 3, 4), np.array([[0], [1], [4]]), 7.0, axis=1)
    case("put_along_axis", put, array("float64", 3, 4), np.array([0, 1]), 7.0, axis=1)
    case("put_along_axis", put, array("float64", 3, 4), np.array([[0], [1], [3]]), 7.0, axis=2)
    nan = np.array([1.0, np.nan])
    case("array_equal", np.array_equal, nan, nan)
    case("array_equal", np.array_equal, nan, nan, equal_nan=True)
    case("array_equal", np.array_equal, np.array([1, 2]), np.array([1.0, 2.0]))
    for order in ["C", "F"]:
        case("unravel_index", np.unravel_index, np.array([22, 41, 37]), (7, 6), order=order)
        case("unravel_index", np.unravel_index, np.array([[0, 23], [5, 7]]), (2, 3, 4), order=order)
        case("ravel_multi_index", np.ravel_multi_index, (np.array([3, 6, 6]), np.array([4, 5, 1])), (7, 6), order=order)
        for mode in ["wrap", "clip"]:
            indices = (np.array([-3, 9, 6]), np.array([4, 25, -11]))
            case("ravel_multi_index", np.ravel_multi_index, indices, (7, 6), mode=mode, order=order)
    case("unravel_index", np.unravel_index, np.array(5), (7,))
    case("unravel_index", np.unravel_index, np.array([5, 2], dtype="int32"), (3, 4))
    case("ravel_multi_index", np.ravel_multi_index, (np.array([[1], [2]]), np.array([0, 3])), (3, 4))
    for wrong in [np.array([42]), np.array([-1]), np.array([1.0])]:
        case("unravel_index", np.unravel_index, wrong, (7, 6))
    case("ravel_multi_index", np.ravel_multi_index, (np.array([7]), np.array([1])), (7, 6))
    case("ravel_multi_index", np.ravel_multi_index, (np.array([-1]), np.array([1])), (7, 6))
    case("ravel_multi_index", np.ravel_multi_index, (np.array([1]),), (7, 6))
    for name, function in [("tril_indices", np.tril_indices), ("triu_indices", np.triu_indices)]:
        for n, k, m in [(4, 0, None), (4, 1, None), (4, -2, None), (3, 0, 5), (5, 1, 3), (5, -1, 3), (0, 0, None), (3, 9, None), (3, -9, None), (3, 0, 0)]:
            case(name, function, n, k, m)
        case(name, function, -1)
    broadcast = lambda *args: list(np.broadcast_arrays(*args))
    case("broadcast_arrays", broadcast, array("float64", 3, 1), array("int64", 4))
    case("broadcast_arrays", broadcast, array("complex64", 2, 1, 2), array("bool", 3, 1), array("uint8"))
    case("broadcast_arrays", broadcast, array("float64", 3))
    case("broadcast_arrays", broadcast, array("float64", 3), array("float64", 4))
    for dtype in DTYPES:
        a, b, c, d = array(dtype, 2, 2), array(dtype, 2, 1), array(dtype, 1, 2), array(dtype, 1, 1)
        case("block", np.block, [[a, b], [c, d]])
        case("block", np.block, [array(dtype, 3), array(dtype, 2)])
        case("block", np.block, [[array(dtype, 3)], [array(dtype, 3)]])
    case("block", np.block, [array("float64", 2), 1.5, 2])
    case("block", np.block, array("float64", 2))
    case("block", np.block, [[[array("float64", 2)], [array("float64", 2)]]])
    case("block", np.block, [array("float64", 2, 2, 2), array("float64", 2, 2, 1)])
    case("block", np.block, [[array("int64", 1, 2), array("float32", 1, 1)]])
    case("block", np.block, [array("float64", 2), [array("float64", 2)]])
    case("block", np.block, [[array("float64", 2)], []])
    case("block", np.block, [[array("float64", 2)], [array("float64", 3)]])


def definite(dtype, *shape):
    x = array(dtype, *shape)
    adjoint = np.conj(np.swapaxes(x, -1, -2))
    return (x @ adjoint + shape[-1] * np.eye(shape[-1])).astype(dtype)


def lu_solve(lu_and_piv, b, trans=0):
    return scipy.linalg.lu_solve(tuple(lu_and_piv), b, trans=trans)


def cho_solve(c_and_lower, b):
    return scipy.linalg.cho_solve(tuple(c_and_lower), b)


def linalg():
    block_diag = scipy.linalg.block_diag
    for dtype in DTYPES:
        case("linalg.block_diag", block_diag, array(dtype, 2, 2), array(dtype, 1, 3), array(dtype, 2))
        case("linalg.block_diag", block_diag, array(dtype, 2, 2))
    case("linalg.block_diag", block_diag, array("int64", 2, 2), array("float32", 1, 3), array("complex64"))
    case("linalg.block_diag", block_diag, array("float64", 2, 0), array("float64", 1, 3))
    case("linalg.block_diag", block_diag)
    for dtype in ["float64", "float32", "complex128", "complex64"]:
        kind = np.dtype(dtype).kind
        for n in [1, 2, 3, 5, 8]:
            x = definite(dtype, n, n)
            wide = {"rtol": 2e-3 if dtype in ("float32", "complex64") else 1e-9}
            case("linalg.sqrtm", lambda a: scipy.linalg.sqrtm(a).astype(a.dtype), x, **wide)
            case("linalg.logm", lambda a: scipy.linalg.logm(a).astype(a.dtype), x, **wide)
            lu, piv = scipy.linalg.lu_factor(array(dtype, n, n))
            piv = piv.astype("int64")
            for trans in [0, 1, 2]:
                case("linalg.lu_solve", lu_solve, [lu, piv], array(dtype, n), trans=trans, **wide)
                case("linalg.lu_solve", lu_solve, [lu, piv], array(dtype, n, 3), trans=trans, **wide)
            for lower in [True, False]:
                factor = np.linalg.cholesky(x, upper=not lower)
                case("linalg.cho_solve", cho_solve, [factor, lower], array(dtype, n), **wide)
                case("linalg.cho_solve", cho_solve, [factor, lower], array(dtype, n, 2), **wide)
    # Not symmetric, with dependent eigenvectors, with complex eigenvalues.
    for x in [
        np.array([[1.0, 3.0], [1.0, 4.0]]),
        np.array([[1.0, 1.0], [0.0, 1.0]]),
        np.array([[4.0, 1.0, 0.0], [0.0, 4.0, 1.0], [0.0, 0.0, 4.0]]),
        np.array([[1.0, -2.0], [3.0, 1.0]]),
        np.diag([1e-4, 1.0, 1e4]),
        np.eye(3),
        np.array([[-1.0 + 0j, 0.0], [0.0, -4.0]]),
    ]:
        # NaN where SciPy's root of a real matrix would be complex: none of these is.
        case("linalg.sqrtm", scipy.linalg.sqrtm, x, rtol=1e-8)
        case("linalg.logm", scipy.linalg.logm, x, rtol=1e-8)
    batch = definite("float64", 2, 3, 3)
    case("linalg.sqrtm", lambda a: np.stack([scipy.linalg.sqrtm(m) for m in a]), batch, rtol=1e-9)
    case("linalg.sqrtm", scipy.linalg.sqrtm, array("float64", 2, 3))
    case("linalg.logm", scipy.linalg.logm, array("float64", 2, 3))
    case("linalg.cho_solve", cho_solve, [array("float64", 2, 3), True], array("float64", 2))
    case("linalg.cho_solve", cho_solve, [definite("float64", 2, 2), True], array("float64", 3))
    case("linalg.lu_solve", lu_solve, [array("float64", 2, 3), np.array([0, 1])], array("float64", 2))
    case("linalg.lu_solve", lu_solve, [definite("float64", 2, 2), np.array([0, 1])], array("float64", 3))


def fourier():
    for norm in [None, "backward", "ortho", "forward"]:
        for dtype in ["float64", "float32", "int64"]:
            x = array(dtype, 3, 4, 5)
            case("fft.rfftn", np.fft.rfftn, x, norm=norm)
            case("fft.rfftn", np.fft.rfftn, x, axes=(0, 2), norm=norm)
            case("fft.rfftn", np.fft.rfftn, x, s=(2, 6), axes=(1, 0), norm=norm)
            case("fft.ihfft", np.fft.ihfft, x, norm=norm)
            case("fft.ihfft", np.fft.ihfft, x, 7, axis=1, norm=norm)
        for dtype in ["complex128", "complex64", "float64"]:
            x = array(dtype, 3, 4, 5)
            case("fft.irfftn", np.fft.irfftn, x, norm=norm)
            case("fft.irfftn", np.fft.irfftn, x, axes=(0, 2), norm=norm)
            case("fft.irfftn", np.fft.irfftn, x, s=(2, 6), axes=(1, 0), norm=norm)
            case("fft.hfft", np.fft.hfft, x, norm=norm)
            case("fft.hfft", np.fft.hfft, x, 7, axis=1, norm=norm)
    case("fft.rfftn", np.fft.rfftn, array("complex128", 3, 4))
    case("fft.rfftn", np.fft.rfftn, array("float64", 3, 4), axes=(0, 2))
    case("fft.hfft", np.fft.hfft, array("float64", 4), 0)
    case("fft.ihfft", np.fft.ihfft, array("complex128", 4))
    case("fft.irfftn", np.fft.irfftn, array("complex128", 3, 4), s=(2,), axes=(0, 1))


for make in [gradient, products, quantiles, moments, special, positions, linalg, fourier]:
    make()

print('{"numpy": "2.4.6", "cases": [')
print(",\n".join(json.dumps(entry) for entry in cases))
print("]}")
print(f"{len(cases)} cases", file=sys.stderr)

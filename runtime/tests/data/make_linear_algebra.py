"""Writes linear_algebra.txt: matrices and what NumPy and SciPy make of them.

One line "case FUNCTION KIND DIMENSIONS..." and then one line per array, inputs first: its elements as
hexadecimal doubles, row by row. KIND is f64 or c128; after c128 each element is real and imaginary part.
"""
import struct

import numpy as np
import scipy.linalg as sl

rng = np.random.default_rng(20)


def bits(x):
    return struct.pack(">d", x).hex()


def line(array, kind):
    array = np.asarray(array).ravel()
    if kind == "c128":
        array = array.astype(complex).view(float)
    return " ".join(bits(x) for x in array)


def random(kind, *shape):
    a = rng.standard_normal(shape)
    return a + 1j * rng.standard_normal(shape) if kind == "c128" else a


with open("linear_algebra.txt", "w") as out:

    def case(function, kind, dimensions, *arrays):
        out.write(f"case {function} {kind} {' '.join(map(str, dimensions))}\n")
        for array in arrays:
            out.write(line(array, kind) + "\n")

    for kind in ("f64", "c128"):
        for n in (1, 2, 4, 9):
            a = random(kind, n, n)
            b = random(kind, n, 2)
            case("solve", kind, (n, 2), a, b, np.linalg.solve(a, b))
            case("inv", kind, (n,), a, np.linalg.inv(a))
            case("det", kind, (n,), a, np.linalg.det(a))
            case("slogdet", kind, (n,), a, *np.linalg.slogdet(a))
            if kind == "c128":
                case("eigvals", kind, (n,), a, np.linalg.eigvals(a))
            positive = a @ a.conj().T + np.eye(n)
            case("cholesky", kind, (n,), positive, np.linalg.cholesky(positive))
            case("eigvalsh", kind, (n,), a, np.linalg.eigvalsh(a))
            for scale in (0.001, 0.1, 1.0, 10.0):
                case("expm", kind, (n,), a * scale / n, sl.expm(a * scale / n))
            for lower in (0, 1) if n == 4 else ():
                for trans in (0, 1, 2):
                    for unit in (0, 1):
                        x = sl.solve_triangular(a, b, trans=trans, lower=lower, unit_diagonal=unit)
                        case("solve_triangular", kind, (n, 2, lower, trans, unit), a, b, x)
        for m, n in ((1, 1), (3, 3), (5, 3), (3, 5), (9, 9)):
            a = random(kind, m, n)
            case("lu", kind, (m, n), a, *sl.lu(a))
            case("svdvals", kind, (m, n), a, np.linalg.svd(a, compute_uv=False))
            q, r = np.linalg.qr(a, mode="complete")
            case("qr", kind, (m, n), a, q, r)
        for m, n, deficient in ((4, 4, 0), (6, 3, 0), (3, 6, 0), (6, 3, 1), (3, 6, 1)):
            a, b = random(kind, m, n), random(kind, m, 2)
            if deficient:
                a[-1] = a[0]
                a[:, -1] = a[:, 0]
            x, residuals, rank, s = np.linalg.lstsq(a, b, rcond=None)
            if not residuals.size:
                residuals = (np.abs(b - a @ x) ** 2).sum(axis=0)
            case("lstsq", kind, (m, n, 2), a, b, x, residuals, rank, s)

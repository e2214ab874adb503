"""Writes complex_functions.txt: NumPy's elementary functions on special and ordinary complex arguments.

One line "function name" per function, then one line "re im" (bits of the two doubles in hexadecimal) for each argument,
in the order of two nested loops (real part outside) over SPECIAL, then over ORDINARY.
"""
import struct

import numpy as np

INF, NAN = float("inf"), float("nan")
SPECIAL = [0.0, -0.0, 1.0, -1.0, INF, -INF, NAN, 1e300, -1e300, 1e-300]
ORDINARY = [0.5, -2.0, 3.25, 1e-12, 30.0, -710.0, 1e5]
NAMES = "exp log sqrt sin cos tan sinh cosh tanh arcsin arccos arctan arcsinh arccosh arctanh".split()
NAMES += "exp2 expm1 log2 log10 log1p".split()


def bits(x):
    return struct.pack(">d", x).hex()


np.seterr(all="ignore")
with open("complex_functions.txt", "w") as out:
    for name in NAMES:
        out.write(f"function {name}\n")
        for values in (SPECIAL, ORDINARY):
            for re in values:
                for im in values:
                    z = np.array([complex(re, im)])
                    w = getattr(np, name)(z)[0]
                    out.write(f"{bits(w.real)} {bits(w.imag)}\n")
    for name in ("power", "divide"):
        out.write(f"function {name}\n")
        values = [0.0, 1.0, -2.0, -INF, NAN, 0.5]
        for are in values:
            for aim in values:
                for bre in values:
                    for bim in values:
                        w = getattr(np, name)(np.array([complex(are, aim)]), np.array([complex(bre, bim)]))[0]
                        out.write(f"{bits(w.real)} {bits(w.imag)}\n")

"""Computes the Chebyshev series of `src/numpy/floats.rs`. Needs mpmath 1.3 or later:

    python make_series.py
"""

from mpmath import besseli, cos, erfc, exp, mp, mpf, pi, sqrt

mp.dps = 60
NODES = 200


def series(function):
    """The coefficients of a function from -1 to 1, as many as double precision sees."""
    nodes = [cos(pi * (k + mpf(1) / 2) / NODES) for k in range(NODES)]
    values = [function(t) for t in nodes]
    coefficients = []
    for j in range(40):
        terms = (values[k] * cos(pi * j * (k + mpf(1) / 2) / NODES) for k in range(NODES))
        coefficients.append(mpf(2 if j else 1) / NODES * sum(terms))
    while abs(coefficients[-1]) < mpf(2) ** -60 * abs(coefficients[0]):
        coefficients.pop()
    return coefficients


def scaled_erfc(t):
    x = mpf("3.75") * (1 + t) / (1 - t)
    if x < 10000:
        return exp(x * x) * erfc(x) * (1 + 2 * x)
    total, term = mpf(0), mpf(1)
    for i in range(30):
        total += term
        term *= -(2 * i + 1) / (2 * x * x)
    return total / (x * sqrt(pi)) * (1 + 2 * x)


def i0_near(t):
    x = 4 * (t + 1)
    return exp(-x) * besseli(0, x)


def i0_far(t):
    x = 16 / (t + 1)
    return exp(-x) * besseli(0, x) * sqrt(x)


for name, function in [("SCALED_ERFC", scaled_erfc), ("I0_NEAR", i0_near), ("I0_FAR", i0_far)]:
    print(name, *(f"    {float(c)!r}," for c in series(function)), sep="\n")

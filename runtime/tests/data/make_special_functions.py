"""Writes special_functions.txt: erf and the logarithm of gamma, correctly rounded from 50 digits.

One line "FUNCTION x value" per argument, both numbers as 16 hexadecimal digits.
"""
import struct

import mpmath as mp

mp.mp.dps = 50


def bits(x):
    return struct.pack(">d", x).hex()


with open("special_functions.txt", "w") as out:

    def point(name, function, x):
        out.write(f"{name} {bits(x)} {bits(float(function(mp.mpf(x))))}\n")

    def log_gamma(x):
        return mp.log(abs(mp.gamma(x))) if x < 0 else mp.loggamma(x)

    for k in range(1, 401):
        point("erf", mp.erf, k / 64.7 * (-1) ** k)
    for k in range(1, 60):
        point("erf", mp.erf, 10.0 ** (-k / 7))
        point("lgamma", log_gamma, 10.0 ** (-k / 7))
        point("lgamma", log_gamma, 10.0 ** (k * 5.1))
        point("lgamma", log_gamma, 1 + 10.0 ** (-k / 7))
        point("lgamma", log_gamma, 2 - 10.0 ** (-k / 7))
    for k in range(1, 500):
        point("lgamma", log_gamma, k / 24.3)
    for k in range(1, 250):
        point("lgamma", log_gamma, -k / 13.71)

"""Workloads as loops for numba: what one writes by hand for it. Those that are not here it declines."""

import math

import numba
import numpy


@numba.njit(fastmath=False)
def _mgs(x):
    n = x.shape[0]
    q = numpy.empty_like(x)
    for j in range(n):
        row = x[j].copy()
        for i in range(j):
            dot = x[0, 0] * 0
            for k in range(n):
                dot += numpy.conj(q[i, k]) * row[k]
            for k in range(n):
                row[k] -= dot * q[i, k]
        norm = 0.0
        for k in range(n):
            norm += abs(row[k]) ** 2
        norm = math.sqrt(norm)
        for k in range(n):
            q[j, k] = row[k] / norm
    return q


def mgs(arrays, n):
    return [_mgs(arrays[0])]


@numba.njit
def _arith(a, b, c, d, e):
    out = numpy.empty_like(a)
    for i in range(a.size):
        out[i] = a[i] * b[i] + c[i] * d[i] - e[i]
    return out


def arith(arrays, n):
    return [_arith(*arrays)]


@numba.njit
def _exp(x):
    out = numpy.empty_like(x)
    for i in range(x.size):
        out[i] = math.exp(x[i])
    return out


def exp(arrays, n):
    return [_exp(arrays[0])]


@numba.njit
def _black_scholes(spot, strike, years):
    call, put = numpy.empty_like(spot), numpy.empty_like(spot)
    rate, volatility = 0.05, 0.3
    for i in range(spot.size):
        deviation = volatility * math.sqrt(years[i])
        drift = (rate + 0.5 * volatility * volatility) * years[i]
        d1 = (math.log(spot[i] / strike[i]) + drift) / deviation
        d2 = d1 - deviation
        discounted = strike[i] * math.exp(-rate * years[i])
        first = 0.5 * (1.0 + math.erf(d1 * math.sqrt(0.5)))
        second = 0.5 * (1.0 + math.erf(d2 * math.sqrt(0.5)))
        call[i] = spot[i] * first - discounted * second
        put[i] = call[i] - spot[i] + discounted
    return call, put


def black_scholes(arrays, n):
    return list(_black_scholes(*arrays))


@numba.njit
def _call(x, y, z):
    return x * y + z


def call(arrays, n):
    return [_call(*arrays)]


@numba.njit
def _softmax(x):
    out = numpy.empty_like(x)
    for i in range(x.shape[0]):
        largest = x[i].max()
        total = 0.0
        for j in range(x.shape[1]):
            out[i, j] = math.exp(x[i, j] - largest)
            total += out[i, j]
        for j in range(x.shape[1]):
            out[i, j] /= total
    return out


def softmax(arrays, n):
    return [_softmax(arrays[0])]


@numba.njit
def _heat(start, n):
    u, after = start.copy(), start.copy()
    rows, columns = u.shape
    for _ in range(n):
        for i in range(1, rows - 1):
            for j in range(1, columns - 1):
                around = u[i - 1, j] + u[i + 1, j] + (u[i, j - 1] + u[i, j + 1])
                after[i, j] = u[i, j] + (around - 4.0 * u[i, j]) * 0.2
        u, after = after, u
    return u


def heat(arrays, n):
    return [_heat(arrays[0], n)]

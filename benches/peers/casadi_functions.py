"""Workloads as one writes them for CasADi: matrices have two axes, and what is differentiated is an expression.

A function takes `S`, `casadi.SX` or `casadi.MX`; the arguments as matrices of symbols (a vector is a column); the size `n` and the
parameters of the case; and returns the expressions of the results. Loops are nodes of `MX` (`mapaccum`) and unrolled in `SX`.
What is not here is declined: CasADi has no complex numbers, no arrays of three axes, and no SVD.
"""

import casadi as cs


def call(S, symbols, n, parameters):
    x, y, z = symbols
    return [x * y + z]


def arith(S, symbols, n, parameters):
    a, b, c, d, e = symbols
    return [a * b + c * d - e]


def exp(S, symbols, n, parameters):
    return [cs.exp(symbols[0])]


def black_scholes(S, symbols, n, parameters):
    spot, strike, years = symbols
    rate, volatility = 0.05, 0.3
    cdf = lambda x: (cs.erf(x * 0.5**0.5) + 1) * 0.5
    deviation = cs.sqrt(years) * volatility
    d1 = (cs.log(spot / strike) + years * (rate + 0.5 * volatility * volatility)) / deviation
    discounted = strike * cs.exp(years * -rate)
    value = spot * cdf(d1) - discounted * cdf(d1 - deviation)
    return [value, value - spot + discounted]


def _gram_schmidt(x, n):
    rows = []
    for j in range(n):
        row = x[j, :]
        for q in rows:
            row = row - cs.dot(q, row) * q
        rows.append(row / cs.norm_2(row))
    return cs.vertcat(*rows)


def mgs(S, symbols, n, parameters):
    return [_gram_schmidt(symbols[0], n)]


def grad_mgs(S, symbols, n, parameters):
    x, weights = symbols
    value = cs.dot(_gram_schmidt(x, n), weights)
    return [value, cs.gradient(value, x)]


def _kalman_step(S, x, p, likelihood, z, matrices):
    f, h, q, r = matrices
    x = f @ x
    p = f @ p @ f.T + q
    s = h @ p @ h.T + r
    residual = z - h @ x
    # One solve for the gain and the distance: S is 3 x 3.
    solved = cs.solve(s, cs.horzcat(h @ p, residual))
    gain = solved[:, :6].T
    x = x + gain @ residual
    p = (S.eye(6) - gain @ h) @ p
    distance = cs.dot(residual, solved[:, 6])
    # The product of the diagonal of the Cholesky factor is the root of the determinant; MX has no `chol`.
    return x, p, likelihood - distance * 0.5 - cs.log(cs.det(s)) * 0.5


def _kalman(S, matrices, z, n):
    x, p, likelihood = S.zeros(6), S.eye(6), S.zeros(1)
    p = cs.densify(p)
    for step in range(n):
        x, p, likelihood = _kalman_step(S, x, p, likelihood, z[step, :].T, matrices)
    return x, p, likelihood


def kalman(S, symbols, n, parameters):
    *matrices, z = symbols
    return list(_kalman(S, matrices, z, n))


def grad_kalman(S, symbols, n, parameters):
    *matrices, z = symbols
    likelihood = _kalman(S, matrices, z, n)[2]
    return [likelihood, *(cs.gradient(likelihood, m) for m in matrices)]


def scan_kalman(S, symbols, n, parameters):
    *matrices, z = symbols
    if S is cs.SX:
        return list(_kalman(S, matrices, z, n))
    start = [cs.DM.zeros(6), cs.DM(cs.DM.eye(6).full()), cs.DM.zeros(1)]
    one = [cs.SX.sym(f"x{i}", *m.shape) for i, m in enumerate([*start, *matrices, start[0][:3]])]
    state = _kalman_step(cs.SX, *one[:3], one[-1], one[3:7])
    step = cs.Function("step", one, [*state, *one[3:7]])
    x, p, likelihood, *_ = step.mapaccum("kalman", n, 7)(*start, *matrices, z.T)
    return [x[:, -1], p[:, -6:], likelihood[-1]]


def _rk4(bodies, n):
    x, v, mass = bodies
    step = 0.01

    def acceleration(x):
        apart = [cs.repmat(x[:, d].T, 8, 1) - cs.repmat(x[:, d], 1, 8) for d in range(3)]
        squared = sum(a * a for a in apart) + 0.05
        weight = cs.repmat(mass.T, 8, 1) / (squared * cs.sqrt(squared))
        return cs.horzcat(*(cs.sum2(a * weight) for a in apart))

    for _ in range(n):
        a1 = acceleration(x)
        v2 = v + a1 * (step / 2)
        a2 = acceleration(x + v * (step / 2))
        v3 = v + a2 * (step / 2)
        a3 = acceleration(x + v2 * (step / 2))
        v4 = v + a3 * step
        a4 = acceleration(x + v3 * step)
        x = x + (v + v2 * 2 + v3 * 2 + v4) * (step / 6)
        v = v + (a1 + a2 * 2 + a3 * 2 + a4) * (step / 6)
    return x, v


def rk4(S, symbols, n, parameters):
    return list(_rk4(symbols, n))


def grad_rk4(S, symbols, n, parameters):
    *bodies, weights = symbols
    x, v = _rk4(bodies, n)
    value = cs.dot(x + v, weights)
    return [value, *(cs.gradient(value, b) for b in bodies)]


def _cascade(S, start, rates, rain, n):
    def step(levels, rates, rain):
        flow, next = rain, []
        for i in range(60):
            out = rates[i] * levels[i] / (1 + levels[i])
            next.append(levels[i] + (flow - out) * 0.25)
            flow = out
        return cs.vertcat(*next), flow

    if S is cs.SX:
        levels, flows = start, []
        for t in range(n):
            levels, flow = step(levels, rates, rain[t])
            flows.append(flow)
        return levels, cs.vertcat(*flows)
    # A step is a function of numbers, and the loop is one node: what CasADi has for this.
    one = [cs.SX.sym("levels", 60), cs.SX.sym("rates", 60), cs.SX.sym("rain")]
    levels, flow = step(*one)
    function = cs.Function("step", one, [levels, one[1], flow])
    levels, _, flows = function.mapaccum("cascade", n, 2)(start, rates, rain.T)
    return levels[:, -1], flows.T


def scan_scalars(S, symbols, n, parameters):
    return list(_cascade(S, *symbols, n))


def grad_scan_scalars(S, symbols, n, parameters):
    start, rates, rain = symbols
    levels, flows = _cascade(S, start, rates, rain, n)
    value = cs.sumsqr(levels) + cs.sum1(flows)
    return [value, cs.gradient(value, start), cs.gradient(value, rates)]


def _composite(S, angles, chain, n):
    axes, offsets, centres, masses, inertias = chain
    one = S.eye(3)
    turned, place = one, S.zeros(3)
    screws, bodies = [], []
    for i in range(n):
        k = cs.skew(axes[i, :].T)
        turned = turned @ (one + k * cs.sin(angles[i]) + k @ k * (1 - cs.cos(angles[i])))
        axis = turned @ axes[i, :].T
        screws.append(cs.vertcat(axis, cs.cross(place, axis)))
        c = cs.skew(place + turned @ centres[i, :].T)
        inertia = turned @ cs.diag(inertias[i, :]) @ turned.T - c @ c * masses[i]
        mixed = c * masses[i]
        upper = cs.horzcat(inertia, mixed)
        bodies.append(cs.vertcat(upper, cs.horzcat(mixed.T, one * masses[i])))
        place = place + turned @ offsets[i, :].T
    total, forces = 0, []
    for body, screw in zip(bodies[::-1], screws[::-1]):
        total = body + total
        forces.append(total @ screw)
    products = cs.horzcat(*screws).T @ cs.horzcat(*forces[::-1])
    return cs.triu2symm(cs.triu(products)), place


def kinematics(S, symbols, n, parameters):
    angles, *chain = symbols
    return list(_composite(S, angles, chain, n))


def grad_kinematics(S, symbols, n, parameters):
    angles, *chain, speeds = symbols
    mass, _ = _composite(S, angles, chain, n)
    energy = cs.dot(speeds, mass @ speeds) * 0.5
    return [energy, cs.gradient(energy, angles)]


def quasiseparable(S, symbols, n, parameters):
    t, y, a, c, d = symbols
    phase = t @ d.T
    cos, sin = cs.cos(phase), cs.sin(phase)
    scale = cs.repmat(a.T, n, 1)
    u, v = cs.horzcat(scale * cos, scale * sin), cs.horzcat(cos, sin)
    gaps = cs.vertcat(0, cs.diff(t))
    decay = cs.exp(-(gaps @ cs.vertcat(c, c).T))
    diagonal = cs.sum1(a) + 0.1

    def step(s, f, total, diagonal, u, v, decay, y):
        s = s * (decay @ decay.T)
        f = f * decay
        su = s @ u
        d = diagonal - cs.dot(u, su)
        w = (v - su) / d
        z = y - cs.dot(u, f)
        return s + w @ w.T * d, f + w * z, total + z * z / d + cs.log(d), d, z

    if parameters["rolled"] and S is cs.MX:
        one = [cs.SX.sym("s", 4, 4), cs.SX.sym("f", 4), cs.SX.sym("total"), cs.SX.sym("diagonal")]
        row = [cs.SX.sym("u", 4), cs.SX.sym("v", 4), cs.SX.sym("decay", 4), cs.SX.sym("y")]
        s, f, total, d, z = step(*one, *row)
        function = cs.Function("step", [*one, *row], [s, f, total, one[3], d, z])
        start = [cs.DM(4, 4), cs.DM.zeros(4), 0, diagonal]
        *_, totals, _, ds, zs = function.mapaccum("rows", n, 4)(*start, u.T, v.T, decay.T, y.T)
        return [totals[:, -1], ds.T, zs.T]
    s, f, total, ds, zs = S.zeros(4, 4), S.zeros(4), S.zeros(1), [], []
    for i in range(n):
        row = (u[i, :].T, v[i, :].T, decay[i, :].T, y[i])
        s, f, total, d, z = step(s, f, total, diagonal, *row)
        ds.append(d)
        zs.append(z)
    return [total, cs.vertcat(*ds), cs.vertcat(*zs)]


# The most steps of a loop that are unrolled.
UNROLLED = 5_000


def find(name):
    return globals().get(name.split(".")[0])

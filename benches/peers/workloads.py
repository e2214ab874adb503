"""The workloads of benches/workloads in Python, for whatever has NumPy's functions.

A function takes `xp`, a namespace with NumPy's names; the arrays of the arguments as a flat list, in the order in
which Rust's version has them; the size `n`; and the parameters of the case. It returns the list of its results. One
changes with the other: the harness compares results.
"""

import math


def mgs(xp, arrays, n, parameters):
    (x,) = arrays
    rows = []
    for j in range(n):
        row = x[j]
        for q in rows:
            row = row - xp.tensordot(xp.conj(q), row, 1) * q
        rows.append(row / xp.linalg.norm(row))
    return [xp.stack(rows)]


def chain(xp, arrays, n, parameters):
    (x,) = arrays
    y = x
    for step in range(n):
        if step % 4 == 0:
            y = y + x
        elif step % 4 == 1:
            y = xp.sin(y)
        elif step % 4 == 2:
            y = y * 0.75
        else:
            y = xp.tanh(y)
    return [y]


class Choices:
    """Knuth's linear congruential generator, as in benches/workloads/mod.rs."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % n


def dag(xp, arrays, n, parameters):
    values = list(arrays)
    choices = Choices(2026)
    unused = list(range(len(values)))
    taken = nodes = 0
    while nodes < n:
        value = len(values)
        if taken < len(unused):
            a = unused[taken]
            taken += 1
        else:
            a = value - 1
        b = value - 1 - choices.below(min(64, value))
        step = choices.below(7)
        nodes += 2 if step == 6 else 1
        x, y = values[a], values[b]
        if step == 0:
            values.append(xp.sin(x))
        elif step == 1:
            values.append(xp.cos(x))
        elif step == 2:
            values.append(xp.tanh(x))
        elif step == 3:
            values.append(x * y)
        elif step == 4:
            values.append(xp.minimum(x, y))
        elif step == 5:
            values.append(xp.maximum(x, y))
        else:
            values.append((x + y) * 0.5)
        unused.append(value)
    return [values[i] for i in unused[taken:]]


def arith(xp, arrays, n, parameters):
    a, b, c, d, e = arrays
    return [a * b + c * d - e]


def exp(xp, arrays, n, parameters):
    return [xp.exp(arrays[0])]


def functions(xp, arrays, n, parameters):
    return [getattr(xp, parameters["function"])(*arrays)]


def black_scholes(xp, arrays, n, parameters):
    spot, strike, years = arrays
    rate, volatility = 0.05, 0.3

    def normal_cdf(x):
        return (xp.erf(x * math.sqrt(0.5)) + 1.0) * 0.5

    deviation = xp.sqrt(years) * volatility
    drift = years * (rate + 0.5 * volatility * volatility)
    d1 = (xp.log(spot / strike) + drift) / deviation
    d2 = d1 - deviation
    discounted = strike * xp.exp(years * -rate)
    call = spot * normal_cdf(d1) - discounted * normal_cdf(d2)
    return [call, call - spot + discounted]


def call(xp, arrays, n, parameters):
    x, y, z = arrays
    return [x * y + z]


def _softmax(xp, x):
    e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


def softmax(xp, arrays, n, parameters):
    return [_softmax(xp, arrays[0])]


def _layernorm(xp, x, scale, shift):
    centred = x - xp.mean(x, axis=-1, keepdims=True)
    variance = xp.mean(centred * centred, axis=-1, keepdims=True)
    return centred / xp.sqrt(variance + 1e-5) * scale + shift


def layernorm(xp, arrays, n, parameters):
    return [_layernorm(xp, *arrays)]


def attention(xp, arrays, n, parameters):
    x, *w, scale, shift = arrays
    heads = 4
    width = n // heads

    def split(y):
        return xp.transpose(xp.reshape(y, (n, heads, width)), (1, 0, 2))

    y = _layernorm(xp, x, scale, shift)
    query = split(xp.matmul(y, w[0]))
    key = split(xp.matmul(y, w[1]))
    value = split(xp.matmul(y, w[2]))
    scores = xp.matmul(query, xp.transpose(key, (0, 2, 1))) / math.sqrt(width)
    mixed = xp.transpose(xp.matmul(_softmax(xp, scores), value), (1, 0, 2))
    x = x + xp.matmul(xp.reshape(mixed, (n, n)), w[3])
    y = xp.matmul(_layernorm(xp, x, scale, shift), w[4])
    cube = y * y * y
    gelu = y * 0.5 * (xp.tanh((y + cube * 0.044715) * 0.7978845608028654) + 1.0)
    return [x + xp.matmul(gelu, w[5])]


def mlp(xp, arrays, n, parameters):
    x = arrays[0]
    layers = (len(arrays) - 1) // 2
    for w, b in zip(arrays[1 : 1 + layers], arrays[1 + layers :]):
        x = xp.tanh(xp.matmul(x, w) + b)
    return [x]


def circuit(xp, arrays, n, parameters):
    state, *gates = arrays
    qubits = parameters["qubits"]
    for gate, (a, b) in zip(gates, parameters["places"]):
        if b is None:
            parts = xp.reshape(state, (2**a, 2, 2 ** (qubits - 1 - a)))
            changed = xp.tensordot(gate, parts, ((1,), (1,)))
            state = xp.transpose(changed, (1, 0, 2))
        else:
            shape = (2**a, 2, 2 ** (b - a - 1), 2, 2 ** (qubits - 1 - b))
            gate = xp.reshape(gate, (2, 2, 2, 2))
            changed = xp.tensordot(gate, xp.reshape(state, shape), ((2, 3), (1, 3)))
            state = xp.transpose(changed, (2, 0, 3, 1, 4))
        state = xp.reshape(state, (2**qubits,))
    return [state]


def _kalman_step(xp, state, z, one, f, h, q, r):
    x, p, likelihood = state
    x = xp.matmul(f, x)
    p = xp.matmul(xp.matmul(f, p), xp.transpose(f, (1, 0))) + q
    s = xp.matmul(xp.matmul(h, p), xp.transpose(h, (1, 0))) + r
    residual = z - xp.matmul(h, x)
    gain = xp.transpose(xp.linalg.solve(s, xp.matmul(h, p)), (1, 0))
    x = x + xp.matmul(gain, residual)
    p = xp.matmul(one - xp.matmul(gain, h), p)
    factor = xp.linalg.cholesky(s)
    distance = xp.sum(residual * xp.linalg.solve(s, residual))
    likelihood = likelihood - distance * 0.5 - xp.sum(xp.log(xp.diagonal(factor)))
    return x, p, likelihood


def _kalman_start(xp, f):
    x = f[0] * 0.0
    return x, xp.eye(6), xp.sum(x)


def kalman(xp, arrays, n, parameters):
    *matrices, z = arrays
    state = _kalman_start(xp, matrices[0])
    for step in range(n):
        state = _kalman_step(xp, state, z[step], xp.eye(6), *matrices)
    return list(state)


def rk4(xp, arrays, n, parameters):
    x, v, mass = arrays
    step = 0.01

    def acceleration(x):
        apart = x[None, :, :] - x[:, None, :]
        squared = xp.sum(apart * apart, axis=-1) + 0.05
        weight = mass / (squared * xp.sqrt(squared))
        return xp.sum(apart * weight[:, :, None], axis=1)

    for _ in range(n):
        a1 = acceleration(x)
        v2 = v + a1 * (step / 2)
        a2 = acceleration(x + v * (step / 2))
        v3 = v + a2 * (step / 2)
        a3 = acceleration(x + v2 * (step / 2))
        v4 = v + a3 * step
        a4 = acceleration(x + v3 * step)
        x = x + (v + v2 * 2.0 + v3 * 2.0 + v4) * (step / 6)
        v = v + (a1 + a2 * 2.0 + a3 * 2.0 + a4) * (step / 6)
    return [x, v]


def _heat_step(xp, u):
    middle = u[1:-1, 1:-1]
    vertical = u[:-2, 1:-1] + u[2:, 1:-1]
    horizontal = u[1:-1, :-2] + u[1:-1, 2:]
    middle = middle + (vertical + horizontal - middle * 4.0) * 0.2
    middle = xp.concatenate([u[1:-1, :1], middle, u[1:-1, -1:]], axis=1)
    return xp.concatenate([u[:1, :], middle, u[-1:, :]], axis=0)


def heat(xp, arrays, n, parameters):
    (u,) = arrays
    for _ in range(n):
        u = _heat_step(xp, u)
    return [u]


def updates(xp, arrays, n, parameters):
    x, *others = arrays
    if hasattr(x, "at"):
        put = lambda x, key, values: x.at[key].set(values)
    else:
        x = x.copy()

        def put(x, key, values):
            x[key] = values
            return x

    if parameters["kind"] == "rows":
        for t in range(1, n):
            x = put(x, t, x[t - 1] * others[0])
    elif parameters["kind"] == "elements":
        for t in range(n):
            x = put(x, t, others[0])
    else:
        for _ in range(50):
            vertical = x[:-2, 1:-1] + x[2:, 1:-1]
            horizontal = x[1:-1, :-2] + x[1:-1, 2:]
            x = put(x, (slice(1, -1), slice(1, -1)), (vertical + horizontal) * 0.25)
    return [x]


def networks(xp, arrays, n, parameters):
    tensors = list(arrays)
    for i, j, subscripts in parameters["steps"]:
        right = tensors.pop(j)
        left = tensors.pop(i)
        tensors.append(xp.einsum(subscripts, left, right))
    return tensors


def linalg(xp, arrays, n, parameters):
    x, b = arrays

    def t(x):
        return xp.transpose(x, (1, 0))

    _, r = xp.linalg.qr(x)
    gram = xp.matmul(t(r), r)
    u, s, v = xp.linalg.svd(gram)
    again = xp.matmul(u * s, v)
    w, q = xp.linalg.eigh(again + t(gram))
    root = xp.matmul(q * xp.sqrt(xp.abs(w)), t(q))
    return [s, w, xp.linalg.solve(root, b)]


def matmul(xp, arrays, n, parameters):
    return [xp.matmul(*arrays)]


def grad_mgs(xp, arrays, n, parameters):
    x, weights = arrays
    value = lambda x: xp.sum(mgs(xp, [x], n, parameters)[0] * weights)
    return list(xp.value_and_grad(value)(x))


def grad_kalman(xp, arrays, n, parameters):
    *matrices, z = arrays
    value = lambda matrices: kalman(xp, [*matrices, z], n, parameters)[2]
    value, gradients = xp.value_and_grad(value)(matrices)
    return [value, *gradients]


def grad_rk4(xp, arrays, n, parameters):
    *bodies, weights = arrays

    def value(bodies):
        x, v = rk4(xp, bodies, n, parameters)
        return xp.sum((x + v) * weights)

    value, gradients = xp.value_and_grad(value)(bodies)
    return [value, *gradients]


def grad_circuit(xp, arrays, n, parameters):
    angles, zz = arrays
    qubits = parameters["qubits"]

    def around(state, qubit):
        return xp.reshape(state, (2**qubit, 2, 2 ** (qubits - qubit - 1)))

    def energy(angles):
        state = xp.full((2**qubits,), 2 ** (-qubits / 2) + 0j)
        for layer in range(n):
            state = state * xp.exp(zz * angles[layer, qubits] * -1j)
            for qubit in range(qubits):
                parts, angle = around(state, qubit), angles[layer, qubit]
                turned = parts * xp.cos(angle) - xp.flip(parts, 1) * (xp.sin(angle) * 1j)
                state = xp.reshape(turned, (2**qubits,))
        energy = -xp.sum(xp.real(xp.conj(state) * state) * zz)
        for qubit in range(qubits):
            parts = around(state, qubit)
            energy = energy - xp.sum(xp.real(xp.conj(parts) * xp.flip(parts, 1)))
        return energy

    return list(xp.value_and_grad(energy)(angles))


def grad_mps(xp, arrays, n, parameters):
    x, target = arrays
    bond = x.shape[1]

    def inner(x, y):
        left = xp.full((bond, bond), 1 / bond)
        for site in range(n):
            half = xp.tensordot(left, x[site], ((0,), (0,)))
            left = xp.tensordot(half, y[site], ((0, 1), (0, 1)))
        return xp.sum(left)

    def distance(x):
        overlap = inner(x, target)
        return xp.log(inner(x, x)) - xp.log(overlap * overlap)

    return list(xp.value_and_grad(distance)(x))


def vmap_kalman(xp, arrays, n, parameters):
    *matrices, z = arrays
    return [xp.vmap(lambda z: kalman(xp, [*matrices, z], z.shape[0], parameters)[2])(z)]


def scan_kalman(xp, arrays, n, parameters):
    *matrices, z = arrays
    step = lambda state, z: (_kalman_step(xp, state, z, xp.eye(6), *matrices), None)
    state, _ = xp.scan(step, _kalman_start(xp, matrices[0]), z)
    return list(state)


def fori_heat(xp, arrays, n, parameters):
    (u,) = arrays
    return [xp.fori_loop(0, n, lambda _, u: _heat_step(xp, u), u)]


def _cascade(xp, start, rates, rain):
    rates = [rates[i] for i in range(60)]

    def step(levels, rain):
        flow, next = rain, []
        for level, rate in zip(levels, rates):
            out = rate * level / (1.0 + level)
            next.append(level + (flow - out) * 0.25)
            flow = out
        return next, flow

    levels, flows = xp.scan(step, [start[i] for i in range(60)], rain)
    return xp.stack(levels), flows


def scan_scalars(xp, arrays, n, parameters):
    return list(_cascade(xp, *arrays))


def grad_scan_scalars(xp, arrays, n, parameters):
    *at, rain = arrays

    def value(at):
        levels, flows = _cascade(xp, *at, rain)
        return xp.sum(levels * levels) + xp.sum(flows)

    value, gradients = xp.value_and_grad(value)(at)
    return [value, *gradients]


# Of second order: what new samples and old results are multiplied with.
FILTERS = [
    ((0.2, 0.4, 0.2), (-0.4, 0.2)),
    ((0.3, -0.2, 0.3), (-0.6, 0.3)),
    ((0.5, 0.1, 0.4), (0.2, 0.1)),
    ((0.6, -0.3, 0.1), (-0.1, 0.4)),
]


def scan_iir(xp, arrays, n, parameters):
    (x,) = arrays

    def step(memory, x):
        next = []
        for k, ((b0, b1, b2), (a1, a2)) in enumerate(FILTERS):
            y = x * b0 + memory[2 * k]
            next.append(x * b1 - y * a1 + memory[2 * k + 1])
            next.append(x * b2 - y * a2)
            x = y
        return next, x

    return [xp.scan(step, [x[0] * 0.0] * (2 * len(FILTERS)), x)[1]]


def scan_lstm(xp, arrays, n, parameters):
    w, u, b, xs = arrays
    sigmoid = lambda x: 1.0 / (1.0 + xp.exp(-x))

    def step(carried, x):
        h, c = carried
        all = xp.matmul(w, x) + xp.matmul(u, h) + b
        enter, keep, give, new = (all[k * 64 : (k + 1) * 64] for k in range(4))
        c = sigmoid(keep) * c + sigmoid(enter) * xp.tanh(new)
        h = sigmoid(give) * xp.tanh(c)
        return (h, c), h

    nothing = b[:64] * 0.0
    return [xp.scan(step, (nothing, nothing), xs)[1]]


# Dormand and Prince (1980), order 5(4).
STAGES = [
    [1 / 5],
    [3 / 40, 9 / 40],
    [44 / 45, -56 / 15, 32 / 9],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
    [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
]
ERROR = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40]


def while_dopri(xp, arrays, n, parameters):
    start, end = arrays

    def kepler(y):
        position, velocity = y[0], y[1]
        r2 = xp.sum(position * position)
        return xp.stack([velocity, -position / (r2 * xp.sqrt(r2))])

    def weighted(weights, slopes):
        return sum(slope * w for w, slope in zip(weights, slopes) if w != 0)

    def step(carried):
        t, h, y = carried
        h = xp.minimum(h, end - t)
        slopes = [kepler(y)]
        for weights in STAGES:
            next = y + h * weighted(weights, slopes)
            slopes.append(kepler(next))
        error = h * weighted(ERROR, slopes)
        scale = xp.maximum(xp.abs(y), xp.abs(next)) * 1e-10 + 1e-10
        ratio = xp.sqrt(xp.mean(xp.square(error / scale)))
        accepted = ratio <= 1.0
        factor = 0.9 * xp.power(xp.maximum(ratio, 1e-10), -0.2)
        factor = xp.minimum(xp.maximum(factor, 0.2), 5.0)
        return xp.where(accepted, t + h, t), h * factor, xp.where(accepted, next, y)

    goes_on = lambda carried: carried[0] < end
    return [xp.while_loop(goes_on, step, (end * 0.0, end * 0.0 + 1e-3, start))[2]]


def _skew(xp, v):
    """The matrix of the cross product with a vector from the left."""
    return xp.cross(xp.eye(3), v)


def _composite(xp, angles, chain, n):
    axes, offsets, centres, masses, inertias = chain
    t = lambda x: xp.transpose(x, (1, 0))
    one = xp.eye(3)
    turned, place = one, offsets[0] * 0.0
    screws, bodies = [], []
    for i in range(n):
        k = _skew(xp, axes[i])
        by = one + k * xp.sin(angles[i]) + xp.matmul(k, k) * (1.0 - xp.cos(angles[i]))
        turned = xp.matmul(turned, by)
        axis = xp.matmul(turned, axes[i])
        screws.append(xp.concatenate([axis, xp.cross(place, axis)], 0))
        centre = place + xp.matmul(turned, centres[i])
        c = _skew(xp, centre)
        inertia = xp.matmul(turned * inertias[i], t(turned)) - xp.matmul(c, c) * masses[i]
        mixed = c * masses[i]
        upper = xp.concatenate([inertia, mixed], 1)
        lower = xp.concatenate([t(mixed), one * masses[i]], 1)
        bodies.append(xp.concatenate([upper, lower], 0))
        place = place + xp.matmul(turned, offsets[i])
    forces = []
    total = bodies[0] * 0.0
    for body, screw in zip(bodies[::-1], screws[::-1]):
        total = body + total
        forces.append(xp.matmul(total, screw))
    products = xp.matmul(xp.stack(screws), t(xp.stack(forces[::-1])))
    return xp.triu(products) + t(xp.triu(products, 1)), place


def kinematics(xp, arrays, n, parameters):
    angles, *chain = arrays
    return list(_composite(xp, angles, chain, n))


def grad_kinematics(xp, arrays, n, parameters):
    angles, *chain, speeds = arrays

    def energy(angles):
        mass, _ = _composite(xp, angles, chain, n)
        return xp.sum(speeds * xp.matmul(mass, speeds)) * 0.5

    return list(xp.value_and_grad(energy)(angles))


def quasiseparable(xp, arrays, n, parameters):
    t, y, a, c, d = arrays
    phase = t[:, None] * d
    cos, sin = xp.cos(phase), xp.sin(phase)
    u = xp.concatenate([a * cos, a * sin], 1)
    v = xp.concatenate([cos, sin], 1)
    gaps = xp.concatenate([t[:1] * 0.0, t[1:] - t[:-1]], 0)
    decay = xp.exp(-(gaps[:, None] * xp.concatenate([c, c], 0)))
    diagonal = xp.sum(a) + 0.1

    def step(state, row):
        (s, f, total), (u, v, decay, y) = state, row
        s = s * (decay[:, None] * decay)
        f = f * decay
        su = xp.matmul(s, u)
        d = diagonal - xp.sum(u * su)
        w = (v - su) / d
        z = y - xp.sum(u * f)
        total = total + z * z / d + xp.log(d)
        s = s + w[:, None] * w * d
        return (s, f + w * z, total), (d, z)

    none = u[0] * 0.0
    state = (none[:, None] * none, none, xp.sum(none))
    if parameters["rolled"]:
        state, (ds, zs) = xp.scan(step, state, (u, v, decay, y))
        return [state[2], ds, zs]
    ds, zs = [], []
    for i in range(n):
        state, (d, z) = step(state, (u[i], v[i], decay[i], y[i]))
        ds.append(d)
        zs.append(z)
    return [state[2], xp.stack(ds), xp.stack(zs)]


def mps_gates(xp, arrays, n, parameters):
    singles, pairs = arrays
    adjoint = lambda x: xp.conj(xp.transpose(x, (1, 0)))
    # The first column of a unit matrix, as complex numbers.
    zero = xp.reshape(xp.eye(2)[0] + singles[0, 0, 0, 0] * 0.0, (1, 2, 1))
    state = [zero] * n
    for layer in range(singles.shape[0]):
        for site in range(n):
            turned = xp.tensordot(singles[layer, site], state[site], ((1,), (1,)))
            state[site] = xp.transpose(turned, (1, 0, 2))
        for site in range(n - 1):
            left, right = state[site].shape[0], state[site + 1].shape[2]
            both = xp.tensordot(state[site], state[site + 1], ((2,), (0,)))
            turned = xp.tensordot(pairs[layer, site], both, ((2, 3), (1, 2)))
            matrix = xp.reshape(xp.transpose(turned, (2, 0, 1, 3)), (2 * left, 2 * right))
            u, s, v = xp.linalg.svd(matrix, full_matrices=False)
            kept = min(2 * left, 2 * right, 8)
            state[site] = xp.reshape(u[:, :kept], (left, 2, kept))
            state[site + 1] = xp.reshape(s[:kept, None] * v[:kept], (kept, 2, right))
        for site in range(n - 1, 0, -1):
            left, _, right = state[site].shape
            q, r = xp.linalg.qr(adjoint(xp.reshape(state[site], (left, 2 * right))))
            state[site] = xp.reshape(adjoint(q), (-1, 2, right))
            state[site - 1] = xp.tensordot(state[site - 1], adjoint(r), 1)
    left = xp.reshape(zero[0, 0, 0], (1, 1))
    expectations = []
    for tensor in state:
        half = xp.tensordot(left, xp.conj(tensor), ((1,), (0,)))
        weights = xp.sum(xp.sum(xp.real(tensor * half), axis=2), axis=0)
        expectations.append(weights[0] - weights[1])
        left = xp.tensordot(tensor, half, ((0, 1), (0, 1)))
    return [xp.stack(expectations), xp.real(xp.sum(left))]


def tiny(xp, arrays, n, parameters):
    if parameters["kind"] == "eigvalsh":
        return [xp.linalg.eigvalsh(arrays[0])]
    a, b = arrays
    if parameters["kind"] == "independent":
        return [xp.stack([xp.matmul(a[i], b[i]) for i in range(a.shape[0])])]
    x = a[0]
    for i in range(b.shape[0]):
        x = xp.matmul(x, b[i])
    return [x]


def vmap_mgs(xp, arrays, n, parameters):
    return [xp.vmap(lambda x: mgs(xp, [x], n, parameters)[0])(arrays[0])]


# What is for namespaces with `value_and_grad` and `vmap`.
TRANSFORMED = [
    grad_mgs,
    grad_kalman,
    grad_rk4,
    grad_circuit,
    grad_mps,
    grad_kinematics,
    vmap_kalman,
    vmap_mgs,
    grad_scan_scalars,
]

# What is for namespaces with `scan`, `fori_loop` and `while_loop`.
LOOPS = [scan_kalman, fori_heat, scan_scalars, grad_scan_scalars, scan_iir, scan_lstm, while_dopri]


def needs_loops(function, parameters):
    return function in LOOPS or bool(parameters and parameters.get("rolled"))


def find(name):
    """The function of a workload; `None` where it is for autojit alone, as plans of autojit-contract are."""
    return globals().get(name.split(".")[0])

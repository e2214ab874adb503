"""Workloads computed in other ways with NumPy, to see that those of `workloads.py` compute what they say.

    python benches/peers/independent.py

needs NumPy alone. Each check takes a size, makes arguments, and gives what is expected beside what `workloads.py` gives. The tests of the
Python package run them too.
"""

import numpy as np
import workloads


def kinematics(n, xp=np):
    """The mass matrix by the kinetic energies of unit speeds, which are differences of positions of points of mass."""
    rng = np.random.default_rng(1)
    axes = np.eye(3)[(2 * np.arange(n) + 2) % 3]
    angles = rng.uniform(-1, 1, n)
    offsets, centres = 0.05 * rng.standard_normal((2, n, 3))
    masses, inertias = rng.uniform(0.5, 1.5, n), rng.uniform(0.01, 0.02, (n, 3))
    got = workloads.kinematics(xp, [angles, axes, offsets, centres, masses, inertias], n, None)

    # Two points of half the mass each on both sides of the centre along each main axis, a third of the body each, have its
    # moments of inertia if their distances d fulfil m (d_y^2 + d_z^2) / 3 = I_x and so on.
    moments = 3 * (inertias.sum(1, keepdims=True) / 2 - inertias) / masses[:, None]
    distances = np.sqrt(moments)

    def points(angles):
        place, turned, found = np.zeros(3, angles.dtype), np.eye(3), []
        for i in range(n):
            turned = turned @ rotation(axes[i], angles[i])
            for axis in range(3):
                for side in (-1, 1):
                    at = centres[i] + side * distances[i, axis] * np.eye(3)[axis]
                    found.append(place + turned @ at)
            place = place + turned @ offsets[i]
        return np.array(found), place

    # A step along the imaginary axis gives derivatives to the last digit (Squire and Trapp, 1998).
    step = 1e-30
    moved = [points(angles + 1j * step * np.eye(n)[i])[0].imag / step for i in range(n)]
    weights = np.repeat(masses / 6, 6)
    mass = np.einsum("ipx,jpx,p->ij", moved, moved, weights)
    return got, [mass, points(angles)[1]]


def rotation(axis, angle):
    """By the exponential series of the cross product."""
    k = np.cross(np.eye(3), axis).astype(type(angle))
    total, term = np.eye(3, dtype=k.dtype), np.eye(3, dtype=k.dtype)
    for power in range(1, 40):
        term = term @ k * (angle / power)
        total = total + term
    return total


def quasiseparable(n, xp=np, rolled=False):
    """By the dense matrix, its inverse and the determinants of its leading parts."""
    rng = np.random.default_rng(2)
    t, y = np.cumsum(rng.uniform(0.02, 0.2, n)), rng.standard_normal(n)
    a, c, d = np.array([1.0, 0.5]), np.array([0.1, 0.4]), np.array([1.0, 2.5])
    got = workloads.quasiseparable(xp, [t, y, a, c, d], n, {"rolled": rolled})
    gaps = np.abs(t[:, None] - t)[..., None]
    matrix = np.sum(a * np.exp(-c * gaps) * np.cos(d * gaps), -1) + 0.1 * np.eye(n)
    logarithms = [np.linalg.slogdet(matrix[:k, :k])[1] for k in range(n + 1)]
    diagonal = np.exp(np.diff(logarithms))
    total = y @ np.linalg.solve(matrix, y) + logarithms[-1]
    # What is left of an observation after the best prediction by those before it.
    rests = [y[k] - matrix[k, :k] @ np.linalg.solve(matrix[:k, :k], y[:k]) for k in range(n)]
    return got, [total, diagonal, np.array(rests)]


def mps_gates(n, xp=np):
    """By the matrix of each gate on all amplitudes."""
    rng = np.random.default_rng(3)
    random = rng.standard_normal((3, n, 2, 2)) + 1j * rng.standard_normal((3, n, 2, 2))
    singles = np.linalg.qr(random)[0]
    z = np.array([1.0, -1.0])
    turns = np.exp(1j * rng.uniform(-1, 1, (3, n - 1, 1)) * np.kron(z, z))
    pairs = np.reshape(turns[..., None] * np.eye(4), (3, n - 1, 2, 2, 2, 2))
    got = workloads.mps_gates(xp, [singles, pairs], n, None)
    state = np.eye(2**n)[0]
    for layer in range(3):
        for site in range(n):
            state = np.kron(np.kron(np.eye(2**site), singles[layer, site]), np.eye(2 ** (n - site - 1))) @ state
        for site in range(n - 1):
            gate = np.reshape(pairs[layer, site], (4, 4))
            state = np.kron(np.kron(np.eye(2**site), gate), np.eye(2 ** (n - site - 2))) @ state
    signs = [np.kron(np.kron(np.ones(2**site), z), np.ones(2 ** (n - site - 1))) for site in range(n)]
    return got, [np.array(signs) @ np.abs(state) ** 2, 1.0]


CHECKS = [(kinematics, 8), (quasiseparable, 40), (mps_gates, 7)]


def compare(got, expected):
    """Raises unless both are alike."""
    assert len(got) == len(expected)
    for x, y in zip(got, expected):
        np.testing.assert_allclose(np.asarray(x), y, rtol=1e-9, atol=1e-11)


if __name__ == "__main__":
    for check, size in CHECKS:
        compare(*check(size))
        print(f"{check.__name__} {size}: alike")

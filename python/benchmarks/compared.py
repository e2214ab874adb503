"""Functions written for NumPy's arrays, through autoray or quimb, that other libraries compile too.

Each function here gives a `Workload`: what is computed, of which arrays.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import quimb.tensor as qtn
from autoray import do


@dataclass
class Workload:
    """`function(arrays)` is a number or an array; `arrays` is an array, or a dictionary of them."""

    function: Callable
    arrays: object
    # Whether the value comes with the gradient by all arrays; of functions whose value is a number.
    gradient: bool = False


def mgs(n):
    """Gram-Schmidt, modified, over the rows of a matrix of n x n."""

    def function(x):
        done = []
        for j in range(x.shape[0]):
            q = x[j, :]
            for other in done:
                q = q - do("tensordot", do("conj", other), q, 1) * other
            done.append(q / do("sqrt", do("tensordot", do("conj", q), q, 1)))
        return do("stack", tuple(done), axis=0)

    return Workload(function, np.random.default_rng(0).standard_normal((n, n)))


def amplitude(n):
    """The amplitude of one outcome of a random circuit of n qubits, n layers deep: complex128."""
    circuit = qtn.circ_ansatz_1D_zigzag(n, n, gate2="cz", seed=0)
    network = circuit.amplitude(
        "01" * (n // 2) + "0" * (n % 2), rehearse="tn", simplify_sequence=""
    )
    return contraction(network)


def mps(n):
    """The energy of a matrix product state of n sites and bonds of 16 in Heisenberg's model, and its gradient."""
    state = qtn.MPS_rand_state(n, bond_dim=16, seed=0)
    arrays, skeleton = qtn.pack(state)
    model = qtn.MPO_ham_heis(n)

    def function(arrays):
        ket = qtn.unpack(arrays, skeleton)
        bra = ket.H
        like = next(iter(arrays.values()))
        norm = (bra & ket).contract(optimize="greedy")
        bra, operator, ket = qtn.tensor_network_align(bra, model, ket)
        operator.apply_to_arrays(lambda x: do("asarray", x, like=like))
        return (bra & operator & ket).contract(optimize="greedy") / norm

    return Workload(function, arrays, gradient=True)


def peps(n):
    """The norm of a projected entangled pair state on n x n sites with bonds of 3, by exact contraction."""
    return contraction(qtn.PEPS.rand(n, n, bond_dim=3, seed=0).make_norm())


def contraction(network):
    arrays, skeleton = qtn.pack(network)
    tree = network.contraction_tree(optimize="greedy")

    def function(arrays):
        return qtn.unpack(arrays, skeleton).contract(all, optimize=tree)

    return Workload(function, arrays)

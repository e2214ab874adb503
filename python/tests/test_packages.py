"""autoray, quimb and cotengra."""

import subprocess
import sys

import numpy as np
import pytest

import autojit

autoray = pytest.importorskip("autoray")


def modified_gram_schmidt(x):
    """The first example of autoray's documentation."""
    q = []
    for j in range(x.shape[0]):
        qj = x[j, :]
        for i in range(j):
            qj = qj - autoray.do("tensordot", autoray.do("conj", q[i]), qj, 1) * q[i]
        q.append(qj / autoray.do("linalg.norm", qj))
    return autoray.do("stack", tuple(q), axis=0)


def test_do_finds_functions():
    x = autojit.array(np.random.default_rng(0).normal(size=(5, 5)))
    assert autoray.infer_backend(x) == "autojit"
    q = modified_gram_schmidt(x)
    assert isinstance(q, autojit.Array)
    np.testing.assert_allclose(np.asarray(q @ q.T), np.eye(5), atol=1e-12)
    assert isinstance(autoray.do("zeros", 3, like="autojit"), autojit.Array)
    assert autoray.do("random.normal", size=(2,), like=x).shape == (2,)
    assert type(autoray.to_numpy(x)) is np.ndarray
    assert autoray.get_dtype_name(x) == "float64"
    assert autoray.astype(x, "float32").dtype == np.float32
    assert autoray.do("scipy.linalg.expm", x).shape == (5, 5)
    with autoray.backend_like("autojit"):
        assert isinstance(autoray.do("eye", 2), autojit.Array)
    assert isinstance(autoray.do("array", [1.0], like="autojit"), autojit.Array)


def test_autoray_compiles_with_autojit():
    x = np.random.default_rng(0).normal(size=(6, 6))
    compiled = autoray.autojit(modified_gram_schmidt, backend="autojit")
    q = compiled(x)
    assert type(q) is np.ndarray
    np.testing.assert_allclose(q, modified_gram_schmidt(x), atol=1e-12)
    assert isinstance(compiled(autojit.array(x)), autojit.Array)
    assert isinstance(autoray.autojit(modified_gram_schmidt)(autojit.array(x)), autojit.Array)


def test_autojit_stands_for_numpys_compiler():
    program = (
        "import autoray, numpy as np, autojit\n"
        "f = autoray.autojit(lambda x: autoray.do('exp', x) * 2)\n"
        "f(np.ones(2)); autojit.install_as('numpy')\n"
        "g = autoray.autojit(lambda x: autoray.do('exp', x) * 2)\n"
        "assert np.allclose(g(np.ones(2)), f(np.ones(2))) and type(g(np.ones(2))) is np.ndarray\n"
        "assert [type(c).__module__ for c in g._compiled_fns.values()] == ['autojit._integrations']"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    with pytest.raises(TypeError, match="name"):
        autojit.install_as(np)


def test_forms_that_autoray_calls():
    x = autojit.array(np.arange(6.0).reshape(2, 3))
    assert autoray.do("einsum", x, [0, 1], x, [2, 1], [0, 2]).shape == (2, 2)
    assert autoray.do("einsum", x, [0, 0 + 1], like="autojit").shape == (2, 3)
    with pytest.raises(ValueError, match="list of its axes"):
        autojit.einsum(x, "ij")
    expected = np.indices((2, 3))
    np.testing.assert_array_equal(np.asarray(autoray.do("indices", (2, 3), like=x)), expected)
    assert [i.shape for i in autojit.indices((2, 3), sparse=True)] == [(2, 1), (1, 3)]
    rng = autoray.do("random.default_rng", 42, like=x)
    same = np.random.default_rng(42)
    assert rng.normal(size=3).tolist() == same.normal(size=3).tolist()
    assert rng.integers(5).dtype == np.int64
    assert autojit.random.default_rng(rng) is rng


@pytest.mark.parametrize("order", ["import autojit, autoray", "import autoray, autojit"])
def test_the_order_of_imports_does_not_matter(order):
    program = (
        f"{order}; import autoray.compiler; assert 'autojit' in autoray.compiler._compiler_lookup"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_importing_autojit_imports_neither():
    program = "import autojit, sys; assert not {'autoray', 'quimb', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_cotengra_contracts():
    ctg = pytest.importorskip("cotengra")
    rng = np.random.default_rng(0)
    inputs, output, shapes, _ = ctg.utils.lattice_equation([3, 3])
    arrays = [rng.normal(size=s) for s in shapes]
    expected = ctg.array_contract(arrays, inputs, output, optimize="greedy")
    ours = [autojit.array(a) for a in arrays]
    got = ctg.array_contract(ours, inputs, output, optimize="greedy")
    assert isinstance(got, autojit.Array)
    np.testing.assert_allclose(float(got), float(expected), rtol=1e-10)
    tree = ctg.array_contract_tree(inputs, output, shapes=shapes, optimize="greedy")
    compiled = autojit.jit(lambda arrays: tree.contract(arrays))
    np.testing.assert_allclose(compiled(arrays), expected, rtol=1e-10)
    result = tree.contract(arrays, autojit=True, backend="autojit")
    np.testing.assert_allclose(np.asarray(result), expected, rtol=1e-10)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_quimb_optimises(dtype):
    qtn = pytest.importorskip("quimb.tensor")
    mps = qtn.MPS_rand_state(6, 4, dtype=dtype, seed=1)
    target = qtn.MPS_rand_state(6, 4, dtype=dtype, seed=2)

    def negative_overlap(psi, target):
        return -(abs((psi.H & target).contract(all, optimize="greedy")) ** 2)

    optimizer = qtn.TNOptimizer(
        mps,
        loss_fn=negative_overlap,
        norm_fn=lambda psi: psi / (psi.H & psi).contract(all, optimize="greedy") ** 0.5,
        loss_constants={"target": target},
        autodiff_backend="autojit",
        optimizer="L-BFGS-B",
        progbar=False,
    )
    optimizer.optimize(60)
    assert optimizer.loss < -0.98


def test_quimb_contracts_circuits():
    qtn = pytest.importorskip("quimb.tensor")
    circuit = qtn.circ_ansatz_1D_zigzag(4, 2)
    network = circuit.psi
    expected = network.to_dense()
    network.apply_to_arrays(autojit.array)
    dense = network.to_dense()
    np.testing.assert_allclose(np.asarray(dense), expected, atol=1e-12)

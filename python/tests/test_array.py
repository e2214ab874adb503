"""Arrays: in, out, attributes, operators, indexing, and what is refused."""

import copy
import operator
import pickle

import numpy as np
import pytest

import autojit

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
DTYPES = ["bool", *INTEGERS, "float32", "float64", "complex64", "complex128"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_arrays_of_every_dtype_come_in_and_go_out(dtype):
    x = np.arange(6).reshape(2, 3).astype(dtype)
    array = autojit.array(x)
    assert array.dtype == x.dtype and array.shape == (2, 3) and array.ndim == 2 and array.size == 6
    assert array.dtype.name == dtype and hash(array.dtype) == hash(x.dtype)
    assert getattr(autojit, dtype) == x.dtype
    out = np.asarray(array)
    assert out.dtype == x.dtype
    np.testing.assert_array_equal(out, x)
    assert array.tolist() == x.tolist()


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_of_every_dtype_are_numpys(dtype):
    info = np.iinfo(dtype)
    x = np.array([info.min, info.max, 1, 0, info.max - 1, 7, info.min + 1], dtype=dtype)
    array = autojit.array(x)
    assert autojit.iinfo(array).max == info.max
    assert array.tolist() == x.tolist() and int(array[1]) == info.max
    assert np.shares_memory(np.asarray(array), np.asarray(array))
    # The memory is the array's own, and DLPack hands it on.
    np.testing.assert_array_equal(np.from_dlpack(array), x)
    with np.errstate(all="ignore"):
        for f in (
            lambda a: a + a,
            lambda a: a * a[::-1],
            lambda a: a // (a[::-1]),
            lambda a: a % (a[::-1]),
            lambda a: a >> 3,
            lambda a: ~a & a[0],
            lambda a: a < a[::-1],
            lambda a: a.sum(),
            lambda a: a.prod(),
            lambda a: a.max() - a.min(),
            lambda a: np.sort(a),
            lambda a: np.argsort(a, kind="stable"),
            lambda a: np.cumsum(a),
            lambda a: a.mean(),
            lambda a: a.astype("float32"),
            lambda a: np.unique(a),
        ):
            expected, got = f(x), f(array)
            assert got.dtype == expected.dtype
            np.testing.assert_array_equal(np.asarray(got), expected)


def test_numpy_writes_files_of_arrays(tmp_path):
    x = autojit.arange(3.0)
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", x, y=x + 1)
    np.savetxt(tmp_path / "x.txt", x)
    assert np.load(tmp_path / "x.npy").tolist() == [0, 1, 2]
    assert np.load(tmp_path / "x.npz")["y"].tolist() == [1, 2, 3]
    assert np.loadtxt(tmp_path / "x.txt").tolist() == [0, 1, 2]
    with pytest.raises(autojit.TracingError):
        autojit.jit(lambda x: np.save(tmp_path / "x.npy", x))(np.ones(2))


def test_axes_are_refused_as_by_numpy():
    x = autojit.ones((2, 3))
    for f in (
        lambda: x.sum(axis=2),
        lambda: np.mean(x, -3),
        lambda: autojit.linalg.norm(x, axis=2),
    ):
        with pytest.raises(np.exceptions.AxisError):
            f()
    with pytest.raises(IndexError) as caught:
        x[5]
    assert not isinstance(caught.value, ValueError)


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint64", "float64"])
@pytest.mark.parametrize("number", [10**30, -(10**30), 2**64, -(2**63) - 1])
def test_integers_beyond_64_bits_are_compared(dtype, number):
    values = np.array([0, 1, 100], dtype)
    x = autojit.array(values)
    for op in (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne):
        expected = op(values, number)
        assert op(x, number).tolist() == expected.tolist()
        assert op(number, x).tolist() == op(number, values).tolist()
        assert autojit.jit(lambda x, op=op: op(x, number))(values).tolist() == expected.tolist()
    for f in (np.less, np.greater_equal, np.equal, np.not_equal):
        assert f(x, number).tolist() == f(values, number).tolist()
        assert f(number, x).tolist() == f(number, values).tolist()
    if dtype == "float64":
        assert np.add(x, number).tolist() == np.add(values, number).tolist()
    else:
        with pytest.raises(OverflowError):
            x + number


def test_complex_numbers_have_the_parts_that_are_given():
    real = np.array([1.0, np.inf, np.nan, -0.0, 0.0, -np.inf])
    imag = np.array([np.inf, np.nan, 1.0, -0.0, -np.inf, 0.0])
    for f in (autojit.complex, autojit.jit(autojit.complex)):
        z = f(real, imag)
        np.testing.assert_array_equal(np.real(z), real)
        np.testing.assert_array_equal(np.imag(z), imag)
        assert np.signbit(np.real(z)).tolist() == np.signbit(real).tolist()
        assert np.signbit(np.imag(z)).tolist() == np.signbit(imag).tolist()


def test_integers_above_int64_are_uint64():
    big = 2**64 - 1
    assert autojit.asarray(big).dtype == np.uint64
    assert autojit.asarray([1, big]).tolist() == np.array([1, big]).tolist()
    x = autojit.asarray(np.array([big, 1], dtype=np.uint64))
    assert (x == big).tolist() == [True, False] and (x - 1).tolist() == [big - 1, 0]
    assert (x > -1).tolist() == [True, True]
    with pytest.raises(OverflowError, match="-1 does not fit into uint64"):
        x + -1


@pytest.mark.parametrize("dtype", INTEGERS)
def test_any_integers_are_indices(dtype):
    x = np.arange(12.0).reshape(4, 3)
    at = np.array([2, 0, 2], dtype=dtype)
    np.testing.assert_array_equal(np.asarray(autojit.asarray(x)[autojit.asarray(at)]), x[at])
    jitted = autojit.jit(lambda a, i: a[i, i] * 2)
    np.testing.assert_array_equal(jitted(x, at), x[at, at] * 2)


def test_arrays_with_odd_memory_come_in():
    x = np.arange(24.0).reshape(4, 6)
    read_only = x.copy()
    read_only.setflags(write=False)
    unaligned = np.frombuffer(b"\0" + x.tobytes(), dtype=np.uint8)[1:].view(np.float64)
    odd = [
        x[::2, ::-1],
        x.T,
        np.asfortranarray(x),
        read_only,
        x.astype(">f8"),
        x[:, :0],
        x[0:0],
        np.broadcast_to(x[0], (3, 6)),
        unaligned,
        np.float64(2.5),
        np.zeros((1,) * 33),
        np.zeros((1,) * 64),
    ]
    for array in odd:
        made = autojit.asarray(array)
        assert made.shape == np.shape(array)
        np.testing.assert_array_equal(np.asarray(made), array)


def test_bytes_that_are_no_truth_values_are_true():
    x = np.array([0, 1, 2, 255], dtype=np.uint8).view(bool)
    assert autojit.asarray(x).tolist() == [False, True, True, True]
    assert autojit.asarray(x).astype("int64").sum().item() == 3


def test_values_are_copied_in_and_cannot_be_changed_from_outside():
    x = np.zeros(3)
    array = autojit.asarray(x)
    x[:] = 1
    assert array.tolist() == [0, 0, 0]
    view = array.numpy()
    assert not view.flags.writeable
    with pytest.raises(ValueError):
        view[0] = 1
    own = np.array(array)
    own[0] = 5
    assert array.tolist() == [0, 0, 0]
    # The view keeps the memory.
    del array
    assert view.tolist() == [0, 0, 0]


def test_zero_copies_out():
    array = autojit.arange(10.0)
    assert array.numpy().ctypes.data == np.asarray(array).ctypes.data
    assert np.asarray(array, dtype="float32").dtype == np.float32
    with pytest.raises(ValueError):
        np.array(array, dtype="float32", copy=False)


def test_dlpack():
    x = autojit.arange(6.0).reshape(2, 3)
    view = np.from_dlpack(x)
    assert view.tolist() == x.tolist() and not view.flags.writeable
    assert x.__dlpack_device__() == (1, 0)
    assert x.__dlpack__() is not None
    assert autojit.from_dlpack(np.ones(3)).tolist() == [1, 1, 1]
    assert autojit.from_dlpack(x).tolist() == x.tolist()
    with pytest.raises(BufferError):
        x.__dlpack__(copy=False)
    with pytest.raises(autojit.TracingError):
        autojit.jit(lambda x: np.from_dlpack(x))(np.ones(2))


@pytest.mark.parametrize(
    ("value", "dtype", "shape"),
    [
        (3, "int64", ()),
        (2.5, "float64", ()),
        (1j, "complex128", ()),
        (True, "bool", ()),
        ([1, 2], "int64", (2,)),
        ([[1.0], [2]], "float64", (2, 1)),
        ((1, 2.5, 1j), "complex128", (3,)),
        ([], "float64", (0,)),
        ([[], []], "float64", (2, 0)),
        (range(3), "int64", (3,)),
        ([np.float32(1), np.float32(2)], "float32", (2,)),
    ],
)
def test_python_values(value, dtype, shape):
    array = autojit.array(value)
    assert (array.dtype.name, array.shape) == (dtype, shape)
    assert array.tolist() == np.array(value).tolist()


def test_lists_of_arrays():
    x = autojit.array([1.0, 2.0])
    assert autojit.array([x, [3, 4]]).tolist() == [[1, 2], [3, 4]]
    assert autojit.array([x[0], 5]).tolist() == [1, 5]


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([[1, 2], [3]], ValueError, "inhomogeneous"),
        (np.array([1, "a"], dtype=object), TypeError, "Python objects"),
        (["a", "b"], TypeError, "not text"),
        ("abc", TypeError, "not text"),
        (None, TypeError, "Python objects"),
        (object(), TypeError, "Python objects"),
        (np.zeros(2, dtype="float16"), TypeError, "float16"),
        (np.zeros(2, dtype=[("a", "f8")]), TypeError, "structured"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), TypeError, "dates"),
        (10**30, TypeError, "Python objects"),
    ],
)
def test_bad_values_explain(value, error, message):
    with pytest.raises(error, match=message):
        autojit.array(value)


def test_numbers_out():
    x = autojit.array(2.5)
    assert float(x) == 2.5 and int(x) == 2 and complex(x) == 2.5 and bool(x)
    assert x.item() == 2.5 and isinstance(x.item(), float)
    assert isinstance(autojit.array(2).item(), int)
    assert [10, 20, 30][autojit.array(1)] == 20
    assert f"{x:.3f}" == "2.500" and f"{x}" == "2.5"
    assert float(autojit.array([[4.0]])) == 4
    with pytest.raises(ValueError):
        float(autojit.array([1.0, 2.0]))
    with pytest.raises(TypeError):
        float(autojit.array(1j))
    with pytest.raises(ValueError, match="ambiguous"):
        bool(autojit.array([True, False]))
    with pytest.raises(TypeError):
        len(autojit.array(1.0))
    with pytest.raises(TypeError):
        [1, 2][autojit.array(1.0)]
    with pytest.raises(TypeError):
        iter(autojit.array(1.0))
    with pytest.raises(TypeError):
        hash(x)
    assert autojit.array([1.0, 2.0, 3.0]).item(1) == 2


def test_iteration():
    x = autojit.array([[1, 2], [3, 4]])
    assert len(x) == 2
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    first, second = x
    assert second.tolist() == [3, 4]
    assert 3 in x and 7 not in x


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        [1, 2],
        [[1.0, 2.5], [3e-9, 4]],
        [True],
        [1 + 2j],
        [],
        np.arange(2000.0),
        np.zeros((2, 2), "f4"),
    ],
)
def test_text_is_numpys(value):
    x = np.array(value)
    array = autojit.array(x)
    assert str(array) == str(x)
    assert repr(array) == repr(x).replace("array(", "Array(", 1)


def test_operators_are_numpys():
    x = np.array([[1.5, -2.0], [3.0, 4.5]])
    y = np.array([2.0, 0.5])
    i = np.array([5, -7, 2])
    j = np.array([2, 2, 3])
    ours = {
        "x": autojit.array(x),
        "y": autojit.array(y),
        "i": autojit.array(i),
        "j": autojit.array(j),
    }
    theirs = {"x": x, "y": y, "i": i, "j": j}
    for text in [
        "x + y",
        "x - y",
        "x * y",
        "x / y",
        "x // y",
        "x % y",
        "x ** 2",
        "2 ** y",
        "x @ y",
        "x @ x",
        "1 + x",
        "1 - x",
        "2 * x",
        "1 / x",
        "7 // i",
        "7 % i",
        "i // j",
        "i % j",
        "i & j",
        "i | 1",
        "6 ^ i",
        "i << 1",
        "i >> 1",
        "1 << j",
        "-x",
        "+x",
        "abs(x)",
        "~i",
        "x < y",
        "x <= 3",
        "x == y",
        "x != 1.5",
        "x > 0",
        "2 >= x",
        "x + [1, 2]",
        "x * True",
        "x + 1j",
        "i + 1.5",
        "divmod(i, j)[0]",
        "divmod(i, j)[1]",
        "divmod(7, j)[1]",
        "x + np.float32(1)",
        "np.float64(2) * x",
        "np.array([1, 2]) - x",
        "y.astype('float32') * 2.0",
        "x.T @ y",
        "x.real",
    ]:
        got = eval(text, {"np": np}, dict(ours))
        expected = eval(text, {"np": np}, dict(theirs))
        assert isinstance(got, autojit.Array), text
        assert got.dtype == expected.dtype, text
        np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-15, err_msg=text)


def test_in_place_forms_make_new_arrays():
    x = autojit.array([1.0, 2.0])
    before = x
    x += 1
    x *= 2
    x **= 2
    assert x.tolist() == [16, 36] and before.tolist() == [1, 2]


def test_numpys_arrays_are_written_to_where_there_are_values():
    x = np.zeros(2)
    x = x + autojit.array([1.0, 2.0])
    assert isinstance(x, autojit.Array)
    y = same = np.zeros(2)
    y += autojit.array([1.0, 2.0])
    assert y is same and y.tolist() == [1, 2]
    with pytest.raises(TypeError, match="never change"):
        y += autojit.lazy.array(y)
    with pytest.raises(TypeError, match="never change"):
        np.add(y, x, out=x)


@pytest.mark.parametrize("other", [object(), "a", {"a": 1}, None])
def test_operators_refuse_what_is_no_array(other):
    x = autojit.array([1.0])
    with pytest.raises(TypeError):
        x + other
    with pytest.raises(TypeError):
        other - x


def test_errors_of_operators_are_pythons():
    with pytest.raises(ValueError, match=r"cannot broadcast f64\[2\] with f64\[3\] in add$"):
        autojit.array([1.0, 2.0]) + autojit.array([1.0, 2.0, 3.0])
    with pytest.raises(TypeError):
        autojit.array([1.0]) & 1
    with pytest.raises(OverflowError):
        autojit.array([1]) + 10**30
    with pytest.raises(ValueError):
        autojit.zeros((2, 3)) @ autojit.zeros((2, 3))


KEYS = [
    "0",
    "-1",
    "1:",
    "::-1",
    "..., 0",
    ":, 1",
    "None",
    "None, :, None",
    "1, 2",
    "[0, 1, 0]",
    "[[0], [1]], [0, 2]",
    "x > 2",
    "[True, False]",
    "np.array([1, 0]), :",
    ":, np.array([True, False, True])",
    "()",
    "...",
    "0:10",
    "5:",
    "np.int64(1)",
    "[]",
    "-1:0:-1, ::2",
    "slice(None, None, 2)",
    "10**30:",
    ":-10**30",
    "np.array([1])[0]",
]


@pytest.mark.parametrize("key", KEYS)
def test_indexing_is_numpys(key):
    x = np.arange(6.0).reshape(2, 3)
    expected = eval(f"x[{key}]", {"np": np, "x": x})
    got = eval(f"y[{key}]", {"np": np, "x": autojit.array(x), "y": autojit.array(x)})
    assert got.shape == expected.shape
    np.testing.assert_array_equal(np.asarray(got), expected)


@pytest.mark.parametrize(
    ("key", "error"),
    [
        ("5", IndexError),
        ("0, 0, 0", IndexError),
        ("0.5", IndexError),
        ("'a'", IndexError),
        ("[0, 9]", IndexError),
        ("np.array([True])", IndexError),
        ("::0", ValueError),
        ("[0.5]", IndexError),
        ("np.nan", IndexError),
        ("10**30", IndexError),
        ("0.5:", TypeError),
        ("True", IndexError),
        ("..., ...", IndexError),
        ("[np.nan]", IndexError),
    ],
)
def test_bad_indices_are_index_errors(key, error):
    x = autojit.arange(6.0).reshape(2, 3)
    with pytest.raises(error):
        eval(f"x[{key}]", {"np": np, "x": x})


def test_updates():
    x = autojit.zeros(3)
    assert x.at[0].set(5).tolist() == [5, 0, 0]
    assert x.at[[0, 0, 2]].add(1).tolist() == [2, 0, 1]
    assert (x + 2).at[1:].multiply([3, 4]).tolist() == [2, 6, 8]
    assert x.at[0].min(-1).tolist() == [-1, 0, 0]
    assert x.at[0].max(7).tolist() == [7, 0, 0]
    assert x.at[1:].get().shape == (2,)
    with pytest.raises(TypeError, match=r"x\.at\[key\]\.set"):
        x[0] = 1
    with pytest.raises(TypeError):
        del x[0]
    with pytest.raises(ValueError):
        x.at[0:2].set([1, 2, 3])


def test_attributes_and_methods():
    x = autojit.arange(6.0).reshape((2, 3))
    assert x.reshape(3, -1).shape == (3, 2) and x.reshape(np.int64(6)).shape == (6,)
    assert x.T.shape == (3, 2) and x.mT.shape == (3, 2) and x.transpose(1, 0).shape == (3, 2)
    assert x.transpose((1, 0)).shape == (3, 2) and x.transpose().shape == (3, 2)
    assert x.device == "cpu" and x.to_device("cpu") is x
    assert x.itemsize == 8 and x.nbytes == 48
    assert (
        x.sum().item() == 15
        and x.sum(axis=0).tolist() == [3, 5, 7]
        and x.sum(0, keepdims=True).shape == (1, 3)
    )
    assert x.mean().item() == 2.5 and x.max(1).tolist() == [2, 5] and x.argmax().item() == 5
    assert x.astype("float32").dtype == np.float32 and x.astype(int).dtype == np.int64
    assert x.flatten().shape == x.ravel().shape == (6,)
    assert x.clip(1, 3).tolist() == [[1, 1, 2], [3, 3, 3]]
    assert x.conj().tolist() == x.tolist()
    assert x.swapaxes(0, 1).shape == (3, 2) and x.squeeze().shape == (2, 3)
    assert x.dot(x.T).shape == (2, 2) and x.std().item() == pytest.approx(np.arange(6.0).std())
    assert autojit.array([1 + 2j]).imag.tolist() == [2]
    with pytest.raises(ValueError):
        autojit.arange(3.0).mT
    with pytest.raises(ValueError):
        x.reshape(4, 2)
    with pytest.raises(TypeError):
        x.sum(axes=0)
    with pytest.raises(TypeError):
        x.astype("nonsense")


def test_pickles_and_copies():
    x = autojit.array([[1.5, 2.0]])
    for same in [pickle.loads(pickle.dumps(x)), copy.copy(x), copy.deepcopy(x), x.copy()]:
        assert (
            isinstance(same, autojit.Array)
            and same.tolist() == x.tolist()
            and same.dtype == x.dtype
        )
    assert pickle.loads(pickle.dumps(autojit.linalg.norm)) is autojit.linalg.norm


def test_lazy_arrays():
    x = autojit.lazy.array([1.0, 2.0])
    y = autojit.exp(x) + x
    assert y.is_lazy and repr(y) == "Array(lazy f64[2])" and y.shape == (2,)
    assert "exp" in y.show()
    np.testing.assert_allclose(np.asarray(y.compute()), np.exp([1, 2]) + [1, 2])
    variable = autojit.lazy.variable((2,), "float32")
    with pytest.raises(autojit.TracingError):
        float((variable + 1)[0])
    with pytest.raises(ValueError):
        (variable + 1).compute()
    assert [a.tolist() for a in autojit.lazy.compute(x + 1, x + 2)] == [[2, 3], [3, 4]]


def test_integers_of_python_must_fit():
    for make in (
        lambda: autojit.array(300, dtype="uint8"),
        lambda: autojit.asarray([1, -1], dtype=np.uint32),
        lambda: autojit.full(2, -1, dtype="uint8"),
        lambda: autojit.full_like(np.ones(2, np.int16), 1 << 20),
        lambda: autojit.arange(-3, 3, dtype="uint64"),
        lambda: autojit.array([1, 2], dtype="uint8") * 300,
        lambda: autojit.array([1, 2], dtype="uint8").at[np.array([0])].set(300),
        lambda: autojit.max(np.ones(2, np.uint8), initial=-3),
        lambda: autojit.sum(np.ones(2, np.uint8), initial=-3),
    ):
        with pytest.raises(OverflowError, match="fit into|out of bounds"):
            make()
    # Arrays are converted, as NumPy converts them.
    assert autojit.asarray(np.array([300]), dtype="uint8").tolist() == [44]
    assert autojit.asarray([1.7, True], dtype=int).tolist() == [1, 1]
    assert autojit.max(np.ones(2, np.uint8), initial=7) == 7


def test_integers_of_python_need_not_fit_where_the_result_is_no_integer():
    for dtype in INTEGERS:
        x = np.array([1, 3, 5], dtype=dtype)
        for number in (-2, 1000, 1 << 40):
            for f in (
                lambda x, n: x / n,
                lambda x, n: n / x,
                np.logical_and,
                lambda x, n: np.logical_xor(n, x),
                lambda x, n: x < n,
            ):
                expected = f(x, number)
                for got in (
                    f(autojit.array(x), number),
                    autojit.jit(lambda x, f=f, n=number: f(x, n))(x),
                ):
                    got = np.asarray(got)
                    assert got.dtype == expected.dtype, (dtype, number)
                    np.testing.assert_array_equal(got, expected)
    assert (autojit.ones(2) * 10**30).tolist() == [1e30, 1e30]
    assert (10**30 > autojit.ones(1, dtype="float32")).tolist() == [True]


def test_values_put_into_an_array_do_not_take_the_dtype_of_positions():
    truths = autojit.zeros(3, dtype="bool")
    assert truths.at[np.array([0, 2], np.int32)].set(True).tolist() == [True, False, True]
    x = autojit.array([1, 2, 3], dtype="uint64")
    assert x.at[np.array(-2)].add(2).tolist() == [1, 4, 3]


def test_limits_and_comparisons_with_integers_that_do_not_fit():
    x = np.array([0, 200], np.uint8)
    for low, high in ((-3, 300), (5, 300), (None, 1 << 40), (-1, 7)):
        for got in (
            autojit.clip(x, low, high),
            autojit.array(x).clip(low, high),
            autojit.jit(lambda x, low=low, high=high: np.clip(x, low, high))(x),
        ):
            got = np.asarray(got)
            assert got.dtype == np.uint8 and got.tolist() == np.clip(x, low, high).tolist()
    for number in (1 << 31, -1, 200):
        assert autojit.isin(x, number).tolist() == np.isin(x, number).tolist()
    for y, atol in ((202, 2), (-56, 0), (-1, 1)):
        assert (
            autojit.isclose(x, y, rtol=0, atol=atol).tolist()
            == np.isclose(x, y, rtol=0, atol=atol).tolist()
        )


def test_axes_of_vector_norms_are_checked():
    with pytest.raises(IndexError):
        autojit.linalg.vector_norm(np.ones((2, 3)), axis=2)
    assert autojit.linalg.vector_norm(np.ones((2, 4)), axis=-1).tolist() == [2, 2]

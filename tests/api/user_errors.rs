//! Bad input gives an `Err` that names what was there, what was expected, and the line that the user wrote.
//!
//! Each mistake is made in every mode: eagerly, with lazy arrays, and in a function that each backend runs.
//! The operation that is to blame stands after the mark `/*@*/`.

use autojit::{Array, DType, Error, autojit, backends, ix, lazy, numpy as np};

/// An operation that is wrong for its arguments.
struct Mistake {
    /// It stands nowhere else in this file: the place is found by it.
    name: &'static str,
    kind: fn(&Error) -> bool,
    /// The message before the place, or the part of it that all modes agree on.
    message: &'static str,
    x: Array,
    y: Array,
    f: fn(Array, Array) -> Array,
}

/// Line and column of the mark on the line of this name, as `file:line:column`.
fn place_of(name: &str) -> String {
    let quoted = format!("{name:?}");
    let mut lines = include_str!("user_errors.rs").lines().zip(1..);
    let (text, line) = lines.find(|(text, _)| text.contains(&quoted)).unwrap();
    let column = text.find("/*@*/").expect("the mark") + "/*@*/".len() + 1;
    format!("{}:{line}:{column}", file!())
}

/// The error of each mode by name.
fn in_every_mode(mistake: &Mistake) -> Vec<(&'static str, Result<Array, Error>)> {
    let Mistake { x, y, f, .. } = mistake;
    let mut results = vec![
        ("eager", f(x.clone(), y.clone()).check()),
        ("lazy", f(lazy::array(x), lazy::array(y)).compute()),
    ];
    for backend in backends() {
        let jit = autojit(|(x, y): (Array, Array)| f(x, y)).backend(backend);
        results.push((backend, jit.call((x, y))));
        // A failure leaves nothing behind that a second call would meet.
        let again = jit.call((x, y));
        assert_eq!(again.is_err(), results.last().unwrap().1.is_err());
    }
    results
}

fn check(mistakes: Vec<Mistake>) {
    for mistake in mistakes {
        let Mistake { name, message, .. } = mistake;
        let place = format!(", at {}", place_of(name));
        for (mode, result) in in_every_mode(&mistake) {
            let error = match result {
                Ok(array) => panic!("{name}, {mode}: no error but {array}"),
                Err(error) => error,
            };
            let text = error.to_string();
            let before = text.strip_suffix(&place);
            let before = before.unwrap_or_else(|| panic!("{name}, {mode}: {text}, not{place}"));
            assert!(before.starts_with(message), "{name}, {mode}: {before}");
            assert!((mistake.kind)(&error), "{name}, {mode}: {error:?}");
        }
    }
}

fn matrix() -> Array {
    Array::from([[1.0, 2.0, 3.0, 4.0]; 3])
}

fn vector() -> Array {
    Array::from([1.0; 5])
}

#[test]
#[rustfmt::skip]
fn shapes_that_do_not_fit() {
    let kind = Error::is_shape;
    let m = |name, message, f| Mistake { name, kind, message, x: matrix(), y: vector(), f };
    check(vec![
        m("add", "cannot broadcast f64[3,4] with f64[5] in add", |x, y| /*@*/np::add(&x, &y)),
        m("operator", "cannot broadcast f64[3,4] with f64[5] in multiply", |x, y| /*@*/&x * &y),
        m("operator of results", "cannot broadcast f64[3,4] with f64[5] in multiply", |x, y| /*@*/(&x + 1.0) * (&y + 2.0)),
        m("method", "cannot broadcast f64[3,4] with f64[5] in maximum", |x, y| x./*@*/maximum(&y)),
        m("where_", "cannot broadcast bool[3,4] with f64[5] in where", |x, y| /*@*/np::where_(x.greater(0.0), &y, 1.0)),
        m("matmul", "cannot multiply f64[3,4] with f64[5]: expected 4 rows on the right, got 5 in matmul", |x, y| /*@*/np::matmul(&x, &y)),
        m("dot", "cannot multiply f64[3,4] with f64[5]: expected 4 rows on the right, got 5 in matmul", |x, y| /*@*/np::dot(&x, &y)),
        m("tensordot", "cannot contract axes [1] of f64[3,4] with axes [0] of f64[5] in tensordot", |x, y| /*@*/np::tensordot(&x, &y, 1)),
        m("einsum", "label `j` is 4 and 5 long, got f64[5] after f64[3,4] in einsum", |x, y| /*@*/np::einsum("ij,j->i", [&x, &y])),
        m("concatenate", "cannot join f64[3,4] with f64[5] along axis 0 in concatenate", |x, y| /*@*/np::concatenate([&x, &y], 0)),
        m("stack", "cannot stack f64[3,4] with f64[5]: expected equal shapes in stack", |x, y| /*@*/np::stack([&x, &y], 0)),
        m("reshape", "cannot reshape f64[3,4] into shape [5, -1] in reshape", |x, _| /*@*/np::reshape(&x, [5, -1])),
        m("broadcast_to", "cannot broadcast f64[5] to f64[2,3] in broadcast_to", |_, y| /*@*/np::broadcast_to(&y, [2, 3])),
        m("qr", "expected matrices, got f64[5] in qr", |_, y| /*@*/np::linalg::qr(&y, ..).0),
        m("svd", "expected matrices, got f64[5] in svd", |_, y| /*@*/np::linalg::svd(&y, ..).1),
        m("trace", "expected at least two axes, got f64[5] in ", |_, y| /*@*/np::trace(&y, ..)),
        m("squeeze", "axis 0 of f64[3,4] is 3 long, expected 1 in squeeze", |x, _| /*@*/np::squeeze(&x, 0)),
        m("masked", "cannot broadcast the mask bool[5] to f64[3,4] in ", |x, y| /*@*/np::sum(&x, np::where_mask(y.greater(0.0)))),
    ]);
}

#[test]
#[rustfmt::skip]
fn dtypes_that_do_not_fit() {
    let kind = Error::is_dtype;
    let truth = || Array::from([true, false]);
    let m = |name, message, f| Mistake { name, kind, message, x: matrix(), y: truth(), f };
    check(vec![
        m("subtract bools", "booleans are not supported, got bool[2] and bool[2] in subtract", |_, y| /*@*/np::subtract(&y, &y)),
        m("negative of bools", "booleans are not supported, got bool[2] in negative", |_, y| /*@*/np::negative(&y)),
        m("minus", "booleans are not supported, got bool[2] in negative", |_, y| /*@*/-&y),
        m("take at floats", "expected integer indices, got f64[2] in take", |x, _| /*@*/np::take(&x, np::ones(2, ..), 0)),
        m("get at floats", "expected integer indices, got f64[2] in getitem", |x, _| x./*@*/get(np::ones(2, ..))),
        m("floor divide", "complex numbers are not supported, got c128[3,4] and c128[] in floor_divide", |x, _| /*@*/np::floor_divide(x.astype(DType::Complex128), 2.0)),
        m("mod", "complex numbers are not supported, got c64[3,4] and c64[] in remainder", |x, _| /*@*/x.astype(DType::Complex64) % 2.0),
    ]);
}

#[test]
#[rustfmt::skip]
fn indices_and_axes_out_of_range() {
    let kind = Error::is_index;
    let m = |name, message, f| Mistake { name, kind, message, x: matrix(), y: Array::from([0, 7]), f };
    check(vec![
        m("get", "index 3 is out of range for axis 0 of f64[3,4] in getitem", |x, _| x./*@*/get(3)),
        m("get negative", "index -4 is out of range for axis 0 of f64[3,4] in getitem", |x, _| x./*@*/get(-4)),
        m("ix", "index 4 is out of range for axis 1 of f64[3,4] in getitem", |x, _| x./*@*/get(ix![.., 4])),
        m("too many", "too many indices for f64[3,4], expected at most 2, got 3 in getitem", |x, _| x./*@*/get(ix![0, 0, 0])),
        m("sum axis", "axis 2 is out of range for f64[3,4] in sum", |x, _| /*@*/np::sum(&x, 2)),
        m("stack axis", "axis 3 is out of range for a stack of f64[3,4] in stack", |x, _| /*@*/np::stack([&x, &x], 3)),
        m("moveaxis", "axis 2 is out of range for f64[3,4] in moveaxis", |x, _| /*@*/np::moveaxis(&x, 0, 2)),
        m("take axis", "axis 2 is out of range for f64[3,4] in take", |x, y| /*@*/np::take(&x, &y, 2)),
        // Only the run can tell.
        m("take at run time", "index 7 is out of range for axis 0 with size 3 in take", |x, y| /*@*/np::take(&x, &y, 0)),
        m("get at run time", "index 7 is out of range for axis 0 with size 3 in take", |x, y| x./*@*/get(&y)),
        m("take among others", "index 6 is out of range for axis 1 with size 4 in take", |x, y| np::exp(/*@*/np::take(&x + 1.0, &y - 1, 1)) * 2.0),
        m("get with two arrays", "index 7 is out of range for axis 0 with size 3 in ", |x, y| x./*@*/get(ix![&y, [0, 1]])),
    ]);
}

#[test]
#[rustfmt::skip]
fn empty_input() {
    let kind = Error::is_value;
    let empty = || np::zeros([0, 3], ..);
    let m = |name, message, f| Mistake { name, kind, message, x: empty(), y: matrix(), f };
    check(vec![
        m("max of nothing", "an empty array has no largest or smallest element, got f64[0,3] in max", |x, _| /*@*/np::max(&x, ..)),
        m("min of nothing", "an empty array has no largest or smallest element, got f64[0,3] in min", |x, _| /*@*/np::min(&x, 0)),
        m("argmax of nothing", "an empty array has no largest or smallest element, got f64[0,3] in argmax", |x, _| /*@*/np::argmax(&x, ..)),
        m("stack of nothing", "expected at least one array in stack", |_, _| /*@*/np::stack(Vec::<Array>::new(), 0)),
        m("concatenate of nothing", "expected at least one array in concatenate", |_, _| /*@*/np::concatenate(Vec::<Array>::new(), 0)),
        m("einsum of nothing", "`` is not valid for einsum: it names 1 operands, got 0 in einsum", |_, _| /*@*/np::einsum("", Vec::<Array>::new())),
    ]);
}

#[test]
#[rustfmt::skip]
fn values_that_do_not_fit() {
    let kind = Error::is_value;
    let m = |name, message, f| Mistake { name, kind, message, x: Array::from([2, 3]), y: Array::from([1, -1]), f };
    check(vec![
        Mistake { kind: Error::is_overflow, ..m("weak int", "the integer 300 does not fit into uint8 in add", |x, _| /*@*/np::add(x.astype(DType::Uint8), 300)) },
        m("axis twice", "axis 0 is given twice for i32[2] in transpose", |x, _| /*@*/np::transpose(&x, [0, 0])),
        m("negative size", "a size cannot be negative, got -1 in zeros", |x, _| x + /*@*/np::zeros([-1], ..)),
        m("zero step", "the step of a slice cannot be zero in getitem", |x, _| x./*@*/get(ix![..; 0])),
        // Only the run can tell.
        m("negative power", "integers to negative integer powers are not allowed in power", |x, y| /*@*/np::power(&x, &y)),
        m("negative power in a loop", "integers to negative integer powers are not allowed in power", |x, y| np::sum(/*@*/np::power(&x + 1, &y * 2), ..)),
    ]);
}

#[test]
#[rustfmt::skip]
fn what_linear_algebra_cannot_do() {
    let kind = Error::is_linear_algebra;
    let x = || Array::from([[f64::NAN, 1.0], [1.0, 2.0]]);
    let y = || Array::from([[1.0, 2.0], [2.0, 4.0]]);
    let m = |name, message, f| Mistake { name, kind, message, x: x(), y: y(), f };
    check(vec![
        m("svd of nan", "the iteration did not converge for f64[2,2], expected finite elements in svd", |x, _| /*@*/np::linalg::svd(&x, ..).1),
        m("svd of infinity", "the iteration did not converge for f64[2,2], expected finite elements in svd", |x, _| /*@*/np::linalg::svd(&x / 0.0, ..).0),
        m("svdvals of nan", "the iteration did not converge for f64[2,2], expected finite elements in svdvals", |x, _| /*@*/np::linalg::svdvals(&x)),
        m("eigh of nan", "the iteration did not converge for f64[2,2], expected finite elements in eigh", |x, _| /*@*/np::linalg::eigh(&x, ..).0),
        m("eigvalsh of nan", "the iteration did not converge for f32[2,2], expected finite elements in eigvalsh", |x, _| /*@*/np::linalg::eigvalsh(x.astype(DType::Float32), ..)),
        m("eig of nan", "the iteration did not converge for f64[2,2], expected finite elements in eig", |x, _| /*@*/np::linalg::eig(&x).1),
        m("eigvals of nan", "the iteration did not converge for c128[2,2], expected finite elements in eigvals", |x, _| /*@*/np::linalg::eigvals(x.astype(DType::Complex128))),
        m("lstsq of nan", "the iteration did not converge for f64[2,2], expected finite elements in lstsq", |x, y| /*@*/np::linalg::lstsq(&x, &y, ..).0),
        m("inv of singular", "a matrix of f64[2,2] is singular in inv", |_, y| /*@*/np::linalg::inv(&y)),
        m("inv of a batch", "a matrix of f64[2,2,2] is singular in inv", |x, y| /*@*/np::linalg::inv(np::stack([np::ones_like(&x, ..), y], 0))),
        m("negative power of singular", "a matrix of f64[2,2] is singular in inv", |_, y| /*@*/np::linalg::matrix_power(&y, -2)),
        m("solve with singular", "a matrix of f64[2,2] is singular in solve", |_, y| /*@*/np::linalg::solve(&y, [1.0, 2.0])),
        m("triangle with a zero", "a matrix of f64[2,2] is singular in solve_triangular", |_, y| /*@*/np::linalg::solve_triangular(y - 1.0, [1.0, 2.0], ..)),
        m("cholesky of indefinite", "a matrix of f64[2,2] is not positive definite in cholesky", |_, y| /*@*/np::linalg::cholesky(-y, ..)),
        m("cholesky of nan", "a matrix of f64[2,2] is not positive definite in cholesky", |x, _| /*@*/np::linalg::cholesky(&x, ..)),
        m("cond of nothing", "an empty matrix has no condition, got f64[0,2] in cond", |_, _| /*@*/np::linalg::cond(np::zeros([0, 2], ..), ..)),
    ]);
}

#[test]
#[rustfmt::skip]
fn matrices_that_do_not_fit() {
    let kind = Error::is_shape;
    let m = |name, message, f| Mistake { name, kind, message, x: matrix(), y: vector(), f };
    check(vec![
        m("svdvals", "expected matrices, got f64[5] in svdvals", |_, y| /*@*/np::linalg::svdvals(&y)),
        m("lu of a number", "expected matrices, got f64[] in lu", |_, _| /*@*/np::linalg::lu(2.0).0),
        m("eigh", "expected square matrices, got f64[3,4] in eigh", |x, _| /*@*/np::linalg::eigh(&x, ..).0),
        m("eigvalsh", "expected square matrices, got f64[5] in eigvalsh", |_, y| /*@*/np::linalg::eigvalsh(&y, ..)),
        m("eig", "expected square matrices, got f64[3,4] in eig", |x, _| /*@*/np::linalg::eig(&x).0),
        m("eigvals", "expected square matrices, got f64[3,4] in eigvals", |x, _| /*@*/np::linalg::eigvals(&x)),
        m("cholesky", "expected square matrices, got i64[3,4] in cholesky", |x, _| /*@*/np::linalg::cholesky(x.astype(DType::Int64), ..)),
        m("inv", "expected square matrices, got f64[3,4] in inv", |x, _| /*@*/np::linalg::inv(&x)),
        m("det", "expected square matrices, got f64[] in det", |_, _| /*@*/np::linalg::det(2.0)),
        m("slogdet", "expected square matrices, got f64[5] in slogdet", |_, y| /*@*/np::linalg::slogdet(&y).1),
        m("expm", "expected square matrices, got f64[3,4] in expm", |x, _| /*@*/np::linalg::expm(&x)),
        m("matrix_power", "expected square matrices, got f64[3,4] in matrix_power", |x, _| /*@*/np::linalg::matrix_power(&x, 2)),
        m("pinv", "expected matrices, got f64[5] in pinv", |_, y| /*@*/np::linalg::pinv(&y, ..)),
        m("solve", "cannot solve with f64[3,3] for f64[5]: expected 3 rows on the right, and leading axes that broadcast in solve", |x, y| /*@*/np::linalg::solve(np::matmul(&x, x.t()), &y)),
        m("solve for a number", "cannot solve with f64[3,3] for f64[]: expected 3 rows on the right", |x, _| /*@*/np::linalg::solve(np::matmul(&x, x.t()), 1.0)),
        m("solve for stacks", "cannot solve with f64[2,1,1] for f64[3,1,1]: expected 1 rows on the right", |_, _| /*@*/np::linalg::solve(np::ones([2, 1, 1], ..), np::ones([3, 1, 1], ..))),
        m("solve_triangular", "expected square matrices, got f64[3,4] in solve_triangular", |x, y| /*@*/np::linalg::solve_triangular(&x, &y, ..)),
        m("lstsq", "cannot solve with f64[3,4] for f64[5]: expected one matrix, and a vector or a matrix with as many rows in lstsq", |x, y| /*@*/np::linalg::lstsq(&x, &y, ..).0),
        m("multi_dot", "cannot multiply f64[3,4] with f64[5] in multi_dot", |x, y| /*@*/np::linalg::multi_dot([&x, &y])),
        m("multi_dot of stacks", "expected matrices, and vectors only at the ends, got f64[1,1,1] in multi_dot", |x, _| /*@*/np::linalg::multi_dot([&x, &np::ones([1, 1, 1], ..)])),
    ]);
}

#[test]
#[rustfmt::skip]
fn transforms_that_do_not_fit() {
    let m = |name, kind, message, f| Mistake { name, kind, message, x: matrix(), y: Array::from([1, 2, 3]), f };
    let (value, index, dtype) = (Error::is_value, Error::is_index, Error::is_dtype);
    check(vec![
        m("fft to nothing", value, "a Fourier transform needs at least one element, got length 0 for f64[3,4] in fft", |x, _| /*@*/np::fft::fft(&x, 0)),
        m("fft of nothing", value, "a Fourier transform needs at least one element, got length 0 for f64[0] in ifft", |_, _| /*@*/np::fft::ifft(np::zeros(0, ..), ..)),
        m("irfft of one", value, "a Fourier transform needs at least one element, got length 0 for f64[1] in irfft", |_, _| /*@*/np::fft::irfft(np::zeros(1, ..), ..)),
        m("negative length", value, "the length of a transform cannot be negative, got -3 in fft", |x, _| /*@*/np::fft::fft(&x, -3)),
        m("fft axis", index, "axis 2 is out of range for f64[3,4] in fft", |x, _| /*@*/np::fft::fft(&x, np::fft::axis(2))),
        m("fft of a number", index, "axis -1 is out of range for f64[] in fft", |_, _| /*@*/np::fft::fft(2.0, ..)),
        m("fft2 of a vector", index, "axis -2 is out of range for i32[3] in fft2", |_, y| /*@*/np::fft::fft2(&y, ..)),
        m("rfft of complex", dtype, "expected real numbers, got c128[3,4] in rfft", |x, _| /*@*/np::fft::rfft(x.astype(DType::Complex128), ..)),
        m("sizes and axes", value, "expected as many sizes as axes, got 1 and 2 in fftn", |x, _| /*@*/np::fft::fftn(&x, np::fft::s(3).axes([0, 1]))),
        m("fftfreq", value, "expected a positive length, got 0 in fftfreq", |x, _| x + /*@*/np::fft::fftfreq(0, ..)),
        m("fftshift", index, "axis 3 is out of range for f64[3,4] in fftshift", |x, _| /*@*/np::fft::fftshift(&x, 3)),
    ]);
}

#[test]
fn arguments_of_another_structure() {
    let f = autojit(|x: Result<Array, Error>| x.map(|x| x + 1.0));
    let wrong: Result<Array, Error> =
        Err(Array::from(vec![vec![1.0], vec![]]).check().unwrap_err());
    let line = line!() - 1;
    let error = f.call(&wrong).unwrap_err();
    let message = "expected rows of equal length, got 1 and 0, at ";
    assert_eq!(error.to_string(), format!("{message}{}:{line}:13", file!()));

    let tree = (Array::from([1.0]), 2_i64);
    let (arrays, structure) = autojit::tree_flatten(&tree).unwrap();
    let first = line!() + 2;
    let errors = [
        autojit::tree_unflatten::<(Array, f64)>(arrays, &structure).err(),
        autojit::tree_unflatten::<(Array, i64)>([], &structure).err(),
        autojit::tree_unflatten::<Array>([Array::from(1.0)], &structure).err(),
    ];
    let messages = [
        "expected a static float, got a static integer",
        "there are fewer arrays than the structure takes",
        "expected an array, got a tuple of 2",
    ];
    for ((error, message), line) in errors.into_iter().zip(messages).zip(first..) {
        let error = error.unwrap();
        assert!(error.is_tree(), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!("{message}, at {}:{line}:9", file!())
        );
    }
    let error = autojit::tree_flatten(&wrong).unwrap_err();
    assert_eq!(error.to_string(), format!("{message}{}:{line}:13", file!()));
}

#[test]
fn a_variable_that_is_none() {
    let x = Array::from([1.0]);
    let error = lazy::compute_constants([&lazy::array(&x)], [&x]).unwrap_err();
    let place = format!("{}:{}:17", file!(), line!() - 1);
    let message = format!("expected a lazy array as a variable, got f64[1], at {place}");
    assert_eq!(error.to_string(), message);
}

#[test]
fn an_unknown_backend() {
    let f = autojit(|x: Array| x + 1.0).backend("numba");
    let error = f.call(Array::from([1.0])).unwrap_err();
    let line = line!() - 1;
    assert!(error.is_unknown_backend());
    let known = backends().join(", ");
    let place = format!("{}:{line}:19", file!());
    let message = format!("no backend is called `numba`, expected one of {known}, at {place}");
    assert_eq!(error.to_string(), message);
}

/// The same function in every mode; each gives what the first gives.
#[track_caller]
fn agree(x: &Array, y: &Array, f: fn(Array, Array) -> Array) -> Array {
    let caller = std::panic::Location::caller();
    let all = in_every_mode(&Mistake {
        name: "",
        kind: |_| true,
        message: "",
        x: x.clone(),
        y: y.clone(),
        f,
    });
    let text = |result: &Result<Array, Error>| match result {
        Ok(array) => format!("{} {array}", array.ty().unwrap()),
        Err(error) => error.to_string(),
    };
    let first = text(&all[0].1);
    for (mode, result) in &all {
        assert_eq!(text(result), first, "{mode}, at {caller}");
    }
    all.into_iter().next().unwrap().1.unwrap()
}

#[test]
fn arrays_without_elements_go_everywhere() {
    for dtype in [DType::Float64, DType::Complex128, DType::Int64, DType::Bool] {
        let x = np::zeros([0, 3], np::dtype(dtype));
        let y = np::ones([3, 2], np::dtype(dtype));
        let shape = |f: fn(Array, Array) -> Array| agree(&x, &y, f).shape().unwrap();
        assert_eq!(shape(|x, _| np::add(&x, &x)), [0, 3]);
        assert_eq!(shape(|x, _| np::exp(np::multiply(x, 2.0))), [0, 3]);
        assert_eq!(shape(|x, _| np::sum(&x, ..)), [0; 0]);
        assert_eq!(shape(|x, _| np::sum(&x, 0)), [3]);
        assert_eq!(shape(|x, _| np::prod(&x, np::axis(0).keepdims())), [1, 3]);
        assert_eq!(shape(|x, _| np::max(&x, 1)), [0]);
        assert_eq!(shape(|x, _| np::any(&x, 0)), [3]);
        assert_eq!(shape(|x, _| np::argmax(&x, 1)), [0]);
        assert_eq!(shape(|x, y| np::matmul(&x, &y)), [0, 2]);
        assert_eq!(shape(|x, _| np::matmul(x.t(), &x)), [3, 3]);
        assert_eq!(shape(|x, y| np::tensordot(&x, &y, 0)), [0, 3, 3, 2]);
        assert_eq!(shape(|x, y| np::einsum("ij,jk->k", [&x, &y])), [2]);
        assert_eq!(shape(|x, y| np::concatenate([&x, &y.t(), &x], 0)), [2, 3]);
        assert_eq!(shape(|x, _| np::stack([&x, &x], 1)), [0, 2, 3]);
        assert_eq!(shape(|x, _| np::reshape(&x, [3, 0, 2])), [3, 0, 2]);
        assert_eq!(shape(|x, _| np::transpose(&x, ..)), [3, 0]);
        assert_eq!(shape(|x, _| np::flip(&x, ..)), [0, 3]);
        assert_eq!(shape(|_, y| y.get(ix![2..1])), [0, 2]);
        assert_eq!(shape(|x, _| x.get(ix![.., 1])), [0]);
        assert_eq!(shape(|_, y| np::take(&y, [0_i64; 0], 0)), [0, 2]);
        assert_eq!(shape(|x, _| np::where_(&x, &x, 1.0)), [0, 3]);
        assert_eq!(shape(|x, _| np::astype(&x, DType::Float32)), [0, 3]);
        assert_eq!(shape(|x, _| np::broadcast_to(&x, [4, 0, 3])), [4, 0, 3]);
        assert_eq!(shape(|x, _| np::linalg::norm(&x, ..)), [0; 0]);
        assert_eq!(shape(|x, _| np::linalg::norm(&x, np::axis(1))), [0]);
        assert_eq!(shape(|x, _| np::trace(&x, ..)), [0; 0]);
        if dtype != DType::Bool {
            assert_eq!(shape(|x, _| np::linalg::qr(&x, ..).1), [0, 3]);
            assert_eq!(shape(|x, _| np::linalg::svd(&x, ..).1), [0]);
        }
    }
}

#[test]
fn numbers_that_processors_trap_on_do_not_trap() {
    let x = Array::from([i64::MIN, 7, -7, 0]);
    let y = Array::from([-1_i64, 0, 2, 0]);
    agree(&x, &y, |x, y| np::floor_divide(&x, &y));
    agree(&x, &y, |x, y| np::remainder(&x, &y));
    agree(&x, &y, |x, _| np::absolute(&x));
    agree(&x, &y, |x, y| {
        np::floor_divide(x.astype(DType::Int32), y.astype(DType::Int32))
    });
    agree(&x, &y, |x, y| {
        np::remainder(x.astype(DType::Uint8), y.astype(DType::Uint8))
    });
    agree(&x, &y, |x, _| np::power(&x, 3));
    let wild = Array::from([f64::NAN, f64::INFINITY, -f64::INFINITY, 1e300]);
    agree(&wild, &y, |x, _| np::sum(x.astype(DType::Bool), ..));
    for dtype in [DType::Int64, DType::Int32, DType::Uint8] {
        // Which integer a NaN becomes is the processor's; that it becomes one is ours.
        for (mode, result) in modes(&wild, dtype) {
            assert_eq!(result.unwrap().shape().unwrap(), [4], "{mode}");
        }
    }
}

fn modes(x: &Array, dtype: DType) -> Vec<(&'static str, Result<Array, Error>)> {
    let mut results = vec![("eager", np::astype(x, dtype).check())];
    for backend in backends() {
        let jit = autojit(|x: Array| x.astype(dtype)).backend(backend);
        results.push((backend, jit.call(x)));
    }
    results
}

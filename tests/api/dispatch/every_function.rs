//! Every function that can be called by name is there as a typed function and in the namespace, and a function
//! that users register in its place takes its place in all three.
//!
//! A function without a row here fails the first test, one that forgets `replaceable!` the second.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use crate::process::in_own_process;
use autojit::dispatch::{self, Arguments, Namespace};
use autojit::numpy::arranging::{Padding, Rotation};
use autojit::numpy::calculus::{Differences, Powers, Spacing};
use autojit::numpy::fft::FourierNorm;
use autojit::numpy::interpolation;
use autojit::numpy::joining::Indexing;
use autojit::numpy::linalg::{QrMode, Transposition, Uplo};
use autojit::numpy::logic::Tolerance;
use autojit::numpy::moments;
use autojit::numpy::positions::{Order, OutOfRange, dims};
use autojit::numpy::quantiles::{Method, method};
use autojit::numpy::searching::{self, Side};
use autojit::numpy::signal::{Overlap, spacing};
use autojit::numpy::special::{AngleUnit, Replacements};
use autojit::{Array, DType, get_namespace, lazy, numpy as np, register_function_wrapping};

type Bound = dyn Fn(&Namespace) -> Vec<Array>;

/// One call, as a typed function and as a method of the namespace.
struct Row {
    name: String,
    typed: Box<dyn Fn() -> Vec<Array>>,
    bound: Box<Bound>,
}

trait Arrays {
    fn arrays(self) -> Vec<Array>;
}

impl Arrays for Array {
    fn arrays(self) -> Vec<Array> {
        vec![self]
    }
}

impl Arrays for Vec<Array> {
    fn arrays(self) -> Vec<Array> {
        self
    }
}

impl Arrays for (Array, Array) {
    fn arrays(self) -> Vec<Array> {
        vec![self.0, self.1]
    }
}

impl Arrays for (Array, Array, Array, Array) {
    fn arrays(self) -> Vec<Array> {
        vec![self.0, self.1, self.2, self.3]
    }
}

impl Arrays for (Array, Array, Array) {
    fn arrays(self) -> Vec<Array> {
        vec![self.0, self.1, self.2]
    }
}

macro_rules! rows {
    (
        with { $($x:ident = $value:expr;)* }
        numpy { $($name:ident ($($arg:expr),*);)* }
        linalg { $($linalg:ident ($($linalg_arg:expr),*);)* }
        fft { $($fft:ident ($($fft_arg:expr),*);)* }
    ) => {
        #[allow(unused_variables, reason = "each row uses some of the arrays")]
        fn rows_with(change: fn(Array) -> Array) -> Vec<Row> {
            // NumPy's `where` is a keyword of Rust.
            let name = |text: &str| text.trim_end_matches('_').to_owned();
            // For as long as the test runs, so that every closure can refer to them.
            $(let $x: &'static Array = Box::leak(Box::new(change($value)));)*
            vec![
                $(Row {
                    name: name(stringify!($name)),
                    typed: Box::new(move || np::$name($($arg),*).arrays()),
                    bound: Box::new(move |xp| xp.$name($($arg),*).arrays()),
                },)*
                $(Row {
                    name: format!("fft.{}", stringify!($fft)),
                    typed: Box::new(move || np::fft::$fft($($fft_arg),*).arrays()),
                    bound: Box::new(move |xp| xp.fft().$fft($($fft_arg),*).arrays()),
                },)*
                $(Row {
                    name: format!("linalg.{}", stringify!($linalg)),
                    typed: Box::new(move || np::linalg::$linalg($($linalg_arg),*).arrays()),
                    bound: Box::new(move |xp| xp.linalg().$linalg($($linalg_arg),*).arrays()),
                },)*
            ]
        }
    };
}

rows! {
    with {
        x = Array::from([0.5, -0.25, 0.75]);
        y = Array::from([2.0, 0.5, 0.75]);
        i = Array::from([5i64, 3, 0]);
        j = Array::from([1i64, 2, 2]);
        m = Array::from([[4.0, 1.0, 2.0], [3.0, f64::NAN, 6.0]]);
        n = Array::from([[4.0, 1.0, 2.0], [3.0, 5.0, 6.0]]);
        h = Array::from([[4.0, 1.0, 0.5], [1.0, 3.0, 0.25], [0.5, 0.25, 2.0]]);
        v = Array::from([2.0, -1.0]);
        p = Array::from([1i64, 2, 2]);
        cube = np::reshape(np::arange(24, ..), [2, 3, 4]);
    }
    numpy {
        abs(x); absolute(x); acos(x); acosh(y); add(x, y); all(n, np::axis(1).keepdims());
        allclose(x, y, Tolerance { rtol: 9.0, ..Tolerance::default() });
        amax(n, 1); amin(n, np::axis(-1).keepdims()); angle(x, AngleUnit::Degrees); any(n, 0);
        arange((1, 9, 3), ..); arccos(x); arccosh(y); arcsin(x); arcsinh(x); arctan(x); arctan2(x, y);
        arctanh(x); argmax(n, 1); argmin(n, 0); argsort(n, 0); around(x, 1);
        array_equal(m, m, true); average(n, moments::weights(x.clone()).axis(np::axis(1).keepdims()));
        array_split(x, 2, 0); asin(x); asinh(x); astype(x, DType::Int32); atan(x); atan2(x, y); atanh(x);
        atleast_1d(2.0); atleast_2d(x); atleast_3d(x); bincount(i, searching::weights(y).minlength(9)); bitwise_and(i, j);
        bitwise_invert(i); bitwise_left_shift(i, j); bitwise_not(i); bitwise_or(i, j);
        bitwise_right_shift(i, j); bitwise_xor(i, j); block([[n, n], [n, n]]); broadcast_arrays([x, n]); broadcast_to(x, [2, 3]); cbrt(x); ceil(x);
        clip(x, 0.0, 0.6); column_stack([x, y]); concat([x, y], 0); concatenate([n, n], 1); conj(x);
        conjugate(x); convolve(x, v, Overlap::Same); corrcoef(n, moments::with(n).columns()); correlate(x, v, Overlap::Full);
        cov(n, moments::with(n).bias().aweights(y.clone())); copysign(x, y); cos(x); cosh(x); count_nonzero(n, np::axis(1).keepdims());
        cross(x, y, 0); cumprod(n, 1); cumsum(n, 0); deg2rad(x); degrees(x); diag(x, 1);
        diagonal(cube, np::offset(1).axes(1, 2)); diff(n, Differences::from(2).axis(-1).prepend(0.0).append(1.0));
        divide(x, y); dot(n, x); dstack([x, y]); einsum("ij,j->i", [n, x]); equal(x, y); erf(x); erfc(x); exp(x);
        exp2(x); expand_dims(x, [0, 2]); expm1(x); eye(2, np::columns(3).k(1)); fabs(x);
        flip(n, 1); fliplr(n); flipud(n); float_power(y, x); floor(x); floor_divide(x, y); fmax(x, y);
        fmin(x, y); fmod(x, y); gammaln(y); lgamma(y);
        interp(x, y, [1.0, 2.0, 3.0], interpolation::left(-1.0).right(9.0)); full([2, 1], 7.0, ..); full_like(x, 7, DType::Int64);
        gradient(n, spacing([2.0]).axis(1).edge_order(2)); i0(x);
        geomspace(1.0, 8.0, np::num(4)); greater(x, y); greater_equal(x, y); heaviside(x, y);
        hstack([x, y]); hypot(x, y); identity(2, ..); imag(x); inner(n, x); invert(i);
        isclose(m, m, Tolerance { rtol: 1e-3, atol: 1e-4, equal_nan: true }); isfinite(m); isinf(m);
        isnan(m); kron(x, y); left_shift(i, j); less(x, y); less_equal(x, y);
        linspace(0, 1, np::num(4).endpoint(false)); log(y); log10(y); log1p(x); log2(y); log_softmax(n, 0);
        logaddexp(x, y); logaddexp2(x, y); logical_and(x, y); logical_not(x); logical_or(x, y);
        logical_xor(x, y); logspace(0, 2, np::num(3).dtype(DType::Int64)); logsumexp(n, np::axis(0).keepdims());
        matmul(n, x); max(n, 1); maximum(x, y); mean(n, np::axis(1).keepdims());
        median(n, np::axis(1).keepdims()); meshgrid([x, y], Indexing::Matrix); min(n, 0); minimum(x, y);
        mod_(x, y); moveaxis(cube, 0, 2); multiply(x, y);
        nan_to_num(m, Replacements { nan: 7.0, posinf: Some(8.0), neginf: None });
        nanmax(m, 1); nanmean(m, np::axis(1).keepdims()); nanmin(m, 0); nanprod(m, 1); nansum(m, 1);
        negative(x); nextafter(x, y); nonzero(i); not_equal(x, y); ones([2, 1], DType::Int64); ones_like(x, DType::Int64);
        percentile(n, 25.0, method(Method::Hazen).axis(1)); put_along_axis(n, [[1i64], [0]], 7.0, 1);
        quantile(n, 0.25, method(Method::Lower).axis(np::axis(1).keepdims()));
        ravel_multi_index([j, j], dims([3, 2]).mode(OutOfRange::Wrap).order(Order::F));
        outer(x, y); pad(n, [(1, 0), (0, 2)], Padding::Constant(2.into())); permute_dims(cube, [2, 0, 1]);
        positive(x); pow(y, x); power(y, x); prod(n, np::axis(0).keepdims()); ptp(n, 1); rad2deg(x);
        radians(x); ravel(n); real(x); reciprocal(x); remainder(x, y); repeat(n, [2, 1], 0);
        reshape(n, [3, 2]); right_shift(i, j); rint(x); roll(n, [1, 2], [0, 1]);
        rot90(n, Rotation { quarters: 3, axes: (1, 0) }); round(x, 1); searchsorted([1.0, 2.0, 3.0], y, Side::Right);
        sign(x); signbit(x); sin(x); sinc(x); sinh(x); softmax(n, 0); sort(n, 0); split(n, [1], 1); sqrt(y);
        square(x); squeeze(np::expand_dims(x, 0), 0); stack([x, y], 1); std(n, np::axis(1).ddof(1.0).keepdims());
        subtract(x, y); sum(n, np::axis(1).where_(np::greater(n, 1.5)).keepdims()); swapaxes(cube, 0, 2);
        take(n, [1i64, 0], 1); take_along_axis(n, [[1i64], [0]], 1); tan(x); tanh(x);
        tensordot(n, x, ([1], [0])); tile(x, [2, 2]); trace(cube, np::offset(1).axes(1, 2));
        transpose(cube, [1, 0, 2]);
        trapezoid(n, Spacing { x: Some(j.clone().into()), dx: 1.0, axis: 1.into() });
        tri(2, np::columns(3).k(1)); tril(n, 1); tril_indices(2, np::columns(3).k(1)); triu(n, 1);
        triu_indices(2, np::columns(3).k(-1)); unravel_index(j, [3, 2], Order::F); true_divide(x, y); trunc(x); unique(j);
        vander(x, Powers { columns: Some(2), increasing: true }); var(n, np::axis(1).ddof(1.0)); vdot(x, y);
        vstack([x, y]); where_(np::greater(x, 0), x, y); zeros([2, 1], DType::Int64); zeros_like(x, DType::Int64);
    }
    linalg {
        norm(n, np::ord(1).axis(1).keepdims()); qr(n, QrMode::Complete); svd(n, np::full_matrices(true));
        svdvals(n); eigh(h, Uplo::Upper); eigvalsh(h, Uplo::Upper); eig(h); eigvals(h); cholesky(h, ..);
        lu(n); inv(h); det(h); slogdet(h); expm(h); solve(h, x); lstsq(np::transpose(n, ..), x, 0.5);
        solve_triangular(h, x, np::linalg::lower().unit_diagonal());
        pinv(n, np::linalg::rtol(0.5)); matrix_rank(h, np::linalg::tol(0.5).hermitian());
        block_diag([n, h]); cho_solve(h, x, Uplo::Upper); logm(h); lu_solve(h, p, x, Transposition::Adjoint); sqrtm(h);
        matrix_power(h, 3); multi_dot([n, h, h]); cond(h, 1);
    }
    fft {
        fft(n, np::fft::n(4).axis(0).norm(FourierNorm::Ortho)); ifft(n, 2); rfft(n, FourierNorm::Forward);
        irfft(n, 4); fft2(n, np::fft::s([2, 4]).axes([0, 1]).norm(FourierNorm::Ortho)); ifft2(n, ..);
        hfft(n, np::fft::n(4).axis(0).norm(FourierNorm::Ortho)); ihfft(n, 2);
        irfftn(n, np::fft::s([2, 4])); rfftn(n, np::fft::axes([1, 0]).norm(FourierNorm::Ortho));
        fftn(n, np::fft::axes([1]).norm(FourierNorm::Forward)); ifftn(n, np::fft::s([1, 2]));
        fftfreq(5, 0.5); rfftfreq(5, 0.5); fftshift(n, 1); ifftshift(n, 0);
    }
}

/// Names without a typed function of their own: `getitem` is the method `get`, and `linalg` names some again.
const ONLY_BY_NAME: &[&str] = &[
    // It gives no arrays.
    "einsum_path",
    "getitem",
    "linalg.diagonal",
    "linalg.matmul",
    "linalg.outer",
    "linalg.tensordot",
    "linalg.trace",
    // Each call draws other numbers; `tests/api/numpy/random.rs` has them.
    "random.choice",
    "random.exponential",
    "random.integers",
    "random.normal",
    "random.permutation",
    "random.randint",
    "random.random",
    "random.seed",
    "random.standard_normal",
    "random.uniform",
    // The method `at`.
    "scatter",
    "special.erf",
    "special.erfc",
    "special.gammaln",
    "special.i0",
    "special.log_softmax",
    "special.logsumexp",
    "special.softmax",
];

/// Parameters that `call!` reaches by keywords of another name.
const BY_KEYWORDS: &[&str] = &["einsum_path", "einsum_with", "unique_with", "average_with"];

fn rows() -> Vec<Row> {
    rows_with(|x| x)
}

fn shown(arrays: &[Array]) -> String {
    let one = |x: &Array| match x.ty() {
        Ok(ty) => format!("{ty} {x}"),
        Err(error) => panic!("{error}"),
    };
    arrays.iter().map(one).collect::<Vec<_>>().join("; ")
}

#[test]
fn every_name_has_a_row_and_every_typed_function_a_name() {
    in_own_process!();
    let rows: BTreeSet<String> = rows().into_iter().map(|row| row.name).collect();
    let names: BTreeSet<String> = dispatch::functions()
        .into_iter()
        .map(|(n, _)| n.into())
        .collect();
    let by_name = ONLY_BY_NAME.iter().map(|&name| name.to_owned());
    let with_row: BTreeSet<String> = rows.iter().cloned().chain(by_name).collect();
    assert_eq!(names, with_row);

    // The table declares both; typed functions beside it are what `numpy` re-exports from all but its modules of options.
    let source = include_str!("../../../src/numpy/mod.rs");
    for list in source.split("\npub use ").skip(1) {
        let Some((module, names)) = list.split_once(';').and_then(|(l, _)| l.split_once("::{"))
        else {
            continue;
        };
        if module == "options" {
            continue;
        }
        for name in names.trim_end_matches('}').split(',').map(str::trim) {
            assert!(
                name.is_empty() || rows.contains(name) || BY_KEYWORDS.contains(&name),
                "np::{name} has no name for call!"
            );
        }
    }
}

#[test]
fn functions_are_described_as_data() {
    let described = dispatch::described();
    let names: Vec<(&str, String)> = dispatch::functions();
    assert_eq!(described.len(), names.len());
    for (function, (name, signature)) in described.iter().zip(&names) {
        assert_eq!(function.name, *name);
        assert!(function.doc.ends_with('.'), "{name}: {}", function.doc);
        for parameter in function.parameters {
            let written = match parameter.default {
                Some(default) => format!("{}={default}", parameter.name),
                None => parameter.name.to_owned(),
            };
            assert!(
                signature.contains(&written),
                "{name}({signature}): {written}"
            );
        }
    }
    let of = |name: &str| *described.iter().find(|f| f.name == name).unwrap();
    assert_eq!(
        (of("amax").function, of("mod").function),
        ("max", "remainder")
    );
    assert_eq!(of("einsum").rest, Some("operands"));
}

#[test]
fn a_replacement_is_found_by_all_three_ways_and_gets_arguments_that_can_be_passed_on() {
    in_own_process!();
    let rows = rows();
    let before: Vec<String> = rows.iter().map(|row| shown(&(row.typed)())).collect();
    let calls: Arc<Mutex<BTreeMap<String, Vec<Arguments>>>> = Arc::default();
    for (name, _) in dispatch::functions() {
        let calls = calls.clone();
        register_function_wrapping("ndarray", name, |old| {
            move |args: &Arguments| {
                let mut calls = calls.lock().unwrap();
                calls.entry(name.into()).or_default().push(args.clone());
                drop(calls);
                old.call(args)
            }
        })
        .unwrap();
    }
    let seen = |name: &str| calls.lock().unwrap().remove(name);
    let xp = get_namespace(&Array::from(1.0));
    for (row, before) in rows.iter().zip(&before) {
        let name = row.name.as_str();
        calls.lock().unwrap().clear();
        assert_eq!(shown(&(row.typed)()), *before, "np::{name}");
        let typed =
            seen(name).unwrap_or_else(|| panic!("np::{name} does not call what is registered"));
        calls.lock().unwrap().clear();
        assert_eq!(shown(&(row.bound)(&xp)), *before, "xp.{name}");
        assert!(
            seen(name).is_some(),
            "xp.{name} does not call what is registered"
        );
        // The outermost call comes first, the calls that it is made of later.
        let arguments = typed.first().unwrap();
        let named = arguments.named().iter();
        let named: Vec<_> = named.map(|(n, v)| (n.as_str(), v.clone())).collect();
        calls.lock().unwrap().clear();
        let value = match dispatch::call(name, arguments.positional(), &named) {
            Ok(value) => value.into_arrays().unwrap(),
            Err(error) => panic!("call!(\"{name}\"): {error}"),
        };
        assert_eq!(shown(&value), *before, "call!(\"{name}\")");
        assert!(
            seen(name).is_some(),
            "call!(\"{name}\") does not call what is registered"
        );
    }
}

/// Wrong in as many ways as there are kinds of arguments: another number of axes, none, no elements, other dtypes, numbers
/// that are out of every range.
const CHANGES: &[fn(Array) -> Array] = &[
    |x| np::zeros([2, 1, 3, 0, 2], np::dtype(x.dtype().unwrap())),
    |x| np::ones([3, 1, 2, 2, 5], np::dtype(x.dtype().unwrap())),
    |x| np::ones([7], np::dtype(x.dtype().unwrap())),
    |x| np::ones([1, 0], np::dtype(x.dtype().unwrap())),
    |_| Array::from(2.5),
    |x| x * autojit::num_complex::Complex64::new(0.5, 1.0),
    |x| x.astype(DType::Bool),
    |x| np::full_like(x, i64::MAX, DType::Int64),
    |x| np::full_like(x, -9.5, DType::Float64),
    |x| np::full_like(x, f64::NAN, DType::Float64),
];

#[test]
fn every_mistake_names_a_line_of_the_user() {
    in_own_process!();
    let xp = get_namespace(&Array::from(1.0));
    let mut mistakes = 0;
    let mut wrong = BTreeSet::new();
    let mut check = |what: String, results: Vec<Array>| {
        for result in results {
            let result = match result.as_lazy() {
                Some(_) => result.compute(),
                None => result.check(),
            };
            let Err(error) = result else { continue };
            mistakes += 1;
            let file = error.location().map(autojit::ir::Site::file);
            if file != Some(file!()) {
                wrong.insert(format!("{what}: {error}"));
            }
        }
    };
    for change in CHANGES {
        for row in rows_with(*change) {
            check(format!("np::{}", row.name), (row.typed)());
            check(format!("xp.{}", row.name), (row.bound)(&xp));
        }
    }
    for row in rows_with(|x| lazy::array(&CHANGES[1](x))) {
        check(format!("lazily, np::{}", row.name), (row.typed)());
    }
    for row in rows_with(|x| lazy::array(&CHANGES[7](x))) {
        check(format!("lazily, np::{}", row.name), (row.typed)());
    }
    let wrong: Vec<String> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(mistakes > 1000, "only {mistakes} mistakes were refused");
}

//! The table of functions that can be called by name.
//!
//! A row gives the name, the parameters with their defaults as Python writes them (a parameter after a semicolon
//! takes all further arguments), and an expression in those parameters. Elementwise functions come from the op
//! table and have no row here.
//!
//! The expressions stand in one `match` rather than behind function pointers, because only a direct call
//! passes the caller's source line on to the arrays that it makes.

use std::sync::LazyLock;

use super::arguments::Argument;
use super::{Entries, matrices};
use crate::error::{Error, Result};
use crate::ir::{Op, Scalar, for_each_op};
use crate::numpy::arranging::Rotation;
use crate::numpy::calculus::{Differences, LogspaceOptions, Powers, Spacing};
use crate::numpy::create::Progression;
use crate::numpy::logic::Tolerance;
use crate::numpy::options::{Diagonal, EyeOptions, LinspaceOptions, Offset};
use crate::numpy::special::{AngleUnit, Replacements};
use crate::registry::Parameter;
use crate::{Value, numpy as np};

/// One function.
pub(super) struct Entry {
    /// Its name in messages.
    pub(super) name: &'static str,
    /// The parameters in order.
    pub(super) parameters: &'static [Parameter],
    /// The name of the parameter that takes all further arguments.
    pub(super) rest: Option<&'static str>,
    pub(super) implementation: Implementation,
}

/// What runs a function.
pub(super) enum Implementation {
    /// An op on all arguments.
    Op(Op),
    /// A row of this table.
    Function(Function),
}

impl Entry {
    /// The parameters as Python writes them.
    pub(super) fn signature(&self) -> String {
        let part = |p: &Parameter| match p.default {
            Some(default) => format!("{}={default}", p.name),
            None => p.name.to_owned(),
        };
        let required = self.parameters.iter().filter(|p| p.default.is_none());
        let mut parts: Vec<String> = required.map(part).collect();
        parts.extend(self.rest.map(|rest| format!("*{rest}")));
        let optional = self.parameters.iter().filter(|p| p.default.is_some());
        parts.extend(optional.map(part));
        parts.join(", ")
    }
}

/// A name of the table as NumPy spells it: `where_` is `where`, which is a keyword of Rust.
const fn python_name(name: &'static str) -> &'static str {
    match name.as_bytes() {
        b"where_" => "where",
        _ => name,
    }
}

macro_rules! define_functions {
    ($(
        $Function:ident $name:literal ($($parameter:ident $(= $default:expr)?),* $(; $rest:ident)?) => $body:expr;
    )*) => {
        /// The rows of the table.
        #[derive(Clone, Copy)]
        pub(super) enum Function { $($Function),* }

        /// Runs a row on its bound arguments.
        #[allow(non_snake_case, reason = "NumPy's names of parameters")]
        #[track_caller]
        pub(super) fn run(function: Function, arguments: &[Argument<'_>]) -> Result<Value> {
            match function { $(
                Function::$Function => {
                    let [$($parameter,)* $($rest @ ..)?] = arguments else {
                        return Err(Error::internal(concat!("wrong binding of ", $name)));
                    };
                    Ok(Value::from($body))
                }
            )* }
        }

        fn insert_functions(entries: &mut Entries) {
            $(
                entries.insert($name, Entry {
                    name: $name,
                    parameters: const { &[$(Parameter {
                        name: python_name(stringify!($parameter)),
                        default: define_functions!(@default $($default)?),
                    }),*] },
                    rest: define_functions!(@rest $($rest)?),
                    implementation: Implementation::Function(Function::$Function),
                });
            )*
        }
    };
    (@default) => { None };
    (@default $default:tt) => { Some(stringify!($default)) };
    (@rest) => { None };
    (@rest $rest:ident) => { Some(stringify!($rest)) };
}

define_functions! {
    Sum "sum" (a, axis = None, keepdims = False, where_ = None) =>
        np::sum(a.operand()?, axis.sum_options(keepdims, where_)?);
    Prod "prod" (a, axis = None, keepdims = False) => np::prod(a.operand()?, axis.reduction(keepdims)?);
    Mean "mean" (a, axis = None, keepdims = False) => np::mean(a.operand()?, axis.reduction(keepdims)?);
    Max "max" (a, axis = None, keepdims = False) => np::max(a.operand()?, axis.reduction(keepdims)?);
    Min "min" (a, axis = None, keepdims = False) => np::min(a.operand()?, axis.reduction(keepdims)?);
    Any "any" (a, axis = None, keepdims = False) => np::any(a.operand()?, axis.reduction(keepdims)?);
    All "all" (a, axis = None, keepdims = False) => np::all(a.operand()?, axis.reduction(keepdims)?);
    Argmax "argmax" (a, axis = None, keepdims = False) =>
        np::argmax(a.operand()?, axis.reduction(keepdims)?);
    Argmin "argmin" (a, axis = None, keepdims = False) =>
        np::argmin(a.operand()?, axis.reduction(keepdims)?);
    Std "std" (a, axis = None, ddof = 0, keepdims = False) =>
        np::std(a.operand()?, axis.deviation(ddof, keepdims)?);
    Var "var" (a, axis = None, ddof = 0, keepdims = False) =>
        np::var(a.operand()?, axis.deviation(ddof, keepdims)?);

    Matmul "matmul" (x1, x2) => np::matmul(x1.operand()?, x2.operand()?);
    Dot "dot" (a, b) => np::dot(a.operand()?, b.operand()?);
    Inner "inner" (a, b) => np::inner(a.operand()?, b.operand()?);
    Outer "outer" (a, b) => np::outer(a.operand()?, b.operand()?);
    Vdot "vdot" (a, b) => np::vdot(a.operand()?, b.operand()?);
    Tensordot "tensordot" (a, b, axes = 2) =>
        np::tensordot(a.operand()?, b.operand()?, axes.tensordot_axes()?);
    Einsum "einsum" (subscripts; operands) => np::einsum(subscripts.text()?, super::operands(operands)?);
    Trace "trace" (a, offset = 0, axis1 = 0, axis2 = 1) =>
        np::trace(a.operand()?, diagonal_options(offset, axis1, axis2)?);

    Reshape "reshape" (a, shape) => np::reshape(a.operand()?, shape.integers()?);
    Ravel "ravel" (a) => np::ravel(a.operand()?);
    Transpose "transpose" (a, axes = None) => np::transpose(a.operand()?, axes.axes()?);
    Moveaxis "moveaxis" (a, source, destination) =>
        np::moveaxis(a.operand()?, source.integers()?, destination.integers()?);
    Swapaxes "swapaxes" (a, axis1, axis2) => np::swapaxes(a.operand()?, axis1.int()?, axis2.int()?);
    ExpandDims "expand_dims" (a, axis) => np::expand_dims(a.operand()?, axis.integers()?);
    Squeeze "squeeze" (a, axis = None) => np::squeeze(a.operand()?, axis.axes()?);
    BroadcastTo "broadcast_to" (array, shape) => np::broadcast_to(array.operand()?, shape.integers()?);
    Stack "stack" (arrays, axis = 0) => np::stack(arrays.operands()?, axis.join_axis()?);
    Concatenate "concatenate" (arrays, axis = 0) =>
        np::concatenate(arrays.operands()?, axis.join_axis()?);
    Flip "flip" (m, axis = None) => np::flip(m.operand()?, axis.axes()?);
    Take "take" (a, indices, axis = None) =>
        np::take(a.operand()?, indices.operand()?, axis.axes()?);
    Diagonal "diagonal" (a, offset = 0, axis1 = 0, axis2 = 1) =>
        np::diagonal(a.operand()?, diagonal_options(offset, axis1, axis2)?);
    Diag "diag" (v, k = 0) => np::diag(v.operand()?, Offset(k.int_or(0)?));
    Getitem "getitem" (a, key) => np::to_array(a.operand()?).get(key.index()?);
    Astype "astype" (x, dtype) => np::astype(x.operand()?, dtype.dtype()?);

    Zeros "zeros" (shape, dtype = None) => np::zeros(shape.integers()?, dtype.creation()?);
    Ones "ones" (shape, dtype = None) => np::ones(shape.integers()?, dtype.creation()?);
    Full "full" (shape, fill_value, dtype = None) =>
        np::full(shape.integers()?, fill_value.scalar()?, dtype.creation()?);
    ZerosLike "zeros_like" (a, dtype = None) => np::zeros_like(a.operand()?, dtype.creation()?);
    OnesLike "ones_like" (a, dtype = None) => np::ones_like(a.operand()?, dtype.creation()?);
    FullLike "full_like" (a, fill_value, dtype = None) =>
        np::full_like(a.operand()?, fill_value.scalar()?, dtype.creation()?);
    Eye "eye" (N, M = None, k = 0, dtype = None) => np::eye(N.int()?, EyeOptions {
        columns: M.axes()?.0.and_then(|columns| columns.0.first().copied()),
        k: k.int_or(0)?,
        creation: dtype.creation()?,
    });
    Identity "identity" (n, dtype = None) => np::identity(n.int()?, dtype.creation()?);
    Arange "arange" (start, stop = None, step = 1, dtype = None) =>
        np::arange(progression(start, stop, step)?, dtype.creation()?);
    Linspace "linspace" (start, stop, num = 50, endpoint = True, dtype = None) =>
        np::linspace(start.scalar()?, stop.scalar()?, LinspaceOptions {
            num: num.int_or(50)?,
            endpoint: endpoint.bool_or(true)?,
            creation: dtype.creation()?,
        });

    Positive "positive" (x) => np::positive(x.operand()?);
    Fabs "fabs" (x) => np::fabs(x.operand()?);
    Deg2rad "deg2rad" (x) => np::deg2rad(x.operand()?);
    Rad2deg "rad2deg" (x) => np::rad2deg(x.operand()?);
    Sinc "sinc" (x) => np::sinc(x.operand()?);
    Angle "angle" (z, deg = False) => np::angle(z.operand()?, match deg.bool_or(false)? {
        true => AngleUnit::Degrees,
        false => AngleUnit::Radians,
    });
    Round "round" (a, decimals = 0) => np::round(a.operand()?, decimals.int_or(0)?);
    NanToNum "nan_to_num" (x, nan = 0.0, posinf = None, neginf = None) =>
        np::nan_to_num(x.operand()?, Replacements {
            nan: nan.float_or(0.0)?,
            posinf: posinf.float_option()?,
            neginf: neginf.float_option()?,
        });
    Logaddexp "logaddexp" (x1, x2) => np::logaddexp(x1.operand()?, x2.operand()?);
    Logaddexp2 "logaddexp2" (x1, x2) => np::logaddexp2(x1.operand()?, x2.operand()?);
    Fmax "fmax" (x1, x2) => np::fmax(x1.operand()?, x2.operand()?);
    Fmin "fmin" (x1, x2) => np::fmin(x1.operand()?, x2.operand()?);
    Heaviside "heaviside" (x1, x2) => np::heaviside(x1.operand()?, x2.operand()?);
    FloatPower "float_power" (x1, x2) => np::float_power(x1.operand()?, x2.operand()?);
    Clip "clip" (a, a_min = None, a_max = None, min = None, max = None) =>
        np::clip(a.operand()?, a_min.limit(min)?, a_max.limit(max)?);
    Isclose "isclose" (a, b, rtol = 1e-5, atol = 1e-8, equal_nan = False) =>
        np::isclose(a.operand()?, b.operand()?, tolerance(rtol, atol, equal_nan)?);
    Allclose "allclose" (a, b, rtol = 1e-5, atol = 1e-8, equal_nan = False) =>
        np::allclose(a.operand()?, b.operand()?, tolerance(rtol, atol, equal_nan)?);

    CountNonzero "count_nonzero" (a, axis = None, keepdims = False) =>
        np::count_nonzero(a.operand()?, axis.reduction(keepdims)?);
    Ptp "ptp" (a, axis = None, keepdims = False) => np::ptp(a.operand()?, axis.reduction(keepdims)?);
    Median "median" (a, axis = None, keepdims = False) =>
        np::median(a.operand()?, axis.reduction(keepdims)?);
    Nansum "nansum" (a, axis = None, keepdims = False) =>
        np::nansum(a.operand()?, axis.reduction(keepdims)?);
    Nanprod "nanprod" (a, axis = None, keepdims = False) =>
        np::nanprod(a.operand()?, axis.reduction(keepdims)?);
    Nanmean "nanmean" (a, axis = None, keepdims = False) =>
        np::nanmean(a.operand()?, axis.reduction(keepdims)?);
    Nanmax "nanmax" (a, axis = None, keepdims = False) =>
        np::nanmax(a.operand()?, axis.reduction(keepdims)?);
    Nanmin "nanmin" (a, axis = None, keepdims = False) =>
        np::nanmin(a.operand()?, axis.reduction(keepdims)?);
    Logsumexp "logsumexp" (a, axis = None, keepdims = False) =>
        np::logsumexp(a.operand()?, axis.reduction(keepdims)?);
    Softmax "softmax" (x, axis = None) => np::softmax(x.operand()?, axis.reduction(&NOT_GIVEN)?);
    LogSoftmax "log_softmax" (x, axis = None) =>
        np::log_softmax(x.operand()?, axis.reduction(&NOT_GIVEN)?);

    Sort "sort" (a, axis = -1) => np::sort(a.operand()?, axis.along()?);
    Argsort "argsort" (a, axis = -1) => np::argsort(a.operand()?, axis.along()?);
    Cumsum "cumsum" (a, axis = None) => np::cumsum(a.operand()?, axis.axes()?);
    Cumprod "cumprod" (a, axis = None) => np::cumprod(a.operand()?, axis.axes()?);
    Diff "diff" (a, n = 1, axis = -1) => np::diff(a.operand()?, Differences {
        n: n.int_or(1)?,
        axis: axis.along()?,
    });
    Trapezoid "trapezoid" (y, x = None, dx = 1.0, axis = -1) => np::trapezoid(y.operand()?, Spacing {
        x: x.operand_option()?,
        dx: dx.float_or(1.0)?,
        axis: axis.along()?,
    });
    Cross "cross" (a, b, axis = -1) => np::cross(a.operand()?, b.operand()?, axis.along()?);
    Kron "kron" (a, b) => np::kron(a.operand()?, b.operand()?);
    TakeAlongAxis "take_along_axis" (arr, indices, axis = -1) =>
        np::take_along_axis(arr.operand()?, indices.operand()?, axis.along()?);
    Searchsorted "searchsorted" (a, v, side = "left") =>
        np::searchsorted(a.operand()?, v.operand()?, side.side()?);
    Nonzero "nonzero" (a) => np::nonzero(a.operand()?);
    Unique "unique" (ar) => np::unique(ar.operand()?);
    Bincount "bincount" (x, minlength = 0) => np::bincount(x.operand()?, minlength.int_or(0)?);

    Atleast1d "atleast_1d" (x) => np::atleast_1d(x.operand()?);
    Atleast2d "atleast_2d" (x) => np::atleast_2d(x.operand()?);
    Atleast3d "atleast_3d" (x) => np::atleast_3d(x.operand()?);
    Vstack "vstack" (tup) => np::vstack(tup.operands()?);
    Hstack "hstack" (tup) => np::hstack(tup.operands()?);
    Dstack "dstack" (tup) => np::dstack(tup.operands()?);
    ColumnStack "column_stack" (tup) => np::column_stack(tup.operands()?);
    Split "split" (ary, indices_or_sections, axis = 0) =>
        np::split(ary.operand()?, indices_or_sections.sections()?, axis.split_axis()?);
    ArraySplit "array_split" (ary, indices_or_sections, axis = 0) =>
        np::array_split(ary.operand()?, indices_or_sections.sections()?, axis.split_axis()?);
    Tile "tile" (A, reps) => np::tile(A.operand()?, reps.integers()?);
    Repeat "repeat" (a, repeats, axis = None) =>
        np::repeat(a.operand()?, repeats.integers()?, axis.axes()?);
    Meshgrid "meshgrid" (indexing = "xy"; xi) =>
        np::meshgrid(super::operands(xi)?, indexing.indexing()?);
    Roll "roll" (a, shift, axis = None) => np::roll(a.operand()?, shift.integers()?, axis.axes()?);
    Fliplr "fliplr" (m) => np::fliplr(m.operand()?);
    Flipud "flipud" (m) => np::flipud(m.operand()?);
    Rot90 "rot90" (m, k = 1, axes = (0, 1)) => np::rot90(m.operand()?, Rotation {
        quarters: k.int_or(1)?,
        axes: axes.pair_or((0, 1))?,
    });
    Pad "pad" (array, pad_width, mode = "constant", constant_values = 0) =>
        np::pad(array.operand()?, pad_width.widths()?, mode.padding(constant_values)?);
    Tri "tri" (N, M = None, k = 0, dtype = None) =>
        np::tri(N.int()?, triangle_options(M, k, dtype)?);
    Tril "tril" (m, k = 0) => np::tril(m.operand()?, Offset(k.int_or(0)?));
    Triu "triu" (m, k = 0) => np::triu(m.operand()?, Offset(k.int_or(0)?));
    Logspace "logspace" (start, stop, num = 50, endpoint = True, base = 10.0, dtype = None) => {
        let exponents = linspace_options(num, endpoint, dtype)?;
        let options = LogspaceOptions::from(exponents).base(base.float_or(10.0)?);
        np::logspace(start.scalar()?, stop.scalar()?, options)
    };
    Geomspace "geomspace" (start, stop, num = 50, endpoint = True, dtype = None) =>
        np::geomspace(start.scalar()?, stop.scalar()?, linspace_options(num, endpoint, dtype)?);
    Vander "vander" (x, N = None, increasing = False) => np::vander(x.operand()?, Powers {
        columns: N.int_option()?,
        increasing: increasing.bool_or(false)?,
    });

    Norm "linalg.norm" (x, ord = None, axis = None, keepdims = False) =>
        np::linalg::norm(x.operand()?, ord.norm_options(axis, keepdims)?);
    Qr "linalg.qr" (a, mode = "reduced") => matrices::qr(a.operand()?, mode)?;
    Svd "linalg.svd" (a, full_matrices = False, compute_uv = True) =>
        matrices::svd(a.operand()?, full_matrices, compute_uv)?;
    Svdvals "linalg.svdvals" (x) => np::linalg::svdvals(x.operand()?);
    Eigh "linalg.eigh" (a, UPLO = "L") => np::linalg::eigh(a.operand()?, UPLO.uplo()?);
    Eigvalsh "linalg.eigvalsh" (a, UPLO = "L") => np::linalg::eigvalsh(a.operand()?, UPLO.uplo()?);
    Eig "linalg.eig" (a) => np::linalg::eig(a.operand()?);
    Eigvals "linalg.eigvals" (a) => np::linalg::eigvals(a.operand()?);
    Cholesky "linalg.cholesky" (a, upper = False) =>
        np::linalg::cholesky(a.operand()?, upper.upper()?);
    Lu "linalg.lu" (a) => np::linalg::lu(a.operand()?);
    Inv "linalg.inv" (a) => np::linalg::inv(a.operand()?);
    Det "linalg.det" (a) => np::linalg::det(a.operand()?);
    Slogdet "linalg.slogdet" (a) => np::linalg::slogdet(a.operand()?);
    Expm "linalg.expm" (A) => np::linalg::expm(A.operand()?);
    Solve "linalg.solve" (a, b) => np::linalg::solve(a.operand()?, b.operand()?);
    SolveTriangular "linalg.solve_triangular" (a, b, trans = 0, lower = False, unit_diagonal = False) =>
        np::linalg::solve_triangular(a.operand()?, b.operand()?, trans.triangular(lower, unit_diagonal)?);
    Lstsq "linalg.lstsq" (a, b, rcond = None) =>
        np::linalg::lstsq(a.operand()?, b.operand()?, rcond.float_option()?);
    Pinv "linalg.pinv" (a, rcond = None, hermitian = False, rtol = 1e-15) =>
        np::linalg::pinv(a.operand()?, rcond.pinv(hermitian, rtol)?);
    MatrixRank "linalg.matrix_rank" (A, tol = None, hermitian = False, rtol = None) =>
        np::linalg::matrix_rank(A.operand()?, tol.rank(hermitian, rtol)?);
    MatrixPower "linalg.matrix_power" (a, n) => np::linalg::matrix_power(a.operand()?, n.int()?);
    MultiDot "linalg.multi_dot" (arrays) => np::linalg::multi_dot(arrays.operands()?);
    Cond "linalg.cond" (x, p = None) => np::linalg::cond(x.operand()?, p.order()?);

    Fft "fft.fft" (a, n = None, axis = -1, norm = None) =>
        np::fft::fft(a.operand()?, n.line(axis, norm)?);
    Ifft "fft.ifft" (a, n = None, axis = -1, norm = None) =>
        np::fft::ifft(a.operand()?, n.line(axis, norm)?);
    Rfft "fft.rfft" (a, n = None, axis = -1, norm = None) =>
        np::fft::rfft(a.operand()?, n.line(axis, norm)?);
    Irfft "fft.irfft" (a, n = None, axis = -1, norm = None) =>
        np::fft::irfft(a.operand()?, n.line(axis, norm)?);
    Fft2 "fft.fft2" (a, s = None, axes = (-2, -1), norm = None) =>
        np::fft::fft2(a.operand()?, s.grid(axes, norm)?);
    Ifft2 "fft.ifft2" (a, s = None, axes = (-2, -1), norm = None) =>
        np::fft::ifft2(a.operand()?, s.grid(axes, norm)?);
    Fftn "fft.fftn" (a, s = None, axes = None, norm = None) =>
        np::fft::fftn(a.operand()?, s.grid(axes, norm)?);
    Ifftn "fft.ifftn" (a, s = None, axes = None, norm = None) =>
        np::fft::ifftn(a.operand()?, s.grid(axes, norm)?);
    Fftfreq "fft.fftfreq" (n, d = 1.0) => np::fft::fftfreq(n.int()?, d.float_or(1.0)?);
    Rfftfreq "fft.rfftfreq" (n, d = 1.0) => np::fft::rfftfreq(n.int()?, d.float_or(1.0)?);
    Fftshift "fft.fftshift" (x, axes = None) => np::fft::fftshift(x.operand()?, axes.axes()?);
    Ifftshift "fft.ifftshift" (x, axes = None) => np::fft::ifftshift(x.operand()?, axes.axes()?);
}

/// An argument that a function does not have.
const NOT_GIVEN: Argument<'static> = Argument {
    name: "",
    value: None,
};

fn tolerance(
    rtol: &Argument<'_>,
    atol: &Argument<'_>,
    equal_nan: &Argument<'_>,
) -> Result<Tolerance> {
    Ok(Tolerance {
        rtol: rtol.float_or(1e-5)?,
        atol: atol.float_or(1e-8)?,
        equal_nan: equal_nan.bool_or(false)?,
    })
}

/// The options of `tri`.
fn triangle_options(
    columns: &Argument<'_>,
    k: &Argument<'_>,
    dtype: &Argument<'_>,
) -> Result<EyeOptions> {
    let mut options = EyeOptions::default().k(k.int_or(0)?);
    options.columns = columns.int_option()?;
    Ok(match dtype.dtype_option()? {
        Some(dtype) => options.dtype(dtype),
        None => options,
    })
}

/// The options of sequences between two ends.
fn linspace_options(
    num: &Argument<'_>,
    endpoint: &Argument<'_>,
    dtype: &Argument<'_>,
) -> Result<LinspaceOptions> {
    let options = LinspaceOptions {
        num: num.int_or(50)?,
        endpoint: endpoint.bool_or(true)?,
        ..LinspaceOptions::default()
    };
    Ok(match dtype.dtype_option()? {
        Some(dtype) => options.dtype(dtype),
        None => options,
    })
}

/// The options of `diagonal` and `trace`.
fn diagonal_options(
    offset: &Argument<'_>,
    axis1: &Argument<'_>,
    axis2: &Argument<'_>,
) -> Result<Diagonal> {
    Ok(np::offset(offset.int_or(0)?).axes(axis1.int_or(0)?, axis2.int_or(1)?))
}

/// With one number, that is where it stops.
fn progression(
    start: &Argument<'_>,
    stop: &Argument<'_>,
    step: &Argument<'_>,
) -> Result<Progression> {
    let step = step.scalar_option()?.unwrap_or(Scalar::Int(1));
    Ok(match stop.scalar_option()? {
        None => Progression::new(Scalar::Int(0), start.scalar()?, step),
        Some(stop) => Progression::new(start.scalar()?, stop, step),
    })
}

/// Other names that NumPy has for the same functions.
const ALIASES: &[(&str, &str)] = &[
    ("abs", "absolute"),
    ("acos", "arccos"),
    ("acosh", "arccosh"),
    ("amax", "max"),
    ("amin", "min"),
    ("asin", "arcsin"),
    ("asinh", "arcsinh"),
    ("atan", "arctan"),
    ("atan2", "arctan2"),
    ("atanh", "arctanh"),
    ("bitwise_invert", "invert"),
    ("bitwise_left_shift", "left_shift"),
    ("bitwise_not", "invert"),
    ("bitwise_right_shift", "right_shift"),
    ("around", "round"),
    ("concat", "concatenate"),
    ("degrees", "rad2deg"),
    ("conjugate", "conj"),
    ("linalg.diagonal", "diagonal"),
    ("linalg.matmul", "matmul"),
    ("linalg.outer", "outer"),
    ("linalg.tensordot", "tensordot"),
    ("linalg.trace", "trace"),
    ("mod", "remainder"),
    ("permute_dims", "transpose"),
    ("pow", "power"),
    ("radians", "deg2rad"),
    ("true_divide", "divide"),
];

macro_rules! insert_elementwise {
    (elementwise { $(
        $(#[$doc:meta])*
        $name:ident $shown:literal $Op:ident ($($x:ident),*)
            : $infer:path => $eval:path $(, or $expand:path)?;
    )* } structured { $($structured:tt)* }) => {
        fn insert_elementwise(entries: &mut Entries) {
            $(
                let name = const { python_name(stringify!($name)) };
                entries.insert(name, Entry {
                    name,
                    parameters: const { &[$(Parameter { name: stringify!($x), default: None }),*] },
                    rest: None,
                    implementation: Implementation::Op(Op::$Op),
                });
            )*
        }
    };
}
for_each_op!(insert_elementwise);

/// All functions by name.
pub(super) static ENTRIES: LazyLock<Entries> = LazyLock::new(|| {
    let mut entries = Entries::default();
    insert_elementwise(&mut entries);
    insert_functions(&mut entries);
    for (alias, name) in ALIASES {
        if let Some(entry) = entries.get(name) {
            let entry = entry.alias();
            entries.insert(alias, entry);
        }
    }
    entries
});

impl Entry {
    /// The same function for another name.
    fn alias(&self) -> Self {
        Self {
            name: self.name,
            parameters: self.parameters,
            rest: self.rest,
            implementation: match &self.implementation {
                Implementation::Op(op) => Implementation::Op(op.clone()),
                Implementation::Function(function) => Implementation::Function(*function),
            },
        }
    }
}

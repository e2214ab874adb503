//! The op table: everything that the project knows of an op starts in its row here.
//!
//! A row reads
//!
//! ```text
//! /// documentation
//! name "shown" Op { attribute: Type, .. } (inputs) : inference [=> reference] [, or expansion] [, fails dtypes];
//! ```
//!
//! `name` is NumPy's and is what the text form uses; `"shown"` is the short name that statistics and `show`
//! print (autoray's). Inputs after a semicolon may repeat. From the rows come the [`Op`] enum, the printer and parser,
//! inference, the reference interpreter and expansion (their paths are looked up in `rules.rs`), and, for the
//! `elementwise` rows, the NumPy functions of the crate `autojit`. An op without an expansion is a *core op*: every
//! backend must lower it or report it as unsupported. One with an expansion is a *derived op*: backends expand it unless
//! they have a form of their own, and match all derived ops of a class by [`derived!`](crate::derived). A derived op
//! without a reference means what its expansion means. `fails` names the dtypes of the result for which an elementwise
//! op may fail on some values.
//!
//! Invariants: `Op` is `Eq + Hash` by value (floats by bits), so that equal nodes can be shared; attributes
//! are normalised (axes not negative, in order) before they get here. A program has as many ops as nodes, so an
//! `Op` stays small: what is rare and large is in a box.

mod queries;

use super::attribute::{Attribute, NormOrder};
use super::body::{Bodies, Body};
use super::draw::{Distribution, Draw};
use super::index::{IndexKey, Slicing};
use super::modes::{Cutoff, FourierNorm, IndexedBy, QrMode};
use super::opaque::OpaqueFunction;
use super::scalar::Literal;
use super::scatter::ScatterMode;
use super::types::{ArrayType, Axes, DType, Dims};
use crate::error::{Error, Result};

/// Calls `$with!` with the whole table.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_op { ($with:ident) => { $with! {
elementwise {
    /// `-x`. Integers wrap; booleans are refused.
    negative "neg" Negative (x) : infer::numeric => eval::negative;
    /// `|x|`; real for complex `x`.
    absolute "absolute" Absolute (x) : infer::absolute => eval::absolute;
    /// `x * x`; `int8` for booleans.
    square "square" Square (x) : infer::numeric_or_bytes => eval::square, or expand::square;
    /// -1, 0 or 1; `x / |x|` for complex `x`; NaN stays NaN.
    sign "sign" Sign (x) : infer::numeric => eval::sign;
    /// The square root; NaN for negative real `x`.
    sqrt "sqrt" Sqrt (x) : infer::floating => eval::sqrt;
    /// `1 / x`; integers divide as integers do, and booleans as `int8`. Complex zero gives NaN in both parts.
    reciprocal "reciprocal" Reciprocal (x) : infer::numeric_or_bytes => eval::reciprocal, or expand::reciprocal;
    /// `e` to the power `x`.
    exp "exp" Exp (x) : infer::floating => eval::exp;
    /// `2` to the power `x`.
    exp2 "exp2" Exp2 (x) : infer::floating => eval::exp2;
    /// `e^x - 1`, accurate near zero.
    expm1 "expm1" Expm1 (x) : infer::floating => eval::expm1;
    /// The natural logarithm.
    log "log" Log (x) : infer::floating => eval::log;
    /// The logarithm to base 2.
    log2 "log2" Log2 (x) : infer::floating => eval::log2;
    /// The logarithm to base 10.
    log10 "log10" Log10 (x) : infer::floating => eval::log10;
    /// `log(1 + x)`, accurate near zero.
    log1p "log1p" Log1p (x) : infer::floating => eval::log1p;
    /// The sine; `x` in radians.
    sin "sin" Sin (x) : infer::floating => eval::sin;
    /// The cosine; `x` in radians.
    cos "cos" Cos (x) : infer::floating => eval::cos;
    /// The tangent; `x` in radians.
    tan "tan" Tan (x) : infer::floating => eval::tan;
    /// The inverse sine, in radians.
    arcsin "arcsin" Arcsin (x) : infer::floating => eval::arcsin;
    /// The inverse cosine, in radians.
    arccos "arccos" Arccos (x) : infer::floating => eval::arccos;
    /// The inverse tangent, in radians.
    arctan "arctan" Arctan (x) : infer::floating => eval::arctan;
    /// The hyperbolic sine.
    sinh "sinh" Sinh (x) : infer::floating => eval::sinh;
    /// The hyperbolic cosine.
    cosh "cosh" Cosh (x) : infer::floating => eval::cosh;
    /// The hyperbolic tangent.
    tanh "tanh" Tanh (x) : infer::floating => eval::tanh;
    /// The complex conjugate; `x` itself if it is real, as `int8` if it is boolean.
    conj "conjugate" Conj (x) : infer::numeric_or_bytes => eval::conj;
    /// The real part.
    real "real" Real (x) : infer::real_part => eval::real;
    /// The imaginary part; zeros for real `x`.
    imag "imag" Imag (x) : infer::real_part => eval::imag;
    /// Whether `x` is zero.
    logical_not "logical_not" LogicalNot (x) : infer::logical => eval::logical_not;
    /// Whether `x` is NaN.
    isnan "isnan" IsNan (x) : infer::predicate => eval::isnan, or expand::isnan;

    /// Whether `x` is infinite, in either direction and in either part.
    isinf "isinf" IsInf (x) : infer::predicate => eval::isinf, or expand::isinf;
    /// Whether `x` is neither infinite nor NaN.
    isfinite "isfinite" IsFinite (x) : infer::predicate => eval::isfinite, or expand::isfinite;
    /// The largest integer not above `x`, in the dtype of `x`.
    floor "floor" Floor (x) : infer::rounding => eval::floor;
    /// The smallest integer not below `x`, in the dtype of `x`.
    ceil "ceil" Ceil (x) : infer::rounding => eval::ceil;
    /// `x` without its fraction, in the dtype of `x`.
    trunc "trunc" Trunc (x) : infer::rounding => eval::trunc;
    /// The nearest integer, the even one of two; each part of complex `x`.
    rint "rint" Rint (x) : infer::floating => eval::rint;
    /// The cube root.
    cbrt "cbrt" Cbrt (x) : infer::real_floating => eval::cbrt;
    /// The inverse hyperbolic sine.
    arcsinh "arcsinh" Arcsinh (x) : infer::floating => eval::arcsinh;
    /// The inverse hyperbolic cosine.
    arccosh "arccosh" Arccosh (x) : infer::floating => eval::arccosh;
    /// The inverse hyperbolic tangent.
    arctanh "arctanh" Arctanh (x) : infer::floating => eval::arctanh;
    /// The error function: `2 / sqrt(pi)` times the integral of `exp(-t * t)` from 0 to `x`.
    erf "erf" Erf (x) : infer::real_floating => eval::erf;
    /// The logarithm of the magnitude of the gamma function; infinite at zero and the negative integers.
    lgamma "lgamma" Lgamma (x) : infer::real_floating => eval::lgamma;
    /// Every bit the other way; booleans are not.
    invert "invert" Invert (x) : infer::bitwise => eval::invert;

    /// `x + y`. Integers wrap; booleans are or.
    add "add" Add (x, y) : infer::arithmetic => eval::add;
    /// `x - y`. Integers wrap; booleans are refused.
    subtract "sub" Subtract (x, y) : infer::no_bool => eval::subtract;
    /// `x * y`. Integers wrap; booleans are and.
    multiply "mul" Multiply (x, y) : infer::arithmetic => eval::multiply;
    /// `x / y`, floating for integers too.
    divide "truediv" Divide (x, y) : infer::floating => eval::divide;
    /// The largest integer not above `x / y`; integers divided by zero give zero.
    floor_divide "floordiv" FloorDivide (x, y) : infer::real_numbers => eval::floor_divide;
    /// The remainder of `floor_divide`, with the sign of `y`.
    remainder "mod" Remainder (x, y) : infer::real_numbers => eval::remainder;
    /// `x` to the power `y`; integers to a negative integer power are refused.
    power "pow" Power (x, y) : infer::power => eval::power, fails DType::is_integer;
    /// The angle of the point `(y, x)`, in radians.
    arctan2 "arctan2" Arctan2 (y, x) : infer::real_floating => eval::arctan2;
    /// The larger of the two; NaN if either is.
    maximum "maximum" Maximum (x, y) : infer::arithmetic => eval::maximum;
    /// The smaller of the two; NaN if either is.
    minimum "minimum" Minimum (x, y) : infer::arithmetic => eval::minimum;
    /// Whether `x == y`.
    equal "eq" Equal (x, y) : infer::comparison => eval::equal;
    /// Whether `x != y`.
    not_equal "ne" NotEqual (x, y) : infer::comparison => eval::not_equal;
    /// Whether `x < y`; complex numbers compare by real, then imaginary part.
    less "lt" Less (x, y) : infer::comparison => eval::less;
    /// Whether `x <= y`; complex numbers compare by real, then imaginary part.
    less_equal "le" LessEqual (x, y) : infer::comparison => eval::less_equal;
    /// Whether `x > y`; complex numbers compare by real, then imaginary part.
    greater "gt" Greater (x, y) : infer::comparison => eval::greater, or expand::greater;
    /// Whether `x >= y`; complex numbers compare by real, then imaginary part.
    greater_equal "ge" GreaterEqual (x, y) : infer::comparison => eval::greater_equal, or expand::greater_equal;
    /// Whether both are not zero.
    logical_and "logical_and" LogicalAnd (x, y) : infer::logical => eval::logical_and;
    /// Whether at least one is not zero.
    logical_or "logical_or" LogicalOr (x, y) : infer::logical => eval::logical_or;
    /// Whether exactly one is not zero.
    logical_xor "logical_xor" LogicalXor (x, y) : infer::logical => eval::logical_xor, or expand::logical_xor;
    /// The remainder of division rounded towards zero, with the sign of `x`; integers by zero give zero.
    fmod "fmod" Fmod (x, y) : infer::real_numbers => eval::fmod;
    /// The length of the hypotenuse, without overflow on the way.
    hypot "hypot" Hypot (x, y) : infer::real_floating => eval::hypot;
    /// `x` with the sign of `y`.
    copysign "copysign" Copysign (x, y) : infer::real_floating => eval::copysign;
    /// The bits that are set in both.
    bitwise_and "bitwise_and" BitwiseAnd (x, y) : infer::bitwise => eval::bitwise_and;
    /// The bits that are set in at least one.
    bitwise_or "bitwise_or" BitwiseOr (x, y) : infer::bitwise => eval::bitwise_or;
    /// The bits that are set in exactly one.
    bitwise_xor "bitwise_xor" BitwiseXor (x, y) : infer::bitwise => eval::bitwise_xor;
    /// `x` times two to the power `y`; zero where `y` is negative or as large as the number of bits.
    left_shift "left_shift" LeftShift (x, y) : infer::shift => eval::left_shift;
    /// `x` divided by two to the power `y`, rounded down; a shift by a negative number is one by all bits.
    right_shift "right_shift" RightShift (x, y) : infer::shift => eval::right_shift;
    /// `x` where `condition` is not zero, else `y`.
    where_ "where" Where (condition, x, y) : infer::select => eval::select;
}
conversions {
    /// The same values in another dtype.
    astype "astype" Astype { dtype: DType } (x) : infer::astype => eval::astype;
    /// The index brought into `0..size`: negative counts from the end, out of range is an error at run time.
    wrap_index "wrap_index" WrapIndex { axis: usize, size: usize, of: IndexedBy } (indices) : infer::wrap_index => eval::wrap_index, fails DType::is_integer;
    /// `x` itself, which counts as a constant where derivatives are taken.
    stop_gradient "stop_gradient" StopGradient (x) : infer::same, or expand::same;
}
classes {
/// A node without inputs.
Leaf LeafOp {
    /// Argument number `index` of the traced function.
    input "None" Input { index: usize, ty: ArrayType } () : infer::typed_leaf => eval::no_value;
    /// A 0-d constant.
    literal "None" Literal { value: Literal } () : infer::literal => eval::literal;
    /// Array constant number `index` of the graph.
    constant "None" Constant { index: usize, ty: ArrayType } () : infer::typed_leaf => eval::no_value;
}
/// Reductions over axes.
Reduce ReduceOp {
    /// The sum over `axes`; booleans and integers sum as int64, unsigned ones as uint64.
    sum "sum" Sum { axes: Dims, keepdims: bool } (x) : infer::sum => eval::sum;
    /// The product over `axes`; booleans and integers multiply as int64, unsigned ones as uint64.
    prod "prod" Prod { axes: Dims, keepdims: bool } (x) : infer::sum => eval::prod;
    /// The sum over `axes` of the elements where `mask` is true.
    sum_where "sum" SumWhere { axes: Dims, keepdims: bool } (x, mask) : infer::sum_where => eval::sum_where, or expand::sum_where;
    /// The largest element over `axes`; NaN if any is.
    max "max" Max { axes: Dims, keepdims: bool } (x) : infer::extremum => eval::max;
    /// The smallest element over `axes`; NaN if any is.
    min "min" Min { axes: Dims, keepdims: bool } (x) : infer::extremum => eval::min;
    /// Whether any element over `axes` is not zero.
    any "any" Any { axes: Dims, keepdims: bool } (x) : infer::quantifier => eval::any;
    /// Whether all elements over `axes` are not zero.
    all "all" All { axes: Dims, keepdims: bool } (x) : infer::quantifier => eval::all;
    /// The position of the first largest element along `axis`; a NaN counts as largest.
    argmax "argmax" Argmax { axis: usize, keepdims: bool } (x) : infer::arg_extremum => eval::argmax;
    /// The position of the first smallest element along `axis`; a NaN counts as smallest.
    argmin "argmin" Argmin { axis: usize, keepdims: bool } (x) : infer::arg_extremum => eval::argmin;
}
/// Running sums and products along an axis.
Scan ScanOp {
    /// Sums up to and with each element along `axis`; booleans and integers sum as int64, unsigned ones as uint64.
    cumsum "cumsum" Cumsum { axis: usize } (x) : infer::scan => eval::cumsum;
    /// Products up to and with each element along `axis`; booleans and integers multiply as int64, unsigned ones as uint64.
    cumprod "cumprod" Cumprod { axis: usize } (x) : infer::scan => eval::cumprod;
}
/// Orders along an axis.
Sort SortOp {
    /// The elements in order along `axis`: stable, NaN last, complex numbers by real, then imaginary part.
    sort "sort" Sort { axis: usize } (x) : infer::sort => eval::sort;
    /// The positions that put the elements in order along `axis`, as `sort` does.
    argsort "argsort" Argsort { axis: usize } (x) : infer::argsort => eval::argsort;
}
/// Sums of products.
Contract ContractOp {
    /// The matrix product over the last two axes; leading axes broadcast; vectors are rows or columns.
    matmul "matmul" Matmul (x, y) : infer::matmul => eval::matmul;
    /// The sum of products over pairs of axes.
    tensordot "tensordot" Tensordot { x_axes: Axes, y_axes: Axes } (x, y) : infer::tensordot => eval::tensordot, or expand::tensordot;
    /// Einstein summation by explicit subscripts such as `ij,jk->ik`.
    einsum "einsum" Einsum { subscripts: Box<str> } (; operands) : infer::einsum => eval::einsum, or expand::einsum;
}
/// The same elements in other places.
View ViewOp {
    /// The same elements in C order under another shape.
    reshape "reshape" Reshape { shape: Dims } (x) : infer::reshape => eval::reshape;
    /// Axis `i` of the result is axis `perm[i]` of `x`.
    transpose "transpose" Transpose { perm: Dims } (x) : infer::transpose => eval::transpose;
    /// Axes of length one, or new leading ones, stretched to `shape`.
    broadcast_to "broadcast_to" BroadcastTo { shape: Dims } (x) : infer::broadcast_to => eval::broadcast_to;
    /// Regularly spaced positions along each axis.
    slice "slice" Slice { slicing: Box<Slicing> } (x) : infer::slice => eval::slice;
}
/// Elements at positions that are data.
Index IndexOp {
    /// `x[key]`, the key's arrays being the further inputs.
    getitem "getitem" Getitem { key: IndexKey } (x; arrays) : infer::getitem => eval::getitem, or expand::getitem;
    /// The slices of `x` along `axis` at integer `indices`, which replace that axis.
    take "take" Take { axis: usize } (x, indices) : infer::take => eval::take;
    /// A copy of `x` where `x[key]` is combined with the values, the key's arrays being the further inputs.
    scatter "scatter" Scatter { key: IndexKey, mode: ScatterMode } (x, values; arrays) : infer::scatter => eval::scatter, or expand::scatter;
    /// A copy of `x` whose elements at the given positions in C order are combined with the values, one by one.
    scatter_flat "scatter_flat" ScatterFlat { mode: ScatterMode } (x, values, positions) : infer::scatter_flat => eval::scatter_flat;
}
/// Several arrays as one.
Join JoinOp {
    /// The arrays one after the other along an existing axis.
    concatenate "concatenate" Concatenate { axis: usize } (; arrays) : infer::concatenate => eval::concatenate;
    /// The arrays side by side along a new axis.
    stack "stack" Stack { axis: usize } (; arrays) : infer::stack => eval::stack, or expand::stack;
}
/// Norms, decompositions and systems of equations.
Linalg LinalgOp {
    /// A norm of vectors (one axis) or matrices (two axes).
    norm "norm" Norm { order: NormOrder, axes: Option<Axes>, keepdims: bool } (x) : infer::norm => eval::norm, or expand::norm;
    /// The QR decomposition of matrices: the tuple `(q, r)`.
    qr "qr" Qr { mode: QrMode } (x) : infer::qr => eval::qr;
    /// The singular value decomposition of matrices: the tuple `(u, s, vh)`.
    svd "svd" Svd { full_matrices: bool } (x) : infer::svd => eval::svd;
    /// The singular values of matrices, falling.
    svdvals "svdvals" Svdvals (x) : infer::singular_values => eval::svdvals;
    /// Eigenvalues, rising, and orthonormal eigenvectors of Hermitian matrices, of which the lower triangle is read.
    eigh "eigh" Eigh (x) : infer::eigh => eval::eigh;
    /// The eigenvalues of Hermitian matrices, rising; the lower triangle is read.
    eigvalsh "eigvalsh" Eigvalsh (x) : infer::eigvalsh => eval::eigvalsh;
    /// Eigenvalues, in no particular order, and eigenvectors of length one of square matrices, both complex.
    eig "eig" Eig (x) : infer::eig => eval::eig;
    /// The eigenvalues of square matrices, complex and in no particular order.
    eigvals "eigvals" Eigvals (x) : infer::eigvals => eval::eigvals;
    /// The lower triangular `l` with `x = l l^H`, of which the lower triangle is read.
    cholesky "cholesky" Cholesky (x) : infer::square_matrices => eval::cholesky;
    /// The decomposition `x = p l u` with partial pivoting: the tuple `(p, l, u)`.
    lu "lu" Lu (x) : infer::lu => eval::lu;
    /// The inverses of square matrices.
    inv "inv" Inv (x) : infer::square_matrices => eval::inv;
    /// The determinants of square matrices.
    det "det" Det (x) : infer::det => eval::det;
    /// Sign and logarithm of the modulus of determinants: the tuple `(sign, logabsdet)`.
    slogdet "slogdet" Slogdet (x) : infer::slogdet => eval::slogdet;
    /// The exponentials of square matrices.
    expm "expm" Expm (x) : infer::square_matrices => eval::expm;
    /// The solutions of `a x = b`; a one-dimensional `b` is one vector, else its last two axes are matrices.
    solve "solve" Solve (a, b) : infer::solve => eval::solve;
    /// The same for triangles of `a`, the other triangle is not read.
    solve_triangular "solve_triangular" SolveTriangular { lower: bool, unit_diagonal: bool } (a, b) : infer::solve_triangular => eval::solve_triangular;
    /// The Moore-Penrose pseudoinverses of matrices, of which singular values up to the part `rcond` of the largest one count as zero; of Hermitian ones the lower triangle is read.
    pinv "pinv" Pinv { rcond: Cutoff, hermitian: bool } (x) : infer::pinv => eval::pinv, or expand::pinv;
    /// Least squares for one matrix: the tuple `(x, residuals, rank, s)`.
    lstsq "lstsq" Lstsq { rcond: Cutoff } (a, b) : infer::lstsq => eval::lstsq;
}
/// Loops and branches, whose bodies are graphs.
Control ControlOp {
    /// The body `length` times, a tuple of what is carried and of stacked elements. It takes the carried arrays, an element of each of `xs` (the last ones first if `reverse`) and all other inputs, and gives the carried arrays and elements.
    scan "scan" Scan { body: Body, carry: usize, xs: usize, length: usize, reverse: bool } (; arrays) : infer::scan_loop => eval::scan_loop;
    /// The body as long as the condition holds, a tuple of what is carried; an error after `limit` iterations. Both take the carried arrays and all other inputs.
    while_loop "while_loop" While { condition: Body, body: Body, carry: usize, limit: u64 } (; arrays) : infer::while_loop => eval::while_loop;
    /// The results of one of the branches for the other inputs, as a tuple: of that with the number `index`, or of the nearest one; the second one if a boolean is true.
    switch "switch" Switch { branches: Bodies } (index; arrays) : infer::switch => eval::switch;
}
/// Fourier transforms along an axis.
Fourier FourierOp {
    /// The Fourier transform along `axis`, of which the first `n` elements are taken, or zeros appended.
    fft "fft" Fft { n: usize, axis: usize, norm: FourierNorm } (x) : infer::fft => eval::fft;
    /// The inverse Fourier transform along `axis`.
    ifft "ifft" Ifft { n: usize, axis: usize, norm: FourierNorm } (x) : infer::ifft => eval::ifft;
    /// The Fourier transform of real numbers: the first `n / 2 + 1` elements of it.
    rfft "rfft" Rfft { n: usize, axis: usize, norm: FourierNorm } (x) : infer::rfft => eval::rfft;
    /// The inverse of `rfft`, `n` real numbers.
    irfft "irfft" Irfft { n: usize, axis: usize, norm: FourierNorm } (x) : infer::irfft => eval::irfft;
}
}
alone {
    /// Result number `index` of an op with several results.
    get "getitem" Get { index: usize } (tuple) : infer::get => eval::get;
    /// The numbers of one draw of a generator; each call of a traced function draws anew.
    random "random" Random { draw: Draw, distribution: Distribution, ty: Box<ArrayType> } () : infer::random => eval::random;
    /// A function that a user registered, on arrays of any library: the tuple of its results, or the one.
    opaque "opaque" Opaque { function: OpaqueFunction } (; arrays) : infer::opaque => eval::opaque;
}
} } }

/// How many inputs an op takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arity {
    /// At least this many.
    pub required: usize,
    /// Whether more may follow.
    pub variadic: bool,
}

macro_rules! define_op {
    (elementwise { $($elementwise:tt)* } conversions { $($conversions:tt)* } classes { $($classes:tt)* } alone { $($alone:tt)* }) => {
        define_op! {
            @classes {
                /// Element by element, with broadcasting.
                Map MapOp { $($elementwise)* $($conversions)* }
                $($classes)*
            }
            alone { $($alone)* }
        }
        define_op! { @elementwise $($elementwise)* }
    };

    (@classes { $( $(#[$class_meta:meta])* $Class:ident $ClassOp:ident { $(
        $(#[$doc:meta])*
        $name:ident $shown:literal $Op:ident $({ $($attr:ident : $Attr:ty),* })?
            ($($x:ident),* $(; $rest:ident)?) : $infer:path $(=> $eval:path)? $(, or $expand:path)? $(, fails $fails:path)?;
    )* } )* }
    alone { $(
        $(#[$alone_doc:meta])*
        $alone_name:ident $alone_shown:literal $Alone:ident { $($alone_attr:ident : $AloneAttr:ty),* }
            ($($alone_x:ident),* $(; $alone_rest:ident)?) : $alone_infer:path => $alone_eval:path;
    )* }) => {
        /// An operation: what a node of a graph does to its inputs.
        ///
        /// A class of operations with the operation itself, each a row of the op table; or one that is a class by itself.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "attributes are documented by the sentence of their row")]
        pub enum Op {
            $( $(#[$class_meta])* $Class($ClassOp), )*
            $( $(#[$alone_doc])* $Alone { $($alone_attr: $AloneAttr),* }, )*
        }

        $(
            $(#[$class_meta])*
            #[derive(Clone, Debug, PartialEq, Eq, Hash)]
            #[allow(missing_docs, reason = "attributes are documented by the sentence of their row")]
            pub enum $ClassOp { $( $(#[$doc])* $Op $({ $($attr: $Attr),* })?, )* }

            impl From<$ClassOp> for Op {
                #[inline]
                fn from(op: $ClassOp) -> Self {
                    Self::$Class(op)
                }
            }

            impl $ClassOp {
                /// NumPy's name, as the text form spells it.
                #[must_use]
                pub fn name(&self) -> &'static str {
                    self.row().name
                }

                /// The op's row of the table.
                #[inline]
                fn row(&self) -> &'static Row {
                    match self { $( Self::$Op { .. } => const { &Row {
                        name: table_name(stringify!($name)),
                        shown: $shown,
                        arity: Arity {
                            required: <[&str]>::len(&[$(stringify!($x)),*]),
                            variadic: !<[&str]>::is_empty(&[$(stringify!($rest))?]),
                        },
                        expands: !<[&str]>::is_empty(&[$(stringify!($expand))?]),
                        fails: &[$($fails)?],
                    } }, )* }
                }

                fn attributes(&self) -> Vec<(&'static str, String)> {
                    match self { $(
                        Self::$Op $({ $($attr),* })? => vec![$($((stringify!($attr), Attribute::print($attr)),)*)?],
                    )* }
                }
            }
        )*

        impl Op {
            /// The names of all ops, in the order of the table.
            pub const NAMES: &'static [&'static str] = &[
                $($(table_name(stringify!($name)),)*)*
                $(table_name(stringify!($alone_name)),)*
            ];

            /// The names of the ops that can be written with others.
            #[cfg(test)]
            pub(crate) fn expanding_names() -> impl Iterator<Item = &'static str> {
                let rows = [$($((stringify!($name), !<[&str]>::is_empty(&[$(stringify!($expand))?])),)*)*];
                rows.into_iter().filter(|(_, expands)| *expands).map(|(name, _)| name)
            }

            /// The op's row of the table.
            #[inline]
            fn row(&self) -> &'static Row {
                match self {
                    $( Self::$Class(op) => op.row(), )*
                    $( Self::$Alone { .. } => const { &Row {
                        name: table_name(stringify!($alone_name)),
                        shown: $alone_shown,
                        arity: Arity {
                            required: <[&str]>::len(&[$(stringify!($alone_x)),*]),
                            variadic: !<[&str]>::is_empty(&[$(stringify!($alone_rest))?]),
                        },
                        expands: false,
                        fails: &[],
                    } }, )*
                }
            }

            /// The attributes by name, in their text form.
            #[must_use]
            pub fn attributes(&self) -> Vec<(&'static str, String)> {
                match self {
                    $( Self::$Class(op) => op.attributes(), )*
                    $( Self::$Alone { $($alone_attr),* } => {
                        vec![$((stringify!($alone_attr), Attribute::print($alone_attr)),)*]
                    } )*
                }
            }

            /// Builds an op from its name and the text of its attributes.
            ///
            /// # Errors
            /// No op has this name, or an attribute is missing or malformed.
            pub fn parse(name: &str, attributes: &[(&str, &str)]) -> Result<Self> {
                $($(
                    if name == const { table_name(stringify!($name)) } {
                        return Ok($ClassOp::$Op $({
                            $($attr: parse_attribute(name, stringify!($attr), attributes)?),*
                        })?.into());
                    }
                )*)*
                $(
                    if name == const { table_name(stringify!($alone_name)) } {
                        return Ok(Self::$Alone {
                            $($alone_attr: parse_attribute(name, stringify!($alone_attr), attributes)?),*
                        });
                    }
                )*
                Err(Error::parse(format!("no op is called `{name}`")))
            }
        }
    };

    (@elementwise $(
        $(#[$doc:meta])*
        $name:ident $shown:literal $Op:ident ($($x:ident),*) : $infer:path $(=> $eval:path)? $(, or $expand:path)? $(, fails $fails:path)?;
    )*) => {
        impl MapOp {
            /// The ops that are functions of elements alone, without attributes.
            pub const ELEMENTWISE: &'static [Self] = &[$(Self::$Op),*];
        }
    };

}
for_each_op!(define_op);

macro_rules! define_derived {
    (elementwise { $($elementwise:tt)* } conversions { $($conversions:tt)* } classes { $($classes:tt)* } alone $alone:tt) => {
        define_derived! { @class [] Map MapOp { $($elementwise)* $($conversions)* } $($classes)* }
    };

    (@class [$($done:tt)*] $(#[$meta:meta])* $Class:ident $ClassOp:ident { $($rows:tt)* } $($rest:tt)*) => {
        define_derived! { @row [$($done)*] $ClassOp [] { $($rows)* } $($rest)* }
    };
    (@class [$(($ClassOp:ident $($Op:ident)+))*]) => {
        /// The pattern of all derived ops of a class: those with an expansion. A `match` that ends in it names core ops
        /// alone, so the compiler stops at it when one is added, and not when a derived op is.
        ///
        /// ```
        /// use autojit_ir::{MapOp, derived};
        /// assert!(matches!(MapOp::Square, derived!(MapOp)) && !matches!(MapOp::Sqrt, derived!(MapOp)));
        /// ```
        #[macro_export]
        macro_rules! derived { $( ($ClassOp) => { $($crate::$ClassOp::$Op { .. })|+ }; )* }
    };

    (@row $done:tt $ClassOp:ident [$($found:ident)*] {
        $(#[$doc:meta])*
        $name:ident $shown:literal $Op:ident $({ $($attr:tt)* })? ($($x:tt)*)
            : $infer:path $(=> $eval:path)?, or $expand:path $(, fails $fails:path)?;
        $($rows:tt)*
    } $($rest:tt)*) => {
        define_derived! { @row $done $ClassOp [$($found)* $Op] { $($rows)* } $($rest)* }
    };
    (@row $done:tt $ClassOp:ident $found:tt {
        $(#[$doc:meta])*
        $name:ident $shown:literal $Op:ident $({ $($attr:tt)* })? ($($x:tt)*)
            : $infer:path => $eval:path $(, fails $fails:path)?;
        $($rows:tt)*
    } $($rest:tt)*) => {
        define_derived! { @row $done $ClassOp $found { $($rows)* } $($rest)* }
    };
    (@row [$($done:tt)*] $ClassOp:ident [] {} $($rest:tt)*) => {
        define_derived! { @class [$($done)*] $($rest)* }
    };
    (@row [$($done:tt)*] $ClassOp:ident [$($found:ident)+] {} $($rest:tt)*) => {
        define_derived! { @class [$($done)* ($ClassOp $($found)+)] $($rest)* }
    };
}
for_each_op!(define_derived);

/// A row of the table: the facts about an op, whatever its attributes are.
#[derive(Debug)]
struct Row {
    name: &'static str,
    shown: &'static str,
    arity: Arity,
    expands: bool,
    /// The dtypes of the result for which the op may fail on some values; none, or one test.
    fails: &'static [fn(DType) -> bool],
}

/// `where` is a keyword of Rust, so its row is spelled `where_`; everyone else sees NumPy's name.
const fn table_name(name: &'static str) -> &'static str {
    if let b"where_" = name.as_bytes() {
        "where"
    } else {
        name
    }
}

fn parse_attribute<T: Attribute>(op: &str, name: &str, attributes: &[(&str, &str)]) -> Result<T> {
    match attributes.iter().find(|(n, _)| *n == name) {
        Some((_, text)) => T::parse(text),
        None => {
            T::absent().ok_or_else(|| Error::parse(format!("`{op}` needs the attribute `{name}=`")))
        }
    }
}

impl Copy for MapOp {}

//! The functions of libtorch that ops are lowered to: one table for both ways of calling them.
//!
//! [`Torch`] has a method for each row. [`super::eager`] runs them on tensors through `tch`; the TorchScript
//! backend writes them down as text. So what NumPy means by an op is written once, in [`super::lower`](mod@super::lower), and is
//! the same eagerly and compiled.
//!
//! A row reads `name "torchscript name" (argument: kind, ..) => what tch calls`; the arguments are in the order
//! of the function's schema. Nothing here changes a tensor in place, so sharing memory is never seen.

use autojit_ir::error::{Error, Result};
use autojit_ir::{DType, Literal};

/// Calls `$with!` with the whole table.
macro_rules! torch_functions { ($with:ident) => { $with! {
one {
    neg "neg" (x: tensor) => x.f_neg();
    abs "abs" (x: tensor) => x.f_abs();
    sign "sign" (x: tensor) => x.f_sign();
    sqrt "sqrt" (x: tensor) => x.f_sqrt();
    exp "exp" (x: tensor) => x.f_exp();
    exp2 "exp2" (x: tensor) => x.f_exp2();
    expm1 "expm1" (x: tensor) => x.f_expm1();
    log "log" (x: tensor) => x.f_log();
    log2 "log2" (x: tensor) => x.f_log2();
    log10 "log10" (x: tensor) => x.f_log10();
    log1p "log1p" (x: tensor) => x.f_log1p();
    sin "sin" (x: tensor) => x.f_sin();
    cos "cos" (x: tensor) => x.f_cos();
    tan "tan" (x: tensor) => x.f_tan();
    asin "asin" (x: tensor) => x.f_asin();
    acos "acos" (x: tensor) => x.f_acos();
    atan "atan" (x: tensor) => x.f_atan();
    sinh "sinh" (x: tensor) => x.f_sinh();
    cosh "cosh" (x: tensor) => x.f_cosh();
    tanh "tanh" (x: tensor) => x.f_tanh();
    asinh "asinh" (x: tensor) => x.f_asinh();
    acosh "acosh" (x: tensor) => x.f_acosh();
    atanh "atanh" (x: tensor) => x.f_atanh();
    erf "erf" (x: tensor) => x.f_erf();
    lgamma "lgamma" (x: tensor) => x.f_lgamma();
    floor "floor" (x: tensor) => x.f_floor();
    ceil "ceil" (x: tensor) => x.f_ceil();
    trunc "trunc" (x: tensor) => x.f_trunc();
    round "round" (x: tensor) => x.f_round();
    conj "conj_physical" (x: tensor) => x.f_conj_physical();
    real "real" (x: tensor) => x.f_real();
    imag "imag" (x: tensor) => x.f_imag();
    isnan "isnan" (x: tensor) => x.f_isnan();
    isinf "isinf" (x: tensor) => x.f_isinf();
    isfinite "isfinite" (x: tensor) => x.f_isfinite();
    logical_not "logical_not" (x: tensor) => x.f_logical_not();
    bitwise_not "bitwise_not" (x: tensor) => x.f_bitwise_not();

    add "add" (x: tensor, y: tensor) => x.f_add(y);
    sub "sub" (x: tensor, y: tensor) => x.f_sub(y);
    mul "mul" (x: tensor, y: tensor) => x.f_mul(y);
    div "div" (x: tensor, y: tensor) => x.f_div(y);
    div_mode "div" (x: tensor, y: tensor, rounding_mode: text) => x.f_div_tensor_mode(y, rounding_mode);
    remainder "remainder" (x: tensor, y: tensor) => x.f_remainder_tensor(y);
    fmod "fmod" (x: tensor, y: tensor) => x.f_fmod_tensor(y);
    pow "pow" (x: tensor, y: tensor) => x.f_pow(y);
    atan2 "atan2" (x: tensor, y: tensor) => x.f_atan2(y);
    hypot "hypot" (x: tensor, y: tensor) => x.f_hypot(y);
    copysign "copysign" (x: tensor, y: tensor) => x.f_copysign(y);
    maximum "maximum" (x: tensor, y: tensor) => x.f_maximum(y);
    minimum "minimum" (x: tensor, y: tensor) => x.f_minimum(y);
    eq "eq" (x: tensor, y: tensor) => x.f_eq_tensor(y);
    ne "ne" (x: tensor, y: tensor) => x.f_ne_tensor(y);
    lt "lt" (x: tensor, y: tensor) => x.f_lt_tensor(y);
    le "le" (x: tensor, y: tensor) => x.f_le_tensor(y);
    gt "gt" (x: tensor, y: tensor) => x.f_gt_tensor(y);
    ge "ge" (x: tensor, y: tensor) => x.f_ge_tensor(y);
    bitwise_and "bitwise_and" (x: tensor, y: tensor) => x.f_bitwise_and_tensor(y);
    bitwise_or "bitwise_or" (x: tensor, y: tensor) => x.f_bitwise_or_tensor(y);
    bitwise_xor "bitwise_xor" (x: tensor, y: tensor) => x.f_bitwise_xor_tensor(y);
    shift_left "bitwise_left_shift" (x: tensor, y: tensor) => x.f_bitwise_left_shift(y);
    shift_right "bitwise_right_shift" (x: tensor, y: tensor) => x.f_bitwise_right_shift(y);
    select "where" (condition: tensor, x: tensor, y: tensor) => x.f_where_self(condition, y);
    complex "complex" (x: tensor, y: tensor) => tch::Tensor::f_complex(x, y);
    cast "_cast" (x: tensor, dtype: dtype) => x.f_to_kind(kind(dtype));

    sum "sum" (x: tensor, axes: ints, keepdim: flag) => x.f_sum_dim_intlist(axes, keepdim, None);
    prod "prod" (x: tensor, axis: int, keepdim: flag) => x.f_prod_dim_int(axis, keepdim, None);
    amax "amax" (x: tensor, axes: ints, keepdim: flag) => x.f_amax(axes, keepdim);
    amin "amin" (x: tensor, axes: ints, keepdim: flag) => x.f_amin(axes, keepdim);
    any "any" (x: tensor, axis: int, keepdim: flag) => x.f_any_dim(axis, keepdim);
    all "all" (x: tensor, axis: int, keepdim: flag) => x.f_all_dim(axis, keepdim);
    argmax "argmax" (x: tensor, axis: int, keepdim: flag) => x.f_argmax(axis, keepdim);
    argmin "argmin" (x: tensor, axis: int, keepdim: flag) => x.f_argmin(axis, keepdim);
    norm "norm" (x: tensor, p: int, axes: ints, keepdim: flag) => x.f_norm_scalaropt_dim(p, axes, keepdim);
    cumsum "cumsum" (x: tensor, axis: int) => x.f_cumsum(axis, None);
    cumprod "cumprod" (x: tensor, axis: int) => x.f_cumprod(axis, None);
    scatter_add "scatter_add" (x: tensor, axis: int, positions: tensor, values: tensor) =>
        x.f_scatter_add(axis, positions, values);
    scatter_reduce "scatter_reduce" (x: tensor, axis: int, positions: tensor, values: tensor, reduce: text) =>
        x.f_internal_scatter_reduce(axis, positions, values, reduce, true);

    dot "dot" (x: tensor, y: tensor) => x.f_dot(y);
    matmul "matmul" (x: tensor, y: tensor) => x.f_matmul(y);
    tensordot "tensordot" (x: tensor, y: tensor, x_axes: ints, y_axes: ints) => x.f_tensordot(y, x_axes, y_axes);

    svdvals "linalg_svdvals" (x: tensor) => x.f_svd(true, false).map(|(_, s, _)| s);
    eigvalsh "linalg_eigvalsh" (x: tensor) => x.f_linalg_eigvalsh("L");
    eigvals "linalg_eigvals" (x: tensor) => x.f_linalg_eigvals();
    cholesky "linalg_cholesky" (x: tensor) => x.f_linalg_cholesky(false);
    inv "linalg_inv" (x: tensor) => tch::Tensor::f_linalg_inv(x);
    det "linalg_det" (x: tensor) => tch::Tensor::f_linalg_det(x);
    matrix_exp "linalg_matrix_exp" (x: tensor) => x.f_linalg_matrix_exp();
    solve "linalg_solve" (x: tensor, y: tensor) => tch::Tensor::f_linalg_solve(x, y, true);
    solve_triangular "linalg_solve_triangular" (x: tensor, y: tensor, upper: option, unitriangular: option) =>
        x.f_linalg_solve_triangular(y, upper, true, unitriangular);
    tril "tril" (x: tensor, offset: int) => x.f_tril(offset);
    diagonal "diagonal" (x: tensor, offset: int, first: int, second: int) => x.f_diagonal(offset, first, second);

    fft "fft_fft" (x: tensor, n: int, axis: int, norm: text) => x.f_fft_fft(n, axis, norm);
    ifft "fft_ifft" (x: tensor, n: int, axis: int, norm: text) => x.f_fft_ifft(n, axis, norm);
    rfft "fft_rfft" (x: tensor, n: int, axis: int, norm: text) => x.f_fft_rfft(n, axis, norm);
    irfft "fft_irfft" (x: tensor, n: int, axis: int, norm: text) => x.f_fft_irfft(n, axis, norm);

    reshape "reshape" (x: tensor, shape: ints) => x.f_reshape(shape);
    permute "permute" (x: tensor, perm: ints) => x.f_permute(perm);
    expand "expand" (x: tensor, shape: ints) => x.f_expand(shape, false);
    slice "slice" (x: tensor, axis: int, start: int, end: int, step: int) => x.f_slice(axis, start, end, step);
    flip "flip" (x: tensor, axes: ints) => x.f_flip(axes);
    index_select "index_select" (x: tensor, axis: int, indices: tensor) => x.f_index_select(axis, indices);
    gather "gather" (x: tensor, axis: int, positions: tensor) => x.f_gather(axis, positions, false);
    ones_like "ones_like" (x: tensor) => x.f_ones_like();
    cat "cat" (arrays: tensors, axis: int) => tch::Tensor::f_cat(arrays, axis);
    stack "stack" (arrays: tensors, axis: int) => tch::Tensor::f_stack(arrays, axis);
}
several {
    sort "_sort" (x: tensor, axis: int) -> 2 => x.f_sort_stable(true, axis, false).map(|(x, i)| [x, i]);
    qr "linalg_qr" (x: tensor, mode: text) -> 2 => tch::Tensor::f_linalg_qr(x, mode).map(|(q, r)| [q, r]);
    eigh "linalg_eigh" (x: tensor) -> 2 => x.f_linalg_eigh("L").map(|(w, v)| [w, v]);
    eig "linalg_eig" (x: tensor) -> 2 => x.f_linalg_eig().map(|(w, v)| [w, v]);
    slogdet "linalg_slogdet" (x: tensor) -> 2 => tch::Tensor::f_linalg_slogdet(x).map(|(s, l)| [s, l]);
    lu "linalg_lu" (x: tensor) -> 3 => tch::Tensor::f_linalg_lu(x, true).map(|(p, l, u)| [p, l, u]);
    // On the CPU `linalg_svd` of tch always names a driver, which is for GPUs; `svd` gives V, not its adjoint.
    svd "linalg_svd" (x: tensor, full_matrices: flag) -> 3 =>
        x.f_svd(!full_matrices, true).and_then(|(u, s, v)| Ok([u, s, v.f_mh()?.f_resolve_conj()?]));
}
} } }
pub(crate) use torch_functions;

/// The Rust type of an argument of a kind, seen from an implementation.
macro_rules! torch_argument {
    (tensor) => { &Self::Value };
    (tensors) => { &[&Self::Value] };
    (ints) => { &[i64] };
    (int) => { i64 };
    (flag) => { bool };
    (option) => { bool };
    (text) => { &'static str };
    (dtype) => { autojit_ir::DType };
}
pub(crate) use torch_argument;

macro_rules! declare {
    (one { $($name:ident $text:literal ($($arg:ident : $kind:ident),*) => $run:expr;)* }
     several { $($many:ident $many_text:literal ($($many_arg:ident : $many_kind:ident),*) -> $count:literal => $many_run:expr;)* }) => {
        /// The functions of libtorch, on tensors or on their names.
        #[allow(missing_docs, reason = "functions of libtorch are documented there")]
        pub trait Torch {
            /// A tensor, or the name of one.
            type Value;

            /// The same tensor again.
            fn share(&mut self, x: &Self::Value) -> Self::Value;

            /// A 0-d tensor.
            fn literal(&mut self, literal: Literal) -> Result<Self::Value>;

            /// Fails if any element of a tensor of booleans is true. `numbers`, of the same shape, are what is
            /// refused there.
            fn refuse_where(
                &mut self,
                condition: &Self::Value,
                numbers: &Self::Value,
                why: Refusal,
            ) -> Result<()>;

            /// The number that a 0-d tensor is known to hold.
            fn known(&self, _x: &Self::Value) -> Option<Literal> {
                None
            }

            $(fn $name(&mut self, $($arg: torch_argument!($kind)),*) -> Result<Self::Value>;)*
            $(fn $many(&mut self, $($many_arg: torch_argument!($many_kind)),*) -> Result<[Self::Value; $count]>;)*
        }
    };
}
torch_functions!(declare);

/// The reasons for which values are refused while a graph runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// An integer to a negative power.
    NegativePower,
    /// An index that is not in `-size..size`.
    Index {
        /// The axis that is indexed.
        axis: usize,
        /// Its length.
        size: usize,
    },
    /// A position that is not in `0..size`.
    Position {
        /// The number of elements.
        size: usize,
    },
    /// A loop that goes on beyond its limit.
    Iterations {
        /// The most iterations.
        limit: u64,
    },
    /// A matrix that cannot be solved with.
    Singular,
    /// NaN or infinities, on which an iteration does not end.
    NotFinite,
}

impl Refusal {
    /// The error of it; `number` is the first that was refused.
    pub fn error(self, number: i64) -> Error {
        match self {
            Self::NegativePower => {
                Error::value("integers to negative integer powers are not allowed")
            }
            Self::Index { axis, size } => Error::index(format!(
                "index {number} is out of range for axis {axis} with size {size}"
            )),
            Self::Position { size } => Error::index(format!(
                "position {number} is out of range for {size} elements"
            )),
            Self::Iterations { limit } => Error::iteration_limit(limit),
            Self::Singular => Error::linear_algebra("a matrix is singular"),
            Self::NotFinite => Error::linear_algebra("the iteration did not converge"),
        }
    }

    /// A text by which a refusal is known again in what libtorch says. The number is to follow, those of the iterations around it, and
    /// a semicolon.
    pub fn mark(self) -> String {
        let [kind, axis, size] = match self {
            Self::NegativePower => [0, 0, 0],
            Self::Index { axis, size } => [1, axis, size],
            Self::Singular => [2, 0, 0],
            Self::NotFinite => [3, 0, 0],
            Self::Position { size } => [4, 0, size],
            Self::Iterations { limit } => [5, 0, limit as usize],
        };
        format!("autojit refuses: {kind} {axis} {size} ")
    }

    /// The error of the refusal whose mark is in a text.
    pub fn find(text: &str) -> Option<Error> {
        // The code of the module is in the text too; what it raised stands last.
        let mark = text.rsplit_once("autojit refuses: ")?.1.split_once(';')?.0;
        let words: Vec<i64> = mark
            .split(' ')
            .map_while(|word| word.parse().ok())
            .collect();
        let &[kind, axis, size, number, ref iterations @ ..] = words.as_slice() else {
            return None;
        };
        let why = match kind {
            0 => Self::NegativePower,
            1 => Self::Index {
                axis: axis as usize,
                size: size as usize,
            },
            2 => Self::Singular,
            4 => Self::Position {
                size: size as usize,
            },
            5 => Self::Iterations { limit: size as u64 },
            _ => Self::NotFinite,
        };
        let iterations = iterations.iter();
        Some(iterations.fold(why.error(number), |e, &i| e.in_iteration(i as u64)))
    }
}

/// The dtype of the tensors that hold arrays of a dtype. libtorch has hardly a function of `uint16`, `uint32` and `uint64`: their
/// numbers are in tensors of `int64`, those of `uint64` by their bits.
pub(crate) const fn held(dtype: DType) -> DType {
    match dtype {
        DType::Uint16 | DType::Uint32 | DType::Uint64 => DType::Int64,
        other => other,
    }
}

/// libtorch's name of the dtype of tensors that [hold](held) a dtype.
pub(super) const fn kind(dtype: DType) -> tch::Kind {
    match held(dtype) {
        DType::Bool => tch::Kind::Bool,
        DType::Uint8 => tch::Kind::Uint8,
        DType::Int32 => tch::Kind::Int,
        DType::Int8 => tch::Kind::Int8,
        DType::Int16 => tch::Kind::Int16,
        DType::Int64 | DType::Uint16 | DType::Uint32 | DType::Uint64 => tch::Kind::Int64,
        DType::Float32 => tch::Kind::Float,
        DType::Float64 => tch::Kind::Double,
        DType::Complex64 => tch::Kind::ComplexFloat,
        DType::Complex128 => tch::Kind::ComplexDouble,
    }
}

/// libtorch's number of the dtype of tensors that hold a dtype, as TorchScript writes it.
///
/// Source: `c10/core/ScalarType.h`.
pub const fn kind_number(dtype: DType) -> u8 {
    match held(dtype) {
        DType::Bool => 11,
        DType::Uint8 => 0,
        DType::Int32 => 3,
        DType::Int8 => 1,
        DType::Int16 => 2,
        DType::Int64 | DType::Uint16 | DType::Uint32 | DType::Uint64 => 4,
        DType::Float32 => 6,
        DType::Float64 => 7,
        DType::Complex64 => 9,
        DType::Complex128 => 10,
    }
}

/// The dtype of libtorch's name; it has some that we have not, such as half precision.
pub(super) fn dtype(wanted: tch::Kind) -> Option<DType> {
    let own = DType::ALL.into_iter().filter(|&d| held(d) == d);
    own.into_iter().find(|&d| kind(d) == wanted)
}

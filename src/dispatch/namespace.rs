//! `Namespace`: NumPy's functions as methods, for code that is handed a namespace instead of importing one.

use std::fmt;

use crate::ir::for_each_op;
use crate::library::Like;
use crate::numpy::along::Along;
use crate::numpy::arranging::{Padding, Rotation, Widths};
use crate::numpy::calculus::{Differences, LogspaceOptions, Powers, Spacing};
use crate::numpy::create::Progression;
use crate::numpy::fft::{Grid, Line, Sampling};
use crate::numpy::joining::{Indexing, Sections, SplitAxis};
use crate::numpy::linalg::{Cutoff, Pinv, QrMode, Rank, TriangularOptions, Uplo};
use crate::numpy::logic::Tolerance;
use crate::numpy::options::{
    Axes, Creation, Deviation, Diagonal, EyeOptions, Integers, JoinAxis, LinspaceOptions,
    NormOptions, Offset, Order, Reduction, SumOptions, SvdOptions, TensordotAxes,
};
use crate::numpy::searching::Side;
use crate::numpy::special::{AngleUnit, Decimals, Limit, Replacements};
use crate::{Array, DType, Operand, Scalar, numpy as np};

/// The functions of [`numpy`](crate::numpy) bound to the library, dtype and device of an array.
///
/// Functions that make arrays make them like that array, unless their options say otherwise; all others go where
/// their arguments are, as ever. Made by [`get_namespace`](super::get_namespace).
#[derive(Clone)]
pub struct Namespace {
    like: Like,
}

/// The functions of [`numpy::linalg`](crate::numpy::linalg) in a [`Namespace`].
#[derive(Clone, Copy, Debug)]
pub struct Linalg(());

/// The functions of [`numpy::fft`](crate::numpy::fft) in a [`Namespace`].
#[derive(Clone, Debug)]
pub struct Fourier(Namespace);

impl Namespace {
    pub(super) fn new(like: Like) -> Self {
        Self { like }
    }

    /// The functions of linear algebra.
    #[must_use]
    pub fn linalg(&self) -> Linalg {
        Linalg(())
    }

    /// The Fourier transforms.
    #[must_use]
    pub fn fft(&self) -> Fourier {
        Fourier(self.clone())
    }

    fn creation(&self, creation: Creation) -> Creation {
        match creation.like {
            None => creation.like(&self.like),
            Some(_) => creation,
        }
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "namespace {:?}", self.like)
    }
}

macro_rules! define_functions {
    ($Space:ident { $($function:path as $name:ident ($($x:ident: $X:ty),*) -> $Result:ty;)* }) => {
        impl $Space { $(
            #[doc = concat!("See [`numpy::", stringify!($name), "`](crate::numpy).")]
            #[track_caller]
            pub fn $name(&self, $($x: impl Into<$X>),*) -> $Result {
                $function($($x.into()),*)
            }
        )* }
    };
}

/// Functions of several arrays.
macro_rules! define_joins {
    ($($function:path as $name:ident ($($before:ident: $B:ty,)? [$arrays:ident] $(, $x:ident: $X:ty)?) -> $Result:ty;)*) => {
        impl Namespace { $(
            #[doc = concat!("See [`numpy::", stringify!($name), "`](crate::numpy).")]
            #[track_caller]
            pub fn $name<I>(&self, $($before: $B,)? $arrays: I $(, $x: impl Into<$X>)?) -> $Result
            where
                I: IntoIterator<Item: Into<Operand>>,
            {
                $function($($before,)? $arrays $(, $x.into())?)
            }
        )* }
    };
}

/// Functions that make arrays: like the array of the namespace, unless the options say otherwise.
macro_rules! define_creations {
    ($($function:path as $name:ident ($($x:ident: $X:ty),*; $Options:ty $(, $field:ident)*);)*) => {
        impl Namespace { $(
            #[doc = concat!("See [`numpy::", stringify!($name), "`](crate::numpy).")]
            #[track_caller]
            pub fn $name(&self, $($x: impl Into<$X>,)* options: impl Into<$Options>) -> Array {
                let mut options = options.into();
                let creation: &mut Creation = &mut options $(.$field)*;
                *creation = self.creation(std::mem::take(creation));
                $function($($x.into(),)* options)
            }
        )* }
    };
}

macro_rules! define_elementwise {
    (elementwise { $(
        $(#[$doc:meta])*
        $name:ident $shown:literal $Op:ident ($($x:ident),*)
            : $infer:path => $eval:path $(, or $expand:path)?;
    )* } structured { $($structured:tt)* }) => {
        define_functions! { Namespace { $(np::$name as $name ($($x: Operand),*) -> Array;)* } }
    };
}

for_each_op!(define_elementwise);

define_functions! { Namespace {
    np::abs as abs (x: Operand) -> Array;
    np::acos as acos (x: Operand) -> Array;
    np::acosh as acosh (x: Operand) -> Array;
    np::asin as asin (x: Operand) -> Array;
    np::asinh as asinh (x: Operand) -> Array;
    np::atan as atan (x: Operand) -> Array;
    np::atan2 as atan2 (y: Operand, x: Operand) -> Array;
    np::atanh as atanh (x: Operand) -> Array;
    np::bitwise_invert as bitwise_invert (x: Operand) -> Array;
    np::bitwise_left_shift as bitwise_left_shift (x: Operand, y: Operand) -> Array;
    np::bitwise_not as bitwise_not (x: Operand) -> Array;
    np::bitwise_right_shift as bitwise_right_shift (x: Operand, y: Operand) -> Array;
    np::conjugate as conjugate (x: Operand) -> Array;
    np::true_divide as true_divide (x: Operand, y: Operand) -> Array;
    np::mod_ as mod_ (x: Operand, y: Operand) -> Array;
    np::pow as pow (x: Operand, y: Operand) -> Array;
    np::degrees as degrees (x: Operand) -> Array;
    np::radians as radians (x: Operand) -> Array;
    np::around as around (x: Operand, decimals: Decimals) -> Array;
    np::sum as sum (x: Operand, options: SumOptions) -> Array;
    np::prod as prod (x: Operand, options: Reduction) -> Array;
    np::mean as mean (x: Operand, options: Reduction) -> Array;
    np::amax as amax (x: Operand, options: Reduction) -> Array;
    np::amin as amin (x: Operand, options: Reduction) -> Array;
    np::max as max (x: Operand, options: Reduction) -> Array;
    np::min as min (x: Operand, options: Reduction) -> Array;
    np::any as any (x: Operand, options: Reduction) -> Array;
    np::all as all (x: Operand, options: Reduction) -> Array;
    np::argmax as argmax (x: Operand, options: Reduction) -> Array;
    np::argmin as argmin (x: Operand, options: Reduction) -> Array;
    np::std as std (x: Operand, options: Deviation) -> Array;
    np::var as var (x: Operand, options: Deviation) -> Array;

    np::matmul as matmul (x: Operand, y: Operand) -> Array;
    np::dot as dot (x: Operand, y: Operand) -> Array;
    np::inner as inner (x: Operand, y: Operand) -> Array;
    np::outer as outer (x: Operand, y: Operand) -> Array;
    np::vdot as vdot (x: Operand, y: Operand) -> Array;
    np::tensordot as tensordot (x: Operand, y: Operand, axes: TensordotAxes) -> Array;
    np::trace as trace (x: Operand, options: Diagonal) -> Array;

    np::reshape as reshape (x: Operand, shape: Integers) -> Array;
    np::ravel as ravel (x: Operand) -> Array;
    np::transpose as transpose (x: Operand, axes: Axes) -> Array;
    np::permute_dims as permute_dims (x: Operand, axes: Axes) -> Array;
    np::moveaxis as moveaxis (x: Operand, source: Integers, destination: Integers) -> Array;
    np::swapaxes as swapaxes (x: Operand, axis1: i64, axis2: i64) -> Array;
    np::expand_dims as expand_dims (x: Operand, axis: Integers) -> Array;
    np::squeeze as squeeze (x: Operand, axis: Axes) -> Array;
    np::broadcast_to as broadcast_to (x: Operand, shape: Integers) -> Array;
    np::flip as flip (x: Operand, axis: Axes) -> Array;
    np::take as take (x: Operand, indices: Operand, axis: Axes) -> Array;
    np::diagonal as diagonal (x: Operand, options: Diagonal) -> Array;
    np::diag as diag (x: Operand, k: Offset) -> Array;
    np::astype as astype (x: Operand, dtype: DType) -> Array;

    np::positive as positive (x: Operand) -> Array;
    np::fabs as fabs (x: Operand) -> Array;
    np::deg2rad as deg2rad (x: Operand) -> Array;
    np::rad2deg as rad2deg (x: Operand) -> Array;
    np::sinc as sinc (x: Operand) -> Array;
    np::angle as angle (z: Operand, unit: AngleUnit) -> Array;
    np::round as round (x: Operand, decimals: Decimals) -> Array;
    np::nan_to_num as nan_to_num (x: Operand, replacements: Replacements) -> Array;
    np::logaddexp as logaddexp (x: Operand, y: Operand) -> Array;
    np::logaddexp2 as logaddexp2 (x: Operand, y: Operand) -> Array;
    np::fmax as fmax (x: Operand, y: Operand) -> Array;
    np::fmin as fmin (x: Operand, y: Operand) -> Array;
    np::heaviside as heaviside (x: Operand, h: Operand) -> Array;
    np::float_power as float_power (x: Operand, y: Operand) -> Array;
    np::clip as clip (x: Operand, low: Limit, high: Limit) -> Array;
    np::isclose as isclose (x: Operand, y: Operand, tolerance: Tolerance) -> Array;
    np::allclose as allclose (x: Operand, y: Operand, tolerance: Tolerance) -> Array;

    np::count_nonzero as count_nonzero (x: Operand, options: Reduction) -> Array;
    np::ptp as ptp (x: Operand, options: Reduction) -> Array;
    np::median as median (x: Operand, options: Reduction) -> Array;
    np::nansum as nansum (x: Operand, options: Reduction) -> Array;
    np::nanprod as nanprod (x: Operand, options: Reduction) -> Array;
    np::nanmean as nanmean (x: Operand, options: Reduction) -> Array;
    np::nanmax as nanmax (x: Operand, options: Reduction) -> Array;
    np::nanmin as nanmin (x: Operand, options: Reduction) -> Array;
    np::logsumexp as logsumexp (x: Operand, options: Reduction) -> Array;
    np::softmax as softmax (x: Operand, options: Reduction) -> Array;
    np::log_softmax as log_softmax (x: Operand, options: Reduction) -> Array;

    np::sort as sort (x: Operand, axis: Along) -> Array;
    np::argsort as argsort (x: Operand, axis: Along) -> Array;
    np::cumsum as cumsum (x: Operand, axis: Axes) -> Array;
    np::cumprod as cumprod (x: Operand, axis: Axes) -> Array;
    np::diff as diff (x: Operand, options: Differences) -> Array;
    np::trapezoid as trapezoid (y: Operand, spacing: Spacing) -> Array;
    np::cross as cross (x: Operand, y: Operand, axis: Along) -> Array;
    np::kron as kron (x: Operand, y: Operand) -> Array;
    np::take_along_axis as take_along_axis (x: Operand, indices: Operand, axis: Along) -> Array;
    np::searchsorted as searchsorted (sorted: Operand, numbers: Operand, side: Side) -> Array;
    np::nonzero as nonzero (x: Operand) -> Vec<Array>;
    np::unique as unique (x: Operand) -> Array;
    np::bincount as bincount (x: Operand, minlength: i64) -> Array;

    np::atleast_1d as atleast_1d (x: Operand) -> Array;
    np::atleast_2d as atleast_2d (x: Operand) -> Array;
    np::atleast_3d as atleast_3d (x: Operand) -> Array;
    np::split as split (x: Operand, sections: Sections, axis: SplitAxis) -> Vec<Array>;
    np::array_split as array_split (x: Operand, sections: Sections, axis: SplitAxis) -> Vec<Array>;
    np::tile as tile (x: Operand, repetitions: Integers) -> Array;
    np::repeat as repeat (x: Operand, repetitions: Integers, axis: Axes) -> Array;
    np::roll as roll (x: Operand, shifts: Integers, axes: Axes) -> Array;
    np::fliplr as fliplr (x: Operand) -> Array;
    np::flipud as flipud (x: Operand) -> Array;
    np::rot90 as rot90 (x: Operand, rotation: Rotation) -> Array;
    np::pad as pad (x: Operand, widths: Widths, padding: Padding) -> Array;
    np::tril as tril (x: Operand, k: Offset) -> Array;
    np::triu as triu (x: Operand, k: Offset) -> Array;
    np::vander as vander (x: Operand, powers: Powers) -> Array;

    np::zeros_like as zeros_like (x: Operand, options: Creation) -> Array;
    np::ones_like as ones_like (x: Operand, options: Creation) -> Array;
    np::full_like as full_like (x: Operand, value: Scalar, options: Creation) -> Array;
} }

define_functions! { Linalg {
    np::linalg::norm as norm (x: Operand, options: NormOptions) -> Array;
    np::linalg::qr as qr (x: Operand, mode: QrMode) -> (Array, Array);
    np::linalg::svd as svd (x: Operand, options: SvdOptions) -> (Array, Array, Array);
    np::linalg::svdvals as svdvals (x: Operand) -> Array;
    np::linalg::eigh as eigh (x: Operand, options: Uplo) -> (Array, Array);
    np::linalg::eigvalsh as eigvalsh (x: Operand, options: Uplo) -> Array;
    np::linalg::eig as eig (x: Operand) -> (Array, Array);
    np::linalg::eigvals as eigvals (x: Operand) -> Array;
    np::linalg::cholesky as cholesky (x: Operand, options: Uplo) -> Array;
    np::linalg::lu as lu (x: Operand) -> (Array, Array, Array);
    np::linalg::inv as inv (x: Operand) -> Array;
    np::linalg::det as det (x: Operand) -> Array;
    np::linalg::slogdet as slogdet (x: Operand) -> (Array, Array);
    np::linalg::expm as expm (x: Operand) -> Array;
    np::linalg::solve as solve (a: Operand, b: Operand) -> Array;
    np::linalg::solve_triangular as solve_triangular (a: Operand, b: Operand, options: TriangularOptions) -> Array;
    np::linalg::lstsq as lstsq (a: Operand, b: Operand, rcond: Cutoff) -> (Array, Array, Array, Array);
    np::linalg::pinv as pinv (x: Operand, options: Pinv) -> Array;
    np::linalg::matrix_rank as matrix_rank (x: Operand, options: Rank) -> Array;
    np::linalg::matrix_power as matrix_power (x: Operand, n: i64) -> Array;
    np::linalg::cond as cond (x: Operand, order: Order) -> Array;
} }

define_creations! {
    np::zeros as zeros (shape: Integers; Creation);
    np::ones as ones (shape: Integers; Creation);
    np::full as full (shape: Integers, value: Scalar; Creation);
    np::eye as eye (rows: i64; EyeOptions, creation);
    np::tri as tri (rows: i64; EyeOptions, creation);
    np::identity as identity (n: i64; Creation);
    np::arange as arange (interval: Progression; Creation);
    np::linspace as linspace (start: Scalar, stop: Scalar; LinspaceOptions, creation);
    np::logspace as logspace (start: Scalar, stop: Scalar; LogspaceOptions, exponents, creation);
    np::geomspace as geomspace (start: Scalar, stop: Scalar; LinspaceOptions, creation);
}

define_joins! {
    np::einsum as einsum (subscripts: &str, [operands]) -> Array;
    np::stack as stack ([arrays], axis: JoinAxis) -> Array;
    np::concatenate as concatenate ([arrays], axis: JoinAxis) -> Array;
    np::concat as concat ([arrays], axis: JoinAxis) -> Array;
    np::vstack as vstack ([arrays]) -> Array;
    np::hstack as hstack ([arrays]) -> Array;
    np::dstack as dstack ([arrays]) -> Array;
    np::column_stack as column_stack ([arrays]) -> Array;
    np::meshgrid as meshgrid ([vectors], indexing: Indexing) -> Vec<Array>;
}

impl Linalg {
    /// See [`numpy::linalg::multi_dot`](crate::numpy::linalg::multi_dot).
    #[track_caller]
    pub fn multi_dot<I>(&self, arrays: I) -> Array
    where
        I: IntoIterator<Item: Into<Operand>>,
    {
        np::linalg::multi_dot(arrays)
    }
}

define_functions! { Fourier {
    np::fft::fft as fft (x: Operand, options: Line) -> Array;
    np::fft::ifft as ifft (x: Operand, options: Line) -> Array;
    np::fft::rfft as rfft (x: Operand, options: Line) -> Array;
    np::fft::irfft as irfft (x: Operand, options: Line) -> Array;
    np::fft::fft2 as fft2 (x: Operand, options: Grid) -> Array;
    np::fft::ifft2 as ifft2 (x: Operand, options: Grid) -> Array;
    np::fft::fftn as fftn (x: Operand, options: Grid) -> Array;
    np::fft::ifftn as ifftn (x: Operand, options: Grid) -> Array;
    np::fft::fftshift as fftshift (x: Operand, axes: Axes) -> Array;
    np::fft::ifftshift as ifftshift (x: Operand, axes: Axes) -> Array;
} }

/// Functions that make arrays: like the array of the namespace, unless the options say otherwise.
impl Fourier {
    /// See [`numpy::fft::fftfreq`](crate::numpy::fft::fftfreq).
    #[track_caller]
    pub fn fftfreq(&self, length: i64, options: impl Into<Sampling>) -> Array {
        np::fft::fftfreq(length, self.sampling(options.into()))
    }

    /// See [`numpy::fft::rfftfreq`](crate::numpy::fft::rfftfreq).
    #[track_caller]
    pub fn rfftfreq(&self, length: i64, options: impl Into<Sampling>) -> Array {
        np::fft::rfftfreq(length, self.sampling(options.into()))
    }

    fn sampling(&self, options: Sampling) -> Sampling {
        let creation = self.0.creation(options.creation.clone());
        Sampling {
            creation,
            ..options
        }
    }
}

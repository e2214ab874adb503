//! `Namespace`: NumPy's functions as methods, for code that is handed a namespace instead of importing one.

use std::fmt;

use crate::ir::for_each_op;
use crate::library::Like;
use crate::numpy::along::Along;
use crate::numpy::arranging::{Padding, Rotation, Widths};
use crate::numpy::calculus::{Differences, LogspaceOptions, Powers, Spacing};
use crate::numpy::create::Progression;
use crate::numpy::fft::{Grid, Line, Sampling};
use crate::numpy::interpolation::Outside;
use crate::numpy::joining::{Indexing, Sections, SplitAxis};
use crate::numpy::linalg::{Cutoff, Pinv, QrMode, Rank, TriangularOptions, Uplo};
use crate::numpy::logic::Tolerance;
use crate::numpy::options::{
    Axes, Creation, Deviation, Diagonal, EyeOptions, Integers, JoinAxis, LinspaceOptions,
    NormOptions, Offset, Order, Reduction, SumOptions, SvdOptions, TensordotAxes,
};
use crate::numpy::searching::{Counting, Side};
use crate::numpy::special::{AngleUnit, Decimals, Limit, Replacements};
use crate::{Array, DType, Operand, Scalar, numpy as np};

/// The functions of [`numpy`](crate::numpy) bound to the library, dtype and device of an array.
///
/// Functions that make arrays make them like that array, unless their options say otherwise; all others go where
/// their arguments are, as ever. Made by [`get_namespace`](super::get_namespace).
#[derive(Clone)]
pub struct Namespace {
    pub(super) like: Like,
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
    ($a:lifetime, $Space:ident { $($function:path as $name:ident ($($x:ident: $X:ty),*) -> $Result:ty;)* }) => {
        impl $Space { $(
            #[doc = concat!("See [`numpy::", stringify!($name), "`](crate::numpy).")]
            #[track_caller]
            pub fn $name<$a>(&self, $($x: impl Into<$X>),*) -> $Result {
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
            pub fn $name<'a, I>(&self, $($before: $B,)? $arrays: I $(, $x: impl Into<$X>)?) -> $Result
            where
                I: IntoIterator<Item: Into<Operand<'a>>>,
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
        define_functions! { 'a, Namespace { $(np::$name as $name ($($x: Operand<'a>),*) -> Array;)* } }
    };
}

for_each_op!(define_elementwise);

define_functions! { 'a, Namespace {
    np::abs as abs (x: Operand<'a>) -> Array;
    np::gammaln as gammaln (x: Operand<'a>) -> Array;
    np::acos as acos (x: Operand<'a>) -> Array;
    np::acosh as acosh (x: Operand<'a>) -> Array;
    np::asin as asin (x: Operand<'a>) -> Array;
    np::asinh as asinh (x: Operand<'a>) -> Array;
    np::atan as atan (x: Operand<'a>) -> Array;
    np::atan2 as atan2 (y: Operand<'a>, x: Operand<'a>) -> Array;
    np::atanh as atanh (x: Operand<'a>) -> Array;
    np::bitwise_invert as bitwise_invert (x: Operand<'a>) -> Array;
    np::bitwise_left_shift as bitwise_left_shift (x: Operand<'a>, y: Operand<'a>) -> Array;
    np::bitwise_not as bitwise_not (x: Operand<'a>) -> Array;
    np::bitwise_right_shift as bitwise_right_shift (x: Operand<'a>, y: Operand<'a>) -> Array;
    np::conjugate as conjugate (x: Operand<'a>) -> Array;
    np::true_divide as true_divide (x: Operand<'a>, y: Operand<'a>) -> Array;
    np::mod_ as mod_ (x: Operand<'a>, y: Operand<'a>) -> Array;
    np::pow as pow (x: Operand<'a>, y: Operand<'a>) -> Array;
    np::degrees as degrees (x: Operand<'a>) -> Array;
    np::radians as radians (x: Operand<'a>) -> Array;
    np::around as around (x: Operand<'a>, decimals: Decimals) -> Array;
    np::sum as sum (x: Operand<'a>, options: SumOptions) -> Array;
    np::prod as prod (x: Operand<'a>, options: Reduction) -> Array;
    np::mean as mean (x: Operand<'a>, options: Reduction) -> Array;
    np::amax as amax (x: Operand<'a>, options: Reduction) -> Array;
    np::amin as amin (x: Operand<'a>, options: Reduction) -> Array;
    np::max as max (x: Operand<'a>, options: Reduction) -> Array;
    np::min as min (x: Operand<'a>, options: Reduction) -> Array;
    np::any as any (x: Operand<'a>, options: Reduction) -> Array;
    np::all as all (x: Operand<'a>, options: Reduction) -> Array;
    np::argmax as argmax (x: Operand<'a>, options: Reduction) -> Array;
    np::argmin as argmin (x: Operand<'a>, options: Reduction) -> Array;
    np::std as std (x: Operand<'a>, options: Deviation) -> Array;
    np::var as var (x: Operand<'a>, options: Deviation) -> Array;

    np::matmul as matmul (x: Operand<'a>, y: Operand<'a>) -> Array;
    np::dot as dot (x: Operand<'a>, y: Operand<'a>) -> Array;
    np::inner as inner (x: Operand<'a>, y: Operand<'a>) -> Array;
    np::outer as outer (x: Operand<'a>, y: Operand<'a>) -> Array;
    np::vdot as vdot (x: Operand<'a>, y: Operand<'a>) -> Array;
    np::tensordot as tensordot (x: Operand<'a>, y: Operand<'a>, axes: TensordotAxes) -> Array;
    np::trace as trace (x: Operand<'a>, options: Diagonal) -> Array;

    np::reshape as reshape (x: Operand<'a>, shape: Integers) -> Array;
    np::ravel as ravel (x: Operand<'a>) -> Array;
    np::transpose as transpose (x: Operand<'a>, axes: Axes) -> Array;
    np::permute_dims as permute_dims (x: Operand<'a>, axes: Axes) -> Array;
    np::moveaxis as moveaxis (x: Operand<'a>, source: Integers, destination: Integers) -> Array;
    np::swapaxes as swapaxes (x: Operand<'a>, axis1: i64, axis2: i64) -> Array;
    np::expand_dims as expand_dims (x: Operand<'a>, axis: Integers) -> Array;
    np::squeeze as squeeze (x: Operand<'a>, axis: Axes) -> Array;
    np::broadcast_to as broadcast_to (x: Operand<'a>, shape: Integers) -> Array;
    np::flip as flip (x: Operand<'a>, axis: Axes) -> Array;
    np::take as take (x: Operand<'a>, indices: Operand<'a>, axis: Axes) -> Array;
    np::diagonal as diagonal (x: Operand<'a>, options: Diagonal) -> Array;
    np::diag as diag (x: Operand<'a>, k: Offset) -> Array;
    np::astype as astype (x: Operand<'a>, dtype: DType) -> Array;

    np::positive as positive (x: Operand<'a>) -> Array;
    np::fabs as fabs (x: Operand<'a>) -> Array;
    np::deg2rad as deg2rad (x: Operand<'a>) -> Array;
    np::rad2deg as rad2deg (x: Operand<'a>) -> Array;
    np::sinc as sinc (x: Operand<'a>) -> Array;
    np::angle as angle (z: Operand<'a>, unit: AngleUnit) -> Array;
    np::round as round (x: Operand<'a>, decimals: Decimals) -> Array;
    np::nan_to_num as nan_to_num (x: Operand<'a>, replacements: Replacements) -> Array;
    np::logaddexp as logaddexp (x: Operand<'a>, y: Operand<'a>) -> Array;
    np::logaddexp2 as logaddexp2 (x: Operand<'a>, y: Operand<'a>) -> Array;
    np::fmax as fmax (x: Operand<'a>, y: Operand<'a>) -> Array;
    np::fmin as fmin (x: Operand<'a>, y: Operand<'a>) -> Array;
    np::heaviside as heaviside (x: Operand<'a>, h: Operand<'a>) -> Array;
    np::float_power as float_power (x: Operand<'a>, y: Operand<'a>) -> Array;
    np::clip as clip (x: Operand<'a>, low: Limit, high: Limit) -> Array;
    np::isclose as isclose (x: Operand<'a>, y: Operand<'a>, tolerance: Tolerance) -> Array;
    np::allclose as allclose (x: Operand<'a>, y: Operand<'a>, tolerance: Tolerance) -> Array;

    np::count_nonzero as count_nonzero (x: Operand<'a>, options: Reduction) -> Array;
    np::ptp as ptp (x: Operand<'a>, options: Reduction) -> Array;
    np::median as median (x: Operand<'a>, options: Reduction) -> Array;
    np::nansum as nansum (x: Operand<'a>, options: Reduction) -> Array;
    np::nanprod as nanprod (x: Operand<'a>, options: Reduction) -> Array;
    np::nanmean as nanmean (x: Operand<'a>, options: Reduction) -> Array;
    np::nanmax as nanmax (x: Operand<'a>, options: Reduction) -> Array;
    np::nanmin as nanmin (x: Operand<'a>, options: Reduction) -> Array;
    np::logsumexp as logsumexp (x: Operand<'a>, options: Reduction) -> Array;
    np::softmax as softmax (x: Operand<'a>, options: Reduction) -> Array;
    np::log_softmax as log_softmax (x: Operand<'a>, options: Reduction) -> Array;

    np::sort as sort (x: Operand<'a>, axis: Along) -> Array;
    np::argsort as argsort (x: Operand<'a>, axis: Along) -> Array;
    np::cumsum as cumsum (x: Operand<'a>, axis: Axes) -> Array;
    np::cumprod as cumprod (x: Operand<'a>, axis: Axes) -> Array;
    np::interp as interp (x: Operand<'a>, xp: Operand<'a>, fp: Operand<'a>, outside: Outside) -> Array;
    np::diff as diff (x: Operand<'a>, options: Differences) -> Array;
    np::trapezoid as trapezoid (y: Operand<'a>, spacing: Spacing) -> Array;
    np::cross as cross (x: Operand<'a>, y: Operand<'a>, axis: Along) -> Array;
    np::kron as kron (x: Operand<'a>, y: Operand<'a>) -> Array;
    np::take_along_axis as take_along_axis (x: Operand<'a>, indices: Operand<'a>, axis: Along) -> Array;
    np::searchsorted as searchsorted (sorted: Operand<'a>, numbers: Operand<'a>, side: Side) -> Array;
    np::nonzero as nonzero (x: Operand<'a>) -> Vec<Array>;
    np::unique as unique (x: Operand<'a>) -> Array;
    np::bincount as bincount (x: Operand<'a>, options: Counting) -> Array;

    np::atleast_1d as atleast_1d (x: Operand<'a>) -> Array;
    np::atleast_2d as atleast_2d (x: Operand<'a>) -> Array;
    np::atleast_3d as atleast_3d (x: Operand<'a>) -> Array;
    np::split as split (x: Operand<'a>, sections: Sections, axis: SplitAxis) -> Vec<Array>;
    np::array_split as array_split (x: Operand<'a>, sections: Sections, axis: SplitAxis) -> Vec<Array>;
    np::tile as tile (x: Operand<'a>, repetitions: Integers) -> Array;
    np::repeat as repeat (x: Operand<'a>, repetitions: Integers, axis: Axes) -> Array;
    np::roll as roll (x: Operand<'a>, shifts: Integers, axes: Axes) -> Array;
    np::fliplr as fliplr (x: Operand<'a>) -> Array;
    np::flipud as flipud (x: Operand<'a>) -> Array;
    np::rot90 as rot90 (x: Operand<'a>, rotation: Rotation) -> Array;
    np::pad as pad (x: Operand<'a>, widths: Widths, padding: Padding) -> Array;
    np::tril as tril (x: Operand<'a>, k: Offset) -> Array;
    np::triu as triu (x: Operand<'a>, k: Offset) -> Array;
    np::vander as vander (x: Operand<'a>, powers: Powers) -> Array;

    np::zeros_like as zeros_like (x: Operand<'a>, options: Creation) -> Array;
    np::ones_like as ones_like (x: Operand<'a>, options: Creation) -> Array;
    np::full_like as full_like (x: Operand<'a>, value: Scalar, options: Creation) -> Array;
} }

define_functions! { 'a, Linalg {
    np::linalg::norm as norm (x: Operand<'a>, options: NormOptions) -> Array;
    np::linalg::qr as qr (x: Operand<'a>, mode: QrMode) -> (Array, Array);
    np::linalg::svd as svd (x: Operand<'a>, options: SvdOptions) -> (Array, Array, Array);
    np::linalg::svdvals as svdvals (x: Operand<'a>) -> Array;
    np::linalg::eigh as eigh (x: Operand<'a>, options: Uplo) -> (Array, Array);
    np::linalg::eigvalsh as eigvalsh (x: Operand<'a>, options: Uplo) -> Array;
    np::linalg::eig as eig (x: Operand<'a>) -> (Array, Array);
    np::linalg::eigvals as eigvals (x: Operand<'a>) -> Array;
    np::linalg::cholesky as cholesky (x: Operand<'a>, options: Uplo) -> Array;
    np::linalg::lu as lu (x: Operand<'a>) -> (Array, Array, Array);
    np::linalg::inv as inv (x: Operand<'a>) -> Array;
    np::linalg::det as det (x: Operand<'a>) -> Array;
    np::linalg::slogdet as slogdet (x: Operand<'a>) -> (Array, Array);
    np::linalg::expm as expm (x: Operand<'a>) -> Array;
    np::linalg::solve as solve (a: Operand<'a>, b: Operand<'a>) -> Array;
    np::linalg::solve_triangular as solve_triangular (a: Operand<'a>, b: Operand<'a>, options: TriangularOptions) -> Array;
    np::linalg::lstsq as lstsq (a: Operand<'a>, b: Operand<'a>, rcond: Cutoff) -> (Array, Array, Array, Array);
    np::linalg::pinv as pinv (x: Operand<'a>, options: Pinv) -> Array;
    np::linalg::matrix_rank as matrix_rank (x: Operand<'a>, options: Rank) -> Array;
    np::linalg::matrix_power as matrix_power (x: Operand<'a>, n: i64) -> Array;
    np::linalg::cond as cond (x: Operand<'a>, order: Order) -> Array;
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
    pub fn multi_dot<'a, I>(&self, arrays: I) -> Array
    where
        I: IntoIterator<Item: Into<Operand<'a>>>,
    {
        np::linalg::multi_dot(arrays)
    }
}

define_functions! { 'a, Fourier {
    np::fft::fft as fft (x: Operand<'a>, options: Line) -> Array;
    np::fft::ifft as ifft (x: Operand<'a>, options: Line) -> Array;
    np::fft::rfft as rfft (x: Operand<'a>, options: Line) -> Array;
    np::fft::irfft as irfft (x: Operand<'a>, options: Line) -> Array;
    np::fft::fft2 as fft2 (x: Operand<'a>, options: Grid) -> Array;
    np::fft::ifft2 as ifft2 (x: Operand<'a>, options: Grid) -> Array;
    np::fft::fftn as fftn (x: Operand<'a>, options: Grid) -> Array;
    np::fft::ifftn as ifftn (x: Operand<'a>, options: Grid) -> Array;
    np::fft::fftshift as fftshift (x: Operand<'a>, axes: Axes) -> Array;
    np::fft::ifftshift as ifftshift (x: Operand<'a>, axes: Axes) -> Array;
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

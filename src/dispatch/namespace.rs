//! `Namespace`: NumPy's functions as methods, for code that is handed a namespace instead of importing one.

use std::fmt;

use crate::ir::for_each_op;
use crate::library::Like;
use crate::numpy::create::Progression;
use crate::numpy::fft::{Grid, Line, Sampling};
use crate::numpy::linalg::{Cutoff, Pinv, QrMode, Rank, TriangularOptions, Uplo};
use crate::numpy::options::{
    Axes, Creation, Deviation, Diagonal, EyeOptions, Integers, JoinAxis, LinspaceOptions,
    NormOptions, Offset, Order, Reduction, SumOptions, SvdOptions, TensordotAxes,
};
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
    np::sum as sum (x: Operand, options: SumOptions) -> Array;
    np::prod as prod (x: Operand, options: Reduction) -> Array;
    np::mean as mean (x: Operand, options: Reduction) -> Array;
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

/// Functions that make arrays: like the array of the namespace, unless the options say otherwise.
impl Namespace {
    /// See [`numpy::zeros`](crate::numpy::zeros()).
    #[track_caller]
    pub fn zeros(&self, shape: impl Into<Integers>, options: impl Into<Creation>) -> Array {
        np::zeros(shape, self.creation(options.into()))
    }

    /// See [`numpy::ones`](crate::numpy::ones()).
    #[track_caller]
    pub fn ones(&self, shape: impl Into<Integers>, options: impl Into<Creation>) -> Array {
        np::ones(shape, self.creation(options.into()))
    }

    /// See [`numpy::full`](crate::numpy::full()).
    #[track_caller]
    pub fn full(
        &self,
        shape: impl Into<Integers>,
        value: impl Into<Scalar>,
        options: impl Into<Creation>,
    ) -> Array {
        np::full(shape, value, self.creation(options.into()))
    }

    /// See [`numpy::eye`](crate::numpy::eye()).
    #[track_caller]
    pub fn eye(&self, rows: i64, options: impl Into<EyeOptions>) -> Array {
        let options = options.into();
        let creation = self.creation(options.creation.clone());
        np::eye(
            rows,
            EyeOptions {
                creation,
                ..options
            },
        )
    }

    /// See [`numpy::identity`](crate::numpy::identity()).
    #[track_caller]
    pub fn identity(&self, n: i64, options: impl Into<Creation>) -> Array {
        np::identity(n, self.creation(options.into()))
    }

    /// See [`numpy::arange`](crate::numpy::arange()).
    #[track_caller]
    pub fn arange(&self, interval: impl Into<Progression>, options: impl Into<Creation>) -> Array {
        np::arange(interval, self.creation(options.into()))
    }

    /// See [`numpy::linspace`](crate::numpy::linspace()).
    #[track_caller]
    pub fn linspace(
        &self,
        start: impl Into<Scalar>,
        stop: impl Into<Scalar>,
        options: impl Into<LinspaceOptions>,
    ) -> Array {
        let options = options.into();
        let creation = self.creation(options.creation.clone());
        np::linspace(
            start,
            stop,
            LinspaceOptions {
                creation,
                ..options
            },
        )
    }

    /// See [`numpy::einsum`](crate::numpy::einsum()).
    #[track_caller]
    pub fn einsum<I>(&self, subscripts: &str, operands: I) -> Array
    where
        I: IntoIterator<Item: Into<Operand>>,
    {
        np::einsum(subscripts, operands)
    }

    /// See [`numpy::stack`](crate::numpy::stack()).
    #[track_caller]
    pub fn stack<I>(&self, arrays: I, axis: impl Into<JoinAxis>) -> Array
    where
        I: IntoIterator<Item: Into<Operand>>,
    {
        np::stack(arrays, axis)
    }

    /// See [`numpy::concatenate`](crate::numpy::concatenate()).
    #[track_caller]
    pub fn concatenate<I>(&self, arrays: I, axis: impl Into<JoinAxis>) -> Array
    where
        I: IntoIterator<Item: Into<Operand>>,
    {
        np::concatenate(arrays, axis)
    }
}

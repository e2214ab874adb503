//! The options of random draws: how many numbers, of which dtype, and where.

use std::ops::RangeFull;

use crate::like::Like;
use crate::numpy::options::{Creation, Integers};
use crate::{DType, Error, Operand, Result};
use autojit_ir::{Class, Dims};

/// The options of functions that draw numbers: the shape of the array, its dtype, and where it is to be.
///
/// Written `..`, `3`, `[2, 3]` or `size([2, 3]).dtype(DType::Float32)`. Without a size it is that of the parameters.
#[derive(Clone, Debug, Default)]
pub struct SizeOptions {
    pub(crate) size: Option<Integers>,
    pub(crate) creation: Creation,
}

/// Draw an array of this shape. See [`SizeOptions`].
///
/// ```
/// use autojit::numpy::random::{default_rng, size};
///
/// let x = default_rng(7).normal(0.0, 1.0, size([2, 3]).dtype(autojit::DType::Float32));
/// assert_eq!(x.shape()?, [2, 3]);
/// # Ok::<(), autojit::Error>(())
/// ```
pub fn size(size: impl Into<Integers>) -> SizeOptions {
    SizeOptions {
        size: Some(size.into()),
        creation: Creation::default(),
    }
}

/// Draw numbers in the library of an array, with its dtype, or in the library of this name. See [`SizeOptions`].
///
/// ```
/// use autojit::numpy as np;
/// use autojit::numpy::random::{default_rng, like};
///
/// let x = np::zeros(3, autojit::DType::Float32);
/// assert_eq!(default_rng(7).random(like(&x)).dtype()?, autojit::DType::Float32);
/// # Ok::<(), autojit::Error>(())
/// ```
pub fn like(like: impl Into<Like>) -> SizeOptions {
    SizeOptions::default().like(like)
}

/// Whether to choose with replacement. See [`ChoiceOptions`].
///
/// ```
/// use autojit::numpy as np;
/// use autojit::numpy::random::{default_rng, size};
///
/// let hand = default_rng(7).choice(5, size(5).replace(false));
/// assert_eq!(np::sort(hand, ..).to_string(), "[0 1 2 3 4]");
/// ```
#[must_use]
pub fn replace(replace: bool) -> ChoiceOptions {
    ChoiceOptions::default().replace(replace)
}

impl From<RangeFull> for SizeOptions {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

impl From<DType> for SizeOptions {
    fn from(dtype: DType) -> Self {
        Self::default().dtype(dtype)
    }
}

impl From<Creation> for SizeOptions {
    fn from(creation: Creation) -> Self {
        let size = None;
        Self { size, creation }
    }
}

impl<T: Into<Integers>> From<T> for SizeOptions {
    fn from(shape: T) -> Self {
        size(shape)
    }
}

impl SizeOptions {
    /// The shape.
    #[must_use]
    pub fn size(self, size: impl Into<Integers>) -> Self {
        let size = Some(size.into());
        Self { size, ..self }
    }

    /// The dtype.
    #[must_use]
    pub fn dtype(self, dtype: DType) -> Self {
        let creation = self.creation.dtype(dtype);
        Self { creation, ..self }
    }

    /// Make the array like this one, or in the library of this name.
    #[must_use]
    pub fn like(self, other: impl Into<Like>) -> Self {
        let creation = self.creation.like(other);
        Self { creation, ..self }
    }

    /// Choose with or without replacement.
    #[must_use]
    pub fn replace(self, replace: bool) -> ChoiceOptions {
        ChoiceOptions::from(self).replace(replace)
    }

    /// Choose with these probabilities.
    #[must_use]
    pub fn p<'a>(self, p: impl Into<Operand<'a>>) -> ChoiceOptions {
        ChoiceOptions::from(self).p(p)
    }

    /// Draw the last integer, too.
    #[must_use]
    pub fn endpoint(self, endpoint: bool) -> IntegersOptions {
        IntegersOptions {
            size: self,
            endpoint,
        }
    }

    /// The lengths of the axes, if they are given.
    pub(super) fn sizes(&self, dtype: DType) -> Result<Option<Dims>> {
        let size = self.size.as_ref();
        size.map(|size| size.as_sizes(dtype.size())).transpose()
    }

    /// The dtype of floats; an array to be like need not be of one.
    pub(super) fn floating(&self) -> Result<DType> {
        let (_, dtype) = self.creation.resolve(DType::Float64)?;
        match dtype.class() {
            Class::Float => Ok(dtype),
            _ if self.creation.dtype.is_some() => Err(Error::dtype(format!(
                "expected a real floating dtype, got {dtype}"
            ))),
            Class::Complex => Ok(dtype.real()),
            _ => Ok(DType::Float64),
        }
    }

    /// The dtype of integers; an array to be like need not be of one.
    pub(super) fn integer(&self) -> Result<DType> {
        let (_, dtype) = self.creation.resolve(DType::Int64)?;
        match dtype.class() {
            Class::Integer => Ok(dtype),
            _ if self.creation.dtype.is_some() => Err(Error::dtype(format!(
                "expected an integer dtype, got {dtype}"
            ))),
            _ => Ok(DType::Int64),
        }
    }
}

/// The options of `integers`: a [`SizeOptions`], and whether the upper limit is drawn, too.
#[derive(Clone, Debug, Default)]
pub struct IntegersOptions {
    pub(crate) size: SizeOptions,
    pub(crate) endpoint: bool,
}

impl<T: Into<SizeOptions>> From<T> for IntegersOptions {
    fn from(size: T) -> Self {
        size.into().endpoint(false)
    }
}

/// The options of `choice`: a [`SizeOptions`], whether to choose with replacement, and the probabilities.
#[derive(Clone, Debug)]
pub struct ChoiceOptions {
    pub(crate) size: SizeOptions,
    pub(crate) replace: bool,
    pub(crate) p: Option<Operand<'static>>,
}

impl Default for ChoiceOptions {
    fn default() -> Self {
        SizeOptions::default().into()
    }
}

impl<T: Into<SizeOptions>> From<T> for ChoiceOptions {
    fn from(size: T) -> Self {
        Self {
            size: size.into(),
            replace: true,
            p: None,
        }
    }
}

impl ChoiceOptions {
    /// Choose with or without replacement.
    #[must_use]
    pub fn replace(self, replace: bool) -> Self {
        Self { replace, ..self }
    }

    /// Choose with these probabilities.
    #[must_use]
    pub fn p<'a>(self, p: impl Into<Operand<'a>>) -> Self {
        let p = Some(p.into().into_owned());
        Self { p, ..self }
    }
}

/// Where the options of a draw say how many numbers there are, and where they are made.
pub(super) trait HasSize {
    /// That part of the options.
    fn size_options(&self) -> &SizeOptions;
}

impl HasSize for SizeOptions {
    fn size_options(&self) -> &SizeOptions {
        self
    }
}

impl HasSize for IntegersOptions {
    fn size_options(&self) -> &SizeOptions {
        &self.size
    }
}

impl HasSize for ChoiceOptions {
    fn size_options(&self) -> &SizeOptions {
        &self.size
    }
}

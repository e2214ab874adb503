//! Random numbers by name and in namespaces: the arguments of draws, and [`Random`].

use super::arguments::Argument;
use super::namespace::Namespace;
use crate::like::Like;
use crate::numpy::random::{self, ChoiceOptions, IntegersOptions, SizeOptions};
use crate::{Array, Operand};
use autojit_ir::error::Result;

impl Argument<'_> {
    /// An array or a number, or the default.
    pub(super) fn operand_or(&self, default: f64) -> Result<Operand<'static>> {
        let given = self.operand_option()?;
        Ok(given.unwrap_or_else(|| default.into()))
    }

    /// The options of draws, this being the size.
    pub(super) fn draw_size(&self, dtype: &Argument<'_>) -> Result<SizeOptions> {
        let mut options = SizeOptions::from(dtype.creation()?);
        options.size = self.axes()?.0;
        Ok(options)
    }
}

/// The functions of [`numpy::random`](crate::numpy::random) in a [`Namespace`]: they draw from the generator of the
/// process, and make arrays like that of the namespace unless their options say otherwise.
#[derive(Clone, Debug)]
pub struct Random {
    like: Like,
}

impl Namespace {
    /// The functions that draw random numbers.
    #[must_use]
    pub fn random(&self) -> Random {
        Random {
            like: self.like.clone(),
        }
    }
}

impl Random {
    fn size(&self, options: SizeOptions) -> SizeOptions {
        match options.creation.like {
            None => options.like(&self.like),
            Some(_) => options,
        }
    }

    /// See [`numpy::random::random`](crate::numpy::random::random).
    #[track_caller]
    pub fn random(&self, options: impl Into<SizeOptions>) -> Array {
        random::random(self.size(options.into()))
    }

    /// See [`numpy::random::standard_normal`](crate::numpy::random::standard_normal).
    #[track_caller]
    pub fn standard_normal(&self, options: impl Into<SizeOptions>) -> Array {
        random::standard_normal(self.size(options.into()))
    }

    /// See [`numpy::random::normal`](crate::numpy::random::normal).
    #[track_caller]
    pub fn normal<'a>(
        &self,
        loc: impl Into<Operand<'a>>,
        scale: impl Into<Operand<'a>>,
        options: impl Into<SizeOptions>,
    ) -> Array {
        random::normal(loc, scale, self.size(options.into()))
    }

    /// See [`numpy::random::uniform`](crate::numpy::random::uniform).
    #[track_caller]
    pub fn uniform<'a>(
        &self,
        low: impl Into<Operand<'a>>,
        high: impl Into<Operand<'a>>,
        options: impl Into<SizeOptions>,
    ) -> Array {
        random::uniform(low, high, self.size(options.into()))
    }

    /// See [`numpy::random::exponential`](crate::numpy::random::exponential).
    #[track_caller]
    pub fn exponential<'a>(
        &self,
        scale: impl Into<Operand<'a>>,
        options: impl Into<SizeOptions>,
    ) -> Array {
        random::exponential(scale, self.size(options.into()))
    }

    /// See [`numpy::random::integers`](crate::numpy::random::integers).
    #[track_caller]
    pub fn integers(&self, low: i64, high: i64, options: impl Into<IntegersOptions>) -> Array {
        let IntegersOptions { size, endpoint } = options.into();
        random::integers(low, high, self.size(size).endpoint(endpoint))
    }

    /// See [`numpy::random::permutation`](crate::numpy::random::permutation).
    #[track_caller]
    pub fn permutation<'a>(&self, x: impl Into<Operand<'a>>) -> Array {
        random::permutation(x)
    }

    /// See [`numpy::random::choice`](crate::numpy::random::choice).
    #[track_caller]
    pub fn choice<'a>(
        &self,
        a: impl Into<Operand<'a>>,
        options: impl Into<ChoiceOptions>,
    ) -> Array {
        let options = options.into();
        let size = self.size(options.size);
        random::choice(a, ChoiceOptions { size, ..options })
    }
}

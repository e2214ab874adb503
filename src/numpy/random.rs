//! Random numbers: generators with a seed, and the same functions on a generator of the process.
//!
//! ```
//! use autojit::{autojit, numpy as np};
//!
//! let generator = np::random::default_rng(42);
//! let x = generator.normal(0.0, 1.0, [2, 3]);
//! let again = np::random::default_rng(42).normal(0.0, 1.0, [2, 3]);
//! assert_eq!(x.to_string(), again.to_string());
//!
//! // A compiled function draws anew at each call.
//! let noisy = autojit(move |x: autojit::Array| x + generator.uniform(-0.1, 0.1, 3));
//! let x = autojit::Array::from([1.0, 2.0, 3.0]);
//! assert_ne!(noisy.call(&x)?.to_string(), noisy.call(&x)?.to_string());
//! # Ok::<(), autojit::Error>(())
//! ```
//!
//! # What is reproducible
//!
//! Element `i` of draw number `n` of a generator is a function of the seed, `n` and `i` alone: Philox 4x32-10 (Salmon,
//! Moraes, Dror and Shaw, 2011) with the seed as its key. So the same program draws the same numbers eagerly, lazily
//! and compiled by any backend, on any number of threads of the engine. Names and meaning are NumPy's, the numbers are
//! not: NumPy's generator consumes one stream of bits.
//!
//! Draws of a traced function take their numbers when the function is called, as many as it would take without
//! tracing. A generator that is made inside of the function starts again at each call, compiled or not. Do not use
//! it where numbers must not be guessed.

mod options;
mod parameters;

use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::panic::Location;
use std::sync::{Arc, LazyLock};

use options::HasSize;
pub use options::{ChoiceOptions, IntegersOptions, SizeOptions, like, replace, size};

use parameters::{distance, not_negative, parameters, population, probabilities, scaled};

use super::options::Creation;
use super::special::beside;
use super::{
    argsort, attempt, cumsum, fail, greater, log1p, multiply, negative, replaceable, reshape,
    searchsorted, subtract, take, where_,
};
use crate::like::Place;
use crate::nodes::{current_trace, next_draw};
use crate::{Array, DType, Error, Operand, Result};
use autojit_ir::random::{Distribution, GeneratorState};
use autojit_ir::{ArrayType, Dims, Op, Scalar, broadcast_shapes};
use autojit_library as library;

/// A source of random numbers with a seed of its own. Clones draw from the same source.
#[derive(Clone)]
pub struct Generator {
    state: Arc<GeneratorState>,
    /// The trace in which it was made.
    made_in: Option<u64>,
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("random generator (Philox 4x32-10)")
    }
}

/// The generator of the process.
static SHARED: LazyLock<Generator> = LazyLock::new(Generator::from_entropy);

/// A generator with this seed.
///
/// ```
/// use autojit::numpy as np;
///
/// let x = np::random::default_rng(7).random(3);
/// assert_eq!(x.shape()?, [3]);
/// assert_eq!(np::array_equal(&x, np::random::default_rng(7).random(3), false).to_string(), "True");
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// Source: `numpy.random.default_rng`.
#[must_use]
pub fn default_rng(seed: u64) -> Generator {
    Generator::new(seed)
}

/// Lets the generator of the process, from which the functions of this module draw, begin again with this seed. It
/// begins with an arbitrary one.
///
/// ```
/// use autojit::numpy as np;
///
/// np::random::seed(7);
/// let x = np::random::random(3);
/// assert_eq!(x.shape()?, [3]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// Source: `numpy.random.seed`.
pub fn seed(seed: u64) {
    SHARED.state.seed(seed);
}

/// The generator of the process, with whose state the functions of this module go on.
///
/// ```
/// use autojit::numpy as np;
///
/// np::random::seed(7);
/// let x = np::random::random(3);
/// np::random::seed(7);
/// assert_eq!(np::random::shared().random(3).to_string(), x.to_string());
/// ```
///
/// Source: `numpy.random.mtrand._rand`, the generator behind NumPy's functions.
#[must_use]
pub fn shared() -> Generator {
    SHARED.clone()
}

impl Generator {
    /// A generator with this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            state: Arc::new(GeneratorState::new(seed)),
            made_in: current_trace(),
        }
    }

    /// A generator with an arbitrary seed, another one each time.
    #[must_use]
    pub fn from_entropy() -> Self {
        // The standard library's keys of hash tables come from the operating system.
        let seed = std::hash::RandomState::new().build_hasher().finish();
        Self {
            state: Arc::new(GeneratorState::new(seed)),
            made_in: None,
        }
    }

    /// One draw of a distribution.
    #[track_caller]
    fn draw(
        &self,
        name: &'static str,
        distribution: Distribution,
        shape: Dims,
        dtype: DType,
        creation: &Creation,
    ) -> Array {
        let location = Location::caller();
        let drawn = || -> Result<Array> {
            let op = Op::Random {
                draw: next_draw(&self.state, self.made_in),
                distribution,
                ty: Box::new(ArrayType { dtype, shape }),
            };
            let (wanted, _) = creation.resolve(dtype)?;
            if current_trace().is_some() || matches!(wanted.place, Some(Place::Lazy)) {
                return crate::array::write_down(op, &[], location);
            }
            let numbers = library::apply(library::default_library(), &op, &[])?.pop();
            let numbers = numbers.ok_or_else(|| Error::internal("a draw gave nothing"))?;
            let library = match wanted.place {
                Some(Place::Library(library)) => library,
                _ => library::default_library(),
            };
            let device = wanted.device.as_deref();
            let array = library.from_host_on(numbers.to_host()?, device)?;
            Ok(Array::from_concrete(array))
        };
        // A closure would not pass the caller's line on.
        match drawn() {
            Ok(numbers) => numbers,
            Err(error) => fail(name, error),
        }
    }

    /// Floats of a distribution that has no parameters.
    #[track_caller]
    fn floats(
        &self,
        name: &'static str,
        distribution: Distribution,
        shape: Option<Dims>,
        options: &SizeOptions,
    ) -> Array {
        let resolved = options.floating().and_then(|d| Ok((d, options.sizes(d)?)));
        let (dtype, own) = match resolved {
            Ok(resolved) => resolved,
            Err(error) => return fail(name, error),
        };
        if let (Some(own), Some(shape)) = (&own, &shape)
            && broadcast_shapes(own, shape).as_ref() != Some(own)
        {
            let wrong = Error::shape(format!(
                "cannot broadcast parameters of shape {shape:?} to the size {own:?}"
            ));
            return fail(name, wrong);
        }
        let shape = own.or(shape).unwrap_or_default();
        self.draw(name, distribution, shape, dtype, &options.creation)
    }

    /// Floats that are evenly distributed from 0 on and below 1.
    ///
    /// ```
    /// let x = autojit::numpy::random::default_rng(1).random([2, 3]);
    /// assert_eq!(x.shape()?, [2, 3]);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// The size is negative or too large, or the dtype is not a floating one.
    ///
    /// Source: `numpy.random.Generator.random`.
    #[track_caller]
    pub fn random(&self, options: impl Into<SizeOptions>) -> Array {
        self.floats("random", Distribution::Uniform, None, &options.into())
    }

    /// Floats of the normal distribution with mean 0 and standard deviation 1.
    ///
    /// ```
    /// let x = autojit::numpy::random::default_rng(1).standard_normal(4);
    /// assert_eq!(x.shape()?, [4]);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Generator::random`].
    ///
    /// Source: `numpy.random.Generator.standard_normal`.
    #[track_caller]
    pub fn standard_normal(&self, options: impl Into<SizeOptions>) -> Array {
        self.floats(
            "standard_normal",
            Distribution::Normal,
            None,
            &options.into(),
        )
    }

    /// Floats of the normal distribution with mean `loc` and standard deviation `scale`, which broadcast to the size,
    /// or make it if none is given.
    ///
    /// ```
    /// use autojit::Array;
    ///
    /// let x = autojit::numpy::random::default_rng(1).normal(Array::from([0.0, 10.0]), 1.0, ..);
    /// assert_eq!(x.shape()?, [2]);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Generator::random`]; the parameters do not broadcast, or `scale` has a negative number. Arrays that are lazy or
    /// traced are not looked into.
    ///
    /// Source: `numpy.random.Generator.normal`.
    #[track_caller]
    pub fn normal<'a>(
        &self,
        loc: impl Into<Operand<'a>>,
        scale: impl Into<Operand<'a>>,
        options: impl Into<SizeOptions>,
    ) -> Array {
        let (loc, scale) = (loc.into(), scale.into());
        attempt!("normal", not_negative("scale", &scale));
        let (shape, options) = attempt!("normal", parameters(&[&loc, &scale], options.into()));
        let numbers = self.floats("normal", Distribution::Normal, Some(shape), &options);
        scaled(loc, scale, numbers)
    }

    /// Floats that are evenly distributed from `low` on and below `high`, which broadcast to the size, or make it if
    /// none is given.
    ///
    /// ```
    /// use autojit::numpy as np;
    ///
    /// let x = np::random::default_rng(1).uniform(-1.0, 1.0, 100);
    /// assert!(np::all(np::less(np::absolute(&x), 1.0), ..).item::<bool>()?);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Generator::random`]; the parameters do not broadcast; the distance from `low` to `high` is negative, infinite
    /// or NaN. Arrays that are lazy or traced are not looked into.
    ///
    /// Source: `numpy.random.Generator.uniform`.
    #[track_caller]
    pub fn uniform<'a>(
        &self,
        low: impl Into<Operand<'a>>,
        high: impl Into<Operand<'a>>,
        options: impl Into<SizeOptions>,
    ) -> Array {
        let (low, high) = (low.into(), high.into());
        let (shape, options) = attempt!("uniform", parameters(&[&low, &high], options.into()));
        let dtype = attempt!("uniform", options.floating());
        let numbers = self.floats("uniform", Distribution::Uniform, Some(shape), &options);
        if numbers.ty().is_ok() {
            attempt!("uniform", distance(&low, &high, dtype));
        }
        let width = match (&low, &high) {
            (Operand::Scalar(low), Operand::Scalar(high)) => {
                Operand::from(high.to_f64() - low.to_f64())
            }
            _ => subtract(high, low.clone()).into(),
        };
        scaled(low, width, numbers)
    }

    /// Floats of the exponential distribution with mean `scale`, which broadcasts to the size, or makes it if none is
    /// given.
    ///
    /// ```
    /// use autojit::numpy as np;
    ///
    /// let x = np::random::default_rng(1).exponential(2.0, 100);
    /// assert!(np::all(np::greater_equal(&x, 0.0), ..).item::<bool>()?);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Generator::normal`].
    ///
    /// Source: `numpy.random.Generator.exponential`.
    #[track_caller]
    pub fn exponential<'a>(
        &self,
        scale: impl Into<Operand<'a>>,
        options: impl Into<SizeOptions>,
    ) -> Array {
        let scale = scale.into();
        attempt!("exponential", not_negative("scale", &scale));
        let (shape, options) = attempt!("exponential", parameters(&[&scale], options.into()));
        let numbers = self.floats("exponential", Distribution::Uniform, Some(shape), &options);
        multiply(negative(log1p(negative(numbers))), scale)
    }

    /// Integers from `low` on and below `high`; `..` as options gives one. Of `int64` unless another dtype is asked
    /// for.
    ///
    /// ```
    /// use autojit::numpy as np;
    ///
    /// let x = np::random::default_rng(1).integers(0, 6, 100);
    /// assert!(np::max(&x, ..).item::<i64>()? < 6);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// There is no such integer, one does not fit the dtype, or the size does not fit into memory.
    ///
    /// Source: `numpy.random.Generator.integers`.
    #[track_caller]
    pub fn integers(&self, low: i64, high: i64, options: impl Into<IntegersOptions>) -> Array {
        let IntegersOptions { size, endpoint } = options.into();
        let last = if endpoint {
            Some(high)
        } else {
            high.checked_sub(1)
        };
        let Some(last) = last.filter(|&last| low <= last) else {
            let wrong = Error::value(format!(
                "there is no integer from {low} on and below {high}"
            ));
            return fail("integers", wrong);
        };
        let dtype = attempt!("integers", size.integer());
        for limit in [low, last] {
            if Scalar::Int(limit).cast(dtype) != Scalar::Int(limit) {
                let wrong = Error::value(format!("the integer {limit} does not fit into {dtype}"));
                return fail("integers", wrong);
            }
        }
        let shape = attempt!("integers", size.sizes(dtype)).unwrap_or_default();
        let span = last.wrapping_sub(low) as u64;
        let distribution = Distribution::Integers { low, span };
        self.draw("integers", distribution, shape, dtype, &size.creation)
    }

    /// The array with its parts along the first axis in random order; a number `n` stands for the integers below it.
    ///
    /// ```
    /// use autojit::numpy as np;
    ///
    /// let x = np::random::default_rng(1).permutation(5);
    /// assert_eq!(np::sort(x, ..).to_string(), "[0 1 2 3 4]");
    /// ```
    ///
    /// # Errors
    /// `x` is a 0-d array.
    ///
    /// Source: `numpy.random.Generator.permutation`.
    #[track_caller]
    pub fn permutation<'a>(&self, x: impl Into<Operand<'a>>) -> Array {
        let x = attempt!("permutation", population(x.into(), &Creation::default()));
        let length = attempt!("permutation", x.len());
        take(&x, self.order(length, &x), 0)
    }

    /// The numbers below `length` in random order.
    #[track_caller]
    fn order(&self, length: usize, x: &Array) -> Array {
        let shape = Dims::from_slice(&[length]);
        let keys = self.draw(
            "permutation",
            Distribution::Uniform,
            shape,
            DType::Float64,
            &beside(x).dtype(DType::Float64),
        );
        argsort(keys, -1)
    }

    /// Parts of an array along its first axis, chosen at random; a number `n` stands for the integers below it.
    ///
    /// Each is chosen with the same probability, or with those that the options give; with replacement unless
    /// they say otherwise.
    ///
    /// ```
    /// # use autojit::{Array, numpy as np};
    /// let generator = np::random::default_rng(1);
    /// let x = generator.choice(5, [2, 3]);
    /// let y = generator.choice(5, np::random::size(3).replace(false).p([0.1, 0.2, 0.3, 0.4, 0.0]));
    /// # assert!(x.check().is_ok() && y.check().is_ok());
    /// ```
    ///
    /// # Errors
    /// There is nothing to choose from, more is to be chosen without replacement than there is, or the probabilities
    /// are not as many as the parts. Known probabilities must not be negative and must sum to one, and without replacement
    /// as many must be above zero as are chosen.
    ///
    /// Source: `numpy.random.Generator.choice`; without replacement, the weighted order of Efraimidis and Spirakis
    /// (2006).
    #[track_caller]
    pub fn choice<'a>(
        &self,
        a: impl Into<Operand<'a>>,
        options: impl Into<ChoiceOptions>,
    ) -> Array {
        let ChoiceOptions { size, replace, p } = options.into();
        let x = attempt!("choice", population(a.into(), &size.creation));
        let length = attempt!("choice", x.len());
        let shape = attempt!("choice", size.sizes(DType::Int64)).unwrap_or_default();
        let count: usize = shape.iter().product();
        if length == 0 && count > 0 {
            return fail("choice", Error::value("there is nothing to choose from"));
        }
        if !replace && count > length {
            let wrong = Error::value(format!(
                "cannot choose {count} of {length} without replacement"
            ));
            return fail("choice", wrong);
        }
        let p = match p {
            Some(p) => {
                let least = if replace { 0 } else { count };
                Some(attempt!("choice", probabilities(p, length, least)))
            }
            None => None,
        };
        let creation = beside(&x);
        let positions = match (p, replace) {
            (None, true) => {
                let span = (length.max(1) - 1) as u64;
                let distribution = Distribution::Integers { low: 0, span };
                let creation = creation.clone().dtype(DType::Int64);
                self.draw("choice", distribution, shape, DType::Int64, &creation)
            }
            (Some(p), true) => {
                let sums = cumsum(p, 0);
                // The last sum is one but for rounding; numbers below one of it never land behind the end.
                let total = sums.get(-1);
                searchsorted(
                    sums,
                    multiply(self.uniform_for_choice(shape, &creation), total),
                    super::searching::Side::Right,
                )
            }
            (p, false) => {
                let keys = self.uniform_for_choice(Dims::from_slice(&[length]), &creation);
                let keys = match p {
                    None => keys,
                    // Times until the first event, whose rates are the probabilities; NaN comes after all of them.
                    Some(p) => {
                        let times = super::divide(negative(log1p(negative(keys))), &p);
                        where_(greater(p, 0.0), times, f64::NAN)
                    }
                };
                let first = argsort(keys, -1).get(..count);
                reshape(first, &shape)
            }
        };
        take(x, positions, 0)
    }

    #[track_caller]
    fn uniform_for_choice(&self, shape: Dims, creation: &Creation) -> Array {
        let creation = creation.clone().dtype(DType::Float64);
        let dtype = DType::Float64;
        self.draw("choice", Distribution::Uniform, shape, dtype, &creation)
    }
}

macro_rules! define_functions {
    ($a:lifetime; $($full:literal $name:ident ($($x:ident: $X:ty),*) [$($value:expr),*] $(like $options:ident)?;)*) => { $(
        #[doc = concat!("[`Generator::", stringify!($name), "`] of the generator of the process.")]
        #[track_caller]
        #[allow(clippy::extra_unused_lifetimes, reason = "few of them borrow an operand")]
        pub fn $name<$a>($($x: impl Into<$X>),*) -> Array {
            $(let $x: $X = $x.into();)*
            replaceable!($full, [$($value),*] $(; like = $options.size_options().creation)?);
            SHARED.$name($($x),*)
        }
    )* };
}

define_functions! {
    'a;
    "random.random" random(options: SizeOptions)
        [options.size.as_ref(), options.creation.dtype] like options;
    "random.standard_normal" standard_normal(options: SizeOptions)
        [options.size.as_ref(), options.creation.dtype] like options;
    "random.normal" normal(loc: Operand<'a>, scale: Operand<'a>, options: SizeOptions)
        [&loc, &scale, options.size.as_ref(), options.creation.dtype] like options;
    "random.uniform" uniform(low: Operand<'a>, high: Operand<'a>, options: SizeOptions)
        [&low, &high, options.size.as_ref(), options.creation.dtype] like options;
    "random.exponential" exponential(scale: Operand<'a>, options: SizeOptions)
        [&scale, options.size.as_ref(), options.creation.dtype] like options;
    "random.integers" integers(low: i64, high: i64, options: IntegersOptions)
        [low, high, options.size.size.as_ref(), options.size.creation.dtype, options.endpoint] like options;
    "random.permutation" permutation(x: Operand<'a>) [&x];
    "random.choice" choice(a: Operand<'a>, options: ChoiceOptions)
        [&a, options.size.size.as_ref(), options.replace, options.p.as_ref()] like options;
}

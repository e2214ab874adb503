//! Registering functions: in the place of NumPy's, new ones, and compositions of others.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, OnceLock};

use super::table::ENTRIES;
use super::{Arguments, IntoResult, IntoTypes, call, call_entry};
use crate::Value;
use crate::libraries;
use crate::like::Place;
use crate::registry::{self, BatchRule, Builtin, Callable, Function, Owner};
use autojit_ir::error::{Error, Result};

/// Registers a function for the arrays of a library, under a new name or in the place of NumPy's.
///
/// It takes effect at once and everywhere: in calls by name, typed functions, operators and methods, also in lazy
/// graphs that are yet to be computed and in compiled functions. A function in the place of an op (such as
/// `sqrt` or `sum`) is also used where other functions are made of that op. Registering again replaces. Inside
/// `f` the name means what it meant before, so that it may call the function that it replaces.
///
/// For a function under a new name to be traced, as by `autojit`, give it a rule with
/// [`Registration::with_shape_rule`].
///
/// ```
/// use autojit::{Array, call, dispatch::{Arguments, register_function}, numpy as np};
///
/// register_function("ndarray", "relu", |args: &Arguments| np::maximum(args.array(0), 0.0))?;
/// let y: Array = call!("relu", Array::from([-1.0, 2.0]))?.try_into()?;
/// assert_eq!(y.to_string(), "[0. 2.]");
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// No library has this name; functions for lazy arrays are registered for `"lazy"`.
///
/// Source: autoray's `register_function`.
#[track_caller]
pub fn register_function<R: IntoResult>(
    library: &str,
    name: &str,
    f: impl Fn(&Arguments) -> R + Send + Sync + 'static,
) -> Result<Registration> {
    let location = Location::caller();
    let owner = owner(library).map_err(|e| e.at(location))?;
    Ok(register(owner, name, callable(f)))
}

/// Registers a function that is made from the one that is there: `wrap` gets the old function and gives the new.
///
/// ```
/// use autojit::{Array, dispatch::{Arguments, register_function_wrapping}, numpy as np};
///
/// register_function_wrapping("ndarray", "exp2", |old| {
///     move |args: &Arguments| {
///         println!("hello from exp2");
///         old.call(args)
///     }
/// })?;
/// assert_eq!(np::exp2(3.0).item::<f64>()?, 8.0);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// No library has this name, or there is no function of this name to wrap.
///
/// Source: autoray's `register_function(.., wrap=True)`.
#[track_caller]
pub fn register_function_wrapping<R: IntoResult, F>(
    library: &str,
    name: &str,
    wrap: impl FnOnce(Original) -> F,
) -> Result<Registration>
where
    F: Fn(&Arguments) -> R + Send + Sync + 'static,
{
    let location = Location::caller();
    let owner = owner(library).map_err(|e| e.at(location))?;
    let (name, builtin) = builtin(name);
    // Filled in when the new function takes its place, so that no other registration can come between.
    let old = Arc::new(OnceLock::new());
    let callable = callable(wrap(Original(old.clone())));
    let registered = registry::update(name, builtin, |name, entry| {
        let before = entry.callable(owner)?;
        old.get_or_init(|| (owner, name, before));
        let rule = entry.get_mut(owner).and_then(|f| f.rule.clone());
        let function = Function {
            callable,
            rule,
            batches: None,
        };
        entry.set(owner, function);
        Some(Registration { owner, name })
    });
    registered.ok_or_else(|| {
        Error::unknown_function(format!("there is no function `{name}` to wrap")).at(location)
    })
}

/// Registers a function that is made of others, for all libraries and lazy arrays; see [`Composed::register`] for
/// libraries that do better.
///
/// ```
/// use autojit::{Array, call, dispatch::{Arguments, compose}, lazy, numpy as np};
///
/// let softplus = compose("softplus", |args: &Arguments| np::log1p(np::exp(args.array(0))));
/// softplus.register("ndarray", |args| np::log(1.0 + np::exp(args.array(0))))?;
///
/// let x = Array::from([0.0]);
/// let y: Array = call!("softplus", &x)?.try_into()?;
/// assert_eq!(y.item::<f64>()?, 2f64.ln());
/// let traced: Array = softplus.call(&[lazy::array(&x).into()], &[])?.try_into()?;
/// assert_eq!(traced.as_lazy().unwrap().depth(), 2);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// Source: autoray's `compose`.
pub fn compose<R: IntoResult>(
    name: &str,
    f: impl Fn(&Arguments) -> R + Send + Sync + 'static,
) -> Composed {
    let Registration { name, .. } = register(Owner::Default, name, callable(f));
    Composed { name }
}

/// A function that was registered. It stays so when this is dropped.
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    owner: Owner,
    name: &'static str,
}

impl Registration {
    /// The name of the function.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Says what types the results have, so that calls with lazy arrays are written down as one node, which
    /// calls back when it is run, be it lazily, by replay or as a step of compiled code.
    ///
    /// The rule is called with arrays that have types but no values. The types of several results are a `Vec`.
    ///
    /// ```
    /// use autojit::{Array, autojit, call, dispatch::{Arguments, register_function}};
    ///
    /// register_function("ndarray", "sorted", |args: &Arguments| {
    ///     let mut numbers = args.array(0).to_vec::<f64>()?;
    ///     numbers.sort_by(f64::total_cmp);
    ///     Ok::<_, autojit::Error>(Array::from(numbers))
    /// })?
    /// .with_shape_rule(|args: &Arguments| args.array(0).ty());
    ///
    /// let largest = autojit(|x: Array| {
    ///     let sorted: Array = call!("sorted", &x)?.try_into()?;
    ///     Ok::<_, autojit::Error>(sorted.get(-1))
    /// });
    /// assert_eq!(largest.call(&Array::from([2.0, 5.0, 3.0]))??.item::<f64>()?, 5.0);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    #[allow(clippy::return_self_not_must_use, reason = "it is registered already")]
    pub fn with_shape_rule<R: IntoTypes>(
        self,
        rule: impl Fn(&Arguments) -> R + Send + Sync + 'static,
    ) -> Self {
        let rule = Arc::new(move |arguments: &Arguments| rule(arguments).into_types());
        registry::update(self.name, None, |_, entry| {
            if let Some(function) = entry.get_mut(self.owner) {
                function.rule = Some(rule);
            }
        });
        self
    }

    /// Says what the function gives for many examples, so that it may be called in [`vmap`](crate::vmap()).
    ///
    /// The rule gets the arguments, and a flag for each array among them (in the order of [`Arguments::arrays`]): where it is
    /// true, the array has the examples along a new first axis; others are the same for all. It gives the results
    /// with the examples along their first axis. In several batches, one in the other, all their examples are along that axis.
    /// The function needs a rule for its types, too, of one example.
    ///
    /// ```
    /// use autojit::{Array, call, dispatch::{Arguments, register_function}, numpy as np, vmap};
    ///
    /// // The largest distance of numbers in a list.
    /// let spread = |x: &Array| np::max(x, np::axis(-1)) - np::min(x, np::axis(-1));
    /// register_function("ndarray", "spread", move |args: &Arguments| spread(&args.array(0)))?
    ///     .with_shape_rule(|_: &Arguments| autojit::ArrayType::scalar(autojit::DType::Float64))
    ///     .with_batch_rule(move |args: &Arguments, _: &[bool]| spread(&args.array(0)));
    ///
    /// let of_each = vmap(|x: Array| -> autojit::Result<Array> { call!("spread", &x)?.try_into() });
    /// let spreads = of_each(Array::from([[1.0, 4.0], [2.0, 2.0]]))??;
    /// assert_eq!(spreads.to_vec::<f64>()?, [3.0, 0.0]);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// Source: the rules of `jax.custom_batching`.
    #[allow(clippy::return_self_not_must_use, reason = "it is registered already")]
    pub fn with_batch_rule<R: IntoResult>(
        self,
        rule: impl Fn(&Arguments, &[bool]) -> R + Send + Sync + 'static,
    ) -> Self {
        let rule =
            move |arguments: &Arguments, flags: &[bool]| rule(arguments, flags).into_result();
        self.set_batches(BatchRule::Together(Arc::new(rule)))
    }

    /// Says that in [`vmap`](crate::vmap()) the function is called for one example after the other, for functions that cannot do
    /// better.
    ///
    /// ```
    /// use autojit::{Array, call, dispatch::{Arguments, register_function}, vmap};
    ///
    /// register_function("ndarray", "in_order", |args: &Arguments| {
    ///     let mut numbers = args.array(0).to_vec::<f64>()?;
    ///     numbers.sort_by(f64::total_cmp);
    ///     Ok::<_, autojit::Error>(Array::from(numbers))
    /// })?
    /// .with_shape_rule(|args: &Arguments| args.array(0).ty())
    /// .with_batch_loop();
    ///
    /// let of_each = vmap(|x: Array| -> autojit::Result<Array> { call!("in_order", &x)?.try_into() });
    /// let sorted = of_each(Array::from([[2.0, 1.0], [3.0, 4.0]]))??;
    /// assert_eq!(sorted.to_vec::<f64>()?, [1.0, 2.0, 3.0, 4.0]);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// Source: `jax.pure_callback` with `vmap_method="sequential"`.
    #[allow(clippy::return_self_not_must_use, reason = "it is registered already")]
    pub fn with_batch_loop(self) -> Self {
        self.set_batches(BatchRule::Loop)
    }

    fn set_batches(self, rule: BatchRule) -> Self {
        registry::update(self.name, None, |_, entry| {
            if let Some(function) = entry.get_mut(self.owner) {
                function.batches = Some(rule);
            }
        });
        self
    }
}

/// A function that is made of others. Made by [`compose`].
#[derive(Clone, Copy, Debug)]
pub struct Composed {
    name: &'static str,
}

impl Composed {
    /// The name of the function.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Registers what a library runs instead.
    ///
    /// # Errors
    /// No library has this name.
    #[track_caller]
    pub fn register<R: IntoResult>(
        &self,
        library: &str,
        f: impl Fn(&Arguments) -> R + Send + Sync + 'static,
    ) -> Result<Registration> {
        register_function(library, self.name, f)
    }

    /// Calls the function: as [`call`] does by its name.
    ///
    /// # Errors
    /// As [`call`].
    #[track_caller]
    pub fn call(&self, args: &[Value], kwargs: &[(&str, Value)]) -> Result<Value> {
        call(self.name, args, kwargs)
    }
}

/// The function that a registered one stands in the place of.
#[derive(Clone)]
pub struct Original(Arc<OnceLock<(Owner, &'static str, Callable)>>);

impl Original {
    /// Calls it.
    ///
    /// # Errors
    /// The function fails, or is called before the new function has taken its place.
    #[track_caller]
    pub fn call(&self, arguments: &Arguments) -> Result<Value> {
        let location = Location::caller();
        let Some((owner, name, callable)) = self.0.get() else {
            return Err(Error::value("the wrapped function is not registered yet").at(location));
        };
        let run = || callable(arguments).and_then(registry::checked);
        let result = match *owner {
            Owner::Library(library) => registry::as_running(library, name, run),
            Owner::Default => run(),
        };
        result.map_err(|e| e.in_op(name).at(location))
    }
}

impl fmt::Debug for Original {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.get().map_or("not registered", |(_, name, _)| name);
        write!(f, "original {name}")
    }
}

fn owner(library: &str) -> Result<Owner> {
    match Place::find(library) {
        Some(place) => Ok(Owner::Library(place.name())),
        None => Err(libraries::unknown(library)),
    }
}

fn callable<R: IntoResult>(f: impl Fn(&Arguments) -> R + Send + Sync + 'static) -> Callable {
    Arc::new(move |arguments| f(arguments).into_result())
}

fn register(owner: Owner, name: &str, callable: Callable) -> Registration {
    let (name, builtin) = builtin(name);
    registry::update(name, builtin, |name, entry| {
        let function = Function {
            callable,
            rule: None,
            batches: None,
        };
        entry.set(owner, function);
        Registration { owner, name }
    })
}

/// The name that a function has in messages, and what runs it if nothing is registered.
fn builtin(name: &str) -> (&str, Option<Builtin>) {
    let Some(entry) = ENTRIES.get(name) else {
        return (name, None);
    };
    let callable: Callable = Arc::new(move |arguments| {
        let kwargs = arguments.borrowed_names();
        // The line of the call is that of the replacement, not the one here.
        call_entry(entry, arguments.positional(), &kwargs).map_err(Error::without_location)
    });
    let parameters = entry.parameters;
    let builtin = Builtin {
        callable,
        parameters,
    };
    (entry.name, Some(builtin))
}

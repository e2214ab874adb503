//! Trees of Python: nested tuples, lists, dictionaries, named tuples, dataclasses and registered classes, taken apart into a
//! structure and arrays, and put together again.
//!
//! Numbers, strings and None in a tree are static: part of the structure. Any hashable object can be static by request.

use autojit::num_complex::Complex64;
use autojit::tree::{Flattener, Part, Unflattener};
use autojit::{Array, ArrayType, Error, Tree, numpy as np};
use numpy::PyUntypedArray;
use pyo3::exceptions::{PyRecursionError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyComplex, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use smallvec::SmallVec;

use crate::classes::{Class, Entry, StaticObject, class_of, entry, entry_named, static_object};
use crate::convert::{from_numpy, is_numpy_scalar, to_array, to_numpy_owned};
use crate::object::{PyArrayObject, wrapped};
use crate::values::complex;

/// Trees nested deeper are refused, as Rust's are.
const DEEPEST: usize = 200;

/// A step of the walk over a tree; members follow in order.
#[derive(Clone, Debug)]
enum Step {
    Array,
    Tuple(usize),
    List(usize),
    Map(usize),
    Key(String),
    None,
    /// The keywords of a call follow.
    Keywords,
    /// An object of a class in the table of classes; its fields follow.
    Object(&'static Class),
    /// An object in the table of static objects.
    Static(&'static StaticObject),
    Bool(bool),
    Int(i128),
    Float(f64),
    Complex(Complex64),
    Text(String),
}

impl Step {
    /// How many trees follow as members.
    fn members(&self) -> usize {
        match self {
            Self::Tuple(count) | Self::List(count) | Self::Map(count) => *count,
            Self::Object(class) => class.count,
            // A key stands before its tree.
            Self::Key(_) | Self::Keywords => 1,
            Self::Array
            | Self::None
            | Self::Static(_)
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Float(_)
            | Self::Complex(_)
            | Self::Text(_) => 0,
        }
    }

    fn of_entry(entry: Entry) -> Self {
        match entry {
            Entry::Class(class) => Self::Object(class),
            Entry::Static(object) => Self::Static(object),
        }
    }
}

/// A tree that was taken apart. A result of one array is in it without memory of its own, and it is small enough to be moved.
#[derive(Clone, Debug, Default)]
pub(crate) struct PyTree {
    steps: SmallVec<[Step; 4]>,
    pub(crate) arrays: SmallVec<[Array; 1]>,
    /// How many arrays were NumPy's, or numbers.
    foreign: usize,
}

/// A tree without its arrays, and their types.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    tree: PyTree,
    types: Vec<ArrayType>,
}

impl Kind {
    /// A tree of this kind, with zeros.
    ///
    /// # Errors
    /// There is not enough memory.
    pub(crate) fn example(&self) -> autojit::Result<PyTree> {
        let zeros = self.types.iter().map(|ty| {
            let shape: Vec<i64> = ty.shape.iter().map(|&n| n as i64).collect();
            np::zeros(shape, ty.dtype).check()
        });
        let arrays = zeros.collect::<autojit::Result<_>>()?;
        Ok(PyTree {
            arrays,
            ..self.tree.clone()
        })
    }
}

/// The values that are arrays in a tree.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaves {
    /// Arrays; numbers are static.
    Arrays,
    /// Numbers are arrays too, where a derivative by them is asked for.
    Numbers,
    /// Numbers and truth values are arrays too, where a loop or a branch may give other ones.
    All,
}

impl PyTree {
    /// Whether results belong to NumPy: there are arrays, and none of them is ours.
    pub(crate) fn is_numpys(&self) -> bool {
        self.foreign == self.arrays.len()
    }

    /// The tree without its arrays, and their types: what is remembered of a kind of arguments.
    pub(crate) fn kind(&self) -> autojit::Result<Kind> {
        let types = self.arrays.iter().map(Array::ty);
        let types = types.collect::<autojit::Result<Vec<ArrayType>>>()?;
        let (steps, foreign) = (self.steps.clone(), self.foreign);
        let tree = Self {
            steps,
            arrays: SmallVec::new(),
            foreign,
        };
        Ok(Kind { tree, types })
    }

    /// The classes and the static objects in the tree.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> {
        self.steps.iter().filter_map(|step| match step {
            Step::Object(class) => Some(Entry::Class(class)),
            Step::Static(object) => Some(Entry::Static(object)),
            Step::Array
            | Step::Tuple(_)
            | Step::List(_)
            | Step::Map(_)
            | Step::Key(_)
            | Step::None
            | Step::Keywords
            | Step::Bool(_)
            | Step::Int(_)
            | Step::Float(_)
            | Step::Complex(_)
            | Step::Text(_) => None,
        })
    }

    /// The members of a tuple as trees of their own.
    pub(crate) fn into_members(self) -> autojit::Result<Vec<Self>> {
        let mut arrays = self.arrays.into_iter();
        let mut steps = self.steps.into_iter();
        let Some(Step::Tuple(count)) = steps.next() else {
            return Err(Error::internal("a tree that is no tuple"));
        };
        let mut members = Vec::with_capacity(count);
        for _ in 0..count {
            let (mut member, mut missing) = (Self::default(), 1_usize);
            while missing > 0 {
                let step = steps
                    .next()
                    .ok_or_else(|| Error::internal("a tree lost a part"))?;
                missing = missing - 1 + step.members();
                if matches!(step, Step::Array) {
                    member.arrays.extend(arrays.next());
                }
                member.steps.push(step);
            }
            members.push(member);
        }
        Ok(members)
    }

    /// The only member of a tuple, for functions of Rust that take one argument bare.
    pub(crate) fn into_only_member(mut self) -> Self {
        if matches!(self.steps.first(), Some(Step::Tuple(1))) {
            self.steps.remove(0);
        }
        self
    }

    /// One array.
    pub(crate) fn of_array(array: Array) -> Self {
        let mut tree = Self::default();
        tree.add_array(array, true);
        tree
    }

    /// Begins a tuple of so many members, which are added next.
    pub(crate) fn begin_tuple(&mut self, len: usize) {
        self.steps.reserve(len + 1);
        self.arrays.reserve(len);
        self.steps.push(Step::Tuple(len));
    }

    /// Adds keywords, in the order of their names.
    pub(crate) fn add_keywords(
        &mut self,
        keywords: &Bound<'_, PyDict>,
        leaves: Leaves,
        is_static: &dyn Fn(&str) -> bool,
    ) -> PyResult<()> {
        self.steps.push(Step::Keywords);
        self.steps.push(Step::Map(keywords.len()));
        for (name, value) in sorted(keywords)?.ok_or_else(lost)? {
            if is_static(&name) {
                self.steps.push(Step::Key(name));
                self.add_static(&value)?;
            } else {
                self.steps.push(Step::Key(name.clone()));
                self.add_at(&value, leaves, 0, &|| name.clone())?;
            }
        }
        Ok(())
    }

    /// Adds a static object. Numbers and strings are what they are elsewhere in a tree.
    pub(crate) fn add_static(&mut self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        if !is_numpy_scalar(value)? && self.add_number(value, Leaves::Arrays)? {
            return Ok(());
        }
        self.steps.push(Step::Static(static_object(value)?));
        Ok(())
    }

    /// Takes a value apart.
    pub(crate) fn of(value: &Bound<'_, PyAny>, leaves: Leaves, what: &str) -> PyResult<Self> {
        let mut tree = Self::default();
        tree.add(value, leaves, what)?;
        Ok(tree)
    }

    /// Adds an argument of a call by its position.
    pub(crate) fn add_argument(&mut self, value: &Bound<'_, PyAny>, at: usize) -> PyResult<()> {
        self.add_at(value, Leaves::Arrays, 0, &|| format!("argument {at}"))
    }

    /// Adds a value.
    pub(crate) fn add(
        &mut self,
        value: &Bound<'_, PyAny>,
        leaves: Leaves,
        what: &str,
    ) -> PyResult<()> {
        self.add_at(value, leaves, 0, &|| what.to_owned())
    }

    fn add_array(&mut self, array: Array, is_ours: bool) {
        self.steps.push(Step::Array);
        self.arrays.push(array);
        self.foreign += usize::from(!is_ours);
    }

    fn add_at(
        &mut self,
        value: &Bound<'_, PyAny>,
        leaves: Leaves,
        depth: usize,
        path: &dyn Fn() -> String,
    ) -> PyResult<()> {
        if let Ok(array) = value.cast::<PyArrayObject>() {
            self.add_array(array.get().0.clone(), true);
            return Ok(());
        }
        if let Ok(array) = value.cast::<PyUntypedArray>() {
            self.add_array(from_numpy(array)?, false);
            return Ok(());
        }
        if self.add_number(value, leaves)? {
            return Ok(());
        }
        if depth > DEEPEST {
            return Err(PyRecursionError::new_err(format!(
                "`{}` is nested too deeply",
                path()
            )));
        }
        self.add_container(value, leaves, depth, path)
    }

    /// Adds a number, a string or None; whether it was one.
    fn add_number(&mut self, value: &Bound<'_, PyAny>, leaves: Leaves) -> PyResult<bool> {
        if value.is_none() {
            self.steps.push(Step::None);
            return Ok(true);
        }
        if let Ok(text) = value.cast::<PyString>() {
            self.steps.push(Step::Text(text.to_cow()?.into_owned()));
            return Ok(true);
        }
        if leaves != Leaves::All
            && let Ok(flag) = value.cast_exact::<PyBool>()
        {
            self.steps.push(Step::Bool(flag.is_true()));
            return Ok(true);
        }
        let is_number = value.is_exact_instance_of::<PyFloat>()
            || value.is_exact_instance_of::<PyInt>()
            || value.is_exact_instance_of::<PyComplex>()
            || value.is_exact_instance_of::<PyBool>();
        if is_number && leaves != Leaves::Arrays || is_numpy_scalar(value)? {
            self.add_array(to_array(value)?, false);
            return Ok(true);
        }
        let step = if let Ok(number) = value.cast_exact::<PyFloat>() {
            Step::Float(number.value())
        } else if let Ok(number) = value.cast_exact::<PyInt>() {
            match number.extract::<i64>() {
                Ok(number) => Step::Int(number.into()),
                Err(_) => Step::Static(static_object(value)?),
            }
        } else if let Ok(number) = value.cast_exact::<PyComplex>() {
            Step::Complex(complex(number))
        } else {
            return Ok(false);
        };
        self.steps.push(step);
        Ok(true)
    }

    fn add_container(
        &mut self,
        value: &Bound<'_, PyAny>,
        leaves: Leaves,
        depth: usize,
        path: &dyn Fn() -> String,
    ) -> PyResult<()> {
        let numbered = |at: usize| move || format!("{}[{at}]", path());
        if let Ok(items) = value.cast_exact::<PyTuple>() {
            self.steps.push(Step::Tuple(items.len()));
            for (at, item) in items.iter().enumerate() {
                self.add_at(&item, leaves, depth + 1, &numbered(at))?;
            }
            return Ok(());
        }
        if let Ok(items) = value.cast_exact::<PyList>() {
            self.steps.push(Step::List(items.len()));
            for (at, item) in items.iter().enumerate() {
                self.add_at(&item, leaves, depth + 1, &numbered(at))?;
            }
            return Ok(());
        }
        if let Ok(entries) = value.cast_exact::<PyDict>()
            && let Some(entries) = sorted(entries)?
        {
            self.steps.push(Step::Map(entries.len()));
            for (key, item) in entries {
                self.steps.push(Step::Key(key.clone()));
                self.add_at(&item, leaves, depth + 1, &|| format!("{}[{key:?}]", path()))?;
            }
            return Ok(());
        }
        let Some(class) = class_of(value)? else {
            let kind = value.get_type().fully_qualified_name()?;
            let place = path();
            let hint = match place.starts_with("argument") {
                true => {
                    ". An argument of jit that is the same in most calls, such as `self`, is named in static_argnames"
                }
                false => "",
            };
            return Err(PyTypeError::new_err(format!(
                "{place} is of the type {kind}, which is no tree of arrays. There are arrays, numbers, strings, None, and tuples, \
                 lists, dicts, named tuples and dataclasses of them; other classes by autojit.register_pytree{hint}"
            )));
        };
        self.steps.push(Step::Object(class));
        for (name, item, is_static) in class.fields(value)? {
            match is_static {
                true => self.add_static(&item)?,
                false => self.add_at(&item, leaves, depth + 1, &|| format!("{}.{name}", path()))?,
            }
        }
        Ok(())
    }

    /// Puts the tree together, with arrays of ours or of NumPy's.
    pub(crate) fn build<'py>(self, py: Python<'py>, as_numpy: bool) -> PyResult<Bound<'py, PyAny>> {
        let mut builder = Builder {
            py,
            steps: self.steps.into_iter(),
            arrays: self.arrays.into_iter(),
            as_numpy,
        };
        builder.next()
    }

    /// Puts together the arguments of a call.
    pub(crate) fn build_call<'py>(
        self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyTuple>, Option<Bound<'py, PyDict>>)> {
        let mut builder = Builder {
            py,
            steps: self.steps.into_iter(),
            arrays: self.arrays.into_iter(),
            as_numpy: false,
        };
        let count = match builder.steps.next() {
            Some(Step::Tuple(count)) => count,
            _ => return Err(lost()),
        };
        let (mut args, mut keywords) = (Vec::with_capacity(count), None);
        for _ in 0..count {
            if matches!(builder.steps.as_slice().first(), Some(Step::Keywords)) {
                builder.steps.next();
                keywords = Some(builder.next()?.cast_into::<PyDict>()?);
            } else {
                args.push(builder.next()?);
            }
        }
        Ok((PyTuple::new(py, args)?, keywords))
    }
}

impl Tree for PyTree {
    const IS_OWN: bool = true;

    fn flatten<'a>(&'a self, flattener: &mut Flattener<'a>) {
        let mut arrays = self.arrays.iter();
        for step in &self.steps {
            match step {
                Step::Array => match arrays.next() {
                    Some(array) => flattener.array(array),
                    None => flattener.fail(Error::internal("a tree lost an array")),
                },
                Step::Tuple(count) => flattener.tuple(*count),
                Step::List(count) => flattener.list(*count),
                Step::Map(count) => flattener.map(*count),
                Step::Key(key) => flattener.key(key),
                Step::None => flattener.option(false),
                Step::Keywords => flattener.option(true),
                Step::Object(class) => flattener.record(class.record),
                Step::Static(object) => flattener.record(object.record),
                Step::Bool(value) => flattener.bool(*value),
                Step::Int(value) => flattener.int(*value),
                Step::Float(value) => flattener.float(*value),
                Step::Complex(value) => flattener.complex(*value),
                Step::Text(text) => flattener.text(text),
            }
        }
    }

    fn unflatten(unflattener: &mut Unflattener<'_>) -> autojit::Result<Self> {
        let mut tree = Self::default();
        let mut missing = 1_usize;
        while missing > 0 {
            missing -= 1;
            let step = match unflattener.next_part()? {
                Part::Array(array) => {
                    tree.arrays.push(array);
                    Step::Array
                }
                Part::Tuple(count) => Step::Tuple(count),
                Part::List(count) => Step::List(count),
                Part::Map(count) => Step::Map(count),
                Part::Key(key) => Step::Key(key.to_owned()),
                Part::Option(false) => Step::None,
                Part::Option(true) => Step::Keywords,
                Part::Record(record) => match entry(record) {
                    Some(entry) => Step::of_entry(entry),
                    None => return Err(Error::internal("a class of a tree is not known")),
                },
                Part::LoadedRecord(name) => match entry_named(name) {
                    Some(entry) => Step::of_entry(entry),
                    None => {
                        return Err(Error::tree(format!(
                            "the exported function gives a `{name}`, a class that this process has not met; pickle the function \
                             rather than saving it, which keeps the names of classes"
                        )));
                    }
                },
                Part::Bool(value) => Step::Bool(value),
                Part::Int(value) => Step::Int(value),
                Part::Float(value) => Step::Float(value),
                Part::Complex(value) => Step::Complex(value),
                Part::Text(text) => Step::Text(text.to_owned()),
            };
            missing += step.members();
            tree.steps.push(step);
        }
        Ok(tree)
    }
}

fn lost() -> PyErr {
    pyo3::exceptions::PyRuntimeError::new_err("a tree lost a part; this is a bug in autojit")
}

/// Keys, and what they stand for.
type Entries<'py> = Vec<(String, Bound<'py, PyAny>)>;

/// The entries of a dictionary in the order of their keys; `None` if not all of these are strings.
fn sorted<'py>(entries: &Bound<'py, PyDict>) -> PyResult<Option<Entries<'py>>> {
    let mut sorted = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let Ok(key) = key.cast_into::<PyString>() else {
            return Ok(None);
        };
        sorted.push((key.to_cow()?.into_owned(), value));
    }
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(Some(sorted))
}

/// Puts a tree together.
struct Builder<'py> {
    py: Python<'py>,
    steps: smallvec::IntoIter<[Step; 4]>,
    arrays: smallvec::IntoIter<[Array; 1]>,
    as_numpy: bool,
}

impl<'py> Builder<'py> {
    fn next(&mut self) -> PyResult<Bound<'py, PyAny>> {
        let py = self.py;
        Ok(match self.steps.next().ok_or_else(lost)? {
            Step::Array => {
                let array = self.arrays.next().ok_or_else(lost)?;
                match self.as_numpy {
                    true => owned_by_numpy(py, array)?,
                    false => wrapped(py, array)?.into_any(),
                }
            }
            Step::Tuple(count) => PyTuple::new(py, self.several(count)?)?.into_any(),
            Step::List(count) => PyList::new(py, self.several(count)?)?.into_any(),
            Step::Map(count) => {
                let map = PyDict::new(py);
                for _ in 0..count {
                    let Some(Step::Key(key)) = self.steps.next() else {
                        return Err(lost());
                    };
                    map.set_item(key, self.next()?)?;
                }
                map.into_any()
            }
            Step::Key(_) | Step::Keywords => return Err(lost()),
            Step::None => py.None().into_bound(py),
            Step::Object(class) => {
                let fields = self.several(class.count)?;
                class.object(py, fields)?
            }
            Step::Static(object) => object.object.bind(py).clone(),
            Step::Bool(value) => value.into_pyobject(py)?.to_owned().into_any(),
            Step::Int(value) => value.into_pyobject(py)?.into_any(),
            Step::Float(value) => value.into_pyobject(py)?.into_any(),
            Step::Complex(z) => PyComplex::from_doubles(py, z.re, z.im).into_any(),
            Step::Text(text) => text.into_pyobject(py)?.into_any(),
        })
    }

    fn several(&mut self, count: usize) -> PyResult<Vec<Bound<'py, PyAny>>> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// An array of NumPy's; one without axes is a scalar, as NumPy's own functions give. What is being traced stays ours.
fn owned_by_numpy(py: Python<'_>, array: Array) -> PyResult<Bound<'_, PyAny>> {
    if array.as_lazy().is_some() {
        return Ok(wrapped(py, array)?.into_any());
    }
    let array = to_numpy_owned(py, array)?;
    let is_scalar = array
        .cast::<PyUntypedArray>()
        .is_ok_and(|a| numpy::PyUntypedArrayMethods::ndim(a) == 0);
    match is_scalar {
        true => array.get_item(PyTuple::empty(py)),
        false => Ok(array),
    }
}

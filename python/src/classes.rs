//! Classes whose objects are trees, and static objects: the entries that structures refer to.
//!
//! Rust compares records by their names, so no two entries have one name. Entries are never freed: there are as many as there
//! are classes and distinct static values in a program.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use autojit::tree::Record;
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};

/// A class whose objects are trees.
#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) class: Py<PyType>,
    kind: Kind,
    pub(crate) name: &'static str,
    pub(crate) record: &'static Record,
    pub(crate) count: usize,
}

#[derive(Debug)]
enum Kind {
    NamedTuple(Vec<String>),
    Dataclass(Vec<Field>),
    /// Registered, with functions that take an object apart and put it together.
    Registered {
        flatten: Py<PyAny>,
        unflatten: Py<PyAny>,
    },
    /// `dict`, for dictionaries whose keys are not all strings: the keys are static.
    Dictionary,
}

#[derive(Debug)]
struct Field {
    name: String,
    /// Whether the constructor takes it.
    in_constructor: bool,
    is_static: bool,
}

/// A static object.
#[derive(Debug)]
pub(crate) struct StaticObject {
    pub(crate) object: Py<PyAny>,
    pub(crate) name: &'static str,
    pub(crate) record: &'static Record,
}

/// The value that a record stands for.
#[derive(Clone, Copy)]
pub(crate) enum Entry {
    Class(&'static Class),
    Static(&'static StaticObject),
}

impl Entry {
    /// Whether both are the same.
    pub(crate) fn is(self, other: Self) -> bool {
        match (self, other) {
            (Self::Class(one), Self::Class(other)) => std::ptr::eq(one, other),
            (Self::Static(one), Self::Static(other)) => std::ptr::eq(one, other),
            (Self::Class(_), Self::Static(_)) | (Self::Static(_), Self::Class(_)) => false,
        }
    }
}

#[derive(Default)]
struct Tables {
    /// By the address of the record.
    records: HashMap<usize, Entry>,
    classes: Vec<&'static Class>,
    names: HashMap<String, usize>,
    /// By the name of the record, for functions that were exported elsewhere.
    named: HashMap<&'static str, Entry>,
}

static TABLES: LazyLock<Mutex<Tables>> = LazyLock::new(Mutex::default);

/// Static objects by type and value: entries of [`Tables`] by the address of their record.
static STATICS: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

fn tables() -> std::sync::MutexGuard<'static, Tables> {
    TABLES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The value that a record stands for.
pub(crate) fn entry(record: &'static Record) -> Option<Entry> {
    tables().records.get(&(&raw const *record).addr()).copied()
}

/// The object that a name in an exported function stands for.
pub(crate) fn entry_named(name: &str) -> Option<Entry> {
    tables().named.get(name).copied()
}

/// Lets a name in exported functions stand for a class or a static object of this process, unless it stands for one already.
///
/// # Errors
/// Objects of the class are no trees, or the object cannot be hashed.
pub(crate) fn name_entry(name: &str, value: &Bound<'_, PyAny>, is_class: bool) -> PyResult<()> {
    let entry = if is_class {
        let class = value.cast::<PyType>()?;
        let found = class_entry(class)?.ok_or_else(|| {
            PyTypeError::new_err(format!(
                "the exported function has objects of {class}, which is no tree here; call autojit.register_pytree first"
            ))
        })?;
        Entry::Class(found)
    } else {
        Entry::Static(static_object(value)?)
    };
    let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
    tables().named.entry(name).or_insert(entry);
    Ok(())
}

/// A record whose name no other one has, and the name.
fn record(tables: &mut Tables, name: &str, fields: &[&str]) -> (&'static str, &'static Record) {
    let count = tables.names.entry(name.to_owned()).or_default();
    *count += 1;
    let name = match *count {
        1 => name.to_owned(),
        count => format!("{name}#{count}"),
    };
    let name: &'static str = Box::leak(name.into_boxed_str());
    let fields: Vec<&'static str> = fields
        .iter()
        .map(|field| &*Box::leak((*field).to_owned().into_boxed_str()))
        .collect();
    let record = match fields.is_empty() {
        true => Record::unnamed(name, 0),
        false => Record::named(name, Box::leak(fields.into_boxed_slice())),
    };
    (name, Box::leak(Box::new(record)))
}

/// The entry of a static object.
///
/// # Errors
/// It cannot be hashed.
pub(crate) fn static_object(value: &Bound<'_, PyAny>) -> PyResult<&'static StaticObject> {
    let py = value.py();
    let known = STATICS
        .get_or_init(py, || PyDict::new(py).unbind())
        .bind(py);
    let key = (value.get_type(), value).into_pyobject(py)?;
    let hashed = key.hash();
    if hashed.is_err() {
        return Err(PyTypeError::new_err(format!(
            "a static argument must be hashable, as compiled code is found by it; {} is not",
            value.get_type().fully_qualified_name()?
        )));
    }
    if let Some(address) = known.get_item(&key)?
        && let Some(Entry::Static(object)) = tables().records.get(&address.extract()?)
    {
        return Ok(object);
    }
    let mut name: String = value.repr()?.to_string();
    if name.chars().count() > 40 {
        name = name.chars().take(40).chain("...".chars()).collect();
    }
    let mut tables = tables();
    let (name, record) = record(&mut tables, &name, &[]);
    let object: &'static StaticObject = Box::leak(Box::new(StaticObject {
        object: value.clone().unbind(),
        name,
        record,
    }));
    let address = (&raw const *record).addr();
    tables.records.insert(address, Entry::Static(object));
    tables.named.insert(name, Entry::Static(object));
    drop(tables);
    known.set_item(key, address)?;
    Ok(object)
}

/// The class of a value, if its objects are trees.
pub(crate) fn class_of(value: &Bound<'_, PyAny>) -> PyResult<Option<&'static Class>> {
    class_entry(&value.get_type())
}

/// The entry of a class, if its objects are trees.
fn class_entry(class: &Bound<'_, PyType>) -> PyResult<Option<&'static Class>> {
    if let Some(found) = known(class) {
        return Ok(Some(found));
    }
    let py = class.py();
    if class.is(py.get_type::<PyDict>()) {
        return added(class, &["static", "children"], Kind::Dictionary).map(Some);
    }
    if class.is_subclass_of::<PyTuple>()? && class.hasattr(intern!(py, "_fields"))? {
        let fields: Vec<String> = class.getattr(intern!(py, "_fields"))?.extract()?;
        let names: Vec<&str> = fields.iter().map(String::as_str).collect();
        return added(class, &names, Kind::NamedTuple(fields.clone())).map(Some);
    }
    if class.hasattr(intern!(py, "__dataclass_fields__"))? {
        let fields = py
            .import("dataclasses")?
            .getattr("fields")?
            .call1((class,))?;
        let field = |field: PyResult<Bound<'_, PyAny>>| {
            let field = field?;
            let is_static = field
                .getattr("metadata")?
                .call_method1("get", ("static", false))?;
            Ok(Field {
                name: field.getattr("name")?.extract()?,
                in_constructor: field.getattr("init")?.is_truthy()?,
                is_static: is_static.is_truthy()?,
            })
        };
        let fields = fields
            .try_iter()?
            .map(field)
            .collect::<PyResult<Vec<_>>>()?;
        let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        return added(class, &names, Kind::Dataclass(fields)).map(Some);
    }
    Ok(None)
}

fn known(class: &Bound<'_, PyType>) -> Option<&'static Class> {
    let tables = tables();
    let mut classes = tables.classes.iter();
    classes.find(|known| known.class.is(class)).copied()
}

fn added(class: &Bound<'_, PyType>, fields: &[&str], kind: Kind) -> PyResult<&'static Class> {
    let name = class.qualname()?.to_string();
    let mut tables = tables();
    let (name, record) = record(&mut tables, &name, fields);
    let class: &'static Class = Box::leak(Box::new(Class {
        class: class.clone().unbind(),
        kind,
        name,
        record,
        count: fields.len(),
    }));
    let address = (&raw const *record).addr();
    tables.records.insert(address, Entry::Class(class));
    tables.named.insert(name, Entry::Class(class));
    tables.classes.push(class);
    Ok(class)
}

/// Lets objects of a class be arguments and results of traced functions.
///
/// `flatten(object)` gives a tuple of the children, which are arrays or trees of them, and anything hashable that is the same in
/// most calls; `unflatten(static, children)` makes the object again.
#[pyfunction]
#[pyo3(signature = (class, flatten, unflatten))]
pub(crate) fn register_pytree(
    class: &Bound<'_, PyType>,
    flatten: Py<PyAny>,
    unflatten: Py<PyAny>,
) -> PyResult<()> {
    if known(class).is_some() {
        let name = class.qualname()?;
        return Err(PyTypeError::new_err(format!(
            "the class {name} is known already"
        )));
    }
    let kind = Kind::Registered { flatten, unflatten };
    added(class, &["static", "children"], kind).map(|_| ())
}

/// A field of an object: its name, its value, and whether it is static.
pub(crate) type FieldValue<'py> = (String, Bound<'py, PyAny>, bool);

impl Class {
    /// The fields of an object.
    pub(crate) fn fields<'py>(&self, object: &Bound<'py, PyAny>) -> PyResult<Vec<FieldValue<'py>>> {
        match &self.kind {
            Kind::NamedTuple(names) => names
                .iter()
                .enumerate()
                .map(|(at, name)| Ok((name.clone(), object.get_item(at)?, false)))
                .collect(),
            Kind::Dataclass(fields) => fields
                .iter()
                .map(|field| {
                    Ok((
                        field.name.clone(),
                        object.getattr(field.name.as_str())?,
                        field.is_static,
                    ))
                })
                .collect(),
            Kind::Registered { flatten, .. } => {
                let parts = flatten.bind(object.py()).call1((object,))?;
                let (children, fixed): (Bound<'py, PyAny>, Bound<'py, PyAny>) =
                    parts.extract().map_err(|_| {
                        PyTypeError::new_err(
                            "`flatten` gives a pair: the children, and what is static",
                        )
                    })?;
                let children = PyTuple::new(
                    object.py(),
                    children.try_iter()?.collect::<PyResult<Vec<_>>>()?,
                )?;
                Ok(vec![
                    ("static".to_owned(), fixed, true),
                    ("children".to_owned(), children.into_any(), false),
                ])
            }
            Kind::Dictionary => {
                let object = object.cast::<PyDict>()?;
                let keys = object.keys();
                // Keys without an order stay as they came in.
                if let Err(error) = keys.sort()
                    && !error.is_instance_of::<PyTypeError>(object.py())
                {
                    return Err(error);
                }
                let children = keys.iter().map(|key| object.as_any().get_item(key));
                let children = children.collect::<PyResult<Vec<_>>>()?;
                let children = PyTuple::new(object.py(), children)?;
                Ok(vec![
                    ("static".to_owned(), keys.to_tuple().into_any(), true),
                    ("children".to_owned(), children.into_any(), false),
                ])
            }
        }
    }

    /// An object with these fields.
    pub(crate) fn object<'py>(
        &self,
        py: Python<'py>,
        fields: Vec<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let class = self.class.bind(py);
        match &self.kind {
            Kind::NamedTuple(_) => class.call1(PyTuple::new(py, fields)?),
            Kind::Dataclass(names) => {
                let given = PyDict::new(py);
                for (field, value) in names.iter().zip(&fields) {
                    if field.in_constructor {
                        given.set_item(&field.name, value)?;
                    }
                }
                let object = class.call((), Some(&given))?;
                for (field, value) in names.iter().zip(&fields) {
                    if !field.in_constructor {
                        let set = py.get_type::<PyAny>().getattr("__setattr__")?;
                        set.call1((&object, &field.name, value))?;
                    }
                }
                Ok(object)
            }
            Kind::Registered { unflatten, .. } => {
                unflatten.bind(py).call1(PyTuple::new(py, fields)?)
            }
            Kind::Dictionary => {
                let [keys, values] = fields.as_slice() else {
                    return Err(PyTypeError::new_err("a dict lost a part"));
                };
                let map = PyDict::new(py);
                for (key, value) in keys.try_iter()?.zip(values.try_iter()?) {
                    map.set_item(key?, value?)?;
                }
                Ok(map.into_any())
            }
        }
    }
}

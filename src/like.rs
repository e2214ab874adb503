//! `Like`: where functions that are given no array make theirs, and of which dtype.
//!
//! Blocks (see [`Block`]) belong to their thread and nest; a panic ends them.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;

use autojit_ir::{DType, Error, Result};
use autojit_library::{AnyLibrary, default_library};

use crate::libraries;

/// The library, dtype and device that new arrays are to have.
///
/// Converts from an array, which gives all three, and from a name such as `"ndarray"` or a list of words such as
/// `"ndarray-float32-cpu"`, in any order, each of which may be left out. What is wrong with it comes out where it
/// is used.
#[derive(Clone)]
pub struct Like(pub(crate) Result<Wanted>);

/// The options of a [`Like`]; those that it leaves open are decided further out.
#[derive(Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) place: Option<Place>,
    pub(crate) dtype: Option<DType>,
    pub(crate) device: Option<String>,
}

/// Where arrays are: lazy, or in a library.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    Lazy,
    Library(&'static dyn AnyLibrary),
}

impl Place {
    /// The name of the library, or `lazy`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lazy => libraries::LAZY,
            Self::Library(library) => library.name(),
        }
    }

    /// Lazy arrays or the library of this name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        match name {
            libraries::LAZY => Some(Self::Lazy),
            _ => libraries::find(name).map(Self::Library),
        }
    }
}

/// Kinds of devices; a number may follow after a colon.
const DEVICES: [&str; 6] = ["cpu", "cuda", "gpu", "mps", "tpu", "xpu"];

impl Wanted {
    /// Reads words such as `ndarray-float32-cpu`, in any order.
    ///
    /// # Errors
    /// A word is neither a library nor a dtype nor a device, or two are of one kind.
    pub(crate) fn parse(words: &str) -> Result<Self> {
        let mut wanted = Self::default();
        for word in words.split('-') {
            let kind = word.split(':').next().unwrap_or(word);
            let twice = if let Some(place) = Place::find(word) {
                wanted.place.replace(place).is_some()
            } else if let Ok(dtype) = word.parse() {
                wanted.dtype.replace(dtype).is_some()
            } else if DEVICES.contains(&kind) {
                wanted.device.replace(word.to_owned()).is_some()
            } else {
                return Err(unknown(word, words));
            };
            if twice {
                let error = format!("`{words}` names two libraries, dtypes or devices");
                return Err(Error::value(error));
            }
        }
        Ok(wanted)
    }

    /// These options, and for the rest those of `outer`.
    pub(crate) fn or(self, outer: Self) -> Self {
        Self {
            place: self.place.or(outer.place),
            dtype: self.dtype.or(outer.dtype),
            device: self.device.or(outer.device),
        }
    }
}

fn unknown(word: &str, words: &str) -> Error {
    if !words.contains('-') {
        return libraries::unknown(word);
    }
    let dtypes: Vec<&str> = DType::ALL.iter().map(|d| d.name()).collect();
    Error::unknown_library(format!(
        "`{word}` in `{words}` is neither a library ({}) nor a dtype ({}) nor a device ({})",
        libraries::libraries().join(", "),
        dtypes.join(", "),
        DEVICES.join(", ")
    ))
}

impl From<&str> for Like {
    fn from(words: &str) -> Self {
        Self(Wanted::parse(words))
    }
}

impl From<String> for Like {
    fn from(words: String) -> Self {
        words.as_str().into()
    }
}

impl From<&String> for Like {
    fn from(words: &String) -> Self {
        words.as_str().into()
    }
}

impl From<&Self> for Like {
    fn from(like: &Self) -> Self {
        like.clone()
    }
}

impl From<DType> for Like {
    fn from(dtype: DType) -> Self {
        Self(Ok(Wanted {
            dtype: Some(dtype),
            ..Wanted::default()
        }))
    }
}

impl fmt::Debug for Like {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Err(error) => write!(f, "like: {error}"),
            Ok(wanted) => {
                f.write_str("like")?;
                let dtype = wanted.dtype.map(DType::name);
                let place = wanted.place.map(Place::name);
                for word in [place, dtype, wanted.device.as_deref()].iter().flatten() {
                    write!(f, " {word}")?;
                }
                Ok(())
            }
        }
    }
}

thread_local! {
    /// The blocks around the code that runs on this thread, the innermost last, each with what its outer ones say.
    static BLOCKS: RefCell<Vec<Wanted>> = const { RefCell::new(Vec::new()) };
}

/// A block in which new arrays are made as it says. It ends when it is dropped, also by a panic.
#[must_use = "the block ends when it is dropped"]
pub(crate) struct Block(PhantomData<*const ()>);

impl Block {
    /// Begins a block inside those that are there.
    pub(crate) fn enter(wanted: Wanted) -> Self {
        let wanted = wanted.or(innermost());
        BLOCKS.with_borrow_mut(|blocks| blocks.push(wanted));
        Self(PhantomData)
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        BLOCKS.with_borrow_mut(Vec::pop);
    }
}

/// The options of the blocks around this.
pub(crate) fn innermost() -> Wanted {
    BLOCKS.with_borrow(|blocks| blocks.last().cloned().unwrap_or_default())
}

/// Where calls belong that are given no array, if a block says.
pub(crate) fn innermost_place() -> Option<Place> {
    BLOCKS.with_borrow(|blocks| blocks.last().and_then(|wanted| wanted.place))
}

/// The library of calls that are given no array.
pub(crate) fn innermost_library() -> &'static dyn AnyLibrary {
    match innermost_place() {
        Some(Place::Library(library)) => library,
        Some(Place::Lazy) | None => default_library(),
    }
}

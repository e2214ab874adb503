//! `Flattener` and `Unflattener`: what implementations of [`Tree`](crate::Tree) talk to.
//!
//! Both sides name the same steps in the same order. The reading side checks every step, because a
//! structure may come from elsewhere.

use std::borrow::Cow;
use std::cell::Cell;

use num_complex::Complex64;

use super::structure::{Record, Structure, Token};
use crate::Array;
use autojit_ir::error::{Error, Result};
use autojit_library::list::List;

/// Collects the structure and the arrays of a tree. It borrows from the tree.
pub struct Flattener<'a> {
    tokens: List<Token<'a>, 8, Token<'static>>,
    arrays: List<&'a Array, 8, &'static Array>,
    failure: Option<Error>,
    depth: usize,
}

thread_local! {
    static TOKENS: Cell<Vec<Token<'static>>> = const { Cell::new(Vec::new()) };
    static ARRAYS: Cell<Vec<&'static Array>> = const { Cell::new(Vec::new()) };
}

impl Default for Flattener<'_> {
    #[inline(always)]
    fn default() -> Self {
        Self {
            tokens: List::new(&TOKENS),
            arrays: List::new(&ARRAYS),
            failure: None,
            depth: 0,
        }
    }
}

/// The most boxes, lists and maps inside of each other. Trees are walked by functions that call each other, as deep as the
/// tree, so a longer chain would not fit on every stack.
pub(super) const DEEPEST: usize = 256;

fn too_deep() -> Error {
    Error::tree(format!(
        "a tree can have {DEEPEST} boxes, lists and maps inside of each other, got more"
    ))
}

impl<'a> Flattener<'a> {
    /// Takes apart what is inside of a box, a list or a map.
    pub(super) fn inside(&mut self, flatten: impl FnOnce(&mut Self)) {
        if self.depth >= DEEPEST {
            return self.fail(too_deep());
        }
        self.depth += 1;
        flatten(self);
        self.depth -= 1;
    }

    /// With nothing in it.
    #[must_use]
    #[inline(always)]
    pub fn new() -> Self {
        Self::default()
    }

    /// An array.
    #[inline]
    pub fn array(&mut self, array: &'a Array) {
        self.tokens.push_with(|| Token::Array);
        self.arrays.push(array);
    }

    /// A tuple of `len` trees, which follow.
    #[inline]
    pub fn tuple(&mut self, len: usize) {
        self.tokens.push_with(|| Token::Tuple(len));
    }

    /// A list of `len` trees, which follow.
    pub fn list(&mut self, len: usize) {
        self.tokens.push_with(|| Token::List(len));
    }

    /// A map of `len` entries, which follow in an order that the keys decide.
    pub fn map(&mut self, len: usize) {
        self.tokens.push_with(|| Token::Map(len));
    }

    /// The key of an entry, whose tree follows.
    pub fn key(&mut self, key: &'a str) {
        self.tokens.push_with(|| Token::Key(Cow::Borrowed(key)));
    }

    /// An option; its tree follows if it has one.
    pub fn option(&mut self, is_some: bool) {
        match is_some {
            true => self.tokens.push_with(|| Token::Some),
            false => self.tokens.push_with(|| Token::None),
        }
    }

    /// A struct or a variant, whose fields follow.
    pub fn record(&mut self, record: &'static Record) {
        self.tokens.push_with(|| Token::Record(record));
    }

    /// A static truth value.
    pub fn bool(&mut self, value: bool) {
        self.tokens.push_with(|| Token::Bool(value));
    }

    /// A static integer.
    pub fn int(&mut self, value: i128) {
        self.tokens.push_with(|| Token::Int(value));
    }

    /// A static real number.
    pub fn float(&mut self, value: f64) {
        self.tokens.push_with(|| Token::Float(value.to_bits()));
    }

    /// A static complex number.
    pub fn complex(&mut self, value: Complex64) {
        self.tokens
            .push_with(|| Token::Complex(value.re.to_bits(), value.im.to_bits()));
    }

    /// A static text.
    pub fn text(&mut self, value: &'a str) {
        self.tokens.push_with(|| Token::Text(Cow::Borrowed(value)));
    }

    /// A static text that lives as long as the program.
    pub fn static_text(&mut self, value: &'static str) {
        self.tokens.push_with(|| Token::StaticText(value));
    }

    /// There is no tree, for this reason. The first reason stays.
    pub fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(error);
    }

    #[inline]
    pub(crate) fn check(&mut self) -> Result<()> {
        self.failure.take().map_or(Ok(()), Err)
    }

    #[inline]
    pub(crate) fn tokens(&self) -> &[Token<'a>] {
        &self.tokens
    }

    #[inline]
    pub(crate) fn arrays(&self) -> &[&'a Array] {
        &self.arrays
    }

    pub(crate) fn structure(&self) -> Structure {
        Structure::from_tokens(&self.tokens)
    }
}

/// One step of a structure, as [`Unflattener::next_part`] gives it.
#[derive(Clone, Debug)]
pub enum Part<'t> {
    /// An array.
    Array(Array),
    /// A tuple of so many trees, which follow.
    Tuple(usize),
    /// A list of so many trees, which follow.
    List(usize),
    /// A map of so many entries, which follow.
    Map(usize),
    /// The key of an entry, whose tree follows.
    Key(&'t str),
    /// An option; its tree follows if it has one.
    Option(bool),
    /// A struct or a variant, whose fields follow.
    Record(&'static Record),
    /// The name of a struct or a variant of an exported function that was loaded, whose fields follow.
    LoadedRecord(&'t str),
    /// A static truth value.
    Bool(bool),
    /// A static integer.
    Int(i128),
    /// A static real number.
    Float(f64),
    /// A static complex number.
    Complex(Complex64),
    /// A static text.
    Text(&'t str),
}

/// Hands out what a [`Flattener`] collected, step by step.
pub struct Unflattener<'t> {
    tokens: std::slice::Iter<'t, Token<'t>>,
    arrays: &'t mut dyn Iterator<Item = Array>,
    depth: usize,
}

macro_rules! take {
    ($self:ident, $expected:literal, $($pattern:pat => $value:expr),+) => {
        match $self.tokens.next() {
            $(Some($pattern) => Ok($value),)+
            other => Err(mismatch($expected, other)),
        }
    };
}

impl<'t> Unflattener<'t> {
    #[inline]
    pub(super) fn new(tokens: &'t [Token<'t>], arrays: &'t mut dyn Iterator<Item = Array>) -> Self {
        Self {
            tokens: tokens.iter(),
            arrays,
            depth: 0,
        }
    }

    /// Whatever stands next, for a type that takes trees of any structure: members follow where [`Part`] counts them.
    ///
    /// # Errors
    /// The structure is at its end, or the arrays have run out.
    pub fn next_part(&mut self) -> Result<Part<'t>> {
        let part = match self.tokens.next() {
            None => return Err(Error::tree("expected another part of a tree")),
            Some(Token::Array) => {
                let array = self.arrays.next();
                return array
                    .map(Part::Array)
                    .ok_or_else(|| Error::tree("there are fewer arrays than the structure takes"));
            }
            Some(Token::Tuple(len)) => Part::Tuple(*len),
            Some(Token::List(len)) => Part::List(*len),
            Some(Token::Map(len)) => Part::Map(*len),
            Some(Token::Key(key)) => Part::Key(key),
            Some(Token::Some) => Part::Option(true),
            Some(Token::None) => Part::Option(false),
            Some(Token::Record(record)) => Part::Record(record),
            Some(Token::LoadedRecord(record)) => Part::LoadedRecord(&record.name),
            Some(Token::Bool(value)) => Part::Bool(*value),
            Some(Token::Int(value)) => Part::Int(*value),
            Some(Token::Float(bits)) => Part::Float(f64::from_bits(*bits)),
            Some(Token::Complex(re, im)) => {
                Part::Complex(Complex64::new(f64::from_bits(*re), f64::from_bits(*im)))
            }
            Some(Token::Text(text)) => Part::Text(text),
            Some(Token::StaticText(text)) => Part::Text(text),
        };
        Ok(part)
    }

    /// Whether nothing is left.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.tokens.as_slice().is_empty()
    }

    /// How many trees there can be at most, of so many that are said to follow: a structure may come from elsewhere.
    pub(super) fn at_most(&self, len: usize) -> usize {
        len.min(self.tokens.as_slice().len())
    }

    /// Puts together what is inside of a box, a list or a map.
    pub(super) fn inside<T>(
        &mut self,
        unflatten: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        if self.depth >= DEEPEST {
            return Err(too_deep());
        }
        self.depth += 1;
        let tree = unflatten(self);
        self.depth -= 1;
        tree
    }

    /// An array.
    ///
    /// # Errors
    /// Something else stands here, or the arrays have run out.
    #[inline]
    pub fn array(&mut self) -> Result<Array> {
        take!(self, "an array", Token::Array => ())?;
        self.arrays
            .next()
            .ok_or_else(|| Error::tree("there are fewer arrays than the structure takes"))
    }

    /// A tuple of `len`, whose trees follow.
    ///
    /// # Errors
    /// Something else stands here.
    #[inline]
    pub fn tuple(&mut self, len: usize) -> Result<()> {
        match self.tokens.next() {
            Some(Token::Tuple(n)) if *n == len => Ok(()),
            other => Err(no_tuple(len, other)),
        }
    }

    /// The length of a list, whose trees follow.
    ///
    /// # Errors
    /// Something else stands here.
    pub fn list(&mut self) -> Result<usize> {
        take!(self, "a list", Token::List(n) => *n)
    }

    /// The number of entries of a map, which follow.
    ///
    /// # Errors
    /// Something else stands here.
    pub fn map(&mut self) -> Result<usize> {
        take!(self, "a map", Token::Map(n) => *n)
    }

    /// The key of an entry, whose tree follows.
    ///
    /// # Errors
    /// Something else stands here.
    pub fn key(&mut self) -> Result<String> {
        take!(self, "a key", Token::Key(key) => key.clone().into_owned())
    }

    /// Whether an option has a value, which then follows.
    ///
    /// # Errors
    /// Something else stands here.
    pub fn option(&mut self) -> Result<bool> {
        take!(self, "an option", Token::Some => true, Token::None => false)
    }

    /// Which one of `records` stands here; its fields follow.
    ///
    /// # Errors
    /// Something else stands here.
    pub fn record(&mut self, records: &[&'static Record]) -> Result<usize> {
        let token = self.tokens.next();
        let position = match token {
            Some(Token::Record(found)) => records.iter().position(|r| r == found),
            Some(Token::LoadedRecord(found)) => records.iter().position(|r| found.is(r)),
            _ => None,
        };
        position.ok_or_else(|| {
            let names: Vec<_> = records.iter().map(|r| format!("`{}`", r.name)).collect();
            mismatch(&names.join(" or "), token)
        })
    }

    /// A static truth value.
    ///
    /// # Errors
    /// Something else stands here.
    pub fn bool(&mut self) -> Result<bool> {
        take!(self, "a static bool", Token::Bool(b) => *b)
    }

    /// A static integer.
    ///
    /// # Errors
    /// Something else stands here, or it does not fit the type.
    pub fn int<T: TryFrom<i128>>(&mut self) -> Result<T> {
        let value = take!(self, "a static integer", Token::Int(i) => *i)?;
        value.try_into().map_err(|_| {
            let ty = std::any::type_name::<T>();
            Error::tree(format!("the static integer {value} does not fit {ty}"))
        })
    }

    /// A static real number.
    ///
    /// # Errors
    /// Something else stands here.
    pub fn float(&mut self) -> Result<f64> {
        take!(self, "a static float", Token::Float(bits) => f64::from_bits(*bits))
    }

    /// A static complex number.
    ///
    /// # Errors
    /// Something else stands here.
    pub fn complex(&mut self) -> Result<Complex64> {
        take!(self, "a static complex number",
            Token::Complex(re, im) => Complex64::new(f64::from_bits(*re), f64::from_bits(*im)))
    }

    /// A static text.
    ///
    /// # Errors
    /// Something else stands here.
    pub fn text(&mut self) -> Result<String> {
        take!(self, "a static string",
            Token::Text(text) => text.clone().into_owned(),
            Token::StaticText(text) => (*text).to_owned())
    }

    /// A static text that lives as long as the program.
    ///
    /// # Errors
    /// Something else stands here.
    pub fn static_text(&mut self) -> Result<&'static str> {
        take!(self, "a static string", Token::StaticText(text) => *text)
    }
}

#[cold]
fn no_tuple(len: usize, found: Option<&Token<'_>>) -> Error {
    mismatch(&format!("a tuple of {len}"), found)
}

#[cold]
fn mismatch(expected: &str, found: Option<&Token<'_>>) -> Error {
    let found = found.map_or_else(|| "the end".into(), Token::kind);
    Error::tree(format!("expected {expected}, got {found}"))
}

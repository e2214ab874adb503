//! `Structure`: a tree without its arrays, as a list of tokens in the order of a walk, parents first.
//!
//! Tokens compare by value; floats by their bits. They borrow strings where they can, so that looking up a
//! call does not allocate; an owned structure has `'static` tokens.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use autojit_ir::error::{Error, Result};

/// One step of the walk over a tree. What follows a container are its members, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Token<'a> {
    /// The place of an array.
    Array,
    /// A tuple of so many.
    Tuple(usize),
    /// A `Vec` or an array of so many.
    List(usize),
    /// A map of so many entries; each is a key and a tree.
    Map(usize),
    /// The key of an entry.
    Key(Cow<'a, str>),
    /// An option with a value, which follows.
    Some,
    /// An option without one.
    None,
    /// A user's struct or variant; its fields follow.
    Record(&'static Record),
    /// The same from a file: no type of this program wrote it.
    LoadedRecord(Arc<LoadedRecord>),
    /// A static truth value.
    Bool(bool),
    /// A static integer of any type.
    Int(i128),
    /// The bits of a static real number.
    Float(u64),
    /// The bits of a static complex number.
    Complex(u64, u64),
    /// A static text.
    Text(Cow<'a, str>),
    /// A static text that lives as long as the program.
    StaticText(&'static str),
}

impl Token<'_> {
    /// Whether they are equal; for what most calls consist of this is cheaper than `==`.
    #[inline]
    pub(crate) fn is(&self, other: &Token<'_>) -> bool {
        match (self, other) {
            (Self::Array, Token::Array) => true,
            (Self::Tuple(n), Token::Tuple(m)) => n == m,
            _ => self == other,
        }
    }

    /// The same token with its own strings.
    pub(crate) fn to_static(&self) -> Token<'static> {
        match self {
            Self::Array => Token::Array,
            Self::Tuple(n) => Token::Tuple(*n),
            Self::List(n) => Token::List(*n),
            Self::Map(n) => Token::Map(*n),
            Self::Key(key) => Token::Key(Cow::Owned(key.clone().into_owned())),
            Self::Some => Token::Some,
            Self::None => Token::None,
            Self::Record(record) => Token::Record(record),
            Self::LoadedRecord(record) => Token::LoadedRecord(Arc::clone(record)),
            Self::Bool(b) => Token::Bool(*b),
            Self::Int(i) => Token::Int(*i),
            Self::Float(x) => Token::Float(*x),
            Self::Complex(re, im) => Token::Complex(*re, *im),
            Self::Text(text) => Token::Text(Cow::Owned(text.clone().into_owned())),
            Self::StaticText(text) => Token::StaticText(text),
        }
    }

    /// How many trees follow as members.
    pub(crate) fn members(&self) -> usize {
        match self {
            Self::Tuple(n) | Self::List(n) | Self::Map(n) => *n,
            Self::Some => 1,
            Self::Record(record) => record.len,
            Self::LoadedRecord(record) => record.len,
            _ => 0,
        }
    }

    /// Whether both say the same, where one may have been read from a file.
    pub(crate) fn is_same(&self, other: &Token<'_>) -> bool {
        match (self, other) {
            (Token::LoadedRecord(loaded), Token::Record(record))
            | (Token::Record(record), Token::LoadedRecord(loaded)) => loaded.is(record),
            (Token::Text(x), Token::StaticText(y)) => x == y,
            (Token::StaticText(x), Token::Text(y)) => x == y,
            _ => self == other,
        }
    }

    /// Whether it stands for a value that is compiled in.
    pub(crate) fn is_static(&self) -> bool {
        matches!(
            self,
            Self::Bool(_)
                | Self::Int(_)
                | Self::Float(_)
                | Self::Complex(..)
                | Self::Text(_)
                | Self::StaticText(_)
        )
    }

    /// Its kind, for messages.
    pub(crate) fn kind(&self) -> String {
        match self {
            Self::Array => "an array".into(),
            Self::Tuple(n) => format!("a tuple of {n}"),
            Self::List(n) => format!("a list of {n}"),
            Self::Map(n) => format!("a map of {n}"),
            Self::Key(key) => format!("the key {key:?}"),
            Self::Some => "an option with a value".into(),
            Self::None => "an option without a value".into(),
            Self::Record(record) => format!("`{}`", record.name),
            Self::LoadedRecord(record) => format!("`{}`", record.name),
            Self::Bool(_) => "a static bool".into(),
            Self::Int(_) => "a static integer".into(),
            Self::Float(_) => "a static float".into(),
            Self::Complex(..) => "a static complex number".into(),
            Self::Text(_) | Self::StaticText(_) => "a static string".into(),
        }
    }
}

/// A [`Record`] that was read from a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LoadedRecord {
    pub(crate) name: String,
    pub(crate) fields: Vec<String>,
    pub(crate) len: usize,
}

impl LoadedRecord {
    /// Whether it says what this type says of itself.
    pub(crate) fn is(&self, record: &Record) -> bool {
        (self.name.as_str(), self.len) == (record.name, record.len) && self.fields == record.fields
    }
}

/// The name and the fields of a user's struct, or of one variant of an enum. The derive macro writes it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Record {
    pub(crate) name: &'static str,
    /// Empty if the fields have numbers instead of names.
    pub(crate) fields: &'static [&'static str],
    pub(crate) len: usize,
}

impl Record {
    /// With named fields.
    #[must_use]
    pub const fn named(name: &'static str, fields: &'static [&'static str]) -> Self {
        Self {
            name,
            fields,
            len: fields.len(),
        }
    }

    /// With `len` fields that have numbers, or none at all.
    #[must_use]
    pub const fn unnamed(name: &'static str, len: usize) -> Self {
        Self {
            name,
            fields: &[],
            len,
        }
    }

    /// The name or the number of a field.
    pub(crate) fn field(&self, index: usize) -> String {
        self.fields
            .get(index)
            .map_or_else(|| index.to_string(), ToString::to_string)
    }
}

/// Everything of a tree but its arrays; prints them as `*`, as in `(*, {"a": *}, 3)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Structure(Box<[Token<'static>]>);

impl Structure {
    pub(crate) fn from_tokens(tokens: &[Token<'_>]) -> Self {
        Self(tokens.iter().map(Token::to_static).collect())
    }

    /// One array, or a tuple of any other number of them.
    pub(crate) fn of_arrays(count: usize) -> Self {
        let arrays = std::iter::repeat_n(Token::Array, count);
        Self(match count {
            1 => arrays.collect(),
            _ => std::iter::once(Token::Tuple(count)).chain(arrays).collect(),
        })
    }

    /// From tokens that were read.
    ///
    /// # Errors
    /// As [`Structure::check`].
    pub(crate) fn checked(tokens: Vec<Token<'static>>) -> Result<Self> {
        let structure = Self(tokens.into());
        structure.check()?;
        Ok(structure)
    }

    /// Checks that the tokens can be written and read: they are exactly one tree, which is not nested deeper than
    /// printing is safe.
    ///
    /// # Errors
    /// They are not.
    pub(crate) fn check(&self) -> Result<()> {
        let well_formed = |token: &Token<'_>| match token {
            Token::LoadedRecord(r) => r.fields.is_empty() || r.fields.len() == r.len,
            Token::Record(r) => r.fields.is_empty() || r.fields.len() == r.len,
            _ => true,
        };
        if !self.0.iter().all(well_formed) {
            return Err(not_one_tree());
        }
        check_one_tree(&self.0)
    }

    pub(crate) fn tokens(&self) -> &[Token<'static>] {
        &self.0
    }

    /// Whether there is a text in it that only this program has.
    pub(crate) fn has_static_text(&self) -> bool {
        self.0.iter().any(|t| matches!(t, Token::StaticText(_)))
    }

    /// The number of arrays.
    #[must_use]
    pub fn array_count(&self) -> usize {
        self.0.iter().filter(|t| **t == Token::Array).count()
    }
}

impl fmt::Display for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show_tokens(&self.0, &mut std::iter::repeat("*")))
    }
}

fn not_one_tree() -> Error {
    Error::tree("the tokens of a structure are not one tree")
}

/// Whether tokens are exactly one tree, with keys before the entries of maps and nowhere else.
fn check_one_tree(tokens: &[Token<'_>]) -> Result<()> {
    /// Printing is recursive, and files are not trusted.
    const DEEPEST: usize = 200;
    // For each container that is open: how many members are to come, and whether it is a map.
    let mut open = vec![(1_usize, false)];
    let mut expects_key = false;
    for token in tokens {
        if matches!(token, Token::Key(_)) != expects_key {
            return Err(not_one_tree());
        }
        if expects_key {
            expects_key = false;
            continue;
        }
        let (left, _) = open.last_mut().ok_or_else(not_one_tree)?;
        *left -= 1;
        if token.members() > 0 {
            open.push((token.members(), matches!(token, Token::Map(_))));
        }
        if open.len() > DEEPEST {
            return Err(Error::tree(format!(
                "expected a tree with fewer than {DEEPEST} levels, as what is written to a file has, got a deeper one"
            )));
        }
        while open.last().is_some_and(|&(left, _)| left == 0) {
            open.pop();
        }
        expects_key = open.last().is_some_and(|&(_, is_map)| is_map);
    }
    match open.is_empty() {
        true => Ok(()),
        false => Err(not_one_tree()),
    }
}

/// The tokens of the tree that starts here, and the rest.
pub(crate) fn subtree<'s, 'a>(tokens: &'s [Token<'a>]) -> (&'s [Token<'a>], &'s [Token<'a>]) {
    let mut open = 1;
    let mut len = 0;
    while open > 0 && len < tokens.len() {
        // A key belongs to the entry that follows it.
        if !matches!(tokens[len], Token::Key(_)) {
            open = open - 1 + tokens[len].members();
        }
        len += 1;
    }
    tokens.split_at(len)
}

/// Where each array of a tree stands, as in `[0].weights`; empty for a tree that is an array.
pub(crate) fn array_paths(tokens: &[Token<'_>]) -> Vec<String> {
    let mut paths = Vec::new();
    // For each open container: its token, its path, and the number of members that were visited.
    let mut open: Vec<(&Token<'_>, String, usize)> = Vec::new();
    let mut key: Option<&str> = None;
    for token in tokens {
        if let Token::Key(text) = token {
            key = Some(text);
            continue;
        }
        while open
            .last()
            .is_some_and(|(token, _, visited)| *visited == token.members())
        {
            open.pop();
        }
        let path = match open.last_mut() {
            None => String::new(),
            Some((container, path, visited)) => {
                let index = *visited;
                *visited += 1;
                match container {
                    Token::Tuple(_) => format!("{path}.{index}"),
                    Token::List(_) => format!("{path}[{index}]"),
                    Token::Map(_) => format!("{path}[{:?}]", key.take().unwrap_or_default()),
                    Token::Record(record) => format!("{path}.{}", record.field(index)),
                    // An option is the same place as what is in it.
                    _ => path.clone(),
                }
            }
        };
        if *token == Token::Array {
            paths.push(path);
        } else if token.members() > 0 {
            open.push((token, path, 0));
        }
    }
    paths
}

/// Prints one tree; `arrays` says how each array is shown.
pub(crate) fn show_tokens<A: fmt::Display>(
    tokens: &[Token<'_>],
    arrays: &mut dyn Iterator<Item = A>,
) -> String {
    let mut text = String::new();
    let mut printer = Printer {
        tokens: tokens.iter(),
        arrays,
    };
    // Writing into a string does not fail.
    let _ = printer.tree(&mut text);
    text
}

struct Printer<'t, 'a, A> {
    tokens: std::slice::Iter<'t, Token<'a>>,
    arrays: &'t mut dyn Iterator<Item = A>,
}

impl<A: fmt::Display> Printer<'_, '_, A> {
    fn tree(&mut self, out: &mut dyn fmt::Write) -> fmt::Result {
        let Some(token) = self.tokens.next() else {
            return Ok(());
        };
        match token {
            Token::Array => match self.arrays.next() {
                Some(array) => write!(out, "{array}"),
                None => out.write_str("?"),
            },
            Token::Tuple(n) => {
                out.write_str("(")?;
                self.members(out, *n)?;
                out.write_str(if *n == 1 { ",)" } else { ")" })
            }
            Token::List(n) => {
                out.write_str("[")?;
                self.members(out, *n)?;
                out.write_str("]")
            }
            Token::Map(n) => {
                out.write_str("{")?;
                self.members(out, *n)?;
                out.write_str("}")
            }
            Token::Key(key) => {
                write!(out, "{key:?}: ")?;
                self.tree(out)
            }
            Token::Some => {
                out.write_str("some(")?;
                self.tree(out)?;
                out.write_str(")")
            }
            Token::None => out.write_str("none"),
            Token::Record(record) => self.record(out, record.name, record.fields, record.len),
            Token::LoadedRecord(record) => {
                self.record(out, &record.name, &record.fields, record.len)
            }
            Token::Bool(b) => write!(out, "{b}"),
            Token::Int(i) => write!(out, "{i}"),
            Token::Float(bits) => write!(out, "{:?}", f64::from_bits(*bits)),
            Token::Complex(re, im) => {
                let (re, im) = (f64::from_bits(*re), f64::from_bits(*im));
                write!(out, "({re:?},{im:?})")
            }
            Token::Text(text) => write!(out, "{text:?}"),
            Token::StaticText(text) => write!(out, "{text:?}"),
        }
    }

    fn members(&mut self, out: &mut dyn fmt::Write, n: usize) -> fmt::Result {
        for i in 0..n {
            if i > 0 {
                out.write_str(", ")?;
            }
            self.tree(out)?;
        }
        Ok(())
    }

    fn record(
        &mut self,
        out: &mut dyn fmt::Write,
        name: &str,
        fields: &[impl fmt::Display],
        len: usize,
    ) -> fmt::Result {
        out.write_str(name)?;
        if len == 0 {
            return Ok(());
        }
        if fields.is_empty() {
            out.write_str("(")?;
            self.members(out, len)?;
            return out.write_str(")");
        }
        out.write_str(" { ")?;
        for (i, field) in fields.iter().enumerate() {
            let separator = if i == 0 { "" } else { ", " };
            write!(out, "{separator}{field}: ")?;
            self.tree(out)?;
        }
        out.write_str(" }")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_have_paths() {
        let tokens = [
            Token::Tuple(3),
            Token::Array,
            Token::List(2),
            Token::Array,
            Token::Int(3),
            Token::Map(1),
            Token::Key("a".into()),
            Token::Some,
            Token::Array,
        ];
        assert_eq!(array_paths(&tokens), [".0", ".1[0]", r#".2["a"]"#]);
        assert_eq!(array_paths(&[Token::Array]), [""]);
    }

    #[test]
    fn tokens_print_as_python_would() {
        let tokens = [
            Token::Tuple(4),
            Token::Array,
            Token::Map(2),
            Token::Key("a".into()),
            Token::Array,
            Token::Key("b".into()),
            Token::List(0),
            Token::Int(3),
            Token::Tuple(1),
            Token::Some,
            Token::Float((-0.0f64).to_bits()),
        ];
        let text = show_tokens(&tokens, &mut ["f64[3]", "f64[2]"].iter());
        assert_eq!(
            text,
            r#"(f64[3], {"a": f64[2], "b": []}, 3, (some(-0.0),))"#
        );
    }

    #[test]
    fn tokens_from_a_file_must_be_one_tree() {
        let key = || Token::Key("a".into());
        let record = |fields: &[&str], len| {
            Token::LoadedRecord(Arc::new(LoadedRecord {
                name: "R".into(),
                fields: fields.iter().map(ToString::to_string).collect(),
                len,
            }))
        };
        let good = [
            vec![Token::Array],
            vec![Token::Tuple(0)],
            vec![
                Token::Map(1),
                key(),
                Token::List(2),
                Token::Array,
                Token::None,
            ],
            vec![
                Token::Tuple(2),
                Token::Map(1),
                key(),
                Token::Array,
                Token::Int(3),
            ],
            vec![record(&["x"], 1), Token::Array],
        ];
        for tokens in good {
            assert!(Structure::checked(tokens.clone()).is_ok(), "{tokens:?}");
        }
        let bad = [
            vec![],
            vec![Token::Array, Token::Array],
            vec![Token::Tuple(1)],
            vec![Token::Tuple(usize::MAX), Token::Array],
            vec![Token::Map(usize::MAX), key(), Token::Array],
            vec![Token::Map(1), Token::Array, key()],
            vec![Token::Map(1), key(), key(), Token::Array],
            vec![Token::Tuple(2), key(), Token::Array],
            vec![key()],
            vec![record(&["x"], 2), Token::Array, Token::Array],
            [vec![Token::Some; 1000], vec![Token::None]].concat(),
        ];
        for tokens in bad {
            assert!(Structure::checked(tokens.clone()).is_err(), "{tokens:?}");
        }
    }

    #[test]
    fn a_subtree_ends_where_its_last_member_ends() {
        let tokens = [
            Token::Map(2),
            Token::Key("a".into()),
            Token::Array,
            Token::Key("b".into()),
            Token::Some,
            Token::Array,
            Token::None,
        ];
        let (first, rest) = subtree(&tokens);
        assert_eq!((first.len(), rest), (6, &[Token::None][..]));
    }
}

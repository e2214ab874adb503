//! `Signature`: the key under which compiled code is kept, and, in words, why a call needed new code.
//!
//! Two calls have one signature if nothing that the closure can see, except the numbers in the arrays, differs:
//! the tree with its static values, and per array the dtype, the shape and the library; and if they ask for the
//! same backend with the same options. Looking up needs no owned signature: a [`Query`] borrows from the call.

use std::fmt;
use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use crate::tree::{Token, show_tokens, subtree};
use autojit_ir::ArrayType;
use autojit_library::Concrete;

/// How a call is to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Options {
    /// The name of the backend that is asked first.
    pub(crate) backend: &'static str,
    /// Whether an error follows if that one declines.
    pub(crate) strict: bool,
    /// The library of calls that are given no array.
    pub(crate) library: &'static str,
    /// How often functions were registered: what was compiled before may stand for others now.
    pub(crate) registrations: u64,
}

/// Whether two names are the same; nearly always they are one and the same, which is cheaper to see.
#[inline]
pub(crate) fn is_same_name(x: &'static str, y: &'static str) -> bool {
    std::ptr::eq(x, y) || x == y
}

impl Options {
    #[inline]
    fn are(&self, other: &Self) -> bool {
        self.registrations == other.registrations
            && self.strict == other.strict
            && is_same_name(self.backend, other.backend)
            && is_same_name(self.library, other.library)
    }
}

/// The signature of a call, borrowed from its arguments.
#[derive(Clone, Copy)]
pub(crate) struct Query<'q, 'a> {
    pub(crate) tokens: &'q [Token<'a>],
    pub(crate) arrays: &'q [&'a Concrete],
    pub(crate) options: Options,
}

/// The signature of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    tokens: Box<[Token<'static>]>,
    arrays: Box<[ArrayKey]>,
    options: Options,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct ArrayKey {
    ty: ArrayType,
    /// Whether it is an array in main memory, of ndarray: these have no other library to compare.
    in_memory: bool,
    library: &'static str,
}

impl Query<'_, '_> {
    /// A hash that equal signatures share.
    pub(crate) fn hash(&self) -> u64 {
        let mut hasher = FxHasher::default();
        self.tokens.hash(&mut hasher);
        for array in self.arrays {
            array.ty().hash(&mut hasher);
        }
        self.options.hash(&mut hasher);
        hasher.finish()
    }

    pub(crate) fn signature(self) -> Signature {
        let key = |array: &&Concrete| ArrayKey {
            ty: array.ty(),
            in_memory: matches!(array, Concrete::Ndarray(_)),
            library: array.library().name(),
        };
        Signature {
            tokens: self.tokens.iter().map(Token::to_static).collect(),
            arrays: self.arrays.iter().map(key).collect(),
            options: self.options,
        }
    }
}

/// Prints as its [`Signature`] does.
impl fmt::Display for Query<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.signature().fmt(f)
    }
}

impl ArrayKey {
    /// Whether this is the key of an array; unlike comparing `ty()`, it never allocates.
    #[inline]
    fn matches(&self, array: &Concrete) -> bool {
        match array {
            Concrete::Ndarray(host) => {
                self.in_memory && host.dtype() == self.ty.dtype && self.ty.has_shape(host.shape())
            }
            Concrete::Foreign(foreign) => {
                *foreign.ty() == self.ty && is_same_name(self.library, foreign.library().name())
            }
        }
    }
}

impl Signature {
    /// Whether a call has this signature.
    #[inline]
    pub(crate) fn matches(&self, query: &Query<'_, '_>) -> bool {
        self.arrays.len() == query.arrays.len()
            && self
                .arrays
                .iter()
                .zip(query.arrays)
                .all(|(key, array)| key.matches(array))
            && self.tokens.len() == query.tokens.len()
            && self.tokens.iter().zip(query.tokens).all(|(x, y)| x.is(y))
            && self.options.are(&query.options)
    }

    /// In words, what is new since the signature `before`; calls count their arguments from 0.
    pub(crate) fn diff(&self, before: &Self) -> String {
        let mut diff = Diff::default();
        diff.options(before.options, self.options);
        diff.trees(&mut before.cursor(), &mut self.cursor(), &Path::Root);
        diff.into_words()
    }

    fn cursor(&self) -> Cursor<'_> {
        Cursor {
            tokens: &self.tokens,
            arrays: &self.arrays,
        }
    }
}

/// Prints the tree with the types of its arrays, as in `(f64[3], {"a": f64[2]}, 3)`.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut types = self.arrays.iter().map(|a| &a.ty);
        f.write_str(&show_tokens(&self.tokens, &mut types))
    }
}

/// A position in a signature.
struct Cursor<'s> {
    tokens: &'s [Token<'static>],
    arrays: &'s [ArrayKey],
}

impl<'s> Cursor<'s> {
    fn next(&mut self) -> Option<&'s Token<'static>> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn next_array(&mut self) -> Option<&'s ArrayKey> {
        let (first, rest) = self.arrays.split_first()?;
        self.arrays = rest;
        Some(first)
    }

    /// Steps over a tree and prints it.
    fn skip(&mut self) -> String {
        let (tree, rest) = subtree(self.tokens);
        self.tokens = rest;
        let count = tree.iter().filter(|t| **t == Token::Array).count();
        let (arrays, rest) = self.arrays.split_at(count.min(self.arrays.len()));
        self.arrays = rest;
        let text = show_tokens(tree, &mut arrays.iter().map(|a| &a.ty));
        match tree.first() {
            // A long text hides what matters.
            Some(token) if text.len() > 80 => token.kind(),
            _ => text,
        }
    }
}

/// Where in the arguments something stands. It is printed only when something differs.
enum Path<'p> {
    Root,
    Member(&'p Path<'p>, Step<'p>),
}

enum Step<'p> {
    /// Of the outermost tuple: an argument of the call.
    Argument(usize),
    Tuple(usize),
    List(usize),
    Key(&'p str),
    Field(String),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Member(parent, step) = self else {
            return f.write_str("argument");
        };
        parent.fmt(f)?;
        match step {
            Step::Argument(i) => write!(f, " {i}"),
            Step::Tuple(i) => write!(f, ".{i}"),
            Step::List(i) => write!(f, "[{i}]"),
            Step::Key(key) => write!(f, "[{key:?}]"),
            Step::Field(name) => write!(f, ".{name}"),
        }
    }
}

#[derive(Default)]
struct Diff {
    reasons: Vec<String>,
}

impl Diff {
    fn options(&mut self, before: Options, now: Options) {
        if before.backend != now.backend {
            let (before, now) = (before.backend, now.backend);
            self.reasons
                .push(format!("the backend changed from {before} to {now}"));
        }
        if before.strict != now.strict {
            let (before, now) = (before.strict, now.strict);
            self.reasons
                .push(format!("strict changed from {before} to {now}"));
        }
        if before.library != now.library {
            let (before, now) = (before.library, now.library);
            self.reasons
                .push(format!("the library changed from {before} to {now}"));
        }
        if before.registrations != now.registrations {
            self.reasons.push("functions were registered".into());
        }
    }

    fn trees(&mut self, before: &mut Cursor<'_>, now: &mut Cursor<'_>, path: &Path<'_>) {
        let (Some(old), Some(new)) = (before.tokens.first(), now.tokens.first()) else {
            return;
        };
        if old != new {
            let is_static = old.is_static() && new.is_static();
            let (old, new) = (before.skip(), now.skip());
            let kind = if is_static { "static " } else { "" };
            self.reasons
                .push(format!("{kind}{path} changed from {old} to {new}"));
            return;
        }
        before.next();
        now.next();
        if *new == Token::Array {
            self.arrays(before.next_array(), now.next_array(), path);
        }
        for index in 0..new.members() {
            let step = match (new, path) {
                (Token::Tuple(_), Path::Root) => Step::Argument(index),
                (Token::Tuple(_), _) => Step::Tuple(index),
                (Token::List(_), _) => Step::List(index),
                (Token::Record(record), _) => Step::Field(record.field(index)),
                (Token::Map(_), _) => match (before.next(), now.next()) {
                    (Some(Token::Key(old)), Some(Token::Key(new))) => {
                        if old != new {
                            self.reasons
                                .push(format!("the key {old:?} of {path} changed to {new:?}"));
                        }
                        Step::Key(new)
                    }
                    _ => return,
                },
                // An option is the same place as what is in it.
                _ => {
                    self.trees(before, now, path);
                    continue;
                }
            };
            self.trees(before, now, &Path::Member(path, step));
        }
    }

    fn arrays(&mut self, before: Option<&ArrayKey>, now: Option<&ArrayKey>, path: &Path<'_>) {
        let (Some(old), Some(new)) = (before, now) else {
            return;
        };
        if old.ty != new.ty {
            let (old, new) = (&old.ty, &new.ty);
            self.reasons
                .push(format!("{path} changed from {old} to {new}"));
        }
        if old.library != new.library {
            let (old, new) = (old.library, new.library);
            self.reasons
                .push(format!("the library of {path} changed from {old} to {new}"));
        }
    }

    fn into_words(self) -> String {
        const SHOWN: usize = 4;
        if self.reasons.is_empty() {
            return "nothing changed; the code was dropped by clear()".into();
        }
        let mut words = self.reasons[..self.reasons.len().min(SHOWN)].join("; ");
        if self.reasons.len() > SHOWN {
            words += &format!("; and {} more", self.reasons.len() - SHOWN);
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use autojit_ir::DType;

    const OPTIONS: Options = Options {
        library: "ndarray",
        registrations: 0,
        backend: "replay",
        strict: false,
    };

    fn signature(tokens: &[Token<'static>], types: &[&str]) -> Signature {
        let key = |ty: &&str| ArrayKey {
            in_memory: true,
            ty: ty.parse().unwrap(),
            library: "ndarray",
        };
        Signature {
            tokens: tokens.into(),
            arrays: types.iter().map(key).collect(),
            options: OPTIONS,
        }
    }

    #[test]
    fn differences_are_put_in_words() {
        let pair = [Token::Tuple(2), Token::Array, Token::Array];
        let old = signature(&pair, &["f64[2]", "f64[3]"]);
        let new = signature(&pair, &["f64[2]", "f64[4]"]);
        assert_eq!(new.diff(&old), "argument 1 changed from f64[3] to f64[4]");

        let with = |n| signature(&[Token::Tuple(2), Token::Array, Token::Int(n)], &["f64[2]"]);
        assert_eq!(
            with(3).diff(&with(2)),
            "static argument 1 changed from 2 to 3"
        );
        assert_eq!(old.diff(&with(2)), "argument 1 changed from 2 to f64[3]");

        let list = |n: usize| {
            let tokens: Vec<_> = [Token::List(n)]
                .into_iter()
                .chain(vec![Token::Array; n])
                .collect();
            signature(&tokens, &vec!["f64[1]"; n])
        };
        assert_eq!(
            list(2).diff(&list(1)),
            "argument changed from [f64[1]] to [f64[1], f64[1]]"
        );
        assert_eq!(
            list(99).diff(&list(1)),
            "argument changed from [f64[1]] to a list of 99"
        );

        let mut strict = old.clone();
        strict.options = Options {
            backend: "cranelift",
            strict: true,
            ..OPTIONS
        };
        assert_eq!(
            strict.diff(&old),
            "the backend changed from replay to cranelift; strict changed from false to true"
        );
    }

    #[test]
    fn paths_lead_into_maps_and_options() {
        let map = |key: &'static str| {
            [
                Token::Tuple(1),
                Token::Map(1),
                Token::Key(key.into()),
                Token::Some,
                Token::Array,
            ]
        };
        let old = signature(&map("a"), &["f64[2]"]);
        let new = signature(&map("a"), &["f32[2]"]);
        assert_eq!(
            new.diff(&old),
            r#"argument 0["a"] changed from f64[2] to f32[2]"#
        );
        let other = signature(&map("b"), &["f64[2]"]);
        assert_eq!(
            other.diff(&old),
            r#"the key "a" of argument 0 changed to "b""#
        );
        assert_eq!(old.arrays[0].ty.dtype, DType::Float64);
    }
}

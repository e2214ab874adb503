//! Arguments of calls by name whose form varies: limits, sections, widths, modes.

use super::arguments::Argument;
use crate::numpy::along::Along;
use crate::numpy::arranging::{Padding, Widths};
use crate::numpy::blocks::Blocks;
use crate::numpy::einsum::Optimize;
use crate::numpy::joining::{Indexing, Sections, SplitAxis};
use crate::numpy::linalg::Uplo;
use crate::numpy::positions::{Order, OutOfRange};
use crate::numpy::quantiles::{Method, Quantile, method};
use crate::numpy::searching::Side;
use crate::numpy::signal::Overlap;
use crate::numpy::special::Limit;
use crate::{Operand, Value};
use autojit_ir::error::{Error, Result};

impl<'a> Argument<'a> {
    /// Nested lists of arrays.
    pub(super) fn blocks(&self) -> Result<Blocks<'a>> {
        /// NumPy's most axes.
        const DEEPEST: usize = 64;
        let value = self
            .value
            .ok_or_else(|| self.wrong("nested lists of arrays"))?;
        self.blocks_of(value, DEEPEST)
    }

    fn blocks_of(&self, value: &'a Value, deepest: usize) -> Result<Blocks<'a>> {
        let Value::List(list) = value else {
            return Ok(Blocks::One(self.item(value).operand()?));
        };
        if deepest == 0 {
            return Err(self.wrong("lists that are nested at most 64 deep"));
        }
        let items = list.iter().map(|item| self.blocks_of(item, deepest - 1));
        Ok(Blocks::List(items.collect::<Result<_>>()?))
    }

    /// A pair of arrays.
    pub(super) fn operand_pair(&self) -> Result<(Operand<'a>, Operand<'a>)> {
        match self.value {
            Some(Value::List(pair)) if pair.len() == 2 => Ok((
                self.item(&pair[0]).operand()?,
                self.item(&pair[1]).operand()?,
            )),
            _ => Err(self.wrong("a pair of arrays")),
        }
    }

    /// A triangular matrix, and whether it is the lower triangle.
    pub(super) fn factor(&self) -> Result<(Operand<'a>, Uplo)> {
        let Some(Value::List(pair)) = self.value else {
            return Err(self.wrong("a pair of an array and a bool"));
        };
        let [c, lower] = pair.as_slice() else {
            return Err(self.wrong("a pair of an array and a bool"));
        };
        let uplo = match self.item(lower).bool_or(false)? {
            true => Uplo::Lower,
            false => Uplo::Upper,
        };
        Ok((self.item(c).operand()?, uplo))
    }
}

impl Argument<'_> {
    /// One axis, the last unless it is given; Python's `None` flattens.
    pub(super) fn along(&self) -> Result<Along> {
        match self.value {
            None => Ok(Along::default()),
            Some(Value::None) => Ok(None.into()),
            Some(_) => self.int().map(Along::from),
        }
    }

    /// The axis along which to take an array apart.
    pub(super) fn split_axis(&self) -> Result<SplitAxis> {
        self.int_or(0).map(SplitAxis::from)
    }

    /// An array or a number, if one is given.
    pub(super) fn operand_option(&self) -> Result<Option<Operand<'static>>> {
        let given = self.given().map(|_| self.operand()).transpose()?;
        Ok(given.map(Operand::into_owned))
    }

    /// A limit under one name or the other.
    pub(super) fn limit(&self, other: &Argument<'_>) -> Result<Limit> {
        match (self.operand_option()?, other.operand_option()?) {
            (Some(_), Some(_)) => Err(Error::value(format!(
                "the arguments {} and {} mean the same, expected one of them",
                self.name, other.name
            ))),
            (one, other) => Ok(Limit(one.or(other))),
        }
    }

    /// How to order the contractions of `einsum`; a path may begin with its name, as NumPy's do.
    pub(super) fn optimize(&self) -> Result<Option<Optimize>> {
        let wrong = || self.wrong("a bool, a way to find a path, or a list of positions");
        Ok(Some(match self.given() {
            None => return Ok(None),
            Some(Value::Bool(optimize)) => (*optimize).into(),
            Some(Value::Str(name)) => name.as_str().into(),
            Some(Value::List(items)) => {
                let steps = match items.as_slice() {
                    [Value::Str(name), steps @ ..] if name == "einsum_path" => steps,
                    steps => steps,
                };
                let step = |step: &Value| match step {
                    Value::List(positions) => {
                        let position = |p: &Value| match p {
                            Value::Int(p) => usize::try_from(*p).map_err(|_| wrong()),
                            _ => Err(wrong()),
                        };
                        positions.iter().map(position).collect()
                    }
                    _ => Err(wrong()),
                };
                Optimize::Path(steps.iter().map(step).collect::<Result<_>>()?)
            }
            Some(_) => return Err(wrong()),
        }))
    }

    /// A number of parts, or the positions between them.
    pub(super) fn sections(&self) -> Result<Sections> {
        match self.value {
            Some(Value::List(_)) => self.integers().map(Sections::At),
            _ => self.int().map(Sections::Count),
        }
    }

    /// One width, or the widths before and after, or both for each axis.
    pub(super) fn widths(&self) -> Result<Widths> {
        let pair = |value: &Value| match value {
            Value::List(items) => match items.as_slice() {
                [Value::Int(width)] => Some((*width, *width)),
                [Value::Int(before), Value::Int(after)] => Some((*before, *after)),
                _ => None,
            },
            _ => None,
        };
        match self.value {
            Some(Value::Int(width)) => Ok((*width).into()),
            Some(value @ Value::List(items)) => {
                let each = items.iter().map(pair).collect::<Option<Vec<_>>>();
                let all = pair(value).map(|(before, after)| Widths::All(before, after));
                let widths = all.or_else(|| each.map(Widths::Each));
                widths.ok_or_else(|| self.wrong("a width or pairs of widths"))
            }
            _ => Err(self.wrong("a width or pairs of widths")),
        }
    }

    /// One of some words, the first unless it is given.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Result<T> {
        let given = match self.given() {
            None => words.first().map(|(_, meaning)| *meaning),
            Some(_) => {
                let text = self.text()?;
                let found = words.iter().find(|(word, _)| *word == text);
                found.map(|(_, meaning)| *meaning)
            }
        };
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        given.ok_or_else(|| self.wrong(&format!("one of {}", words.join(", "))))
    }

    /// How to pad, this being the mode.
    pub(super) fn padding(&self, number: &Argument<'_>) -> Result<Padding> {
        let number = number.scalar_option()?;
        self.word(&[
            (
                "constant",
                number.map_or_else(Padding::default, Padding::Constant),
            ),
            ("edge", Padding::Edge),
            ("reflect", Padding::Reflect),
            ("symmetric", Padding::Symmetric),
            ("wrap", Padding::Wrap),
        ])
    }

    /// `"left"` or `"right"`.
    pub(super) fn side(&self) -> Result<Side> {
        self.word(&[("left", Side::Left), ("right", Side::Right)])
    }

    /// Which sums of products, this being the mode.
    pub(super) fn overlap(&self, default: Overlap) -> Result<Overlap> {
        if self.given().is_none() {
            return Ok(default);
        }
        self.word(&[
            ("full", Overlap::Full),
            ("same", Overlap::Same),
            ("valid", Overlap::Valid),
        ])
    }

    /// The options of `quantile`, this being the method.
    pub(super) fn quantile(
        &self,
        axis: &Argument<'_>,
        keepdims: &Argument<'_>,
    ) -> Result<Quantile> {
        Ok(method(self.word(&Method::WORDS)?).axis(axis.reduction(keepdims)?))
    }

    /// `"C"` or `"F"`.
    pub(super) fn memory_order(&self) -> Result<Order> {
        self.word(&[("C", Order::C), ("F", Order::F)])
    }

    /// The treatment of positions out of range.
    pub(super) fn out_of_range(&self) -> Result<OutOfRange> {
        self.word(&[
            ("raise", OutOfRange::Raise),
            ("wrap", OutOfRange::Wrap),
            ("clip", OutOfRange::Clip),
        ])
    }

    /// `"xy"` or `"ij"`.
    pub(super) fn indexing(&self) -> Result<Indexing> {
        self.word(&[("xy", Indexing::Cartesian), ("ij", Indexing::Matrix)])
    }

    /// A real number, if one is given.
    pub(super) fn float_option(&self) -> Result<Option<f64>> {
        self.given().map(|_| self.float_or(0.0)).transpose()
    }

    /// An integer, if one is given.
    pub(super) fn int_option(&self) -> Result<Option<i64>> {
        self.given().map(|_| self.int()).transpose()
    }

    /// A pair of integers, or the default.
    pub(super) fn pair_or(&self, default: (i64, i64)) -> Result<(i64, i64)> {
        if self.given().is_none() {
            return Ok(default);
        }
        match *self.integers()?.0.as_slice() {
            [first, second] => Ok((first, second)),
            _ => Err(self.wrong("a pair of integers")),
        }
    }
}

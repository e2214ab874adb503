//! Subscripts of `einsum`: parsing, checking, and the shape of the result.
//!
//! Subscripts become an attribute only in *explicit* form: an arrow, no ellipsis, no spaces, so that equal
//! contractions compare equal. Labels are ASCII letters and digits, and for large networks any characters beyond ASCII that
//! are not white space; an axis label may repeat within an operand (a diagonal). Source: `numpy.einsum`.

pub mod path;

use rustc_hash::FxHashMap;

use super::types::{ArrayType, Shape};
use crate::error::{Error, Result};

/// One label per axis for each operand and for the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscripts {
    /// The labels of each operand.
    pub operands: Vec<Vec<char>>,
    /// The labels of the result.
    pub result: Vec<char>,
}

/// Whether a character can stand for an axis.
fn is_label(c: char) -> bool {
    c.is_ascii_alphanumeric() || !(c.is_ascii() || c.is_whitespace() || c.is_control())
}

/// The label with this number: letters first, then what opt_einsum's `get_symbol` gives or a neighbour of it.
fn label(number: usize) -> char {
    let letters = ('a'..='z').chain('A'..='Z');
    let beyond = ('\u{c0}'..=char::MAX).filter(|&c| is_label(c));
    letters.chain(beyond).nth(number).unwrap_or(char::MAX)
}

impl Subscripts {
    /// The same contraction with the labels `a`, `b`, .. in the order of their appearance, so that equal
    /// contractions written with other letters are equal.
    #[must_use]
    pub fn renamed(&self) -> Self {
        let mut names: FxHashMap<char, char> = FxHashMap::default();
        let mut rename = |labels: &[char]| -> Vec<char> {
            let name = |l: &char| {
                let next = names.len();
                *names.entry(*l).or_insert_with(|| label(next))
            };
            labels.iter().map(name).collect()
        };
        Self {
            operands: self.operands.iter().map(|o| rename(o)).collect(),
            result: rename(&self.result),
        }
    }

    /// Reads explicit subscripts such as `ij,jk->ik`.
    ///
    /// # Errors
    /// The text is not of this form, or a label of the result is in no operand or there twice.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |why: String| Error::value(format!("`{text}` is not valid for einsum: {why}"));
        let (operands, result) = text
            .split_once("->")
            .ok_or_else(|| wrong("expected an arrow".into()))?;
        let subscripts = Self {
            operands: operands.split(',').map(|o| o.chars().collect()).collect(),
            result: result.chars().collect(),
        };
        let all = subscripts
            .operands
            .iter()
            .flatten()
            .chain(&subscripts.result);
        if let Some(bad) = all.copied().find(|&c| !is_label(c)) {
            return Err(wrong(format!("`{bad}` is not a letter")));
        }
        for (i, label) in subscripts.result.iter().enumerate() {
            if subscripts.result[..i].contains(label) {
                return Err(wrong(format!("`{label}` is twice in the result")));
            }
            if !subscripts.operands.iter().any(|o| o.contains(label)) {
                return Err(wrong(format!("`{label}` of the result is in no operand")));
            }
        }
        Ok(subscripts)
    }

    /// Brings what users write into explicit form: adds the arrow, spells out ellipses, drops spaces.
    ///
    /// # Errors
    /// The number of operands or of their axes does not fit.
    pub fn normalize(text: &str, ndims: &[usize]) -> Result<Self> {
        let wrong = |why: String| Error::value(format!("`{text}` is not valid for einsum: {why}"));
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let (inputs, output) = match compact.split_once("->") {
            Some((inputs, output)) => (inputs, Some(output)),
            None => (compact.as_str(), None),
        };
        let parts: Vec<&str> = inputs.split(',').collect();
        if parts.len() != ndims.len() {
            return Err(wrong(format!(
                "it names {} operands, got {}",
                parts.len(),
                ndims.len()
            )));
        }
        // Letters for the axes that an ellipsis stands for: any that the text does not use.
        let mut widths = Vec::with_capacity(parts.len());
        for (part, &ndim) in parts.iter().zip(ndims) {
            let named = part.chars().filter(|c| *c != '.').count();
            let dots = part.contains("...");
            match ndim.checked_sub(named) {
                Some(width) if dots || width == 0 => widths.push(width),
                _ => {
                    return Err(wrong(format!(
                        "`{part}` does not fit an operand with {ndim} axes"
                    )));
                }
            }
        }
        if output.is_some() && !compact.contains('.') {
            return Self::parse(&compact);
        }
        let width = widths.iter().copied().max().unwrap_or(0);
        if width > 0 && output.is_some_and(|output| !output.contains("...")) {
            return Err(wrong(
                "the axes of `...` are not in the result; write `...` there, or labels in its place to sum over them".into(),
            ));
        }
        let unused: Vec<char> = ('A'..='Z')
            .chain('α'..='ω')
            .filter(|c| !compact.contains(*c))
            .take(width)
            .collect();
        if unused.len() < width {
            return Err(wrong("too many axes for the ellipsis".into()));
        }
        let spell = |part: &str, own: usize| -> String {
            part.replace("...", &unused[width - own..].iter().collect::<String>())
        };
        let operands: Vec<String> = parts
            .iter()
            .zip(&widths)
            .map(|(part, &own)| spell(part, own))
            .collect();
        let result = output.map_or_else(
            || {
                let mut once: Vec<char> = compact.chars().filter(|&c| is_label(c)).collect();
                once.sort_unstable();
                let repeats = once.chunk_by(|a, b| a == b);
                let named = repeats.filter_map(|same| match *same {
                    [label] => Some(label),
                    _ => None,
                });
                unused.iter().copied().chain(named).collect()
            },
            |output| spell(output, width),
        );
        Self::parse(&format!("{}->{result}", operands.join(",")))
    }

    /// The size of each label.
    ///
    /// Axes of length one do not stretch, except that NumPy lets an ellipsis broadcast: those labels were
    /// made by [`Subscripts::normalize`] and follow the same rule here.
    ///
    /// # Errors
    /// Two axes with one label have different sizes, or the number of operands or axes does not fit.
    pub fn sizes(&self, types: &[&ArrayType]) -> Result<FxHashMap<char, usize>> {
        if types.len() != self.operands.len() {
            return Err(Error::value(format!(
                "{self} names {} operands, got {}",
                self.operands.len(),
                types.len()
            )));
        }
        let mut sizes = FxHashMap::default();
        for (labels, ty) in self.operands.iter().zip(types) {
            if labels.len() != ty.ndim() {
                return Err(Error::shape(format!("{self} does not fit {ty}")));
            }
            // Within one operand a repeated label is a diagonal, where nothing stretches.
            for (axis, label) in labels.iter().enumerate() {
                let first = labels.iter().position(|l| l == label).unwrap_or(axis);
                if ty.shape[first] != ty.shape[axis] {
                    return Err(Error::shape(format!(
                        "label `{label}` is {} and {} long in {ty}, a diagonal needs equal lengths",
                        ty.shape[first], ty.shape[axis]
                    )));
                }
            }
            for (&label, &n) in labels.iter().zip(&ty.shape) {
                let size = sizes.entry(label).or_insert(n);
                if *size == 1 {
                    *size = n;
                } else if n != 1 && n != *size {
                    let other = types[0];
                    return Err(Error::shape(format!(
                        "label `{label}` is {size} and {n} long, got {ty} after {other}"
                    )));
                }
            }
        }
        Ok(sizes)
    }

    /// The shape of the result.
    ///
    /// # Errors
    /// See [`Subscripts::sizes`].
    pub fn result_shape(&self, types: &[&ArrayType]) -> Result<Shape> {
        let sizes = self.sizes(types)?;
        Ok(self.result.iter().map(|label| sizes[label]).collect())
    }
}

impl std::fmt::Display for Subscripts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let operands: Vec<String> = self.operands.iter().map(|o| o.iter().collect()).collect();
        write!(
            f,
            "{}->{}",
            operands.join(","),
            self.result.iter().collect::<String>()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn implicit_results_are_sorted() {
        let normal =
            |text, ndims: &[usize]| Subscripts::normalize(text, ndims).map(|s| s.to_string());
        assert_eq!(normal("ba", &[2]).unwrap(), "ba->ab");
        assert_eq!(normal("ij, jk", &[2, 2]).unwrap(), "ij,jk->ik");
        assert_eq!(normal("...ij,...jk", &[4, 3]).unwrap(), "ABij,Bjk->ABik");
        assert_eq!(normal("ii", &[2]).unwrap(), "ii->");
        for (bad, ndims) in [
            ("ij", &[3][..]),
            ("ij,jk", &[2]),
            ("ij->ijk", &[2]),
            ("ij->ii", &[2]),
            ("i+j->i", &[2]),
        ] {
            assert!(normal(bad, ndims).unwrap_err().is_value(), "{bad}");
        }
    }
}

//! `Display`: arrays in text, as `print(x)` shows them in NumPy with its default options.
//!
//! Eight digits after the point, lines of 75 characters, and only three elements at each end of an axis above
//! 1000 elements. Source: NumPy 2, `numpy/_core/arrayprint.py`. Nothing is computed: a lazy array shows its type
//! as `lazy f64[3,4]`, and a failed one its error in brackets.

use std::fmt;

use ndarray::{Axis, CowArray};
use num_complex::Complex;

use super::number_format::{Format, Number, alone};
use super::{Array, Repr};
use autojit_ir::{Element, HostArray, SharedArray, dispatch_host};

/// Above this many elements the middle is left out.
const THRESHOLD: usize = 1000;
/// How many elements stay at each end then.
const EDGE: usize = 3;
/// Characters of a line.
const LINE: usize = 75;

impl fmt::Display for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Lazy(node) => write!(f, "lazy {}", node.ty()),
            Repr::Traced(traced) => write!(f, "lazy {}", traced.ty()),
            Repr::Failed(error) => write!(f, "[{error}]"),
            Repr::Concrete(array) => match array.to_host() {
                Ok(array) => f.write_str(&print(&array)),
                Err(error) => write!(f, "[{error}]"),
            },
        }
    }
}

/// The text of an array.
fn print(array: &HostArray) -> String {
    if array.shape().contains(&0) {
        return "[]".into();
    }
    dispatch_host!(array, a => print_typed(a))
}

fn print_typed<T: Printed>(array: &SharedArray<T>) -> String {
    if let (0, Some(&x)) = (array.ndim(), array.first()) {
        return x.alone();
    }
    let summarize = array.len() > THRESHOLD;
    let mut corners = CowArray::from(array.view());
    let mut cuts = Vec::with_capacity(array.ndim());
    for (axis, &n) in array.shape().iter().enumerate() {
        cuts.push(summarize && n > 2 * EDGE);
        if cuts[axis] {
            let ends: Vec<usize> = (0..EDGE).chain(n - EDGE..n).collect();
            corners = corners.select(Axis(axis), &ends).into();
        }
    }
    // What is left out takes no part in the alignment.
    let elements: Vec<T> = corners.iter().copied().collect();
    let block = Block {
        words: &T::words(&elements),
        shape: corners.shape(),
        cuts: &cuts,
    };
    block.print(1, LINE)
}

/// Aligned words in nested brackets: NumPy's `_formatArray`.
struct Block<'a> {
    words: &'a [String],
    shape: &'a [usize],
    /// The axes whose middle is left out.
    cuts: &'a [bool],
}

impl Block<'_> {
    /// The block behind `indent` spaces, the first line without them.
    fn print(&self, indent: usize, width: usize) -> String {
        let Some((&n, rest)) = self.shape.split_first() else {
            return self.words.concat();
        };
        let size: usize = rest.iter().product();
        let nested = |i: usize| {
            let block = Block {
                words: &self.words[i * size..(i + 1) * size],
                shape: rest,
                cuts: &self.cuts[1..],
            };
            block.print(indent + 1, width.saturating_sub(1))
        };
        let mut items: Vec<String> = (0..n).map(nested).collect();
        if self.cuts[0] {
            items.insert(EDGE, "...".into());
        }
        let body = if rest.is_empty() {
            fill(&items, indent, width.saturating_sub(1))
        } else {
            let separator = "\n".repeat(rest.len()) + &" ".repeat(indent);
            items.join(&separator)
        };
        format!("[{body}]")
    }
}

/// Words one after the other, in lines of `width` characters.
fn fill(words: &[String], indent: usize, width: usize) -> String {
    let mut text = String::new();
    let mut line = indent;
    for (i, word) in words.iter().enumerate() {
        // A word that is too long for any line gains nothing from a new one.
        if line > indent && line + word.len() > width {
            text.truncate(text.trim_end().len());
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            line = indent;
        }
        text.push_str(word);
        line += word.len();
        if i + 1 < words.len() {
            text.push(' ');
            line += 1;
        }
    }
    text
}

/// Element types in text.
trait Printed: Element {
    /// One element that is not part of an array of one or more axes.
    fn alone(self) -> String;

    /// Elements of one array, aligned.
    fn words(elements: &[Self]) -> Vec<String>;
}

/// Words brought to the same length with spaces in front.
fn align(words: Vec<String>) -> Vec<String> {
    let width = words.iter().map(String::len).max().unwrap_or(0);
    words.into_iter().map(|w| format!("{w:>width$}")).collect()
}

impl Printed for bool {
    fn alone(self) -> String {
        if self { "True" } else { "False" }.into()
    }

    fn words(elements: &[Self]) -> Vec<String> {
        // NumPy leaves room for `False` even where there is none.
        elements
            .iter()
            .map(|b| format!("{:>5}", b.alone()))
            .collect()
    }
}

macro_rules! printed_integers {
    ($($t:ty)*) => {$(
        impl Printed for $t {
            fn alone(self) -> String {
                self.to_string()
            }

            fn words(elements: &[Self]) -> Vec<String> {
                align(elements.iter().map(ToString::to_string).collect())
            }
        }
    )*};
}

printed_integers! { i8 u8 i16 u16 i32 u32 i64 u64 }

macro_rules! printed_floats {
    ($($t:ty, $single:literal;)*) => {$(
        impl Printed for $t {
            fn alone(self) -> String {
                alone(Number { value: self.into(), single: $single }, ".0")
            }

            fn words(elements: &[Self]) -> Vec<String> {
                let numbers: Vec<Number> = elements
                    .iter()
                    .map(|&x| Number { value: x.into(), single: $single })
                    .collect();
                let format = Format::new(&numbers, false);
                numbers.iter().map(|&x| format.print(x)).collect()
            }
        }

        impl Printed for Complex<$t> {
            fn alone(self) -> String {
                let part = |x: $t| alone(Number { value: x.into(), single: $single }, "");
                // NumPy, like Python, leaves out a real part of positive zero.
                if self.re == 0.0 && self.re.is_sign_positive() {
                    return format!("{}j", part(self.im));
                }
                let plus = if self.im.is_sign_negative() && !self.im.is_nan() { "" } else { "+" };
                format!("({}{plus}{}j)", part(self.re), part(self.im))
            }

            fn words(elements: &[Self]) -> Vec<String> {
                let number = |x: $t| Number { value: x.into(), single: $single };
                let re: Vec<Number> = elements.iter().map(|z| number(z.re)).collect();
                let im: Vec<Number> = elements.iter().map(|z| number(z.im)).collect();
                let (re_format, im_format) = (Format::new(&re, false), Format::new(&im, true));
                re.iter()
                    .zip(&im)
                    .map(|(&re, &im)| {
                        // The `j` stands at the number, before the padding.
                        let im = im_format.print(im);
                        let digits = im.trim_end();
                        let padding = &im[digits.len()..];
                        format!("{}{digits}j{padding}", re_format.print(re))
                    })
                    .collect()
            }
        }
    )*};
}

printed_floats! {
    f32, true;
    f64, false;
}

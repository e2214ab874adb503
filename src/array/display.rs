//! `Display`: arrays in text, as `print(x)` shows them in NumPy with its default options.
//!
//! Eight digits after the point, lines of 75 characters, and only three elements at each end of an axis above
//! 1000 elements. Source: NumPy 2, `numpy/_core/arrayprint.py`. Nothing is computed: a lazy array shows its type
//! as `lazy f64[3,4]`, and a failed one its error in brackets.

use std::fmt;

use ndarray::{ArcArray, Axis, IxDyn};
use num_complex::Complex;

use super::{Array, Repr};
use crate::ir::{Element, HostArray, dispatch_host};

/// Digits after the point.
const PRECISION: usize = 8;
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

fn print_typed<T: Printed>(array: &ArcArray<T, IxDyn>) -> String {
    if let (0, Some(&x)) = (array.ndim(), array.first()) {
        return x.alone();
    }
    let summarize = array.len() > THRESHOLD;
    let mut corners = array.clone();
    let mut cuts = Vec::with_capacity(array.ndim());
    for (axis, &n) in array.shape().iter().enumerate() {
        cuts.push(summarize && n > 2 * EDGE);
        if cuts[axis] {
            let ends: Vec<usize> = (0..EDGE).chain(n - EDGE..n).collect();
            corners = corners.select(Axis(axis), &ends).into_shared();
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

printed_integers! { u8 i32 i64 }

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

/// A real number and its own precision, which its shortest digits depend on.
#[derive(Clone, Copy)]
struct Number {
    value: f64,
    single: bool,
}

impl Number {
    /// The shortest digits that read back as the same number, without an exponent.
    fn positional(self) -> String {
        if self.single {
            (self.value as f32).to_string()
        } else {
            self.value.to_string()
        }
    }

    /// Likewise, with an exponent such as `e-5`.
    fn scientific(self) -> String {
        if self.single {
            format!("{:e}", self.value as f32)
        } else {
            format!("{:e}", self.value)
        }
    }

    /// `nan` or `inf`, if it is one of them.
    fn special(self) -> Option<&'static str> {
        if self.value.is_nan() {
            Some("nan")
        } else if self.value == f64::INFINITY {
            Some("inf")
        } else if self.value == f64::NEG_INFINITY {
            Some("-inf")
        } else {
            None
        }
    }

    /// The whole part, and at most [`PRECISION`] digits after the point without trailing zeros.
    fn rounded_positional(self) -> (String, String) {
        let split = |text: String| match text.split_once('.') {
            Some((whole, fraction)) => {
                (whole.to_owned(), fraction.trim_end_matches('0').to_owned())
            }
            None => (text, String::new()),
        };
        let (whole, fraction) = split(self.positional());
        if fraction.len() <= PRECISION {
            return (whole, fraction);
        }
        split(format!("{:.PRECISION$}", self.value))
    }

    /// The digit before the point, at most [`PRECISION`] after it, and the exponent.
    fn rounded_scientific(self) -> (String, String, i32) {
        let split = |text: &str| {
            let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
            let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
            (
                whole.to_owned(),
                fraction.trim_end_matches('0').to_owned(),
                exponent.parse().unwrap_or(0),
            )
        };
        let shortest = split(&self.scientific());
        if shortest.1.len() <= PRECISION {
            return shortest;
        }
        split(&format!("{:.PRECISION$e}", self.value))
    }
}

/// Python's exponent: a sign and at least two digits.
fn exponent(e: i32, digits: usize) -> String {
    let sign = if e < 0 { '-' } else { '+' };
    format!("e{sign}{:0digits$}", e.abs())
}

/// A number by itself, in its shortest digits: `str` of NumPy's scalars.
fn alone(x: Number, whole_suffix: &str) -> String {
    if let Some(special) = x.special() {
        return special.into();
    }
    let magnitude = x.value.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        let text = x.scientific();
        let (mantissa, e) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{mantissa}{}", exponent(e.parse().unwrap_or(0), 2));
    }
    let text = x.positional();
    if text.contains('.') {
        text
    } else {
        text + whole_suffix
    }
}

/// How the real numbers of one array are aligned: NumPy's `FloatingFormat`.
struct Format {
    /// Whether positive numbers have a sign.
    plus: bool,
    exponential: bool,
    /// Characters before the point.
    left: usize,
    /// Characters after it: in exponential form the digits alone.
    right: usize,
    exponent_digits: usize,
}

impl Format {
    fn new(numbers: &[Number], plus: bool) -> Self {
        let finite = || numbers.iter().filter(|x| x.value.is_finite());
        let mut format = Self {
            plus,
            exponential: Self::needs_exponent(numbers),
            left: 0,
            right: 0,
            exponent_digits: 2,
        };
        for &x in finite() {
            let (whole, fraction) = if format.exponential {
                let (whole, fraction, e) = x.rounded_scientific();
                let digits = e.abs().to_string().len();
                format.exponent_digits = format.exponent_digits.max(digits);
                (whole, fraction)
            } else {
                x.rounded_positional()
            };
            format.left = format.left.max(format.signed(whole).len());
            format.right = format.right.max(fraction.len());
        }
        if finite().count() < numbers.len() {
            let behind = format.behind_point() + 1;
            let negative = plus || numbers.iter().any(|x| x.value == f64::NEG_INFINITY);
            format.left = format
                .left
                .max((3 + usize::from(negative)).saturating_sub(behind));
        }
        format
    }

    /// Whether the magnitudes are too large, too small or too far apart.
    fn needs_exponent(numbers: &[Number]) -> bool {
        let magnitudes = numbers
            .iter()
            .map(|x| x.value.abs())
            .filter(|x| *x > 0.0 && x.is_finite());
        let (low, high) = magnitudes.fold((f64::INFINITY, 0.0_f64), |(low, high), x| {
            (low.min(x), high.max(x))
        });
        let single = numbers.first().is_some_and(|x| x.single);
        // NumPy compares and divides in the precision of the array.
        let (least, most, ratio) = if single {
            (
                f64::from(1e-4_f32),
                1e6,
                f64::from(high as f32 / low as f32),
            )
        } else {
            (1e-4, 1e8, high / low)
        };
        high > 0.0 && (high >= most || low < least || ratio > 1000.0)
    }

    fn signed(&self, whole: String) -> String {
        if self.plus && !whole.starts_with('-') {
            format!("+{whole}")
        } else {
            whole
        }
    }

    /// Characters that stand behind the point.
    fn behind_point(&self) -> usize {
        if self.exponential {
            self.right + self.exponent_digits + 2
        } else {
            self.right
        }
    }

    fn print(&self, x: Number) -> String {
        let (left, right) = (self.left, self.right);
        if let Some(special) = x.special() {
            let width = left + self.behind_point() + 1;
            return format!("{:>width$}", self.signed(special.into()));
        }
        if self.exponential {
            // Exact digits, not zeros, follow where another number needs more digits than this one.
            let text = format!("{:.right$e}", x.value);
            let (mantissa, e) = text.split_once('e').unwrap_or((&text, "0"));
            let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
            let e = exponent(e.parse().unwrap_or(0), self.exponent_digits);
            format!("{:>left$}.{fraction}{e}", self.signed(whole.into()))
        } else {
            let (whole, fraction) = x.rounded_positional();
            format!("{:>left$}.{fraction:<right$}", self.signed(whole))
        }
    }
}

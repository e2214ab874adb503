//! Real numbers in text: shortest digits, and the alignment of the numbers of one array.
//!
//! Digits are those of the number's own precision: a float32 that is nearest to 0.1 prints as 0.1. Source: NumPy 2,
//! `FloatingFormat` in `numpy/_core/arrayprint.py`, and `str` of its scalars.

/// Digits after the point.
const DIGITS: usize = 8;

/// A real number and its own precision, which its shortest digits depend on.
#[derive(Clone, Copy)]
pub(super) struct Number {
    pub(super) value: f64,
    /// Whether it is a float32.
    pub(super) single: bool,
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

    /// The whole part, and at most [`DIGITS`] digits after the point without trailing zeros.
    fn rounded_positional(self) -> (String, String) {
        let split = |text: String| match text.split_once('.') {
            Some((whole, fraction)) => {
                (whole.to_owned(), fraction.trim_end_matches('0').to_owned())
            }
            None => (text, String::new()),
        };
        let (whole, fraction) = split(self.positional());
        if fraction.len() <= DIGITS {
            return (whole, fraction);
        }
        split(format!("{:.DIGITS$}", self.value))
    }

    /// The digit before the point, at most [`DIGITS`] after it, and the exponent.
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
        if shortest.1.len() <= DIGITS {
            return shortest;
        }
        split(&format!("{:.DIGITS$e}", self.value))
    }
}

/// Python's exponent: a sign and at least two digits.
fn exponent(e: i32, digits: usize) -> String {
    let sign = if e < 0 { '-' } else { '+' };
    format!("e{sign}{:0digits$}", e.abs())
}

/// A number by itself, in its shortest digits: `str` of NumPy's scalars.
pub(super) fn alone(x: Number, whole_suffix: &str) -> String {
    if let Some(special) = x.special() {
        return special.into();
    }
    let magnitude = x.value.abs();
    let most = if x.single { 1e6 } else { 1e16 };
    if magnitude != 0.0 && !(1e-4..most).contains(&magnitude) {
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
pub(super) struct Format {
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
    pub(super) fn new(numbers: &[Number], plus: bool) -> Self {
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

    pub(super) fn print(&self, x: Number) -> String {
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

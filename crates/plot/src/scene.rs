//! `Scene`: marks with places, lines between them, and texts. Lengths are pixels at full size.

/// A picture before it is written.
#[derive(Debug, Default)]
pub(super) struct Scene {
    pub(super) title: String,
    /// Notes for the reader: counts, and the nodes that were drawn together.
    pub(super) note: String,
    pub(super) legend: Vec<(String, String)>,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) lines: Vec<Line>,
    pub(super) marks: Vec<Mark>,
    pub(super) texts: Vec<Text>,
}

/// Lines of one kind; many of them are one element of the file, so that browsers draw them quickly.
#[derive(Debug)]
pub(super) struct Line {
    /// The data of an SVG path.
    pub(super) path: String,
    pub(super) color: String,
    pub(super) width: f64,
    pub(super) opacity: f64,
    /// The colour inside, of areas.
    pub(super) fill: Option<String>,
}

/// A node, or several that are drawn as one.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) shape: Shape,
    pub(super) color: String,
    /// The nodes that it stands for.
    pub(super) nodes: Vec<u32>,
    pub(super) is_result: bool,
}

#[derive(Debug)]
pub(super) enum Shape {
    /// A disc of this radius.
    Disc(f64),
    /// A rectangle of this width and height around its place, with up to two lines of text.
    Box {
        width: f64,
        height: f64,
        label: String,
        detail: String,
    },
}

#[derive(Debug)]
pub(super) struct Text {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) text: String,
    pub(super) anchor: Anchor,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Scene {
    pub(super) fn text(&mut self, x: f64, y: f64, anchor: Anchor, text: impl Into<String>) {
        self.texts.push(Text {
            x,
            y,
            text: text.into(),
            anchor,
        });
    }
}

/// A number as pictures have them: to a tenth of a pixel, without an end of zeros.
pub(super) fn number(x: f64) -> String {
    let rounded = (x * 10.0).round() / 10.0;
    // Not -0.
    format!("{}", rounded + 0.0)
}

/// A count with thin spaces between thousands.
pub(super) fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{2009}');
        }
        text.push(digit);
    }
    text
}

/// How wide a text is, about; pictures need no more.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * 0.6
}

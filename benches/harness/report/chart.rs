//! Charts in SVG, with logarithmic axes: times differ by factors, not by amounts.

use std::fmt::Write as _;

/// Text as it stands in HTML.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A logarithmic axis; its ends are logarithms.
#[derive(Clone, Copy)]
struct Axis {
    low: f64,
    high: f64,
    start: f64,
    length: f64,
}

impl Axis {
    /// Around all of these numbers; `None` if none is positive.
    fn around(values: impl Iterator<Item = f64>, start: f64, length: f64) -> Option<Self> {
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        for value in values.filter(|v| v.is_finite() && *v > 0.0) {
            least = least.min(value);
            most = most.max(value);
        }
        if most <= 0.0 {
            return None;
        }
        let (mut low, mut high) = (least.log10() - 0.1, most.log10() + 0.1);
        // Two powers of ten at least, as one alone says nothing of the scale.
        if high.floor() - low.ceil() < 1.0 {
            let middle = f64::midpoint(low, high);
            (low, high) = match middle - middle.floor() < 0.5 {
                true => (low.min(middle.floor()), high.max(middle.floor() + 1.0)),
                false => (low.min(middle.ceil() - 1.0), high.max(middle.ceil())),
            };
            (low, high) = (low - 0.05, high + 0.05);
        }
        Some(Self {
            low,
            high,
            start,
            length,
        })
    }

    fn at(self, value: f64) -> f64 {
        let share = (value.log10() - self.low) / (self.high - self.low);
        self.start + share * self.length
    }

    fn powers(self) -> std::ops::RangeInclusive<i32> {
        self.low.ceil() as i32..=self.high.floor() as i32
    }

    fn ticks(self) -> impl Iterator<Item = f64> {
        self.powers().map(|power| 10_f64.powi(power))
    }

    /// Not more labels than there is room for.
    fn labelled(self, room: f64) -> impl Fn(f64) -> bool {
        let step = (room * (self.high - self.low) / self.length.abs()).ceil();
        let (step, first) = (step.max(1.0) as i32, *self.powers().start());
        move |tick| (tick.log10().round() as i32 - first) % step == 0
    }
}

/// A shape that marks a value.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// Filled circle.
    Dot,
    /// Hollow square.
    Square,
    /// Hollow diamond.
    Diamond,
}

/// The shape at a place, with what it says when pointed at.
fn shape(svg: &mut String, shape: Shape, x: f64, y: f64, title: &str) {
    let title = escape(title);
    let _ = match shape {
        Shape::Dot => write!(
            svg,
            r#"<circle class="mark" cx="{x:.1}" cy="{y:.1}" r="4.5"><title>{title}</title></circle>"#
        ),
        Shape::Square => write!(
            svg,
            r#"<rect class="hollow" x="{:.1}" y="{:.1}" width="8" height="8"><title>{title}</title></rect>"#,
            x - 4.0,
            y - 4.0
        ),
        Shape::Diamond => write!(
            svg,
            r#"<path class="hollow" d="M{:.1} {y:.1}l5 -5l5 5l-5 5z"><title>{title}</title></path>"#,
            x - 5.0
        ),
    };
}

/// The shape alone, for a legend.
pub(super) fn glyph(of: Shape, class: &str) -> String {
    let mut svg = format!(r#"<svg class="{class}" viewBox="0 0 16 16" aria-hidden="true">"#);
    shape(&mut svg, of, 8.0, 8.0, "");
    svg + "</svg>"
}

/// A row of a chart of marks.
pub(super) struct Row {
    pub(super) name: String,
    /// A class that gives the colour.
    pub(super) class: &'static str,
    pub(super) marks: Vec<(Shape, f64, String)>,
    /// From the first mark to here: how far it was from that most of the time.
    pub(super) until: Option<f64>,
    /// At the end of the row.
    pub(super) value: String,
    /// In place of marks.
    pub(super) remark: Option<String>,
}

const WIDTH: f64 = 600.0;
const NAMES: f64 = 122.0;
const VALUES: f64 = 74.0;
const ROW: f64 = 24.0;

/// Rows of marks on one axis.
pub(super) fn marks(label: &str, rows: &[Row], show: fn(f64) -> String) -> String {
    let values = rows
        .iter()
        .flat_map(|row| row.marks.iter().map(|m| m.1).chain(row.until));
    let bottom = ROW * rows.len() as f64 + 4.0;
    let mut svg = format!(
        r#"<svg viewBox="0 0 {WIDTH} {:.0}" role="img" aria-label="{}">"#,
        bottom + 20.0,
        escape(label)
    );
    let axis = Axis::around(values, NAMES + 8.0, WIDTH - NAMES - VALUES - 20.0);
    if let Some(axis) = axis {
        let is_labelled = axis.labelled(52.0);
        for tick in axis.ticks() {
            let x = axis.at(tick);
            let _ = write!(
                svg,
                r#"<line class="grid" x1="{x:.1}" x2="{x:.1}" y1="0" y2="{bottom:.0}"/>"#
            );
            if is_labelled(tick) {
                let (y, tick) = (bottom + 14.0, escape(&show(tick)));
                let _ = write!(
                    svg,
                    r#"<text class="soft middle" x="{x:.1}" y="{y:.0}">{tick}</text>"#
                );
            }
        }
    }
    for (i, row) in rows.iter().enumerate() {
        let y = ROW * i as f64 + ROW / 2.0 + 2.0;
        let base = y + 4.0;
        let _ = write!(svg, r#"<g class="{}">"#, row.class);
        let _ = write!(
            svg,
            r#"<text class="end" x="{NAMES}" y="{base:.1}">{}</text>"#,
            escape(&row.name)
        );
        if let Some(remark) = &row.remark {
            let short: String = remark.chars().take(68).collect();
            let dots = if short.len() < remark.len() {
                "…"
            } else {
                ""
            };
            let (x, short, remark) = (NAMES + 12.0, escape(&short), escape(remark));
            let _ = write!(
                svg,
                r#"<text class="soft" x="{x}" y="{base:.1}">{short}{dots}<title>{remark}</title></text>"#
            );
        }
        if let (Some(axis), Some(first)) = (axis, row.marks.first()) {
            let last = row.marks.iter().map(|m| m.1).fold(0.0, f64::max);
            let from = axis.at(first.1);
            let mut line = |class: &str, to: f64| {
                let to = axis.at(to);
                let _ = write!(
                    svg,
                    r#"<line class="{class}" x1="{from:.1}" x2="{to:.1}" y1="{y:.1}" y2="{y:.1}"/>"#
                );
            };
            if last > first.1 {
                line("link", last);
            }
            if let Some(until) = row.until {
                line("whisker", until);
            }
            for (of, value, title) in row.marks.iter().rev() {
                shape(&mut svg, *of, axis.at(*value), y, title);
            }
        }
        let value = escape(&row.value);
        let _ = write!(
            svg,
            r#"<text class="value" x="{:.0}" y="{base:.1}">{value}</text></g>"#,
            WIDTH - 2.0
        );
    }
    svg + "</svg>"
}

/// A line of a chart.
pub(super) struct Series {
    pub(super) name: String,
    pub(super) class: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

/// Lines over two logarithmic axes, with their names at their ends.
pub(super) fn lines(
    label: &str,
    series: &[Series],
    show_x: fn(f64) -> String,
    show_y: fn(f64) -> String,
) -> String {
    const HEIGHT: f64 = 330.0;
    let points = || series.iter().flat_map(|s| s.points.iter());
    let x_axis = Axis::around(points().map(|p| p.0), 58.0, WIDTH - 58.0 - 148.0);
    let y_axis = Axis::around(points().map(|p| p.1), HEIGHT - 28.0, -(HEIGHT - 40.0));
    let mut svg = format!(
        r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{}">"#,
        escape(label)
    );
    let (Some(x_axis), Some(y_axis)) = (x_axis, y_axis) else {
        return svg + "</svg>";
    };
    let (left, right) = (x_axis.start, x_axis.start + x_axis.length);
    let (bottom, top) = (y_axis.start, y_axis.start + y_axis.length);
    for tick in x_axis.ticks() {
        let (x, name) = (x_axis.at(tick), escape(&show_x(tick)));
        let _ = write!(
            svg,
            r#"<line class="grid" x1="{x:.1}" x2="{x:.1}" y1="{top:.1}" y2="{bottom:.1}"/>"#
        );
        let _ = write!(
            svg,
            r#"<text class="soft middle" x="{x:.1}" y="{:.1}">{name}</text>"#,
            bottom + 17.0
        );
    }
    for tick in y_axis.ticks() {
        let (y, name) = (y_axis.at(tick), escape(&show_y(tick)));
        let _ = write!(
            svg,
            r#"<line class="grid" x1="{left:.1}" x2="{right:.1}" y1="{y:.1}" y2="{y:.1}"/>"#
        );
        let _ = write!(
            svg,
            r#"<text class="soft end" x="{:.1}" y="{:.1}">{name}</text>"#,
            left - 7.0,
            y + 4.0
        );
    }
    let mut names: Vec<(f64, usize)> = Vec::new();
    for (i, line) in series.iter().enumerate() {
        let mut path = String::new();
        for &(x, y) in &line.points {
            let command = if path.is_empty() { 'M' } else { 'L' };
            let _ = write!(path, "{command}{:.1} {:.1}", x_axis.at(x), y_axis.at(y));
        }
        let _ = write!(
            svg,
            r#"<g class="{}"><path class="line" d="{path}"/>"#,
            line.class
        );
        for &(x, y) in &line.points {
            let title = format!("{}: {} at {} nodes", line.name, show_y(y), show_x(x));
            shape(&mut svg, Shape::Dot, x_axis.at(x), y_axis.at(y), &title);
        }
        svg.push_str("</g>");
        if let Some(last) = line.points.last() {
            names.push((y_axis.at(last.1), i));
        }
    }
    // At the right edge, where no line is; names of lines that end at one height are moved apart.
    names.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free = top;
    for (end, i) in names {
        let y = end.max(free);
        free = y + 16.0;
        let line = &series[i];
        let from = line.points.last().map_or(right, |last| x_axis.at(last.0)) + 6.0;
        let _ = write!(
            svg,
            r#"<g class="{}"><path class="link" fill="none" d="M{from:.1} {end:.1}L{:.1} {y:.1}"/>"#,
            line.class,
            right + 8.0
        );
        let _ = write!(
            svg,
            r#"<text class="series-name" x="{:.1}" y="{:.1}">{}</text></g>"#,
            right + 12.0,
            y + 4.0,
            escape(&line.name)
        );
    }
    svg + "</svg>"
}

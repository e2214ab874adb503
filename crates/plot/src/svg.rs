//! Scenes as SVG.

use std::fmt::Write as _;

use super::scene::{Anchor, Scene, Shape, number, text_width};

/// Text as it stands in XML and HTML.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // No other control characters may stand in XML.
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

const MARGIN: f64 = 16.0;
const LEGEND_ROW: f64 = 20.0;

/// A document of its own: title, picture, legend and note.
pub(super) fn document(scene: &Scene) -> String {
    let width = scene.width.max(text_width(&scene.title, 15.0)).max(480.0);
    let (legend, legend_height) = legend(scene, width);
    let notes = wrapped(&scene.note, width);
    let top = 56.0;
    let height = top + scene.height + legend_height + 18.0 * notes.len() as f64 + 2.0 * MARGIN;
    let full = width + 2.0 * MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" \
         font-family=\"ui-sans-serif, system-ui, sans-serif\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"{MARGIN}\" y=\"26\" font-size=\"15\" font-weight=\"600\" fill=\"#111827\">{2}</text>\n",
        number(full),
        number(height),
        escape(&scene.title),
    );
    let left = MARGIN + (width - scene.width) / 2.0;
    let _ = writeln!(
        out,
        "<g transform=\"translate({} {})\">",
        number(left),
        number(top)
    );
    lines(scene, &mut out);
    marks(scene, &mut out);
    out.push_str("</g>\n");
    let below = top + scene.height + MARGIN;
    let _ = writeln!(
        out,
        "<g transform=\"translate({MARGIN} {})\">\n{legend}</g>",
        number(below)
    );
    for (i, note) in notes.iter().enumerate() {
        let y = below + legend_height + 18.0 * i as f64 + 4.0;
        let _ = writeln!(
            out,
            "<text x=\"{MARGIN}\" y=\"{}\" font-size=\"12\" fill=\"#4b5563\">{}</text>",
            number(y),
            escape(note)
        );
    }
    out.push_str("</svg>\n");
    out
}

/// Lines of a text that fit into a width.
fn wrapped(text: &str, width: f64) -> Vec<String> {
    let mut lines = vec![String::new()];
    // Not at the thin spaces inside numbers.
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let last = lines.last_mut();
        match last {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if text_width(line, 12.0) + text_width(word, 12.0) < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The legend in rows, and its height.
fn legend(scene: &Scene, width: f64) -> (String, f64) {
    let (mut out, mut x, mut y) = (String::new(), 0.0, 0.0);
    for (color, meaning) in &scene.legend {
        let needed = 30.0 + text_width(meaning, 12.0);
        if x > 0.0 && x + needed > width {
            (x, y) = (0.0, y + LEGEND_ROW);
        }
        let _ = writeln!(
            out,
            "<rect x=\"{}\" y=\"{}\" width=\"12\" height=\"12\" rx=\"3\" fill=\"{color}\"/>\
             <text x=\"{}\" y=\"{}\" font-size=\"12\" fill=\"#374151\">{}</text>",
            number(x),
            number(y),
            number(x + 17.0),
            number(y + 10.5),
            escape(meaning)
        );
        x += needed;
    }
    let height = if scene.legend.is_empty() {
        0.0
    } else {
        y + LEGEND_ROW + 8.0
    };
    (out, height)
}

/// The background of the marks.
pub(super) fn lines(scene: &Scene, out: &mut String) {
    for line in &scene.lines {
        let fill = line.fill.as_deref().unwrap_or("none");
        let _ = writeln!(
            out,
            "<path d=\"{}\" fill=\"{fill}\" stroke=\"{}\" stroke-width=\"{}\" stroke-opacity=\"{}\" \
             stroke-linecap=\"round\" stroke-linejoin=\"round\"/>",
            line.path,
            line.color,
            number(line.width),
            line.opacity
        );
    }
}

/// Marks and texts.
pub(super) fn marks(scene: &Scene, out: &mut String) {
    for (index, mark) in scene.marks.iter().enumerate() {
        let (x, y, color) = (number(mark.x), number(mark.y), &mark.color);
        // Results have a ring.
        let ring = if mark.is_result { "#111827" } else { "#ffffff" };
        match &mark.shape {
            Shape::Disc(radius) => {
                let _ = writeln!(
                    out,
                    "<circle class=\"mark\" data-mark=\"{index}\" cx=\"{x}\" cy=\"{y}\" r=\"{}\" fill=\"{color}\" \
                     stroke=\"{ring}\" stroke-width=\"{}\"/>",
                    number(*radius),
                    // The edge of a small disc would be all of it.
                    if mark.is_result {
                        "2".to_owned()
                    } else {
                        number((radius / 4.0).min(1.0))
                    }
                );
            }
            Shape::Box {
                width,
                height,
                label,
                detail,
            } => {
                let (label, detail) = (escape(label), escape(detail));
                let _ = writeln!(
                    out,
                    "<g class=\"mark\" data-mark=\"{index}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"6\" \
                     fill=\"{color}\" stroke=\"{ring}\" stroke-width=\"{}\"/>\
                     <text x=\"{x}\" y=\"{}\" font-size=\"12\" fill=\"#ffffff\" text-anchor=\"middle\">{label}</text>\
                     <text x=\"{x}\" y=\"{}\" font-size=\"9.5\" fill=\"#ffffff\" fill-opacity=\"0.85\" \
                     text-anchor=\"middle\">{detail}</text></g>",
                    number(mark.x - width / 2.0),
                    number(mark.y - height / 2.0),
                    number(*width),
                    number(*height),
                    if mark.is_result { "2.5" } else { "1" },
                    number(mark.y - 1.0),
                    number(mark.y + 10.5),
                );
            }
        }
    }
    for text in &scene.texts {
        let anchor = match text.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" font-size=\"11\" fill=\"#4b5563\" text-anchor=\"{anchor}\">{}</text>",
            number(text.x),
            number(text.y),
            escape(&text.text)
        );
    }
}

//! One self-contained page of HTML: all pictures of a drawing, with what is known of each node.
//!
//! The pictures are the SVG of `svg.rs`; `page.js` adds zooming, pointing, clicking and searching on top of it. What it
//! knows of nodes stands in the page as JSON. No script, style or picture comes from elsewhere.

use std::fmt::Write as _;

use super::drawing::{Drawing, Item};
use super::scene::{Scene, number};
use super::svg::{escape, lines, marks};
use super::{FunctionsStyle, Kind, Plot};
use crate::statistics::Statistic;

/// More nodes than this are drawn, but have no details in the page.
const MOST_DETAILS: usize = 20_000;

fn tabs() -> [(&'static str, Kind); 5] {
    [
        ("Circuit", Kind::Circuit),
        ("Graph", Kind::Graph),
        ("Memory", Kind::SizeFootprint),
        ("Sizes", Kind::Functions(FunctionsStyle::Scatter)),
        ("Functions", Kind::Stats(Statistic::Count)),
    ]
}

fn is_same_tab(a: Kind, b: Kind) -> bool {
    std::mem::discriminant(&a) == std::mem::discriminant(&b)
}

pub(super) fn page(plot: &Plot) -> String {
    let nodes_of = super::scene::count(plot.drawing.num_nodes());
    let title = plot
        .title
        .clone()
        .unwrap_or_else(|| format!("A computation of {nodes_of} nodes"));
    let mut buttons = String::new();
    let mut pictures = String::new();
    let mut drawn_by = String::new();
    for (index, (name, kind)) in tabs().into_iter().enumerate() {
        // The tab of the picture that was asked for shows that one, such as another statistic.
        let is_chosen = is_same_tab(kind, plot.kind);
        let kind = if is_chosen { plot.kind } else { kind };
        let scene = Plot {
            kind,
            ..plot.clone()
        }
        .scene();
        let chosen = if is_chosen {
            " aria-selected=\"true\""
        } else {
            ""
        };
        let _ = writeln!(
            buttons,
            "<button role=\"tab\" data-tab=\"{index}\"{chosen}>{name}</button>"
        );
        picture(&scene, index, is_chosen, &mut pictures);
        let of: Vec<String> = scene
            .marks
            .iter()
            .map(|mark| numbers(&mark.nodes))
            .collect();
        let _ = write!(
            drawn_by,
            "{}[{}]",
            if index == 0 { "" } else { "," },
            of.join(",")
        );
    }
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n\
         <header><h1>{title}</h1><nav role=\"tablist\">\n{buttons}</nav>\
         <input id=\"search\" type=\"search\" placeholder=\"Search function, type, line\" aria-label=\"Search\">\
         <span id=\"found\" aria-live=\"polite\"></span>\
         <div class=\"zoom\"><button id=\"out\" title=\"Zoom out (-)\">−</button>\
         <button id=\"fit\" title=\"Show all (0)\">Fit</button>\
         <button id=\"in\" title=\"Zoom in (+)\">+</button></div></header>\n\
         <main>\n{pictures}<aside id=\"details\"><p class=\"hint\">Click a node.</p></aside></main>\n\
         <div id=\"tip\" hidden></div>\n\
         <script type=\"application/json\" id=\"data\">{{\"nodes\":[{nodes}],\"marks\":[{drawn_by}],\"total\":{total}}}</script>\n\
         <script>\n{script}</script>\n</body>\n</html>\n",
        title = escape(&title),
        style = include_str!("page.css"),
        script = include_str!("page.js"),
        nodes = nodes(&plot.drawing),
        total = plot.drawing.items.len(),
    )
}

fn picture(scene: &Scene, index: usize, is_chosen: bool, out: &mut String) {
    let hidden = if is_chosen { "" } else { " hidden" };
    let _ = writeln!(
        out,
        "<section data-picture=\"{index}\"{hidden}><p class=\"title\">{}</p>\
         <svg data-width=\"{}\" data-height=\"{}\"><g class=\"view\">",
        escape(&scene.title),
        number(scene.width),
        number(scene.height)
    );
    lines(scene, out);
    out.push_str("<g class=\"links\"></g>\n");
    marks(scene, out);
    out.push_str("</g></svg>\n<footer>");
    for (color, meaning) in &scene.legend {
        let _ = write!(
            out,
            "<span class=\"key\"><i style=\"background:{color}\"></i>{}</span>",
            escape(meaning)
        );
    }
    let _ = writeln!(out, "<p>{}</p></footer></section>", escape(&scene.note));
}

fn numbers(list: &[u32]) -> String {
    let list: Vec<String> = list.iter().map(ToString::to_string).collect();
    format!("[{}]", list.join(","))
}

/// A text in JSON, in a script of a page.
fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            // The end of a script is found before its JSON is read.
            '<' => out.push_str("\\u003c"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn nodes(drawing: &Drawing) -> String {
    let node = |item: &Item| {
        let line = item
            .line
            .as_ref()
            .map_or_else(String::new, ToString::to_string);
        format!(
            "[{},{},{},{},{},{},{}]",
            json(item.function),
            json(&item.ty),
            item.size,
            json(&item.operation),
            json(&line),
            numbers(&item.inputs),
            u8::from(item.is_result)
        )
    };
    let kept = drawing.items.iter().take(MOST_DETAILS).map(node);
    kept.collect::<Vec<_>>().join(",\n")
}

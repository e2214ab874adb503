//! One self-contained page of HTML: all pictures of a drawing, with what is known of each node.
//!
//! The pictures are the SVG of `svg.rs`; `page.js` adds zooming, pointing, clicking and searching on top of it. What it
//! knows of nodes stands in the page as JSON. No script, style or picture comes from elsewhere.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

use autojit_ir::Body;

use super::drawing::{Drawing, Item};
use super::scene::{Scene, number};
use super::svg::{escape, lines, marks};
use super::{FunctionsStyle, Kind, Plot};
use crate::statistics::Statistic;

/// More nodes than this are drawn, but have no details in the page. Of graphs inside of nodes no more are drawn.
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

/// The drawings of a page: the whole, and after it the graphs inside of nodes, those inside of these, and so on. Equal ones
/// are one.
struct Drawings<'p> {
    all: Vec<Cow<'p, Drawing>>,
    /// The positions of the graphs inside of nodes.
    places: HashMap<Body, usize>,
}

impl<'p> Drawings<'p> {
    fn new(whole: &'p Drawing) -> Self {
        let mut all = vec![Cow::Borrowed(whole)];
        let mut places: HashMap<Body, usize> = HashMap::new();
        let mut left = MOST_DETAILS;
        let mut next = 0;
        while let Some(drawing) = all.get(next) {
            let mut found = Vec::new();
            let inside = drawing.items.iter().take(MOST_DETAILS);
            for (_, body) in inside.flat_map(|item| &item.inside) {
                let Ok(graph) = body.graph() else { continue };
                if places.contains_key(body) || graph.nodes().len() > left {
                    continue;
                }
                left -= graph.nodes().len();
                places.insert(body.clone(), all.len() + found.len());
                found.push(Cow::Owned(Drawing::from(graph)));
            }
            all.extend(found);
            next += 1;
        }
        Self { all, places }
    }
}

pub(super) fn page(plot: &Plot) -> String {
    let nodes_of = super::scene::count(plot.drawing.num_nodes());
    let title = plot
        .title
        .clone()
        .unwrap_or_else(|| format!("A computation of {nodes_of} nodes"));
    let mut buttons = String::new();
    for (index, (name, kind)) in tabs().into_iter().enumerate() {
        let chosen = if is_same_tab(kind, plot.kind) {
            " aria-selected=\"true\""
        } else {
            ""
        };
        let _ = writeln!(
            buttons,
            "<button role=\"tab\" data-tab=\"{index}\"{chosen}>{name}</button>"
        );
    }
    let drawings = Drawings::new(&plot.drawing);
    let mut pictures = String::new();
    let graphs: Vec<String> = drawings
        .all
        .iter()
        .enumerate()
        .map(|(index, drawing)| graph(plot, drawing, index, &drawings.places, &mut pictures))
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n\
         <header><h1>{title}</h1><nav role=\"tablist\">\n{buttons}</nav>\
         <input id=\"search\" type=\"search\" placeholder=\"Search function, type, line\" aria-label=\"Search\">\
         <span id=\"found\" aria-live=\"polite\"></span>\
         <div class=\"zoom\"><button id=\"out\" title=\"Zoom out (-)\">−</button>\
         <button id=\"fit\" title=\"Show all (0)\">Fit</button>\
         <button id=\"in\" title=\"Zoom in (+)\">+</button></div>\
         <nav id=\"path\" aria-label=\"Graphs inside of nodes\" hidden></nav></header>\n\
         <main>\n{pictures}<aside id=\"details\"><p class=\"hint\">Click a node.</p></aside></main>\n\
         <div id=\"tip\" hidden></div>\n\
         <script type=\"application/json\" id=\"data\">{{\"graphs\":[{graphs}]}}</script>\n\
         <script>\n{script}</script>\n</body>\n</html>\n",
        title = escape(&title),
        style = include_str!("page.css"),
        script = include_str!("page.js"),
        graphs = graphs.join(","),
    )
}

/// Writes the pictures of one graph of a plot's page, and gives the details of its nodes, in JSON.
fn graph(
    plot: &Plot,
    drawing: &Drawing,
    graph: usize,
    places: &HashMap<Body, usize>,
    pictures: &mut String,
) -> String {
    let drawn_by = tabs().map(|(_, kind)| {
        // The tab of the picture that was asked for shows that one, such as another statistic.
        let is_chosen = is_same_tab(kind, plot.kind);
        let kind = if is_chosen { plot.kind } else { kind };
        // The title is that of the whole.
        let title = plot.title.as_deref().filter(|_| graph == 0);
        let scene = Scene::new(drawing, kind, plot.color, title);
        picture(&scene, graph, is_chosen && graph == 0, pictures);
        let of = scene.marks.iter().map(|mark| numbers(&mark.nodes));
        format!("[{}]", of.collect::<Vec<_>>().join(","))
    });
    format!(
        "{{\"nodes\":[{}],\"marks\":[{}],\"total\":{}}}",
        nodes(drawing, places),
        drawn_by.join(","),
        drawing.items.len()
    )
}

fn picture(scene: &Scene, graph: usize, is_shown: bool, out: &mut String) {
    let hidden = if is_shown { "" } else { " hidden" };
    let _ = writeln!(
        out,
        "<section data-graph=\"{graph}\"{hidden}><p class=\"title\">{}</p>\
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

/// The graphs inside of a node: their names and places. One that is not drawn has none.
fn inside(item: &Item, places: &HashMap<Body, usize>) -> String {
    let graph = |(name, body): &(String, Body)| {
        let place = places
            .get(body)
            .map_or_else(|| "null".to_owned(), ToString::to_string);
        format!("[{},{place},{}]", json(name), body.nodes())
    };
    let graphs: Vec<String> = item.inside.iter().map(graph).collect();
    format!("[{}]", graphs.join(","))
}

fn nodes(drawing: &Drawing, places: &HashMap<Body, usize>) -> String {
    let node = |item: &Item| {
        let line = item
            .line
            .as_ref()
            .map_or_else(String::new, ToString::to_string);
        format!(
            "[{},{},{},{},{},{},{},{}]",
            json(item.function),
            json(&item.ty),
            item.size,
            json(&item.operation),
            json(&line),
            numbers(&item.inputs),
            u8::from(item.is_result),
            inside(item, places)
        )
    };
    let kept = drawing.items.iter().take(MOST_DETAILS).map(node);
    kept.collect::<Vec<_>>().join(",\n")
}

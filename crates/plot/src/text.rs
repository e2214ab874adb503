//! Graphs as text for other tools: DOT of Graphviz, and Mermaid.

use std::fmt::Write as _;

use super::color::Colors;
use super::drawing::{Drawing, Item, Origin};

/// The text of a label inside double quotes of DOT.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// The graph in the DOT language.
pub(super) fn dot(drawing: &Drawing, colors: &Colors) -> String {
    let mut out = String::from(
        "digraph {\n  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\", fontcolor=white, color=white];\n  edge [color=\"#9ca3af\"];\n",
    );
    for (position, item) in drawing.items.iter().enumerate() {
        let line = item
            .line
            .as_ref()
            .map_or_else(String::new, |line| format!("\\n{line}"));
        let shape = match item.origin {
            Origin::Computed => "",
            Origin::Variable | Origin::Constant => ", shape=ellipse",
        };
        let result = if item.is_result {
            ", peripheries=2"
        } else {
            ""
        };
        let _ = writeln!(
            out,
            "  n{position} [label=\"{}\\n{}\", tooltip=\"{}{}\", fillcolor=\"{}\"{shape}{result}];",
            quoted(item.function),
            quoted(&item.ty),
            quoted(&item.operation),
            line,
            colors.of(position, item)
        );
    }
    for (position, item) in drawing.items.iter().enumerate() {
        for input in &item.inputs {
            let _ = writeln!(out, "  n{input} -> n{position};");
        }
    }
    out.push_str("}\n");
    out
}

/// The graph as a flowchart of Mermaid.
pub(super) fn mermaid(drawing: &Drawing, colors: &Colors) -> String {
    // Mermaid's own entities, as its labels have no other escapes.
    let label = |item: &Item| {
        let text = format!("{} {}", item.function, item.ty);
        text.replace('#', "#35;").replace('"', "#quot;")
    };
    let mut out = String::from("flowchart TD\n");
    let mut fills: Vec<String> = Vec::new();
    let mut members: Vec<Vec<usize>> = Vec::new();
    for (position, item) in drawing.items.iter().enumerate() {
        let (open, close) = match item.origin {
            Origin::Computed => ("[", "]"),
            Origin::Variable | Origin::Constant => ("([", "])"),
        };
        let _ = writeln!(out, "  n{position}{open}\"{}\"{close}", label(item));
        let color = colors.of(position, item);
        let index = fills
            .iter()
            .position(|fill| *fill == color)
            .unwrap_or_else(|| {
                fills.push(color);
                members.push(Vec::new());
                fills.len() - 1
            });
        members[index].push(position);
    }
    for (position, item) in drawing.items.iter().enumerate() {
        for input in &item.inputs {
            let _ = writeln!(out, "  n{input} --> n{position}");
        }
    }
    for (index, (fill, members)) in fills.iter().zip(&members).enumerate() {
        let _ = writeln!(
            out,
            "  classDef c{index} fill:{fill},color:#fff,stroke:#fff"
        );
        let members: Vec<String> = members.iter().map(|m| format!("n{m}")).collect();
        let _ = writeln!(out, "  class {} c{index}", members.join(","));
    }
    out
}

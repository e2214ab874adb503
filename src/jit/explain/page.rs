//! An explanation as a page of HTML, without anything from a network.

use std::fmt::Write as _;

use super::{Explanation, bytes_in_words};
use autojit_plot::escape;

/// The page.
pub(super) fn page(explanation: &Explanation) -> String {
    let Explanation { name, report, .. } = explanation;
    let mut rows = String::new();
    for (what, value) in explanation.facts() {
        let _ = writeln!(rows, "<dt>{}</dt><dd>{}</dd>", escape(what), escape(&value));
    }
    let mut passes = String::new();
    for pass in &report.passes {
        let rules: Vec<String> = pass
            .rules
            .iter()
            .map(|(rule, count)| format!("{rule} × {count}"))
            .collect();
        let _ = writeln!(
            passes,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{:.1?}</td><td>{}</td></tr>",
            escape(&pass.name),
            pass.visited,
            pass.nodes,
            pass.time,
            escape(&rules.join(", "))
        );
    }
    let code = &report.code;
    let mut counts = String::new();
    for (what, count) in [
        ("instructions", code.instructions),
        ("distinct kernels", code.kernels),
        ("tape entries", code.tape_entries),
        ("runtime calls", code.runtime_calls),
    ] {
        if let Some(count) = count {
            let _ = writeln!(counts, "<dt>{what}</dt><dd>{count}</dd>");
        }
    }
    for (what, bytes) in [
        ("machine code", code.code_bytes),
        ("workspace", code.workspace_bytes),
        ("planned peak", code.planned_peak_bytes),
    ] {
        if let Some(bytes) = bytes {
            let _ = writeln!(
                counts,
                "<dt>{what}</dt><dd>{}</dd>",
                bytes_in_words(bytes as u64)
            );
        }
    }
    let drawing = explanation.drawing();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title>\n<style>{STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n\
         <dl>{rows}</dl>\n\
         <h2>What the optimiser did</h2>\n<table><tr><th>pass</th><th>nodes before</th><th>after</th><th>time</th>\
         <th>rules</th></tr>\n{passes}</table>\n\
         <h2>What runs</h2>\n<dl>{counts}</dl>\n<pre>{executable}</pre>\n\
         <h2>Memory over time</h2>\n<p>Elements held, if the operations ran one by one in this order.</p>\n{memory}\n\
         <h2>The computation</h2>\n<div class=\"wide\">{circuit}</div>\n\
         <details><summary>The graph, operation by operation</summary><pre>{graph}</pre></details>\n</body></html>\n",
        title = escape(name),
        executable = escape(explanation.executable()),
        memory = drawing.size_footprint().to_svg(),
        circuit = drawing.circuit().to_svg(),
        graph = escape(&explanation.shortened_graph()),
    )
}

const STYLE: &str = "body{max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111827;\
font:15px/1.5 ui-sans-serif,system-ui,sans-serif}h1{font-size:1.4rem;overflow-wrap:anywhere}h2{font-size:1.05rem;margin-top:2rem}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.5rem}dt{color:#4b5563}dd{margin:0;overflow-wrap:anywhere}\
table{border-collapse:collapse}th,td{text-align:left;padding:.25rem 1rem .25rem 0;border-bottom:1px solid #e5e7eb;vertical-align:top}\
pre{background:#f9fafb;border:1px solid #e5e7eb;border-radius:6px;padding:.8rem;overflow:auto;font:12.5px/1.5 ui-monospace,monospace;\
white-space:pre-wrap}.wide{overflow:auto}svg{max-width:100%;height:auto}.wide svg{max-width:none}summary{cursor:pointer}";

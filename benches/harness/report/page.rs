//! The figures of docs/benchmarks.md: for each machine its facts, the goals, native code beside others, and tables of everything.

use std::fmt::Write as _;
use std::path::Path;

use super::{facts, plain, tables};
use crate::law;
use crate::record::Record;
use crate::targets;
use crate::text::markdown;

/// The lines between which figures stand.
const BEGIN: &str = "<!-- figures of `report --into`: -->";
const END: &str = "<!-- end of the figures -->";

/// Writes the figures into a page.
///
/// # Errors
/// The file cannot be read or written, or the two lines are not in it; in words.
pub(super) fn write_into(path: &Path, records: &[Record]) -> Result<(), String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|e| format!("{shown}: {e}"))?;
    let place = || {
        let (before, rest) = text.split_once(BEGIN)?;
        Some((before, rest.split_once(END)?.1))
    };
    let (before, after) = place().ok_or_else(|| {
        format!("{shown}: figures go between the lines {BEGIN} and {END}, which are not there")
    })?;
    let figures: String = records.iter().map(figures).collect();
    let text = format!("{before}{BEGIN}\n\n{figures}{END}{after}");
    autojit_ir::file::write(path, text.as_bytes()).map_err(|e| e.to_string())
}

fn figures(record: &Record) -> String {
    let mut text = format!("### {}\n\n", record.machine.title());
    for (name, value) in facts(record) {
        let _ = writeln!(text, "- {name}: {value}");
    }
    let (goals, beside) = (targets::goals(record), targets::beside_others(record));
    let _ = writeln!(text, "\n{}", targets::summary(&goals, &beside));
    let sections = [
        ("Native code beside the fastest of the others", beside),
        ("Goals", goals),
        ("Calls", plain(tables::calls(record))),
        ("First calls", plain(tables::first_calls(record))),
        ("How compiling grows", law::slopes(record)),
        (
            "Native code: stages, counts and memory",
            plain(tables::native(record)),
        ),
        ("Not run", plain(tables::absent_together(record))),
    ];
    for (title, rows) in sections.iter().filter(|(_, rows)| rows.len() > 1) {
        let _ = write!(text, "\n#### {title}\n\n{}", markdown(rows));
    }
    text.push('\n');
    text
}

//! The command `report`: a record as one page of HTML, or as tables in Markdown.
//!
//! The page holds everything it needs: no scripts, no fonts, nothing from elsewhere. Charts are SVG, and tables below
//! them have the numbers.

mod chart;
mod page;
mod tables;

use std::fmt::Write as _;
use std::path::Path;

use crate::law;
use crate::list::excuse;
use crate::options::{self, Format};
use crate::record::{Case, Contestant, Kind, Outcome, Record};
use crate::text::{bytes, count, digits, markdown, time};
use chart::{Row, Series, Shape, escape, glyph};
use tables::Cell;

/// The command.
pub(crate) fn command(options: &options::Report) -> Result<(), String> {
    if let Some(path) = &options.into {
        return page::write_into(path, &Record::by_machine(&options.files)?);
    }
    let record = Record::read_all(&options.files)?;
    let ending = options.output.as_deref().and_then(Path::extension);
    let format = options
        .format
        .unwrap_or(match ending.and_then(|e| e.to_str()) {
            Some("md") => Format::Markdown,
            _ => Format::Html,
        });
    let text = match format {
        Format::Html => page(&record),
        Format::Markdown => in_markdown(&record),
    };
    match &options.output {
        Some(path) => autojit_ir::file::write(path, text.as_bytes()).map_err(|e| e.to_string()),
        None => {
            print!("{text}");
            Ok(())
        }
    }
}

fn in_markdown(record: &Record) -> String {
    let mut text = String::new();
    for (name, value) in facts(record) {
        let _ = writeln!(text, "- {name}: {value}");
    }
    let sections = [
        ("Calls", plain(tables::calls(record))),
        ("Compiling", plain(tables::compilations(record))),
        ("Compile law", law::slopes(record)),
        ("Times for one", plain(tables::per_unit(record))),
        ("Not run", plain(tables::absent(record))),
    ];
    for (title, rows) in sections.iter().filter(|(_, rows)| rows.len() > 1) {
        let _ = write!(text, "\n### {title}\n\n{}", markdown(rows));
    }
    text
}

/// Cells as Markdown has them.
fn plain(rows: Vec<Vec<Cell>>) -> Vec<Vec<String>> {
    let cell = |cell: &Cell| {
        let note = match cell.note.as_str() {
            "" => String::new(),
            note => format!(" ({note})"),
        };
        match cell.best {
            true => format!("**{}**{note}", cell.text),
            false => format!("{}{note}", cell.text),
        }
    };
    rows.iter()
        .map(|row| row.iter().map(cell).collect())
        .collect()
}

/// The subject of the numbers.
fn facts(record: &Record) -> Vec<(&'static str, String)> {
    let machine = &record.machine;
    let versions =
        record
            .versions
            .iter()
            .map(|(name, version)| match version.starts_with(name.as_str()) {
                true => version.clone(),
                false => format!("{name} {version}"),
            });
    let load = machine.load.map_or_else(String::new, |load| {
        format!(", with a load of {} as the run began", digits(load))
    });
    // Folders are those of one machine.
    let file = |argument: &String| match Path::new(argument).file_name() {
        Some(name) => name.to_string_lossy().into_owned(),
        None => argument.clone(),
    };
    let command: Vec<String> = record.command.iter().map(file).collect();
    vec![
        ("date", format!("{} UTC", record.date)),
        (
            "machine",
            format!(
                "{}, {} cores, {}; {} of them for each contestant{load}",
                machine.processor, machine.cores, machine.system, machine.threads
            ),
        ),
        ("versions", versions.collect::<Vec<_>>().join(", ")),
        ("command", format!("harness {}", command.join(" "))),
    ]
}

fn page(record: &Record) -> String {
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>autojit benchmarks</title>\n<style>\n",
    );
    page.push_str(include_str!("style.css"));
    page.push_str("</style>\n</head>\n<body>\n<h1>autojit benchmarks</h1>\n<dl class=\"facts\">\n");
    for (name, value) in facts(record) {
        let _ = writeln!(page, "<dt>{name}</dt><dd>{}</dd>", escape(&value));
    }
    page.push_str("</dl>\n");
    at_a_glance(&mut page, record);
    laws(&mut page, record);
    cases(&mut page, record);
    memory(&mut page, record);
    numbers(&mut page, record);
    page.push_str("</body>\n</html>\n");
    page
}

fn section(page: &mut String, title: &str, text: &str) {
    let _ = writeln!(page, "<h2>{title}</h2>\n<p>{text}</p>");
}

fn html_table(page: &mut String, rows: &[Vec<Cell>]) {
    page.push_str("<div class=\"scroll\"><table>\n");
    for (i, row) in rows.iter().enumerate() {
        let tag = if i == 0 { "th" } else { "td" };
        page.push_str("<tr>");
        for cell in row {
            let class = match (cell.best, cell.soft) {
                (true, _) => " class=\"best\"",
                (false, true) => " class=\"soft\"",
                (false, false) => "",
            };
            let _ = write!(page, "<{tag}{class}>{}", escape(&cell.text));
            if !cell.note.is_empty() {
                let _ = write!(page, " <small>{}</small>", escape(&cell.note));
            }
            let _ = write!(page, "</{tag}>");
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table></div>\n");
}

fn at_a_glance(page: &mut String, record: &Record) {
    let rows = tables::calls(record);
    if rows.len() > 1 {
        section(
            page,
            "A call, at a glance",
            "The best of many calls of what is compiled. The fastest of each row is marked; “by hand” is the best of \
             plain Rust loops and libraries of Rust. All took turns in one run, so ratios within a row hold even where \
             the machine was busy.",
        );
        html_table(page, &rows);
    }
}

/// The colour of a contestant's line, the same in every chart.
fn class_of_line(name: &str) -> &'static str {
    match name {
        "cranelift" => "s0",
        "jax" => "s1",
        "replay" => "s2",
        "xla" => "s3",
        "torch" => "s4",
        _ => "s5",
    }
}

fn laws(page: &mut String, record: &Record) {
    let all = law::lines(record, law::compile_time);
    if all.is_empty() {
        return;
    }
    section(
        page,
        "Time to compile, against nodes",
        "Everything before the first call: tracing, optimising and compiling, in a process that has compiled before. \
         Both axes are logarithmic, so the slope is the power that the time grows with; 1 is linear.",
    );
    page.push_str("<div class=\"cards\">\n");
    let mut workloads: Vec<&str> = Vec::new();
    for line in &all {
        if !workloads.contains(&line.workload.as_str()) {
            workloads.push(&line.workload);
        }
    }
    for workload in workloads {
        let of_it = all.iter().filter(|l| l.workload == workload);
        let series: Vec<Series> = of_it
            .map(|line| {
                let slope = law::slope(&line.points)
                    .map_or_else(String::new, |s| format!(", slope {s:.2}"));
                Series {
                    name: format!("{}{slope}", line.contestant),
                    class: class_of_line(&line.contestant),
                    points: line.points.clone(),
                }
            })
            .collect();
        let label = format!("time to compile {workload} against nodes");
        let svg = chart::lines(&label, &series, |x| count(x.round() as usize), axis_time);
        let _ = writeln!(
            page,
            "<div class=\"card\"><h3>{}</h3>\n{svg}</div>",
            escape(workload)
        );
    }
    page.push_str("</div>\n");
}

/// A power of ten of nanoseconds.
fn axis_time(ns: f64) -> String {
    let (scale, unit) = match ns {
        ns if ns < 0.9e3 => (1.0, "ns"),
        ns if ns < 0.9e6 => (1e3, "us"),
        ns if ns < 0.9e9 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    format!("{} {unit}", ns / scale)
}

/// A power of ten of bytes.
fn axis_bytes(bytes: f64) -> String {
    let (scale, unit) = match bytes {
        b if b < 0.9e3 => (1.0, "B"),
        b if b < 0.9e6 => (1e3, "kB"),
        b if b < 0.9e9 => (1e6, "MB"),
        _ => (1e9, "GB"),
    };
    format!("{} {unit}", bytes / scale)
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Backend => "ours",
        Kind::Eager => "eager",
        Kind::Baseline => "baseline",
        Kind::Peer => "peer",
    }
}

/// Contestants with the fastest first; those without times last.
fn in_order(case: &Case) -> Vec<&Contestant> {
    // Peers without the workload are left out here; a table lists them.
    let is_news =
        |c: &&Contestant| c.kind != Kind::Peer || !matches!(c.outcome, Outcome::Declined(_));
    let mut all: Vec<&Contestant> = case.contestants.iter().filter(is_news).collect();
    let key = |c: &Contestant| c.calls.as_ref().map_or(f64::INFINITY, |c| c.min);
    all.sort_by(|a, b| key(a).total_cmp(&key(b)));
    all
}

fn cases(page: &mut String, record: &Record) {
    let with_calls: Vec<&Case> = record
        .cases
        .iter()
        .filter(|case| case.contestants.iter().any(|c| c.calls.is_some()))
        .collect();
    if with_calls.is_empty() {
        return;
    }
    section(
        page,
        "Calls and first calls",
        "One chart for each workload, size and dtype; the axis is logarithmic, and the fastest stands on top. The number \
         at the end of a row is the best call.",
    );
    let legend = [
        (Shape::Dot, "ours", "best call, with a bar to the median"),
        (
            Shape::Square,
            "ours",
            "first call: trace, optimise, compile and run",
        ),
        (Shape::Diamond, "ours", "first call in a new process"),
        (Shape::Dot, "eager", "autojit, eagerly"),
        (Shape::Dot, "ours", "autojit, compiled"),
        (Shape::Dot, "baseline", "by hand, in Rust"),
        (Shape::Dot, "peer", "peers in Python"),
    ];
    page.push_str("<ul class=\"legend\">\n");
    for (shape, class, text) in legend {
        let _ = writeln!(page, "<li>{}{text}</li>", glyph(shape, class));
    }
    page.push_str("</ul>\n<div class=\"cards\">\n");
    for case in with_calls {
        let rows: Vec<Row> = in_order(case).into_iter().map(call_row).collect();
        let svg = chart::marks(&format!("calls of {}", case.title()), &rows, axis_time);
        let nodes = law::nodes(case).map_or_else(String::new, |n| format!("; {} nodes", count(n)));
        let _ = writeln!(
            page,
            "<div class=\"card\"><h3>{}</h3>\n<p>{}{nodes}</p>\n{svg}</div>",
            escape(&case.title()),
            escape(&case.about)
        );
    }
    page.push_str("</div>\n");
}

fn call_row(c: &Contestant) -> Row {
    let mut marks = Vec::new();
    if let Some(calls) = &c.calls {
        let title = format!(
            "{}: best {}, median {}",
            c.name,
            time(calls.min),
            time(calls.median)
        );
        marks.push((Shape::Dot, calls.min, title));
    }
    let firsts = [
        (Shape::Square, &c.warm, ""),
        (Shape::Diamond, &c.cold, ", new process"),
    ];
    for (shape, compilation, where_) in firsts {
        if let Some(first) = compilation.as_ref().and_then(|c| c.first_call)
            && c.calls.is_some()
        {
            marks.push((
                shape,
                first,
                format!("{}: first call{where_} {}", c.name, time(first)),
            ));
        }
    }
    Row {
        name: c.name.clone(),
        class: class(c.kind),
        marks,
        until: c.calls.as_ref().map(|calls| calls.median),
        value: c
            .calls
            .as_ref()
            .map_or_else(String::new, |calls| time(calls.min)),
        remark: excuse(&c.outcome),
    }
}

fn memory(page: &mut String, record: &Record) {
    let has_memory = |c: &&Contestant| {
        let memory = c.memory.as_ref();
        memory.is_some_and(|m| m.first_call_peak.is_some() || m.call_peak.is_some())
    };
    let cases: Vec<&Case> = record
        .cases
        .iter()
        .filter(|case| {
            case.contestants
                .iter()
                .any(|c| has_memory(&c) && c.calls.is_some())
        })
        .collect();
    if cases.is_empty() {
        return;
    }
    section(
        page,
        "Memory of a call",
        "The most bytes that a call holds at once beyond what was held before, its results among them. Rust’s allocator \
         is counted; what libraries in C++ allocate is not seen, so there is no torch or xla here.",
    );
    let legend = [
        (Shape::Dot, "a call among others"),
        (Shape::Square, "the first call after compiling"),
        (Shape::Diamond, "planned, before any run"),
    ];
    page.push_str("<ul class=\"legend\">\n");
    for (shape, text) in legend {
        let _ = writeln!(page, "<li>{}{text}</li>", glyph(shape, "ours"));
    }
    page.push_str("</ul>\n<div class=\"cards\">\n");
    for case in cases {
        let sees_all = |c: &&&Contestant| c.name != "torch" && c.name != "xla";
        let rows: Vec<Row> = case
            .contestants
            .iter()
            .filter(has_memory)
            .filter(|c| sees_all(&c))
            .map(memory_row)
            .collect();
        let svg = chart::marks(&format!("memory of {}", case.title()), &rows, axis_bytes);
        let results = format!("{} in the results", bytes(case.result_bytes as f64));
        let _ = writeln!(
            page,
            "<div class=\"card\"><h3>{}</h3>\n<p>{results}</p>\n{svg}</div>",
            escape(&case.title())
        );
    }
    page.push_str("</div>\n");
}

fn memory_row(c: &Contestant) -> Row {
    let memory = c.memory.clone().unwrap_or_default();
    let marks = [
        (
            Shape::Dot,
            memory.call_peak.map(|b| b as f64),
            "a call among others",
        ),
        (
            Shape::Square,
            memory.first_call_peak.map(|b| b as f64),
            "first call",
        ),
        (
            Shape::Diamond,
            memory.planned_peak.map(|b| b as f64),
            "planned",
        ),
    ];
    let marks = marks.into_iter().filter_map(|(shape, value, what)| {
        let value = value.filter(|&v| v > 0.0)?;
        Some((shape, value, format!("{}: {what} {}", c.name, bytes(value))))
    });
    Row {
        name: c.name.clone(),
        class: class(c.kind),
        marks: marks.collect(),
        until: None,
        value: memory
            .call_peak
            .map_or_else(String::new, |b| bytes(b as f64)),
        remark: None,
    }
}

fn numbers(page: &mut String, record: &Record) {
    page.push_str("<h2>All numbers</h2>\n");
    let plain = |rows: Vec<Vec<String>>| -> Vec<Vec<Cell>> {
        let cell = |text| Cell {
            text,
            ..Cell::default()
        };
        rows.into_iter()
            .map(|row| row.into_iter().map(cell).collect())
            .collect()
    };
    let all = [
        (
            "Compiling: stages, counts and memory",
            tables::compilations(record),
        ),
        (
            "Compile law: slopes of the stages",
            plain(law::slopes(record)),
        ),
        (
            "Times for one element, option or operation",
            tables::per_unit(record),
        ),
        ("Not run, and why", tables::absent(record)),
    ];
    for (title, rows) in all.iter().filter(|(_, rows)| rows.len() > 1) {
        let _ = writeln!(page, "<details open><summary>{title}</summary>");
        html_table(page, rows);
        page.push_str("</details>\n");
    }
}

//! Numbers for people.

/// Nanoseconds in the unit that suits them, with three digits.
pub(crate) fn time(ns: f64) -> String {
    let (scale, unit) = match ns {
        ns if ns < 999.5 => (1.0, "ns"),
        ns if ns < 999.5e3 => (1e3, "us"),
        ns if ns < 999.5e6 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    format!("{} {unit}", digits(ns / scale))
}

/// Bytes in the unit that suits them.
pub(crate) fn bytes(bytes: f64) -> String {
    let (scale, unit) = match bytes {
        b if b < 999.5 => (1.0, "B"),
        b if b < 999.5e3 => (1e3, "kB"),
        b if b < 999.5e6 => (1e6, "MB"),
        _ => (1e9, "GB"),
    };
    format!("{} {unit}", digits(bytes / scale))
}

/// A number with three digits.
pub(crate) fn digits(x: f64) -> String {
    match x {
        0.0 => "0".into(),
        x if x < 9.995 => format!("{x:.2}"),
        x if x < 99.95 => format!("{x:.1}"),
        x => count(x.round() as usize),
    }
}

/// A whole number with spaces between thousands.
pub(crate) fn count(x: usize) -> String {
    let plain = x.to_string();
    let mut text = String::new();
    for (i, digit) in plain.chars().enumerate() {
        if i > 0 && (plain.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Rows with columns that are as wide as what is in them; the first few are aligned to the left.
pub(crate) fn table(rows: &[Vec<String>], left: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        // A row of one cell is a remark, and may be longer.
        let rows = rows.iter().filter(|row| row.len() > 1);
        let cells = rows.filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let space = " ".repeat(widths[column].saturating_sub(cell.chars().count()));
            let gap = if column > 0 { "  " } else { "" };
            match column < left {
                true => line.extend([gap, cell, &space]),
                false => line.extend([gap, &space, cell]),
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Rows as a table of Markdown; the first is the head.
pub(crate) fn markdown(rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    for (i, row) in rows.iter().enumerate() {
        text.push_str("| ");
        text.push_str(&row.join(" | "));
        text.push_str(" |\n");
        if i == 0 {
            text.push('|');
            text.push_str(&"---|".repeat(row.len()));
            text.push('\n');
        }
    }
    text
}

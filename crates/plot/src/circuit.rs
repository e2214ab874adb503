//! The circuit: one lane for each array that is alive, one column for each step.
//!
//! A result takes over the lane of an input that ends with it, else the highest free lane. So computations that go on
//! for long are straight lines, and the number of lanes is the largest number of arrays that are alive.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::color::Colors;
use super::drawing::Drawing;
use super::scene::{Line, Mark, Scene, Shape, count, number};

/// More marks than this are drawn as groups.
pub(super) const MOST_MARKS: usize = 1500;

/// For each node its lane, and the number of lanes.
fn lanes(drawing: &Drawing, last_uses: &[usize]) -> (Vec<u32>, u32) {
    let mut lanes: Vec<u32> = Vec::with_capacity(drawing.items.len());
    let mut free: BTreeSet<u32> = BTreeSet::new();
    let mut next = 0;
    for (position, item) in drawing.items.iter().enumerate() {
        let mut own = None;
        for &input in &item.inputs {
            let lane = lanes[input as usize];
            // An input that is used twice ends once.
            if last_uses[input as usize] == position && free.insert(lane) && own.is_none() {
                own = Some(lane);
            }
        }
        let lane = own.or_else(|| free.first().copied()).unwrap_or_else(|| {
            next += 1;
            next - 1
        });
        free.remove(&lane);
        lanes.push(lane);
        if last_uses[position] == position {
            free.insert(lane);
        }
    }
    (lanes, next)
}

/// Adds to the path of a colour. There are few colours, and those that follow each other are often the same.
pub(super) fn path_of(paths: &mut Vec<(String, String)>, color: String) -> &mut String {
    let index = paths
        .iter()
        .position(|(known, _)| *known == color)
        .unwrap_or_else(|| {
            paths.push((color, String::new()));
            paths.len() - 1
        });
    &mut paths[index].1
}

/// The nodes of each disc: those of one function in one column.
fn columns(drawing: &Drawing, per_column: usize) -> Vec<Vec<u32>> {
    let mut groups = Vec::new();
    for (column, items) in drawing.items.chunks(per_column).enumerate() {
        let mut in_column: Vec<(&str, Vec<u32>)> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let position = (column * per_column + index) as u32;
            match in_column
                .iter_mut()
                .find(|(name, _)| *name == item.function)
            {
                Some((_, nodes)) => nodes.push(position),
                None => in_column.push((item.function, vec![position])),
            }
        }
        groups.extend(in_column.into_iter().map(|(_, nodes)| nodes));
    }
    groups
}

pub(super) fn scene(drawing: &Drawing, colors: &Colors) -> Scene {
    let items = &drawing.items;
    let n = items.len();
    let last_uses = drawing.last_uses();
    let (lanes, lane_count) = lanes(drawing, &last_uses);
    let by = match colors.is_by_id() {
        // As many colours as nodes would be as many paths.
        true if n > MOST_MARKS => &Colors::new(drawing, super::ColorBy::Function),
        _ => colors,
    };

    // A column of several steps has one disc for each function, so how many there are shows only then.
    let mut per_column = n.div_ceil(MOST_MARKS).max(1);
    let mut groups = columns(drawing, per_column);
    while groups.len() > MOST_MARKS && per_column < n {
        per_column *= 2;
        groups = columns(drawing, per_column);
    }
    // Wide enough to distinguish steps, and no wider than needed.
    let step = match per_column {
        1 => (6000.0 / n.max(1) as f64).clamp(6.0, 16.0),
        _ => 4000.0 / n as f64,
    };
    let lane = (1100.0 / f64::from(lane_count.max(1))).clamp(0.25, 16.0);
    let x = |position: usize| (position as f64 + 1.0) * step;
    let y = |position: usize| (f64::from(lanes[position]) + 0.5) * lane;

    let mut arrays: Vec<(String, String)> = Vec::new();
    let mut uses: Vec<(String, String)> = Vec::new();
    for (position, item) in items.iter().enumerate() {
        let end = last_uses[position];
        let color = by.of(position, item);
        let path = path_of(&mut arrays, color);
        let until = if end == n { x(n) } else { x(end) - 0.6 * step };
        // Writing into a string does not fail.
        let _ = write!(
            path,
            "M{} {}H{}",
            number(x(position)),
            number(y(position)),
            number(until.max(x(position)))
        );
        if per_column > 1 {
            continue;
        }
        for &input in &item.inputs {
            let input = input as usize;
            let (from, to) = (x(position) - 0.6 * step, x(position));
            let path = path_of(&mut uses, by.of(input, &items[input]));
            let _ = write!(
                path,
                "M{} {}C{} {} {} {} {} {}",
                number(from),
                number(y(input)),
                number(from + 0.45 * step),
                number(y(input)),
                number(to - 0.45 * step),
                number(y(position)),
                number(to),
                number(y(position))
            );
        }
    }
    let line = |(color, path): (String, String), opacity: f64| Line {
        path,
        color,
        width: (0.16 * lane).clamp(0.5, 2.5),
        opacity,
        fill: None,
    };
    let uses = uses.into_iter().map(|path| line(path, 0.45));
    let lines: Vec<Line> = uses
        .chain(arrays.into_iter().map(|path| line(path, 0.8)))
        .collect();

    let mark = |nodes: Vec<u32>| {
        let first = nodes[0] as usize;
        Mark {
            x: x(first),
            y: y(first),
            shape: Shape::Disc((0.36 * lane).clamp(2.0, 5.5)),
            color: by.of(first, &items[first]),
            is_result: nodes.iter().any(|&node| items[node as usize].is_result),
            nodes,
        }
    };
    let marks: Vec<Mark> = groups.into_iter().map(mark).collect();

    let drawn = marks.len();
    Scene {
        title: format!("{} steps on {} lanes", count(n), count(lane_count as usize)),
        note: match per_column {
            1 => "Each line is an array, from the step that makes it to the last step that uses it; dark rings are \
                  results."
                .into(),
            _ => format!(
                "Each line is an array. A disc stands for up to {per_column} steps of one function; {} steps are drawn \
                 as {} discs, without lines to their inputs.",
                count(n),
                count(drawn)
            ),
        },
        legend: by.legend(),
        width: x(n) + step,
        height: f64::from(lane_count) * lane,
        lines,
        marks,
        texts: Vec::new(),
    }
}

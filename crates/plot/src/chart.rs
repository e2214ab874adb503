//! Charts: what is held after each step, sizes by function, and sums.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::FunctionsStyle;
use super::circuit::{MOST_MARKS, path_of};
use super::color::{ColorBy, Colors};
use super::drawing::Drawing;
use super::scene::{Anchor, Line, Mark, Scene, Shape, count, number, text_width};
use crate::statistics::Statistic;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 280.0;
const LEFT: f64 = 74.0;
const BOTTOM: f64 = 40.0;
const AXIS: &str = "#9ca3af";
const GRID: &str = "#e5e7eb";

/// Round numbers from 0 to `most`, about `wanted` of them.
fn ticks(most: f64, wanted: f64) -> Vec<f64> {
    let rough = (most / wanted).max(f64::MIN_POSITIVE);
    let power = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|f| f * power >= rough * 0.999);
    // Counts have no fractions.
    let step = (factor.unwrap_or(10.0) * power).max(1.0);
    let n = (most / step + 0.001).floor() as usize;
    (0..=n).map(|i| i as f64 * step).collect()
}

fn line(path: String, color: &str, width: f64) -> Line {
    Line {
        path,
        color: color.to_owned(),
        width,
        opacity: 1.0,
        fill: None,
    }
}

/// Both axes with their ticks: `(place, label)` from the left, and from the top.
fn axes(
    scene: &mut Scene,
    x_ticks: &[(f64, String)],
    y_ticks: &[(f64, String)],
    x_name: &str,
    y_name: &str,
) {
    let (right, bottom) = (LEFT + WIDTH, HEIGHT);
    let mut grid = String::new();
    for (y, label) in y_ticks {
        let _ = write!(grid, "M{} {}H{}", number(LEFT), number(*y), number(right));
        scene.text(LEFT - 8.0, y + 4.0, Anchor::End, label.clone());
    }
    let mut marks = format!("M{} 0V{}H{}", number(LEFT), number(bottom), number(right));
    for (x, label) in x_ticks {
        let _ = write!(marks, "M{} {}v5", number(*x), number(bottom));
        scene.text(*x, bottom + 18.0, Anchor::Middle, label.clone());
    }
    scene.lines.insert(0, line(grid, GRID, 1.0));
    scene.lines.insert(1, line(marks, AXIS, 1.0));
    scene.text(LEFT + WIDTH / 2.0, bottom + 35.0, Anchor::Middle, x_name);
    scene.text(LEFT - 8.0, -8.0, Anchor::End, y_name);
    scene.width = right + 10.0;
    scene.height = bottom + BOTTOM;
}

fn linear(ticks: Vec<f64>, most: f64, place: impl Fn(f64) -> f64) -> Vec<(f64, String)> {
    let tick = |tick: f64| (place(tick / most.max(1.0)), count(tick as usize));
    ticks.into_iter().map(tick).collect()
}

/// How many elements are held after each step.
pub(super) fn size_footprint(drawing: &Drawing) -> Scene {
    let held = drawing.held_after_each_step();
    let peak = held.iter().copied().max().unwrap_or(0);
    // As many columns as can be distinguished; the largest of a column stands for it, so no peak is lost.
    let per_column = held.len().div_ceil(2000).max(1);
    let columns: Vec<usize> = held
        .chunks(per_column)
        .map(|c| c.iter().copied().max().unwrap_or(0))
        .collect();
    let x = |column: usize| LEFT + WIDTH * column as f64 / columns.len().max(1) as f64;
    let y = |size: usize| HEIGHT * (1.0 - size as f64 / peak.max(1) as f64);
    let mut path = format!("M{} {}", number(LEFT), number(HEIGHT));
    for (column, &size) in columns.iter().enumerate() {
        let _ = write!(path, "V{}H{}", number(y(size)), number(x(column + 1)));
    }
    let _ = write!(path, "V{}Z", number(HEIGHT));
    let mut scene = Scene {
        title: format!("{} elements held at most, in {} changes", count(peak), count(held.len())),
        note: "Arrays are held from the step that makes them to the last that uses them; inputs from the beginning.".into(),
        lines: vec![Line {
            path,
            color: "#4477aa".into(),
            width: 1.5,
            opacity: 1.0,
            fill: Some("#4477aa33".into()),
        }],
        ..Scene::default()
    };
    let x_ticks = linear(ticks(held.len() as f64, 8.0), held.len() as f64, |share| {
        LEFT + WIDTH * share
    });
    let y_ticks = linear(ticks(peak as f64, 5.0), peak as f64, |share| {
        HEIGHT * (1.0 - share)
    });
    axes(
        &mut scene,
        &x_ticks,
        &y_ticks,
        "changes, in the order of the computation",
        "elements",
    );
    scene
}

/// The times of entries, and the sizes of their results.
pub(super) fn functions(drawing: &Drawing, colors: &Colors, style: FunctionsStyle) -> Scene {
    let by_function;
    let colors = match colors.is_by_id() && drawing.items.len() > MOST_MARKS {
        true => {
            by_function = Colors::new(drawing, ColorBy::Function);
            &by_function
        }
        false => colors,
    };
    let mut scene = match style {
        FunctionsStyle::Image => image(drawing, colors),
        FunctionsStyle::Scatter | FunctionsStyle::Lines => sizes(drawing, colors, style),
    };
    scene.legend = colors.legend();
    scene
}

/// Nodes as points above their steps, as high as they are large.
fn sizes(drawing: &Drawing, colors: &Colors, style: FunctionsStyle) -> Scene {
    let items = &drawing.items;
    let largest = items.iter().map(|item| item.size).max().unwrap_or(1).max(1);
    let decades = (largest as f64).log10().ceil().max(1.0);
    let x = |position: usize| LEFT + WIDTH * (position as f64 + 0.5) / items.len().max(1) as f64;
    // Arrays of no elements stand on the axis, below those of one.
    let y = |size: usize| match size {
        0 => HEIGHT,
        size => (HEIGHT - 10.0) * (1.0 - (size as f64).log10() / decades),
    };
    let mut paths: Vec<(String, String)> = Vec::new();
    let mut marks: Vec<Mark> = Vec::new();
    for (position, item) in items.iter().enumerate() {
        let (x, y) = (x(position), y(item.size));
        let color = colors.of(position, item);
        match style {
            FunctionsStyle::Lines => {
                let path = path_of(&mut paths, color.clone());
                let step = if path.is_empty() { 'M' } else { 'L' };
                let _ = write!(path, "{step}{} {}", number(x), number(y));
            }
            // Points are lines without length, with round ends.
            _ if items.len() > MOST_MARKS => {
                let path = path_of(&mut paths, color.clone());
                let _ = write!(path, "M{} {}h0", number(x), number(y));
            }
            _ => {}
        }
        if items.len() <= MOST_MARKS {
            marks.push(Mark {
                x,
                y,
                shape: Shape::Disc(if style == FunctionsStyle::Lines {
                    2.0
                } else {
                    4.0
                }),
                color,
                nodes: vec![position as u32],
                is_result: item.is_result,
            });
        }
    }
    let width = if style == FunctionsStyle::Lines {
        1.2
    } else {
        4.0
    };
    let lines = paths
        .into_iter()
        .map(|(color, path)| line(path, &color, width));
    let mut scene = Scene {
        title: format!("Sizes of {} arrays", count(items.len())),
        lines: lines.collect(),
        marks,
        ..Scene::default()
    };
    let x_ticks = linear(
        ticks(items.len() as f64, 8.0),
        items.len() as f64,
        |share| LEFT + WIDTH * share,
    );
    let powers = (0..=decades as usize).map(|power| 10_usize.pow(power.min(18) as u32));
    let y_ticks: Vec<(f64, String)> = powers.map(|size| (y(size), count(size))).collect();
    axes(&mut scene, &x_ticks, &y_ticks, "steps", "elements");
    scene
}

/// Nodes as squares, row by row.
fn image(drawing: &Drawing, colors: &Colors) -> Scene {
    let items = &drawing.items;
    let columns = ((items.len() as f64 * 2.0).sqrt().ceil() as usize).max(1);
    let cell = (WIDTH / columns as f64).clamp(1.0, 22.0);
    let place = |position: usize| {
        (
            (position % columns) as f64 * cell,
            (position / columns) as f64 * cell,
        )
    };
    let mut scene = Scene {
        title: format!("{} steps, row by row", count(items.len())),
        width: columns as f64 * cell,
        height: items.len().div_ceil(columns) as f64 * cell,
        ..Scene::default()
    };
    let mut paths: Vec<(String, String)> = Vec::new();
    for (position, item) in items.iter().enumerate() {
        let (x, y) = place(position);
        let color = colors.of(position, item);
        let path = path_of(&mut paths, color.clone());
        let side = number((cell - 1.0).max(0.6));
        let _ = write!(path, "M{} {}h{side}v{side}h-{side}z", number(x), number(y));
    }
    scene.lines = paths
        .into_iter()
        .map(|(color, path)| Line {
            fill: Some(color.clone()),
            width: 0.0,
            ..line(path, &color, 0.0)
        })
        .collect();
    scene
}

/// Bars for the sums of a statistic, the largest first.
pub(super) fn stats(drawing: &Drawing, statistic: Statistic) -> Scene {
    let mut sums: BTreeMap<&'static str, usize> = BTreeMap::new();
    for item in &drawing.items {
        let value = match statistic {
            Statistic::Count => 1,
            Statistic::SizeOut => item.size,
            Statistic::SizeIn => {
                let sizes = item
                    .inputs
                    .iter()
                    .map(|&input| drawing.items[input as usize].size);
                sizes.fold(0, usize::saturating_add)
            }
        };
        let sum = sums.entry(item.function).or_default();
        *sum = sum.saturating_add(value);
    }
    let mut bars: Vec<(&'static str, usize)> = sums.into_iter().collect();
    bars.sort_by_key(|&(name, sum)| (std::cmp::Reverse(sum), name));
    let colors = Colors::new(drawing, ColorBy::Function);
    let largest = bars.first().map_or(1, |bar| bar.1).max(1);
    let names = bars.iter().map(|bar| text_width(bar.0, 11.0));
    let left = names.fold(40.0, f64::max) + 10.0;
    const ROW: f64 = 24.0;
    let mut scene = Scene {
        title: match statistic {
            Statistic::Count => "How often each function runs".into(),
            Statistic::SizeIn => "Elements that each function reads".into(),
            Statistic::SizeOut => "Elements that each function makes".into(),
        },
        width: left + 480.0,
        height: bars.len() as f64 * ROW,
        ..Scene::default()
    };
    for (row, (name, sum)) in bars.into_iter().enumerate() {
        let y = row as f64 * ROW;
        let width = 380.0 * sum as f64 / largest as f64;
        let color = match name {
            "variable" => "#1f2937".to_owned(),
            name => colors.of_function(name),
        };
        let path = format!(
            "M{} {}h{}v16h-{}z",
            number(left),
            number(y + 4.0),
            number(width),
            number(width)
        );
        scene.lines.push(Line {
            fill: Some(color.clone()),
            ..line(path, &color, 0.0)
        });
        scene.text(left - 8.0, y + 16.0, Anchor::End, name);
        scene.text(left + width + 8.0, y + 16.0, Anchor::Start, count(sum));
    }
    scene
}

//! The graph in layers, inputs above users.
//!
//! A node stands as low as its users let it, so that what is used once stands beside its use. The order within layers is
//! found by sweeps that sort nodes by the mean place of their neighbours (Sugiyama, Tagawa and Toda 1981), and places
//! by the same means with a least distance; lines go straight past layers between. Many nodes are drawn as groups.

use std::fmt::Write as _;

use rustc_hash::{FxHashMap, FxHashSet};

use super::circuit::{MOST_MARKS, path_of};
use super::color::Colors;
use super::drawing::{Drawing, Origin};
use super::scene::{Line, Mark, Scene, Shape, count, number, text_width};

/// A node, or nodes of one function in one layer; without nodes a place that a line passes.
struct Vertex {
    nodes: Vec<u32>,
    layer: usize,
    width: f64,
    /// To the vertices that use it, or that it uses.
    neighbours: Vec<u32>,
}

impl Vertex {
    fn new(layer: usize) -> Self {
        Self {
            nodes: Vec::new(),
            layer,
            width: 0.0,
            neighbours: Vec::new(),
        }
    }

    fn is_cut(&self) -> bool {
        self.nodes.is_empty()
    }
}

const HEIGHT: f64 = 32.0;
const LAYER: f64 = 62.0;
const GAP: f64 = 14.0;

/// The layer of each node, and their number.
fn layers(drawing: &Drawing) -> (Vec<usize>, usize) {
    let mut from_end = vec![0_usize; drawing.items.len()];
    for (position, item) in drawing.items.iter().enumerate().rev() {
        for &input in &item.inputs {
            let input = input as usize;
            from_end[input] = from_end[input].max(from_end[position] + 1);
        }
    }
    let deepest = from_end.iter().copied().max().unwrap_or(0);
    (from_end.iter().map(|&d| deepest - d).collect(), deepest + 1)
}

fn label(drawing: &Drawing, nodes: &[u32]) -> (String, String) {
    let first = &drawing.items[nodes[0] as usize];
    if let [_] = nodes {
        return (first.function.to_owned(), first.ty.clone());
    }
    let same = nodes
        .iter()
        .all(|&node| drawing.items[node as usize].ty == first.ty);
    let detail = if same {
        first.ty.clone()
    } else {
        "several types".to_owned()
    };
    (format!("{} ×{}", first.function, nodes.len()), detail)
}

/// The vertices, if `per_layer` layers become one and, if asked for, equal functions in them too; and from which vertex
/// to which there is a line.
fn vertices(
    drawing: &Drawing,
    layers: &[usize],
    per_layer: usize,
    grouped: bool,
) -> (Vec<Vertex>, Vec<(u32, u32)>) {
    let mut known: FxHashMap<(usize, &str, bool), u32> = FxHashMap::default();
    let mut vertices: Vec<Vertex> = Vec::new();
    let mut of: Vec<u32> = Vec::with_capacity(layers.len());
    for (position, item) in drawing.items.iter().enumerate() {
        let layer = layers[position] / per_layer;
        let next = vertices.len() as u32;
        let vertex = match grouped {
            true => *known
                .entry((layer, item.function, item.is_result))
                .or_insert(next),
            false => next,
        };
        if vertex == next {
            vertices.push(Vertex::new(layer));
        }
        vertices[vertex as usize].nodes.push(position as u32);
        of.push(vertex);
    }
    let mut edges: Vec<(u32, u32)> = Vec::new();
    let mut seen: FxHashSet<(u32, u32)> = FxHashSet::default();
    for (position, item) in drawing.items.iter().enumerate() {
        for &input in &item.inputs {
            let edge = (of[input as usize], of[position]);
            if edge.0 != edge.1 && seen.insert(edge) {
                edges.push(edge);
            }
        }
    }
    (vertices, edges)
}

/// Cuts lines where they pass layers, so that they find a way between boxes: each vertex has one line down to its lowest
/// user, and those above branch off. Cuts are vertices without nodes. Gives the pieces, each with the vertex that it
/// comes from; of graphs with very many cuts the lines themselves.
fn cut(vertices: &mut Vec<Vertex>, edges: &[(u32, u32)]) -> Vec<(u32, u32, u32)> {
    const MOST_CUTS: usize = 12_000;
    let mut lowest: Vec<usize> = vertices.iter().map(|v| v.layer).collect();
    for &(from, to) in edges {
        let from = from as usize;
        lowest[from] = lowest[from].max(vertices[to as usize].layer);
    }
    let cuts = lowest
        .iter()
        .zip(&*vertices)
        .map(|(low, v)| (low - v.layer).saturating_sub(1));
    if cuts.sum::<usize>() > MOST_CUTS {
        return edges.iter().map(|&(from, to)| (from, to, from)).collect();
    }
    let mut pieces = Vec::new();
    let mut first_cut = Vec::with_capacity(vertices.len());
    for (index, low) in lowest.into_iter().enumerate() {
        first_cut.push(vertices.len() as u32);
        let mut before = index as u32;
        for layer in vertices[index].layer + 1..low {
            let cut = vertices.len() as u32;
            vertices.push(Vertex::new(layer));
            pieces.push((before, cut, index as u32));
            before = cut;
        }
    }
    for &(from, to) in edges {
        let down = vertices[to as usize]
            .layer
            .saturating_sub(vertices[from as usize].layer);
        let above = match down {
            0 | 1 => from,
            _ => first_cut[from as usize] + down as u32 - 2,
        };
        pieces.push((above, to, from));
    }
    pieces
}

/// The middle of each vertex.
fn places(vertices: &[Vertex], layer_count: usize) -> Vec<f64> {
    let mut rows: Vec<Vec<u32>> = vec![Vec::new(); layer_count];
    for (index, vertex) in vertices.iter().enumerate() {
        rows[vertex.layer].push(index as u32);
    }
    let mut x = vec![0.0_f64; vertices.len()];
    for row in &rows {
        let mut at = 0.0;
        for &v in row {
            let width = vertices[v as usize].width;
            x[v as usize] = at + width / 2.0;
            at += width + GAP;
        }
        // Rows begin around one axis.
        for &v in row {
            x[v as usize] -= at / 2.0;
        }
    }
    const SWEEPS: usize = 24;
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        for i in 0..layer_count {
            let row = if down { i } else { layer_count - 1 - i };
            let row = &mut rows[row];
            let wanted = |v: u32| {
                let neighbours = &vertices[v as usize].neighbours;
                match neighbours.len() {
                    0 => x[v as usize],
                    len => neighbours.iter().map(|&n| x[n as usize]).sum::<f64>() / len as f64,
                }
            };
            let mut keyed: Vec<(f64, u32)> = row.iter().map(|&v| (wanted(v), v)).collect();
            // The last sweeps keep the order and find places.
            if sweep < SWEEPS / 2 {
                keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            }
            let apart = |a: u32, b: u32| {
                (vertices[a as usize].width + vertices[b as usize].width) / 2.0 + GAP
            };
            // Two ways to keep the distance, to the right and to the left; so does their mean.
            let mut right: Vec<f64> = keyed.iter().map(|k| k.0).collect();
            let mut left = right.clone();
            for i in 1..keyed.len() {
                right[i] = right[i].max(right[i - 1] + apart(keyed[i - 1].1, keyed[i].1));
            }
            for i in (1..keyed.len()).rev() {
                left[i - 1] = left[i - 1].min(left[i] - apart(keyed[i - 1].1, keyed[i].1));
            }
            for (i, &(_, v)) in keyed.iter().enumerate() {
                x[v as usize] = f64::midpoint(right[i], left[i]);
            }
            *row = keyed.into_iter().map(|k| k.1).collect();
        }
    }
    x
}

pub(super) fn scene(drawing: &Drawing, colors: &Colors) -> Scene {
    let n = drawing.items.len();
    let (layers, mut layer_count) = layers(drawing);
    let grouped = n > MOST_MARKS;
    let mut per_layer = 1;
    let (mut vertices, edges) = loop {
        let (vertices, edges) = vertices(drawing, &layers, per_layer, grouped);
        if vertices.len() <= MOST_MARKS || per_layer >= layer_count {
            break (vertices, edges);
        }
        per_layer *= 2;
    };
    layer_count = layer_count.div_ceil(per_layer);

    let drawn = vertices.len();
    let pieces = cut(&mut vertices, &edges);
    for &(from, to, _) in &pieces {
        vertices[from as usize].neighbours.push(to);
        vertices[to as usize].neighbours.push(from);
    }
    let labels: Vec<(String, String)> = vertices[..drawn]
        .iter()
        .map(|v| label(drawing, &v.nodes))
        .collect();
    for (vertex, (label, detail)) in vertices.iter_mut().zip(&labels) {
        vertex.width = text_width(label, 12.0).max(text_width(detail, 9.5)) + 16.0;
    }
    let mut x = places(&vertices, layer_count);
    let sides = vertices
        .iter()
        .zip(&x)
        .map(|(v, &x)| (x - v.width / 2.0, x + v.width / 2.0));
    let (left, right) = sides.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, r), (a, b)| {
        (l.min(a), r.max(b))
    });
    let left = if left.is_finite() { left } else { 0.0 };
    for x in &mut x {
        *x -= left;
    }
    let y = |v: &Vertex| (v.layer as f64 + 0.5) * LAYER;

    let color = |vertex: &Vertex| {
        let first = vertex.nodes[0] as usize;
        colors.of(first, &drawing.items[first])
    };
    let mut paths: Vec<(String, String)> = Vec::new();
    for &(from, to, source) in &pieces {
        let (a, b) = (&vertices[from as usize], &vertices[to as usize]);
        let (x0, x1) = (x[from as usize], x[to as usize]);
        let (y0, y1) = (y(a) + HEIGHT / 2.0, y(b) - HEIGHT / 2.0);
        let bend = ((y1 - y0) / 2.0).clamp(14.0, 60.0);
        let path = path_of(&mut paths, color(&vertices[source as usize]));
        // Writing into a string does not fail. A line goes straight down past the boxes of a layer.
        let start = if a.is_cut() { y0 - HEIGHT } else { y0 };
        let _ = write!(
            path,
            "M{} {}V{}C{} {} {} {} {} {}",
            number(x0),
            number(start),
            number(y0),
            number(x0),
            number(y0 + bend),
            number(x1),
            number(y1 - bend),
            number(x1),
            number(y1)
        );
    }
    let opacity = if edges.len() > 400 { 0.35 } else { 0.6 };
    let lines = paths.into_iter().map(|(color, path)| Line {
        path,
        color,
        width: 1.4,
        opacity,
        fill: None,
    });

    let marks = vertices
        .iter()
        .zip(labels)
        .zip(&x)
        .map(|((vertex, (label, detail)), &x)| Mark {
            x,
            y: y(vertex),
            shape: Shape::Box {
                width: vertex.width,
                height: HEIGHT,
                label,
                detail,
            },
            color: color(vertex),
            is_result: vertex
                .nodes
                .iter()
                .any(|&node| drawing.items[node as usize].is_result),
            nodes: vertex.nodes.clone(),
        });
    let inputs = drawing
        .items
        .iter()
        .filter(|item| item.origin != Origin::Computed)
        .count();
    Scene {
        title: format!(
            "{} nodes in {} layers, {} of them inputs",
            count(n),
            count(layers.iter().max().map_or(0, |l| l + 1)),
            count(inputs)
        ),
        note: match (grouped, per_layer) {
            (false, _) => "Inputs stand above their users; dark rings are results.".into(),
            (true, 1) => format!(
                "{} nodes are drawn as {} groups: nodes of one function in one layer are one box.",
                count(n),
                count(drawn)
            ),
            (true, per_layer) => format!(
                "{} nodes are drawn as {} groups: nodes of one function in {per_layer} layers are one box.",
                count(n),
                count(drawn)
            ),
        },
        legend: colors.legend(),
        width: if right.is_finite() { right - left } else { 0.0 },
        height: layer_count as f64 * LAYER,
        lines: lines.collect(),
        marks: marks.collect(),
        texts: Vec::new(),
    }
}

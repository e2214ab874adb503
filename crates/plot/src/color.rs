//! Colours of nodes, and the legend that says what they mean.

use rustc_hash::FxHashMap;

use super::drawing::{Drawing, Item, Origin};

/// The meaning of the colours of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColorBy {
    /// The function that computes the node.
    Function,
    /// Whether the node is a variable or a constant, or is computed from variables or from constants alone.
    Variable,
    /// The number of the node: early ones are blue, late ones red.
    Id,
}

/// Distinguishable by most people, also with most kinds of colour blindness; dark enough for white text. After P. Tol's "muted" and
/// "bright" schemes (Colour Schemes, SRON technical note, 2021).
const PALETTE: [&str; 12] = [
    "#4477aa", "#cc6677", "#117733", "#aa4499", "#b8860b", "#332288", "#44889a", "#882255",
    "#66752d", "#5b5b5b", "#c0561b", "#2f8f6f",
];
const VARIABLE: &str = "#1f2937";
const CONSTANT: &str = "#8a8f98";

/// The colours of a drawing.
pub(super) struct Colors {
    by: ColorBy,
    functions: FxHashMap<&'static str, String>,
    /// For [`ColorBy::Variable`], which nodes depend on variables.
    varies: Vec<bool>,
    count: usize,
    legend: Vec<(String, String)>,
}

impl Colors {
    pub(super) fn new(drawing: &Drawing, by: ColorBy) -> Self {
        let mut counts: FxHashMap<&'static str, usize> = FxHashMap::default();
        let mut varies: Vec<bool> = Vec::with_capacity(drawing.items.len());
        let (mut has_variables, mut has_constants) = (false, false);
        for item in &drawing.items {
            match item.origin {
                Origin::Variable => has_variables = true,
                Origin::Constant => has_constants = true,
                Origin::Computed => *counts.entry(item.function).or_default() += 1,
            }
            let depends = item.inputs.iter().any(|&i| varies[i as usize]);
            varies.push(depends || item.origin == Origin::Variable);
        }
        // The commonest get the colours that are easiest to distinguish.
        let mut names: Vec<(&'static str, usize)> = counts.into_iter().collect();
        names.sort_by_key(|&(name, count)| (std::cmp::Reverse(count), name));
        let colored = names.iter().enumerate();
        let functions: FxHashMap<&'static str, String> =
            colored.map(|(i, (name, _))| (*name, nth(i))).collect();

        let mut legend = Vec::new();
        match by {
            ColorBy::Function => {
                legend.extend(
                    names.iter().map(|(name, count)| {
                        (functions[name].clone(), format!("{name} × {count}"))
                    }),
                );
                let leaves = [
                    (has_variables, VARIABLE, "variable"),
                    (has_constants, CONSTANT, "constant"),
                ];
                let leaves = leaves.iter().filter(|(is_there, ..)| *is_there);
                legend.extend(leaves.map(|(_, color, name)| ((*color).into(), (*name).into())));
            }
            ColorBy::Variable => {
                let meanings = [
                    (VARIABLE, "variable"),
                    (PALETTE[0], "from variables"),
                    (CONSTANT, "constant"),
                    (PALETTE[4], "from constants"),
                ];
                legend.extend(meanings.map(|(color, name)| (color.to_owned(), name.to_owned())));
            }
            ColorBy::Id => {
                legend.push((by_share(0.0), "first".to_owned()));
                legend.push((by_share(1.0), "last".to_owned()));
            }
        }
        Self {
            by,
            functions,
            varies,
            count: drawing.items.len(),
            legend,
        }
    }

    pub(super) fn of(&self, position: usize, item: &Item) -> String {
        match (self.by, item.origin) {
            (ColorBy::Id, _) => {
                by_share(position as f64 / self.count.saturating_sub(1).max(1) as f64)
            }
            (_, Origin::Variable) => VARIABLE.into(),
            (_, Origin::Constant) => CONSTANT.into(),
            (ColorBy::Function, Origin::Computed) => self.of_function(item.function),
            (ColorBy::Variable, Origin::Computed) if self.varies[position] => PALETTE[0].into(),
            (ColorBy::Variable, Origin::Computed) => PALETTE[4].into(),
        }
    }

    pub(super) fn of_function(&self, name: &str) -> String {
        self.functions
            .get(name)
            .cloned()
            .unwrap_or_else(|| CONSTANT.into())
    }

    pub(super) fn is_by_id(&self) -> bool {
        self.by == ColorBy::Id
    }

    /// Colours and what they mean.
    pub(super) fn legend(&self) -> Vec<(String, String)> {
        self.legend.clone()
    }
}

/// The colour of the function with this rank.
fn nth(rank: usize) -> String {
    match PALETTE.get(rank) {
        Some(color) => (*color).to_owned(),
        // Each hue as far from the others as can be: steps of the golden angle.
        None => format!("hsl({:.0} 55% 42%)", (rank as f64 * 137.508) % 360.0),
    }
}

fn by_share(share: f64) -> String {
    format!("hsl({:.0} 60% 45%)", 230.0 + 130.0 * share)
}

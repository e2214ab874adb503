//! The optimiser: rewrites of graphs that every backend profits from.
//!
//! [`optimize`] runs [`PASSES`] in order. Each pass is linear in the number of nodes: one rebuild of the live
//! part of the graph, with the rules of the pass tried at every node. All rules are exact under IEEE 754:
//! nothing here changes a bit of a result, signed zeros and NaN included. [`expand`] is what a backend calls
//! when it wants core ops only.

mod algebra;
mod fold;
mod rewrite;

use std::time::{Duration, Instant};

use crate::error::Result;
use crate::ir::{Builder, Graph};

pub(crate) use rewrite::{Rule, rewrite};

/// A pass: its name and its rules.
type Pass = (&'static str, &'static [Rule]);

/// The passes that every graph goes through.
const PASSES: &[Pass] = &[("algebra", algebra::RULES), ("fold", fold::RULES)];

/// What a pass of the optimiser did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PassReport {
    /// Its name.
    pub name: &'static str,
    /// Nodes that it looked at; linear passes look at each once.
    pub visited: usize,
    /// Nodes that it stood something else in the place of.
    pub rewritten: usize,
    /// Nodes of the graph that it gave, arguments and constants among them.
    pub nodes: usize,
    /// How long it took.
    pub time: Duration,
}

/// Runs all passes.
///
/// # Errors
/// A rule broke the graph: a mistake of ours.
pub(crate) fn optimize(graph: &Graph) -> Result<(Graph, Vec<PassReport>)> {
    let mut current = graph.clone();
    let mut reports = Vec::with_capacity(PASSES.len() + 1);
    // What rules left behind goes at the end.
    for &(name, rules) in PASSES.iter().chain(&[("sweep", &[] as &[Rule])]) {
        let start = Instant::now();
        let (next, counts) = rewrite(&current, rules)?;
        current = next;
        reports.push(PassReport {
            name,
            visited: counts.visited,
            rewritten: counts.rewritten,
            nodes: current.nodes().len(),
            time: start.elapsed(),
        });
    }
    Ok((current, reports))
}

/// Writes everything with core ops on inputs of equal dtype, and simplifies what that gives.
///
/// # Errors
/// An expansion does not fit its row: a mistake of ours.
#[allow(dead_code, reason = "for backends that compile; a build may have none")]
pub(crate) fn expand(graph: &Graph) -> Result<Graph> {
    let expanded = rewrite::rebuild(graph, |new, node, inputs| {
        Builder::new(new, node.location).push(node.op.clone(), inputs)
    })?;
    let (simplified, _) = rewrite(&expanded, algebra::RULES)?;
    Ok(rewrite(&simplified, &[])?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn optimized(text: &str) -> String {
        let graph: Graph = text.parse().unwrap();
        let (optimized, _) = optimize(&graph).unwrap();
        optimized.verify().unwrap();
        optimized.to_string()
    }

    #[test]
    fn exact_identities_go() {
        let text = optimized(
            "%x = input index=0 ty=f64[3]
             %one = literal value=1.0:f64
             %a = conj %x
             %b = multiply %a %one
             %c = negative %b
             %d = negative %c
             %e = reshape shape=[3] %d
             return %e",
        );
        assert_eq!(text, "%0 = input index=0 ty=f64[3]\nreturn %0\n");
    }

    #[test]
    fn what_changes_bits_stays() {
        for line in [
            "add %x %zero",
            "multiply %x %zero",
            "subtract %x %x",
            "divide %x %x",
        ] {
            let text = optimized(&format!(
                "%x = input index=0 ty=f64[3]\n%zero = literal value=0.0:f64\n%y = {line}\nreturn %y"
            ));
            assert!(
                text.contains(line.split(' ').next().unwrap()),
                "{line} was changed:\n{text}"
            );
        }
    }

    #[test]
    fn views_of_views_merge() {
        let text = optimized(
            "%x = input index=0 ty=f64[2,3,4]
             %a = transpose perm=[2,0,1] %x
             %b = transpose perm=[1,2,0] %a
             %c = reshape shape=[6,4] %b
             %d = reshape shape=[24] %c
             return %b %d",
        );
        assert_eq!(
            text,
            "%0 = input index=0 ty=f64[2,3,4]\n%1 = reshape shape=[24] %0 : f64[24]\nreturn %0 %1\n"
        );
    }

    #[test]
    fn expansion_leaves_core_ops_of_equal_dtypes() {
        let graph: Graph = "%x = input index=0 ty=i64[4,3]
             %y = input index=1 ty=f32[3,2]
             %z = tensordot x_axes=[1] y_axes=[0] %x %y
             %n = norm order=None axes=[1] keepdims=false %z
             %s = stack axis=0 %n %n
             return %s"
            .parse()
            .unwrap();
        let expanded = expand(&graph).unwrap();
        expanded.verify().unwrap();
        assert!(
            expanded.nodes().iter().all(|n| !n.op.has_expansion()),
            "{expanded}"
        );
    }
}

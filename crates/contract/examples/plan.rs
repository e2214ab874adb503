//! Plans a network from standard input, for comparison with other programs: JSON with `operands`, `output`, `sizes`
//! (`[label, size]`), and optionally `seconds`, `steps`, `seed` and `largest`. Instead of a search, `ssa_path` and
//! `sliced` give a plan; with `quick` it is the order that an einsum has by default. Prints JSON.

use std::time::{Duration, Instant};

use autojit_contract::{Network, Options, Plan, Search, order, plan};
use serde::Deserialize;

#[derive(Deserialize)]
struct Request {
    operands: Vec<Vec<u32>>,
    output: Vec<u32>,
    sizes: Vec<(u32, u64)>,
    seconds: Option<f64>,
    steps: Option<u64>,
    seed: Option<u64>,
    largest: Option<f64>,
    ssa_path: Option<Vec<[usize; 2]>>,
    #[serde(default)]
    sliced: Vec<u32>,
    #[serde(default)]
    quick: bool,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let request: Request = serde_json::from_reader(std::io::stdin())?;
    let network = Network::new(request.operands, request.output, request.sizes)?;
    let start = Instant::now();
    let plan = match request.ssa_path {
        None if request.quick => {
            let path = order(&network, Search::Auto)?;
            let path: Vec<Vec<usize>> = path.iter().map(|pair| pair.to_vec()).collect();
            Plan::from_path(&network, &path)?
        }
        Some(path) => Plan::from_ssa_path(&network, &path)?.sliced_by(&request.sliced)?,
        None => plan(
            &network,
            &Options {
                seed: request.seed.unwrap_or(0),
                steps: request.steps.unwrap_or(u64::MAX),
                time: request.seconds.map(Duration::from_secs_f64),
                largest: request.largest,
                ..Options::default()
            },
        )?,
    };
    let cost = plan.cost();
    println!(
        "{}",
        serde_json::json!({
            "operations": cost.log2_operations(),
            "largest": cost.log2_largest(),
            "peak": cost.peak(),
            "slices": cost.slices(),
            "seconds": start.elapsed().as_secs_f64(),
            "path": plan.ssa_path(),
            "sliced": plan.sliced(),
        })
    );
    Ok(())
}

//! Orders of contraction for tensor networks: how to sum a product of many arrays two at a time, cheaply and within
//! a limit of memory.
//!
//! ```
//! use autojit_contract::{Network, Options, plan};
//! let chain = Network::parse("ab,bc,cd->ad", &[vec![2, 30], vec![30, 40], vec![40, 50]])?;
//! let plan = plan(&chain, &Options::default())?;
//! assert_eq!(plan.path(), [[0, 1], [0, 1]]);
//! assert_eq!(plan.cost().operations(), 2.0 * 30.0 * 40.0 + 2.0 * 40.0 * 50.0);
//! # Ok::<(), autojit_contract::Error>(())
//! ```
//!
//! Sources: Gray and Kourtis, "Hyper-optimized tensor network contraction" (2021); Kalachev, Panteleev and Yung,
//! "Recursive multi-tensor contraction for XEB verification of quantum circuits" (2021); Pfeifer, Haegeman and Verstraete,
//! "Faster identification of optimal contraction sequences for tensor networks" (2014).

mod cost;
mod error;
mod network;
mod plan;
mod present;
mod random;
mod search;
mod tree;

pub use cost::Cost;
pub use error::{Error, Result};
pub use network::{Label, Network};
pub use plan::{Options, Plan, Search, Step, order, plan};
pub use present::Present;

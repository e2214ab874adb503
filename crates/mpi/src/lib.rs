//! Contractions and batches of autojit over the processes of an MPI program.
//!
//! Every process, a *rank*, runs the same program and makes the same calls with the same arguments; each call gives all of them the same
//! result or the same error. Inside of a call rank 0 hands out parts of the work, slices of a contraction or batches of examples, to
//! whoever is done with the last ones, and adds or joins what comes back in an order that is fixed. So the bits of a result depend
//! neither on the number of ranks nor on their speed, and are those of [`CompiledPlan::run`](autojit::contract::CompiledPlan::run).
//!
//! ```
//! use autojit::contract::{Execute, Network, Options};
//! use autojit::numpy as np;
//! use autojit_mpi::{Ranks, Run};
//!
//! let ranks = Ranks::start()?;
//! // A ring of four matrices; no array of a slice has more than 64 elements.
//! let network = Network::parse("ab,bc,cd,da->", &vec![vec![32, 32]; 4])?;
//! let options = Options { largest: Some(64.0), ..Options::default() };
//! // Searched for by rank 0 alone, as are operands that are read from files.
//! let compiled = ranks.plan(&network, &options)?.compile()?;
//! let operands = ranks.broadcast(|| {
//!     let x = np::linspace(-1.0, 1.0, 1024).reshape([32, 32]);
//!     Ok(vec![x.clone(), x.clone(), x.clone(), x])
//! })?;
//! let sum = ranks.contract(&compiled, &operands, Run::new())?;
//! if ranks.rank() == 0 {
//!     println!("{} ranks: {sum}", ranks.size());
//! }
//! # let same = compiled.run(&operands, autojit::contract::Run::new())?;
//! # assert_eq!(sum.item::<f64>()?, same.item::<f64>()?);
//! # Ok::<(), autojit::Error>(())
//! ```
//!
//! Such a program is run by `mpirun -n 4 program`; without `mpirun` it is one rank. One rank for each core is meant: a rank makes one
//! call at a time. The crate needs an MPI such as OpenMPI, and libclang while it is built, which `scripts/setup-mpi.sh` gets.
//!
//! # Errors, and ranks that die
//!
//! Where a rank gets an error, all ranks end the call with that error, which begins with the number of the rank. What a program finds out
//! by itself on some ranks, such as a file that is missing, it tells the others by [`Ranks::agree`], as a rank that leaves alone would
//! leave the others waiting. A rank that panics ends all. A rank that is killed ends the run: `mpirun` notices, and ends the others. With
//! [`Run::checkpoint`] the next run goes on from what rank 0 had added.
//!
//! How time and traffic grow with the number of ranks is in `docs/scaling.md`.

mod contract;
mod map;
mod ranks;
mod tasks;
mod wire;

pub use contract::Run;
pub use ranks::Ranks;

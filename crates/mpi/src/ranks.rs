//! `Ranks`: the processes of an MPI program, and what they tell each other.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;
use std::marker::PhantomData;
use std::panic::Location;
use std::time::Duration;

use autojit::contract::{Network, Options, Plan};
use autojit::{Array, Error, Result};
use mpi::Threading;
use mpi::collective::SystemOperation;
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};

use crate::wire;

/// The ranks of an MPI program: the processes that `mpirun` started, or this one alone.
///
/// Made once, on the thread that makes all calls; MPI ends where it is dropped, once all ranks drop theirs.
///
/// ```
/// use autojit_mpi::Ranks;
///
/// let ranks = Ranks::start()?;
/// assert!(ranks.rank() < ranks.size());
/// assert!(Ranks::start().is_err());
/// # Ok::<(), autojit::Error>(())
/// ```
pub struct Ranks {
    /// Freed before the universe ends MPI, so it comes first.
    pub(crate) world: SimpleCommunicator,
    _universe: Universe,
    /// MPI was told that one thread calls it.
    _one_thread: PhantomData<*const ()>,
}

impl Ranks {
    /// Starts MPI, or meets the processes that `mpirun` started.
    ///
    /// # Errors
    /// MPI was started before in this process (`is_value`).
    #[track_caller]
    pub fn start() -> Result<Self> {
        let location = Location::caller();
        let Some((universe, _)) = mpi::initialize_with_threading(Threading::Funneled) else {
            let error = Error::value("MPI was started before in this process");
            return Err(error.in_op("start").at(location));
        };
        Ok(Self {
            // Its messages are not taken for those of the program.
            world: universe.world().duplicate(),
            _universe: universe,
            _one_thread: PhantomData,
        })
    }

    /// The number of this process, from zero.
    #[must_use]
    pub fn rank(&self) -> usize {
        usize::try_from(self.world.rank()).unwrap_or(0)
    }

    /// How many there are.
    #[must_use]
    pub fn size(&self) -> usize {
        usize::try_from(self.world.size()).unwrap_or(1)
    }

    /// What a rank found out by itself: its own value where no rank has an error, and for all of them the error of the lowest rank that
    /// has one. All ranks call it, and wait for each other.
    ///
    /// ```
    /// use autojit::{Array, Error};
    /// use autojit_mpi::Ranks;
    ///
    /// let ranks = Ranks::start()?;
    /// let numbers = std::fs::read("Cargo.toml").map_err(|e| Error::file(e.to_string()));
    /// let numbers = ranks.agree(numbers)?;
    /// # assert!(!numbers.is_empty());
    /// # let failed = ranks.agree(Err::<(), _>(Error::value("no numbers"))).unwrap_err();
    /// # assert_eq!(failed.to_string(), "rank 0: no numbers");
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// That of the lowest rank.
    pub fn agree<T>(&self, own: Result<T>) -> Result<T> {
        self.meet();
        let (rank, size) = (self.world.rank(), self.world.size());
        let mut failed = size;
        let mine = if own.is_err() { rank } else { size };
        let min = SystemOperation::min();
        self.world.all_reduce_into(&mine, &mut failed, min);
        if failed == size {
            return own;
        }
        let bytes = own.err().filter(|_| rank == failed);
        let bytes = bytes.map(|error| wire::encode_error(&error, rank));
        let bytes = wire::broadcast(&self.world, failed, bytes);
        Err(wire::decode_error(&bytes))
    }

    /// Arrays that rank 0 makes, by a function that it alone calls, on all ranks.
    ///
    /// # Errors
    /// Those of the function; an array has no value.
    #[track_caller]
    pub fn broadcast(&self, make: impl FnOnce() -> Result<Vec<Array>>) -> Result<Vec<Array>> {
        let location = Location::caller();
        let own = |e: Error| e.in_op("broadcast").at(location);
        let encoded = || wire::encode_arrays(&make()?).map_err(own);
        wire::decode_arrays(&self.bytes_of_first(encoded)?).map_err(own)
    }

    /// The plan that rank 0 finds for a network, as [`autojit::contract::plan`] does, on all ranks.
    ///
    /// # Errors
    /// As `plan`.
    #[track_caller]
    pub fn plan(&self, network: &Network, options: &Options) -> Result<Plan> {
        let location = Location::caller();
        let search = || {
            let plan = autojit::contract::plan(network, options)?;
            serde_json::to_vec(&plan).map_err(Error::internal)
        };
        let own = |e: Error| e.in_op("plan").at(location);
        let bytes = self.bytes_of_first(|| search().map_err(own))?;
        serde_json::from_slice(&bytes).map_err(|e| own(Error::internal(e)))
    }

    /// The bytes that a function gives on rank 0.
    pub(crate) fn bytes_of_first(&self, make: impl FnOnce() -> Result<Vec<u8>>) -> Result<Vec<u8>> {
        let made = (self.rank() == 0).then(make).transpose();
        let bytes = self.agree(made)?;
        Ok(wire::broadcast(&self.world, 0, bytes))
    }

    /// Compares what all ranks are to have alike with that of rank 0.
    pub(crate) fn check_same(
        &self,
        what: &str,
        bytes: impl Iterator<Item = Vec<u8>>,
    ) -> Result<()> {
        let mut hasher = DefaultHasher::new();
        bytes.for_each(|bytes| hasher.write(&bytes));
        let own = hasher.finish();
        let first = (self.rank() == 0).then(|| own.to_le_bytes().to_vec());
        let first = wire::broadcast(&self.world, 0, first);
        match first == own.to_le_bytes() {
            true => Ok(()),
            false => Err(Error::value(format!("{what} differ from those of rank 0"))),
        }
    }

    /// Waits for all ranks, which may take long, without keeping a core busy as MPI's own waiting does.
    fn meet(&self) {
        let mut request = self.world.immediate_barrier();
        let mut pause = Pause::default();
        while let Err(again) = request.test() {
            request = again;
            std::thread::sleep(pause.next());
        }
    }
}

impl Drop for Ranks {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // The others would wait for this one. There is nobody to return to.
            self.world.abort(101);
        }
    }
}

impl std::fmt::Debug for Ranks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "rank {} of {}", self.rank(), self.size())
    }
}

/// How long to sleep until asking again: longer each time.
pub(crate) struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(Duration::from_micros(5))
    }
}

impl Pause {
    const MOST: Duration = Duration::from_millis(1);

    pub(crate) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(Self::MOST);
        pause
    }
}

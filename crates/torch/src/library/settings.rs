//! libtorch's global settings: every one that autojit touches, and how it is put back.
//!
//! | setting | what we do |
//! |---|---|
//! | gradient mode (of the thread) | off while compiled code runs, then as before; eager calls leave it alone |
//! | profiling of TorchScript (of the process) | off while a module runs for the first time, then as before |
//! | threads (of the process) | never touched; use `tch::set_num_threads` |
//! | random generator | never touched |

use std::sync::{Mutex, PoisonError};

use autojit_ir::error::{Error, Result};

/// Only one module at a time chooses its executor, so that none puts back what another one set.
static FIRST_RUN: Mutex<()> = Mutex::new(());

/// Runs a module for the first time: it then chooses its executor, and keeps it.
///
/// With profiling, libtorch optimises over again after watching two calls, which takes seconds for thousands of
/// ops and gains nothing on a CPU. A module of the user's that runs for the first time in the same moment does
/// without, too.
pub fn without_profiling<T>(run: impl FnOnce() -> T) -> Result<T> {
    /// Puts the setting back, also after a panic.
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            // The only thing that fails here is reading libtorch's last error, and there is none.
            let _ = tch::jit::f_set_profiling_mode(self.0);
        }
    }
    let _one_at_a_time = FIRST_RUN.lock().unwrap_or_else(PoisonError::into_inner);
    let before = tch::jit::f_get_profiling_mode().map_err(super::failure)?;
    let _restore = Restore(before);
    tch::jit::f_set_profiling_mode(false).map_err(super::failure)?;
    Ok(run())
}

/// Runs what libtorch does by recursion over the ops of a module: with enough stack for that many.
pub fn with_stack_for<T: Send>(ops: usize, run: impl FnOnce() -> T + Send) -> Result<T> {
    /// As many fit into the smallest stacks that threads have.
    const FEW: usize = 500;
    /// The most that an op takes, found by trying; only what is used becomes memory.
    const BYTES: usize = 8 * 1024;
    if ops <= FEW {
        return Ok(run());
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size((1 << 23) + BYTES * ops)
            .spawn_scoped(scope, run)
            .map_err(|e| Error::value(format!("cannot start a thread for libtorch: {e}")))?;
        // A panic goes on as if there were no thread.
        thread
            .join()
            .or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Runs compiled code: gradients are not recorded on this thread until it is done.
pub fn without_gradients<T>(run: impl FnOnce() -> T) -> T {
    let _guard = tch::no_grad_guard();
    run()
}

//! Memory that decompositions work in, kept by the thread from one matrix to the next.
//!
//! A decomposition of a small matrix takes about a microsecond, and what it works in is dead when it returns: so each thread keeps
//! one piece of memory, as large as the largest that it needed up to [`KEPT`], and only matrices that take far longer than an
//! allocation have memory of their own. Results cannot depend on what is left in it, as all of it is written before it is read.

use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use std::cell::Cell;

/// The most bytes that a thread keeps: enough for the singular value decomposition of 64 by 64 complex numbers.
const KEPT: usize = 1 << 19;
/// Alignment of what is kept, which faer asks for.
const ALIGNMENT: usize = 64;

thread_local! {
    static WORKSPACE: Cell<Option<MemBuffer>> = const { Cell::new(None) };
}

/// Calls `f` with memory in which `request` has room.
///
/// A call from within `f` gets memory of its own. Should `f` panic, what the thread has kept is freed.
pub(super) fn with_workspace<R>(request: StackReq, f: impl FnOnce(&mut MemStack) -> R) -> R {
    let bytes = request.unaligned_bytes_required();
    if bytes > KEPT {
        return f(MemStack::new(&mut MemBuffer::new(request)));
    }
    // A thread that is ending keeps nothing.
    let kept = WORKSPACE.try_with(Cell::take).ok().flatten();
    let mut buffer = kept
        .filter(|buffer| buffer.len() >= bytes)
        .unwrap_or_else(|| {
            // In powers of two, so that a run of growing matrices does not allocate for each.
            MemBuffer::new(StackReq::new_aligned::<u8>(
                bytes.next_power_of_two(),
                ALIGNMENT,
            ))
        });
    let result = f(MemStack::new(&mut buffer));
    let _ = WORKSPACE.try_with(|workspace| workspace.set(Some(buffer)));
    result
}

/// The room of `len` numbers.
pub(super) fn numbers<T>(len: usize) -> StackReq {
    StackReq::new_aligned::<T>(len, ALIGNMENT)
}

/// As many times the same number with the room of [`numbers`], and the rest of the memory.
pub(super) fn take_filled<T: Copy>(
    len: usize,
    number: T,
    stack: &mut MemStack,
) -> (faer::dyn_stack::DynArray<'_, T>, &mut MemStack) {
    stack.make_aligned_with(len, ALIGNMENT, |_| number)
}

#[cfg(test)]
mod tests {
    use super::{KEPT, numbers, take_filled, with_workspace};

    fn address(bytes: usize) -> usize {
        with_workspace(numbers::<f64>(bytes / 8), |stack| {
            let (zeros, _) = take_filled(bytes / 8, 0.0, stack);
            assert!(zeros.iter().all(|&x| x == 0.0));
            zeros.as_ptr().addr()
        })
    }

    #[test]
    fn a_workspace_is_kept_unless_it_is_large() {
        let first = address(4096);
        assert_eq!(address(1024), first);
        // One within another has memory of its own, and the outer one is kept.
        let inner = with_workspace(numbers::<f64>(512), |_| address(1024));
        assert_ne!(inner, first);
        assert_eq!(address(4096), first);
        // A larger one leaves the kept memory alone.
        address(KEPT + 64);
        assert_eq!(address(4096), first);
    }

    #[test]
    fn a_panic_leaves_a_workspace_for_the_next_matrix() {
        let panics = || with_workspace(numbers::<f64>(16), |_| panic!("as faer might"));
        assert!(std::panic::catch_unwind(panics).is_err());
        address(4096);
    }
}

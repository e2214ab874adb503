//! Executable memory: pages are written, then made executable, and never both at once.

use memmap2::{Mmap, MmapMut};

use autojit_ir::error::{Error, Result};

/// Where functions begin.
const ALIGNMENT: usize = 64;

/// Executable pages with the functions that were written to them.
pub(crate) struct Pages {
    map: Mmap,
}

impl Pages {
    /// Puts functions into pages; gives these and the offset of each function.
    ///
    /// # Errors
    /// The system gives no memory, or does not let it be executed.
    pub(crate) fn new(functions: &[&[u8]]) -> Result<(Self, Vec<usize>)> {
        let failed =
            |e: std::io::Error| Error::unsupported(format!("no memory for machine code: {e}"));
        let mut offsets = Vec::with_capacity(functions.len());
        let mut end = 0;
        for function in functions {
            offsets.push(end);
            end += function.len().next_multiple_of(ALIGNMENT);
        }
        let mut map = MmapMut::map_anon(end.max(1)).map_err(failed)?;
        for (function, &offset) in functions.iter().zip(&offsets) {
            map[offset..offset + function.len()].copy_from_slice(function);
        }
        let map = map.make_exec().map_err(failed)?;
        Ok((Self { map }, offsets))
    }

    /// The address of what was put at an offset.
    pub(crate) fn address(&self, offset: usize) -> *const u8 {
        self.map[offset..].as_ptr()
    }
}

//! Memory for the results of a call.

use autojit_ir::error::Result;
use autojit_ir::{ArrayType, BlockSize, HostArray, UnwrittenArray};
use autojit_runtime::pages::prefer_huge;

/// The type of a result, and the memory that it takes: worked out once, as calls with small arrays feel it.
pub(crate) struct ResultShape {
    ty: ArrayType,
    /// `None` if there cannot be so much memory.
    size: Option<BlockSize>,
}

impl ResultShape {
    pub(crate) fn new(ty: &ArrayType) -> Self {
        Self {
            ty: ty.clone(),
            size: BlockSize::new(&ty.shape, ty.dtype.size()),
        }
    }

    /// Memory for one result, not yet written.
    ///
    /// # Errors
    /// There is not so much memory.
    #[inline]
    pub(crate) fn memory(&self) -> Result<UnwrittenArray> {
        let memory = HostArray::unwritten(&self.ty, self.size.as_ref())?;
        if let Some(size) = &self.size {
            prefer_huge(memory.as_mut_ptr(), size.contents());
        }
        Ok(memory)
    }

    /// The array.
    ///
    /// # Safety
    /// The memory was made for this result, and every element was written.
    #[inline]
    pub(crate) unsafe fn array(&self, memory: UnwrittenArray) -> HostArray {
        // SAFETY: forwarded.
        unsafe { HostArray::written(memory, self.ty.dtype) }
    }
}

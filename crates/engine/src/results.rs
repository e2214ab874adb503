//! Memory for the results of a call.

use std::alloc::{Layout, alloc, dealloc};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use ndarray::{ArrayD, IxDyn};

use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, HostArray, host_from};
use autojit_runtime::pages::prefer_huge;

/// Memory for one result, not yet written.
pub(crate) struct ResultMemory {
    pointer: NonNull<u8>,
    layout: Layout,
}

impl ResultMemory {
    /// # Errors
    /// There is not so much memory.
    pub(crate) fn new(ty: &ArrayType) -> Result<Self> {
        HostArray::check_memory(ty)?;
        let count = ty.size();
        let layout = host_from!(ty.dtype, T => Layout::array::<T>(count));
        let layout =
            layout.map_err(|_| Error::internal(format!("memory for {ty} was not checked")))?;
        if layout.size() == 0 {
            let pointer = host_from!(ty.dtype, T => NonNull::<T>::dangling().cast());
            return Ok(Self { pointer, layout });
        }
        // SAFETY: the layout is not empty.
        match NonNull::new(unsafe { alloc(layout) }) {
            Some(pointer) => {
                prefer_huge(pointer.as_ptr(), layout.size());
                Ok(Self { pointer, layout })
            }
            None => Err(Error::value(format!("there is no memory for {ty}"))),
        }
    }

    pub(crate) fn as_mut_ptr(&self) -> *mut u8 {
        self.pointer.as_ptr()
    }

    /// # Safety
    /// The memory is that of an array of this type, and every element was written.
    pub(crate) unsafe fn into_host(self, ty: &ArrayType) -> HostArray {
        let memory = ManuallyDrop::new(self);
        let (pointer, count) = (memory.pointer, ty.size());
        host_from!(ty.dtype, T => {
            // SAFETY: allocated, or dangling if it is empty, for so many elements of this Rust type, all written; the
            // length is the product of the shape, and C order has no negative strides.
            unsafe {
                let data = Vec::from_raw_parts(pointer.cast::<T>().as_ptr(), count, count);
                ArrayD::from_shape_vec_unchecked(IxDyn(&ty.shape), data).into()
            }
        })
    }
}

impl Drop for ResultMemory {
    fn drop(&mut self) {
        if self.layout.size() != 0 {
            // SAFETY: allocated with this layout, and nothing else owns it.
            unsafe { dealloc(self.pointer.as_ptr(), self.layout) };
        }
    }
}

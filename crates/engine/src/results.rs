//! Memory for the results of a call.

use std::alloc::{Layout, alloc, dealloc};
use std::num::NonZero;
use std::ptr::NonNull;

use ndarray::{ArrayD, IxDyn, ShapeBuilder, StrideShape};

use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, HostArray, host_from};
use autojit_runtime::pages::prefer_huge;

/// The type of a result, and the memory that it takes: worked out once, as calls with small arrays feel it.
pub(crate) struct ResultShape {
    ty: ArrayType,
    /// `None` if there cannot be so much memory.
    layout: Option<Layout>,
    shape: StrideShape<IxDyn>,
}

impl ResultShape {
    pub(crate) fn new(ty: &ArrayType) -> Self {
        let mut strides = vec![0; ty.ndim()];
        if ty.size() != 0 {
            let mut stride = 1;
            for (axis, &n) in ty.shape.iter().enumerate().rev() {
                strides[axis] = stride;
                stride *= n;
            }
        }
        Self {
            ty: ty.clone(),
            layout: host_from!(ty.dtype, T => Layout::array::<T>(ty.size())).ok(),
            shape: IxDyn(&ty.shape).strides(IxDyn(&strides)),
        }
    }
}

/// Memory for one result, not yet written.
pub(crate) struct ResultMemory {
    pointer: NonNull<u8>,
    layout: Layout,
}

impl ResultMemory {
    /// # Errors
    /// There is not so much memory.
    #[inline]
    pub(crate) fn new(result: &ResultShape) -> Result<Self> {
        let ty = &result.ty;
        let Some(layout) = result.layout else {
            return Err(no_memory(ty));
        };
        if layout.size() == 0 {
            // As of an empty vector: an address that is aligned for its elements.
            let pointer = NonNull::without_provenance(aligned(layout));
            return Ok(Self { pointer, layout });
        }
        // SAFETY: the layout is not empty.
        match NonNull::new(unsafe { alloc(layout) }) {
            Some(pointer) => {
                prefer_huge(pointer.as_ptr(), layout.size());
                Ok(Self { pointer, layout })
            }
            None => Err(no_memory(ty)),
        }
    }

    pub(crate) fn as_mut_ptr(&self) -> *mut u8 {
        self.pointer.as_ptr()
    }

    /// The array; nothing is left here. It is taken from its place, as a move of what has just been written waits for the cache.
    ///
    /// # Safety
    /// The memory was made for this result, every element was written, and the array was not taken before.
    #[inline]
    pub(crate) unsafe fn take(&mut self, result: &ResultShape) -> HostArray {
        let (pointer, count) = (self.pointer, result.ty.size());
        self.layout = Layout::new::<()>();
        host_from!(result.ty.dtype, T => {
            // SAFETY: allocated, or dangling if it is empty, for so many elements of this Rust type, all written, and what is left
            // here frees nothing; the length is the product of the shape, and the strides are those of C order.
            unsafe {
                let data = Vec::from_raw_parts(pointer.cast::<T>().as_ptr(), count, count);
                ArrayD::from_shape_vec_unchecked(result.shape.clone(), data).into()
            }
        })
    }
}

fn no_memory(ty: &ArrayType) -> Error {
    Error::value(format!("not enough memory for an array {ty}"))
}

fn aligned(layout: Layout) -> NonZero<usize> {
    NonZero::new(layout.align()).unwrap_or(NonZero::<usize>::MIN)
}

impl Drop for ResultMemory {
    fn drop(&mut self) {
        if self.layout.size() != 0 {
            // SAFETY: allocated with this layout, and nothing else owns it.
            unsafe { dealloc(self.pointer.as_ptr(), self.layout) };
        }
    }
}

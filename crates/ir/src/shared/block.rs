//! Blocks of memory: header, lengths and strides of the axes, elements.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, handle_alloc_error};
use std::any::Any;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering, fence};

use smallvec::SmallVec;

use super::SharedArray;

/// The beginning of a block. Lengths and then strides of the axes follow it, and after them the elements, if they are [`Memory::Inside`].
#[repr(C, align(16))]
pub(super) struct Block {
    pub(super) owners: AtomicUsize,
    /// The element at the index of zeros.
    pub(super) first: *mut u8,
    pub(super) axes: usize,
    /// Of the whole block.
    bytes: usize,
    pub(super) memory: Memory,
}

/// Where the elements are.
pub(super) enum Memory {
    Inside,
    /// In the block of another array, of which this counts as an owner.
    Of(NonNull<Block>),
    /// In memory of a vector, which ends with the block.
    Vector(NonNull<u8>, Layout),
    /// In memory that something else keeps. Nothing is written there.
    Kept(#[allow(dead_code, reason = "kept, not read")] Box<dyn Any + Send + Sync>),
}

/// Elements begin where a line of the cache does, from the bytes of one line on.
pub(super) const LINE: usize = 64;
/// Alignment of blocks, which system allocators give anyway.
const ALIGNMENT: usize = align_of::<Block>();

/// How large the block of an array is: worked out once for arrays that are made again and again.
#[derive(Clone, Debug)]
pub struct BlockSize {
    shape: SmallVec<[usize; 4]>,
    /// Elements, in bytes.
    contents: usize,
    layout: Layout,
}

impl BlockSize {
    /// The size for a shape and the bytes of an element, of an alignment of at most 16; `None` if there cannot be so much memory.
    #[must_use]
    #[inline]
    pub fn new(shape: &[usize], element: usize) -> Option<Self> {
        // Beside an axis without elements the others may be of any length.
        let contents = match shape.contains(&0) {
            true => 0,
            false => shape.iter().try_fold(element, |n, &m| n.checked_mul(m))?,
        };
        let room = match contents >= LINE {
            true => contents.checked_add(LINE - ALIGNMENT)?,
            false => contents,
        };
        let bytes = header(shape.len()).checked_add(room)?;
        Some(Self {
            shape: shape.into(),
            contents,
            layout: Layout::from_size_align(bytes, ALIGNMENT).ok()?,
        })
    }

    /// The bytes of the elements.
    #[must_use]
    #[inline]
    pub fn contents(&self) -> usize {
        self.contents
    }
}

/// The bytes before elements.
#[inline]
fn header(axes: usize) -> usize {
    (size_of::<Block>() + 2 * axes * size_of::<usize>()).next_multiple_of(ALIGNMENT)
}

/// The block of an array in C order whose elements are not yet written.
#[derive(Debug)]
pub struct UnwrittenArray(NonNull<Block>);

impl UnwrittenArray {
    /// `None` if there is no memory for it.
    #[must_use]
    #[inline]
    pub fn new(size: &BlockSize) -> Option<Self> {
        // SAFETY: a block has a header, so that its layout is not empty.
        NonNull::new(unsafe { alloc(size.layout) }).map(|memory| Self::begin(memory, size))
    }

    /// The same with zeros in all bytes of the elements.
    #[must_use]
    pub fn zeroed(size: &BlockSize) -> Option<Self> {
        // SAFETY: as above.
        NonNull::new(unsafe { alloc_zeroed(size.layout) }).map(|memory| Self::begin(memory, size))
    }

    #[inline]
    fn begin(memory: NonNull<u8>, size: &BlockSize) -> Self {
        let block = memory.cast::<Block>();
        let axes = size.shape.len();
        // SAFETY: the layout has room for the header, for a length and a stride of each axis, and for the elements wherever
        // in the first line they begin.
        unsafe {
            let mut first = memory.add(header(axes));
            if size.contents >= LINE {
                first = first.add(first.addr().get().wrapping_neg() % LINE);
            }
            block.write(Block {
                owners: AtomicUsize::new(1),
                first: first.as_ptr(),
                axes,
                bytes: size.layout.size(),
                memory: Memory::Inside,
            });
            let lengths = block.add(1).cast::<usize>();
            let mut stride = 1_usize;
            for (axis, &n) in size.shape.iter().enumerate().rev() {
                lengths.add(axis).write(n);
                // An array without elements has strides of zero, as ndarray has it.
                let own = if size.contents == 0 { 0 } else { stride };
                lengths.add(axes + axis).write(own);
                stride = stride.wrapping_mul(n);
            }
        }
        Self(block)
    }

    /// The address of the first element, for writing.
    #[must_use]
    #[inline]
    pub fn as_mut_ptr(&self) -> *mut u8 {
        // SAFETY: the block is alive.
        unsafe { self.0.as_ref().first }
    }

    /// The array.
    ///
    /// # Safety
    /// The size was made for elements of this type and all elements were written.
    #[inline]
    pub unsafe fn written<T>(self) -> SharedArray<T> {
        const { assert!(align_of::<T>() <= ALIGNMENT && !std::mem::needs_drop::<T>()) };
        let block = ManuallyDrop::new(self).0;
        SharedArray {
            block,
            elements: PhantomData,
        }
    }
}

impl Drop for UnwrittenArray {
    fn drop(&mut self) {
        // SAFETY: nothing else has the block.
        unsafe { free(self.0) };
    }
}

/// A block whose elements are elsewhere.
pub(super) fn block_of(
    memory: Memory,
    first: *mut u8,
    shape: &[usize],
    strides: &[isize],
) -> NonNull<Block> {
    let axes = shape.len();
    let bytes = header(axes);
    let layout = Layout::from_size_align(bytes, ALIGNMENT).expect("lists of axes fit into memory");
    // SAFETY: a block has a header, so that its layout is not empty.
    let Some(block) = NonNull::new(unsafe { alloc(layout) }.cast::<Block>()) else {
        handle_alloc_error(layout)
    };
    // SAFETY: the layout has room for the header, and for a length and a stride of each axis.
    unsafe {
        block.write(Block {
            owners: AtomicUsize::new(1),
            first,
            axes,
            bytes,
            memory,
        });
        let lengths = block.add(1).cast::<usize>();
        lengths.copy_from_nonoverlapping(NonNull::from(shape).cast(), axes);
        let own = lengths.add(axes);
        own.copy_from_nonoverlapping(NonNull::from(strides).cast(), axes);
    }
    block
}

/// Gives up one owner of a block.
///
/// # Safety
/// The caller is one, and forgets that it was.
#[inline]
pub(super) unsafe fn release(block: NonNull<Block>) {
    // SAFETY: the block is alive while it has this owner.
    unsafe {
        let owners = &block.as_ref().owners;
        // The only owner needs no atomic subtraction: there is nobody to make another.
        if owners.load(Ordering::Acquire) == 1 {
            free(block);
        } else if owners.fetch_sub(1, Ordering::Release) == 1 {
            fence(Ordering::Acquire);
            free(block);
        }
    }
}

/// Frees a block and what it keeps.
///
/// # Safety
/// Nothing else has the block.
#[inline]
unsafe fn free(block: NonNull<Block>) {
    // SAFETY: what the block keeps is taken from it before its memory goes; memory of vectors has the layout that they had.
    unsafe {
        let Block { bytes, memory, .. } = block.read();
        dealloc(
            block.as_ptr().cast(),
            Layout::from_size_align_unchecked(bytes, ALIGNMENT),
        );
        match memory {
            Memory::Inside => {}
            Memory::Of(parent) => release(parent),
            Memory::Vector(pointer, layout) => {
                if layout.size() != 0 {
                    dealloc(pointer.as_ptr(), layout);
                }
            }
            Memory::Kept(_) => {}
        }
    }
}

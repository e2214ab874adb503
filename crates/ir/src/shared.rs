//! `SharedArray`: an array of one element type in one block of memory, with as many owners as need it.
//!
//! A block holds the number of its owners, the address of the first element, shape and strides, and then the elements: an array
//! takes memory once, and a handle is a pointer, so that calls on a few numbers spend their time with the numbers. A
//! view is a block without elements that keeps the block that has them. Arrays of the ndarray crate bring their elements in memory of
//! their own, which their block keeps.
//!
//! Invariants: all that a block says is written before there is a handle, and only the elements change afterwards, through the
//! one handle of a block that nothing else shares ([`SharedArray::as_mut_ptr`]). A view keeps a block that is none itself. Every
//! index within the shape is an element that is initialised and lies in the memory that the block keeps.

mod block;

use std::alloc::{Layout, handle_alloc_error};
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;

use ndarray::{ArcArray, ArrayD, ArrayViewD, Axis, Dimension, IxDyn, ShapeBuilder};
use smallvec::SmallVec;

use crate::c_order;
use block::{Block, Memory, block_of, release};

pub use block::{BlockSize, UnwrittenArray};

/// Vectors of up to so many bytes are copied into a block, where they begin with a line: this takes less time than to keep them.
const COPIED: usize = 1 << 12;

/// An array that shares its elements with its clones and views.
pub struct SharedArray<T> {
    block: NonNull<Block>,
    elements: PhantomData<T>,
}

// SAFETY: a handle gives references to elements, and moves them to other threads; the number of owners is atomic, and all
// else in a block is read only.
unsafe impl<T: Send + Sync> Send for SharedArray<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for SharedArray<T> {}

impl<T> SharedArray<T> {
    #[inline]
    fn block(&self) -> &Block {
        // SAFETY: the block is alive while it has this owner, and its header does not change.
        unsafe { self.block.as_ref() }
    }

    /// The number of elements along each axis.
    #[must_use]
    #[inline]
    pub fn shape(&self) -> &[usize] {
        // SAFETY: so many lengths follow the header.
        unsafe { std::slice::from_raw_parts(self.block.add(1).cast().as_ptr(), self.block().axes) }
    }

    /// The distance between the elements of each axis, counted in elements.
    #[must_use]
    #[inline]
    pub fn strides(&self) -> &[isize] {
        let axes = self.block().axes;
        // SAFETY: so many strides follow as many lengths.
        unsafe { std::slice::from_raw_parts(self.block.add(1).cast().add(axes).as_ptr(), axes) }
    }

    /// The number of axes.
    #[must_use]
    #[inline]
    pub fn ndim(&self) -> usize {
        self.block().axes
    }

    /// The number of elements.
    #[must_use]
    #[inline]
    #[allow(clippy::len_without_is_empty, reason = "the next function")]
    pub fn len(&self) -> usize {
        self.shape().iter().product()
    }

    /// Whether there are no elements.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.shape().contains(&0)
    }

    /// The address of the element at the index of zeros.
    #[must_use]
    #[inline]
    pub fn as_ptr(&self) -> *const T {
        self.block().first.cast()
    }

    /// Whether the elements lie in C order without gaps.
    #[must_use]
    #[inline]
    pub fn is_standard_layout(&self) -> bool {
        c_order::is_dense(self.shape(), self.strides())
    }

    /// The elements, if they lie in C order without gaps.
    #[must_use]
    #[inline]
    pub fn as_slice(&self) -> Option<&[T]> {
        let elements = || {
            // SAFETY: they are one after the other from the first one on, and not written while this is borrowed.
            unsafe { std::slice::from_raw_parts(self.as_ptr(), self.len()) }
        };
        self.is_standard_layout().then(elements)
    }

    /// The element at the index of zeros, if there is one.
    #[must_use]
    #[inline]
    pub fn first(&self) -> Option<&T> {
        // SAFETY: there is an element, and it is not written while this is borrowed.
        (!self.is_empty()).then(|| unsafe { &*self.as_ptr() })
    }

    /// The elements in C order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.view().into_iter()
    }

    /// A view of the ndarray crate.
    #[must_use]
    pub fn view(&self) -> ArrayViewD<'_, T> {
        let (shape, strides) = (self.shape(), self.strides());
        let mut lowest = self.as_ptr();
        if self.is_empty() {
            // SAFETY: no element is read.
            return unsafe { ArrayViewD::from_shape_ptr(IxDyn(shape), lowest) };
        }
        // ndarray takes no strides below zero; axes are turned around afterwards.
        let mut distances: SmallVec<[usize; 8]> = SmallVec::with_capacity(shape.len());
        let mut turned = false;
        for (&n, &stride) in shape.iter().zip(strides) {
            if stride < 0 {
                turned = true;
                lowest = lowest.wrapping_offset(stride * (n as isize - 1));
            }
            distances.push(stride.unsigned_abs());
        }
        let layout = IxDyn(shape).strides(IxDyn(&distances));
        // SAFETY: the elements at all indices are initialised, in memory that is kept and not written while this is borrowed; the
        // lowest of them is where the view begins.
        let mut view = unsafe { ArrayViewD::from_shape_ptr(layout, lowest) };
        if turned {
            for (axis, &stride) in strides.iter().enumerate() {
                if stride < 0 {
                    view.invert_axis(Axis(axis));
                }
            }
        }
        view
    }

    /// The block that has the elements.
    fn root(&self) -> NonNull<Block> {
        match self.block().memory {
            Memory::Of(root) => root,
            Memory::Inside | Memory::Vector(..) | Memory::Kept(_) => self.block,
        }
    }

    /// Whether the elements may be written: nothing else shares them.
    #[inline]
    fn is_alone(&self) -> bool {
        // Acquire: what other owners read, they have read.
        let is_one = |block: &Block| block.owners.load(Ordering::Acquire) == 1;
        let block = self.block();
        is_one(block)
            && match &block.memory {
                Memory::Inside | Memory::Vector(..) => true,
                Memory::Of(root) => {
                    // SAFETY: alive, as this block is one of its owners.
                    let root = unsafe { root.as_ref() };
                    // As `first` of what is kept is not for writing.
                    is_one(root) && !matches!(root.memory, Memory::Kept(_))
                }
                Memory::Kept(_) => false,
            }
    }
}

impl<T: Copy + Send + Sync + 'static> SharedArray<T> {
    /// The address of the element at the index of zeros, for writing. If other arrays share the elements, they are copied first, in C order.
    #[inline]
    pub fn as_mut_ptr(&mut self) -> *mut T {
        if !self.is_alone() {
            *self = Self::copy_of(&self.view());
        }
        self.block().first.cast()
    }

    /// A copy in C order.
    ///
    /// # Panics
    /// As all of Rust's collections, the process ends where there is no memory.
    #[must_use]
    pub fn copy_of(view: &ArrayViewD<'_, T>) -> Self {
        if let Some(elements) = view.as_slice() {
            return Self::of_slice(view.shape(), elements);
        }
        let mut elements = Vec::with_capacity(view.len());
        c_order::extend(&mut elements, view);
        Self::from_elements(view.shape(), elements)
    }

    /// A copy of elements in C order; `None` if there is no memory for it, or if there are more or fewer of them than the shape has.
    #[must_use]
    pub fn from_slice(shape: &[usize], elements: &[T]) -> Option<Self> {
        let size = BlockSize::new(shape, size_of::<T>())?;
        if size.contents() != size_of_val(elements) {
            return None;
        }
        let new = UnwrittenArray::new(&size)?;
        // SAFETY: there is room for as many elements, which are written.
        unsafe {
            let first = new.as_mut_ptr().cast::<T>();
            first.copy_from_nonoverlapping(elements.as_ptr(), elements.len());
            Some(new.written())
        }
    }

    /// The same of as many elements as the shape has.
    fn of_slice(shape: &[usize], elements: &[T]) -> Self {
        let array = Self::from_slice(shape, elements);
        array.unwrap_or_else(|| handle_alloc_error(Layout::for_value(elements)))
    }

    /// Elements in C order, as many as the shape has.
    fn from_elements(shape: &[usize], elements: Vec<T>) -> Self {
        if size_of_val(elements.as_slice()) <= COPIED {
            return Self::of_slice(shape, &elements);
        }
        Self::keeping(elements, 0, shape, &c_strides(shape))
    }

    /// The elements of a vector, of which one is at the index of zeros; all indices are within the vector.
    fn keeping(elements: Vec<T>, first: usize, shape: &[usize], strides: &[isize]) -> Self {
        let mut elements = ManuallyDrop::new(elements);
        let layout = Layout::array::<T>(elements.capacity()).expect("the layout that it has");
        let pointer = NonNull::from(elements.as_mut_slice()).cast::<u8>();
        let address = elements.as_mut_ptr().wrapping_add(first);
        let memory = Memory::Vector(pointer, layout);
        Self {
            block: block_of(memory, address.cast(), shape, strides),
            elements: PhantomData,
        }
    }

    /// A view: some of the elements in some order, as the function makes it of a view of all.
    #[must_use]
    pub fn viewed(
        &self,
        select: impl for<'a> FnOnce(ArrayViewD<'a, T>) -> ArrayViewD<'a, T>,
    ) -> Self {
        let all = self.view();
        let range = extent(&all);
        self.part(&select(all), range)
    }

    /// The same, where there may be no such view.
    #[must_use]
    pub fn try_viewed(
        &self,
        select: impl for<'a> FnOnce(ArrayViewD<'a, T>) -> Option<ArrayViewD<'a, T>>,
    ) -> Option<Self> {
        let all = self.view();
        let range = extent(&all);
        select(all).map(|part| self.part(&part, range))
    }

    /// The elements of a view as those of this array, if they are in its range of addresses.
    fn part(&self, part: &ArrayViewD<'_, T>, range: (usize, usize)) -> Self {
        let inside = extent(part);
        if part.is_empty() || inside.0 < range.0 || range.1 < inside.1 {
            // No elements, or elements of something else than this array.
            return Self::copy_of(part);
        }
        let first = part.as_ptr().cast_mut();
        self.shown(first, part.shape(), part.strides())
    }

    /// The same elements in C order under another shape; `None` if they are not in C order, or their number is another.
    #[must_use]
    pub fn reshaped(&self, shape: &[usize]) -> Option<Self> {
        let is_same = self.shape().iter().product::<usize>() == shape.iter().product();
        if !is_same || !self.is_standard_layout() {
            return None;
        }
        let first = self.block().first.cast();
        Some(self.shown(first, shape, &c_strides(shape)))
    }

    /// A view. Its elements are among those of this array.
    fn shown(&self, first: *mut T, shape: &[usize], strides: &[isize]) -> Self {
        let root = self.root();
        // SAFETY: alive, as this is an owner, or its block is. As of `Arc`: there is no memory for so many owners.
        unsafe { root.as_ref() }
            .owners
            .fetch_add(1, Ordering::Relaxed);
        Self {
            block: block_of(Memory::Of(root), first.cast(), shape, strides),
            elements: PhantomData,
        }
    }

    /// The elements as an array of the ndarray crate.
    #[must_use]
    pub fn to_owned(&self) -> ArrayD<T> {
        self.view().to_owned()
    }
}

/// The strides of C order.
fn c_strides(shape: &[usize]) -> SmallVec<[isize; 8]> {
    let mut strides: SmallVec<[isize; 8]> = SmallVec::from_elem(0, shape.len());
    if !shape.contains(&0) {
        let mut stride = 1;
        for (own, &n) in strides.iter_mut().zip(shape).rev() {
            *own = stride;
            stride *= n as isize;
        }
    }
    strides
}

/// The addresses of the lowest and the highest element of a view that has some.
fn extent<T>(view: &ArrayViewD<'_, T>) -> (usize, usize) {
    let first = view.as_ptr().addr();
    let (mut low, mut high) = (first, first);
    for (&n, &stride) in view.shape().iter().zip(view.strides()) {
        let reach = stride * (n.saturating_sub(1) * size_of::<T>()) as isize;
        match reach < 0 {
            true => low = low.wrapping_add_signed(reach),
            false => high = high.wrapping_add_signed(reach),
        }
    }
    (low, high)
}

impl<T> Clone for SharedArray<T> {
    #[inline]
    fn clone(&self) -> Self {
        // As of `Arc`: there is no memory for so many owners that the number would not fit.
        self.block().owners.fetch_add(1, Ordering::Relaxed);
        Self {
            block: self.block,
            elements: PhantomData,
        }
    }
}

impl<T> Drop for SharedArray<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this is an owner, and is gone.
        unsafe { release(self.block) };
    }
}

impl<T: fmt::Debug> fmt::Debug for SharedArray<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}

/// Takes over the elements; those of small arrays are copied.
impl<T: Copy + Send + Sync + 'static> From<ArrayD<T>> for SharedArray<T> {
    fn from(array: ArrayD<T>) -> Self {
        let is_small = size_of::<T>() * array.len() <= COPIED;
        if is_small || array.is_empty() {
            return Self::copy_of(&array.view());
        }
        let shape: SmallVec<[usize; 8]> = array.shape().into();
        let strides: SmallVec<[isize; 8]> = array.strides().into();
        let (elements, first) = array.into_raw_vec_and_offset();
        Self::keeping(elements, first.unwrap_or(0), &shape, &strides)
    }
}

/// Shares the elements; those of small arrays are copied.
impl<T: Copy + Send + Sync + 'static, D: Dimension> From<ArcArray<T, D>> for SharedArray<T> {
    fn from(array: ArcArray<T, D>) -> Self {
        if size_of::<T>() * array.len() <= COPIED || array.is_empty() {
            return Self::copy_of(&array.view().into_dyn());
        }
        match array.try_into_owned_nocopy() {
            Ok(owned) => Self::from(owned.into_dyn()),
            Err(array) => {
                let shape: SmallVec<[usize; 8]> = array.shape().into();
                let strides: SmallVec<[isize; 8]> = array.strides().into();
                let first = array.as_ptr().cast_mut().cast();
                let memory = Memory::Kept(Box::new(array.into_dyn()));
                Self {
                    block: block_of(memory, first, &shape, &strides),
                    elements: PhantomData,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! Inner loops: one monomorph per function and element type, called by pointer.
//!
//! A [`Kernel`] is what NumPy calls the inner loop of a ufunc. It knows its element types and nothing of shapes;
//! [`super::strided`] knows shapes and nothing of element types, so that neither multiplies the other's code.
//! Contiguous rows and rows against a single element have loops of their own, which the compiler vectorises.

use autojit_ir::{DType, Element};
use num_complex::{Complex32, Complex64};

/// The most inputs of a kernel.
pub(super) const INPUTS: usize = 3;

/// Writes `n` results, next to each other, of elements that lie `steps[k]` elements apart from `inputs[k]` on.
///
/// # Safety
/// Every element of every input must be readable and aligned, the results writable and aligned; they must not overlap
/// the inputs. Inputs beyond those that the kernel has are not looked at.
pub(super) type InnerLoop =
    unsafe fn(n: usize, inputs: &[*const u8; INPUTS], steps: &[isize; INPUTS], out: *mut u8);

/// An elementwise function for certain element types.
///
/// Invariant: the loop is one for inputs of these dtypes.
#[derive(Clone, Copy)]
pub(super) struct Kernel {
    /// The loop.
    run: InnerLoop,
    inputs: [DType; INPUTS],
    arity: usize,
    result: DType,
}

impl Kernel {
    /// A function of one element; it must not capture anything.
    pub(super) fn unary<T: Element, R: Element, F: Fn(T) -> R + Copy>(_: F) -> Self {
        Self {
            run: unary::<T, R, F>,
            inputs: [T::TYPE; INPUTS],
            arity: 1,
            result: R::TYPE,
        }
    }

    /// A function of two elements of one type; it must not capture anything.
    pub(super) fn binary<T: Element, R: Element, F: Fn(T, T) -> R + Copy>(_: F) -> Self {
        Self {
            run: binary::<T, R, F>,
            inputs: [T::TYPE; INPUTS],
            arity: 2,
            result: R::TYPE,
        }
    }

    /// The elements as they are.
    pub(super) fn copy(dtype: DType) -> Self {
        Self {
            run: match dtype {
                DType::Bool | DType::Int8 | DType::Uint8 => copy::<u8>,
                DType::Int16 | DType::Uint16 => copy::<u16>,
                DType::Int32 | DType::Uint32 | DType::Float32 => copy::<u32>,
                DType::Int64 | DType::Uint64 | DType::Float64 => copy::<u64>,
                DType::Complex64 => copy::<Complex32>,
                DType::Complex128 => copy::<Complex64>,
            },
            inputs: [dtype; INPUTS],
            arity: 1,
            result: dtype,
        }
    }

    /// The second input where the first one, of booleans, holds, else the third.
    pub(super) fn select(dtype: DType) -> Self {
        Self {
            run: match dtype {
                DType::Bool | DType::Int8 | DType::Uint8 => select::<u8>,
                DType::Int16 | DType::Uint16 => select::<u16>,
                DType::Int32 | DType::Uint32 | DType::Float32 => select::<u32>,
                DType::Int64 | DType::Uint64 | DType::Float64 => select::<u64>,
                DType::Complex64 => select::<Complex32>,
                DType::Complex128 => select::<Complex64>,
            },
            inputs: [DType::Bool, dtype, dtype],
            arity: 3,
            result: dtype,
        }
    }

    /// The dtypes of the inputs.
    pub(super) fn inputs(&self) -> &[DType] {
        &self.inputs[..self.arity]
    }

    /// The dtype of the results.
    pub(super) fn result(&self) -> DType {
        self.result
    }

    /// Runs the loop.
    ///
    /// # Safety
    /// As for [`InnerLoop`], with inputs and results of the kernel's dtypes.
    pub(super) unsafe fn run(
        &self,
        n: usize,
        inputs: &[*const u8; INPUTS],
        steps: &[isize; INPUTS],
        out: *mut u8,
    ) {
        // SAFETY: passed on from the caller.
        unsafe { (self.run)(n, inputs, steps, out) };
    }
}

/// The function that a type without data stands for.
fn function<F: Copy>() -> F {
    const { assert!(size_of::<F>() == 0, "the function captures something") };
    // SAFETY: there are no bytes to read. The kernels are only made from a value of this type, so it has one, and values
    // of it may be copied.
    unsafe { std::ptr::NonNull::<F>::dangling().read() }
}

/// # Safety
/// As for [`InnerLoop`], with one input of `T` and results of `R`.
unsafe fn unary<T: Copy, R, F: Fn(T) -> R + Copy>(
    n: usize,
    &[x, ..]: &[*const u8; INPUTS],
    &[step, ..]: &[isize; INPUTS],
    out: *mut u8,
) {
    let f = function::<F>();
    let (x, out) = (x.cast::<T>(), out.cast::<R>());
    // SAFETY: the caller vouches for every element.
    unsafe {
        if step == 1 {
            for i in 0..n {
                out.add(i).write(f(*x.add(i)));
            }
        } else {
            for i in 0..n {
                out.add(i).write(f(*x.offset(i as isize * step)));
            }
        }
    }
}

/// # Safety
/// As for [`InnerLoop`], with two inputs of `T` and results of `R`.
unsafe fn binary<T: Copy, R, F: Fn(T, T) -> R + Copy>(
    n: usize,
    &[x, y, _]: &[*const u8; INPUTS],
    &[x_step, y_step, _]: &[isize; INPUTS],
    out: *mut u8,
) {
    let f = function::<F>();
    let (x, y, out) = (x.cast::<T>(), y.cast::<T>(), out.cast::<R>());
    // SAFETY: the caller vouches for every element.
    unsafe {
        match (x_step, y_step) {
            (1, 1) => {
                for i in 0..n {
                    out.add(i).write(f(*x.add(i), *y.add(i)));
                }
            }
            (1, 0) if n > 0 => {
                let y = *y;
                for i in 0..n {
                    out.add(i).write(f(*x.add(i), y));
                }
            }
            (0, 1) if n > 0 => {
                let x = *x;
                for i in 0..n {
                    out.add(i).write(f(x, *y.add(i)));
                }
            }
            _ => {
                for i in 0..n {
                    let x = *x.offset(i as isize * x_step);
                    out.add(i).write(f(x, *y.offset(i as isize * y_step)));
                }
            }
        }
    }
}

/// # Safety
/// As for [`InnerLoop`], with one input of `T` and results of `T`.
unsafe fn copy<T: Copy>(
    n: usize,
    &[x, ..]: &[*const u8; INPUTS],
    &[step, ..]: &[isize; INPUTS],
    out: *mut u8,
) {
    let (x, out) = (x.cast::<T>(), out.cast::<T>());
    // SAFETY: the caller vouches for every element.
    unsafe {
        match step {
            1 => out.copy_from_nonoverlapping(x, n),
            0 if n > 0 => {
                let x = *x;
                for i in 0..n {
                    out.add(i).write(x);
                }
            }
            _ => {
                for i in 0..n {
                    out.add(i).write(*x.offset(i as isize * step));
                }
            }
        }
    }
}

/// # Safety
/// As for [`InnerLoop`], with inputs of `bool`, `T` and `T`, and results of `T`.
unsafe fn select<T: Copy>(
    n: usize,
    &[condition, x, y]: &[*const u8; INPUTS],
    &[condition_step, x_step, y_step]: &[isize; INPUTS],
    out: *mut u8,
) {
    let (condition, x, y) = (condition.cast::<bool>(), x.cast::<T>(), y.cast::<T>());
    let out = out.cast::<T>();
    // SAFETY: the caller vouches for every element.
    unsafe {
        for i in 0..n {
            let at = i as isize;
            let (x, y) = (*x.offset(at * x_step), *y.offset(at * y_step));
            let holds = *condition.offset(at * condition_step);
            out.add(i).write(if holds { x } else { y });
        }
    }
}

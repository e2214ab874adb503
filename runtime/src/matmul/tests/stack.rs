//! What products take of the stack. Without optimisation, as in these tests, it is by far the most.

use super::routines::squares;
use crate::kind::Kind;

/// Ones of an order, with `times` products one after the other, or one if it is zero; columns of the right operand may be contiguous.
fn run(kind: Kind, order: usize, times: usize, is_turned: bool) {
    let (row, size) = (order as isize, (order * order) as isize);
    let right = if is_turned { [1, row] } else { [row, 1] };
    let one = squares(kind, order, [row, 1], right, [row, 1]);
    let product = match times {
        0 => one,
        _ => one.repeated(times, [size; 3]),
    };
    // Zeros of any kind, of at most 16 bytes.
    let zeros = || vec![0_u128; times.max(1) * order * order];
    let (a, b, mut c) = (
        zeros(),
        zeros(),
        vec![u128::MAX; times.max(1) * order * order],
    );
    // SAFETY: the buffers are as long as the operands, and alignment is more than enough.
    unsafe { product.run(a.as_ptr().cast(), b.as_ptr().cast(), c.as_mut_ptr().cast()) };
    assert_eq!(c[0] & 0xff, 0);
}

/// Half of what threads have.
#[test]
fn products_fit_into_a_megabyte() {
    let all = || {
        for kind in [
            Kind::Float32,
            Kind::Float64,
            Kind::Complex64,
            Kind::Complex128,
            Kind::Int64,
        ] {
            for (order, times) in [(2, 0), (8, 0), (8, 5), (9, 0), (9, 5), (40, 0)] {
                run(kind, order, times, false);
                run(kind, order, times, true);
            }
        }
    };
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(all);
    thread.expect("a thread").join().expect("products of zeros");
}

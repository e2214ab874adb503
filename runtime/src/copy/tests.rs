//! Copies beside those by the definition, element by element.

use super::*;

/// Copies by the definition, element by element.
fn reference<T: Copy>(
    shape: &[usize],
    x: &[T],
    from: (isize, &[isize]),
    to: &[isize],
    out: &mut [T],
) {
    let item = size_of::<T>() as isize;
    for_each_offset(shape, [from.1, to], |[a, b]| {
        out[(b / item) as usize] = x[((from.0 + a) / item) as usize];
    });
}

fn check<T: Copy + PartialEq + std::fmt::Debug>(
    x: &[T],
    fill: T,
    shape: &[usize],
    start: isize,
    strides: &[isize],
) {
    let item = size_of::<T>() as isize;
    let mut to = vec![0; shape.len()];
    let mut size = 1;
    for axis in (0..shape.len()).rev() {
        to[axis] = size as isize * item;
        size *= shape[axis];
    }
    let from: Vec<isize> = strides.iter().map(|stride| stride * item).collect();
    let (mut got, mut want) = (vec![fill; size], vec![fill; size]);
    reference(shape, x, (start * item, &from), &to, &mut want);
    let copy = StridedCopy::new(size_of::<T>(), shape, &from, &to);
    // SAFETY: the reference has just reached the same positions with bounds checks.
    unsafe {
        copy.run(
            x.as_ptr().cast::<u8>().offset(start * item),
            got.as_mut_ptr().cast(),
        );
    }
    assert_eq!(got, want, "{shape:?} {strides:?}");
}

#[test]
fn copies_agree_with_the_definition() {
    let x: Vec<i32> = (0..5000).collect();
    let cases: [(&[usize], isize, &[isize]); 14] = [
        (&[], 3, &[]),
        (&[7], 0, &[1]),
        (&[7], 6, &[-1]),
        (&[5, 0, 3], 0, &[3, 3, 1]),
        (&[4, 1, 6], 0, &[6, 99, 1]),
        (&[4, 6], 0, &[1, 4]),
        (&[37, 53], 0, &[1, 37]),
        (&[53, 37], 36, &[37, -1]),
        (&[37, 53], 36, &[-1, 37]),
        (&[3, 4, 5], 0, &[0, 0, 1]),
        (&[3, 4, 5], 2, &[1, 0, 0]),
        (&[6, 7, 8], 0, &[1, 6, 42]),
        (&[6, 7, 8], 0, &[8, 48, 1]),
        (&[3, 20, 2, 20], 0, &[800, 1, 20, 40]),
    ];
    for (shape, start, strides) in cases {
        check(&x, -1, shape, start, strides);
        let bytes: Vec<u8> = x.iter().map(|&x| (x % 251) as u8).collect();
        check(&bytes, 0, shape, start, strides);
        let wide: Vec<[u64; 2]> = x.iter().map(|&x| [x as u64, !x as u64]).collect();
        check(&wide, [0; 2], shape, start, strides);
        let odd: Vec<[u8; 3]> = x.iter().map(|&x| [x as u8, (x >> 8) as u8, 7]).collect();
        check(&odd, [0; 3], shape, start, strides);
    }
}

/// Transposes of random shapes, slices of them, and broadcasts.
#[test]
fn random_copies_agree_with_the_definition() {
    let x: Vec<u64> = (0..20_000).collect();
    let mut state = 1_u64;
    let mut draw = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    const LENGTHS: [usize; 12] = [1, 2, 2, 2, 3, 4, 5, 8, 16, 17, 34, 101];
    for _ in 0..1500 {
        let mut shape: Vec<usize> = vec![];
        let (ndim, most) = (draw(8), x.len() / 2);
        for _ in 0..ndim {
            let len = LENGTHS[draw(LENGTHS.len())];
            if shape.iter().product::<usize>() * len <= most {
                shape.push(len);
            }
        }
        // The strides of a permuted array, twice as far apart along one axis, or the other way, or the same element.
        let mut order: Vec<usize> = (0..shape.len()).collect();
        for at in (1..order.len()).rev() {
            order.swap(at, draw(at + 1));
        }
        let (mut strides, mut start, mut dense) = (vec![0; shape.len()], 0, 1_isize);
        for &axis in &order {
            let len = shape[axis] as isize;
            match draw(12) {
                0 => {}
                1 => {
                    strides[axis] = -dense;
                    start += dense * (len - 1);
                    dense *= len;
                }
                2 if dense * len * 2 <= most as isize => {
                    strides[axis] = 2 * dense;
                    dense *= 2 * len;
                }
                _ => {
                    strides[axis] = dense;
                    dense *= len;
                }
            }
        }
        if dense > x.len() as isize {
            continue;
        }
        check(&x, 0, &shape, start, &strides);
        let narrow: Vec<u16> = x.iter().map(|&x| x as u16).collect();
        check(&narrow, 0, &shape, start, &strides);
        let odd: Vec<[u8; 3]> = x.iter().map(|&x| [x as u8, (x >> 8) as u8, 7]).collect();
        check(&odd, [0; 3], &shape, start, &strides);
        let wide: Vec<[u64; 2]> = x.iter().map(|&x| [x, !x]).collect();
        check(&wide, [0; 2], &shape, start, &strides);
    }
}

#[test]
fn repeated_copies_are_copies_with_an_axis_more() {
    let x: Vec<u64> = (0..4096).collect();
    let shapes: [&[usize]; 6] = [
        &[3],
        &[2, 2, 2, 2, 2],
        &[16, 2, 3],
        &[5, 17, 4],
        &[20, 20],
        &[40, 2],
    ];
    for shape in shapes {
        let size: usize = shape.iter().product();
        let mut strides = vec![8; shape.len()];
        for axis in 1..shape.len() {
            strides[axis] = strides[axis - 1] * shape[axis - 1] as isize;
        }
        let mut to = vec![8; shape.len()];
        for axis in (1..shape.len()).rev() {
            to[axis - 1] = to[axis] * shape[axis] as isize;
        }
        let step = 8 * size as isize;
        let (mut got, mut want) = (vec![0_u64; 3 * size], vec![0_u64; 3 * size]);
        let copy = StridedCopy::new(8, shape, &strides, &to);
        // SAFETY: three arrays next to each other on both sides.
        unsafe {
            let repeated = copy.repeated(3, step, step);
            repeated.run(x.as_ptr().cast(), got.as_mut_ptr().cast());
            for part in 0..3 {
                let offset = part * size;
                let out = want.as_mut_ptr().add(offset).cast();
                copy.run(x.as_ptr().add(offset).cast(), out);
            }
        }
        assert_eq!(got, want, "{shape:?}");
    }
}

#[test]
fn writes_through_strides() {
    let (x, mut out) = ([1_i64, 2, 3, 4], [0_i64; 8]);
    let copy = StridedCopy::new(8, &[2, 2], &[16, 8], &[-8, 32]);
    // SAFETY: positions 1, 0 and 5, 4 of `out`.
    unsafe { copy.run(x.as_ptr().cast(), out.as_mut_ptr().add(1).cast()) };
    assert_eq!(out, [3, 1, 0, 0, 4, 2, 0, 0]);
}

#[test]
fn contiguous_copies_collapse() {
    assert!(StridedCopy::new(8, &[3, 4, 5], &[160, 40, 8], &[160, 40, 8]).is_contiguous());
    assert!(StridedCopy::new(8, &[3, 1, 5], &[40, 0, 8], &[40, 999, 8]).is_contiguous());
    // Both sides in the same foreign order are one run, too.
    assert!(StridedCopy::new(8, &[3, 4], &[8, 24], &[8, 24]).is_contiguous());
    assert!(!StridedCopy::new(8, &[3, 4], &[8, 24], &[32, 8]).is_contiguous());
}

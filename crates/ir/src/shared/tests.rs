//! Arrays that come in and go out, views, owners, and what is written in place.

use ndarray::Slice;

use super::block::LINE;
use super::*;

fn reversed<T>(view: ArrayViewD<'_, T>) -> ArrayViewD<'_, T> {
    view.reversed_axes()
}

fn numbers(shape: &[usize]) -> ArrayD<f64> {
    let count = shape.iter().product::<usize>();
    let elements = (0..count).map(|n| n as f64).collect();
    ArrayD::from_shape_vec(IxDyn(shape), elements).unwrap()
}

#[test]
fn arrays_come_in_and_out_unchanged() {
    for shape in [
        vec![],
        vec![0],
        vec![3],
        vec![7, 0, 2],
        vec![30, 20],
        vec![2, 3, 4, 5, 6, 7],
    ] {
        let array = numbers(&shape);
        let same = |shared: SharedArray<f64>| {
            assert_eq!(shared.view(), array, "{shape:?}");
            assert_eq!(shared.shape(), array.shape());
            assert!(shared.iter().eq(array.iter()));
        };
        same(array.clone().into());
        same(array.to_shared().into());
        let kept = array.to_shared();
        same(kept.clone().into());
        let turned = SharedArray::from(array.clone().reversed_axes());
        assert_eq!(turned.view(), array.clone().reversed_axes());
        same(turned.viewed(reversed));
    }
}

#[test]
fn lines_begin_where_elements_do() {
    for n in [8, 9, 500, 100_000] {
        let size = BlockSize::new(&[n], size_of::<f64>()).unwrap();
        let new = UnwrittenArray::zeroed(&size).unwrap();
        // SAFETY: zeros are numbers.
        let zeros: SharedArray<f64> = unsafe { new.written() };
        assert_eq!(zeros.as_ptr().addr() % LINE, 0);
        assert_eq!(zeros.as_slice(), Some(vec![0.0; n].as_slice()));
    }
    assert!(BlockSize::new(&[usize::MAX, 2], 8).is_none());
    assert!(BlockSize::new(&[usize::MAX / 8], 8).is_none());
    assert_eq!(BlockSize::new(&[usize::MAX, 0], 8).unwrap().contents(), 0);
}

#[test]
fn views_keep_what_they_show() {
    for shape in [vec![4, 6], vec![40, 60]] {
        let array = numbers(&shape);
        let expected = array.slice_each_axis(|_| Slice::from(1..).step_by(-2));
        let all = SharedArray::from(array.clone());
        let part = all.viewed(|mut view| {
            view.slice_each_axis_inplace(|_| Slice::from(1..).step_by(-2));
            view
        });
        drop(all);
        let turned = part.viewed(reversed);
        drop(part);
        assert_eq!(turned.view(), expected.reversed_axes());
    }
}

#[test]
fn only_what_nothing_shares_is_written_in_place() {
    for shape in [vec![4, 6], vec![40, 60]] {
        let array = numbers(&shape);
        let mut x = SharedArray::from(array.clone());
        let address = x.as_ptr();
        assert_eq!(x.as_mut_ptr().cast_const(), address);
        let other = x.clone();
        assert_ne!(x.as_mut_ptr().cast_const(), address);
        // SAFETY: the first of many elements, for writing.
        unsafe { *x.as_mut_ptr() = 7.0 };
        assert_eq!(
            (x.as_slice().unwrap()[0], other.view()),
            (7.0, array.view())
        );

        let mut part = other.viewed(reversed);
        assert_ne!(part.as_mut_ptr().cast_const(), address);
        let mut part = other.viewed(reversed);
        drop(other);
        assert_eq!(part.as_mut_ptr().cast_const(), address);

        // What an array of ndarray shares is not written, and neither is it if it was copied.
        let kept = array.to_shared();
        let mut x = SharedArray::from(kept.clone());
        let shown = x.viewed(reversed);
        drop(x);
        x = shown;
        // SAFETY: the first of many elements, for writing.
        unsafe { *x.as_mut_ptr() = 7.0 };
        assert_ne!(x.as_ptr(), kept.as_ptr());
        assert_eq!(kept, array);
    }
}

#[test]
fn a_view_of_something_else_is_a_copy() {
    static ELSEWHERE: [f64; 2] = [1.0, 2.0];
    let x = SharedArray::from(numbers(&[3]));
    let copy = x.viewed(|_| ArrayViewD::from_shape(IxDyn(&[2]), &ELSEWHERE).unwrap());
    assert_ne!(copy.as_ptr(), ELSEWHERE.as_ptr());
    assert_eq!(copy.as_slice(), Some(&ELSEWHERE[..]));
}

#[test]
fn threads_share_arrays() {
    let x = SharedArray::from(numbers(&[100, 10]));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let x = x.clone();
            std::thread::spawn(move || {
                for _ in 0..100 {
                    let view = x.clone().viewed(reversed);
                    assert_eq!(view.iter().sum::<f64>(), 499_500.0);
                }
            })
        })
        .collect();
    drop(x);
    for thread in threads {
        thread.join().unwrap();
    }
}

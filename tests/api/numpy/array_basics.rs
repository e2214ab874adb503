//! Arrays without any function of `numpy`: conversions in and out, failed arrays, and how arrays print.
//!
//! The printed texts are `str(x)` of NumPy 2.4.6.

use autojit::{Array, DType};
use ndarray::{ArrayD, ArrayView2, arr0, arr1, arr2};
use num_complex::Complex;

#[test]
fn numbers_become_strongly_typed_0d_arrays() {
    assert_eq!(Array::from(2.5).dtype().unwrap(), DType::Float64);
    assert_eq!(Array::from(2.5_f32).dtype().unwrap(), DType::Float32);
    assert_eq!(Array::from(2_u8).dtype().unwrap(), DType::Uint8);
    assert_eq!(Array::from(2).dtype().unwrap(), DType::Int32);
    assert_eq!(Array::from(2_i64).dtype().unwrap(), DType::Int64);
    assert_eq!(Array::from(true).dtype().unwrap(), DType::Bool);
    let z = Array::from(Complex::new(1.0_f32, 2.0));
    assert_eq!(z.dtype().unwrap(), DType::Complex64);
    assert_eq!(z.ndim().unwrap(), 0);
    assert_eq!(z.item::<Complex<f32>>().unwrap(), Complex::new(1.0, 2.0));
}

#[test]
fn nested_values_keep_their_shape_and_order() {
    let shape = |x: &Array| x.shape().unwrap();
    let x = Array::from([[1_i64, 2, 3], [4, 5, 6]]);
    assert_eq!((shape(&x), x.size().unwrap()), (vec![2, 3], 6));
    assert_eq!(x.to_vec::<i64>().unwrap(), [1, 2, 3, 4, 5, 6]);
    let x = Array::from([[[1.0], [2.0]], [[3.0], [4.0]], [[5.0], [6.0]]]);
    assert_eq!(shape(&x), [3, 2, 1]);
    assert_eq!(x.to_vec::<f64>().unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let rows = vec![vec![true, false], vec![false, false]];
    assert_eq!(shape(&Array::from(rows)), [2, 2]);
    assert_eq!(shape(&Array::from(vec![1.0, 2.0])), [2]);
    assert_eq!(shape(&Array::from(&[1.0, 2.0][..])), [2]);
    assert_eq!(shape(&Array::from(&vec![1.0, 2.0])), [2]);
    assert_eq!(shape(&Array::from(Vec::<f64>::new())), [0]);
    assert_eq!(shape(&Array::from(Vec::<Vec<f64>>::new())), [0, 0]);
    assert_eq!(shape(&Array::from([[0.0; 0]; 3])), [3, 0]);
}

#[test]
fn arrays_of_the_ndarray_crate_go_in_and_out() {
    let matrix = arr2(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    for x in [
        Array::from(matrix.clone()),
        Array::from(&matrix),
        Array::from(matrix.view()),
        Array::from(matrix.to_shared()),
        Array::from(matrix.clone().into_dyn()),
    ] {
        assert_eq!(x.to_ndarray::<f64>().unwrap(), matrix.clone().into_dyn());
    }
    // A view that lies in another order still reads in C order.
    let x = Array::from(matrix.t());
    assert_eq!(x.shape().unwrap(), [3, 2]);
    assert_eq!(x.to_vec::<f64>().unwrap(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    let shared = Array::from(matrix.to_shared().reversed_axes());
    assert_eq!(
        shared.to_vec::<f64>().unwrap(),
        [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]
    );
    let x = Array::from(ArrayView2::from(&[[1_i32, 2]]));
    assert_eq!(x.to_vec::<i32>().unwrap(), [1, 2]);
    assert_eq!(Array::from(arr0(7_u8)).item::<u8>().unwrap(), 7);
    assert_eq!(Array::from(arr1(&[1.0_f32])).item::<f32>().unwrap(), 1.0);
}

#[test]
fn the_rust_type_must_be_that_of_the_dtype() {
    let x = Array::from([1.0, 2.0]);
    let line = line!() + 1;
    let error = x.to_ndarray::<f32>().unwrap_err();
    assert!(error.is_dtype());
    assert_eq!(
        error.to_string(),
        format!(
            "expected float32, got f64[2]; convert with astype, at tests/api/numpy/array_basics.rs:{line}:19"
        )
    );
    assert!(x.to_vec::<i64>().unwrap_err().is_dtype());
    assert!(Array::from(1).item::<i64>().unwrap_err().is_dtype());
    let error = x.item::<f64>().unwrap_err();
    assert!(error.is_shape());
    assert!(
        error
            .to_string()
            .starts_with("expected one element, got f64[2], at tests/")
    );
    assert_eq!(Array::from([[[3.5]]]).item::<f64>().unwrap(), 3.5);
    assert!(Array::from([0.0; 0]).item::<f64>().unwrap_err().is_shape());
}

#[test]
fn ragged_rows_fail_and_every_question_gives_that_error() {
    let line = line!() + 1;
    let x = Array::from(vec![vec![1.0, 2.0], vec![3.0]]);
    let message = format!(
        "expected rows of equal length, got 2 and 1, at tests/api/numpy/array_basics.rs:{line}:13"
    );
    assert_eq!(x.shape().unwrap_err().to_string(), message);
    assert_eq!(x.ndim().unwrap_err().to_string(), message);
    assert_eq!(x.size().unwrap_err().to_string(), message);
    assert_eq!(x.dtype().unwrap_err().to_string(), message);
    assert_eq!(x.to_ndarray::<f64>().unwrap_err().to_string(), message);
    assert_eq!(x.to_vec::<f32>().unwrap_err().to_string(), message);
    assert_eq!(x.item::<bool>().unwrap_err().to_string(), message);
    assert_eq!(x.to_string(), format!("[{message}]"));
    assert!(x.check().unwrap_err().is_shape());
}

#[test]
fn f64_arrays_print_as_in_numpy() {
    const NAN: f64 = f64::NAN;
    const INF: f64 = f64::INFINITY;
    let cases: [Case<f64>; 41] = [
        (&[3], vec![1.0, 2.0, 3.0], "[1. 2. 3.]"),
        (&[3], vec![1.5, -2.25, 3.0], "[ 1.5  -2.25  3.  ]"),
        (
            &[2, 2],
            vec![1.0, 2.0, 3.0, 4.0],
            concat!("[[1. 2.]\n", " [3. 4.]]"),
        ),
        (&[3], vec![0.1, 0.2, 0.30000000000000004], "[0.1 0.2 0.3]"),
        (
            &[3],
            vec![0.3333333333333333, 0.6666666666666666, 100.0],
            "[  0.33333333   0.66666667 100.        ]",
        ),
        (&[2], vec![1e-05, 1.0], "[1.e-05 1.e+00]"),
        (&[2], vec![100000000.0, 1.0], "[1.e+08 1.e+00]"),
        (&[2], vec![99999999.0, 100000.0], "[99999999.   100000.]"),
        (&[2], vec![1.0, 1001.0], "[1.000e+00 1.001e+03]"),
        (&[2], vec![1.0, 1000.0], "[   1. 1000.]"),
        (&[3], vec![NAN, 1.0, INF], "[nan  1. inf]"),
        (&[3], vec![-INF, 1.5, NAN], "[-inf  1.5  nan]"),
        (&[1], vec![NAN], "[nan]"),
        (&[3], vec![NAN, INF, -INF], "[ nan  inf -inf]"),
        (&[3], vec![NAN, 1e-10, -INF], "[   nan 1.e-10   -inf]"),
        (&[2], vec![0.0, -0.0], "[ 0. -0.]"),
        (&[2], vec![1e+300, 1e-300], "[1.e+300 1.e-300]"),
        (&[2], vec![1e+100, 1.0], "[1.e+100 1.e+000]"),
        (
            &[2],
            vec![-1e-07, 123456789.123],
            "[-1.00000000e-07  1.23456789e+08]",
        ),
        (
            &[2],
            vec![5e-324, 1.7976931348623157e+308],
            "[4.94065646e-324 1.79769313e+308]",
        ),
        (
            &[2],
            vec![123456.789, 0.001],
            "[1.23456789e+05 1.00000000e-03]",
        ),
        (&[2], vec![1.23456789123, 2.0], "[1.23456789 2.        ]"),
        (&[2], vec![0.999999999, 1.0], "[1. 1.]"),
        (&[3], vec![-1e-09, 0.5, -0.0], "[-1.e-09  5.e-01 -0.e+00]"),
        (
            &[2],
            vec![0.3, 1.23456789012e-05],
            "[3.00000000e-01 1.23456789e-05]",
        ),
        (&[0], vec![], "[]"),
        (&[2, 0], vec![], "[]"),
        (
            &[2, 2, 2],
            vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            concat!(
                "[[[0. 0.]\n",
                "  [0. 0.]]\n",
                "\n",
                " [[0. 0.]\n",
                "  [0. 0.]]]"
            ),
        ),
        (
            &[1, 2, 2, 2, 2],
            vec![
                0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0,
                15.0,
            ],
            concat!(
                "[[[[[ 0.  1.]\n",
                "    [ 2.  3.]]\n",
                "\n",
                "   [[ 4.  5.]\n",
                "    [ 6.  7.]]]\n",
                "\n",
                "\n",
                "  [[[ 8.  9.]\n",
                "    [10. 11.]]\n",
                "\n",
                "   [[12. 13.]\n",
                "    [14. 15.]]]]]"
            ),
        ),
        (
            &[40],
            vec![
                0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0,
                15.0, 16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 26.0, 27.0, 28.0,
                29.0, 30.0, 31.0, 32.0, 33.0, 34.0, 35.0, 36.0, 37.0, 38.0, 39.0,
            ],
            concat!(
                "[ 0.  1.  2.  3.  4.  5.  6.  7.  8.  9. 10. 11. 12. 13. 14. 15. 16. 17.\n",
                " 18. 19. 20. 21. 22. 23. 24. 25. 26. 27. 28. 29. 30. 31. 32. 33. 34. 35.\n",
                " 36. 37. 38. 39.]"
            ),
        ),
        (
            &[20],
            vec![
                0.0,
                0.14285714285714285,
                0.2857142857142857,
                0.42857142857142855,
                0.5714285714285714,
                0.7142857142857143,
                0.8571428571428571,
                1.0,
                1.1428571428571428,
                1.2857142857142858,
                1.4285714285714286,
                1.5714285714285714,
                1.7142857142857142,
                1.8571428571428572,
                2.0,
                2.142857142857143,
                2.2857142857142856,
                2.4285714285714284,
                2.5714285714285716,
                2.7142857142857144,
            ],
            concat!(
                "[0.         0.14285714 0.28571429 0.42857143 0.57142857 0.71428571\n",
                " 0.85714286 1.         1.14285714 1.28571429 1.42857143 1.57142857\n",
                " 1.71428571 1.85714286 2.         2.14285714 2.28571429 2.42857143\n",
                " 2.57142857 2.71428571]"
            ),
        ),
        (
            &[8],
            vec![1e+20, 1e+20, 1e+20, 1e+20, 1e+20, 1e+20, 1e+20, 1e+20],
            "[1.e+20 1.e+20 1.e+20 1.e+20 1.e+20 1.e+20 1.e+20 1.e+20]",
        ),
        (&[], vec![1.5], "1.5"),
        (&[], vec![3.0], "3.0"),
        (&[], vec![1e+16], "1e+16"),
        (&[], vec![1e-05], "1e-05"),
        (&[], vec![123456789012345.6], "123456789012345.6"),
        (&[], vec![0.30000000000000004], "0.30000000000000004"),
        (&[], vec![NAN], "nan"),
        (&[], vec![-INF], "-inf"),
        (&[], vec![-0.0], "-0.0"),
    ];
    check(&cases);
}

#[test]
fn f32_arrays_print_as_in_numpy() {
    let cases: [Case<f32>; 16] = [
        (&[2], vec![1.0e+00, 2.5e+00], "[1.  2.5]"),
        (
            &[2],
            vec![1.0e-01, 3.3333334e-01],
            "[0.1        0.33333334]",
        ),
        (&[2], vec![1.0e+06, 1.0e+00], "[1.e+06 1.e+00]"),
        (&[1], vec![1.234567e+05], "[123456.7]"),
        (&[2], vec![1.0e-04, 5.0e-02], "[0.0001 0.05  ]"),
        (&[2], vec![1.0e-30, 3.0e+38], "[1.e-30 3.e+38]"),
        (
            &[2],
            vec![1.6777216e+07, 1.0e-01],
            "[1.6777216e+07 1.0000000e-01]",
        ),
        (
            &[2],
            vec![3.0e-01, 1.2345679e-05],
            "[3.0000001e-01 1.2345679e-05]",
        ),
        (&[], vec![9.99999e+05], "999999.0"),
        (&[], vec![1.0e+06], "1e+06"),
        (&[], vec![1.0e-04], "1e-04"),
        (
            &[2],
            vec![1.2345678e-04, 1.0e-01],
            "[0.00012346 0.1       ]",
        ),
        (&[], vec![1.0e-01], "0.1"),
        (&[], vec![1.0e+08], "1e+08"),
        (&[], vec![1.0e-05], "1e-05"),
        (&[], vec![1.0e+17], "1e+17"),
    ];
    check(&cases);
}

#[test]
fn c64_arrays_print_as_in_numpy() {
    let z = Complex::new;
    let cases: [Case<Complex<f32>>; 3] = [
        (&[], vec![z(1.2345678e+07, 1.0e+00)], "(1.2345678e+07+1j)"),
        (
            &[2],
            vec![z(1.0e+00, 2.0e+00), z(3.5e+00, -4.125e+00)],
            "[1. +2.j    3.5-4.125j]",
        ),
        (&[], vec![z(1.5e+00, -2.0e+00)], "(1.5-2j)"),
    ];
    check(&cases);
}

#[test]
fn i64_arrays_print_as_in_numpy() {
    let cases: [Case<i64>; 5] = [
        (&[3], vec![1, -20, 300], "[  1 -20 300]"),
        (
            &[2, 3, 4],
            vec![
                0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
                23,
            ],
            concat!(
                "[[[ 0  1  2  3]\n",
                "  [ 4  5  6  7]\n",
                "  [ 8  9 10 11]]\n",
                "\n",
                " [[12 13 14 15]\n",
                "  [16 17 18 19]\n",
                "  [20 21 22 23]]]"
            ),
        ),
        (
            &[30],
            vec![
                0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10000, 11000, 12000,
                13000, 14000, 15000, 16000, 17000, 18000, 19000, 20000, 21000, 22000, 23000, 24000,
                25000, 26000, 27000, 28000, 29000,
            ],
            concat!(
                "[    0  1000  2000  3000  4000  5000  6000  7000  8000  9000 10000 11000\n",
                " 12000 13000 14000 15000 16000 17000 18000 19000 20000 21000 22000 23000\n",
                " 24000 25000 26000 27000 28000 29000]"
            ),
        ),
        (
            &[1, 30],
            vec![
                0, 100003, 200006, 300009, 400012, 500015, 600018, 700021, 800024, 900027, 1000030,
                1100033, 1200036, 1300039, 1400042, 1500045, 1600048, 1700051, 1800054, 1900057,
                2000060, 2100063, 2200066, 2300069, 2400072, 2500075, 2600078, 2700081, 2800084,
                2900087,
            ],
            concat!(
                "[[      0  100003  200006  300009  400012  500015  600018  700021  800024\n",
                "   900027 1000030 1100033 1200036 1300039 1400042 1500045 1600048 1700051\n",
                "  1800054 1900057 2000060 2100063 2200066 2300069 2400072 2500075 2600078\n",
                "  2700081 2800084 2900087]]"
            ),
        ),
        (&[], vec![7], "7"),
    ];
    check(&cases);
}

#[test]
fn i32_arrays_print_as_in_numpy() {
    let cases: [Case<i32>; 1] = [(
        &[2, 2],
        vec![1, 2, 30, -4],
        concat!("[[ 1  2]\n", " [30 -4]]"),
    )];
    check(&cases);
}

#[test]
fn u8_arrays_print_as_in_numpy() {
    let cases: [Case<u8>; 1] = [(&[2], vec![0, 255], "[  0 255]")];
    check(&cases);
}

#[test]
fn bool_arrays_print_as_in_numpy() {
    let cases: [Case<bool>; 3] = [
        (&[2], vec![true, false], "[ True False]"),
        (&[2], vec![true, true], "[ True  True]"),
        (&[], vec![true], "True"),
    ];
    check(&cases);
}

#[test]
fn c128_arrays_print_as_in_numpy() {
    const NAN: f64 = f64::NAN;
    const INF: f64 = f64::INFINITY;
    let z = Complex::new;
    let cases: [Case<Complex<f64>>; 16] = [
        (&[2], vec![z(1.0, 2.0), z(3.5, -4.0)], "[1. +2.j 3.5-4.j]"),
        (
            &[2],
            vec![z(10000000000.0, 1.0), z(0.0, 0.0)],
            "[1.e+10+1.j 0.e+00+0.j]",
        ),
        (&[2], vec![z(NAN, 1.0), z(INF, -INF)], "[nan +1.j inf-infj]"),
        (
            &[2],
            vec![z(0.1, 0.25), z(-1.0, -0.001)],
            "[ 0.1+0.25j  -1. -0.001j]",
        ),
        (
            &[2, 2],
            vec![z(0.0, 0.0), z(-0.0, -1.0), z(1.0, 0.0), z(2.25, 0.0)],
            concat!("[[ 0.  +0.j -0.  -1.j]\n", " [ 1.  +0.j  2.25+0.j]]"),
        ),
        (&[2], vec![z(1.0, NAN), z(2.0, -3.0)], "[1.+nanj 2. -3.j]"),
        (&[1], vec![z(NAN, NAN)], "[nan+nanj]"),
        (
            &[11],
            vec![
                z(0.0, 1.0),
                z(0.1, 1.0),
                z(0.2, 1.0),
                z(0.30000000000000004, 1.0),
                z(0.4, 1.0),
                z(0.5, 1.0),
                z(0.6000000000000001, 1.0),
                z(0.7000000000000001, 1.0),
                z(0.8, 1.0),
                z(0.9, 1.0),
                z(1.0, 1.0),
            ],
            concat!(
                "[0. +1.j 0.1+1.j 0.2+1.j 0.3+1.j 0.4+1.j 0.5+1.j 0.6+1.j 0.7+1.j 0.8+1.j\n",
                " 0.9+1.j 1. +1.j]"
            ),
        ),
        (&[], vec![z(1.0, 2.0)], "(1+2j)"),
        (&[], vec![z(0.0, 2.0)], "2j"),
        (&[], vec![z(-0.0, -1.5)], "(-0-1.5j)"),
        (&[], vec![z(1.0, -0.0)], "(1-0j)"),
        (&[], vec![z(1e+20, NAN)], "(1e+20+nanj)"),
        (&[], vec![z(-0.0, 2.0)], "(-0+2j)"),
        (&[], vec![z(INF, -INF)], "(inf-infj)"),
        (&[], vec![z(0.0, 1e-07)], "1e-07j"),
    ];
    check(&cases);
}

#[test]
fn long_arrays_leave_out_the_middle() {
    let cases: [(&[usize], &str); 5] = [
        (&[1001], "[   0    1    2 ...  998  999 1000]"),
        (
            &[100, 100],
            concat!(
                "[[   0    1    2 ...   97   98   99]\n",
                " [ 100  101  102 ...  197  198  199]\n",
                " [ 200  201  202 ...  297  298  299]\n",
                " ...\n",
                " [9700 9701 9702 ... 9797 9798 9799]\n",
                " [9800 9801 9802 ... 9897 9898 9899]\n",
                " [9900 9901 9902 ... 9997 9998 9999]]"
            ),
        ),
        (
            &[2, 1000],
            concat!(
                "[[   0    1    2 ...  997  998  999]\n",
                " [1000 1001 1002 ... 1997 1998 1999]]"
            ),
        ),
        (
            &[1200, 1],
            concat!(
                "[[   0]\n",
                " [   1]\n",
                " [   2]\n",
                " ...\n",
                " [1197]\n",
                " [1198]\n",
                " [1199]]"
            ),
        ),
        (
            &[3, 4, 90],
            concat!(
                "[[[   0    1    2 ...   87   88   89]\n",
                "  [  90   91   92 ...  177  178  179]\n",
                "  [ 180  181  182 ...  267  268  269]\n",
                "  [ 270  271  272 ...  357  358  359]]\n",
                "\n",
                " [[ 360  361  362 ...  447  448  449]\n",
                "  [ 450  451  452 ...  537  538  539]\n",
                "  [ 540  541  542 ...  627  628  629]\n",
                "  [ 630  631  632 ...  717  718  719]]\n",
                "\n",
                " [[ 720  721  722 ...  807  808  809]\n",
                "  [ 810  811  812 ...  897  898  899]\n",
                "  [ 900  901  902 ...  987  988  989]\n",
                "  [ 990  991  992 ... 1077 1078 1079]]]"
            ),
        ),
    ];
    for (shape, expected) in cases {
        let size = shape.iter().product::<usize>() as i64;
        let x = ArrayD::from_shape_vec(shape, (0..size).collect::<Vec<i64>>()).unwrap();
        assert_eq!(Array::from(x).to_string(), expected, "{shape:?}");
    }
}

/// Shape, elements in C order, and the text.
type Case<T> = (&'static [usize], Vec<T>, &'static str);

/// Compares what arrays of given shapes and elements print.
#[track_caller]
fn check<T: autojit::ir::Element>(cases: &[Case<T>]) {
    for (shape, data, expected) in cases {
        let x = ArrayD::from_shape_vec(*shape, data.clone()).unwrap();
        assert_eq!(Array::from(x).to_string(), *expected, "{data:?}");
    }
}

//! Arrays that are filled piece by piece: however the native engine joins the updates, the results have the bits that the same
//! updates have one at a time.

use autojit::index::step;
use autojit::{Array, autojit, ix, numpy as np};

use crate::modes::bits;

/// Rows and columns of the arrays.
const ROWS: i64 = 12;
const COLUMNS: i64 = 3;

fn numbers(count: i64) -> Array {
    let number = |i: i64| (i * 37 % 101) as f64 / 16.0 - 3.0;
    Array::from((0..count).map(number).collect::<Vec<f64>>())
}

/// Compiles a function of an array of rows and of one row, and compares with the eager result. Gives the entries of the program.
fn check(name: &str, f: impl Fn((Array, Array)) -> Array) -> usize {
    let x = np::reshape(numbers(ROWS * COLUMNS), [ROWS, COLUMNS]);
    let row = numbers(COLUMNS);
    let eager = bits(&f((x.clone(), row.clone())));
    let compiled = autojit(f).backend("cranelift");
    for _ in 0..2 {
        let result = compiled.call((x.clone(), row.clone())).unwrap();
        assert_eq!(bits(&result), eager, "{name}");
    }
    let report = compiled.compile((x, row)).unwrap();
    report.code.tape_entries.unwrap()
}

#[test]
fn rows_that_need_the_one_before() {
    let forwards = |(mut x, row): (Array, Array)| {
        for t in 1..ROWS {
            x = x.at(t).set(x.get(t - 1) * &row);
        }
        x
    };
    // The first and the last update copy the array; the kernels between them are one entry.
    assert_eq!(check("forwards", forwards), 5);
    check("backwards", |(mut x, row)| {
        for t in (0..ROWS - 1).rev() {
            x = x.at(t).set(x.get(t + 1) + &row);
        }
        x
    });
    check("of itself", |(mut x, row)| {
        for t in 0..ROWS {
            x = x.at(t).set(x.get(t) * &row);
        }
        x
    });
    check("reversed within a row", |(mut x, row)| {
        for t in 1..ROWS {
            x = x.at(t).set(x.get(ix![t, step(.., -1)]) - &row);
        }
        x
    });
    check("of two before", |(mut x, _)| {
        for t in 2..ROWS {
            x = x.at(t).set(x.get(t - 1) - x.get(t - 2));
        }
        x
    });
    check("of one that is always the same", |(mut x, row)| {
        for t in 0..ROWS {
            x = x.at(t).set(x.get(5) * &row);
        }
        x
    });
}

#[test]
fn updates_after_steps_that_run_as_one() {
    check("after a batch", |(x, row)| {
        let rows: Vec<Array> = (0..ROWS).map(|t| np::exp(x.get(t)) * &row).collect();
        let sums: Vec<Array> = rows.iter().map(|r| np::sum(r * r, ..)).collect();
        let mut y = np::stack(&rows, 0);
        for (t, sum) in sums.iter().enumerate().skip(1) {
            y = y.at(t as i64).set(y.get(t as i64 - 1) * &row + sum);
        }
        y
    });
}

#[test]
fn values_that_are_needed_twice_stay_where_they_are() {
    check("twice", |(mut x, row)| {
        let mut all = np::zeros([COLUMNS], np::like(&row));
        for t in 1..ROWS {
            let next = x.get(t - 1) * &row;
            all += &next;
            x = x.at(t).set(&next);
        }
        x + all
    });
    check("in two arrays", |(mut x, row)| {
        let mut y = np::zeros_like(&x, ..);
        for t in 1..ROWS {
            let next = x.get(t - 1) * &row;
            y = y.at(t).set(&next);
            x = x.at(t).set(next);
        }
        x * y
    });
}

#[test]
fn pieces_that_overlap_are_set_in_order() {
    check("by one", |(x, _)| {
        let mut x = np::ravel(x);
        let piece = numbers(4);
        for t in 0..ROWS {
            x = x.at(ix![t..t + 4]).set(&piece);
        }
        x
    });
    check("computed", |(x, row)| {
        let mut x = np::ravel(x);
        for t in 1..ROWS {
            x = x.at(ix![t..t + 3]).set(x.get(ix![t - 1..t + 2]) * &row);
        }
        x
    });
    check("of the array itself", |(x, _)| {
        let mut x = np::ravel(x);
        for t in 1..2 * ROWS {
            x = x.at(t).set(x.get(t - 1));
        }
        x
    });
    check("strided", |(mut x, row)| {
        for t in 0..ROWS {
            x = x.at(ix![step(t % 3.., 3), 1]).set(row.get(0));
        }
        x
    });
}

#[test]
fn equal_values_and_values_of_another_array() {
    let entries = check("one number", |(x, row)| {
        let mut x = np::ravel(x);
        for t in 0..2 * ROWS {
            x = x.at(t).set(row.get(1));
        }
        x
    });
    assert_eq!(entries, 3);
    check("rows of another array", |(x, row)| {
        let mut y = np::zeros_like(&x, ..) + row;
        for t in 0..ROWS - 1 {
            y = y.at(ROWS - 1 - t).set(x.get(t));
        }
        y
    });
    check("an array that is given away", |(x, row)| {
        let mut y = x;
        for t in 0..ROWS {
            y = y.at(t).set(&row);
        }
        y
    });
}

//! NumPy's own accuracy sets: `numpy/_core/tests/data/umath-validation-set-*.csv`, made with more digits by its authors.

use super::{UnaryFunction, same};
use std::path::Path;

/// Reads the sets from the folder that `AUTOJIT_NUMPY_DATA` names; each row has a kind, two bit patterns and a tolerance.
#[test]
#[ignore = "needs an installed NumPy: AUTOJIT_NUMPY_DATA=.../numpy/_core/tests/data"]
fn validation_sets_of_numpy() {
    let folder = std::env::var("AUTOJIT_NUMPY_DATA").expect("AUTOJIT_NUMPY_DATA names a folder");
    let mut rows = 0;
    for &function in UnaryFunction::ALL {
        let name = function.name();
        let file = Path::new(&folder).join(format!("umath-validation-set-{name}.csv"));
        let Ok(text) = std::fs::read_to_string(&file) else {
            println!("| {name:8} | no set |");
            continue;
        };
        let (mut largest, mut count) = (0, 0);
        for line in text.lines().filter(|line| line.starts_with("np.float")) {
            let words: Vec<&str> = line.split(',').collect();
            let bits = |word: &str| {
                u64::from_str_radix(word.trim_start_matches("0x"), 16).expect("hexadecimal digits")
            };
            let (x, want) = (bits(words[1]), bits(words[2]));
            let distance = if words[0] == "np.float32" {
                let (x, want) = (f32::from_bits(x as u32), f32::from_bits(want as u32));
                let got = function.of_f32(x);
                if same(got.into(), want.into()) {
                    0
                } else {
                    u64::from(got.to_bits().abs_diff(want.to_bits()))
                }
            } else {
                let (got, want) = (function.of_f64(f64::from_bits(x)), f64::from_bits(want));
                if same(got, want) {
                    0
                } else {
                    got.to_bits().abs_diff(want.to_bits())
                }
            };
            assert!(distance <= 1, "{name}: {line} is off by {distance} steps");
            largest = largest.max(distance);
            count += 1;
        }
        println!("| {name:8} | {count:6} | at most {largest} steps |");
        rows += count;
    }
    assert!(rows > 10_000, "{rows} rows in {folder}");
}

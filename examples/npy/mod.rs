//! Matrices from NumPy's `.npy` files: real and complex floating-point numbers, in the order of C, little-endian.

use std::error::Error;
use std::path::Path;

use autojit::Array;
use ndarray::ArrayD;
use num_complex::{Complex32, Complex64};

/// Reads an array.
///
/// # Errors
/// If the file cannot be read, or holds something else.
pub(crate) fn read(path: &Path) -> Result<Array, Box<dyn Error>> {
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|e| format!("{shown}: {e}"))?;
    parse(&bytes).ok_or_else(|| {
        format!(
            "{shown} is not a .npy file of float32, float64, complex64 or complex128 in the order of C"
        )
        .into()
    })
}

/// The format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.
fn parse(bytes: &[u8]) -> Option<Array> {
    let rest = bytes.strip_prefix(b"\x93NUMPY")?;
    let ([major, _minor], rest) = rest.split_first_chunk()?;
    let (length, rest) = match major {
        1 => {
            let (length, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        _ => {
            let (length, rest) = rest.split_first_chunk()?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
    };
    let (header, data) = rest.split_at_checked(length)?;
    let header = str::from_utf8(header).ok()?;
    // A literal of Python: {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }
    let after = |key: &str| Some(header.split_once(key)?.1.trim_start_matches([':', ' ']));
    let shape = after("'shape'")?.strip_prefix('(')?.split_once(')')?.0;
    let sizes = shape.split(',').map(str::trim).filter(|s| !s.is_empty());
    let shape: Vec<usize> = sizes.map(|s| s.parse().ok()).collect::<Option<_>>()?;
    if !after("'fortran_order'")?.starts_with("False") {
        return None;
    }
    let f32s = || floats(data, f32::from_le_bytes);
    let f64s = || floats(data, f64::from_le_bytes);
    let dtype = after("'descr'")?.strip_prefix('\'')?.split_once('\'')?.0;
    match dtype {
        "<f4" => array(&shape, f32s()),
        "<f8" => array(&shape, f64s()),
        "<c8" => array(&shape, pairs(&f32s(), Complex32::new)),
        "<c16" => array(&shape, pairs(&f64s(), Complex64::new)),
        _ => None,
    }
}

fn array<T>(shape: &[usize], elements: Vec<T>) -> Option<Array>
where
    Array: From<ArrayD<T>>,
{
    Some(Array::from(ArrayD::from_shape_vec(shape, elements).ok()?))
}

fn floats<T, const N: usize>(data: &[u8], convert: fn([u8; N]) -> T) -> Vec<T> {
    data.as_chunks()
        .0
        .iter()
        .map(|&bytes| convert(bytes))
        .collect()
}

fn pairs<T: Copy, C>(parts: &[T], convert: fn(T, T) -> C) -> Vec<C> {
    let pairs = parts.as_chunks().0.iter();
    pairs.map(|&[re, im]| convert(re, im)).collect()
}

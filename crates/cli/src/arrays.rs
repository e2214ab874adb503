//! Arrays in files of NumPy's, and random ones.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use autojit::ir::Element;
use autojit::numpy::random::{self, default_rng};
use autojit::{Array, ArrayType, DType};
use ndarray::{ArrayD, IxDyn, OwnedRepr};
use ndarray_npy::{
    NpzReader, NpzWriter, ReadNpyExt, ReadableElement, WritableElement, WriteNpyExt,
};
use num_complex::{Complex32, Complex64};

use crate::Failure;

/// Runs `$body` with `$T` as each Rust type of elements, until one gives a value.
macro_rules! first_of_types {
    ($T:ident => $body:expr) => {
        first_of_types!(@ $T, $body, bool, i8, u8, i16, u16, i32, u32, i64, u64, f32, f64,
            Complex32, Complex64)
    };
    (@ $T:ident, $body:expr, $($t:ty),*) => {{
        let mut found = None;
        $(if found.is_none() {
            type $T = $t;
            found = $body;
        })*
        found
    }};
}

/// The arrays of files, in order.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Vec<Array>, Failure> {
    let mut arrays = Vec::new();
    for path in paths {
        let cannot = |why: String| Failure::File(format!("cannot read {}: {why}", path.display()));
        let file = File::open(path).map_err(|e| cannot(e.to_string()))?;
        match path.extension().and_then(|e| e.to_str()) {
            Some("npy") => {
                let mut bytes = Vec::new();
                BufReader::new(file)
                    .read_to_end(&mut bytes)
                    .map_err(|e| cannot(e.to_string()))?;
                arrays.push(
                    first_of_types!(T => npy::<T>(&bytes))
                        .ok_or_else(|| cannot(NOT_AN_ARRAY.into()))?,
                );
            }
            Some("npz") => arrays.extend(npz(file).map_err(cannot)?),
            _ => return Err(cannot("expected a file .npy or .npz".into())),
        }
    }
    Ok(arrays)
}

const NOT_AN_ARRAY: &str = "it is no array of NumPy's with a dtype among bool, int8 to int64, uint8 to uint64, float32, float64, complex64, complex128";

fn npy<T: Element + ReadableElement>(bytes: &[u8]) -> Option<Array> {
    ArrayD::<T>::read_npy(bytes).ok().map(Array::from)
}

fn npz(file: File) -> Result<Vec<Array>, String> {
    let mut reader = NpzReader::new(BufReader::new(file)).map_err(|e| e.to_string())?;
    let names = reader.names().map_err(|e| e.to_string())?;
    let mut arrays = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let array = first_of_types!(T => member::<T, _>(&mut reader, index));
        arrays.push(array.ok_or_else(|| format!("{name}: {NOT_AN_ARRAY}"))?);
    }
    Ok(arrays)
}

fn member<T: Element + ReadableElement, R: Read + Seek>(
    reader: &mut NpzReader<R>,
    index: usize,
) -> Option<Array> {
    reader
        .by_index::<OwnedRepr<T>, IxDyn>(index)
        .ok()
        .map(Array::from)
}

/// Writes arrays: one into .npy, any number into .npz, as `arr_0` and so on.
pub(crate) fn write(path: &Path, arrays: &[Array]) -> Result<(), Failure> {
    let cannot = |why: String| Failure::File(format!("cannot write {}: {why}", path.display()));
    match (path.extension().and_then(|e| e.to_str()), arrays) {
        (Some("npy"), [array]) => {
            let mut bytes = Vec::new();
            let written = first_of_types!(T => write_npy::<T>(array, &mut bytes));
            written
                .unwrap_or_else(|| Err("the result has no elements that NumPy knows".into()))
                .map_err(cannot)?;
            crate::write(path, &bytes)
        }
        (Some("npy"), arrays) => Err(cannot(format!(
            "a file .npy holds one array, and there are {} results: expected .npz",
            arrays.len()
        ))),
        (Some("npz"), arrays) => {
            let mut file = NpzWriter::new(Cursor::new(Vec::new()));
            for (index, array) in arrays.iter().enumerate() {
                let written = first_of_types!(T => write_member::<T>(array, &format!("arr_{index}"), &mut file));
                written
                    .unwrap_or_else(|| Err("the result has no elements that NumPy knows".into()))
                    .map_err(cannot)?;
            }
            let bytes = file.finish().map_err(|e| cannot(e.to_string()))?;
            crate::write(path, &bytes.into_inner())
        }
        _ => Err(cannot("expected a file .npy or .npz".into())),
    }
}

/// `None` if the array has another type.
fn write_npy<T: Element + WritableElement>(
    array: &Array,
    file: &mut Vec<u8>,
) -> Option<Result<(), String>> {
    let array = array.to_ndarray::<T>().ok()?;
    Some(array.write_npy(file).map_err(|e| e.to_string()))
}

fn write_member<T: Element + WritableElement>(
    array: &Array,
    name: &str,
    file: &mut NpzWriter<Cursor<Vec<u8>>>,
) -> Option<Result<(), String>> {
    let array = array.to_ndarray::<T>().ok()?;
    Some(file.add_array(name, &array).map_err(|e| e.to_string()))
}

/// Arrays of these types: normal floats, integers from 0 to 9, truth values.
pub(crate) fn random(types: &[ArrayType], seed: u64) -> Vec<Array> {
    let generator = default_rng(seed);
    let array = |ty: &ArrayType| {
        let shape = || random::size(ty.shape.as_slice());
        let numbers = match ty.dtype {
            DType::Bool => generator.integers(0, 2, shape()),
            DType::Int8
            | DType::Uint8
            | DType::Int16
            | DType::Uint16
            | DType::Int32
            | DType::Uint32
            | DType::Int64
            | DType::Uint64 => generator.integers(0, 10, shape()),
            DType::Complex64 | DType::Complex128 => {
                let imaginary = generator.standard_normal(shape()) * Complex64::I;
                generator.standard_normal(shape()) + imaginary
            }
            DType::Float32 | DType::Float64 => generator.standard_normal(shape()),
        };
        numbers.astype(ty.dtype)
    };
    types.iter().map(array).collect()
}

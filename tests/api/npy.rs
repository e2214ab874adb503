//! The reader of `.npy` files that the examples have.

use std::path::PathBuf;

#[path = "../../examples/npy/mod.rs"]
mod reader;

/// A file as NumPy writes it.
fn written(name: &str, dtype: &str, shape: &str, order: &str, data: &[u8]) -> PathBuf {
    let header = format!("{{'descr': '{dtype}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    let path = std::env::temp_dir().join(format!("autojit-{}-{name}.npy", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn arrays_of_numpys_files_are_read() {
    let data: Vec<u8> = (0..6)
        .flat_map(|i| (f64::from(i) / 2.0).to_le_bytes())
        .collect();
    let read = |dtype, shape, order, data: &[u8]| {
        let path = written("read", dtype, shape, order, data);
        let array = reader::read(&path);
        std::fs::remove_file(path).unwrap();
        array.map_err(|e| e.to_string())
    };
    let x = read("<f8", "(2, 3)", "False", &data).unwrap();
    assert_eq!(x.ty().unwrap().to_string(), "f64[2,3]");
    let numbers = x.ravel().to_vec::<f64>().unwrap();
    assert_eq!(numbers, [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]);
    let x = read("<c16", "(3,)", "False", &data).unwrap();
    assert_eq!(x.to_string(), "[0.+0.5j 1.+1.5j 2.+2.5j]");
    let x = read("<f4", "(1, 12)", "False", &data).unwrap();
    assert_eq!(x.ty().unwrap().to_string(), "f32[1,12]");
    assert!(read("<f8", "(2, 3)", "True", &data).is_err());
    assert!(read("<f8", "(2, 4)", "False", &data).is_err());
    assert!(read("<i8", "(2, 3)", "False", &data).is_err());
}

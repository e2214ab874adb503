//! The file of a TorchScript module: what `torch.jit.save` writes, written here.
//!
//! It is a zip of stored files, each beginning at a multiple of 64 bytes as libtorch's own reader expects of
//! tensors: the version of the format, the code as text, the pickle of the module, whose members are its constants,
//! and their elements, each in a file of its own.
//!
//! Source: `torch/csrc/jit/serialization` of PyTorch; PKWARE's APPNOTE for the zip.

use autojit_ir::error::{Error, Result};
use autojit_ir::{DType, HostArray};

use crate::library::held;

/// The folder that everything is in.
const ROOT: &str = "m";

/// The version of the operators: from 4 on `div` divides integers truly, older code is rewritten when it is loaded.
///
/// Source: `caffe2/serialize/versions.h`; PyTorch reads this since 1.12.
const VERSION: &[u8] = b"10\n";

/// Packs the code and the constants of a module.
///
/// # Errors
/// It would be larger than 4 GB.
pub(super) fn pack(code: &str, constants: &[HostArray]) -> Result<Vec<u8>> {
    let mut zip = Zip::default();
    zip.add("version", VERSION)?;
    zip.add("byteorder", b"little")?;
    zip.add("code/__torch__.py", code.as_bytes())?;
    // The empty tuple: constants of the code, of which there are none.
    zip.add("constants.pkl", b"\x80\x02).")?;
    zip.add("data.pkl", &pickle(constants))?;
    for (i, array) in constants.iter().enumerate() {
        zip.add(&format!("data/{i}"), &bytes(array))?;
    }
    zip.finish()
}

/// The elements in C order.
fn bytes(array: &HostArray) -> Vec<u8> {
    let array = array.to_contiguous();
    let count = array.ty().size() * array.dtype().size();
    // SAFETY: the array is contiguous and has that many bytes, all initialised: no element type has padding.
    unsafe { std::slice::from_raw_parts(array.as_ptr(), count) }.to_vec()
}

/// The name of the storage of tensors that hold a dtype.
const fn storage(dtype: DType) -> &'static str {
    match held(dtype) {
        DType::Bool => "BoolStorage",
        DType::Uint8 => "ByteStorage",
        DType::Int32 => "IntStorage",
        DType::Int8 => "CharStorage",
        DType::Int16 => "ShortStorage",
        DType::Int64 | DType::Uint16 | DType::Uint32 | DType::Uint64 => "LongStorage",
        DType::Float32 => "FloatStorage",
        DType::Float64 => "DoubleStorage",
        DType::Complex64 => "ComplexFloatStorage",
        DType::Complex128 => "ComplexDoubleStorage",
    }
}

/// The module: an instance of `M`, in training mode as libtorch's modules begin, with each tensor as the call that
/// rebuilds it from its storage.
fn pickle(constants: &[HostArray]) -> Vec<u8> {
    const MARK: u8 = b'(';
    const TUPLE: u8 = b't';
    let mut out = Vec::from(*b"\x80\x02c__torch__\nM\n)\x81}");
    let text = |out: &mut Vec<u8>, text: &str| {
        out.push(b'X');
        out.extend((text.len() as u32).to_le_bytes());
        out.extend(text.as_bytes());
    };
    let int = |out: &mut Vec<u8>, n: usize| {
        if let Ok(n) = i32::try_from(n) {
            out.push(b'J');
            out.extend(n.to_le_bytes());
        } else {
            out.extend([0x8a, 8]);
            out.extend((n as u64).to_le_bytes());
        }
    };
    out.push(MARK);
    text(&mut out, "training");
    out.push(0x88);
    for (i, array) in constants.iter().enumerate() {
        let shape = array.shape();
        text(&mut out, &format!("c{i}"));
        out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n");
        out.push(MARK);
        out.push(MARK);
        text(&mut out, "storage");
        out.extend(format!("ctorch\n{}\n", storage(array.dtype())).as_bytes());
        text(&mut out, &i.to_string());
        text(&mut out, "cpu");
        int(&mut out, shape.iter().product());
        out.extend([TUPLE, b'Q']);
        int(&mut out, 0);
        out.push(MARK);
        shape.iter().for_each(|&n| int(&mut out, n));
        out.extend([TUPLE, MARK]);
        for axis in 0..shape.len() {
            int(&mut out, shape[axis + 1..].iter().product());
        }
        out.push(TUPLE);
        // No gradient, no hooks.
        out.extend(b"\x89ccollections\nOrderedDict\n)R");
        out.extend([TUPLE, b'R']);
    }
    out.extend(b"ub.");
    out
}

/// A zip of stored files.
#[derive(Default)]
struct Zip {
    out: Vec<u8>,
    directory: Vec<u8>,
    files: u16,
}

impl Zip {
    fn add(&mut self, name: &str, data: &[u8]) -> Result<()> {
        const HEADER: usize = 30;
        let name = format!("{ROOT}/{name}");
        let too_large = |_| Error::value("a TorchScript module of more than 4 GB is not supported");
        let offset = u32::try_from(self.out.len()).map_err(too_large)?;
        let size = u32::try_from(data.len()).map_err(too_large)?;
        // The field of padding has a head of four bytes.
        let unpadded = self.out.len() + HEADER + name.len() + 4;
        let padding = (64 - unpadded % 64) % 64;
        let shared = |out: &mut Vec<u8>, extra: usize| {
            // Version 2.0, no flags, stored, the first of January 1980.
            out.extend([20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0]);
            out.extend(crc32(data).to_le_bytes());
            out.extend(size.to_le_bytes());
            out.extend(size.to_le_bytes());
            out.extend((name.len() as u16).to_le_bytes());
            out.extend((extra as u16).to_le_bytes());
        };
        self.out.extend(b"PK\x03\x04");
        shared(&mut self.out, padding + 4);
        self.out.extend(name.as_bytes());
        self.out.extend(b"FB");
        self.out.extend((padding as u16).to_le_bytes());
        self.out.extend(std::iter::repeat_n(b'Z', padding));
        self.out.extend(data);

        self.directory.extend(b"PK\x01\x02\x14\x00");
        shared(&mut self.directory, 0);
        // No comment, disk 0, no attributes.
        self.directory.extend([0; 10]);
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.files = self.files.checked_add(1).ok_or_else(|| {
            Error::value("a TorchScript module with so many constants is not supported")
        })?;
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<u8>> {
        let too_large = |_| Error::value("a TorchScript module of more than 4 GB is not supported");
        let offset = u32::try_from(self.out.len()).map_err(too_large)?;
        let size = u32::try_from(self.directory.len()).map_err(too_large)?;
        self.out.extend(&self.directory);
        self.out.extend(b"PK\x05\x06\x00\x00\x00\x00");
        self.out.extend(self.files.to_le_bytes());
        self.out.extend(self.files.to_le_bytes());
        self.out.extend(size.to_le_bytes());
        self.out.extend(offset.to_le_bytes());
        self.out.extend([0, 0]);
        Ok(self.out)
    }
}

/// The remainders of all bytes, by the reversed polynomial of IEEE 802.3.
const CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let (mut c, mut bit) = (i as u32, 0);
        while bit < 8 {
            c = if c & 1 == 1 {
                0xedb8_8320 ^ (c >> 1)
            } else {
                c >> 1
            };
            bit += 1;
        }
        table[i] = c;
        i += 1;
    }
    table
};

fn crc32(data: &[u8]) -> u32 {
    let step = |c: u32, byte: &u8| CRC[((c ^ u32::from(*byte)) & 0xff) as usize] ^ (c >> 8);
    !data.iter().fold(!0, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn files_begin_at_multiples_of_64_bytes() {
        let constants = [HostArray::scalar(2.5.into(), DType::Float64)];
        let packed = pack("class M(Module):\n", &constants).unwrap();
        let mut at = 0;
        let mut names = Vec::new();
        while packed[at..].starts_with(b"PK\x03\x04") {
            let half =
                |i: usize| usize::from(packed[at + i]) + 256 * usize::from(packed[at + i + 1]);
            let (name, extra, size) = (half(26), half(28), half(18));
            names.push(String::from_utf8_lossy(&packed[at + 30..at + 30 + name]).into_owned());
            at += 30 + name + extra;
            assert_eq!(at % 64, 0);
            at += size;
        }
        assert!(names.contains(&"m/data/0".to_owned()), "{names:?}");
        assert_eq!(names.len(), 6);
    }
}

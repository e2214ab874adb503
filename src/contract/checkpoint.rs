//! Checkpoints: files from which a run goes on.
//!
//! ```text
//! bytes  0.. 8   89 41 4a 43 50 0d 0a 1a   "AJCP" between bytes that transfers as text spoil
//!        8..12   the version of the format, little endian
//!       12..20   the length of the payload in bytes, little endian
//!       20..24   the CRC-32 of the payload (IEEE 802.3), little endian
//!       24..56   SHA-256 of the plan and the number of slices of a call
//!       56..88   SHA-256 of the operands
//!       88..96   how many calls are added, little endian
//!       96..     the sums of all blocks and what was lost of the current one, little endian
//! ```
//!
//! A file is written next to its place and renamed, so that at its place there is a whole one at any time.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use autojit_ir::dispatch_host;
use autojit_ir::error::{Error, Result};
use autojit_ir::{Element, HostArray};
use num_complex::Complex;
use sha2::{Digest, Sha256};

use super::layout::Layout;
use super::total::{Number, Totals};

const MAGIC: [u8; 8] = *b"\x89AJCP\r\n\x1a";
const FORMAT: u32 = 1;
/// Of which the checksum is not.
const HEADER: usize = 24;
/// Two hashes and the number of calls.
const FIXED: usize = 72;

/// The checkpoint of a run.
pub(super) struct Checkpoint {
    path: PathBuf,
    plan: [u8; 32],
    operands: [u8; 32],
}

impl Checkpoint {
    /// # Errors
    /// The plan cannot be written.
    pub(super) fn new(
        path: &Path,
        layout: &Layout,
        per_call: u64,
        operands: &[HostArray],
    ) -> Result<Self> {
        let plan =
            postcard::to_allocvec(&layout.plan).map_err(|e| Error::internal(e.to_string()))?;
        let mut hash = Sha256::new();
        hash.update(per_call.to_le_bytes());
        hash.update(plan);
        Ok(Self {
            path: path.to_owned(),
            plan: hash.finalize().into(),
            operands: hash_of(operands),
        })
    }

    fn error(&self, verb: &str, why: impl std::fmt::Display) -> Error {
        Error::file(format!(
            "cannot {verb} the checkpoint {}: {why}",
            self.path.display()
        ))
    }

    /// Writes what is added so far.
    ///
    /// # Errors
    /// The file cannot be written; an older one is as it was.
    pub(super) fn write<T: Number>(&self, calls: u64, totals: &Totals<T>) -> Result<()> {
        let numbers = totals.sums.len() + totals.lost.len();
        let mut file = Vec::with_capacity(HEADER + FIXED + numbers * size_of::<T>());
        file.extend(MAGIC);
        file.extend(FORMAT.to_le_bytes());
        file.extend([0; 12]);
        file.extend(self.plan);
        file.extend(self.operands);
        file.extend(calls.to_le_bytes());
        for number in totals.sums.iter().chain(&totals.lost) {
            number.write(&mut file);
        }
        let payload = &file[HEADER..];
        let (length, sum) = (payload.len() as u64, crc32fast::hash(payload));
        file[12..20].copy_from_slice(&length.to_le_bytes());
        file[20..24].copy_from_slice(&sum.to_le_bytes());
        self.replace(&file).map_err(|e| self.error("write", e))
    }

    fn replace(&self, bytes: &[u8]) -> std::io::Result<()> {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let part = self.path.with_file_name(name);
        let write = || {
            let mut file = File::create(&part)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&part, &self.path)
        };
        write().inspect_err(|_| {
            // The first error is the one to report.
            fs::remove_file(&part).ok();
        })
    }

    /// Reads the file, if there is one: how many calls are added.
    ///
    /// # Errors
    /// The file cannot be read, is damaged, or is not of this run.
    pub(super) fn read<T: Number>(&self, calls: u64, totals: &mut Totals<T>) -> Result<u64> {
        let file = match fs::read(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(self.error("read", error)),
        };
        let wrong = |why: &str| self.error("go on from", why);
        let Some((header, payload)) = file.split_at_checked(HEADER) else {
            return Err(wrong("it is cut off"));
        };
        if header[..8] != MAGIC {
            return Err(wrong("it is no checkpoint"));
        }
        let number = |bytes: &[u8]| {
            let mut own = [0; 8];
            own.iter_mut().zip(bytes).for_each(|(own, &b)| *own = b);
            u64::from_le_bytes(own)
        };
        let version = number(&header[8..12]);
        if version != u64::from(FORMAT) {
            return Err(wrong(&format!(
                "it has format {version}, this version of autojit reads {FORMAT}"
            )));
        }
        if (payload.len() as u64) < number(&header[12..20]) {
            return Err(wrong("it is cut off"));
        }
        if payload.len() as u64 != number(&header[12..20])
            || u64::from(crc32fast::hash(payload)) != number(&header[20..24])
            || payload.len() < FIXED
        {
            return Err(wrong("it is damaged, its checksum is wrong"));
        }
        let (fixed, numbers) = payload.split_at(FIXED);
        if fixed[..32] != self.plan {
            return Err(wrong("it is that of another plan"));
        }
        if fixed[32..64] != self.operands {
            return Err(wrong("it is that of other operands"));
        }
        let done = number(&fixed[64..72]);
        let expected = (totals.sums.len() + totals.lost.len()) * size_of::<T>();
        if done > calls || numbers.len() != expected {
            return Err(wrong("it is damaged, it does not fit the plan"));
        }
        let own = totals.sums.iter_mut().chain(&mut totals.lost);
        for (own, bytes) in own.zip(numbers.chunks_exact(size_of::<T>())) {
            *own = T::read(bytes);
        }
        Ok(done)
    }

    /// Removes the file of a run that has come to its end.
    ///
    /// # Errors
    /// It is there and cannot be removed.
    pub(super) fn remove(&self) -> Result<()> {
        match fs::remove_file(&self.path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(self.error("remove", e)),
            _ => Ok(()),
        }
    }
}

/// Types and elements in C order.
fn hash_of(operands: &[HostArray]) -> [u8; 32] {
    /// Bytes that are hashed together.
    const CHUNK: usize = 1 << 16;
    let mut hash = Sha256::new();
    for operand in operands {
        hash.update(operand.ty().to_string());
        let mut bytes = Vec::with_capacity(CHUNK + 16);
        dispatch_host!(operand, array => {
            for &x in array {
                x.append(&mut bytes);
                if bytes.len() >= CHUNK {
                    hash.update(&bytes);
                    bytes.clear();
                }
            }
        });
        hash.update(&bytes);
    }
    hash.finalize().into()
}

/// The bytes of an element.
trait Bytes: Element {
    fn append(self, bytes: &mut Vec<u8>);
}

macro_rules! bytes {
    ($($t:ty: |$x:ident| $bytes:expr;)*) => {$(
        impl Bytes for $t {
            fn append(self, bytes: &mut Vec<u8>) {
                let $x = self;
                bytes.extend($bytes);
            }
        }
    )*};
}

bytes! {
    bool: |x| [u8::from(x)];
    u8: |x| [x];
    i32: |x| x.to_le_bytes();
    i64: |x| x.to_le_bytes();
    f32: |x| x.to_le_bytes();
    f64: |x| x.to_le_bytes();
    Complex<f32>: |x| [x.re, x.im].into_iter().flat_map(f32::to_le_bytes);
    Complex<f64>: |x| [x.re, x.im].into_iter().flat_map(f64::to_le_bytes);
}

//! Checkpoints: files from which a run goes on.
//!
//! The header is that of exported functions (`export/container.rs`) with other letters. The payload:
//!
//! ```text
//! bytes  0..32   SHA-256 of the plan and the number of slices of a call
//!       32..64   SHA-256 of the operands
//!       64..72   how many calls are added, little endian
//!       72..     the sums of all blocks and what was lost of the current one, little endian
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use autojit_ir::error::{Error, Result};
use autojit_ir::{Bytes, dispatch_host};
use autojit_ir::{HostArray, file};
use sha2::{Digest, Sha256};

use super::layout::Layout;
use super::total::{Number, Totals};
use crate::export::container::{Container, Unreadable};

const FILE: Container = Container {
    magic: *b"\x89AJCP\r\n\x1a",
    format: 1,
};

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
        if layout.gives_gradient {
            hash.update("gradient");
        }
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
        let mut payload = [self.plan, self.operands].concat();
        payload.extend(calls.to_le_bytes());
        for number in totals.sums.iter().chain(&totals.lost) {
            number.write(&mut payload);
        }
        file::write(&self.path, &FILE.wrap(&payload))
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
        let (_, payload) = FILE.unwrap(&file).map_err(|why| {
            wrong(&match why {
                Unreadable::CutOff(_) => "it is cut off".to_owned(),
                Unreadable::Foreign | Unreadable::Text => "it is no checkpoint".to_owned(),
                Unreadable::Newer(version) => {
                    let own = FILE.format;
                    format!("it has format {version}, this version of autojit reads {own}")
                }
                Unreadable::Damaged => "it is damaged, its checksum is wrong".to_owned(),
            })
        })?;
        let misfit = || wrong("it is damaged, it does not fit the plan");
        let parts = || {
            let (plan, rest) = payload.split_first_chunk::<32>()?;
            let (operands, rest) = rest.split_first_chunk::<32>()?;
            let (done, numbers) = rest.split_first_chunk()?;
            Some((plan, operands, u64::from_le_bytes(*done), numbers))
        };
        let (plan, operands, done, numbers) = parts().ok_or_else(misfit)?;
        if *plan != self.plan {
            return Err(wrong("it is that of another plan"));
        }
        if *operands != self.operands {
            return Err(wrong("it is that of other operands"));
        }
        let expected = (totals.sums.len() + totals.lost.len()) * size_of::<T>();
        if done > calls || numbers.len() != expected {
            return Err(misfit());
        }
        let own = totals.sums.iter_mut().chain(&mut totals.lost);
        for (own, bytes) in own.zip(numbers.chunks_exact(size_of::<T>())) {
            *own = T::read(bytes).ok_or_else(misfit)?;
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
            for &x in array.iter() {
                x.write(&mut bytes);
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

//! The header of a file: what it is, the version of its format, how long it is, and a checksum.
//!
//! ```text
//! bytes  0.. 8   89 41 4a 49 54 0d 0a 1a   "AJIT" between bytes that transfers as text spoil; other kinds have other letters
//!        8..12   the version of the format, little endian
//!       12..20   the length of the payload in bytes, little endian
//!       20..24   the CRC-32 of the payload (IEEE 802.3), little endian; from format 2 on of the format and the payload
//!       24..     the payload
//! ```
//!
//! The idea of the first bytes is PNG's (ISO/IEC 15948, 5.2).

use autojit_ir::error::{Error, Result};

/// A kind of file, and the format of it that this version writes. Older ones stay readable, newer ones are refused.
pub(crate) struct Container {
    pub(crate) magic: [u8; 8],
    pub(crate) format: u32,
}

/// Why a file cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It ends too early; how long it was, as far as it says so.
    CutOff(Option<u64>),
    /// It is of another kind.
    Foreign,
    /// It was copied as if it were text.
    Text,
    /// It has a newer format.
    Newer(u32),
    /// Its checksum is wrong.
    Damaged,
}

const HEADER: usize = 24;

/// Files of exported functions. In format 1 unsigned integers are summed as `int64`.
const EXPORTED: Container = Container {
    magic: *b"\x89AJIT\r\n\x1a",
    format: 2,
};

impl Container {
    /// A payload with its header.
    pub(crate) fn wrap(&self, payload: &[u8]) -> Vec<u8> {
        let mut file = Vec::with_capacity(HEADER + payload.len());
        file.extend(self.magic);
        file.extend(self.format.to_le_bytes());
        file.extend((payload.len() as u64).to_le_bytes());
        file.extend(checksum(self.format, payload).to_le_bytes());
        file.extend(payload);
        file
    }

    /// The format and the payload of a file.
    pub(crate) fn unwrap<'f>(&self, file: &'f [u8]) -> Result<(u32, &'f [u8]), Unreadable> {
        let Some((magic, rest)) = file.split_first_chunk::<8>() else {
            return Err(match self.magic.starts_with(file) {
                true => Unreadable::CutOff(None),
                false => Unreadable::Foreign,
            });
        };
        if *magic != self.magic {
            return Err(match magic.get(1..5) == self.magic.get(1..5) {
                true => Unreadable::Text,
                false => Unreadable::Foreign,
            });
        }
        let in_header = Unreadable::CutOff(Some(HEADER as u64));
        let (version, rest) = rest.split_first_chunk().ok_or(in_header)?;
        let version = u32::from_le_bytes(*version);
        if version > self.format {
            return Err(Unreadable::Newer(version));
        }
        let (length, rest) = rest.split_first_chunk().ok_or(in_header)?;
        let length = u64::from_le_bytes(*length);
        let (checksum, payload) = rest.split_first_chunk().ok_or(in_header)?;
        let got = payload.len() as u64;
        if got < length {
            let expected = length.saturating_add(HEADER as u64);
            return Err(Unreadable::CutOff(Some(expected)));
        }
        let is_whole =
            got == length && self::checksum(version, payload) == u32::from_le_bytes(*checksum);
        if version == 0 || !is_whole {
            return Err(Unreadable::Damaged);
        }
        Ok((version, payload))
    }
}

/// The checksum in the header. Where there is more than one format that can be read, a damaged number must not lead to another.
fn checksum(format: u32, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    if format > 1 {
        hasher.update(&format.to_le_bytes());
    }
    hasher.update(payload);
    hasher.finalize()
}

/// The payload of an exported function with its header.
pub(super) fn wrap(payload: &[u8]) -> Vec<u8> {
    EXPORTED.wrap(payload)
}

/// The format and the payload of a file of an exported function.
///
/// # Errors
/// The file is foreign, newer, cut off, or damaged.
pub(super) fn unwrap(file: &[u8]) -> Result<(u32, &[u8])> {
    let got = file.len();
    EXPORTED.unwrap(file).map_err(|why| {
        Error::file(match why {
            Unreadable::CutOff(None) => format!("the file is cut off: it has {got} bytes"),
            Unreadable::CutOff(Some(expected)) => {
                format!("the file is cut off: it has {got} bytes of {expected}")
            }
            Unreadable::Foreign => "this is not a file of an exported function".to_owned(),
            Unreadable::Text => "the file is damaged: it was copied as if it were text".to_owned(),
            Unreadable::Newer(version) => format!(
                "the file has format {version}, this version of autojit reads formats up to {}: use a newer autojit",
                EXPORTED.format
            ),
            Unreadable::Damaged => "the file is damaged: its checksum is wrong".to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(file: &[u8]) -> String {
        let error = unwrap(file).unwrap_err();
        assert!(error.is_file());
        error.to_string()
    }

    #[test]
    fn each_kind_of_wrong_file_is_told_apart() {
        let file = wrap(b"payload");
        assert_eq!(unwrap(&file).unwrap(), (EXPORTED.format, &b"payload"[..]));

        assert_eq!(message(&file[..3]), "the file is cut off: it has 3 bytes");
        for end in 8..file.len() {
            assert!(
                message(&file[..end]).starts_with("the file is cut off"),
                "{end}"
            );
        }
        assert_eq!(
            message(&file[..30]),
            "the file is cut off: it has 30 bytes of 31"
        );
        assert_eq!(message(b""), "the file is cut off: it has 0 bytes");
        assert_eq!(
            message(b"\x93NUMPY\x01\x00"),
            "this is not a file of an exported function"
        );
        assert_eq!(
            message(b"png"),
            "this is not a file of an exported function"
        );

        // What a transfer as text does: line ends are changed.
        let text: Vec<u8> = file.iter().copied().filter(|&b| b != b'\r').collect();
        assert_eq!(
            message(&text),
            "the file is damaged: it was copied as if it were text"
        );

        let mut newer = file.clone();
        newer[8] = 3;
        assert_eq!(
            message(&newer),
            "the file has format 3, this version of autojit reads formats up to 2: use a newer autojit"
        );
        // A length that no memory holds is a file that is cut off.
        let mut huge = file.clone();
        huge[12..20].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(message(&huge).starts_with("the file is cut off"));
        for position in HEADER..file.len() {
            let mut damaged = file.clone();
            damaged[position] ^= 0x10;
            assert_eq!(
                message(&damaged),
                "the file is damaged: its checksum is wrong"
            );
        }
        let longer = [file.as_slice(), b"more"].concat();
        assert_eq!(
            message(&longer),
            "the file is damaged: its checksum is wrong"
        );
    }
}

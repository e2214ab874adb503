//! The header of a file: what it is, the version of its format, how long it is, and a checksum.
//!
//! ```text
//! bytes  0.. 8   89 41 4a 49 54 0d 0a 1a   "AJIT" between bytes that transfers as text spoil
//!        8..12   the version of the format, little endian
//!       12..20   the length of the payload in bytes, little endian
//!       20..24   the CRC-32 of the payload (IEEE 802.3), little endian
//!       24..     the payload
//! ```
//!
//! The idea of the first bytes is PNG's (ISO/IEC 15948, 5.2).

use autojit_ir::error::{Error, Result};

const MAGIC: [u8; 8] = *b"\x89AJIT\r\n\x1a";

/// The format that this version writes. Older ones stay readable, newer ones are refused.
const FORMAT: u32 = 1;

const HEADER: usize = 24;

/// A payload with its header.
pub(super) fn wrap(payload: &[u8]) -> Vec<u8> {
    let mut file = Vec::with_capacity(HEADER + payload.len());
    file.extend(MAGIC);
    file.extend(FORMAT.to_le_bytes());
    file.extend((payload.len() as u64).to_le_bytes());
    file.extend(crc32fast::hash(payload).to_le_bytes());
    file.extend(payload);
    file
}

/// The payload of a file.
///
/// # Errors
/// The file is foreign, newer, cut off, or damaged.
pub(super) fn unwrap(file: &[u8]) -> Result<&[u8]> {
    let Some((magic, rest)) = file.split_first_chunk::<8>() else {
        return Err(Error::file(match MAGIC.starts_with(file) {
            true => format!("the file is cut off: it has {} bytes", file.len()),
            false => "this is not a file of an exported function".to_owned(),
        }));
    };
    if *magic != MAGIC {
        return Err(Error::file(match magic.get(1..5) == MAGIC.get(1..5) {
            true => "the file is damaged: it was copied as if it were text",
            false => "this is not a file of an exported function",
        }));
    }
    let cut_off = |expected: u64| {
        let got = file.len();
        Error::file(format!(
            "the file is cut off: it has {got} bytes of {expected}"
        ))
    };
    let (version, rest) = rest
        .split_first_chunk()
        .ok_or_else(|| cut_off(HEADER as u64))?;
    let version = u32::from_le_bytes(*version);
    if version > FORMAT {
        return Err(Error::file(format!(
            "the file has format {version}, this version of autojit reads formats up to {FORMAT}: use a newer autojit"
        )));
    }
    let (length, rest) = rest
        .split_first_chunk()
        .ok_or_else(|| cut_off(HEADER as u64))?;
    let length = u64::from_le_bytes(*length);
    let (checksum, payload) = rest
        .split_first_chunk()
        .ok_or_else(|| cut_off(HEADER as u64))?;
    let got = payload.len() as u64;
    if got < length {
        return Err(cut_off(length.saturating_add(HEADER as u64)));
    }
    if version == 0 || got > length || crc32fast::hash(payload) != u32::from_le_bytes(*checksum) {
        return Err(Error::file("the file is damaged: its checksum is wrong"));
    }
    Ok(payload)
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
        assert_eq!(unwrap(&file).unwrap(), b"payload");

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
        newer[8] = 2;
        assert_eq!(
            message(&newer),
            "the file has format 2, this version of autojit reads formats up to 1: use a newer autojit"
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

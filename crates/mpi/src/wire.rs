//! What goes from rank to rank, as bytes: arrays, errors, and messages of any length.

use autojit::error::Parts;
use autojit::ir::HostArray;
use autojit::{Array, ArrayType, Error, Result};
use mpi::Tag;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, Destination, Root, Source};

/// MPI counts the elements of a message by 31 bits.
const MOST: usize = 1 << 30;

const HEADER: Tag = 0;
const PAYLOAD: Tag = 1;

/// A message: two numbers, which mean what sender and receiver agree on, and bytes.
pub(crate) struct Message {
    pub(crate) kind: u64,
    pub(crate) number: u64,
    pub(crate) bytes: Vec<u8>,
}

impl Message {
    pub(crate) fn new(kind: u64, number: u64) -> Self {
        Self {
            kind,
            number,
            bytes: Vec::new(),
        }
    }

    /// Sends it to a rank. Short messages are on their way at once, long ones wait for the receiver.
    pub(crate) fn send(&self, world: &SimpleCommunicator, rank: i32) {
        let to = world.process_at_rank(rank);
        let header = [self.kind, self.number, self.bytes.len() as u64];
        to.send_with_tag(&header[..], HEADER);
        for chunk in self.bytes.chunks(MOST) {
            to.send_with_tag(chunk, PAYLOAD);
        }
    }

    /// A message from any rank, with the rank, if one is there.
    pub(crate) fn poll(world: &SimpleCommunicator) -> Option<(i32, Self)> {
        let any = world.any_process();
        let (header, status) = any.immediate_matched_probe_with_tag(HEADER)?;
        let rank = status.source_rank();
        let mut words = [0u64; 3];
        header.matched_receive_into(&mut words[..]);
        let [kind, number, length] = words;
        let mut bytes = room(world, length);
        for chunk in bytes.chunks_mut(MOST) {
            let from = world.process_at_rank(rank);
            from.receive_into_with_tag(chunk, PAYLOAD);
        }
        let message = Self {
            kind,
            number,
            bytes,
        };
        Some((rank, message))
    }
}

/// Bytes to receive into. Where there is no memory for them the program ends: the sender waits, and could not be told.
fn room(world: &SimpleCommunicator, length: u64) -> Vec<u8> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if let Err(error) = HostArray::check_bytes(length) {
        eprintln!("rank {}: no room for a message: {error}", world.rank());
        world.abort(1);
    }
    vec![0; length]
}

/// Gives all ranks the bytes of one of them.
pub(crate) fn broadcast(world: &SimpleCommunicator, root: i32, bytes: Option<Vec<u8>>) -> Vec<u8> {
    let from = world.process_at_rank(root);
    let mut length = bytes.as_ref().map_or(0, Vec::len) as u64;
    from.broadcast_into(&mut length);
    let mut bytes = bytes.unwrap_or_else(|| room(world, length));
    for chunk in bytes.chunks_mut(MOST) {
        from.broadcast_into(chunk);
    }
    bytes
}

/// Appends a length and bytes.
fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u64).to_le_bytes());
    out.extend(bytes);
}

/// Takes what [`put`] appended.
fn take<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (taken, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// Arrays as bytes: of each the type as text, and the elements.
///
/// # Errors
/// One has no value.
pub(crate) fn encode_arrays(arrays: &[Array]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for array in arrays {
        let host = HostArray::try_from(array)?;
        put(&mut out, host.ty().to_string().as_bytes());
        put(&mut out, &host.to_bytes());
    }
    Ok(out)
}

/// What [`encode_arrays`] gave.
///
/// # Errors
/// It did not.
pub(crate) fn decode_arrays(mut bytes: &[u8]) -> Result<Vec<Array>> {
    let mut arrays = Vec::new();
    while !bytes.is_empty() {
        let mut parts = || Some((text(take(&mut bytes)?)?, take(&mut bytes)?));
        let (ty, elements) = parts().ok_or_else(|| Error::internal("a message is cut off"))?;
        let ty: ArrayType = ty.parse()?;
        arrays.push(Array::from(HostArray::from_bytes(&ty, elements)?));
    }
    Ok(arrays)
}

/// An error of a rank as bytes, for the others. It is told once whose it is.
pub(crate) fn encode_error(error: &Error, rank: i32) -> Vec<u8> {
    let Parts {
        kind,
        message,
        op,
        iterations,
        line,
    } = error.parts();
    let told = match message.starts_with("rank ") {
        true => message,
        false => format!("rank {rank}: {message}"),
    };
    let mut out = Vec::new();
    for text in [kind, told] {
        put(&mut out, text.as_bytes());
    }
    for text in [op, line] {
        // No text is another thing than an empty one.
        let text = text.map(|text| format!("{text}."));
        put(&mut out, text.unwrap_or_default().as_bytes());
    }
    out.extend(iterations.into_iter().flat_map(u64::to_le_bytes));
    out
}

/// What [`encode_error`] gave.
pub(crate) fn decode_error(mut bytes: &[u8]) -> Error {
    let mut parts = || {
        let mut next = || text(take(&mut bytes)?);
        let (kind, message) = (next()?.to_owned(), next()?.to_owned());
        let mut next = || Some(next()?.strip_suffix('.').map(str::to_owned));
        let (op, line) = (next()?, next()?);
        let (iterations, _) = bytes.as_chunks();
        Error::from_parts(Parts {
            kind,
            message,
            op,
            iterations: iterations.iter().map(|&n| u64::from_le_bytes(n)).collect(),
            line,
        })
    };
    parts().unwrap_or_else(|| Error::internal("an error that cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_what_they_were() {
        let arrays = [
            Array::from([[1.5, -0.0], [f64::NAN, 3.0]]),
            Array::from([true, false]),
            Array::from(7_i64),
        ];
        let bytes = encode_arrays(&arrays).unwrap();
        let again = decode_arrays(&bytes).unwrap();
        assert_eq!(again.len(), arrays.len());
        for (x, y) in arrays.iter().zip(&again) {
            let (x, y) = (HostArray::try_from(x), HostArray::try_from(y));
            assert!(x.unwrap().same_bits(&y.unwrap()));
        }
        for length in 1..bytes.len() {
            // A message may end between two arrays.
            match decode_arrays(&bytes[..length]) {
                Ok(fewer) => assert!(fewer.len() < arrays.len()),
                Err(error) => assert!(error.is_internal() || error.is_value(), "{error}"),
            }
        }
    }

    #[test]
    fn errors_say_once_whose_they_are() {
        let error = Error::shape("expected a matrix").in_op("trace");
        let error = error.in_iteration(3).in_iteration(7);
        let told = decode_error(&encode_error(&error, 3));
        assert!(told.is_shape());
        assert_eq!(
            told.to_string(),
            "rank 3: expected a matrix in trace, in iteration 3 of iteration 7"
        );
        assert_eq!(told.op(), Some("trace"));
        let again = decode_error(&encode_error(&told, 1));
        assert_eq!(again.to_string(), told.to_string());
        let error = error.at(std::panic::Location::caller());
        let told = decode_error(&encode_error(&error, 0)).at(std::panic::Location::caller());
        let told = told.to_string();
        assert!(told.contains(", at crates/mpi/src/wire.rs:"), "{told}");
        assert!(decode_error(b"anything").is_internal());
    }
}

//! `Format`: the number of a form in which a value is written, so that another form is refused and not misread.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::{Serialize, Serializer};

/// A field that is written as the number `N`, and is read from that number alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Format<const N: u32>;

impl<const N: u32> Serialize for Format<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(N)
    }
}

impl<'de, const N: u32> Deserialize<'de> for Format<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u32::deserialize(deserializer)?;
        match number == N {
            true => Ok(Self),
            false => Err(D::Error::custom(format!(
                "format {number} is not known, this version of autojit reads format {N}"
            ))),
        }
    }
}

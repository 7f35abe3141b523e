//! Sets as bytes of any format of serde.

use core::fmt;

use ::serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use ::serde::{Serialize, Serializer};
use alloc::vec::Vec;

use crate::{Encode, Limits, Profile, Set};

/// A set is written as its bytes: as a byte string where the format has those, else as a list of numbers.
impl<P: Encode> Serialize for Set<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.encode())
    }
}

/// Reads a set that serde wrote: what two peers agreed on, the key above all, is not in the bytes and is given here.
///
/// ```
/// # use headstart_gcs::{HeadstartV1, Set, SetSeed};
/// use serde::de::DeserializeSeed as _;
///
/// let profile = HeadstartV1::new(*b"a secret, 16 b.!", 7, 6);
/// let json = serde_json::to_string(&Set::from_keys(profile, ["/app.css"]))?;
/// let seed = SetSeed::new(profile, 512);
/// let set = seed.deserialize(&mut serde_json::Deserializer::from_str(&json))?;
/// assert!(set.contains("/app.css"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SetSeed<P> {
    profile: P,
    limits: Limits,
}

impl<P: Profile> SetSeed<P> {
    /// Reads sets of this profile within these limits.
    pub fn new(profile: P, limits: impl Into<Limits>) -> Self {
        Self { profile, limits: limits.into() }
    }
}

impl<'de, P: Profile> DeserializeSeed<'de> for SetSeed<P> {
    type Value = Set<P>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Set<P>, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl<'de, P: Profile> Visitor<'de> for SetSeed<P> {
    type Value = Set<P>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of a set")
    }

    fn visit_bytes<E: ::serde::de::Error>(self, bytes: &[u8]) -> Result<Set<P>, E> {
        Set::decode(self.profile, bytes, self.limits).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Set<P>, A::Error> {
        // Grows with what comes, whatever length is claimed.
        let mut bytes = Vec::new();
        while let Some(byte) = list.next_element::<u8>()? {
            if bytes.len() >= self.limits.max_bytes {
                return Err(A::Error::custom("more bytes than allowed"));
            }
            bytes.push(byte);
        }
        self.visit_bytes(&bytes)
    }
}

//! The keys of cookies of a fleet: one that is written with, and the one before, which is read.
//!
//! A cookie of a fleet says which key each of its sets is under, before base64url:
//!
//! ```text
//!  byte   0           1..3            3..5            5..7        7..7+length    then 2     ..end
//!       ┌───────────┬───────────────┬───────────────┬───────────┬──────────────┬─────────┬──────────────┐
//!       │ version 2 │ day on which  │ length of the │ its key   │ younger set  │ its key │ older set    │
//!       │           │ the younger   │ younger set   │           │ HeadstartV1  │         │ HeadstartV1  │
//!       │           │ set began     │ in bytes      │           │              │  (both may be absent)  │
//!       └───────────┴───────────────┴───────────────┴───────────┴──────────────┴─────────┴──────────────┘
//! ```
//!
//! Numbers are big endian. A set under the key before the present one becomes the older set at once, for nothing can be
//! added to it.

use std::hash::Hasher as _;

use headstart_gcs::{HeadstartV1, Set};
use siphasher::sip::SipHasher13;

const VERSION: u8 = 2;

/// Two generations of what a client holds.
pub(crate) struct Generations {
    pub(crate) day: u16,
    pub(crate) younger: Set<HeadstartV1>,
    pub(crate) older: Option<Set<HeadstartV1>>,
}

/// The keys of a fleet's cookies.
#[derive(Clone, Debug)]
pub(crate) struct KeyRing {
    present: HeadstartV1,
    /// With their numbers, the present one first.
    keys: Vec<(u16, HeadstartV1)>,
    /// Most keys of a set.
    max_keys: usize,
}

impl KeyRing {
    /// `profile` makes the profile of a key.
    pub(crate) fn new(
        present: [u8; 16],
        previous: Option<[u8; 16]>,
        max_keys: usize,
        profile: impl Fn([u8; 16]) -> HeadstartV1,
    ) -> Self {
        let keys = std::iter::once(present).chain(previous).map(|key| (number(&key), profile(key))).collect();
        KeyRing { present: profile(present), keys, max_keys }
    }

    /// The key that writes.
    pub(crate) fn present(&self) -> HeadstartV1 {
        self.present
    }

    /// The sets of a cookie. `None` if it is malformed, or under keys that are not known.
    pub(crate) fn decode(&self, bytes: &[u8]) -> Option<Generations> {
        let (&[version, d0, d1, l0, l1], sets) = bytes.split_first_chunk()?;
        if version != VERSION {
            return None;
        }
        let day = u16::from_be_bytes([d0, d1]);
        let (younger, older) = sets.split_at_checked(usize::from(u16::from_be_bytes([l0, l1])).checked_add(2)?)?;
        let (fresh, younger) = self.set(younger)?;
        // One that is under a key before the last is as good as absent.
        let older = if older.is_empty() { None } else { self.set(older).map(|(_, set)| set) };
        Some(if fresh {
            Generations { day, younger, older }
        } else {
            Generations { day, younger: Set::new(self.present), older: Some(self.united(younger, older)) }
        })
    }

    pub(crate) fn encode(&self, day: u16, younger: &Set<HeadstartV1>, older: Option<&Set<HeadstartV1>>) -> Vec<u8> {
        let bytes = younger.encode();
        let mut out = vec![VERSION];
        out.extend_from_slice(&day.to_be_bytes());
        out.extend_from_slice(&u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(&self.number_of(younger).to_be_bytes());
        out.extend_from_slice(&bytes);
        if let Some(older) = older {
            out.extend_from_slice(&self.number_of(older).to_be_bytes());
            out.extend_from_slice(&older.encode());
        }
        out
    }

    /// A set with the number of its key in front, and whether that is the present one.
    fn set(&self, bytes: &[u8]) -> Option<(bool, Set<HeadstartV1>)> {
        let (number, bytes) = bytes.split_first_chunk()?;
        let number = u16::from_be_bytes(*number);
        let at = self.keys.iter().position(|(known, _)| *known == number)?;
        let (_, profile) = self.keys.get(at)?;
        Some((at == 0, Set::decode(*profile, bytes, self.max_keys).ok()?))
    }

    /// Both sets as one, if they are of one key and have room; else the younger.
    fn united(&self, mut younger: Set<HeadstartV1>, older: Option<Set<HeadstartV1>>) -> Set<HeadstartV1> {
        let Some(older) = older.filter(|older| older.profile() == younger.profile()) else { return younger };
        if younger.len() + older.len() <= self.max_keys {
            // Of another profile nothing would be added; they are of one.
            let _ = younger.union(&older);
        }
        younger
    }

    fn number_of(&self, set: &Set<HeadstartV1>) -> u16 {
        self.keys.iter().find(|(_, profile)| profile == set.profile()).map_or(0, |(number, _)| *number)
    }
}

/// Tells keys apart without giving them away; two in 65,536 are alike, and then one of them is read as the other.
fn number(key: &[u8; 16]) -> u16 {
    let mut hasher = SipHasher13::new_with_key(key);
    hasher.write(b"key of cookies");
    (hasher.finish() >> 48) as u16
}

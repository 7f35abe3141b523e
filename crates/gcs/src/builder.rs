//! Keys in, bytes or a set out.

use alloc::vec::Vec;
use core::fmt;

use crate::{Encode, FixedRange, Layout, Set, encode};

/// Collects keys and lays them out as a set.
///
/// Memory: 8 bytes a key, and what growing a `Vec` costs (see [`with_capacity`](Self::with_capacity)).
#[derive(Clone)]
pub struct Builder<P> {
    profile: P,
    hashes: Vec<u64>,
}

impl<P: Encode> Builder<P> {
    /// Creates a builder without keys.
    pub const fn new(profile: P) -> Self {
        Self { profile, hashes: Vec::new() }
    }

    /// Creates a builder with room for `keys` keys, 8 bytes each.
    pub fn with_capacity(profile: P, keys: usize) -> Self {
        Self { profile, hashes: Vec::with_capacity(keys) }
    }

    /// Creates a builder with all of `keys`.
    pub fn from_keys<K: AsRef<[u8]>>(profile: P, keys: impl IntoIterator<Item = K>) -> Self {
        let mut builder = Self::new(profile);
        builder.extend(keys);
        builder
    }

    /// Adds a key. Adding it again changes nothing in the set that is made. The cost of hashing it; the set is sorted once,
    /// by [`finish`](Self::finish).
    pub fn insert(&mut self, key: impl AsRef<[u8]>) {
        self.hashes.push(self.profile.hash(key.as_ref()));
    }

    /// Adds a key hashed elsewhere, by [`Profile::hash`](crate::Profile::hash). For a profile with a fixed range
    /// ([`FixedRange`](crate::FixedRange)) that is the value itself; one out of range is taken modulo the range.
    pub fn insert_value(&mut self, value: u64) {
        self.hashes.push(value);
    }

    /// How many keys were added, duplicates included.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether none was added.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// The serialised set. O(n log n).
    pub fn finish(mut self) -> Vec<u8> {
        let layout = settle(&self.profile, &mut self.hashes);
        encode(&self.profile, &layout, &self.hashes)
    }

    /// The set itself. O(n log n).
    pub fn into_set(mut self) -> Set<P> {
        let layout = settle(&self.profile, &mut self.hashes);
        Set::from_parts(self.profile, layout, self.hashes)
    }
}

impl<P: Encode, K: AsRef<[u8]>> Extend<K> for Builder<P> {
    fn extend<I: IntoIterator<Item = K>>(&mut self, keys: I) {
        let keys = keys.into_iter();
        self.hashes.reserve(keys.size_hint().0);
        for key in keys {
            self.insert(key);
        }
    }
}

impl<P: Encode> Set<P> {
    /// Builds the set of these keys. O(n log n).
    pub fn from_keys<K: AsRef<[u8]>>(profile: P, keys: impl IntoIterator<Item = K>) -> Self {
        Builder::from_keys(profile, keys).into_set()
    }
}

impl<P: FixedRange> Set<P> {
    /// Returns the members as a builder, to add many keys at once.
    pub fn into_builder(self) -> Builder<P> {
        let (profile, hashes) = self.into_parts();
        Builder { profile, hashes }
    }
}

impl<P: FixedRange + Default, K: AsRef<[u8]>> FromIterator<K> for Set<P> {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        Self::from_keys(P::default(), keys)
    }
}

impl<P: fmt::Debug> fmt::Debug for Builder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("profile", &self.profile).field("keys", &self.hashes.len()).finish()
    }
}

/// Turns hashes, in place, into the ascending values of a new set.
fn settle<P: Encode>(profile: &P, hashes: &mut Vec<u64>) -> Layout {
    hashes.sort_unstable();
    hashes.dedup();
    let layout = profile.layout(hashes.len() as u64);
    let mut sorted = true;
    let mut last = 0;
    for hash in &mut *hashes {
        *hash = profile.value(*hash, &layout);
        sorted &= last <= *hash;
        last = *hash;
    }
    // Only values given from outside, and out of range, can have lost their order.
    if !sorted {
        hashes.sort_unstable();
    }
    if layout.distinct() {
        hashes.dedup();
    }
    layout
}

//! A decoded set.

use alloc::vec::Vec;
use core::{fmt, ops::ControlFlow};

use crate::{Encode, Error, ErrorKind, FixedRange, Layout, Limits, Profile, View, write};

/// A decoded set: ascending values, 8 bytes each. Queries cannot fail.
///
/// [`Set::decode`] is the only place where bytes from outside can be wrong.
#[derive(Clone, PartialEq, Eq)]
pub struct Set<P> {
    profile: P,
    layout: Layout,
    values: Vec<u64>,
}

impl<P: Profile> Set<P> {
    /// Decodes bytes that need not be trusted. O(bits); allocates at most `8 * max_len` bytes, and never more than
    /// the length of `bytes` allows, whatever count a header claims.
    ///
    /// Reads what the format's own implementation reads: legacy formats do not notice every truncation. See
    /// [`decode_canonical`](Self::decode_canonical) for the strict form.
    ///
    /// # Errors
    /// The first fault, or a limit passed.
    pub fn decode(profile: P, bytes: &[u8], limits: impl Into<Limits>) -> Result<Self, Error> {
        let limits = limits.into();
        let view = View::with_limits(profile, bytes, limits)?;
        let mut walk = view.walk();
        let layout = *view.layout();
        if let crate::Tail::Counted(count) | crate::Tail::Exact(count) = layout.tail
            && count > limits.max_len as u64
        {
            return Err(Error::new(ErrorKind::TooMany, walk.bit()));
        }
        // Never more than this will come, so nothing grows.
        let mut values = Vec::with_capacity(walk.at_most().min(limits.max_len as u64) as usize);
        let mut too_many = false;
        let repeats = !layout.code.less_one && layout.distinct();
        walk.each(|block| {
            too_many = if repeats {
                !push_distinct(&mut values, block, limits.max_len)
            } else {
                block.len() > limits.max_len - values.len()
            };
            if too_many {
                return ControlFlow::Break(());
            }
            if !repeats {
                values.extend_from_slice(block);
            }
            ControlFlow::Continue(())
        })?;
        if too_many {
            return Err(Error::new(ErrorKind::TooMany, walk.bit()));
        }
        Ok(Self { profile: view.into_profile(), layout, values })
    }

    /// Whether the key is held. No false negatives; a false positive once in `range / len` keys not held. O(log n).
    pub fn contains(&self, key: impl AsRef<[u8]>) -> bool {
        self.contains_hash(self.profile.hash(key.as_ref()))
    }

    /// The same for a key hashed before, by [`Profile::hash`]. O(log n).
    pub fn contains_hash(&self, hash: u64) -> bool {
        self.contains_value(self.profile.value(hash, &self.layout))
    }

    /// Whether this very value is in the set. O(log n).
    pub fn contains_value(&self, value: u64) -> bool {
        self.values.binary_search(&value).is_ok()
    }

    /// The number of values. Two keys with the same value count once, except in BIP 158.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The values, ascending.
    pub fn values(&self) -> &[u64] {
        &self.values
    }

    /// The values, ascending.
    pub fn iter(&self) -> core::iter::Copied<core::slice::Iter<'_, u64>> {
        self.values.iter().copied()
    }

    /// The profile that two peers agreed on.
    pub fn profile(&self) -> &P {
        &self.profile
    }

    /// How the set is laid out in bytes.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// How often a key that was never added is found all the same: values / range.
    pub fn false_positive_rate(&self) -> f64 {
        self.values.len() as f64 / self.layout.range.max(1) as f64
    }

    pub(crate) fn from_parts(profile: P, layout: Layout, values: Vec<u64>) -> Self {
        Self { profile, layout, values }
    }

    pub(crate) fn into_parts(self) -> (P, Vec<u64>) {
        (self.profile, self.values)
    }
}

impl<P: Encode> Set<P> {
    /// Creates a set without members.
    pub fn new(profile: P) -> Self {
        let layout = profile.layout(0);
        Self { profile, layout, values: Vec::new() }
    }

    /// The serialised set, in its one canonical form. O(n).
    pub fn encode(&self) -> Vec<u8> {
        encode(&self.profile, &self.layout, &self.values)
    }

    /// Decodes only what [`encode`](Self::encode) would have written: no slack for truncation, padding or repeats.
    /// O(bits), and as much memory again as `bytes`.
    ///
    /// # Errors
    /// As for [`decode`](Self::decode), and [`ErrorKind::NotCanonical`].
    pub fn decode_canonical(profile: P, bytes: &[u8], limits: impl Into<Limits>) -> Result<Self, Error> {
        let set = Self::decode(profile, bytes, limits)?;
        let canonical = set.encode();
        if canonical == bytes {
            return Ok(set);
        }
        let same = canonical.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        Err(Error::new(ErrorKind::NotCanonical, same as u64 * 8))
    }
}

impl<P: FixedRange> Set<P> {
    /// Adds a key; says whether the set changed. O(n).
    pub fn insert(&mut self, key: impl AsRef<[u8]>) -> bool {
        self.insert_value(self.profile.hash(key.as_ref()))
    }

    /// Adds a value, taken modulo the range; says whether the set changed. O(n).
    pub fn insert_value(&mut self, value: u64) -> bool {
        let value = self.profile.value(value, &self.layout);
        let Err(place) = self.values.binary_search(&value) else { return false };
        self.values.insert(place, value);
        self.refit();
        true
    }

    /// Adds all members of another set of the same profile. Exact: as if its keys had been inserted. O(n + m).
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`] if the profiles differ; the set is as it was.
    pub fn union(&mut self, other: &Self) -> Result<(), Error>
    where
        P: PartialEq,
    {
        self.check_profile(other)?;
        self.values.extend_from_slice(&other.values);
        // The sort of the standard library takes the two ascending runs as they are and merges them; the unstable one would not.
        #[allow(clippy::stable_sort_primitive)]
        self.values.sort();
        self.values.dedup();
        self.refit();
        Ok(())
    }

    /// Keeps the members that another set of the same profile has, too. No key of both sets is lost; a key of one set stays
    /// if it has the value of a key of the other, once in `range / len` keys. O(n + m).
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`] if the profiles differ; the set is as it was.
    pub fn intersection(&mut self, other: &Self) -> Result<(), Error>
    where
        P: PartialEq,
    {
        self.keep(other, true)
    }

    /// Removes the members of another set of the same profile. No key of the other set stays; a key of this set alone is
    /// lost if it has the value of a key of the other, once in `range / other.len()` keys: **the only operation after which
    /// a key that was put in may be denied.** O(n + m).
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`] if the profiles differ; the set is as it was.
    pub fn difference(&mut self, other: &Self) -> Result<(), Error>
    where
        P: PartialEq,
    {
        self.keep(other, false)
    }

    /// Keeps the values that are, or are not, in the other set.
    fn keep(&mut self, other: &Self, if_held: bool) -> Result<(), Error>
    where
        P: PartialEq,
    {
        self.check_profile(other)?;
        let mut theirs = other.values.iter().peekable();
        self.values.retain(|value| {
            while theirs.next_if(|other| *other < value).is_some() {}
            theirs.peek().is_some_and(|other| *other == value) == if_held
        });
        self.refit();
        Ok(())
    }

    fn check_profile(&self, other: &Self) -> Result<(), Error>
    where
        P: PartialEq,
    {
        if self.profile == other.profile { Ok(()) } else { Err(Error::new(ErrorKind::Mismatch, 0)) }
    }

    fn refit(&mut self) {
        self.layout = self.profile.layout(self.values.len() as u64);
    }
}

impl<P: FixedRange, K: AsRef<[u8]>> Extend<K> for Set<P> {
    fn extend<I: IntoIterator<Item = K>>(&mut self, keys: I) {
        let old = self.values.len();
        for key in keys {
            self.values.push(self.profile.value(self.profile.hash(key.as_ref()), &self.layout));
        }
        if self.values.len() > old {
            self.values.sort_unstable();
            self.values.dedup();
            self.refit();
        }
    }
}

impl<'a, P: Profile> IntoIterator for &'a Set<P> {
    type Item = u64;
    type IntoIter = core::iter::Copied<core::slice::Iter<'a, u64>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<P: fmt::Debug> fmt::Debug for Set<P> {
    /// The profile, the size, and at most the first 16 values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Set")
            .field("profile", &self.profile)
            .field("len", &self.values.len())
            .field("range", &self.layout.range)
            .field("first", &self.values.get(..16).unwrap_or(&self.values))
            .finish()
    }
}

/// Header, values, padding.
pub(crate) fn encode<P: Encode>(profile: &P, layout: &Layout, values: &[u64]) -> Vec<u8> {
    let last = values.last().copied().unwrap_or(0);
    let mut bits = crate::BitWriter::with_capacity(16 + write::bytes_bound(layout.code, values.len(), last));
    profile.write_header(layout, &mut bits);
    profile.write_values(layout, values, &mut bits);
    bits.finish(layout.code.padding)
}

/// Appends what is not a repetition; `false` if that would be more than `max_len` values. `block` ascends and does not start
/// below the last value.
fn push_distinct(values: &mut Vec<u64>, block: &[u64], max_len: usize) -> bool {
    for &value in block {
        if values.last() != Some(&value) {
            if values.len() == max_len {
                return false;
            }
            values.push(value);
        }
    }
    true
}

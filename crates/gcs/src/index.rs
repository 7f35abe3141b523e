//! A directory over serialised bytes, for large sets asked often.

use alloc::vec::Vec;

use crate::{Error, Profile, View, view::find};

/// A directory of places in a serialised set: a query reads a few values, whatever the size of the set.
///
/// The range is cut into equal buckets of about `values_per_bucket` values; the directory says where each begins. With
/// hashed keys, which spread evenly, a query is O(1): one look into the directory, one into the bytes, and
/// a handful of codewords. Bytes made to be uneven can put all values into one bucket; a query is then as slow as
/// [`View::contains`], never slower.
///
/// Memory: 16 bytes a bucket, beside the serialised bytes. Worth it from some hundred values on; below, a decoded
/// [`Set`](crate::Set) is as quick.
#[derive(Clone, Debug)]
pub struct Index<'a, P> {
    view: View<'a, P>,
    /// Buckets per value, in units of 2^-64. Rounding moves the borders of buckets a little, for all alike.
    scale: u64,
    /// The largest value of the set: a larger one is not contained, and a walk up to it needs no count.
    last: Option<u64>,
    /// Positions at which reading starts, by bucket.
    marks: Vec<Mark>,
}

/// A place between two codewords.
#[derive(Clone, Copy, Debug)]
struct Mark {
    bit: u64,
    /// The value before, plus 1; 0 at the start. (No value is as large as 2^63.)
    after: u64,
}

impl<'a, P: Profile> Index<'a, P> {
    /// Reads the whole set once. O(bits) time; at most `max_len` values, and 16 bytes of memory for every
    /// `values_per_bucket` of them (0 is taken as 1).
    ///
    /// # Errors
    /// The first fault, or more than `max_len` values.
    pub fn new(view: View<'a, P>, values_per_bucket: usize, max_len: usize) -> Result<Self, Error> {
        let len = view.check(max_len)?;
        let range = view.layout().range.max(1);
        let buckets = ((len / values_per_bucket.max(1)).max(1) as u64).min(range);
        let scale = u64::try_from((u128::from(buckets) << 64) / u128::from(range)).unwrap_or(u64::MAX);
        let mut marks = Vec::with_capacity(buckets as usize);

        let mut walk = view.walk();
        let mut here = Mark { bit: walk.bit(), after: 0 };
        while let Some(value) = walk.next()? {
            // Past the range (a profile may keep such values) the last bucket serves.
            let bucket = bucket(value, scale).min(buckets as usize - 1);
            while marks.len() <= bucket {
                marks.push(here);
            }
            here = Mark { bit: walk.bit(), after: value.wrapping_add(1) };
        }
        Ok(Self { view, scale, last: here.after.checked_sub(1), marks })
    }

    /// Whether the key is held. No false negatives.
    ///
    /// # Errors
    /// None that [`new`](Self::new) has not met; the type is that of [`View::contains`].
    pub fn contains(&self, key: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.contains_hash(self.view.profile().hash(key.as_ref()))
    }

    /// The same for a key hashed before, by [`Profile::hash`].
    ///
    /// # Errors
    /// As for [`contains`](Self::contains).
    pub fn contains_hash(&self, hash: u64) -> Result<bool, Error> {
        let value = self.view.profile().value(hash, self.view.layout());
        if self.last.is_none_or(|last| last < value) {
            return Ok(false);
        }
        let Some(mark) = self.marks.get(bucket(value, self.scale)) else { return Ok(false) };
        find(self.view.walk().resume(mark.bit, mark.after.checked_sub(1)), value)
    }

    /// The set in its serialised form.
    pub fn view(&self) -> &View<'a, P> {
        &self.view
    }

    /// The memory that the directory takes, in bytes.
    pub fn directory_bytes(&self) -> usize {
        self.marks.capacity() * size_of::<Mark>()
    }
}

/// The number of a value's bucket: larger values never have a smaller one.
#[inline]
fn bucket(value: u64, scale: u64) -> usize {
    usize::try_from((u128::from(value) * u128::from(scale)) >> 64).unwrap_or(usize::MAX)
}

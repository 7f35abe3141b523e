//! Queries on the bytes as they came.

use core::ops::ControlFlow;

use crate::{BitReader, Error, Layout, Limits, Profile, many, walk::Walk};

/// A set in its serialised form: nothing is decoded until asked, nothing is allocated, ever.
///
/// A query reads the values in order and stops as soon as the answer is known, so it is O(n) with a small constant
/// (half the set on average). For many queries against the same bytes use [`View::contains_many`], [`Set`](crate::Set) or
/// [`Index`](crate::Index). Faults behind the place where the answer was found stay unseen; [`View::check`] looks at all.
#[derive(Clone, Copy, Debug)]
pub struct View<'a, P> {
    profile: P,
    walk: Walk<'a>,
}

impl<'a, P: Profile> View<'a, P> {
    /// Reads the header. O(1).
    ///
    /// # Errors
    /// The header is cut short or out of bounds.
    pub fn new(profile: P, bytes: &'a [u8]) -> Result<Self, Error> {
        Self::with_limits(profile, bytes, Limits::len(usize::MAX))
    }

    /// The same, with a limit on bytes and on unary runs. The limit on values is for [`check`](Self::check) and
    /// [`Set::decode`](crate::Set::decode) to keep: a view holds none.
    ///
    /// # Errors
    /// As for [`new`](Self::new), and [`ErrorKind::TooLong`](crate::ErrorKind::TooLong).
    pub fn with_limits(profile: P, bytes: &'a [u8], limits: Limits) -> Result<Self, Error> {
        if bytes.len() > limits.max_bytes {
            return Err(Error::new(crate::ErrorKind::TooLong, limits.max_bytes as u64 * 8));
        }
        let mut bits = BitReader::new(bytes);
        let layout = profile.read_header(&mut bits)?;
        Ok(Self { profile, walk: Walk::new(bits, layout, limits.max_unary) })
    }

    /// Whether the key is held. No false negatives; a false positive about once in (range / values) keys not held.
    ///
    /// # Errors
    /// A fault before the place where the answer is.
    pub fn contains(&self, key: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.contains_hash(self.profile.hash(key.as_ref()))
    }

    /// The same for a key hashed before, by [`Profile::hash`].
    ///
    /// # Errors
    /// As for [`contains`](Self::contains).
    pub fn contains_hash(&self, hash: u64) -> Result<bool, Error> {
        find(self.walk, self.profile.value(hash, self.walk.layout()))
    }

    /// Tests all keys: `held[i]` becomes the answer for `keys[i]`; returns how many are held.
    ///
    /// One pass over the set for every 64 keys. If the slices differ in length, the shorter one counts.
    ///
    /// # Errors
    /// A fault before the place where the last answer is; `held` is then of no use.
    pub fn contains_many<K: AsRef<[u8]>>(&self, keys: &[K], held: &mut [bool]) -> Result<usize, Error> {
        many::contains_many(&self.profile, self.walk, keys, held)
    }

    /// Reads everything; returns the number of values.
    ///
    /// # Errors
    /// The first fault, or more than `max_len` values.
    pub fn check(&self, max_len: usize) -> Result<usize, Error> {
        let mut walk = self.walk;
        let mut count = 0;
        walk.each(|values| {
            count += values.len();
            if count > max_len { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if count > max_len { Err(Error::new(crate::ErrorKind::TooMany, walk.bit())) } else { Ok(count) }
    }

    /// How the set is laid out: what the header said.
    pub fn layout(&self) -> &Layout {
        self.walk.layout()
    }

    /// The profile that the set was read with.
    pub fn profile(&self) -> &P {
        &self.profile
    }

    /// The values, ascending.
    pub fn iter(&self) -> Reader<'a> {
        Reader { walk: self.walk }
    }

    #[cfg(feature = "alloc")]
    pub(crate) fn walk(&self) -> Walk<'a> {
        self.walk
    }

    #[cfg(feature = "alloc")]
    pub(crate) fn into_profile(self) -> P {
        self.profile
    }
}

impl<'a, P: Profile> IntoIterator for &View<'a, P> {
    type Item = Result<u64, Error>;
    type IntoIter = Reader<'a>;

    fn into_iter(self) -> Reader<'a> {
        self.iter()
    }
}

/// The values of a set, one by one, ascending. After an error, nothing more.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    walk: Walk<'a>,
}

impl<'a> Reader<'a> {
    /// Reads the header. O(1).
    ///
    /// # Errors
    /// The header is cut short or out of bounds.
    pub fn new(profile: impl Profile, bytes: &'a [u8]) -> Result<Self, Error> {
        Ok(View::new(profile, bytes)?.iter())
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<u64, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.walk.next().transpose()
    }
}

impl core::iter::FusedIterator for Reader<'_> {}

/// Whether `target` is among the values ahead.
#[inline]
pub(crate) fn find(mut walk: Walk<'_>, target: u64) -> Result<bool, Error> {
    let mut found = false;
    walk.each(|values| {
        if values.last().is_some_and(|&last| last < target) {
            return ControlFlow::Continue(());
        }
        found = is_among(target, values);
        ControlFlow::Break(())
    })?;
    Ok(found)
}

/// Looks at all of a few values: quicker than stopping at the right one, which no processor can foresee.
#[inline]
pub(crate) fn is_among(target: u64, values: &[u64]) -> bool {
    values.iter().filter(|&&value| value == target).count() > 0
}

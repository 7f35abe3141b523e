//! Profiles: the parameters that two peers must agree on.

#[cfg(feature = "alloc")]
use crate::BitWriter;
use crate::{BitReader, Error, Layout};

/// A wire format with its parameters: everything that a writer and a reader of a set must agree on.
///
/// A profile is a small `Copy` value. A key becomes a set member in two steps, because some formats (BIP 158,
/// Cache-Digest) know the range of values only when all keys are counted: [`hash`](Profile::hash) looks at the key,
/// [`value`](Profile::value) brings the hash into the range of a layout.
///
/// To choose a format at run time, implement the traits for an `enum` by `match`.
pub trait Profile {
    /// The hash of a key. O(length of the key).
    fn hash(&self, key: &[u8]) -> u64;

    /// The member that a hash becomes in a set laid out so: below `layout.range`, and never smaller for a larger hash.
    fn value(&self, hash: u64, layout: &Layout) -> u64;

    /// Reads what precedes the values. Must return an error rather than a layout that breaks a bound of [`Layout`].
    ///
    /// # Errors
    /// Whatever is wrong with the header.
    fn read_header(&self, bits: &mut BitReader<'_>) -> Result<Layout, Error>;
}

/// A profile that can also be written.
#[cfg(feature = "alloc")]
pub trait Encode: Profile {
    /// How a new set of `count` distinct hashes is laid out.
    fn layout(&self, count: u64) -> Layout;

    /// Writes what precedes the values.
    fn write_header(&self, layout: &Layout, bits: &mut BitWriter);

    /// Writes ascending values. Formats whose own readers stumble over some codewords say here how to avoid those.
    fn write_values(&self, layout: &Layout, values: &[u64], bits: &mut BitWriter) {
        crate::write::values(layout.code, values, bits);
    }
}

/// A profile whose range does not depend on the count, so that sets can grow and be united exactly.
///
/// [`Profile::value`] ignores the layout here, except that every layout has the same range.
#[cfg(feature = "alloc")]
pub trait FixedRange: Encode {}

impl<P: Profile> Profile for &P {
    fn hash(&self, key: &[u8]) -> u64 {
        (**self).hash(key)
    }

    fn value(&self, hash: u64, layout: &Layout) -> u64 {
        (**self).value(hash, layout)
    }

    fn read_header(&self, bits: &mut BitReader<'_>) -> Result<Layout, Error> {
        (**self).read_header(bits)
    }
}

#[cfg(feature = "alloc")]
impl<P: Encode> Encode for &P {
    fn layout(&self, count: u64) -> Layout {
        (**self).layout(count)
    }

    fn write_header(&self, layout: &Layout, bits: &mut BitWriter) {
        (**self).write_header(layout, bits);
    }

    fn write_values(&self, layout: &Layout, values: &[u64], bits: &mut BitWriter) {
        (**self).write_values(layout, values, bits);
    }
}

#[cfg(feature = "alloc")]
impl<P: FixedRange> FixedRange for &P {}

/// The limits of a parse. A `usize` converts into the limit on values alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most bytes looked at.
    pub max_bytes: usize,
    /// The most values kept: 8 bytes of memory each.
    pub max_len: usize,
    /// The longest unary run, in bits.
    pub max_unary: u64,
}

impl Limits {
    /// No limit but on the number of values.
    pub const fn len(max_len: usize) -> Self {
        Self { max_bytes: usize::MAX, max_len, max_unary: u64::MAX }
    }

    /// At most so many bytes.
    pub const fn bytes(self, max_bytes: usize) -> Self {
        Self { max_bytes, ..self }
    }

    /// No unary run of more bits.
    pub const fn unary(self, max_unary: u64) -> Self {
        Self { max_unary, ..self }
    }
}

impl From<usize> for Limits {
    fn from(max_len: usize) -> Self {
        Self::len(max_len)
    }
}

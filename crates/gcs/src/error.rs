//! Errors of reading bytes from outside, each with its place.

use core::fmt;

/// Bytes that are not a set of the profile at hand, or one larger than the caller allows.
///
/// The fault, and the bit at which it was seen; the fields are private so that they may grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    bit: u64,
}

/// The fault an [`Error`] reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The header names parameters that the format does not allow.
    Header,
    /// Two sets, or a set and its bytes, are of different profiles (another key, another size).
    Mismatch,
    /// The bytes decode, but are not the ones an encoder writes for that set.
    NotCanonical,
    /// A value at or past the end of the range.
    Overflow,
    /// A character that is not base64url, or an impossible length.
    Text,
    /// More bytes than the caller allows.
    TooLong,
    /// More values than the caller allows.
    TooMany,
    /// Bits after the end of the set.
    Trailing,
    /// The bytes end before the set does.
    Truncated,
    /// A unary run longer than the caller allows.
    Unary,
    /// A version that this library does not know.
    Version,
}

impl Error {
    pub(crate) const fn new(kind: ErrorKind, bit: u64) -> Self {
        Self { kind, bit }
    }

    /// The fault.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The bit, counted from the start of the bytes, at which the faulty field or codeword begins.
    /// For [`ErrorKind::Text`] it is the first bit that the faulty character would have given.
    pub const fn bit(&self) -> u64 {
        self.bit
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            ErrorKind::Header => "parameters out of bounds",
            ErrorKind::Mismatch => "made with other parameters",
            ErrorKind::NotCanonical => "not the canonical form of its set",
            ErrorKind::Overflow => "value past the end of the range",
            ErrorKind::Text => "not base64url",
            ErrorKind::TooLong => "more bytes than allowed",
            ErrorKind::TooMany => "more values than allowed",
            ErrorKind::Trailing => "bits after the end of the set",
            ErrorKind::Truncated => "ends before the set does",
            ErrorKind::Unary => "unary run longer than allowed",
            ErrorKind::Version => "unknown version",
        };
        write!(f, "{what} (at bit {})", self.bit)
    }
}

impl core::error::Error for Error {}

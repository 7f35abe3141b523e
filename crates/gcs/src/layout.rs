//! How a set is laid out in bits: what a header says, or what a format fixes.

/// The Golomb-Rice code of a format.
///
/// Ascending values are written as gaps. A gap is `quotient << remainder_bits | remainder`; the quotient is a unary run
/// with its closing bit, the remainder follows in plain binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The bit of which the unary run is made.
    pub unary: Unary,
    /// Whether a gap is the difference less one, the first gap being the first value. Equal values cannot be written then.
    pub less_one: bool,
    /// The bits that fill the last byte.
    pub padding: bool,
    /// log2 of the Golomb parameter: 0 to [`MAX_REMAINDER_BITS`].
    pub remainder_bits: u32,
}

/// The largest [`Code::remainder_bits`] that the library reads and writes.
pub const MAX_REMAINDER_BITS: u32 = 56;

/// The sense of a unary run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// `1110` is three.
    OnesThenZero,
    /// `0001` is three.
    ZerosThenOne,
}

/// One set as laid out in bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The code of the values.
    pub code: Code,
    /// The first value out of range, at most 2^63.
    pub range: u64,
    /// How the end of the values is known.
    pub tail: Tail,
    /// How a reader treats a value at or past `range`.
    pub past_range: PastRange,
}

impl Layout {
    /// Whether equal values are one value. Only counted sets without "less one" keep repetitions (BIP 158).
    pub const fn distinct(&self) -> bool {
        self.code.less_one || matches!(self.tail, Tail::GoCasper | Tail::Unfinished)
    }
}

/// How the end of the values is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// The header counts them; what follows is not looked at.
    Counted(u64),
    /// The header counts them, and nothing but padding within the last byte may follow.
    Exact(u64),
    /// At the end of the bytes, by the rules of go-casper's reader (see the profile `GoCasper`). Needs a remainder of one bit or more.
    GoCasper,
    /// At the first codeword that the bytes do not hold whole.
    Unfinished,
}

/// How a reader treats a value at or past the range. No key has such a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PastRange {
    /// It and all that follow (they are larger) are left out.
    Dropped,
    /// It is an error.
    Error,
    /// It stays; from 2^63 on it is an error.
    Kept,
}

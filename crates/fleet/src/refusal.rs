//! Why an entry of the engine was not taken in.

use std::fmt;

use headstart_learn::DeltaError;

/// The format of entries that this version reads and writes.
pub(crate) const FORMAT: u8 = 1;

/// Why what is in the engine was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// It is no entry of a fleet.
    Garbage,
    /// It is of another version of the format.
    OtherFormat(u8),
    /// It was sealed under another key of evidence.
    OtherKey,
    /// It is of a server with another half-life.
    OtherHalfLife,
    /// Its seal does not hold: it is damaged, or somebody without the key has made it.
    Forged,
    /// It contradicts its format under a seal that holds.
    Malformed,
    /// One of its visits claims to stand for more visits than is allowed here.
    TooHeavy,
    /// The clock of its server is hours ahead of this one's.
    Ahead,
    /// It is older than all that is remembered of what has been read.
    TooOld,
    /// Its figures are of another version. Its evidence was taken in.
    OtherFigures,
}

impl Refusal {
    /// A word for metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Refusal::Garbage => "garbage",
            Refusal::OtherFormat(_) => "other_format",
            Refusal::OtherKey => "other_key",
            Refusal::OtherHalfLife => "other_half_life",
            Refusal::Forged => "forged",
            Refusal::Malformed => "malformed",
            Refusal::TooHeavy => "too_heavy",
            Refusal::Ahead => "ahead",
            Refusal::TooOld => "too_old",
            Refusal::OtherFigures => "other_figures",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Garbage => f.write_str("it is no entry of a fleet"),
            Refusal::OtherFormat(format) => {
                write!(f, "it is of format {format}, and this server reads format {FORMAT}")
            }
            Refusal::OtherKey => f.write_str("it is sealed under another key of evidence"),
            Refusal::OtherHalfLife => f.write_str("its server has another half-life"),
            Refusal::Forged => f.write_str("its seal does not hold"),
            Refusal::Malformed => f.write_str("it contradicts its format"),
            Refusal::TooHeavy => f.write_str("one of its visits stands for more visits than is allowed"),
            Refusal::Ahead => f.write_str("the clock of its server is hours ahead"),
            Refusal::TooOld => f.write_str("it is older than all that is remembered of what was read"),
            Refusal::OtherFigures => f.write_str("its figures are of another version; its evidence is taken in"),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<DeltaError> for Refusal {
    fn from(error: DeltaError) -> Self {
        match error {
            DeltaError::OtherKey => Refusal::OtherKey,
            DeltaError::OtherHalfLife => Refusal::OtherHalfLife,
            DeltaError::TooHeavy => Refusal::TooHeavy,
            _ => Refusal::Malformed,
        }
    }
}

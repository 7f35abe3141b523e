//! The state as bytes: what a server writes to a file and sends to a colleague.
//!
//! All numbers are little-endian. Times are seconds of learner's time, which is the caller's unless its clock
//! was set.
//!
//! ```text
//! magic "HSLEARN", version 2                                    8 bytes
//! fingerprint of the key u64, caller's time in ms u64, learner's time in ms u64, half-life in ms u64
//! number of sites u16, then for each: length u16, authority
//! records until the end, each with a length u32 after its tag:
//!   tag 1, asset: hash u64, site u16, networks u32, first and last fetch u32 each, the last two
//!     networks that it was gone for, each time u32 and tag u16, flags u8 (1 crowded, 2 shown, 4 cors,
//!     8 immutable, 16 fresh, 32 personal), then if shown: destination u8, bytes u64, validator u64,
//!     path; else: stem u64
//!   tag 2, node: key u64, site u16, level u8, flags u8 (2 named, 4 queried, 8 full, 32 personal),
//!     landmark u32, visits u32, first and last visit u32 each, networks u32, the networks that it was gone for,
//!     newest visit u32, number of blocks u16, for each: start u32, weight u32;
//!     number of witnesses u8, each u64; number of edges u16, in the order of hashes, for each: asset hash u64,
//!     birth u32, hits u32, mute u32, networks u32, fetched by u32, muted by u32, order u32, manner u32; name
//!   tag 3, why visits and assets of a page taught nothing: key u64, then for each reason: number u8, count u32
//! CRC-32 of everything before                                    4
//! ```
//!
//! The name of an asset or a page is there only if it has passed the network gate. Open visits and recent votes
//! are not.

use std::error::Error;
use std::fmt;

use crate::cursor::Cursor;
use crate::merge::Records;
use crate::record::put_text;
use crate::time::Time;
use crate::visit::MAX_PATH;

const MAGIC: [u8; 8] = *b"HSLEARN\x02";

/// The header before the records.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    /// Of the key.
    pub(crate) fingerprint: u64,
    pub(crate) taken: Time,
    /// Learner's time at `taken`.
    pub(crate) tick: u64,
    pub(crate) half_life: u64,
}

impl Header {
    /// Begins a snapshot.
    pub(crate) fn write(&self, sites: &[Box<str>]) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(MAGIC);
        for number in [self.fingerprint, self.taken.as_millis(), self.tick, self.half_life] {
            out.extend(number.to_le_bytes());
        }
        out.extend((sites.len() as u16).to_le_bytes());
        for authority in sites {
            put_text(&mut out, authority);
        }
        out
    }
}

/// Writes a tag, the length of what `body` writes, and that.
pub(crate) fn record(out: &mut Vec<u8>, tag: u8, body: impl FnOnce(&mut Vec<u8>)) {
    out.push(tag);
    let mark = out.len();
    out.extend([0; 4]);
    body(out);
    let length = (out.len() - mark - 4) as u32;
    if let Some(place) = out.get_mut(mark..mark + 4) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// Ends a snapshot.
pub(crate) fn seal(out: &mut Vec<u8>) {
    let checksum = crc32fast::hash(out);
    out.extend(checksum.to_le_bytes());
}

/// A snapshot whose every record is sound.
pub(crate) struct Snapshot<'a> {
    pub(crate) header: Header,
    pub(crate) sites: Vec<&'a str>,
    pub(crate) records: Records<'a>,
}

impl<'a> Snapshot<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, SnapshotError> {
        let body = verified(bytes)?;
        Ok(Self::parse(Cursor(body)).ok_or(Kind::Malformed)?)
    }

    fn parse(mut cursor: Cursor<'a>) -> Option<Self> {
        let (fingerprint, taken) = (cursor.u64()?, Time::from_millis(cursor.u64()?));
        let header = Header { fingerprint, taken, tick: cursor.u64()?, half_life: cursor.u64()? };
        let mut sites = Vec::new();
        for _ in 0..cursor.u16()? {
            sites.push(cursor.text(MAX_PATH)?);
        }
        let records = Records::read(cursor, sites.len())?;
        Some(Self { header, sites, records })
    }
}

/// The bytes between magic and checksum, if both are right.
fn verified(bytes: &[u8]) -> Result<&[u8], SnapshotError> {
    let (magic, rest) = bytes.split_first_chunk::<8>().ok_or(Kind::NotASnapshot)?;
    if magic.first_chunk::<7>() != MAGIC.first_chunk::<7>() {
        return Err(Kind::NotASnapshot.into());
    }
    if *magic != MAGIC {
        return Err(Kind::Version { found: magic.last().copied().unwrap_or(0) }.into());
    }
    let (body, checksum) = rest.split_last_chunk::<4>().ok_or(Kind::Damaged)?;
    let covered = bytes.len() - checksum.len();
    let actual = crc32fast::hash(bytes.get(..covered).unwrap_or_default());
    if actual == u32::from_le_bytes(*checksum) { Ok(body) } else { Err(Kind::Damaged.into()) }
}

/// Why a snapshot could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotError {
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Damaged,
    Malformed,
    NotASnapshot,
    Version { found: u8 },
}

impl SnapshotError {
    pub(crate) fn malformed() -> Self {
        Kind::Malformed.into()
    }

    /// Whether it is an unharmed snapshot, perhaps, but of another version of this program.
    pub fn is_other_version(&self) -> bool {
        matches!(self.kind, Kind::Version { .. })
    }
}

impl From<Kind> for SnapshotError {
    fn from(kind: Kind) -> Self {
        Self { kind }
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Damaged => f.write_str("the snapshot is damaged or cut short: its checksum does not match"),
            Kind::Malformed => f.write_str("the snapshot contradicts its own format"),
            Kind::NotASnapshot => f.write_str("not a snapshot of a learner"),
            Kind::Version { found } => {
                write!(f, "the snapshot has format version {found}, this program reads version 2")
            }
        }
    }
}

impl Error for SnapshotError {}

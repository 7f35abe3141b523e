//! The snapshot: the deployment's secret and what was learned, in one string of bytes.
//!
//! ```text
//!  "headstart" 0x01 | secret, 32 bytes | CRC-32 of all before, big endian | the learner's snapshot (with its own checksum)
//! ```
//!
//! The secret belongs with it: it keys the clients' cookies and the hashes inside of the learner's part.

use std::fmt;

use headstart_learn::{Learner, Time};

const MAGIC: &[u8; 10] = b"headstart\x01";
const SECRET_BYTES: usize = 32;
const HEAD_BYTES: usize = MAGIC.len() + SECRET_BYTES + 4;

/// Why a snapshot was not taken.
#[derive(Debug)]
pub struct SnapshotError {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    NotASnapshot,
    Corrupt,
    Learner(headstart_learn::SnapshotError),
}

impl From<headstart_learn::SnapshotError> for SnapshotError {
    fn from(error: headstart_learn::SnapshotError) -> Self {
        SnapshotError { kind: Kind::Learner(error) }
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::NotASnapshot => f.write_str("not a snapshot of this version"),
            Kind::Corrupt => f.write_str("the snapshot is corrupt"),
            Kind::Learner(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SnapshotError {}

/// Writes a snapshot.
pub(crate) fn write(secret: &[u8; SECRET_BYTES], learner: &Learner, now: Time) -> Vec<u8> {
    let mut bytes = Vec::from(MAGIC);
    bytes.extend_from_slice(secret);
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
    bytes.extend_from_slice(&learner.snapshot(now));
    bytes
}

/// Takes a snapshot apart: the secret and the learner's part.
pub(crate) fn read(bytes: &[u8]) -> Result<([u8; SECRET_BYTES], &[u8]), SnapshotError> {
    let error = |kind| SnapshotError { kind };
    let (head, learned) = bytes.split_first_chunk::<HEAD_BYTES>().ok_or(error(Kind::NotASnapshot))?;
    let (covered, checksum) = head.split_last_chunk::<4>().ok_or(error(Kind::NotASnapshot))?;
    let secret = covered.strip_prefix(MAGIC).ok_or(error(Kind::NotASnapshot))?;
    if crc32fast::hash(covered) != u32::from_be_bytes(*checksum) {
        return Err(error(Kind::Corrupt));
    }
    let secret = secret.try_into().map_err(|_| error(Kind::Corrupt))?;
    Ok((secret, learned))
}

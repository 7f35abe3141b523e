//! Reading a snapshot: total, whatever the bytes.

use std::error::Error;
use std::fmt;

use crate::clock::{Clock, Tick};
use crate::config::Config;
use crate::cursor::Cursor;
use crate::decay::{Decay, MAX_WEIGHT};
use crate::join::{Context, Merged, Records};
use crate::learner::Learner;
use crate::snapshot::MAGIC;
use crate::sync::lock;
use crate::time::{Time, millis};
use crate::visit::MAX_PATH;

impl Learner {
    /// A learner that knows what was in a snapshot, as far as the limits of `config`
    /// allow; the heaviest pages come first.
    ///
    /// Under a key other than that of the snapshot, only what has passed the
    /// network gate is taken over.
    ///
    /// # Errors
    ///
    /// When the bytes are not an unharmed snapshot.
    ///
    /// # Complexity
    ///
    /// O(n log n) for n bytes; at most `config.memory_bytes` and a table of the records.
    pub fn restore(config: Config, bytes: &[u8]) -> Result<Self, SnapshotError> {
        let snapshot = Snapshot::read(bytes)?;
        let decay = Decay::new(millis(config.half_life()));
        // Learner's time starts late enough for everything that is remembered to lie behind it.
        let tick = Tick(decay.max_step());
        let learner = Self::with_clock(config, Clock::starting(snapshot.taken, tick, decay.max_step()));
        learner.take_over(snapshot, tick, 0);
        Ok(learner)
    }

    /// Adds what is in a snapshot of another learner to what this one knows, with weights as of `now`.
    ///
    /// Under one key it is as if this learner had seen the visits of both: adding up is commutative and associative
    /// to within the rounding of floating point, as long as everything fits; then the heaviest pages stay, nearly. A
    /// network that voted on both has one voice in the gate, and two in the weights. A snapshot that is merged twice
    /// counts twice.
    ///
    /// Under another key only what goes by its name, for it has passed the network gate, is taken in, and what the
    /// gate has seen is not added up: of two sets of networks the larger one counts. So the gate is never
    /// opened by a merge of what was below it under two keys.
    ///
    /// # Errors
    ///
    /// When the bytes are not an unharmed snapshot; then nothing of it is taken in.
    ///
    /// # Complexity
    ///
    /// O(n log n) for n bytes, with a table of the records beside the learner's own memory.
    pub fn merge_snapshot(&self, now: Time, bytes: &[u8]) -> Result<Merged, SnapshotError> {
        let snapshot = Snapshot::read(bytes)?;
        let age = now.as_millis().saturating_sub(snapshot.taken.as_millis());
        Ok(self.take_over(snapshot, self.tick(now), age))
    }

    /// Takes in a snapshot that was taken `age` milliseconds before `tick`.
    fn take_over(&self, snapshot: Snapshot<'_>, tick: Tick, age: u64) -> Merged {
        let decay = lock(&self.model).decay;
        let gain = decay.gain(tick);
        let context = Context {
            sites: snapshot.sites.iter().map(|authority| self.site(authority)).collect(),
            same_key: snapshot.fingerprint == self.keys.fingerprint(),
            taken: Tick(tick.0.saturating_sub(age)),
            epoch: decay.epoch(tick),
            scale: decay.remains(age) * gain,
            cap: MAX_WEIGHT * gain,
        };
        self.join(snapshot.records, &context)
    }
}

/// A snapshot whose every record is sound.
struct Snapshot<'a> {
    /// Of the key.
    fingerprint: u64,
    taken: Time,
    sites: Vec<&'a str>,
    records: Records<'a>,
}

impl<'a> Snapshot<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, SnapshotError> {
        let body = verified(bytes)?;
        Ok(Self::parse(Cursor(body)).ok_or(Kind::Malformed)?)
    }

    fn parse(mut cursor: Cursor<'a>) -> Option<Self> {
        let (fingerprint, taken, site_count) = (cursor.u64()?, cursor.u64()?, cursor.u16()?);
        let mut sites = Vec::new();
        for _ in 0..site_count {
            sites.push(cursor.text(MAX_PATH)?);
        }
        let records = Records::read(cursor, sites.len())?;
        Some(Self { fingerprint, taken: Time::from_millis(taken), sites, records })
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
    checked(bytes, rest)
}

/// `rest`, the end of `bytes`, without the checksum of all before it.
fn checked<'a>(bytes: &[u8], rest: &'a [u8]) -> Result<&'a [u8], SnapshotError> {
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
                write!(f, "the snapshot has format version {found}, this program reads version 1")
            }
        }
    }
}

impl Error for SnapshotError {}

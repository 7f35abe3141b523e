//! Reading a snapshot: total, whatever the bytes.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;

use crate::assets::AssetId;
use crate::clock::{Clock, Tick};
use crate::config::{Config, ConfigError};
use crate::cursor::Cursor;
use crate::decay::Decay;
use crate::learner::Learner;
use crate::observation::Site;
use crate::record::weight_of;
use crate::snapshot::{ASSET, MAGIC, NODE};
use crate::sync::lock;
use crate::time::{Time, millis};
use crate::visit::MAX_PATH;
use crate::wire;

/// How the bytes of one snapshot are to be understood.
pub(crate) struct Context {
    /// The sites in the order of the snapshot; `None` for those without room.
    pub(crate) sites: Vec<Option<Site>>,
    /// Whether the hashes in it are under the key of this learner.
    pub(crate) same_key: bool,
    /// The learner's time at which it was taken.
    pub(crate) tick: Tick,
    /// The assets taken over, by their hash in the snapshot.
    pub(crate) assets: HashMap<u64, AssetId>,
}

impl Learner {
    /// A learner that knows what was in a snapshot, as far as the limits of `config`
    /// allow; the heaviest pages come first.
    ///
    /// Under a key other than that of the snapshot, only what has passed the
    /// network gate is taken over.
    ///
    /// # Errors
    ///
    /// When `config` is out of range or the bytes are not an unharmed snapshot.
    ///
    /// # Complexity
    ///
    /// O(n log n) for n bytes; at most `config.memory_bytes` and a table of the nodes.
    pub fn restore(config: Config, bytes: &[u8]) -> Result<Self, SnapshotError> {
        let body = verified(bytes)?;
        let decay = Decay::new(millis(config.half_life));
        let mut cursor = Cursor(body);
        let header = (cursor.u64(), cursor.u64(), cursor.u16());
        let (Some(fingerprint), Some(taken), Some(site_count)) = header else {
            return Err(Kind::Malformed.into());
        };
        // Learner's time starts late enough for everything that is remembered to lie behind it.
        let tick = Tick(decay.max_step());
        let learner = Self::with_clock(config, Clock::starting(Time::from_millis(taken), tick, decay.max_step()))
            .map_err(Kind::Config)?;
        let mut context = Context {
            sites: Vec::new(),
            same_key: fingerprint == learner.keys.fingerprint(),
            tick,
            assets: HashMap::new(),
        };
        for _ in 0..site_count {
            let authority = cursor.text(MAX_PATH).ok_or(Kind::Malformed)?;
            context.sites.push(learner.site(authority));
        }
        learner.read_records(cursor, &mut context).ok_or(Kind::Malformed)?;
        Ok(learner)
    }

    fn read_records(&self, mut cursor: Cursor<'_>, context: &mut Context) -> Option<()> {
        let mut model = lock(&self.model);
        let mut nodes: Vec<(f32, Cursor<'_>)> = Vec::new();
        while !cursor.is_empty() {
            let (tag, length) = (cursor.u8()?, cursor.u32()?);
            let mut record = Cursor(cursor.take(usize::try_from(length).ok()?)?);
            match tag {
                ASSET => model.read_asset(&mut record, context, &self.outside())?,
                NODE => nodes.push((weight_of(record)?, record)),
                _ => return None,
            }
        }
        nodes.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (_, mut record) in nodes {
            model.read_node(&mut record, context, &self.outside())?;
        }
        model.assets.sweep_all(&self.directory);
        Some(())
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

/// The same of a delta.
pub(crate) fn delta_body(bytes: &[u8]) -> Result<&[u8], SnapshotError> {
    let rest = bytes.strip_prefix(&wire::MAGIC).ok_or(Kind::NotADelta)?;
    checked(bytes, rest)
}

/// `rest`, the end of `bytes`, without the checksum of all before it.
fn checked<'a>(bytes: &[u8], rest: &'a [u8]) -> Result<&'a [u8], SnapshotError> {
    let (body, checksum) = rest.split_last_chunk::<4>().ok_or(Kind::Damaged)?;
    let covered = bytes.len() - checksum.len();
    let actual = crc32fast::hash(bytes.get(..covered).unwrap_or_default());
    if actual == u32::from_le_bytes(*checksum) { Ok(body) } else { Err(Kind::Damaged.into()) }
}

/// Why a snapshot or a delta could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotError {
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Config(ConfigError),
    Damaged,
    Malformed,
    NotADelta,
    NotASnapshot,
    Version { found: u8 },
}

impl SnapshotError {
    pub(crate) fn malformed() -> Self {
        Kind::Malformed.into()
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
            Kind::Config(error) => error.fmt(f),
            Kind::Damaged => f.write_str("the snapshot is damaged or cut short: its checksum does not match"),
            Kind::Malformed => f.write_str("the snapshot contradicts its own format"),
            Kind::NotADelta => f.write_str("not a delta of a learner that this program can read"),
            Kind::NotASnapshot => f.write_str("not a snapshot of a learner"),
            Kind::Version { found } => {
                write!(f, "the snapshot has format version {found}, this program reads version 1")
            }
        }
    }
}

impl Error for SnapshotError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            Kind::Config(error) => Some(error),
            _ => None,
        }
    }
}

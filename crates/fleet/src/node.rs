//! One server's part of a fleet, without clock and without I/O: what it tells, and what it hears.

use std::sync::Arc;
use std::time::Duration;

use headstart_learn::{Learned, Learner, Time};

use crate::entry::{Header, Kind, number, part, put_part};
use crate::figures::Figures;
use crate::keys::Keys;
use crate::refusal::Refusal;
use crate::seal::Seal;
use crate::seen::{Admission, Seen};

/// Parts of the body of an entry.
const DELTA: u8 = 1;
const SEEN: u8 = 2;
const SNAPSHOT: u8 = 3;
const CURSOR: u8 = 4;
const TEXT: u8 = 5;
const FIGURES: u8 = 6;
const SCATTERED: u8 = 7;
const OWN: u8 = 8;

/// Most bytes that figures take in one entry.
const MAX_FIGURES: usize = 256 << 10;

/// Most clients in one entry of whom others see a part of the requests.
const MAX_SCATTERED: usize = 256;

/// How long they count as such after the entry was written.
const SCATTERED_FOR: Duration = Duration::from_secs(600);

/// Most entries of processes before this one that are remembered until they are read.
const MAX_BEFORE: usize = 8;

/// An entry of a server whose clock is further ahead is refused, in milliseconds.
const MAX_AHEAD: u64 = 2 * 3_600_000;

/// One server of a fleet: it seals what its learner has to tell and opens what the others told.
///
/// Nothing here waits or reads a clock, so a simulation of a thousand of them is the real code. Servers use it through
/// [`Fleet::join`](crate::Fleet::join).
#[derive(Debug)]
pub struct Node<L> {
    learner: Arc<L>,
    name: Box<str>,
    /// A random number of this process.
    boot: u64,
    sequence: u64,
    seal: Seal,
    seen: Seen,
    max_weight: u32,
    figures: Option<Arc<dyn Figures>>,
    /// Bytes that figures may take in the next entry; less than nothing after they took more than their share.
    room: i64,
    /// Processes before this one, with the entry of each that holds what was learned before its last snapshot and had not
    /// been told, and that was not read yet. The snapshot that this process started with has it.
    before: Vec<(u64, u64)>,
}

/// The result of reading an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Heard {
    /// It was taken in; so many entries of its server are missing between it and the one before, so far.
    New {
        /// The result of learning it.
        learned: Learned,
        /// Entries that were skipped.
        missing: u64,
        /// When it was sent, by its server's clock.
        sent: Time,
        /// Whether its figures made sense, if it had any and this server keeps some.
        figures: Option<bool>,
    },
    /// It had been read before.
    Known,
    /// It is this server's own.
    Own,
}

/// A base that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// The position from which to go on reading the log.
    pub cursor: Option<String>,
    /// When it was written, by the writer's clock.
    pub sent: Time,
}

impl<L: AsRef<Learner>> Node<L> {
    /// A node of this name, of 1 to 64 letters, digits, `-`, `_` and `.`, whose learner has the key of evidence of `keys`.
    /// From now on the learner gathers what others are to hear, in at most `memory` bytes. `boot` is a random number of
    /// this process. A visit may stand for `max_weight` visits at most.
    pub fn new(name: &str, boot: u64, keys: &Keys, learner: Arc<L>, memory: usize, max_weight: u32) -> Self {
        (*learner).as_ref().accumulate(memory);
        let seal = Seal::new(keys);
        Node {
            learner,
            name: name.into(),
            boot,
            sequence: 0,
            seal,
            seen: Seen::default(),
            max_weight,
            figures: None,
            room: 0,
            before: Vec::new(),
        }
    }

    /// The same with figures that travel with the evidence, in up to half of the bytes of an entry. An eighth is theirs in
    /// the long run: where half is too little, they wait until that has added up.
    pub fn with_figures(mut self, figures: Arc<dyn Figures>) -> Self {
        self.figures = Some(figures);
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of this process.
    pub fn boot(&self) -> u64 {
        self.boot
    }

    /// The learner.
    pub fn learner(&self) -> &Learner {
        (*self.learner).as_ref()
    }

    /// Other processes that have told something since `since`.
    pub fn others(&self, since: Time) -> usize {
        self.seen.active(self.boot, since)
    }

    /// The entry with what was gathered since this was last called, in about `budget` bytes; `None` if there is nothing.
    /// An entry that is published twice is learned once.
    pub fn tell(&mut self, now: Time, budget: usize) -> Option<Vec<u8>> {
        let share = i64::try_from(budget / 8).unwrap_or(i64::MAX);
        self.room = self.room.saturating_add(share).min(i64::try_from(MAX_FIGURES).unwrap_or(i64::MAX));
        // What they took beyond their share they wait for afterwards.
        let most = usize::try_from(self.room).map_or(0, |room| room.max(budget / 2).min(MAX_FIGURES));
        let figures = self.figures.as_ref().and_then(|figures| figures.take(most));
        let spent = figures.as_ref().map_or(0, Vec::len);
        // Evidence keeps half, however much room figures had saved.
        let left = budget - spent.min(budget / 2);
        let delta = self.learner().take_delta(now, left - left / 16, self.max_weight);
        if figures.is_none() && delta.is_none() {
            return None;
        }
        let scattered = self.learner().take_scattered((budget / 128).min(MAX_SCATTERED));
        let mut body = Vec::new();
        if let Some(delta) = &delta {
            put_part(&mut body, DELTA, &delta.bytes);
        }
        if let Some(figures) = figures {
            put_part(&mut body, FIGURES, &figures);
            self.room = self.room.saturating_sub(i64::try_from(spent).unwrap_or(i64::MAX));
        }
        if !scattered.is_empty() {
            let scattered: Vec<u8> = scattered.into_iter().flat_map(u64::to_le_bytes).collect();
            put_part(&mut body, SCATTERED, &scattered);
        }
        self.sequence += 1;
        self.header(Kind::Evidence, now, delta.map_or(1, |delta| delta.heaviest)).seal(&self.seal, &body)
    }

    /// Takes in an entry of the log.
    ///
    /// # Errors
    ///
    /// Why it was refused; then nothing of it was taken in.
    pub fn hear(&mut self, now: Time, entry: &[u8]) -> Result<Heard, (Option<Box<str>>, Refusal)> {
        let (header, head, sealed) = Header::read(entry).map_err(|refusal| (None, refusal))?;
        if header.node == self.name && header.boot == self.boot {
            return Ok(Heard::Own);
        }
        let name = header.node.clone();
        self.hear_of(now, &header, head, sealed).map_err(|refusal| (Some(name), refusal))
    }

    fn hear_of(&mut self, now: Time, header: &Header, head: &[u8], sealed: &[u8]) -> Result<Heard, Refusal> {
        let body = self.open(now, Kind::Evidence, header, head, sealed)?;
        let (delta, told, scattered) = (part(&body, DELTA)?, part(&body, FIGURES)?, part(&body, SCATTERED)?);
        if delta.is_none() && told.is_none() && scattered.is_none() {
            return Err(Refusal::Malformed);
        }
        if header.weight > self.max_weight {
            return Err(Refusal::TooHeavy);
        }
        let missing = match self.seen.admit(&header.node, header.boot, header.sequence, header.sent) {
            Ok(Admission::New { missing }) => missing,
            Ok(Admission::Known) => return Ok(Heard::Known),
            // What an earlier process of this server told long ago is no reason for a complaint.
            Err(Refusal::TooOld) if header.node == self.name => return Ok(Heard::Known),
            Err(refusal) => return Err(refusal),
        };
        // A part of it is in the snapshot. Figures are there only once they are told.
        let in_snapshot = header.node == self.name && self.before.contains(&(header.boot, header.sequence));
        self.before.retain(|entry| !in_snapshot || *entry != (header.boot, header.sequence));
        let learned = match delta.filter(|_| !in_snapshot) {
            Some(delta) => self.learner().learn_delta(now, delta, self.max_weight)?,
            None => Learned::default(),
        };
        // Of an old entry it is not true any more.
        let (clients, _) =
            scattered.filter(|_| now.saturating_since(header.sent) < SCATTERED_FOR).unwrap_or_default().as_chunks();
        self.learner()
            .learn_scattered(now, clients.iter().take(MAX_SCATTERED).map(|client| u64::from_le_bytes(*client)));
        let figures = self.figures.as_ref().zip(told).map(|(figures, told)| figures.add(told));
        Ok(Heard::New { learned, missing, sent: header.sent, figures })
    }

    /// The base for those that come late: all that is known here, and what was read for it; `cursor` is where the log goes
    /// on. Beside it the entry that has to be published with it, if there is one.
    pub fn base(&mut self, now: Time, cursor: Option<&str>) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
        let snapshot = self.learner().snapshot(now);
        // Some of what was learned while the snapshot was made is in it. It is told under this number, which counts as read
        // by those who take the base: they may miss some of it, and count nothing twice.
        let entry = self.tell(now, usize::MAX);
        let mut seen = self.seen.clone();
        seen.skip(&self.name, self.boot, self.sequence, now);
        let mut body = Vec::with_capacity(snapshot.len() + 4096);
        put_part(&mut body, SEEN, &seen.write());
        put_part(&mut body, SNAPSHOT, &snapshot);
        put_part(&mut body, CURSOR, cursor.unwrap_or_default().as_bytes());
        self.put_figures(&mut body);
        Some((self.header(Kind::Base, now, 1).seal(&self.seal, &body)?, entry))
    }

    /// Takes in a base. Only for a node that has read nothing yet: what it had read would count twice.
    ///
    /// # Errors
    ///
    /// Why it was refused; then nothing of it was taken in.
    pub fn take_base(&mut self, now: Time, base: &[u8]) -> Result<Base, Refusal> {
        let (header, head, sealed) = Header::read(base)?;
        let body = self.open(now, Kind::Base, &header, head, sealed)?;
        let seen = part(&body, SEEN)?.and_then(Seen::read).ok_or(Refusal::Malformed)?;
        let snapshot = part(&body, SNAPSHOT)?.ok_or(Refusal::Malformed)?;
        let cursor = part(&body, CURSOR)?.and_then(|cursor| std::str::from_utf8(cursor).ok());
        self.learner().merge_snapshot(now, snapshot).map_err(|_| Refusal::Malformed)?;
        self.seen.merge(&seen);
        self.replace_figures(part(&body, FIGURES)?);
        Ok(Base { cursor: cursor.filter(|cursor| !cursor.is_empty()).map(Into::into), sent: header.sent })
    }

    /// What was read so far, for [`resume`](Self::resume) in a process that starts with the learner's snapshot. To be taken
    /// after the snapshot, and stored before it.
    ///
    /// What this process tells later is not in the snapshot: the next process reads it in the log like that of others. Of the
    /// next entry it takes the figures only, if something was learned by now that had not been told.
    pub fn remember(&self, now: Time, cursor: Option<&str>) -> Vec<u8> {
        let mut seen = self.seen.clone();
        seen.skip(&self.name, self.boot, self.sequence, now);
        let mut out = Vec::new();
        put_part(&mut out, SEEN, &seen.write());
        put_part(&mut out, CURSOR, cursor.unwrap_or_default().as_bytes());
        // Entries of processes before that were not read yet stay what they are: in the snapshot.
        let next = (self.learner().outbound().waiting > 0).then_some((self.boot, self.sequence + 1));
        let own: Vec<(u64, u64)> = next.into_iter().chain(self.before.iter().copied()).take(MAX_BEFORE).collect();
        if !own.is_empty() {
            let own: Vec<u8> = own
                .into_iter()
                .flat_map(|(boot, sequence)| [boot.to_le_bytes(), sequence.to_le_bytes()])
                .flatten()
                .collect();
            put_part(&mut out, OWN, &own);
        }
        self.put_figures(&mut out);
        out
    }

    /// Goes on where [`remember`](Self::remember) was called: the place in the log. `None` if the bytes are malformed.
    pub fn resume(&mut self, bytes: &[u8]) -> Option<Option<String>> {
        let seen = part(bytes, SEEN).ok()?.and_then(Seen::read)?;
        let cursor = part(bytes, CURSOR).ok()?.and_then(|cursor| std::str::from_utf8(cursor).ok())?;
        let mut own = part(bytes, OWN).ok()?.unwrap_or_default();
        while !own.is_empty() && self.before.len() < MAX_BEFORE {
            let (boot, rest) = number(own)?;
            let (sequence, rest) = number(rest)?;
            self.before.push((boot, sequence));
            own = rest;
        }
        self.seen.merge(&seen);
        self.replace_figures(part(bytes, FIGURES).ok()?);
        Some(Some(cursor).filter(|cursor| !cursor.is_empty()).map(Into::into))
    }

    /// This node's status, sealed.
    pub(crate) fn announcement(&mut self, now: Time, text: &str) -> Option<Vec<u8>> {
        let mut body = Vec::with_capacity(text.len() + 8);
        put_part(&mut body, TEXT, text.as_bytes());
        self.header(Kind::Status, now, 1).seal(&self.seal, &body)
    }

    fn put_figures(&self, body: &mut Vec<u8>) {
        if let Some(figures) = &self.figures {
            put_part(body, FIGURES, &figures.known());
        }
    }

    fn replace_figures(&self, known: Option<&[u8]>) {
        if let Some((figures, known)) = self.figures.as_ref().zip(known) {
            // Those of another version are left aside: the sums begin again.
            let _ = figures.replace(known);
        }
    }

    fn header(&self, kind: Kind, now: Time, weight: u32) -> Header {
        let learner = self.learner();
        Header {
            kind,
            fingerprint: learner.key_fingerprint(),
            half_life: u64::try_from(learner.config().half_life().as_millis()).unwrap_or(u64::MAX),
            node: self.name.clone(),
            boot: self.boot,
            sequence: self.sequence,
            sent: now,
            weight,
        }
    }

    /// The body of an entry that fits this node.
    fn open(&self, now: Time, kind: Kind, header: &Header, head: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Refusal> {
        let own = self.header(kind, now, 1);
        if header.kind != kind {
            return Err(Refusal::Malformed);
        }
        if header.fingerprint != own.fingerprint {
            return Err(Refusal::OtherKey);
        }
        if header.half_life != own.half_life {
            return Err(Refusal::OtherHalfLife);
        }
        if header.sent.as_millis() > now.as_millis().saturating_add(MAX_AHEAD) {
            return Err(Refusal::Ahead);
        }
        self.seal.open(head, sealed).ok_or(Refusal::Forged)
    }
}

/// What another node says of itself: its header and its text. `None` if it is sealed under another key; then the
/// header alone tells of it.
pub(crate) fn announced(seal: &Seal, entry: &[u8]) -> Option<(Header, Option<String>)> {
    let (header, head, sealed) = Header::read(entry).ok()?;
    let body = seal.open(head, sealed);
    let text = body.as_deref().and_then(|body| part(body, TEXT).ok().flatten()).map(<[u8]>::to_vec);
    (header.kind == Kind::Status).then_some((header, text.and_then(|text| String::from_utf8(text).ok())))
}

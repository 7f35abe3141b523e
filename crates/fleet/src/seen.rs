//! Entries that have been read: each is taken in once, however often and in whatever order it comes.

use std::collections::HashMap;

use headstart_learn::Time;

use crate::entry::{MAX_NAME, is_name, number};
use crate::refusal::Refusal;

/// Most processes that are remembered. When there are more, the one that sent the least lately gives way, and nothing as
/// old as its last entry is taken in any more from processes that are not remembered.
const MAX_SOURCES: usize = 4096;

/// Entries of one process that may come out of order, at most this far apart.
const WINDOW: u64 = 128;

/// Entries that have been read, by process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    sources: HashMap<(Box<str>, u64), Source>,
    /// Nothing sent until then is taken in from an unknown process.
    floor: Time,
}

/// Entries of one process that have been read.
#[derive(Clone, Copy, Debug)]
struct Source {
    newest: u64,
    /// Bit n: the entry n before the newest has been read.
    window: u128,
    last: Time,
}

/// The treatment of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is new; so many between it and the last have not come, yet.
    New { missing: u64 },
    /// It has been read.
    Known,
}

impl Seen {
    /// Whether an entry is to be taken in; if so it counts as read.
    ///
    /// # Errors
    ///
    /// If it may have been read, for all that is remembered.
    pub(crate) fn admit(&mut self, node: &str, boot: u64, sequence: u64, sent: Time) -> Result<Admission, Refusal> {
        let key = (Box::from(node), boot);
        let Some(source) = self.sources.get_mut(&key) else {
            if sent <= self.floor && self.floor > Time::default() {
                return Err(Refusal::TooOld);
            }
            self.make_room();
            self.sources.insert(key, Source { newest: sequence, window: 1, last: sent });
            return Ok(Admission::New { missing: 0 });
        };
        source.last = source.last.max(sent);
        if sequence > source.newest {
            let step = sequence - source.newest;
            source.window = if step < WINDOW { source.window << step | 1 } else { 1 };
            source.newest = sequence;
            return Ok(Admission::New { missing: step - 1 });
        }
        let back = source.newest - sequence;
        if back >= WINDOW {
            return Err(Refusal::TooOld);
        }
        let bit = 1u128 << back;
        if source.window & bit != 0 {
            return Ok(Admission::Known);
        }
        source.window |= bit;
        Ok(Admission::New { missing: 0 })
    }

    /// Everything of a process until `sequence` counts as read.
    pub(crate) fn skip(&mut self, node: &str, boot: u64, sequence: u64, sent: Time) {
        if !self.sources.contains_key(&(Box::from(node), boot)) {
            self.make_room();
        }
        let source =
            self.sources.entry((node.into(), boot)).or_insert(Source { newest: sequence, window: 0, last: sent });
        if sequence >= source.newest {
            (source.newest, source.window) = (sequence, u128::MAX);
        } else {
            let back = source.newest - sequence;
            source.window |= if back < WINDOW { u128::MAX << back } else { 0 };
        }
        source.last = source.last.max(sent);
    }

    /// Processes other than `boot` that have sent something since `since`.
    pub(crate) fn active(&self, boot: u64, since: Time) -> usize {
        self.sources.iter().filter(|((_, other), source)| *other != boot && source.last >= since).count()
    }

    /// As bytes, for a base or a file of state.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(self.floor.as_millis().to_le_bytes());
        for ((node, boot), source) in &self.sources {
            out.push(node.len().min(MAX_NAME) as u8);
            out.extend(node.as_bytes().iter().take(MAX_NAME));
            for number in [*boot, source.newest, source.last.as_millis()] {
                out.extend(number.to_le_bytes());
            }
            out.extend(source.window.to_le_bytes());
        }
        out
    }

    /// `None` if the bytes are malformed.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (floor, mut rest) = number(bytes)?;
        let mut seen = Seen { floor: Time::from_millis(floor), sources: HashMap::new() };
        while let Some((length, after)) = rest.split_first() {
            let (node, after) = after.split_at_checked(usize::from(*length)).filter(|(node, _)| is_name(node))?;
            let (boot, after) = number(after)?;
            let (newest, after) = number(after)?;
            let (last, after) = number(after)?;
            let (window, after) = after.split_first_chunk()?;
            let source = Source { newest, window: u128::from_le_bytes(*window), last: Time::from_millis(last) };
            seen.sources.insert((std::str::from_utf8(node).ok()?.into(), boot), source);
            rest = after;
        }
        (seen.sources.len() <= MAX_SOURCES).then_some(seen)
    }

    /// Takes over what another has read, of whom all evidence was taken in.
    pub(crate) fn merge(&mut self, other: &Seen) {
        self.floor = self.floor.max(other.floor);
        for ((node, boot), theirs) in &other.sources {
            match self.sources.get_mut(&(node.clone(), *boot)) {
                Some(ours) if ours.newest >= theirs.newest => {
                    let back = ours.newest - theirs.newest;
                    ours.window |= if back < WINDOW { theirs.window << back } else { 0 };
                }
                Some(ours) => {
                    let back = theirs.newest - ours.newest;
                    let window = if back < WINDOW { ours.window << back } else { 0 };
                    *ours = Source { window: theirs.window | window, last: ours.last.max(theirs.last), ..*theirs };
                }
                None => {
                    self.make_room();
                    self.sources.insert((node.clone(), *boot), *theirs);
                }
            }
        }
    }

    fn make_room(&mut self) {
        if self.sources.len() < MAX_SOURCES {
            return;
        }
        let oldest =
            self.sources.iter().min_by_key(|(_, source)| source.last).map(|(key, source)| (key.clone(), source.last));
        if let Some((key, last)) = oldest {
            self.sources.remove(&key);
            self.floor = self.floor.max(last);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_entry_is_admitted_once_at_most(entries in prop::collection::vec((0u64..3, 0u64..400), 0..200)) {
            let (mut seen, mut admitted) = (Seen::default(), HashSet::new());
            for (boot, sequence) in entries {
                let admission = seen.admit("a", boot, sequence, Time::from_millis(5));
                if matches!(admission, Ok(Admission::New { .. })) {
                    prop_assert!(admitted.insert((boot, sequence)));
                } else if admission == Ok(Admission::Known) {
                    prop_assert!(admitted.contains(&(boot, sequence)));
                }
                let again = Seen::read(&seen.write()).expect("sound");
                prop_assert_eq!(again.write().len(), seen.write().len());
            }
        }

        #[test]
        fn after_a_merge_nothing_of_either_is_new(
            a in prop::collection::vec(0u64..300, 1..60),
            b in prop::collection::vec(0u64..300, 1..60),
        ) {
            let of = |list: &[u64]| {
                let (mut seen, mut admitted) = (Seen::default(), Vec::new());
                for sequence in list {
                    if let Ok(Admission::New { .. }) = seen.admit("a", 1, *sequence, Time::from_millis(5)) {
                        admitted.push(*sequence);
                    }
                }
                (seen, admitted)
            };
            let ((mut x, first), (y, second)) = (of(&a), of(&b));
            x.merge(&y);
            for sequence in first.into_iter().chain(second) {
                let admission = x.admit("a", 1, sequence, Time::from_millis(5));
                prop_assert!(!matches!(admission, Ok(Admission::New { .. })), "{} {:?}", sequence, admission);
            }
        }

        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Seen::read(&bytes);
        }
    }

    #[test]
    fn what_is_forgotten_is_not_read_again() {
        let mut seen = Seen::default();
        for boot in 0..5000 {
            let admission = seen.admit("a", boot, 1, Time::from_millis(1000 + boot));
            assert_eq!(admission, Ok(Admission::New { missing: 0 }));
        }
        assert!(seen.sources.len() <= MAX_SOURCES);
        assert_eq!(seen.admit("a", 3, 1, Time::from_millis(1003)), Err(Refusal::TooOld));
        assert_eq!(seen.admit("a", 4999, 4, Time::from_millis(9000)), Ok(Admission::New { missing: 2 }));
        seen.skip("a", 7000, 500, Time::from_millis(9000));
        assert_eq!(seen.admit("a", 7000, 5, Time::from_millis(9000)), Err(Refusal::TooOld));
        assert_eq!(seen.admit("a", 7000, 499, Time::from_millis(9000)), Ok(Admission::Known));
    }
}

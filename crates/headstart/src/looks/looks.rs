//! Agreement between several looks at a page.
//!
//! A response may be another for one client than for all others: by its User-Agent, its consent, a maintenance page. So
//! how a page asks for an asset changes when as many networks have been shown it as the gate asks for, and what it names no
//! longer is left out when two looks agree that come from two networks. What serves files from a disk serves
//! the same to everyone, and one look is enough.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use headstart_learn::NetworkId;
use http::HeaderValue;

use super::look::Look;
use crate::page_policy::PagePolicy;
use crate::statements::{Statement, Statements};
use crate::view::Reason;

/// Views between two looks at a page that does not seem to change.
const DUE: u32 = 64;
/// The same for a page whose evidence is thin, old or contradicts its plan.
const DUE_UNSETTLED: u32 = 8;
/// Longest entity tag that is kept, bytes.
const MAX_TAG_BYTES: usize = 128;
/// Looks that found nothing new behind a new validator, after which the page's validators say nothing.
const IDLE_LOOKS: u8 = 3;

/// The response of one view.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts of a response, independent of each other")]
pub(crate) struct Seen {
    /// Hash of the validator; 0 without.
    pub(crate) validator: u64,
    /// Announced length of the body, bytes; 0 without.
    pub(crate) length: u64,
    pub(crate) network: NetworkId,
    /// A stranger may see it, so that it may name what no traffic has shown.
    pub(crate) public: bool,
    /// One network is enough: it comes from a file, or the gate asks for no more.
    pub(crate) alone: bool,
    pub(crate) of_files: bool,
    /// The page's evidence is thin, old or contradicts its plan.
    pub(crate) unsettled: bool,
    /// The networks of the gate: as many must be shown the same before what a page says of an asset changes.
    pub(crate) gate: usize,
}

/// The result of all looks at a page.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    /// In the order in which they were found.
    paths: Vec<(Arc<str>, Known)>,
    last: Option<Seen>,
    /// The entity tag of a response that was found to be as at the last look: while it stays, views need no closer comparison.
    tag: Option<HeaderValue>,
    /// Hash of the document that was read last.
    content: u64,
    /// Another network has seen the same.
    settled: bool,
    views: u32,
    idle: u8,
    /// Bytes of the longest document lately.
    usual_bytes: usize,
    preconnects: Vec<(Box<str>, bool)>,
    policy: PagePolicy,
    whole: bool,
}

#[derive(Debug)]
struct Known {
    says: Statement,
    /// Said otherwise to these networks; fewer than the gate asks for.
    otherwise: Option<(Statement, Vec<NetworkId>)>,
    /// Named by a public response to this network.
    named: Option<NetworkId>,
    /// Named by public responses to two networks.
    nameable: bool,
    missing: Option<NetworkId>,
    gone: bool,
}

/// Views between two looks.
fn due(unsettled: bool) -> u32 {
    if unsettled { DUE_UNSETTLED } else { DUE }
}

impl Looks {
    /// Whether the response of a view is to be compared with the last look, or a look is due. Counts the view if not: then its
    /// entity tag is all that is [compared](Self::compare).
    pub(crate) fn is_asked_about(&mut self, network: NetworkId, unsettled: bool) -> bool {
        let Some(last) = self.last.filter(|_| self.tag.is_some()) else { return true };
        if last.of_files {
            return false;
        }
        if !(self.settled || last.alone || last.network == network) || self.views + 1 >= due(unsettled) {
            return true;
        }
        self.views += 1;
        false
    }

    /// The entity tag of the response of a view that was not asked about. Where it is another, the next view is.
    pub(crate) fn compare(&mut self, tag: Option<&HeaderValue>) {
        if tag != self.tag.as_ref() {
            self.tag = None;
        }
    }

    /// [`wants`](Self::wants) did not want the response with this entity tag.
    pub(crate) fn note_tag(&mut self, tag: Option<&HeaderValue>, seen: &Seen) {
        let same = self.last.is_some_and(|last| last.validator == seen.validator && last.of_files == seen.of_files);
        self.tag = tag.filter(|tag| same && tag.len() <= MAX_TAG_BYTES).cloned();
    }

    /// Whether the response of a view shall be read.
    pub(crate) fn wants(&mut self, seen: &Seen) -> bool {
        let Some(last) = self.last else { return true };
        let changed = if seen.validator == 0 {
            seen.length != 0 && seen.length != last.length
        } else {
            seen.validator != last.validator
        };
        if seen.of_files && seen.validator != 0 {
            return changed;
        }
        self.views = self.views.saturating_add(1);
        let falls_due = self.views >= due(seen.unsettled);
        if falls_due {
            // One copy is enough, however long it waits to be read.
            self.views = 0;
        }
        falls_due
            || (changed && self.idle < IDLE_LOOKS)
            || (!self.settled && !seen.alone && seen.network != last.network)
    }

    /// Whether a document with this hash is the one that was read last, and says nothing that is still to be confirmed: then
    /// it need not be read again, and counts as a look.
    pub(crate) fn knows(&mut self, content: u64, seen: &Seen) -> bool {
        let confirmed = |last: Seen| {
            let nameable = || self.paths.iter().all(|(_, known)| known.nameable || known.gone);
            content == self.content && self.settled && (!seen.public || (last.public && nameable()))
        };
        let knows = self.last.is_some_and(confirmed);
        if knows {
            (self.last, self.views, self.tag) = (Some(*seen), 0, None);
        }
        knows
    }

    /// Notes the hash of the document that the last look was at.
    pub(crate) fn looked_at(&mut self, content: u64) {
        self.content = content;
    }

    /// Takes in what a look at a document of so many bytes found. Returns whether the statements are others now.
    pub(crate) fn take(&mut self, look: Look, seen: &Seen, bytes: usize) -> bool {
        let enough = |before: NetworkId| seen.alone || before != seen.network;
        let mut differs = false;
        let mut changed = self.last.is_none();
        let named: HashSet<Arc<str>> = look.statements.iter().map(|(path, _)| Arc::clone(path)).collect();
        let places: HashMap<Arc<str>, usize> =
            self.paths.iter().enumerate().map(|(at, (path, _))| (Arc::clone(path), at)).collect();
        for (path, says) in look.statements {
            let Some((_, known)) = places.get(&path).and_then(|at| self.paths.get_mut(*at)) else {
                let named = seen.public.then_some(seen.network);
                let nameable = seen.public && seen.alone;
                let known = Known { says, otherwise: None, named, nameable, missing: None, gone: false };
                self.paths.push((path, known));
                (differs, changed) = (true, true);
                continue;
            };
            changed |= known.gone;
            (known.missing, known.gone) = (None, false);
            if known.says == says {
                known.otherwise = None;
            } else {
                differs = true;
                let mut networks = match known.otherwise.take() {
                    Some((other, networks)) if other == says => networks,
                    _ => Vec::new(),
                };
                if !networks.contains(&seen.network) {
                    networks.push(seen.network);
                }
                if seen.alone || networks.len() >= seen.gate.max(2) {
                    (known.says, changed) = (says, true);
                } else {
                    known.otherwise = Some((says, networks));
                }
            }
            if seen.public && !known.nameable {
                let before = *known.named.get_or_insert(seen.network);
                if enough(before) {
                    (known.nameable, changed) = (true, true);
                }
            }
        }
        // A maintenance page or a variant for one client is short, and says nothing of what is gone.
        if look.whole && bytes.saturating_mul(2) >= self.usual_bytes {
            for (path, known) in &mut self.paths {
                if named.contains(path) || known.gone {
                    continue;
                }
                differs = true;
                match known.missing {
                    Some(network) if enough(network) => known.gone = true,
                    None if seen.alone => known.gone = true,
                    Some(_) => {}
                    None => known.missing = Some(seen.network),
                }
                changed |= known.gone;
            }
            // Paths that are gone make room.
            if self.paths.len() > 512 {
                self.paths.retain(|(_, known)| !known.gone);
            }
        }
        if seen.public {
            changed |= self.preconnects != look.preconnects;
            self.preconnects = look.preconnects;
        }
        changed |= self.policy != look.policy || self.whole != look.whole;
        (self.policy, self.whole) = (look.policy, look.whole);
        self.usual_bytes = bytes.max(self.usual_bytes - self.usual_bytes / 4);
        let another = self.last.is_some_and(|last| last.network != seen.network);
        let revalidated = self.last.is_some_and(|last| (last.validator, last.length) != (seen.validator, seen.length));
        self.idle = if differs { 0 } else { self.idle.saturating_add(u8::from(revalidated)) };
        self.settled = !differs && (self.settled || another);
        (self.last, self.views, self.tag) = (Some(*seen), 0, None);
        changed
    }

    /// The page's statements, as all looks have them.
    pub(crate) fn statements(&self) -> Statements {
        let mut statements = Statements {
            preconnects: self.preconnects.clone(),
            policy: self.policy,
            whole: self.whole,
            ..Statements::default()
        };
        for (path, known) in &self.paths {
            let says = if known.gone { Statement::Not(Reason::Unnamed) } else { known.says.clone() };
            if known.nameable && matches!(&says, Statement::Hint(named) if named.essential) {
                statements.nameable.push(Arc::clone(path));
            }
            statements.by_path.insert((**path).into(), says);
        }
        statements
    }

    /// Bytes of heap, about: of this and of the statements made of it.
    pub(crate) fn bytes(&self) -> usize {
        let of = |says: &Statement| match says {
            Statement::Hint(named) => named.attributes.bytes(),
            Statement::Candidate(_) | Statement::Not(_) => 0,
        };
        let paths: usize = self
            .paths
            .iter()
            .map(|(path, known)| {
                let other = known.otherwise.as_ref().map_or(0, |(says, _)| of(says));
                2 * path.len() + size_of::<Known>() + 2 * size_of::<Statement>() + of(&known.says) + other + 64
            })
            .sum();
        let tag = self.tag.as_ref().map_or(0, HeaderValue::len);
        tag + paths + self.preconnects.iter().map(|(origin, _)| 2 * origin.len() + 64).sum::<usize>()
    }
}

//! A server's place in its fleet.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use headstart_fleet::{Fleet, Member};
use headstart_learn::Learner;

use crate::engine::Engine;
use crate::fingerprint::Fingerprints;

/// The fleet that is to be joined, and then the membership.
pub(crate) struct Membership {
    fleet: Mutex<Option<Fleet>>,
    member: OnceLock<Member>,
}

impl Membership {
    /// A place in a fleet. `fresh` is a learner that starts without a snapshot: what it had read before is gone with it.
    pub(crate) fn new(fleet: Fleet, state: Option<&Path>, fresh: bool) -> Self {
        let fleet = match state.map(|state| std::fs::read(beside(state))) {
            _ if fresh => fleet.forget(),
            Some(Ok(bytes)) => fleet.resume(bytes),
            _ => fleet,
        };
        Membership { fleet: Mutex::new(Some(fleet)), member: OnceLock::new() }
    }

    /// Joins the fleet, unless that has been done.
    pub(crate) fn join(&self, engine: &Arc<Engine>) {
        let fleet = self.fleet.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(fleet) = fleet {
            let clock = Arc::clone(engine);
            let _ = self.member.set(fleet.join(Arc::clone(engine), move || clock.now()));
        }
    }

    /// The membership, if the fleet was joined.
    pub(crate) fn member(&self) -> Option<&Member> {
        self.member.get()
    }

    /// The memory of what was read so far, if the fleet was joined.
    pub(crate) fn memory(&self) -> Option<Vec<u8>> {
        self.member.get().map(Member::remember)
    }
}

impl fmt::Debug for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Membership").field("member", &self.member.get()).finish_non_exhaustive()
    }
}

/// The cookies and the key of identities of a server: in a fleet the key of cookies can be rotated, and networks have to
/// stay who they are.
pub(crate) fn keyed(
    fleet: Option<&Fleet>,
    fingerprints: Option<Fingerprints>,
    identity_key: [u8; 16],
) -> (Option<Fingerprints>, [u8; 16]) {
    let Some(keys) = fleet.map(Fleet::keys) else { return (fingerprints, identity_key) };
    let rotating = fingerprints.map(|known| known.rotating(keys.cookie(), keys.previous_cookie()));
    (rotating, keys.evidence())
}

/// The file beside a file of state that says what had been read of others.
pub(crate) fn beside(state: &Path) -> PathBuf {
    let mut name = state.file_name().unwrap_or_default().to_owned();
    name.push(".fleet");
    state.with_file_name(name)
}

impl AsRef<Learner> for Engine {
    fn as_ref(&self) -> &Learner {
        &self.learner
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

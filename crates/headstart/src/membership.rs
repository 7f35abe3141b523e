//! A server's place in its fleet.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use headstart_fleet::{Fleet, Member, Status};
use headstart_learn::Learner;

use crate::Headstart;
use crate::builder::Builder;
use crate::engine::Engine;

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

    /// What was read so far, if the fleet was joined.
    pub(crate) fn memory(&self) -> Option<Vec<u8>> {
        self.member.get().map(Member::remember)
    }
}

impl fmt::Debug for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Membership").field("member", &self.member.get()).finish_non_exhaustive()
    }
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

impl Builder {
    /// Joins a fleet: what visits say at one of its servers is learned by all, and the cookies of one are understood by the
    /// others. Its keys take the place of [`secret`](Self::secret).
    ///
    /// [`Headstart::serve`] joins it, and a program that uses the layer alone calls [`Headstart::join_fleet`]. Nothing waits
    /// for the fleet. With [`state`](Self::state), a file beside it says what had been read, so that nothing counts twice
    /// after a restart.
    ///
    /// ```
    /// use headstart::Headstart;
    /// use headstart::fleet::{Directory, Fleet, Keys};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let shared = directory.path();
    /// let fleet = Fleet::new(Directory::new(shared), Keys::random()?, "web-1")?;
    /// let headstart = Headstart::builder().fleet(fleet).build()?;
    /// assert!(headstart.fleet_status().is_none(), "not joined yet");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fleet(mut self, fleet: Fleet) -> Self {
        let keys = fleet.keys();
        let mut secret = [0; 32];
        let both = keys.cookie().into_iter().chain(keys.evidence());
        secret.iter_mut().zip(both).for_each(|(place, byte)| *place = byte);
        self = self.secret(secret);
        self.fleet = Some(fleet);
        self
    }
}

impl Headstart {
    /// Joins the fleet of [`Builder::fleet`] on the current tokio runtime, unless that has been done or there is none.
    /// Returns at once.
    pub fn join_fleet(&self) {
        let Some(membership) = &self.fleet else { return };
        let fleet = membership.fleet.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(fleet) = fleet {
            let (engine, clock) = (Arc::clone(&self.engine), Arc::clone(&self.engine));
            let _ = membership.member.set(fleet.join(engine, move || clock.now()));
        }
    }

    /// How this server fares in its fleet; `None` if it has joined none.
    pub fn fleet_status(&self) -> Option<Status> {
        self.fleet.as_ref()?.member.get().map(Member::status)
    }

    /// Tells the fleet what it has not been told, and leaves it; within `patience`.
    pub async fn leave_fleet(&self, patience: Duration) {
        if let Some(member) = self.fleet.as_ref().and_then(|membership| membership.member.get()) {
            member.leave(patience).await;
        }
    }

    /// What was read of the other servers, for [`Fleet::resume`] together with a [`snapshot`](Self::snapshot) that was taken
    /// before; `None` without a fleet. Store it first.
    pub fn fleet_memory(&self) -> Option<Vec<u8>> {
        self.fleet.as_ref()?.memory()
    }
}

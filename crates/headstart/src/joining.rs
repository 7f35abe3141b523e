//! Builders and handles of servers of a fleet.

use std::time::Duration;

use headstart_fleet::{Fleet, Member, Status};

use crate::Headstart;
use crate::builder::Builder;

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
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn join_fleet(&self) {
        if let Some(membership) = &self.fleet {
            membership.join(&self.engine);
        }
    }

    /// How this server fares in its fleet; `None` if it has joined none.
    pub fn fleet_status(&self) -> Option<Status> {
        self.fleet.as_ref()?.member().map(Member::status)
    }

    /// Tells the fleet what it has not been told, and leaves it; within `patience`.
    pub async fn leave_fleet(&self, patience: Duration) {
        if let Some(member) = self.fleet.as_ref().and_then(|membership| membership.member()) {
            member.leave(patience).await;
        }
    }

    /// The record of what was read of the other servers, for [`Fleet::resume`] together with a [`snapshot`](Self::snapshot)
    /// that was taken before; `None` without a fleet. Store it first.
    pub fn fleet_memory(&self) -> Option<Vec<u8>> {
        self.fleet.as_ref()?.memory()
    }
}

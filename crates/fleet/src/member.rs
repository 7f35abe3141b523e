//! A server that has joined its fleet.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use headstart_learn::{Learner, Time};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::fleet::Fleet;
use crate::shared::{Clock, Shared};
use crate::status::Status;
use crate::worker::Worker;

/// A server's membership, which lasts until this is dropped. Nothing ever waits for the exchange but
/// [`leave`](Self::leave).
pub struct Member {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
    remember: Box<dyn Fn() -> Vec<u8> + Send + Sync>,
}

impl Fleet {
    /// Joins the fleet with a task of its own on the current runtime. Returns at once, whether the exchange can be reached
    /// or not. `clock` gives milliseconds since 1970. Dropping the member ends its task; [`Member::leave`] says good-bye.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn join<L>(self, learner: Arc<L>, clock: impl Fn() -> Time + Send + Sync + 'static) -> Member
    where
        L: AsRef<Learner> + fmt::Debug + Send + Sync + 'static,
    {
        Member::new(self, learner, Arc::new(clock))
    }
}

impl Member {
    pub(crate) fn new<L>(fleet: Fleet, learner: Arc<L>, clock: Clock) -> Self
    where
        L: AsRef<Learner> + fmt::Debug + Send + Sync + 'static,
    {
        let shared = Arc::new(Shared::default());
        let (stop, stopped) = watch::channel(false);
        let worker = Worker::new(fleet, learner, Arc::clone(&clock), Arc::clone(&shared));
        let (node, seen) = (worker.node(), Arc::clone(&shared));
        let remember = move || {
            // Of cursor and entries, the cursor first: what is read again is known.
            let cursor = seen.cursor();
            let node = node.lock().unwrap_or_else(PoisonError::into_inner);
            node.remember(clock(), cursor.as_ref().map(|cursor| &*cursor.0))
        };
        let task = tokio::spawn(worker.run(stopped));
        Member { shared, stop, task: Mutex::new(Some(task)), remember: Box::new(remember) }
    }

    /// How this server fares.
    pub fn status(&self) -> Status {
        self.shared.status().clone()
    }

    /// What was read so far, for [`Fleet::resume`] in the next process of this server. It goes with a snapshot of the
    /// learner that was taken before, and has to be stored first: then nothing counts twice, whenever the process ends.
    pub fn remember(&self) -> Vec<u8> {
        (self.remember)()
    }

    /// Tells what has not been told, takes this server off the list of nodes and ends the task; within `patience`.
    pub async fn leave(&self, patience: Duration) {
        let _ = self.stop.send(true);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut task) = task
            && tokio::time::timeout(patience, &mut task).await.is_err()
        {
            task.abort();
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if let Some(task) = self.task.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("status", &*self.shared.status()).finish_non_exhaustive()
    }
}

//! State that the task of a member and its owner both see.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use headstart_learn::Time;

use crate::exchange::Cursor;
use crate::status::Status;

/// A clock: milliseconds since 1970.
pub(crate) type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// State that the task and its owner both see.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    status: Mutex<Status>,
    cursor: Mutex<Option<Cursor>>,
}

impl Shared {
    pub(crate) fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place in the log.
    pub(crate) fn cursor(&self) -> Option<Cursor> {
        self.cursor.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_cursor(&self, cursor: Option<Cursor>) {
        *self.cursor.lock().unwrap_or_else(PoisonError::into_inner) = cursor;
    }
}

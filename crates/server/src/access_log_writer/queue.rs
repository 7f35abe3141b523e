//! Records between the connections and the writer.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::record::Record;

/// Records waiting to be written, at most; each takes about 300 bytes besides the texts that it shares with its request.
/// When so many wait, further ones are lost and counted.
const WAITING: usize = 16_384;

/// How long the writer lets records gather, so that it is woken a hundred times a second at most.
const GATHER: Duration = Duration::from_millis(10);

#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    records: Vec<Record>,
    lost: u64,
    reopen: bool,
    closed: bool,
}

/// The writer's work to do.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) records: Vec<Record>,
    /// Records lost since the last time.
    pub(super) lost: u64,
    pub(super) reopen: bool,
    /// Nothing comes after this.
    pub(super) last: bool,
}

impl Queue {
    /// Adds a record; `false` if there is no room.
    pub(super) fn push(&self, record: Record) -> bool {
        let mut state = self.lock();
        if state.records.len() >= WAITING || state.closed {
            state.lost += 1;
            return false;
        }
        state.records.push(record);
        let first = state.records.len() == 1;
        drop(state);
        if first {
            self.wake.notify_one();
        }
        true
    }

    pub(super) fn reopen(&self) {
        self.lock().reopen = true;
        self.wake.notify_one();
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_one();
    }

    /// Waits for something to do. `spare` takes the place of the records, so that no memory is allocated again.
    pub(super) fn next(&self, spare: Vec<Record>) -> Work {
        let idle = |state: &mut State| state.records.is_empty() && !state.reopen && !state.closed;
        let state = self.wake.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        let gathering = |state: &mut State| state.records.len() < WAITING / 2 && !state.reopen && !state.closed;
        let waited = self.wake.wait_timeout_while(state, GATHER, gathering);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        Work {
            records: std::mem::replace(&mut state.records, spare),
            lost: std::mem::take(&mut state.lost),
            reopen: std::mem::take(&mut state.reopen),
            last: state.closed,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! An exchange inside of one process, for tests and simulations.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::exchange::{Batch, Cursor, Exchange, Pending};

/// Most entries of its log.
const MAX_ENTRIES: usize = 1000;

/// An exchange inside of one process. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    epoch: u64,
    first: u64,
    log: VecDeque<Vec<u8>>,
    base: Option<Vec<u8>>,
    nodes: HashMap<String, Vec<u8>>,
    writer: Option<(String, Instant)>,
}

impl Memory {
    /// An empty exchange.
    pub fn new() -> Self {
        Memory::default()
    }

    /// Forgets everything, as an engine does that was flushed.
    pub fn flush(&self) {
        let mut inner = self.lock();
        *inner = Inner { epoch: inner.epoch + 1, ..Inner::default() };
    }

    /// A copy of all that is stored: entries, base, what nodes say of themselves.
    pub fn contents(&self) -> Vec<Vec<u8>> {
        let inner = self.lock();
        inner.log.iter().chain(&inner.base).chain(inner.nodes.values()).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exchange for Memory {
    fn publish<'a>(&'a self, entry: &'a [u8]) -> Pending<'a, ()> {
        Box::pin(async move {
            let mut inner = self.lock();
            inner.log.push_back(entry.to_vec());
            if inner.log.len() > MAX_ENTRIES {
                inner.log.pop_front();
                inner.first += 1;
            }
            Ok(())
        })
    }

    fn read<'a>(&'a self, after: Option<&'a Cursor>, bytes: usize) -> Pending<'a, Batch> {
        Box::pin(async move {
            let inner = self.lock();
            let place = after
                .and_then(|cursor| cursor.0.split_once('-'))
                .and_then(|(epoch, next)| Some((epoch.parse::<u64>().ok()?, next.parse::<u64>().ok()?)));
            let restarted = place.is_some_and(|(epoch, _)| epoch != inner.epoch);
            let next = place.filter(|_| !restarted).map_or(inner.first, |(_, next)| next.max(inner.first));
            let skipped = usize::try_from(next - inner.first).unwrap_or(usize::MAX);
            let (mut entries, mut read) = (Vec::new(), 0);
            for entry in inner.log.iter().skip(skipped) {
                if read > 0 && read + entry.len() > bytes {
                    break;
                }
                read += entry.len();
                entries.push(entry.clone());
            }
            let next = next + entries.len() as u64;
            let more = next < inner.first + inner.log.len() as u64;
            Ok(Batch { entries, cursor: Some(Cursor(format!("{}-{next}", inner.epoch))), restarted, more })
        })
    }

    fn base(&self) -> Pending<'_, Option<Vec<u8>>> {
        Box::pin(async move { Ok(self.lock().base.clone()) })
    }

    fn write_base<'a>(&'a self, base: &'a [u8]) -> Pending<'a, ()> {
        Box::pin(async move {
            self.lock().base = Some(base.to_vec());
            Ok(())
        })
    }

    fn lease<'a>(&'a self, holder: &'a str, time: Duration) -> Pending<'a, bool> {
        Box::pin(async move {
            let (mut inner, now) = (self.lock(), Instant::now());
            let free = inner.writer.as_ref().is_none_or(|(other, until)| other == holder || *until < now);
            if free {
                inner.writer = Some((holder.to_owned(), now + time));
            }
            Ok(free)
        })
    }

    fn announce<'a>(&'a self, node: &'a str, status: &'a [u8]) -> Pending<'a, ()> {
        Box::pin(async move {
            self.lock().nodes.insert(node.to_owned(), status.to_vec());
            Ok(())
        })
    }

    fn nodes(&self) -> Pending<'_, Vec<Vec<u8>>> {
        Box::pin(async move { Ok(self.lock().nodes.values().cloned().collect()) })
    }

    fn leave<'a>(&'a self, node: &'a str) -> Pending<'a, ()> {
        Box::pin(async move {
            self.lock().nodes.remove(node);
            Ok(())
        })
    }

    fn place(&self) -> String {
        "memory of this process".into()
    }
}

//! The sites that are learned.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::keys::Keys;
use crate::site::Site;
use crate::sync::{RwLock, read, write};

/// Longest authority, in bytes: a DNS name and a port.
const MAX_AUTHORITY: usize = 261;

/// A table of authorities that fills and never empties.
pub(crate) struct Sites {
    max: usize,
    table: RwLock<Table>,
}

struct Table {
    by_salt: HashMap<u64, u16, FixedState>,
    names: Vec<Box<str>>,
}

impl Sites {
    pub(crate) fn new(max: usize, seed: u64) -> Self {
        let by_salt = HashMap::with_hasher(FixedState::with_seed(seed));
        Self { max, table: RwLock::new(Table { by_salt, names: Vec::new() }) }
    }

    /// The site of this authority, if it is registered.
    pub(crate) fn find(&self, keys: &Keys, authority: &str) -> Option<Site> {
        let salt = keys.authority(authority);
        read(&self.table).by_salt.get(&salt).map(|index| Site { index: *index, salt })
    }

    /// The site of this authority, registered if there is room.
    pub(crate) fn register(&self, keys: &Keys, authority: &str) -> Option<Site> {
        if let Some(site) = self.find(keys, authority) {
            return Some(site);
        }
        let salt = keys.authority(authority);
        if authority.is_empty() || authority.len() > MAX_AUTHORITY {
            return None;
        }
        let mut table = write(&self.table);
        if let Some(index) = table.by_salt.get(&salt) {
            return Some(Site { index: *index, salt });
        }
        let index = u16::try_from(table.names.len()).ok()?;
        if table.names.len() >= self.max {
            return None;
        }
        table.names.push(authority.into());
        table.by_salt.insert(salt, index);
        Some(Site { index, salt })
    }

    /// The authorities in the order of their numbers.
    pub(crate) fn names(&self) -> Vec<Box<str>> {
        read(&self.table).names.clone()
    }

    pub(crate) fn len(&self) -> usize {
        read(&self.table).names.len()
    }

    /// Bytes of heap.
    pub(crate) fn bytes(&self) -> usize {
        let table = read(&self.table);
        let names: usize = table.names.iter().map(|name| name.len() + size_of::<Box<str>>()).sum();
        names + table.by_salt.capacity() * 2 * size_of::<(u64, u16)>()
    }
}

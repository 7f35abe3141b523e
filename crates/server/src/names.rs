//! Each path of a log once, under a number.

use std::collections::HashMap;

/// The number of a path.
pub(crate) type NameId = u32;

/// Each path once.
#[derive(Debug, Default)]
pub(crate) struct Names {
    by_name: HashMap<Box<str>, NameId>,
    names: Vec<Box<str>>,
}

impl Names {
    pub(crate) fn intern(&mut self, name: &str) -> NameId {
        if let Some(id) = self.by_name.get(name) {
            return *id;
        }
        let id = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.by_name.insert(name.into(), id);
        self.names.push(name.into());
        id
    }

    pub(crate) fn find(&self, name: &str) -> Option<NameId> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn get(&self, id: NameId) -> &str {
        self.names.get(id as usize).map_or("", |name| name)
    }
}

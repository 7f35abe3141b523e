//! The sites that are learned.

use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;

use crate::keys::Keys;
use crate::newcomers::Newcomers;
use crate::site::Site;
use crate::standing::{MOST, Standing};
use crate::sync::{RwLock, read, write};

/// Longest authority, in bytes: a DNS name and a port.
const MAX_AUTHORITY: usize = 261;

/// A table of authorities. A site takes a free place; when there is none, it takes that of another if more networks were
/// shown its pages of late than of that one, and enough to pass the network gate.
pub(crate) struct Sites {
    max: usize,
    /// Networks that a site needs in order to displace another.
    gate: u32,
    table: RwLock<Table>,
}

struct Table {
    by_salt: HashMap<u64, u16, FixedState>,
    entries: Vec<Entry>,
    /// Sites that are displaced by none, by their salts; with a place or without.
    pinned: HashSet<u64, FixedState>,
    newcomers: Newcomers,
}

struct Entry {
    name: Box<str>,
    salt: u64,
    standing: Standing,
}

/// Whether a site has a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Has(Site),
    /// It may take that of another: [`Sites::displace`].
    MayDisplace,
    None,
}

/// A site that took the place of another.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) site: Site,
    /// The other's name.
    pub(crate) displaced: Box<str>,
}

impl Sites {
    /// Room for `max` sites, and `bytes` for what is remembered of those without a place.
    pub(crate) fn new(max: usize, gate: u32, bytes: usize, seed: u64) -> Self {
        let table = Table {
            by_salt: HashMap::with_hasher(FixedState::with_seed(seed)),
            entries: Vec::new(),
            pinned: HashSet::with_hasher(FixedState::with_seed(seed)),
            newcomers: Newcomers::new(bytes),
        };
        Self { max, gate: gate.clamp(1, MOST), table: RwLock::new(table) }
    }

    /// The site of this authority, if it is registered.
    pub(crate) fn find(&self, keys: &Keys, authority: &str) -> Option<Site> {
        read(&self.table).site(keys.authority(authority))
    }

    /// Whether the site has its place still.
    pub(crate) fn has(&self, site: Site) -> bool {
        read(&self.table).site(site.salt) == Some(site)
    }

    /// The site of this authority, registered if there is room.
    pub(crate) fn register(&self, keys: &Keys, authority: &str) -> Option<Site> {
        if let Some(site) = self.find(keys, authority) {
            return Some(site);
        }
        let salt = keys.authority(authority);
        if !is_name(authority) {
            return None;
        }
        let mut table = write(&self.table);
        table.site(salt).or_else(|| table.add(self.max, salt, authority, Standing::default()))
    }

    /// A page of this authority was shown to a network on this day.
    pub(crate) fn shown(&self, keys: &Keys, authority: &str, network: u64, day: u16) -> Place {
        let salt = keys.authority(authority);
        let network = keys.network(network);
        {
            let table = read(&self.table);
            if let Some((site, entry)) = table.entry(salt)
                && entry.standing.has(network, day)
            {
                return Place::Has(site);
            }
        }
        let mut table = write(&self.table);
        if let Some(site) = table.site(salt) {
            if let Some(entry) = table.entries.get_mut(usize::from(site.index)) {
                entry.standing.saw(network, day);
            }
            return Place::Has(site);
        }
        if !is_name(authority) {
            return Place::None;
        }
        let mut standing = Standing::default();
        standing.saw(network, day);
        if let Some(site) = table.add(self.max, salt, authority, standing) {
            return Place::Has(site);
        }
        let networks = table.newcomers.vote(salt, network);
        if table.pinned.contains(&salt) || networks >= self.gate { Place::MayDisplace } else { Place::None }
    }

    /// Gives a site that has shown itself to enough networks the place of the one that the fewest know, if it is better
    /// known than that. The caller holds the model, from which what was known of the other has to go.
    pub(crate) fn displace(&self, keys: &Keys, authority: &str, network: u64, day: u16) -> Option<Taken> {
        let salt = keys.authority(authority);
        let network = keys.network(network);
        let mut table = write(&self.table);
        if table.site(salt).is_some() {
            return None;
        }
        let networks = table.newcomers.vote(salt, network);
        let more_than = |others: u32| networks >= self.gate && networks > others;
        let mut standing = Standing::inherited(networks, day);
        standing.saw(network, day);
        table.replace(salt, authority, standing, day, more_than)
    }

    /// Gives a site of a snapshot a place, if need be that of one that fewer networks know. The caller holds the model.
    pub(crate) fn restore(
        &self,
        keys: &Keys,
        authority: &str,
        (networks, last): (u32, u16),
        day: u16,
    ) -> (Option<Site>, Option<Taken>) {
        let salt = keys.authority(authority);
        if !is_name(authority) {
            return (None, None);
        }
        let standing = Standing::inherited(networks, last);
        let known = standing.networks(day);
        let mut table = write(&self.table);
        if let Some(site) = table.site(salt) {
            if let Some(entry) = table.entries.get_mut(usize::from(site.index)) {
                entry.standing.join(networks, last);
            }
            return (Some(site), None);
        }
        if let Some(site) = table.add(self.max, salt, authority, standing) {
            return (Some(site), None);
        }
        let taken = table.replace(salt, authority, standing, day, |others| known >= self.gate && known > others);
        (taken.as_ref().map(|taken| taken.site), taken)
    }

    /// From now on these authorities are displaced by none, and displace any other.
    pub(crate) fn pin<'a>(&self, keys: &Keys, authorities: impl Iterator<Item = &'a str>) {
        let mut table = write(&self.table);
        table.pinned.clear();
        table.pinned.extend(authorities.map(|authority| keys.authority(authority)));
    }

    /// The authorities in the order of their numbers.
    pub(crate) fn names(&self) -> Vec<Box<str>> {
        read(&self.table).entries.iter().map(|entry| entry.name.clone()).collect()
    }

    pub(crate) fn len(&self) -> usize {
        read(&self.table).entries.len()
    }

    /// Bytes of heap.
    pub(crate) fn bytes(&self) -> usize {
        let table = read(&self.table);
        let names: usize = table.entries.iter().map(|entry| entry.name.len() + size_of::<Entry>()).sum();
        names
            + table.by_salt.capacity() * 2 * size_of::<(u64, u16)>()
            + table.pinned.capacity() * 2 * size_of::<u64>()
            + table.newcomers.bytes()
    }
}

impl Table {
    fn site(&self, salt: u64) -> Option<Site> {
        self.by_salt.get(&salt).map(|index| Site { index: *index, salt })
    }

    fn entry(&self, salt: u64) -> Option<(Site, &Entry)> {
        let site = self.site(salt)?;
        Some((site, self.entries.get(usize::from(site.index))?))
    }

    /// Registers a site in a free place.
    fn add(&mut self, max: usize, salt: u64, authority: &str, standing: Standing) -> Option<Site> {
        let index = u16::try_from(self.entries.len()).ok()?;
        if self.entries.len() >= max {
            return None;
        }
        self.entries.push(Entry { name: authority.into(), salt, standing });
        self.by_salt.insert(salt, index);
        Some(Site { index, salt })
    }

    /// Registers a site in the place of the one that the fewest networks know, if that may be.
    fn replace(
        &mut self,
        salt: u64,
        authority: &str,
        standing: Standing,
        day: u16,
        may: impl Fn(u32) -> bool,
    ) -> Option<Taken> {
        let pinned = self.pinned.contains(&salt);
        let others = self.entries.iter().enumerate().filter(|(_, entry)| !self.pinned.contains(&entry.salt));
        let (at, networks) =
            others.map(|(at, entry)| (at, entry.standing.networks(day))).min_by_key(|(_, networks)| *networks)?;
        if !pinned && !may(networks) {
            return None;
        }
        let index = u16::try_from(at).ok()?;
        let entry = self.entries.get_mut(at)?;
        let other = std::mem::replace(entry, Entry { name: authority.into(), salt, standing });
        self.by_salt.remove(&other.salt);
        self.by_salt.insert(salt, index);
        self.newcomers.forget(salt);
        Some(Taken { site: Site { index, salt }, displaced: other.name })
    }
}

/// Whether an authority can be one.
fn is_name(authority: &str) -> bool {
    !authority.is_empty() && authority.len() <= MAX_AUTHORITY
}

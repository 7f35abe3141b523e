//! Writes a delta.

use std::collections::{HashMap, HashSet};

use super::{
    CORS, FETCHED, FRESH, Head, IMMUTABLE, LATE, NAMED, NAMED_PAGE, NEXT, OTHER_PATH, Outgoing, PERSONAL, QUERY, STEM,
    TEMPLATE, URGENT, VERSION,
};
use crate::asset::Freshness;
use crate::clock::Tick;
use crate::node::Evidence;
use crate::observation::ClientClass;
use crate::told::Told;
use crate::visit_evidence::{Item, MAX_SAMPLED, PageKeys, VisitEvidence};
use crate::witnesses::{Scope, seconds};

/// Numbers things in the order in which they are first met.
struct Table<K> {
    places: HashMap<K, usize>,
    rows: Vec<K>,
}

impl<K: Copy + Eq + std::hash::Hash> Table<K> {
    fn new() -> Self {
        Self { places: HashMap::new(), rows: Vec::new() }
    }

    fn place(&mut self, key: K) -> usize {
        *self.places.entry(key).or_insert_with(|| {
            self.rows.push(key);
            self.rows.len() - 1
        })
    }
}

/// Writes a delta; `sites` are the authorities in the order of their numbers.
pub(crate) fn write(head: Head, sites: &[Box<str>], outgoing: &Outgoing) -> Vec<u8> {
    let mut site_table = Table::new();
    let mut assets: Table<(u16, u64, u64)> = Table::new();
    let mut pages: Table<(u16, PageKeys)> = Table::new();
    let mut networks = Table::new();
    let mut body = Vec::new();
    put(&mut body, outgoing.visits.len() as u64);
    for visit in &outgoing.visits {
        let site = visit.site.index;
        put(&mut body, pages.place((site, visit.page)) as u64);
        put(&mut body, networks.place(visit.network) as u64);
        write_visit(visit, head.tick, &mut body);
        put(&mut body, visit.items.len() as u64);
        let (mut next, mut next_rank) = (0usize, 0u16);
        for item in &visit.items {
            let place = assets.place((site, item.asset, item.stem));
            put_distance(&mut body, next, place);
            next = place + 1;
            write_item(item, &mut next_rank, &mut body);
        }
    }
    put(&mut body, outgoing.gone.len() as u64);
    for gone in &outgoing.gone {
        body.extend(gone.key.to_le_bytes());
        put(&mut body, u64::from(seconds(head.tick).saturating_sub(gone.second)));
        body.extend(gone.tag.to_le_bytes());
    }
    // Names that no visit brings along.
    let met: HashSet<u64> = assets.rows.iter().map(|(_, hash, _)| *hash).collect();
    for (hash, told) in outgoing.assets.iter().filter(|(hash, told)| told.shown.is_some() && !met.contains(hash)) {
        assets.place((told.site, *hash, told.stem));
    }

    let mut tables = Vec::new();
    put(&mut tables, assets.rows.len() as u64);
    for (site, hash, stem) in &assets.rows {
        put(&mut tables, site_table.place(*site) as u64);
        write_asset((*hash, *stem), outgoing.assets.get(hash), &mut tables);
    }
    put(&mut tables, pages.rows.len() as u64);
    for (site, keys) in &pages.rows {
        put(&mut tables, site_table.place(*site) as u64);
        write_page(keys, outgoing.pages.get(&keys.path).map(|name| &**name), &mut tables);
    }
    put(&mut tables, networks.rows.len() as u64);
    tables.extend(networks.rows.iter().flat_map(|network| network.to_le_bytes()));

    let mut out = vec![VERSION];
    out.extend(head.fingerprint.to_le_bytes());
    put(&mut out, head.half_life);
    put(&mut out, head.tick.0);
    put(&mut out, site_table.rows.len() as u64);
    for site in &site_table.rows {
        put_text(&mut out, sites.get(usize::from(*site)).map_or("", |authority| authority));
    }
    out.extend(tables);
    out.extend(body);
    out
}

fn write_asset((hash, stem): (u64, u64), told: Option<&Told>, out: &mut Vec<u8>) {
    let shown = told.and_then(|told| told.shown.as_ref());
    let known = shown.map(|(_, metadata)| *metadata).unwrap_or_default();
    out.push(
        flag(stem != 0, STEM)
            | flag(shown.is_some(), NAMED)
            | flag(told.is_some_and(|told| told.personal), PERSONAL)
            | flag(known.cors, CORS)
            | flag(known.freshness != Freshness::Stale, FRESH)
            | flag(known.freshness == Freshness::Immutable, IMMUTABLE),
    );
    out.extend(hash.to_le_bytes());
    if stem != 0 {
        out.extend(stem.to_le_bytes());
    }
    if let Some((path, metadata)) = shown {
        out.push(metadata.destination as u8);
        put(out, metadata.bytes);
        out.extend(metadata.validator.to_le_bytes());
        put_text(out, path);
    }
}

fn write_page(keys: &PageKeys, name: Option<&str>, out: &mut Vec<u8>) {
    let other = keys.page != keys.path;
    out.push(
        flag(keys.template.is_some(), TEMPLATE)
            | flag(keys.query.is_some(), QUERY)
            | flag(name.is_some(), NAMED_PAGE)
            | flag(other, OTHER_PATH),
    );
    let others = [other.then_some(keys.path), Some(keys.section), keys.template, keys.query];
    for key in std::iter::once(keys.page).chain(others.into_iter().flatten()) {
        out.extend(key.to_le_bytes());
    }
    if let Some(name) = name {
        put_text(out, name);
    }
}

fn write_visit(visit: &VisitEvidence, now: Tick, out: &mut Vec<u8>) {
    let bit = |set: bool, at: u32| u16::from(set) << at;
    let scope = match visit.scope {
        Scope::Full => 0u16,
        Scope::Assisted => 1,
        Scope::PositiveOnly => 2,
    };
    put(out, now.0.saturating_sub(visit.opened.0));
    let flags = u16::from(visit.kind.min(3))
        | scope << 2
        | bit(visit.is_witness, 4)
        | bit(visit.class == ClientClass::Phone, 5)
        | bit(visit.personal, 6)
        | bit(visit.queried, 7)
        | bit(visit.held_out, 8)
        | u16::from(visit.sampled.min(MAX_SAMPLED)) << 12;
    out.extend(flags.to_le_bytes());
    if visit.is_witness {
        out.extend(visit.tag.to_le_bytes());
    }
    if visit.held_out {
        out.extend(visit.share.to_le_bytes());
    }
}

fn write_item(item: &Item, next_rank: &mut u16, out: &mut Vec<u8>) {
    let Evidence::Fetched(hit) = item.evidence else { return out.push(0) };
    let next = hit.rank == *next_rank;
    *next_rank = hit.rank.saturating_add(1);
    out.push(
        FETCHED
            | flag(hit.late, LATE)
            | flag(hit.urgency.is_some(), URGENT)
            | flag(next, NEXT)
            | hit.urgency.unwrap_or(0).min(7) << 4,
    );
    if !next {
        put(out, u64::from(hit.rank));
    }
}

fn flag(set: bool, bit: u8) -> u8 {
    if set { bit } else { 0 }
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// The way from one place to another: twice its length, and one more if it goes back.
fn put_distance(out: &mut Vec<u8>, from: usize, to: usize) {
    put(out, (to.abs_diff(from) as u64) << 1 | u64::from(to < from));
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, text.len() as u64);
    out.extend(text.as_bytes());
}

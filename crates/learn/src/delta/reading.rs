//! Reads a delta, which may be anything.

use super::{
    CORS, Delta, FETCHED, FRESH, Head, IMMUTABLE, LATE, NAMED, NAMED_PAGE, NEXT, NamedAsset, Names, OTHER_PATH,
    PERSONAL, QUERY, STEM, TEMPLATE, URGENT, VERSION,
};
use crate::accumulator::Gone;
use crate::asset::Freshness;
use crate::clock::Tick;
use crate::cursor::Cursor;
use crate::destination::Destination;
use crate::edge::Hit;
use crate::metadata::Metadata;
use crate::node::Evidence;
use crate::observation::ClientClass;
use crate::site::Site;
use crate::visit::{MAX_PATH, MAX_RECORDS};
use crate::visit_evidence::{Item, MAX_SAMPLED, PageKeys, VisitEvidence};
use crate::witnesses::{Scope, seconds};

/// The head of a delta, and what comes after it. `None` if it is malformed or of another version.
pub(crate) fn read_head(bytes: &[u8]) -> Option<(Head, Cursor<'_>)> {
    let mut cursor = Cursor(bytes);
    if cursor.u8()? != VERSION {
        return None;
    }
    let head = Head { fingerprint: cursor.u64()?, half_life: cursor.varint()?, tick: Tick(cursor.varint()?) };
    Some((head, cursor))
}

/// Reads what comes after the head. `site` gives the site of an authority, and `path` hashes a path of a site. `None` if
/// anything is malformed. Times that lie ahead of `now` by more than a minute are taken for `now`.
pub(crate) fn read(
    head: Head,
    mut cursor: Cursor<'_>,
    now: Tick,
    mut site: impl FnMut(&str) -> Option<Site>,
    path: impl Fn(Site, &str) -> u64,
) -> Option<Delta<'_>> {
    let mut sites = Vec::new();
    for _ in 0..cursor.count(1)? {
        sites.push(site(cursor.short_text(MAX_PATH)?));
    }
    let site_of = |number: u64| sites.get(usize::try_from(number).ok()?).copied();
    let mut names = Names::default();
    let mut assets = Vec::new();
    for _ in 0..cursor.count(10)? {
        let (site, flags, hash) = (site_of(cursor.varint()?)?, cursor.u8()?, cursor.u64()?);
        let stem = if flags & STEM == 0 { 0 } else { cursor.u64()? };
        if flags & PERSONAL != 0 {
            names.personal.insert(hash);
        }
        if flags & NAMED != 0 {
            let asset = read_named(flags, &mut cursor)?;
            // A name that is not that of its hash would give one asset the name of another.
            match site {
                Some(site) if path(site, asset.path) == hash => names.assets.insert(hash, asset),
                Some(_) => return None,
                None => None,
            };
        }
        assets.push((hash, stem));
    }
    let mut pages = Vec::new();
    for _ in 0..cursor.count(18)? {
        let site = site_of(cursor.varint()?)?;
        let (keys, name) = read_page(&mut cursor)?;
        match (site, name) {
            (Some(site), Some(name)) if path(site, name) == keys.path => names.pages.insert(keys.path, name),
            (Some(_), Some(_)) => return None,
            _ => None,
        };
        pages.push((site, keys));
    }
    let mut networks = Vec::new();
    for _ in 0..cursor.count(8)? {
        networks.push(cursor.u64()?);
    }
    let (mut visits, mut homeless) = (Vec::new(), 0);
    for _ in 0..cursor.count(6)? {
        let (page, network) = (cursor.index(&pages)?, cursor.index(&networks)?);
        let visit = read_visit(page.1, *network, (head.tick, now), &assets, &mut cursor)?;
        match page.0 {
            Some(site) => visits.push(VisitEvidence { site, ..visit }),
            None => homeless += 1,
        }
    }
    let mut gone = Vec::new();
    for _ in 0..cursor.count(11)? {
        let (key, age, tag) = (cursor.u64()?, cursor.varint()?, cursor.u16()?);
        let second = seconds(head.tick).saturating_sub(u32::try_from(age).unwrap_or(u32::MAX)).min(seconds(now));
        gone.push(Gone { key, second, tag });
    }
    (cursor.is_empty() && gone.iter().all(|gone| gone.tag != 0)).then_some(Delta { visits, gone, names, homeless })
}

fn read_named<'a>(flags: u8, cursor: &mut Cursor<'a>) -> Option<NamedAsset<'a>> {
    let metadata = Metadata {
        destination: Destination::from_code(cursor.u8()?)?,
        bytes: cursor.varint()?,
        validator: cursor.u64()?,
        cors: flags & CORS != 0,
        personal: flags & PERSONAL != 0,
        freshness: match (flags & IMMUTABLE, flags & FRESH) {
            (0, 0) => Freshness::Stale,
            (0, _) => Freshness::Fresh,
            _ => Freshness::Immutable,
        },
    };
    Some(NamedAsset { path: cursor.short_text(MAX_PATH)?, metadata })
}

fn read_page<'a>(cursor: &mut Cursor<'a>) -> Option<(PageKeys, Option<&'a str>)> {
    let (flags, page) = (cursor.u8()?, cursor.u64()?);
    let mut key = |bit| if flags & bit == 0 { Some(None) } else { cursor.u64().map(Some) };
    let path = key(OTHER_PATH)?.unwrap_or(page);
    let section = cursor.u64()?;
    let mut key = |bit| if flags & bit == 0 { Some(None) } else { cursor.u64().map(Some) };
    let keys = PageKeys { page, path, section, template: key(TEMPLATE)?, query: key(QUERY)? };
    let name = if flags & NAMED_PAGE == 0 { None } else { Some(cursor.short_text(MAX_PATH)?) };
    Some((keys, name))
}

fn read_visit(
    page: PageKeys,
    network: u64,
    (sent, now): (Tick, Tick),
    assets: &[(u64, u64)],
    cursor: &mut Cursor<'_>,
) -> Option<VisitEvidence> {
    const TOLERANCE: u64 = 60_000;
    let opened = sent.0.saturating_sub(cursor.varint()?);
    let opened = Tick(if opened > now.0.saturating_add(TOLERANCE) { now.0 } else { opened });
    let flags = cursor.u16()?;
    let bit = |at: u32| flags >> at & 1 == 1;
    let scope = match flags >> 2 & 3 {
        0 => Scope::Full,
        1 => Scope::Assisted,
        2 => Scope::PositiveOnly,
        _ => return None,
    };
    let tag = if bit(4) { cursor.u32()? } else { 0 };
    let share = if bit(8) { f32::from_bits(cursor.u32()?) } else { 1.0 };
    if !(0.125..=4.0).contains(&share) {
        return None;
    }
    let mut items = Vec::new();
    let (mut next, mut next_rank) = (0usize, 0u16);
    for _ in 0..cursor.count(2)? {
        let place = cursor.distance(next)?;
        next = place.checked_add(1)?;
        let (asset, stem) = *assets.get(place)?;
        items.push(Item { asset, stem, evidence: read_evidence(&mut next_rank, cursor)? });
    }
    if items.len() > MAX_RECORDS {
        return None;
    }
    Some(VisitEvidence {
        site: Site { index: 0, salt: 0 },
        page,
        network,
        kind: (flags & 3) as u8,
        opened,
        tag,
        class: if bit(5) { ClientClass::Phone } else { ClientClass::Other },
        scope,
        is_witness: bit(4),
        personal: bit(6),
        queried: bit(7),
        held_out: bit(8),
        share,
        sampled: ((flags >> 12) as u8).min(MAX_SAMPLED),
        items,
    })
}

fn read_evidence(next_rank: &mut u16, cursor: &mut Cursor<'_>) -> Option<Evidence> {
    let flags = cursor.u8()?;
    if flags & FETCHED == 0 {
        return Some(Evidence::Mute);
    }
    let rank = if flags & NEXT == 0 { u16::try_from(cursor.varint()?).ok()? } else { *next_rank };
    *next_rank = rank.saturating_add(1);
    let urgency = (flags & URGENT != 0).then_some(flags >> 4 & 7);
    Some(Evidence::Fetched(Hit { rank, late: flags & LATE != 0, urgency }))
}

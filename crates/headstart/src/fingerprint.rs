//! The cookie that says what a client holds.
//!
//! Our own cookie, before base64url:
//!
//! ```text
//!  byte   0         1..3            3..5            5..5+length    ..end
//!       ┌─────────┬───────────────┬───────────────┬──────────────┬──────────────┐
//!       │ version │ day on which  │ length of the │ younger set  │ older set    │
//!       │ 1       │ the younger   │ younger set   │ HeadstartV1  │ HeadstartV1  │
//!       │         │ set began     │ in bytes      │              │ (may be      │
//!       │         │ (big endian)  │ (big endian)  │              │ absent)      │
//!       └─────────┴───────────────┴───────────────┴──────────────┴──────────────┘
//! ```
//!
//! Caches forget, and so must the cookie: keys go into the younger set, and when that is half the lifetime old or
//! full it becomes the older one, whose keys are forgotten at the next turn. A key hashes the path and the asset's
//! validator, so an asset that changed is not held. Nothing in it differs between two clients that hold the same.

use headstart_gcs::{
    FixedRange, GoCasper, H2oCasper, HeadstartV1, Set, from_base64url, from_base64url_lenient, to_base64url,
};
use http::{HeaderMap, HeaderValue};

use crate::cookie;
use crate::cookie_format::CookieFormat;
use crate::key_ring::{Generations, KeyRing};

/// Name of our own cookie. The prefix makes browsers insist on `Secure`, `Path=/` and no `Domain`.
const OWN_NAME: &str = "__Host-headstart";

/// Keys of one generation: 2^8. Two full generations at [`REMAINDER_BITS`] are 610 bytes, 814 in base64url, so the
/// cookie stays below 1,024 (asserted by a test).
const CAPACITY_BITS: u32 = 8;
const MAX_KEYS: usize = 1 << CAPACITY_BITS;
/// One asset in 2^8 is wrongly taken as held when a generation is full; it is then fetched as if we were not there.
const REMAINDER_BITS: u32 = 8;

/// Most bytes that are read out of a cookie, 3,072 characters. A hostile cookie costs less than the request that carried it.
const MAX_BYTES: usize = 3_072 / 4 * 3;
/// Most keys that a cookie of another format may hold.
const MAX_FOREIGN_KEYS: usize = 512;

const VERSION: u8 = 1;
const LIFETIME_DAYS: u16 = 7;
/// A generation takes keys for this many days.
const GENERATION_DAYS: u16 = LIFETIME_DAYS.div_ceil(2);
const LIFETIME_SECONDS: u64 = LIFETIME_DAYS as u64 * 86_400;

/// Reads and makes fingerprints of one format.
#[derive(Clone)]
pub(crate) struct Fingerprints {
    format: Format,
}

#[derive(Clone)]
enum Format {
    Headstart(HeadstartV1),
    /// Our own, whose key can be rotated.
    #[cfg_attr(not(feature = "fleet"), allow(dead_code))]
    Rotating(KeyRing),
    GoCasper(GoCasper),
    H2oCasper(H2oCasper),
}

/// The assets that one client is known to hold.
#[derive(Clone, Debug)]
pub(crate) struct Fingerprint {
    held: Held,
    changed: bool,
}

#[derive(Clone, Debug)]
enum Held {
    Headstart { day: u16, younger: Set<HeadstartV1>, older: Option<Set<HeadstartV1>> },
    GoCasper(Set<GoCasper>),
    H2oCasper(Set<H2oCasper>),
}

/// The result of reading a cookie.
pub(crate) struct Read {
    pub(crate) fingerprint: Fingerprint,
    /// There was a cookie that could be read: it tells what the client holds.
    pub(crate) told: bool,
    /// The cookie was there and could not be read; it counts as empty.
    pub(crate) corrupt: bool,
}

impl Fingerprints {
    /// `None` for [`CookieFormat::Off`].
    ///
    /// # Errors
    ///
    /// The error says what is wrong with the parameters.
    pub(crate) fn new(format: CookieFormat, key: [u8; 16]) -> Result<Option<Self>, &'static str> {
        let format = match format {
            CookieFormat::Off => return Ok(None),
            CookieFormat::Headstart => Format::Headstart(HeadstartV1::new(key, REMAINDER_BITS, CAPACITY_BITS)),
            CookieFormat::GoCasper { keys, p } => {
                if !(64..=1 << 20).contains(&p) || !p.is_power_of_two() {
                    return Err("go-casper's p has to be a power of two from 64 to 1,048,576");
                }
                Format::GoCasper(GoCasper::checked(keys, p).ok_or("go-casper's number of keys is out of range")?)
            }
            CookieFormat::H2oCasper { capacity_bits } => {
                Format::H2oCasper(H2oCasper::checked(capacity_bits).ok_or("H2O's capacity bits have to be 1 to 15")?)
            }
        };
        Ok(Some(Fingerprints { format }))
    }

    /// The same with our own cookie under keys that can be rotated: the present one, and the one before it.
    #[cfg(feature = "fleet")]
    pub(crate) fn rotating(self, present: [u8; 16], previous: Option<[u8; 16]>) -> Self {
        let profile = |key| HeadstartV1::new(key, REMAINDER_BITS, CAPACITY_BITS);
        let format = match self.format {
            Format::Headstart(_) => Format::Rotating(KeyRing::new(present, previous, MAX_KEYS, profile)),
            other => other,
        };
        Fingerprints { format }
    }

    fn name(&self) -> &'static str {
        match self.format {
            Format::Headstart(_) | Format::Rotating(_) => OWN_NAME,
            Format::GoCasper(_) => "x-go-casper",
            Format::H2oCasper(_) => "h2o_casper",
        }
    }

    /// The value of the request's cookie, as it was set.
    pub(crate) fn cookie<'a>(&self, headers: &'a HeaderMap) -> Option<&'a [u8]> {
        cookie::find(headers, self.name()).map(str::as_bytes)
    }

    /// Reads the request's cookie on this day (days since 1970).
    pub(crate) fn read(&self, headers: &HeaderMap, today: u16) -> Read {
        let value = cookie::find(headers, self.name());
        match value.map(|value| self.decode(value, today)) {
            None => Read { fingerprint: self.empty(today), told: false, corrupt: false },
            Some(Some(held)) => Read { fingerprint: Fingerprint { held, changed: false }, told: true, corrupt: false },
            Some(None) => Read { fingerprint: self.empty(today), told: false, corrupt: true },
        }
    }

    fn empty(&self, today: u16) -> Fingerprint {
        let own = |profile| Held::Headstart { day: today, younger: Set::new(profile), older: None };
        let held = match &self.format {
            Format::Headstart(profile) => own(*profile),
            Format::Rotating(ring) => own(ring.present()),
            Format::GoCasper(profile) => Held::GoCasper(Set::new(*profile)),
            Format::H2oCasper(profile) => Held::H2oCasper(Set::new(*profile)),
        };
        Fingerprint { held, changed: false }
    }

    fn decode(&self, value: &str, today: u16) -> Option<Held> {
        match &self.format {
            Format::Headstart(profile) => {
                let found = decode_own(*profile, &from_base64url(value, MAX_BYTES).ok()?)?;
                turned(found, *profile, today)
            }
            Format::Rotating(ring) => {
                turned(ring.decode(&from_base64url(value, MAX_BYTES).ok()?)?, ring.present(), today)
            }
            Format::GoCasper(profile) => {
                let bytes = from_base64url_lenient(value, MAX_BYTES).ok()?;
                Some(Held::GoCasper(Set::decode(*profile, &bytes, MAX_FOREIGN_KEYS).ok()?))
            }
            Format::H2oCasper(profile) => {
                let bytes = from_base64url_lenient(value, MAX_BYTES).ok()?;
                Some(Held::H2oCasper(Set::decode(*profile, &bytes, MAX_FOREIGN_KEYS).ok()?))
            }
        }
    }

    /// The `Set-Cookie` field for a fingerprint that has changed; `None` if the client's own is good.
    pub(crate) fn set_cookie(&self, fingerprint: &Fingerprint) -> Option<HeaderValue> {
        if !fingerprint.changed {
            return None;
        }
        let bytes = match &fingerprint.held {
            Held::Headstart { day, younger, older } => match &self.format {
                Format::Rotating(ring) => ring.encode(*day, younger, older.as_ref()),
                _ => encode_own(*day, younger, older.as_ref()),
            },
            Held::GoCasper(set) => set.encode(),
            Held::H2oCasper(set) => set.encode(),
        };
        let (name, value) = (self.name(), to_base64url(&bytes));
        let field = format!("{name}={value}; Path=/; Max-Age={LIFETIME_SECONDS}; Secure; HttpOnly; SameSite=Lax");
        HeaderValue::from_str(&field).ok()
    }
}

impl Fingerprint {
    pub(crate) fn is_empty(&self) -> bool {
        match &self.held {
            Held::Headstart { younger, older, .. } => younger.is_empty() && older.as_ref().is_none_or(Set::is_empty),
            Held::GoCasper(set) => set.is_empty(),
            Held::H2oCasper(set) => set.is_empty(),
        }
    }

    /// Whether the client is known to hold this version of the asset. Formats that hash the path alone say so of
    /// any version.
    pub(crate) fn contains(&self, path: &str, validator: u64) -> bool {
        match &self.held {
            Held::Headstart { younger, older, .. } => {
                let key = own_key(path, validator);
                younger.contains(&key) || older.as_ref().is_some_and(|older| older.contains(&key))
            }
            Held::GoCasper(set) => set.contains(path.as_bytes()),
            Held::H2oCasper(set) => set.contains(path.as_bytes()),
        }
    }

    /// Notes that the client gets this version of the asset.
    pub(crate) fn insert(&mut self, path: &str, validator: u64) {
        match &mut self.held {
            Held::Headstart { younger, older, .. } => {
                let key = own_key(path, validator);
                if younger.contains(&key) {
                    return;
                }
                // A key of the older set is renewed: it is in use.
                if younger.len() >= MAX_KEYS {
                    let profile = *younger.profile();
                    *older = Some(std::mem::replace(younger, Set::new(profile)));
                }
                self.changed |= younger.insert(&key);
            }
            Held::GoCasper(set) => self.changed |= insert_bounded(set, path),
            Held::H2oCasper(set) => self.changed |= insert_bounded(set, path),
        }
    }
}

fn insert_bounded<P: FixedRange + Copy>(set: &mut Set<P>, path: &str) -> bool {
    if set.len() >= MAX_FOREIGN_KEYS {
        *set = Set::new(*set.profile());
    }
    set.insert(path.as_bytes())
}

fn own_key(path: &str, validator: u64) -> Vec<u8> {
    let mut key = Vec::with_capacity(path.len() + 8);
    key.extend_from_slice(path.as_bytes());
    key.extend_from_slice(&validator.to_be_bytes());
    key
}

fn encode_own(day: u16, younger: &Set<HeadstartV1>, older: Option<&Set<HeadstartV1>>) -> Vec<u8> {
    let younger = younger.encode();
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&day.to_be_bytes());
    bytes.extend_from_slice(&u16::try_from(younger.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend_from_slice(&younger);
    if let Some(older) = older {
        bytes.extend_from_slice(&older.encode());
    }
    bytes
}

fn decode_own(profile: HeadstartV1, bytes: &[u8]) -> Option<Generations> {
    let (&[version, d0, d1, l0, l1], sets) = bytes.split_first_chunk()?;
    if version != VERSION {
        return None;
    }
    let day = u16::from_be_bytes([d0, d1]);
    let (younger, older) = sets.split_at_checked(usize::from(u16::from_be_bytes([l0, l1])))?;
    let set = |bytes| Set::decode(profile, bytes, MAX_KEYS).ok();
    let younger = set(younger)?;
    let older = if older.is_empty() { None } else { Some(set(older)?) };
    Some(Generations { day, younger, older })
}

/// The part of two generations that is left today; new keys go into a set of `profile`.
fn turned(found: Generations, profile: HeadstartV1, today: u16) -> Option<Held> {
    let Generations { day, younger, older } = found;
    // A day in the future is not ours: it would never turn.
    let age = today.checked_sub(day)?;
    Some(match age / GENERATION_DAYS {
        0 => Held::Headstart { day, younger, older },
        1 => Held::Headstart { day: today, younger: Set::new(profile), older: Some(younger) },
        _ => Held::Headstart { day: today, younger: Set::new(profile), older: None },
    })
}

#[cfg(test)]
mod tests;

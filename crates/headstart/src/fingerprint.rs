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
    GoCasper(GoCasper),
    H2oCasper(H2oCasper),
}

/// What one client is known to hold.
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

/// What came of reading a cookie.
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
    /// What is wrong with the parameters.
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

    fn name(&self) -> &'static str {
        match self.format {
            Format::Headstart(_) => OWN_NAME,
            Format::GoCasper(_) => "x-go-casper",
            Format::H2oCasper(_) => "h2o_casper",
        }
    }

    /// The value of the request's cookie, as it was set.
    pub(crate) fn cookie<'a>(&self, headers: &'a HeaderMap) -> Option<&'a [u8]> {
        cookie::find(headers, self.name()).map(str::as_bytes)
    }

    /// What the request's cookie says, on this day (days since 1970).
    pub(crate) fn read(&self, headers: &HeaderMap, today: u16) -> Read {
        let value = cookie::find(headers, self.name());
        match value.map(|value| self.decode(value, today)) {
            None => Read { fingerprint: self.empty(today), told: false, corrupt: false },
            Some(Some(held)) => Read { fingerprint: Fingerprint { held, changed: false }, told: true, corrupt: false },
            Some(None) => Read { fingerprint: self.empty(today), told: false, corrupt: true },
        }
    }

    fn empty(&self, today: u16) -> Fingerprint {
        let held = match self.format {
            Format::Headstart(profile) => Held::Headstart { day: today, younger: Set::new(profile), older: None },
            Format::GoCasper(profile) => Held::GoCasper(Set::new(profile)),
            Format::H2oCasper(profile) => Held::H2oCasper(Set::new(profile)),
        };
        Fingerprint { held, changed: false }
    }

    fn decode(&self, value: &str, today: u16) -> Option<Held> {
        match self.format {
            Format::Headstart(profile) => decode_own(profile, &from_base64url(value, MAX_BYTES).ok()?, today),
            Format::GoCasper(profile) => {
                let bytes = from_base64url_lenient(value, MAX_BYTES).ok()?;
                Some(Held::GoCasper(Set::decode(profile, &bytes, MAX_FOREIGN_KEYS).ok()?))
            }
            Format::H2oCasper(profile) => {
                let bytes = from_base64url_lenient(value, MAX_BYTES).ok()?;
                Some(Held::H2oCasper(Set::decode(profile, &bytes, MAX_FOREIGN_KEYS).ok()?))
            }
        }
    }

    /// The `Set-Cookie` field for a fingerprint that has changed; `None` if the client's own is good.
    pub(crate) fn set_cookie(&self, fingerprint: &Fingerprint) -> Option<HeaderValue> {
        if !fingerprint.changed {
            return None;
        }
        let bytes = match &fingerprint.held {
            Held::Headstart { day, younger, older } => encode_own(*day, younger, older.as_ref()),
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

fn decode_own(profile: HeadstartV1, bytes: &[u8], today: u16) -> Option<Held> {
    let (&[version, d0, d1, l0, l1], sets) = bytes.split_first_chunk()?;
    if version != VERSION {
        return None;
    }
    let day = u16::from_be_bytes([d0, d1]);
    let (younger, older) = sets.split_at_checked(usize::from(u16::from_be_bytes([l0, l1])))?;
    let set = |bytes| Set::decode(profile, bytes, MAX_KEYS).ok();
    let younger = set(younger)?;
    let older = if older.is_empty() { None } else { Some(set(older)?) };
    // A day in the future is not ours: it would never turn.
    let age = today.checked_sub(day)?;
    Some(match age / GENERATION_DAYS {
        0 => Held::Headstart { day, younger, older },
        1 => Held::Headstart { day: today, younger: Set::new(profile), older: Some(younger) },
        _ => Held::Headstart { day: today, younger: Set::new(profile), older: None },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::COOKIE;
    use proptest::prelude::*;

    const KEY: [u8; 16] = [3; 16];

    fn own() -> Fingerprints {
        Fingerprints::new(CookieFormat::Headstart, KEY).unwrap().unwrap()
    }

    /// What a browser sends back of a Set-Cookie field.
    fn returned(field: &HeaderValue) -> HeaderMap {
        let pair = field.to_str().unwrap().split(';').next().unwrap();
        HeaderMap::from_iter([(COOKIE, format!("a=b; {pair}").parse().unwrap())])
    }

    fn check_round_trip(format: CookieFormat) {
        let formats = Fingerprints::new(format, KEY).unwrap().unwrap();
        let mut fingerprint = formats.read(&HeaderMap::new(), 100).fingerprint;
        assert!(formats.set_cookie(&fingerprint).is_none(), "nothing is known, nothing is set");
        fingerprint.insert("/a.css", 1);
        fingerprint.insert("/b.js", 2);
        let read = formats.read(&returned(&formats.set_cookie(&fingerprint).unwrap()), 100);
        assert!(!read.corrupt);
        assert!(read.fingerprint.contains("/a.css", 1) && read.fingerprint.contains("/b.js", 2));
        assert!(!read.fingerprint.contains("/c.png", 1));
        assert!(formats.set_cookie(&read.fingerprint).is_none(), "unchanged");
    }

    #[test]
    fn all_formats_come_back() {
        check_round_trip(CookieFormat::Headstart);
        check_round_trip(CookieFormat::GoCasper { keys: 128, p: 64 });
        check_round_trip(CookieFormat::H2oCasper { capacity_bits: 13 });
    }

    #[test]
    fn a_changed_asset_is_not_held() {
        let mut fingerprint = own().read(&HeaderMap::new(), 0).fingerprint;
        fingerprint.insert("/a.css", 1);
        assert!(fingerprint.contains("/a.css", 1) && !fingerprint.contains("/a.css", 2));
    }

    #[test]
    fn generations_turn_and_are_forgotten() {
        let formats = own();
        let mut first = formats.read(&HeaderMap::new(), 1_000).fingerprint;
        first.insert("/old.css", 1);
        let headers = returned(&formats.set_cookie(&first).unwrap());
        let holds = |day| formats.read(&headers, day).fingerprint.contains("/old.css", 1);
        assert!(holds(1_003) && holds(1_004) && holds(1_007));
        assert!(!holds(1_008), "two generations later it is forgotten");
        assert!(formats.read(&headers, 999).corrupt, "a day in the future");

        let mut second = formats.read(&headers, 1_004).fingerprint;
        second.insert("/new.css", 1);
        let headers = returned(&formats.set_cookie(&second).unwrap());
        let later = formats.read(&headers, 1_008).fingerprint;
        assert!(later.contains("/new.css", 1) && !later.contains("/old.css", 1));
    }

    #[test]
    fn the_cookie_stays_below_its_bound() {
        let formats = own();
        let mut fingerprint = formats.read(&HeaderMap::new(), 0).fingerprint;
        let mut longest = 0;
        for n in 0..2_000 {
            fingerprint.insert(&format!("/assets/{n}.css"), n);
            let field = formats.set_cookie(&fingerprint).unwrap();
            longest = longest.max(field.to_str().unwrap().split(';').next().unwrap().len());
        }
        assert!((700..=1_024).contains(&longest), "{longest} bytes");
        assert!(fingerprint.contains("/assets/1999.css", 1_999));
        assert!(!fingerprint.contains("/assets/0.css", 0), "the first are forgotten");
    }

    #[test]
    fn equal_histories_are_equal_cookies() {
        let cookie = |order: &[u64]| {
            let mut fingerprint = own().read(&HeaderMap::new(), 5).fingerprint;
            for n in order {
                fingerprint.insert(&format!("/{n}"), *n);
            }
            own().set_cookie(&fingerprint)
        };
        assert_eq!(cookie(&[1, 2, 3]), cookie(&[3, 2, 1, 2]));
    }

    #[test]
    fn corrupt_is_empty_and_said() {
        for value in ["", "!", "AQ", "AQAAAAA", "Ag", "AQAAAf8A", &"A".repeat(4_000)] {
            let headers = HeaderMap::from_iter([(COOKIE, format!("{OWN_NAME}={value}").parse().unwrap())]);
            let read = own().read(&headers, 0);
            assert!(read.corrupt && !read.fingerprint.contains("/a", 1), "{value}");
        }
    }

    #[test]
    fn bad_parameters_are_named() {
        let error = |format| Fingerprints::new(format, KEY).err().unwrap();
        assert!(error(CookieFormat::GoCasper { keys: 10, p: 100 }).contains("power of two"));
        assert!(error(CookieFormat::GoCasper { keys: 0, p: 64 }).contains("keys"));
        assert!(error(CookieFormat::H2oCasper { capacity_bits: 16 }).contains("capacity"));
    }

    proptest! {
        #[test]
        fn any_cookie_is_read(value in "[A-Za-z0-9_-]{0,300}", day: u16) {
            for format in [
                CookieFormat::Headstart,
                CookieFormat::GoCasper { keys: 128, p: 64 },
                CookieFormat::H2oCasper { capacity_bits: 13 },
            ] {
                let formats = Fingerprints::new(format, KEY).unwrap().unwrap();
                let headers = HeaderMap::from_iter([(COOKIE, format!("{}={value}", formats.name()).parse().unwrap())]);
                let mut read = formats.read(&headers, day);
                read.fingerprint.insert("/a.css", 1);
                prop_assert!(read.fingerprint.contains("/a.css", 1));
                prop_assert!(formats.set_cookie(&read.fingerprint).is_none_or(|field| field.len() < 4_096));
            }
        }
    }
}

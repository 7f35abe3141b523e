//! How long a response may be used (RFC 9111, section 4.2).

use headstart_learn::Freshness;
use http::header::{self, HeaderMap, HeaderName};

use crate::caching::Caching;

/// Seconds that a response must stay fresh so that a browser that fetched it for a 103 does not ask again when the page
/// needs it.
const OUTLASTS_A_LOAD: u64 = 10;

/// How long the response may be used by the client that got it (RFC 9111, section 4.2). `now`: seconds since 1970, for
/// responses without `Date`.
pub(crate) fn freshness(headers: &HeaderMap, caching: Caching, now: impl Fn() -> u64) -> Freshness {
    let pragma = || headers.get(header::PRAGMA).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"no-cache"));
    if caching.no_cache || (!caching.said && pragma()) {
        return Freshness::Stale;
    }
    let date = || seconds_of(headers, &header::DATE).unwrap_or_else(&now);
    let lifetime = if let Some(seconds) = caching.max_age {
        seconds
    } else if headers.contains_key(header::EXPIRES) {
        // A value that is no date, `0` above all, counts as past.
        seconds_of(headers, &header::EXPIRES).map_or(0, |expires| expires.saturating_sub(date()))
    } else if let Some(modified) = seconds_of(headers, &header::LAST_MODIFIED) {
        // Without an explicit lifetime caches use a tenth of the age (RFC 9111, section 4.2.2).
        date().saturating_sub(modified) / 10
    } else {
        0
    };
    let age = headers.get(header::AGE).and_then(|age| age.to_str().ok()?.trim().parse().ok()).unwrap_or(0);
    if lifetime.saturating_sub(age) < OUTLASTS_A_LOAD {
        Freshness::Stale
    } else if caching.immutable && caching.max_age.is_some() {
        Freshness::Immutable
    } else {
        Freshness::Fresh
    }
}

/// Seconds since 1970 of a field that is a date.
fn seconds_of(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    let date = httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()?;
    Some(date.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let named = |(name, value): &(&'static str, &str)| (HeaderName::from_static(name), value.parse().unwrap());
        fields.iter().map(named).collect()
    }

    #[test]
    fn lifetimes() {
        // Sun, 22 Nov 2026 16:00:00 GMT
        const NOW: u64 = 1_795_363_200;
        let of = |fields: &[(&'static str, &str)]| {
            let headers = headers(fields);
            freshness(&headers, Caching::of(&headers), || NOW)
        };
        let (noon, now, later) =
            ("Sun, 22 Nov 2026 12:00:00 GMT", "Sun, 22 Nov 2026 16:00:00 GMT", "Sun, 22 Nov 2026 17:00:00 GMT");
        assert_eq!(of(&[("cache-control", "public, max-age=60")]), Freshness::Fresh);
        assert_eq!(of(&[("cache-control", "max-age=60, immutable")]), Freshness::Immutable);
        assert_eq!(of(&[("last-modified", noon)]), Freshness::Fresh);
        assert_eq!(of(&[("expires", later)]), Freshness::Fresh);
        assert_eq!(of(&[("expires", now), ("date", noon)]), Freshness::Fresh);
        assert_eq!(of(&[("cache-control", "max-age=60"), ("age", "10")]), Freshness::Fresh);
        for stale in [
            &[][..],
            &[("cache-control", "max-age=0, must-revalidate")],
            &[("cache-control", "max-age=60, no-cache")],
            &[("cache-control", "max-age=nonsense")],
            &[("cache-control", "max-age=60, immutable"), ("age", "55")],
            &[("cache-control", "max-age=0"), ("expires", later)],
            &[("expires", noon)],
            &[("expires", "0")],
            &[("expires", now), ("date", now)],
            // Heuristics of a browser would not outlast the load.
            &[("last-modified", now)],
            &[("last-modified", "yesterday")],
            &[("pragma", "no-cache"), ("expires", later)],
        ] {
            assert_eq!(of(stale), Freshness::Stale, "{stale:?}");
        }
    }
}

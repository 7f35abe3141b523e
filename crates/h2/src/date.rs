//! The Date field (RFC 9110, section 6.6.1), formatted once a second.

use std::cell::RefCell;
use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;
use tokio::time::Instant;

/// The present as an IMF-fixdate; `None` if the system's clock stands before 1970. `now` is the same moment on the
/// runtime's clock: while that is within the second, the system's is not asked.
pub(crate) fn date(now: Instant) -> Option<HeaderValue> {
    thread_local! {
        static CACHED: RefCell<Option<(Range<Instant>, HeaderValue)>> = const { RefCell::new(None) };
    }
    CACHED.with_borrow_mut(|cached| {
        if cached.as_ref().is_none_or(|(second, _)| !second.contains(&now)) {
            *cached = format(now);
        }
        cached.as_ref().map(|(_, value)| value.clone())
    })
}

fn format(now: Instant) -> Option<(Range<Instant>, HeaderValue)> {
    let time = SystemTime::now();
    let fraction = time.duration_since(UNIX_EPOCH).ok()?.subsec_nanos();
    let left = Duration::from_secs(1).saturating_sub(Duration::from_nanos(fraction.into()));
    Some((now..now + left, HeaderValue::from_str(&httpdate::fmt_http_date(time)).ok()?))
}

//! The Date field (RFC 9110, section 6.6.1), formatted once a second.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderValue;

/// The present as an IMF-fixdate; `None` if the system's clock stands before 1970.
pub(crate) fn date() -> Option<HeaderValue> {
    thread_local! {
        static CACHED: RefCell<(u64, Option<HeaderValue>)> = const { RefCell::new((u64::MAX, None)) };
    }
    let now = SystemTime::now();
    let second = now.duration_since(UNIX_EPOCH).ok()?.as_secs();
    CACHED.with_borrow_mut(|(cached, value)| {
        if *cached != second {
            *cached = second;
            *value = HeaderValue::from_str(&httpdate::fmt_http_date(now)).ok();
        }
        value.clone()
    })
}

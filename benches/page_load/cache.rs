//! A browser's memory between visits: responses with their freshness, and cookies.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// A profile. Time stands still in it but for the age of files: a visit is seconds after the one before.
#[derive(Clone, Default)]
pub(crate) struct Cache {
    entries: HashMap<String, Entry>,
    cookies: HashMap<String, String>,
}

#[derive(Clone)]
struct Entry {
    fresh: bool,
    etag: Option<HeaderValue>,
    last_modified: Option<HeaderValue>,
}

impl Cache {
    /// Whether it can be used without asking.
    pub(crate) fn is_fresh(&self, path: &str) -> bool {
        self.entries.get(path).is_some_and(|entry| entry.fresh)
    }

    /// Fields that make a request conditional, where something is held.
    pub(crate) fn conditions(&self, path: &str) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let entry = self.entries.get(path);
        let etag = entry.and_then(|entry| entry.etag.clone()).map(|tag| (header::IF_NONE_MATCH, tag));
        let date = entry.and_then(|entry| entry.last_modified.clone()).map(|date| (header::IF_MODIFIED_SINCE, date));
        etag.into_iter().chain(date)
    }

    /// The `Cookie` field.
    pub(crate) fn cookie(&self) -> Option<HeaderValue> {
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; ")).and_then(|field| field.try_into().ok())
    }

    /// Takes in a complete response with status 200.
    pub(crate) fn store(&mut self, path: &str, head: &HeaderMap) {
        self.take_cookies(head);
        let control = text(head, &header::CACHE_CONTROL).unwrap_or_default();
        let directives: Vec<&str> = control.split(',').map(str::trim).collect();
        if directives.contains(&"no-store") {
            self.entries.remove(path);
            return;
        }
        let max_age = directives.iter().find_map(|directive| directive.strip_prefix("max-age=")?.parse().ok());
        let fresh = !directives.contains(&"no-cache") && max_age.unwrap_or_else(|| heuristic(head)) > 0;
        let field = |name| head.get(name).cloned();
        let entry = Entry { fresh, etag: field(header::ETAG), last_modified: field(header::LAST_MODIFIED) };
        self.entries.insert(path.to_owned(), entry);
    }

    /// `Set-Cookie` counts on every response, 304 included.
    pub(crate) fn take_cookies(&mut self, head: &HeaderMap) {
        for field in head.get_all(header::SET_COOKIE).iter().filter_map(|field| field.to_str().ok()) {
            let pair = field.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }
}

/// Seconds that a response without `max-age` may be used: a tenth of its age, as browsers do (RFC 9111, section
/// 4.2.2).
fn heuristic(head: &HeaderMap) -> u64 {
    let modified = text(head, &header::LAST_MODIFIED).and_then(|date| httpdate::parse_http_date(date).ok());
    let age = modified.and_then(|date| SystemTime::now().duration_since(date).ok());
    age.unwrap_or(Duration::ZERO).as_secs() / 10
}

fn text<'a>(head: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    head.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(fields: &[(&'static str, &str)], fresh: bool) {
        let mut head = HeaderMap::new();
        for (name, value) in fields {
            head.append(*name, value.parse().unwrap());
        }
        let mut cache = Cache::default();
        cache.store("/a", &head);
        assert_eq!(cache.is_fresh("/a"), fresh, "{fields:?}");
    }

    #[test]
    fn freshness() {
        check(&[("cache-control", "public, max-age=60")], true);
        check(&[("cache-control", "no-cache")], false);
        check(&[("cache-control", "max-age=60, no-store")], false);
        check(&[("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")], true);
        check(&[], false);
    }

    #[test]
    fn cookies_come_back() {
        let mut cache = Cache::default();
        assert!(cache.cookie().is_none());
        let head = HeaderMap::from_iter([(header::SET_COOKIE, HeaderValue::from_static("a=1; Secure"))]);
        cache.take_cookies(&head);
        assert_eq!(cache.cookie().unwrap(), "a=1");
    }
}

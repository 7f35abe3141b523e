//! Cookie crumbs: a client may split its cookies over many fields, so that HPACK indexes each (RFC 9113, section 8.2.3).

use bytes::BytesMut;
use http::header::{COOKIE, Entry};
use http::{HeaderMap, HeaderValue};

/// Crumbs that a client may send without each of them counting as a field: Chromium keeps 180 cookies for a site.
const MAX_CRUMBS: u32 = 180;

/// Bytes by which a list with this many crumbs is larger than with one cookie field: each counts its name and 32 bytes
/// (RFC 9113, section 6.5.2).
pub(crate) const CRUMB_BYTES: u32 = MAX_CRUMBS * (6 + 32);

/// Joins the cookie fields of a request into one, as section 8.2.3 asks before it is passed on: handlers that read the
/// first field alone see all cookies.
pub(crate) fn join(headers: &mut HeaderMap) {
    // No field name occurs twice.
    if headers.len() == headers.keys_len() {
        return;
    }
    let Entry::Occupied(entry) = headers.entry(COOKIE) else { return };
    if entry.iter().nth(1).is_none() {
        return;
    }
    let bytes = entry.iter().map(|crumb| crumb.len() + 2).sum();
    let mut joined = BytesMut::with_capacity(bytes);
    for crumb in entry.iter().filter(|crumb| !crumb.is_empty()) {
        if !joined.is_empty() {
            joined.extend_from_slice(b"; ");
        }
        joined.extend_from_slice(crumb.as_bytes());
    }
    let sensitive = entry.iter().any(HeaderValue::is_sensitive);
    // Joined field values are a field value.
    if let Ok(mut cookie) = HeaderValue::from_maybe_shared(joined.freeze()) {
        cookie.set_sensitive(sensitive);
        headers.insert(COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(crumbs: &[&str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_static("a"));
        headers.append("accept", HeaderValue::from_static("b"));
        for crumb in crumbs {
            headers.append(COOKIE, crumb.parse().unwrap());
        }
        join(&mut headers);
        assert_eq!(headers.get_all("accept").iter().count(), 2, "other fields stay as they are");
        headers.get_all(COOKIE).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn crumbs_become_one_field_in_their_order() {
        assert_eq!(joined(&[]), [""; 0]);
        assert_eq!(joined(&["a=1; b=2"]), ["a=1; b=2"]);
        assert_eq!(joined(&["a=1", "b=2; c=3", "", "d=4"]), ["a=1; b=2; c=3; d=4"]);
        assert_eq!(joined(&["", "a=1"]), ["a=1"]);
        assert_eq!(joined(&["", ""]), [""]);
    }
}

//! Conditional requests (RFC 9110, section 13).

use std::time::SystemTime;

use http::{HeaderMap, HeaderName, header};

use super::representation::Representation;
use super::stamp::Modified;

/// The result of a request's conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Answer as if there were none.
    Proceed,
    /// 304: the client holds this very representation.
    NotModified,
    /// 412: the client wanted another representation, or none.
    PreconditionFailed,
}

/// Does the request have any condition? Most have none, and this is all that they cost. `If-Range` is one that is looked at
/// for parts only, and taken for one here does no harm.
pub(super) fn is_conditional(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().starts_with("if-"))
}

/// Evaluates the conditions of a GET or HEAD in the order of section 13.2.2. A date that is not one is ignored.
pub(super) fn evaluate(headers: &HeaderMap, representation: &Representation) -> Decision {
    let modified = representation.modified.as_ref();
    if headers.contains_key(header::IF_MATCH) {
        if !any_tag(headers, &header::IF_MATCH, |tag| strong_match(tag, representation)) {
            return Decision::PreconditionFailed;
        }
    } else if let (Some(date), Some(modified)) = (date(headers, &header::IF_UNMODIFIED_SINCE), modified)
        && modified.time > date
    {
        return Decision::PreconditionFailed;
    }
    if headers.contains_key(header::IF_NONE_MATCH) {
        if any_tag(headers, &header::IF_NONE_MATCH, |tag| weak_match(tag, representation)) {
            return Decision::NotModified;
        }
    } else if let (Some(date), Some(modified)) = (date(headers, &header::IF_MODIFIED_SINCE), modified)
        && modified.time <= date
    {
        return Decision::NotModified;
    }
    Decision::Proceed
}

/// May the `Range` of this request be honoured? Yes, unless an `If-Range` names another representation.
pub(super) fn range_applies(headers: &HeaderMap, representation: &Representation) -> bool {
    let mut values = headers.get_all(header::IF_RANGE).iter();
    let Some(value) = values.next() else {
        return true;
    };
    if values.next().is_some() {
        return false;
    }
    let Ok(text) = value.to_str() else {
        return false;
    };
    if text.starts_with('"') || text.starts_with("W/") {
        return strong_match(text.trim_end().as_bytes(), representation);
    }
    let Ok(date) = httpdate::parse_http_date(text) else {
        return false;
    };
    matches!(&representation.modified, Some(Modified { time, settled: true, .. }) if *time == date)
}

/// Both strong, and the same.
fn strong_match(tag: &[u8], representation: &Representation) -> bool {
    tag.starts_with(b"\"") && tag == representation.etag.as_bytes()
}

/// The same, but for strength.
fn weak_match(tag: &[u8], representation: &Representation) -> bool {
    fn opaque(tag: &[u8]) -> &[u8] {
        tag.strip_prefix(b"W/").unwrap_or(tag)
    }
    opaque(tag) == opaque(representation.etag.as_bytes())
}

/// Does any entity tag of the list satisfy `matches`? `*` matches whatever is there. Linear in the header.
fn any_tag(headers: &HeaderMap, name: &HeaderName, matches: impl Fn(&[u8]) -> bool) -> bool {
    headers.get_all(name).iter().any(|value| {
        let mut rest = value.as_bytes().trim_ascii();
        if rest == b"*" {
            return true;
        }
        while let Some((tag, tail)) = split_tag(rest) {
            if matches(tag) {
                return true;
            }
            rest = tail;
        }
        false
    })
}

/// Splits the first entity tag off a list: a quoted string, in which commas are letters, with or without `W/`.
fn split_tag(list: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = list.iter().position(|b| !matches!(b, b',' | b' ' | b'\t'))?;
    let list = list.get(start..)?;
    let prefix = if list.starts_with(b"W/") { 2 } else { 0 };
    let quoted = list.get(prefix..)?.strip_prefix(b"\"")?;
    let length = quoted.iter().position(|&b| b == b'"')?;
    list.split_at_checked(prefix + 1 + length + 1)
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    httpdate::parse_http_date(value.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::Decision::{NotModified, PreconditionFailed, Proceed};
    use super::*;

    const AT: &str = "Sun, 13 Sep 2020 12:26:40 GMT";
    const BEFORE: &str = "Sun, 13 Sep 2020 12:26:39 GMT";
    const AFTER: &str = "Sun, 13 Sep 2020 12:26:41 GMT";
    const OTHER: &str = "\"0000000000000000\"";

    fn representation() -> Representation {
        Representation::of_bytes("a.txt", "content".into())
    }

    /// `=` stands for the tag of the representation.
    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let tag = representation().etag.to_str().unwrap().to_owned();
        let field = |&(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), value.replace('=', &tag).parse().unwrap())
        };
        let mut map = HeaderMap::new();
        map.extend(fields.iter().map(field).map(|(n, v)| (Some(n), v)));
        map
    }

    #[track_caller]
    fn check(fields: &[(&'static str, &str)], expected: Decision) {
        assert_eq!(evaluate(&headers(fields), &representation()), expected, "{fields:?}");
    }

    #[test]
    fn one_condition() {
        check(&[], Proceed);
        for (value, matches) in [
            ("=", true),
            ("*", true),
            (" = ", true),
            (&*format!("{OTHER}, ="), true),
            (&*format!("{OTHER},,\t=,"), true),
            (OTHER, false),
            ("\"\"", false),
            ("\"a, = , b\"", false),
            ("", false),
            ("nonsense", false),
            ("\"unclosed", false),
            ("W/", false),
        ] {
            check(&[("if-none-match", value)], if matches { NotModified } else { Proceed });
            check(&[("if-match", value)], if matches { Proceed } else { PreconditionFailed });
        }
        // If-Match compares strongly, If-None-Match weakly.
        check(&[("if-none-match", "W/=")], NotModified);
        check(&[("if-match", "W/=")], PreconditionFailed);
        check(&[("if-modified-since", BEFORE)], Proceed);
        check(&[("if-modified-since", AT)], NotModified);
        check(&[("if-modified-since", AFTER)], NotModified);
        check(&[("if-modified-since", "Sunday, 13-Sep-20 12:26:40 GMT")], NotModified);
        check(&[("if-modified-since", "Sun Sep 13 12:26:40 2020")], NotModified);
        check(&[("if-modified-since", "yesterday")], Proceed);
        check(&[("if-unmodified-since", BEFORE)], PreconditionFailed);
        check(&[("if-unmodified-since", AT)], Proceed);
        check(&[("if-unmodified-since", AFTER)], Proceed);
        check(&[("if-unmodified-since", "yesterday")], Proceed);
    }

    #[test]
    fn order_of_conditions() {
        // The tag speaks, the date is not heard.
        check(&[("if-none-match", OTHER), ("if-modified-since", AFTER)], Proceed);
        check(&[("if-none-match", "="), ("if-modified-since", BEFORE)], NotModified);
        check(&[("if-match", "="), ("if-unmodified-since", BEFORE)], Proceed);
        // The precondition comes first.
        check(&[("if-match", OTHER), ("if-none-match", "=")], PreconditionFailed);
        check(&[("if-match", "="), ("if-none-match", "=")], NotModified);
        check(&[("if-unmodified-since", BEFORE), ("if-modified-since", AFTER)], PreconditionFailed);
        check(&[("if-match", "*"), ("if-modified-since", AT)], NotModified);
    }

    #[test]
    fn several_lines_are_one_list() {
        let mut map = headers(&[("if-none-match", OTHER)]);
        map.append(header::IF_NONE_MATCH, representation().etag);
        assert_eq!(evaluate(&map, &representation()), NotModified);
    }

    #[test]
    fn if_range() {
        let check = |value: &str, expected| {
            assert_eq!(range_applies(&headers(&[("if-range", value)]), &representation()), expected, "{value:?}");
        };
        assert!(range_applies(&HeaderMap::new(), &representation()));
        check("=", true);
        check("W/=", false);
        check(OTHER, false);
        check("*", false);
        check(AT, true);
        check(BEFORE, false);
        check(AFTER, false);
        check("nonsense", false);
        let mut fresh = representation();
        fresh.modified.as_mut().unwrap().settled = false;
        assert!(!range_applies(&headers(&[("if-range", AT)]), &fresh));
    }
}

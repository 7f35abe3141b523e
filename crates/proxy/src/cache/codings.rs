//! Content codings as the cache tells variants by them.

use headstart_coding::{Accepted, Coding};
use http::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};

/// Writes `Accept-Encoding` in one of a few ways: which codings of those that are worth a variant the client likes best. The
/// upstream is asked in the same words, so that a stored variant fits all who use them; who sends the field in an odd way
/// makes no variants of their own.
pub(crate) fn normalise_codings(headers: &mut HeaderMap) {
    if !headers.contains_key(ACCEPT_ENCODING) {
        return;
    }
    let names: Vec<_> = Accepted::read(headers).favourites().map(Coding::name).collect();
    match HeaderValue::try_from(names.join(", ")) {
        Ok(value) if !names.is_empty() => headers.insert(ACCEPT_ENCODING, value),
        _ => headers.remove(ACCEPT_ENCODING),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_ways_are_left() {
        let normal = |value: &'static str| {
            let mut headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(value))]);
            normalise_codings(&mut headers);
            headers.get(ACCEPT_ENCODING).map(|value| value.to_str().unwrap().to_owned())
        };
        for same in ["gzip, deflate, br", "br;q=0.9, GZIP;q=0.9", "br , x-gzip, deflate;q=0.1, foo"] {
            assert_eq!(normal(same).as_deref(), Some("br, gzip"), "{same}");
        }
        assert_eq!(normal("br;q=0.5, gzip;q=0.8").as_deref(), Some("gzip"));
        for none in ["", "deflate", "identity", "br;q=0"] {
            assert_eq!(normal(none), None, "{none}");
        }
    }
}

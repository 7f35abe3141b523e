//! `Cache-Control` of a response, read once (RFC 9111, section 5.2).

use http::header::{self, HeaderMap, HeaderName};

/// The directives that matter here. The first of several `max-age` counts; what cannot be read is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "directives, independent of each other")]
pub(crate) struct Caching {
    /// There is such a field.
    pub(crate) said: bool,
    pub(crate) immutable: bool,
    pub(crate) no_cache: bool,
    pub(crate) no_store: bool,
    pub(crate) public: bool,
    /// `private`, with or without a list of fields.
    pub(crate) private: bool,
    /// `private` without a list of fields, which lets nothing be kept.
    pub(crate) wholly_private: bool,
    /// Seconds; 0 for nonsense.
    pub(crate) max_age: Option<u64>,
}

impl Caching {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self::of_field(headers, &header::CACHE_CONTROL)
    }

    /// The directives of another field of the same form.
    pub(crate) fn of_field(headers: &HeaderMap, name: &HeaderName) -> Self {
        let mut caching = Caching::default();
        for value in headers.get_all(name) {
            caching.said = true;
            if let Ok(value) = value.to_str() {
                for directive in value.as_bytes().split(|byte| *byte == b',') {
                    caching.take(directive);
                }
            }
        }
        caching
    }

    /// One directive; with `=` it has an argument.
    fn take(&mut self, directive: &[u8]) {
        let at = directive.iter().position(|byte| *byte == b'=');
        let name = directive.get(..at.unwrap_or(directive.len())).unwrap_or_default().trim_ascii();
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        // By length first: a response has two or three of these.
        match name.len() {
            7 if is("private") => {
                self.private = true;
                self.wholly_private |= at.is_none();
            }
            7 if is("max-age") => {
                let seconds = at.and_then(|at| directive.get(at + 1..));
                self.max_age = self.max_age.or(seconds.map(number));
            }
            6 => self.public |= is("public"),
            8 => {
                self.no_cache |= is("no-cache");
                self.no_store |= is("no-store");
            }
            9 => self.immutable |= is("immutable"),
            _ => {}
        }
    }
}

fn number(text: &[u8]) -> u64 {
    let text = std::str::from_utf8(text.trim_ascii()).unwrap_or_default();
    text.trim_matches('"').parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(field: &str, expected: Caching) {
        let headers = HeaderMap::from_iter([(header::CACHE_CONTROL, field.parse().unwrap())]);
        assert_eq!(Caching::of(&headers), Caching { said: true, ..expected }, "{field}");
    }

    #[test]
    fn directives_are_read() {
        let none = Caching::default();
        assert_eq!(Caching::of(&HeaderMap::new()), none);
        check("", none);
        check("public, Max-Age=60 , IMMUTABLE", Caching { public: true, immutable: true, max_age: Some(60), ..none });
        check("max-age=\"7\",max-age=8", Caching { max_age: Some(7), ..none });
        check("max-age", none);
        check("max-age=x", Caching { max_age: Some(0), ..none });
        check("no-cache=\"set-cookie\", no-store", Caching { no_cache: true, no_store: true, ..none });
        check("private", Caching { private: true, wholly_private: true, ..none });
        check("private =\"a\"", Caching { private: true, ..none });
        check("privately, s-maxage=9", none);
    }
}

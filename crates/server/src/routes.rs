//! The part of the site that answers a request: a table of hosts and path prefixes.

use http::uri::Authority;
use http::{HeaderMap, Request, Uri, Version, header};

/// A table from host and path prefix to a `T`.
///
/// The host that matches closest decides first: a name before a wildcard, a longer wildcard before a shorter, no name
/// at all last; then the longest prefix. A prefix matches whole segments: `/api` is `/api` and `/api/x`, not `/apix`.
/// A look-up costs a comparison with each entry.
#[derive(Clone, Debug)]
pub(crate) struct Routes<T>(Vec<Route<T>>);

#[derive(Clone, Debug)]
struct Route<T> {
    host: Host,
    /// Without a slash at its end; empty is everything.
    prefix: String,
    to: T,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Named(String),
    /// The part after the `*`, with its dot.
    Below(String),
    Any,
}

impl<T> Default for Routes<T> {
    fn default() -> Self {
        Routes(Vec::new())
    }
}

impl<T> Routes<T> {
    /// Adds an entry. `host` is a name without port, `*.name` for all names below it, or empty for all; `prefix` is a
    /// path. `false`, and nothing is added, if there is an entry for both already.
    pub(crate) fn insert(&mut self, host: &str, prefix: &str, to: T) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let host = match host.strip_prefix('*') {
            _ if host.is_empty() || host == "*" => Host::Any,
            Some(below) => Host::Below(below.to_owned()),
            None => Host::Named(host),
        };
        let prefix = prefix.trim_end_matches('/').to_owned();
        if self.0.iter().any(|route| route.host == host && route.prefix == prefix) {
            return false;
        }
        self.0.push(Route { host, prefix, to });
        self.0.sort_by_key(|route| std::cmp::Reverse((route.host.closeness(), route.prefix.len())));
        true
    }

    /// The entry that answers for this path of this host, the same for every reading of the path ([`readings`]).
    ///
    /// # Errors
    ///
    /// [`Ambiguous`] if another reading of the path belongs to another entry, or to none: whoever answers would be asked
    /// for what is not below its prefix.
    pub(crate) fn look_up(&self, host: &str, path: &str) -> Result<Option<&T>, Ambiguous> {
        let host = host.trim_end_matches('.');
        let found = self.find(host, path);
        if self.has_prefixes() && readings(path).iter().any(|reading| self.find(host, reading) != found) {
            return Err(Ambiguous);
        }
        Ok(found.and_then(|at| self.0.get(at)).map(|route| &route.to))
    }

    /// Whose name it is, where [`Self::look_up`] does not say who answers: who would answer for the path as it is written,
    /// else the first that has the name.
    pub(crate) fn nearest(&self, host: &str, path: &str) -> Option<&T> {
        let host = host.trim_end_matches('.');
        let at = self.find(host, path).or_else(|| self.0.iter().position(|route| route.host.matches(host)))?;
        self.0.get(at).map(|route| &route.to)
    }

    fn find(&self, host: &str, path: &str) -> Option<usize> {
        self.0.iter().position(|route| route.host.matches(host) && has_prefix(path, &route.prefix))
    }

    fn has_prefixes(&self) -> bool {
        self.0.iter().any(|route| !route.prefix.is_empty())
    }
}

impl Host {
    fn closeness(&self) -> usize {
        match self {
            Host::Named(_) => usize::MAX,
            Host::Below(below) => below.len(),
            Host::Any => 0,
        }
    }

    fn matches(&self, host: &str) -> bool {
        match self {
            Host::Named(name) => host.eq_ignore_ascii_case(name),
            Host::Below(below) => {
                let start = host.len().checked_sub(below.len()).filter(|start| *start > 0);
                start.and_then(|start| host.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(below))
            }
            Host::Any => true,
        }
    }
}

fn has_prefix(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A path that is below one prefix in one reading, and not in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ambiguous;

/// Other paths that an application may read a path as: with dot segments resolved (RFC 3986, section 5.2.4),
/// with dots, slashes and backslashes decoded (twice at most), with parameters of segments left out (`..;`), with repeated
/// slashes as one. Empty for a path without any of these.
fn readings(path: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    if !path.starts_with('/') {
        // `*` of OPTIONS, or nothing.
        return found;
    }
    let mut decoded = path.to_owned();
    for _ in 0..3 {
        for merge in [false, true] {
            let reading = resolved(&decoded, merge);
            if reading != path && !found.contains(&reading) {
                found.push(reading);
            }
        }
        match decode(&decoded) {
            Some(next) => decoded = next,
            None => break,
        }
    }
    found
}

/// Without dot segments, empty segments if they are to be merged, and parameters of dot segments.
fn resolved(path: &str, merge: bool) -> String {
    let mut segments: Vec<&str> = Vec::new();
    let mut parts = path.split(['/', '\\']).skip(1).peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        match part.split(';').next().unwrap_or_default() {
            ".." => drop(segments.pop()),
            "." => {}
            "" if merge && !last => continue,
            _ => {
                segments.push(part);
                continue;
            }
        }
        if last {
            segments.push("");
        }
    }
    format!("/{}", segments.join("/"))
}

/// The path with the percent-encoded characters decoded that matter here; `None` if there are none.
fn decode(path: &str) -> Option<String> {
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        let code = rest.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let meant = code.filter(|code| b"./\\;%".contains(code));
        decoded.push_str(rest.get(..at)?);
        let taken = if let Some(code) = meant {
            decoded.push(char::from(code));
            3
        } else {
            decoded.push('%');
            1
        };
        rest = rest.get(at + taken..)?;
    }
    decoded.push_str(rest);
    (decoded != path).then_some(decoded)
}

/// The authority that a request names, with its port: as [`host`].
pub(crate) fn authority<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    match uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => headers.get(header::HOST)?.to_str().ok(),
    }
}

/// The host that a request names, without port: of the target if that has one (RFC 9112, section 3.2.2), else of the
/// `Host` field.
pub(crate) fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    if let Some(host) = uri.host() {
        return Some(host);
    }
    let field = headers.get(header::HOST)?.to_str().ok()?;
    match field.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => Some(host),
        _ => Some(field),
    }
}

/// Whether a request says in one way for which host it is: by one sound `Host` field (RFC 9112, section 3.2), else by its
/// target. HTTP/1.0 knows no hosts.
pub(crate) fn names_one_host<B>(request: &Request<B>) -> bool {
    let mut fields = request.headers().get_all(header::HOST).iter();
    let Some(host) = fields.next() else {
        return request.uri().authority().is_some() || request.version() != Version::HTTP_11;
    };
    let is_sound = |authority: Authority| !authority.as_str().contains('@');
    fields.next().is_none() && Authority::try_from(host.as_bytes()).is_ok_and(is_sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_one_host() {
        let names = |hosts: &[&str], version: Version, uri: &str| {
            let request = Request::builder().uri(uri).version(version);
            let request = hosts.iter().fold(request, |request, host| request.header("host", *host));
            names_one_host(&request.body(()).unwrap())
        };
        for sound in ["a.example", "a.example:443", "[::1]:80", "a_b", "127.0.0.1", "a.example."] {
            assert!(names(&[sound], Version::HTTP_11, "/"), "{sound}");
        }
        for unsound in ["", "a b", "user@a.example", "a<b", "a\"b", "a/b", "a?b", "a, b", "[::1"] {
            assert!(!names(&[unsound], Version::HTTP_11, "/"), "{unsound}");
        }
        assert!(!names(&["a", "a"], Version::HTTP_11, "/"));
        assert!(!names(&[], Version::HTTP_11, "/"));
        assert!(names(&[], Version::HTTP_10, "/"));
        assert!(names(&[], Version::HTTP_2, "https://a.example/"));
    }

    fn routes() -> Routes<u32> {
        let mut routes = Routes::default();
        for (host, prefix, to) in [
            ("", "/", 0),
            ("a.example", "/", 1),
            ("A.example", "/api", 2),
            ("a.example", "/api/v2/", 3),
            ("*.example", "", 4),
            ("*.b.example", "/x", 5),
            ("", "/api", 6),
        ] {
            assert!(routes.insert(host, prefix, to));
        }
        routes
    }

    #[test]
    fn the_closest_host_then_the_longest_prefix() {
        let routes = routes();
        for (host, path, expected) in [
            ("other", "/", 0),
            ("other", "/api/x", 6),
            ("a.example", "/", 1),
            ("a.EXAMPLE.", "/apix", 1),
            ("a.example", "/api", 2),
            ("a.example", "/api/v2", 3),
            ("a.example", "/api/v2/y", 3),
            ("c.example", "/api", 4),
            ("c.b.example", "/x/1", 5),
            ("c.b.example", "/y", 4),
            (".example", "/", 0),
            ("", "/", 0),
        ] {
            assert_eq!(routes.look_up(host, path), Ok(Some(&expected)), "{host}{path}");
        }
    }

    /// However an application resolves a path, it is asked only for what is below the prefix of its site.
    #[test]
    fn a_path_that_leads_elsewhere_in_another_reading_is_refused() {
        let routes = routes();
        for path in [
            "/api/../secret",
            "/api/%2e%2e/secret",
            "/api/.%2E/secret",
            "/api/..%2fsecret",
            "/api/..%5csecret",
            "/api/..\\secret",
            "/api/..;/secret",
            "/api/..;x=1/secret",
            "/api/..%3b/secret",
            "/api/%252e%252e/secret",
            "/api/x/..//../secret",
            "/api//../secret",
            "/x/../api/y",
            "/x/%2e%2e/api/y",
            "//api/y",
            "/./api/y",
            "/api/..",
            "/api%2fx",
        ] {
            assert_eq!(routes.look_up("other", path), Err(Ambiguous), "{path}");
        }
        for (path, expected) in [
            ("/api/x/../y", 6),
            ("/api/a%2fb", 6),
            ("/api/100%", 6),
            ("/api/x;v=1", 6),
            ("/api/...", 6),
            ("/a..b/%20", 0),
            ("/../x", 0),
            ("", 0),
        ] {
            assert_eq!(routes.look_up("other", path), Ok(Some(&expected)), "{path}");
        }
        assert_eq!(routes.look_up("other", "*"), Ok(None));
        // Where all paths are one site's, it resolves them itself.
        let mut one = Routes::default();
        one.insert("", "/", 0);
        assert_eq!(one.look_up("other", "/a/../b"), Ok(Some(&0)));
        // Below a prefix alone, nobody answers for what leads out of it.
        let mut one = Routes::default();
        one.insert("", "/app", 0);
        assert_eq!(one.look_up("other", "/app/../x"), Err(Ambiguous));
        assert_eq!(one.look_up("other", "/x"), Ok(None));
    }

    #[test]
    fn the_same_entry_twice_is_told() {
        let mut routes = routes();
        assert!(!routes.insert("A.EXAMPLE", "/api/", 9));
        assert_eq!(routes.0.len(), 7);
    }

    #[test]
    fn the_host_is_the_targets_else_the_fields() {
        let find = |uri: &str, host: &str| {
            let request = http::Request::builder().uri(uri).header("host", host).body(()).unwrap();
            super::host(request.uri(), request.headers()).map(str::to_owned)
        };
        assert_eq!(find("https://a.example:8443/x", "b.example").as_deref(), Some("a.example"));
        assert_eq!(find("/x", "b.example:8443").as_deref(), Some("b.example"));
        assert_eq!(find("/x", "[::1]:8443").as_deref(), Some("[::1]"));
        assert_eq!(find("/x", "[::1]").as_deref(), Some("[::1]"));
    }
}

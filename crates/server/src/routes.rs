//! Which part of the site answers a request: a table of hosts and path prefixes.

use http::{HeaderMap, Uri, header};

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
    /// What follows the `*`, with its dot.
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

    /// Who answers for this path of this host.
    pub(crate) fn look_up(&self, host: &str, path: &str) -> Option<&T> {
        let host = host.trim_end_matches('.');
        self.0.iter().find(|route| route.host.matches(host) && has_prefix(path, &route.prefix)).map(|route| &route.to)
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

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(routes.look_up(host, path), Some(&expected), "{host}{path}");
        }
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

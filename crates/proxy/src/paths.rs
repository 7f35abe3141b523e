//! Paths as clients know them and as an upstream does: a prefix is stripped on the way in, the base of the server's address
//! is put in front; on the way out, what a response says of paths is turned round.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::{Authority, PathAndQuery};

use super::address::{Address, Scheme};

/// The two prefixes, each without a slash at its end; empty for none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Paths {
    stripped: String,
    base: String,
}

/// Fields of a response that hold one reference.
const REFERENCES: [HeaderName; 2] = [header::LOCATION, header::CONTENT_LOCATION];

/// By which names the two sides know the upstream.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) server: &'a Address,
    /// The `Host` that the upstream got.
    pub(super) told: Option<&'a str>,
    /// The authority that the client asked for.
    pub(super) asked: Option<&'a str>,
}

impl Paths {
    pub(super) fn new(stripped: &str, base: &str) -> Self {
        let trimmed = |prefix: &str| prefix.trim_end_matches('/').to_owned();
        Paths { stripped: trimmed(stripped), base: trimmed(base) }
    }

    /// Whether clients and upstream know the same paths.
    pub(super) fn is_same(&self) -> bool {
        self.stripped.is_empty() && self.base.is_empty()
    }

    /// The target as the upstream knows it; `None` if it is not below what is stripped.
    pub(super) fn to_upstream(&self, target: &PathAndQuery) -> Option<PathAndQuery> {
        let rest = below(target.as_str(), &self.stripped)?;
        let slash = if rest.starts_with('/') { "" } else { "/" };
        format!("{}{slash}{rest}", self.base).parse().ok()
    }

    /// A path of the upstream as clients know it; `None` if it is the same, or not below the base.
    fn to_client(&self, path: &str) -> Option<String> {
        if self.is_same() {
            return None;
        }
        // An application that was told of its prefix uses it.
        if self.base.is_empty() && below(path, &self.stripped).is_some() {
            return None;
        }
        let rest = below(path, &self.base)?;
        let slash = if rest.starts_with('/') { "" } else { "/" };
        Some(format!("{}{slash}{rest}", self.stripped))
    }

    /// Turns round what a response's head says of paths.
    pub(super) fn rewrite(&self, headers: &mut HeaderMap, known: Known<'_>) {
        for name in &REFERENCES {
            let said = headers.get(name).and_then(|value| value.to_str().ok());
            let said = said.and_then(|value| HeaderValue::try_from(self.reference(value, known)?).ok());
            if let Some(value) = said {
                headers.insert(name, value);
            }
        }
        if !self.is_same() {
            each(headers, &header::SET_COOKIE, |cookie| self.cookie(cookie));
            self.rewrite_links(headers);
        }
    }

    /// Turns round the targets of `Link` fields.
    pub(super) fn rewrite_links(&self, headers: &mut HeaderMap) {
        if !self.is_same() {
            each(headers, &header::LINK, |links| self.links(links));
        }
    }

    /// A reference as clients have to read it: one to the server itself, by a name that clients may not know, becomes a path.
    fn reference(&self, reference: &str, known: Known<'_>) -> Option<String> {
        let Some((scheme, authority, path)) = absolute(reference) else {
            return reference.starts_with('/').then(|| self.to_client(reference)).flatten();
        };
        let is = |name: Option<&str>| name.is_some_and(|name| name.eq_ignore_ascii_case(authority));
        if is(known.asked) {
            let start = reference.get(..reference.len() - path.len())?;
            return self.to_client(path).map(|path| format!("{start}{path}"));
        }
        // One with another scheme leads elsewhere: to the same here would be asked for time and again.
        let own = if known.server.scheme == Scheme::Https { "https" } else { "http" };
        let names_server = known.server.socket().is_none() && names(authority, known.server);
        if scheme.is_some_and(|scheme| !scheme.eq_ignore_ascii_case(own)) || !(names_server || is(known.told)) {
            return None;
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        let path = format!("{slash}{path}");
        Some(self.to_client(&path).unwrap_or(path))
    }

    /// A cookie with its `Path` turned round. One whose name begins with `__Host-` is for all paths, or is none.
    fn cookie(&self, cookie: &str) -> Option<String> {
        if cookie.trim_start().get(..7).is_some_and(|start| start.eq_ignore_ascii_case("__host-")) {
            return None;
        }
        let mut changed = false;
        let parts = cookie.split(';').enumerate().map(|(number, part)| {
            let path = part.split_once('=').filter(|(name, _)| number > 0 && name.trim().eq_ignore_ascii_case("path"));
            let Some(path) = path.and_then(|(_, path)| self.to_client(path.trim())) else { return part.to_owned() };
            changed = true;
            // `/shop/` would not be for `/shop`.
            let trimmed = path.trim_end_matches('/');
            format!(" Path={}", if trimmed.is_empty() { "/" } else { trimmed })
        });
        let cookie = parts.collect::<Vec<_>>().join(";");
        changed.then_some(cookie)
    }

    /// Links with those targets turned round that are paths.
    fn links(&self, links: &str) -> Option<String> {
        let (mut turned, mut rest, mut changed) = (String::new(), links, false);
        while let Some(start) = target_of_link(rest) {
            let (before, from) = rest.split_at(start);
            let Some(end) = from.find('>') else { break };
            let (target, after) = from.split_at(end);
            turned.push_str(before);
            match self.to_client(target).filter(|_| target.starts_with('/') && !target.starts_with("//")) {
                Some(target) => {
                    turned.push_str(&target);
                    changed = true;
                }
                None => turned.push_str(target),
            }
            rest = after;
        }
        turned.push_str(rest);
        changed.then_some(turned)
    }
}

/// The index at which the next target begins, after its `<` outside of quotes.
fn target_of_link(links: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in links.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'<' if !quoted => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Changes the values of a field one by one.
fn each(headers: &mut HeaderMap, name: &HeaderName, change: impl Fn(&str) -> Option<String>) {
    if let header::Entry::Occupied(mut values) = headers.entry(name) {
        for value in values.iter_mut() {
            let changed = value.to_str().ok().and_then(&change).and_then(|text| HeaderValue::try_from(text).ok());
            if let Some(changed) = changed {
                *value = changed;
            }
        }
    }
}

/// The part after a prefix of whole segments.
fn below<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

/// Scheme, authority and the rest of a reference with an authority.
fn absolute(reference: &str) -> Option<(Option<&str>, &str, &str)> {
    let (scheme, rest) = match reference.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => (Some(scheme), rest),
        _ => (None, reference.strip_prefix("//")?),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    Some((scheme, authority, path))
}

/// Whether this is the server's own name, whether or not it has the port that goes without saying.
fn names(authority: &str, server: &Address) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    let port = authority.port_u16().unwrap_or(if server.scheme == Scheme::Https { 443 } else { 80 });
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case(server.host()) && port == server.port()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(stripped: &str, base: &str) -> Paths {
        Paths::new(stripped, base)
    }

    #[test]
    fn targets() {
        for (stripped, base, asked, expected) in [
            ("", "", "/a?b", Some("/a?b")),
            ("/shop", "", "/shop/a?b", Some("/a?b")),
            ("/shop", "", "/shop", Some("/")),
            ("/shop/", "", "/shop?a=/b", Some("/?a=/b")),
            ("/shop", "", "/shopping", None),
            ("/shop", "", "/", None),
            ("", "/base", "/", Some("/base/")),
            ("", "/base/", "/a", Some("/base/a")),
            ("/shop", "/v2", "/shop/a", Some("/v2/a")),
            ("/shop", "", "/shop//a", Some("//a")),
        ] {
            let found = paths(stripped, base).to_upstream(&asked.parse().unwrap());
            assert_eq!(found.as_ref().map(PathAndQuery::as_str), expected, "{stripped:?} {base:?} {asked}");
        }
    }

    #[track_caller]
    fn location(paths: &Paths, said: &str) -> String {
        let server = "http://10.0.0.7:3000".parse().unwrap();
        let known = Known { server: &server, told: Some("app.internal"), asked: Some("a.example:8443") };
        let mut headers = HeaderMap::from_iter([(header::LOCATION, HeaderValue::from_str(said).unwrap())]);
        paths.rewrite(&mut headers, known);
        headers["location"].to_str().unwrap().to_owned()
    }

    #[test]
    fn redirects() {
        let shop = paths("/shop", "/v2");
        for (said, expected) in [
            ("/v2/login?next=/v2/x#y", "/shop/login?next=/v2/x#y"),
            ("/v2", "/shop/"),
            ("/elsewhere", "/elsewhere"),
            ("/v2x", "/v2x"),
            ("login", "login"),
            ("?page=2", "?page=2"),
            ("https://a.example:8443/v2/login", "https://a.example:8443/shop/login"),
            ("http://10.0.0.7:3000/v2/login", "/shop/login"),
            ("//10.0.0.7:3000/v2/login", "/shop/login"),
            ("http://app.internal/v2/login", "/shop/login"),
            ("https://app.internal/v2/login", "https://app.internal/v2/login"),
            ("https://other.example/v2/login", "https://other.example/v2/login"),
        ] {
            assert_eq!(location(&shop, said), expected, "{said}");
        }
        let stripped = paths("/shop", "");
        assert_eq!(location(&stripped, "/login"), "/shop/login");
        assert_eq!(location(&stripped, "/shop/login"), "/shop/login", "it knows of its prefix");
        let same = paths("", "");
        assert_eq!(location(&same, "http://10.0.0.7:3000"), "/");
        assert_eq!(location(&same, "https://a.example:8443/x"), "https://a.example:8443/x");
    }

    #[test]
    fn cookies() {
        for (stripped, base, said, expected) in [
            ("/shop", "", "a=1; Path=/; Secure", "a=1; Path=/shop; Secure"),
            ("/shop", "", "a=1; path=/cart;HttpOnly", "a=1; Path=/shop/cart;HttpOnly"),
            ("", "/v2", "a=1; Path=/v2", "a=1; Path=/"),
            ("", "/v2", "a=1; Path=/v2/cart/", "a=1; Path=/cart"),
            ("", "/v2", "a=1; Path=/", "a=1; Path=/"),
            ("/shop", "", "__Host-a=1; Path=/; Secure", "__Host-a=1; Path=/; Secure"),
            ("/shop", "", "path=/x; Max-Age=1", "path=/x; Max-Age=1"),
        ] {
            let mut headers = HeaderMap::from_iter([(header::SET_COOKIE, HeaderValue::from_static(said))]);
            let server = "http://a".parse().unwrap();
            paths(stripped, base).rewrite(&mut headers, Known { server: &server, told: None, asked: None });
            assert_eq!(headers["set-cookie"], expected, "{said}");
        }
    }

    #[test]
    fn links() {
        let said =
            r#"</v2/a.css>; rel=preload; title="</v2/no>, \"", <b.js>; rel=preload, </v2/c>; rel=next, <//x/v2/d>"#;
        let mut headers = HeaderMap::from_iter([(header::LINK, HeaderValue::from_static(said))]);
        paths("", "/v2").rewrite_links(&mut headers);
        let expected =
            r#"</a.css>; rel=preload; title="</v2/no>, \"", <b.js>; rel=preload, </c>; rel=next, <//x/v2/d>"#;
        assert_eq!(headers["link"], expected);
    }
}

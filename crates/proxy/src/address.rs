//! Addresses of servers: `http://app:3000`, `https://app.example/base`, `h2c://10.0.0.7:8080`, `unix:/run/app.sock`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use http::HeaderValue;
use http::uri::{Authority, PathAndQuery, Uri};

/// How a server is spoken to, where it is, and below which path of it the application lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// How it is spoken to.
    pub scheme: Scheme,
    /// `localhost` where there is a socket.
    authority: Authority,
    socket: Option<PathBuf>,
    /// Without a slash at its end; empty is everything.
    base: String,
}

/// The protocol spoken to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP/1.1 in clear.
    Http,
    /// TLS; HTTP/2 or HTTP/1.1, as the server chooses.
    Https,
    /// HTTP/2 in clear, with prior knowledge.
    H2c,
}

/// Bytes of the longest path of a Unix socket on the systems that have them (macOS: 104 with a zero; Linux: 108).
const MAX_SOCKET_PATH: usize = 103;

impl Address {
    /// Without brackets; `localhost` for a Unix socket.
    pub fn host(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }

    /// As it was given; else 443 for `https` and 80 for the others.
    pub fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or(if self.scheme == Scheme::Https { 443 } else { 80 })
    }

    /// The Unix socket, if it is reached over one.
    pub fn socket(&self) -> Option<&Path> {
        self.socket.as_deref()
    }

    /// The path below which the application lies, without a slash at its end; empty is everything.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// As a `Host` field.
    pub(super) fn host_field(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(self.authority.as_str()).ok()
    }

    pub(super) fn authority(&self) -> &Authority {
        &self.authority
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(socket) = &self.socket {
            let scheme = if self.scheme == Scheme::H2c { "h2c+unix" } else { "unix" };
            let colon = if self.base.is_empty() { "" } else { ":" };
            return write!(f, "{scheme}:{}{colon}{}", socket.display(), self.base);
        }
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
            Scheme::H2c => "h2c",
        };
        write!(f, "{scheme}://{}{}", self.authority, self.base)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    /// Reads `scheme://host[:port][/base]`, where the scheme is `http` if there is none, and `unix:/path[:/base]`
    /// (`h2c+unix:` for HTTP/2).
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let error = |why| AddressError { text: text.to_owned(), why };
        for (prefix, scheme) in [("unix:", Scheme::Http), ("http+unix:", Scheme::Http), ("h2c+unix:", Scheme::H2c)] {
            if let Some(rest) = text.strip_prefix(prefix) {
                return on_socket(scheme, rest).map_err(error);
            }
        }
        let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = whole.parse().map_err(|_| error("is no URL"))?;
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            Some("h2c") => Scheme::H2c,
            _ => return Err(error("has a scheme that is none of http, https, h2c, unix")),
        };
        let authority = uri.authority().cloned().ok_or_else(|| error("names no host"))?;
        if authority.host().is_empty() {
            return Err(error("names no host"));
        }
        if authority.as_str().contains('@') {
            return Err(error("carries a password, which is not sent"));
        }
        let port = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
        if !port.is_empty() && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(error("has no port from 1 to 65535"));
        }
        if text.contains(['?', '#']) {
            return Err(error("has a query; requests keep their own"));
        }
        let base = base(uri.path()).map_err(error)?;
        Ok(Address { scheme, authority, socket: None, base })
    }
}

/// `/path` or `///path`, and `:/base` after it.
fn on_socket(scheme: Scheme, rest: &str) -> Result<Address, &'static str> {
    let path = rest.strip_prefix("//").filter(|path| path.starts_with('/')).unwrap_or(rest);
    let (path, below) = path.split_once(":/").map_or((path, ""), |(path, base)| (path, base));
    if !path.starts_with('/') || path.ends_with('/') {
        return Err("does not name a socket by its whole path, as unix:/run/app.sock does");
    }
    if path.len() > MAX_SOCKET_PATH {
        return Err("is longer than the path of a socket may be, which is 103 bytes");
    }
    let base = base(&format!("/{below}"))?;
    let authority = Authority::from_static("localhost");
    Ok(Address { scheme, authority, socket: Some(PathBuf::from(path)), base })
}

/// A path without the slash at its end.
fn base(path: &str) -> Result<String, &'static str> {
    let path = path.trim_end_matches('/');
    if path.split('/').skip(1).any(|segment| ["", ".", ".."].contains(&segment)) {
        return Err("has a path with a segment that is empty or of dots");
    }
    if !path.is_empty() && path.parse::<PathAndQuery>().is_ok_and(|parsed| parsed.query().is_some()) {
        return Err("has a query; requests keep their own");
    }
    if !path.is_empty() && path.parse::<PathAndQuery>().is_err() {
        return Err("has a path that no request can have");
    }
    Ok(path.to_owned())
}

/// The mistake in the address of a server.
#[derive(Debug, PartialEq, Eq)]
pub struct AddressError {
    text: String,
    why: &'static str,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the upstream {:?} {}", self.text, self.why)
    }
}

impl std::error::Error for AddressError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let read = |text: &str| text.parse::<Address>().map(|a| (a.scheme, a.host().to_owned(), a.port()));
        assert_eq!(read("http://app:3000"), Ok((Scheme::Http, "app".into(), 3000)));
        assert_eq!(read("app:3000/"), Ok((Scheme::Http, "app".into(), 3000)));
        assert_eq!(read("https://a.example"), Ok((Scheme::Https, "a.example".into(), 443)));
        assert_eq!(read("h2c://[::1]:8080"), Ok((Scheme::H2c, "::1".into(), 8080)));
        assert_eq!(read("127.0.0.1"), Ok((Scheme::Http, "127.0.0.1".into(), 80)));
        assert_eq!("h2c://[::1]:8080".parse::<Address>().unwrap().to_string(), "h2c://[::1]:8080");
    }

    #[test]
    fn sockets_and_paths() {
        for (text, expected) in [
            ("http://app:3000/base", "http://app:3000/base"),
            ("http://app:3000/base/", "http://app:3000/base"),
            ("app/a/b", "http://app/a/b"),
            ("unix:/run/app.sock", "unix:/run/app.sock"),
            ("unix:///run/app.sock", "unix:/run/app.sock"),
            ("http+unix:/run/app.sock:/base", "unix:/run/app.sock:/base"),
            ("h2c+unix:/run/app.sock", "h2c+unix:/run/app.sock"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), expected);
        }
        let address: Address = "unix:/run/app.sock:/base/".parse().unwrap();
        assert_eq!(address.socket(), Some(Path::new("/run/app.sock")));
        assert_eq!((address.base(), address.host()), ("/base", "localhost"));
        assert!(format!("unix:/{}", "x".repeat(200)).parse::<Address>().is_err());
    }

    #[test]
    fn errors_name_the_text() {
        for text in [
            "",
            "ftp://a",
            "http://",
            "http://a/b?c",
            "http://a/../b",
            "http://a/b//c",
            "unix:app.sock",
            "unix:",
            "unix:/run/",
            "unix:/run/app.sock:/b?c",
            "unix:/run/app.sock:/../b",
            "http://a?x",
            "http://u:p@a",
            "http://a:0",
            "http://a b",
            "http://a:99999",
            "http://a#x",
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }
}

//! Where a server is: `http://app:3000`, `https://app.example`, `h2c://10.0.0.7:8080`.

use std::fmt;
use std::str::FromStr;

use http::HeaderValue;
use http::uri::{Authority, Uri};

/// How a server is spoken to, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// How it is spoken to.
    pub scheme: Scheme,
    authority: Authority,
}

/// What is spoken to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP/1.1 in clear.
    Http,
    /// TLS; HTTP/2 or HTTP/1.1, as the server chooses.
    Https,
    /// HTTP/2 in clear, with prior knowledge.
    H2c,
}

impl Address {
    /// Without brackets.
    pub fn host(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }

    /// As it was given; else 443 for `https` and 80 for the others.
    pub fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or(if self.scheme == Scheme::Https { 443 } else { 80 })
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
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
            Scheme::H2c => "h2c",
        };
        write!(f, "{scheme}://{}", self.authority)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    /// Reads `scheme://host[:port]`; without a scheme it is `http`.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let error = |why| AddressError { text: text.to_owned(), why };
        let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = whole.parse().map_err(|_| error("is no URL"))?;
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            Some("h2c") => Scheme::H2c,
            _ => return Err(error("has a scheme that is none of http, https, h2c")),
        };
        let authority = uri.authority().cloned().ok_or_else(|| error("names no host"))?;
        if authority.host().is_empty() {
            return Err(error("names no host"));
        }
        if authority.as_str().contains('@') {
            return Err(error("carries a password, which is not sent"));
        }
        if uri.path_and_query().is_some_and(|path| path.as_str() != "/") || text.contains('#') {
            return Err(error("has a path; requests keep their own"));
        }
        let port = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
        if !port.is_empty() && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(error("has no port from 1 to 65535"));
        }
        Ok(Address { scheme, authority })
    }
}

/// What is wrong with the address of a server.
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
    fn errors_name_the_text() {
        for text in [
            "",
            "ftp://a",
            "http://",
            "http://a/b",
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

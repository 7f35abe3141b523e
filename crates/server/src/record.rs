//! The record of one exchange.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use headstart::DecidedCounts;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header, request};

/// One finished exchange. The parts that come from the request share its memory; nothing is copied until it is written.
#[derive(Debug)]
pub(crate) struct Record {
    /// When the exchange ended.
    pub(crate) time: SystemTime,
    pub(crate) client: Option<IpAddr>,
    pub(crate) request: Noted,
    pub(crate) status: StatusCode,
    /// Bytes of body handed to the connection.
    pub(crate) bytes: u64,
    /// From the request's head to the last byte of the response.
    pub(crate) duration: Duration,
    /// Whether the whole body was handed to the connection.
    pub(crate) complete: bool,
    /// Counts of what a page sent early; `None` for what is no page.
    pub(crate) early: Option<DecidedCounts>,
    /// It was pushed: the server asked for it, not the client.
    pub(crate) pushed: bool,
    /// The server that answered a forwarded request.
    pub(crate) upstream: Option<Arc<str>>,
}

/// The parts of a request that are noted.
#[derive(Debug)]
pub(crate) struct Noted {
    pub(crate) method: Method,
    pub(crate) target: Option<PathAndQuery>,
    authority: Option<Authority>,
    host: Option<HeaderValue>,
    pub(crate) version: Version,
    pub(crate) referer: Option<HeaderValue>,
    pub(crate) agent: Option<HeaderValue>,
}

impl Noted {
    pub(crate) fn new(head: &request::Parts) -> Self {
        let field = |headers: &HeaderMap, name| headers.get(name).cloned();
        let authority = head.uri.authority().cloned();
        Self {
            method: head.method.clone(),
            target: head.uri.path_and_query().cloned(),
            host: if authority.is_none() { field(&head.headers, header::HOST) } else { None },
            authority,
            version: head.version,
            referer: field(&head.headers, header::REFERER),
            agent: field(&head.headers, header::USER_AGENT),
        }
    }

    /// Path with query; `*` of OPTIONS as it is.
    pub(crate) fn target(&self) -> &str {
        self.target.as_ref().map_or("/", PathAndQuery::as_str)
    }

    /// The authority that was asked for, as bytes that may be no text.
    pub(crate) fn host(&self) -> &[u8] {
        let host = || self.host.as_ref().map_or(&[][..], HeaderValue::as_bytes);
        self.authority.as_ref().map_or_else(host, |authority| authority.as_str().as_bytes())
    }

    pub(crate) fn protocol(&self) -> &'static str {
        match self.version {
            Version::HTTP_09 => "HTTP/0.9",
            Version::HTTP_10 => "HTTP/1.0",
            Version::HTTP_11 => "HTTP/1.1",
            Version::HTTP_2 => "HTTP/2.0",
            _ => "HTTP/3.0",
        }
    }
}

//! The head of a request as an upstream gets it.

use headstart_policy::{OverTls, Peer};
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Uri};

use super::config::Config;
use super::{encoding, forwarded, head};

/// Makes a head the upstream's: what is of the client's connection goes, what the upstream is told comes.
pub(super) fn prepare(head: &mut Parts, host: &str, config: &Config, upgrade: Option<&HeaderValue>, has_content: bool) {
    let host = Some(host).filter(|host| !host.is_empty());
    // The client's own words on the scheme count for nothing.
    let tls = head.extensions.get::<OverTls>().is_some();
    let peer = head.extensions.get::<Peer>().map(|Peer(address)| *address);
    let trailers = head::takes_trailers(&head.headers);
    let headers = &mut head.headers;
    head::remove_hop_by_hop(headers);
    head::remove_ambiguous(headers);
    head::join_cookies(headers);
    let client = forwarded::Client { address: peer, tls, host };
    forwarded::write(headers, client, &config.forwarding);
    if config.forwarding.via {
        forwarded::write_via(headers, head.version);
    }
    if trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
    if !config.strip_prefix.is_empty() {
        forwarded::write_prefix(headers, &config.strip_prefix);
    }
    if let Some(protocol) = upgrade {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, protocol.clone());
    }
    if config.compress.is_some() {
        encoding::name_plain_form(headers);
    }
    if let Some(host) = host.and_then(|host| HeaderValue::try_from(host).ok()) {
        headers.insert(header::HOST, host);
    }
    // Only the path: the target of a request to a server is no URL (RFC 9112, section 3.2.1).
    if head.method != Method::OPTIONS || head.uri.path() != "*" {
        let path = head.uri.path_and_query().cloned();
        head.uri = path.map_or_else(Uri::default, Uri::from);
    }
    drop_unsound_length(headers);
    // A method that anticipates content says that there is none (RFC 9110, section 8.6).
    let anticipates = [Method::POST, Method::PUT, Method::PATCH].contains(&head.method);
    if anticipates && !has_content && !headers.contains_key(header::CONTENT_LENGTH) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
}

/// A `Content-Length` that `h2` has checked stays; there is none beside `Transfer-Encoding`, which is gone.
fn drop_unsound_length(headers: &mut HeaderMap) {
    if headers.get_all(header::CONTENT_LENGTH).iter().count() > 1 {
        headers.remove(header::CONTENT_LENGTH);
    }
}

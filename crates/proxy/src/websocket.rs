//! A WebSocket to an upstream that speaks HTTP/2: an extended CONNECT (RFC 8441) there, an upgrade here.

use h2::ext::Protocol;
use http::header::{self, HeaderValue};
use http::{Method, Request, StatusCode, response};
use sha1::{Digest as _, Sha1};

use super::upload::Upload;

/// The text that a server appends to the client's key before it hashes it (RFC 6455, section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Whether this is a protocol that HTTP/2 has a way for.
pub(super) fn is_websocket(protocol: &HeaderValue) -> bool {
    protocol.as_bytes().eq_ignore_ascii_case(b"websocket")
}

/// Makes an upgrade request one that HTTP/2 knows.
pub(super) fn ask(request: &mut Request<Upload>) {
    *request.method_mut() = Method::CONNECT;
    for name in [header::CONNECTION, header::UPGRADE, header::SEC_WEBSOCKET_KEY] {
        request.headers_mut().remove(name);
    }
    request.extensions_mut().insert(Protocol::from_static("websocket"));
}

/// Makes the upstream's consent one that HTTP/1.1 knows. The client's key stayed here, so that it is answered here.
pub(super) fn agree(head: &mut response::Parts, key: Option<&HeaderValue>) {
    head.status = StatusCode::SWITCHING_PROTOCOLS;
    head.headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Some(accept) = key.and_then(|key| HeaderValue::try_from(accept(key.as_bytes())).ok()) {
        head.headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
}

/// Whether an upstream's consent is an answer to the client's key; without a key there is none to check.
pub(super) fn is_answered(head: &response::Parts, key: Option<&HeaderValue>) -> bool {
    let answer = head.headers.get(header::SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
    key.is_none_or(|key| answer == Some(accept(key.as_bytes()).as_bytes()))
}

/// The answer to a client's key (RFC 6455, section 4.2.2).
fn accept(key: &[u8]) -> String {
    let hash = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    data_encoding::BASE64.encode(&hash)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_key_of_rfc_6455_is_answered() {
        assert_eq!(super::accept(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}

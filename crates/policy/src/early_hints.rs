//! How a handler sends 103 (Early Hints) without knowing the transport.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, StatusCode};

/// Sends 103 (Early Hints, RFC 8297) from within a handler. A transport puts one into the extensions of each request
/// whose client takes interim responses.
///
/// A handler that knows what its page needs before the page is ready sends it here:
///
/// ```
/// use http::{HeaderMap, HeaderValue, Request, header};
/// use headstart_policy::EarlyHints;
///
/// fn hint<B>(request: &Request<B>) {
///     if let Some(hints) = request.extensions().get::<EarlyHints>() {
///         let mut fields = HeaderMap::new();
///         fields.insert(header::LINK, HeaderValue::from_static("</app.css>; rel=preload; as=style"));
///         hints.send(fields);
///     }
/// }
/// ```
///
/// Browsers act on the first 103 of a navigation only (RFC 8297 allows several; Chromium 156 ignores the rest), so a
/// transport sends one for each request: nothing more goes out after a policy or another handler sent one.
///
/// Cloning is a reference count.
#[derive(Clone)]
pub struct EarlyHints(Arc<dyn EarlyHintsSender>);

/// The part of a transport that sends a 103. Handlers see it as [`EarlyHints`].
pub trait EarlyHintsSender: Send + Sync + 'static {
    /// Queues a 103 with these fields, or returns `false` if a 103 or the final head was sent before. Called from any
    /// thread; must not block.
    fn send(&self, fields: HeaderMap) -> bool;

    /// Queues another interim response, such as 102 (Processing), which a proxy must pass on (RFC 9110, section 15.2).
    /// Returns `false` where the transport has no way to, or has sent the final head. Must not block.
    fn relay(&self, status: StatusCode, fields: HeaderMap) -> bool {
        let _ = (status, fields);
        false
    }
}

impl EarlyHints {
    /// Wraps what a transport shares with the handlers of a request.
    pub fn new(sender: Arc<impl EarlyHintsSender>) -> Self {
        EarlyHints(sender)
    }

    /// Queues a 103 with these fields. Returns `false`, and sends nothing, if a 103 or the final head was sent before.
    pub fn send(&self, fields: HeaderMap) -> bool {
        self.0.send(fields)
    }

    /// Passes on an interim response of an upstream that is neither 100, 101 nor 103. Returns `false`, and sends
    /// nothing, if the transport has no way to or the final head was sent before.
    pub fn relay(&self, status: StatusCode, fields: HeaderMap) -> bool {
        let hop = [StatusCode::CONTINUE, StatusCode::SWITCHING_PROTOCOLS, StatusCode::EARLY_HINTS];
        status.is_informational() && !hop.contains(&status) && self.0.relay(status, fields)
    }
}

impl fmt::Debug for EarlyHints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EarlyHints").finish_non_exhaustive()
    }
}

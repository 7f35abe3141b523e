//! Failures between us and an upstream, and the client's view of each.

use http::StatusCode;

/// A failure, by whose fault it was and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No connection: refused, unreachable, no such name, no agreement on TLS.
    Refused,
    /// No connection in time.
    ConnectTimeout,
    /// The connection ended before the response's head.
    Closed,
    /// No head in time.
    HeadTimeout,
    /// The response was not HTTP, or larger than allowed.
    Malformed,
    /// The body ended before its end.
    BodyBroken,
    /// The body stopped.
    BodyTimeout,
    /// The upload was broken off, or was malformed.
    UploadBroken,
    /// The upload stopped.
    UploadTimeout,
    /// The upload was larger than allowed.
    UploadTooLarge,
    /// As many requests under way as are allowed.
    Full,
    /// The head said in a way that is not understood where the body ends.
    Framing,
    /// The head was larger than allowed.
    HeadTooLarge,
    /// The upstream agreed to change protocols, and that did not come about.
    UpgradeFailed,
    /// The upstream speaks HTTP/2 and has no way to change to the protocol that the client asks for.
    NoUpgrade,
}

impl Fault {
    /// All of them, in their order.
    pub const ALL: [Fault; 15] = [
        Fault::Refused,
        Fault::ConnectTimeout,
        Fault::Closed,
        Fault::HeadTimeout,
        Fault::Malformed,
        Fault::BodyBroken,
        Fault::BodyTimeout,
        Fault::UploadBroken,
        Fault::UploadTimeout,
        Fault::UploadTooLarge,
        Fault::Full,
        Fault::Framing,
        Fault::HeadTooLarge,
        Fault::UpgradeFailed,
        Fault::NoUpgrade,
    ];

    /// As a label of a metric.
    pub fn name(self) -> &'static str {
        match self {
            Fault::Refused => "refused",
            Fault::ConnectTimeout => "connect_timeout",
            Fault::Closed => "closed",
            Fault::HeadTimeout => "head_timeout",
            Fault::Malformed => "malformed",
            Fault::BodyBroken => "body_broken",
            Fault::BodyTimeout => "body_timeout",
            Fault::UploadBroken => "upload_broken",
            Fault::UploadTimeout => "upload_timeout",
            Fault::UploadTooLarge => "upload_too_large",
            Fault::Full => "full",
            Fault::Framing => "framing",
            Fault::HeadTooLarge => "head_too_large",
            Fault::UpgradeFailed => "upgrade_failed",
            Fault::NoUpgrade => "no_upgrade",
        }
    }

    /// The status that stands for it, where no response has begun.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Fault::ConnectTimeout | Fault::HeadTimeout => StatusCode::GATEWAY_TIMEOUT,
            Fault::UploadBroken => StatusCode::BAD_REQUEST,
            Fault::UploadTimeout => StatusCode::REQUEST_TIMEOUT,
            Fault::UploadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Fault::Full => StatusCode::SERVICE_UNAVAILABLE,
            Fault::NoUpgrade => StatusCode::NOT_IMPLEMENTED,
            Fault::Refused
            | Fault::Closed
            | Fault::Malformed
            | Fault::BodyBroken
            | Fault::BodyTimeout
            | Fault::Framing
            | Fault::HeadTooLarge
            | Fault::UpgradeFailed => StatusCode::BAD_GATEWAY,
        }
    }

    /// Whether it says something against the server that was asked. What one page does, which anyone can ask for, does
    /// not.
    pub(super) fn blames_server(self) -> bool {
        matches!(
            self,
            Fault::Refused
                | Fault::ConnectTimeout
                | Fault::Closed
                | Fault::HeadTimeout
                | Fault::Malformed
                | Fault::BodyBroken
                | Fault::BodyTimeout
        )
    }

    /// Whether one page may cause it on a server that is well otherwise.
    pub(super) fn of_one_page(self) -> bool {
        matches!(self, Fault::Malformed | Fault::HeadTimeout | Fault::BodyBroken | Fault::BodyTimeout)
    }
}

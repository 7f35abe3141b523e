//! Why a connection ended before its time.

use std::fmt;

/// The failure of a connection. Streams that fail alone do not surface here.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// The driver ended the connection with this code.
    GoAway(h2::Reason),
    Protocol(h2::Error),
    Timeout(Timeout),
}

/// The timer that ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Timeout {
    /// Connection preface and SETTINGS did not come.
    Handshake,
    /// A request head was begun and not finished.
    Header,
    /// The client did not answer a PING, nor send anything else.
    KeepAlive,
    /// The client took too little of what was ready for it.
    WriteStall,
}

impl Error {
    pub(crate) fn timeout(timer: Timeout) -> Self {
        Error { kind: Kind::Timeout(timer) }
    }

    pub(crate) fn go_away(code: h2::Reason) -> Self {
        Error { kind: Kind::GoAway(code) }
    }

    /// The timer that fired, if that was the cause.
    pub fn timer(&self) -> Option<Timeout> {
        match self.kind {
            Kind::GoAway(_) | Kind::Protocol(_) => None,
            Kind::Timeout(timer) => Some(timer),
        }
    }

    /// Whether the socket failed or was closed by the peer, which is nobody's fault.
    pub fn is_io(&self) -> bool {
        matches!(&self.kind, Kind::Protocol(error) if error.is_io())
    }

    /// Whether the client sent what HTTP/2 forbids, or too much of something, and was told so by GOAWAY.
    pub fn is_protocol(&self) -> bool {
        match &self.kind {
            Kind::GoAway(_) => true,
            Kind::Protocol(error) => error.is_library(),
            Kind::Timeout(_) => false,
        }
    }
}

impl From<h2::Error> for Error {
    fn from(error: h2::Error) -> Self {
        Error { kind: Kind::Protocol(error) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::GoAway(h2::Reason::ENHANCE_YOUR_CALM) => {
                f.write_str("the client sent more resets or frames without content than one may")
            }
            Kind::GoAway(code) => write!(f, "the client broke a rule of HTTP/2: {}", code.description()),
            Kind::Protocol(error) => error.fmt(f),
            Kind::Timeout(Timeout::Handshake) => {
                f.write_str("the client did not complete the HTTP/2 handshake in time")
            }
            Kind::Timeout(Timeout::Header) => f.write_str("the client did not complete a request head in time"),
            Kind::Timeout(Timeout::KeepAlive) => f.write_str("the client gave no sign of life"),
            Kind::Timeout(Timeout::WriteStall) => f.write_str("the client took too few bytes for too long"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            Kind::Protocol(error) => Some(error),
            Kind::GoAway(_) | Kind::Timeout(_) => None,
        }
    }
}

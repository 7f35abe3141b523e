//! A transport's answer to planned pushes: those it promised, and why it did not promise the others.

/// A planned push, when the head of its page goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt<T> {
    /// The policy's name for it.
    pub tag: T,
    /// Why it was not promised; `None` if it was.
    pub refusal: Option<Refusal>,
}

/// Why a transport did not make a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The connection's budget of pushed bytes is spent.
    Budget,
    /// The client's socket is full: more bytes would only delay the page.
    Congested,
    /// As many pushes are open as the client or the transport's configuration allows.
    Crowded,
    /// The service failed or panicked on the promised request.
    Failed,
    /// The request may not be promised: its path is not absolute, or the page has no authority.
    Invalid,
    /// The policy itself did not admit the response.
    NotAdmitted,
    /// The response was not ready in time.
    NotReady,
    /// The same version of the asset was promised on this connection before.
    Repeated,
    /// The client takes no pushes (any more), or the connection is being closed.
    Unwanted,
}

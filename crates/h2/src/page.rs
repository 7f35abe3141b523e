//! A page whose head is ready, and what was promised before it was.

use bytes::Bytes;
use h2::server::SendResponse;
use headstart_policy::{Attempt, Policy, Priority, PriorityParameters};
use http::{Method, response};

use crate::pending_pushes::PendingPushes;
use crate::virtual_time::VirtualTime;

/// A page that is ready to be sent, with what is to be pushed before it.
pub(crate) struct Page<P: Policy, B> {
    pub(crate) respond: SendResponse<Bytes>,
    pub(crate) exchange: P::Exchange,
    pub(crate) method: Method,
    /// Priority by the request, by the policy in its place, or by the client's last PRIORITY_UPDATE.
    pub(crate) priority: Priority,
    /// Priority parameters of the response head, which override `priority` (RFC 9218, section 8).
    pub(crate) own: PriorityParameters,
    /// The policy knows that the client was told to ask for it.
    pub(crate) early: bool,
    pub(crate) head: response::Parts,
    pub(crate) body: B,
    pub(crate) pushes: PendingPushes<P::Tag, B>,
    pub(crate) ahead: PromisedAhead<P::Tag>,
}

impl<P: Policy, B> Page<P, B> {
    pub(crate) fn id(&self) -> u32 {
        self.respond.stream_id().as_u32()
    }
}

/// The pushes that were promised ahead of a page.
pub(crate) struct PromisedAhead<T> {
    pub(crate) attempts: Vec<Attempt<T>>,
    /// The promised streams; at most as many as may be open.
    pub(crate) ids: Vec<u32>,
    /// The place of the page's body in the order of bodies, before those of its pushes.
    pub(crate) place: Option<VirtualTime>,
}

impl<T> Default for PromisedAhead<T> {
    fn default() -> Self {
        PromisedAhead { attempts: Vec::new(), ids: Vec::new(), place: None }
    }
}

//! How far an exchange has come whose service did not answer at once.

use futures_util::future::{AbortHandle, BoxFuture};
use headstart_policy::{Policy, Priority};

use crate::ahead::{Ahead, Thinking};
use crate::commit::Page;
use crate::exchange::{Answer, Origin, Resolving};

/// A step of the exchange on this stream.
pub(crate) type Stepping<T, B> = BoxFuture<'static, (u32, Step<T, B>)>;

/// What a service's future has come to.
pub(crate) enum Step<T, B> {
    Answered(Answer<T, B>),
    /// The service is still at work, and something may be promised.
    Promises(Thinking<T, B>),
    Settled(Resolving<T, B>),
}

/// An exchange whose step is not done. Dropping it ends the step.
pub(crate) struct Running<P: Policy, B> {
    pub(crate) step: AbortHandle,
    pub(crate) stage: Stage<P, B>,
}

pub(crate) enum Stage<P: Policy, B> {
    /// The service has not answered for the page.
    Asked(Asked<P>),
    /// The page is ready, not all of its pushes are.
    Settling(Page<P, B>),
}

/// What is kept of an exchange until its page is ready.
pub(crate) struct Asked<P: Policy> {
    pub(crate) exchange: P::Exchange,
    pub(crate) method: http::Method,
    pub(crate) priority: Priority,
    /// `None` if the client took no pushes when it asked.
    pub(crate) origin: Option<Origin>,
    pub(crate) ahead: Ahead<P::Tag>,
}

impl<P: Policy, B> Stage<P, B> {
    /// The client has thought better of a priority.
    pub(crate) fn reprioritise(&mut self, asked: Priority) {
        match self {
            Stage::Asked(stage) => stage.priority = asked,
            Stage::Settling(page) => page.priority = asked,
        }
    }

    pub(crate) fn into_exchange(self) -> P::Exchange {
        match self {
            Stage::Asked(asked) => asked.exchange,
            Stage::Settling(page) => page.exchange,
        }
    }
}

//! The exchanges of a connection whose page was not sent yet.

use std::collections::{HashMap, VecDeque};
use std::task::{Context, Poll};

use futures_util::future::{AbortHandle, Abortable, BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use headstart_policy::{Policy, Priority};
use http::Method;

use crate::page::{Page, PromisedAhead};
use crate::pending_pushes::Origin;
use crate::pending_response::Step;

/// Exchanges from the request to the head of the response. At most as many as a client may have streams open.
pub(crate) struct Exchanges<P: Policy, B> {
    /// The steps that are not done. The state of their streams is in `running`.
    steps: FuturesUnordered<Abortable<Stepping<P::Tag, B>>>,
    running: HashMap<u32, Running<P, B>>,
    /// Pages to be sent; they wait while the promises of an earlier page are being written.
    ready: VecDeque<Page<P, B>>,
}

/// A step of the exchange on this stream.
type Stepping<T, B> = BoxFuture<'static, (u32, Step<T, B>)>;

/// An exchange whose step is done.
pub(crate) struct Stepped<P: Policy, B> {
    pub(crate) stage: Stage<P, B>,
    pub(crate) step: Step<P::Tag, B>,
}

/// An exchange whose step is not done.
struct Running<P: Policy, B> {
    step: AbortHandle,
    stage: Stage<P, B>,
}

/// How far an exchange has come whose service did not answer at once.
pub(crate) enum Stage<P: Policy, B> {
    /// The service has not answered for the page.
    Asked(Asked<P>),
    /// The page is ready, and not all of its pushes are.
    Settling(Page<P, B>),
}

/// The state of an exchange until its page is ready.
pub(crate) struct Asked<P: Policy> {
    pub(crate) exchange: P::Exchange,
    pub(crate) method: Method,
    pub(crate) priority: Priority,
    /// The policy knows that the client was told to ask for it.
    pub(crate) early: bool,
    /// `None` if the client took no pushes when it asked.
    pub(crate) origin: Option<Origin>,
    pub(crate) ahead: PromisedAhead<P::Tag>,
}

impl<P: Policy, B> Stage<P, B> {
    pub(crate) fn into_exchange(self) -> P::Exchange {
        match self {
            Stage::Asked(asked) => asked.exchange,
            Stage::Settling(page) => page.exchange,
        }
    }
}

impl<P: Policy, B> Exchanges<P, B> {
    pub(crate) fn new() -> Self {
        Exchanges { steps: FuturesUnordered::new(), running: HashMap::new(), ready: VecDeque::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.running.is_empty() && self.ready.is_empty()
    }

    /// Keeps an exchange and its step until the step is done ([`poll`](Self::poll)).
    pub(crate) fn keep(
        &mut self,
        id: u32,
        stage: Stage<P, B>,
        step: impl Future<Output = Step<P::Tag, B>> + Send + 'static,
    ) where
        B: Send + 'static,
    {
        let (handle, registration) = AbortHandle::new_pair();
        self.running.insert(id, Running { step: handle, stage });
        self.steps.push(Abortable::new(step.map(move |step| (id, step)).boxed(), registration));
    }

    /// Takes an exchange whose step is done.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Option<Stepped<P, B>> {
        while let Poll::Ready(Some(done)) = self.steps.poll_next_unpin(cx) {
            // `cancel` has aborted a step and forgotten its exchange.
            if let Ok((id, step)) = done
                && let Some(running) = self.running.remove(&id)
            {
                return Some(Stepped { stage: running.stage, step });
            }
        }
        None
    }

    /// Queues a page to be sent.
    pub(crate) fn push_ready(&mut self, page: Page<P, B>) {
        self.ready.push_back(page);
    }

    /// Takes the page that was ready first.
    pub(crate) fn pop_ready(&mut self) -> Option<Page<P, B>> {
        self.ready.pop_front()
    }

    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Forgets an exchange whose stream was reset, and aborts its step.
    pub(crate) fn cancel(&mut self, stream: u32) -> Option<P::Exchange> {
        if let Some(running) = self.running.remove(&stream) {
            running.step.abort();
            return Some(running.stage.into_exchange());
        }
        let at = self.ready.iter().position(|page| page.id() == stream)?;
        self.ready.remove(at).map(|page| page.exchange)
    }

    /// Applies the client's PRIORITY_UPDATE.
    pub(crate) fn reprioritise(&mut self, stream: u32, priority: Priority) {
        match self.running.get_mut(&stream).map(|running| &mut running.stage) {
            Some(Stage::Asked(asked)) => asked.priority = priority,
            Some(Stage::Settling(page)) => page.priority = priority,
            None => {
                if let Some(page) = self.ready.iter_mut().find(|page| page.id() == stream) {
                    page.priority = priority;
                }
            }
        }
    }

    /// Drops all work and returns what the policy keeps of it.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = P::Exchange> + '_ {
        self.steps.clear();
        let running = self.running.drain().map(|(_, running)| running.stage.into_exchange());
        running.chain(self.ready.drain(..).map(|page| page.exchange))
    }
}

//! Sends the heads, promises and bodies of a connection, as its policy decides.

use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use h2::server::SendResponse;
use headstart_policy::{Attempt, Client, Opening, Outcome, Policy, Priority, Pushes, Refusal};
use http::{Method, Response, request, response};
use http_body::{Body, SizeHint};
use tokio::time::Instant;

use crate::awaited_pages::AwaitedPages;
use crate::body_options::BodyOptions;
use crate::config::Config;
use crate::exchanges::Asked;
use crate::head;
use crate::outgoing::BodyEnd;
use crate::page::Page;
use crate::pending_pushes::{PendingPushes, Resolved};
use crate::promise::{Parent, Promised, Promising, PushedBody};
use crate::promises::Promises;
use crate::schedule::Scheduler;
use crate::service::HttpBody;
use crate::wire::{End, Wire};

/// The policy of a connection, its promises, and the bodies that are being sent.
pub(crate) struct Delivery<P: Policy, B: Body> {
    policy: P,
    promises: Promises<P::Tag>,
    scheduler: Scheduler<B, Owner<P>>,
    awaited: AwaitedPages,
    wire: Arc<Wire>,
    /// Promised streams that are to be cancelled, because the page came to nothing.
    withdrawn: Vec<u32>,
    /// Kept for its memory.
    bodies_ended: Vec<(Owner<P>, BodyEnd)>,
}

/// The owner of a body.
enum Owner<P: Policy> {
    Page(P::Exchange),
    Push(u32),
}

impl<P: Policy, B: HttpBody> Delivery<P, B> {
    pub(crate) fn new(policy: P, config: &Config, wire: &Arc<Wire>, now: Instant) -> Self {
        Delivery {
            policy,
            promises: Promises::new(config, now),
            scheduler: Scheduler::new(config.max_unsent_bytes),
            awaited: AwaitedPages::default(),
            wire: Arc::clone(wire),
            withdrawn: Vec::new(),
            bodies_ended: Vec::new(),
        }
    }

    /// Asks the policy about a request that has arrived.
    /// What does not block a page for which something is sent early waits for it.
    pub(crate) fn request(
        &mut self,
        client: Client,
        (stream, now): (u32, Instant),
        head: &mut request::Parts,
    ) -> Opening<P::Exchange, P::Tag> {
        let opening = self.policy.request(client, head);
        if opening.early_hints.is_some() || !opening.promises.is_empty() {
            self.awaited.add(stream, Priority::from_headers(&head.headers).urgency, now);
        }
        opening
    }

    /// Asks the policy about the response to it.
    pub(crate) fn response(
        &mut self,
        exchange: &mut P::Exchange,
        head: &mut response::Parts,
        size: &SizeHint,
    ) -> Pushes<P::Tag> {
        self.policy.response(exchange, head, size)
    }

    /// Whether a promise made now could be kept: the service is asked for none that could not. Else a client that
    /// leaves its pushes where they are would have the service work for each page as for all of its assets.
    pub(crate) fn can_push(&mut self, now: Instant) -> bool {
        // A stream end that was not taken in yet may have made room.
        self.promises.wanted(&self.wire) && (self.wire.has_ends() || self.promises.allow(&self.wire, now, 1).is_ok())
    }

    /// Makes no more promises, because the connection is being closed.
    pub(crate) fn stop_pushes(&mut self) {
        self.promises.stop();
    }

    /// Promises what may be promised and sends the page's head; bodies go to the scheduler.
    /// Runs while no promise is being written, as [`Promising::promise`] asks.
    pub(crate) fn commit(&mut self, cx: &mut Context<'_>, mut page: Page<P, B>, now: Instant) {
        self.awaited.remove(page.id());
        // The tap reports a cancelled page before this runs; a promise on one would be a connection error.
        if page.respond.poll_reset(cx).is_ready() {
            self.policy.ended(page.exchange, false);
            return;
        }
        let with_body = head::finish(&page.method, &mut page.head, &page.body.size_hint(), now);
        let mut attempts = page.ahead.attempts;
        let mut bodies = Vec::new();
        if !page.pushes.is_empty() {
            let (resolved, late) = std::mem::replace(&mut page.pushes, PendingPushes::new()).finish();
            let priority = page.own.over(page.priority);
            let parent = Parent { respond: &mut page.respond, exchange: &mut page.exchange, priority };
            let mut promised = self.promise(parent, resolved, now);
            attempts.append(&mut promised.attempts);
            attempts.extend(late.into_iter().map(|tag| Attempt { tag, refusal: Some(Refusal::NotReady) }));
            bodies = promised.bodies;
        }
        self.policy.commit(&mut page.exchange, &mut page.head, &attempts);

        let ends = !with_body || page.body.is_end_stream();
        match page.respond.send_response(Response::from_parts(page.head, ()), ends) {
            Ok(_) if ends => self.policy.ended(page.exchange, true),
            Ok(send) => {
                let tunnel = page.method == Method::CONNECT;
                let Page { priority: requested, own, early, .. } = page;
                let options = BodyOptions { requested, own, early, allowance: None, tunnel };
                self.scheduler.push(send, page.body, options, page.ahead.place, now, Owner::Page(page.exchange));
            }
            Err(error) => {
                // `head::finish` has cleaned the head, so the policy wrote hop-by-hop fields into it.
                tracing::error!(%error, "a response head was refused");
                head::fail(&mut page.respond);
                self.policy.ended(page.exchange, false);
            }
        }
        self.schedule(bodies, now);
    }

    /// Promises what is resolved of a page's pushes while the service still works on the page.
    pub(crate) fn promise_ahead(
        &mut self,
        asked: &mut Asked<P>,
        respond: &mut SendResponse<Bytes>,
        resolved: Vec<Resolved<P::Tag, B>>,
        now: Instant,
    ) {
        asked.ahead.place.get_or_insert_with(|| self.scheduler.reserve());
        let parent = Parent { respond, exchange: &mut asked.exchange, priority: asked.priority };
        let mut promised = self.promise(parent, resolved, now);
        asked.ahead.attempts.append(&mut promised.attempts);
        asked.ahead.ids.append(&mut promised.ids);
        self.schedule(promised.bodies, now);
    }

    fn promise(
        &mut self,
        parent: Parent<'_, P>,
        resolved: Vec<Resolved<P::Tag, B>>,
        now: Instant,
    ) -> Promised<P::Tag, B> {
        let promising = Promising { policy: &mut self.policy, promises: &mut self.promises, wire: &self.wire, now };
        promising.promise(parent, resolved)
    }

    /// Hands pushed bodies to the scheduler, behind their page.
    fn schedule(&mut self, bodies: Vec<PushedBody<B>>, now: Instant) {
        for PushedBody { send, body, options } in bodies {
            let id = send.stream_id().as_u32();
            self.scheduler.push(send, body, options, None, now, Owner::Push(id));
        }
    }

    /// The service failed on a page: answers for it and cancels what was promised ahead of it.
    pub(crate) fn fail(&mut self, exchange: P::Exchange, mut respond: SendResponse<Bytes>, mut promised: Vec<u32>) {
        self.awaited.remove(respond.stream_id().as_u32());
        if promised.is_empty() {
            respond.send_reset(Reason::INTERNAL_ERROR);
        } else {
            head::fail(&mut respond);
            self.withdrawn.append(&mut promised);
        }
        self.policy.ended(exchange, false);
    }

    /// Cancels promised streams, at the next [`withdraw`](Self::withdraw).
    pub(crate) fn take_back(&mut self, promised: &mut Vec<u32>) {
        self.withdrawn.append(promised);
    }

    /// Cancels the promised streams of pages that came to nothing. The bytes already written of them are lost. Not while a
    /// promise is being written. Returns whether `h2` has to be polled again.
    pub(crate) fn withdraw(&mut self) -> bool {
        let withdrawn = std::mem::take(&mut self.withdrawn);
        for &id in &withdrawn {
            // A stream that was handed to `h2` whole ends when the tap sees its end.
            if self.scheduler.reset(id, Reason::CANCEL)
                && let Some(tag) = self.promises.close(id)
            {
                self.policy.outcome(&tag, Outcome::Failed);
            }
        }
        !withdrawn.is_empty()
    }

    /// Hands bodies to `h2`, the most urgent first. Not while a promise is being written. Returns how many frames
    /// `h2` has to write.
    pub(crate) fn send(&mut self, cx: &mut Context<'_>, now: Instant) -> usize {
        let mut ended = std::mem::take(&mut self.bodies_ended);
        let Delivery { scheduler, awaited, promises, wire, .. } = self;
        let waits = !awaited.is_empty() && scheduler.has_early();
        scheduler.limit_early(if waits { awaited.limit(cx, now) } else { None });
        let frames = scheduler.poll(cx, wire, now, &mut ended, &mut |surcharge| promises.charge(now, surcharge));
        for (owner, how) in ended.drain(..) {
            self.body_ended(owner, how);
        }
        self.bodies_ended = ended;
        frames
    }

    fn body_ended(&mut self, owner: Owner<P>, how: BodyEnd) {
        match owner {
            Owner::Page(exchange) => self.policy.ended(exchange, how == BodyEnd::Complete),
            Owner::Push(id) => {
                let ended = match how {
                    BodyEnd::Failed | BodyEnd::CutOff => self.promises.close(id).zip(Some(Outcome::Failed)),
                    BodyEnd::Stalled => self.promises.stalled(id).zip(Some(Outcome::Unfinished)),
                    // The tap reports it when the end is written.
                    BodyEnd::Complete | BodyEnd::Gone => None,
                };
                if let Some((tag, outcome)) = ended {
                    self.policy.outcome(&tag, outcome);
                }
            }
        }
    }

    /// The bodies have been handed over as far as they could be, and `h2` was polled until it was idle.
    pub(crate) fn flushed(&mut self) {
        self.scheduler.flushed(&self.wire);
    }

    /// The tap has seen the end of a stream.
    pub(crate) fn stream_ended(&mut self, end: End) {
        self.awaited.remove(end.stream);
        if let Some((tag, outcome)) = self.promises.end(end) {
            self.policy.outcome(&tag, outcome);
        }
    }

    /// Forgets the body of a stream that was reset. Returns whether there was one.
    pub(crate) fn remove(&mut self, stream: u32) -> bool {
        let removed = self.scheduler.remove(stream);
        let found = removed.is_some();
        if let Some(owner) = removed {
            self.body_ended(owner, BodyEnd::Gone);
        }
        found
    }

    /// An exchange has ended before its body was sent.
    pub(crate) fn cancelled(&mut self, exchange: P::Exchange) {
        self.policy.ended(exchange, false);
    }

    /// Applies the client's PRIORITY_UPDATE.
    pub(crate) fn reprioritise(&mut self, stream: u32, priority: Priority) {
        self.scheduler.reprioritise(stream, priority);
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.scheduler.is_empty()
    }

    /// Whether a body waits for the client to open a window. Bytes that the socket has not taken are another matter.
    pub(crate) fn is_starved(&self) -> bool {
        self.wire.socket.held() == 0 && self.scheduler.is_starved(&self.wire)
    }

    /// The instant since which a stream has waited for window, for the one that has waited longest.
    pub(crate) fn stuck_since(&self) -> Option<Instant> {
        self.scheduler.stuck_since(&self.wire)
    }

    /// Resets the streams whose client has opened no window for `patience`, while other streams went on.
    pub(crate) fn cut_stuck(&mut self, patience: Duration, now: Instant) {
        let Some(since) = now.checked_sub(patience) else { return };
        let mut ended = Vec::new();
        self.scheduler.cut_stuck(since, &mut ended);
        for (owner, how) in ended {
            self.body_ended(owner, how);
        }
    }
}

impl<P: Policy, B: Body> Delivery<P, B> {
    /// Drops all work when the connection ends. The policy hears of the ends that the tap has seen, then of all that did not
    /// end; `unsent` are the exchanges whose page was not sent.
    pub(crate) fn abandon(&mut self, ends: impl Iterator<Item = End>, unsent: impl Iterator<Item = P::Exchange>) {
        for (tag, outcome) in ends.filter_map(|end| self.promises.end(end)) {
            self.policy.outcome(&tag, outcome);
        }
        for tag in self.promises.drain() {
            self.policy.outcome(&tag, Outcome::Unfinished);
        }
        let sending = self.scheduler.drain().filter_map(|owner| match owner {
            Owner::Page(exchange) => Some(exchange),
            Owner::Push(_) => None,
        });
        for exchange in unsent.chain(sending) {
            self.policy.ended(exchange, false);
        }
    }
}

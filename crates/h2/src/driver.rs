//! The loop of one connection. The order of its steps keeps `h2` 0.4.20 from the defects of `UPSTREAM.md`: `h2` is polled
//! until it is idle, then the stream ends that the tap has seen are taken in, and only then is anything promised, reset or
//! sent.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::future::FutureExt;
use h2::server::{Connection, SendResponse};
use h2::{Reason, RecvStream};
use headstart_policy::{Client, EarlyHints, Opening, Policy, Priority, PriorityParameters, Pushes};
use http::uri::Scheme;
use http::{Method, Request};
use http_body::Body;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep};

use crate::body::RequestBody;
use crate::call::call;
use crate::config::Config;
use crate::cookies;
use crate::delivery::Delivery;
use crate::error::Error;
use crate::exchanges::{Asked, Exchanges, Stage, Stepped};
use crate::flood::Floods;
use crate::interim::Interim;
use crate::page::{Page, PromisedAhead};
use crate::pending_pushes::{Origin, PendingPushes};
use crate::pending_response::{Answer, PendingResponse, Step};
use crate::refuse;
use crate::service::{HttpBody, HttpService};
use crate::shutdown::Shutdown;
use crate::tap::Tap;
use crate::timers::{Fired, Observed, Timers};
use crate::unread_uploads::{Draining, UnreadUploads};
use crate::wire::{End, Ended, Wire, is_push};

/// The parts of a driver once the handshake is done.
pub(crate) struct Start<S, P> {
    pub(crate) began: Instant,
    pub(crate) config: Config,
    pub(crate) wire: Arc<Wire>,
    pub(crate) service: S,
    pub(crate) policy: P,
}

/// The state of a served connection.
pub(crate) struct Driver<T, S, B: Body, P: Policy> {
    h2: Connection<Tap<T>, Bytes>,
    wire: Arc<Wire>,
    config: Config,
    service: S,
    /// Exchanges whose page was not sent.
    exchanges: Exchanges<P, B>,
    /// The policy, promises and bodies.
    delivery: Delivery<P, B>,
    unread: Arc<UnreadUploads>,
    draining: Draining,
    timers: Timers,
    floods: Floods,
    shutdown: Shutdown,
    /// The highest stream that the client has opened.
    highest: u32,
    /// Kept for its memory.
    ends: Vec<End>,
}

impl<T, S, B, P> Driver<T, S, B, P>
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: HttpService<B>,
    B: HttpBody,
    P: Policy,
{
    pub(crate) fn new(h2: Connection<Tap<T>, Bytes>, start: Start<S, P>) -> Self {
        let now = Instant::now();
        let Start { began, config, wire, service, policy } = start;
        Driver {
            h2,
            service,
            exchanges: Exchanges::new(),
            delivery: Delivery::new(policy, &config, &wire, now),
            unread: Arc::default(),
            draining: Draining::default(),
            timers: Timers::new(began),
            floods: Floods::new(&config, now),
            shutdown: Shutdown::No,
            highest: 0,
            ends: Vec::new(),
            wire,
            config,
        }
    }

    pub(crate) fn graceful_shutdown(&mut self) {
        if self.shutdown.begin_graceful() {
            self.delivery.stop_pushes();
            self.h2.graceful_shutdown();
        }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, timer: Pin<&mut Sleep>) -> Poll<Result<(), Error>> {
        let now = Instant::now();
        self.check_floods(now);
        self.wire.socket.set_asleep(false);
        // The socket was full, and may have room again.
        self.wire.socket.gather(!self.wire.socket.unflushed());
        loop {
            if let Shutdown::GoAway(go_away) = self.shutdown {
                self.wire.socket.gather(false);
                return go_away.poll(cx, &mut self.h2, timer, now);
            }
            match self.h2.poll_accept(cx) {
                Poll::Ready(Some(Ok((request, respond)))) => {
                    self.begin(cx, now, request, respond);
                    continue;
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error.into())),
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Pending => self.wire.socket.gather(true),
            }
            self.delivery.flushed();
            self.take_ends(now);
            self.take_priority_updates(now);
            if !self.check_floods(now) {
                continue;
            }
            while let Some(stepped) = self.exchanges.poll(cx) {
                self.step(cx, stepped, now);
            }
            self.draining.poll(cx, &self.unread, now);
            // While a promise is being written, nothing else is done to any stream: resetting its page would drop the
            // promise inside `h2` for good. `h2` has just written all that the outbox takes, so this lasts only while the
            // socket is full.
            let mut pages = 0;
            while !self.wire.barrier_closed()
                && let Some(page) = self.exchanges.pop_ready()
            {
                self.delivery.commit(cx, page, now);
                pages += 1;
            }
            let mut withdrew = false;
            let mut frames = 0;
            if !self.wire.barrier_closed() {
                withdrew = self.delivery.withdraw();
                frames = self.delivery.send(cx, now);
            }
            if pages > 0 || withdrew || frames > 0 {
                // `h2` writes a head with one DATA frame in one piece. If nothing else is there, it may flush that itself and
                // need not be polled once more.
                let alone = self.exchanges.is_empty() && self.delivery.is_idle();
                self.wire.socket.gather(!(alone && pages <= 1 && frames <= 1));
                continue;
            }
            if !self.wire.socket.unflushed() || self.wire.socket.write_blocked() {
                break;
            }
            // Nothing is left to add: `h2` is polled once more, and this time it flushes.
            self.wire.socket.gather(false);
        }
        self.check_timers(cx, timer, now)
    }

    /// A request head has arrived.
    fn begin(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
        request: Request<RecvStream>,
        mut respond: SendResponse<Bytes>,
    ) {
        let id = respond.stream_id().as_u32();
        self.highest = self.highest.max(id);
        // A client that asks in order to cancel gets no work for it (CVE-2023-44487). `h2` is asked, at some cost, only if
        // the tap has seen a reset.
        if self.wire.has_ends() && respond.poll_reset(cx).is_ready() {
            self.count_reset(now);
            return;
        }
        let (mut head, stream) = request.into_parts();
        cookies::join(&mut head.headers);
        if let Some(response) = refuse::refused(&head, &self.config) {
            // A stream that is gone needs no answer.
            let _ = respond.send_response(response, true);
            return;
        }
        let interim = Arc::new(Interim::default());
        let client = Client::new(head.method != Method::CONNECT && self.delivery.can_push(now));
        let Opening { exchange, early_hints, promises, priority } = self.delivery.request(client, (id, now), &mut head);
        let early = priority.is_some();
        if let Some(fields) = early_hints {
            interim.send_early_hints(&mut respond, fields);
        }
        let origin = client.push.then(|| Origin {
            scheme: head.uri.scheme().cloned().unwrap_or(Scheme::HTTPS),
            authority: head.uri.authority().cloned(),
        });
        head.extensions.insert(EarlyHints::new(Arc::clone(&interim)));
        let priority = self.wire.updates.take(id).or(priority).unwrap_or_else(|| Priority::from_headers(&head.headers));
        let method = head.method.clone();
        let asked = Asked { exchange, method, priority, early, origin, ahead: PromisedAhead::default() };
        let body = RequestBody::new(stream, &head, &self.config, &interim, &self.wire, &self.unread);
        let mut call = call(&self.service, cx, Request::from_parts(head, body));
        let polled = call.poll_unpin(cx);
        interim.flush(&mut respond);
        let mut pushes = PendingPushes::new();
        if let Some(origin) = &asked.origin {
            for promise in promises {
                pushes.ask(cx, &self.service, origin, promise);
            }
        }
        match polled {
            Poll::Ready(response) => {
                self.answered(cx, asked, Answer { respond, interim, response, pushes }, now);
            }
            Poll::Pending => {
                let pending = PendingResponse::new(&self.config, call, respond, interim, pushes);
                self.exchanges.keep(id, Stage::Asked(asked), pending.step());
            }
        }
    }

    /// A step of an exchange is done.
    fn step(&mut self, cx: &mut Context<'_>, stepped: Stepped<P, B>, now: Instant) {
        match (stepped.stage, stepped.step) {
            (Stage::Asked(asked), Step::Answered(answer)) => self.answered(cx, asked, answer, now),
            (Stage::Asked(asked), Step::Promises(pending)) => self.promise_ahead(cx, asked, pending),
            (Stage::Settling(mut page), Step::Settled(pushes)) => {
                page.pushes = pushes;
                self.exchanges.push_ready(page);
            }
            // A step never answers for another stage.
            (stage, _) => self.delivery.cancelled(stage.into_exchange()),
        }
    }

    /// The service has answered for the page.
    fn answered(&mut self, cx: &mut Context<'_>, asked: Asked<P>, answer: Answer<P::Tag, B>, now: Instant) {
        let Answer { respond, interim, response, mut pushes } = answer;
        let Asked { mut exchange, method, priority, early, origin, mut ahead } = asked;
        interim.close();
        let Some(response) = response else {
            self.delivery.fail(exchange, respond, ahead.ids);
            return;
        };
        let (mut head, body) = response.into_parts();
        match self.delivery.response(&mut exchange, &mut head, &body.size_hint()) {
            Pushes::Drop => {
                pushes = PendingPushes::new();
                self.delivery.take_back(&mut ahead.ids);
            }
            Pushes::Keep(more) => {
                if !more.is_empty()
                    && let Some(origin) = origin
                    && self.delivery.can_push(now)
                {
                    for promise in more {
                        pushes.ask(cx, &self.service, &origin, promise);
                    }
                }
            }
        }
        let own = PriorityParameters::from_headers(&head.headers);
        let settled = pushes.is_settled();
        let mut page = Page { respond, exchange, method, priority, own, early, head, body, pushes, ahead };
        if settled {
            self.exchanges.push_ready(page);
            return;
        }
        let pushes = std::mem::replace(&mut page.pushes, PendingPushes::new());
        let settling = pushes.settle(self.config.push_patience).map(Step::Settled);
        self.exchanges.keep(page.id(), Stage::Settling(page), settling);
    }

    /// The page takes long and has pushes that are resolved: promises them, unless something else is being written, and
    /// goes on.
    fn promise_ahead(&mut self, cx: &mut Context<'_>, mut asked: Asked<P>, mut pending: PendingResponse<P::Tag, B>) {
        // As in `Delivery::commit`: a promise on a page that was cancelled would be a connection error.
        if pending.respond.poll_reset(cx).is_ready() {
            self.delivery.cancelled(asked.exchange);
            return;
        }
        let now = Instant::now();
        let id = pending.respond.stream_id().as_u32();
        let blocked = self.wire.barrier_closed() || self.wire.socket.write_blocked() || !self.wire.drained();
        if blocked || self.exchanges.has_ready() {
            pending.put_off(now);
        } else {
            let resolved = pending.pushes.take_done();
            self.delivery.promise_ahead(&mut asked, &mut pending.respond, resolved, now);
        }
        self.exchanges.keep(id, Stage::Asked(asked), pending.step());
    }

    /// Takes in the stream ends that the tap has seen, once `h2` knows of them too: until then a stream may end for which
    /// no request was seen.
    fn take_ends(&mut self, now: Instant) {
        if !self.wire.drained() {
            return;
        }
        let mut ends = std::mem::take(&mut self.ends);
        ends.clear();
        self.wire.take_ends(&mut ends);
        for end in &ends {
            self.take_end(*end, now);
        }
        self.ends = ends;
    }

    fn take_end(&mut self, end: End, now: Instant) {
        self.delivery.stream_ended(end);
        if end.how == Ended::Finished {
            return;
        }
        let mut worked = false;
        if let Some(exchange) = self.exchanges.cancel(end.stream) {
            self.delivery.cancelled(exchange);
            worked = true;
        }
        worked |= self.delivery.remove(end.stream);
        if worked && !is_push(end.stream) {
            self.count_reset(now);
        }
    }

    /// Applies the PRIORITY_UPDATE frames that the tap has seen; those of streams that are not open yet are kept.
    fn take_priority_updates(&mut self, now: Instant) {
        for (id, priority) in self.wire.updates.take_opened(self.highest) {
            self.delivery.reprioritise(id, priority);
            self.exchanges.reprioritise(id, priority);
        }
        if let Some(code) = self.wire.updates.fault() {
            self.go_away(code, now);
        }
    }

    /// Counts a stream on which work was begun and that the client reset.
    fn count_reset(&mut self, now: Instant) {
        if !self.floods.reset(now) {
            self.go_away(Reason::ENHANCE_YOUR_CALM, now);
        }
    }

    /// Ends the connection of a client that sent more frames without content than it may. Returns whether it goes on.
    fn check_floods(&mut self, now: Instant) -> bool {
        if !self.floods.observe(&self.wire.meter, self.wire.data_written(), now) {
            self.go_away(Reason::ENHANCE_YOUR_CALM, now);
        }
        !matches!(self.shutdown, Shutdown::GoAway(_))
    }

    /// Ends the connection because of what the client did: all work is dropped, and a GOAWAY with this code is written if
    /// the client reads on.
    fn go_away(&mut self, code: Reason, now: Instant) {
        if self.shutdown.go_away(code, now) {
            self.h2.abrupt_shutdown(code);
            self.abandon();
        }
    }

    fn check_timers(&mut self, cx: &mut Context<'_>, timer: Pin<&mut Sleep>, now: Instant) -> Poll<Result<(), Error>> {
        let blocked = self.wire.barrier_closed() || self.wire.socket.write_blocked();
        let observed = Observed {
            idle: self.exchanges.is_empty() && self.delivery.is_idle() && !self.unread.any_open(),
            closing: self.shutdown == Shutdown::Graceful,
            blocked,
            starved: self.delivery.is_starved(),
            stuck_since: self.delivery.stuck_since().filter(|_| !blocked),
        };
        self.timers.observe(&self.wire, &self.config, now, observed);
        match ready!(self.timers.poll(cx, timer, now)) {
            Fired::Error(timeout) => return Poll::Ready(Err(Error::timeout(timeout))),
            Fired::Linger => return Poll::Ready(Ok(())),
            Fired::Idle => self.graceful_shutdown(),
            Fired::KeepAlive => self.timers.ping(&mut self.h2, &self.wire),
            Fired::Stuck => self.delivery.cut_stuck(self.config.write_stall_timeout, now),
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<T, S, B: Body, P: Policy> Driver<T, S, B, P> {
    /// Drops all work, and tells the policy what did not end before the connection did.
    fn abandon(&mut self) {
        let mut ends = std::mem::take(&mut self.ends);
        ends.clear();
        self.wire.take_ends(&mut ends);
        self.delivery.abandon(ends.into_iter(), self.exchanges.drain());
    }
}

impl<T, S, B: Body, P: Policy> Drop for Driver<T, S, B, P> {
    fn drop(&mut self) {
        self.abandon();
    }
}

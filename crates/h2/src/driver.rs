//! The loop of one connection. The order of its steps is what keeps `h2` 0.4.20 from the defects of
//! `UPSTREAM.md`: `h2` is polled until it is idle, then the ends that the wire showed are taken in, and only then
//! is anything promised, reset or sent.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::future::{AbortHandle, Abortable, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use h2::server::{Connection, SendResponse};
use h2::{Reason, RecvStream};
use headstart_policy::{Client, EarlyHints, Opening, Outcome, Policy, Priority, PriorityParameters};
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep};

use crate::ahead::{Ahead, Thinking};
use crate::body::RequestBody;
use crate::commit::{Page, commit};
use crate::config::Config;
use crate::connection::Start;
use crate::doom::Doom;
use crate::error::Error;
use crate::exchange::{Answer, Origin, Resolving, call};
use crate::flood::Floods;
use crate::head;
use crate::interim::Interim;
use crate::keep_alive::KeepAlive;
use crate::leftovers::{Draining, Leftovers};
use crate::outgoing::BodyEnd;
use crate::pushes::Pushes;
use crate::refuse;
use crate::schedule::Scheduler;
use crate::service::{HttpBody, HttpService};
use crate::stage::{Asked, Running, Stage, Step, Stepping};
use crate::tap::Tap;
use crate::timers::{Fired, Observed, Timers};
use crate::wire::{End, Wire};

/// What travels with a body.
pub(crate) enum Carried<P: Policy> {
    Page(P::Exchange),
    Push(u32),
}

/// The state of a served connection.
pub(crate) struct Driver<T, S, B: Body, P: Policy> {
    pub(crate) h2: Connection<Tap<T>, Bytes>,
    pub(crate) wire: Arc<Wire>,
    pub(crate) config: Config,
    service: S,
    pub(crate) policy: P,
    /// The services' futures that did not answer at once. What belongs to their streams is in `running`.
    pub(crate) steps: FuturesUnordered<Abortable<Stepping<P::Tag, B>>>,
    pub(crate) running: HashMap<u32, Running<P, B>>,
    /// Pages to be committed; they wait while an earlier page's promises are on their way out.
    pub(crate) ready: VecDeque<Page<P, B>>,
    pub(crate) scheduler: Scheduler<B, Carried<P>>,
    pub(crate) pushes: Pushes<P::Tag>,
    /// Streams to be taken back that were promised ahead of a page which came to nothing.
    pub(crate) withdrawn: Vec<u32>,
    pub(crate) ends: Vec<End>,
    bodies_ended: Vec<(Carried<P>, BodyEnd)>,
    leftovers: Arc<Leftovers>,
    draining: Draining,
    timers: Timers,
    keep_alive: KeepAlive,
    pub(crate) floods: Floods,
    /// The highest stream that the client has opened.
    pub(crate) highest: u32,
    pub(crate) shutting_down: bool,
    /// Set when the connection is given up.
    pub(crate) doom: Option<Doom>,
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
        Driver {
            h2,
            wire: start.wire,
            service: start.service,
            policy: start.policy,
            steps: FuturesUnordered::new(),
            running: HashMap::new(),
            ready: VecDeque::new(),
            scheduler: Scheduler::new(),
            pushes: Pushes::new(&start.config, now),
            withdrawn: Vec::new(),
            ends: Vec::new(),
            bodies_ended: Vec::new(),
            leftovers: Arc::default(),
            draining: Draining::default(),
            timers: Timers::new(start.began),
            keep_alive: KeepAlive::default(),
            floods: Floods::new(&start.config, now),
            highest: 0,
            shutting_down: false,
            doom: None,
            config: start.config,
        }
    }

    pub(crate) fn graceful_shutdown(&mut self) {
        if !self.shutting_down {
            self.shutting_down = true;
            self.h2.graceful_shutdown();
        }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, timer: Pin<&mut Sleep>) -> Poll<Result<(), Error>> {
        let now = Instant::now();
        self.police(now);
        self.wire.socket.set_asleep(false);
        // The socket was full, and may have room again.
        self.wire.socket.gather(!self.wire.socket.unflushed());
        loop {
            if let Some(doom) = &self.doom {
                self.wire.socket.gather(false);
                return doom.poll(cx, &mut self.h2, timer, now);
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
            self.scheduler.flushed(&self.wire);
            self.take_ends(now);
            self.take_updates();
            if !self.police(now) {
                continue;
            }
            self.poll_steps(cx);
            self.draining.poll(cx, &self.leftovers, now);
            // While a promise is on its way, nothing else is done to any stream: resetting its page would drop
            // the promise inside `h2` for good. `h2` has just written all that the outbox takes, so this lasts
            // only while the socket is full.
            let mut progress = false;
            while !self.wire.barrier_closed()
                && let Some(page) = self.ready.pop_front()
            {
                commit(self, cx, page, now);
                progress = true;
            }
            if !self.wire.barrier_closed() {
                progress |= self.withdraw();
                progress |= self.send(cx, now);
            }
            if progress {
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
        // Reset by the client before it was looked at: whoever asks in order to cancel gets no work for it
        // (CVE-2023-44487). `h2` is asked, at some cost, only if the tap has seen a reset.
        if self.wire.has_ends() && respond.poll_reset(cx).is_ready() {
            self.came_to_nothing(now);
            return;
        }
        let (mut head, stream) = request.into_parts();
        if let Some(response) = refuse::refused(&head, &self.config) {
            // A stream that is gone needs no answer.
            let _ = respond.send_response(response, true);
            return;
        }
        let interim = Arc::new(Interim::default());
        let tunnel = head.method == Method::CONNECT;
        let client = Client::new(!tunnel && self.push_possible(now));
        let Opening { exchange, early_hints, promises, priority } = self.policy.request(client, &mut head);
        if let Some(fields) = early_hints {
            let mut response = Response::new(());
            *response.status_mut() = StatusCode::EARLY_HINTS;
            *response.headers_mut() = fields;
            head::remove_hop_by_hop(response.headers_mut());
            interim.hinted();
            let _ = respond.send_informational(response);
        }
        let origin = client.push.then(|| Origin {
            scheme: head.uri.scheme().cloned().unwrap_or(http::uri::Scheme::HTTPS),
            authority: head.uri.authority().cloned(),
        });
        let mut pushes = Resolving::new();
        if let Some(origin) = &origin {
            for promise in promises {
                pushes.ask(&self.service, origin, promise);
            }
        }
        head.extensions.insert(EarlyHints::new(Arc::clone(&interim)));
        let priority = self.wire.updates.take(id).or(priority).unwrap_or_else(|| Priority::from_headers(&head.headers));
        let asked = Asked { exchange, method: head.method.clone(), priority, origin, ahead: Ahead::default() };
        let body = RequestBody::new(stream, &head, &self.config, &interim, &self.wire, &self.leftovers);
        let mut call = call(&self.service, cx, Request::from_parts(head, body));
        let polled = call.poll_unpin(cx);
        interim.flush(&mut respond);
        match polled {
            Poll::Ready(response) => {
                pushes.poll(cx);
                self.answered(cx, asked, Answer { respond, interim, response, pushes });
            }
            Poll::Pending => {
                let thinking = Thinking::new(&self.config, call, respond, interim, pushes);
                self.keep(id, Stage::Asked(asked), thinking.step());
            }
        }
    }

    /// Keeps a step that is not done.
    pub(crate) fn keep(
        &mut self,
        id: u32,
        stage: Stage<P, B>,
        step: impl Future<Output = Step<P::Tag, B>> + Send + 'static,
    ) {
        let (handle, registration) = AbortHandle::new_pair();
        self.running.insert(id, Running { step: handle, stage });
        self.steps.push(Abortable::new(step.map(move |step| (id, step)).boxed(), registration));
    }

    fn poll_steps(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(Some(done)) = self.steps.poll_next_unpin(cx) {
            // An aborted one was forgotten by `take_end`.
            if let Ok((id, step)) = done
                && let Some(running) = self.running.remove(&id)
            {
                self.step(cx, running.stage, step);
            }
        }
    }

    fn step(&mut self, cx: &mut Context<'_>, stage: Stage<P, B>, step: Step<P::Tag, B>) {
        match (stage, step) {
            (Stage::Asked(asked), Step::Answered(answer)) => self.answered(cx, asked, answer),
            (Stage::Asked(asked), Step::Promises(thinking)) => self.promise_ahead(cx, asked, thinking),
            (Stage::Settling(mut page), Step::Settled(pushes)) => {
                page.pushes = pushes;
                self.ready.push_back(page);
            }
            // A step never answers for another stage.
            (stage, _) => self.policy.ended(stage.into_exchange(), false),
        }
    }

    /// The service has answered for the page: the policy sees the head.
    fn answered(&mut self, cx: &mut Context<'_>, asked: Asked<P>, answer: Answer<P::Tag, B>) {
        let Answer { mut respond, interim, response, mut pushes } = answer;
        let Asked { mut exchange, method, priority, origin, mut ahead } = asked;
        interim.close();
        let Some(response) = response else {
            if ahead.ids.is_empty() {
                respond.send_reset(Reason::INTERNAL_ERROR);
            } else {
                head::fail(&mut respond);
                self.withdrawn.append(&mut ahead.ids);
            }
            self.policy.ended(exchange, false);
            return;
        };
        let (mut head, body) = response.into_parts();
        match self.policy.response(&mut exchange, &mut head, &body.size_hint()) {
            headstart_policy::Pushes::Drop => {
                pushes = Resolving::new();
                self.withdrawn.append(&mut ahead.ids);
            }
            headstart_policy::Pushes::Keep(more) => {
                if let Some(origin) = origin
                    && self.push_possible(Instant::now())
                {
                    for promise in more {
                        pushes.ask(&self.service, &origin, promise);
                    }
                    pushes.poll(cx);
                }
            }
        }
        let own = PriorityParameters::from_headers(&head.headers);
        let id = respond.stream_id().as_u32();
        let settled = pushes.is_settled();
        let mut page = Page { respond, exchange, method, priority, own, head, body, pushes, ahead };
        if settled {
            self.ready.push_back(page);
            return;
        }
        let pushes = std::mem::replace(&mut page.pushes, Resolving::new());
        self.keep(id, Stage::Settling(page), pushes.settle(self.config.push_patience).map(Step::Settled));
    }

    /// Whether a promise made now could be kept: the service is asked for none that could not. Else a client that
    /// leaves its pushes where they are would have the service work for each page as for all of its assets.
    fn push_possible(&mut self, now: Instant) -> bool {
        let streams = self.h2.max_concurrent_send_streams();
        // An end that was not taken in yet may have made room.
        self.push_wanted() && (self.wire.has_ends() || self.pushes.allow(&self.config, streams, now, 1).is_ok())
    }

    /// Whether the client takes pushes at all.
    pub(crate) fn push_wanted(&self) -> bool {
        !self.shutting_down && self.pushes.wanted(&self.config, &self.wire, self.h2.max_concurrent_send_streams())
    }

    fn send(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        let mut ended = std::mem::take(&mut self.bodies_ended);
        let Driver { scheduler, pushes, config, wire, .. } = self;
        let mut charge = |more, all| pushes.charge(config, now, more, all);
        let progress = scheduler.poll(cx, wire, config.max_unsent_bytes, now, &mut ended, &mut charge);
        for (carried, how) in ended.drain(..) {
            self.body_ended(carried, how);
        }
        self.bodies_ended = ended;
        progress
    }

    pub(crate) fn body_ended(&mut self, carried: Carried<P>, how: BodyEnd) {
        match carried {
            Carried::Page(exchange) => self.policy.ended(exchange, how == BodyEnd::Complete),
            Carried::Push(id) => {
                let told = match how {
                    BodyEnd::Failed | BodyEnd::CutOff => self.pushes.close(id).zip(Some(Outcome::Failed)),
                    BodyEnd::Stalled => self.pushes.stalled(id).zip(Some(Outcome::Unfinished)),
                    // The wire tells.
                    BodyEnd::Complete | BodyEnd::Gone => None,
                };
                if let Some((tag, outcome)) = told {
                    self.policy.outcome(&tag, outcome);
                }
            }
        }
    }

    fn check_timers(&mut self, cx: &mut Context<'_>, timer: Pin<&mut Sleep>, now: Instant) -> Poll<Result<(), Error>> {
        let idle =
            self.running.is_empty() && self.ready.is_empty() && self.scheduler.is_empty() && !self.leftovers.any_open();
        let blocked = self.wire.barrier_closed() || self.wire.socket.write_blocked();
        let observed = Observed {
            idle,
            closing: self.shutting_down,
            blocked,
            // What the socket has not taken is another matter.
            starved: self.wire.socket.held() == 0 && self.scheduler.is_starved(&self.wire),
            stuck_since: self.scheduler.stuck_since(&self.wire).filter(|_| !blocked),
            pinged: self.keep_alive.is_waiting(self.wire.bytes_read()),
        };
        self.timers.observe(&self.wire, &self.config, now, observed);
        match ready!(self.timers.poll(cx, timer, now)) {
            Fired::Error(timeout) => return Poll::Ready(Err(Error::timeout(timeout))),
            Fired::Linger => return Poll::Ready(Ok(())),
            Fired::Idle => self.graceful_shutdown(),
            Fired::KeepAlive => self.keep_alive.ping(&mut self.h2, self.wire.bytes_read()),
            Fired::Stuck => self.cut_stuck(now),
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Resets the streams whose client has opened no window for too long, while others went on.
    fn cut_stuck(&mut self, now: Instant) {
        let Some(then) = now.checked_sub(self.config.write_stall_timeout) else { return };
        let mut ended = Vec::new();
        self.scheduler.cut_stuck(then, &mut ended);
        for (carried, how) in ended {
            self.body_ended(carried, how);
        }
    }
}

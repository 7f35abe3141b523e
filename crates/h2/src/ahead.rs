//! Pages that take long: their pushes are promised ahead of their head, for the line would be idle.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::FutureExt;
use h2::Reason;
use h2::server::SendResponse;
use headstart_policy::{Attempt, Outcome, Policy};
use http::Response;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep};

use crate::config::Config;
use crate::driver::Driver;
use crate::exchange::{Answer, Call, Resolving};
use crate::interim::Interim;
use crate::promise::{Parent, promise};
use crate::schedule::Turn;
use crate::service::{HttpBody, HttpService};
use crate::stage::{Asked, Stage, Step};

/// How long promises that cannot be made now, for others are on their way out or the socket is full, are put off; twice as
/// long each time.
const PUT_OFF: Duration = Duration::from_millis(5);

/// What was promised ahead of a page.
pub(crate) struct Ahead<T> {
    pub(crate) attempts: Vec<Attempt<T>>,
    /// The streams promised; at most as many as may be open.
    pub(crate) ids: Vec<u32>,
    /// The page's place in the order of bodies, before theirs.
    pub(crate) turn: Option<Turn>,
}

impl<T> Default for Ahead<T> {
    fn default() -> Self {
        Ahead { attempts: Vec::new(), ids: Vec::new(), turn: None }
    }
}

/// A service at work on a page, and the pushes that are resolved beside it.
pub(crate) struct Thinking<T, B> {
    call: Call<B>,
    respond: SendResponse<Bytes>,
    interim: Arc<Interim>,
    pushes: Resolving<T, B>,
    /// `None` if nothing is promised ahead.
    timer: Option<Timer>,
}

struct Timer {
    sleep: Pin<Box<Sleep>>,
    when: When,
    /// When what is not resolved is no longer waited for.
    later: Instant,
    put_off: Duration,
}

/// When to promise without the page.
#[derive(Clone, Copy)]
enum When {
    /// Not before the timer fires.
    Later,
    /// When all is resolved, or the timer fires.
    Settled,
    /// As soon as there is anything.
    Now,
}

/// What a [`Thinking`] has come to: the response (`None` if the service failed), or something to promise.
enum Thought<B> {
    Answered(Option<Response<B>>),
    Promises,
}

impl<T: Clone + Send + 'static, B: Send + 'static> Thinking<T, B> {
    pub(crate) fn new(
        config: &Config,
        call: Call<B>,
        respond: SendResponse<Bytes>,
        interim: Arc<Interim>,
        pushes: Resolving<T, B>,
    ) -> Self {
        let after = config.promise_ahead_after.filter(|_| !pushes.is_empty());
        let timer = after.map(|after| {
            let sleep = Box::pin(sleep(after));
            let later = sleep.deadline().checked_add(config.push_patience).unwrap_or_else(|| sleep.deadline());
            Timer { sleep, when: When::Later, later, put_off: PUT_OFF }
        });
        Thinking { call, respond, interim, pushes, timer }
    }

    /// Goes on until the service has answered or there is something to promise, sending what interim responses it asks
    /// for.
    pub(crate) async fn step(mut self) -> Step<T, B> {
        match poll_fn(|cx| self.poll(cx)).await {
            Thought::Promises => Step::Promises(self),
            Thought::Answered(response) => {
                let Thinking { respond, interim, pushes, .. } = self;
                Step::Answered(Answer { respond, interim, response, pushes })
            }
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Thought<B>> {
        self.interim.register(cx.waker());
        let polled = self.call.poll_unpin(cx);
        self.interim.flush(&mut self.respond);
        // Also when the page is ready: what is ready with it goes out with it.
        self.pushes.poll(cx);
        if let Poll::Ready(response) = polled {
            return Poll::Ready(Thought::Answered(response));
        }
        let Some(timer) = &mut self.timer else { return Poll::Pending };
        loop {
            let may = match timer.when {
                When::Later => false,
                When::Settled => self.pushes.is_settled(),
                When::Now => true,
            };
            if may && self.pushes.has_done() {
                return Poll::Ready(Thought::Promises);
            }
            if matches!(timer.when, When::Now) || timer.sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            timer.fired();
        }
    }

    /// The promises are tried again a little later.
    fn put_off(&mut self, now: Instant) {
        if let Some(timer) = &mut self.timer {
            timer.when = When::Later;
            timer.sleep.as_mut().reset(now + timer.put_off);
            timer.put_off *= 2;
        }
    }
}

impl Timer {
    fn fired(&mut self) {
        self.when = match self.when {
            When::Later => {
                self.sleep.as_mut().reset(self.later);
                When::Settled
            }
            When::Settled | When::Now => When::Now,
        };
    }
}

impl<T, S, B, P> Driver<T, S, B, P>
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: HttpService<B>,
    B: HttpBody,
    P: Policy,
{
    /// The page takes long and has pushes that are resolved: promises them, if nothing stands in the way, and goes on.
    pub(crate) fn promise_ahead(
        &mut self,
        cx: &mut Context<'_>,
        mut asked: Asked<P>,
        mut thinking: Thinking<P::Tag, B>,
    ) {
        // As in `commit`: the second lock on the same door.
        if thinking.respond.poll_reset(cx).is_ready() {
            self.policy.ended(asked.exchange, false);
            return;
        }
        let now = Instant::now();
        let id = thinking.respond.stream_id().as_u32();
        let socket = &self.wire.socket;
        if self.wire.barrier_closed() || !self.ready.is_empty() || socket.write_blocked() || !self.wire.drained() {
            thinking.put_off(now);
        } else {
            asked.ahead.turn.get_or_insert_with(|| self.scheduler.reserve());
            let Thinking { respond, pushes, .. } = &mut thinking;
            let parent = Parent { respond, exchange: &mut asked.exchange, priority: asked.priority };
            let mut promised = promise(self, parent, pushes.take_done(), now);
            asked.ahead.attempts.append(&mut promised.attempts);
            asked.ahead.ids.extend(&promised.ids);
            promised.send(self, now);
        }
        self.keep(id, Stage::Asked(asked), thinking.step());
    }

    /// Takes back what was promised ahead of a page that came to nothing, once nothing is on its way out. What has gone
    /// out by then was in vain. Returns whether `h2` has to be polled again.
    pub(crate) fn withdraw(&mut self) -> bool {
        let withdrawn = std::mem::take(&mut self.withdrawn);
        for &id in &withdrawn {
            // Of one that `h2` has all of, the wire tells.
            if self.scheduler.reset(id, Reason::CANCEL)
                && let Some(tag) = self.pushes.close(id)
            {
                self.policy.outcome(&tag, Outcome::Failed);
            }
        }
        !withdrawn.is_empty()
    }
}

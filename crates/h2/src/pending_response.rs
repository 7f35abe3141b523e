//! A service that has not answered for a page yet, with the pushes that are resolved beside it.
//!
//! While the service works the connection would be idle, so the pushes of a page that takes long are promised ahead of
//! its head.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::FutureExt;
use h2::server::SendResponse;
use http::Response;
use tokio::time::{Instant, Sleep, sleep};

use crate::call::Call;
use crate::config::Config;
use crate::interim::Interim;
use crate::pending_pushes::PendingPushes;

/// Delay before promises are tried again that cannot be made now, because others are being written or the socket is full.
/// It doubles each time.
const RETRY: Duration = Duration::from_millis(5);

/// The result of a step of an exchange.
pub(crate) enum Step<T, B> {
    Answered(Answer<T, B>),
    /// The service is still at work, and something may be promised.
    Promises(PendingResponse<T, B>),
    /// The pushes of a page are resolved, or late.
    Settled(PendingPushes<T, B>),
}

/// The service's answer for a page.
pub(crate) struct Answer<T, B> {
    pub(crate) respond: SendResponse<Bytes>,
    pub(crate) interim: Arc<Interim>,
    /// `None` if the service failed or panicked.
    pub(crate) response: Option<Response<B>>,
    pub(crate) pushes: PendingPushes<T, B>,
}

/// A call of the service for a page, and the pushes that are resolved beside it.
pub(crate) struct PendingResponse<T, B> {
    call: Call<B>,
    pub(crate) respond: SendResponse<Bytes>,
    interim: Arc<Interim>,
    pub(crate) pushes: PendingPushes<T, B>,
    /// `None` if nothing is promised ahead.
    timer: Option<Timer>,
}

struct Timer {
    sleep: Pin<Box<Sleep>>,
    when: When,
    /// When pushes that are not resolved are no longer waited for.
    later: Instant,
    retry: Duration,
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

/// The result of polling a [`PendingResponse`]: the response (`None` if the service failed), or something to promise.
enum Progress<B> {
    Answered(Option<Response<B>>),
    Promises,
}

impl<T: Clone + Send + 'static, B: Send + 'static> PendingResponse<T, B> {
    pub(crate) fn new(
        config: &Config,
        call: Call<B>,
        respond: SendResponse<Bytes>,
        interim: Arc<Interim>,
        pushes: PendingPushes<T, B>,
    ) -> Self {
        let after = config.promise_ahead_after.filter(|_| !pushes.is_empty());
        let timer = after.map(|after| {
            let sleep = Box::pin(sleep(after));
            let later = sleep.deadline().checked_add(config.push_patience).unwrap_or_else(|| sleep.deadline());
            Timer { sleep, when: When::Later, later, retry: RETRY }
        });
        PendingResponse { call, respond, interim, pushes, timer }
    }

    /// Waits until the service has answered or there is something to promise; sends the interim responses that the service
    /// asks for.
    pub(crate) async fn step(mut self) -> Step<T, B> {
        match poll_fn(|cx| self.poll(cx)).await {
            Progress::Promises => Step::Promises(self),
            Progress::Answered(response) => {
                let PendingResponse { respond, interim, pushes, .. } = self;
                Step::Answered(Answer { respond, interim, response, pushes })
            }
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Progress<B>> {
        self.interim.register(cx.waker());
        let polled = self.call.poll_unpin(cx);
        self.interim.flush(&mut self.respond);
        // Also when the page is ready: pushes that are ready by then are sent with it.
        self.pushes.poll(cx);
        if let Poll::Ready(response) = polled {
            return Poll::Ready(Progress::Answered(response));
        }
        let Some(timer) = &mut self.timer else { return Poll::Pending };
        loop {
            let may = match timer.when {
                When::Later => false,
                When::Settled => self.pushes.is_settled(),
                When::Now => true,
            };
            if may && self.pushes.has_done() {
                return Poll::Ready(Progress::Promises);
            }
            if matches!(timer.when, When::Now) || timer.sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            timer.fired();
        }
    }

    /// Promises are tried again a little later.
    pub(crate) fn put_off(&mut self, now: Instant) {
        if let Some(timer) = &mut self.timer {
            timer.when = When::Later;
            timer.sleep.as_mut().reset(now + timer.retry);
            timer.retry *= 2;
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

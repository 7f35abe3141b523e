//! The commit of a page: its promises, then its head, without a step in between.

use std::task::Context;

use bytes::Bytes;
use h2::server::SendResponse;
use headstart_policy::{Attempt, Policy, Priority, PriorityParameters, Refusal};
use http::{Method, Response, response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use crate::ahead::Ahead;
use crate::driver::{Carried, Driver};
use crate::exchange::Resolving;
use crate::head;
use crate::promise::{Parent, promise};
use crate::service::{HttpBody, HttpService};
use crate::terms::Terms;

/// A page that is ready to go out, with what is to be pushed before it.
pub(crate) struct Page<P: Policy, B> {
    pub(crate) respond: SendResponse<Bytes>,
    pub(crate) exchange: P::Exchange,
    pub(crate) method: Method,
    /// What the client asked for in its request, or the policy instead, or the client since.
    pub(crate) priority: Priority,
    /// What the response itself says of it (RFC 9218, section 8).
    pub(crate) own: PriorityParameters,
    pub(crate) head: response::Parts,
    pub(crate) body: B,
    pub(crate) pushes: Resolving<P::Tag, B>,
    /// What was promised before the page was ready.
    pub(crate) ahead: Ahead<P::Tag>,
}

impl<P: Policy, B> Page<P, B> {
    pub(crate) fn id(&self) -> u32 {
        self.respond.stream_id().as_u32()
    }
}

/// Promises what may be promised and sends the page's head; bodies go to the scheduler.
/// Runs with no promise under way, as [`promise`] asks.
pub(crate) fn commit<T, S, B, P>(
    driver: &mut Driver<T, S, B, P>,
    cx: &mut Context<'_>,
    mut page: Page<P, B>,
    now: Instant,
) where
    T: AsyncRead + AsyncWrite + Unpin,
    S: HttpService<B>,
    B: HttpBody,
    P: Policy,
{
    // The tap shows a cancelled page before this runs; this is the second lock on the same door.
    if page.respond.poll_reset(cx).is_ready() {
        driver.policy.ended(page.exchange, false);
        return;
    }
    let with_body = head::finish(&page.method, &mut page.head, &page.body.size_hint(), now);
    let pushes = std::mem::replace(&mut page.pushes, Resolving::new());
    let (resolved, late) = pushes.finish();
    let priority = page.own.over(page.priority);
    let parent = Parent { respond: &mut page.respond, exchange: &mut page.exchange, priority };
    let mut promised = promise(driver, parent, resolved, now);
    let mut attempts = page.ahead.attempts;
    attempts.append(&mut promised.attempts);
    attempts.extend(late.into_iter().map(|tag| Attempt { tag, refusal: Some(Refusal::NotReady) }));
    driver.policy.commit(&mut page.exchange, &mut page.head, &attempts);

    let ends = !with_body || page.body.is_end_stream();
    match page.respond.send_response(Response::from_parts(page.head, ()), ends) {
        Ok(_) if ends => driver.policy.ended(page.exchange, true),
        Ok(send) => {
            let tunnel = page.method == Method::CONNECT;
            let terms = Terms { asked: page.priority, own: page.own, allowance: None, tunnel };
            driver.scheduler.push(send, page.body, terms, page.ahead.turn, now, Carried::Page(page.exchange));
        }
        Err(error) => {
            // The head is clean by `finish`, so this is a policy that wrote hop-by-hop fields into it.
            tracing::error!(%error, "a response head was refused");
            head::fail(&mut page.respond);
            driver.policy.ended(page.exchange, false);
        }
    }
    promised.send(driver, now);
}

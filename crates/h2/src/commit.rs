//! The commit of a page: its promises, then its head, without a step in between.

use std::task::Context;

use bytes::Bytes;
use h2::Reason;
use h2::server::SendResponse;
use http::{Method, Response, StatusCode, header, response};
use http_body::Body;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use crate::driver::{Carried, Driver};
use crate::exchange::{Resolved, Resolving};
use crate::head;
use crate::policy::{Attempt, Policy, Refusal};
use crate::priority::{Members, Priority};
use crate::service::{HttpBody, HttpService};
use crate::terms::{Allowance, Terms};

/// What a pushed body of unknown length is taken for in the byte budget.
const UNKNOWN_BYTES: u64 = 64 << 10;

/// A page that is ready to go out, with what is to be pushed before it.
pub(crate) struct Page<P: Policy, B> {
    pub(crate) respond: SendResponse<Bytes>,
    pub(crate) exchange: P::Exchange,
    pub(crate) method: Method,
    /// What the client asked for in its request, or the policy instead, or the client since.
    pub(crate) priority: Priority,
    /// What the response itself says of it (RFC 9218, section 8).
    pub(crate) own: Members,
    pub(crate) head: response::Parts,
    pub(crate) body: B,
    pub(crate) pushes: Resolving<P::Tag, B>,
}

impl<P: Policy, B> Page<P, B> {
    pub(crate) fn id(&self) -> u32 {
        self.respond.stream_id().as_u32()
    }
}

/// A pushed body, promised and waiting for its page to go first.
struct PushedBody<B> {
    send: h2::SendStream<Bytes>,
    body: B,
    terms: Terms,
}

/// Promises what may be promised and sends the page's head; bodies go to the scheduler.
///
/// Runs right after `h2` returned pending, with no promise under way, and does not await: so the promises of two
/// pages never mix (their ids have to ascend on the wire), and a promise is followed by its response before
/// `h2` reads another frame.
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
    let mut committing = Committing { driver, now, attempts: Vec::new(), bodies: Vec::new(), first: None, count: 0 };
    let (resolved, late) = pushes.finish();
    for resolved in resolved {
        committing.promise(&mut page, resolved);
    }
    let Committing { mut attempts, bodies, first, count, .. } = committing;
    attempts.extend(late.into_iter().map(|tag| Attempt { tag, refusal: Some(Refusal::NotReady) }));
    if let Some(first) = first {
        driver.wire.promised(first, count);
    }
    driver.policy.commit(&mut page.exchange, &mut page.head, &attempts);

    let ends = !with_body || page.body.is_end_stream();
    match page.respond.send_response(Response::from_parts(page.head, ()), ends) {
        Ok(_) if ends => driver.policy.ended(page.exchange, true),
        Ok(send) => {
            let tunnel = page.method == Method::CONNECT;
            let terms = Terms { asked: page.priority, own: page.own, allowance: None, tunnel };
            driver.scheduler.push(send, page.body, terms, now, Carried::Page(page.exchange));
        }
        Err(error) => {
            // The head is clean by `finish`, so this is a policy that wrote hop-by-hop fields into it. A reset
            // would drop promises that are queued on this stream, so it is answered.
            tracing::error!(%error, "a response head was refused");
            let mut failed = Response::new(());
            *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            let _ = page.respond.send_response(failed, true);
            driver.policy.ended(page.exchange, false);
        }
    }
    for PushedBody { send, body, terms } in bodies {
        let id = send.stream_id().as_u32();
        driver.scheduler.push(send, body, terms, now, Carried::Push(id));
    }
}

struct Committing<'a, T, S, B: Body, P: Policy> {
    driver: &'a mut Driver<T, S, B, P>,
    now: Instant,
    attempts: Vec<Attempt<P::Tag>>,
    bodies: Vec<PushedBody<B>>,
    /// The lowest stream promised.
    first: Option<u32>,
    count: u32,
}

impl<T, S, B, P> Committing<'_, T, S, B, P>
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: HttpService<B>,
    B: HttpBody,
    P: Policy,
{
    fn promise(&mut self, page: &mut Page<P, B>, resolved: Resolved<P::Tag, B>) {
        let tag = resolved.promise.tag.clone();
        let refusal = self.try_promise(page, resolved).err();
        self.attempts.push(Attempt { tag, refusal });
    }

    fn try_promise(&mut self, page: &mut Page<P, B>, resolved: Resolved<P::Tag, B>) -> Result<(), Refusal> {
        let Resolved { promise, result, .. } = resolved;
        let (request, response) = result?;
        let driver = &mut *self.driver;
        if !driver.push_wanted() {
            return Err(Refusal::Unwanted);
        }
        let (mut head, body) = response.into_parts();
        let size = body.size_hint();
        if !driver.policy.admit(&mut page.exchange, &promise, &mut head, &size) {
            return Err(Refusal::NotAdmitted);
        }
        let version = head.headers.get(header::ETAG).map_or(&b""[..], |etag| etag.as_bytes()).to_vec();
        if driver.pushes.repeated(request.uri(), &version) {
            return Err(Refusal::Repeated);
        }
        // Also while `h2` has frames that it has not decoded: one of them may be a RST_STREAM for this page.
        if driver.wire.socket.write_blocked() || !driver.wire.drained() {
            return Err(Refusal::Congested);
        }
        let bytes = size.exact().unwrap_or_else(|| size.lower().max(UNKNOWN_BYTES));
        driver.pushes.allow(&driver.config, driver.h2.max_concurrent_send_streams(), self.now, bytes)?;
        let with_body = head::finish(&Method::GET, &mut head, &size, self.now);
        let own = Members::from_headers(&head.headers);
        let page_priority = page.own.over(page.priority);
        let priority = pushed_priority(page_priority, own.over(promise.priority.unwrap_or(page_priority)));
        // Raised above what its head says: that the head asked for it once is enough.
        let own = if own.over(priority) == priority { own } else { Members::default() };
        let terms = Terms { asked: priority, own, allowance: Some(Allowance::new(bytes)), tunnel: false };

        let uri = request.uri().clone();
        let mut push = page.respond.push_request(request).map_err(|error| {
            tracing::debug!(%error, path = %promise.path, "h2 refused a promise");
            driver.pushes.refused_by_h2();
            Refusal::Unwanted
        })?;
        let id = push.stream_id().as_u32();
        self.first.get_or_insert(id);
        self.count += 1;
        driver.pushes.promised(id, promise.tag, &uri, &version, bytes);
        let ends = !with_body || body.is_end_stream();
        match push.send_response(Response::from_parts(head, ()), ends) {
            Ok(send) if !ends => self.bodies.push(PushedBody { send, body, terms }),
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, path = %promise.path, "the head of a push was refused");
                // The stream is promised: it is reset aloud, for a handle that is dropped says nothing.
                push.send_reset(Reason::INTERNAL_ERROR);
                driver.pushes.close(id);
                return Err(Refusal::Invalid);
            }
        }
        Ok(())
    }
}

/// A push is never more urgent than its page: it would take the window that the page needs.
fn pushed_priority(page: Priority, push: Priority) -> Priority {
    Priority { urgency: push.urgency.max(page.urgency), incremental: push.incremental }
}

//! Promises: which of the responses that are ready may be promised, and the promise with its head in one step.

use bytes::Bytes;
use h2::Reason;
use h2::server::SendResponse;
use headstart_policy::{Attempt, Policy, Priority, PriorityParameters, Refusal};
use http::{Method, Response, header};
use http_body::Body;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use crate::driver::{Carried, Driver};
use crate::exchange::Resolved;
use crate::head;
use crate::service::{HttpBody, HttpService};
use crate::terms::{Allowance, Terms};

/// What a pushed body of unknown length is taken for in the byte budget.
const UNKNOWN_BYTES: u64 = 64 << 10;

/// The page that is promised on.
pub(crate) struct Parent<'a, P: Policy> {
    pub(crate) respond: &'a mut SendResponse<Bytes>,
    pub(crate) exchange: &'a mut P::Exchange,
    pub(crate) priority: Priority,
}

/// A pushed body, promised and waiting for its page to go first.
struct PushedBody<B> {
    send: h2::SendStream<Bytes>,
    body: B,
    terms: Terms,
}

/// Promises what may be promised of a page's pushes, and closes the read barrier until all of it is written.
///
/// Runs right after `h2` returned pending, with no promise under way, and does not await: so the promises of two pages
/// never mix (their ids have to ascend on the wire), and a promise is followed by its response before `h2` reads another
/// frame.
pub(crate) fn promise<T, S, B, P>(
    driver: &mut Driver<T, S, B, P>,
    mut page: Parent<'_, P>,
    pushes: Vec<Resolved<P::Tag, B>>,
    now: Instant,
) -> Promised<P, B>
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: HttpService<B>,
    B: HttpBody,
    P: Policy,
{
    let mut promising = Promising { driver, now, bodies: Vec::new(), ids: Vec::new() };
    let mut attempts = Vec::new();
    for resolved in pushes {
        let tag = resolved.promise.tag.clone();
        let refusal = promising.try_promise(&mut page, resolved).err();
        if refusal.is_none() {
            promising.driver.policy.promised(page.exchange, &tag);
        }
        attempts.push(Attempt { tag, refusal });
    }
    let Promising { driver, ids, bodies, .. } = promising;
    if let Some(first) = ids.first() {
        driver.wire.promised(*first, ids.len() as u32);
    }
    Promised { attempts, ids, bodies }
}

/// The promises of one page that go out together.
struct Promising<'a, T, S, B: Body, P: Policy> {
    driver: &'a mut Driver<T, S, B, P>,
    now: Instant,
    bodies: Vec<PushedBody<B>>,
    /// What was promised, ascending.
    ids: Vec<u32>,
}

/// What came of them: bodies are not sent before [`send`](Promised::send).
pub(crate) struct Promised<P: Policy, B> {
    pub(crate) attempts: Vec<Attempt<P::Tag>>,
    pub(crate) ids: Vec<u32>,
    bodies: Vec<PushedBody<B>>,
}

impl<T, S, B, P> Promising<'_, T, S, B, P>
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: HttpService<B>,
    B: HttpBody,
    P: Policy,
{
    fn try_promise(&mut self, page: &mut Parent<'_, P>, resolved: Resolved<P::Tag, B>) -> Result<(), Refusal> {
        let Resolved { promise, result, .. } = resolved;
        let (request, response) = result?;
        let driver = &mut *self.driver;
        if !driver.push_wanted() {
            return Err(Refusal::Unwanted);
        }
        let (mut head, body) = response.into_parts();
        let size = body.size_hint();
        if !driver.policy.admit(page.exchange, &promise, &mut head, &size) {
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
        let own = PriorityParameters::from_headers(&head.headers);
        let priority = pushed_priority(page.priority, own.over(promise.priority.unwrap_or(page.priority)));
        // Raised above what its head says: that the head asked for it once is enough.
        let own = if own.over(priority) == priority { own } else { PriorityParameters::default() };
        let terms = Terms { asked: priority, own, allowance: Some(Allowance::new(bytes)), tunnel: false };

        let uri = request.uri().clone();
        let mut push = page.respond.push_request(request).map_err(|error| {
            tracing::debug!(%error, path = %promise.path, "h2 refused a promise");
            driver.pushes.refused_by_h2();
            Refusal::Unwanted
        })?;
        let id = push.stream_id().as_u32();
        self.ids.push(id);
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

impl<P: Policy, B: HttpBody> Promised<P, B> {
    /// Hands the bodies to the scheduler, which takes its page before them.
    pub(crate) fn send<T, S>(self, driver: &mut Driver<T, S, B, P>, now: Instant) {
        for PushedBody { send, body, terms } in self.bodies {
            let id = send.stream_id().as_u32();
            driver.scheduler.push(send, body, terms, None, now, Carried::Push(id));
        }
    }
}

/// A push is never more urgent than its page: it would take the window that the page needs.
fn pushed_priority(page: Priority, push: Priority) -> Priority {
    Priority { urgency: push.urgency.max(page.urgency), incremental: push.incremental }
}

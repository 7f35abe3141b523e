//! Promises: which of the responses that are ready may be promised, and the promise with its head in one step.

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, SendStream};
use headstart_policy::{Attempt, Policy, Priority, PriorityParameters, Refusal};
use http::{Method, Response, header};
use http_body::Body;
use tokio::time::Instant;

use crate::body_options::{Allowance, BodyOptions};
use crate::head;
use crate::pending_pushes::Resolved;
use crate::promises::Promises;
use crate::wire::Wire;

/// The charge of a pushed body of unknown length in the byte budget.
const UNKNOWN_BYTES: u64 = 64 << 10;

/// The page that is promised on.
pub(crate) struct Parent<'a, P: Policy> {
    pub(crate) respond: &'a mut SendResponse<Bytes>,
    pub(crate) exchange: &'a mut P::Exchange,
    pub(crate) priority: Priority,
}

/// A pushed body that waits until its page was handed to the scheduler.
pub(crate) struct PushedBody<B> {
    pub(crate) send: SendStream<Bytes>,
    pub(crate) body: B,
    pub(crate) options: BodyOptions,
}

/// The promises of one page that are written together.
pub(crate) struct Promised<T, B> {
    pub(crate) attempts: Vec<Attempt<T>>,
    /// The promised streams, ascending.
    pub(crate) ids: Vec<u32>,
    pub(crate) bodies: Vec<PushedBody<B>>,
}

/// Makes the promises of one page.
pub(crate) struct Promising<'a, P: Policy> {
    pub(crate) policy: &'a mut P,
    pub(crate) promises: &'a mut Promises<P::Tag>,
    pub(crate) wire: &'a Wire,
    pub(crate) now: Instant,
}

impl<P: Policy> Promising<'_, P> {
    /// Promises what may be promised of a page's pushes, and closes the read barrier until all of it is written.
    ///
    /// Runs right after `h2` returned pending, while no promise is being written, and does not await: so the promises of
    /// two pages never mix (their ids have to ascend on the wire), and a promise is followed by its response before `h2`
    /// reads another frame.
    pub(crate) fn promise<B: Body>(
        mut self,
        mut page: Parent<'_, P>,
        pushes: Vec<Resolved<P::Tag, B>>,
    ) -> Promised<P::Tag, B> {
        let mut promised = Promised { attempts: Vec::with_capacity(pushes.len()), ids: Vec::new(), bodies: Vec::new() };
        for resolved in pushes {
            let tag = resolved.promise.tag.clone();
            let refusal = self.try_promise(&mut page, resolved, &mut promised).err();
            if refusal.is_none() {
                self.policy.promised(page.exchange, &tag);
            }
            promised.attempts.push(Attempt { tag, refusal });
        }
        if let Some(first) = promised.ids.first() {
            self.wire.promised(*first, promised.ids.len() as u32);
        }
        promised
    }

    fn try_promise<B: Body>(
        &mut self,
        page: &mut Parent<'_, P>,
        resolved: Resolved<P::Tag, B>,
        promised: &mut Promised<P::Tag, B>,
    ) -> Result<(), Refusal> {
        let Resolved { promise, result, .. } = resolved;
        let (request, response) = result?;
        if !self.promises.wanted(self.wire) {
            return Err(Refusal::Unwanted);
        }
        let (mut head, body) = response.into_parts();
        let size = body.size_hint();
        if !self.policy.admit(page.exchange, &promise, &mut head, &size) {
            return Err(Refusal::NotAdmitted);
        }
        let version = head.headers.get(header::ETAG).map_or(&b""[..], |etag| etag.as_bytes());
        let entry = self.promises.unless_repeated(request.uri(), version)?;
        // Also while `h2` has frames that it has not decoded: one of them may be a RST_STREAM for this page.
        if self.wire.socket.write_blocked() || !self.wire.drained() {
            return Err(Refusal::Congested);
        }
        let bytes = size.exact().unwrap_or_else(|| size.lower().max(UNKNOWN_BYTES));
        self.promises.allow(self.wire, self.now, bytes)?;
        let with_body = head::finish(&Method::GET, &mut head, &size, self.now);
        let own = PriorityParameters::from_headers(&head.headers);
        let priority = pushed_priority(page.priority, own.over(promise.priority.unwrap_or(page.priority)));
        // If the push was made less urgent than its head says, what the head says no longer counts.
        let own = if own.over(priority) == priority { own } else { PriorityParameters::default() };
        let options = BodyOptions {
            requested: priority,
            own,
            early: true,
            allowance: Some(Allowance::new(bytes)),
            tunnel: false,
        };

        let mut push = page.respond.push_request(request).map_err(|error| {
            tracing::debug!(%error, path = %promise.path, "h2 refused a promise");
            self.promises.stop();
            Refusal::Unwanted
        })?;
        let id = push.stream_id().as_u32();
        promised.ids.push(id);
        self.promises.promised(id, promise.tag, entry, bytes);
        let ends = !with_body || body.is_end_stream();
        match push.send_response(Response::from_parts(head, ()), ends) {
            Ok(send) if !ends => promised.bodies.push(PushedBody { send, body, options }),
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, path = %promise.path, "the head of a push was refused");
                // Dropping the handle of a promised stream sends no RST_STREAM, so it is sent here.
                push.send_reset(Reason::INTERNAL_ERROR);
                self.promises.close(id);
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

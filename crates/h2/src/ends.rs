//! What the wire has shown since the last round: streams that ended, priorities, and a client that goes too far.

use h2::Reason;
use headstart_policy::{Outcome, Policy};
use http_body::Body;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use crate::doom::Doom;
use crate::driver::{Carried, Driver};
use crate::outgoing::BodyEnd;
use crate::service::{HttpBody, HttpService};
use crate::wire::{End, Ended, is_push};

impl<T, S, B, P> Driver<T, S, B, P>
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: HttpService<B>,
    B: HttpBody,
    P: Policy,
{
    /// Takes in what the wire has shown of streams that ended, once `h2` knows it too: until then a stream may
    /// end for which no request was seen.
    pub(crate) fn take_ends(&mut self, now: Instant) {
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

    fn take_end(&mut self, End { stream, how }: End, now: Instant) {
        if let Some((tag, outcome)) = self.pushes.end(End { stream, how }) {
            self.policy.outcome(&tag, outcome);
        }
        if how == Ended::Finished {
            return;
        }
        let mut worked = false;
        if let Some(running) = self.running.remove(&stream) {
            running.step.abort();
            self.policy.ended(running.stage.into_exchange(), false);
            worked = true;
        }
        if let Some(at) = self.ready.iter().position(|page| page.id() == stream)
            && let Some(page) = self.ready.remove(at)
        {
            self.policy.ended(page.exchange, false);
            worked = true;
        }
        if let Some(carried) = self.scheduler.remove(stream) {
            self.body_ended(carried, BodyEnd::Gone);
            worked = true;
        }
        if worked && !is_push(stream) {
            self.came_to_nothing(now);
        }
    }

    /// Takes in what the client has said of priorities; of streams that it has not opened, that is kept.
    pub(crate) fn take_updates(&mut self) {
        for (id, priority) in self.wire.updates.take_opened(self.highest) {
            self.scheduler.reprioritise(id, priority);
            if let Some(running) = self.running.get_mut(&id) {
                running.stage.reprioritise(priority);
            }
            if let Some(page) = self.ready.iter_mut().find(|page| page.id() == id) {
                page.priority = priority;
            }
        }
        if let Some(code) = self.wire.updates.fault() {
            self.give_up(code);
        }
    }

    /// Work was done for a stream that the client took back.
    pub(crate) fn came_to_nothing(&mut self, now: Instant) {
        if !self.floods.reset(now) {
            self.give_up(Reason::ENHANCE_YOUR_CALM);
        }
    }

    /// Whether the client may go on: it has not sent more frames without content than one may.
    pub(crate) fn police(&mut self, now: Instant) -> bool {
        if !self.floods.observe(&self.wire.meter, self.wire.data_written(), now) {
            self.give_up(Reason::ENHANCE_YOUR_CALM);
        }
        self.doom.is_none()
    }

    /// Ends the connection for what the client did: all work is dropped, and it is told the code if it reads on.
    fn give_up(&mut self, code: Reason) {
        if self.doom.is_none() {
            self.doom = Some(Doom::new(code, Instant::now()));
            self.h2.abrupt_shutdown(code);
            self.abandon();
        }
    }
}

impl<T, S, B: Body, P: Policy> Drop for Driver<T, S, B, P> {
    fn drop(&mut self) {
        self.abandon();
    }
}

impl<T, S, B: Body, P: Policy> Driver<T, S, B, P> {
    /// Drops all work, telling the policy of what did not end before the connection did.
    fn abandon(&mut self) {
        self.steps.clear();
        let mut ends = std::mem::take(&mut self.ends);
        self.wire.take_ends(&mut ends);
        for (tag, outcome) in ends.into_iter().filter_map(|end| self.pushes.end(end)) {
            self.policy.outcome(&tag, outcome);
        }
        for tag in self.pushes.drain() {
            self.policy.outcome(&tag, Outcome::Unfinished);
        }
        let running = self.running.drain().map(|(_, running)| running.stage.into_exchange());
        let ready = self.ready.drain(..).map(|page| page.exchange);
        let sending = self.scheduler.drain().filter_map(|carried| match carried {
            Carried::Page(exchange) => Some(exchange),
            Carried::Push(_) => None,
        });
        for exchange in running.chain(ready).chain(sending) {
            self.policy.ended(exchange, false);
        }
    }
}

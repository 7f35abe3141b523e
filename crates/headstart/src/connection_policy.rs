//! The engine as the policy of one HTTP/2 connection.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use headstart_policy::{Attempt, Client, Opening, Outcome, Policy, Promise, Pushes};
use http::{request, response};
use http_body::SizeHint;

use crate::Headstart;
#[cfg(feature = "serve")]
use crate::activity::Activity;
use crate::channels::Channels;
use crate::connection_state::ConnectionState;
use crate::engine::{Counters, Engine};
use crate::event::{Event, PushOutcome, PushReport};
use crate::exchange::Exchange;
use crate::item::Tag;
use crate::response as answer;
use crate::transfer::Transfer;

/// Decides what one connection sends early; made by [`Headstart::policy`](crate::Headstart::policy).
pub struct ConnectionPolicy {
    engine: Arc<Engine>,
    connection: ConnectionState,
}

impl Headstart {
    /// The policy for one HTTP/2 connection, to be given to
    /// `headstart_h2::serve_connection` by servers that accept connections themselves.
    pub fn policy(&self, remote: SocketAddr) -> ConnectionPolicy {
        ConnectionPolicy::new(Arc::clone(&self.engine), remote)
    }
}

impl ConnectionPolicy {
    pub(crate) fn new(engine: Arc<Engine>, remote: SocketAddr) -> Self {
        let mut connection = ConnectionState::new(&engine, remote);
        if engine.is_observed() {
            connection.observe();
        }
        ConnectionPolicy { engine, connection }
    }

    /// Counts the connection's exchanges, so that the server sees when it is idle.
    #[cfg(feature = "serve")]
    pub(crate) fn counted(mut self, activity: Arc<Activity>) -> Self {
        self.connection.activity = Some(activity);
        self
    }
}

/// The state of one exchange.
pub struct PolicyExchange(Exchange);

impl Policy for ConnectionPolicy {
    type Exchange = PolicyExchange;
    type Tag = Tag;

    fn request(&mut self, client: Client, head: &mut request::Parts) -> Opening<PolicyExchange, Tag> {
        let channels = Channels { push: client.push, early_hints: true };
        let now = self.engine.now();
        let mut exchange = Exchange::open(&self.engine, &mut self.connection, channels, head, now);
        let priority = exchange.priority();
        let (mut early_hints, mut promises) = (None, Vec::new());
        if let Some(page) = exchange.page() {
            head.extensions.insert(page.decided.clone());
            #[cfg(feature = "markup")]
            page.offer_copy(&self.engine, head);
            early_hints = page.early_hints();
            promises = page.promises(&self.engine);
        }
        Opening { exchange: PolicyExchange(exchange), early_hints, promises, priority }
    }

    fn response(&mut self, exchange: &mut PolicyExchange, head: &mut response::Parts, size: &SizeHint) -> Pushes<Tag> {
        exchange.0.answered(&self.engine, head, size.exact(), self.engine.now());
        let Some(page) = exchange.0.page().filter(|_| answer::is_page(head)) else {
            return Pushes::Drop;
        };
        page.read_named(&self.connection, head);
        Pushes::Keep(page.promises(&self.engine))
    }

    fn admit(
        &mut self,
        exchange: &mut PolicyExchange,
        promise: &Promise<Tag>,
        head: &mut response::Parts,
        size: &SizeHint,
    ) -> bool {
        let page = exchange.0.page();
        let now = self.engine.now();
        page.is_some_and(|page| page.admit(&self.engine, &self.connection, &promise.tag, head, size.exact(), now))
    }

    fn promised(&mut self, _: &mut PolicyExchange, tag: &Tag) {
        if let Some(stopwatch) = &mut self.connection.stopwatch {
            stopwatch.pushed(tag, Instant::now());
        }
    }

    fn commit(&mut self, exchange: &mut PolicyExchange, head: &mut response::Parts, attempts: &[Attempt<Tag>]) {
        if let Some(page) = exchange.0.page() {
            page.commit(&self.engine, &mut self.connection, head, attempts);
        }
    }

    fn ended(&mut self, exchange: PolicyExchange, complete: bool) {
        let transfer = if complete { Transfer::Complete } else { Transfer::Incomplete };
        exchange.0.ended(&self.engine, &mut self.connection, transfer, self.engine.now());
    }

    fn outcome(&mut self, tag: &Tag, outcome: Outcome) {
        let counters = &self.engine.counters;
        let (counter, outcome) = match outcome {
            Outcome::Finished => (&counters.pushes_finished, PushOutcome::Finished),
            Outcome::Cancelled(_) => (&counters.pushes_cancelled, PushOutcome::Cancelled),
            Outcome::Failed => (&counters.pushes_unfinished, PushOutcome::Failed),
            _ => (&counters.pushes_unfinished, PushOutcome::Unfinished),
        };
        Counters::add(counter, 1);
        if let Some(stopwatch) = &mut self.connection.stopwatch {
            let bytes = tag.bytes.load(Ordering::Relaxed);
            if outcome == PushOutcome::Finished {
                stopwatch.sent(tag.view, &tag.asset, bytes, Instant::now());
            }
            self.engine.tell(&Event::Push(PushReport {
                authority: Arc::clone(&tag.authority),
                page: Arc::clone(&tag.page),
                asset: Arc::clone(&tag.asset),
                bytes,
                outcome,
            }));
        }
    }
}

impl fmt::Debug for ConnectionPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionPolicy").field("connection", &self.connection.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for PolicyExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.0 {
            Exchange::Page(_) => "Page",
            Exchange::Asset(_) => "Asset",
            Exchange::Other => "Other",
        };
        f.debug_tuple("PolicyExchange").field(&format_args!("{kind}")).finish()
    }
}

impl Drop for ConnectionPolicy {
    fn drop(&mut self) {
        self.connection.finish_view(&self.engine);
        self.engine.learner.disconnect(self.connection.id);
    }
}

//! The task of a member: tells, hears, and says how it fares.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use headstart_learn::{Learner, Time};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::balance::Balance;
use crate::exchange::{Batch, Cursor, ErrorKind, ExchangeError};
use crate::fleet::Fleet;
use crate::health::{Action, Health};
use crate::node::{Heard, Node, announced};
use crate::pace::{Allowance, Backoff, Pace};
use crate::refusal::Refusal;
use crate::seal::Seal;
use crate::shared::{Clock, Shared};
use crate::status::NodeStatus;
use crate::telling::{MAX_ENTRY, Telling};

/// How often the task looks what is due.
const TURN: Duration = Duration::from_millis(250);
/// How often visits are closed that are over.
const ADVANCE: Duration = Duration::from_secs(1);
/// A node says of itself how it fares.
const ANNOUNCE: Duration = Duration::from_secs(10);
/// A node that has said nothing for so long is taken off the list.
const GONE: Duration = Duration::from_secs(600);
/// Bytes that are read in one call.
const READ: usize = 256 << 10;
/// Bytes that a member that comes late may read before its budget applies.
const CATCH_UP: usize = 32 << 20;

pub(crate) struct Worker<L> {
    fleet: Fleet,
    node: Arc<Mutex<Node<L>>>,
    learner: Arc<L>,
    seal: Seal,
    fingerprint: u64,
    clock: Clock,
    shared: Arc<Shared>,
    health: Health,
    balance: Balance,
    backoff: Backoff,
    /// Entries that are not known to be published.
    outbox: VecDeque<Vec<u8>>,
    /// The base has been taken over, or there was none, or it is not needed.
    joined: bool,
    started: Instant,
    advance: Pace,
    read: Pace,
    announce: Pace,
    nodes: Pace,
    base: Pace,
    allowance: Allowance,
    telling: Telling,
}

impl<L: AsRef<Learner> + fmt::Debug + Send + Sync + 'static> Worker<L> {
    pub(crate) fn new(mut fleet: Fleet, learner: Arc<L>, clock: Clock, shared: Arc<Shared>) -> Self {
        let boot = getrandom::u64().unwrap_or_else(|_| clock().as_millis());
        let mut node = Node::new(&fleet.name, boot, &fleet.keys, Arc::clone(&learner), fleet.memory, fleet.max_weight);
        if let Some(figures) = fleet.figures.clone() {
            node = node.with_figures(figures);
        }
        let resumed = fleet.resume.take().and_then(|bytes| node.resume(&bytes));
        let joined = resumed.is_some();
        shared.set_cursor(resumed.flatten().map(Cursor));
        {
            let mut status = shared.status();
            status.name.clone_from(&fleet.name);
            status.place = fleet.exchange.place();
            status.joined = joined;
            status.read_budget = fleet.read_budget;
        }
        let mut base = Pace::new(fleet.base.min(Duration::from_secs(60)));
        base.set_every(fleet.base);
        Worker {
            seal: Seal::new(&fleet.keys),
            fingerprint: (*learner).as_ref().key_fingerprint(),
            node: Arc::new(Mutex::new(node)),
            learner,
            clock,
            shared,
            health: Health::default(),
            balance: Balance::default(),
            backoff: Backoff::default(),
            outbox: VecDeque::new(),
            joined,
            started: Instant::now(),
            advance: Pace::new(ADVANCE),
            read: Pace::new(fleet.read),
            announce: Pace::new(Duration::from_secs(1)),
            nodes: Pace::new(Duration::from_secs(2)),
            base,
            allowance: Allowance::new(CATCH_UP, fleet.read_budget),
            telling: Telling::new(&fleet),
            fleet,
        }
    }

    pub(crate) fn node(&self) -> Arc<Mutex<Node<L>>> {
        Arc::clone(&self.node)
    }

    /// Takes turns until `stopped` says so, then says good-bye.
    pub(crate) async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        self.announce.set_every(ANNOUNCE);
        loop {
            tokio::select! {
                () = tokio::time::sleep(TURN.min(self.fleet.read)) => self.turn().await,
                _ = stopped.changed() => return self.finish().await,
            }
        }
    }

    /// Does what is due.
    async fn turn(&mut self) {
        let now = (self.clock)();
        self.health.forget(now);
        self.allowance.refill();
        if self.advance.is_due() {
            self.advance.done();
            // Where no request comes, nothing else closes a visit.
            (*self.learner).as_ref().advance(now);
        }
        self.gather(now);
        if self.backoff.is_over() {
            self.exchange(now).await;
        }
        let outbound = (*self.learner).as_ref().outbound();
        let scattered = self.balance.look(outbound.named_assets, outbound.orphans);
        let mut status = self.shared.status();
        status.dropped = outbound.dropped;
        status.waiting = outbound.waiting;
        (status.named_assets, status.orphans, status.scattered) = (outbound.named_assets, outbound.orphans, scattered);
        let trouble = self.health.trouble().map(|(trouble, since)| (trouble.to_owned(), since));
        (status.trouble, status.trouble_since) = trouble.unzip();
    }

    async fn exchange(&mut self, now: Time) {
        if !self.joined && !self.join(now).await {
            return;
        }
        if self.read.is_due() {
            self.read.done();
            if !self.hear(now).await {
                return;
            }
        }
        if !self.publish(now).await {
            return;
        }
        if self.announce.is_due() {
            self.announce.done();
            self.say(now).await;
        }
        if self.nodes.is_due() {
            self.look(now).await;
        }
        if self.base.is_due() {
            self.write_base(now).await;
        }
    }

    /// Takes over the base, once. Whether that is done, or nothing is to be done.
    async fn join(&mut self, now: Time) -> bool {
        let exchange = Arc::clone(&self.fleet.exchange);
        let found = self.in_time(15 * self.fleet.timeout, exchange.base()).await;
        let Some(found) = self.note(now, Action::Read, found) else { return false };
        self.joined = true;
        if let Some(base) = found {
            let node = self.node();
            let taken = tokio::task::spawn_blocking(move || locked(&node).take_base(now, &base)).await;
            match taken {
                Ok(Ok(base)) => {
                    self.shared.set_cursor(base.cursor.map(Cursor));
                    self.shared.status().base = Some(base.sent);
                }
                Ok(Err(refusal)) => self.refused(now, "base", refusal),
                Err(_) => {}
            }
        }
        self.shared.status().joined = true;
        true
    }

    /// Reads what others told. Whether the exchange did its part.
    async fn hear(&mut self, now: Time) -> bool {
        let exchange = Arc::clone(&self.fleet.exchange);
        while self.allowance.left() > 0 {
            let cursor = self.shared.cursor();
            let read = self.in_time(self.fleet.timeout, exchange.read(cursor.as_ref(), READ)).await;
            let Some(batch) = self.note(now, Action::Read, read) else { return false };
            let Batch { entries, cursor, restarted, more } = batch;
            if restarted {
                // What was written for those that come late is gone as well.
                self.base.hasten(Duration::from_secs(2));
            }
            self.allowance.spend(entries.iter().map(Vec::len).sum());
            self.take_in(now, entries).await;
            self.shared.set_cursor(cursor);
            if !more {
                break;
            }
        }
        true
    }

    /// Takes in entries, on a thread for blocking.
    async fn take_in(&mut self, now: Time, entries: Vec<Vec<u8>>) {
        if entries.is_empty() {
            return;
        }
        let node = self.node();
        let heard = tokio::task::spawn_blocking(move || {
            let mut node = locked(&node);
            let heard = entries.into_iter().map(|entry| (entry.len(), node.hear(now, &entry)));
            heard.collect::<Vec<_>>()
        });
        for (bytes, heard) in heard.await.unwrap_or_default() {
            match heard {
                Ok(Heard::New { learned, missing, sent, figures }) => {
                    if figures == Some(false) {
                        self.refused(now, "a server", Refusal::OtherFigures);
                    }
                    let mut status = self.shared.status();
                    status.heard.add(bytes);
                    status.visits += learned.visits as u64;
                    status.voted += learned.voted as u64;
                    status.missing += missing;
                    status.lag = Some(now.saturating_since(sent));
                }
                Ok(Heard::Known) => self.shared.status().doubled += 1,
                Ok(Heard::Own) => {}
                Err((node, refusal)) => self.refused(now, node.as_deref().unwrap_or("unknown"), refusal),
            }
        }
    }

    /// Seals what there is to tell, if it is time.
    fn gather(&mut self, now: Time) {
        if !self.outbox.is_empty() {
            // It stays where it is bounded, until what was told before has been.
            return;
        }
        let outbound = (*self.learner).as_ref().outbound();
        let minute_ago = Time::from_millis(now.as_millis().saturating_sub(60_000));
        let node = &self.node;
        let Some(budget) = self.telling.due(&outbound, || locked(node).others(minute_ago)) else { return };
        let entry = locked(node).tell(now, budget);
        self.telling.told(entry.as_ref().map_or(0, Vec::len));
        self.outbox.extend(entry);
    }

    /// Publishes what was sealed. Whether the exchange did its part.
    async fn publish(&mut self, now: Time) -> bool {
        let exchange = Arc::clone(&self.fleet.exchange);
        while let Some(entry) = self.outbox.front().cloned() {
            let published = self.in_time(self.fleet.timeout, exchange.publish(&entry)).await;
            if self.note(now, Action::Write, published).is_none() {
                return false;
            }
            self.shared.status().told.add(entry.len());
            self.outbox.pop_front();
        }
        true
    }

    /// Says how this node fares.
    async fn say(&mut self, now: Time) {
        let mut facts = self.fleet.facts.clone();
        facts.extend(self.fleet.changing.iter().flat_map(|facts| facts()));
        facts.insert("uptime".into(), self.started.elapsed().as_secs().to_string());
        let text = self.shared.status().announcement(&facts);
        let sealed = locked(&self.node).announcement(now, &text);
        let Some(sealed) = sealed else { return };
        let (exchange, id) = (Arc::clone(&self.fleet.exchange), self.id());
        let said = self.in_time(self.fleet.timeout, exchange.announce(&id, &sealed)).await;
        self.note(now, Action::Write, said);
    }

    /// Looks how the others fare.
    async fn look(&mut self, now: Time) {
        let exchange = Arc::clone(&self.fleet.exchange);
        let found = self.in_time(self.fleet.timeout, exchange.nodes()).await;
        self.nodes.done();
        let Some(found) = self.note(now, Action::Read, found) else { return };
        let bytes: usize = found.iter().map(Vec::len).sum();
        self.allowance.spend(bytes);
        // A tenth of the budget at most.
        let seconds = 10.0 * bytes as f64 / self.fleet.read_budget as f64;
        self.nodes.set_every(ANNOUNCE.max(Duration::from_secs_f64(seconds)));
        let announced = found.iter().filter_map(|entry| announced(&self.seal, entry));
        let mut nodes: Vec<NodeStatus> =
            announced.map(|(header, text)| NodeStatus::new(&header, self.fingerprint, text.as_deref())).collect();
        let gone = |node: &NodeStatus| now.saturating_since(node.sent) > GONE;
        for node in nodes.extract_if(.., |node| gone(node)) {
            let id = format!("{}/{:016x}", node.name, node.boot);
            let left = self.in_time(self.fleet.timeout, exchange.leave(&id)).await;
            self.note(now, Action::Write, left);
        }
        nodes.sort_by(|a, b| (&a.name, a.boot).cmp(&(&b.name, b.boot)));
        let mut status = self.shared.status();
        status.nodes = nodes;
        let doubled = status.doubled_names(now).contains(&&*self.fleet.name);
        drop(status);
        self.health.doubled_name(&self.fleet.name, doubled);
    }

    /// Writes the base, if nobody else does.
    async fn write_base(&mut self, now: Time) {
        let (exchange, id) = (Arc::clone(&self.fleet.exchange), self.id());
        let lease = self.in_time(self.fleet.timeout, exchange.lease(&id, self.fleet.base.mul_f64(1.5))).await;
        let Some(mine) = self.note(now, Action::Write, lease) else { return };
        self.base.done();
        if !mine {
            // If the other one is gone by then, it is this one's turn.
            self.base.hasten(self.fleet.base / 4);
            return;
        }
        let (node, cursor) = (self.node(), self.shared.cursor());
        let made =
            tokio::task::spawn_blocking(move || locked(&node).base(now, cursor.as_ref().map(|cursor| &*cursor.0)));
        let Ok(Some((base, entry))) = made.await else { return };
        self.outbox.extend(entry);
        let written = self.in_time(15 * self.fleet.timeout, exchange.write_base(&base)).await;
        if self.note(now, Action::Write, written).is_some() {
            self.shared.status().base = Some(now);
        }
    }

    /// Tells the rest and takes this node off the list.
    async fn finish(&mut self) {
        let now = (self.clock)();
        if self.joined && self.publish(now).await {
            let rest = locked(&self.node).tell(now, MAX_ENTRY);
            self.outbox.extend(rest);
            self.publish(now).await;
        }
        let (exchange, id) = (Arc::clone(&self.fleet.exchange), self.id());
        let _ = self.in_time(self.fleet.timeout, exchange.leave(&id)).await;
    }

    /// The name of this process among all.
    fn id(&self) -> String {
        let node = locked(&self.node);
        format!("{}/{:016x}", node.name(), node.boot())
    }

    fn refused(&mut self, now: Time, node: &str, refusal: Refusal) {
        *self.shared.status().refused.entry(refusal).or_default() += 1;
        self.health.refused(now, node, refusal);
    }

    /// Notes how an action went; after one that failed because nobody answers, nothing is tried for a while.
    fn note<T>(&mut self, now: Time, action: Action, result: Result<T, ExchangeError>) -> Option<T> {
        match &result {
            Ok(_) => self.backoff.succeeded(),
            Err(_) => self.backoff.failed(),
        }
        let place = self.shared.status().place.clone();
        self.health.note(now, &place, action, result)
    }

    async fn in_time<T>(
        &self,
        time: Duration,
        work: impl Future<Output = Result<T, ExchangeError>>,
    ) -> Result<T, ExchangeError> {
        let late = |_| Err(ExchangeError::new(ErrorKind::TimedOut, String::new()));
        tokio::time::timeout(time, work).await.unwrap_or_else(late)
    }
}

fn locked<L>(node: &Mutex<Node<L>>) -> std::sync::MutexGuard<'_, Node<L>> {
    node.lock().unwrap_or_else(PoisonError::into_inner)
}

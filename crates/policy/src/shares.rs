//! How much of what all clients share one client may hold.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Below this part of the capacity, one in so many, permits are short: a client that holds its fair part waits.
const SHORT: usize = 4;

/// Permits of one kind, such as requests under way at an upstream, given out so that no client can take them all.
///
/// There are two rules. With [`new`](Self::new) anyone may take one as long as more than a quarter is free; after that a
/// client may hold at most half as many as are left. With [`of_free`](Self::of_free) a client may always hold one in so
/// many of those that are free. Either way it may always hold one: however many clients take what they can, something is
/// left for the next one. Who may not take one can wait; a permit that is given back goes to the waiting client that holds
/// the fewest. One client takes at most half of the room that is left for waiting. An IPv6 client is its /64.
///
/// Memory is bounded by the capacity and `max_waiting`: an entry of some 50 bytes for each client that holds a permit, and
/// one of some 100 bytes for each that waits. Taking a permit and giving it back lock a mutex and look into a hash table;
/// while clients wait, each of them is looked at too. `cargo xtask bench shares` measures it.
pub struct Shares {
    capacity: usize,
    max_waiting: usize,
    rule: Rule,
    table: Mutex<Table>,
}

#[derive(Clone, Copy)]
enum Rule {
    WhenShort,
    OfFree(usize),
}

#[derive(Default)]
struct Table {
    used: usize,
    /// The number of permits that each client holds.
    held: HashMap<Key, usize>,
    waiting: usize,
    queues: HashMap<Key, VecDeque<Arc<Waiter>>>,
}

/// A client as a number, which is hashed faster than an address: the bits of an IPv4 address, or those of a /64 with one
/// above them.
type Key = u128;

#[derive(Default)]
struct Waiter(Mutex<(bool, Option<Waker>)>);

/// One permit, given back when dropped.
pub struct Share {
    shares: Arc<Shares>,
    client: IpAddr,
}

/// Waits for a permit. Dropped before, it waits no more.
pub struct Waiting {
    shares: Arc<Shares>,
    client: IpAddr,
    waiter: Option<Arc<Waiter>>,
}

impl Shares {
    /// So many permits, for which at most `max_waiting` may wait at once; a client's share counts when they are short.
    pub fn new(capacity: usize, max_waiting: usize) -> Arc<Self> {
        Arc::new(Shares { capacity, max_waiting, rule: Rule::WhenShort, table: Mutex::default() })
    }

    /// So many permits, of which a client may hold one in `part` of those that are free; alone that is one in `part + 1`
    /// of all. At most `max_waiting` may wait.
    pub fn of_free(capacity: usize, part: usize, max_waiting: usize) -> Arc<Self> {
        Arc::new(Shares { capacity, max_waiting, rule: Rule::OfFree(part.max(1)), table: Mutex::default() })
    }

    /// A permit for this client, if there is one that it may have now. Clients without an address are one client.
    pub fn try_take(self: &Arc<Self>, client: Option<IpAddr>) -> Option<Share> {
        let client = network(client);
        let key = key(client);
        let mut table = self.lock();
        if table.waiting > 0 {
            // Nobody overtakes those who wait and hold no more.
            let held = table.held(key);
            if table.queues.keys().any(|other| table.held(*other) <= held) {
                return None;
            }
        }
        let used = table.used;
        match table.held.entry(key) {
            Entry::Occupied(mut held) if self.allows(used, *held.get()) => *held.get_mut() += 1,
            Entry::Vacant(held) if self.allows(used, 0) => drop(held.insert(1)),
            Entry::Occupied(_) | Entry::Vacant(_) => return None,
        }
        table.used += 1;
        drop(table);
        Some(Share { shares: Arc::clone(self), client })
    }

    /// A permit whatever the client holds, and whether one is left: for what cannot be refused any more. It counts like any
    /// other, so the client gets no more of those that can.
    pub fn take(self: &Arc<Self>, client: Option<IpAddr>) -> Share {
        let client = network(client);
        self.lock().take(key(client));
        Share { shares: Arc::clone(self), client }
    }

    /// Waits for a permit; `None` if too many wait already, in all or of this client.
    pub fn wait(self: &Arc<Self>, client: Option<IpAddr>) -> Option<Waiting> {
        let client = network(client);
        let key = key(client);
        let mut table = self.lock();
        let room = self.max_waiting.saturating_sub(table.waiting);
        let own = table.queues.get(&key).map_or(0, VecDeque::len);
        if room == 0 || own >= (room / 2).max(1) {
            return None;
        }
        let waiter = Arc::<Waiter>::default();
        table.waiting += 1;
        table.queues.entry(key).or_default().push_back(Arc::clone(&waiter));
        // One may have been given back since the caller asked for it.
        let granted = self.grant(&mut table);
        drop(table);
        granted.into_iter().for_each(Waker::wake);
        Some(Waiting { shares: Arc::clone(self), client, waiter: Some(waiter) })
    }

    /// Permits that are taken.
    pub fn used(&self) -> usize {
        self.lock().used
    }

    /// Whether no permit is left for anybody.
    pub fn is_full(&self) -> bool {
        self.used() >= self.capacity
    }

    fn allows(&self, used: usize, held: usize) -> bool {
        let free = self.capacity.saturating_sub(used);
        let share = match self.rule {
            Rule::WhenShort if free > self.capacity / SHORT => return true,
            Rule::WhenShort => free / 2,
            Rule::OfFree(part) => free / part,
        };
        free > 0 && held < share.max(1)
    }

    fn give_back(&self, client: IpAddr) {
        let mut table = self.lock();
        table.give_back(key(client));
        let granted = if table.waiting > 0 { self.grant(&mut table) } else { Vec::new() };
        drop(table);
        granted.into_iter().for_each(Waker::wake);
    }

    /// Gives what is free to those who wait, the client that holds the fewest first.
    fn grant(&self, table: &mut Table) -> Vec<Waker> {
        let mut wakers = Vec::new();
        loop {
            let waiting = table.queues.keys().map(|client| (table.held(*client), *client));
            let Some((held, client)) = waiting.min_by_key(|(held, _)| *held) else { return wakers };
            if !self.allows(table.used, held) {
                return wakers;
            }
            let Some(waiter) = table.leave(client, VecDeque::pop_front) else { return wakers };
            table.take(client);
            let mut state = waiter.lock();
            state.0 = true;
            wakers.extend(state.1.take());
        }
    }

    /// The table is whole at any time.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn held(&self, client: Key) -> usize {
        self.held.get(&client).copied().unwrap_or(0)
    }

    fn take(&mut self, client: Key) {
        *self.held.entry(client).or_default() += 1;
        self.used += 1;
    }

    fn give_back(&mut self, client: Key) {
        self.used = self.used.saturating_sub(1);
        if let Entry::Occupied(mut held) = self.held.entry(client) {
            if *held.get() > 1 {
                *held.get_mut() -= 1;
            } else {
                held.remove();
            }
        }
    }

    /// Takes one out of a client's queue, and the queue away with the last.
    fn leave<T>(&mut self, client: Key, take: impl FnOnce(&mut VecDeque<Arc<Waiter>>) -> Option<T>) -> Option<T> {
        let queue = self.queues.get_mut(&client)?;
        let taken = take(queue);
        if queue.is_empty() {
            self.queues.remove(&client);
        }
        if taken.is_some() {
            self.waiting = self.waiting.saturating_sub(1);
        }
        taken
    }
}

impl Waiter {
    fn lock(&self) -> MutexGuard<'_, (bool, Option<Waker>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Future for Waiting {
    type Output = Share;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Share> {
        if let Some(waiter) = &self.waiter {
            let mut state = waiter.lock();
            if !state.0 {
                state.1 = Some(cx.waker().clone());
                return Poll::Pending;
            }
        }
        self.waiter = None;
        Poll::Ready(Share { shares: Arc::clone(&self.shares), client: self.client })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let Some(waiter) = self.waiter.take() else { return };
        let mut table = self.shares.lock();
        let granted = waiter.lock().0;
        if granted {
            drop(table);
            self.shares.give_back(self.client);
            return;
        }
        table.leave(key(self.client), |queue| {
            let at = queue.iter().position(|other| Arc::ptr_eq(other, &waiter))?;
            queue.remove(at)
        });
    }
}

impl Share {
    /// The client; of an IPv6 client its /64.
    pub fn client(&self) -> IpAddr {
        self.client
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shares.give_back(self.client);
    }
}

fn key(client: IpAddr) -> Key {
    match client {
        IpAddr::V4(address) => Key::from(address.to_bits()),
        IpAddr::V6(address) => (address.to_bits() >> 64) | 1 << 64,
    }
}

/// Whom an address counts as: of IPv6 the /64, the least that is given to anyone.
fn network(client: Option<IpAddr>) -> IpAddr {
    match client.map(|address| address.to_canonical()) {
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        Some(address) => address,
        None => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

impl fmt::Debug for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shares").field("capacity", &self.capacity).field("used", &self.used()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share").field("client", &self.client).finish_non_exhaustive()
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("client", &self.client).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

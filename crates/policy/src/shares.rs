//! How much of what all clients share one client may hold.

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
/// As long as more than a quarter is free, anyone may take one. After that a client may hold at most half as many as are
/// left, and always one: however many clients take what they can, something is left for the next one. Who may not take
/// one can wait; a permit that is given back goes to the waiting client that holds the fewest. An IPv6 client is its /64.
///
/// Memory is bounded by the capacity and `max_waiting`: an entry of some 100 bytes for each client that holds a permit
/// or waits, and one for each that waits. Taking a permit and giving it back locks a mutex and looks into a hash table;
/// where somebody waits, giving back also looks at each client once.
pub struct Shares {
    capacity: usize,
    max_waiting: usize,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    used: usize,
    waiting: usize,
    clients: HashMap<IpAddr, Client>,
}

#[derive(Default)]
struct Client {
    held: usize,
    waiting: VecDeque<Arc<Waiter>>,
}

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
    /// So many permits, for which at most `max_waiting` may wait at once.
    pub fn new(capacity: usize, max_waiting: usize) -> Arc<Self> {
        Arc::new(Shares { capacity, max_waiting, table: Mutex::default() })
    }

    /// A permit for this client, if there is one that it may have now. Clients without an address are one client.
    pub fn try_take(self: &Arc<Self>, client: Option<IpAddr>) -> Option<Share> {
        let client = key(client);
        let mut table = self.lock();
        let held = table.clients.get(&client).map_or(0, |client| client.held);
        // Nobody overtakes those who wait and hold no more.
        if table.waiting > 0 && table.clients.values().any(|other| !other.waiting.is_empty() && other.held <= held) {
            return None;
        }
        if !self.allows(&table, held) {
            return None;
        }
        table.take(client);
        drop(table);
        Some(Share { shares: Arc::clone(self), client })
    }

    /// Waits for a permit; `None` if too many wait already.
    pub fn wait(self: &Arc<Self>, client: Option<IpAddr>) -> Option<Waiting> {
        let client = key(client);
        let mut table = self.lock();
        if table.waiting >= self.max_waiting {
            return None;
        }
        let waiter = Arc::<Waiter>::default();
        table.waiting += 1;
        table.clients.entry(client).or_default().waiting.push_back(Arc::clone(&waiter));
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

    fn allows(&self, table: &Table, held: usize) -> bool {
        let free = self.capacity.saturating_sub(table.used);
        free > 0 && (free > self.capacity / SHORT || held < (free / 2).max(1))
    }

    fn give_back(&self, client: IpAddr) {
        let mut table = self.lock();
        table.give_back(client);
        let granted = if table.waiting > 0 { self.grant(&mut table) } else { Vec::new() };
        drop(table);
        granted.into_iter().for_each(Waker::wake);
    }

    /// Gives what is free to those who wait, the client that holds the fewest first.
    fn grant(&self, table: &mut Table) -> Vec<Waker> {
        let mut wakers = Vec::new();
        loop {
            let waiting = table.clients.iter().filter(|(_, client)| !client.waiting.is_empty());
            let Some((&address, held)) = waiting.map(|(at, client)| (at, client.held)).min_by_key(|(_, held)| *held)
            else {
                return wakers;
            };
            if !self.allows(table, held) {
                return wakers;
            }
            let Some(waiter) = table.clients.get_mut(&address).and_then(|client| client.waiting.pop_front()) else {
                return wakers;
            };
            table.waiting -= 1;
            table.take(address);
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
    fn take(&mut self, client: IpAddr) {
        let entry = self.clients.entry(client).or_default();
        entry.held += 1;
        self.used += 1;
    }

    fn give_back(&mut self, client: IpAddr) {
        self.used = self.used.saturating_sub(1);
        let Some(entry) = self.clients.get_mut(&client) else { return };
        entry.held = entry.held.saturating_sub(1);
        if entry.held == 0 {
            self.forget(client);
        }
    }

    fn forget(&mut self, client: IpAddr) {
        if self.clients.get(&client).is_some_and(|entry| entry.held == 0 && entry.waiting.is_empty()) {
            self.clients.remove(&client);
        }
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
        if let Some(client) = table.clients.get_mut(&self.client) {
            client.waiting.retain(|other| !Arc::ptr_eq(other, &waiter));
            table.waiting = table.waiting.saturating_sub(1);
        }
        table.forget(self.client);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shares.give_back(self.client);
    }
}

/// Whom an address counts as: of IPv6 the /64, the least that is given to anyone.
fn key(client: Option<IpAddr>) -> IpAddr {
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
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "as the shares are asked")]
    fn client(number: u32) -> Option<IpAddr> {
        Some(IpAddr::V4(std::net::Ipv4Addr::from_bits(number)))
    }

    fn all_of(shares: &Arc<Shares>, number: u32) -> Vec<Share> {
        std::iter::from_fn(|| shares.try_take(client(number))).collect()
    }

    fn poll(waiting: &mut Waiting) -> Option<Share> {
        match Pin::new(waiting).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(share) => Some(share),
            Poll::Pending => None,
        }
    }

    /// Permits taken, clients that wait, and clients that are known.
    fn left(shares: &Shares) -> (usize, usize, usize) {
        let table = shares.lock();
        (table.used, table.waiting, table.clients.len())
    }

    #[test]
    fn one_client_leaves_a_quarter_to_others() {
        let shares = Shares::new(1024, 16);
        let greedy = all_of(&shares, 1);
        assert_eq!(greedy.len(), 768);
        let others: Vec<_> = (2..258).filter_map(|number| shares.try_take(client(number))).collect();
        assert_eq!((others.len(), shares.used()), (256, 1024));
        assert!(shares.try_take(client(300)).is_none());
        drop((greedy, others));
        assert_eq!(left(&shares), (0, 0, 0));
    }

    #[test]
    fn several_greedy_clients_leave_as_much() {
        let shares = Shares::new(100, 16);
        let greedy: Vec<_> = (1..6).map(|number| all_of(&shares, number)).collect();
        assert!(greedy.iter().map(Vec::len).sum::<usize>() < 100);
        assert!(shares.try_take(client(9)).is_some());
    }

    #[test]
    fn there_is_always_one() {
        let shares = Shares::new(2, 16);
        let _first = shares.try_take(client(1)).unwrap();
        let second = shares.try_take(client(2)).unwrap();
        assert!(shares.try_take(client(3)).is_none());
        drop(second);
        assert!(shares.try_take(client(3)).is_some());
    }

    #[test]
    fn an_ipv6_client_is_its_network_and_a_mapped_address_is_itself() {
        let of = |text: &str| key(Some(text.parse().unwrap()));
        assert_eq!(of("2001:db8::1"), of("2001:db8:0:0:ffff::2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
    }

    #[test]
    fn who_holds_the_fewest_is_served_first() {
        let shares = Shares::new(4, 16);
        let mut heavy = all_of(&shares, 1);
        heavy.extend(shares.try_take(client(1)));
        let light: Vec<_> = (2..6).filter_map(|number| shares.try_take(client(number))).collect();
        assert_eq!(shares.used(), 4);
        let mut waits_heavy = shares.wait(client(1)).unwrap();
        let mut waits_light = shares.wait(client(9)).unwrap();
        assert!(poll(&mut waits_heavy).is_none() && poll(&mut waits_light).is_none());
        drop(heavy.pop());
        assert!(poll(&mut waits_heavy).is_none());
        let share = poll(&mut waits_light);
        assert!(share.is_some());
        drop((share, light, heavy));
        assert!(poll(&mut waits_heavy).is_some());
        drop((waits_heavy, waits_light));
        assert_eq!(left(&shares), (0, 0, 0));
    }

    #[test]
    fn who_leaves_while_waiting_takes_nothing_along() {
        let shares = Shares::new(1, 1);
        let held = shares.try_take(client(1)).unwrap();
        let waiting = shares.wait(client(2)).unwrap();
        assert!(shares.wait(client(3)).is_none(), "one may wait");
        drop(waiting);
        let granted = shares.wait(client(3)).unwrap();
        drop(held);
        assert_eq!(shares.used(), 1, "it is granted");
        drop(granted);
        assert_eq!(left(&shares), (0, 0, 0));
    }
}

//! Admission of connections: at most so many in all, and for each client address a share of what is free.
//!
//! An address may open another connection while it has fewer than a quarter of the slots that are free. Alone it can
//! hold a fifth of all slots; with `n` greedy addresses a share of `4 / (n + 4)` stays free, so that a newcomer finds a
//! slot. (The rule is that of dynamic thresholds for shared buffers, Choudhury and Hahne, 1998.) An address without
//! any connection is always admitted, and one that has its share gets a new connection for its longest idle one. When
//! all slots are taken, an idle connection of the heaviest address is closed.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::activity::Activity;

/// The part of the free slots that one address may hold: one in so many.
const SHARE: usize = 4;

/// The slots of a server, over all of its listeners.
pub(crate) struct Admission {
    slots: Arc<Semaphore>,
    /// A fixed limit of an address instead of its share.
    per_address: Option<u32>,
    epoch: Instant,
    table: Mutex<Table>,
    refused: AtomicU64,
    released: AtomicU64,
}

/// One entry for each connection at most; the semaphore bounds them.
#[derive(Default)]
struct Table {
    next: u64,
    connections: HashMap<u64, Admitted>,
    /// How many connections an address has. An IPv6 client is a /64, the least that a provider gives to anyone.
    addresses: HashMap<IpAddr, u32>,
}

struct Admitted {
    /// Once it is known, and if it has a limit.
    address: Option<IpAddr>,
    slot: Arc<Slot>,
}

/// Shared between the server and one open connection.
struct Slot {
    activity: Arc<Activity>,
    close: Notify,
}

/// The permission of one connection; its slot is free again when this is dropped.
pub(crate) struct ConnectionPermit {
    admission: Arc<Admission>,
    number: u64,
    /// How many connections its client has with it; 0 as long as nobody has said whose it is.
    rank: u32,
    slot: Arc<Slot>,
    _permit: OwnedSemaphorePermit,
}

impl Admission {
    /// `slots` has to be at most [`Semaphore::MAX_PERMITS`].
    pub(crate) fn new(slots: usize, per_address: Option<u32>) -> Self {
        Admission {
            slots: Arc::new(Semaphore::new(slots)),
            per_address,
            epoch: Instant::now(),
            table: Mutex::default(),
            refused: AtomicU64::new(0),
            released: AtomicU64::new(0),
        }
    }

    /// A permit for a connection that was accepted. Waits while all slots are taken and no connection is idle.
    pub(crate) async fn permit(self: &Arc<Self>) -> Option<ConnectionPermit> {
        let permit = if let Ok(permit) = Arc::clone(&self.slots).try_acquire_owned() {
            permit
        } else {
            if self.release_idle() {
                tracing::warn!("all connection slots are taken: an idle connection is closed");
            } else {
                tracing::warn!("all connection slots are taken and no connection is idle: new ones wait");
            }
            Arc::clone(&self.slots).acquire_owned().await.ok()?
        };
        let slot = Arc::new(Slot { activity: Arc::new(Activity::new(self.epoch)), close: Notify::new() });
        let mut table = self.table();
        let number = table.next;
        table.next += 1;
        table.connections.insert(number, Admitted { address: None, slot: Arc::clone(&slot) });
        drop(table);
        Some(ConnectionPermit { admission: Arc::clone(self), number, rank: 0, slot, _permit: permit })
    }

    /// Connections that were closed at once because their address had its share.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Idle connections that were closed so that others get their slots.
    pub(crate) fn released(&self) -> u64 {
        self.released.load(Ordering::Relaxed)
    }

    /// Asks an idle connection to close: one of the address that has most, and of these the one that has been idle the
    /// longest. `false` if none is idle. A connection is asked once, so each newcomer moves another. O(connections),
    /// and only while the server is full.
    fn release_idle(&self) -> bool {
        let mut table = self.table();
        let weight = |admitted: &Admitted| {
            let address = admitted.address.as_ref();
            Some(address.and_then(|address| table.addresses.get(address)).copied().unwrap_or(1))
        };
        let number = table.longest_idle(weight);
        self.ask_to_close(&mut table, number)
    }

    fn ask_to_close(&self, table: &mut Table, number: Option<u64>) -> bool {
        let Some(admitted) = number.and_then(|number| table.remove(number)) else { return false };
        admitted.slot.close.notify_one();
        self.released.fetch_add(1, Ordering::Relaxed);
        true
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Of the idle connections with the greatest weight the one that has been idle the longest. O(connections).
    fn longest_idle(&self, weight: impl Fn(&Admitted) -> Option<u32>) -> Option<u64> {
        let idle = self.connections.iter().filter_map(|(number, admitted)| {
            let since = admitted.slot.activity.idle_since()?;
            Some((std::cmp::Reverse(weight(admitted)?), since, *number))
        });
        idle.min().map(|(_, _, number)| number)
    }

    fn remove(&mut self, number: u64) -> Option<Admitted> {
        let admitted = self.connections.remove(&number)?;
        if let Some(address) = admitted.address
            && let Some(count) = self.addresses.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                self.addresses.remove(&address);
            }
        }
        Some(admitted)
    }
}

impl ConnectionPermit {
    /// Counts the connection to its client's address; `false` if that has its share already and none of its connections
    /// is idle.
    pub(crate) fn belongs_to(&mut self, address: IpAddr) -> bool {
        let address = client(address);
        let free = self.admission.slots.available_permits();
        let mut table = self.admission.table();
        let count = table.addresses.get(&address).copied().unwrap_or(0);
        let share = match self.admission.per_address {
            Some(limit) => usize::try_from(limit).unwrap_or(usize::MAX),
            None => free.div_ceil(SHARE),
        };
        if usize::try_from(count).unwrap_or(usize::MAX) >= share.max(1) {
            let own = |admitted: &Admitted| (admitted.address == Some(address)).then_some(0);
            let idle = if self.admission.per_address.is_none() { table.longest_idle(own) } else { None };
            if !self.admission.ask_to_close(&mut table, idle) {
                self.admission.refused.fetch_add(1, Ordering::Relaxed);
                return false;
            }
        }
        // It is not there if it was asked to close already.
        if let Some(admitted) = table.connections.get_mut(&self.number) {
            admitted.address = Some(address);
            *table.addresses.entry(address).or_default() += 1;
        }
        self.rank = count.saturating_add(1);
        true
    }

    /// Of so many requests that a connection may have open at once, those that this one may: fewer the more connections
    /// its client had when it came, so that one client's requests are bounded over all of them. Of 128 the first four
    /// have 128 each, the next four 64, the next eight 32, the next sixteen 16 and any other 8: with a hundred
    /// connections a client has 1,824. A browser has one connection.
    pub(crate) fn streams(&self, most: u32) -> u32 {
        let halved = match self.rank {
            0..=4 => 0,
            5..=8 => 1,
            9..=16 => 2,
            17..=32 => 3,
            33.. => 4,
        };
        (most >> halved).max(1)
    }

    /// The counter of the connection's open exchanges.
    pub(crate) fn activity(&self) -> Arc<Activity> {
        Arc::clone(&self.slot.activity)
    }

    /// Completes when the slot is needed for others.
    pub(crate) fn close_requested(&self) -> impl Future<Output = ()> + Send + use<> {
        let slot = Arc::clone(&self.slot);
        async move { slot.close.notified().await }
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.admission.table().remove(self.number);
    }
}

/// The client that an address stands for.
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[tokio::test]
    async fn who_has_many_connections_has_fewer_requests_on_each() {
        let admission = admission(10_000, None);
        let held = open(&admission, "192.0.2.1", 100).await;
        assert_eq!(held.iter().map(|permit| permit.streams(128)).sum::<u32>(), 1824);
        assert!(held.iter().all(|permit| permit.streams(1) == 1));
        // Others have as many as ever, and so has who begins anew.
        assert_eq!(open(&admission, "192.0.2.2", 1).await[0].streams(128), 128);
        drop(held);
        assert_eq!(open(&admission, "192.0.2.1", 1).await[0].streams(128), 128);
    }

    fn admission(slots: usize, per_address: Option<u32>) -> Arc<Admission> {
        Arc::new(Admission::new(slots, per_address))
    }

    /// Opens connections of an address until one is refused, or there are `most`; those that are open.
    async fn open(admission: &Arc<Admission>, address: &str, most: usize) -> Vec<ConnectionPermit> {
        let mut open = Vec::new();
        while open.len() < most {
            let mut permit = admission.permit().await.unwrap();
            if !permit.belongs_to(address.parse().unwrap()) {
                break;
            }
            permit.activity().begin();
            open.push(permit);
        }
        open
    }

    #[tokio::test]
    async fn an_address_has_its_fixed_limit() {
        let admission = admission(10, Some(2));
        let mut permits = Vec::new();
        for (address, admitted) in
            [("192.0.2.1", true), ("::ffff:192.0.2.1", true), ("192.0.2.1", false), ("192.0.2.2", true)]
        {
            let mut permit = admission.permit().await.unwrap();
            assert_eq!(permit.belongs_to(address.parse().unwrap()), admitted, "{address}");
            permits.push(permit);
        }
        permits.truncate(1);
        let mut permit = admission.permit().await.unwrap();
        assert!(permit.belongs_to("192.0.2.1".parse().unwrap()), "a slot that was given back can be had again");
        drop((permits, permit));
        assert!(admission.table.lock().unwrap().addresses.is_empty());
    }

    #[tokio::test]
    async fn an_ipv6_client_is_a_64() {
        let admission = admission(10, Some(1));
        let mut first = admission.permit().await.unwrap();
        assert!(first.belongs_to("2001:db8:0:1::1".parse().unwrap()));
        let mut second = admission.permit().await.unwrap();
        assert!(!second.belongs_to("2001:db8:0:1:ffff::9".parse().unwrap()));
        assert!(second.belongs_to("2001:db8:0:2::1".parse().unwrap()));
    }

    #[tokio::test]
    async fn two_hundred_clients_of_one_address_are_admitted_with_six_connections_each() {
        let admission = admission(10_000, None);
        assert_eq!(open(&admission, "192.0.2.1", 1200).await.len(), 1200);
        assert_eq!(admission.refused(), 0);
    }

    #[tokio::test]
    async fn greedy_addresses_leave_slots_for_others() {
        let admission = admission(10_000, None);
        let mut taken = Vec::new();
        for n in 1..=20 {
            taken.push(open(&admission, &format!("192.0.2.{n}"), 10_000).await);
        }
        assert!((1900..=2000).contains(&taken[0].len()), "alone, a fifth: {}", taken[0].len());
        let left = admission.slots.available_permits();
        assert!(left >= 10, "{left}");
        assert_eq!(open(&admission, "198.51.100.1", 1).await.len(), 1, "a newcomer is admitted");
    }

    #[tokio::test]
    async fn an_address_may_always_have_one_connection() {
        let admission = admission(2, None);
        let first = open(&admission, "192.0.2.1", 9).await;
        let second = open(&admission, "192.0.2.2", 1).await;
        assert_eq!((first.len(), second.len()), (1, 1));
    }

    #[tokio::test]
    async fn at_its_share_an_address_gets_a_new_connection_for_its_idle_one() {
        let admission = admission(4, None);
        let own = open(&admission, "192.0.2.1", 1).await;
        let other = open(&admission, "192.0.2.2", 1).await;
        assert!(open(&admission, "192.0.2.1", 1).await.is_empty(), "none of its connections is idle");
        own.iter().chain(&other).for_each(|permit| permit.activity().end());
        assert_eq!(open(&admission, "192.0.2.1", 1).await.len(), 1);
        assert!(own[0].close_requested().now_or_never().is_some());
        assert!(other[0].close_requested().now_or_never().is_none(), "not at the cost of others");
        assert_eq!((admission.refused(), admission.released()), (1, 1));
    }

    #[tokio::test]
    async fn full_it_closes_the_connection_that_was_idle_the_longest() {
        let admission = admission(2, Some(9));
        let idle = admission.permit().await.unwrap();
        let busy = admission.permit().await.unwrap();
        busy.activity().begin();
        assert!(idle.close_requested().now_or_never().is_none());
        let newcomer = tokio::spawn({
            let admission = Arc::clone(&admission);
            async move { admission.permit().await.is_some() }
        });
        idle.close_requested().await;
        assert!(!newcomer.is_finished(), "the slot is not free yet");
        drop(idle);
        assert!(newcomer.await.unwrap());
    }

    #[tokio::test]
    async fn full_it_closes_one_of_the_heaviest_address_first() {
        let admission = admission(3, Some(9));
        let light = open(&admission, "192.0.2.1", 1).await;
        let heavy = open(&admission, "192.0.2.2", 2).await;
        light.iter().chain(&heavy).for_each(|permit| permit.activity().end());
        assert!(std::pin::pin!(admission.permit()).now_or_never().is_none());
        assert!(light[0].close_requested().now_or_never().is_none());
        assert!(heavy[0].close_requested().now_or_never().is_some());
        drop((light, heavy));
        assert!(admission.table.lock().unwrap().addresses.is_empty(), "counted back once");
    }

    #[tokio::test]
    async fn full_of_work_newcomers_wait() {
        let admission = admission(1, Some(9));
        let busy = admission.permit().await.unwrap();
        busy.activity().begin();
        let mut waiting = std::pin::pin!(admission.permit());
        assert!(waiting.as_mut().now_or_never().is_none());
        assert!(busy.close_requested().now_or_never().is_none());
        drop(busy);
        assert!(waiting.await.is_some());
    }
}

//! Which connections there is room for: so many in all, so many of one address. Full, the server lets go of the
//! connection that has been idle the longest, so that those who only hold places cannot keep others out.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The places of a server, over all of its listeners.
pub(crate) struct Admission {
    places: Arc<Semaphore>,
    per_address: u32,
    began: Instant,
    table: Mutex<Table>,
    pub(crate) refused: AtomicU64,
    pub(crate) released: AtomicU64,
}

#[derive(Default)]
struct Table {
    next: u64,
    guests: HashMap<u64, Arc<Guest>>,
    /// How many of them an address has. An IPv6 client is a /64, which is the least that is given to anyone.
    addresses: HashMap<IpAddr, u32>,
}

/// One connection, as the server sees whether it works.
pub(crate) struct Guest {
    began: Instant,
    /// Exchanges that are open.
    open: AtomicU32,
    /// When the last one ended, milliseconds since `began`.
    idle_since: AtomicU64,
    asked_to_leave: Notify,
}

/// A connection's place, given back when dropped.
pub(crate) struct Place {
    admission: Arc<Admission>,
    number: u64,
    address: Option<IpAddr>,
    pub(crate) guest: Arc<Guest>,
    _permit: OwnedSemaphorePermit,
}

impl Admission {
    pub(crate) fn new(connections: usize, per_address: u32) -> Self {
        let places = Arc::new(Semaphore::new(connections));
        Admission {
            places,
            per_address,
            began: Instant::now(),
            table: Mutex::default(),
            refused: AtomicU64::new(0),
            released: AtomicU64::new(0),
        }
    }

    /// A place for a connection that is about to be accepted. Waits while all are taken and none is idle.
    pub(crate) async fn place(self: &Arc<Self>) -> Option<Place> {
        let permit = if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
            permit
        } else {
            if self.release_the_most_idle() {
                tracing::warn!("all places are taken: the connection that was idle the longest is closed");
            } else {
                tracing::warn!("all places are taken and none is idle: newcomers wait");
            }
            Arc::clone(&self.places).acquire_owned().await.ok()?
        };
        let guest = Arc::new(Guest {
            began: self.began,
            open: AtomicU32::new(0),
            idle_since: AtomicU64::new(millis(self.began)),
            asked_to_leave: Notify::new(),
        });
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let number = table.next;
        table.next += 1;
        table.guests.insert(number, Arc::clone(&guest));
        drop(table);
        Some(Place { admission: Arc::clone(self), number, address: None, guest, _permit: permit })
    }

    /// Asks the connection to leave that has had nothing to do for the longest; `false` if all have. It is not asked
    /// twice, so each newcomer moves another. O(connections), and only while the server is full.
    fn release_the_most_idle(&self) -> bool {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = table.guests.iter().filter(|(_, guest)| guest.open.load(Ordering::Relaxed) == 0);
        let longest = idle.min_by_key(|(_, guest)| guest.idle_since.load(Ordering::Relaxed)).map(|(number, _)| *number);
        let Some(guest) = longest.and_then(|number| table.guests.remove(&number)) else {
            return false;
        };
        guest.asked_to_leave.notify_one();
        self.released.fetch_add(1, Ordering::Relaxed);
        true
    }
}

impl Place {
    /// Counts the connection to its client's address; `false` if that has its share already.
    pub(crate) fn belongs_to(&mut self, address: IpAddr) -> bool {
        let address = share(address);
        let mut table = self.admission.table.lock().unwrap_or_else(PoisonError::into_inner);
        let count = table.addresses.entry(address).or_default();
        if *count >= self.admission.per_address {
            self.admission.refused.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        *count += 1;
        self.address = Some(address);
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.admission.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.guests.remove(&self.number);
        if let Some(address) = self.address
            && let Some(count) = table.addresses.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                table.addresses.remove(&address);
            }
        }
    }
}

impl Guest {
    pub(crate) fn begin(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn end(&self) {
        self.idle_since.store(millis(self.began), Ordering::Relaxed);
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Done when the place is needed for others.
    pub(crate) async fn asked_to_leave(&self) {
        self.asked_to_leave.notified().await;
    }
}

fn millis(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn share(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    fn admission(connections: usize, per_address: u32) -> Arc<Admission> {
        Arc::new(Admission::new(connections, per_address))
    }

    #[tokio::test]
    async fn an_address_has_its_share() {
        let admission = admission(10, 2);
        let mut places = Vec::new();
        for (address, admitted) in
            [("192.0.2.1", true), ("::ffff:192.0.2.1", true), ("192.0.2.1", false), ("192.0.2.2", true)]
        {
            let mut place = admission.place().await.unwrap();
            assert_eq!(place.belongs_to(address.parse().unwrap()), admitted, "{address}");
            places.push(place);
        }
        places.truncate(1);
        let mut place = admission.place().await.unwrap();
        assert!(place.belongs_to("192.0.2.1".parse().unwrap()), "a share that was given back can be had again");
        drop((places, place));
        assert!(admission.table.lock().unwrap().addresses.is_empty());
    }

    #[tokio::test]
    async fn an_ipv6_client_is_a_64() {
        let admission = admission(10, 1);
        let mut first = admission.place().await.unwrap();
        assert!(first.belongs_to("2001:db8:0:1::1".parse().unwrap()));
        let mut second = admission.place().await.unwrap();
        assert!(!second.belongs_to("2001:db8:0:1:ffff::9".parse().unwrap()));
        assert!(second.belongs_to("2001:db8:0:2::1".parse().unwrap()));
    }

    #[tokio::test]
    async fn full_it_moves_who_was_idle_the_longest() {
        let admission = admission(2, 9);
        let idle = admission.place().await.unwrap();
        let busy = admission.place().await.unwrap();
        busy.guest.begin();
        assert!(idle.guest.asked_to_leave().now_or_never().is_none());
        let newcomer = tokio::spawn({
            let admission = Arc::clone(&admission);
            async move { admission.place().await.is_some() }
        });
        idle.guest.asked_to_leave().await;
        assert!(!newcomer.is_finished(), "the place is not free yet");
        drop(idle);
        assert!(newcomer.await.unwrap());
    }

    #[tokio::test]
    async fn full_of_work_newcomers_wait() {
        let admission = admission(1, 9);
        let busy = admission.place().await.unwrap();
        busy.guest.begin();
        let mut waiting = std::pin::pin!(admission.place());
        assert!(waiting.as_mut().now_or_never().is_none());
        assert!(busy.guest.asked_to_leave().now_or_never().is_none());
        drop(busy);
        assert!(waiting.await.is_some());
    }
}

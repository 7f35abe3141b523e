//! On which network a client's cookie was first set: a person who takes one browser to several networks is one network.

use std::sync::{Mutex, PoisonError};

use headstart_learn::NetworkId;

/// Cookies that are remembered, as a power of two: 24 bytes each, 1.5 MiB in all.
const SLOTS_BITS: u32 = 16;

/// The network on which a cookie of each value was first set. A bounded table: a newer cookie takes the slot of an older
/// one, whose client then counts with the network that it asks from. Nothing of it is stored or sent, and cookies hold
/// nothing that identifies a client.
pub(crate) struct CookieNetworks {
    slots: Mutex<Box<[Slot]>>,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    /// The number of the cookie's value; 0 for none.
    cookie: u64,
    network: Network,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Network {
    /// Clients of several networks have a cookie of this value, because they have loaded the same assets.
    #[default]
    Several,
    One(NetworkId),
}

impl CookieNetworks {
    pub(crate) fn new() -> Self {
        CookieNetworks { slots: Mutex::new(vec![Slot::default(); 1 << SLOTS_BITS].into()) }
    }

    /// The network that counts for a client with this cookie, which asks from `network`.
    pub(crate) fn network(&self, cookie: u64, network: NetworkId) -> NetworkId {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        match slots.get(index(cookie)) {
            Some(Slot { cookie: known, network: Network::One(first) }) if *known == cookie => *first,
            _ => network,
        }
    }

    /// A client that counts with `network` is given a cookie of this value.
    pub(crate) fn set(&self, cookie: u64, network: NetworkId) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get_mut(index(cookie)) {
            let several = slot.cookie == cookie && slot.network != Network::One(network);
            *slot = Slot { cookie, network: if several { Network::Several } else { Network::One(network) } };
        }
    }
}

fn index(cookie: u64) -> usize {
    (cookie >> (u64::BITS - SLOTS_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: NetworkId = NetworkId::new(1);
    const OFFICE: NetworkId = NetworkId::new(2);

    #[test]
    fn the_table_takes_what_its_comment_says() {
        assert_eq!(size_of::<Slot>() << SLOTS_BITS, 3 << 19);
    }

    #[test]
    fn a_cookie_keeps_its_first_network() {
        let networks = CookieNetworks::new();
        assert_eq!(networks.network(7, OFFICE), OFFICE, "an unknown cookie");
        networks.set(7, HOME);
        assert_eq!(networks.network(7, OFFICE), HOME);
        // The office's response changes the cookie of the client, which still counts with its home.
        networks.set(8, networks.network(7, OFFICE));
        assert_eq!(networks.network(8, OFFICE), HOME);
    }

    #[test]
    fn equal_cookies_of_several_networks_say_nothing() {
        let networks = CookieNetworks::new();
        networks.set(7, HOME);
        networks.set(7, OFFICE);
        assert_eq!(networks.network(7, HOME), HOME);
        assert_eq!(networks.network(7, OFFICE), OFFICE);
        networks.set(7, HOME);
        assert_eq!(networks.network(7, OFFICE), OFFICE, "it stays so");
    }
}

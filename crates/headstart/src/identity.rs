//! Numbers for clients and networks, made from addresses with a keyed hash, so that no address is kept.

use std::hash::Hasher as _;
use std::net::IpAddr;

use headstart_learn::{ClientId, NetworkId};
use http::HeaderMap;
use http::header::USER_AGENT;
use siphasher::sip::SipHasher13;

/// Networks that the addresses of one site count as at most: of an IPv4 /16, of an IPv6 /48 (RFC 6177).
const NETWORKS_OF_A_SITE: u64 = 2;
/// Networks that the addresses of one IPv6 provider (a /32) count as at most.
const NETWORKS_OF_A_PROVIDER: u64 = 8;

/// Makes identities. The key is the deployment's secret.
#[derive(Clone)]
pub(crate) struct Identities {
    key: [u8; 16],
}

impl Identities {
    pub(crate) fn new(key: [u8; 16]) -> Self {
        Identities { key }
    }

    /// A client: address and user agent.
    pub(crate) fn client(&self, address: IpAddr, headers: &HeaderMap) -> ClientId {
        let mut hasher = self.hasher(1);
        write_address(&mut hasher, address.to_canonical());
        hasher.write(headers.get(USER_AGENT).map_or(&[], |agent| agent.as_bytes()));
        ClientId::new(hasher.finish())
    }

    /// The network of an address as the network gate counts it.
    ///
    /// A network is an IPv4 /24 or an IPv6 /56, which is what one customer of a provider commonly has. Whoever holds
    /// a larger block has many of them, so networks are counted within their blocks: an IPv4 /16 and an IPv6 /48 have
    /// 2 numbers for their networks, and an IPv6 /32 has 8 for its /48s. The numbers are drawn with the key, so that
    /// nobody can tell which networks share one.
    pub(crate) fn network(&self, address: IpAddr) -> NetworkId {
        let mut block = self.hasher(2);
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                let slot = self.slot(&[4, a, b, c], NETWORKS_OF_A_SITE);
                block.write(&[4, a, b, slot]);
            }
            IpAddr::V6(address) => {
                let bits = u128::from(address);
                let (customer, site, provider) = (bits >> 72, bits >> 80, bits >> 96);
                let slot = self.slot(&customer.to_be_bytes(), NETWORKS_OF_A_SITE);
                let slot = self.slot(&(site << 8 | u128::from(slot)).to_be_bytes(), NETWORKS_OF_A_PROVIDER);
                block.write(&(provider << 8 | u128::from(slot)).to_be_bytes());
            }
        }
        NetworkId::new(block.finish())
    }

    /// The number of a network among `slots` numbers.
    fn slot(&self, network: &[u8], slots: u64) -> u8 {
        let mut hasher = self.hasher(4);
        hasher.write(network);
        // The remainder is below `slots`, which is at most 8.
        (hasher.finish() % slots) as u8
    }

    /// A number for the cookie of a client; never 0.
    pub(crate) fn cookie(&self, value: &[u8]) -> u64 {
        let mut hasher = self.hasher(5);
        hasher.write(value);
        hasher.finish().max(1)
    }

    /// A number that differs between two contents of an asset. Never 0, which means unknown.
    pub(crate) fn validator(&self, parts: &[&[u8]]) -> u64 {
        let mut hasher = self.hasher(3);
        for part in parts {
            hasher.write(part);
            hasher.write_u8(0xff);
        }
        hasher.finish().max(1)
    }

    /// A number for a page.
    pub(crate) fn page(&self, authority: &str, target: &str) -> u32 {
        let mut hasher = self.hasher(6);
        hasher.write(authority.as_bytes());
        hasher.write_u8(0xff);
        hasher.write(target.as_bytes());
        hasher.finish() as u32
    }

    fn hasher(&self, domain: u8) -> SipHasher13 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write_u8(domain);
        hasher
    }
}

fn write_address(hasher: &mut SipHasher13, address: IpAddr) {
    match address {
        IpAddr::V4(address) => hasher.write(&address.octets()),
        IpAddr::V6(address) => hasher.write(&address.octets()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str) -> u64 {
        Identities::new([7; 16]).network(address.parse().unwrap()).get()
    }

    #[test]
    fn addresses_of_a_24_and_of_a_56_are_one_network() {
        assert_eq!(network("192.0.2.1"), network("192.0.2.200"));
        assert_ne!(network("192.0.2.1"), network("192.1.2.1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.9"));
        assert_eq!(network("2001:db8:0:100::1"), network("2001:db8:0:1ff::1"));
        assert_ne!(network("2001:db8:0:100::1"), network("2001:db9:0:100::1"));
    }

    #[test]
    fn a_block_counts_as_few_networks() {
        let count = |networks: &mut dyn Iterator<Item = String>| {
            networks.map(|address| network(&address)).collect::<std::collections::HashSet<_>>().len()
        };
        assert_eq!(count(&mut (0..256).map(|n| format!("198.51.{n}.1"))), 2, "an IPv4 /16");
        assert_eq!(count(&mut (0..256).map(|n| format!("2001:db8:0:{n:x}00::1"))), 2, "an IPv6 /48");
        assert_eq!(count(&mut (0..4096).map(|n| format!("2001:db8:{n:x}::1"))), 8, "an IPv6 /32");
        assert_eq!(count(&mut (0..100).map(|n| format!("198.{n}.7.1"))), 100, "as many /16s");
        assert_eq!(count(&mut (0..100).map(|n| format!("2001:{n:x}::1"))), 100, "as many /32s");
    }

    #[test]
    fn the_key_and_the_agent_matter() {
        let address = "192.0.2.1".parse().unwrap();
        let agent = |name: &str| HeaderMap::from_iter([(USER_AGENT, name.parse().unwrap())]);
        let id = |key, name| Identities::new([key; 16]).client(address, &agent(name));
        assert_eq!(id(1, "a"), id(1, "a"));
        assert_ne!(id(1, "a"), id(1, "b"));
        assert_ne!(id(1, "a"), id(2, "a"));
    }
}

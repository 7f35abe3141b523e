//! Who asks: numbers made from addresses with a keyed hash, so that no address is kept.

use std::hash::Hasher as _;
use std::net::IpAddr;

use headstart_learn::{ClientId, NetworkId};
use http::HeaderMap;
use http::header::USER_AGENT;
use siphasher::sip::SipHasher13;

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
        ClientId(hasher.finish())
    }

    /// A network: an IPv4 /24 or an IPv6 /56, what one customer of a provider commonly has.
    pub(crate) fn network(&self, address: IpAddr) -> NetworkId {
        let mut hasher = self.hasher(2);
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                hasher.write(&[4, a, b, c]);
            }
            IpAddr::V6(address) => {
                let network = u128::from(address) >> 72;
                hasher.write(&[6]);
                hasher.write(&network.to_be_bytes());
            }
        }
        NetworkId(hasher.finish())
    }

    /// What tells two contents of an asset apart, as a number. Never 0, which means unknown.
    pub(crate) fn validator(&self, parts: &[&[u8]]) -> u64 {
        let mut hasher = self.hasher(3);
        for part in parts {
            hasher.write(part);
            hasher.write_u8(0xff);
        }
        hasher.finish().max(1)
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
        Identities::new([7; 16]).network(address.parse().unwrap()).0
    }

    #[test]
    fn a_network_is_a_24_or_a_56() {
        assert_eq!(network("192.0.2.1"), network("192.0.2.200"));
        assert_ne!(network("192.0.2.1"), network("192.0.3.1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.9"));
        assert_eq!(network("2001:db8:0:100::1"), network("2001:db8:0:1ff::1"));
        assert_ne!(network("2001:db8:0:100::1"), network("2001:db8:0:200::1"));
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

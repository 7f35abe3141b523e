//! Whatever a balancer and a proxy say of the client: it is somebody whom they named, or the peer.
//!
//! Input: what a connection begins with, a line feed of its own line being the end of a PROXY header of version 1; after
//! the first NUL the value of `Forwarded`.

use std::net::IpAddr;
use std::sync::LazyLock;

use headstart::policy::{ClientAddress, Peer};
use headstart::{ForwardedBy, Headstart, IpNet};

use crate::connection::converse;

static LOOPBACK: LazyLock<Vec<IpNet>> = LazyLock::new(|| vec!["127.0.0.0/8".parse().expect("a network")]);

static TRUSTING: LazyLock<[Headstart; 2]> = LazyLock::new(|| {
    [ForwardedBy::Forwarded, ForwardedBy::XForwardedFor].map(|by| {
        let builder = Headstart::builder()
            .trusted_proxies(["127.0.0.0/8", "10.0.0.0/8"].map(|net| net.parse().expect("a network")), by);
        builder.build().expect("the settings are in range")
    })
});

/// One input.
///
/// # Panics
///
/// If somebody else is named.
pub fn run(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let (begins, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let value: Vec<u8> = value.iter().copied().filter(|byte| !b"\r\n\0".contains(byte)).collect();
    for (headstart, name) in TRUSTING.iter().zip(["forwarded", "x-forwarded-for"]) {
        let mut sent = begins.to_vec();
        sent.extend(format!("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{name}: ").bytes());
        sent.extend(&value);
        sent.extend(b"\r\n\r\n");
        let balancers: &[IpNet] = if begins.is_empty() { &[] } else { &LOOPBACK };
        for got in converse(headstart, balancers, &sent).0 {
            let peer = got.head.extensions.get::<Peer>().map(|Peer(address)| address.ip());
            let client = got.head.extensions.get::<ClientAddress>().map(|ClientAddress(address)| *address);
            let named = |address: IpAddr, text: &[u8]| {
                let text = String::from_utf8_lossy(text).into_owned();
                // Of IPv6 there are many spellings.
                address.is_ipv6() || text.contains(&address.to_string()) || text.contains(':')
            };
            if let Some(client) = client {
                let peer = peer.expect("a peer");
                assert!(client == peer || named(client, &value), "{client} is not in {value:?}");
                assert!(trusted(peer), "{peer} is not trusted");
            }
            if let Some(IpAddr::V4(peer)) = peer
                && begins.starts_with(b"PROXY ")
            {
                assert!(peer.is_loopback() || named(peer.into(), begins), "{peer} is not in {begins:?}");
            }
        }
    }
}

fn trusted(address: IpAddr) -> bool {
    let networks = ["127.0.0.0/8", "10.0.0.0/8"].map(|net| net.parse::<IpNet>().expect("a network"));
    networks.iter().any(|network| network.contains(&address.to_canonical()))
}

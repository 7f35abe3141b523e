//! For whom a trusted proxy asks (`X-Forwarded-For`; `Forwarded`, RFC 7239).

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use http::header::{FORWARDED, HeaderName};
use ipnet::IpNet;

use crate::link_value::split_outside_quotes;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The field in which proxies name their clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForwardedBy {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The proxies whose `X-Forwarded-For` or `Forwarded` is believed. One field only: a proxy passes on the other as the
/// client wrote it.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedProxies {
    pub(crate) networks: Vec<IpNet>,
    pub(crate) field: ForwardedBy,
}

impl TrustedProxies {
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The client's address: the last of the list that is no proxy of ours. Addresses before it are the client's own claim.
    pub(crate) fn client(&self, proxy: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = proxy;
        match self.field {
            ForwardedBy::XForwardedFor => {
                let values = headers.get_all(X_FORWARDED_FOR).iter().rev().map(|value| value.to_str().ok());
                for entry in values.flat_map(|value| value.unwrap_or("?").rsplit(',')) {
                    let Some(address) = address(entry) else { break };
                    client = address;
                    if !self.trusts(address) {
                        break;
                    }
                }
            }
            ForwardedBy::Forwarded => {
                for value in headers.get_all(FORWARDED).iter().rev() {
                    let value = value.to_str().unwrap_or("?");
                    // Outside quotes is known from the left only.
                    let entries: Vec<&str> = split_outside_quotes(value, ',').collect();
                    for entry in entries.into_iter().rev() {
                        let Some(address) = forwarded_for(entry).and_then(address) else { return client };
                        client = address;
                        if !self.trusts(address) {
                            return client;
                        }
                    }
                }
            }
        }
        client
    }
}

/// The `for` of one element.
fn forwarded_for(element: &str) -> Option<&str> {
    split_outside_quotes(element, ';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"'))
    })
}

/// An address with or without its port; IPv6 in brackets or bare. `None` for `unknown` and for made-up names.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|found| found.ip())).ok();
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(field: ForwardedBy, values: &[&str], client: &str) {
        let networks = vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let name = if field == ForwardedBy::Forwarded { FORWARDED } else { X_FORWARDED_FOR };
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(&name, value.parse().unwrap());
        }
        let found = TrustedProxies { networks, field }.client("10.0.0.1".parse().unwrap(), &headers);
        assert_eq!(found, client.parse::<IpAddr>().unwrap(), "{values:?}");
    }

    #[test]
    fn x_forwarded_for_is_read_from_the_right() {
        let check = |values, client| check(ForwardedBy::XForwardedFor, values, client);
        check(&[], "10.0.0.1");
        check(&["192.0.2.1"], "192.0.2.1");
        check(&["192.0.2.66, 192.0.2.1"], "192.0.2.1");
        check(&["192.0.2.66, 192.0.2.1, 10.1.1.1"], "192.0.2.1");
        check(&["192.0.2.66", "192.0.2.1,fd00::1"], "192.0.2.1");
        check(&["192.0.2.1:4711, [fd00::1]:80"], "192.0.2.1");
        check(&["2001:db8::1"], "2001:db8::1");
        check(&["[2001:db8::1]"], "2001:db8::1");
        check(&["::ffff:192.0.2.1"], "192.0.2.1");
        check(&["192.0.2.1, unknown, 10.1.1.1"], "10.1.1.1");
        check(&["192.0.2.1, \u{e9}"], "10.0.0.1");
        check(&["10.1.1.1, 10.2.2.2"], "10.1.1.1");
        check(&["", ","], "10.0.0.1");
    }

    #[test]
    fn forwarded_is_read_from_the_right() {
        let check = |values, client| check(ForwardedBy::Forwarded, values, client);
        check(&["for=192.0.2.1"], "192.0.2.1");
        check(&["For=\"[2001:db8:cafe::17]:4711\""], "2001:db8:cafe::17");
        check(&["for=192.0.2.66, for=192.0.2.1;proto=http;by=203.0.113.43, for=10.9.9.9"], "192.0.2.1");
        check(&["for=192.0.2.66;host=\"a, for=192.0.2.99\", for=192.0.2.1"], "192.0.2.1");
        check(&["for=192.0.2.1, for=_hidden, for=10.9.9.9"], "10.9.9.9");
        check(&["proto=https"], "10.0.0.1");
        check(&["for=\"192.0.2.1", "for=10.9.9.9"], "192.0.2.1");
    }
}

//! What the upstream is told of the client: `X-Forwarded-*`, `Forwarded` (RFC 7239) and `Via`.

use std::net::SocketAddr;

use http::header::{HeaderMap, HeaderName, HeaderValue, VIA};
use ipnet::IpNet;

use super::head;

const FORWARDED: HeaderName = HeaderName::from_static("forwarded");
const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// What says where a request comes from: ours, and what some proxies say and some applications believe. We do not write
/// the latter, so nobody else may.
fn is_forwarding(name: &str) -> bool {
    let rest = name.strip_prefix("x-forwarded-");
    name == "forwarded"
        || name == "x-real-ip"
        || rest.is_some_and(|rest| matches!(rest, "for" | "proto" | "host" | "port" | "prefix" | "server"))
}

/// The name that `Via` carries; the host would tell outsiders how the inside is built.
const PSEUDONYM: &str = "headstart";

/// What is known of the client's connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client<'a> {
    pub(super) address: Option<SocketAddr>,
    pub(super) tls: bool,
    /// The host that it asked for, with port.
    pub(super) host: Option<&'a str>,
}

/// Writes the fields for a request. What is there already is kept and added to if the client is one of `trusted`, and
/// goes away if not.
pub(super) fn write(headers: &mut HeaderMap, client: Client<'_>, trusted: &[IpNet]) {
    let address = client.address.map(|address| address.ip().to_canonical());
    let trusts = address.is_some_and(|address| trusted.iter().any(|network| network.contains(&address)));
    if !trusts {
        head::remove_where(headers, is_forwarding);
    }
    let proto = if client.tls { "https" } else { "http" };
    let address = address.map(|address| address.to_string());
    if let Some(address) = &address {
        append(headers, &FOR, address.clone());
    }
    // The first proxy knows what the client itself used.
    if !trusts || !headers.contains_key(&PROTO) {
        headers.insert(PROTO, HeaderValue::from_static(proto));
    }
    let host = client.host.and_then(|host| HeaderValue::from_str(host).ok());
    if let Some(host) = host
        && (!trusts || !headers.contains_key(&HOST))
    {
        headers.insert(HOST, host);
    }
    append(headers, &FORWARDED, element(address.as_deref(), proto, client.host));
}

/// Adds an element to a list, on the field's one line.
fn append(headers: &mut HeaderMap, name: &HeaderName, element: String) {
    let before: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    let value = if before.is_empty() { element } else { format!("{}, {element}", before.join(", ")) };
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

/// One element of `Forwarded`.
fn element(address: Option<&str>, proto: &str, host: Option<&str>) -> String {
    // Room for the words and all that is said; an address of IPv6 is quoted.
    let mut element = String::with_capacity(32 + address.map_or(0, str::len) + host.map_or(0, str::len));
    element.push_str("for=");
    match address {
        Some(address) if address.contains(':') => element.extend(["\"[", address, "]\""]),
        Some(address) => element.push_str(address),
        None => element.push_str("unknown"),
    }
    if let Some(host) = host.filter(|host| !host.contains(['"', '\\'])) {
        element.extend([";host=\"", host, "\""]);
    }
    element.extend([";proto=", proto]);
    element
}

/// Adds us to `Via`, with the version of the message that came in (RFC 9110, section 7.6.3).
pub(super) fn write_via(headers: &mut HeaderMap, version: http::Version) {
    let version = match version {
        http::Version::HTTP_10 => "1.0",
        http::Version::HTTP_2 => "2.0",
        _ => "1.1",
    };
    append(headers, &VIA, format!("{version} {PSEUDONYM}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(fields: &[(&'static str, &str)], address: &str, trusted: &[&str]) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        let client = Client { address: address.parse().ok(), tls: true, host: Some("a.example:8443") };
        let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        write(&mut headers, client, &trusted);
        headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
    }

    fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_stranger_is_not_believed() {
        let lies = [
            ("x-forwarded-for", "1.1.1.1"),
            ("x-forwarded-for", "2.2.2.2"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-host", "evil.example"),
            ("x-real-ip", "3.3.3.3"),
            ("x-forwarded-port", "1"),
            ("forwarded", "for=4.4.4.4"),
        ];
        let told = written(&lies, "192.0.2.7:1000", &["10.0.0.0/8"]);
        let expected = pairs(&[
            ("x-forwarded-for", "192.0.2.7"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "a.example:8443"),
            ("forwarded", "for=192.0.2.7;host=\"a.example:8443\";proto=https"),
        ]);
        assert_eq!(told, expected);
    }

    #[test]
    fn a_trusted_proxy_is_added_to() {
        let said = [
            ("x-forwarded-for", "192.0.2.7"),
            ("x-forwarded-for", "10.1.1.1"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-host", "b.example"),
            ("forwarded", "for=192.0.2.7"),
        ];
        let told = written(&said, "[::ffff:10.0.0.1]:1000", &["10.0.0.0/8"]);
        let expected = pairs(&[
            ("x-forwarded-for", "192.0.2.7, 10.1.1.1, 10.0.0.1"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-host", "b.example"),
            ("forwarded", "for=192.0.2.7, for=10.0.0.1;host=\"a.example:8443\";proto=https"),
        ]);
        assert_eq!(told, expected);
    }

    #[test]
    fn ipv6_is_quoted() {
        let told = written(&[], "[2001:db8::1]:1000", &[]);
        assert_eq!(told[0].1, "2001:db8::1");
        assert!(told[3].1.starts_with("for=\"[2001:db8::1]\";"), "{told:?}");
    }

    #[test]
    fn via_grows() {
        let mut headers = HeaderMap::new();
        headers.insert(VIA, HeaderValue::from_static("1.0 fred"));
        write_via(&mut headers, http::Version::HTTP_2);
        assert_eq!(headers[VIA], "1.0 fred, 2.0 headstart");
    }
}

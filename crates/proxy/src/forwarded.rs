//! Fields by which the upstream learns of the client: `X-Forwarded-*`, `Forwarded` (RFC 7239) and `Via`.

use std::net::SocketAddr;

use super::config::{ForwardedField, Forwarding};
use super::head;
use http::header::{HeaderMap, HeaderName, HeaderValue, VIA};

const FORWARDED: HeaderName = HeaderName::from_static("forwarded");
const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Fields by which software in front tells applications who asks, and for what: addresses, schemes, users, certificates,
/// targets. Applications believe them, so nobody may write them but who was configured to.
const BELIEVED: [&str; 43] = [
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "cf-ipcountry",
    "cf-visitor",
    "client-ip",
    "cloudfront-forwarded-proto",
    "cloudfront-viewer-address",
    "do-connecting-ip",
    "fastly-client-ip",
    "fastly-ssl",
    "fly-client-ip",
    "forwarded",
    "front-end-https",
    "proxy",
    "proxy-client-ip",
    "remote-addr",
    "remote-user",
    "true-client-ip",
    "wl-proxy-client-ip",
    "x-appengine-user-ip",
    "x-authenticated-user",
    "x-azure-clientip",
    "x-azure-socketip",
    "x-client-ip",
    "x-client-verify",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-forwarded",
    "x-host",
    "x-original-forwarded-for",
    "x-original-host",
    "x-original-url",
    "x-originating-ip",
    "x-proxyuser-ip",
    "x-real-ip",
    "x-remote-addr",
    "x-remote-ip",
    "x-remote-user",
    "x-rewrite-url",
    "x-scheme",
    "x-url-scheme",
    "x-user",
    "x-waws-unencoded-url",
];

/// Whether applications take this field for the word of a proxy.
pub(super) fn is_believed(name: &str) -> bool {
    name.starts_with("x-forwarded-")
        || name.starts_with("x-ssl-client-")
        || name.starts_with("ssl-client-")
        || BELIEVED.binary_search(&name).is_ok()
}

/// The name that `Via` carries; the host would tell outsiders how the inside is built.
const PSEUDONYM: &str = "headstart";

/// Facts of the client's connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client<'a> {
    pub(super) address: Option<SocketAddr>,
    pub(super) tls: bool,
    /// The host that it asked for, with port.
    pub(super) host: Option<&'a str>,
}

/// Writes the fields for a request. Of those that are there already stay what `forwarding` says is let through, and, from
/// trusted proxies, the field in which they name the client.
pub(super) fn write(headers: &mut HeaderMap, client: Client<'_>, forwarding: &Forwarding) {
    let address = client.address.map(|address| address.ip().to_canonical());
    let trusts = address.is_some_and(|address| forwarding.trusted.iter().any(|network| network.contains(&address)));
    let stays = |name: &str| {
        let named = match forwarding.field {
            ForwardedField::XForwardedFor => ["x-forwarded-for", "x-forwarded-proto"].contains(&name),
            ForwardedField::Forwarded => name == "forwarded",
        };
        (trusts && named) || forwarding.trust.iter().any(|other| other.as_str() == name)
    };
    head::remove_where(headers, |name| is_believed(name) && !stays(name));
    let proto = if client.tls { "https" } else { "http" };
    let address = address.map(|address| address.to_string());
    if let Some(address) = &address {
        append(headers, &FOR, address.clone());
    }
    // The first proxy knows what the client itself used. What is no scheme is nobody's word.
    if scheme(headers).is_none() {
        headers.insert(PROTO, HeaderValue::from_static(proto));
    }
    let host = client.host.and_then(|host| HeaderValue::from_str(host).ok());
    if let Some(host) = host
        && !headers.contains_key(&HOST)
    {
        headers.insert(HOST, host);
    }
    append(headers, &FORWARDED, element(address.as_deref(), proto, client.host));
}

/// The scheme that a proxy in front has named, if it is one and said once.
fn scheme(headers: &HeaderMap) -> Option<&str> {
    const SCHEMES: [&str; 4] = ["http", "https", "ws", "wss"];
    let mut named = headers.get_all(&PROTO).iter();
    let only = named.next().filter(|_| named.next().is_none())?.to_str().ok()?;
    SCHEMES.iter().any(|scheme| only.eq_ignore_ascii_case(scheme)).then_some(only)
}

/// Says below which path clients know the upstream. A trusted proxy in front may have taken off a prefix of its own.
pub(super) fn write_prefix(headers: &mut HeaderMap, stripped: &str) {
    let before = headers.get(&PREFIX).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let prefix = format!("{}{}", before.trim_end_matches('/'), stripped.trim_end_matches('/'));
    if let Ok(value) = HeaderValue::try_from(prefix) {
        headers.insert(PREFIX, value);
    }
}

/// The parts of a request, beside its target, that decide what the upstream answers: the scheme, and the fields that are
/// let through. Part of the key under which a response is kept.
pub(super) fn told(headers: &HeaderMap, tls: bool, forwarding: &Forwarding) -> String {
    let mut told = if tls { "https" } else { "http" }.to_owned();
    if forwarding.trusted.is_empty() && forwarding.trust.is_empty() {
        return told;
    }
    if let Some(named) = scheme(headers) {
        told.extend(["|", named]);
    }
    for name in &forwarding.trust {
        for value in headers.get_all(name) {
            told.extend(["|", name.as_str(), "=", &String::from_utf8_lossy(value.as_bytes())]);
        }
    }
    told
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
        let trusted = trusted.iter().map(|network| network.parse().unwrap()).collect();
        write(&mut headers, client, &Forwarding { trusted, ..Forwarding::default() });
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
            // The client may have written these, and the proxy handed them on.
            ("x-forwarded-host", "a.example:8443"),
            ("forwarded", "for=10.0.0.1;host=\"a.example:8443\";proto=https"),
        ]);
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_let_through_is_said() {
        let mut headers = HeaderMap::new();
        for name in ["x-forwarded-host", "x-real-ip", "x-original-url", "proxy", "cf-connecting-ip", "x-kept"] {
            headers.insert(name, HeaderValue::from_static("v"));
        }
        let client = Client { address: "192.0.2.7:1".parse().ok(), tls: false, host: Some("a") };
        let forwarding = Forwarding { trust: vec!["x-real-ip".parse().unwrap()], ..Forwarding::default() };
        assert_eq!(told(&headers, false, &forwarding), "http|x-real-ip=v");
        write(&mut headers, client, &forwarding);
        assert!(headers["x-real-ip"] == "v" && headers["x-forwarded-host"] == "a");
        for gone in ["x-original-url", "proxy", "cf-connecting-ip"] {
            assert!(!headers.contains_key(gone), "{gone}");
        }
        assert!(headers.contains_key("x-kept"));
    }

    #[test]
    fn the_list_is_sorted() {
        assert!(BELIEVED.is_sorted());
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

//! `[[listen]]`: where connections are taken, and what they speak.

use ipnet::IpNet;

use super::entries::ListenEntry;
use super::place::{At, Place};
use super::problems::Problems;
use super::section::Section;
use super::table;

/// One entry: every address that its text stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Listen {
    pub(crate) socket: At<Socket>,
    /// TLS with HTTP/2 and HTTP/1.1 by ALPN; else cleartext, with HTTP/2 for clients that know (h2c).
    pub(crate) tls: bool,
    /// Without TLS: every request is redirected to `https`.
    pub(crate) redirects_to_https: bool,
    /// Networks of balancers, whose connections begin with a PROXY protocol header; those of others do not. None.
    pub(crate) proxy_protocol: Vec<IpNet>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Socket {
    /// `HOST:PORT`
    Address(String),
    /// A socket that systemd opened, by its `FileDescriptorName=`; empty is all of them.
    Systemd(String),
}

/// Reads the entries: tables, or text for short.
pub(super) fn read(items: Option<Vec<Section<'_>>>, activated: bool, problems: &Problems) -> Vec<Listen> {
    let Some(items) = items else { return vec![default(activated)] };
    let listeners: Vec<Listen> = items.into_iter().filter_map(|section| one(section, problems)).collect();
    for (number, listen) in listeners.iter().enumerate() {
        let others = listeners.get(..number).unwrap_or_default();
        if let Some(other) = others.iter().find(|other| conflict(&other.socket.value, &listen.socket.value)) {
            let message = format!("{} is taken already by {}", listen.socket.value, other.socket.place);
            problems.add_at(&listen.socket, message);
        }
    }
    listeners
}

/// The listener where no entry is written.
fn default(activated: bool) -> Listen {
    let (socket, name) = if activated {
        (Socket::Systemd(String::new()), "LISTEN_FDS")
    } else {
        (Socket::Address(ListenEntry::ADDRESS.into()), "the default")
    };
    let socket = At { value: socket, place: Place::named(name), key: "listen".into() };
    Listen { socket, tls: true, redirects_to_https: false, proxy_protocol: Vec::new() }
}

fn one(mut section: Section<'_>, problems: &Problems) -> Option<Listen> {
    let mut entry = ListenEntry::default();
    let named = section.has("address") || section.has("systemd");
    table::listen().read_keys(&mut section, &mut entry);
    let (socket, scheme) = match (entry.address, entry.systemd) {
        (Some(_), Some(systemd)) => {
            problems.add_at(&systemd, "is either an address or a socket of systemd, not both");
            return None;
        }
        (None, Some(systemd)) => (Some(systemd.map(Socket::Systemd)), None),
        (Some(address), None) => split(address, problems),
        (None, None) => {
            if !named {
                section.problem("needs an `address` (\"HOST:PORT\") or the name of a `systemd` socket");
            }
            (None, None)
        }
    };
    if let (Some(tls), Some(scheme)) = (&entry.tls, scheme)
        && tls.value != scheme
    {
        problems.add_at(tls, "contradicts the scheme of the address");
    }
    section.done();
    let tls = entry.tls.map(|tls| tls.value).or(scheme).unwrap_or(true);
    let https = entry.https.filter(|https| https.value);
    if let Some(https) = https.as_ref().filter(|_| tls) {
        problems.add_at(https, "is for a listener without TLS (http:// in front of its address)");
    }
    Some(Listen { socket: socket?, tls, redirects_to_https: https.is_some(), proxy_protocol: entry.proxy_protocol })
}

/// The socket, and what a scheme in front of it says about TLS.
fn split(at: At<String>, problems: &Problems) -> (Option<At<Socket>>, Option<bool>) {
    let text = at.value.trim_end_matches('/');
    let (scheme, rest) = match text.split_once("://") {
        Some(("https", rest)) => (Some(true), rest),
        Some(("http", rest)) => (Some(false), rest),
        Some((scheme, _)) => {
            problems.add_at(&at, format!("{scheme:?} is neither http nor https"));
            return (None, None);
        }
        None => (None, text),
    };
    if let Some(name) = rest.strip_prefix("systemd:") {
        let socket = Socket::Systemd(name.to_owned());
        return (Some(at.map(|_| socket)), scheme);
    }
    let Some((host, port)) = rest.rsplit_once(':') else {
        problems.add_at(&at, format!("{rest:?} is not of the form HOST:PORT"));
        return (None, scheme);
    };
    if port.parse::<u16>().is_err() {
        problems.add_at(&at, format!("cannot listen on {rest:?}: {port:?} is not a port"));
        return (None, scheme);
    }
    if host.is_empty() || (host.contains(':') && !(host.starts_with('[') && host.ends_with(']'))) {
        problems.add_at(&at, format!("{rest:?} is not of the form HOST:PORT; an IPv6 address goes in brackets"));
        return (None, scheme);
    }
    let socket = Socket::Address(rest.to_owned());
    (Some(at.map(|_| socket)), scheme)
}

fn conflict(a: &Socket, b: &Socket) -> bool {
    match (a, b) {
        (Socket::Systemd(a), Socket::Systemd(b)) => a == b || a.is_empty() || b.is_empty(),
        (Socket::Address(a), Socket::Address(b)) => {
            let (Some((a, a_port)), Some((b, b_port))) = (a.rsplit_once(':'), b.rsplit_once(':')) else { return false };
            let loopback = |host| matches!(host, "localhost" | "127.0.0.1" | "[::1]");
            let everywhere = |host| matches!(host, "0.0.0.0" | "[::]");
            let same = a.eq_ignore_ascii_case(b)
                || everywhere(a)
                || everywhere(b)
                || (a == "localhost" && loopback(b))
                || (b == "localhost" && loopback(a));
            a_port == b_port && a_port != "0" && same
        }
        _ => false,
    }
}

impl std::fmt::Display for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Socket::Address(address) => f.write_str(address),
            Socket::Systemd(name) if name.is_empty() => f.write_str("the sockets of systemd"),
            Socket::Systemd(name) => write!(f, "the socket {name:?} of systemd"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::tree;
    use super::*;

    fn check(text: &str) -> (Vec<(String, bool, bool)>, Vec<String>) {
        let problems = Problems::default();
        let mut root = Section::root(tree::parse(Path::new("x"), text.into(), &problems), &problems);
        let listeners = read(root.sections_or_text("listen", "address"), false, &problems);
        root.done();
        let shown =
            listeners.iter().map(|l| (l.socket.value.to_string(), l.tls, !l.proxy_protocol.is_empty())).collect();
        (shown, problems.into_sorted().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn tables_and_text_for_short() {
        let (found, problems) = check(
            "[[listen]]\naddress = \"[::]:443\"\n[[listen]]\naddress = \"http://10.0.0.1:80\"\nproxy_protocol = [\"10.0.0.0/8\"]\n\
             [[listen]]\nsystemd = \"web\"\n",
        );
        assert_eq!(problems, [""; 0]);
        let expected =
            [("[::]:443", true, false), ("10.0.0.1:80", false, true), ("the socket \"web\" of systemd", true, false)];
        assert_eq!(found, expected.map(|(address, tls, proxy)| (address.to_owned(), tls, proxy)));
        assert_eq!(check("listen = [\"a:1\", \"http://b:2\"]").0.len(), 2);
        assert_eq!(check("listen = \"a:1\"").0, [("a:1".to_owned(), true, false)]);
        assert_eq!(check("").0, [("localhost:8443".to_owned(), true, false)]);
    }

    #[test]
    fn mistakes() {
        for (text, expected) in [
            ("listen = \"8443\"", "x:1:10: listen[1].address: \"8443\" is not of the form HOST:PORT"),
            ("listen = [\"a:1\", \"a:x\"]", "x:1:18: listen[2].address: cannot listen on \"a:x\": \"x\" is not a port"),
            (
                "listen = \"::1:80\"",
                "x:1:10: listen[1].address: \"::1:80\" is not of the form HOST:PORT; an IPv6 address goes in brackets",
            ),
            ("listen = \"ftp://a:1\"", "x:1:10: listen[1].address: \"ftp\" is neither http nor https"),
            ("listen = 5", "x:1:10: listen[1].address: has to be text in quotes, not the number 5"),
            ("[[listen]]\nadress = \"a:1\"", "x:1:1: listen[1]: needs an `address`"),
            ("[[listen]]\naddress = \"http://a:1\"\ntls = true", "x:3:7: listen[1].tls: contradicts"),
            ("listen = [\"a:1\", \"A:1\"]", "x:1:18: listen[2].address: A:1 is taken already by x:1:11"),
            ("listen = [\"127.0.0.1:1\", \"0.0.0.0:1\"]", "is taken already"),
            ("listen = [\"localhost:1\", \"[::1]:1\"]", "is taken already"),
        ] {
            let (_, problems) = check(text);
            assert!(problems.iter().any(|problem| problem.contains(expected)), "{text}: {problems:?}");
        }
        assert_eq!(check("listen = [\"127.0.0.1:0\", \"127.0.0.1:0\"]").1, [""; 0]);
    }
}

//! The URL of an engine.

use crate::fleet::FleetError;

/// How an engine is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topology {
    /// At one address.
    Single,
    /// At any of these addresses.
    Cluster,
    /// By sentinels at these addresses.
    Sentinel,
}

/// The URL of an engine, taken apart. Only the password is a secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct EngineUrl {
    pub(crate) topology: Topology,
    pub(crate) tls: bool,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) hosts: Vec<(String, u16)>,
    /// The number of a database, or the name of the master that sentinels watch.
    pub(crate) path: String,
}

impl EngineUrl {
    /// Takes a URL apart.
    pub(crate) fn parse(url: &str) -> Result<Self, FleetError> {
        let bad = FleetError::new;
        let (scheme, rest) = url.split_once("://").ok_or_else(|| {
            bad("it is a URL: redis://host:6379, rediss://host:6379, redis+sentinel://host,host/master, file:///directory")
        })?;
        let (base, sentinel) = match scheme.strip_suffix("+sentinel") {
            Some(base) => (base, true),
            None => (scheme, false),
        };
        let tls = match base {
            "redis" | "valkey" => false,
            "rediss" | "valkeys" => true,
            _ => return Err(bad("its scheme is none of redis, rediss, valkey, valkeys, redis+sentinel and file")),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if path.contains(['?', '#']) || authority.contains(['?', '#']) {
            return Err(bad("it has no query and no fragment"));
        }
        let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (username, password) = user.split_once(':').unwrap_or((user, ""));
        let text = |text: &str| -> Result<Option<String>, FleetError> {
            let decoded =
                decoded(text).ok_or_else(|| bad("a `%` in the user or the password is followed by two hex digits"))?;
            Ok(Some(decoded).filter(|text| !text.is_empty()))
        };
        let default_port = if sentinel { 26_379 } else { 6_379 };
        let hosts: Option<Vec<_>> = hosts.split(',').map(|host| host_and_port(host, default_port)).collect();
        let hosts = hosts.ok_or_else(|| bad("a host is missing, or a port is no number"))?;
        let topology = match (sentinel, hosts.len()) {
            (true, _) => Topology::Sentinel,
            (false, 1) => Topology::Single,
            (false, _) => Topology::Cluster,
        };
        match topology {
            Topology::Sentinel if path.is_empty() => {
                return Err(bad(
                    "the name of the master that the sentinels watch is missing: redis+sentinel://host/master",
                ));
            }
            Topology::Single if !path.is_empty() && path.parse::<u16>().is_err() => {
                return Err(bad("after the host comes nothing, or the number of a database"));
            }
            Topology::Cluster if !path.is_empty() => return Err(bad("a cluster has one database only")),
            _ => {}
        }
        let (username, password) = (text(username)?, text(password)?);
        Ok(EngineUrl { topology, tls, username, password, hosts, path: path.to_owned() })
    }

    /// For a log: without user and password.
    pub(crate) fn place(&self) -> String {
        let hosts: Vec<String> = self.hosts.iter().map(|(host, port)| format!("{host}:{port}")).collect();
        let scheme = match (self.topology, self.tls) {
            (Topology::Sentinel, false) => "redis+sentinel",
            (Topology::Sentinel, true) => "rediss+sentinel",
            (_, false) => "redis",
            (_, true) => "rediss",
        };
        format!("{scheme}://{}", hosts.join(","))
    }
}

impl std::fmt::Debug for EngineUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.place())
    }
}

fn host_and_port(host: &str, default: u16) -> Option<(String, u16)> {
    // An IPv6 address stands in brackets.
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (name, rest) = rest.split_once(']')?;
            (name, rest.strip_prefix(':').or(rest.is_empty().then_some("")).filter(|port| !port.contains(':'))?)
        }
        None => host.split_once(':').unwrap_or((host, "")),
    };
    let port = if port.is_empty() { default } else { port.parse().ok()? };
    (!name.is_empty()).then(|| (name.to_owned(), port))
}

/// A text without its percent-encoding.
fn decoded(text: &str) -> Option<String> {
    let (mut out, mut bytes) = (Vec::with_capacity(text.len()), text.bytes());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
        out.push((high * 16 + low) as u8);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_engines() {
        let url = EngineUrl::parse("rediss://web:p%40ss@redis.example:6380/2").unwrap();
        assert_eq!((url.topology, url.tls, &*url.path), (Topology::Single, true, "2"));
        assert_eq!((url.username.as_deref(), url.password.as_deref()), (Some("web"), Some("p@ss")));
        assert_eq!(url.place(), "rediss://redis.example:6380");
        assert!(!format!("{url:?}").contains("p@ss"));
        let url = EngineUrl::parse("redis://:secret@a,b:7000,[::1]:7001").unwrap();
        assert_eq!((url.topology, url.username, url.password.as_deref()), (Topology::Cluster, None, Some("secret")));
        let hosts = [("a".to_owned(), 6379), ("b".to_owned(), 7000), ("::1".to_owned(), 7001)];
        assert_eq!(url.hosts, hosts);
        let url = EngineUrl::parse("valkey+sentinel://s1,s2:5000/main").unwrap();
        assert_eq!((url.topology, &*url.path), (Topology::Sentinel, "main"));
        assert_eq!(url.hosts, [("s1".to_owned(), 26_379), ("s2".to_owned(), 5000)]);
    }
}

//! Addresses to listen on.
//!
//! Sockets are kept as those of the standard library: the runtime is given a second handle to each, so that a listener
//! that is to speak otherwise after a reload need not give up its port in between.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use anyhow::{Context as _, bail};
use tokio::net::{self, lookup_host};

/// Binds every address that `spec` (`HOST:PORT`) stands for.
///
/// `localhost` is both loopback addresses, as browsers try both; a machine without IPv6 does with one. Port 0 takes a
/// free port, the same for both.
///
/// # Errors
///
/// If the text is not an address, its name does not resolve, or the address cannot be bound.
pub(crate) async fn bind(spec: &str) -> anyhow::Result<Vec<TcpListener>> {
    let Some((host, port)) = spec.rsplit_once(':') else {
        bail!("cannot listen on {spec:?}: not of the form HOST:PORT");
    };
    let port: u16 = port.parse().with_context(|| format!("cannot listen on {spec:?}: {port:?} is not a port"))?;
    if host == "localhost" {
        return bind_loopback(spec, port).await;
    }
    let addresses = lookup_host(spec).await.with_context(|| format!("cannot listen on {spec:?}"))?;
    let mut listeners = Vec::new();
    for address in addresses {
        listeners.push(bind_one(address).await.with_context(|| format!("cannot listen on {address}"))?);
    }
    Ok(listeners)
}

async fn bind_loopback(spec: &str, port: u16) -> anyhow::Result<Vec<TcpListener>> {
    let context = || format!("cannot listen on {spec}");
    let v4 = bind_one((Ipv4Addr::LOCALHOST, port).into()).await.with_context(context)?;
    let port = v4.local_addr().with_context(context)?.port();
    match bind_one((Ipv6Addr::LOCALHOST, port).into()).await {
        Ok(v6) => Ok(vec![v4, v6]),
        Err(error) if matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied) => {
            Err(error).with_context(context)
        }
        // No IPv6 here; what that is called differs between systems.
        Err(_) => Ok(vec![v4]),
    }
}

async fn bind_one(address: SocketAddr) -> io::Result<TcpListener> {
    let bound = net::TcpListener::bind(address).await.and_then(net::TcpListener::into_std);
    bound.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => io::Error::new(error.kind(), "the port is in use by another program"),
        io::ErrorKind::PermissionDenied => io::Error::new(error.kind(), "this user may not use that port"),
        _ => error,
    })
}

/// Tries whether an address can be listened on, and lets go of it. A port that is in use is none of this: a server may be
/// running there.
///
/// # Errors
///
/// As [`bind`].
pub(crate) async fn try_bind(spec: &str) -> anyhow::Result<Vec<SocketAddr>> {
    match bind(spec).await {
        Ok(listeners) => Ok(listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()),
        Err(error) if is_in_use(&error) => {
            let spec =
                if spec.starts_with("localhost:") { spec.replacen("localhost", "127.0.0.1", 1) } else { spec.into() };
            Ok(lookup_host(spec).await?.collect())
        }
        Err(error) => Err(error),
    }
}

/// Whether an address could not be bound because another program listens on it.
fn is_in_use(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    io.is_some_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}

/// Is every address a loopback address, so that one developer is all there is?
pub(crate) fn all_loopback(addresses: &[SocketAddr]) -> bool {
    addresses.iter().all(|address| address.ip().to_canonical().is_loopback())
}

/// The URL to open in a browser, for one bound address.
pub(crate) fn url(spec: &str, address: SocketAddr, tls: bool) -> String {
    let (scheme, usual) = if tls { ("https", 443) } else { ("http", 80) };
    let host = match spec.rsplit_once(':') {
        // Certificates name hosts, not addresses.
        Some((host, _)) if host.parse::<std::net::IpAddr>().is_err() && !host.starts_with('[') => host.to_owned(),
        _ if address.ip().is_unspecified() => "localhost".to_owned(),
        _ if address.is_ipv6() => format!("[{}]", address.ip()),
        _ => address.ip().to_string(),
    };
    match address.port() {
        port if port == usual => format!("{scheme}://{host}/"),
        port => format!("{scheme}://{host}:{port}/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback() {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        assert!(all_loopback(&[address("127.0.0.1:1"), address("[::1]:1"), address("[::ffff:127.0.0.1]:1")]));
        assert!(!all_loopback(&[address("127.0.0.1:1"), address("0.0.0.0:1")]));
        assert!(!all_loopback(&[address("[::]:1")]));
    }

    #[test]
    fn urls() {
        let url = |spec, address: &str| url(spec, address.parse().unwrap(), true);
        assert_eq!(url("localhost:8443", "127.0.0.1:8443"), "https://localhost:8443/");
        assert_eq!(url("localhost:443", "[::1]:443"), "https://localhost/");
        assert_eq!(super::url("localhost:80", "[::1]:80".parse().unwrap(), false), "http://localhost/");
        assert_eq!(url("0.0.0.0:8443", "0.0.0.0:8443"), "https://localhost:8443/");
        assert_eq!(url("[::1]:0", "[::1]:81"), "https://[::1]:81/");
        assert_eq!(url("192.0.2.1:81", "192.0.2.1:81"), "https://192.0.2.1:81/");
    }

    #[tokio::test]
    async fn localhost_is_one_port_on_both() {
        let listeners = bind("localhost:0").await.unwrap();
        let ports: Vec<_> = listeners.iter().map(|l| l.local_addr().unwrap().port()).collect();
        assert!(ports.iter().all(|p| *p == ports[0] && *p != 0), "{ports:?}");
    }

    #[tokio::test]
    async fn errors_name_the_address() {
        let taken = bind("127.0.0.1:0").await.unwrap();
        let spec = taken[0].local_addr().unwrap().to_string();
        for (spec, names) in
            [(&*spec, "in use"), ("8443", "HOST:PORT"), ("localhost:https", "\"https\""), ("localhost:99999", "99999")]
        {
            let error = format!("{:#}", bind(spec).await.unwrap_err());
            assert!(error.contains(spec) && error.contains(names), "{error}");
        }
    }
}

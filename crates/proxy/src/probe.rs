//! Requests of our own that ask a server whether it is well.

use std::sync::{Arc, Weak};

use http::header::{self, HeaderValue};
use http::{Request, Uri, Version};

use super::config::{HostField, Probe};
use super::connection::Connection;
use super::server::Server;
use super::upload::Upload;
use super::upstream::Upstream;

/// Asks one server again and again, until the proxy is gone.
pub(super) async fn run(proxy: Weak<Upstream>, at: usize) {
    let (mut good, mut bad) = (0_u32, 0_u32);
    loop {
        let Some(inner) = proxy.upgrade() else { return };
        let (Some(server), Some(probe)) = (inner.servers.get(at).map(Arc::clone), inner.config.health.probe.clone())
        else {
            return;
        };
        let host = match &inner.config.host {
            HostField::Named(host) => Some(host.clone()),
            HostField::Preserve | HostField::Server => server.address().host_field(),
        };
        drop(inner);
        if is_well(&server, &probe, host).await {
            (good, bad) = (good.saturating_add(1), 0);
        } else {
            (good, bad) = (0, bad.saturating_add(1));
        }
        if good >= probe.rises.max(1) {
            server.probed(true);
        } else if bad >= probe.falls.max(1) {
            server.probed(false);
        }
        drop(server);
        tokio::time::sleep(probe.every).await;
    }
}

/// One answer, on a connection of its own: a server that takes none is not well.
async fn is_well(server: &Server, probe: &Probe, host: Option<HeaderValue>) -> bool {
    let asked = async {
        let mut held = server.connection(true, false).await.ok()?;
        let path = format!("{}{}", server.address().base(), probe.path);
        let mut request = Request::new(Upload::empty());
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, HeaderValue::from_static("headstart (health)"));
        if let Connection::Http1(_) = held {
            headers.insert(header::HOST, host?);
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            *request.uri_mut() = path.parse().ok()?;
        } else {
            *request.version_mut() = Version::HTTP_2;
            let uri = Uri::builder().scheme(server.scheme()).authority(server.address().authority().clone());
            *request.uri_mut() = uri.path_and_query(path).build().ok()?;
        }
        let status = held.send(request, None, None).await.ok()?.status().as_u16();
        Some((probe.statuses.0..=probe.statuses.1).contains(&status))
    };
    matches!(tokio::time::timeout(probe.timeout, asked).await, Ok(Some(true)))
}

//! The client beside the attack: pages and their assets in a loop, each answer checked and timed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use http::Request;
use rustls::ClientConfig;
use testkit::{http2, tls};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::site::{ASSETS, PAGES};

/// An answer that takes longer counts as lost.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two pages.
const PAUSE: Duration = Duration::from_millis(10);
/// All clients name the site alike, attackers as well: what is learned is learned of a site.
pub(crate) const ORIGIN: &str = "https://localhost";
/// Pages on one connection.
const VISITS: usize = 8;

#[derive(Debug, Default)]
pub(crate) struct Experience {
    pub(crate) times: Vec<Duration>,
    pub(crate) failures: Vec<String>,
}

impl Experience {
    /// The time in which 99 of 100 requests were answered in full.
    pub(crate) fn p99(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        times.get(times.len() * 99 / 100).or(times.last()).copied().unwrap_or_default()
    }
}

/// Visits pages until told to stop, on a thread of its own: what the attackers do to this process does not delay it.
pub(crate) fn start(
    address: SocketAddr,
    tls: Arc<ClientConfig>,
    stop: Arc<AtomicBool>,
) -> std::thread::JoinHandle<Experience> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut experience = Experience::default();
            while !stop.load(Ordering::Relaxed) {
                if let Err(error) = visits(address, &tls, &stop, &mut experience).await {
                    experience.failures.push(error);
                }
                sleep(PAUSE).await;
            }
            experience
        })
    })
}

/// Some visits on one connection; its opening counts as one more answer.
async fn visits(
    address: SocketAddr,
    tls: &Arc<ClientConfig>,
    stop: &AtomicBool,
    experience: &mut Experience,
) -> Result<(), String> {
    let began = Instant::now();
    let mut client = timeout(PATIENCE, connect(address, tls)).await.map_err(|_| "no connection in time")??;
    experience.times.push(began.elapsed());
    for visit in 0..VISITS {
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let page = PAGES[visit % PAGES.len()];
        experience.times.push(get(&mut client, page.path, page.bytes, None).await?);
        for asset in ASSETS {
            experience.times.push(get(&mut client, asset.path, asset.bytes, Some(page.path)).await?);
        }
        sleep(PAUSE).await;
    }
    Ok(())
}

pub(crate) async fn connect(address: SocketAddr, tls: &Arc<ClientConfig>) -> Result<SendRequest<Bytes>, String> {
    let tcp = TcpStream::connect(address).await.map_err(|error| format!("no connection: {error}"))?;
    tcp.set_nodelay(true).map_err(|error| error.to_string())?;
    let tls = tls::with_protocols(tls, &["h2"]);
    let io = tls::connect(&tls, "localhost", tcp).await.map_err(|error| format!("TLS: {error}"))?;
    let mut builder = h2::client::Builder::new();
    builder.enable_push(false).initial_window_size(1 << 20).initial_connection_window_size(4 << 20);
    let client = http2::Client::handshake(io, ORIGIN, &builder).await.map_err(|error| format!("handshake: {error}"))?;
    Ok(client.requests)
}

/// Asks for something of this size; `page` is where it was found.
pub(crate) async fn get(
    client: &mut SendRequest<Bytes>,
    path: &str,
    bytes: usize,
    page: Option<&str>,
) -> Result<Duration, String> {
    let began = Instant::now();
    let answer = timeout(PATIENCE, ask(client, path, page)).await;
    match answer {
        Ok(Ok((200, length))) if length == bytes => Ok(began.elapsed()),
        Ok(Ok((status, length))) => Err(format!("{path}: status {status}, {length} bytes of {bytes}")),
        Ok(Err(error)) => Err(format!("{path}: {error}")),
        Err(_) => Err(format!("{path}: no answer in time")),
    }
}

async fn ask(client: &mut SendRequest<Bytes>, path: &str, page: Option<&str>) -> Result<(u16, usize), h2::Error> {
    *client = client.clone().ready().await?;
    let request = Request::get(format!("{ORIGIN}{path}"));
    let request = match page {
        Some(page) => request.header("referer", format!("{ORIGIN}{page}")),
        None => request.header("sec-fetch-mode", "navigate").header("sec-fetch-dest", "document"),
    };
    let (response, _) = client.send_request(request.body(()).expect("a request"), true)?;
    let (head, mut body) = response.await?.into_parts();
    Ok((head.status.as_u16(), http2::read_length(&mut body).await?))
}

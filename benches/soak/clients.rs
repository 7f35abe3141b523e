//! The clients of a soak.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use h2::client::SendRequest;
use http::Request;
use rustls::ClientConfig;
use testkit::{http2, tls};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::attacks::honest;
use crate::attacks::site::{ASSETS, File, LARGE, PAGES};

/// An answer that takes longer counts as lost; slow readers take long by themselves.
const PATIENCE: Duration = Duration::from_secs(60);

/// Counts of requests and failures.
#[derive(Default)]
pub(crate) struct Tally {
    counts: BTreeMap<&'static str, u64>,
    pub(crate) failures: Vec<String>,
}

impl Tally {
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.counts.iter().map(|(what, count)| (*what, *count))
    }
}

#[derive(Clone)]
struct World {
    address: SocketAddr,
    tls: Arc<ClientConfig>,
    until: Instant,
    tally: Arc<Mutex<Tally>>,
}

impl World {
    fn count(&self, what: &'static str) {
        *self.tally.lock().expect("no panic under the lock").counts.entry(what).or_default() += 1;
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    async fn connect(&self, push: bool, window: u32) -> Result<SendRequest<Bytes>, String> {
        let tcp = TcpStream::connect(self.address).await.map_err(|error| format!("no connection: {error}"))?;
        let io = tls::connect(&self.tls, "localhost", tcp).await.map_err(|error| format!("TLS: {error}"))?;
        let mut builder = h2::client::Builder::new();
        builder.enable_push(push).initial_window_size(window).initial_connection_window_size(4 << 20);
        let client = http2::Client::handshake(io, honest::ORIGIN, &builder).await;
        let client = client.map_err(|error| format!("handshake: {error}"))?.requests;
        self.count("connections");
        Ok(client)
    }
}

/// Works until the time is up, on a thread of its own.
pub(crate) fn start(address: SocketAddr, tls: &Arc<ClientConfig>, lasting: Duration) -> JoinHandle<Tally> {
    let tls = tls::with_protocols(tls, &["h2"]);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let tally = Arc::default();
            let world = World { address, tls, until: Instant::now() + lasting, tally: Arc::clone(&tally) };
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..3 {
                tasks.spawn(again(world.clone(), visit));
                tasks.spawn(again(world.clone(), take_pushes));
                tasks.spawn(again(world.clone(), cancel));
                tasks.spawn(again(world.clone(), read_slowly));
                tasks.spawn(again(world.clone(), upload));
                tasks.spawn(again(world.clone(), reconnect));
            }
            while let Some(ended) = tasks.join_next().await {
                ended.expect("a client does not panic");
            }
            drop(world);
            Arc::try_unwrap(tally).ok().expect("all are done").into_inner().expect("no panic under the lock")
        })
    })
}

/// One round after another; each on a connection of its own.
async fn again<F>(world: World, round: fn(World) -> F)
where
    F: Future<Output = Result<(), String>>,
{
    while !world.is_over() {
        let ended = timeout(PATIENCE, round(world.clone())).await.unwrap_or_else(|_| Err("no answer in time".into()));
        if let Err(error) = ended {
            world.tally.lock().expect("no panic under the lock").failures.push(error);
            sleep(Duration::from_millis(100)).await;
        }
    }
}

/// A browser: a page, then its assets, ten times.
async fn visit(world: World) -> Result<(), String> {
    let mut client = world.connect(false, 1 << 20).await?;
    for n in 0..10 {
        let page = PAGES[n % PAGES.len()];
        honest::get(&mut client, page.path, page.bytes, None).await?;
        world.count("pages");
        for asset in ASSETS {
            honest::get(&mut client, asset.path, asset.bytes, Some(page.path)).await?;
            world.count("assets");
        }
    }
    Ok(())
}

/// A client that takes what is pushed, and asks for nothing else.
async fn take_pushes(world: World) -> Result<(), String> {
    let mut client = world.connect(true, 1 << 20).await?;
    for page in PAGES {
        client = client.ready().await.map_err(|error| error.to_string())?;
        let (mut response, _) = client.send_request(navigation(page), true).map_err(|e| e.to_string())?;
        let mut promises = response.push_promises();
        let body = response.await.map_err(|error| format!("{}: {error}", page.path))?.into_body();
        complete(body, page).await?;
        world.count("pages");
        while let Some(promise) = promises.push_promise().await {
            let (request, response) = promise.map_err(|error| error.to_string())?.into_parts();
            let path = request.uri().path().to_owned();
            let asset = ASSETS.iter().find(|asset| asset.path == path).ok_or(format!("{path} was pushed"))?;
            let body = response.await.map_err(|error| format!("{path}: {error}"))?.into_body();
            complete(body, *asset).await?;
            world.count("pushes");
        }
    }
    Ok(())
}

/// A client that leaves pages half loaded, no faster than a person might.
async fn cancel(world: World) -> Result<(), String> {
    let mut client = world.connect(true, 64 << 10).await?;
    for page in PAGES {
        client = client.ready().await.map_err(|error| error.to_string())?;
        let (mut response, mut stream) = client.send_request(navigation(page), true).map_err(|e| e.to_string())?;
        let mut promises = response.push_promises();
        if let Some(promise) = timeout(Duration::from_millis(100), promises.push_promise()).await.ok().flatten() {
            // Dropped, it is reset.
            drop(promise);
        }
        stream.send_reset(Reason::CANCEL);
        world.count("cancelled pages");
        sleep(Duration::from_millis(50)).await;
    }
    // The connection is as good as before.
    let page = PAGES[1];
    honest::get(&mut client, page.path, page.bytes, None).await.map(|_| ())
}

/// A large file through a small window.
async fn read_slowly(world: World) -> Result<(), String> {
    let mut client = world.connect(false, 64 << 10).await?;
    client = client.ready().await.map_err(|error| error.to_string())?;
    let (response, _) = client.send_request(navigation(LARGE), true).map_err(|error| error.to_string())?;
    let mut body = response.await.map_err(|error| error.to_string())?.into_body();
    let mut length = 0;
    while let Some(data) = body.data().await {
        let data = data.map_err(|error| format!("a slow download: {error}"))?;
        length += data.len();
        body.flow_control().release_capacity(data.len()).map_err(|error| error.to_string())?;
        sleep(Duration::from_millis(20)).await;
        if world.is_over() {
            return Ok(());
        }
    }
    world.count("slow downloads");
    if length == LARGE.bytes { Ok(()) } else { Err(format!("a slow download of {length} bytes")) }
}

/// Uploads, which a site of files refuses with a status, whatever becomes of their content.
async fn upload(world: World) -> Result<(), String> {
    let mut client = world.connect(false, 64 << 10).await?;
    for _ in 0..10 {
        client = client.ready().await.map_err(|error| error.to_string())?;
        let uri = format!("{}/upload", honest::ORIGIN);
        let request = Request::post(uri).body(()).map_err(|error| error.to_string())?;
        let (response, mut stream) = client.send_request(request, false).map_err(|error| error.to_string())?;
        // An upload may be cut short when the answer is there; the answer may not.
        let _ = stream.send_data(Bytes::from(vec![b'u'; 30_000]), true);
        let status = response.await.map_err(|error| format!("an upload: {error}"))?.status();
        if !status.is_client_error() {
            return Err(format!("an upload was answered with {status}"));
        }
        world.count("uploads");
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// One connection, one request.
async fn reconnect(world: World) -> Result<(), String> {
    let mut client = world.connect(false, 64 << 10).await?;
    let asset = ASSETS[7];
    honest::get(&mut client, asset.path, asset.bytes, None).await.map(|_| ())
}

fn navigation(file: File) -> Request<()> {
    let uri = format!("{}{}", honest::ORIGIN, file.path);
    let request = Request::get(uri).header("sec-fetch-mode", "navigate").header("sec-fetch-dest", "document");
    request.body(()).expect("a request")
}

async fn complete(mut body: h2::RecvStream, file: File) -> Result<(), String> {
    let mut length = 0;
    while let Some(data) = body.data().await {
        let data = data.map_err(|error| format!("{}: {error}", file.path))?;
        length += data.len();
        body.flow_control().release_capacity(data.len()).map_err(|error| error.to_string())?;
    }
    if length == file.bytes { Ok(()) } else { Err(format!("{}: {length} bytes of {}", file.path, file.bytes)) }
}

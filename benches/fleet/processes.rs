//! Real servers that learn through a real `redis-server`, each with ten views a second. One more has none: what it reads
//! and uses is for the fleet, and for being idle.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use headstart_benches::peers;
use http::Method;
use tempfile::TempDir;
use testkit::engine::Redis;
use testkit::http2::{Client, NAVIGATION, targets};
use testkit::tls::Certificate;
use testkit::{Program, http1};

use super::Measured;
use super::site::{Random, VIEWS, own, page};

/// Pages on disk.
const PAGES: usize = 300;
const WARM: Duration = Duration::from_secs(25);
const MEASURED: u64 = 40;
/// New pages, and how long they may take to be planned everywhere.
const NEW: usize = 3;
const PATIENCE: Duration = Duration::from_secs(60);

struct Server {
    program: Program,
    port: u16,
    admin: u16,
    tls: Arc<rustls::ClientConfig>,
}

pub(crate) fn measure(count: usize) -> Measured {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(run(count))
}

async fn run(count: usize) -> Measured {
    let redis = Redis::start(&[]);
    let directory = tempfile::tempdir().expect("a directory");
    write_site(directory.path());
    let certificate = Certificate::write(directory.path(), "shop", &["shop.example"]).der;
    let program = peers::headstart_program().expect("the program");
    let made = Command::new(&program).args(["fleet", "key", "new", "fleet.key"]).current_dir(directory.path()).status();
    assert!(made.expect("it runs").success());
    let start = |name: &str| Server::start(&program, &directory, &redis, &certificate, name);
    let servers: Vec<Arc<Server>> = (0..count).map(|at| Arc::new(start(&format!("web-{at}")))).collect();
    let listener = start("listener");
    let loads: Vec<_> =
        servers.iter().enumerate().map(|(at, server)| tokio::spawn(load(Arc::clone(server), at))).collect();
    tokio::time::sleep(WARM).await;
    let told = async || {
        let mut told = 0.0;
        for server in &servers {
            told += server.metric("headstart_fleet_bytes_total{direction=\"told\"}").await;
        }
        told
    };
    let (told_before, read_before) = (told().await, listener.metric(HEARD).await);
    let cpu_before = peers::cpu_time(listener.program.id());
    let mut lag = 0.0f64;
    let begin = Instant::now();
    for second in 1..=MEASURED {
        tokio::time::sleep((begin + Duration::from_secs(second)).saturating_duration_since(Instant::now())).await;
        if second % 5 == 0 {
            lag = lag.max(listener.metric("headstart_fleet_lag_seconds").await);
        }
    }
    let cpu = peers::cpu_time(listener.program.id()).saturating_sub(cpu_before);
    let seconds = begin.elapsed().as_secs_f64();
    let (told_after, read_after) = (told().await, listener.metric(HEARD).await);
    let everywhere = new_pages(&servers, &listener).await;
    loads.iter().for_each(tokio::task::JoinHandle::abort);
    Measured {
        servers: count,
        told: (told_after - told_before) / seconds / count as f64,
        read: (read_after - read_before) / seconds,
        cpu: 100.0 * cpu.as_secs_f64() / seconds,
        lag,
        everywhere,
    }
}

const HEARD: &str = "headstart_fleet_bytes_total{direction=\"heard\"}";

fn write_site(root: &Path) {
    let write = |path: &str, text: &str| {
        let file = root.join("site").join(path.trim_start_matches('/'));
        fs::create_dir_all(file.parent().expect("a directory")).expect("a directory");
        fs::write(file, text).expect("a file");
    };
    // The new ones are there from the start, and nobody asks for them.
    for number in (0..PAGES).chain(new()) {
        let (path, assets) = page(number);
        write(&format!("{path}index.html"), "<!doctype html><title>A page</title><p>Words.");
        for asset in &assets {
            write(asset, "an asset");
        }
    }
}

fn new() -> std::ops::Range<usize> {
    10 * PAGES..10 * PAGES + NEW
}

impl Server {
    fn start(program: &Path, directory: &TempDir, redis: &Redis, certificate: &[u8], name: &str) -> Self {
        let config = format!(
            r#"
            [[listen]]
            address = "127.0.0.1:0"
            [[site]]
            hosts = ["shop.example"]
            root = "site"
            [tls]
            cert = "shop.crt"
            key = "shop.key"
            [limits]
            trusted_proxies = ["127.0.0.1/32"]
            [markup]
            read = false
            [state]
            file = "{name}.state"
            [log]
            views = false
            [admin]
            listen = "127.0.0.1:0"
            [fleet]
            url = "{}"
            key_file = "fleet.key"
            name = "{name}"
            "#,
            redis.url()
        );
        let file = directory.path().join(format!("{name}.toml"));
        fs::write(&file, config).expect("a file");
        let mut command = Command::new(program);
        command.args(["serve", "--config"]).arg(&file).current_dir(directory.path()).stdin(Stdio::null());
        peers::without_settings(&mut command);
        let program = Program::start(&mut command);
        let (port, admin) = (program.port("https"), program.port("http"));
        Server { program, port, admin, tls: testkit::tls::client(&[certificate], &["h2"]) }
    }

    async fn client(&self) -> Client {
        let socket = tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.expect("it listens");
        socket.set_nodelay(true).expect("a socket");
        let socket = testkit::tls::connect(&self.tls, "shop.example", socket).await.expect("TLS");
        Client::handshake(socket, "https://shop.example", &h2::client::Builder::new()).await.expect("HTTP/2")
    }

    /// Navigates as a stranger of a network; whether an asset is hinted that only this page has.
    async fn navigate(&self, client: &mut Client, network: u32, number: usize) -> bool {
        let address = format!("10.{}.{}.1", (network >> 8) & 255, network & 255);
        let agent = format!("bench/{network}");
        let mut fields = NAVIGATION.to_vec();
        fields.extend([("x-forwarded-for", &*address), ("user-agent", &*agent)]);
        client.cookie = None;
        let reply = client.send(Method::GET, &page(number).0, &fields).await;
        let links = if reply.hints.is_empty() { reply.links() } else { reply.hints.concat() };
        targets(&links).iter().any(|target| target.starts_with(&own(number)))
    }

    /// A page view with all of its assets.
    async fn view(&self, client: &mut Client, network: u32, number: usize) {
        let (path, assets) = page(number);
        self.navigate(client, network, number).await;
        let address = format!("10.{}.{}.1", (network >> 8) & 255, network & 255);
        let (agent, referer) = (format!("bench/{network}"), format!("https://shop.example{path}"));
        for asset in assets {
            let destination = if asset.contains("css") { "style" } else { "script" };
            client.cookie = None;
            let fields = [
                ("x-forwarded-for", &*address),
                ("user-agent", &*agent),
                ("referer", &*referer),
                ("sec-fetch-dest", destination),
                ("sec-fetch-mode", "no-cors"),
                ("sec-fetch-site", "same-origin"),
                ("accept", "*/*"),
            ];
            client.send(Method::GET, &asset, &fields).await;
        }
    }

    async fn metric(&self, name: &str) -> f64 {
        let admin = format!("127.0.0.1:{}", self.admin);
        let text = tokio::task::spawn_blocking(move || http1::get(&*admin, "localhost", "/metrics", &[]).text());
        let text = text.await.expect("it ends");
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok()).unwrap_or_default()
    }
}

/// Ten views a second of one network after another.
async fn load(server: Arc<Server>, at: usize) {
    let mut random = Random::new(at as u64);
    let mut client = server.client().await;
    let begin = Instant::now();
    for view in 0u32.. {
        let due = begin + Duration::from_millis(1000 / VIEWS) * view;
        tokio::time::sleep(due.saturating_duration_since(Instant::now())).await;
        server.view(&mut client, ((at as u32) << 10) | (view % 1000), random.page(PAGES)).await;
    }
}

/// Seconds until every server hints pages that three networks have loaded at three of them.
async fn new_pages(servers: &[Arc<Server>], listener: &Server) -> Option<f64> {
    for number in new() {
        for network in 0..3usize {
            let server = &servers[(number + network) % servers.len()];
            server.view(&mut server.client().await, 60_000 + network as u32 * 256, number).await;
        }
    }
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        let mut everywhere = true;
        for server in servers.iter().map(|server| &**server).chain([listener]) {
            let mut client = server.client().await;
            for number in new() {
                everywhere &= server.navigate(&mut client, 65_000, number).await;
            }
        }
        if everywhere {
            return Some(begin.elapsed().as_secs_f64());
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    None
}

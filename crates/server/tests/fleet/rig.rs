//! Servers of one fleet, and clients of many networks.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Method;
use tempfile::TempDir;
use testkit::Program;
use testkit::http1;
use testkit::http2::{Client, NAVIGATION, targets};
use testkit::tls::Certificate;

/// What servers of a fleet have in common: a site, a certificate, a key.
pub(crate) struct Fleet {
    directory: TempDir,
    url: String,
    certificate: Vec<u8>,
}

/// A running server.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) program: Program,
    port: u16,
    admin: u16,
    tls: Arc<rustls::ClientConfig>,
}

/// A connection of a balancer, which asks for clients of many networks.
pub(crate) struct Balancer {
    client: Client,
}

impl Fleet {
    pub(crate) fn new(url: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let certificate = Certificate::write(directory.path(), "shop", &["shop.example"]).der;
        let fleet = Fleet { directory, url: url.to_owned(), certificate };
        fs::create_dir_all(fleet.path("site/sale")).expect("a directory");
        for page in ["index.html", "sale/index.html"] {
            fs::write(fleet.path("site").join(page), "<!doctype html><title>A page</title><p>Words.").expect("a page");
        }
        for asset in ["style.css", "sale.css", "app.js"] {
            fs::write(fleet.path("site").join(asset), "/* an asset */".repeat(40)).expect("an asset");
        }
        fleet.command(&["fleet", "key", "new", "fleet.key"]);
        fleet
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Adds a page and assets to the site.
    pub(crate) fn page(&self, page: &str, assets: &[&str]) {
        let directory = self.path(&format!("site{page}"));
        fs::create_dir_all(&directory).expect("a directory");
        fs::write(directory.join("index.html"), "<!doctype html><title>A page</title><p>Words.").expect("a page");
        for asset in assets {
            fs::write(self.path(&format!("site{asset}")), "/* an asset */".repeat(40)).expect("an asset");
        }
    }

    fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headstart"));
        command.env_clear().env("HOME", self.directory.path()).current_dir(self.directory.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end; all that it printed.
    pub(crate) fn command(&self, words: &[&str]) -> String {
        let output = self.program().args(words).output().expect("the program runs");
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    /// Starts a server of this name.
    pub(crate) fn server(&self, name: &str) -> Member {
        self.server_with(name, &[], &[])
    }

    /// Starts a server of this name that tells what it learns within a second.
    pub(crate) fn quick(&self, name: &str) -> Member {
        self.server_with(name, &["fleet.publish=1s"], &[])
    }

    /// Starts a server of this name with these settings, `KEY=VALUE`, and variables of the environment.
    pub(crate) fn server_with(&self, name: &str, settings: &[&str], environment: &[(&str, &str)]) -> Member {
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
            [learn]
            min_networks = 3
            holdout = 0
            [limits]
            trusted_proxies = ["127.0.0.1/32"]
            [markup]
            read = false
            [state]
            file = "{name}.state"
            interval = "1s"
            [log]
            views = false
            [admin]
            listen = "127.0.0.1:0"
            [fleet]
            url = "{}"
            key_file = "fleet.key"
            name = "{name}"
            "#,
            self.url
        );
        fs::write(self.path(&format!("{name}.toml")), config).expect("a file");
        let mut command = self.program();
        command.envs(environment.iter().copied()).args(["serve", "--config", &format!("{name}.toml")]);
        command.args(settings.iter().flat_map(|setting| ["--set", *setting]));
        let program = Program::start(&mut command);
        let port = program.port("https");
        let admin = program.port("http");
        Member { name: name.to_owned(), program, port, admin, tls: testkit::tls::client(&[&self.certificate], &["h2"]) }
    }
}

impl Member {
    pub(crate) async fn client(&self) -> Balancer {
        let socket = tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.expect("it listens");
        socket.set_nodelay(true).expect("a socket");
        let socket = testkit::tls::connect(&self.tls, "shop.example", socket).await.expect("TLS");
        let settings = h2::client::Builder::new();
        let client = Client::handshake(socket, "https://shop.example", &settings).await.expect("HTTP/2");
        Balancer { client }
    }

    /// A visit of a stranger: the page and its assets.
    pub(crate) async fn visit(&self, network: u64, page: &str, assets: &[&str]) {
        let mut client = self.client().await;
        client.navigate(network, page).await;
        for asset in assets {
            client.fetch_from(network, asset, page).await;
        }
    }

    /// What a stranger of this network is hinted with a page.
    pub(crate) async fn hinted(&self, network: u64, page: &str) -> Vec<String> {
        self.client().await.navigate(network, page).await
    }

    /// A metric that is a whole number; 0 if there is none.
    pub(crate) async fn counter(&self, name: &str) -> u64 {
        let text = self.admin("/metrics").await;
        let line = text.lines().find(|line| line.starts_with(name) && line.as_bytes().get(name.len()) == Some(&b' '));
        let value = line.and_then(|line| line.rsplit_once(' ')).and_then(|(_, value)| value.parse::<f64>().ok());
        value.unwrap_or_default() as u64
    }

    /// The visits of a page that were learned.
    pub(crate) async fn state_visits(&self, page: &str) -> u64 {
        let found = self.in_state(page).await;
        found["visits"].as_u64().unwrap_or_else(|| panic!("no visits in {found}"))
    }

    /// The decayed number of visits of a page.
    pub(crate) async fn weight(&self, page: &str) -> f64 {
        let found = self.in_state(page).await;
        found["weight"].as_f64().unwrap_or_else(|| panic!("no weight in {found}"))
    }

    async fn in_state(&self, page: &str) -> serde_json::Value {
        let json: serde_json::Value = serde_json::from_str(&self.admin("/state").await).expect("JSON");
        let found = json["pages"].as_array().and_then(|pages| pages.iter().find(|found| found["path"] == page));
        found.unwrap_or_else(|| panic!("no {page} in {json}")).clone()
    }

    async fn admin(&self, path: &'static str) -> String {
        let address = format!("127.0.0.1:{}", self.admin);
        tokio::task::spawn_blocking(move || http1::get(&*address, "localhost", path, &[]).text())
            .await
            .expect("it ends")
    }

    /// Tells it to stop and waits for its end.
    pub(crate) fn stop(self) {
        self.program.signal("TERM");
        let (status, printed) = self.program.wait();
        assert!(status.success(), "{printed}");
    }
}

impl Member {
    /// Visits of others that were learned so far.
    pub(crate) async fn heard(&self) -> u64 {
        self.counter("headstart_fleet_visits_total{outcome=\"learned\"}").await
    }

    /// Its lines with this in them.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.program.lines().iter().filter(|line| line.contains(part)).count()
    }

    /// Asks for a page so many times in a row; how long the slowest of a hundred took.
    pub(crate) async fn slowest(&self, requests: usize) -> Duration {
        let mut client = self.client().await;
        let mut times = Vec::new();
        for _ in 0..requests {
            let start = Instant::now();
            client.navigate(9, "/").await;
            times.push(start.elapsed());
        }
        times.sort_unstable();
        times[(times.len() * 99).div_ceil(100) - 1]
    }
}

impl Balancer {
    /// A navigation; the targets of what is hinted, in a 103 or with the page.
    pub(crate) async fn navigate(&mut self, network: u64, page: &str) -> Vec<String> {
        let address = format!("10.{network}.0.1");
        let mut fields = NAVIGATION.to_vec();
        fields.push(("x-forwarded-for", &address));
        let agent = format!("test/{network}");
        fields.push(("user-agent", &agent));
        let reply = self.client.send(Method::GET, page, &fields).await;
        let links = if reply.hints.is_empty() { reply.links() } else { reply.hints.concat() };
        targets(&links).into_iter().map(str::to_owned).collect()
    }

    /// Fetches an asset, as of a page that was navigated to before; `asset` is false for the page itself.
    pub(crate) async fn fetch(&mut self, network: u64, path: &str, asset: bool) {
        if asset {
            self.fetch_from(network, path, "/").await;
        } else {
            self.navigate(network, path).await;
        }
    }

    pub(crate) async fn fetch_from(&mut self, network: u64, path: &str, page: &str) {
        let (address, agent) = (format!("10.{network}.0.1"), format!("test/{network}"));
        let referer = format!("https://shop.example{page}");
        let destination = if path.contains("css") { "style" } else { "script" };
        let fields = [
            ("x-forwarded-for", &*address),
            ("user-agent", &*agent),
            ("referer", &*referer),
            ("sec-fetch-dest", destination),
            ("sec-fetch-mode", "no-cors"),
            ("sec-fetch-site", "same-origin"),
            ("accept", "*/*"),
        ];
        self.client.send(Method::GET, path, &fields).await;
    }

    pub(crate) fn cookie(&self) -> Option<String> {
        self.client.cookie.clone()
    }

    pub(crate) fn set_cookie(&mut self, cookie: &str) {
        self.client.cookie = Some(cookie.to_owned());
    }
}

/// Waits until something holds.
#[track_caller]
pub(crate) fn until(
    what: &'static str,
    patience: Duration,
    mut holds: impl AsyncFnMut() -> bool,
) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let end = Instant::now() + patience;
        while !holds().await {
            assert!(Instant::now() < end, "within {patience:?}: {what} ({caller})");
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}

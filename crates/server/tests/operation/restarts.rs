//! Restarts and reloads while clients ask: no response on an accepted stream is lost.
//!
//! A few of each by default; `HEADSTART_RESTARTS=200` makes as many.

use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use super::client::{Client, Connection};
use super::rig::{Files, Program};
use super::systemd::activated;

/// Counts of the requests of all clients, by outcome.
#[derive(Default)]
struct Tally {
    whole: AtomicU64,
    /// Not accepted, as the server said: safe to ask again (RFC 9113, section 8.7).
    refused: AtomicU64,
    /// Not answered whole, and nothing said: accepted or not is for the server's access log to tell.
    lost: AtomicU64,
    connections: AtomicU64,
    over: AtomicBool,
}

/// How often each thing is done.
fn times(few: usize) -> usize {
    std::env::var("HEADSTART_RESTARTS").ok().and_then(|text| text.parse().ok()).unwrap_or(few)
}

fn site(files: &Files) -> Vec<u8> {
    files.write("s/index.html", "x".repeat(30_000));
    files.write("s/large.bin", "y".repeat(300_000));
    files.certify("a", "localhost")
}

/// A client that keeps eight requests under way, on one connection after another.
async fn ask(client: Client, port: u16, tally: Arc<Tally>) {
    while !tally.over.load(Ordering::Relaxed) {
        // Whoever is not let in has been promised nothing.
        let Ok(connection) = client.connect(port, "localhost").await else {
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        tally.connections.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new(connection);
        let mut lanes = JoinSet::new();
        for lane in 0..8 {
            lanes.spawn(ask_one_by_one(Arc::clone(&connection), lane, Arc::clone(&tally)));
        }
        while lanes.join_next().await.is_some() {}
    }
}

/// Until the connection takes no more.
async fn ask_one_by_one(connection: Arc<Connection>, lane: usize, tally: Arc<Tally>) {
    let (path, length) = if lane.is_multiple_of(4) { ("/large.bin", 300_000) } else { ("/", 30_000) };
    while !tally.over.load(Ordering::Relaxed) {
        // One that cannot be sent any more was not accepted.
        if connection.requests.clone().ready().await.is_err() {
            return;
        }
        match connection.get("localhost", path).await {
            Ok((status, body)) if status == 200 && body.len() == length => {
                tally.whole.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) if is_refused(&error) => {
                tally.refused.fetch_add(1, Ordering::Relaxed);
                return;
            }
            other => {
                let other = other.map(|(status, body)| (status, body.len()));
                println!("lost: {path}: {other:?}");
                tally.lost.fetch_add(1, Ordering::Relaxed);
                return;
            }
        }
    }
}

/// Whether the server said that it has not looked at the request: a GOAWAY with a smaller last stream, or REFUSED_STREAM.
fn is_refused(error: &h2::Error) -> bool {
    error.reason() == Some(h2::Reason::REFUSED_STREAM)
        || (error.is_go_away() && error.is_remote() && error.reason() == Some(h2::Reason::NO_ERROR))
}

struct Load {
    tally: Arc<Tally>,
    clients: JoinSet<()>,
}

impl Load {
    fn start(cert: &[u8], port: u16) -> Self {
        let tally = Arc::<Tally>::default();
        let mut clients = JoinSet::new();
        for _ in 0..4 {
            clients.spawn(ask(Client::new(&[cert]), port, Arc::clone(&tally)));
        }
        Self { tally, clients }
    }

    /// Waits for so many more responses, so that whatever happens happens under load.
    async fn more(&self, count: u64) {
        let enough = self.tally.whole.load(Ordering::Relaxed) + count;
        while self.tally.whole.load(Ordering::Relaxed) < enough {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Returns how many responses came whole, and how many did not without a word that it is safe to repeat.
    async fn finish(mut self, what: &str) -> (u64, u64) {
        self.tally.over.store(true, Ordering::Relaxed);
        while self.clients.join_next().await.is_some() {}
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Tally { whole, refused, lost, connections, .. } = &*self.tally;
        println!(
            "{what}: {} whole, {} refused and safe to repeat, {} lost, on {} connections",
            count(whole),
            count(refused),
            count(lost),
            count(connections)
        );
        (count(whole), count(lost))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarts_lose_no_response() {
    let files = Files::new();
    let cert = site(&files);
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let words = "serve s --cert a.crt --key a.key --set log.views=false --access-log access.log \
                 --set limits.max_connections_per_address=1000";
    let start = || Program::start(&mut activated(&files, &socket, words));
    let mut program = start();
    program.port("https");
    let load = Load::start(&cert, port);
    let restarts = times(6);
    for _ in 0..restarts {
        load.more(40).await;
        program.signal("TERM");
        let (status, printed) = tokio::task::spawn_blocking(move || program.wait()).await.unwrap();
        assert!(status.success(), "{printed}");
        program = start();
    }
    load.more(40).await;
    let (whole, _) = load.finish(&format!("{restarts} restarts")).await;
    program.signal("TERM");
    let (status, printed) = tokio::task::spawn_blocking(move || program.wait()).await.unwrap();
    assert!(status.success(), "{printed}");
    // A client that is told of the end while it asks cannot always tell what became of that: the log has a line for
    // each stream that the server accepted, and every one of them was answered whole.
    let log = std::fs::read_to_string(files.path("access.log")).unwrap();
    let cut = log.lines().filter(|line| !line.contains("\" 200 30000 ") && !line.contains("\" 200 300000 "));
    let cut: Vec<_> = cut.collect();
    assert_eq!(log.lines().count() as u64, whole, "{cut:#?}: streams that were accepted, and whole responses");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reloads_lose_no_response() {
    let files = Files::new();
    let cert = site(&files);
    let config = |times: usize| {
        // Another listener with each, another set of sites, another rule, new certificates.
        let more = if times.is_multiple_of(2) { ", \"127.0.0.1:0\"" } else { "" };
        let site = if times.is_multiple_of(3) { "[[site]]\nhosts = [\"other.example\"]\nroot = \"s\"\n" } else { "" };
        format!(
            "listen = [\"127.0.0.1:0\"{more}]\n[tls]\ncert = \"a.crt\"\nkey = \"a.key\"\n[log]\nviews = false\n[limits]\n\
             max_connections_per_address = 1000\n[[rule]]\naction = \"never\"\nassets = \"/{times}/**\"\n{site}\
             [[site]]\nroot = \"s\"\nmemory = {}\n",
            1_000_000 + times
        )
    };
    files.write("x.toml", config(1));
    let program = Program::start(files.program().args(["--config", "x.toml"]));
    let port = program.port("https");
    let load = Load::start(&cert, port);
    let h2load = h2load(port);
    let reloads = times(20);
    for number in 0..reloads {
        load.more(20).await;
        files.write("x.toml", config(number));
        assert!(program.reload().starts_with("reloaded"), "{}", program.printed());
    }
    let (_, lost) = load.finish(&format!("{reloads} reloads")).await;
    assert_eq!(lost, 0);
    if let Some(child) = h2load {
        let output = tokio::task::spawn_blocking(move || child.wait_with_output()).await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = said.lines().find(|line| line.starts_with("requests:")).unwrap_or(&said).to_owned();
        assert!(line.contains("0 failed, 0 errored, 0 timeout"), "{line}");
    }
}

/// A client of another hand, on its own connections all the while.
fn h2load(port: u16) -> Option<std::process::Child> {
    let mut command = Command::new("h2load");
    command.args(["-n", "3000", "-c", "4", "-m", "8", &format!("https://127.0.0.1:{port}/")]);
    command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
    match command.spawn() {
        Ok(child) => Some(child),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "h2load is needed: {error}");
            println!("skipped: h2load is not installed");
            None
        }
    }
}

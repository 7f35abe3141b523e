//! One run of h2load against one server.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::child::Child;
use crate::server::{ASSETS, Size};

/// Connections and streams on each; 40 requests are open at any time.
const CLIENTS: usize = 4;
const STREAMS: usize = 10;

/// The result of one run.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    pub(crate) requests_per_second: f64,
    /// Time from a request to the end of its response that 99 in 100 did not exceed.
    pub(crate) p99: Duration,
    /// CPU time of the server for a request.
    pub(crate) cpu: Duration,
}

/// The requests of a run, and their number.
pub(crate) struct Load<'a> {
    size: Size,
    /// A page with its assets, asked for with a cookie and a Referer, instead of one resource without either.
    cookie: Option<&'a str>,
    requests: usize,
}

/// Whether h2load can be run.
pub(crate) fn is_there() -> bool {
    Command::new("h2load").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

impl<'a> Load<'a> {
    /// A short one, to begin with.
    pub(crate) fn new(size: Size, cookie: Option<&'a String>) -> Self {
        let requests = if size.bytes < 10_000 { 2_000 } else { 200 };
        Load { size, cookie: cookie.map(String::as_str), requests }
    }

    /// As many requests as take the slower of two about that long.
    pub(crate) fn lasting(mut self, seconds: f64, one: &Run, other: &Run) -> Self {
        let rate = one.requests_per_second.min(other.requests_per_second);
        self.requests = ((rate * seconds) as usize).clamp(200, 400_000);
        self
    }

    /// # Panics
    ///
    /// If a request failed or a byte of a body is missing.
    pub(crate) fn run(&self, server: &Child) -> Run {
        let log = tempfile::NamedTempFile::new().expect("a file for the log");
        let scheme = if server.tls { "https" } else { "http" };
        let base = format!("{scheme}://127.0.0.1:{}/{}", server.port, self.size.bytes);
        let mut command = Command::new("h2load");
        command.args([format!("--clients={CLIENTS}"), format!("--max-concurrent-streams={STREAMS}")]);
        command.arg(format!("--requests={}", self.requests)).arg("--log-file").arg(log.path());
        match self.cookie {
            None => {
                command.arg(&base);
            }
            Some(cookie) => {
                let page = format!("{base}/page.html");
                command.args(["--header", &format!("cookie: {cookie}"), "--header", &format!("referer: {page}")]);
                command.arg(page).args(ASSETS.map(|(name, _)| format!("{base}/{name}")));
            }
        }
        let before = server.cpu();
        let output = command.output().expect("h2load runs");
        let cpu = server.cpu().saturating_sub(before);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "h2load failed: {said}");
        let wanted = format!("{0} done, {0} succeeded, 0 failed, 0 errored, 0 timeout", self.requests);
        assert!(said.contains(&wanted), "not every request succeeded: {said}");
        assert!(said.contains(&format!("status codes: {} 2xx", self.requests)), "not every status is 200: {said}");
        let bytes = self.requests * self.size.bytes;
        assert!(said.contains(&format!("({bytes}) data")), "not {bytes} bytes of bodies: {said}");
        Run {
            requests_per_second: rate(&said),
            p99: p99(&std::fs::read_to_string(log.path()).expect("h2load's log")),
            cpu: cpu / self.requests as u32,
        }
    }
}

/// `finished in 1.01s, 48234.10 req/s, 5.21MB/s`.
fn rate(said: &str) -> f64 {
    let rest = said.split_once("finished in ").and_then(|(_, rest)| rest.split_once(", "));
    let rate = rest.and_then(|(_, rest)| rest.split_once(" req/s")).and_then(|(rate, _)| rate.parse().ok());
    rate.unwrap_or_else(|| panic!("h2load named no rate: {said}"))
}

/// Of the third column of the log: microseconds to the end of the response.
fn p99(log: &str) -> Duration {
    let mut micros: Vec<u64> =
        log.lines().filter_map(|line| line.split('\t').nth(2)).map(|micros| micros.parse().expect("a time")).collect();
    let at = micros.len() * 99 / 100;
    let (_, p99, _) = micros.select_nth_unstable(at);
    Duration::from_micros(*p99)
}

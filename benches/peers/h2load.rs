//! One client for all servers: `h2load` of the nghttp2 project.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::{Error, Running, find_on_path};

/// A way to ask for one URL many times over HTTP/2.
#[derive(Debug, Clone)]
pub struct H2load {
    program: PathBuf,
    /// Requests in all.
    pub requests: u64,
    /// Connections.
    pub clients: u64,
    /// Requests under way on each connection.
    pub streams: u64,
    /// Further words for it, such as `-H` and a header.
    pub extra: Vec<String>,
}

/// The result of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Requests a second, as the client saw them.
    pub per_second: f64,
    /// Processor time of the server for one request.
    pub server_cpu: Duration,
    /// The time in which 99 of 100 requests were answered in full; only after [`H2load::run_timed`].
    pub p99: Option<Duration>,
    /// Bytes of body for one request.
    pub body_bytes: u64,
}

impl H2load {
    /// With 100,000 requests, 10 connections of 32 requests each.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] if it is not installed.
    pub fn new() -> Result<Self, Error> {
        let program = find_on_path("h2load").ok_or(Error::Missing("h2load (Debian package nghttp2-client)"))?;
        Ok(Self { program, requests: 100_000, clients: 10, streams: 32, extra: Vec::new() })
    }

    /// Asks for a path. Every request must succeed.
    ///
    /// # Errors
    ///
    /// If one does not, or `h2load` does not say what it measured.
    pub fn run(&self, server: &Running, path: &str) -> Result<Load, Error> {
        self.measure(server, path, &[])
    }

    /// The same, with the time of each request in a file: p99 is known then, and the client does more.
    ///
    /// # Errors
    ///
    /// As for [`H2load::run`], and if the file cannot be read.
    pub fn run_timed(&self, server: &Running, path: &str) -> Result<Load, Error> {
        let file = tempfile::NamedTempFile::new()?;
        let mut load = self.measure(server, path, &[format!("--log-file={}", file.path().display())])?;
        let text = fs::read_to_string(file.path())?;
        let mut times: Vec<u64> = text.lines().filter_map(|line| line.split('\t').nth(2)?.parse().ok()).collect();
        times.sort_unstable();
        let at = times.len().saturating_sub(1) * 99 / 100;
        load.p99 = times.get(at).copied().map(Duration::from_micros);
        Ok(load)
    }

    fn measure(&self, server: &Running, path: &str, words: &[String]) -> Result<Load, Error> {
        let before = server.cpu_time();
        let output = Command::new(&self.program)
            .args([format!("-n{}", self.requests), format!("-c{}", self.clients), format!("-m{}", self.streams)])
            // One cipher for all, whatever each server would rather have.
            .args(["-t1", "--tls13-ciphers=TLS_AES_128_GCM_SHA256"])
            .args(&self.extra)
            .args(words)
            .arg(server.url(path))
            .output()?;
        let used = server.cpu_time().saturating_sub(before);
        let text = String::from_utf8_lossy(&output.stdout);
        let failed = |why: &str| {
            let errors = String::from_utf8_lossy(&output.stderr);
            Error::Failed(format!(
                "{} asked by h2load for {path}: {why}\n{text}{errors}{}",
                server.name(),
                server.said()
            ))
        };
        let summary = Summary::read(&text).ok_or_else(|| failed("no summary"))?;
        if summary.succeeded != self.requests || summary.ok_status != self.requests {
            return Err(failed("requests failed"));
        }
        Ok(Load {
            per_second: summary.per_second,
            server_cpu: used.div_f64(self.requests as f64),
            p99: None,
            body_bytes: summary.body_bytes / self.requests.max(1),
        })
    }
}

#[derive(Debug, PartialEq)]
struct Summary {
    per_second: f64,
    succeeded: u64,
    ok_status: u64,
    body_bytes: u64,
}

impl Summary {
    fn read(text: &str) -> Option<Self> {
        let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        let before = |line: &str, word: &str| -> Option<f64> {
            let at = line.find(word)?;
            let number = line.get(..at)?.trim_end().rsplit([' ', '(']).next()?;
            number.parse().ok()
        };
        let body = line("traffic:")?;
        Some(Self {
            per_second: before(line("finished in")?, "req/s")?,
            succeeded: before(line("requests:")?, "succeeded")? as u64,
            ok_status: before(line("status codes:")?, "2xx")? as u64,
            body_bytes: before(body, ") data")? as u64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_read() {
        let text = "finished in 1.02s, 97987.08 req/s, 94.52MB/s\n\
            requests: 100000 total, 100000 started, 100000 done, 99998 succeeded, 2 failed, 2 errored, 0 timeout\n\
            status codes: 99997 2xx, 1 3xx, 0 4xx, 0 5xx\n\
            traffic: 96.46MB (101145714) total, 5.05MB (5295000) headers (space savings 38.27%), 90.20MB (94580000) data\n";
        let expected = Summary { per_second: 97987.08, succeeded: 99998, ok_status: 99997, body_bytes: 94_580_000 };
        assert_eq!(Summary::read(text), Some(expected));
        assert_eq!(Summary::read("finished in"), None);
    }
}

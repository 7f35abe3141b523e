//! A server that runs, until it is dropped.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::process;

/// How long a server may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// A started server. Dropping it stops it: a request to end first, then force.
#[derive(Debug)]
pub struct Running {
    name: &'static str,
    child: Child,
    address: SocketAddr,
    /// Configuration and what the server said.
    scratch: TempDir,
}

impl Running {
    /// Waits until the server takes connections.
    pub(super) fn wait(
        name: &'static str,
        child: Child,
        address: SocketAddr,
        scratch: TempDir,
        probe: bool,
    ) -> Result<Self, String> {
        let mut this = Self { name, child, address, scratch };
        let begin = Instant::now();
        loop {
            if let Ok(Some(status)) = this.child.try_wait() {
                return Err(format!("{name} ended at once ({status}): {}", this.said()));
            }
            if !probe || TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok() {
                return Ok(this);
            }
            if begin.elapsed() > PATIENCE {
                return Err(format!("{name} does not listen on {address}: {}", this.said()));
            }
            sleep(Duration::from_millis(10));
        }
    }

    /// The server's name in tables.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The server's address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path on it, by the host name of the certificate.
    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address.port())
    }

    /// Its first process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Processor time of all its processes since they began.
    pub fn cpu_time(&self) -> Duration {
        process::cpu_time(self.pid())
    }

    /// Memory of all its processes in bytes; see [`process::pss_bytes`].
    pub fn pss_bytes(&self) -> u64 {
        process::pss_bytes(self.pid())
    }

    /// Its scratch directory.
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// The end of what it wrote to its standard streams and to its error log.
    pub fn said(&self) -> String {
        let read = |name| std::fs::read(self.scratch.path().join(name)).unwrap_or_default();
        let text =
            ["output", "error.log"].map(|name| String::from_utf8_lossy(&read(name)).trim().to_owned()).join("\n");
        let start = text.len().saturating_sub(2000);
        text.get(start..).unwrap_or(&text).trim().to_owned()
    }
}

impl Running {
    /// Stops it at once: what it would still do for its clients is of no interest.
    pub fn kill(mut self) {
        self.stop(Duration::ZERO);
    }

    /// Asks it to end, and makes it after a while.
    fn stop(&mut self, patience: Duration) {
        let family = process::family(self.pid());
        let signal = |pid: u32, signal| {
            if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
                // It may have ended already.
                let _ = kill_process(pid, signal);
            }
        };
        if matches!(self.child.try_wait(), Ok(None)) {
            signal(self.pid(), Signal::TERM);
            let begin = Instant::now();
            while matches!(self.child.try_wait(), Ok(None)) && begin.elapsed() < patience {
                sleep(Duration::from_millis(10));
            }
            if matches!(self.child.try_wait(), Ok(None)) {
                for pid in family {
                    signal(pid, Signal::KILL);
                }
            }
        }
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop(Duration::from_secs(2));
    }
}

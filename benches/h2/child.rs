//! A server process under load, and what it costs.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A server that ends with this value.
pub(crate) struct Child {
    process: std::process::Child,
    pub(crate) port: u16,
    pub(crate) tls: bool,
}

impl Child {
    /// This program as a server.
    pub(crate) fn ours(which: &str, tls: bool, threads: usize) -> Self {
        let program = std::env::current_exe().expect("the path of this program");
        let transport = if tls { "tls" } else { "cleartext" };
        let mut process = Command::new(program)
            .args(["serve", which, transport, &threads.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a server starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let port = line.trim().parse().unwrap_or_else(|_| panic!("{which} did not start"));
        Child { process, port, tls }
    }

    /// Another program that listens on this port once it has started.
    pub(crate) fn other(command: &mut Command, port: u16) -> Option<Self> {
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let child = Child { process, port, tls: false };
        for _ in 0..100 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(child);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{command:?} does not listen on port {port}");
    }

    /// Time that its threads have spent on a processor. `schedstat` counts nanoseconds where `stat` counts ticks of ten
    /// milliseconds.
    pub(crate) fn cpu(&self) -> Duration {
        let tasks = format!("/proc/{}/task", self.process.id());
        let spent = |task: std::fs::DirEntry| -> Option<u64> {
            let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
            text.split_ascii_whitespace().next()?.parse().ok()
        };
        let tasks = std::fs::read_dir(&tasks).unwrap_or_else(|error| panic!("{tasks}: {error}"));
        let nanos: u64 = tasks.flatten().filter_map(spent).sum();
        assert!(nanos > 0, "the kernel keeps no schedstat: no figures of CPU time");
        Duration::from_nanos(nanos)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

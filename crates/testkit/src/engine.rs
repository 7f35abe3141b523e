//! A real Redis server beside a test.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running `redis-server` of its own. Killed when dropped.
#[derive(Debug)]
pub struct Redis {
    child: Child,
    /// Its port on 127.0.0.1.
    pub port: u16,
    arguments: Vec<String>,
    directory: tempfile::TempDir,
}

impl Redis {
    /// Starts one on a free port, with further arguments.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        // A node of a cluster takes the port 10,000 above its own as well.
        let port = std::iter::repeat_with(free_port).find(|port| *port < 55_000).expect("endless");
        let child = spawn(port, &arguments, directory.path());
        let redis = Redis { child, port, arguments, directory };
        redis.wait();
        redis
    }

    /// Starts a process of the same program that is not told how to store anything: a sentinel.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn sentinel(master: &Redis, name: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let port = free_port();
        let file = directory.path().join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor {name} 127.0.0.1 {} 1\nsentinel down-after-milliseconds {name} 1000\n\
             sentinel failover-timeout {name} 5000\n",
            master.port
        );
        std::fs::write(&file, text).expect("a file");
        let child = Command::new("redis-server")
            .arg(&file)
            .arg("--sentinel")
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server starts");
        let redis = Redis { child, port, arguments: Vec::new(), directory };
        redis.wait();
        redis
    }

    /// Starts a cluster: three masters, each with a replica, that notice within seconds when one is lost.
    ///
    /// # Panics
    ///
    /// If they do not come to be one.
    pub fn cluster() -> Vec<Self> {
        let node = |_| Redis::start(&["--cluster-enabled", "yes", "--cluster-node-timeout", "1500"]);
        let nodes: Vec<Redis> = (0..6).map(node).collect();
        let mut create = Command::new("redis-cli");
        create.args(["--cluster", "create"]);
        create.args(nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)));
        create.args(["--cluster-replicas", "1", "--cluster-yes"]);
        let made = create.stdin(Stdio::null()).output().expect("redis-cli runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
        let until = Instant::now() + Duration::from_secs(30);
        while !nodes.iter().all(|node| node.cli(&["CLUSTER", "INFO"]).contains("cluster_state:ok")) {
            assert!(Instant::now() < until, "the cluster does not come to be");
            std::thread::sleep(Duration::from_millis(100));
        }
        nodes
    }

    /// A number of its `INFO`, by name; 0 if there is none of that name.
    ///
    /// # Panics
    ///
    /// If `redis-cli` is not installed.
    pub fn info(&self, name: &str) -> f64 {
        let text = self.cli(&["INFO", "ALL"]);
        let line = text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|value| value.parse().ok()).unwrap_or_default()
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Runs `redis-cli` with these words and returns what it printed.
    ///
    /// # Panics
    ///
    /// If it is not installed.
    pub fn cli(&self, words: &[&str]) -> String {
        let port = self.port.to_string();
        let output = Command::new("redis-cli").args(["-p", &port]).args(words).output().expect("redis-cli runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Sends a signal to it: `STOP`, `CONT`.
    ///
    /// # Panics
    ///
    /// If it is gone.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill runs").success());
    }

    /// Kills it.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it on the same port, with nothing in it.
    pub fn restart(&mut self) {
        self.kill();
        self.child = spawn(self.port, &self.arguments, self.directory.path());
        self.wait();
    }

    fn wait(&self) {
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < until, "redis-server does not listen on port {}", self.port);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // One that was frozen cannot end.
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-CONT", &pid]).stderr(Stdio::null()).status();
        self.kill();
    }
}

fn spawn(port: u16, arguments: &[String], directory: &Path) -> Child {
    let port = port.to_string();
    Command::new("redis-server")
        .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server starts")
}

/// A port that nobody listens on.
///
/// # Panics
///
/// If there is none.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

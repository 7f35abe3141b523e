//! The program in a box: its own site, state and certificate, a free port, and its lines read.

use super::certificate::Certificate;
use super::site::Site;
use std::cell::Cell;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a visit stays open in most tests, in seconds.
const WINDOW: u64 = 2;

/// How long anything may take before a test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What outlives one run of the program: the state, the certificate, the port. Sites are told apart
/// by authority, port included.
pub(crate) struct Home {
    dir: TempDir,
    certificate: Certificate,
    /// 0 until the first start was given a free one.
    port: Cell<u16>,
}

impl Home {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let certificate = Certificate::write(dir.path());
        Self { dir, certificate, port: Cell::new(0) }
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }
}

/// A running program. Killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    pub(crate) cert: PathBuf,
    pub(crate) spki: String,
    window: Duration,
    lines: Arc<Lines>,
}

impl Server {
    /// Starts the program with a short window and nobody held out, unless `options` says otherwise.
    /// Each option has a value.
    pub(crate) fn start(site: &Site, home: &Home, options: &[&str]) -> Self {
        Self::run(&["serve".as_ref(), site.dir().as_os_str()], home, options)
    }

    /// The same in front of an upstream.
    pub(crate) fn start_proxy(upstream: &str, home: &Home, options: &[&str]) -> Self {
        Self::run(&["proxy".as_ref(), upstream.as_ref()], home, options)
    }

    fn run(words: &[&OsStr], home: &Home, options: &[&str]) -> Self {
        let given = |name| options.iter().skip_while(|option| **option != name).nth(1);
        let window = given("--window").map_or(WINDOW, |seconds| seconds.parse().expect("whole seconds"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_headstart"));
        command.args(words);
        command.args(["--listen", &format!("127.0.0.1:{}", home.port.get())]);
        command.args(["--window", &window.to_string()]);
        command.arg("--state-dir").arg(home.state());
        command.arg("--cert").arg(&home.certificate.cert);
        command.arg("--key").arg(&home.certificate.key);
        if given("--holdout").is_none() {
            command.args(["--holdout", "0"]);
        }
        let others = options.chunks(2).filter(|pair| pair[0] != "--window").flatten();
        command.args(others).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let lines = Arc::new(Lines::default());
        Lines::follow(&lines, child.stdout.take().expect("its output"));
        Lines::follow(&lines, child.stderr.take().expect("its errors"));
        let line = lines.wait(PATIENCE, |line| port_in(line).is_some());
        let Some(port) = line.as_deref().and_then(port_in) else {
            panic!("no line with the address in:\n{}", lines.all().join("\n"));
        };
        home.port.set(port);
        Self {
            child,
            port,
            cert: home.certificate.cert.clone(),
            spki: home.certificate.spki.clone(),
            window: Duration::from_secs(window),
            lines,
        }
    }

    pub(crate) fn origin(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    /// Everything it has printed so far.
    pub(crate) fn printed(&self) -> Vec<String> {
        self.lines.all()
    }

    /// Waits for a line and returns it.
    pub(crate) fn line(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let found = self.lines.wait(PATIENCE, wanted);
        found.unwrap_or_else(|| panic!("no line {what} in:\n{}", self.printed().join("\n")))
    }

    /// Lets the open visits end, so that they are learned.
    pub(crate) fn let_visits_end(&self) {
        std::thread::sleep(self.window + Duration::from_millis(500));
    }

    /// `kill -9`: no chance to save anything.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// `kill -TERM`: an orderly end.
    pub(crate) fn stop(mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(sent.success(), "no such process");
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.child.try_wait().expect("it can be waited for") {
                Some(status) => return status,
                None if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(20)),
                None => panic!("does not end when told to"),
            }
        }
    }

    /// `kill -HUP`: the configuration is read again, and logs are opened anew.
    pub(crate) fn hang_up(&self) {
        let sent = Command::new("kill").args(["-HUP", &self.child.id().to_string()]).status().expect("kill runs");
        assert!(sent.success(), "no such process");
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("it can be waited for").is_none()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            // Goes with the failing test's report.
            println!("the program printed:\n{}", self.printed().join("\n"));
        }
    }
}

fn port_in(line: &str) -> Option<u16> {
    let rest = line.split_once("https://127.0.0.1:")?.1;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok().filter(|port| *port != 0)
}

/// Lines printed by a program, as they come.
#[derive(Default)]
struct Lines {
    seen: Mutex<Vec<String>>,
    more: Condvar,
}

impl Lines {
    fn follow(this: &Arc<Self>, from: impl Read + Send + 'static) {
        let this = Arc::clone(this);
        std::thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                this.seen.lock().expect("no panic under the lock").push(line);
                this.more.notify_all();
            }
        });
    }

    fn all(&self) -> Vec<String> {
        self.seen.lock().expect("no panic under the lock").clone()
    }

    fn wait(&self, limit: Duration, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let seen = self.seen.lock().expect("no panic under the lock");
        let find = |lines: &[String]| lines.iter().find(|line| wanted(line)).cloned();
        let (seen, _) =
            self.more.wait_timeout_while(seen, limit, |lines| find(lines).is_none()).expect("no panic under the lock");
        find(&seen)
    }
}

//! The program in a box: its own site, state and certificate, a free port, and its lines read.

use super::site::Site;
use std::cell::Cell;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;
pub(crate) use testkit::PATIENCE;
use testkit::Program;
use testkit::tls::Certificate;

/// How long a visit stays open in most tests, in seconds.
const WINDOW: u64 = 2;

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
        let certificate = Certificate::for_loopback(dir.path());
        Self { dir, certificate, port: Cell::new(0) }
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }
}

/// A running program. Killed when dropped.
pub(crate) struct Server {
    program: Program,
    pub(crate) port: u16,
    pub(crate) cert: PathBuf,
    pub(crate) spki: String,
    window: Duration,
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
        let program = Program::start(command.args(others).stdin(Stdio::null()));
        let port = program.port("https");
        home.port.set(port);
        Self {
            program,
            port,
            cert: home.certificate.cert.clone(),
            spki: home.certificate.spki.clone(),
            window: Duration::from_secs(window),
        }
    }

    pub(crate) fn origin(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.program.id()
    }

    /// Everything it has printed so far.
    pub(crate) fn printed(&self) -> Vec<String> {
        self.program.lines()
    }

    /// Waits for a line and returns it.
    pub(crate) fn line(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        self.program.line_where(0, what, wanted)
    }

    /// Lets the open visits end, so that they are learned.
    pub(crate) fn let_visits_end(&self) {
        std::thread::sleep(self.window + Duration::from_millis(500));
    }

    /// `kill -9`: no chance to save anything.
    pub(crate) fn kill(self) {
        self.program.kill();
    }

    /// `kill -TERM`: an orderly end.
    pub(crate) fn stop(self) -> ExitStatus {
        self.program.stop().0
    }

    /// `kill -HUP`: the configuration is read again, and logs are opened again.
    pub(crate) fn hang_up(&self) {
        self.program.signal("HUP");
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.program.is_alive()
    }
}

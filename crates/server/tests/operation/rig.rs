//! The program, a directory for its files, and what it says.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long anything may take before a test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Files of one test.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(&path, text).expect("a file");
        path
    }

    /// A certificate for a name in `NAME.crt` and `NAME.key`, over one that may be there. Returns it.
    pub(crate) fn certify(&self, name: &str, host: &str) -> Vec<u8> {
        let key = rcgen::KeyPair::generate().expect("a key");
        let params = rcgen::CertificateParams::new(vec![host.to_owned()]).expect("a name");
        let cert = params.self_signed(&key).expect("a certificate");
        self.write(&format!("{name}.key"), key.serialize_pem());
        self.write(&format!("{name}.crt"), cert.pem());
        cert.der().to_vec()
    }

    /// The program, with nothing of this machine's own settings.
    pub(crate) fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headstart"));
        self.isolate(&mut command);
        command
    }

    pub(crate) fn isolate(&self, command: &mut Command) {
        command.env_clear().env("HOME", self.0.path()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.current_dir(self.0.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    }

    /// Runs `headstart check x.toml` on this text: exit code and lines.
    pub(crate) fn check(&self, text: &str) -> (Option<i32>, Vec<String>) {
        self.write("x.toml", text);
        let output = self.program().args(["check", "x.toml"]).output().expect("the program starts");
        let said = String::from_utf8(output.stdout).expect("text");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{said}");
        (output.status.code(), said.lines().map(str::to_owned).collect())
    }
}

/// A running program. Killed when dropped.
pub(crate) struct Program {
    child: Child,
    lines: Arc<Lines>,
}

impl Program {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().expect("the program starts");
        let lines = Arc::new(Lines::default());
        Lines::follow(&lines, child.stdout.take().expect("its output"));
        Lines::follow(&lines, child.stderr.take().expect("its errors"));
        Self { child, lines }
    }

    /// Waits for a line with this in it, after so many that were there before.
    #[track_caller]
    pub(crate) fn line(&self, after: usize, part: &str) -> String {
        match self.lines.wait(after, PATIENCE, |line| line.contains(part)) {
            Some(line) => line,
            None => panic!("no line with {part:?} in:\n{}", self.lines.all().join("\n")),
        }
    }

    /// How many lines there are so far.
    pub(crate) fn count(&self) -> usize {
        self.lines.all().len()
    }

    pub(crate) fn printed(&self) -> String {
        self.lines.all().join("\n")
    }

    /// The port in its first line with this scheme.
    pub(crate) fn port(&self, scheme: &str) -> u16 {
        let line = self.line(0, &format!("{scheme}://"));
        let address = line.split("://").nth(1).expect("an address");
        let digits = address.rsplit(':').next().expect("a port").trim_end_matches('/');
        digits.parse().unwrap_or_else(|_| panic!("no port in {line}"))
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill runs").success());
    }

    /// Has it read its configuration again, and returns what it says to that.
    #[track_caller]
    pub(crate) fn reload(&self) -> String {
        let before = self.count();
        self.signal("HUP");
        self.line(before, "reloaded")
    }

    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.child.try_wait().expect("it can be waited for") {
                Some(status) => return (status, self.lines.all().join("\n")),
                None if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
                None => panic!("does not end: {}", self.printed()),
            }
        }
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

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

    fn wait(&self, after: usize, limit: Duration, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let seen = self.seen.lock().expect("no panic under the lock");
        let find = |lines: &[String]| lines.iter().skip(after).find(|line| wanted(line)).cloned();
        let (seen, _) =
            self.more.wait_timeout_while(seen, limit, |lines| find(lines).is_none()).expect("no panic under the lock");
        find(&seen)
    }
}

/// Whether a path ends so; for messages with directories of their own.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a path that is text")
}

//! The program, a directory for its files, and what it says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use testkit::tls::Certificate;
pub(crate) use testkit::{PATIENCE, Program};

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
        Certificate::write(self.0.path(), name, &[host]).der
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

/// Whether a path ends so; for messages with directories of their own.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a path that is text")
}

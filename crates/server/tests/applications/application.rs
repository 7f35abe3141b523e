//! An application: how it is started, and what is done in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::Program;

/// One application.
pub(crate) struct Application {
    pub(crate) name: &'static str,
    /// Files without which it is not there: by their whole path, or beside the programs of the environment.
    pub(crate) needs: &'static [&'static str],
    /// The command that prints its version.
    pub(crate) version: &'static [&'static str],
    /// Makes what all runs begin with.
    pub(crate) prepare: fn(&Path) -> Result<(), String>,
    /// Starts it with what was prepared, in a directory of its own, on a port; the last of its programs listens there.
    pub(crate) start: fn(&Path, u16) -> Result<Vec<Program>, String>,
    pub(crate) steps: &'static [Step],
}

/// Something that a user does.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    /// What is opened, if anything is.
    pub(crate) open: Option<&'static str>,
    /// The body of an async function in the page; what it returns has to be the same with and without the program.
    pub(crate) act: &'static str,
    /// An expression that becomes true in the page once the step is over.
    pub(crate) until: &'static str,
    /// Whether the page's own text is compared, word by word: that of a page that the server makes, not of one that scripts
    /// change while it is read.
    pub(crate) compares_text: bool,
}

impl Application {
    pub(crate) fn is_installed(&self) -> bool {
        self.needs.iter().all(|file| tool(file).is_file())
    }

    /// As it says itself.
    pub(crate) fn version(&self) -> String {
        let Some((program, words)) = self.version.split_first() else { return String::new() };
        let output = Command::new(tool(program)).args(words).output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    }
}

/// A program of the environment that `cargo xtask applications` makes.
pub(crate) fn tool(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/applications/venv/bin").join(name)
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
}

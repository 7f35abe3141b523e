//! Our own program, as an operator would build it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The release build of `headstart`, brought up to date once: benchmarks of an old build would be of no use.
///
/// # Errors
///
/// In words, if it does not compile.
pub fn program() -> Result<PathBuf, String> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    PROGRAM.get_or_init(build).clone()
}

fn build() -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // What cargo says of this package to its programs: seen by build scripts of others, it has them built anew, and
    // once more by the next who builds by hand.
    without_variables(&mut command, &["CARGO_BIN_", "CARGO_CRATE_", "CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_PRIMARY_"]);
    let output = command
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .args(["build", "--quiet", "--release", "--package", "headstart-server", "--bin", "headstart"])
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        return Err("headstart does not compile".into());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let program = messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).next_back();
    program.ok_or_else(|| "cargo names no program".into())
}

/// Keeps settings that this process has in its environment from a program: it is measured with those that it is given.
pub fn without_settings(command: &mut Command) {
    without_variables(command, &["HEADSTART_"]);
}

/// Keeps the variables of our environment whose names begin in one of these ways from a program.
fn without_variables(command: &mut Command, prefixes: &[&str]) {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| prefixes.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(name);
        }
    }
}

/// The `headstart` of the same build as the running test, which lies in `deps` below it.
///
/// # Errors
///
/// In words, if it was not built.
pub fn beside() -> Result<PathBuf, String> {
    let test = std::env::current_exe().map_err(|error| error.to_string())?;
    let directory = test.parent().and_then(Path::parent).unwrap_or(Path::new("."));
    let program = directory.join("headstart").with_extension(std::env::consts::EXE_EXTENSION);
    if program.is_file() { Ok(program) } else { Err(format!("{} is not built: cargo build", program.display())) }
}

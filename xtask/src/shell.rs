//! The workspace's directory, and how a step is run and shown.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// The directory of the workspace's `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Whether a gap in the machine is a failure (`CI=true`) or only a warning.
pub(crate) fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

/// The cargo that runs us, in the workspace.
pub(crate) fn cargo<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    // What it said of this package when it ran us: build scripts that look at it would be run again, and what depends on
    // them built again, whenever somebody else calls cargo.
    for (name, _) in std::env::vars_os() {
        let of_ours = ["CARGO_BIN_", "CARGO_CRATE_", "CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_PRIMARY_"];
        if name.to_str().is_some_and(|name| of_ours.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(name);
        }
    }
    command.current_dir(root()).args(args);
    command
}

/// Runs one step with its output going to the terminal; names it and its time.
pub(crate) fn step(title: &str, command: &mut Command) -> Result<(), String> {
    let began = Instant::now();
    last_step(title, command)?;
    println!("== {title}: done in {:.1} s", began.elapsed().as_secs_f64());
    Ok(())
}

/// The same with nothing said after it.
pub(crate) fn last_step(title: &str, command: &mut Command) -> Result<(), String> {
    println!("\n== {title}");
    let status = command.status().map_err(|error| format!("{title}: cannot run {}: {error}", name(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{title}: {} failed ({status})", name(command))) }
}

/// Runs a command and returns what it printed; its errors go to the terminal.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let shown = name(command);
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot run {shown}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{shown} failed ({})", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("{shown} printed something that is not UTF-8"))
}

/// Whether a program is on the search path.
pub(crate) fn is_on_path(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

/// Whether the compiler can build for a target.
pub(crate) fn has_target(target: &str) -> bool {
    let mut rustc = Command::new("rustc");
    output(rustc.args(["--print", "sysroot"]))
        .is_ok_and(|sysroot| Path::new(sysroot.trim()).join("lib/rustlib").join(target).is_dir())
}

fn name(command: &Command) -> String {
    let mut text = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    for arg in command.get_args() {
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    format!("`{text}`")
}

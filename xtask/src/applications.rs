//! `cargo xtask applications`: real applications behind the program, in Chromium, into `crates/server/APPLICATIONS.md`.

use std::process::Command;

use crate::{shell, tools};

/// What is installed by pip.
const PACKAGES: [&str; 2] = ["django", "jupyterlab"];

pub(crate) fn run() -> Result<(), String> {
    tools::ensure()?;
    prepare()?;
    let mut all = shell::cargo(["test", "--package", "headstart-server", "--test", "applications", "--", "--all"]);
    shell::step("applications", &mut all)
}

/// Installs the applications below `target/applications`, unless they are there.
///
/// # Errors
///
/// If they cannot be installed.
pub(crate) fn prepare() -> Result<(), String> {
    let venv = shell::root().join("target/applications/venv");
    if ["django-admin", "jupyter-lab"].iter().all(|program| venv.join("bin").join(program).is_file()) {
        return Ok(());
    }
    shell::step("an environment for applications", Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    let mut install = Command::new(venv.join("bin/pip"));
    shell::step("applications by pip", install.args(["install", "--quiet"]).args(PACKAGES))
}

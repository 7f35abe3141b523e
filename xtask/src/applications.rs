//! `cargo xtask applications`: real applications behind the program, in Chromium, into `crates/server/APPLICATIONS.md`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{shell, tools};

/// What is installed by pip.
const PACKAGES: [&str; 3] = ["django", "jupyterlab", "mkdocs"];

/// Debian packages of WordPress and MediaWiki, and of what they run on.
const DEBIAN: [&str; 13] = [
    "mariadb-server",
    "mediawiki",
    "nginx-light",
    "npm",
    "php-cli",
    "php-fpm",
    "php-gd",
    "php-intl",
    "php-mbstring",
    "php-mysql",
    "php-xml",
    "wordpress",
    "wordpress-theme-twentytwentyone",
];

/// Files that are there once they are installed.
const INSTALLED: [&str; 4] = [
    "/usr/share/mediawiki/index.php",
    "/usr/share/wordpress/wp-content/themes/twentytwentyone/style.css",
    "/usr/sbin/mariadbd",
    "/usr/bin/npm",
];

pub(crate) fn run() -> Result<(), String> {
    tools::ensure()?;
    prepare()?;
    // What is missing then is named by the test, which fails for it in the CI.
    for done in [debian(), next()] {
        if let Err(why) = done {
            println!("\n!! applications: {why}");
        }
    }
    let mut all = shell::cargo(["test", "--package", "headstart-server", "--test", "applications", "--", "--all"]);
    shell::step("applications", &mut all)
}

fn directory() -> PathBuf {
    shell::root().join("target/applications")
}

/// Installs those of `cargo xtask test` below `target/applications`, unless they are there.
///
/// # Errors
///
/// If they cannot be installed.
pub(crate) fn prepare() -> Result<(), String> {
    let venv = directory().join("venv");
    if ["django-admin", "jupyter-lab", "mkdocs"].iter().all(|program| venv.join("bin").join(program).is_file()) {
        return Ok(());
    }
    shell::step("an environment for applications", Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    let mut install = Command::new(venv.join("bin/pip"));
    shell::step("applications by pip", install.args(["install", "--quiet"]).args(PACKAGES))
}

/// Installs WordPress, MediaWiki and what they run on, where packages of Debian can be installed.
fn debian() -> Result<(), String> {
    let missing = || INSTALLED.into_iter().find(|file| !Path::new(file).is_file());
    if missing().is_some() {
        tools::install(&DEBIAN);
    }
    match missing() {
        Some(file) => Err(format!("{file} is missing (Debian packages {})", DEBIAN.join(", "))),
        None => Ok(()),
    }
}

/// Builds the application of Next.js that is among the tests, below `target/applications`, unless that is done.
fn next() -> Result<(), String> {
    let source = shell::root().join("crates/server/tests/applications/next");
    let project = directory().join("next");
    if project.join(".next/BUILD_ID").is_file() {
        return Ok(());
    }
    std::fs::create_dir_all(&project).map_err(|error| format!("{}: {error}", project.display()))?;
    let mut copy = Command::new("cp");
    shell::step("an application of Next.js", copy.arg("--recursive").arg(source.join(".")).arg(&project))?;
    let mut install = Command::new("npm");
    install.args(["install", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&project);
    shell::step("Next.js by npm", &mut install)?;
    let mut build = Command::new("node");
    build.args(["node_modules/next/dist/bin/next", "build"]).current_dir(&project).env("NEXT_TELEMETRY_DISABLED", "1");
    shell::step("its build", &mut build)
}

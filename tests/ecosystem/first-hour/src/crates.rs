//! A crate as `cargo new` makes it, with snippets in it.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use testkit::Program;

use crate::snippets::Snippets;

/// A crate in a directory of its own.
#[derive(Debug)]
pub struct Fresh {
    name: String,
    directory: TempDir,
    /// The port on which it will listen: the port that the snippet names is replaced, as tests run beside each other.
    pub port: u16,
}

impl Fresh {
    /// Makes the crate. Each of `ports` in its code is replaced by another.
    ///
    /// # Panics
    ///
    /// If something cannot be written.
    pub fn new(snippets: &Snippets, ports: &[(&str, u16)]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mut cargo = cargo();
        cargo.args(["new", "--quiet", "--vcs", "none", &snippets.name]).current_dir(directory.path());
        assert!(cargo.status().expect("cargo runs").success(), "cargo new {}", snippets.name);

        let port = free_port();
        let fresh = Self { name: snippets.name.clone(), directory, port };
        let mut main = snippets.main.replace("127.0.0.1:8080", &format!("127.0.0.1:{port}"));
        main = main.replace("127.0.0.1:8443", &format!("127.0.0.1:{port}"));
        for (old, new) in ports {
            main = main.replace(old, &format!("127.0.0.1:{new}"));
        }
        assert!(main.contains(&port.to_string()), "{} names no port that is known", snippets.name);
        let manifest = fresh.path().join("Cargo.toml");
        let begun = fs::read_to_string(&manifest).expect("a manifest");
        let begun = begun.replace("[dependencies]\n", &snippets.dependencies);
        fs::write(manifest, format!("{begun}\n{}", patches())).expect("a file");
        fs::write(fresh.path().join("src/main.rs"), main).expect("a file");
        // The versions that the tests of the repository have.
        fs::copy(here().join("../Cargo.lock"), fresh.path().join("Cargo.lock")).expect("a file");
        fresh
    }

    /// The directory of the crate.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join(&self.name)
    }

    /// Builds and runs it.
    ///
    /// # Panics
    ///
    /// If it does not compile.
    pub fn run(&self) -> Program {
        let target = std::env::current_exe().expect("a path");
        let target = target.ancestors().nth(3).expect("a target directory").to_owned();
        let mut cargo = cargo();
        cargo.args(["build", "--quiet"]).current_dir(self.path()).env("CARGO_TARGET_DIR", &target);
        cargo.env("CARGO_PROFILE_DEV_DEBUG", "0");
        assert!(cargo.status().expect("cargo runs").success(), "{} does not compile", self.name);
        let program = target.join("debug").join(&self.name);
        Program::start(Command::new(program).current_dir(self.path()).stdin(Stdio::null()))
    }
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The cargo that runs the test, without what it said of the test's own package.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_PKG_")) {
        command.env_remove(name);
    }
    command.env_remove("CARGO_MANIFEST_DIR");
    command
}

/// Our crates are not published yet: their names lead to the repository.
fn patches() -> String {
    let mut text = "[patch.crates-io]\n".to_owned();
    for entry in fs::read_dir(here().join("../../../crates")).expect("our crates").flatten() {
        let path = entry.path().canonicalize().expect("a path");
        let manifest = fs::read_to_string(path.join("Cargo.toml")).unwrap_or_default();
        let name = manifest.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
        if let Some(name) = name.filter(|name| name.starts_with("headstart") && *name != "headstart-server") {
            text += &format!("{name} = {{ path = {:?} }}\n", path.display().to_string());
        }
    }
    text
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its number").port()
}

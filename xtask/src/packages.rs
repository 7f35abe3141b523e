//! `cargo xtask packages`: the Debian package and the container image, built, and started as they are.
//!
//! What cannot be built here, for want of `cargo-deb` or of a container engine that answers, is named; in the CI it is a
//! failure.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::shell;

pub(crate) fn run() -> Result<(), String> {
    let done = [debian(), container()];
    let failures: Vec<String> = done.into_iter().filter_map(Result::err).collect();
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\nxtask: ")) }
}

/// A part that cannot be tried here.
fn left_out(what: &str, why: &str) -> Result<(), String> {
    let text = format!("{what}: NOT BUILT: {why}");
    if shell::in_ci() {
        return Err(text);
    }
    println!("\n!! {text}");
    Ok(())
}

fn answers(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn debian() -> Result<(), String> {
    if !answers(shell::cargo(["deb", "--version"]).stdin(Stdio::null())) {
        return left_out("the Debian package", "`cargo install cargo-deb` is missing");
    }
    if !shell::is_on_path("dpkg-deb") {
        return left_out("the Debian package", "dpkg-deb is missing");
    }
    let target = shell::root().join("target/packages");
    let package = target.join("headstart.deb");
    let unpacked = target.join("unpacked");
    if unpacked.exists() {
        std::fs::remove_dir_all(&unpacked).map_err(|error| format!("{}: {error}", unpacked.display()))?;
    }
    let mut build = shell::cargo(["deb", "--package", "headstart-server", "--output"]);
    shell::step("the Debian package", build.arg(&package))?;
    let mut unpack = Command::new("dpkg-deb");
    shell::step("its files", unpack.arg("--extract").arg(&package).arg(&unpacked))?;
    for file in ["etc/headstart/headstart.toml", "lib/systemd/system/headstart.service"] {
        if !unpacked.join(file).is_file() {
            return Err(format!("the Debian package holds no {file}"));
        }
    }
    let mut serve = Command::new(unpacked.join("usr/bin/headstart"));
    serve.arg("serve").arg(shell::root().join("examples/site"));
    serve.args(["--no-config", "--no-state", "--listen", "http://127.0.0.1:0"]);
    starts("the program of the package", &mut serve)
}

fn container() -> Result<(), String> {
    let engines = ["podman", "docker"];
    let engine = engines.into_iter().find(|engine| answers(Command::new(engine).arg("info")));
    let Some(engine) = engine else {
        return left_out("the container image", "neither podman nor docker answers");
    };
    let root = shell::root();
    let file = root.join("crates/server/packaging/Containerfile");
    let mut build = Command::new(engine);
    build.args(["build", "--tag", "headstart-of-the-tests", "--file"]).arg(file).arg(&root);
    shell::step("the container image", &mut build)?;
    let mut serve = Command::new(engine);
    let site = format!("{}:/srv/www:ro", root.join("examples/site").display());
    serve.args(["run", "--rm", "--volume", &site, "headstart-of-the-tests"]);
    starts("the container", &mut serve)
}

/// Starts a server, waits for the line that says where it listens, and has it end in an orderly way.
fn starts(what: &str, command: &mut Command) -> Result<(), String> {
    println!("\n== {what} starts");
    let mut child = command
        .current_dir(Path::new("/"))
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{what} does not start: {error}"))?;
    let lines = child.stdout.take().map(|output| BufReader::new(output).lines().map_while(Result::ok));
    let serves = lines.into_iter().flatten().any(|line| {
        println!("{line}");
        line.contains("point a browser at")
    });
    let ended = end(&mut child);
    if serves { ended } else { Err(format!("{what} ended before it served")) }
}

fn end(child: &mut Child) -> Result<(), String> {
    let signalled = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    let status = signalled.and_then(|_| child.wait()).map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("the server ended with {status}")) }
}

//! `cargo xtask packages`: the Debian package and the container image, built, installed, and started as they are.
//!
//! What cannot be tried here, for want of `cargo-deb`, of root, of a container engine that answers or of the base images, is
//! named; in the CI it is a failure.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::{shell, tools};

/// What the Debian package puts where.
const FILES: [&str; 8] = [
    "usr/bin/headstart",
    "etc/headstart/headstart.toml",
    "lib/systemd/system/headstart.service",
    "lib/systemd/system/headstart.socket",
    "usr/share/man/man1/headstart.1.gz",
    "usr/share/bash-completion/completions/headstart",
    "usr/share/zsh/vendor-completions/_headstart",
    "usr/share/fish/vendor_completions.d/headstart.fish",
];

pub(crate) fn run() -> Result<(), String> {
    let done = [debian(), container()];
    let failures: Vec<String> = done.into_iter().filter_map(Result::err).collect();
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\nxtask: ")) }
}

/// A part that cannot be tried here.
fn left_out(what: &str, why: &str) -> Result<(), String> {
    let text = format!("{what}: NOT TRIED: {why}");
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
        return left_out("the Debian package", "cargo-deb is missing (cargo install --locked cargo-deb)");
    }
    if !shell::is_on_path("dpkg-deb") {
        return left_out("the Debian package", "dpkg-deb is missing");
    }
    let directory = shell::root().join("target/packages");
    remove(&directory)?;
    let package = directory.join("headstart.deb");
    shell::step("the program", &mut shell::cargo(["build", "--release", "--package", "headstart-server"]))?;
    written_by_the_program()?;
    let mut build = shell::cargo(["deb", "--no-build", "--package", "headstart-server", "--output"]);
    shell::step("the Debian package", build.arg(&package))?;

    let unpacked = directory.join("unpacked");
    let mut unpack = Command::new("dpkg-deb");
    shell::step("its files", unpack.arg("--extract").arg(&package).arg(&unpacked))?;
    if let Some(file) = FILES.iter().find(|file| !unpacked.join(file).is_file()) {
        return Err(format!("the Debian package holds no {file}"));
    }
    works("the program of the package", &unpacked)?;
    installs(&package)
}

/// Manual pages and completions, where `[package.metadata.deb]` has them.
fn written_by_the_program() -> Result<(), String> {
    let release = shell::root().join("target/release");
    let (program, directory) = (release.join("headstart"), release.join("packaging"));
    remove(&directory)?;
    let (manual, completions) = (directory.join("man"), directory.join("completions"));
    for made in [&manual, &completions] {
        std::fs::create_dir_all(made).map_err(|error| format!("{}: {error}", made.display()))?;
    }
    shell::step("manual pages", Command::new(&program).arg("man").arg(&manual))?;
    let mut compress = Command::new("gzip");
    compress.args(["--best", "--no-name", "--recursive"]).arg(&manual);
    shell::step("manual pages, compressed", &mut compress)?;
    for (name, file) in [("bash", "headstart"), ("zsh", "_headstart"), ("fish", "headstart.fish")] {
        let text = shell::output(Command::new(&program).args(["completions", name]))?;
        let path = completions.join(file);
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// Removes a directory, if it is there.
fn remove(directory: &Path) -> Result<(), String> {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(format!("{}: {error}", directory.display())),
        _ => Ok(()),
    }
}

/// Checks the configuration below a root, and serves by it.
fn works(what: &str, root: &Path) -> Result<(), String> {
    let program = root.join("usr/bin/headstart");
    let configuration = root.join("etc/headstart/headstart.toml");
    let title = format!("{what}: its configuration");
    shell::step(&title, Command::new(&program).arg("check").arg(&configuration).args(["--no-state"]))?;
    let mut serve = Command::new(program);
    serve.arg("--config").arg(configuration).args(["--no-state", "--listen", "http://127.0.0.1:0"]);
    starts(what, &mut serve)
}

/// Installs the package as anybody would, starts what was installed, and takes it away again.
fn installs(package: &Path) -> Result<(), String> {
    let what = "installing the Debian package";
    if !tools::is_root() {
        return left_out(what, "only root may install");
    }
    if answers(Command::new("dpkg-query").args(["--show", "headstart"])) || Path::new("/usr/bin/headstart").exists() {
        return left_out(what, "one is installed already");
    }
    shell::step("the package is installed", Command::new("dpkg").arg("--install").arg(package))?;
    let worked = works("the program as installed", Path::new("/"));
    let mut purge = Command::new("dpkg");
    shell::step("the package is removed", purge.args(["--purge", "headstart"]))?;
    let left: Vec<PathBuf> = FILES.iter().map(|file| Path::new("/").join(file)).filter(|file| file.exists()).collect();
    worked?;
    if left.is_empty() { Ok(()) } else { Err(format!("the package leaves {left:?} behind")) }
}

fn container() -> Result<(), String> {
    let engines = ["podman", "docker"];
    let engine = engines.into_iter().find(|engine| answers(Command::new(engine).arg("info")));
    let Some(engine) = engine else {
        return left_out("the container image", "neither podman nor docker answers");
    };
    let root = shell::root();
    let file = root.join("crates/server/packaging/Containerfile");
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    for base in text.lines().filter_map(|line| line.strip_prefix("FROM ")?.split(' ').next()) {
        if !answers(Command::new(engine).args(["pull", base])) {
            return left_out("the container image", &format!("{engine} cannot fetch {base}"));
        }
    }
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

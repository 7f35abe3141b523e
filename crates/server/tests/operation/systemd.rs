//! Service management by systemd: sockets are passed, and readiness is notified.

use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};

use super::client::Client;
use super::rig::{Files, PATIENCE, Program};

/// The program with a listening socket as its descriptor 3, as sd_listen_fds(3) has it. A shell moves it there from
/// standard input, where safe code can put it.
pub(crate) fn activated(files: &Files, socket: &TcpListener, words: &str) -> Command {
    let mut command = Command::new("sh");
    let script = format!(
        "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec '{}' {words}",
        env!("CARGO_BIN_EXE_headstart")
    );
    files.isolate(&mut command);
    let socket = OwnedFd::from(socket.try_clone().expect("a descriptor"));
    command.args(["-c", &script]).stdin(Stdio::from(socket));
    command
}

#[tokio::test]
async fn sockets_are_taken_over_by_name_or_all() {
    let files = Files::new();
    files.write("s/index.html", "page");
    let cert = files.certify("a", "localhost");
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let client = Client::new(&[&cert]);
    let program = Program::start(&mut activated(&files, &socket, "serve s --cert a.crt --key a.key"));
    assert_eq!(program.port("https"), port);
    assert_eq!(client.get(port, "localhost", "/").await.1, "page");
    drop(program);
    let by_name = "serve s --cert a.crt --key a.key --listen https://systemd:web";
    let program = Program::start(&mut activated(&files, &socket, by_name));
    assert_eq!(client.get(port, "localhost", "/").await.1, "page");
    drop(program);
    let other = Program::start(&mut activated(&files, &socket, "serve s --listen systemd:admin"));
    let (status, printed) = other.wait();
    assert_eq!(status.code(), Some(2));
    assert!(
        printed.contains("--listen: listen[1].address: the socket \"admin\" of systemd: none was passed"),
        "{printed}"
    );
}

#[test]
fn the_service_manager_is_told() {
    let files = Files::new();
    files.write("s/index.html", "page");
    let manager = UnixDatagram::bind(files.path("notify")).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = files.program();
    command.args(["serve", "s", "--listen", "http://127.0.0.1:0"]);
    command.env("NOTIFY_SOCKET", files.path("notify")).env("WATCHDOG_USEC", "200000");
    let program = Program::start(&mut command);
    let expect = |wanted: &str| {
        let mut buffer = [0; 4096];
        loop {
            let length = manager.recv(&mut buffer).unwrap_or_else(|error| panic!("no {wanted}: {error}"));
            let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if message.lines().any(|line| line.starts_with(wanted)) {
                return message;
            }
        }
    };
    expect("READY=1");
    expect("WATCHDOG=1");
    expect("WATCHDOG=1");
    program.signal("HUP");
    let reloading = expect("RELOADING=1");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    expect("READY=1");
    program.signal("TERM");
    expect("STOPPING=1");
    assert!(program.wait().0.success());
}

/// Whether a tool of systemd is there. In the CI all are.
fn have(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    assert!(found || std::env::var_os("CI").is_none(), "{tool} is not installed, which the CI has to do");
    if !found {
        eprintln!("skipped: {tool} is not installed");
    }
    found
}

/// The units hold nothing that this systemd passes over; only the program is elsewhere here.
#[test]
fn the_units_are_understood() {
    if !have("systemd-analyze") {
        return;
    }
    let files = Files::new();
    let packaging = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging");
    let verify = |change: fn(String) -> String| {
        for name in ["headstart.service", "headstart.socket"] {
            let unit = std::fs::read_to_string(packaging.join(name)).expect("a unit");
            assert!(name != "headstart.service" || unit.contains("=/usr/bin/headstart "));
            files.write(
                name,
                change(unit.replace("/usr/bin/headstart ", concat!(env!("CARGO_BIN_EXE_headstart"), " "))),
            );
        }
        let mut command = Command::new("systemd-analyze");
        files.isolate(&mut command);
        let words = ["verify", "--man=no", "./headstart.service", "./headstart.socket"];
        let output = command.args(words).output().expect("systemd-analyze runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // What is wrong with the units of this machine is not ours.
        said.lines().filter(|line| line.contains("headstart")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(verify(|unit| unit), [""; 0]);
    let misspelt = verify(|unit| unit.replace("Type=notify", "Type=notice"));
    assert!(misspelt.iter().any(|line| line.contains("service type")), "{misspelt:?}");
}

/// systemd's own tool opens the socket, waits for the first client and starts the program for it.
#[tokio::test]
async fn the_first_client_starts_the_program() {
    if !have("systemd-socket-activate") {
        return;
    }
    let files = Files::new();
    files.write("s/index.html", "page");
    let cert = files.certify("a", "localhost");
    let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let port = free();
    let mut command = Command::new("systemd-socket-activate");
    files.isolate(&mut command);
    command.args(["--fdname=web", &format!("--listen=127.0.0.1:{port}"), env!("CARGO_BIN_EXE_headstart")]);
    command.args(["serve", "s", "--cert", "a.crt", "--key", "a.key", "--listen", "https://systemd:web"]);
    let program = Program::start(&mut command);
    program.line(0, "Listening on");
    // The client waits in the socket until the program takes it.
    assert_eq!(Client::new(&[&cert]).get(port, "localhost", "/").await.1, "page");
    program.signal("TERM");
    assert!(program.wait().0.success());
}

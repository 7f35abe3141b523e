//! The program as a person at a terminal meets it: what it says about input that cannot be used.
#![forbid(unsafe_code)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rustls::{ClientConnection, StreamOwned};
use tempfile::TempDir;
use testkit::{Program, http1, tls};

fn headstart(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headstart"));
    command.env_clear().env("HOME", home).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs to the end. Everything asked here ends at once.
fn run(home: &Path, words: &[&str]) -> Output {
    headstart(home).args(words).output().expect("the program starts")
}

/// Bad input: exit code 2, nothing else on standard error but one line that names every one of `names`.
#[track_caller]
fn check_refused(home: &Path, words: &[&str], names: &[&str]) {
    let output = run(home, words);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{words:?}: {errors}");
    assert!(errors.starts_with("headstart: ") && errors.ends_with('\n'), "{errors:?}");
    assert_eq!(errors.lines().count(), 1, "{errors:?}");
    for name in names {
        assert!(errors.contains(name), "{words:?}: no {name:?} in {errors:?}");
    }
}

struct Files {
    directory: TempDir,
}

impl Files {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("site")).unwrap();
        fs::write(directory.path().join("site/index.html"), "page").unwrap();
        Self { directory }
    }

    fn home(&self) -> &Path {
        self.directory.path()
    }

    fn path(&self, name: &str) -> String {
        self.home().join(name).to_str().unwrap().to_owned()
    }

    fn write_pair(&self, name: &str) -> (String, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let cert = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap().self_signed(&key).unwrap();
        let (cert_path, key_path) = (self.path(&format!("{name}.crt")), self.path(&format!("{name}.key")));
        fs::write(&cert_path, cert.pem()).unwrap();
        fs::write(&key_path, key.serialize_pem()).unwrap();
        (cert_path, key_path)
    }
}

#[test]
fn help_and_version() {
    let files = Files::new();
    for (words, wanted) in [
        (&["--help"][..], "serve"),
        (&["serve", "--help"], "--min-networks"),
        (&["--version"], env!("CARGO_PKG_VERSION")),
    ] {
        let output = run(files.home(), words);
        assert!(output.status.success(), "{words:?}");
        assert!(String::from_utf8(output.stdout).unwrap().contains(wanted), "{words:?}");
        assert!(output.stderr.is_empty(), "{words:?}");
    }
}

#[test]
fn bad_flags() {
    let files = Files::new();
    let check = |words: &[&str], names: &[&str]| check_refused(files.home(), words, names);
    check(&["sreve"], &["sreve"]);
    check(&["serve", "--frobnicate"], &["--frobnicate"]);
    check(&["serve", "--window", "soon"], &["--window", "soon"]);
    check(&["serve", "--holdout", "-1"], &["-1"]);
    check(&["serve", "--min-networks", "0"], &["--min-networks", "0"]);
    check(&["serve", "--cookie", "biscuit"], &["--cookie", "biscuit", "go-casper"]);
    check(&["serve", "--cert", "a.pem"], &["--key"]);
}

#[test]
fn bad_directories() {
    let files = Files::new();
    let missing = files.path("no such site");
    check_refused(files.home(), &["serve", &missing], &[&missing]);
    let file = files.path("site/index.html");
    check_refused(files.home(), &["serve", &file], &[&file]);
    // Where the state would go, there is a file.
    let site = files.path("site");
    check_refused(files.home(), &["serve", &site, "--state-dir", &file], &[&file]);
}

#[test]
fn bad_addresses() {
    let files = Files::new();
    let site = files.path("site");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    check_refused(files.home(), &["serve", &site, "--listen", &address], &[&address, "in use"]);
    let admin = ["serve", &site, "--listen", "127.0.0.1:0", "--admin", &address];
    check_refused(files.home(), &admin, &["admin.listen", "--admin", &address, "in use"]);
    check_refused(files.home(), &["serve", &site, "--listen", "8443"], &["8443", "HOST:PORT"]);
    check_refused(files.home(), &["serve", &site, "--listen", "localhost:99999"], &["99999"]);
    check_refused(files.home(), &["serve", &site, "--listen", "192.0.2.77:0"], &["192.0.2.77:0"]);
}

#[test]
fn bad_certificates() {
    let files = Files::new();
    let site = files.path("site");
    let (cert, key) = files.write_pair("one");
    let (_, other_key) = files.write_pair("two");
    let missing = files.path("missing.pem");
    let check = |cert: &str, key: &str, names: &[&str]| {
        check_refused(files.home(), &["serve", &site, "--listen", "127.0.0.1:0", "--cert", cert, "--key", key], names);
    };
    check(&missing, &key, &["certificate", &missing]);
    check(&cert, &missing, &["private key", &missing]);
    check(&site, &key, &["certificate", &site]);
    check(&cert, &cert, &["private key", &cert]);
    check(&cert, &other_key, &["does not belong", &cert, &other_key]);
}

/// Starts the program, and waits until it has said where it listens.
fn start(command: &mut Command) -> Program {
    let program = Program::start(command);
    program.line(0, "https://");
    program
}

/// Ends it with a signal: its exit code, and what it printed to its standard error.
#[cfg(unix)]
fn stop(mut program: Program, signal: &str) -> (Option<i32>, String) {
    program.signal(signal);
    let status = program.wait_for_end().expect("it ends");
    (status.code(), program.errors())
}

#[cfg(unix)]
#[test]
fn says_where_to_point_a_browser_and_ends_when_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let files = Files::new();
    let site = files.path("site");
    for signal in ["TERM", "INT"] {
        let running = start(headstart(files.home()).args(["serve", &site, "--listen", "localhost:0"]));
        let said = running.printed();
        assert!(said.contains("https://localhost:") && said.contains(&site), "{said}");
        assert!(said.contains("1 network"), "{said}");
        assert_eq!(stop(running, signal), (Some(0), String::new()));
        let certificate = files.home().join(".local/state/headstart/localhost.pem");
        assert_eq!(fs::metadata(certificate).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let open = start(headstart(files.home()).args(["serve", &site, "--listen", "0.0.0.0:0", "--no-state"]));
    assert!(open.printed().contains("3 networks"), "{}", open.printed());
}

#[cfg(unix)]
#[test]
fn a_snapshot_that_cannot_be_used_is_set_aside() {
    let files = Files::new();
    let site = files.path("site");
    let state = files.path("learned");
    fs::write(&state, "this is no snapshot").unwrap();
    let words = ["serve", &site, "--listen", "127.0.0.1:0", "--state", &state];
    let (code, errors) = stop(start(headstart(files.home()).args(words)), "TERM");
    assert_eq!(code, Some(0), "{errors}");
    assert!(errors.contains(&state) && errors.lines().count() == 1, "{errors:?}");
    assert_eq!(fs::read(format!("{state}.bad")).unwrap(), b"this is no snapshot");
    // What was saved at the end is a good one.
    let (code, errors) = stop(start(headstart(files.home()).args(words)), "TERM");
    assert_eq!((code, &*errors), (Some(0), ""));
}

/// An HTTP/1.1 request over TLS that trusts the program's own certificate; nothing of the answer is read yet.
#[cfg(unix)]
fn request(address: &str, certificate: &Path, path: &str) -> StreamOwned<ClientConnection, TcpStream> {
    let config = tls::client(&[tls::read_certificate(certificate)], &[]);
    let mut stream = tls::blocking(&config, "127.0.0.1", http1::connect(address).unwrap());
    stream.write_all(http1::head("127.0.0.1", path, &[]).as_bytes()).unwrap();
    stream
}

#[cfg(unix)]
#[test]
fn a_response_under_way_is_finished_before_the_end() {
    // More than all buffers between here and there.
    const LEN: usize = 32 << 20;
    let files = Files::new();
    fs::File::create(files.path("site/large.bin")).unwrap().set_len(LEN as u64).unwrap();
    let site = files.path("site");
    let running = start(headstart(files.home()).args(["serve", &site, "--listen", "127.0.0.1:0"]));
    let address = format!("127.0.0.1:{}", running.port("https"));
    let certificate = files.home().join(".local/state/headstart/localhost.pem");
    let mut stream = request(&address, &certificate, "/large.bin");
    let mut answer = vec![0; 1000];
    stream.read_exact(&mut answer).unwrap();

    running.signal("TERM");
    while TcpStream::connect(&address).is_ok() {
        std::thread::yield_now();
    }
    stream.read_to_end(&mut answer).unwrap();
    let head = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    assert!(answer.starts_with(b"HTTP/1.1 200 "));
    assert_eq!(answer.len() - head, LEN);
    assert_eq!(running.wait().0.code(), Some(0));
}

/// A snapshot with what a log of `networks` visitors to one page teaches, added to what is in it.
fn learned(files: &Files, name: &str, page: &str, networks: u32) -> String {
    let lines = (1..=networks).map(|n| {
        // A block of addresses (/16) counts as two networks at most.
        let first = 20 + n;
        let line = |minute: u32, path: &str, referer: &str| {
            let second = 2 * n + minute;
            format!(
                "{first}.0.2.7 - - [10/Oct/2025:13:55:{second:02} +0000] \"GET {path} HTTP/1.1\" 200 500 \"{referer}\" \"Firefox\"\n"
            )
        };
        line(0, page, "-") + &line(1, "/app.css", &format!("https://a.example{page}"))
    });
    let (log, state) = (files.path(&format!("{name}.log")), files.path(name));
    fs::write(&log, lines.collect::<String>()).unwrap();
    let output = run(files.home(), &["learn", &log, "--host", "a.example", "--state", &state]);
    assert!(output.status.success(), "{output:?}");
    state
}

fn known_pages(files: &Files, state: &str) -> serde_json::Value {
    let output = run(files.home(), &["state", state, "--json"]);
    assert!(output.status.success(), "{output:?}");
    let state: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let pages = state["pages"].as_array().unwrap().iter();
    let mut known: Vec<_> = pages.map(|page| page["path"].clone()).collect();
    known.sort_by_key(ToString::to_string);
    known.into()
}

#[test]
fn snapshots_are_merged() {
    let files = Files::new();
    let (a, b) = (learned(&files, "a", "/one", 5), learned(&files, "b", "/two", 4));
    let hidden = learned(&files, "hidden", "/three", 2);
    let before = fs::read(&b).unwrap();
    let all = files.path("all");
    let output = run(files.home(), &["state", "merge", "--output", &all, &a, &b, &hidden]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert_eq!(known_pages(&files, &all), serde_json::json!(["/one", "/two"]));
    assert!(text.contains("another secret") && text.contains("2 hidden below the network gate"), "{text}");
    assert_eq!(fs::read(&b).unwrap(), before, "what is read stays as it is");

    // One that goes on from a copy of the other shares its secret.
    fs::copy(&a, files.path("c")).unwrap();
    let (c, sum) = (learned(&files, "c", "/four", 3), files.path("sum"));
    let output = run(files.home(), &["state", "merge", "-o", &sum, &a, &c]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && !text.contains("secret"), "{text}");
    assert_eq!(known_pages(&files, &sum), serde_json::json!(["/four", "/one"]));
}

#[test]
fn snapshots_that_cannot_be_merged() {
    let files = Files::new();
    let (a, b) = (learned(&files, "a", "/one", 3), learned(&files, "b", "/two", 3));
    let (out, missing, damaged) = (files.path("out"), files.path("missing"), files.path("damaged"));
    let mut bytes = fs::read(&b).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&damaged, &bytes).unwrap();
    let check = |words: &[&str], names: &[&str]| {
        check_refused(files.home(), &[&["state", "merge"], words].concat(), names);
        assert!(!Path::new(&out).exists(), "nothing is written");
    };
    check(&[&a, &b], &["--output"]);
    check(&["-o", &out], &["FILE"]);
    check(&["-o", &out, &a, &missing], &[&missing]);
    check(&["-o", &out, &missing, &a], &[&missing]);
    check(&["-o", &out, &a, &damaged], &[&damaged, "damaged"]);
    check(&["-o", &out, &damaged, &a], &[&damaged, "damaged"]);
    check(&["-o", &out, &a, &files.path("site/index.html")], &["index.html"]);
    check(&["-o", &out, &a, &b, &a], &[&a, "twice"]);
    check(&["-o", &files.path("no/such/out"), &a, &b], &["no/such/out"]);
    check(&["-o", &out, &a, &b, "--half-life", "0"], &["--half-life"]);

    // Neither another file nor one that is read is replaced, unless it is asked for.
    let before = fs::read(&b).unwrap();
    check(&["-o", &b, &a, &b], &[&b, "--force"]);
    assert_eq!(fs::read(&b).unwrap(), before);
    let output = run(files.home(), &["state", "merge", "-o", &b, &a, &b, "--force"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(known_pages(&files, &b), serde_json::json!(["/one", "/two"]));

    // Nor is one that a server runs on.
    let site = files.path("site");
    let server = start(headstart(files.home()).args(["serve", &site, "--listen", "127.0.0.1:0", "--state", &b]));
    check(&["-o", &b, &a, "--force"], &[&b, "stop that one first"]);
    drop(server);
}

#[test]
fn an_empty_log_is_called_so_and_one_without_hosts_says_what_it_has() {
    let files = Files::new();
    let (empty, bare) = (files.path("empty.log"), files.path("bare.log"));
    fs::write(&empty, "").unwrap();
    fs::write(&bare, "20.0.2.7 - - [10/Oct/2025:13:55:01 +0000] \"GET / HTTP/1.1\" 200 500 \"-\" \"Firefox\"\n")
        .unwrap();
    for command in ["learn", "evaluate"] {
        check_refused(files.home(), &[command, &empty], &["the log is empty"]);
        check_refused(files.home(), &[command, &bare], &["no Referer names a host: 1 lines", "give --host"]);
    }
}

#[test]
fn what_is_no_snapshot_is_said_once() {
    let files = Files::new();
    let text = files.path("file.txt");
    fs::write(&text, "text").unwrap();
    let output = run(files.home(), &["state", &text]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.matches("not a snapshot").count(), 1, "{said}");
}

#[test]
fn a_merge_keeps_the_half_life_of_the_first() {
    let files = Files::new();
    let (a, b, sum) = (learned(&files, "a", "/one", 5), learned(&files, "b", "/two", 4), files.path("sum"));
    let long = files.path("long");
    let output = run(files.home(), &["state", "merge", "-o", &long, &a, "--half-life", "30d"]);
    assert!(output.status.success(), "{output:?}");
    let output = run(files.home(), &["state", "merge", "-o", &sum, &long, &b]);
    assert!(output.status.success(), "{output:?}");
    // Their header has it: after the magic of both parts, secret, checksum, key, time and tick.
    let half_life = |path: &str| {
        let bytes = fs::read(path).unwrap();
        u64::from_le_bytes(bytes[46 + 8 + 24..][..8].try_into().unwrap())
    };
    assert_eq!((half_life(&a), half_life(&long), half_life(&sum)), (86_400_000, 30 * 86_400_000, 30 * 86_400_000));
}

//! The program as a person at a terminal meets it: what it says about input that cannot be used.
#![forbid(unsafe_code)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tempfile::TempDir;

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

/// A running program, killed when dropped.
struct Running {
    child: Child,
    said: Vec<String>,
}

impl Running {
    /// Starts it, and reads what it says up to the address.
    fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = Vec::new();
        while !said.last().is_some_and(|line: &String| line.contains("https://")) {
            if let Some(line) = lines.next() {
                said.push(line.unwrap());
            } else {
                let mut errors = String::new();
                child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
                panic!("ended early: {said:?} {errors}");
            }
        }
        // The rest is read and thrown away, so that the program is never held up.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, said }
    }

    #[cfg(unix)]
    fn stop(mut self, signal: &str) -> (Option<i32>, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let code = self.child.wait().unwrap().code();
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (code, errors)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
#[test]
fn says_where_to_point_a_browser_and_ends_when_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let files = Files::new();
    let site = files.path("site");
    for signal in ["-TERM", "-INT"] {
        let running = Running::start(headstart(files.home()).args(["serve", &site, "--listen", "localhost:0"]));
        let said = running.said.join("\n");
        assert!(said.contains("https://localhost:") && said.contains(&site), "{said}");
        assert!(said.contains("1 network"), "{said}");
        assert_eq!(running.stop(signal), (Some(0), String::new()));
        let certificate = files.home().join(".local/state/headstart/localhost.pem");
        assert_eq!(fs::metadata(certificate).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let open = Running::start(headstart(files.home()).args(["serve", &site, "--listen", "0.0.0.0:0", "--no-state"]));
    assert!(open.said.join("\n").contains("3 networks"), "{:?}", open.said);
}

#[cfg(unix)]
#[test]
fn a_snapshot_that_cannot_be_used_is_set_aside() {
    let files = Files::new();
    let site = files.path("site");
    let state = files.path("learned");
    fs::write(&state, "this is no snapshot").unwrap();
    let words = ["serve", &site, "--listen", "127.0.0.1:0", "--state", &state];
    let (code, errors) = Running::start(headstart(files.home()).args(words)).stop("-TERM");
    assert_eq!(code, Some(0), "{errors}");
    assert!(errors.contains(&state) && errors.lines().count() == 1, "{errors:?}");
    assert_eq!(fs::read(format!("{state}.bad")).unwrap(), b"this is no snapshot");
    // What was saved at the end is a good one.
    let (code, errors) = Running::start(headstart(files.home()).args(words)).stop("-TERM");
    assert_eq!((code, &*errors), (Some(0), ""));
}

/// An HTTP/1.1 request over TLS that trusts the program's own certificate; nothing of the answer is read yet.
#[cfg(unix)]
fn request(url: &str, certificate: &Path, path: &str) -> rustls::StreamOwned<rustls::ClientConnection, TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = rustls::ClientConnection::new(Arc::new(config), "127.0.0.1".try_into().unwrap()).unwrap();
    let socket = TcpStream::connect(url.trim_start_matches("https://").trim_end_matches('/')).unwrap();
    let mut stream = rustls::StreamOwned::new(client, socket);
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").unwrap();
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
    let running = Running::start(headstart(files.home()).args(["serve", &site, "--listen", "127.0.0.1:0"]));
    let url = running.said.last().unwrap().rsplit(' ').next().unwrap().to_owned();
    let certificate = files.home().join(".local/state/headstart/localhost.pem");
    let mut stream = request(&url, &certificate, "/large.bin");
    let mut answer = vec![0; 1000];
    stream.read_exact(&mut answer).unwrap();

    let pid = running.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let address = url.trim_start_matches("https://").trim_end_matches('/');
    while TcpStream::connect(address).is_ok() {
        std::thread::yield_now();
    }
    stream.read_to_end(&mut answer).unwrap();
    let head = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    assert!(answer.starts_with(b"HTTP/1.1 200 "));
    assert_eq!(answer.len() - head, LEN);
    let mut running = running;
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
}

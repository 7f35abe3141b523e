//! The real program on a free port.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use super::tree::Tree;

pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    /// The certificate to trust.
    pub(crate) cert: PathBuf,
    printed: Vec<JoinHandle<String>>,
}

impl Server {
    pub(crate) fn start(tree: &Tree) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_headstart"))
            .arg("serve")
            .arg(tree.root())
            .args(["--listen", "127.0.0.1:0", "--no-state", "--state-dir"])
            .arg(tree.state())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut errors = child.stderr.take().expect("its errors");
        let mut lines = BufReader::new(child.stdout.take().expect("its output"));
        let mut text = String::new();
        let port = loop {
            let start = text.len();
            let read = lines.read_line(&mut text).expect("a line");
            assert!(read > 0, "no address in {text:?}");
            if let Some((_, rest)) = text[start..].split_once("https://127.0.0.1:") {
                break rest.trim_end_matches(['/', '\n']).parse().expect("a port");
            }
        };
        let output = std::thread::spawn(move || {
            let mut rest = Vec::new();
            let _ = lines.read_to_end(&mut rest);
            text + &String::from_utf8_lossy(&rest)
        });
        let errors = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = errors.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Self { child, port, cert: tree.state().join("localhost.pem"), printed: vec![output, errors] }
    }

    /// Ends it; returns all that it printed.
    pub(crate) fn stop(&mut self) -> String {
        assert!(self.child.try_wait().expect("it can be waited for").is_none(), "it ended by itself");
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
        self.printed.drain(..).map(|printed| printed.join().expect("read to the end")).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

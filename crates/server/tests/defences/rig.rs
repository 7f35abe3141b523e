//! The program in front of an application that is the test's.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tempfile::TempDir;
use testkit::app::{Request, Response};
use testkit::frames::{INITIAL_WINDOW_SIZE, greeting, request_to};
use testkit::{Program, http1};

/// The program, and its files.
pub(crate) struct Server {
    pub(crate) program: Program,
    pub(crate) port: u16,
    pub(crate) files: TempDir,
}

impl Server {
    /// Starts it with a configuration; `@dir@` is a directory of its own. It listens without TLS.
    pub(crate) fn start(config: &str) -> Self {
        Self::start_in(tempfile::tempdir().expect("a directory"), config)
    }

    /// The same with files that are there already.
    pub(crate) fn start_in(files: TempDir, config: &str) -> Self {
        let text = config.replace("@dir@", &files.path().display().to_string());
        let path = files.path().join("headstart.toml");
        std::fs::write(&path, format!("listen = \"http://127.0.0.1:0\"\n{text}")).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_headstart"));
        command.env_clear().env("HOME", files.path()).current_dir(files.path()).stdin(Stdio::null());
        let program = Program::start(command.arg("--config").arg(path).arg("--no-state"));
        let line = program.line(0, "point a browser at http://");
        let port = line.trim_end_matches('/').rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        Server { program, port, files }
    }

    /// In front of an application, with these lines in `[site.proxy]` and before the site.
    pub(crate) fn before(upstream: &str, general: &str, proxy: &str) -> Self {
        Self::start(&format!("{general}\n[[site]]\nupstream = \"{upstream}\"\n[site.proxy]\n{proxy}\n"))
    }

    pub(crate) fn get(&self, path: &str, fields: &[(&str, &str)]) -> http1::Reply {
        http1::get(("127.0.0.1", self.port), "a.example", path, fields)
    }

    /// These bytes, and what comes until the server closes or is silent for a second.
    pub(crate) fn raw(&self, bytes: &[u8]) -> String {
        let mut socket = self.connect("127.0.0.1");
        socket.set_read_timeout(Some(Duration::from_secs(1))).expect("a timeout");
        // It may refuse before all was sent.
        let _ = socket.write_all(bytes);
        String::from_utf8_lossy(&http1::read_to_end(&mut socket).0).into_owned()
    }

    /// A connection from an address of the loopback network.
    pub(crate) fn connect(&self, from: &str) -> TcpStream {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        let local = SocketAddr::new(from.parse().expect("an address"), 0);
        socket.bind(&local.into()).expect("an address of this machine");
        socket.connect(&SocketAddr::from(([127, 0, 0, 1], self.port)).into()).expect("it listens");
        let socket = TcpStream::from(socket);
        socket.set_read_timeout(Some(testkit::PATIENCE)).expect("a timeout");
        socket
    }

    /// An HTTP/2 connection that asks for a path so often and takes nothing of the answers; it lasts as long as what is
    /// returned.
    pub(crate) fn hold(&self, from: &str, path: &str, count: u32) -> TcpStream {
        let mut bytes = greeting(&[(INITIAL_WINDOW_SIZE, 0)]);
        bytes.extend((0..count).flat_map(|n| request_to("a.example", 2 * n + 1, "GET", path, &[], true)));
        let mut socket = self.connect(from);
        socket.write_all(&bytes).expect("it reads");
        socket
    }
}

/// 200, with these fields.
pub(crate) fn answer(fields: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Response {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Response { status: 200, fields, body: body.into() }
}

/// All that an application was told: its request line, fields and content.
pub(crate) fn told(request: &Request) -> String {
    let fields: Vec<String> = request.fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let content = String::from_utf8_lossy(&request.body);
    format!("{} {}\n{}\n{content}", request.method, request.target, fields.concat())
}

//! Starting servers that all serve the same.

use std::fmt;
use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::running::Running;
use super::{Certificate, Peer, Program, find_on_path, headstart_beside as beside, headstart_program};

/// The content to serve, and how.
#[derive(Debug, Clone)]
pub struct Setup<'a> {
    /// The directory.
    pub root: &'a Path,
    /// The certificate of every server.
    pub certificate: &'a Certificate,
    /// Worker processes or threads of each server.
    pub workers: usize,
    /// Lines put where the template says `@extra@`; words, where the arguments do.
    pub extra: &'a str,
    /// A command that the server is run by, for example `ip netns exec NAME`.
    pub prefix: &'a [String],
    /// The address to listen on.
    pub address: IpAddr,
    /// The port; 0 is one that is free here.
    pub port: u16,
}

/// Why a server does not run.
#[derive(Debug)]
pub enum Error {
    /// It is not installed.
    Missing(&'static str),
    /// It is, and does not start.
    Failed(String),
}

impl<'a> Setup<'a> {
    /// One worker, on a free port of the loopback interface.
    pub fn new(root: &'a Path, certificate: &'a Certificate) -> Self {
        let address = Ipv4Addr::LOCALHOST.into();
        Self { root, certificate, workers: 1, extra: "", prefix: &[], address, port: 0 }
    }

    /// Starts a server and waits until it takes connections. With a [`Setup::prefix`] it may listen where this
    /// process cannot reach; then only its start is waited for.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] if it is not installed, else what it said before it ended.
    pub fn start(&self, peer: &Peer) -> Result<Running, Error> {
        let program = program(peer)?;
        self.spawn(peer, &program).map_err(|error| match error {
            Error::Failed(why) => Error::Failed(format!("{}: {why}", peer.name)),
            missing @ Error::Missing(_) => missing,
        })
    }

    /// Starts each of the servers. One that does not run is named on standard output with the reason.
    pub fn start_all(&self, peers: &[Peer]) -> Vec<Running> {
        let start = |peer: &Peer| self.start(peer).inspect_err(|error| println!("**skipped: {error}**\n")).ok();
        peers.iter().filter_map(start).collect()
    }

    fn spawn(&self, peer: &Peer, program: &Path) -> Result<Running, Error> {
        let scratch = tempfile::tempdir()?;
        let port = match self.port {
            0 => TcpListener::bind((self.address, 0))?.local_addr()?.port(),
            port => port,
        };
        let config = scratch.path().join("config");
        let words = Words { setup: self, port, scratch: scratch.path(), config: &config };
        if let Some(template) = peer.template {
            std::fs::write(&config, words.fill(template))?;
        }
        let mut command = match self.prefix {
            [] => Command::new(program),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        for arg in peer.args {
            match *arg {
                "@extra@" => command.args(self.extra.split_whitespace()),
                arg => command.arg(words.fill(arg)),
            };
        }
        super::headstart::without_settings(&mut command);
        command.envs(peer.env.iter().map(|(name, value)| (name, words.fill(value))));
        let output = File::create(scratch.path().join("output"))?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn()?;
        let address = SocketAddr::new(self.address, port);
        Running::wait(peer.name, child, address, scratch, self.prefix.is_empty()).map_err(Error::Failed)
    }
}

fn program(peer: &Peer) -> Result<PathBuf, Error> {
    match peer.program {
        Program::OnPath(name) => find_on_path(name).ok_or(Error::Missing(peer.name)),
        Program::Ourselves => Ok(std::env::current_exe()?),
        Program::Headstart => headstart_program().map_err(Error::Failed),
        Program::HeadstartBeside => beside().map_err(Error::Failed),
    }
}

/// The words that are replaced in templates and arguments.
struct Words<'a> {
    setup: &'a Setup<'a>,
    port: u16,
    scratch: &'a Path,
    config: &'a Path,
}

impl Words<'_> {
    fn fill(&self, text: &str) -> String {
        let path = |path: &Path| path.display().to_string();
        [
            // First, for it may hold the other words.
            ("@extra@", self.setup.extra.to_owned()),
            ("@root@", path(self.setup.root)),
            ("@cert@", path(self.setup.certificate.cert())),
            ("@key@", path(self.setup.certificate.key())),
            ("@dir@", path(self.scratch)),
            ("@config@", path(self.config)),
            ("@address@", self.setup.address.to_string()),
            ("@port@", self.port.to_string()),
            ("@workers@", self.setup.workers.to_string()),
        ]
        .iter()
        .fold(text.to_owned(), |text, (word, value)| text.replace(word, value))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "{name} is not installed"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

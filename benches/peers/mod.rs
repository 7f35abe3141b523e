//! Servers for benchmarks: ours and its peers, started on loopback with a configuration kept in `templates/`, watched
//! through `/proc`, and stopped with all their children.
//!
//! A peer that is not installed is [`Error::Missing`]; [`Setup::start_all`] names it on standard output, so that no
//! table is silently short of a row.
//!
//! A benchmark that uses [`AXUM`] must call [`become_peer`] first thing in its `main`: the peer is the benchmark's own
//! binary, started once more.

mod axum;
mod certificate;
mod h2load;
mod headstart;
mod path;
mod process;
mod running;
mod setup;

pub use axum::become_peer;
pub use certificate::Certificate;
pub use h2load::{H2load, Load};
pub use headstart::{beside as headstart_beside, program as headstart_program, without_settings};
pub use path::find_on_path;
pub use process::{anonymous_bytes, cpu_time, pss_bytes};
pub use running::Running;
pub use setup::{Error, Setup};

/// A server program and how it is told what to serve.
///
/// In the template and in the arguments these words are replaced: `@root@` (the served directory), `@cert@`, `@key@`
/// (PEM files), `@address@`, `@port@`, `@workers@`, `@dir@` (a scratch directory of its own), `@config@` (the filled-in
/// template), `@extra@` ([`Setup::extra`]).
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// Its name in tables.
    pub name: &'static str,
    /// The binary.
    pub program: Program,
    /// Its configuration file, if it reads one.
    pub template: Option<&'static str>,
    /// Its arguments.
    pub args: &'static [&'static str],
    /// Its environment.
    pub env: &'static [(&'static str, &'static str)],
}

/// The source of a server's binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// Found on the search path.
    OnPath(&'static str),
    /// The running benchmark itself: see [`become_peer`].
    Ourselves,
    /// The release build of `headstart`, brought up to date first.
    Headstart,
    /// The `headstart` that cargo has built beside the running test, as `cargo test --workspace` does.
    HeadstartBeside,
}

/// The program of this project, with learning on and nothing kept between runs.
pub const HEADSTART: Peer = Peer {
    name: "headstart",
    program: Program::Headstart,
    template: None,
    args: &[
        "serve",
        "@root@",
        "--listen",
        "@address@:@port@",
        "--cert",
        "@cert@",
        "--key",
        "@key@",
        "--state-dir",
        "@dir@",
        "--no-state",
    ],
    env: &[("TOKIO_WORKER_THREADS", "@workers@")],
};

/// The same with its own number of threads, and a page is learned half a second after it was shown.
pub const HEADSTART_LEARNING_SOON: Peer = Peer {
    args: &[
        "serve",
        "@root@",
        "--listen",
        "@address@:@port@",
        "--cert",
        "@cert@",
        "--key",
        "@key@",
        "--state-dir",
        "@dir@",
        "--no-state",
        "--window",
        "0.5",
    ],
    env: &[],
    ..HEADSTART
};

/// nginx with sendfile and a cache of open files.
pub const NGINX: Peer = Peer {
    name: "nginx",
    program: Program::OnPath("nginx"),
    template: Some(include_str!("templates/nginx.conf")),
    args: &["-p", "@dir@", "-c", "@config@"],
    env: &[],
};

/// The server of the nghttp2 project.
pub const NGHTTPD: Peer = Peer {
    name: "nghttpd",
    program: Program::OnPath("nghttpd"),
    template: None,
    args: &["--address=@address@", "--workers=@workers@", "--htdocs=@root@", "@extra@", "@port@", "@key@", "@cert@"],
    env: &[],
};

/// H2O, with its handler of files.
pub const H2O: Peer = Peer {
    name: "h2o",
    program: Program::OnPath("h2o"),
    template: Some(include_str!("templates/h2o.conf")),
    args: &["-c", "@config@"],
    env: &[],
};

/// Caddy, with its handler of files.
pub const CADDY: Peer = Peer {
    name: "caddy",
    program: Program::OnPath("caddy"),
    template: Some(include_str!("templates/Caddyfile")),
    args: &["run", "--adapter", "caddyfile", "--config", "@config@"],
    env: &[("GOMAXPROCS", "@workers@"), ("XDG_DATA_HOME", "@dir@"), ("XDG_CONFIG_HOME", "@dir@")],
};

/// axum with the `ServeDir` of tower-http, on hyper and rustls.
pub const AXUM: Peer = Peer {
    name: "axum",
    program: Program::Ourselves,
    template: None,
    args: &[axum::FLAG, "@address@:@port@", "@root@", "@cert@", "@key@"],
    env: &[("TOKIO_WORKER_THREADS", "@workers@")],
};

//! `[state]`, `[log]`, `[tls]`: what is kept, what is said, and who we are.

use std::path::PathBuf;
use std::time::Duration;

use super::section::{At, Section};
use crate::{access_log_writer, admin};

/// `[state]`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    /// By default `$XDG_STATE_HOME/headstart` or `~/.local/state/headstart`.
    pub(crate) directory: Option<PathBuf>,
    /// By default `snapshot` in the directory.
    pub(crate) file: Option<PathBuf>,
    /// Whether what is learned outlives the program.
    pub(crate) save: bool,
    /// Between snapshots; a crash loses at most this much.
    pub(crate) interval: Duration,
}

/// `[log]`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Log {
    pub(crate) format: LogFormat,
    /// In the notation of tracing-subscriber.
    pub(crate) filter: String,
    /// Whether each page view is a line on standard output.
    pub(crate) views: bool,
    /// Where a line for each response goes, if anywhere; `-` is standard output.
    pub(crate) access: Option<String>,
    pub(crate) access_format: access_log_writer::Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LogFormat {
    #[default]
    Human,
    Json,
}

/// `[tls]`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tls {
    /// For names that no site has a certificate for.
    pub(crate) identity: Option<IdentityFiles>,
    /// Whether TLS 1.2 is spoken, too.
    pub(crate) allow_tls12: bool,
    /// Whether clients may resume a session.
    pub(crate) resumption: bool,
    /// How often the files of certificates are looked at for changes.
    pub(crate) poll: Duration,
}

/// A certificate chain and its key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct IdentityFiles {
    pub(crate) cert: At<PathBuf>,
    pub(crate) key: At<PathBuf>,
}

impl IdentityFiles {
    /// The keys `cert` and `key` of a section: both or neither.
    pub(super) fn read(section: &mut Section<'_>) -> Option<Self> {
        match (section.get("cert"), section.get("key")) {
            (Some(cert), Some(key)) => Some(Self { cert, key }),
            (Some(alone), None) => {
                section.problem_at(&alone, "needs its `key` beside it (the flag --key)");
                None
            }
            (None, Some(alone)) => {
                section.problem_at(&alone, "needs its `cert` beside it (the flag --cert)");
                None
            }
            (None, None) => None,
        }
    }
}

pub(super) fn state(root: &mut Section<'_>) -> State {
    let mut section = root.section("state");
    let directory = section.value("dir");
    let file = section.get::<PathBuf>("file");
    let save = section.get::<bool>("save");
    if let (Some(file), Some(At { value: false, .. })) = (&file, &save) {
        section.problem_at(file, "is named (the flag --state), but nothing is to be saved (the flag --no-state)");
    }
    let bounds = Duration::from_millis(100)..=Duration::from_secs(365 * 24 * 3600);
    let interval = section.within("interval", bounds).unwrap_or(Duration::from_secs(30));
    section.done();
    State { directory, file: file.map(|at| at.value), save: save.is_none_or(|at| at.value), interval }
}

pub(super) fn log(root: &mut Section<'_>) -> Log {
    let mut section = root.section("log");
    let mut format = LogFormat::default();
    if let Some(at) = section.get::<String>("format") {
        match &*at.value {
            "human" => format = LogFormat::Human,
            "json" => format = LogFormat::Json,
            _ => section.problem_at(&at, "has to be \"human\" or \"json\""),
        }
    }
    let mut filter = "warn".to_owned();
    if let Some(at) = section.get::<String>("filter") {
        match tracing_subscriber::EnvFilter::try_new(&at.value) {
            Ok(_) => filter = at.value,
            Err(error) => section.problem_at(&at, format!("cannot use {:?}: {error}", at.value)),
        }
    }
    let views = section.or("views", true);
    let access = access(&mut section);
    let mut access_format = access_log_writer::Format::default();
    if let Some(at) = section.get::<String>("access_format") {
        match at.value.parse() {
            Ok(format) => access_format = format,
            Err(error) => section.problem_at(&at, error.to_string()),
        }
    }
    section.done();
    Log { format, filter, views, access, access_format }
}

/// The file of the access log, relative as all paths are, or `-`.
fn access(section: &mut Section<'_>) -> Option<String> {
    let at = section.get::<String>("access")?;
    match at.place.directory() {
        Some(directory) if at.value != "-" => Some(directory.join(at.value).to_string_lossy().into_owned()),
        _ => Some(at.value),
    }
}

/// `[admin]`
pub(super) fn admin(root: &mut Section<'_>) -> admin::Config {
    let mut section = root.section("admin");
    let listen = section.value("listen");
    let token = section.get::<String>("token");
    if let Some(token) = token.as_ref().filter(|token| token.value.is_empty()) {
        section.problem_at(token, "is empty");
    }
    let hosts = section.list::<String>("hosts").unwrap_or_default();
    section.done();
    admin::Config {
        listen,
        token: token.map(|token| token.value),
        hosts: hosts.into_iter().map(|host| host.value).collect(),
    }
}

pub(super) fn tls(root: &mut Section<'_>) -> Tls {
    let mut section = root.section("tls");
    let identity = IdentityFiles::read(&mut section);
    let mut allow_tls12 = true;
    if let Some(at) = section.get::<String>("min_version") {
        match &*at.value {
            "1.2" => {}
            "1.3" => allow_tls12 = false,
            _ => section.problem_at(&at, "has to be \"1.2\" or \"1.3\""),
        }
    }
    let resumption = section.or("resumption", true);
    let bounds = Duration::from_millis(100)..=Duration::from_secs(24 * 3600);
    let poll = section.within("poll", bounds).unwrap_or(Duration::from_secs(10));
    section.done();
    Tls { identity, allow_tls12, resumption, poll }
}

//! `[state]`, `[log]`, `[tls]`: what is kept, what is said, and who we are.

use std::path::PathBuf;
use std::time::Duration;

use super::place::{At, Place};
use super::problems::Problems;
use super::tree::Node;
use super::values::Wanted;
use crate::access_log_writer;
use crate::log::LogFormat;

/// `[state]`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    /// By default `$XDG_STATE_HOME/headstart` or `~/.local/state/headstart`.
    pub(crate) directory: Option<At<PathBuf>>,
    /// By default `snapshot` in the directory.
    pub(crate) file: Option<At<PathBuf>>,
    /// Whether what is learned outlives the program.
    pub(crate) save: bool,
    /// Between snapshots; a crash loses at most this much.
    pub(crate) interval: Duration,
}

impl Default for State {
    fn default() -> Self {
        Self { directory: None, file: None, save: true, interval: Duration::from_secs(30) }
    }
}

impl State {
    /// Finds settings that contradict each other.
    pub(super) fn check(&self, problems: &Problems) {
        if let (Some(file), false) = (&self.file, self.save) {
            let message = "is named (the flag --state), but nothing is to be saved (the flag --no-state)";
            problems.add_at(file, message);
        }
    }
}

/// `[log]`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Log {
    pub(crate) format: LogFormat,
    pub(crate) filter: Filter,
    /// Whether each page view is a line on standard output.
    pub(crate) views: bool,
    /// The file for a line of each response, if there is one.
    pub(crate) access: Option<At<AccessFile>>,
    pub(crate) access_format: access_log_writer::Format,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: LogFormat::default(),
            filter: Filter("warn".into()),
            views: true,
            access: None,
            access_format: access_log_writer::Format::default(),
        }
    }
}

/// Filter of the libraries' events, in the notation of tracing-subscriber.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Filter(pub(crate) String);

impl Wanted for Filter {
    const WHAT: &'static str = "a filter in quotes, such as \"warn\"";

    fn read(node: &Node) -> Result<Self, Option<String>> {
        let text = String::read(node)?;
        match tracing_subscriber::EnvFilter::try_new(&text) {
            Ok(_) => Ok(Self(text)),
            Err(error) => Err(Some(format!("cannot use {text:?}: {error}"))),
        }
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

/// The file of the access log, relative as all paths are, or `-` for standard output.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AccessFile(pub(crate) String);

impl Wanted for AccessFile {
    const WHAT: &'static str = PathBuf::WHAT;

    fn read(node: &Node) -> Result<Self, Option<String>> {
        let text = String::read(node)?;
        if text == "-" {
            return Ok(Self(text));
        }
        PathBuf::read(node).map(|path| Self(path.to_string_lossy().into_owned()))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

/// `[admin]`
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Admin {
    /// `HOST:PORT` to listen on. `None` is off.
    pub(crate) listen: Option<At<String>>,
    pub(crate) token: Option<String>,
    pub(crate) hosts: Vec<String>,
}

/// `[tls]`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tls {
    /// For names that no site has a certificate for.
    pub(crate) identity: IdentityFiles,
    /// Certificates that are ordered.
    pub(crate) acme: Option<Acme>,
    /// Whether TLS 1.2 is spoken, too.
    pub(crate) allow_tls12: bool,
    /// Whether clients may resume a session.
    pub(crate) resumption: bool,
    /// How often the files of certificates are looked at for changes.
    pub(crate) poll: Duration,
}

impl Default for Tls {
    fn default() -> Self {
        let identity = IdentityFiles::default();
        Self { identity, acme: None, allow_tls12: true, resumption: true, poll: Duration::from_secs(10) }
    }
}

/// The directory of Let's Encrypt.
pub(super) const LETSENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// `[tls.acme]`: whose certificates are ordered, and where.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Acme {
    /// For messages.
    pub(in crate::config) place: Place,
    pub(in crate::config) name: String,
    /// By default all hosts of sites that have no certificate of their own.
    pub(crate) domains: Vec<At<String>>,
    /// Addresses of mail that the authority may write to.
    pub(crate) contact: Vec<At<String>>,
    /// A URL, or the name of an authority. Let's Encrypt's.
    pub(crate) directory: Option<At<String>>,
    /// The URL that it stands for.
    pub(crate) authority: String,
    /// Certificates that vouch for the authority itself, instead of the public authorities.
    pub(crate) ca: Option<At<PathBuf>>,
    /// What the authority calls the customer that an account is bound to (RFC 8555, section 7.3.4).
    pub(crate) binding_id: Option<At<String>>,
    /// The file of the key that belongs to it.
    pub(crate) binding_key: Option<At<PathBuf>>,
    /// After a first failure it is tried again after this time; after each further one, after three times as long.
    pub(crate) retry: Duration,
}

impl Default for Acme {
    fn default() -> Self {
        Self {
            place: Place::named("the default"),
            name: String::new(),
            domains: Vec::new(),
            contact: Vec::new(),
            directory: None,
            authority: LETSENCRYPT.to_owned(),
            ca: None,
            binding_id: None,
            binding_key: None,
            retry: Duration::from_secs(60),
        }
    }
}

/// A certificate chain and its key, or neither.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct IdentityFiles {
    pub(crate) cert: Option<At<PathBuf>>,
    pub(crate) key: Option<At<PathBuf>>,
}

impl IdentityFiles {
    /// Finds one without the other.
    pub(super) fn check(&self, problems: &Problems) {
        match (&self.cert, &self.key) {
            (Some(cert), None) => problems.add_at(cert, "needs its `key` beside it (the flag --key)"),
            (None, Some(key)) => problems.add_at(key, "needs its `cert` beside it (the flag --cert)"),
            _ => {}
        }
    }

    /// Both.
    pub(crate) fn pair(&self) -> Option<(&At<PathBuf>, &At<PathBuf>)> {
        self.cert.as_ref().zip(self.key.as_ref())
    }
}

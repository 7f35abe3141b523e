//! Entries of lists (`[[listen]]`, `[[site]]`, `[[rule]]`) as they are written, before they are understood.

use std::path::PathBuf;

use headstart::{Action, Destination};
use ipnet::IpNet;

use super::operation::IdentityFiles;
use super::place::At;
use super::tree::Node;
use super::values::Wanted;
use headstart_proxy::{self as proxy, Compression, HostField, Probe};

/// One `[[listen]]`.
#[derive(Debug, Default)]
pub(super) struct ListenEntry {
    pub(super) address: Option<At<String>>,
    pub(super) systemd: Option<At<String>>,
    pub(super) tls: Option<At<bool>>,
    pub(super) https: Option<At<bool>>,
    pub(super) proxy_protocol: Vec<IpNet>,
}

impl ListenEntry {
    /// The address of a listener that names none.
    pub(super) const ADDRESS: &'static str = "localhost:8443";
}

/// One `[[site]]`, without what is said of its files or its application.
#[derive(Debug, Default)]
pub(super) struct SiteEntry {
    pub(super) hosts: Vec<At<String>>,
    pub(super) path: Option<At<String>>,
    pub(super) identity: IdentityFiles,
    pub(super) https: Option<At<bool>>,
    pub(super) hsts: bool,
    pub(super) budget: PartialBudget,
    pub(super) root: Option<At<PathBuf>>,
    pub(super) upstream: Vec<At<String>>,
}

/// The parts of a budget that a site sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PartialBudget {
    pub(crate) pushes: Option<usize>,
    pub(crate) push_bytes: Option<u64>,
    pub(crate) hints: Option<usize>,
}

/// One `[[site.redirect]]`.
#[derive(Debug)]
pub(super) struct RedirectEntry {
    pub(super) from: Option<At<String>>,
    pub(super) to: Option<At<String>>,
    pub(super) status: u32,
}

impl Default for RedirectEntry {
    fn default() -> Self {
        Self { from: None, to: None, status: 308 }
    }
}

/// A field for some paths: one `[[site.header]]`.
#[derive(Debug, Default)]
pub(super) struct HeaderEntry {
    pub(super) path: Option<At<String>>,
    pub(super) name: Option<At<String>>,
    pub(super) value: Option<http::HeaderValue>,
}

/// One `[site.proxy]`.
#[derive(Debug)]
pub(super) struct ProxyEntry {
    pub(super) config: proxy::Config,
    pub(super) name: Option<String>,
    pub(super) ca: Option<At<PathBuf>>,
    pub(super) insecure: Option<At<bool>>,
    pub(super) trust: Vec<At<String>>,
    pub(super) strip_prefix: Option<At<String>>,
    pub(super) compress: bool,
    pub(super) compression: Compression,
    pub(super) probe_path: Option<String>,
    pub(super) probe: Probe,
}

impl ProxyEntry {
    pub(super) fn new(servers: Vec<proxy::Address>) -> Self {
        let config = proxy::Config::new(servers);
        Self {
            name: None,
            ca: None,
            insecure: None,
            trust: Vec::new(),
            strip_prefix: None,
            compress: config.compress.is_some(),
            compression: config.compress.unwrap_or_default(),
            probe_path: None,
            probe: Probe::default(),
            config,
        }
    }
}

/// `preserve`, `server`, or the name of a host.
impl Wanted for HostField {
    const WHAT: &'static str = "\"preserve\", \"server\" or the name of a host";

    fn read(node: &Node) -> Result<Self, Option<String>> {
        match &*String::read(node)? {
            "preserve" => Ok(Self::Preserve),
            "server" => Ok(Self::Server),
            name => name.parse().map(Self::Named).map_err(|_| Some(format!("{name:?} is not {}", Self::WHAT))),
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Preserve => "preserve".into(),
            Self::Server => "server".into(),
            Self::Named(name) => name.show(),
        }
    }
}

/// Statuses from one to another, inclusive: `200-399`.
impl Wanted for (u16, u16) {
    const WHAT: &'static str = "a range of statuses, such as \"200-399\"";

    fn read(node: &Node) -> Result<Self, Option<String>> {
        let text = String::read(node)?;
        let (low, high) = text.split_once('-').unwrap_or((&text, &text));
        let status = |text: &str| text.trim().parse::<u16>().ok().filter(|status| (100..=599).contains(status));
        let range = status(low).zip(status(high)).filter(|(low, high)| low <= high);
        range.ok_or_else(|| Some(format!("has to be {}", Self::WHAT)))
    }

    fn show(&self) -> String {
        format!("{}-{}", self.0, self.1)
    }
}

/// One `[[rule]]`.
#[derive(Debug, Default)]
pub(super) struct RuleEntry {
    pub(super) action: Option<Action>,
    pub(super) pages: Vec<At<String>>,
    pub(super) assets: Vec<At<String>>,
    pub(super) hosts: Vec<String>,
    pub(super) destination: Option<As>,
}

/// The `as` of a preload.
#[derive(Clone, Copy, Debug)]
pub(super) struct As(pub(super) Destination);

impl Wanted for As {
    const WHAT: &'static str = "what a preload is `as`, in quotes";

    fn read(node: &Node) -> Result<Self, Option<String>> {
        let text = String::read(node)?;
        let why = || Some(format!("{text:?} is nothing that a preload is `as`, such as \"style\""));
        Destination::from_name(&text).map(Self).ok_or_else(why)
    }

    fn show(&self) -> String {
        self.0.as_str().to_owned()
    }
}

//! `upstream` and `[site.proxy]`: an application that a site stands in front of.

use std::path::PathBuf;
use std::time::Duration;

use http::HeaderValue;
use ipnet::IpNet;

use super::place::Place;
use super::section::{At, Section};
use super::values::Size;
use headstart_proxy::{Address, Balance, Caching, Config, HostField, Probe, Roots};

/// An application, on one or several servers.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    /// Where its servers were named.
    pub(crate) place: Place,
    pub(crate) key: String,
    pub(crate) config: Config,
}

impl PartialEq for Upstream {
    fn eq(&self, other: &Self) -> bool {
        format!("{:?}", self.config) == format!("{:?}", other.config)
    }
}

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Reads both keys. `trusted` are the proxies in front of all sites.
pub(super) fn read(site: &mut Section<'_>, name: &str, trusted: &[IpNet]) -> Option<Upstream> {
    let servers = site.list::<String>("upstream")?;
    let place = servers.first().map_or_else(|| site.place().clone(), |first| first.place.clone());
    let key = site.name_of("upstream");
    if servers.is_empty() {
        site.problem("names no server in `upstream`");
    }
    let parsed = servers.iter().filter_map(|at| match at.value.parse::<Address>() {
        Ok(address) => Some(address),
        Err(error) => {
            site.problem_at(at, error.to_string());
            None
        }
    });
    let mut config = Config::new(parsed.collect());
    name.clone_into(&mut config.name);
    config.forwarding.trusted = trusted.to_vec();
    let mut section = site.section("proxy");
    options(&mut section, &mut config);
    section.done();
    (!config.servers.is_empty()).then_some(Upstream { place, key, config })
}

fn options(section: &mut Section<'_>, config: &mut Config) {
    if let Some(name) = section.value("name") {
        config.name = name;
    }
    let balances = [("round_robin", Balance::RoundRobin), ("least_open", Balance::LeastOpen)];
    section.choose("balance", &mut config.balance, &balances);
    let caching =
        [("off", Caching::Off), ("pushes", Caching::Pushes), ("assets", Caching::Assets), ("all", Caching::All)];
    section.choose("cache", &mut config.cache, &caching);
    if let Some(host) = section.get::<String>("host") {
        match (&*host.value, HeaderValue::from_str(&host.value)) {
            ("preserve", _) => config.host = HostField::Preserve,
            ("server", _) => config.host = HostField::Server,
            (_, Ok(value)) => config.host = HostField::Named(value),
            (_, Err(_)) => section.problem_at(&host, "is neither \"preserve\" nor \"server\" nor the name of a host"),
        }
    }
    config.forwarding.via = section.or("via", false);
    tls(section, config);

    let timeouts = &mut config.timeouts;
    let mut time = |key, into: &mut Duration| *into = section.within(key, SECOND / 100..=DAY).unwrap_or(*into);
    time("connect_timeout", &mut timeouts.connect);
    time("head_timeout", &mut timeouts.head);
    time("body_timeout", &mut timeouts.body);
    time("idle_timeout", &mut timeouts.idle);
    time("tunnel_timeout", &mut timeouts.tunnel);

    let limits = &mut config.limits;
    let mut count = |key, into: &mut usize, least| {
        *into = section.within::<u32>(key, least..=1_000_000).map_or(*into, |count| count as usize);
    };
    count("max_in_flight", &mut limits.max_in_flight, 1);
    count("max_idle", &mut limits.max_idle, 0);
    limits.max_upload = section.value::<Size>("max_upload").map(|size| size.0);
    if let Some(size) = section.within("max_head", Size::kib(1)..=Size::mib(16)) {
        limits.max_head_bytes = size.bytes();
    }
    limits.retries = section.within("retries", 0..=100).unwrap_or(limits.retries);
    health(section, config);
}

fn tls(section: &mut Section<'_>, config: &mut Config) {
    let ca = section.get::<PathBuf>("ca");
    let insecure = section.get::<bool>("insecure").filter(|at| at.value);
    if let (Some(_), Some(insecure)) = (&ca, &insecure) {
        section.problem_at(insecure, "contradicts `ca`: one of them is too many");
    }
    if let Some(ca) = ca {
        config.tls.roots = Roots::File(ca.value);
    } else if insecure.is_some() {
        config.tls.roots = Roots::Unchecked;
    }
    config.tls.server_name = section.value("server_name");
}

fn health(section: &mut Section<'_>, config: &mut Config) {
    let health = &mut config.health;
    health.max_failures = section.or("max_failures", health.max_failures);
    health.aside = section.within("aside", SECOND / 10..=DAY).unwrap_or(health.aside);
    let mut probe = Probe::default();
    let path = section.get::<String>("probe");
    if let Some(path) = path.as_ref().filter(|path| !path.value.starts_with('/')) {
        section.problem_at(path, "has to be a path, which begins with a slash");
    }
    probe.every = section.within("probe_interval", SECOND / 10..=DAY).unwrap_or(probe.every);
    probe.timeout = section.within("probe_timeout", SECOND / 100..=DAY).unwrap_or(probe.timeout);
    probe.falls = section.within("probe_falls", 1..=1000).unwrap_or(probe.falls);
    probe.rises = section.within("probe_rises", 1..=1000).unwrap_or(probe.rises);
    if let Some(at) = section.get::<String>("probe_status") {
        match statuses(&at) {
            Some(statuses) => probe.statuses = statuses,
            None => section.problem_at(&at, "has to be a range of statuses, such as \"200-399\""),
        }
    }
    health.probe = path.map(|path| Probe { path: path.value, ..probe });
}

fn statuses(at: &At<String>) -> Option<(u16, u16)> {
    let (low, high) = at.value.split_once('-').unwrap_or((&at.value, &at.value));
    let status = |text: &str| text.trim().parse::<u16>().ok().filter(|status| (100..=599).contains(status));
    let (low, high) = (status(low)?, status(high)?);
    (low <= high).then_some((low, high))
}

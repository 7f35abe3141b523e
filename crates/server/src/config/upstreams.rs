//! `upstream` and `[site.proxy]`: an application that a site stands in front of.

use http::HeaderName;

use super::entries::ProxyEntry;
use super::fields::SiteField;
use super::place::{At, Place};
use super::section::Section;
use super::table;
use headstart_proxy::{Address, Config, Forwarding, Probe, Roots};

/// An application, on one or several servers.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    /// The place where its servers were named.
    pub(crate) place: Place,
    pub(crate) key: String,
    pub(crate) config: Config,
    /// Fields of all that the site answers.
    pub(crate) fields: Vec<SiteField>,
}

impl PartialEq for Upstream {
    fn eq(&self, other: &Self) -> bool {
        format!("{:?}{:?}", self.config, self.fields) == format!("{:?}{:?}", other.config, other.fields)
    }
}

/// Reads what goes with `upstream`, which names the servers. `forwarding` says which proxies are in front of all sites.
pub(super) fn read(
    site: &mut Section<'_>,
    servers: &[At<String>],
    name: &str,
    path: &str,
    forwarding: &Forwarding,
) -> Option<Upstream> {
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
    let mut entry = ProxyEntry::new(parsed.collect());
    table::proxy().read_keys_of(site, "proxy", &mut entry);
    if let (Some(_), Some(insecure @ At { value: true, .. })) = (&entry.ca, &entry.insecure) {
        site.problem_at(insecure, "contradicts `ca`: one of them is too many");
    }
    let mut fields = Vec::new();
    table::site_fields().read_keys(site, &mut fields);
    let mut config = entry.config;
    config.compress = entry.compress.then_some(entry.compression);
    if let Some(prefix) = entry.strip_prefix {
        let stripped = prefix.value.trim_end_matches('/');
        let all_below = path.strip_prefix(stripped).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if !all_below {
            let why = format!("{stripped:?} is not what all paths of this site begin with: its `path` is {path:?}");
            site.problem_at(&prefix, why);
        }
        stripped.clone_into(&mut config.strip_prefix);
    }
    config.name = entry.name.unwrap_or_else(|| name.to_owned());
    config.forwarding.trusted.clone_from(&forwarding.trusted);
    config.forwarding.field = forwarding.field;
    for name in &entry.trust {
        match name.value.parse::<HeaderName>() {
            Ok(field) => config.forwarding.trust.push(field),
            Err(_) => site.problem_at(name, format!("{:?} is not the name of a header field", name.value)),
        }
    }
    config.tls.roots = match entry.ca {
        Some(ca) => Roots::File(ca.value),
        None if entry.insecure.is_some_and(|at| at.value) => Roots::Unchecked,
        None => Roots::Public,
    };
    config.health.probe = entry.probe_path.map(|path| Probe { path, ..entry.probe });
    (!config.servers.is_empty()).then_some(Upstream { place, key, config, fields })
}

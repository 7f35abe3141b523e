//! `[[site]]`: which names are answered for, and from where.

use std::path::PathBuf;

use ipnet::IpNet;

use super::files::{self, Files};
use super::operation::IdentityFiles;
use super::place::Place;
use super::section::{At, Section};
use super::upstreams::{self, Upstream};
use super::values::Size;

/// One entry.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Site {
    /// For messages.
    pub(crate) place: Place,
    pub(crate) name: String,
    /// Names without port; `*.example.org` is every name below. None is every name that no other site has.
    pub(crate) hosts: Vec<At<String>>,
    /// Only what begins with this, in whole segments; `/` is everything.
    pub(crate) path: String,
    /// The certificate for these names; else that of `[tls]`.
    pub(crate) identity: Option<IdentityFiles>,
    /// How much a page of these hosts may send early, if not what `[push]` and `[hint]` say.
    pub(crate) budget: PartialBudget,
    pub(crate) content: Content,
}

/// What of a budget a site says itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PartialBudget {
    pub(crate) pushes: Option<u32>,
    pub(crate) push_bytes: Option<u64>,
    pub(crate) hints: Option<u32>,
}

/// Where a site's answers come from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    Files(Box<Files>),
    Upstream(Box<Upstream>),
}

/// Reads the key `site`; `trusted` are the proxies in front of all of them. No site at all is the example site.
pub(super) fn read(root: &mut Section<'_>, trusted: &[IpNet]) -> Vec<Site> {
    let Some(sections) = root.sections("site") else { return Vec::new() };
    let sites: Vec<Site> = sections.into_iter().filter_map(|section| one(section, trusted)).collect();
    for (number, site) in sites.iter().enumerate() {
        for other in sites.get(..number).unwrap_or_default() {
            both(root, other, site);
        }
    }
    sites
}

/// What two sites must not share.
fn both(root: &Section<'_>, first: &Site, second: &Site) {
    if first.path.trim_end_matches('/') != second.path.trim_end_matches('/') {
        return;
    }
    for host in &second.hosts {
        if first.hosts.iter().any(|other| other.value == host.value) {
            let message = format!("{} with the path {} is answered by {} already", host.value, second.path, first.name);
            root.problem_at(host, message);
        }
    }
    if first.hosts.is_empty() && second.hosts.is_empty() {
        let at = At { value: (), place: second.place.clone(), key: second.name.clone() };
        root.problem_at(&at, format!("has neither hosts nor a path of its own, and neither has {}", first.name));
    }
}

fn one(mut section: Section<'_>, trusted: &[IpNet]) -> Option<Site> {
    let place = section.place().clone();
    let name = section.name_of("").trim_end_matches('.').to_owned();
    let hosts = hosts(&mut section);
    let path = section.get::<String>("path");
    if let Some(path) = path.as_ref().filter(|path| !path.value.starts_with('/')) {
        section.problem_at(path, "has to begin with a slash");
    }
    let path = path.map_or_else(|| "/".to_owned(), |path| path.value);
    let identity = IdentityFiles::read(&mut section);
    let budget = budget(&mut section, &hosts);
    let content = content(&mut section, hosts.first().map_or(&name, |host| &host.value), trusted);
    section.done();
    Some(Site { place, name, hosts, path, identity, budget, content: content? })
}

fn budget(section: &mut Section<'_>, hosts: &[At<String>]) -> PartialBudget {
    let budget = PartialBudget {
        pushes: section.within("max_pushes", 0..=1024),
        push_bytes: section.value::<Size>("max_push_bytes").map(|size| size.0),
        hints: section.within("max_hints", 0..=1024),
    };
    let named = !hosts.is_empty() && !hosts.iter().any(|host| host.value.starts_with('*'));
    if budget != PartialBudget::default() && !named {
        section.problem(
            "a budget of its own is for a site with `hosts`, none of them with a *; else there are [push] and [hint]",
        );
    }
    budget
}

fn content(section: &mut Section<'_>, name: &str, trusted: &[IpNet]) -> Option<Content> {
    let upstream = section.has("upstream");
    if upstream && section.has("root") {
        section.problem("has both a `root` and an `upstream`; make two sites of it, with a `path` for one of them");
    }
    let needs = !upstream && !section.has("root");
    let root = section.get::<PathBuf>("root");
    if upstream {
        return upstreams::read(section, name, trusted).map(|upstream| Content::Upstream(Box::new(upstream)));
    }
    if needs {
        section.problem("needs a `root` (a directory) or an `upstream` (the address of an application)");
    }
    let files = files::read(section, root?);
    Some(Content::Files(Box::new(files)))
}

fn hosts(section: &mut Section<'_>) -> Vec<At<String>> {
    let mut hosts = Vec::new();
    for at in section.list::<String>("hosts").unwrap_or_default() {
        let host = at.value.trim_end_matches('.').to_ascii_lowercase();
        match host_problem(&host) {
            Some(problem) => section.problem_at(&at, format!("{:?} {problem}", at.value)),
            None => hosts.push(at.map(|_| host)),
        }
    }
    hosts
}

/// What keeps this from being the name of a host, or a wildcard.
fn host_problem(host: &str) -> Option<&'static str> {
    let name = host.strip_prefix("*.").unwrap_or(host);
    if name.parse::<std::net::IpAddr>().is_ok() {
        return None;
    }
    if name.contains("://") || name.contains('/') {
        return Some("is an address; only the name of the host belongs here");
    }
    if name.contains(':') && !name.starts_with('[') {
        return Some("has a port; sites are told apart by name only");
    }
    if name.contains('*') {
        return Some("has a * elsewhere than in front, as in *.example.org");
    }
    let label = |label: &str| {
        !label.is_empty() && label.len() <= 63 && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let bracketed = name.starts_with('[') && name.ends_with(']');
    if !bracketed && (name.len() > 253 || !name.split('.').all(label)) {
        return Some("is not the name of a host (international names go in their xn-- form)");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::host_problem;

    #[test]
    fn hosts() {
        for host in ["example.org", "*.example.org", "localhost", "192.0.2.1", "::1", "[::1]", "xn--bcher-kva.example"]
        {
            assert_eq!(host_problem(host), None, "{host}");
        }
        for host in ["", "a b", "https://a", "a/b", "a:443", "a.*.b", "*", "*a.b", "bücher.example", "a..b"] {
            assert!(host_problem(host).is_some(), "{host}");
        }
    }
}

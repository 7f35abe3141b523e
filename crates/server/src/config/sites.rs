//! `[[site]]`: which names are answered for, and from where.

use headstart_proxy::Forwarding;
use http::StatusCode;

use super::entries::{PartialBudget, RedirectEntry, SiteEntry};
use super::files::{self, Files};
use super::operation::IdentityFiles;
use super::place::{At, Place};
use super::problems::Problems;
use super::section::Section;
use super::table;
use super::upstreams::{self, Upstream};
use crate::redirect::{Redirect, Wrong};

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
    pub(crate) identity: IdentityFiles,
    /// Whether requests without TLS are redirected to `https`, and where that was said.
    pub(crate) https: Option<At<bool>>,
    /// Whether browsers are told to use `https` alone.
    pub(crate) hsts: bool,
    /// The first that matches counts.
    pub(crate) redirects: Vec<Redirect>,
    /// How much a page of these hosts may send early, if not what `[push]` and `[hint]` say.
    pub(crate) budget: PartialBudget,
    pub(crate) content: Content,
}

/// The source of a site's responses.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    Files(Box<Files>),
    Upstream(Box<Upstream>),
}

/// Reads the tables `site`; `forwarding` says which proxies are in front of all of them.
pub(super) fn read(root: &mut Section<'_>, forwarding: &Forwarding, problems: &Problems) -> Vec<Site> {
    let Some(sections) = root.sections("site") else { return Vec::new() };
    let sites: Vec<Site> = sections.into_iter().filter_map(|section| one(section, forwarding, problems)).collect();
    for (number, site) in sites.iter().enumerate() {
        for other in sites.get(..number).unwrap_or_default() {
            both(other, site, problems);
        }
    }
    sites
}

/// Reports what two sites must not share.
fn both(first: &Site, second: &Site, problems: &Problems) {
    if first.path.trim_end_matches('/') != second.path.trim_end_matches('/') {
        return;
    }
    for host in &second.hosts {
        if first.hosts.iter().any(|other| other.value == host.value) {
            let message = format!("{} with the path {} is answered by {} already", host.value, second.path, first.name);
            problems.add_at(host, message);
        }
    }
    if first.hosts.is_empty() && second.hosts.is_empty() {
        let message = format!("has neither hosts nor a path of its own, and neither has {}", first.name);
        problems.add(&second.place, &*second.name, message);
    }
}

fn one(mut section: Section<'_>, forwarding: &Forwarding, problems: &Problems) -> Option<Site> {
    let place = section.place().clone();
    let name = section.name_of("").trim_end_matches('.').to_owned();
    let (has_root, has_upstream) = (section.has("root"), section.has("upstream"));
    match (has_root, has_upstream) {
        (true, true) => {
            section.problem("has both a `root` and an `upstream`; make two sites of it, with a `path` for one of them");
        }
        (false, false) => {
            section.problem("needs a `root` (a directory) or an `upstream` (the address of an application)");
        }
        _ => {}
    }
    let mut entry = SiteEntry::default();
    for group in [table::site(), table::directory(), table::application()] {
        group.read_keys(&mut section, &mut entry);
    }
    entry.identity.check(problems);
    if let Some(path) = entry.path.as_ref().filter(|path| !path.value.starts_with('/')) {
        problems.add_at(path, "has to begin with a slash");
    }
    let path = entry.path.map_or_else(|| "/".to_owned(), |path| path.value);
    let hosts = hosts(entry.hosts, problems);
    let named = !hosts.is_empty() && !hosts.iter().any(|host| host.value.starts_with('*'));
    if entry.budget != PartialBudget::default() && !named {
        section.problem(
            "a budget of its own is for a site with `hosts`, none of them with a *; else there are [push] and [hint]",
        );
    }
    let content = if has_upstream {
        let name = hosts.first().map_or(&name, |host| &host.value);
        upstreams::read(&mut section, &entry.upstream, name, &path, forwarding)
            .map(|of| Content::Upstream(Box::new(of)))
    } else {
        entry.root.map(|root| Content::Files(Box::new(files::read(&mut section, root))))
    };
    let redirects = redirects(&mut section, problems);
    section.done();
    let https = entry.https.filter(|https| https.value);
    let (identity, budget, strict) = (entry.identity, entry.budget, entry.hsts);
    Some(Site { place, name, hosts, path, identity, https, hsts: strict, redirects, budget, content: content? })
}

fn redirects(section: &mut Section<'_>, problems: &Problems) -> Vec<Redirect> {
    let mut redirects = Vec::new();
    for mut section in section.sections("redirect").unwrap_or_default() {
        if !section.has("from") || !section.has("to") {
            section.problem("needs a `from` (a pattern of paths) and a `to`");
        }
        let mut entry = RedirectEntry::default();
        table::redirect().read_keys(&mut section, &mut entry);
        section.done();
        let status = u16::try_from(entry.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
        let (Some(from), Some(to), Some(status)) = (entry.from, entry.to, status) else { continue };
        match Redirect::new(&from.value, &to.value, status) {
            Ok(redirect) => redirects.push(redirect),
            Err(wrong) => {
                let at = if matches!(wrong, Wrong::From(_)) { &from } else { &to };
                problems.add_at(at, format!("{:?} {wrong}", at.value));
            }
        }
    }
    redirects
}

fn hosts(written: Vec<At<String>>, problems: &Problems) -> Vec<At<String>> {
    let mut hosts = Vec::new();
    for at in written {
        let host = at.value.trim_end_matches('.').to_ascii_lowercase();
        match host_problem(&host) {
            Some(problem) => problems.add_at(&at, format!("{:?} {problem}", at.value)),
            None => hosts.push(at.map(|_| host)),
        }
    }
    hosts
}

/// The reason why this is not the name of a host, or a wildcard.
pub(super) fn host_problem(host: &str) -> Option<&'static str> {
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

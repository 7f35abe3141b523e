//! `[tls.acme]`: whose certificates can be ordered (RFC 8555).

use std::path::Path;

use anyhow::Context as _;

use super::listeners::Listen;
use super::operation::{Acme, LETSENCRYPT};
use super::place::At;
use super::problems::Problems;
use super::sites::{Site, host_problem};

/// Authorities by name.
const KNOWN: [(&str, &str); 2] =
    [("letsencrypt", LETSENCRYPT), ("letsencrypt-staging", "https://acme-staging-v02.api.letsencrypt.org/directory")];

/// Bytes of a key: HMAC with SHA-256 takes 32, and some authorities give 64.
const MAX_BINDING_KEY: usize = 1024;

impl Acme {
    /// Finds what cannot be ordered, and fills in whose certificates are meant.
    pub(in crate::config) fn check(&mut self, listen: &[Listen], sites: &[Site], problems: &Problems) {
        self.url(problems);
        self.check_binding(problems);
        for contact in &mut self.contact {
            contact.value = contact.value.trim_start_matches("mailto:").to_owned();
            if !contact.value.contains('@') || contact.value.contains([' ', ',', '?']) {
                problems.add_at(contact, format!("{:?} is not the address of a mailbox", contact.value));
            }
        }
        if self.domains.is_empty() {
            let open = sites.iter().filter(|site| site.identity.pair().is_none());
            self.domains = open.flat_map(|site| site.hosts.iter().cloned()).collect();
            self.domains.retain(|host| is_public_name(&host.value));
        } else {
            for domain in &mut self.domains {
                domain.value = domain.value.trim_end_matches('.').to_ascii_lowercase();
            }
            self.domains.iter().for_each(|domain| check_domain(domain, sites, problems));
        }
        self.domains.sort_by(|a, b| a.value.cmp(&b.value));
        self.domains.dedup_by(|a, b| a.value == b.value);
        if self.domains.is_empty() {
            let message = "names no domain, and no site without a certificate has a host that one could be ordered for";
            problems.add(&self.place, &*self.name, message);
        }
        if !listen.is_empty() && !listen.iter().any(|listen| listen.tls) {
            problems.add(&self.place, &*self.name, "is of no use: no listener has TLS");
        }
    }

    /// Who an account is bound to, and the key that shows it.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or holds no key.
    pub(crate) fn binding(&self) -> anyhow::Result<Option<(String, Vec<u8>)>> {
        let (Some(id), Some(key)) = (&self.binding_id, &self.binding_key) else { return Ok(None) };
        Ok(Some((id.value.clone(), read_binding_key(&key.value)?)))
    }

    fn check_binding(&self, problems: &Problems) {
        match (&self.binding_id, &self.binding_key) {
            (Some(id), None) => problems.add_at(id, "needs the key that belongs to it: `binding_key`"),
            (None, Some(key)) => problems.add_at(key, "needs the identifier that it belongs to: `binding_id`"),
            (Some(_), Some(key)) => {
                if let Err(error) = read_binding_key(&key.value) {
                    problems.add_at(key, format!("{error:#}"));
                }
            }
            (None, None) => {}
        }
    }

    fn url(&mut self, problems: &Problems) {
        let Some(said) = &self.directory else { return };
        if let Some((_, url)) = KNOWN.iter().find(|(name, _)| *name == said.value) {
            (*url).clone_into(&mut self.authority);
            return;
        }
        let is_https = |uri: http::Uri| uri.scheme_str() == Some("https") && uri.host().is_some();
        if said.value.parse::<http::Uri>().is_ok_and(is_https) {
            self.authority.clone_from(&said.value);
        } else {
            let names = KNOWN.map(|(name, _)| name).join(", ");
            problems.add_at(said, format!("{:?} is neither an https:// URL nor one of {names}", said.value));
        }
    }
}

/// The key of a file, which authorities show as base64url.
fn read_binding_key(path: &Path) -> anyhow::Result<Vec<u8>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let key = headstart::gcs::from_base64url_lenient(text.trim(), MAX_BINDING_KEY).ok().filter(|key| key.len() >= 16);
    key.with_context(|| format!("{} holds no key of an authority: it is one line of base64url", path.display()))
}

fn check_domain(domain: &At<String>, sites: &[Site], problems: &Problems) {
    let name = &domain.value;
    if name.contains('*') {
        let why = "is a wildcard, which takes a change of the DNS to prove: name each host";
        problems.add_at(domain, format!("{name:?} {why}"));
    } else if let Some(why) = host_problem(name) {
        problems.add_at(domain, format!("{name:?} {why}"));
    } else if !is_public_name(name) {
        problems.add_at(domain, format!("{name:?} is no public name, which a certificate could be ordered for"));
    } else if !sites.iter().any(|site| answers(site, name)) {
        problems.add_at(domain, format!("no site answers for {name}"));
    }
}

fn answers(site: &Site, name: &str) -> bool {
    let is = |host: &str| match host.strip_prefix('*') {
        Some(below) => name.ends_with(below) && name.len() > below.len(),
        None => host == name,
    };
    site.hosts.is_empty() || site.hosts.iter().any(|host| is(&host.value))
}

/// A name of at least two labels; no address, no wildcard.
fn is_public_name(name: &str) -> bool {
    name.contains('.') && !name.contains(['*', '[', ':']) && name.parse::<std::net::IpAddr>().is_err()
}

//! Facts that a registry shows of a crate, and the licences that its package has to hold.

use std::path::Path;

use super::Finding;
use crate::metadata::Package;

/// Both texts lie in each package, as links to those of the repository.
const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

pub(super) fn check(members: &[Package]) -> Vec<Finding> {
    let published = members.iter().filter(|member| member.published);
    published.flat_map(|member| missing(member, |name| member.directory().join(name).is_file())).collect()
}

fn missing(member: &Package, has: impl Fn(&str) -> bool) -> Vec<Finding> {
    let fields = member.unsaid.iter().map(|field| format!("its manifest has no {field}"));
    let licences = LICENCES.iter().filter(|name| !has(name)).map(|name| format!("no {name} in its package"));
    fields.chain(licences).map(|what| Finding::new(&member.name, what)).collect()
}

impl Package {
    pub(crate) fn directory(&self) -> &Path {
        self.manifest.parent().unwrap_or(&self.manifest)
    }
}

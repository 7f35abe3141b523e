//! An edge between crates goes strictly down. ARCHITECTURE.md has the drawing.

use super::Finding;
use crate::metadata::Package;
use std::collections::BTreeSet;

/// Every member of the workspace, and the members that it may depend on in any way.
///
/// A new edge is the rarest kind of change: it needs a paragraph in ARCHITECTURE.md.
const EDGES: &[(&str, &[&str])] = &[
    ("headstart", &["headstart-gcs", "headstart-h2", "headstart-learn"]),
    ("headstart-benches", &["headstart", "headstart-gcs", "headstart-h2", "headstart-learn"]),
    ("headstart-examples", &["headstart", "headstart-gcs", "headstart-h2", "headstart-learn"]),
    ("headstart-fleet", &["headstart-learn"]),
    ("headstart-gcs", &[]),
    ("headstart-h2", &[]),
    ("headstart-learn", &[]),
    ("headstart-server", &["headstart", "headstart-fleet"]),
    ("xtask", &[]),
];

/// These decide and do not act: nothing of the network gets linked into them.
const PURE: &[&str] = &["headstart-gcs", "headstart-learn"];
const NETWORK: &[&str] = &["h2", "http", "hyper", "rustls", "tokio"];

/// What a library must not choose for the program that uses it.
const LIBRARIES: &[&str] = &["headstart", "headstart-fleet", "headstart-gcs", "headstart-h2", "headstart-learn"];
const FOR_PROGRAMS: &[&str] = &[
    "anyhow",
    "clap",
    "color-eyre",
    "env_logger",
    "eyre",
    "fern",
    "flexi_logger",
    "simple_logger",
    "tracing-subscriber",
];

pub(super) fn check(members: &[Package]) -> Vec<Finding> {
    let names: BTreeSet<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let mut findings = Vec::new();
    for member in members {
        let name = member.name.as_str();
        let Some((_, allowed)) = EDGES.iter().find(|(of, _)| *of == name) else {
            findings.push(Finding::new(name, "has no place in the layers (xtask/src/tidy/layers.rs)"));
            continue;
        };
        let ours = member.direct.iter().filter(|dep| names.contains(dep.as_str()));
        for dep in ours.filter(|dep| !allowed.contains(&dep.as_str())) {
            findings.push(Finding::new(name, format!("must not depend on {dep}: edges go strictly down")));
        }
        findings.extend(unwanted(member, PURE, NETWORK, "it knows nothing of the network"));
        findings.extend(unwanted(member, LIBRARIES, FOR_PROGRAMS, "a library leaves this choice to the program"));
    }
    findings
}

fn unwanted<'a>(member: &'a Package, whose: &[&str], what: &'a [&str], why: &'a str) -> impl Iterator<Item = Finding> {
    let applies = whose.contains(&member.name.as_str());
    let found = what.iter().filter(move |dep| applies && member.linked.contains(**dep));
    found.map(move |dep| Finding::new(&member.name, format!("links {dep}: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, direct: &[&str], linked: &[&str]) -> Package {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Package {
            name: name.to_owned(),
            manifest: "Cargo.toml".into(),
            rust_version: None,
            published: true,
            benches: Vec::new(),
            direct: set(direct),
            linked: set(linked),
        }
    }

    fn findings_for(package: Package) -> usize {
        let others = ["headstart", "headstart-h2", "headstart-learn"].map(|name| self::package(name, &[], &[]));
        let mut all = vec![package];
        all.extend(others);
        check(&all).len()
    }

    #[test]
    fn edges_go_down_only() {
        assert_eq!(findings_for(package("headstart-gcs", &["siphasher"], &["siphasher"])), 0);
        assert_eq!(findings_for(package("headstart-gcs", &["headstart-learn"], &[])), 1);
        assert_eq!(findings_for(package("xtask", &["headstart"], &[])), 1);
        assert_eq!(findings_for(package("headstart-server", &["headstart"], &["clap", "tokio"])), 0);
        assert_eq!(findings_for(package("headstart-newcomer", &[], &[])), 1);
    }

    #[test]
    fn pure_crates_link_no_network_and_libraries_no_program_parts() {
        assert_eq!(findings_for(package("headstart-gcs", &["x"], &["x", "tokio", "http"])), 2);
        assert_eq!(findings_for(package("headstart-gcs", &[], &["anyhow"])), 1);
    }
}

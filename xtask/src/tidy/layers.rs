//! An edge between crates goes strictly down. ARCHITECTURE.md has the drawing.

use super::Finding;
use crate::metadata::Package;
use std::collections::BTreeSet;

/// Every member of the workspace, and the members that it may depend on in any way.
///
/// A new edge is the rarest kind of change: it needs a paragraph in ARCHITECTURE.md.
const EDGES: &[(&str, &[&str])] = &[
    (
        "headstart",
        &[
            "headstart-fleet",
            "headstart-gcs",
            "headstart-h2",
            "headstart-learn",
            "headstart-markup",
            "headstart-policy",
        ],
    ),
    (
        "headstart-benches",
        &[
            "headstart",
            "headstart-fleet",
            "headstart-gain",
            "headstart-gcs",
            "headstart-h2",
            "headstart-learn",
            "headstart-markup",
            "headstart-policy",
            "headstart-proxy",
        ],
    ),
    (
        "headstart-examples",
        &["headstart", "headstart-gcs", "headstart-h2", "headstart-learn", "headstart-markup", "headstart-policy"],
    ),
    (
        "headstart-laws",
        &[
            "headstart",
            "headstart-coding",
            "headstart-files",
            "headstart-fleet",
            "headstart-gain",
            "headstart-gcs",
            "headstart-h2",
            "headstart-learn",
            "headstart-markup",
            "headstart-policy",
            "headstart-proxy",
        ],
    ),
    ("headstart-coding", &[]),
    ("headstart-fleet", &["headstart-learn"]),
    ("headstart-files", &["headstart-coding", "headstart-policy"]),
    ("headstart-gain", &[]),
    ("headstart-gcs", &[]),
    ("headstart-h2", &["headstart-policy"]),
    ("headstart-learn", &[]),
    ("headstart-markup", &[]),
    ("headstart-policy", &[]),
    // Its tests put it behind the facade, as the program does.
    ("headstart-proxy", &["headstart", "headstart-coding", "headstart-policy"]),
    (
        "headstart-server",
        &["headstart", "headstart-coding", "headstart-files", "headstart-gain", "headstart-policy", "headstart-proxy"],
    ),
    (TESTKIT, &[]),
    ("xtask", &[]),
];

/// Clients, frames and launchers for the tests of every crate; nothing that is built for others links it.
const TESTKIT: &str = "testkit";
const ALL_TESTS: &str = "headstart-benches";

/// These decide and do not act: nothing of the network gets linked into them.
const PURE: &[&str] = &["headstart-gain", "headstart-gcs", "headstart-learn"];
/// So do these, in the vocabulary of HTTP.
const WITHOUT_IO: &[&str] = &["headstart-markup", "headstart-policy"];
const IO: &[&str] = &["h2", "hyper", "rustls", "tokio"];
const NETWORK: &[&str] = &["h2", "http", "hyper", "rustls", "tokio"];

/// Choices that a library must not make for the program that uses it.
const LIBRARIES: &[&str] = &[
    "headstart",
    "headstart-coding",
    "headstart-files",
    "headstart-fleet",
    "headstart-gain",
    "headstart-gcs",
    "headstart-h2",
    "headstart-learn",
    "headstart-markup",
    "headstart-policy",
    "headstart-proxy",
];
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
        let ours = member.direct.iter().filter(|dep| names.contains(dep.as_str()) && *dep != TESTKIT && *dep != name);
        for dep in ours.filter(|dep| !allowed.contains(&dep.as_str())) {
            findings.push(Finding::new(name, format!("must not depend on {dep}: edges go strictly down")));
        }
        findings.extend(unwanted(member, PURE, NETWORK, "it knows nothing of the network"));
        findings.extend(unwanted(member, WITHOUT_IO, IO, "it does no I/O"));
        let testkit = member.direct.contains(TESTKIT);
        if name == "xtask" && testkit {
            findings.push(Finding::new(name, "imports none of ours, so that it builds when they do not"));
        }
        if name != ALL_TESTS && member.linked.contains(TESTKIT) {
            findings.push(Finding::new(name, format!("links {TESTKIT}: it is for tests, as a dev-dependency")));
        }
        findings.extend(unwanted(member, LIBRARIES, FOR_PROGRAMS, "a library leaves this choice to the program"));
    }
    findings
}

/// A crate that the table names and the workspace does not have.
pub(super) fn check_table(members: &[Package]) -> Vec<Finding> {
    let is_there = |name: &str| members.iter().any(|member| member.name == name);
    let named = EDGES.iter().flat_map(|(of, on)| std::iter::once(of).chain(*on));
    let named: BTreeSet<&str> = named.chain(PURE).chain(WITHOUT_IO).chain(LIBRARIES).copied().collect();
    let absent = named.into_iter().filter(|name| !is_there(name));
    absent
        .map(|name| Finding::new("xtask/src/tidy/layers.rs", format!("names {name}, which is no crate here")))
        .collect()
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
            unsaid: Vec::new(),
            benches: Vec::new(),
            roots: Vec::new(),
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
    fn the_table_names_crates_that_are_there() {
        let all: Vec<Package> = EDGES.iter().map(|(name, _)| package(name, &[], &[])).collect();
        assert_eq!(check_table(&all), []);
        let missing = check_table(&all[1..]);
        assert!(missing.len() == 1 && missing[0].what.contains(EDGES[0].0), "{missing:?}");
    }

    #[test]
    fn the_testkit_is_for_tests() {
        let with_testkit = |name, linked: &[&str]| {
            let all = [package(name, &["testkit"], linked), package("testkit", &[], &[])];
            check(&all).len()
        };
        assert_eq!(with_testkit("headstart-gcs", &[]), 0);
        assert_eq!(with_testkit("headstart-gcs", &["testkit"]), 1);
        assert_eq!(with_testkit("headstart-benches", &["testkit"]), 0);
        assert_eq!(with_testkit("xtask", &[]), 1);
    }

    #[test]
    fn pure_crates_link_no_network_and_libraries_no_program_parts() {
        assert_eq!(findings_for(package("headstart-gcs", &["x"], &["x", "tokio", "http"])), 2);
        assert_eq!(findings_for(package("headstart-gcs", &[], &["anyhow"])), 1);
    }
}

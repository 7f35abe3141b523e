//! What a library brings along: how many packages, itself counted, as each is something its users have to trust and to compile;
//! and no crypto provider of rustls, as an application that has one of its own would then have two.

use super::Finding;
use crate::shell;
use std::collections::BTreeSet;

/// A library, how it is taken, and the most packages that it may bring in a normal build.
const MOST: &[(&str, &[&str], usize)] =
    &[("headstart-gcs", &[], 2), ("headstart-learn", &[], 5), ("headstart", &["--no-default-features"], 45)];

/// Libraries that speak TLS.
const TLS: &[&str] = &["headstart", "headstart-fleet", "headstart-proxy"];
const PROVIDERS: &[&str] = &["aws-lc-rs", "ring"];

pub(super) fn check() -> Result<Vec<Finding>, String> {
    let mut findings = Vec::new();
    for (name, how, most) in MOST {
        let packages = packages(&tree(name, how)?).len();
        if packages > *most {
            let taken = [&[*name], *how].concat().join(" ");
            findings.push(Finding::new(taken, format!("{packages} packages, at most {most}")));
        }
    }
    for name in TLS {
        findings.extend(providers(name, &tree(name, &["--all-features"])?));
    }
    Ok(findings)
}

/// As those have it who depend on this one crate: without what others in the workspace turn on.
fn tree(name: &str, how: &[&str]) -> Result<String, String> {
    let mut tree = shell::cargo(["tree", "--package", name, "--edges", "normal", "--prefix", "none"]);
    shell::output(tree.args(how).env("CARGO_RESOLVER_FEATURE_UNIFICATION", "selected"))
}

/// Packages in what `cargo tree` prints: one a line, some of them several times.
fn packages(tree: &str) -> BTreeSet<&str> {
    tree.lines().map(|line| line.trim_end_matches(" (*)").trim()).filter(|line| !line.is_empty()).collect()
}

fn providers(name: &str, tree: &str) -> Vec<Finding> {
    let names = packages(tree).into_iter().filter_map(|line| line.split(' ').next());
    let chosen = names.filter(|name| PROVIDERS.contains(name));
    chosen.map(|provider| Finding::new(name, format!("brings {provider}: an application chooses its own"))).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_package_counts_once() {
        assert_eq!(super::packages("a v1.0.0 (/x)\nb v2.0.0\nc v3.0.0\nb v2.0.0 (*)\n").len(), 3);
    }

    #[test]
    fn a_library_chooses_no_crypto_provider() {
        assert_eq!(super::providers("a", "a v1.0.0 (/x)\nrustls v0.23.0\nstrings v1.0.0\n"), []);
        assert_eq!(super::providers("a", "a v1.0.0 (/x)\nring v0.17.0\naws-lc-rs v1.0.0\nring v0.17.0 (*)\n").len(), 2);
    }
}

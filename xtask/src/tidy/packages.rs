//! How many packages a library brings along, itself counted: each is something its users have to trust and to compile.

use super::Finding;
use crate::shell;
use std::collections::BTreeSet;

/// A library, how it is taken, and the most packages that it may bring in a normal build.
const MOST: &[(&str, &[&str], usize)] =
    &[("headstart-gcs", &[], 2), ("headstart-learn", &[], 5), ("headstart", &["--no-default-features"], 45)];

pub(super) fn check() -> Result<Vec<Finding>, String> {
    let mut findings = Vec::new();
    for (name, how, most) in MOST {
        let mut tree = shell::cargo(["tree", "--package", name, "--edges", "normal", "--prefix", "none"]);
        // As those have it who depend on this one crate: without what others in the workspace turn on.
        tree.args(*how).env("CARGO_RESOLVER_FEATURE_UNIFICATION", "selected");
        let packages = count(&shell::output(&mut tree)?);
        if packages > *most {
            let taken = [&[*name], *how].concat().join(" ");
            findings.push(Finding::new(taken, format!("{packages} packages, at most {most}")));
        }
    }
    Ok(findings)
}

/// Packages in what `cargo tree` prints: one a line, some of them several times.
fn count(text: &str) -> usize {
    let packages = text.lines().map(|line| line.trim_end_matches(" (*)").trim());
    packages.filter(|line| !line.is_empty()).collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_package_counts_once() {
        assert_eq!(super::count("a v1.0.0 (/x)\nb v2.0.0\nc v3.0.0\nb v2.0.0 (*)\n"), 3);
    }
}

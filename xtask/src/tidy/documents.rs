//! Facts that stand twice agree, links lead somewhere, every published crate has a README.

use super::{Finding, Source};
use crate::metadata::Package;
use std::collections::BTreeSet;
use std::path::Path;

/// README.md states the oldest Rust; each published crate has a README of its own.
pub(super) fn check_readmes(root: &Path, members: &[Package], sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let published = members.iter().filter(|member| member.published);
    for dir in published.filter_map(|member| member.manifest.parent()) {
        if !dir.join("README.md").is_file() {
            let place = dir.strip_prefix(root).unwrap_or(dir).display().to_string();
            findings.push(Finding::new(place, "no README.md"));
        }
    }
    let readme = sources.iter().find(|source| source.path == "README.md");
    let readme = readme.map_or("", |source| source.text.as_str());
    let versions: BTreeSet<_> = members.iter().map(|member| &member.rust_version).collect();
    for version in versions {
        match version {
            Some(version) if states_version(readme, version) => {}
            Some(version) => {
                let what = format!("does not say `Rust {version}`, the rust-version of the crates");
                findings.push(Finding::new("README.md", what));
            }
            None => findings.push(Finding::new("Cargo.toml", "a crate has no rust-version")),
        }
    }
    findings
}

fn states_version(readme: &str, version: &str) -> bool {
    let stated = format!("Rust {version}");
    readme.match_indices(&stated).any(|(at, _)| {
        let mut rest = readme[at + stated.len()..].chars();
        match rest.next() {
            Some('.') => !rest.next().is_some_and(|c| c.is_ascii_digit()),
            next => !next.is_some_and(|c| c.is_ascii_digit()),
        }
    })
}

/// Relative links between documents lead to files that exist.
pub(super) fn check_links(root: &Path, source: &Source) -> Vec<Finding> {
    if !source.is("md") {
        return Vec::new();
    }
    let dir = root.join(&source.path).parent().unwrap_or(root).to_path_buf();
    let broken = links(&source.text).filter(|link| !dir.join(link).exists());
    broken.map(|link| Finding::new(&source.path, format!("link to `{link}`, which is not there"))).collect()
}

/// Targets of Markdown links that name a file, without their anchors. Code blocks are left out.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    let prose = text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !fence && !in_code
    });
    let targets = prose.flat_map(|line| {
        line.match_indices("](")
            .filter_map(move |(at, open)| line[at + open.len()..].split_once(')').map(|(link, _)| link))
    });
    let here = targets.filter(|link| !link.contains("://") && !link.starts_with("mailto:"));
    let files = here.filter_map(|link| link.split('#').next());
    // What has neither is the name of an item, in Markdown that is documentation of a crate.
    files.filter(|link| link.contains(['.', '/']) && !link.contains("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_in_prose_only() {
        let text = "[a](b.md) and [c](d/e.md#f)\n[g](https://h.example/i.md) [j](#k)\n```\n[l](m.md)\n```\n[n](o.md) [p](Q) [r](S::t)\n";
        assert_eq!(links(text).collect::<Vec<_>>(), ["b.md", "d/e.md", "o.md"]);
    }

    #[test]
    fn a_broken_link_is_named() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let source = |text: &str| Source { path: "README.md".to_owned(), text: text.to_owned() };
        assert_eq!(check_links(root, &source("[x](src/main.rs)\n")), []);
        assert_eq!(check_links(root, &source("[x](src/absent.rs)\n")).len(), 1);
    }

    #[test]
    fn the_oldest_rust_is_stated_exactly() {
        assert!(states_version("needs Rust 1.88 or later", "1.88"));
        assert!(states_version("needs Rust 1.88.", "1.88"));
        assert!(!states_version("needs Rust 1.88.1", "1.88"));
        assert!(!states_version("needs Rust 1.880", "1.88"));
        assert!(!states_version("needs Rust 1.80", "1.88"));
    }
}

//! `[[rule]]`: what is always or never sent early, whatever is learned; here or in files of their own.

use std::path::PathBuf;

use headstart::Rule;

use super::entries::{As, RuleEntry};
use super::place::At;
use super::problems::Problems;
use super::section::Section;
use super::{table, tree};

/// A rule, and the names of the sites it is for, without ports; none is all.
#[derive(Clone, Debug)]
pub(crate) struct HostRule {
    pub(crate) rule: Rule,
    pub(crate) hosts: Vec<String>,
}

impl HostRule {
    /// The rule for the authorities that its names have on these ports.
    pub(crate) fn on(&self, ports: &[u16]) -> Rule {
        let of = |host: &String| authorities(host, ports);
        self.rule.clone().hosts(self.hosts.iter().flat_map(of))
    }
}

/// How clients may write the authority of a host: with and without its port.
pub(crate) fn authorities(host: &str, ports: &[u16]) -> Vec<String> {
    let with_port = ports.iter().map(|port| format!("{host}:{port}"));
    std::iter::once(host.to_owned()).chain(with_port).collect()
}

/// Reads the tables `rule`, and `files` that hold more of them.
pub(super) fn read(root: &mut Section<'_>, files: &[At<PathBuf>], problems: &Problems) -> Vec<HostRule> {
    let mut rules = tables(root);
    for file in files {
        rules.extend(read_file(file, problems));
    }
    rules
}

fn read_file(file: &At<PathBuf>, problems: &Problems) -> Vec<HostRule> {
    let text = match std::fs::read_to_string(&file.value) {
        Ok(text) => text,
        Err(error) => {
            problems.add_at(file, format!("cannot read the rules {}: {error}", file.value.display()));
            return Vec::new();
        }
    };
    // Its syntax errors silence only what is said of the same lines of the same file.
    let own = Problems::default();
    let mut section = Section::root(tree::parse(&file.value, text, &own), &own);
    let rules = tables(&mut section);
    section.done();
    problems.take(own);
    rules
}

fn tables(section: &mut Section<'_>) -> Vec<HostRule> {
    section.sections("rule").unwrap_or_default().into_iter().flat_map(one).collect()
}

/// One table can name several pages and assets: a rule for each pair.
fn one(mut section: Section<'_>) -> Vec<HostRule> {
    for (key, message) in [
        ("action", "needs an `action`: send, push, hint, never_push, never_hint or never"),
        ("assets", "needs `assets`: a pattern of paths, or what is always sent"),
    ] {
        if !section.has(key) {
            section.problem(message);
        }
    }
    let mut entry = RuleEntry::default();
    if !section.has("pages") {
        entry.pages.push(At { value: "**".to_owned(), place: section.place().clone(), key: section.name_of("pages") });
    }
    table::rule().read_keys(&mut section, &mut entry);
    let hosts: Vec<_> = entry.hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
    let mut rules = Vec::new();
    for page in &entry.pages {
        for asset in &entry.assets {
            let Some(action) = entry.action else { continue };
            match Rule::new(action, &page.value, &asset.value) {
                Ok(rule) => {
                    let rule = match &entry.destination {
                        Some(As(destination)) => rule.destination(*destination),
                        None => rule,
                    };
                    rules.push(HostRule { rule, hosts: hosts.clone() });
                }
                Err(error) => {
                    let of_page = error.to_string().starts_with(&format!("{:?}:", page.value));
                    section.problem_at(if of_page { page } else { asset }, error.to_string());
                }
            }
        }
    }
    section.done();
    rules
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn check(text: &str) -> (usize, Vec<String>) {
        let problems = Problems::default();
        let mut root = Section::root(tree::parse(Path::new("x"), text.into(), &problems), &problems);
        let files = root.list("rules").unwrap_or_default();
        let rules = read(&mut root, &files, &problems);
        root.done();
        (rules.len(), problems.into_sorted().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_rule_for_each_pair() {
        let text = "[[rule]]\naction = \"never_push\"\npages = [\"/a/**\", \"/b\"]\nassets = [\"*.mp4\", \"/x/**\"]\n\
                    [[rule]]\naction = \"send\"\nassets = \"/app.css\"\nhosts = [\"A.example\"]\nas = \"style\"\n";
        assert_eq!(check(text), (5, Vec::new()));
    }

    #[test]
    fn mistakes() {
        for (text, expected) in [
            ("[[rule]]\nassets = \"/x\"", "x:1:1: rule[1]: needs an `action`"),
            ("[[rule]]\naction = \"sned\"\nassets = \"/x\"", "x:2:10: rule[1].action: \"sned\" is not one of"),
            ("[[rule]]\naction = \"never\"", "x:1:1: rule[1]: needs `assets`"),
            ("[[rule]]\naction = \"never\"\nassets = \"/[\"", "x:3:10: rule[1].assets: \"/[\""),
            ("[[rule]]\naction = \"never\"\npages = \"/[\"\nassets = \"/x\"", "x:3:9: rule[1].pages: \"/[\""),
            ("[[rule]]\naction = \"send\"\nassets = \"*.css\"", "x:3:10: rule[1].assets: \"*.css\""),
            ("[[rule]]\naction = \"send\"\nassets = \"/a\"\nas = \"stile\"", "x:4:6: rule[1].as: \"stile\""),
            ("[[rule]]\naction = \"never\"\nasset = \"/a\"", "rule[1].asset: no such setting; did you mean `assets`?"),
            ("rules = \"none.toml\"", "x:1:9: rules: cannot read the rules none.toml"),
        ] {
            let (_, problems) = check(text);
            assert!(problems.iter().any(|problem| problem.contains(expected)), "{text}: {problems:?}");
        }
    }

    #[test]
    fn files_of_their_own() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("rules.toml");
        std::fs::write(&file, "[[rule]]\naction = \"never\"\nassets = \"*.map\"\n[[rule]]\naction = 1\n").unwrap();
        let (count, problems) = check(&format!("rules = {:?}", file.to_str().unwrap()));
        assert_eq!(count, 1);
        assert!(problems.iter().any(|problem| problem.contains("rules.toml:5:10: rule[2].action")), "{problems:?}");
    }

    #[test]
    fn names_with_and_without_ports() {
        assert_eq!(authorities("a.example", &[443, 8443]), ["a.example", "a.example:443", "a.example:8443"]);
    }
}

//! What a line of the project may not hold, and how long a file may be.

use super::{Finding, Source};

/// A file is one idea. Tables of data may be longer: list them in [`LONG`] with the reason.
const MAX_LINES: usize = 400;

/// Files that may be longer, each with its reason.
const LONG: &[(&str, &str)] = &[];

/// Written in two parts so that this file does not break its own rules.
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("TO", "DO"), "do it, or say in prose what is not done"),
    (concat!("FIX", "ME"), "mend it, or say in prose what is wrong"),
    (concat!("dbg", "!("), "left over from debugging"),
    (concat!("todo", "!("), "no stubs"),
    (concat!("unimplemented", "!("), "no stubs"),
    (concat!("#[ign", "ore"), "a test runs or is not there"),
];

/// Directories that exist on one person's machine only.
const MACHINE: &[&str] = &[concat!("/wo", "rk/"), concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/t", "mp/")];

/// The home directory of nobody, for examples and tests.
const EXAMPLE_HOME: &str = concat!("/ho", "me/a");

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    if source.is("rs") {
        findings.extend(check_length(source));
        findings.extend(check_unsafe(source));
    }
    for (number, line) in (1..).zip(source.text.lines()) {
        let place = || format!("{}:{number}", source.path);
        if line.ends_with([' ', '\t']) {
            findings.push(Finding::new(place(), "trailing whitespace"));
        }
        let words = FORBIDDEN.iter().filter(|(word, _)| line.contains(word));
        findings.extend(words.map(|(word, why)| Finding::new(place(), format!("`{word}`: {why}"))));
        let paths = MACHINE.iter().filter(|path| names_machine_path(line, path));
        findings.extend(paths.map(|path| Finding::new(place(), format!("`{path}` is a path of one machine"))));
    }
    if !source.text.is_empty() && !source.text.ends_with('\n') {
        findings.push(Finding::new(&source.path, "no newline at the end"));
    }
    findings
}

fn check_length(source: &Source) -> Option<Finding> {
    let lines = source.text.lines().count();
    let excused = LONG.iter().any(|(path, _)| *path == source.path);
    (lines > MAX_LINES && !excused)
        .then(|| Finding::new(&source.path, format!("{lines} lines, at most {MAX_LINES}: split it by idea")))
}

fn check_unsafe(source: &Source) -> Option<Finding> {
    let is_root = source.path.ends_with("src/lib.rs") || source.path.ends_with("src/main.rs");
    (is_root && !source.text.contains("#![forbid(unsafe_code)]"))
        .then(|| Finding::new(&source.path, "does not say #![forbid(unsafe_code)]"))
}

/// Whether `path` begins a path here, rather than being the middle of a longer one or of an address.
fn names_machine_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let is_middle = before.is_some_and(|c| c.is_alphanumeric() || "._-/}~%".contains(c));
        let of_nobody = line[at..].strip_prefix(EXAMPLE_HOME);
        !is_middle && of_nobody.is_none_or(|rest| rest.starts_with(char::is_alphanumeric))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&Source { path: path.to_owned(), text: text.to_owned() }).len()
    }

    #[test]
    fn each_rule_fires() {
        assert_eq!(count("a.md", "fine\n"), 0);
        assert_eq!(count("a.md", "space \n"), 1);
        assert_eq!(count("a.md", "no end"), 1);
        for (word, _) in FORBIDDEN {
            assert_eq!(count("a.rs", &format!("// {word} x\n")), 1, "{word}");
        }
        assert_eq!(count("a.rs", &"\n".repeat(MAX_LINES)), 0);
        assert_eq!(count("a.rs", &"\n".repeat(MAX_LINES + 1)), 1);
        assert_eq!(count("crates/x/src/lib.rs", "//! x\n"), 1);
        assert_eq!(count("crates/x/src/lib.rs", "#![forbid(unsafe_code)]\n"), 0);
    }

    #[test]
    fn machine_paths_are_told_from_others() {
        for path in MACHINE {
            assert_eq!(count("a.md", &format!("see `{path}x`\n")), 1, "{path}");
            assert_eq!(count("a.md", &format!("{path}x\n")), 1, "{path}");
            assert_eq!(count("a.md", &format!("https://example.org{path}x\n")), 0, "{path}");
            assert_eq!(count("a.md", &format!("/var{path}x\n")), 0, "{path}");
        }
        assert_eq!(count("a.md", "see /workshop.html\n"), 0);
    }
}

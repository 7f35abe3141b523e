//! `cargo xtask tidy`: the rules of CONTRIBUTING.md that a compiler does not check.
//!
//! It is also a test of this crate, so `cargo test` finds what the CI would.

mod circles;
mod documents;
mod figures;
mod layers;
mod modules;
mod packages;
mod publishing;
mod settings;
mod sources;
mod tokens;

use crate::{metadata, shell};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// One broken rule: where, and what is wrong.
#[derive(Debug, PartialEq)]
pub(crate) struct Finding {
    place: String,
    what: String,
}

impl Finding {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// A text file of the project.
struct Source {
    /// Relative to the workspace, with `/`.
    path: String,
    text: String,
}

impl Source {
    fn is(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|own| own == extension)
    }
}

/// Prints every circle of sibling modules, edge by edge, and their number.
pub(crate) fn show_circles() -> Result<(), String> {
    print!("{}", circles::describe(&metadata::members()?, &read_sources(&shell::root())?));
    Ok(())
}

pub(crate) fn run() -> Result<(), String> {
    let findings = findings()?;
    for finding in &findings {
        eprintln!("{finding}");
    }
    if findings.is_empty() {
        println!("tidy");
        return Ok(());
    }
    Err(format!("tidy: {} broken rules", findings.len()))
}

fn findings() -> Result<Vec<Finding>, String> {
    let root = shell::root();
    let members = metadata::members()?;
    let sources = read_sources(&root)?;
    let mut findings = layers::check(&members);
    findings.extend(layers::check_table(&members));
    findings.extend(packages::check()?);
    findings.extend(publishing::check(&members));
    findings.extend(circles::check(&members, &sources));
    for source in &sources {
        findings.extend(sources::check(source));
        findings.extend(documents::check_links(&root, source));
    }
    findings.extend(settings::check(&sources));
    findings.extend(documents::check_readmes(&root, &members, &sources));
    findings.extend(figures::check(&sources, figures::read_report(&root).as_deref()));
    Ok(findings)
}

/// Extensions of the files that people write and read here.
const TEXT: &[&str] = &["css", "html", "js", "md", "mjs", "rs", "sh", "toml", "yaml", "yml"];

/// Directories of things that are made, not written.
const MADE: &[&str] = &[".git", "artifacts", "corpus", "coverage", "node_modules", "target"];

fn read_sources(root: &Path) -> Result<Vec<Source>, String> {
    let mut sources = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(dir) = open.pop() {
        let entries = fs::read_dir(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() && !MADE.contains(&name.as_ref()) {
                open.push(path);
            } else if is_text(&path) {
                sources.extend(read(root, path)?);
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn is_text(path: &Path) -> bool {
    path.extension().is_some_and(|extension| TEXT.iter().any(|text| extension == *text))
}

/// `None` when the file went away since it was listed.
fn read(root: &Path, path: PathBuf) -> Result<Option<Source>, String> {
    let shown = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(Source { path: shown, text })),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{shown}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_workspace_is_tidy() {
        let findings = super::findings().expect("the workspace can be read");
        let lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "broken rules:\n{}", lines.join("\n"));
    }
}

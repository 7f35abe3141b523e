//! The place where a setting was written.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The source that settings were read from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file, and what stood in it.
    File { path: PathBuf, text: String },
    /// A flag (`--window`) or an environment variable (`HEADSTART_LEARN_WINDOW`).
    Named(String),
}

/// A place in a source. Cheap to clone; errors carry it to wherever they are found.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    source: Arc<Source>,
    /// Bytes from the start of a file.
    offset: usize,
}

/// Two settings are equal wherever they were written.
impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Place {
    pub(crate) fn new(source: &Arc<Source>, offset: usize) -> Self {
        Self { source: Arc::clone(source), offset }
    }

    pub(crate) fn named(name: impl Into<String>) -> Self {
        Self::new(&Arc::new(Source::Named(name.into())), 0)
    }

    /// The base of relative paths: the directory of the file, else the working directory.
    pub(crate) fn directory(&self) -> Option<&Path> {
        match &*self.source {
            Source::File { path, .. } => path.parent(),
            Source::Named(_) => None,
        }
    }

    /// Line and column, both from 1; the column counts characters. A flag has neither.
    pub(crate) fn position(&self) -> Option<(usize, usize)> {
        let Source::File { text, .. } = &*self.source else { return None };
        let before = text.get(..self.offset).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        Some((line, before.get(start..).unwrap_or_default().chars().count() + 1))
    }
}

/// A value that was understood, its place and the name of its key, for what can be found wrong later.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
    pub(crate) key: String,
}

impl<T> At<T> {
    pub(crate) fn new(value: T, place: Place, key: &str) -> Self {
        Self { value, place, key: key.to_owned() }
    }

    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> At<U> {
        At { value: change(self.value), place: self.place, key: self.key }
    }
}

/// `FILE:LINE:COLUMN`, or the name of the flag.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.source, self.position()) {
            (Source::File { path, .. }, Some((line, column))) => write!(f, "{}:{line}:{column}", path.display()),
            (Source::File { path, .. }, None) => write!(f, "{}", path.display()),
            (Source::Named(name), _) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions() {
        let text = "a = 1\nü = 2\n";
        let source = Arc::new(Source::File { path: "/etc/x.toml".into(), text: text.into() });
        let at = |offset| Place::new(&source, offset).to_string();
        assert_eq!(at(0), "/etc/x.toml:1:1");
        assert_eq!(at(4), "/etc/x.toml:1:5");
        assert_eq!(at(6), "/etc/x.toml:2:1");
        assert_eq!(at(8), "/etc/x.toml:2:2");
        assert_eq!(at(text.len()), "/etc/x.toml:3:1");
        assert_eq!(at(999), "/etc/x.toml:3:1");
        assert_eq!(Place::named("--window").to_string(), "--window");
        assert_eq!(Place::new(&source, 0).directory(), Some(Path::new("/etc")));
    }
}

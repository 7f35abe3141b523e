//! Why nothing was built.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::state::SnapshotError;

/// Why nothing was built.
#[derive(Debug)]
pub struct BuildError {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Setting { name: &'static str, problem: &'static str },
    Snapshot { error: SnapshotError, path: Option<PathBuf> },
    File { error: io::Error, path: PathBuf },
}

impl BuildError {
    pub(crate) fn setting(name: &'static str, problem: &'static str) -> Self {
        BuildError { kind: Kind::Setting { name, problem } }
    }

    pub(crate) fn snapshot(error: SnapshotError) -> Self {
        BuildError { kind: Kind::Snapshot { error, path: None } }
    }

    pub(crate) fn file(path: &Path, error: io::Error) -> Self {
        BuildError { kind: Kind::File { error, path: path.to_owned() } }
    }

    /// Says which file the snapshot came from.
    pub(crate) fn of_file(mut self, file: Option<PathBuf>) -> Self {
        if let Kind::Snapshot { path, .. } = &mut self.kind {
            *path = file;
        }
        self
    }

    /// Whether the snapshot is at fault: without it, building can succeed.
    pub fn is_snapshot(&self) -> bool {
        matches!(self.kind, Kind::Snapshot { .. })
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Setting { name, problem } => write!(f, "{name} {problem}"),
            Kind::Snapshot { error, path: None } => error.fmt(f),
            Kind::Snapshot { error, path: Some(path) } => write!(f, "{}: {error}", path.display()),
            Kind::File { error, path } => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // The text has theirs in it already.
        match &self.kind {
            Kind::Setting { .. } => None,
            Kind::Snapshot { error, .. } => error.source(),
            Kind::File { error, .. } => error.source(),
        }
    }
}

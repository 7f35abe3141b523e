//! The example site, for who has no other.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

/// The example site in the source tree that the program was built from.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/site");

/// The same as it was when the program was built: names and contents.
const BUILT_IN: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/example_site.rs"));

/// Where the example site is. Read from the source tree, where there is one, so that edits show at once; else written to a
/// temporary directory when it is first asked for, which is removed with this.
#[derive(Debug, Default)]
pub(crate) struct Example(OnceLock<Option<TempDir>>);

impl Example {
    /// Its directory; nowhere if no file can be written.
    pub(crate) fn root(&self) -> Option<PathBuf> {
        if let Ok(source) = Path::new(SOURCE).canonicalize() {
            return Some(source);
        }
        let written = self.0.get_or_init(|| write().map_err(|error| tracing::warn!("no example site: {error}")).ok());
        written.as_ref().map(|directory| directory.path().to_owned())
    }
}

fn write() -> io::Result<TempDir> {
    let directory = tempfile::Builder::new().prefix("headstart-example-").tempdir()?;
    for (name, content) in BUILT_IN {
        let path = directory.path().join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, content)?;
    }
    Ok(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_is_the_site_of_the_source_tree() {
        let written = write().unwrap();
        assert!(BUILT_IN.iter().any(|(name, _)| *name == "index.html") && BUILT_IN.len() > 10);
        for (name, _) in BUILT_IN {
            let [source, copy] = [Path::new(SOURCE), written.path()].map(|root| fs::read(root.join(name)).unwrap());
            assert!(source == copy, "{name}");
        }
        let path = written.path().to_owned();
        drop(written);
        assert!(!path.exists());
    }
}

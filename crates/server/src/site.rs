//! Which directory to serve.

use std::path::{Path, PathBuf};

use anyhow::bail;

/// The example site in the source tree that the program was built from.
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/site");

/// The directory that was named, or the example site.
///
/// The example is read from the source tree, so that edits show at once; it is not part of the program.
///
/// # Errors
///
/// If no directory was named and the program was carried away from its source tree.
pub(crate) fn directory(named: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    match named {
        Some(directory) => Ok(directory),
        None => match Path::new(EXAMPLE).canonicalize() {
            Ok(directory) => Ok(directory),
            Err(_) => {
                bail!("no directory to serve: the example site is not on this machine; say `headstart serve DIR`")
            }
        },
    }
}

//! The example site, for who has no other.

use std::path::{Path, PathBuf};

/// The example site in the source tree that the program was built from.
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/site");

/// Where the example site is; nowhere if the program was carried away from its source tree.
///
/// The example is read from the source tree, so that edits show at once; it is not part of the program.
pub(crate) fn example() -> Option<PathBuf> {
    Path::new(EXAMPLE).canonicalize().ok()
}

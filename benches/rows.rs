//! The rows that a benchmark leaves for the report of all of them.

use std::path::{Path, PathBuf};

/// The environment variable that names the file for the rows.
const VARIABLE: &str = "HEADSTART_BENCH_JSON";

/// Writes the rows, an array as JSON text, to the file that `HEADSTART_BENCH_JSON` names, if it is set.
///
/// # Panics
///
/// If it cannot be written.
pub fn write(json: &str) {
    if let Some(path) = std::env::var_os(VARIABLE).map(PathBuf::from) {
        std::fs::write(&path, json).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
    }
}

/// The path of a file that belongs to the report: beside the rows, or in `target/bench`.
///
/// # Panics
///
/// If the directory cannot be made.
pub fn beside(name: &str) -> PathBuf {
    let rows = std::env::var_os(VARIABLE).map(PathBuf::from);
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
    let directory = rows.and_then(|rows| Some(rows.parent()?.to_owned())).unwrap_or_else(default);
    std::fs::create_dir_all(&directory).unwrap_or_else(|error| panic!("cannot make {}: {error}", directory.display()));
    directory.join(name)
}

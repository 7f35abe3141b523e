//! How many files and sockets the program may have open, and what for.

use std::sync::{Arc, OnceLock};

use headstart::policy::Shares;

/// Descriptors that are kept for pages, upstreams, logs and listeners, unless that is more than a quarter of all.
const OTHERS: u64 = 1024;
/// Files that are streamed at once: one part in so many of all descriptors, and not more than [`MOST_FILES`].
const FILES: u64 = 8;
const MOST_FILES: u64 = 8192;

/// How the descriptors of the process are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Division {
    files: u64,
    connections: u64,
}

impl Division {
    fn of(descriptors: u64) -> Self {
        let files = (descriptors / FILES).min(MOST_FILES);
        let others = OTHERS.min(descriptors / 4);
        Division { files, connections: descriptors.saturating_sub(files + others).max(1) }
    }
}

/// Raises the soft limit to the hard one, for every connection is a descriptor. Returns a line if there is
/// room for fewer than `connections`.
pub(crate) fn raise(connections: u32) -> Option<String> {
    raise_limit();
    let room = room();
    (room < connections).then(|| {
        format!(
            "this process may open {} files: {room} connections at once, not {connections} (limits.max_connections); raise \
             the limit (`ulimit -n`, LimitNOFILE= of systemd)",
            current().unwrap_or(u64::MAX)
        )
    })
}

/// Connections that there are descriptors for.
pub(crate) fn room() -> u32 {
    current().map_or(u32::MAX, |all| u32::try_from(Division::of(all).connections).unwrap_or(u32::MAX))
}

/// The descriptors of files that are streamed, of all sites.
pub(crate) fn of_files() -> Arc<Shares> {
    static FILES: OnceLock<Arc<Shares>> = OnceLock::new();
    let files = FILES.get_or_init(|| {
        let files = current().map_or(MOST_FILES, |all| Division::of(all).files);
        Shares::new(usize::try_from(files).unwrap_or(1).max(1), 0)
    });
    Arc::clone(files)
}

#[cfg(unix)]
fn raise_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // It stays as it was where the system refuses.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

#[cfg(not(unix))]
fn raise_limit() {}

/// The soft limit, if there is one.
#[cfg(unix)]
fn current() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
fn current() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_pages_have_a_part_of_their_own() {
        assert_eq!(Division::of(1024), Division { files: 128, connections: 640 });
        assert_eq!(Division::of(20_000), Division { files: 2500, connections: 16_476 });
        assert_eq!(Division::of(0), Division { files: 0, connections: 1 });
    }
}

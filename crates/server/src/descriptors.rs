//! How many files and sockets the program may have open.

/// Descriptors beside those of connections: files, upstreams, listeners.
const OTHERS: u64 = 256;

/// Raises the soft limit to the hard one, for every connection is a descriptor, and a line about it if that is too little
/// for `connections`.
#[cfg(unix)]
pub(crate) fn raise(connections: u32) -> Option<String> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // It stays as it was where the system refuses.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let current = getrlimit(Resource::Nofile).current?;
    let wanted = u64::from(connections) + OTHERS;
    (current < wanted).then(|| {
        format!(
            "this process may open {current} files: too few for {connections} connections (limits.max_connections); raise \
             the limit (`ulimit -n`, LimitNOFILE= of systemd)"
        )
    })
}

#[cfg(not(unix))]
pub(crate) fn raise(_: u32) -> Option<String> {
    None
}

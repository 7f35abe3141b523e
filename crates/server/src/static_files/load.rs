//! Reading a file into a representation. Everything here may wait for the disk.

use std::fs::File;
use std::io::{self, Read as _};
use std::sync::Arc;
use std::time::SystemTime;

use super::open::{Found, Root};
use super::representation::{Representation, Stamp};

/// What a name turned out to be.
pub(super) enum Loaded {
    /// A file; `keep` holds its size in memory if it may be kept there.
    File { representation: Arc<Representation>, keep: Option<usize> },
    /// A directory, whose address ends in a slash.
    Directory,
    /// Nothing that is served.
    Absent,
    /// There, but the program may not read it.
    Forbidden,
    /// The system failed: too many open files, a broken disk.
    Failed(io::Error),
}

/// Reads `name`; into memory, if it has at most `max_file` bytes. What changed just before `now` is not to be kept.
pub(super) fn load(root: &Root, name: &str, max_file: u64, now: SystemTime) -> Loaded {
    let read = match root.open(name) {
        Ok(Found::File(file, metadata)) => read(file, Stamp::of(&metadata), name, max_file, now),
        Ok(Found::Directory) => return Loaded::Directory,
        Ok(Found::Special) => return Loaded::Absent,
        Err(error) => Err(error),
    };
    match read {
        Ok((representation, keep)) => Loaded::File { representation: Arc::new(representation), keep },
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename => Loaded::Absent,
            io::ErrorKind::PermissionDenied => Loaded::Forbidden,
            _ => Loaded::Failed(error),
        },
    }
}

fn read(
    mut file: File,
    before: Stamp,
    name: &str,
    max_file: u64,
    now: SystemTime,
) -> io::Result<(Representation, Option<usize>)> {
    if before.len > max_file {
        return Ok((Representation::on_disk(name, file, before, now), None));
    }
    let mut content = Vec::with_capacity(usize::try_from(before.len).unwrap_or(0));
    (&mut file).take(max_file).read_to_end(&mut content)?;
    let after = Stamp::of(&file.metadata()?);
    // Content that somebody is writing is served as it was found, and read again by the next request.
    let keep = (before == after && after.is_settled(now)).then_some(content.len());
    content.shrink_to_fit();
    Ok((Representation::in_memory(name, content.into(), after, now), keep))
}

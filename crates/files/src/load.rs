//! Reading a file and its compressed siblings. Everything here may wait for the disk.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use super::config::Config;
use super::entry::Entry;
use super::head::Kind;
use super::open::{Found, Root};
use super::open_files::OpenFiles;
use super::read_permits::ReadPermits;
use super::representation::{Content, Representation};
use super::stamp::Stamp;
use headstart_coding::Coding;

/// From here on a file is a large one, bytes: no more of it is held for a response than while it is streamed.
const LARGE: u64 = 64 << 10;

/// Permits to read, and the results of other readers.
#[derive(Clone, Copy)]
pub(super) struct Readers<'a> {
    pub(super) permits: &'a ReadPermits,
    /// Those that are streamed, and who asks.
    pub(super) files: &'a Arc<OpenFiles>,
    pub(super) client: Option<IpAddr>,
    /// The entry that is now in memory for the path.
    pub(super) again: &'a dyn Fn() -> Option<Arc<Entry>>,
    /// Puts it there, before the permit of the next one comes.
    pub(super) keep: &'a dyn Fn(&Arc<Entry>),
}

/// The kind of thing that a name turned out to be.
pub(super) enum Loaded {
    /// A file; `keep` says whether it may be kept in memory.
    File { entry: Arc<Entry>, keep: bool },
    /// A directory, whose address ends in a slash.
    Directory,
    /// Nothing that is served.
    Absent,
    /// There, but the program may not read it.
    Forbidden,
    /// Too many files are open, in all or by this client.
    Busy,
    /// The system failed: a broken disk.
    Failed(io::Error),
}

/// Reads what `path` names: a file, its page (`about.html` for `about`), or for a path that is empty or ends in a slash the first index file that is there.
pub(super) fn load(root: &Root, path: &str, config: &Config, readers: Readers<'_>) -> Loaded {
    let now = (config.now)();
    if !path.is_empty() && !path.ends_with('/') {
        // Seen before it is opened: if it comes in between, it is found by the next look.
        let stamp = root.stamp(path);
        return match load_file(root, path, config, now, Vec::new(), readers) {
            Loaded::Absent if stamp.is_none() => {
                load_file(root, &format!("{path}.html"), config, now, vec![(path.to_owned(), None)], readers)
            }
            found => found,
        };
    }
    let mut depends = Vec::new();
    for index in &config.index {
        let name = format!("{path}{index}");
        // Seen before it is opened: if it comes in between, it is found by the next look.
        let stamp = root.stamp(&name);
        match load_file(root, &name, config, now, depends.clone(), readers) {
            Loaded::Absent | Loaded::Directory => depends.push((name, stamp)),
            found => return found,
        }
    }
    Loaded::Absent
}

fn load_file(
    root: &Root,
    name: &str,
    config: &Config,
    now: SystemTime,
    depends: Vec<(String, Option<Stamp>)>,
    readers: Readers<'_>,
) -> Loaded {
    let read = match root.open(name) {
        Ok(Found::File(file, metadata)) => {
            read(root, (file, Stamp::of(&metadata)), name, config, now, depends, readers)
        }
        Ok(Found::Directory) => return Loaded::Directory,
        Ok(Found::Special) => return Loaded::Absent,
        Err(error) => Err(error),
    };
    match read {
        Ok((entry, keep)) => Loaded::File { entry, keep },
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename => Loaded::Absent,
            io::ErrorKind::PermissionDenied => Loaded::Forbidden,
            _ if readers.files.are_short(&error) => Loaded::Busy,
            _ => Loaded::Failed(error),
        },
    }
}

fn read(
    root: &Root,
    (file, stamp): (File, Stamp),
    name: &str,
    config: &Config,
    now: SystemTime,
    mut depends: Vec<(String, Option<Stamp>)>,
    readers: Readers<'_>,
) -> io::Result<(Arc<Entry>, bool)> {
    let in_memory = belongs_in_memory(stamp, config, now);
    let permit = if in_memory && stamp.len >= LARGE { readers.permits.take(name) } else { None };
    if permit.is_some()
        && let Some(entry) = (readers.again)()
    {
        return Ok((entry, true));
    }
    let mut kind = Kind::of(name, config);
    let limit = in_memory.then_some(config.max_file);
    let (content, stamp, mut keep) = take(name, file, stamp, limit, now, readers)?;
    if let Content::Memory(bytes) = &content {
        kind.settle_charset(bytes);
    }
    depends.push((name.to_owned(), Some(stamp)));

    let can_compress = in_memory && keep && kind.compressible && config.compress.is_some();
    let may_compress = can_compress && stamp.len >= config.compress_from;
    let encoded = [const { OnceLock::new() }; 3];
    let mut siblings = Vec::new();
    for (coding, form) in Coding::ALL.into_iter().zip(&encoded) {
        let mut sibling = None;
        if config.precompressed && kind.own_coding.is_none() && !has_coding_extension(name) {
            let sibling_name = format!("{name}.{}", coding.extension());
            let seen = root.stamp(&sibling_name);
            if seen.is_some_and(|seen| !seen.is_older_than(stamp)) {
                sibling = read_sibling(root, &sibling_name, in_memory, config, now, readers);
            }
            keep &= sibling.as_ref().is_none_or(|(_, own, settled)| *settled && Some(*own) == seen);
            depends.push((sibling_name, seen));
        }
        match sibling {
            Some((content, stamp, _)) => siblings.push((coding, content, stamp)),
            None if may_compress => {}
            None => drop(form.set(None)),
        }
    }
    let varies = !siblings.is_empty() || may_compress;
    let plain = Representation::plain(&kind, varies, content, stamp, now);
    let entry = Entry::new(plain, encoded, depends, now);
    for (coding, content, stamp) in siblings {
        let form = Representation::sibling(&entry.plain, &kind, coding, content, stamp, now);
        drop(entry.form(coding).set(Some(Arc::new(form))));
    }
    let (entry, keep) = (Arc::new(entry), keep && in_memory);
    if permit.is_some() && keep {
        (readers.keep)(&entry);
    }
    Ok((entry, keep))
}

/// Is the name that of a compressed file? Nobody compresses it once more.
fn has_coding_extension(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, last)| Coding::ALL.iter().any(|coding| coding.extension() == last))
}

/// Whether a file is read as a whole. One that somebody may be writing is kept for nobody else, so each response would
/// hold a copy of its own: a large one is streamed until it is settled.
fn belongs_in_memory(stamp: Stamp, config: &Config, now: SystemTime) -> bool {
    stamp.len <= config.max_file && (stamp.len < LARGE || stamp.is_settled(now))
}

/// A compressed file beside the plain one, if it is one that can be served: content, stamp, and whether it is settled.
fn read_sibling(
    root: &Root,
    name: &str,
    in_memory: bool,
    config: &Config,
    now: SystemTime,
    readers: Readers<'_>,
) -> Option<(Content, Stamp, bool)> {
    let Ok(Found::File(file, metadata)) = root.open(name) else { return None };
    let stamp = Stamp::of(&metadata);
    // Larger than what it stands for, so that it cannot be kept beside it: no use.
    if in_memory && stamp.len > config.max_file {
        return None;
    }
    let in_memory = in_memory && belongs_in_memory(stamp, config, now);
    take(name, file, stamp, in_memory.then_some(config.max_file), now, readers).ok()
}

/// The content of a file: its bytes up to a limit, or the open file if it is to be streamed; and whether it may be kept.
fn take(
    name: &str,
    file: File,
    before: Stamp,
    limit: Option<u64>,
    now: SystemTime,
    readers: Readers<'_>,
) -> io::Result<(Content, Stamp, bool)> {
    let Some(limit) = limit else {
        let settled = before.is_settled(now);
        let file = readers.files.share(name, file, (before, settled), readers.client)?;
        return Ok((Content::Disk(file), before, settled));
    };
    let mut content = Vec::with_capacity(usize::try_from(before.len).unwrap_or(0));
    (&file).take(limit).read_to_end(&mut content)?;
    let after = Stamp::of(&file.metadata()?);
    content.shrink_to_fit();
    // Content that somebody is writing is served as it was found, and read again by the next request.
    let keep = before == after && after.is_settled(now);
    Ok((Content::Memory(content.into()), after, keep))
}

//! A directory that servers share is an exchange too: for two servers, for tests, and where there is no engine.
//!
//! ```text
//! epoch                    a random number; another one means that the directory was wiped
//! log/<ms>-<random>.entry  the entries; whoever adds one removes the oldest
//! base                     the base
//! writer                   who writes the base, and until when
//! nodes/<node>             what each node says of itself
//! ```
//!
//! Every file is written beside its name and renamed, so that nobody reads half of one.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Semaphore;

use crate::exchange::{Batch, Cursor, ErrorKind, Exchange, ExchangeError, Pending};

/// Most entries of the log.
const MAX_ENTRIES: usize = 1000;
/// A larger file is no entry.
const MAX_ENTRY_BYTES: u64 = 4 << 20;
/// A larger file is no base.
const MAX_BASE_BYTES: u64 = 256 << 20;
/// Age beyond which a node's status is removed.
const MAX_STATUS_AGE: Duration = Duration::from_secs(600);

/// A directory that several servers can write to, on one machine or on a network file system. A clone reads for itself.
#[derive(Debug)]
pub struct Directory {
    inner: Arc<Inner>,
}

impl Clone for Directory {
    fn clone(&self) -> Self {
        Directory::new(&self.inner.root)
    }
}

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    /// Names of entries that were read and are still there.
    read: Mutex<HashSet<String>>,
    /// A file system that hangs holds up one thread, not one more with each try.
    turn: Arc<Semaphore>,
}

impl Directory {
    /// The exchange in this directory, which is made when it is first written to.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let inner = Inner { root: root.into(), read: Mutex::default(), turn: Arc::new(Semaphore::new(1)) };
        Directory { inner: Arc::new(inner) }
    }

    /// Works with files on a thread for blocking.
    fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> io::Result<T> + Send + 'static,
    ) -> Pending<'static, T> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            let turn = Arc::clone(&inner.turn).acquire_owned().await;
            let done = tokio::task::spawn_blocking(move || {
                let _turn = turn;
                work(&inner).map_err(|error| error_of(&error))
            });
            done.await.unwrap_or_else(|_| Err(ExchangeError::new(ErrorKind::Other, "the work on the directory ended")))
        })
    }
}

impl Exchange for Directory {
    fn publish<'a>(&'a self, entry: &'a [u8]) -> Pending<'a, ()> {
        let entry = entry.to_vec();
        self.work(move |inner| {
            let log = inner.root.join("log");
            let name = format!("{:013}-{:016x}.entry", millis(), random());
            write_whole(&log, &name, &entry)?;
            let mut names = entries(&log)?;
            names.sort_unstable();
            let superfluous = names.len().saturating_sub(MAX_ENTRIES);
            for name in names.iter().take(superfluous) {
                // Another server may have removed it.
                let _ = fs::remove_file(log.join(name));
            }
            Ok(())
        })
    }

    fn read<'a>(&'a self, after: Option<&'a Cursor>, bytes: usize) -> Pending<'a, Batch> {
        let before = after.cloned();
        self.work(move |inner| {
            let epoch = inner.epoch()?;
            let restarted = before.as_ref().is_some_and(|cursor| cursor.0 != epoch);
            let log = inner.root.join("log");
            let mut names = entries(&log)?;
            names.sort_unstable();
            let mut read = inner.read.lock().unwrap_or_else(PoisonError::into_inner);
            if restarted || before.is_none() {
                read.clear();
            }
            let there: HashSet<&String> = names.iter().collect();
            read.retain(|name| there.contains(name));
            let mut batch = Batch { cursor: Some(Cursor(epoch)), restarted, ..Batch::default() };
            let mut taken = 0;
            for name in &names {
                if read.contains(name) {
                    continue;
                }
                if taken >= bytes.max(1) {
                    batch.more = true;
                    break;
                }
                match read_bounded(&log.join(name), MAX_ENTRY_BYTES) {
                    Ok(Some(entry)) => {
                        taken += entry.len();
                        batch.entries.push(entry);
                    }
                    Ok(None) => {}
                    Err(error) => return Err(error),
                }
                read.insert(name.clone());
            }
            Ok(batch)
        })
    }

    fn base(&self) -> Pending<'_, Option<Vec<u8>>> {
        self.work(|inner| read_bounded(&inner.root.join("base"), MAX_BASE_BYTES))
    }

    fn write_base<'a>(&'a self, base: &'a [u8]) -> Pending<'a, ()> {
        let base = base.to_vec();
        self.work(move |inner| write_whole(&inner.root, "base", &base))
    }

    fn lease<'a>(&'a self, holder: &'a str, time: Duration) -> Pending<'a, bool> {
        let holder = holder.to_owned();
        self.work(move |inner| {
            let path = inner.root.join("writer");
            let found = read_bounded(&path, 1024)?.and_then(|bytes| String::from_utf8(bytes).ok());
            let other = found.as_deref().and_then(|text| text.split_once(' '));
            let until = other.and_then(|(_, until)| until.parse::<u64>().ok()).unwrap_or(0);
            if other.is_some_and(|(other, _)| other != holder) && until > millis() {
                return Ok(false);
            }
            let until = millis().saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
            write_whole(&inner.root, "writer", format!("{holder} {until}").as_bytes())?;
            // Of two that came at once, the later one's name stands there.
            let now = read_bounded(&path, 1024)?.unwrap_or_default();
            Ok(now.starts_with(format!("{holder} ").as_bytes()))
        })
    }

    fn announce<'a>(&'a self, node: &'a str, status: &'a [u8]) -> Pending<'a, ()> {
        let (node, status) = (file_name(node), status.to_vec());
        self.work(move |inner| write_whole(&inner.root.join("nodes"), &node, &status))
    }

    fn nodes(&self) -> Pending<'_, Vec<Vec<u8>>> {
        self.work(|inner| {
            let directory = inner.root.join("nodes");
            let mut statuses = Vec::new();
            for entry in list(&directory)? {
                let path = entry.path();
                let age =
                    entry.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|at| at.elapsed().ok());
                if age.is_some_and(|age| age > MAX_STATUS_AGE) {
                    let _ = fs::remove_file(&path);
                } else if !entry.file_name().to_string_lossy().starts_with('.') {
                    statuses.extend(read_bounded(&path, MAX_ENTRY_BYTES)?);
                }
            }
            Ok(statuses)
        })
    }

    fn leave<'a>(&'a self, node: &'a str) -> Pending<'a, ()> {
        let node = file_name(node);
        self.work(move |inner| match fs::remove_file(inner.root.join("nodes").join(node)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
    }

    fn place(&self) -> String {
        self.inner.root.display().to_string()
    }
}

impl Inner {
    /// The number that the directory was given when it was first used.
    fn epoch(&self) -> io::Result<String> {
        let path = self.root.join("epoch");
        if let Some(found) = read_bounded(&path, 64)? {
            return Ok(String::from_utf8_lossy(&found).into_owned());
        }
        fs::create_dir_all(&self.root)?;
        // Of two that come at once one makes it.
        match fs::OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => file.write_all(format!("{:016x}", random()).as_bytes())?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        Ok(String::from_utf8_lossy(&read_bounded(&path, 64)?.unwrap_or_default()).into_owned())
    }
}

fn error_of(error: &io::Error) -> ExchangeError {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::Denied,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::Full,
        _ => ErrorKind::Other,
    };
    ExchangeError::new(kind, error.to_string())
}

/// The name of a node as that of a file.
fn file_name(node: &str) -> String {
    node.replace('/', "_")
}

fn list(directory: &Path) -> io::Result<Vec<fs::DirEntry>> {
    match fs::read_dir(directory) {
        Ok(found) => found.collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Names of the entries of a log.
fn entries(log: &Path) -> io::Result<Vec<String>> {
    let names = list(log)?.into_iter().filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names
        .filter(|name| name.rsplit_once('.').is_some_and(|(_, last)| last == "entry") && !name.starts_with('.'))
        .collect())
}

/// A file as a whole; `None` if there is none, or if it is longer than `most`.
fn read_bounded(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match fs::metadata(path) {
        Ok(found) if !found.is_file() => return Ok(None),
        Ok(_) => fs::File::open(path),
        Err(error) => Err(error),
    };
    let file = match file {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}

/// Writes a file so that readers see all of it or nothing.
fn write_whole(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let new = directory.join(format!(".{:016x}.new", random()));
    let written = fs::write(&new, bytes).and_then(|()| fs::rename(&new, directory.join(name)));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

fn millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A number that no other writer has; where the system gives none, the time has to do.
fn random() -> u64 {
    getrandom::u64().unwrap_or_else(|_| millis())
}

//! Files that are open to be streamed: one descriptor for all who are sent the same version of the same file.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use headstart_policy::{Share, Shares};

use super::memory_budget::Reservation;
use super::stamp::Stamp;

/// How often it is said that descriptors are short.
const SAID_EVERY: Duration = Duration::from_secs(60);

/// The open files of one directory. Whoever opens a file takes a share of the descriptors for it.
pub(super) struct OpenFiles {
    shares: Arc<Shares>,
    open: Mutex<HashMap<Version, Weak<OpenFile>>>,
    said: Mutex<Option<Instant>>,
}

/// A name, what the system says of the file, and whether an equal stamp means equal content.
type Version = (String, Stamp, bool);

/// A file that is streamed. Closed when the last response that is made of it has ended.
pub(super) struct OpenFile {
    file: File,
    version: Version,
    /// The table that holds it; none in tests.
    files: Weak<OpenFiles>,
    _share: Option<Share>,
}

impl OpenFiles {
    pub(super) fn new(shares: Arc<Shares>) -> Arc<Self> {
        Arc::new(Self { shares, open: Mutex::default(), said: Mutex::default() })
    }

    /// The file to stream from: one that is open already if it is the same version, else this one.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::QuotaExceeded`] if the client has its share of the descriptors.
    pub(super) fn share(
        self: &Arc<Self>,
        name: &str,
        file: File,
        (stamp, settled): (Stamp, bool),
        client: Option<IpAddr>,
    ) -> io::Result<Arc<OpenFile>> {
        let version = (name.to_owned(), stamp, settled);
        let mut open = self.open();
        // Elsewhere a file has one position for all who read it.
        if cfg!(unix)
            && let Some(known) = open.get(&version).and_then(Weak::upgrade)
        {
            return Ok(known);
        }
        let share = self.shares.try_take(client).ok_or(io::ErrorKind::QuotaExceeded)?;
        let files = Arc::downgrade(self);
        let file = Arc::new(OpenFile { file, version: version.clone(), files, _share: Some(share) });
        open.insert(version, Arc::downgrade(&file));
        Ok(file)
    }

    /// Whether an error says that descriptors are short, of the process or of the client's share. A line says so, once a
    /// minute.
    pub(super) fn are_short(&self, error: &io::Error) -> bool {
        let of_share = error.kind() == io::ErrorKind::QuotaExceeded;
        if !of_share && !is_out_of_descriptors(error) {
            return false;
        }
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_none_or(|said| said.elapsed() >= SAID_EVERY) {
            *said = Some(Instant::now());
            if of_share {
                tracing::warn!("a client has as many large files open as it may: it is told to come back (503)");
            } else {
                tracing::warn!(%error, "files cannot be opened; raise the limit of open files");
            }
        }
        true
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Version, Weak<OpenFile>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(unix)]
fn is_out_of_descriptors(error: &io::Error) -> bool {
    let limits = [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE];
    limits.iter().any(|limit| error.raw_os_error() == Some(limit.raw_os_error()))
}

#[cfg(not(unix))]
fn is_out_of_descriptors(_: &io::Error) -> bool {
    false
}

impl OpenFile {
    /// Reads one piece whole, into memory that is not written twice.
    ///
    /// # Errors
    ///
    /// If the file has become shorter, or if it was written to since its response began, where that promises a version by a
    /// strong tag: what was sent before and what would be sent now belong to different contents.
    pub(super) fn read(&self, start: u64, reservation: Reservation) -> io::Result<Bytes> {
        let length = reservation.bytes();
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        self.read_at(start, length, &mut bytes)?;
        if bytes.len() as u64 != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (_, stamp, settled) = &self.version;
        if *settled && Stamp::of(&self.file.metadata()?) != *stamp {
            return Err(io::Error::other("the file was written to while it was sent"));
        }
        Ok(reservation.filled(bytes))
    }

    #[cfg(unix)]
    fn read_at(&self, start: u64, length: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
        while (bytes.len() as u64) < length && bytes.capacity() > bytes.len() {
            let at = start + bytes.len() as u64;
            match rustix::io::pread(&self.file, rustix::buffer::spare_capacity(bytes), at) {
                Ok(0) => break,
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(())
    }

    #[cfg(not(unix))]
    fn read_at(&self, start: u64, length: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
        use std::io::{Read as _, Seek as _};
        // The file is this response's own, so its position is free to move.
        let mut file = &self.file;
        file.seek(io::SeekFrom::Start(start))?;
        file.take(length).read_to_end(bytes).map(drop)
    }

    /// A file of its own, of which nothing is promised.
    #[cfg(test)]
    pub(super) fn alone(file: File) -> Arc<Self> {
        let version = (String::new(), Stamp::of(&file.metadata().unwrap()), false);
        Arc::new(Self { file, version, files: Weak::new(), _share: None })
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        let Some(files) = self.files.upgrade() else { return };
        let mut open = files.open();
        // Another may have been opened since the last handle of this one was dropped.
        if open.get(&self.version).is_some_and(|known| known.strong_count() == 0) {
            open.remove(&self.version);
        }
    }
}

impl fmt::Debug for OpenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenFile").field("version", &self.version).finish_non_exhaustive()
    }
}

//! The file that a [`Headstart`](crate::Headstart) keeps what it learned in.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The file of the snapshot, and when it was written last.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    interval: Duration,
    /// Held while the file is written.
    saved: Mutex<Instant>,
}

impl StateFile {
    pub(crate) fn new(path: PathBuf, interval: Duration) -> Self {
        StateFile { path, interval, saved: Mutex::new(Instant::now()) }
    }

    #[cfg(feature = "serve")]
    pub(crate) fn interval(&self) -> Duration {
        self.interval
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file is older than the interval.
    #[cfg(feature = "serve")]
    pub(crate) fn is_due(&self) -> bool {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner).elapsed() >= self.interval
    }

    /// Replaces the file: readers see the old bytes or the new ones, also after a crash. Its owner alone may read it, for
    /// it holds the secret of cookies.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let new = beside(&self.path);
        // A crash may have left one behind.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let written = create(&new).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        if let Err(error) = written.and_then(|()| fs::rename(&new, &self.path)) {
            let _ = fs::remove_file(&new);
            return Err(error);
        }
        *saved = Instant::now();
        Ok(())
    }
}

/// Reads a snapshot; `None` if there is no such file.
pub(crate) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match fs::metadata(path) {
        // A pipe would be waited for.
        Ok(found) if !found.is_file() => return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
        Ok(_) => File::open(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// More is no snapshot; a cut one fails its checksum.
const MAX_BYTES: u64 = 4 << 30;

/// The name that the file has until it is whole.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

//! State that outlives the program: the state directory and the snapshot of the learner.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};

/// The directory that was named, or the user's own for such things; made if it is not there, for its owner alone.
///
/// # Errors
///
/// If the environment names no home, or the directory cannot be made.
pub(crate) fn directory(named: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let directory = directory_path(named)?;
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&directory).with_context(|| format!("cannot make the state directory {}", directory.display()))?;
    Ok(directory)
}

/// Its path; it may not be there yet.
///
/// # Errors
///
/// If the environment names no home.
pub(crate) fn directory_path(named: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    named
        .or_else(|| default_directory(|name| std::env::var_os(name).map(PathBuf::from)))
        .ok_or_else(|| anyhow!("no state directory: neither XDG_STATE_HOME nor HOME is set; name one with --state-dir"))
}

/// Whether files can be made in a directory.
///
/// # Errors
///
/// Why not.
pub(crate) fn writable(directory: &Path) -> io::Result<()> {
    if !fs::metadata(directory)?.is_dir() {
        return Err(io::Error::from(io::ErrorKind::NotADirectory));
    }
    #[cfg(unix)]
    rustix::fs::access(directory, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)?;
    Ok(())
}

/// Whether a directory can be made below another. It is tried: file systems of the kernel's own say yes and mean no.
///
/// # Errors
///
/// Why not.
pub(crate) fn can_hold_directories(directory: &Path) -> io::Result<()> {
    writable(directory)?;
    let trial = directory.join(format!(".headstart-{}", std::process::id()));
    match fs::create_dir(&trial) {
        // A process of this number was killed before it removed its own.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::remove_dir(&trial),
    }
}

/// By the XDG base directory specification, which has relative paths ignored.
fn default_directory(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let absolute = |name| variable(name).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("headstart"))
}

/// The file that the snapshot is kept in.
#[derive(Debug, Clone)]
pub(crate) struct SnapshotFile(PathBuf);

impl SnapshotFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The file beside it that the figures of the gain are kept in.
    pub(crate) fn of_gain(&self) -> Self {
        let mut path = self.0.clone().into_os_string();
        path.push(".gain");
        Self(path.into())
    }

    /// The file beside it that says what had been read of the other servers of a fleet.
    pub(crate) fn of_fleet(&self) -> Self {
        let mut path = self.0.clone().into_os_string();
        path.push(".fleet");
        Self(path.into())
    }

    /// The bytes of the last snapshot, or nothing if there is none yet.
    ///
    /// # Errors
    ///
    /// If there is one, but it cannot be read.
    pub(crate) fn load(&self) -> anyhow::Result<Option<Vec<u8>>> {
        self.is_readable()?;
        match fs::read(&self.0) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read the snapshot {}", self.0.display())),
        }
    }

    /// Whether it is a file, or not there. To open a pipe would wait for its other end, perhaps forever.
    ///
    /// # Errors
    ///
    /// If it is something else, or cannot be looked at.
    pub(crate) fn is_readable(&self) -> anyhow::Result<()> {
        let why = match fs::metadata(&self.0) {
            Ok(metadata) if metadata.is_file() => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Ok(metadata) if metadata.is_dir() => "it is a directory".to_owned(),
            Ok(_) => "it is no regular file".to_owned(),
            Err(error) => error.to_string(),
        };
        bail!("cannot read the snapshot {}: {why}", self.0.display())
    }

    /// Makes this process the only one that writes the snapshot, until the lock is dropped or the process ends,
    /// however it ends. The lock is on a file of its own beside the snapshot, which is replaced as a whole.
    ///
    /// # Errors
    ///
    /// If another process has the lock, or the file cannot be made.
    pub(crate) fn lock(&self) -> anyhow::Result<Lock> {
        let mut path = self.0.clone().into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let lock = lock(&path).with_context(|| format!("cannot lock the snapshot {}", self.0.display()))?;
        // Nobody else writes it now, so these are what a process that was killed has left.
        remove_unfinished(&self.0);
        Ok(lock)
    }

    /// Moves a snapshot that cannot be used out of the way, so that it can be looked at. Says where it is now.
    ///
    /// # Errors
    ///
    /// If it cannot be moved; the next snapshot would replace it.
    pub(crate) fn set_aside(&self) -> io::Result<PathBuf> {
        let mut aside = self.0.clone().into_os_string();
        aside.push(".bad");
        let aside = PathBuf::from(aside);
        fs::rename(&self.0, &aside)?;
        Ok(aside)
    }

    /// Replaces the snapshot: a crash at any moment leaves the old one or the new one.
    ///
    /// # Errors
    ///
    /// If the directory cannot be written to, or the disk is full; the old snapshot stays.
    pub(crate) fn save(&self, bytes: &[u8]) -> anyhow::Result<()> {
        replace(&self.0, bytes).with_context(|| format!("cannot write the snapshot {}", self.0.display()))
    }
}

/// A snapshot that no other process writes meanwhile.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

fn lock(path: &Path) -> anyhow::Result<Lock> {
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    if !try_lock(&file)? {
        let mut owner = String::new();
        let _ = io::Read::read_to_string(&mut file, &mut owner);
        let owner = owner.trim().parse::<u32>().map_or_else(|_| "another".into(), |id| format!("the process {id}"));
        bail!("{owner} is writing it; stop that one first, or name another state directory");
    }
    // For whoever finds it locked.
    let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(Lock { _file: file })
}

/// Whether the lock is ours now. The system lets go of it when the process ends.
#[cfg(unix)]
fn try_lock(file: &File) -> io::Result<bool> {
    use rustix::fs::{FlockOperation, flock};
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Elsewhere nothing keeps two servers apart but their operator.
#[cfg(not(unix))]
fn try_lock(_: &File) -> io::Result<bool> {
    Ok(true)
}

/// Puts `bytes` in place of the file at `path`, readable by its owner alone: written beside it, flushed to disk, renamed
/// over it, and the rename flushed too.
///
/// # Errors
///
/// Those of the system.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new().prefix(&unfinished_prefix(path)).tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    if cfg!(unix) {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

/// How the names of files begin that are to be put in place of the file at `path`.
fn unfinished_prefix(path: &Path) -> std::ffi::OsString {
    let mut prefix = std::ffi::OsString::from(".headstart-");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push("-");
    prefix
}

/// Removes what a process left that was killed while it replaced the file at `path`. What cannot be removed stays.
fn remove_unfinished(path: &Path) {
    let prefix = unfinished_prefix(path);
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let rest = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes());
        if rest.is_some_and(|rest| rest.len() == 6 && rest.iter().all(u8::is_ascii_alphanumeric)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_directory_follows_xdg() {
        let check = |xdg: &str, home: &str, expected: Option<&str>| {
            let set = |value: &str| (!value.is_empty()).then(|| PathBuf::from(value));
            let found = default_directory(|name| if name == "HOME" { set(home) } else { set(xdg) });
            assert_eq!(found.as_deref(), expected.map(Path::new));
        };
        check("/state", "/home/a", Some("/state/headstart"));
        check("", "/home/a", Some("/home/a/.local/state/headstart"));
        check("relative", "/home/a", Some("/home/a/.local/state/headstart"));
        check("", "", None);
    }

    #[test]
    fn saved_and_loaded() {
        let directory = tempfile::tempdir().unwrap();
        let file = SnapshotFile::new(directory.path().join("snapshot"));
        assert_eq!(file.load().unwrap(), None);
        file.save(b"one").unwrap();
        file.save(b"two").unwrap();
        assert_eq!(file.load().unwrap().as_deref(), Some(&b"two"[..]));
        let names: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["snapshot"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn failure_keeps_the_old_one() {
        let directory = tempfile::tempdir().unwrap();
        let file = SnapshotFile::new(directory.path().join("no such directory/snapshot"));
        assert!(format!("{:#}", file.save(b"x").unwrap_err()).contains("no such directory"));
        // A directory in the place of the file can be neither read nor replaced.
        let file = SnapshotFile::new(directory.path().to_path_buf());
        assert!(file.load().is_err());
        assert!(file.save(b"x").is_err());
    }

    #[test]
    fn what_a_killed_process_left_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let (left, kept) = (".headstart-snapshot-aB3x9Z", [".headstart-other-aB3x9Z", ".headstart-snapshot-notes.txt"]);
        for name in kept.into_iter().chain([left]) {
            fs::write(path(name), "x").unwrap();
        }
        let _lock = SnapshotFile::new(path("snapshot")).lock().unwrap();
        assert!(!path(left).exists() && kept.iter().all(|name| path(name).exists()));
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_no_snapshot() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let error = format!("{:#}", SnapshotFile::new(path).load().unwrap_err());
        assert!(error.ends_with("pipe: it is no regular file"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn two_do_not_write_one_snapshot() {
        let directory = tempfile::tempdir().unwrap();
        let file = SnapshotFile::new(directory.path().join("snapshot"));
        let lock = file.lock().unwrap();
        let error = format!("{:#}", file.lock().unwrap_err());
        assert!(error.contains("snapshot") && error.contains(&std::process::id().to_string()), "{error}");
        drop(lock);
        file.lock().unwrap();
        let other = SnapshotFile::new(directory.path().join("none/snapshot"));
        assert!(format!("{:#}", other.lock().unwrap_err()).contains("none/snapshot"));
    }

    #[test]
    fn set_aside() {
        let directory = tempfile::tempdir().unwrap();
        let file = SnapshotFile::new(directory.path().join("snapshot"));
        file.save(b"garbage").unwrap();
        let aside = file.set_aside().unwrap();
        assert_eq!(file.load().unwrap(), None);
        assert_eq!(fs::read(aside).unwrap(), b"garbage");
    }
}

//! Opening a file below a directory, and nothing else.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::config::Symlinks;
use super::stamp::Stamp;

/// The served directory. It is looked up for each file, so that a deployment may replace it as a whole.
pub(super) struct Root {
    path: PathBuf,
    symlinks: Symlinks,
    /// That a link led out was said.
    told: AtomicBool,
}

/// A link that leads out of the directory.
#[derive(Debug)]
struct LeadsOut;

impl std::fmt::Display for LeadsOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a symbolic link leads out of the directory")
    }
}

impl std::error::Error for LeadsOut {}

/// The kind of file that a name was found to be.
pub(super) enum Found {
    File(File, Metadata),
    Directory,
    /// A device, a pipe, a socket: never served, and opened without waiting for its other end.
    Special,
}

impl Root {
    pub(super) fn new(path: PathBuf, symlinks: Symlinks) -> Self {
        Self { path, symlinks, told: AtomicBool::new(false) }
    }

    /// The metadata of a name, with links followed, if it exists. Never a reason to serve it: only to tell
    /// whether what was opened before is still what is there.
    pub(super) fn stamp(&self, name: &str) -> Option<Stamp> {
        Some(Stamp::of(&self.path.join(name).metadata().ok()?))
    }

    /// Opens `name`, which has passed [`super::path::SitePath::parse`].
    ///
    /// Under [`Symlinks::Within`] links are followed as long as they stay below the directory. On Linux the kernel sees
    /// to that (`openat2` with `RESOLVE_BENEATH`), without a moment between check and use; links with absolute targets
    /// are refused with the others. Where that call is missing, the resolved path is compared with the resolved
    /// directory, which is exact as long as nobody who can write there swaps links meanwhile.
    ///
    /// # Errors
    ///
    /// Those of the system; a link out of the directory is [`io::ErrorKind::NotFound`].
    pub(super) fn open(&self, name: &str) -> io::Result<Found> {
        let file = open_below(&self.path, name, self.symlinks).inspect_err(|error| {
            let leads_out = error.get_ref().and_then(|inner| inner.downcast_ref::<LeadsOut>()).is_some();
            if leads_out && !self.told.swap(true, Ordering::Relaxed) {
                let directory = self.path.display();
                tracing::warn!(
                    "{directory}: the link at {name:?} leads out of the directory, so it is not there; symlinks = \"follow\" \
                     serves such links"
                );
            }
        })?;
        let metadata = file.metadata()?;
        Ok(if metadata.is_file() {
            Found::File(file, metadata)
        } else if metadata.is_dir() {
            Found::Directory
        } else {
            Found::Special
        })
    }
}

#[cfg(target_os = "linux")]
fn open_below(root: &Path, name: &str, symlinks: Symlinks) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat2};
    use rustix::io::Errno;

    let directory = open(root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let resolve = match symlinks {
        Symlinks::Deny => ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS,
        Symlinks::Within => ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS,
        // Not the links of `/proc`, which lead to what was never a file.
        Symlinks::Follow => ResolveFlags::NO_MAGICLINKS,
    };
    // EAGAIN: something was renamed during the walk, so that the kernel could not be sure.
    for _ in 0..4 {
        match openat2(&directory, name, flags, Mode::empty(), resolve) {
            Ok(file) => return Ok(file.into()),
            Err(Errno::AGAIN) => {}
            // Before Linux 5.6, or hidden by a sandbox.
            Err(Errno::NOSYS | Errno::PERM) => return open_resolved(root, name, symlinks),
            Err(Errno::XDEV) => return Err(io::Error::new(io::ErrorKind::NotFound, LeadsOut)),
            Err(Errno::LOOP | Errno::NXIO) => {
                return Err(io::ErrorKind::NotFound.into());
            }
            Err(other) => return Err(other.into()),
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

#[cfg(not(target_os = "linux"))]
fn open_below(root: &Path, name: &str, symlinks: Symlinks) -> io::Result<File> {
    open_resolved(root, name, symlinks)
}

fn open_resolved(root: &Path, name: &str, symlinks: Symlinks) -> io::Result<File> {
    let root = root.canonicalize()?;
    let resolved = root.join(name).canonicalize()?;
    let metadata = resolved.metadata()?;
    let allowed = match symlinks {
        Symlinks::Deny => resolved == root.join(name),
        Symlinks::Within => resolved.starts_with(root),
        Symlinks::Follow => true,
    };
    if !allowed && symlinks == Symlinks::Within {
        return Err(io::Error::new(io::ErrorKind::NotFound, LeadsOut));
    }
    if !allowed || !(metadata.is_file() || metadata.is_dir()) {
        return Err(io::ErrorKind::NotFound.into());
    }
    File::open(resolved)
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// Both ways to open agree on what is inside.
    fn check(root: &Path, name: &str, inside: bool) {
        check_policy(root, name, Symlinks::Within, inside);
    }

    fn check_policy(root: &Path, name: &str, symlinks: Symlinks, opens: bool) {
        for (way, file) in
            [("first", open_below(root, name, symlinks)), ("fallback", open_resolved(root, name, symlinks))]
        {
            assert_eq!(file.is_ok(), opens, "{way}: {symlinks:?} {name}: {file:?}");
        }
    }

    #[test]
    fn links_stay_inside() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::create_dir_all(directory.path().join("root-beside")).unwrap();
        fs::write(root.join("page.html"), "inside").unwrap();
        fs::write(directory.path().join("secret"), "outside").unwrap();
        fs::write(directory.path().join("root-beside/secret"), "outside").unwrap();
        symlink("../page.html", root.join("sub/up-and-in")).unwrap();
        symlink("page.html", root.join("beside")).unwrap();
        symlink("../secret", root.join("out")).unwrap();
        symlink("../../secret", root.join("sub/out")).unwrap();
        symlink("/etc/passwd", root.join("absolute")).unwrap();
        symlink("..", root.join("parent")).unwrap();
        symlink("../root-beside", root.join("prefix")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        symlink("nowhere", root.join("dangling")).unwrap();

        check(&root, "page.html", true);
        check(&root, "beside", true);
        check(&root, "sub/up-and-in", true);
        for out in
            ["out", "sub/out", "absolute", "parent", "parent/secret", "prefix/secret", "loop", "dangling", "none"]
        {
            check(&root, out, false);
        }
        for name in ["beside", "sub/up-and-in", "absolute", "out", "parent/secret"] {
            check_policy(&root, name, Symlinks::Deny, false);
            check_policy(&root, name, Symlinks::Follow, true);
        }
        for symlinks in [Symlinks::Deny, Symlinks::Follow] {
            check_policy(&root, "page.html", symlinks, true);
            check_policy(&root, "loop", symlinks, false);
            check_policy(&root, "dangling", symlinks, false);
        }
    }

    #[test]
    fn special_files_are_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("sub")).unwrap();
        std::os::unix::net::UnixListener::bind(directory.path().join("socket")).unwrap();
        let status = std::process::Command::new("mkfifo").arg(directory.path().join("pipe")).status();
        let root = Root::new(directory.path().to_path_buf(), Symlinks::Within);
        assert!(matches!(root.open("sub"), Ok(Found::Directory)));
        assert!(root.open("socket").is_err());
        if status.is_ok_and(|s| s.success()) {
            // Opening a FIFO without O_NONBLOCK blocks until a writer opens it.
            assert!(!matches!(root.open("pipe"), Ok(Found::File(..) | Found::Directory)));
        }
    }
}

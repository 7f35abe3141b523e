//! Destinations of lines.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

/// A file, or standard output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    File(PathBuf),
    Stdout,
}

impl Target {
    /// `-` is standard output.
    pub(crate) fn parse(text: &str) -> Self {
        if text == "-" { Self::Stdout } else { Self::File(text.into()) }
    }
}

/// An open target.
#[derive(Debug)]
pub(super) enum Sink {
    File(File, PathBuf),
    Stdout,
}

impl Sink {
    /// Opens the end of the file, which is made if need be, readable by its owner and group.
    ///
    /// # Errors
    ///
    /// If the file cannot be made or written to.
    pub(super) fn open(target: &Target) -> io::Result<Self> {
        match target {
            Target::File(path) => Ok(Self::File(append_to(path)?, path.clone())),
            Target::Stdout => Ok(Self::Stdout),
        }
    }

    /// Reopens the file by its name after it was moved away. If that fails the old one is kept.
    ///
    /// # Errors
    ///
    /// If the file cannot be made or written to.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        if let Self::File(file, path) = self {
            *file = append_to(path)?;
        }
        Ok(())
    }

    /// Writes whole lines.
    ///
    /// # Errors
    ///
    /// Those of the system; a part of the lines may have been written. A reader of standard output that went away is
    /// no error.
    pub(super) fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        match self {
            Self::File(file, _) => file.write_all(lines),
            Self::Stdout => {
                let mut out = io::stdout().lock();
                match out.write_all(lines).and_then(|()| out.flush()) {
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                    result => result,
                }
            }
        }
    }

    pub(super) fn name(&self) -> String {
        match self {
            Self::File(_, path) => path.display().to_string(),
            Self::Stdout => "standard output".to_owned(),
        }
    }
}

fn append_to(path: &PathBuf) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
    options.open(path)
}

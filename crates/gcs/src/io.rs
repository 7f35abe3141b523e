//! Sets from readers and into writers.

extern crate std;

use std::io::{self, Read, Write};
use std::vec::Vec;

use crate::{Encode, Error, Limits, Profile, Set};

impl<P: Profile> Set<P> {
    /// Reads to the end and decodes what came: at most `limits.max_bytes` bytes and one more are read.
    ///
    /// # Errors
    /// Those of the reader; for bytes that are no set, [`io::ErrorKind::InvalidData`] with the [`Error`] inside.
    pub fn read_from(profile: P, reader: impl Read, limits: impl Into<Limits>) -> io::Result<Self> {
        let limits = limits.into();
        let most = (limits.max_bytes as u64).saturating_add(1);
        let mut bytes = Vec::new();
        reader.take(most).read_to_end(&mut bytes)?;
        Ok(Self::decode(profile, &bytes, limits)?)
    }
}

impl<P: Encode> Set<P> {
    /// Writes the serialised set and returns how many bytes that were.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_to(&self, mut writer: impl Write) -> io::Result<usize> {
        let bytes = self.encode();
        writer.write_all(&bytes)?;
        Ok(bytes.len())
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

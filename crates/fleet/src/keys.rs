//! The two keys of a fleet, which its servers share and the engine never has.

use std::fmt::{self, Write as _};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};

/// The key of evidence, which stays, and the key of cookies, which can be rotated.
///
/// The key of evidence hashes names and networks and seals what servers tell each other: with another one a server is a
/// stranger to the fleet. The key of cookies hashes what clients hold. When it is rotated, cookies under the one before
/// are read until the next rotation.
///
/// ```
/// use headstart_fleet::Keys;
///
/// let mut keys = Keys::random()?;
/// let (evidence, cookie) = (keys.evidence(), keys.cookie());
/// keys.rotate()?;
/// assert_eq!((keys.evidence(), keys.previous_cookie()), (evidence, Some(cookie)));
/// assert_eq!(Keys::parse(&keys.to_text())?, keys);
/// # Ok::<(), headstart_fleet::KeyError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    evidence: [u8; 16],
    cookie: [u8; 16],
    previous_cookie: Option<[u8; 16]>,
}

/// A file of keys is longer only by mistake.
const MAX_FILE_BYTES: u64 = 4096;

impl Keys {
    /// Keys for a new fleet.
    ///
    /// # Errors
    ///
    /// If the system gives no random bytes.
    pub fn random() -> Result<Self, KeyError> {
        Ok(Keys { evidence: draw()?, cookie: draw()?, previous_cookie: None })
    }

    /// Draws a new key of cookies; the present one is read until this is called again.
    ///
    /// # Errors
    ///
    /// If the system gives no random bytes; then nothing has changed.
    pub fn rotate(&mut self) -> Result<(), KeyError> {
        let new = draw()?;
        self.previous_cookie = Some(std::mem::replace(&mut self.cookie, new));
        Ok(())
    }

    /// The key of evidence.
    pub fn evidence(&self) -> [u8; 16] {
        self.evidence
    }

    /// The key of cookies.
    pub fn cookie(&self) -> [u8; 16] {
        self.cookie
    }

    /// The key of cookies before the last rotation.
    pub fn previous_cookie(&self) -> Option<[u8; 16]> {
        self.previous_cookie
    }

    /// The text of a key file.
    pub fn to_text(&self) -> String {
        let mut text = String::from(
            "# The key of a Headstart fleet, the same on all of its servers. Keep it secret.\n# `headstart fleet key rotate` \
             draws a new key of cookies; the key of evidence has to stay.\n",
        );
        let previous = self.previous_cookie.map(|key| ("previous_cookie", key));
        for (name, key) in [("evidence", self.evidence), ("cookie", self.cookie)].into_iter().chain(previous) {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name} = {}", BASE64URL_NOPAD.encode(&key));
        }
        text
    }

    /// Reads the text of a key file.
    ///
    /// # Errors
    ///
    /// Names the line that is wrong, or the key that is missing. No key is in the message.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut found: [Option<[u8; 16]>; 3] = [None; 3];
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        for (at, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let bad = |problem: &str| KeyError::new(format!("line {at} {problem}"));
            let (name, value) = line.split_once('=').ok_or_else(|| bad("is not of the form `name = key`"))?;
            let at = NAMES.iter().position(|known| *known == name.trim());
            let place = at.and_then(|at| found.get_mut(at)).ok_or_else(|| bad("names no key of a fleet"))?;
            let bytes = BASE64URL_NOPAD.decode(value.trim().as_bytes()).ok();
            let key = bytes.and_then(|bytes| bytes.try_into().ok());
            let key = key.ok_or_else(|| bad("has no key: 22 characters of base64url"))?;
            if place.replace(key).is_some() {
                return Err(bad("gives a key for the second time"));
            }
        }
        match found {
            [Some(evidence), Some(cookie), previous_cookie] => Ok(Keys { evidence, cookie, previous_cookie }),
            [None, ..] => Err(KeyError::new("the key `evidence` is missing")),
            _ => Err(KeyError::new("the key `cookie` is missing")),
        }
    }

    /// Reads a key file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is not a key file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        let of_file = |problem: &dyn fmt::Display| KeyError::new(format!("{}: {problem}", path.display()));
        let mut text = String::new();
        let file = std::fs::File::open(path).map_err(|error| of_file(&error))?;
        file.take(MAX_FILE_BYTES).read_to_string(&mut text).map_err(|error| of_file(&error))?;
        Keys::parse(&text).map_err(|error| of_file(&error))
    }

    /// Writes a key file that only its owner may read. One that is there is replaced as a whole if `replace`.
    ///
    /// # Errors
    ///
    /// If it cannot be written, or is there and is not to be replaced.
    pub fn write(&self, path: impl AsRef<Path>, replace: bool) -> io::Result<()> {
        let path = path.as_ref();
        if !replace && path.exists() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "is there already"));
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let new = path.with_file_name(name);
        match std::fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&new)?;
        file.write_all(self.to_text().as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, path)
    }

    /// The key that seals what servers tell each other.
    pub(crate) fn sealing(&self) -> [u8; 32] {
        Sha256::new().chain_update(b"headstart fleet, sealing, 1").chain_update(self.evidence).finalize().into()
    }
}

const NAMES: [&str; 3] = ["evidence", "cookie", "previous_cookie"];

fn draw() -> Result<[u8; 16], KeyError> {
    let mut key = [0; 16];
    getrandom::fill(&mut key).map_err(|_| KeyError::new("the system gives no random bytes"))?;
    Ok(key)
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

/// Why there are no keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError {
    problem: String,
}

impl KeyError {
    fn new(problem: impl Into<String>) -> Self {
        KeyError { problem: problem.into() }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for KeyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_read_rotated_and_private() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fleet.key");
        let mut keys = Keys::random().unwrap();
        keys.write(&path, false).unwrap();
        assert_eq!(Keys::read(&path).unwrap(), keys);
        assert_eq!(keys.write(&path, false).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        let first = keys.cookie();
        keys.rotate().unwrap();
        keys.write(&path, true).unwrap();
        let read = Keys::read(&path).unwrap();
        assert_eq!((read.previous_cookie(), read.evidence()), (Some(first), keys.evidence()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_a_key() {
        let text = Keys::random().unwrap().to_text();
        let secret = text.lines().find(|line| line.starts_with("cookie")).unwrap().to_owned();
        for (text, problem) in [
            ("", "the key `evidence` is missing"),
            ("evidence = AAAAAAAAAAAAAAAAAAAAAA", "the key `cookie` is missing"),
            ("evidence = AAAA", "line 1 has no key: 22 characters of base64url"),
            ("secret", "line 1 is not of the form `name = key`"),
            ("\n# x\nother = AAAAAAAAAAAAAAAAAAAAAA", "line 3 names no key of a fleet"),
            (&format!("{text}{secret}"), "line 5 gives a key for the second time"),
        ] {
            assert_eq!(Keys::parse(text).unwrap_err().to_string(), problem);
        }
        assert!(!format!("{:?}", Keys::parse(&text)).contains(&secret[9..]));
    }
}

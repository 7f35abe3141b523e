//! The account and the certificates, in the state directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use instant_acme::AccountCredentials;

use crate::state;
use crate::tls::{self, Identity};

/// A directory for each authority, whose files their owner alone may read.
#[derive(Clone, Debug)]
pub(crate) struct Store(PathBuf);

impl Store {
    /// The directory of an authority's files below a state directory; it may not be there yet.
    pub(crate) fn path(state: &Path, authority: &str) -> PathBuf {
        let name: String = authority
            .trim_start_matches("https://")
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '_' })
            .collect();
        state.join("acme").join(name)
    }

    /// Makes the directory.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub(crate) fn open(state: &Path, authority: &str) -> anyhow::Result<Self> {
        let path = Self::path(state, authority);
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).with_context(|| format!("cannot make the directory {}", path.display()))?;
        Ok(Self(path))
    }

    /// The account, if one was made.
    ///
    /// # Errors
    ///
    /// If there is one that cannot be read: another one is not made in its place.
    pub(super) fn account(&self) -> anyhow::Result<Option<AccountCredentials>> {
        let path = self.0.join("account.json");
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(
                serde_json::from_slice(&bytes).with_context(|| format!("cannot use the account {}", path.display()))?,
            )),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read the account {}", path.display())),
        }
    }

    pub(super) fn keep_account(&self, credentials: &AccountCredentials) -> anyhow::Result<()> {
        self.keep("account.json", &serde_json::to_vec(credentials)?)
    }

    /// The certificate of a name, if there is one that can be used.
    pub(super) fn identity(&self, name: &str) -> Option<Identity> {
        let path = self.file(name);
        fs::exists(&path).ok().filter(|there| *there)?;
        tls::read(&path, &path).map_err(|error| tracing::warn!("{error:#}")).ok()
    }

    /// Keeps a certificate; key and chain are one file, so that they cannot fall apart.
    pub(super) fn keep_identity(&self, name: &str, pem: &str) -> anyhow::Result<()> {
        self.keep(&format!("{name}.pem"), pem.as_bytes())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.pem"))
    }

    fn keep(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.0.join(name);
        state::replace(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
    }
}

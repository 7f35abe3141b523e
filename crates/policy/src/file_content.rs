//! In the extensions of a response: its body is the content of a file.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;

/// Files that a service answers with.
pub trait FileHeads: Send + Sync {
    /// The header of the response to a request for this path, as far as it depends on the file's name and date: media
    /// type, caching, the operator's fields. `None` if no file answers. May wait for the disk.
    fn head(&self, path: &str) -> Option<HeaderMap>;
}

/// In the extensions of a response: its body is the content of a file, the same for everyone who asks. It also tells of
/// the files that the same service would answer with.
#[derive(Clone)]
pub struct FileContent(Arc<dyn FileHeads>);

impl FileContent {
    /// Marks the responses of a service with these files.
    pub fn new(files: impl FileHeads + 'static) -> Self {
        Self(Arc::new(files))
    }

    /// See [`FileHeads::head`].
    pub fn head(&self, path: &str) -> Option<HeaderMap> {
        self.0.head(path)
    }
}

impl fmt::Debug for FileContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileContent").finish_non_exhaustive()
    }
}

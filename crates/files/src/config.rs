//! The settings for the files of one directory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{HeaderName, HeaderValue, StatusCode};

use super::pattern::Pattern;
use headstart_coding::Levels;
use headstart_policy::Shares;

/// How the files of one directory are served. [`Config::default`] is right for most sites.
#[derive(Debug, Clone)]
pub struct Config {
    /// Bytes of all files in memory, with their headers and their compressed forms; what was not asked for lately gives
    /// way. Files are read again from disk after that, which costs a thread for as long as the disk takes. 64 MiB.
    pub max_memory: usize,
    /// Bytes of the largest file kept in memory, and compressed. Larger ones are streamed, 64 KiB at a time; so are those
    /// of 64 KiB and more as long as they may be changing, and their tags are weak meanwhile. 4 MiB.
    pub max_file: u64,
    /// How long a file in memory is answered with before the disk is asked again: a change shows this much later at
    /// most. Zero asks with a `stat` for each request. 100 ms.
    pub revalidate: Duration,
    /// Names that answer for a directory, the first that is there. `index.html`.
    pub index: Vec<String>,
    /// The file that answers, with 200, for a path that names nothing: the shell of a single-page application. A path
    /// whose last component has an extension has to be asked for by a navigation. Relative to the directory. None.
    pub fallback: Option<String>,
    /// The file whose content answers with a status of 400 or more, relative to the directory. Where it is not there, one
    /// line of text answers. `404.html` for 404.
    pub error_pages: BTreeMap<StatusCode, String>,
    /// `Cache-Control` by path; the first pattern that matches counts. Without a match: documents `private, no-cache`,
    /// names with a hash in them a year and `immutable`, all others ten seconds. None.
    pub cache_control: Vec<(Pattern, HeaderValue)>,
    /// Further fields of responses that carry a file, error pages included; of one name the last that matches counts.
    /// They replace what would stand there, but for the fields that [`Config::reserved`] names. `Content-Encoding` says
    /// what the bytes of a file are: it is then sent as it is, whole, to all. Responses without a file have the fields
    /// too, but those that say something of content. None.
    pub headers: Vec<(Pattern, HeaderName, HeaderValue)>,
    /// Media types by extension, in lower case and without its dot; they come before those that are known. None.
    pub media_types: BTreeMap<String, HeaderValue>,
    /// Send `app.js.br`, `.zst` or `.gz` in place of `app.js` to clients that take it, whatever the type, unless it is
    /// older than `app.js`. Yes.
    pub precompressed: bool,
    /// Compress text of at least [`Config::compress_from`] bytes, once, and keep it in memory. Yes, at these levels.
    pub compress: Option<Levels>,
    /// Bytes below which compression is not worth its header. 1 KiB.
    pub compress_from: u64,
    /// Symbolic links below the directory. [`Symlinks::Within`].
    pub symlinks: Symlinks,
    /// Names that begin with a dot. [`Dotfiles::WellKnown`].
    pub dotfiles: Dotfiles,
    /// Descriptors for files that are streamed: one for each version of a file, whoever it is sent to; they are counted to
    /// the client that was the first to ask. A client that has its share is answered 503 with `Retry-After`. Clones share
    /// them, and directories may. 1,024.
    pub descriptors: Arc<Shares>,
    /// The clock that says how fresh a file is.
    pub now: fn() -> SystemTime,
}

/// How symbolic links are treated. Devices, pipes and sockets are never served, linked or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symlinks {
    /// Not followed: a path through one is not there.
    Deny,
    /// Followed as long as they are relative and stay below the directory.
    Within,
    /// Followed wherever they lead: for a directory that nobody else can write to.
    Follow,
}

/// How names that begin with a dot are treated, and files that editors and merges leave behind (`x~`, `#x#`, `.bak`, `.orig`,
/// `.swo`, `.swp`), which are there only where all names are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dotfiles {
    /// They are not there.
    Deny,
    /// They are not there, but for a first component `.well-known` (RFC 8615).
    WellKnown,
    /// They are files as any other. `.` and `..` remain refused.
    Serve,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_memory: 64 * 1024 * 1024,
            max_file: 4 * 1024 * 1024,
            revalidate: Duration::from_millis(100),
            index: vec!["index.html".to_owned()],
            fallback: None,
            error_pages: BTreeMap::from([(StatusCode::NOT_FOUND, "404.html".to_owned())]),
            cache_control: Vec::new(),
            headers: Vec::new(),
            media_types: BTreeMap::new(),
            precompressed: true,
            compress: Some(Levels::default()),
            compress_from: 1024,
            symlinks: Symlinks::Within,
            dotfiles: Dotfiles::WellKnown,
            descriptors: Shares::new(1024, 0),
            now: SystemTime::now,
        }
    }
}

impl Config {
    /// Is this a field that [`Config::headers`] may not set, as it frames the message or says what its bytes are?
    pub fn reserved(name: &HeaderName) -> bool {
        use http::header;
        [
            header::ACCEPT_RANGES,
            header::CONNECTION,
            header::CONTENT_LENGTH,
            header::CONTENT_RANGE,
            header::DATE,
            header::ETAG,
            header::LAST_MODIFIED,
            header::TRANSFER_ENCODING,
            header::UPGRADE,
            header::VARY,
        ]
        .contains(name)
    }
}

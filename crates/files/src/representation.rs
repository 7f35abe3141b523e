//! A file's representation in HTTP: content, length, validators, and their headers.

use std::hash::Hasher as _;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use siphasher::sip::SipHasher24;

use super::head::Kind;
use super::open_files::OpenFile;
use super::stamp::{Modified, Stamp};
use headstart_coding::Coding;

/// One form of a file as it was at one moment.
pub(super) struct Representation {
    pub(super) content: Content,
    pub(super) len: u64,
    pub(super) etag: HeaderValue,
    pub(super) modified: Option<Modified>,
    /// The header of a 200 that carries it whole.
    pub(super) head: HeaderMap,
}

/// The place of the bytes.
pub(super) enum Content {
    Memory(Bytes),
    Disk(Arc<OpenFile>),
}

impl Representation {
    /// The file as it is.
    ///
    /// Held in memory, its tag is a hash of the content: 64 bits of SipHash-2-4 with a fixed key, so that restarts and
    /// other machines with the same files give the same tag. Too large for that, it is a hash of what `stat` says,
    /// which changes whenever the file does; it is weak while the file is too fresh for that to be certain.
    pub(super) fn plain(kind: &Kind, varies: bool, content: Content, stamp: Stamp, now: SystemTime) -> Self {
        let weak = matches!(content, Content::Disk(_)) && !stamp.is_settled(now);
        let strength = if weak { "W/" } else { "" };
        let etag = value(format!("{strength}\"{:016x}\"", content.hash(&stamp)));
        Self::new(kind, varies, None, content, etag, (stamp, now))
    }

    /// A compressed file beside the plain one. Its tag is that of the plain one, the coding, and a hash of its own.
    pub(super) fn sibling(
        plain: &Self,
        kind: &Kind,
        coding: Coding,
        content: Content,
        stamp: Stamp,
        now: SystemTime,
    ) -> Self {
        let own = content.hash(&stamp) as u32;
        let etag = value(plain.tag_with(&format!("{}.{own:08x}", coding.name())));
        Self::new(kind, true, Some(coding), content, etag, (stamp, now))
    }

    /// The plain one, compressed by us. Its tag is that of the plain one and the coding: the compressed bytes follow
    /// from both.
    pub(super) fn compressed(plain: &Self, coding: Coding, bytes: Vec<u8>) -> Self {
        let etag = value(plain.tag_with(coding.name()));
        let mut head = plain.head.clone();
        head.remove(http::header::ACCEPT_RANGES);
        head.insert(http::header::CONTENT_ENCODING, coding.value());
        head.insert(http::header::CONTENT_LENGTH, bytes.len().into());
        head.insert(http::header::ETAG, etag.clone());
        Self {
            len: bytes.len() as u64,
            content: Content::Memory(bytes.into()),
            etag,
            modified: plain.modified.clone(),
            head,
        }
    }

    /// Bytes of content that it holds in memory.
    pub(super) fn memory_bytes(&self) -> usize {
        match &self.content {
            Content::Memory(bytes) => bytes.len(),
            Content::Disk(_) => 0,
        }
    }

    fn new(
        kind: &Kind,
        varies: bool,
        coding: Option<Coding>,
        content: Content,
        etag: HeaderValue,
        (stamp, now): (Stamp, SystemTime),
    ) -> Self {
        let len = match &content {
            Content::Memory(bytes) => bytes.len() as u64,
            Content::Disk(_) => stamp.len,
        };
        let modified = stamp.modified.and_then(|modified| Modified::new(modified, now));
        let head = kind.head(len, &etag, modified.as_ref(), coding, varies);
        Self { content, len, etag, modified, head }
    }

    /// This tag with a suffix: `"0123"` and `br` make `"0123-br"`.
    fn tag_with(&self, suffix: &str) -> String {
        let tag = self.etag.to_str().unwrap_or_default();
        format!("{}-{suffix}\"", tag.strip_suffix('"').unwrap_or(tag))
    }

    #[cfg(test)]
    pub(super) fn of_bytes(name: &str, content: Bytes) -> Self {
        let stamp = Stamp::of_length(content.len() as u64);
        let kind = Kind::of(name, &super::Config::default());
        Self::plain(&kind, false, Content::Memory(content), stamp, SystemTime::now())
    }
}

impl Content {
    fn hash(&self, stamp: &Stamp) -> u64 {
        match self {
            Self::Memory(bytes) => {
                let mut hasher = SipHasher24::new();
                hasher.write(bytes);
                hasher.finish()
            }
            Self::Disk(_) => stamp.hash(),
        }
    }
}

/// A tag of our own letters.
fn value(tag: String) -> HeaderValue {
    HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("W/\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_follows_content_alone() {
        let tag = |name, content: &'static str| Representation::of_bytes(name, content.into()).etag;
        assert_eq!(tag("a.css", "x"), tag("b.html", "x"));
        assert_ne!(tag("a.css", "x"), tag("a.css", "y"));
        assert_ne!(tag("a.css", ""), tag("a.css", "\0"));
        assert_eq!(tag("a.css", "x").len(), 18);
    }
}

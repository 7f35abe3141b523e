//! What a file is to HTTP: content, length, validators, and the headers that say so.

use std::fs::{File, Metadata};
use std::hash::Hasher as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use siphasher::sip::SipHasher24;

use super::head::Kind;
use crate::compress::Coding;

/// One form of a file as it was at one moment.
pub(super) struct Representation {
    pub(super) content: Content,
    pub(super) len: u64,
    pub(super) etag: HeaderValue,
    pub(super) modified: Option<Modified>,
    /// The header of a 200 that carries it whole.
    pub(super) head: HeaderMap,
    /// What it is compressed with.
    pub(super) coding: Option<Coding>,
}

/// Where the bytes are.
pub(super) enum Content {
    Memory(Bytes),
    Disk(Arc<File>),
}

/// A modification date that `Last-Modified` can say: whole seconds, between 1970 and 9999, not in the future.
#[derive(Clone)]
pub(super) struct Modified {
    pub(super) time: SystemTime,
    pub(super) header: HeaderValue,
    /// Was it two seconds in the past when the file was read? Else a second change may hide behind the same date,
    /// and the date alone must not be trusted to join ranges (RFC 9110, section 8.8.2.2).
    pub(super) settled: bool,
}

/// What `stat` says of a file; equal as long as nobody wrote to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) len: u64,
    modified: Option<SystemTime>,
    inode: [u64; 2],
    changed: (i64, i64),
}

/// A file that changed less than this ago may change again without a visible change of its dates: the clock behind
/// them ticks every 1 to 10 ms on Linux, every 2 s on FAT.
const UNSETTLED: Duration = Duration::from_secs(2);

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let (inode, changed) = {
            use std::os::unix::fs::MetadataExt as _;
            ([metadata.dev(), metadata.ino()], (metadata.ctime(), metadata.ctime_nsec()))
        };
        #[cfg(not(unix))]
        let (inode, changed) = ([0; 2], (0, 0));
        Self { len: metadata.len(), modified: metadata.modified().ok(), inode, changed }
    }

    /// Is the last change so long ago that an equal stamp means equal content?
    pub(super) fn is_settled(&self, now: SystemTime) -> bool {
        let since_change = u64::try_from(self.changed.0).ok().and_then(|secs| {
            let changed = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(secs))?;
            now.duration_since(changed).ok()
        });
        let since_modified = self.modified.and_then(|modified| now.duration_since(modified).ok());
        let settled = |age: Option<Duration>| age.is_some_and(|age| age >= UNSETTLED);
        settled(since_modified) && (cfg!(not(unix)) || settled(since_change))
    }

    fn hash(&self) -> u64 {
        let mut hasher = SipHasher24::new();
        hasher.write_u64(self.len);
        let since_epoch = self.modified.and_then(|m| m.duration_since(SystemTime::UNIX_EPOCH).ok());
        hasher.write_u128(since_epoch.unwrap_or_default().as_nanos());
        for n in self.inode {
            hasher.write_u64(n);
        }
        hasher.write_i64(self.changed.0);
        hasher.write_i64(self.changed.1);
        hasher.finish()
    }
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
            coding: Some(coding),
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
        Self { content, len, etag, modified, head, coding }
    }

    /// This tag with a suffix: `"0123"` and `br` make `"0123-br"`.
    fn tag_with(&self, suffix: &str) -> String {
        let tag = self.etag.to_str().unwrap_or_default();
        format!("{}-{suffix}\"", tag.strip_suffix('"').unwrap_or(tag))
    }

    #[cfg(test)]
    pub(super) fn of_bytes(name: &str, content: Bytes) -> Self {
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
        let stamp = Stamp { len: content.len() as u64, modified: Some(modified), inode: [0; 2], changed: (0, 0) };
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

impl Modified {
    fn new(modified: SystemTime, now: SystemTime) -> Option<Self> {
        /// 9999-12-31T23:59:59Z, the last second an HTTP date can say.
        const LAST: u64 = 253_402_300_799;
        let seconds = modified.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
        let age = now.duration_since(modified).ok()?;
        if seconds > LAST {
            return None;
        }
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let header = HeaderValue::from_str(&httpdate::fmt_http_date(time)).ok()?;
        Some(Self { time, header, settled: age >= UNSETTLED })
    }
}

/// A tag of our own letters.
fn value(tag: String) -> HeaderValue {
    HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("W/\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(n)
    }

    #[test]
    fn tag_follows_content_alone() {
        let tag = |name, content: &'static str| Representation::of_bytes(name, content.into()).etag;
        assert_eq!(tag("a.css", "x"), tag("b.html", "x"));
        assert_ne!(tag("a.css", "x"), tag("a.css", "y"));
        assert_ne!(tag("a.css", ""), tag("a.css", "\0"));
        assert_eq!(tag("a.css", "x").len(), 18);
    }

    #[test]
    fn dates_that_cannot_be_said_are_left_out() {
        assert!(Modified::new(SystemTime::UNIX_EPOCH - Duration::from_secs(1), seconds(10)).is_none());
        assert!(Modified::new(seconds(11), seconds(10)).is_none());
        assert!(Modified::new(seconds(300_000_000_000), seconds(300_000_000_001)).is_none());
        let modified = Modified::new(seconds(784_111_777), seconds(784_111_778)).unwrap();
        assert_eq!(modified.header, "Sun, 06 Nov 1994 08:49:37 GMT");
        assert!(!modified.settled);
    }

    #[test]
    fn fresh_files_are_not_settled() {
        let stamp = |modified, changed| Stamp {
            len: 0,
            modified: Some(seconds(modified)),
            inode: [1; 2],
            changed: (changed, 0),
        };
        assert!(stamp(100, 100).is_settled(seconds(102)));
        assert!(!stamp(100, 100).is_settled(seconds(101)));
        assert!(!stamp(103, 100).is_settled(seconds(102)));
        // A date set back by hand does not hide a recent change.
        assert_eq!(stamp(50, 101).is_settled(seconds(102)), cfg!(not(unix)));
    }
}

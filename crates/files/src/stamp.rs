//! The result of `stat` for a file, and the modification date that a response can carry.

use std::fs::Metadata;
use std::hash::Hasher as _;
use std::time::{Duration, SystemTime};

use http::HeaderValue;
use siphasher::sip::SipHasher24;

/// A modification date that `Last-Modified` can say: whole seconds, between 1970 and 9999, not in the future.
#[derive(Clone)]
pub(super) struct Modified {
    pub(super) time: SystemTime,
    pub(super) header: HeaderValue,
    /// Was it two seconds in the past when the file was read? Else a second change may hide behind the same date,
    /// and the date alone must not be trusted to join ranges (RFC 9110, section 8.8.2.2).
    pub(super) settled: bool,
}

/// The result of `stat` for a file; equal as long as nobody wrote to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Stamp {
    pub(super) len: u64,
    pub(super) modified: Option<SystemTime>,
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

    /// Of a settled file of this length.
    #[cfg(test)]
    pub(super) fn of_length(len: u64) -> Self {
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
        Self { len, modified: Some(modified), inode: [0; 2], changed: (0, 0) }
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

    /// Was it changed before the other was? By more than what copying a tree takes for one file after the other.
    pub(super) fn is_older_than(&self, other: Self) -> bool {
        match (self.modified, other.modified) {
            (Some(own), Some(other)) => own.checked_add(UNSETTLED).is_some_and(|own| own < other),
            _ => false,
        }
    }

    /// A number that changes whenever the file does.
    pub(super) fn hash(&self) -> u64 {
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

impl Modified {
    pub(super) fn new(modified: SystemTime, now: SystemTime) -> Option<Self> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(n)
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

//! The `Cache-Digest` header field.

use alloc::vec::Vec;

use crate::{CacheDigest, Error, Limits, Profile, Set, from_base64url_lenient};

/// The `Cache-Digest` header fields of a request: several digests, each of URLs alone or of URLs with ETags.
///
/// ```text
/// Cache-Digest = 1#( base64url *( OWS ";" OWS flag ) )       flags: complete, reset, stale, validators
/// ```
///
/// As in H2O (lib/http2/cache_digests.c), the implementation that browsers' service workers spoke to: a digest flagged
/// `stale`, or with a flag not known, is passed over; so is one that does not decode; `reset` forgets what came before; the last digest
/// loaded says whether the whole is complete. Flags are case-insensitive. Unlike H2O, everything has a bound.
#[derive(Clone, Debug)]
pub struct CacheDigests {
    limits: Limits,
    max_digests: usize,
    urls: Vec<Set<CacheDigest>>,
    validated: Vec<Set<CacheDigest>>,
    complete: bool,
}

/// Whether a client's digests contain a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Held, and fresh.
    Fresh,
    /// Not held: the digests are complete and do not name it.
    NotCached,
    /// Nothing is known.
    Unknown,
}

impl CacheDigests {
    /// Nothing said yet. Keeps at most `max_digests` digests, each within `limits`: at most `8 * max_digests *
    /// limits.max_len` bytes. A digest beyond these is passed over.
    pub fn new(max_digests: usize, limits: impl Into<Limits>) -> Self {
        Self { limits: limits.into(), max_digests, urls: Vec::new(), validated: Vec::new(), complete: false }
    }

    /// Reads one field value; returns how many digests were taken from it. O(value).
    pub fn load(&mut self, value: &[u8]) -> usize {
        value.split(|&byte| byte == b',').filter(|member| self.load_member(member).is_some()).count()
    }

    /// Whether a response to this URL is held, by the digests of URLs alone.
    pub fn lookup(&self, url: &[u8]) -> Freshness {
        self.answer(&self.urls, CacheDigest::default().hash(url))
    }

    /// Whether the response with this URL and ETag is held, by the digests of validators.
    pub fn lookup_validated(&self, url: &[u8], etag: &[u8]) -> Freshness {
        self.answer(&self.validated, CacheDigest::default().hash_validated(url, etag))
    }

    /// The digests of URLs alone.
    pub fn urls(&self) -> &[Set<CacheDigest>] {
        &self.urls
    }

    /// The digests of URLs with ETags.
    pub fn validated(&self) -> &[Set<CacheDigest>] {
        &self.validated
    }

    /// Whether the digests name all that the client holds.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    fn answer(&self, digests: &[Set<CacheDigest>], hash: u64) -> Freshness {
        if digests.iter().any(|digest| digest.contains_hash(hash)) {
            Freshness::Fresh
        } else if self.complete {
            Freshness::NotCached
        } else {
            Freshness::Unknown
        }
    }

    /// `None` if the member was passed over.
    fn load_member(&mut self, member: &[u8]) -> Option<()> {
        let mut parts = member.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
        let text = parts.next()?;
        let (mut complete, mut validators, mut skip) = (false, false, false);
        for flag in parts {
            if flag.eq_ignore_ascii_case(b"reset") {
                self.urls.clear();
                self.validated.clear();
                self.complete = false;
            } else if flag.eq_ignore_ascii_case(b"complete") {
                complete = true;
            } else if flag.eq_ignore_ascii_case(b"validators") {
                validators = true;
            } else {
                skip = true;
            }
        }
        if skip || text.is_empty() || self.urls.len() + self.validated.len() >= self.max_digests {
            return None;
        }
        let digest = self.decode(text).ok()?;
        if validators {
            self.validated.push(digest);
        } else {
            self.urls.push(digest);
        }
        self.complete = complete;
        Some(())
    }

    fn decode(&self, text: &[u8]) -> Result<Set<CacheDigest>, Error> {
        let bytes = from_base64url_lenient(text, self.limits.max_bytes)?;
        Set::decode(CacheDigest::default(), &bytes, self.limits)
    }
}

//! Cache-Digest fields and base64url text: bounded, and text that is read strictly is written back as it was.

use crate::read;
use headstart_gcs::{CacheDigests, Freshness, Limits, from_base64url, from_base64url_lenient, to_base64url};

/// One input.
pub fn run(bytes: &[u8]) {
    let Some(values) = read::<Vec<Vec<u8>>>(bytes) else { return };
    let mut digests = CacheDigests::new(4, Limits::len(64).bytes(256));
    for value in &values {
        digests.load(value);
        assert!(digests.urls().len() + digests.validated().len() <= 4);
        assert!(digests.urls().iter().chain(digests.validated()).all(|digest| digest.len() <= 64));
        assert!(digests.lookup(value) != Freshness::NotCached || digests.is_complete());
        if let Ok(bytes) = from_base64url(value, 64) {
            assert!(bytes.len() <= 64);
            assert_eq!(to_base64url(&bytes).as_bytes(), &value[..]);
            assert_eq!(from_base64url_lenient(value, 64), Ok(bytes));
        }
    }
}

//! Numbers for clients and networks of a log.

use std::hash::Hasher as _;

/// A number for an identity in a log. The same in every run, so that one network in two logs is one;
/// the learner hashes it again under its own key.
pub(crate) fn identity(parts: &[&[u8]]) -> u64 {
    let mut hasher = siphasher::sip::SipHasher13::new();
    for part in parts {
        hasher.write(part);
        hasher.write_u8(0xff);
    }
    hasher.finish()
}

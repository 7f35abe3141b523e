//! Keyed hashes: how names that came from clients are told apart.
//!
//! A name is known by 64 bits of SipHash-1-3 under the configured key, so nobody
//! without the key can make two names collide, or read a name out of a state
//! that holds only its hash. By the birthday bound a million names collide with
//! a chance of one in 30 million.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use crate::site::Site;

/// Hashes under the key of one learner.
#[derive(Clone)]
pub(crate) struct Keys {
    key: [u8; 16],
}

/// A name, maybe in parts.
pub(crate) trait Text {
    /// Hands out the parts in order.
    fn parts(&self, take: impl FnMut(&str));
}

impl Text for str {
    fn parts(&self, mut take: impl FnMut(&str)) {
        take(self);
    }
}

/// The role of a name. Hashes of different roles are unrelated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Authority = 1,
    Path = 2,
    Stem = 3,
    Vote = 4,
    Network = 5,
    Edge = 6,
    Template = 7,
    Section = 8,
    Fingerprint = 9,
    Query = 10,
    Visitor = 11,
    Client = 12,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl Keys {
    pub(crate) fn new(key: [u8; 16]) -> Self {
        Self { key }
    }

    /// The salt of a site.
    pub(crate) fn authority(&self, authority: &str) -> u64 {
        self.text(Role::Authority, 0, authority)
    }

    /// A path of a site, page or asset.
    pub(crate) fn path(&self, site: Site, path: &str) -> u64 {
        self.text(Role::Path, site.salt, path)
    }

    /// A page by its path with a `?` and what tells pages apart of its query.
    pub(crate) fn query(&self, site: Site, name: &(impl Text + ?Sized)) -> u64 {
        self.text(Role::Query, site.salt, name)
    }

    /// The template of a page.
    pub(crate) fn template(&self, salt: u64, template: &(impl Text + ?Sized)) -> u64 {
        self.text(Role::Template, salt, template)
    }

    /// The section of a page.
    pub(crate) fn section(&self, salt: u64, section: &(impl Text + ?Sized)) -> u64 {
        self.text(Role::Section, salt, section)
    }

    /// The name of an asset without its fingerprint; never zero.
    pub(crate) fn stem(&self, salt: u64, stem: &str) -> u64 {
        self.text(Role::Stem, salt, stem).max(1)
    }

    /// One network's vote on a page, of one kind.
    pub(crate) fn vote(&self, network: u64, page: u64, kind: u8) -> u64 {
        self.pair(Role::Vote, network ^ u64::from(kind) << 56, page)
    }

    /// A client on a site.
    pub(crate) fn visitor(&self, client: u64, site: Site) -> u64 {
        self.pair(Role::Visitor, client, site.salt)
    }

    /// A client, for other servers.
    pub(crate) fn client(&self, client: u64) -> u64 {
        self.pair(Role::Client, client, 0)
    }

    /// A network before it is mixed with what it voted for.
    pub(crate) fn network(&self, network: u64) -> u64 {
        self.pair(Role::Network, network, 0)
    }

    /// An edge in the admission sketch.
    pub(crate) fn edge(&self, node: u64, asset: u64) -> u64 {
        self.pair(Role::Edge, node, asset)
    }

    /// A seed for hash tables.
    pub(crate) fn seed(&self) -> u64 {
        self.pair(Role::Fingerprint, 1, 0)
    }

    /// Tells keys apart without giving them away.
    pub(crate) fn fingerprint(&self) -> u64 {
        self.pair(Role::Fingerprint, 0, 0)
    }

    fn text(&self, role: Role, salt: u64, text: &(impl Text + ?Sized)) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write_u64(salt ^ ((role as u64) << 56));
        // Hashing a few bytes at a time costs several times as much.
        let (mut short, mut length) = ([0u8; 64], 0);
        text.parts(|part| {
            let part = part.as_bytes();
            if let Some(room) = short.get_mut(length..length + part.len()) {
                room.copy_from_slice(part);
                length += part.len();
            } else {
                hasher.write(short.get(..length).unwrap_or_default());
                hasher.write(part);
                length = 0;
            }
        });
        hasher.write(short.get(..length).unwrap_or_default());
        hasher.finish()
    }

    fn pair(&self, role: Role, a: u64, b: u64) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write_u8(role as u8);
        hasher.write_u64(a);
        hasher.write_u64(b);
        hasher.finish()
    }
}

/// A number mixed with a keyed hash: without the key nobody knows the result, or makes two equal. One multiplication.
pub(crate) fn fold(number: u64, secret: u64) -> u64 {
    // Both factors are secret; the fold depends on every bit of each.
    let product = u128::from(number ^ secret) * u128::from(secret | 1);
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_site_and_role_all_matter() {
        let (a, b) = (Keys::new([1; 16]), Keys::new([2; 16]));
        let site = |salt| Site { index: 0, salt };
        assert_eq!(a.path(site(1), "/x"), a.path(site(1), "/x"));
        assert_ne!(a.path(site(1), "/x"), a.path(site(2), "/x"));
        assert_ne!(a.path(site(1), "/x"), b.path(site(1), "/x"));
        assert_ne!(a.path(site(1), "/x"), a.template(1, "/x"));
        assert_ne!(a.fingerprint(), b.fingerprint());
        assert_ne!(a.vote(1, 2, 0), a.vote(2, 1, 0));
        assert_ne!(a.vote(1, 2, 0), a.vote(1, 2, 1));
    }
}

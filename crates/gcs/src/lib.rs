//! Sets of hashed keys in a few bits each: Golomb-coded sets.
//!
//! Hash every key to a number in a range, sort, and write the gaps in a code that suits them. A set of n keys that errs once in
//! 64 questions takes 7.6 bits a key; it never denies a key that was put in. Build with [`Builder`], ask the bytes as
//! they are with [`View`] or, for large sets, [`Index`]; decode once with [`Set`]. What the numbers are and how the bytes begin and
//! end is a [`Profile`], a small `Copy` value; six formats in use come along. Bytes need not be trusted: any byte string
//! gives an answer or an [`Error`] with its place, in time linear in its bits and memory within a limit that the caller names.
//!
//! ```
//! use headstart_gcs::{HeadstartV1, Set};
//!
//! // The names of at most 64 files; one in a hundred others is taken for one of them.
//! const PROFILE: HeadstartV1 = HeadstartV1::for_rate(*b"a secret, 16 b.!", 64, 0.01);
//!
//! let mut held = Set::new(PROFILE);
//! held.insert("/app.css");
//! held.insert("/app.js");
//! let bytes = held.encode();
//! assert_eq!(bytes.len(), 6);
//!
//! // Back from somebody who may have changed them: at most 512 values are kept.
//! let held = Set::decode(PROFILE, &bytes, 512)?;
//! assert!(held.contains("/app.css") && !held.contains("/font.woff2"));
//! # Ok::<(), headstart_gcs::Error>(())
//! ```
//!
//! # Which profile
//!
//! | you want | take | feature |
//! |---|---|---|
//! | a format of your own, in a cookie, a header or a file | [`HeadstartV1`]: keyed, versioned, truncation is an error, sets can grow and be united | |
//! | filters of Bitcoin blocks, or of `golomb-coded-set` | [`Bip158`]: keyed; the range follows the count, so a set is built at once | |
//! | cookies of the Go library go-casper | `GoCasper` | `md5` |
//! | cookies of the server H2O | `H2oCasper` | `sha1` |
//! | `Cache-Digest` of the IETF drafts 00 to 02, or of the tool before them | `CacheDigest`, `Kazuho00` | `sha2` |
//!
//! The legacy profiles are there to read and write what others wrote. Nobody who may choose should choose them: they have no
//! key, and do not notice every truncation.
//!
//! # Trade-offs
//!
//! * **A set says "maybe".** A key that was never put in is found once in `range / n` questions. `tests/laws/rates.rs` holds all
//!   profiles to within a tenth of that over a million questions.
//! * **A query of bytes is a scan.** Half of the set on average; an [`Index`] (4 bytes a value at 4 values a bucket) or a
//!   decoded [`Set`] (8 bytes a value) needs a hash and a few steps.
//! * **Above about 500 keys it is no longer the smallest.** A ribbon or fuse filter stores about `log2(1 / rate)` bits a key and
//!   little more, a GCS 1.5 bits more than that; it wins below, where their seeds and slack weigh. They answer faster, too; but
//!   a GCS can be united, enlarged and listed.
//! * **The hash decides who can cheat.** MD5, SHA-1 and SHA-256 of the legacy formats have no key: anybody can look for names
//!   that collide. [`HeadstartV1`] and [`Bip158`] are keyed.
//!
//! # Cost
//!
//! Time per value or key, of sets that the branch predictor has not seen (`cargo bench -p headstart-benches --bench gcs` prints
//! it beside two other crates and a plain loop, and checks every answer).
//!
//! | | time | memory |
//! |---|---|---|
//! | build n keys | n hashes, n log n | 8 to 24 bytes a key, asserted |
//! | [`Set::decode`] | O(bits), five to six values per eight-byte load at 6 bits | 8 bytes a value, within the limit |
//! | [`View::contains`] | a hash and half of the values | none |
//! | [`View::contains_many`], k keys | k hashes, k log k, one pass for 64 keys | none (1 KiB of stack) |
//! | [`Set::contains`] | a hash, log2(n) steps | none |
//! | [`Index::contains`] | a hash, about 4 values at 4 a bucket | none |
//! | [`Set::insert`], [`Set::union`] | O(n), O(n + m) | |
//! | size | within 2.2% of log2(C(range, n)) at 1/64, 0.4% at 1/784931, n of 1,000 and more, asserted | |
//!
//! # Features
//!
//! `alloc` (default): building, owned sets, [`Index`]. `text`: base64url. `std`: `Set::read_from` and `Set::write_to`.
//! `serde`: sets as bytes. `md5`, `sha1`, `sha2`: the hashes of the legacy profiles; without one, its profiles are not there.
//! By default this crate and `siphasher` are all that is compiled, and the crate is `no_std` unless `std` is on.
//!
//! # Sources
//!
//! * S. W. Golomb, "Run-length encodings", IEEE Trans. Information Theory 12(3), 1966: the code, for gaps of any mean.
//! * R. F. Rice, "Some practical universal noiseless coding techniques", JPL 79-22, 1979: the power-of-two case, used by
//!   all formats here.
//! * A. Kiely, "Selecting the Golomb parameter in Rice coding", IPN Progress Report 42-159, 2004: how [`HeadstartV1`] chooses it.
//! * F. Putze, P. Sanders, J. Singler, "Cache-, hash- and space-efficient Bloom filters", WEA 2007: the set, its
//!   size against Bloom filters, and an index to it.
//! * A. Langley, "Smaller than Bloom filters", imperialviolet.org, 2011: the use for revocation lists, in a page.
//! * [BIP 158](https://github.com/bitcoin/bips/blob/master/bip-0158.mediawiki), 2017: a format with vectors; the fast range.
//! * draft-ietf-httpbis-cache-digest-00 to -02, 2016: digests of HTTP caches; -03 went over to cuckoo filters.
//! * J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012: the keyed hash.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
#[macro_use]
extern crate std;

mod bits;
#[cfg(feature = "alloc")]
mod builder;
#[cfg(all(feature = "text", feature = "sha2"))]
mod digest_header;
mod error;
#[cfg(feature = "alloc")]
mod index;
#[cfg(feature = "std")]
mod io;
mod layout;
mod many;
mod profile;
mod profiles;
#[cfg(feature = "serde")]
mod serde;
#[cfg(feature = "alloc")]
mod set;
#[cfg(feature = "text")]
mod text;
mod view;
mod walk;
#[cfg(feature = "alloc")]
mod write;

#[cfg(all(feature = "text", feature = "sha2"))]
pub use crate::digest_header::{CacheDigests, Freshness};
#[cfg(feature = "serde")]
pub use crate::serde::SetSeed;
#[cfg(feature = "text")]
pub use crate::text::{from_base64url, from_base64url_lenient, to_base64url};
pub use crate::{
    bits::BitReader,
    error::{Error, ErrorKind},
    layout::{Code, Layout, MAX_REMAINDER_BITS, PastRange, Tail, Unary},
    profile::{Limits, Profile},
    profiles::*,
    view::{Reader, View},
};
#[cfg(feature = "alloc")]
pub use crate::{
    bits::BitWriter,
    builder::Builder,
    index::Index,
    profile::{Encode, FixedRange},
    set::Set,
};

#[cfg(feature = "alloc")]
use crate::set::encode;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

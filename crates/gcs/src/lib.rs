//! Sets of hashed keys in a few bits each: Golomb-coded sets.
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
#[cfg(all(feature = "alloc", feature = "sha2"))]
mod digest_header;
mod error;
#[cfg(feature = "alloc")]
mod index;
mod layout;
mod profile;
mod profiles;
#[cfg(feature = "alloc")]
mod set;
#[cfg(feature = "alloc")]
mod text;
mod view;
mod walk;
#[cfg(feature = "alloc")]
mod write;

#[cfg(all(feature = "alloc", feature = "sha2"))]
pub use crate::digest_header::{CacheDigests, Freshness};
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
    text::{from_base64url, from_base64url_lenient, to_base64url},
};

#[cfg(feature = "alloc")]
use crate::set::encode;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

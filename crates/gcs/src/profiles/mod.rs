//! The formats, one a file.

mod bip158;
#[cfg(feature = "sha2")]
mod cache_digest;
#[cfg(feature = "md5")]
mod go_casper;
#[cfg(feature = "sha1")]
mod h2o_casper;
mod headstart_v1;

pub use bip158::Bip158;
#[cfg(feature = "sha2")]
pub use cache_digest::{CacheDigest, Kazuho00};
#[cfg(feature = "md5")]
pub use go_casper::GoCasper;
#[cfg(feature = "sha1")]
pub use h2o_casper::H2oCasper;
pub use headstart_v1::HeadstartV1;

//! Content codings of HTTP (RFC 9110, section 8.4): which one a client takes best, and the encoders.
//!
//! * [`Accepted`] reads `Accept-Encoding`.
//! * [`is_compressible`] says by its media type whether content is worth the work.
//! * [`compress`] encodes a whole body, which is kept and sent many times, so that a slow, dense level pays.
//! * [`Encoder`] encodes a body that comes in pieces and is sent once, in bounded memory.

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod accept;
mod encode;
mod encoder;

pub use accept::Accepted;
pub use encode::{Levels, compress};
pub use encoder::Encoder;

use http::HeaderValue;

/// A content coding (RFC 9110, section 8.4.1). The order is the order of preference where a client has none: densest
/// first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Coding {
    /// Brotli, RFC 7932.
    Br,
    /// Zstandard with a window of at most 8 MiB, RFC 9659.
    Zstd,
    /// RFC 1952.
    Gzip,
}

impl Coding {
    /// All of them, the preferred first.
    pub const ALL: [Self; 3] = [Self::Br, Self::Zstd, Self::Gzip];

    /// Its name in `Accept-Encoding` and `Content-Encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Br => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// The same as a header value.
    pub fn value(self) -> HeaderValue {
        HeaderValue::from_static(self.name())
    }

    /// The suffix of a compressed file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Br => "br",
            Self::Zstd => "zst",
            Self::Gzip => "gz",
        }
    }
}

/// Is content of this media type (parameters and all) worth compressing? Text, and what is text in disguise; not
/// images, sound, films, archives and WOFF fonts, which are compressed already.
pub fn is_compressible(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let Some((kind, subtype)) = essence.split_once('/') else { return false };
    match kind {
        // Server-sent events are read as they come.
        "text" => subtype != "event-stream",
        "font" => matches!(subtype, "ttf" | "otf" | "sfnt" | "collection"),
        "image" => matches!(subtype, "svg+xml" | "bmp" | "x-icon" | "vnd.microsoft.icon"),
        "application" => {
            subtype.ends_with("+json")
                || subtype.ends_with("+xml")
                || matches!(
                    subtype,
                    "javascript"
                        | "json"
                        | "json5"
                        | "ld+json"
                        | "rtf"
                        | "vnd.ms-fontobject"
                        | "wasm"
                        | "x-javascript"
                        | "x-ndjson"
                        | "x-sh"
                        | "x-tex"
                        | "x-yaml"
                        | "xml"
                        | "yaml"
                )
        }
        "model" => matches!(subtype, "gltf+json" | "obj" | "stl"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_worth_it() {
        for yes in [
            "text/html; charset=utf-8",
            "TEXT/CSS",
            "text/javascript",
            "image/svg+xml",
            "application/json",
            "application/manifest+json",
            "application/wasm",
            "font/ttf",
            "image/x-icon",
        ] {
            assert!(is_compressible(yes), "{yes}");
        }
        for no in [
            "image/png",
            "font/woff2",
            "video/mp4",
            "application/zip",
            "application/octet-stream",
            "application/pdf",
            "text/event-stream",
            "",
            "text",
        ] {
            assert!(!is_compressible(no), "{no}");
        }
    }
}

//! The facts of a page.

use crate::asset::Asset;

/// Facts of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// The assets of the page's own origin, in the order of the document.
    pub assets: Vec<Asset>,
    /// Other origins that assets come from, or that the page connects to itself, in the order of the document.
    pub origins: Vec<Origin>,
    /// The `content` of each `<meta http-equiv=Content-Security-Policy>` of the head.
    pub content_security_policies: Vec<Box<str>>,
    /// The `content` of the last `<meta name=referrer>`, in lower case.
    pub referrer_policy: Option<Box<str>>,
    /// There is a `<base href>`.
    pub base: bool,
    /// There is a `<script type=importmap>`.
    pub import_map: bool,
    /// How the reading ended.
    pub end: End,
}

/// Another origin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "facts of an origin, independent of each other")]
#[non_exhaustive]
pub struct Origin {
    /// Scheme, host, and port where it is not the scheme's: `https://cdn.example`.
    pub origin: Box<str>,
    /// Something is asked for without credentials (CORS, anonymous), on a connection of its own: modules, fonts.
    pub anonymous: bool,
    /// Something is asked for with credentials, as images and classic scripts are.
    pub credentials: bool,
    /// Something that comes from there blocks.
    pub blocking: bool,
    /// The page asks for a connection by `rel=preconnect`.
    pub preconnect: bool,
    /// Assets that come from there and are not put off.
    pub assets: u32,
}

/// How the reading of a document ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// The document was read to its end.
    #[default]
    Whole,
    /// The document is longer than what is read of it; what follows is not known.
    Truncated,
    /// A tag, its attributes or the depth of elements would need more memory than allowed.
    Memory,
    /// It names more assets, origins or policies than are kept.
    TooMany,
    /// It is not in an encoding that has ASCII in it, as UTF-16 is.
    Encoding,
}

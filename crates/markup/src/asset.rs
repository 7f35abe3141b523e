//! One asset of the page's own origin, as an element asks for it.

/// The role in which an element asks for an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Named in the `srcdoc` of an `<iframe>`: a document of its own, which uses no preload of this page.
    Embedded,
    /// `as=fetch` of a preload.
    Fetch,
    /// A font that the page preloads.
    Font,
    /// `rel=icon` and its kind, whatever the file is called.
    Icon,
    /// `<img>`, `<source>` of a `<picture>`, `poster`, svg `<image>`, `<input type=image>`.
    Image,
    /// `rel=manifest`.
    Manifest,
    /// `<script type=module>`, `rel=modulepreload`.
    Module,
    /// A classic script.
    Script,
    /// `rel=stylesheet`.
    Stylesheet,
    /// svg `<use>`, which takes no preload.
    SvgUse,
}

impl Role {
    /// The `as` of a preload that the element uses; `None` where there is no such preload.
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            Role::Fetch => Some("fetch"),
            Role::Font => Some("font"),
            Role::Image => Some("image"),
            Role::Module | Role::Script => Some("script"),
            Role::Stylesheet => Some("style"),
            Role::Embedded | Role::Icon | Role::Manifest | Role::SvgUse => None,
        }
    }
}

/// A CORS settings attribute (HTML, 2.5.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Crossorigin {
    /// No attribute. A module is then fetched as with `Anonymous`.
    #[default]
    Absent,
    /// Present, empty, or with any other value.
    Anonymous,
    /// `use-credentials`.
    UseCredentials,
}

/// A fetch priority attribute (HTML, 2.5.9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FetchPriority {
    /// No attribute, or `auto`.
    #[default]
    Auto,
    /// `high`
    High,
    /// `low`
    Low,
}

/// The candidates of a responsive image; URLs as paths or absolute, never relative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srcset {
    /// The value of `imagesrcset`.
    pub candidates: Box<str>,
    /// The value of `imagesizes`.
    pub sizes: Option<Box<str>>,
    /// The paths of the candidates that are of the page's origin.
    pub paths: Vec<Box<str>>,
}

/// An asset of the page's own origin, as one element asks for it. A path that several elements name is there as often.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "facts of an element, independent of each other")]
#[non_exhaustive]
pub struct Asset {
    /// Path with query, without fragment; at most [`MAX_PATH_BYTES`](crate::MAX_PATH_BYTES).
    pub path: Box<str>,
    /// The role in which it is asked for.
    pub role: Role,
    /// The CORS mode it is asked for in.
    pub crossorigin: Crossorigin,
    /// `integrity`, as written.
    pub integrity: Option<Box<str>>,
    /// `media`, as written.
    pub media: Option<Box<str>>,
    /// `type`, where it is the media type of a preload or a `<source>`.
    pub mime_type: Option<Box<str>>,
    /// `fetchpriority`.
    pub fetch_priority: FetchPriority,
    /// `referrerpolicy` as written, up to 64 bytes.
    pub referrer_policy: Option<Box<str>>,
    /// `srcset` and `sizes`.
    pub srcset: Option<Srcset>,
    /// It stands before the body.
    pub in_head: bool,
    /// Nothing is rendered, or the parser waits, until it is there.
    pub blocking: bool,
    /// `loading=lazy`.
    pub lazy: bool,
    /// The page itself names it by `rel=preload` or `rel=modulepreload`.
    pub preload: bool,
    /// A browser may take another candidate before this one: a later `<source>`, or the `<img>` after a `<source>`.
    pub alternative: bool,
    /// The element has a `nonce`.
    pub nonce: bool,
    /// An attribute that matters was too long to be kept, so that no preload can be written that is used.
    pub incomplete: bool,
}

impl Asset {
    pub(crate) fn new(path: Box<str>, role: Role) -> Self {
        Asset {
            path,
            role,
            crossorigin: Crossorigin::Absent,
            integrity: None,
            media: None,
            mime_type: None,
            fetch_priority: FetchPriority::Auto,
            referrer_policy: None,
            srcset: None,
            in_head: false,
            blocking: false,
            lazy: false,
            preload: false,
            alternative: false,
            nonce: false,
            incomplete: false,
        }
    }

    /// The page puts it off, or it is for another medium: `loading=lazy`, `fetchpriority=low`, a `media` that no screen
    /// matches.
    pub fn is_put_off(&self) -> bool {
        self.lazy
            || self.fetch_priority == FetchPriority::Low
            || self.media.as_deref().is_some_and(|media| !crate::matches_screens(media))
    }

    /// Bytes of heap, about.
    pub(crate) fn bytes(&self) -> usize {
        let text = |text: &Option<Box<str>>| text.as_ref().map_or(0, |text| text.len());
        let srcset = self.srcset.as_ref().map_or(0, |srcset| {
            let paths: usize = srcset.paths.iter().map(|path| path.len() + size_of::<Box<str>>()).sum();
            srcset.candidates.len() + text(&srcset.sizes) + paths
        });
        let texts = [&self.integrity, &self.media, &self.mime_type, &self.referrer_policy];
        size_of::<Self>() + self.path.len() + texts.into_iter().map(text).sum::<usize>() + srcset
    }
}

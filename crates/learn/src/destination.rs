//! The destination of a request (Fetch standard, 2.2.5).

use std::fmt;

/// A request destination of the Fetch standard (section 2.2.5), as
/// `Sec-Fetch-Dest` spells it and as the `as` of a preload wants it.
///
/// Only destinations that an asset of a page can have are listed; navigations
/// and reports are not assets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Destination {
    /// `audio`
    Audio = 1,
    /// `audioworklet`
    AudioWorklet = 2,
    /// `document`: only ever the page itself
    Document = 3,
    /// `embed`
    Embed = 4,
    /// The empty destination of `fetch()` and `XMLHttpRequest`; `Sec-Fetch-Dest: empty`,
    /// `as=fetch`. Also what is assumed when nothing better is known.
    #[default]
    Fetch = 0,
    /// `font`
    Font = 5,
    /// `frame`
    Frame = 6,
    /// `iframe`
    Iframe = 7,
    /// `image`
    Image = 8,
    /// `json`
    Json = 9,
    /// `manifest`
    Manifest = 10,
    /// `object`
    Object = 11,
    /// `script`
    Script = 12,
    /// `sharedworker`
    SharedWorker = 13,
    /// `style`
    Style = 14,
    /// `track`
    Track = 15,
    /// `video`
    Video = 16,
    /// `worker`
    Worker = 17,
    /// `xslt`
    Xslt = 18,
}

use Destination as D;

/// Every destination with its spelling in the `as` of a preload.
const NAMES: [(Destination, &str); 19] = [
    (D::Audio, "audio"),
    (D::AudioWorklet, "audioworklet"),
    (D::Document, "document"),
    (D::Embed, "embed"),
    (D::Fetch, "fetch"),
    (D::Font, "font"),
    (D::Frame, "frame"),
    (D::Iframe, "iframe"),
    (D::Image, "image"),
    (D::Json, "json"),
    (D::Manifest, "manifest"),
    (D::Object, "object"),
    (D::Script, "script"),
    (D::SharedWorker, "sharedworker"),
    (D::Style, "style"),
    (D::Track, "track"),
    (D::Video, "video"),
    (D::Worker, "worker"),
    (D::Xslt, "xslt"),
];

impl Destination {
    /// The spelling that the `as` of a preload wants: lower case, `fetch` for the empty one.
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(destination, _)| *destination == self).map_or("fetch", |(_, name)| name)
    }

    /// Reads a `Sec-Fetch-Dest` value or the `as` of a preload; `empty` and `fetch` are one.
    ///
    /// `None` for names that are not the destination of an asset or are unknown.
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "empty" {
            return Some(Self::Fetch);
        }
        NAMES.iter().find(|(_, spelling)| *spelling == name).map(|(destination, _)| *destination)
    }

    /// The destination with this number in a snapshot.
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        NAMES.iter().find(|(destination, _)| *destination as u8 == code).map(|(destination, _)| *destination)
    }

    /// Whether a request of an asset fetched as this may name it as its Referer.
    pub(crate) fn has_children(self) -> bool {
        matches!(self, Self::Script | Self::Style | Self::Worker)
    }

    /// Whether a page is not shown, or not shown right, before it is there.
    pub(crate) fn blocks_rendering(self) -> bool {
        matches!(self, Self::Font | Self::Script | Self::Style)
    }

    /// Breaks ties in the order of need: what blocks rendering first.
    pub(crate) fn urgency(self) -> u8 {
        match self {
            Self::Style => 0,
            Self::Script => 1,
            Self::Font => 2,
            Self::Image => 4,
            Self::Audio | Self::Track | Self::Video => 5,
            _ => 3,
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_and_code_reads_back() {
        for (destination, name) in NAMES {
            assert_eq!(Destination::from_name(name), Some(destination));
            assert_eq!(Destination::from_code(destination as u8), Some(destination));
            assert_eq!(destination.to_string(), name);
        }
        assert_eq!(Destination::from_name("empty"), Some(Destination::Fetch));
        assert_eq!(Destination::from_name("Style"), None);
        assert_eq!(Destination::from_code(200), None);
    }
}

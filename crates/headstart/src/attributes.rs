//! The attributes of a preload besides its path, which a browser compares before it uses one.

use std::sync::{Arc, LazyLock};

use headstart_learn::Destination;

/// A CORS settings attribute (HTML, 2.5.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Crossorigin {
    /// The request is not made in CORS mode, or the destination decides.
    #[default]
    Absent,
    Anonymous,
    UseCredentials,
}

/// The attributes of a preload. Texts are such as can stand in a quoted string of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Attributes {
    /// `rel=modulepreload` instead of `preload`: Firefox takes no other for a module.
    pub(crate) module: bool,
    pub(crate) crossorigin: Crossorigin,
    pub(crate) integrity: Option<Box<str>>,
    pub(crate) media: Option<Box<str>>,
    pub(crate) mime_type: Option<Box<str>>,
    pub(crate) fetch_priority: Option<&'static str>,
    pub(crate) referrer_policy: Option<&'static str>,
    pub(crate) srcset: Option<Box<str>>,
    pub(crate) sizes: Option<Box<str>>,
    /// The element has a `nonce`, so that a policy that wants one admits it.
    pub(crate) nonce: bool,
}

impl Attributes {
    /// The attributes where the page's own words are unknown.
    pub(crate) fn of_mode(destination: Destination, cors: bool) -> Arc<Self> {
        static ABSENT: LazyLock<Arc<Attributes>> = LazyLock::new(Arc::default);
        static ANONYMOUS: LazyLock<Arc<Attributes>> =
            LazyLock::new(|| Arc::new(Attributes { crossorigin: Crossorigin::Anonymous, ..Attributes::default() }));
        Arc::clone(if cors || destination == Destination::Font { &ANONYMOUS } else { &ABSENT })
    }

    /// Whether the request is made in CORS mode.
    pub(crate) fn is_cors(&self) -> bool {
        self.module || self.crossorigin != Crossorigin::Absent
    }

    /// Bytes that the parameters of a hint take at most.
    pub(crate) fn written_bytes(&self) -> usize {
        const NAMES: usize = 64;
        const EACH: usize = 16;
        let texts = [&self.integrity, &self.media, &self.mime_type, &self.srcset, &self.sizes];
        let texts: usize = texts.into_iter().flatten().map(|text| text.len() + EACH).sum();
        let words = [self.fetch_priority, self.referrer_policy];
        NAMES + texts + words.into_iter().flatten().map(|word| word.len() + EACH).sum::<usize>()
    }

    /// Whether each text can stand in a quoted string as it is.
    pub(crate) fn can_be_written(&self) -> bool {
        let texts = [&self.integrity, &self.media, &self.mime_type, &self.srcset, &self.sizes];
        texts.into_iter().flatten().all(|text| text.bytes().all(is_quotable))
    }

    /// Bytes of heap.
    #[cfg(feature = "markup")]
    pub(crate) fn bytes(&self) -> usize {
        let texts = [&self.integrity, &self.media, &self.mime_type, &self.srcset, &self.sizes];
        size_of::<Self>() + texts.into_iter().flatten().map(|text| text.len()).sum::<usize>()
    }

    /// Appends the parameters after `rel` and `as`.
    pub(crate) fn write(&self, nonce: Option<&str>, to: &mut String) {
        to.push_str(match self.crossorigin {
            Crossorigin::Absent => "",
            Crossorigin::Anonymous => "; crossorigin",
            Crossorigin::UseCredentials => "; crossorigin=use-credentials",
        });
        let mut quoted = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                to.push_str("; ");
                to.push_str(name);
                to.push_str("=\"");
                to.push_str(value);
                to.push('"');
            }
        };
        quoted("integrity", self.integrity.as_deref());
        quoted("type", self.mime_type.as_deref());
        quoted("media", self.media.as_deref());
        quoted("imagesrcset", self.srcset.as_deref());
        quoted("imagesizes", self.sizes.as_deref());
        quoted("nonce", nonce);
        for (name, value) in [("fetchpriority", self.fetch_priority), ("referrerpolicy", self.referrer_policy)] {
            if let Some(value) = value {
                to.push_str("; ");
                to.push_str(name);
                to.push('=');
                to.push_str(value);
            }
        }
    }
}

/// Whether a byte stands in a quoted string without an escape, which not all readers of `Link` undo.
pub(crate) fn is_quotable(byte: u8) -> bool {
    (byte == b' ' || byte.is_ascii_graphic()) && !matches!(byte, b'"' | b'\\')
}

//! The attributes of one element that matter here, decoded and bounded.

use lol_html::html_content::Attribute;

use crate::asset::{Crossorigin, FetchPriority};

/// Longest value that is kept, bytes; of a `srcdoc`, sixteen times as much.
pub(crate) const MAX_VALUE_BYTES: usize = 4 << 10;

/// Longest referrer policy that is kept, bytes; the longest of the standard has 31.
pub(crate) const MAX_POLICY_BYTES: usize = 64;

/// Attributes of one element that are looked at.
const MAX_ATTRIBUTES: usize = 256;

macro_rules! names {
    ($($name:ident = $spelling:literal,)*) => {
        /// An attribute that matters.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Name { $($name,)* }

        impl Name {
            fn of(spelling: &str) -> Option<Self> {
                match spelling { $($spelling => Some(Name::$name),)* _ => None }
            }
        }
    };
}

names! {
    As = "as",
    Async = "async",
    Content = "content",
    Crossorigin = "crossorigin",
    Defer = "defer",
    Disabled = "disabled",
    FetchPriority = "fetchpriority",
    Href = "href",
    HttpEquiv = "http-equiv",
    ImageSizes = "imagesizes",
    ImageSrcset = "imagesrcset",
    Integrity = "integrity",
    Loading = "loading",
    Media = "media",
    Called = "name",
    NoModule = "nomodule",
    Nonce = "nonce",
    Poster = "poster",
    ReferrerPolicy = "referrerpolicy",
    Rel = "rel",
    ShadowRootMode = "shadowrootmode",
    Sizes = "sizes",
    Src = "src",
    SrcDoc = "srcdoc",
    Srcset = "srcset",
    Type = "type",
    XlinkHref = "xlink:href",
}

/// The attributes of one element; the first of several with one name counts.
#[derive(Debug, Default)]
pub(crate) struct Attributes {
    /// `None` stands for a value that is too long.
    list: Vec<(Name, Option<String>)>,
}

impl Attributes {
    pub(crate) fn of(attributes: &[Attribute<'_>]) -> Self {
        let mut list: Vec<(Name, Option<String>)> = Vec::new();
        for attribute in attributes.iter().take(MAX_ATTRIBUTES) {
            let Some(name) = Name::of(&attribute.name()) else { continue };
            if list.iter().any(|(known, _)| *known == name) {
                continue;
            }
            let most = if name == Name::SrcDoc { 16 * MAX_VALUE_BYTES } else { MAX_VALUE_BYTES };
            // The length is asked before the value is copied.
            let length = attribute.value_source_location().map_or(0, |location| location.bytes().len());
            let value = (length <= most).then(|| {
                let value = attribute.value();
                if value.contains('&') { htmlize::unescape_attribute(value).into_owned() } else { value }
            });
            list.push((name, value));
        }
        Attributes { list }
    }

    /// The value, if it is there and was not too long.
    pub(crate) fn get(&self, name: Name) -> Option<&str> {
        self.list.iter().find(|(known, _)| *known == name).and_then(|(_, value)| value.as_deref())
    }

    pub(crate) fn has(&self, name: Name) -> bool {
        self.list.iter().any(|(known, _)| *known == name)
    }

    pub(crate) fn is_too_long(&self, name: Name) -> bool {
        self.list.iter().any(|(known, value)| *known == name && value.is_none())
    }

    /// A value that says something: neither absent nor blank.
    pub(crate) fn text(&self, name: Name) -> Option<Box<str>> {
        self.get(name).map(str::trim).filter(|text| !text.is_empty()).map(Into::into)
    }

    pub(crate) fn is(&self, name: Name, value: &str) -> bool {
        self.get(name).is_some_and(|found| found.trim().eq_ignore_ascii_case(value))
    }

    pub(crate) fn crossorigin(&self) -> Crossorigin {
        if !self.has(Name::Crossorigin) {
            Crossorigin::Absent
        } else if self.get(Name::Crossorigin).is_some_and(|value| value.eq_ignore_ascii_case("use-credentials")) {
            Crossorigin::UseCredentials
        } else {
            Crossorigin::Anonymous
        }
    }

    pub(crate) fn fetch_priority(&self) -> FetchPriority {
        match self.get(Name::FetchPriority) {
            Some(value) if value.eq_ignore_ascii_case("high") => FetchPriority::High,
            Some(value) if value.eq_ignore_ascii_case("low") => FetchPriority::Low,
            _ => FetchPriority::Auto,
        }
    }

    pub(crate) fn referrer_policy(&self) -> Option<Box<str>> {
        self.get(Name::ReferrerPolicy).filter(|policy| policy.len() <= MAX_POLICY_BYTES).map(Into::into)
    }
}

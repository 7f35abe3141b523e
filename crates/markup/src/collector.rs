//! From elements to facts.

use crate::asset::{Asset, Crossorigin, Role};
use crate::attributes::{Attributes, MAX_POLICY_BYTES, Name};
use crate::location::{Location, Target};
use crate::page::{End, Origin, Page};
use crate::{media, srcset};

/// Most of each that is kept.
const MAX_ASSETS: usize = 1024;
const MAX_ORIGINS: usize = 64;
const MAX_POLICIES: usize = 16;
/// Most heap of the facts, bytes.
const MAX_FACT_BYTES: usize = 192 << 10;

/// Relations of a page to its icons.
const ICONS: [&str; 4] = ["icon", "apple-touch-icon", "apple-touch-icon-precomposed", "mask-icon"];

/// Facts that have been found so far.
#[derive(Debug)]
pub(crate) struct Collector {
    location: Location,
    base: Location,
    page: Page,
    bytes: usize,
    in_body: bool,
    /// Open `<template>` elements, whose content is not shown.
    templates: u32,
    /// Sources of the open `<picture>`.
    picture: Option<usize>,
}

/// The caller's next step for an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Nothing.
    Go,
    /// Say when it ends.
    Watch(Watched),
    /// Read this document, which is embedded.
    Embedded(String),
    /// There is no room for more facts.
    Stop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watched {
    Picture,
    Template,
}

impl Collector {
    pub(crate) fn new(location: Location) -> Self {
        Collector {
            base: location.clone(),
            location,
            page: Page::default(),
            bytes: 0,
            in_body: false,
            templates: 0,
            picture: None,
        }
    }

    pub(crate) fn location(&self) -> &Location {
        &self.location
    }

    pub(crate) fn finish(&mut self, end: End) -> Page {
        let mut page = std::mem::take(&mut self.page);
        if page.end == End::Whole {
            page.end = end;
        }
        page
    }

    /// A start tag.
    pub(crate) fn element(&mut self, name: &str, svg: bool, attributes: impl FnOnce() -> Attributes) -> Then {
        match name {
            "base" | "link" | "meta" | "noscript" | "script" | "template" => {}
            _ => self.in_body = true,
        }
        if name == "template" {
            // A declarative shadow root is shown.
            if attributes().has(Name::ShadowRootMode) {
                return Then::Go;
            }
            self.templates += 1;
            return Then::Watch(Watched::Template);
        }
        if self.templates > 0 {
            return Then::Go;
        }
        match name {
            "base" => self.base(&attributes()),
            "iframe" => return iframe(&attributes()),
            "image" if svg => self.svg_reference(Role::Image, &attributes()),
            "image" | "img" => self.image(&attributes()),
            "input" => self.input(&attributes()),
            "link" => self.link(&attributes()),
            "meta" => self.meta(&attributes()),
            "picture" => {
                self.picture = Some(0);
                return Then::Watch(Watched::Picture);
            }
            "script" if svg => {}
            "script" => self.script(&attributes()),
            "source" => self.source(&attributes()),
            "use" if svg => self.svg_reference(Role::SvgUse, &attributes()),
            "video" => self.poster(&attributes()),
            _ => {}
        }
        if self.page.end == End::Whole { Then::Go } else { Then::Stop }
    }

    /// The end of an element that is watched.
    pub(crate) fn ended(&mut self, what: Watched) {
        match what {
            Watched::Picture => self.picture = None,
            Watched::Template => self.templates = self.templates.saturating_sub(1),
        }
    }

    /// Assets of an embedded document.
    pub(crate) fn embedded(&mut self, page: Page) {
        for asset in page.assets {
            self.push(Asset::new(asset.path, Role::Embedded));
        }
    }

    fn base(&mut self, attributes: &Attributes) {
        if let Some(href) = attributes.get(Name::Href).filter(|_| !self.page.base) {
            self.page.base = true;
            if let Some(base) = self.location.rebase(href) {
                self.base = base;
            }
        }
    }

    fn meta(&mut self, attributes: &Attributes) {
        if attributes.is(Name::Called, "referrer") {
            let policy = attributes.get(Name::Content).map(|content| content.trim().to_ascii_lowercase());
            self.page.referrer_policy = policy.filter(|policy| policy.len() <= MAX_POLICY_BYTES).map(Into::into);
        } else if attributes.is(Name::HttpEquiv, "content-security-policy") && !self.in_body {
            // A policy that cannot be kept might forbid anything.
            match attributes.get(Name::Content) {
                Some(policy) if self.page.content_security_policies.len() < MAX_POLICIES => {
                    self.bytes += policy.len();
                    self.page.content_security_policies.push(policy.into());
                    self.check_room();
                }
                None if !attributes.has(Name::Content) => {}
                _ => self.page.end = End::TooMany,
            }
        }
    }

    fn link(&mut self, attributes: &Attributes) {
        let Some(rel) = attributes.get(Name::Rel) else { return };
        let relates = |name: &str| rel.split_ascii_whitespace().any(|found| found.eq_ignore_ascii_case(name));
        if relates("preconnect") {
            let to = attributes.get(Name::Href).and_then(|href| self.location.resolve_from(&self.base, href));
            if let Some(Target::Other(origin)) = to {
                let anonymous = attributes.crossorigin() == Crossorigin::Anonymous;
                self.origin(origin, anonymous, |origin| origin.preconnect = true);
            }
        }
        let preload = relates("preload") || relates("modulepreload");
        let role = if relates("stylesheet") {
            if relates("alternate") || attributes.has(Name::Disabled) {
                return;
            }
            Role::Stylesheet
        } else if relates("modulepreload") {
            match attributes.get(Name::As) {
                Some(as_) if !as_.is_empty() && !as_.eq_ignore_ascii_case("script") => return,
                _ => Role::Module,
            }
        } else if preload {
            match attributes.get(Name::As).map(str::to_ascii_lowercase).as_deref() {
                Some("fetch") => Role::Fetch,
                Some("font") => Role::Font,
                Some("image") => Role::Image,
                Some("script") => Role::Script,
                Some("style") => Role::Stylesheet,
                _ => return,
            }
        } else if ICONS.into_iter().any(relates) {
            Role::Icon
        } else if relates("manifest") {
            Role::Manifest
        } else {
            return;
        };
        let srcset = attributes.get(Name::ImageSrcset).filter(|_| preload && role == Role::Image);
        self.asset(role, attributes, Name::Href, srcset, attributes.get(Name::ImageSizes), |asset| {
            asset.preload = preload && !relates("stylesheet");
            asset.media = attributes.text(Name::Media);
            if asset.preload {
                asset.mime_type = attributes.text(Name::Type);
            }
            let screens = asset.media.as_deref().is_none_or(media::matches_screens);
            asset.blocking = role == Role::Stylesheet && !asset.preload && screens;
        });
    }

    fn script(&mut self, attributes: &Attributes) {
        let kind = attributes.get(Name::Type).map(|kind| kind.trim().to_ascii_lowercase());
        let role = match kind.as_deref() {
            Some("module") => Role::Module,
            Some("importmap") => {
                self.page.import_map = true;
                return;
            }
            None | Some("") => Role::Script,
            Some(kind) if is_javascript(kind) => Role::Script,
            Some(_) => return,
        };
        if role == Role::Script && attributes.has(Name::NoModule) {
            return;
        }
        let waits = !attributes.has(Name::Async) && !attributes.has(Name::Defer);
        self.asset(role, attributes, Name::Src, None, None, |asset| asset.blocking = role == Role::Script && waits);
    }

    fn image(&mut self, attributes: &Attributes) {
        let alternative = self.picture.is_some_and(|sources| sources > 0);
        let srcset = attributes.get(Name::Srcset);
        self.asset(Role::Image, attributes, Name::Src, srcset, attributes.get(Name::Sizes), |asset| {
            asset.alternative = alternative;
        });
    }

    fn source(&mut self, attributes: &Attributes) {
        // Those of `<audio>` and `<video>` are no preloads of ours.
        let Some(sources) = &mut self.picture else { return };
        let alternative = *sources > 0;
        *sources += 1;
        let Some(srcset) = attributes.get(Name::Srcset) else { return };
        self.asset(Role::Image, attributes, Name::Src, Some(srcset), attributes.get(Name::Sizes), |asset| {
            asset.alternative = alternative;
            asset.media = attributes.text(Name::Media);
            asset.mime_type = attributes.text(Name::Type);
        });
    }

    fn input(&mut self, attributes: &Attributes) {
        if attributes.is(Name::Type, "image") {
            self.asset(Role::Image, attributes, Name::Src, None, None, |_| {});
        }
    }

    fn poster(&mut self, attributes: &Attributes) {
        self.asset(Role::Image, attributes, Name::Poster, None, None, |asset| {
            // The attribute is that of the video's own fetch.
            asset.crossorigin = Crossorigin::Absent;
        });
    }

    fn svg_reference(&mut self, role: Role, attributes: &Attributes) {
        let name = if attributes.has(Name::Href) { Name::Href } else { Name::XlinkHref };
        self.asset(role, attributes, name, None, None, |_| {});
    }

    /// Notes what an element asks for by the attribute `from`, or by a srcset.
    fn asset(
        &mut self,
        role: Role,
        attributes: &Attributes,
        from: Name,
        srcset: Option<&str>,
        sizes: Option<&str>,
        complete: impl FnOnce(&mut Asset),
    ) {
        let srcset = srcset.map(|srcset| (srcset, srcset::parse(&self.location, &self.base, srcset, sizes)));
        let target = attributes.get(from).and_then(|reference| self.location.resolve_from(&self.base, reference));
        let first = |candidates: &srcset::Parsed| candidates.as_ref().and_then(|set| set.paths.first().cloned());
        let (path, origin) = match (target, &srcset) {
            (Some(Target::Own(path)), _) => (Some(path), None),
            (Some(Target::Other(origin)), Some((_, set))) => (first(set), Some(origin)),
            (Some(Target::Other(origin)), None) => (None, Some(origin)),
            (None, Some((_, set))) => (first(set), None),
            (None, None) => (None, None),
        };
        let mut asset = Asset::new(path.unwrap_or_default(), role);
        asset.crossorigin = attributes.crossorigin();
        asset.fetch_priority = attributes.fetch_priority();
        asset.referrer_policy = attributes.referrer_policy();
        asset.integrity = attributes.text(Name::Integrity);
        asset.in_head = !self.in_body;
        asset.lazy = role == Role::Image && attributes.is(Name::Loading, "lazy");
        asset.nonce = attributes.has(Name::Nonce);
        asset.incomplete =
            [Name::ImageSizes, Name::ImageSrcset, Name::Integrity, Name::Media, Name::Sizes, Name::Srcset]
                .into_iter()
                .any(|name| attributes.is_too_long(name));
        if let Some((_, set)) = srcset {
            asset.incomplete |= set.is_none();
            asset.srcset = set;
        }
        complete(&mut asset);
        if let Some(origin) = origin {
            let anonymous = match asset.crossorigin {
                Crossorigin::Absent => matches!(role, Role::Font | Role::Manifest | Role::Module),
                Crossorigin::Anonymous => true,
                Crossorigin::UseCredentials => false,
            };
            let put_off = asset.is_put_off() || matches!(role, Role::Icon | Role::Manifest);
            let blocking = asset.blocking;
            self.origin(origin, anonymous, |origin| {
                origin.blocking |= blocking;
                origin.assets += u32::from(!put_off);
            });
        }
        if !asset.path.is_empty() {
            self.push(asset);
        }
    }

    fn push(&mut self, asset: Asset) {
        if self.page.assets.len() >= MAX_ASSETS {
            self.page.end = End::TooMany;
            return;
        }
        self.bytes += asset.bytes();
        self.page.assets.push(asset);
        self.check_room();
    }

    fn origin(&mut self, name: Box<str>, anonymous: bool, note: impl FnOnce(&mut Origin)) {
        let known = self.page.origins.iter().position(|origin| origin.origin == name);
        let at = known.unwrap_or(self.page.origins.len());
        if known.is_none() {
            if at >= MAX_ORIGINS {
                self.page.end = End::TooMany;
                return;
            }
            self.bytes += name.len() + size_of::<Origin>();
            self.page.origins.push(Origin {
                origin: name,
                anonymous: false,
                credentials: false,
                blocking: false,
                preconnect: false,
                assets: 0,
            });
        }
        if let Some(origin) = self.page.origins.get_mut(at) {
            origin.anonymous |= anonymous;
            origin.credentials |= !anonymous;
            note(origin);
        }
    }

    fn check_room(&mut self) {
        if self.bytes > MAX_FACT_BYTES {
            self.page.end = End::TooMany;
        }
    }
}

fn iframe(attributes: &Attributes) -> Then {
    match attributes.get(Name::SrcDoc) {
        Some(document) => Then::Embedded(document.to_owned()),
        None => Then::Go,
    }
}

/// JavaScript MIME type essences (MIME Sniffing, 4.6).
fn is_javascript(kind: &str) -> bool {
    let Some((family, name)) = kind.split_once('/') else { return false };
    match family {
        "application" => matches!(name, "ecmascript" | "javascript" | "x-ecmascript" | "x-javascript"),
        "text" => {
            matches!(name, "ecmascript" | "javascript" | "jscript" | "livescript" | "x-ecmascript" | "x-javascript")
                || name
                    .strip_prefix("javascript1.")
                    .is_some_and(|version| matches!(version, "0" | "1" | "2" | "3" | "4" | "5"))
        }
        _ => false,
    }
}

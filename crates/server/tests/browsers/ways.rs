//! The ways in which a page pulls in an asset, one page for each.

/// What an asset is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Content {
    Css(&'static str),
    Font,
    Js(&'static str),
    Svg,
}

/// One way. In its texts `{nonce}` is a new nonce for each response, `{sri:NAME}` the integrity of an asset, and `{dir}` the
/// directory of the page, under which its assets stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub(crate) name: &'static str,
    pub(crate) html: &'static str,
    /// Fields of the page.
    pub(crate) head: &'static [(&'static str, &'static str)],
    pub(crate) assets: &'static [(&'static str, Content)],
    /// Fields of the assets, `cache-control` among them; if there are none, the way is tried with assets that are fresh for
    /// an hour and with assets that are asked for again at each use.
    pub(crate) fields: &'static [(&'static str, &'static str)],
    /// How the application answers for the page.
    pub(crate) document: Document,
    /// What the visitor does once the page is there.
    pub(crate) act: Act,
    /// Whether `cargo test` tries it, in which browser.
    pub(crate) tested: &'static [Tested],
}

/// How the application answers for a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Document {
    /// Always alike, with `no-cache`.
    Plain,
    /// With an ETag; 304 where the client has it.
    Tagged,
    /// `private`, for who has a cookie of its own; others are sent where they get one.
    ForUsers,
    /// This HTML to a POST.
    Form(&'static str),
}

/// What a visitor who comes for the first time does once the page is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Stay,
    Reload,
    ForcedReload,
    /// Leaves for another page, comes back, goes on and comes back again.
    BackAndForward,
    /// Sends the form of the page.
    Post,
    /// Nothing; but somebody else asks for the page's assets in modes and as kinds that the page does not.
    Forged,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tested {
    Chromium,
    Firefox,
}

use Content::{Css, Font, Js, Svg};
use Tested::{Chromium, Firefox};

pub(crate) const CSS: Content = Css("p { color: navy }");
pub(crate) const JS: Content = Js("window.ran = true;");
const MODULE: Content = Js("export const one = 1;");
const FONT_CSS: Content = Css("@font-face { font-family: f; src: url(a.woff2) } p { font-family: f }");

pub(crate) const fn way(name: &'static str, html: &'static str, assets: &'static [(&'static str, Content)]) -> Way {
    Way { name, html, head: &[], assets, fields: &[], document: Document::Plain, act: Act::Stay, tested: &[] }
}

impl Way {
    pub(crate) const fn and(self, act: Act) -> Self {
        Self { act, ..self }
    }

    pub(crate) const fn document(self, document: Document) -> Self {
        Self { document, ..self }
    }

    pub(crate) const fn with(self, head: &'static [(&'static str, &'static str)]) -> Self {
        Self { head, ..self }
    }

    const fn answered(self, fields: &'static [(&'static str, &'static str)]) -> Self {
        Self { fields, ..self }
    }

    const fn tested(self, tested: &'static [Tested]) -> Self {
        Self { tested, ..self }
    }
}

const META_NONCE: &str = "<meta http-equiv=content-security-policy content=\"script-src 'nonce-{nonce}'\">\
    <script nonce={nonce} src=a.js></script><p>text";
const META_HASH: &str = "<meta http-equiv=content-security-policy content=\"script-src '{sri:a.js}'\">\
    <script integrity='{sri:a.js}' src=a.js></script><p>text";
// A browser blocks a script without CORS even if it has `integrity`.
const INTEGRITY: &str = "<script crossorigin integrity='{sri:a.js}' src=a.js></script><p>text";

/// The ways, in the order of the table.
pub(crate) const WAYS: &[Way] = &[
    way("script", "<script src=a.js></script><p>text", &[("a.js", JS)]).tested(&[Chromium, Firefox]),
    way("script async", "<script async src=a.js></script><p>text", &[("a.js", JS)]),
    way("script defer", "<script defer src=a.js></script><p>text", &[("a.js", JS)]),
    way("style", "<link rel=stylesheet href=a.css><p>text", &[("a.css", CSS)]).tested(&[Chromium, Firefox]),
    way(
        "import in css",
        "<link rel=stylesheet href=a.css><p>text",
        &[("a.css", Css("@import url(b.css);")), ("b.css", CSS)],
    )
    .tested(&[Chromium, Firefox]),
    way(
        "css background",
        "<link rel=stylesheet href=a.css><p>text",
        &[("a.css", Css("p { background: url(a.svg) }")), ("a.svg", Svg)],
    )
    .tested(&[Chromium]),
    way("img", "<p><img alt='' src=a.svg>", &[("a.svg", Svg)]).tested(&[Chromium, Firefox]),
    way("video poster", "<video poster=a.svg></video>", &[("a.svg", Svg)]),
    way("svg image", "<svg width=9 height=9><image href=a.svg width=9 height=9 /></svg>", &[("a.svg", Svg)]),
    way("picture", "<picture><source srcset=a.svg><img alt='' src=a.svg></picture>", &[("a.svg", Svg)])
        .tested(&[Chromium]),
    way("font by css", "<link rel=stylesheet href=a.css><p>text", &[("a.css", FONT_CSS), ("a.woff2", Font)])
        .tested(&[Chromium, Firefox]),
    way(
        "FontFace",
        "<script>const f = new FontFace('g', 'url(a.woff2)'); document.fonts.add(f); f.load();</script><p>text",
        &[("a.woff2", Font)],
    ),
    way(
        "css mask",
        "<link rel=stylesheet href=a.css><p>text",
        &[("a.css", Css("p { mask-image: url(a.svg) }")), ("a.svg", Svg)],
    )
    .tested(&[Chromium]),
    way("script crossorigin", "<script crossorigin src=a.js></script><p>text", &[("a.js", JS)]).tested(&[Chromium]),
    way("style crossorigin", "<link rel=stylesheet crossorigin href=a.css><p>text", &[("a.css", CSS)]),
    way("img crossorigin", "<img alt='' crossorigin src=a.svg>", &[("a.svg", Svg)]),
    way("base href", "<base href=/{dir}/sub/><script src=a.js></script><p>text", &[("sub/a.js", JS)]),
    way("referrerpolicy", "<script referrerpolicy=no-referrer src=a.js></script><p>text", &[("a.js", JS)]),
    way("module", "<script type=module src=a.js></script><p>text", &[("a.js", MODULE)]).tested(&[Chromium]),
    way(
        "module with imports",
        "<script type=module src=a.js></script><p>text",
        &[("a.js", Js("import { one } from './b.js'; window.ran = one;")), ("b.js", MODULE)],
    ),
    way("dynamic import", "<script type=module>await import('./a.js');</script><p>text", &[("a.js", MODULE)]),
    way(
        "modulepreload",
        "<link rel=modulepreload href=a.js><script type=module src=a.js></script><p>text",
        &[("a.js", MODULE)],
    )
    .tested(&[Chromium]),
    way("script integrity", "<script integrity='{sri:a.js}' src=a.js></script><p>text", &[("a.js", JS)]),
    way(
        "module integrity",
        "<script type=module integrity='{sri:a.js}' src=a.js></script><p>text",
        &[("a.js", MODULE)],
    ),
    way("style integrity", "<link rel=stylesheet integrity='{sri:a.css}' href=a.css><p>text", &[("a.css", CSS)]),
    way("script use-credentials", "<script crossorigin=use-credentials src=a.js></script><p>text", &[("a.js", JS)]),
    way("svg use", "<svg width=9 height=9><use href=a.svg#r></use></svg>", &[("a.svg", Svg)]),
    way(
        "css module",
        "<script type=module>import sheet from './a.css' with { type: 'css' }; document.adoptedStyleSheets = [sheet];</script><p>text",
        &[("a.css", CSS)],
    ),
    way("srcdoc", "<iframe srcdoc='<link rel=stylesheet href=/{dir}/a.css><p>text'></iframe>", &[("a.css", CSS)]),
    way("icon", "<link rel=icon href=a.svg><p>text", &[("a.svg", Svg)]),
    way(
        "CSP nonce",
        "<script nonce={nonce} src=a.js></script><link rel=stylesheet nonce={nonce} href=a.css><p>text",
        &[("a.js", JS), ("a.css", CSS)],
    )
    .with(&[(
        "content-security-policy",
        "script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; report-uri /report/{dir}",
    )]),
    way("CSP hash", "<script integrity='{sri:a.js}' src=a.js></script><p>text", &[("a.js", JS)])
        .with(&[("content-security-policy", "script-src '{sri:a.js}'; report-uri /report/{dir}")]),
    way("CSP nonce in meta", META_NONCE, &[("a.js", JS)]),
    way("CSP hash in meta", META_HASH, &[("a.js", JS)]),
    way("Integrity-Policy", INTEGRITY, &[("a.js", JS)]).with(&[("integrity-policy", "blocked-destinations=(script)")]),
    way("Integrity-Policy-Report-Only", INTEGRITY, &[("a.js", JS)])
        .with(&[("integrity-policy-report-only", "blocked-destinations=(script)")]),
    way("Referrer-Policy", "<script src=a.js></script><p>text", &[("a.js", JS)])
        .with(&[("referrer-policy", "no-referrer")]),
    way(
        "Referrer-Policy in meta",
        "<meta name=referrer content=no-referrer><script src=a.js></script><p>text",
        &[("a.js", JS)],
    ),
    way(
        "CSP self",
        "<script src=a.js></script><link rel=stylesheet href=a.css><p>text",
        &[("a.js", JS), ("a.css", CSS)],
    )
    .with(&[("content-security-policy", "default-src 'self'; report-uri /report/{dir}")])
    .tested(&[Chromium, Firefox]),
    way("CSP strict-dynamic", "<script nonce={nonce} src=a.js></script><p>text", &[("a.js", JS)])
        .with(&[("content-security-policy", "script-src 'nonce-{nonce}' 'strict-dynamic'; report-uri /report/{dir}")]),
    way("CSP report-only nonce", "<script nonce={nonce} src=a.js></script><p>text", &[("a.js", JS)])
        .with(&[("content-security-policy-report-only", "script-src 'nonce-{nonce}'; report-uri /report/{dir}")]),
    way("CSP report-only hash", "<script integrity='{sri:a.js}' src=a.js></script><p>text", &[("a.js", JS)])
        .with(&[("content-security-policy-report-only", "script-src '{sri:a.js}'; report-uri /report/{dir}")]),
    way("trusted types", "<script src=a.js></script><p>text", &[("a.js", JS)])
        .with(&[("content-security-policy", "require-trusted-types-for 'script'; report-uri /report/{dir}")]),
    way("COEP", "<script src=a.js></script><p>text", &[("a.js", JS)])
        .with(&[("cross-origin-embedder-policy", "require-corp"), ("cross-origin-opener-policy", "same-origin")]),
    way(
        "srcset and sizes",
        "<img alt='' srcset='a.svg 400w, b.svg 1600w' sizes=100vw src=a.svg>",
        &[("a.svg", Svg), ("b.svg", Svg)],
    ),
    way(
        "picture media",
        "<picture><source media='(min-width: 5000px)' srcset=b.svg><img alt='' src=a.svg></picture>",
        &[("a.svg", Svg), ("b.svg", Svg)],
    ),
    way("lazy image", "<p style='height: 9000px'>text</p><img alt='' loading=lazy src=a.svg>", &[("a.svg", Svg)]),
    way("low priority", "<img alt='' fetchpriority=low src=a.svg>", &[("a.svg", Svg)]),
    way("print style", "<link rel=stylesheet media=print href=a.css><p>text", &[("a.css", CSS)]),
];

/// Responses of the asset, each on a page with a stylesheet and its font (which is asked for in CORS mode).
pub(crate) const RESPONSES: &[Way] = &[
    response("max-age", &[("cache-control", "max-age=3600")]),
    response("immutable", &[("cache-control", "max-age=31536000, immutable")]),
    response("Vary: Accept-Encoding", &[("cache-control", "max-age=3600"), ("vary", "Accept-Encoding")]),
    response("Vary: User-Agent", &[("cache-control", "max-age=3600"), ("vary", "User-Agent")]),
    response("Vary: Origin", &[("cache-control", "max-age=3600"), ("vary", "Origin")]),
    response("Vary: Accept", &[("cache-control", "max-age=3600"), ("vary", "Accept")]),
    response("Vary: Sec-Fetch-Dest", &[("cache-control", "max-age=3600"), ("vary", "Sec-Fetch-Dest")]),
    response("Vary: Cookie", &[("cache-control", "max-age=3600"), ("vary", "Cookie")]),
    response("Expires in the past", &[("expires", "Thu, 01 Jan 2015 00:00:00 GMT")]),
    response("no freshness at all", &[("x-nothing", "said")]),
    response("private", &[("cache-control", "private, max-age=3600")]),
    response("no-store", &[("cache-control", "no-store")]),
    response("Set-Cookie", &[("cache-control", "max-age=3600"), ("set-cookie", "a=b")]),
];

const fn response(name: &'static str, fields: &'static [(&'static str, &'static str)]) -> Way {
    way(name, "<link rel=stylesheet href=a.css><p>text", &[("a.css", FONT_CSS), ("a.woff2", Font)]).answered(fields)
}

//! `Link: rel=preload` (RFC 8288; HTML standard, link type "preload"): written for what is sent early, read from
//! what an application says itself.

use std::borrow::Cow;

use headstart_learn::Destination;
use http::HeaderValue;

use crate::attributes::{Attributes, Crossorigin, is_quotable};
use crate::link_value::{LinkValue, LinkValues};
use crate::referrer_policy;

const PUSH_ONLY: &str = "x-http2-push-only";

/// Longest target that is read or written, bytes.
pub(crate) const MAX_TARGET_BYTES: usize = 512;

/// The field value that makes a client fetch an asset: `</app.css>; rel=preload; as=style`. The attributes are those of
/// the element that the page asks by; with others the browser would fetch twice. `nonce` is that of the response which
/// carries the field.
///
/// `None` if the path or an attribute cannot stand in a field.
pub(crate) fn preload(
    path: &str,
    destination: Destination,
    attributes: &Attributes,
    nonce: Option<&str>,
) -> Option<HeaderValue> {
    if !can_be_target(path)
        || !attributes.can_be_written()
        || nonce.is_some_and(|nonce| !nonce.bytes().all(is_quotable))
    {
        return None;
    }
    let mut value = String::with_capacity(path.len() + 48);
    value.push('<');
    value.push_str(path);
    if attributes.module {
        value.push_str(">; rel=modulepreload");
    } else {
        value.push_str(">; rel=preload; as=");
        value.push_str(destination.as_str());
    }
    attributes.write(nonce, &mut value);
    HeaderValue::try_from(value).ok()
}

/// The field value that makes a client connect to another origin.
pub(crate) fn preconnect(origin: &str, anonymous: bool) -> Option<HeaderValue> {
    let crossorigin = if anonymous { "; crossorigin" } else { "" };
    HeaderValue::try_from(format!("<{origin}>; rel=preconnect{crossorigin}")).ok()
}

fn can_be_target(path: &str) -> bool {
    path.len() <= MAX_TARGET_BYTES
        && is_path(path)
        && path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"'))
}

/// Whether it is an absolute path; what begins with two slashes names another host, and to browsers a backslash is
/// a slash.
pub(crate) fn is_path(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("//") && !path.contains('\\')
}

/// A preload that an application named in a `Link` field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Preload {
    /// Path with query on this site.
    pub(crate) path: String,
    pub(crate) destination: Destination,
    pub(crate) cors: bool,
    /// The application's attributes of it, for the 103 of the next view.
    pub(crate) attributes: Attributes,
    /// `nopush`: only for the client to act on.
    pub(crate) nopush: bool,
    /// `x-http2-push-only`: meant for us, not for the client.
    pub(crate) push_only: bool,
}

/// The preloads of this origin in a field value. What is malformed, of another origin or of unknown destination is
/// passed over: the field goes on to the client as it is.
pub(crate) fn preloads<'a>(field: &'a str, authority: &'a str, page: &'a str) -> impl Iterator<Item = Preload> + 'a {
    LinkValues::new(field).filter_map(move |value| read(&value, authority, page))
}

/// The field value as the client shall see it, if that differs: without links marked `x-http2-push-only`. Empty if
/// none is left.
pub(crate) fn for_client(field: &str) -> Option<String> {
    if !(LinkValues::new(field)).any(|value| value.has(PUSH_ONLY)) {
        return None;
    }
    let kept = LinkValues::new(field).filter(|value| !value.has(PUSH_ONLY));
    Some(kept.map(|value| format!("<{}>{}", value.target, value.params.trim_end())).collect::<Vec<_>>().join(", "))
}

fn read(value: &LinkValue<'_>, authority: &str, page: &str) -> Option<Preload> {
    let rel = value.param("rel")?;
    // A list of relation types; `preloadX` is none of ours.
    let relates = |name: &str| rel.split_ascii_whitespace().any(|found| found.eq_ignore_ascii_case(name));
    let (preload, module) = (relates("preload"), relates("modulepreload"));
    if !preload && !module {
        return None;
    }
    let destination = match value.param("as") {
        Some(name) => Destination::from_name(&name.to_ascii_lowercase())?,
        None if module => Destination::Script,
        None => return None,
    };
    Some(Preload {
        path: resolve(value.target, authority, page)?,
        destination,
        cors: module || value.has("crossorigin"),
        attributes: attributes(value, module, destination),
        nopush: value.has("nopush"),
        push_only: value.has(PUSH_ONLY),
    })
}

fn attributes(value: &LinkValue<'_>, module: bool, destination: Destination) -> Attributes {
    let text = |name| value.param(name).filter(|text| !text.is_empty()).map(Into::into);
    let one_of = |name, known: &'static [&'static str]| {
        let found = value.param(name)?;
        known.iter().copied().find(|known| found.eq_ignore_ascii_case(known))
    };
    let crossorigin = match value.param("crossorigin") {
        None if destination == Destination::Font => Crossorigin::Anonymous,
        None => Crossorigin::Absent,
        Some(mode) if mode.eq_ignore_ascii_case("use-credentials") => Crossorigin::UseCredentials,
        Some(_) => Crossorigin::Anonymous,
    };
    Attributes {
        module,
        crossorigin,
        integrity: text("integrity"),
        media: text("media"),
        mime_type: text("type"),
        fetch_priority: one_of("fetchpriority", &["high", "low"]),
        referrer_policy: value.param("referrerpolicy").and_then(referrer_policy::known).map(|(name, _)| name),
        srcset: text("imagesrcset"),
        sizes: text("imagesizes"),
        nonce: value.has("nonce"),
    }
}

/// The path with query of a reference, if it is of this origin (RFC 3986, section 5).
fn resolve(target: &str, authority: &str, page: &str) -> Option<String> {
    let target = target.split('#').next().unwrap_or_default();
    if target.is_empty() || target.len() > MAX_TARGET_BYTES {
        return None;
    }
    let rest = match target.split_once("//") {
        Some((scheme, rest)) if scheme.is_empty() || scheme.eq_ignore_ascii_case("https:") => {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            let (host, path) = rest.split_at(end);
            if !host.eq_ignore_ascii_case(authority) {
                return None;
            }
            path
        }
        _ if has_scheme(target) => return None,
        _ => target,
    };
    let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    let base = page.split('?').next().unwrap_or_default();
    let joined = if path.starts_with('/') {
        Cow::Borrowed(path)
    } else if path.is_empty() {
        Cow::Borrowed("/")
    } else {
        let directory = base.rfind('/').map_or("/", |slash| base.get(..=slash).unwrap_or("/"));
        Cow::Owned(format!("{directory}{path}"))
    };
    let mut resolved = without_dots(&joined);
    if let Some(query) = query {
        resolved.push('?');
        resolved.push_str(query);
    }
    is_path(&resolved).then_some(resolved)
}

fn has_scheme(target: &str) -> bool {
    let before = target.split(['/', '?']).next().unwrap_or_default();
    before.contains(':')
}

/// Removes `.` and `..` (RFC 3986, section 5.2.4).
fn without_dots(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    let mut trailing = false;
    for segment in path.split('/').skip(1) {
        trailing = false;
        match segment {
            "." => trailing = true,
            ".." => {
                segments.pop();
                trailing = true;
            }
            _ => segments.push(segment),
        }
    }
    let mut resolved = String::with_capacity(path.len() + 1);
    for segment in &segments {
        resolved.push('/');
        resolved.push_str(segment);
    }
    if trailing || resolved.is_empty() {
        resolved.push('/');
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(field: &str, expected: &[(&str, Destination)]) {
        let found: Vec<_> =
            preloads(field, "a.example", "/dir/page?q").map(|link| (link.path, link.destination)).collect();
        let expected: Vec<_> = expected.iter().map(|(path, as_)| ((*path).to_owned(), *as_)).collect();
        assert_eq!(found, expected, "{field}");
    }

    #[test]
    fn one_and_many() {
        use Destination::{Font, Image, Script, Style};
        check("</a.css>; rel=preload; as=style", &[("/a.css", Style)]);
        check(
            "</a.css>;rel=\"preload\";as=\"style\",</b.js>;as=script;rel=preload",
            &[("/a.css", Style), ("/b.js", Script)],
        );
        check("</a,b.png>; rel=preload; as=image; title=\"x, <y>; z\"", &[("/a,b.png", Image)]);
        check("</m.js>; rel=modulepreload", &[("/m.js", Script)]);
        check("</f.woff2>; rel=\"prefetch PRELOAD\"; as=font; crossorigin", &[("/f.woff2", Font)]);
        check("</a>; rel=next, </b.css>; rel=preload; as=style", &[("/b.css", Style)]);
    }

    #[test]
    fn what_is_no_preload_of_ours() {
        for field in [
            "",
            "</a.css>",
            "</a.css>; rel=preloadX; as=style",
            "</a.css>; rel=preload",
            "</a.css>; rel=preload; as=nonsense",
            "<https://b.example/a.css>; rel=preload; as=style",
            "<//b.example/a.css>; rel=preload; as=style",
            "<http://a.example/a.css>; rel=preload; as=style",
            "<data:text/css,x>; rel=preload; as=style",
            "</a.css; rel=preload; as=style",
            "/a.css; rel=preload; as=style",
            "<>; rel=preload; as=style",
            "</..//b.example/a.css>; rel=preload; as=style",
            "</\\b.example/a.css>; rel=preload; as=style",
        ] {
            check(field, &[]);
        }
    }

    #[test]
    fn references_are_resolved() {
        let style = |target: &str| format!("<{target}>; rel=preload; as=style");
        for (target, path) in [
            ("a.css", "/dir/a.css"),
            ("./a.css", "/dir/a.css"),
            ("../a.css", "/a.css"),
            ("../../../a.css", "/a.css"),
            ("/x/./y/../a.css?v=1", "/x/a.css?v=1"),
            ("//A.example/a.css", "/a.css"),
            ("https://a.example/a.css#f", "/a.css"),
            ("https://a.example", "/"),
        ] {
            check(&style(target), &[(path, Destination::Style)]);
        }
    }

    #[test]
    fn flags_are_read() {
        let link = |field| preloads(field, "a.example", "/").next().unwrap();
        let plain = link("</a.js>; rel=preload; as=script");
        assert!(!plain.cors && !plain.nopush);
        let flagged = link("</a.js>; rel=preload; as=script; NoPush; crossorigin=anonymous");
        assert!(flagged.cors && flagged.nopush);
    }

    #[test]
    fn the_client_does_not_see_what_is_for_us() {
        assert_eq!(for_client("</a.js>; rel=preload; as=script"), None);
        assert_eq!(for_client("</a.js>; rel=preload; x-http2-push-only").as_deref(), Some(""));
        assert_eq!(
            for_client("</a>; rel=x; title=\"b, c\", </b>;x-http2-push-only;rel=preload, </c>").as_deref(),
            Some("</a>; rel=x; title=\"b, c\", </c>")
        );
    }

    #[test]
    fn written_links_read_back() {
        let font = Attributes::of_mode(Destination::Font, false);
        let value = preload("/f.woff2?v=2", Destination::Font, &font, None).unwrap();
        assert_eq!(value, "</f.woff2?v=2>; rel=preload; as=font; crossorigin");
        let read = preloads(value.to_str().unwrap(), "a.example", "/").next().unwrap();
        assert_eq!((read.path.as_str(), read.destination, read.cors), ("/f.woff2?v=2", Destination::Font, true));
        for path in ["//b.example/", "/\\b.example/", "a", "/a>b", "/a b", "/a\"b", "/\u{fc}"] {
            assert_eq!(preload(path, Destination::Style, &Attributes::default(), None), None, "{path}");
        }
    }

    #[test]
    fn every_attribute_reads_back() {
        let attributes = Attributes {
            module: false,
            crossorigin: Crossorigin::UseCredentials,
            integrity: Some("sha384-a sha512-b".into()),
            media: Some("(min-width: 600px), print".into()),
            mime_type: Some("image/webp".into()),
            fetch_priority: Some("high"),
            referrer_policy: Some("no-referrer"),
            srcset: Some("/a.png 1x, /b.png 2x".into()),
            sizes: Some("(max-width: 9px) 50vw, 100vw".into()),
            nonce: false,
        };
        let value = preload("/a.png", Destination::Image, &attributes, None).unwrap();
        let read = preloads(value.to_str().unwrap(), "a.example", "/").next().unwrap();
        assert_eq!(read.attributes, attributes);

        let module = Attributes { module: true, ..Attributes::default() };
        let value = preload("/m.js", Destination::Script, &module, Some("abc=")).unwrap();
        assert_eq!(value, "</m.js>; rel=modulepreload; nonce=\"abc=\"");
        let unquotable = Attributes { media: Some("a\"; rel=x".into()), ..Attributes::default() };
        assert_eq!(preload("/a.css", Destination::Style, &unquotable, None), None);
        assert_eq!(preload("/a.css", Destination::Style, &Attributes::default(), Some("\"")), None);
    }

    proptest! {
        #[test]
        fn any_field_is_read(field in ".{0,200}") {
            for link in preloads(&field, "a.example", "/dir/") {
                prop_assert!(link.path.starts_with('/'));
            }
        }

        #[test]
        fn links_made_of_parts(parts in proptest::collection::vec(
            proptest::sample::select(vec!["<", ">", "/a", "..", "/", "//", ";", ",", "\"", "\\", "rel=preload", "as=style", "="]), 0..30,
        )) {
            for link in preloads(&parts.concat(), "a.example", "/dir/") {
                prop_assert!(link.path.starts_with('/'));
            }
        }
    }
}

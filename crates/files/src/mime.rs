//! Media types by file name.

use std::collections::BTreeMap;

use headstart_coding::Coding;
use http::HeaderValue;

/// The `Content-Type` of a file of this name: by its extension, the operator's own types first, with `charset=utf-8`
/// where text is meant, and `application/octet-stream` where the extension is not known.
pub(super) fn content_type(name: &str, own: &BTreeMap<String, HeaderValue>) -> HeaderValue {
    let last = name.rsplit_once('/').map_or(name, |(_, last)| last);
    if !own.is_empty()
        && let Some((_, extension)) = last.rsplit_once('.')
        && let Some(media_type) = own.get(&extension.to_ascii_lowercase())
    {
        return media_type.clone();
    }
    let extension = last.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    if let Some(media_type) = extension.as_deref().and_then(newer) {
        return HeaderValue::from_static(media_type);
    }
    let guess = mime_guess::from_path(name).first_raw().unwrap_or("application/octet-stream");
    match guess {
        // RFC 9239 made this the one name of JavaScript.
        "application/javascript" => HeaderValue::from_static("text/javascript; charset=utf-8"),
        text if text.starts_with("text/") => HeaderValue::from_str(&format!("{text}; charset=utf-8"))
            .unwrap_or(HeaderValue::from_static("text/plain; charset=utf-8")),
        other => HeaderValue::from_static(other),
    }
}

/// Types that the table of `mime_guess` lacks, or has under a name that is out of use.
fn newer(extension: &str) -> Option<&'static str> {
    Some(match extension {
        "cjs" => "text/javascript; charset=utf-8",
        "apk" => "application/vnd.android.package-archive",
        "geojson" => "application/geo+json",
        "glb" => "model/gltf-binary",
        "heic" => "image/heic",
        "jxl" => "image/jxl",
        "m3u8" => "application/vnd.apple.mpegurl",
        "map" => "application/json",
        "ndjson" => "application/x-ndjson",
        "opus" => "audio/ogg",
        "pck" => "application/octet-stream",
        "svgz" => "image/svg+xml",
        "usdz" => "model/vnd.usdz+zip",
        "vtt" => "text/vtt; charset=utf-8",
        _ => return None,
    })
}

/// What a file is whose bytes are coded, whoever asks for it by this name: the name that tells its type, and the coding.
/// `.svgz`, and what builds of Unity and Godot load. An archive, such as `.tar.gz`, is what its name says.
pub(super) fn coded_by_name(name: &str) -> Option<(&str, Coding)> {
    let (stem, last) = name.rsplit_once('.')?;
    if last.eq_ignore_ascii_case("svgz") {
        return Some((name, Coding::Gzip));
    }
    let coding = Coding::ALL.into_iter().find(|coding| last.eq_ignore_ascii_case(coding.extension()))?;
    let (_, inner) = stem.rsplit_once('.')?;
    let is_of_build = matches!(inner, "data" | "pck" | "wasm") || stem.ends_with(".framework.js");
    is_of_build.then_some((stem, coding))
}

/// Is this the type of a document, which the facade may answer with a cookie?
pub(super) fn is_document(content_type: &HeaderValue) -> bool {
    let essence = content_type.as_bytes().split(|&b| b == b';').next().unwrap_or_default();
    essence == b"text/html" || essence == b"application/xhtml+xml"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content_type(name: &str) -> HeaderValue {
        super::content_type(name, &BTreeMap::new())
    }

    #[test]
    fn own_types_come_first() {
        let own = BTreeMap::from([("md".to_owned(), HeaderValue::from_static("text/plain"))]);
        assert_eq!(super::content_type("a/b.MD", &own), "text/plain");
        assert_eq!(super::content_type("a.md/b.css", &own), "text/css; charset=utf-8");
        assert_eq!(super::content_type("md", &own), "application/octet-stream");
    }

    #[test]
    fn types() {
        for (name, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("a/app.3f2a91c4.css", "text/css; charset=utf-8"),
            ("main.js", "text/javascript; charset=utf-8"),
            ("main.mjs", "text/javascript; charset=utf-8"),
            ("a.svg", "image/svg+xml"),
            ("a.webp", "image/webp"),
            ("a.woff2", "font/woff2"),
            ("a.json", "application/json"),
            ("a.webmanifest", "application/manifest+json"),
            ("a.wasm", "application/wasm"),
            ("a.avif", "image/avif"),
            ("favicon.ico", "image/x-icon"),
            ("README", "application/octet-stream"),
            ("a.b/README", "application/octet-stream"),
            ("notes.md", "text/markdown; charset=utf-8"),
        ] {
            assert_eq!(content_type(name), expected, "{name}");
        }
    }

    #[test]
    fn coded_names() {
        assert_eq!(coded_by_name("a/b.svgz"), Some(("a/b.svgz", Coding::Gzip)));
        assert_eq!(coded_by_name("Build/g.wasm.br"), Some(("Build/g.wasm", Coding::Br)));
        assert_eq!(coded_by_name("g.framework.js.br"), Some(("g.framework.js", Coding::Br)));
        assert_eq!(coded_by_name("g.data.gz"), Some(("g.data", Coding::Gzip)));
        for plain in ["a.tar.gz", "t.csv.gz", "app.js.br", "a.svg", "gz", "br", "wasm.br", ""] {
            assert_eq!(coded_by_name(plain), None, "{plain}");
        }
        for (name, expected) in [
            ("a.m3u8", "application/vnd.apple.mpegurl"),
            ("a.usdz", "model/vnd.usdz+zip"),
            ("a.CJS", "text/javascript; charset=utf-8"),
            ("a.ndjson", "application/x-ndjson"),
            ("app.js.map", "application/json"),
            ("a.svgz", "image/svg+xml"),
        ] {
            assert_eq!(content_type(name), expected, "{name}");
        }
    }

    #[test]
    fn documents() {
        assert!(is_document(&content_type("a.html")));
        assert!(is_document(&content_type("a.xhtml")));
        assert!(!is_document(&content_type("a.css")));
    }
}

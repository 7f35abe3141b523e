//! `Link` fields: what a 103 asks a browser to fetch.

use http::header::{self, HeaderMap};

use crate::page_load::request::Why;
use crate::page_load::site::{Asset, Kind};

/// Paths of this origin with `rel=preload` or `rel=modulepreload`, what to fetch them as, and how urgently.
pub(crate) fn preloads(head: &HeaderMap) -> Vec<(String, Kind, Why)> {
    let fields = head.get_all(header::LINK).iter().filter_map(|field| field.to_str().ok());
    // No path of the bench holds a comma.
    fields.flat_map(|field| field.split(',')).filter_map(preload).collect()
}

/// The `Link` value that names an asset, as a server that is set up with care writes it.
pub(crate) fn link(asset: &Asset) -> String {
    let how = match asset.kind {
        Kind::Font => "font; crossorigin",
        Kind::Image => "image",
        // A module is only matched by a preload with CORS.
        Kind::Module => "script; crossorigin",
        Kind::AsyncScript => "script",
        Kind::Data => "fetch; crossorigin",
        Kind::Page => "document",
        Kind::Style => "style",
    };
    format!("<{}>; rel=preload; as={how}", asset.path)
}

fn preload(link: &str) -> Option<(String, Kind, Why)> {
    let (path, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    let parameter = |name: &str| {
        parameters.split(';').find_map(|parameter| {
            let (own, value) = parameter.split_once('=')?;
            (own.trim() == name).then(|| value.trim().trim_matches('"'))
        })
    };
    let kind = match (parameter("rel")?, parameter("as")) {
        ("modulepreload", _) => Kind::Module,
        // With CORS, as a module asks for it, or without, as any other script does.
        ("preload", Some("script")) if parameters.contains("crossorigin") => Kind::Module,
        ("preload", Some("script")) => Kind::AsyncScript,
        ("preload", Some("style")) => Kind::Style,
        ("preload", Some("font")) => Kind::Font,
        ("preload", Some("image")) => Kind::Image,
        ("preload", Some("fetch")) => Kind::Data,
        _ => return None,
    };
    // A preload for another medium is not fetched.
    if parameter("media") == Some("print") {
        return None;
    }
    let why = if parameter("fetchpriority") == Some("low") { Why::HintedLow } else { Why::Hinted };
    Some((path.to_owned(), kind, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read() {
        let mut head = HeaderMap::new();
        head.append(header::LINK, "</a.css>; rel=preload; as=style, </b>; rel=next".parse().unwrap());
        head.append(header::LINK, "</f.woff2>; rel=\"preload\"; as=\"font\"; crossorigin".parse().unwrap());
        head.append(header::LINK, "</l.js>; rel=preload; as=script; fetchpriority=low".parse().unwrap());
        let found = [
            ("/a.css".to_owned(), Kind::Style, Why::Hinted),
            ("/f.woff2".to_owned(), Kind::Font, Why::Hinted),
            ("/l.js".to_owned(), Kind::AsyncScript, Why::HintedLow),
        ];
        assert_eq!(preloads(&head), found);
    }
}

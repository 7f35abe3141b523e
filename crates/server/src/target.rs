//! The target of a request, or of a URL in a log.

use headstart::learn::Destination;

/// The destination that the extension of a path without query implies; `None` if that is not one of an asset.
pub(crate) fn destination(path: &str) -> Option<Destination> {
    let (_, extension) = path.rsplit('/').next()?.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "css" => Destination::Style,
        "js" | "mjs" => Destination::Script,
        "eot" | "otf" | "ttf" | "woff" | "woff2" => Destination::Font,
        "avif" | "bmp" | "gif" | "ico" | "jpeg" | "jpg" | "png" | "svg" | "webp" => Destination::Image,
        "webmanifest" => Destination::Manifest,
        "json" | "map" | "wasm" => Destination::Fetch,
        "mp3" | "ogg" | "wav" => Destination::Audio,
        "mp4" | "webm" => Destination::Video,
        "vtt" => Destination::Track,
        _ => return None,
    })
}

/// A request target without its query.
pub(crate) fn without_query(target: &str) -> &str {
    target.split('?').next().unwrap_or_default()
}

/// The target without scheme and authority.
pub(crate) fn origin_form(target: &str) -> &str {
    split_url(target).map_or(target, |(_, path)| path)
}

/// Host and target of an absolute URL.
pub(crate) fn split_url(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, target) = rest.split_at(end);
    let target = target.split('#').next().unwrap_or_default();
    Some((host, if target.starts_with('/') { target } else { "/" }))
}

/// Whether a browser asks for it by itself, for any page of the site.
pub(crate) fn is_icon(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.starts_with("favicon") || name.starts_with("apple-touch-icon")
}

//! A site made of a shape: an HTML that names what its parser met, at its place and in the words that make it block or not,
//! and contents as long as they were and as long as they were when compressed.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::shape::{Bytes, Resource, Shape, Type};
use crate::page_load::site::{Asset, Content, Found, Kind, Page, Site};

/// The path of the one page.
pub(super) const PAGE: &str = "/index.html";
/// From this share on, compressing is not worth it, and nobody did.
const INCOMPRESSIBLE: f64 = 0.74;

/// The site of a shape.
pub(super) fn of(shape: &Shape) -> Site {
    let mut contents = HashMap::new();
    let html = |share: f64| html(shape, share);
    contents.insert(PAGE.to_owned(), compressed(shape.html, html));
    let mut assets = Vec::new();
    // What has no place of its own was found where the one before it was.
    let mut place = 0;
    for resource in &shape.resources {
        let path = path(resource);
        contents.insert(path.clone(), content(resource, &shape.resources));
        if resource.parent == 0 {
            place = resource.position.unwrap_or(if resource.kind == Type::Image { 1_000 } else { place });
        }
        let parent = shape.resources.iter().find(|other| other.number == resource.parent);
        let kind = match resource.kind {
            Type::Data => Kind::Data,
            Type::Font => Kind::Font,
            Type::Image => Kind::Image,
            Type::Module => Kind::Module,
            Type::Script => Kind::AsyncScript,
            Type::Style => Kind::Style,
        };
        let found = parent.map_or(Found::At(place), |parent| Found::After(self::path(parent)));
        assets.push(Asset { path, kind, found, renders: resource.blocking, urgency: resource.urgency });
    }
    Site::of_shape(shape.id.clone(), Page { path: PAGE.to_owned(), assets }, contents)
}

/// Where a resource is: what must be asked for each time is under `/data/`.
pub(super) fn path(resource: &Resource) -> String {
    let (directory, extension) = match resource.kind {
        Type::Data => ("data", "json"),
        Type::Font => ("assets", "woff2"),
        Type::Image => ("assets", "png"),
        Type::Module | Type::Script => ("assets", "js"),
        Type::Style => ("assets", "css"),
    };
    let directory = if resource.cacheable { directory } else { "data" };
    let number = resource.number;
    format!("/{directory}/{}{number}.{:08x}.{extension}", name(number), noise(number))
}

/// Letters for a number, so that no two paths differ in a number alone.
fn name(number: u64) -> String {
    let mut state = noise(number ^ 0x5eed);
    let mut letters = String::new();
    for _ in 0..6 {
        letters.push(char::from(b'a' + (state % 26) as u8));
        state /= 26;
    }
    letters
}

fn content(resource: &Resource, all: &[Resource]) -> Content {
    let Bytes { sent, decoded } = resource.bytes;
    let code = code(resource, all);
    let text = |share: f64| {
        let (open, close) = match resource.kind {
            Type::Style => ("/*", "*/"),
            Type::Script | Type::Module => ("//", "\n"),
            _ => ("\"", "\""),
        };
        // What a browser would not run is of no use to it.
        let code = if code.len() + 100 < decoded { &*code } else { "" };
        let room = decoded.saturating_sub(code.len() + open.len() + close.len());
        format!("{code}{open}{}{close}", letters(resource.number, room, share))
    };
    match resource.kind {
        Type::Font | Type::Image => {
            let words = (0..sent.div_ceil(8) as u64).flat_map(|at| noise(at ^ resource.number << 32).to_le_bytes());
            Content { plain: words.take(sent).collect::<Vec<u8>>().into(), gzip: None }
        }
        _ if sent as f64 >= INCOMPRESSIBLE * decoded as f64 => {
            let plain = text(1.0);
            Content { plain: bytes::Bytes::from(plain.into_bytes()).slice(..sent.min(decoded)), gzip: None }
        }
        _ => compressed(resource.bytes, text),
    }
}

/// What makes a browser ask for what the resource pulled in, which a simulated client knows without: of a stylesheet fonts
/// and backgrounds of the elements that [`html`] has for them, and of a script all but fonts.
fn code(resource: &Resource, all: &[Resource]) -> String {
    let mut code = String::new();
    for child in all.iter().filter(|child| child.parent == resource.number) {
        let (path, number) = (path(child), child.number);
        let _ = match (resource.kind, child.kind) {
            (Type::Style, Type::Font) => {
                writeln!(code, "@font-face{{font-family:f{number};src:url({path})}}.u{number}{{font-family:f{number}}}")
            }
            (Type::Style, Type::Image) => writeln!(code, ".u{number}{{background:url({path})}}"),
            (Type::Script | Type::Module, Type::Script | Type::Module) => {
                writeln!(
                    code,
                    "document.head.append(Object.assign(document.createElement('script'),{{src:'{path}'}}));"
                )
            }
            (Type::Script | Type::Module, Type::Style) => writeln!(
                code,
                "document.head.append(Object.assign(document.createElement('link'),{{rel:'stylesheet',href:'{path}'}}));"
            ),
            (Type::Script | Type::Module, Type::Image) => writeln!(code, "new Image().src='{path}';"),
            (Type::Script | Type::Module, Type::Data) => writeln!(code, "fetch('{path}');"),
            _ => Ok(()),
        };
    }
    code
}

/// A text that comes to so many bytes when compressed, to within a few hundredths. `text` makes it, with a share of letters
/// among blanks.
fn compressed(bytes: Bytes, text: impl Fn(f64) -> String) -> Content {
    // Letters of 64 kinds take six bits of eight.
    let mut share = (bytes.sent as f64 / bytes.decoded as f64 / 0.76).min(1.0);
    let mut plain = text(share);
    let mut gzip = gzip(&plain);
    for _ in 0..3 {
        let off = bytes.sent as f64 / gzip.len() as f64;
        if (off - 1.0).abs() < 0.02 {
            break;
        }
        share = (share * off).min(1.0);
        plain = text(share);
        gzip = self::gzip(&plain);
    }
    Content { plain: plain.into_bytes().into(), gzip: Some(gzip.into()) }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(text.as_bytes()).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

/// So many bytes, a share of which are letters in which nothing repeats, and the rest blanks.
fn letters(seed: u64, length: usize, share: f64) -> String {
    let count = (length as f64 * share) as usize;
    let mut text = String::with_capacity(length);
    for at in 0..count.div_ceil(8) as u64 {
        for byte in noise(at ^ seed << 40).to_le_bytes() {
            text.push(char::from(
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._"[usize::from(byte & 63)],
            ));
        }
    }
    text.truncate(count);
    text.extend(std::iter::repeat_n(' ', length - count));
    text
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
fn noise(number: u64) -> u64 {
    let state = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// The HTML, whose comments have letters in this density.
fn html(shape: &Shape, density: f64) -> String {
    let mut tags: Vec<(u16, &Resource)> = Vec::new();
    let mut place = 0;
    for resource in shape.resources.iter().filter(|resource| resource.in_html) {
        place = resource.position.unwrap_or(if resource.kind == Type::Image { 1_000 } else { place });
        tags.push((place, resource));
    }
    tags.sort_by_key(|(place, resource)| (*place, resource.number));
    let mut text = "<!doctype html><html lang=en><meta charset=utf-8><title>A page</title>\n".to_owned();
    let mut in_body = false;
    for (place, resource) in tags {
        let visible =
            resource.kind == Type::Image || (resource.kind == Type::Script && resource.sync && !resource.blocking);
        if visible && !in_body {
            in_body = true;
            text.push_str("<body><h1>A page</h1>\n");
        }
        fill(&mut text, shape.html.decoded * usize::from(place) / 1_000, density);
        tag(&mut text, resource);
    }
    if !in_body {
        text.push_str("<body><h1>A page</h1>\n");
    }
    let styles = || shape.resources.iter().filter(|resource| resource.kind == Type::Style);
    let of_style = |resource: &&Resource| styles().any(|style| style.number == resource.parent);
    for resource in shape.resources.iter().filter(of_style) {
        let _ = writeln!(text, "<p class=u{}>Text", resource.number);
    }
    fill(&mut text, shape.html.decoded, density);
    text
}

fn tag(text: &mut String, resource: &Resource) {
    let path = path(resource);
    let _ = match resource.kind {
        Type::Font => writeln!(text, "<link rel=preload as=font crossorigin href={path}>"),
        Type::Image if resource.preload => {
            writeln!(text, "<link rel=preload as=image href={path}><img src={path} alt=''>")
        }
        // An image without a place was asked for by layout, as it came near the viewport.
        Type::Image if resource.position.is_none() => writeln!(text, "<img loading=lazy src={path} alt=''>"),
        Type::Image => writeln!(text, "<img src={path} alt=''>"),
        Type::Module => writeln!(text, "<script type=module src={path}></script>"),
        Type::Script if resource.blocking || resource.sync => writeln!(text, "<script src={path}></script>"),
        Type::Script => writeln!(text, "<script async src={path}></script>"),
        Type::Style if resource.blocking => writeln!(text, "<link rel=stylesheet href={path}>"),
        Type::Style => writeln!(text, "<link rel=stylesheet media=print href={path}>"),
        Type::Data => Ok(()),
    };
}

/// Brings the text to a length.
fn fill(text: &mut String, length: usize, share: f64) {
    const AROUND: &str = "<!---->\n";
    let missing = length.saturating_sub(text.len() + AROUND.len());
    if missing > 0 {
        let seed = text.len() as u64;
        let _ = writeln!(text, "<!--{}-->", letters(seed, missing, share));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::shape;

    #[test]
    fn contents_come_to_the_bytes_of_the_shape() {
        for shape in shape::all().unwrap().iter().step_by(7) {
            let site = of(shape);
            let wanted: usize = shape.html.sent + shape.resources.iter().map(|one| one.bytes.sent).sum::<usize>();
            let sent = site.bytes(site.one(), site.one().assets.iter());
            let off = sent as f64 / wanted as f64;
            assert!((0.95..1.05).contains(&off), "{}: {sent} bytes for {wanted}", shape.id);
        }
    }

    #[test]
    fn all_that_a_page_needs_is_found() {
        for shape in &shape::all().unwrap() {
            let paths: Vec<String> = shape.resources.iter().map(path).collect();
            for asset in &of(shape).one().assets {
                match &asset.found {
                    Found::At(place) => assert!(*place <= 1_000, "{}", asset.path),
                    Found::After(path) => assert!(paths.contains(path), "{path}"),
                }
            }
        }
    }
}

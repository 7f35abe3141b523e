//! The shapes of real pages, as far as they are used: see `SHAPES.md`.

use std::io::Read as _;

use flate2::read::GzDecoder;
use serde_json::Value;

const FILE: &[u8] = include_bytes!("page-shapes.jsonl.gz");

/// What a browser fetched something as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Data,
    Font,
    Image,
    Module,
    Script,
    Style,
}

/// A page load: what was fetched, in the order of the requests.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) html: Bytes,
    pub(super) resources: Vec<Resource>,
}

/// Lengths of a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes {
    pub(super) sent: usize,
    pub(super) decoded: usize,
}

/// Something that a page fetched.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts of a request, independent of each other")]
pub(super) struct Resource {
    pub(super) number: u64,
    pub(super) kind: Type,
    pub(super) bytes: Bytes,
    /// The resource that made the browser ask for it; 0 is the HTML.
    pub(super) parent: u64,
    /// The HTML's parser met it, or the HTML preloads it; else a script or a stylesheet names it.
    pub(super) in_html: bool,
    pub(super) preload: bool,
    /// Share of the HTML before it, in thousandths.
    pub(super) position: Option<u16>,
    pub(super) blocking: bool,
    /// A script that runs where the parser stands.
    pub(super) sync: bool,
    /// The first one that the browser gave.
    pub(super) urgency: Option<u8>,
    pub(super) cacheable: bool,
}

/// All shapes.
///
/// # Errors
///
/// In words, if the file is not what it should be.
pub(super) fn all() -> Result<Vec<Shape>, String> {
    let mut text = String::new();
    GzDecoder::new(FILE).read_to_string(&mut text).map_err(|error| error.to_string())?;
    text.lines().map(|line| read(line).ok_or_else(|| format!("not a shape: {line:.60}"))).collect()
}

fn read(line: &str) -> Option<Shape> {
    let page: Value = serde_json::from_str(line).ok()?;
    let html =
        Bytes { sent: number(&page["html_bytes"]["transferred"])?, decoded: number(&page["html_bytes"]["decoded"])? };
    let resources = page["resources"].as_array()?.iter().map(resource).collect::<Option<_>>()?;
    Some(Shape { id: text(&page["id"])?, kind: text(&page["kind"])?, html, resources })
}

fn resource(value: &Value) -> Option<Resource> {
    let kind = match value["type"].as_str()? {
        "font" => Type::Font,
        "image" => Type::Image,
        "module" => Type::Module,
        "script" => Type::Script,
        "style" => Type::Style,
        _ => Type::Data,
    };
    let sent = number(&value["bytes"])?.max(1);
    let parent = value["parent"].as_u64()?;
    let initiator = value["initiator"].as_str().unwrap_or_default();
    let is = |name: &str| value[name].as_bool().unwrap_or_default();
    // Its tag was found in the HTML, whatever asked for it first.
    let is_written = value["position_basis"].as_str() == Some("text");
    Some(Resource {
        number: value["n"].as_u64()?,
        kind,
        bytes: Bytes { sent, decoded: number(&value["decoded"]).unwrap_or(sent).max(1) },
        parent,
        in_html: parent == 0 && kind != Type::Data && (is_written || !matches!(initiator, "script" | "import")),
        preload: is("preload") || initiator == "preload",
        position: value["position"].as_f64().map(|share| (share * 1_000.0) as u16),
        blocking: is("blocking"),
        sync: is("sync"),
        urgency: urgency(value["priority"].as_str()),
        cacheable: value["cacheable"].as_u64() != Some(0),
    })
}

/// The urgency (RFC 9218) that Chromium sends for its own name of a priority.
fn urgency(priority: Option<&str>) -> Option<u8> {
    ["highest", "high", "medium", "low", "lowest"]
        .iter()
        .zip(0..)
        .find(|(name, _)| Some(**name) == priority)
        .map(|(_, u)| u)
}

fn number(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|value| value.try_into().ok())
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_shapes_are_read() {
        let shapes = all().unwrap();
        assert_eq!(shapes.len(), 30);
        for shape in shapes {
            assert!(shape.resources.len() >= 11, "{}", shape.id);
            let earlier = |resource: &Resource| resource.parent < resource.number;
            assert!(shape.resources.iter().all(earlier), "{}", shape.id);
        }
    }
}

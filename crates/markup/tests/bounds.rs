//! Memory and time do not grow with what a document does.

use std::time::{Duration, Instant};

use headstart_markup::{End, Location, MAX_DOCUMENT_BYTES, MAX_MEMORY_BYTES, read};

fn location() -> Location {
    Location::new("https", "a.example", "/dir/page").unwrap()
}

/// The document, how its reading ends, and whether the first element was found.
#[track_caller]
fn check(name: &str, html: &str, end: End) {
    let html = format!("<link rel=stylesheet href=/first.css>{html}");
    let mut found = None;
    let started = Instant::now();
    let memory = allocation_counter::measure(|| found = Some(read(&location(), html.as_bytes())));
    let took = started.elapsed();
    let page = found.unwrap();
    println!("{name}: {} bytes at most, {took:?}, {:?}, {} assets", memory.bytes_max, page.end, page.assets.len());
    assert!(memory.bytes_max < MAX_MEMORY_BYTES as u64, "{name}: {}", memory.bytes_max);
    assert_eq!(page.end, end, "{name}");
    assert_eq!(&*page.assets[0].path, "/first.css", "{name}");
    assert!(took < Duration::from_secs(5), "{name}: {took:?}");
}

/// As many texts as that, with a number in each.
fn numbered(count: usize, before: &str, after: &str) -> String {
    (0..count).flat_map(|number| [before.to_owned(), number.to_string(), after.to_owned()]).collect()
}

#[test]
fn an_ordinary_page_is_read_whole() {
    let row = "<tr><td><a href=/x>some words</a><img src=/img/a.png loading=lazy alt='a picture'></td></tr>";
    check("ordinary", &format!("<body><table>{}</table>", row.repeat(900)), End::Whole);
}

#[test]
fn hostile_documents_end_early() {
    check("bomb of nested tags", &"<div>".repeat(100_000), End::Memory);
    check("nested svg", &"<svg>".repeat(100_000), End::Memory);
    check("nested templates", &"<template>".repeat(50_000), End::Memory);
    let attributes = numbered(100_000, " a", "");
    check("100,000 attributes", &format!("<img{attributes}>"), End::Memory);
    check("100,000 attributes of a paragraph", &format!("<p{attributes}>"), End::Truncated);
    check("one tag without end", &format!("<img src='{}", "x".repeat(600_000)), End::Memory);
    check("a comment without end", &format!("<!--{}", "x".repeat(600_000)), End::Truncated);
    check("a script without end", &format!("<script>{}", "x".repeat(600_000)), End::Truncated);
    check("a long document", &"<p>words</p>".repeat(MAX_DOCUMENT_BYTES / 10), End::Truncated);
    check("many assets", &numbered(20_000, "<img src=/", ">"), End::TooMany);
    let long = format!("<img src=/a srcset='{}'>", "/some/path/of/an/image.png 100w, ".repeat(31));
    check("long candidates", &long.repeat(400), End::TooMany);
    check("many origins", &numbered(500, "<img src=//", ".example/>"), End::TooMany);
    let policy = format!("<meta http-equiv=content-security-policy content='{}'>", "x".repeat(4000));
    check("many policies", &policy.repeat(100), End::TooMany);
    let inner = "<iframe srcdoc=\"<iframe srcdoc='<img src=/x>'></iframe><img src=/y>\"></iframe>";
    check("documents in documents", &inner.repeat(200), End::Whole);
    check("a large document in a document", &format!("<iframe srcdoc='{}'>", "<b>".repeat(20_000)), End::Whole);
}

#[test]
fn an_image_in_the_page_itself_is_no_end() {
    check("a data URL of 200 KiB", &format!("<img src='data:image/png;base64,{}'>", "A".repeat(200 << 10)), End::Whole);
}

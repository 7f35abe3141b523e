//! The site that is served: pages, the assets that each of them needs, and large files.

use std::path::Path;
use std::{fs, io};

#[derive(Clone, Copy)]
pub(crate) struct File {
    pub(crate) path: &'static str,
    pub(crate) bytes: usize,
}

const fn file(path: &'static str, bytes: usize) -> File {
    File { path, bytes }
}

/// Each needs all of [`ASSETS`].
pub(crate) const PAGES: [File; 3] = [file("/", 2_000), file("/news.html", 8_000), file("/shop.html", 30_000)];

pub(crate) const ASSETS: [File; 8] = [
    file("/app.css", 8_000),
    file("/theme.css", 3_000),
    file("/main.js", 40_000),
    file("/vendor.js", 60_000),
    file("/font.woff2", 20_000),
    file("/logo.svg", 1_500),
    file("/photo.png", 50_000),
    file("/small.png", 400),
];

/// For those who ask for much: a file that the server keeps in memory, and one that is too large for that.
pub(crate) const LARGE: File = file("/large.bin", 4_000_000);
pub(crate) const STREAMED: File = file("/streamed.bin", 6_000_000);

pub(crate) fn write(directory: &Path) -> io::Result<()> {
    for file in PAGES.iter().chain(&ASSETS).chain([&LARGE, &STREAMED]) {
        let name = if file.path == "/" { "index.html" } else { &file.path[1..] };
        // Nothing that compresses: what is asked for is what goes over the wire.
        let mut state = file.bytes as u64 | 1;
        let noise = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        fs::write(directory.join(name), (0..file.bytes).map(noise).collect::<Vec<u8>>())?;
    }
    Ok(())
}

//! Sites to serve: a copy of the example site that a test may change, or a small one.

use super::scan;
use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The image of the small site's first page. The names are those of content that never changes, so
/// that a browser which was hinted at it uses it without asking again.
pub(crate) const ONE: &str = "/one.0a1b2c3d.svg";
/// The image of its other page.
pub(crate) const TWO: &str = "/two.4e5f6a7b.svg";
/// The stylesheet of both.
pub(crate) const SHARED: &str = "/shared.5e1f0a3c.css";
/// The font that the stylesheet names.
pub(crate) const FONT: &str = "/font.9b2d4c6e.woff2";

pub(crate) struct Site {
    dir: TempDir,
}

/// A page and all that a browser loads for it, in the order in which it finds it.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) path: String,
    pub(crate) assets: Vec<Asset>,
}

#[derive(Clone, Debug)]
pub(crate) struct Asset {
    pub(crate) path: String,
    /// The page, stylesheet or module that asks for it: its `Referer`.
    pub(crate) parent: String,
    pub(crate) destination: &'static str,
    pub(crate) cors: bool,
}

impl Site {
    /// A copy of `examples/site`.
    pub(crate) fn example() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/site"), dir.path());
        Self { dir }
    }

    /// `/` and `/other.html`, a few hundred bytes in all: see [`ONE`], [`TWO`], [`SHARED`], [`FONT`].
    pub(crate) fn small() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let site = Self { dir };
        for (page, image) in [("/index.html", ONE), ("/other.html", TWO)] {
            let html = format!(
                "<!doctype html><title>{page}</title><link rel=\"stylesheet\" href=\"{SHARED}\">\
                 <p>Text <img alt=\"\" src=\"{image}\">\n"
            );
            site.write(page, &html);
            site.write(image, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"8\" height=\"8\"/>\n");
        }
        let css = format!("@font-face {{ font-family: f; src: url({FONT}) }}\np {{ font-family: f }}\n");
        site.write(SHARED, &css);
        site.write(FONT, "not really a font, but bytes under its name\n");
        site
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::write(self.file(path), text).expect("a file of the site");
    }

    /// Adds bytes to a file: harmless in CSS, JavaScript, SVG and after the end of an image. Returns when the server is
    /// sure to notice, which looks at a file ten times a second at most.
    pub(crate) fn touch(&self, path: &str) {
        let file = self.file(path);
        let mut bytes = fs::read(&file).expect("a file of the site");
        bytes.extend_from_slice(b"\n\n");
        fs::write(file, bytes).expect("a file of the site");
        std::thread::sleep(std::time::Duration::from_millis(150));
    }

    pub(crate) fn bytes(&self, path: &str) -> usize {
        fs::read(self.file(path)).expect("a file of the site").len()
    }

    /// Reads a page and everything that it leads to.
    pub(crate) fn page(&self, path: &str) -> Page {
        let mut assets = Vec::new();
        let mut seen = BTreeSet::new();
        let mut open = VecDeque::from([path.to_owned()]);
        while let Some(parent) = open.pop_front() {
            let file = self.file(&parent);
            let Ok(text) = fs::read_to_string(&file) else { continue };
            for found in scan::references(&file.to_string_lossy(), &text) {
                let path = scan::resolve(&parent, &found.url);
                assert!(self.file(&path).is_file(), "{parent} names {path}, which is not there");
                if seen.insert(path.clone()) {
                    open.push_back(path.clone());
                    let (destination, cors) = (found.destination, found.cors);
                    assets.push(Asset { path, parent: parent.clone(), destination, cors });
                }
            }
        }
        assert!(!assets.is_empty(), "{path} needs nothing");
        Page { path: path.to_owned(), assets }
    }

    fn file(&self, path: &str) -> PathBuf {
        let file = self.dir.path().join(path.trim_start_matches('/'));
        if file.is_dir() { file.join("index.html") } else { file }
    }
}

impl Page {
    pub(crate) fn paths(&self) -> BTreeSet<String> {
        super::set(self.assets.iter().map(|asset| asset.path.as_str()))
    }

    /// What a hint is of use for: all but the icon, which a browser fetches by itself, whatever it was told.
    pub(crate) fn hintable(&self) -> BTreeSet<String> {
        self.paths().into_iter().filter(|path| !path.contains("/icon.")).collect()
    }

    pub(crate) fn first(&self, destination: &str) -> &str {
        let found = self.assets.iter().find(|asset| asset.destination == destination);
        &found.unwrap_or_else(|| panic!("{} has no {destination}", self.path)).path
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("the example site") {
        let entry = entry.expect("an entry of the example site");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("its type").is_dir() {
            fs::create_dir(&target).expect("a directory");
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a file");
        }
    }
}

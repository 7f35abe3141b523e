//! The pages that are loaded: what they need, when a browser finds out, and the bytes.
//!
//! The sizes are those of a common page: 30 KB of HTML, 80 KB of CSS, a font of 60 KB, 600 KB of scripts in three files
//! of which one imports another, eight images: 1.78 MB in all, of which 625 KB stand between the visitor and a page
//! that is drawn and works. The second page shares half of it. Contents are made from the names, so that every run and
//! every server has the same.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

/// The directory of files that are served with `no-store`.
pub(crate) const NO_STORE: &str = "/data/";

/// The destination that a client fetches something as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    AsyncScript,
    /// Data that scripts fetch, and frames: no destination that a hint could name.
    Data,
    Font,
    Image,
    Module,
    Page,
    Style,
}

/// When a browser finds out that it needs something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// With this share of the page's bytes, in thousandths; 0 is the first bytes.
    At(u16),
    /// When all of this is there.
    After(String),
}

/// One thing that a page needs.
#[derive(Clone, Debug)]
pub(crate) struct Asset {
    pub(crate) path: String,
    pub(crate) kind: Kind,
    pub(crate) found: Found,
    /// Whether the page is not drawn, or does not work, without it.
    pub(crate) renders: bool,
    /// The urgency that a browser gives it when no hint named it; `None` is what it gives to most of the kind.
    pub(crate) urgency: Option<u8>,
}

/// A page and what it needs, in the order in which a server that knew everything would send it.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) path: String,
    pub(crate) assets: Vec<Asset>,
}

impl Asset {
    /// Whether a client may keep it. It asks for others again when the page needs them, hinted or not.
    pub(crate) fn may_be_stored(&self) -> bool {
        !self.path.starts_with(NO_STORE)
    }
}

impl Page {
    /// The assets without which the page is not drawn.
    pub(crate) fn critical(&self) -> impl Iterator<Item = &Asset> {
        self.assets.iter().filter(|asset| asset.renders)
    }

    /// The assets to push or hint.
    pub(crate) fn listed(&self) -> impl Iterator<Item = &Asset> {
        self.critical().filter(|asset| asset.may_be_stored())
    }
}

/// The content at a path.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) plain: Bytes,
    /// Compressed, for clients that take gzip.
    pub(crate) gzip: Option<Bytes>,
}

impl Content {
    fn plain(plain: Bytes) -> Self {
        Self { plain, gzip: None }
    }

    /// Bytes of the body that a browser gets.
    pub(crate) fn sent(&self) -> usize {
        self.gzip.as_ref().unwrap_or(&self.plain).len()
    }

    /// Whether it is the body of a response, compressed or not.
    pub(crate) fn is(&self, body: &[u8]) -> bool {
        self.plain == body || self.gzip.as_ref().is_some_and(|gzip| gzip == body)
    }
}

/// The site as of one deploy.
pub(crate) struct Site {
    /// The shape that its page has; empty for the site of `page_load`.
    pub(crate) shape: String,
    /// Counts deploys; the main script is named after it.
    pub(crate) version: u32,
    pub(crate) pages: Vec<Page>,
    contents: HashMap<String, Content>,
}

const STYLE: &str = "/assets/style.5f3a9c1e.css";
const FONT: &str = "/assets/text.0b7d44a2.woff2";
const LIB: &str = "/assets/lib.c3e19f60.js";
const EXTRA: &str = "/assets/extra.71d2b8f5.js";
const MAIN_TWO: &str = "/assets/two.e88a0d37.js";
const IMAGES: [usize; 8] = [210_000, 180_000, 150_000, 130_000, 110_000, 95_000, 75_000, 60_000];

impl Site {
    pub(crate) fn new(version: u32) -> Self {
        let main = format!("/assets/main.{:08x}.js", 0x4a17_c0de_u32.wrapping_mul(2 * version + 1));
        let one = page("/one.html", &main, 0);
        let two = page("/two.html", MAIN_TWO, 4);
        let mut contents = HashMap::new();
        for page in [&one, &two] {
            contents.insert(page.path.clone(), Content::plain(html(page)));
            for asset in &page.assets {
                let content = || Content::plain(content(asset, &page.assets));
                contents.entry(asset.path.clone()).or_insert_with(content);
            }
        }
        Self { shape: String::new(), version, pages: vec![one, two], contents }
    }

    /// A site of one page.
    pub(crate) fn of_shape(shape: String, page: Page, contents: HashMap<String, Content>) -> Self {
        Self { shape, version: 0, pages: vec![page], contents }
    }

    /// Its first page.
    pub(crate) fn one(&self) -> &Page {
        &self.pages[0]
    }

    /// Its second page.
    pub(crate) fn two(&self) -> &Page {
        &self.pages[1]
    }

    /// The page with this path.
    pub(crate) fn page(&self, path: &str) -> Option<&Page> {
        self.pages.iter().find(|page| page.path == path)
    }

    pub(crate) fn content(&self, path: &str) -> Option<&Content> {
        self.contents.get(path)
    }

    /// Bytes of all that a page needs, itself included.
    pub(crate) fn bytes<'a>(&self, page: &Page, assets: impl Iterator<Item = &'a Asset>) -> usize {
        let length = |path: &str| self.content(path).map_or(0, Content::sent);
        length(&page.path) + assets.map(|asset| length(&asset.path)).sum::<usize>()
    }

    /// Writes what is new or different into a directory that is being served.
    ///
    /// Files are 30 days old, as they are on a site in use: clients take files without `Cache-Control` for fresh by
    /// their age (RFC 9111, section 4.2.2).
    pub(crate) fn write(&self, root: &Path) -> io::Result<()> {
        let modified = SystemTime::now() - Duration::from_secs(30 * 86_400);
        let gzip = |(path, content): (&String, &Content)| Some((format!("{path}.gz"), content.gzip.clone()?));
        let compressed = self.contents.iter().filter_map(gzip);
        let plain = self.contents.iter().map(|(path, content)| (path.clone(), content.plain.clone()));
        for (path, content) in plain.chain(compressed) {
            let path = root.join(path.trim_start_matches('/'));
            if std::fs::read(&path).is_ok_and(|held| held == content[..]) {
                continue;
            }
            std::fs::create_dir_all(path.parent().unwrap_or(root))?;
            // In one step, for somebody may be reading it.
            let new = path.with_extension("new");
            let mut file = File::create(&new)?;
            file.write_all(&content)?;
            // A second for each deploy, or servers that go by date would see no change.
            file.set_modified(modified + Duration::from_secs(u64::from(self.version)))?;
            std::fs::rename(new, path)?;
        }
        Ok(())
    }
}

/// The assets of a page in the order of need; images from `first_image` on.
fn page(path: &str, main: &str, first_image: usize) -> Page {
    let asset = |path: &str, kind, found, renders| Asset { path: path.to_owned(), kind, found, renders, urgency: None };
    let mut assets = vec![
        asset(STYLE, Kind::Style, Found::At(0), true),
        asset(main, Kind::Module, Found::At(0), true),
        asset(FONT, Kind::Font, Found::After(STYLE.into()), true),
        asset(LIB, Kind::Module, Found::After(main.into()), true),
        asset(EXTRA, Kind::AsyncScript, Found::At(0), false),
    ];
    for image in first_image..first_image + IMAGES.len() {
        assets.push(asset(&format!("/assets/photo{image}.svg"), Kind::Image, Found::After(path.into()), false));
    }
    Page { path: path.to_owned(), assets }
}

fn html(page: &Page) -> Bytes {
    let mut text = "<!doctype html><html lang=en><meta charset=utf-8><title>A page</title>\n".to_owned();
    for asset in page.assets.iter().filter(|asset| asset.found == Found::At(0)) {
        let path = &asset.path;
        let _ = match asset.kind {
            Kind::Style => writeln!(text, "<link rel=stylesheet href={path}>"),
            Kind::Module => writeln!(text, "<script type=module src={path}></script>"),
            _ => writeln!(text, "<script async src={path}></script>"),
        };
    }
    text.push_str("<h1>A page with a heading that is large enough to be the largest paint</h1>\n");
    for asset in page.assets.iter().filter(|asset| asset.kind == Kind::Image) {
        let _ = writeln!(text, "<img src={} width=120 height=80 alt=''>", asset.path);
    }
    fill(text, "<!--", "-->\n", 30_000)
}

fn content(asset: &Asset, assets: &[Asset]) -> Bytes {
    match asset.kind {
        Kind::Style => {
            let face =
                format!("@font-face{{font-family:t;src:url({FONT})}}body{{font:16px t,serif}}h1{{font-size:60px}}\n");
            fill(face, "/*", "*/\n", 80_000)
        }
        Kind::Font => fill(asset.path.clone(), "", "", 60_000),
        Kind::AsyncScript => fill(String::new(), "//", "\n", 145_000),
        Kind::Module if asset.path == LIB => fill("export const lib = 1;\n".into(), "//", "\n", 300_000),
        Kind::Module => {
            let import = assets.iter().find(|other| other.found == Found::After(asset.path.clone()));
            let import =
                import.map_or_else(String::new, |other| format!("import {{ lib }} from \"{}\";\n", other.path));
            fill(import + &format!("performance.mark('main'); // {}\n", asset.path), "//", "\n", 155_000)
        }
        Kind::Image => {
            let number: usize = asset.path.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or_default();
            let hue = number * 40;
            let image = format!(
                "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 3 2'><rect width='3' height='2' \
                 fill='hsl({hue} 60% 60%)'/></svg>\n"
            );
            fill(image, "<!--", "-->\n", IMAGES[number % IMAGES.len()])
        }
        Kind::Data | Kind::Page => Bytes::new(),
    }
}

/// Text brought to a length by comments in which nothing repeats, so that compression is worth little.
pub(crate) fn fill(mut text: String, open: &str, close: &str, bytes: usize) -> Bytes {
    let mut state = text.bytes().fold(bytes as u64, |state, byte| state.wrapping_mul(31).wrapping_add(u64::from(byte)));
    while text.len() + open.len() + close.len() < bytes {
        text.push_str(open);
        let end = (text.len() + 100).min(bytes - close.len());
        while text.len() < end {
            // SplitMix64 (Steele, Lea and Flood, 2014).
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            text.push(char::from(b"abcdefghijklmnopqrstuvwxyzABCDEF"[(mixed >> 59) as usize]));
        }
        text.push_str(close);
    }
    text.extend(std::iter::repeat_n(' ', bytes - text.len().min(bytes)));
    Bytes::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_description() {
        let site = Site::new(0);
        assert_eq!(site.bytes(site.one(), site.one().assets.iter()), 1_780_000);
        assert_eq!(site.bytes(site.one(), site.one().critical()), 625_000);
    }

    #[test]
    fn a_deploy_renames_one_asset() {
        let (old, new) = (Site::new(0), Site::new(1));
        let held = |asset: &&Asset| old.content(&asset.path).is_none();
        assert_eq!(new.one().assets.iter().filter(held).count(), 1);
        let plain = |site: &Site, path| site.content(path).map(|content| content.plain.clone());
        assert_ne!(plain(&old, "/one.html"), plain(&new, "/one.html"));
        assert_eq!(plain(&old, "/two.html"), plain(&new, "/two.html"));
    }
}

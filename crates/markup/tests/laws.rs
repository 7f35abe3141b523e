//! Laws over any bytes.

use headstart_markup::{Location, Page, Reader, read};
use proptest::prelude::*;

fn location() -> Location {
    Location::new("https", "a.example", "/dir/page").unwrap()
}

fn in_pieces(html: &[u8], sizes: &[usize]) -> Page {
    let mut reader = Reader::new(location());
    let (mut rest, mut sizes) = (html, sizes.iter().cycle());
    while !rest.is_empty() {
        let size = (*sizes.next().unwrap_or(&1)).clamp(1, rest.len());
        let (piece, after) = rest.split_at(size);
        reader.write(piece);
        rest = after;
    }
    reader.finish()
}

const PARTS: [&str; 34] = [
    "<",
    ">",
    "/",
    "=",
    "\"",
    "'",
    " ",
    "<!--",
    "-->",
    "<link ",
    "rel=stylesheet ",
    "href=/a.css ",
    "<script ",
    "src=/a.js ",
    "</script>",
    "<template>",
    "</template>",
    "<picture>",
    "<source srcset='/a 1x, /b 2x'>",
    "</picture>",
    "<img src=/i.png>",
    "<svg>",
    "<use href=/s.svg#x />",
    "</svg>",
    "<iframe srcdoc='<img src=/d.png>'>",
    "</iframe>",
    "<base href=/x/>",
    "&amp;",
    "<meta http-equiv=content-security-policy content=x>",
    "<style>",
    "</style>",
    "<noscript>",
    "</noscript>",
    "\u{fffd}\0",
];

proptest! {
    #[test]
    fn any_split_gives_the_same_facts(
        parts in proptest::collection::vec(proptest::sample::select(&PARTS[..]), 0..60),
        sizes in proptest::collection::vec(1usize..40, 1..8),
    ) {
        let html = parts.concat();
        prop_assert_eq!(in_pieces(html.as_bytes(), &sizes), read(&location(), html.as_bytes()));
    }

    #[test]
    fn any_bytes_are_read(html in proptest::collection::vec(any::<u8>(), 0..2000), size in 1usize..500) {
        prop_assert_eq!(in_pieces(&html, &[size]), read(&location(), &html));
    }
}

/// Limits fall on the same byte too.
#[test]
fn large_documents_in_pieces() {
    let deep = "<div>".repeat(90_000);
    let attributes = format!("<img {}>", (0..60_000).map(|number| format!("a{number} ")).collect::<Vec<_>>().concat());
    let image = format!("<img src='data:image/png;base64,{}'><img src=/a.png>", "A".repeat(400_000));
    let long = "<p>text</p><img src=/a.png>".repeat(30_000);
    for html in [deep, attributes, image, long] {
        let whole = read(&location(), html.as_bytes());
        for sizes in [&[1000, 16_384, 3][..], &[70_000], &[16_383, 16_385]] {
            let pieces = in_pieces(html.as_bytes(), sizes);
            assert_eq!((pieces.end, pieces.assets.len()), (whole.end, whole.assets.len()));
            assert_eq!(pieces, whole);
        }
    }
}

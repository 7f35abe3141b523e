//! What is found in documents.

use headstart_markup::{Asset, Crossorigin, End, FetchPriority, Location, Page, Role, read};

fn page(html: &str) -> Page {
    read(&Location::new("https", "a.example", "/dir/page").unwrap(), html.as_bytes())
}

#[track_caller]
fn one(html: &str) -> Asset {
    let page = page(html);
    assert_eq!(page.assets.len(), 1, "{html}: {page:?}");
    page.assets.into_iter().next().unwrap()
}

#[track_caller]
fn check(html: &str, path: &str, role: Role) {
    let asset = one(html);
    assert_eq!((&*asset.path, asset.role), (path, role), "{html}");
}

#[track_caller]
fn nothing(html: &str) {
    assert_eq!(page(html).assets, [], "{html}");
}

#[test]
fn roles() {
    check("<link rel=stylesheet href=/a.css>", "/a.css", Role::Stylesheet);
    check("<LINK REL='StyleSheet nofollow' HREF='a.css'>", "/dir/a.css", Role::Stylesheet);
    check("<script src=a.js></script>", "/dir/a.js", Role::Script);
    check("<script type='TEXT/javascript' src=/a.js></script>", "/a.js", Role::Script);
    check("<script type=module src=/a.js></script>", "/a.js", Role::Module);
    check("<link rel=modulepreload href=/m.js>", "/m.js", Role::Module);
    check("<link rel=preload as=font crossorigin href=/f.woff2>", "/f.woff2", Role::Font);
    check("<link rel=preload as=fetch href=/x.json>", "/x.json", Role::Fetch);
    check("<link rel='shortcut icon' href=/logo.png>", "/logo.png", Role::Icon);
    check("<link rel=apple-touch-icon href=/t.png>", "/t.png", Role::Icon);
    check("<link rel=manifest href=/m.json>", "/m.json", Role::Manifest);
    check("<img src=/a.png>", "/a.png", Role::Image);
    check("<video poster=/p.jpg src=/v.mp4></video>", "/p.jpg", Role::Image);
    check("<input type=image src=/b.png>", "/b.png", Role::Image);
    check("<svg><image href=/i.svg /></svg>", "/i.svg", Role::Image);
    check("<svg><use href='/s.svg#x'/></svg>", "/s.svg", Role::SvgUse);
    check("<svg><use xlink:href='/s.svg#x'/></svg>", "/s.svg", Role::SvgUse);
    check("<iframe srcdoc='&lt;img src=/in.png>'></iframe>", "/in.png", Role::Embedded);
}

#[test]
fn what_is_not_fetched() {
    for html in [
        "<link rel='alternate stylesheet' href=/a.css>",
        "<link rel=stylesheet disabled href=/a.css>",
        "<link rel=preload href=/a.css>",
        "<link rel=preload as=style>",
        "<link rel=canonical href=/>",
        "<script nomodule src=/a.js></script>",
        "<script type=application/json src=/a.js></script>",
        "<script type=text/template><img src=/a.png></script>",
        "<template><img src=/a.png></template>",
        "<noscript><link rel=stylesheet href=/a.css></noscript>",
        "<!-- <img src=/a.png> -->",
        "<textarea><img src=/a.png></textarea>",
        "<title><img src=/a.png></title>",
        "<img src=''>",
        "<img src='data:image/png;base64,xx'>",
        "<svg><use href='#x'/></svg>",
        "<a href=/a.png>x</a>",
        "<iframe src=/other.html></iframe>",
    ] {
        nothing(html);
    }
    // The template has ended; a declarative shadow root is shown.
    check("<template><template></template></template><img src=/b.png>", "/b.png", Role::Image);
    check("<template shadowrootmode=open><img src=/b.png></template>", "/b.png", Role::Image);
}

#[test]
fn attributes() {
    let style =
        one("<link rel=stylesheet href='/a.css?x=1&amp;y=2&#38;z' integrity=' sha384-x ' media='(min-width: 9px)' \
         crossorigin referrerpolicy=ORIGIN fetchpriority=high nonce=n>");
    assert_eq!(&*style.path, "/a.css?x=1&y=2&z");
    assert_eq!(style.integrity.as_deref(), Some("sha384-x"));
    assert_eq!(style.media.as_deref(), Some("(min-width: 9px)"));
    assert_eq!(style.crossorigin, Crossorigin::Anonymous);
    assert_eq!(style.referrer_policy.as_deref(), Some("ORIGIN"));
    assert_eq!(style.fetch_priority, FetchPriority::High);
    assert!(style.nonce && style.in_head && style.blocking && !style.is_put_off() && !style.incomplete);

    let credentials = one("<script crossorigin=Use-Credentials src=/a.js></script>");
    assert_eq!(credentials.crossorigin, Crossorigin::UseCredentials);
    let preload = one("<link rel=preload as=image type=image/webp href=/a.webp>");
    assert_eq!((preload.mime_type.as_deref(), preload.preload), (Some("image/webp"), true));
    // The first of two attributes with one name counts.
    check("<img src=/a.png src=/b.png>", "/a.png", Role::Image);
    let long = one(&format!("<script src=/a.js integrity='{}'></script>", "sha384-x ".repeat(1000)));
    assert!(long.incomplete && long.integrity.is_none());
}

#[test]
fn what_blocks_and_what_is_put_off() {
    let blocking = |html: &str| one(html).blocking;
    assert!(blocking("<script src=/a.js></script>") && blocking("<body><script src=/a.js></script>"));
    for html in [
        "<script async src=/a.js></script>",
        "<script defer src=/a.js></script>",
        "<script type=module src=/a.js></script>",
        "<link rel=stylesheet media=print href=/a.css>",
        "<link rel=preload as=style href=/a.css>",
        "<img src=/a.png>",
    ] {
        assert!(!blocking(html), "{html}");
    }
    for html in [
        "<img loading=lazy src=/a.png>",
        "<link rel=stylesheet media=print href=/a.css>",
        "<img fetchpriority=low src=/a>",
    ] {
        assert!(one(html).is_put_off(), "{html}");
    }
    let head = |html: &str| page(html).assets.last().unwrap().in_head;
    assert!(head("<!doctype html><html><head><title>x</title><script src=/a.js></script>"));
    assert!(!head("<head></head><body><script src=/a.js></script>"));
    assert!(!head("<title>x</title><h1>y</h1><script src=/a.js></script>"));
    assert!(!head("<title>x</title><my-app></my-app><script src=/a.js></script>"));
    assert!(head("<title>x</title><noscript></noscript><script src=/a.js></script>"));
}

#[test]
fn responsive_images() {
    let image = one("<img src=/a.png srcset='/a.png 1x, b.png 2x' sizes=50vw>");
    let srcset = image.srcset.unwrap();
    assert_eq!((&*srcset.candidates, srcset.sizes.as_deref()), ("/a.png 1x, /dir/b.png 2x", Some("50vw")));
    assert_eq!(srcset.paths, ["/a.png".into(), "/dir/b.png".into()]);
    let only = one("<img srcset='/a.png 100w'>");
    assert_eq!(&*only.path, "/a.png");

    let picture = page(
        "<picture><source media='(width < 9px)' srcset=/s.png><source type=image/webp srcset=/w.webp><img src=/f.png></picture><img src=/g.png>",
    );
    let seen: Vec<_> = picture.assets.iter().map(|asset| (&*asset.path, asset.alternative)).collect();
    assert_eq!(seen, [("/s.png", false), ("/w.webp", true), ("/f.png", true), ("/g.png", false)]);
    assert_eq!(picture.assets[0].media.as_deref(), Some("(width < 9px)"));
    assert_eq!(picture.assets[1].mime_type.as_deref(), Some("image/webp"));
    nothing("<audio><source src=/a.mp3></audio>");
}

#[test]
fn the_base_counts_from_where_it_stands() {
    let page = page("<img src=1.png><base href=/x/><img src=2.png><base href=/y/><img src=3.png>");
    let paths: Vec<_> = page.assets.iter().map(|asset| &*asset.path).collect();
    assert_eq!(paths, ["/dir/1.png", "/x/2.png", "/x/3.png"]);
    assert!(page.base);
    let elsewhere = read(
        &Location::new("https", "a.example", "/").unwrap(),
        b"<base href=https://cdn.example/x/><img src=2.png><img src=https://a.example/3.png>",
    );
    assert_eq!(&*elsewhere.origins[0].origin, "https://cdn.example");
    assert_eq!(&*elsewhere.assets[0].path, "/3.png");
}

#[test]
fn origins() {
    let page = page(
        "<link rel=preconnect href=https://fonts.example crossorigin><link rel=stylesheet href=https://css.example/a.css>\
         <script type=module src=https://js.example/m.js></script><img loading=lazy src=https://img.example/a.png>\
         <img src=https://css.example/b.png>",
    );
    let seen: Vec<_> = page
        .origins
        .iter()
        .map(|o| (&*o.origin, o.anonymous, o.credentials, o.blocking, o.preconnect, o.assets))
        .collect();
    assert_eq!(
        seen,
        [
            ("https://fonts.example", true, false, false, true, 0),
            ("https://css.example", false, true, true, false, 2),
            ("https://js.example", true, false, false, false, 1),
            ("https://img.example", false, true, false, false, 0),
        ]
    );
    assert_eq!(page.assets, []);
}

#[test]
fn policies() {
    let page = page(
        "<meta http-equiv=Content-Security-Policy content=\"script-src 'nonce-x'\"><meta name=referrer content=Origin>\
         <meta http-equiv=content-security-policy-report-only content=x><script type=importmap>{}</script>\
         <body><meta http-equiv=content-security-policy content=late>",
    );
    assert_eq!(page.content_security_policies, ["script-src 'nonce-x'".into()]);
    assert_eq!(page.referrer_policy.as_deref(), Some("origin"));
    assert!(page.import_map);
    assert_eq!(page.end, End::Whole);
}

#[test]
fn other_encodings() {
    let utf16: Vec<u8> = "<img src=/a.png>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let location = Location::new("https", "a.example", "/").unwrap();
    assert_eq!(read(&location, &utf16).end, End::Encoding);
    // Bytes that are no UTF-8 do not harm what is beside them; a path with them is not known.
    let page = read(&location, b"<p>caf\xe9<img src='/caf\xe9.png'><img src=/a.png>");
    assert_eq!((page.assets.len(), &*page.assets[0].path, page.end), (1, "/a.png", End::Whole));
}

//! Reading pages, beside html5ever: `cargo bench -p headstart-benches --bench markup -- [--quick]`.
//!
//! Ours finds the facts of a document; html5ever's tokenizer only hands out its tokens, without a tree. Both in one binary,
//! taking turns within each round; the best of the rounds is printed, in MB/s. Documents are made of what pages of the web
//! are made of, in three proportions; `FILE...` adds files.

use std::cell::Cell;
use std::hint::black_box;
use std::time::Instant;

use headstart_markup::{Location, read};
use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

/// How many times html5ever's bytes a second.
const TARGET: f64 = 3.0;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let rounds = if quick { 5 } else { 40 };
    let mut documents = vec![("article", article()), ("shop", shop()), ("application", application())];
    let files = arguments.iter().filter(|argument| !argument.starts_with("--"));
    for (name, text) in files.filter_map(|file| Some((file.as_str(), std::fs::read_to_string(file).ok()?))) {
        documents.push((name, text));
    }
    println!("| document | KiB | ours, MB/s | html5ever, MB/s | times | target |");
    println!("|---|---:|---:|---:|---:|---|");
    let mut json = vec![];
    for (name, html) in &documents {
        let (mut ours, mut theirs) = (f64::MAX, f64::MAX);
        for _ in 0..rounds {
            ours = ours.min(seconds(|| with_ours(html)));
            theirs = theirs.min(seconds(|| with_html5ever(html)));
        }
        assert_eq!(with_ours(html), with_html5ever(html), "{name}: elements with a source");
        let rate = |seconds: f64| html.len() as f64 / seconds / 1e6;
        let times = theirs / ours;
        let met = if times >= TARGET { "met" } else { "MISSED" };
        let kib = html.len() / 1024;
        println!("| {name} | {kib} | {:.0} | {:.0} | {times:.1} | {TARGET}: {met} |", rate(ours), rate(theirs));
        json.push(format!(
            "{{\"bench\":\"markup\",\"document\":\"{name}\",\"ours_mb_s\":{:.1},\"html5ever_mb_s\":{:.1}}}",
            rate(ours),
            rate(theirs)
        ));
    }
    headstart_benches::rows::write(&format!("[{}]\n", json.join(",\n")));
}

fn seconds(work: impl Fn() -> usize) -> f64 {
    let start = Instant::now();
    black_box(work());
    start.elapsed().as_secs_f64()
}

/// Assets that were found.
fn with_ours(html: &str) -> usize {
    let location = Location::new("https", "a.example", "/").expect("it is the location of a page");
    let page = read(&location, black_box(html.as_bytes()));
    page.assets.len()
}

fn with_html5ever(html: &str) -> usize {
    let sink = Counting { found: Cell::new(0) };
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(black_box(html)));
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.found.get()
}

/// Counts the elements that have a source, which is the least that a reader of tokens has to do.
struct Counting {
    found: Cell<usize>,
}

impl TokenSink for Counting {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        if let Token::TagToken(Tag { kind: TagKind::StartTag, name, attrs, .. }) = token
            && matches!(&*name, "img" | "link" | "script")
            && attrs.iter().any(|attribute| matches!(&*attribute.name.local, "src" | "href"))
        {
            self.found.set(self.found.get() + 1);
        }
        TokenSinkResult::Continue
    }
}

const HEAD: &str = "<!doctype html><html lang=en><head><meta charset=utf-8><title>A page</title>\
    <link rel=stylesheet href=/css/site.css><link rel=stylesheet href=/css/print.css media=print>\
    <link rel=preload as=font crossorigin href=/f/text.woff2><link rel=icon href=/i.png>\
    <script src=/js/app.js defer></script></head><body class='page light'>";

/// Much text, few tags.
fn article() -> String {
    let text = "Words that say something, <em>some of them</em> with <a href='/wiki/Page_of_words' title=\"Page of words\">links</a> \
                and sometimes an &amp; or an <code>inline &lt;tag&gt;</code>. ";
    let paragraph = format!("<p id=\"p1\">{}</p>\n", text.repeat(6));
    let figure = "<figure><img src='/img/figure.png' alt='A figure' width=640 height=480><figcaption>A caption</figcaption></figure>\n";
    format!("{HEAD}{}</body></html>", format!("{}{figure}", paragraph.repeat(8)).repeat(14))
}

/// Many tags with many attributes.
fn shop() -> String {
    let card = "<div class=\"card card--product js-card\" data-id=\"4711\" data-price=\"19.99\" data-brand=\"Brand\">\
        <a class=\"card__link\" href=\"/p/4711?color=red&amp;size=m\" aria-label=\"A product\"><img class=\"card__image lazy\" \
        src=\"/img/4711.jpg\" srcset=\"/img/4711.jpg 1x, /img/4711@2x.jpg 2x\" loading=\"lazy\" width=\"240\" height=\"320\" alt=\"A product\"></a>\
        <div class=\"card__body\"><h3 class=\"card__title\">A product</h3><span class=\"price price--sale\">19.99</span>\
        <button type=\"button\" class=\"btn btn-primary\" data-action=\"add\"><svg width=16 height=16><path d=\"M0 0h16v16H0z\"/></svg>Add</button></div></div>\n";
    format!("{HEAD}<main>{}</main></body></html>", card.repeat(120))
}

/// Scripts and data in the page.
fn application() -> String {
    let data = "{\"id\":1,\"name\":\"An entry\",\"tags\":[\"a\",\"b\"],\"text\":\"Words and words, \\u003Cb\\u003Ebold\\u003C/b\\u003E\"},";
    let style =
        ".a{color:#123456;margin:0 auto}.b>.c:hover{background:url(/x.png)}@media(min-width:640px){.d{display:flex}}\n";
    let node = "<div class=a><div class=b><span>Entry</span><ul><li>One</li><li>Two</li></ul></div></div>\n";
    format!(
        "{HEAD}<style>{}</style><script>window.__STATE__=[{}]</script><div id=root>{}</div><script src=/js/late.js></script></body></html>",
        style.repeat(200),
        data.repeat(700),
        node.repeat(400),
    )
}

//! A settled page, asked for again and again.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use headstart::policy::{FileContent, FileHeads};
use headstart::{Body, Connection, ForwardedBy, Headstart, Listener};
use headstart_benches::callgrind::measured;
use headstart_benches::in_memory::{Client, Pipe, connect};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::Full;

/// Requests that are counted: a page is looked at once in 64 views.
pub(crate) const ROUNDS: u64 = 128;
/// Visits from which the page is learned, each of a network of its own, until its plan is settled: enough of them were held out.
const VISITS: u64 = 600;

const BROWSER: [(&str, &str); 4] = [
    ("accept", "text/html"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-site", "none"),
];

/// Asks a server that reads pages, or does not. `files`: it answers with files.
pub(crate) fn ask(read: bool, files: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let hour = Duration::from_secs(3600);
    let headstart = Headstart::builder().min_networks(1).secret([7; 32]);
    let proxies = ["127.0.0.0/8".parse().expect("a network")];
    let headstart = headstart.trusted_proxies(proxies, ForwardedBy::XForwardedFor);
    let headstart = headstart.markup(|markup| markup.read = read).h2(|h2| {
        h2.idle_timeout = hour;
        h2.handshake_timeout = hour;
        h2.header_timeout = hour;
        h2.max_diary_entries = 0;
    });
    let headstart = headstart.build().expect("settings in range");
    let (mut client, pipe) = connect(false);
    let server = headstart.serve(Once(Some(pipe)), None, service(files));
    runtime.block_on(async {
        tokio::spawn(server.into_future());
        client.acknowledge();
        for visit in 0..VISITS {
            view(&mut client, visit).await;
            let address = address(visit);
            let fields =
                [("referer", "https://bench.example/"), ("sec-fetch-dest", "style"), ("x-forwarded-for", &*address)];
            get(&mut client, "/a.css", &fields).await;
            if visit % 4 == 3 {
                headstart.finish();
            }
        }
        if read {
            while headstart.stats().reading.read == 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    });
    let before = copies(&headstart);
    measured(|| {
        runtime.block_on(async {
            for round in 0..ROUNDS {
                view(&mut client, VISITS + round).await;
            }
        });
    });
    let due = if read && !files { ROUNDS / 64 } else { 0 };
    // The thread that reads may be behind.
    let until = Instant::now() + Duration::from_secs(10);
    while copies(&headstart) - before < due && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    let looks = copies(&headstart) - before;
    assert!(looks.abs_diff(due) <= 1, "{looks} looks at a settled page, of which {due} are due");
}

/// Copies of pages that were made, whatever became of them.
fn copies(headstart: &Headstart) -> u64 {
    let reading = headstart.stats().reading;
    reading.read + reading.dropped
}

/// The address of a visitor, in a network of its own.
fn address(visitor: u64) -> String {
    format!("10.{}.{}.1", visitor / 250, visitor % 250)
}

/// A visitor opens the page.
async fn view(client: &mut Client, visitor: u64) {
    let address = address(visitor);
    let [accept, mode, dest, site] = BROWSER;
    get(client, "/", &[accept, mode, dest, site, ("x-forwarded-for", &address)]).await;
}

/// Asks and waits for the end of the response.
async fn get(client: &mut Client, path: &str, fields: &[(&str, &str)]) {
    client.get(path, fields);
    while client.take().ended == 0 {
        tokio::task::yield_now().await;
    }
}

/// Yields one connection, and no other.
struct Once(Option<Pipe>);

impl Listener for Once {
    type Io = Pipe;

    async fn accept(&mut self) -> io::Result<(Pipe, Connection)> {
        match self.0.take() {
            Some(pipe) => Ok((pipe, Connection::new(SocketAddr::from(([127, 0, 0, 1], 40_000))))),
            None => std::future::pending().await,
        }
    }
}

/// Files that know nothing of each other.
struct NoFiles;

impl FileHeads for NoFiles {
    fn head(&self, _: &str) -> Option<HeaderMap> {
        None
    }
}

type Answer = std::future::Ready<Result<Response<Full<Bytes>>, Infallible>>;

fn service(
    files: bool,
) -> impl tower::Service<Request<Body>, Response = Response<Full<Bytes>>, Error = Infallible, Future = Answer> + Clone + Send
{
    let text = "<p>Words that say something, with <a href=/other>a link</a> or two.</p>\n".repeat(140);
    let html = Bytes::from(format!("<!doctype html><title>A page</title><link rel=stylesheet href=/a.css>{text}"));
    let content = FileContent::new(NoFiles);
    tower::service_fn(move |request: Request<Body>| {
        let page = request.uri().path() == "/";
        let (media, caching) = if page { ("text/html", "no-cache") } else { ("text/css", "max-age=3600") };
        let mut response = Response::new(Full::new(if page { html.clone() } else { Bytes::from_static(b"p {}") }));
        if files {
            response.extensions_mut().insert(content.clone());
        }
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
        headers.insert(ETAG, HeaderValue::from_static("\"one\""));
        std::future::ready(Ok(response))
    })
}

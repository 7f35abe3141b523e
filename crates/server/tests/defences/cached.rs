//! What one client asks for, in the cache that answers others.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use testkit::app::{self, Request, Response};

use super::rig::{Server, answer, told};

/// The program in front of an application, with its cache, and how often the application was asked for content.
fn serve(respond: impl Fn(&Request) -> Response + Send + Sync + 'static) -> (Server, Arc<AtomicUsize>) {
    let full = Arc::<AtomicUsize>::default();
    let counts = Arc::clone(&full);
    let application = app::serve(move |request| {
        let response = respond(request);
        counts.fetch_add(usize::from(response.status == 200 && request.method == "GET"), Ordering::Relaxed);
        response
    });
    (Server::before(&format!("http://{application}"), "", "cache = \"all\""), full)
}

#[test]
fn a_get_with_content_is_kept_for_nobody() {
    let css =
        |request: &Request| answer(&[("content-type", "text/css"), ("cache-control", "max-age=600")], told(request));
    let (server, _) = serve(css);
    let fat = "GET /a.css HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\nContent-Length: 4\r\n\r\nevil";
    assert!(server.raw(fat.as_bytes()).contains("evil"), "the application hears of it");
    let text = server.get("/a.css", &[]).text();
    assert!(text.starts_with("GET /a.css") && !text.contains("evil"), "{text}");
}

#[test]
fn content_of_a_get_without_a_length_arrives() {
    let (server, _) = serve(|request| answer(&[("content-type", "text/plain")], told(request)));
    let chunked = "GET /search HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let text = server.raw(chunked.as_bytes());
    assert!(text.ends_with("hello"), "{text}");
}

#[test]
fn what_a_cookie_was_shown_is_shown_to_no_stranger() {
    let (server, _) = serve(|request| {
        if request.field("cookie").is_none() && request.target != "/public.png" {
            return Response { status: 403, ..Response::default() };
        }
        let keep = if request.target == "/public.png" { "public, max-age=600" } else { "max-age=600" };
        answer(&[("content-type", "image/png"), ("cache-control", keep)], "the picture")
    });
    for (path, stranger) in [("/mine.png", 403), ("/public.png", 200)] {
        assert_eq!(server.get(path, &[("cookie", "session=alice")]).status, 200);
        assert_eq!(server.get(path, &[]).status, stranger, "{path}");
        assert_eq!(server.get(path, &[("authorization", "Basic YTpi")]).status, stranger, "{path}");
    }
}

#[test]
fn odd_codings_and_unsafe_methods_take_nothing_from_the_cache() {
    let css = |request: &Request| {
        let fields = [
            ("content-type", "text/css"),
            ("cache-control", "max-age=600"),
            ("etag", "\"1\""),
            ("vary", "accept-encoding"),
        ];
        let held = request.field("if-none-match") == Some("\"1\"");
        Response { status: if held { 304 } else { 200 }, ..answer(&fields, if held { "" } else { "p{}" }) }
    };
    let (server, full) = serve(css);
    assert_eq!(server.get("/a.css", &[]).text(), "p{}");
    for number in 0..40 {
        server.get("/a.css", &[("accept-encoding", &format!("x-{number};q=0.{number}, y{number}"))]);
    }
    for _ in 0..5 {
        server.raw(b"POST /a.css HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    assert_eq!(server.get("/a.css", &[]).text(), "p{}");
    assert_eq!(full.load(Ordering::Relaxed), 1, "it is confirmed, and not sent again");
}

#[test]
fn followers_do_not_wait_for_a_leader_that_takes_nothing() {
    let (server, _) = serve(|_| {
        // Long enough for the others to come while it is under way.
        std::thread::sleep(Duration::from_millis(300));
        answer(&[("content-type", "text/css"), ("cache-control", "max-age=600")], vec![b'a'; 300 << 10])
    });
    let leader = server.hold("127.0.0.2", "/a.css", 1);
    std::thread::sleep(Duration::from_millis(100));
    let began = Instant::now();
    let reply = server.get("/a.css", &[]);
    assert_eq!((reply.status, reply.body.len()), (200, 300 << 10));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    // The leader is there until now.
    let _ = (&leader).flush();
}

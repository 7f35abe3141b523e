//! Tests of what the cache keeps, and for whom.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Response;
use http::request::Parts;

use super::store::Found;
use super::{Cache, Lookup, Noted, Target};
use crate::config::{Caching, Config};

const TARGET: Target<'_> = Target { upstream: "app", told: "http", authority: "a.example" };

fn config(cache: Caching) -> Config {
    Config { cache, ..Config::new(Vec::new()) }
}

fn request(fields: &[(&'static str, &str)]) -> Parts {
    let mut request = http::Request::builder().uri("/app.css");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

/// Keeps a response to a request and says whether that was done.
fn keep(cache: &Cache, caching: Caching, asked: &[(&'static str, &str)], said: &[(&'static str, &str)]) -> bool {
    let head = request(asked);
    let Some(lookup) = Lookup::new(cache, &config(caching), TARGET, &head, false) else { return false };
    let mut response = Response::builder();
    for (name, value) in said {
        response = response.header(*name, *value);
    }
    let (response, ()) = response.body(()).unwrap().into_parts();
    let Noted::Passes(Some(mut storing)) = lookup.note(&head, &response) else { return false };
    assert!(storing.add(&Bytes::from_static(b"p{}")));
    storing.finish();
    true
}

fn get(cache: &Cache, asked: &[(&'static str, &str)], later: u64) -> Option<(u16, String)> {
    let now = SystemTime::now() + Duration::from_secs(later);
    let head = request(asked);
    let Found::Fresh(found) = cache.find("app\nhttp\na.example\n/app.css", &head, now) else { return None };
    let response = found.answer(&head.headers, &head.method, now);
    let age = response.headers().get("age").map_or("", |age| age.to_str().unwrap());
    Some((response.status().as_u16(), age.to_owned()))
}

const CSS: (&str, &str) = ("content-type", "text/css");
const FRESH: (&str, &str) = ("cache-control", "max-age=60");

#[test]
fn what_is_fresh_is_given_with_its_age() {
    let cache = Cache::default();
    assert!(keep(&cache, Caching::Assets, &[("cookie", "__Host-headstart=1")], &[CSS, FRESH, ("etag", "\"1\"")]));
    assert_eq!(get(&cache, &[], 5), Some((200, "5".into())));
    assert_eq!(get(&cache, &[("cookie", "b=2")], 0).map(|found| found.0), Some(200));
    assert_eq!(get(&cache, &[("if-none-match", "\"0\", W/\"1\"")], 0).map(|found| found.0), Some(304));
    assert_eq!(get(&cache, &[("if-none-match", "\"2\"")], 0).map(|found| found.0), Some(200));
    assert_eq!(get(&cache, &[("cache-control", "no-cache")], 0), None);
    assert_eq!(get(&cache, &[], 61), None);
    cache.remove("app\nhttp\na.example\n/app.css");
    assert_eq!(get(&cache, &[], 0), None);
}

#[test]
fn what_is_not_for_everyone_is_not_kept() {
    let cache = Cache::default();
    let kept =
        |asked: &[(&'static str, &str)], said: &[(&'static str, &str)]| keep(&cache, Caching::Assets, asked, said);
    assert!(!kept(&[], &[CSS]), "no lifetime");
    assert!(!kept(&[], &[CSS, ("last-modified", "Mon, 01 Jan 2024 00:00:00 GMT")]), "no lifetime but a guess");
    assert!(!kept(&[], &[CSS, ("cache-control", "private, max-age=60")]));
    assert!(!kept(&[], &[CSS, ("cache-control", "no-store, max-age=60")]));
    assert!(!kept(&[], &[CSS, ("cache-control", "no-cache, max-age=60")]));
    assert!(!kept(&[], &[CSS, FRESH, ("set-cookie", "a=1")]));
    assert!(!kept(&[], &[CSS, FRESH, ("vary", "accept-encoding, Cookie")]));
    assert!(!kept(&[], &[CSS, FRESH, ("vary", "*")]));
    assert!(!kept(&[("authorization", "x")], &[CSS, FRESH]));
    assert!(!kept(&[("range", "bytes=0-1")], &[CSS, FRESH]));
    assert!(!kept(&[("cache-control", "no-store")], &[CSS, FRESH]));
    assert!(!kept(&[], &[("content-type", "text/html"), FRESH]), "no asset");
    assert!(!kept(&[], &[CSS, FRESH, ("content-length", "2000000")]), "too large");
    assert!(!keep(&cache, Caching::Pushes, &[], &[CSS, FRESH]), "no push");
    assert!(keep(&cache, Caching::All, &[], &[("content-type", "text/html"), FRESH]));
    assert_eq!(cache.entries(), 1);
}

#[test]
fn variants_live_side_by_side() {
    let cache = Cache::default();
    for coding in ["br", "gzip", "zstd", "deflate", "identity", "br"] {
        let said = [CSS, FRESH, ("vary", "accept-encoding"), ("content-encoding", coding)];
        assert!(keep(&cache, Caching::Assets, &[("accept-encoding", coding)], &said));
    }
    let found: Vec<_> = ["br", "gzip", "zstd", "deflate", "identity"]
        .into_iter()
        .filter(|coding| get(&cache, &[("accept-encoding", coding)], 0).is_some())
        .collect();
    assert_eq!(found, ["br", "gzip", "zstd", "deflate", "identity"]);
    assert_eq!(get(&cache, &[], 0), None);
}

#[test]
fn what_is_stale_is_validated_for_who_lets_it_be_kept() {
    let cache = Cache::default();
    assert!(keep(&cache, Caching::Assets, &[], &[CSS, FRESH, ("etag", "\"1\"")]));
    cache.later(Duration::from_secs(61));
    let condition = |fields: &[(&'static str, &str)]| {
        let mut head = request(fields);
        let mut lookup = Lookup::new(&cache, &config(Caching::Assets), TARGET, &head, false).unwrap();
        assert!(lookup.find(&head).is_none());
        lookup.make_conditional(&mut head);
        head.headers.get("if-none-match").map(|tag| tag.to_str().unwrap().to_owned())
    };
    assert_eq!(condition(&[]).as_deref(), Some("\"1\""));
    assert_eq!(condition(&[("if-none-match", "\"0\"")]).as_deref(), Some("\"1\""));
    assert_eq!(condition(&[("if-none-match", "\"0\""), ("cache-control", "no-store")]).as_deref(), Some("\"0\""));
}

#[test]
fn bytes_are_bounded() {
    let cache = Cache::new(100_000);
    for number in 0..1000 {
        let mut head = request(&[]);
        head.uri = format!("/{number}.css").parse().unwrap();
        let lookup = Lookup::new(&cache, &config(Caching::All), TARGET, &head, false).unwrap();
        let (response, ()) = Response::builder().header(FRESH.0, FRESH.1).body(()).unwrap().into_parts();
        let Noted::Passes(Some(mut storing)) = lookup.note(&head, &response) else { panic!("it is not kept") };
        assert!(storing.add(&Bytes::from(vec![0; 1000])));
        storing.finish();
    }
    assert!(cache.bytes() <= 100_000 && cache.entries() > 0, "{} bytes", cache.bytes());
}

#[test]
fn what_came_back_to_a_cookie_is_shared_only_if_it_says_so() {
    let session = [("cookie", "__Host-headstart=1; session=2")];
    let kept = |how: &'static str| keep(&Cache::default(), Caching::Assets, &session, &[CSS, ("cache-control", how)]);
    assert!(!kept("max-age=60"));
    for how in ["public, max-age=60", "s-maxage=60", "max-age=60, Must-Revalidate"] {
        assert!(kept(how), "{how}");
    }
}

#[test]
fn content_has_no_place_in_the_cache() {
    let head = request(&[]);
    assert!(Lookup::new(&Cache::default(), &config(Caching::All), TARGET, &head, true).is_none());
}

#[test]
fn what_the_upstream_was_told_is_in_the_key() {
    let cache = Cache::default();
    assert!(keep(&cache, Caching::Assets, &[], &[CSS, FRESH]));
    let head = request(&[]);
    for (told, found) in [("http", true), ("https", false), ("http|x-forwarded-host=b", false)] {
        let target = Target { told, ..TARGET };
        let mut lookup = Lookup::new(&cache, &config(Caching::Assets), target, &head, false).unwrap();
        assert_eq!(lookup.find(&head).is_some(), found, "{told}");
    }
}

#[test]
fn a_change_is_confirmed_and_takes_nothing_away() {
    let cache = Cache::default();
    assert!(keep(&cache, Caching::Assets, &[], &[CSS, FRESH, ("etag", "\"1\"")]));
    let mut post = request(&[]);
    post.method = http::Method::POST;
    let (response, ()) = Response::builder().body(()).unwrap().into_parts();
    let lookup = Lookup::new(&cache, &config(Caching::Assets), TARGET, &post, true).unwrap();
    assert!(matches!(lookup.note(&post, &response), Noted::Passes(None)));
    assert_eq!((get(&cache, &[], 0), cache.entries()), (None, 1), "it is kept, and not given");
    let mut head = request(&[]);
    let mut lookup = Lookup::new(&cache, &config(Caching::Assets), TARGET, &head, false).unwrap();
    assert!(lookup.find(&head).is_none());
    lookup.make_conditional(&mut head);
    assert_eq!(head.headers["if-none-match"], "\"1\"");
    let (same, ()) = Response::builder().status(304).header(FRESH.0, FRESH.1).body(()).unwrap().into_parts();
    assert!(matches!(lookup.note(&head, &same), Noted::Answered(_)));
    assert_eq!(get(&cache, &[], 0).map(|found| found.0), Some(200), "the upstream has confirmed it");
}

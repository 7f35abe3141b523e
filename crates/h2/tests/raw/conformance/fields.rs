//! RFC 9113, sections 8.2 and 8.3: names, values, and pseudo-header fields.

use super::block::{GET, get_with, request};
use super::case::Answer::Status;
use super::case::{Case, MALFORMED, SERVED, Step, after, case};
use testkit::frames::data;

const NAMES: &str = "8.2.1 field validity";
const HOPS: &str = "8.2.2 connection fields";
const PSEUDO: &str = "8.3 pseudo-header fields";

pub(crate) fn cases() -> Vec<Case> {
    [validity(), connection_fields(), pseudo_fields(), targets()].into_iter().flatten().collect()
}

/// A GET with one field of any bytes.
fn with(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut fields: Vec<(&[u8], &[u8])> = GET.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    fields.push((name, value));
    request(1, &fields, true)
}

fn validity() -> Vec<Case> {
    let bad_names: [(&str, &[u8]); 9] = [
        ("an upper-case letter", b"X-Test"),
        ("an upper-case letter at the end", b"x-tesT"),
        ("a space", b"x test"),
        ("a colon", b"x:test"),
        ("no character", b""),
        ("a NUL", b"x-te\0st"),
        ("a line feed", b"x-test\nevil"),
        ("a byte of DEL", b"x-test\x7f"),
        ("a byte above ASCII", b"x-t\xc3\xa9st"),
    ];
    let bad_values: [(&str, &[u8]); 6] = [
        ("NUL", b"a\0b"),
        ("a line feed", b"a\nb"),
        ("a carriage return", b"a\rb"),
        ("a whole header line", b"a\r\nx-evil: 1"),
        ("a control character", b"a\x01b"),
        ("DEL", b"a\x7fb"),
    ];
    let padded: [(&str, &[u8]); 4] =
        [("a space before", b" a"), ("a space behind", b"a "), ("a tab before", b"\ta"), ("a tab behind", b"a\t")];
    let good: [(&str, &[u8]); 4] = [
        ("no character", b""),
        ("spaces within", b"a b\tc"),
        ("bytes above ASCII", b"caf\xc3\xa9 \xff"),
        ("punctuation", b"!#$%&'*+-.^_`|~;=\""),
    ];
    let names = bad_names.map(|(what, name)| case(NAMES, format!("a name with {what}"), with(name, b"v"), MALFORMED));
    let values =
        bad_values.map(|(what, value)| case(NAMES, format!("a value with {what}"), with(b"x-test", value), MALFORMED));
    let padded =
        padded.map(|(what, value)| case(NAMES, format!("a value with {what}"), with(b"x-test", value), MALFORMED));
    let good = good.map(|(what, value)| case(NAMES, format!("a value of {what}"), with(b"x-test", value), SERVED));
    names.into_iter().chain(values).chain(padded).chain(good).collect()
}

fn connection_fields() -> Vec<Case> {
    let bad = [
        ("connection", "close"),
        ("connection", "keep-alive"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("transfer-encoding", "chunked"),
        ("transfer-encoding", "identity"),
        ("upgrade", "h2c"),
        ("te", "gzip"),
        ("te", "trailers, deflate"),
    ];
    let bad = bad.map(|field| case(HOPS, format!("{}: {}", field.0, field.1), get_with(1, &[field]), MALFORMED));
    let good = [("te", "trailers"), ("cookie", "a=1"), ("expect", "100-continue")];
    let good = good.map(|field| case(HOPS, format!("{}: {}", field.0, field.1), get_with(1, &[field]), SERVED));
    bad.into_iter()
        .chain(good)
        .chain([
            case(HOPS, "cookie in several fields", get_with(1, &[("cookie", "a=1"), ("cookie", "b=2")]), SERVED),
            after(
                HOPS,
                "connection: close in trailers",
                vec![Step::Send(super::block::post_with(1, &[]))],
                [data(1, 1, false), request(1, &[("connection", "close")], true)].concat(),
                MALFORMED,
            ),
        ])
        .collect()
}

fn pseudo_fields() -> Vec<Case> {
    let [method, scheme, path, authority] = GET;
    let of = |rule: &str, fields: &[(&str, &str)], allowed| case(PSEUDO, rule, request(1, fields, true), allowed);
    let either = [SERVED, MALFORMED].concat();
    let mut cases = vec![
        of("in another order", &[authority, path, scheme, method], SERVED),
        of("without :authority", &[method, scheme, path], &either),
        of("host instead of :authority", &[method, scheme, path, ("host", "a.example")], SERVED),
        of("host beside an equal :authority", &[method, scheme, path, authority, ("host", "a.example")], SERVED),
        of("host beside another :authority", &[method, scheme, path, authority, ("host", "b.example")], MALFORMED),
        of("without :method", &[scheme, path, authority], MALFORMED),
        of("without :scheme", &[method, path, authority], MALFORMED),
        of("without :path", &[method, scheme, authority], MALFORMED),
        of("without any", &[("x-test", "1")], MALFORMED),
        of("an unknown one", &[method, scheme, path, authority, (":test", "1")], MALFORMED),
        of("one without a name", &[method, scheme, path, authority, (":", "1")], MALFORMED),
        of("one in upper case", &[method, scheme, path, authority, (":Path", "/")], MALFORMED),
        of(":status in a request", &[method, scheme, path, authority, (":status", "200")], MALFORMED),
        of("one after a regular field", &[method, scheme, path, ("x-test", "1"), authority], MALFORMED),
        of("all after a regular field", &[("x-test", "1"), method, scheme, path, authority], MALFORMED),
    ];
    for twice in GET {
        let fields = [&GET[..], &[twice]].concat();
        cases.push(of(&format!("{} twice", twice.0), &fields, MALFORMED));
    }
    cases
}

/// Targets of requests (section 8.3.1).
fn targets() -> Vec<Case> {
    let of = |rule: &str, at: usize, value: &str, allowed| {
        let mut fields = GET;
        fields[at].1 = value;
        case(PSEUDO, rule, request(1, &fields, true), allowed)
    };
    vec![
        of("an empty :path", 2, "", MALFORMED),
        of("a :path without a slash", 2, "bytes/10", MALFORMED),
        of("a :path with a space", 2, "/bytes 10", MALFORMED),
        of("a :path with a line feed", 2, "/bytes\n10", MALFORMED),
        of("a :path that is a URL", 2, "https://a.example/bytes/10", MALFORMED),
        of("* with GET", 2, "*", MALFORMED),
        of("a :path with a query", 2, "/bytes/10?a=b&c", SERVED),
        of("a :path with a fragment", 2, "/bytes/10#top", &[MALFORMED, SERVED].concat()),
        of("an empty :method", 0, "", MALFORMED),
        of("a :method with a space", 0, "GE T", MALFORMED),
        of("a :method in lower case is another method", 0, "get", &[SERVED, &[Status(405), Status(501)]].concat()),
        of("an empty :scheme", 1, "", MALFORMED),
        of("a :scheme that is none", 1, "ht tp", MALFORMED),
        of(":scheme http", 1, "http", SERVED),
        of("another :scheme", 1, "coap", &[SERVED, MALFORMED].concat()),
        of("an empty :authority", 3, "", &[MALFORMED, SERVED].concat()),
        of("an :authority with a port", 3, "a.example:8443", SERVED),
        of("an :authority with a user", 3, "user:secret@a.example", MALFORMED),
        of("an :authority with a path", 3, "a.example/b", MALFORMED),
        of("an :authority with a space", 3, "a example", MALFORMED),
        of("an :authority with a port that is none", 3, "a.example:http", &[MALFORMED, SERVED].concat()),
    ]
}

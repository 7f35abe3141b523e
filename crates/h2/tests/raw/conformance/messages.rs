//! RFC 9113, sections 8.1 and 8.5: the order of a message's frames, its length, tunnels.

use super::block::{GET, PROTOCOL_ERROR, STREAM_CLOSED, block, get_with, headers, padded, post_with, request};
use super::case::Answer::{Connection, Status, Stream};
use super::case::{Answer, Case, MALFORMED, SERVED, Step, after, case};
use testkit::frames::{DATA, END, data, get};

const ORDER: &str = "8.1 messages";
const LENGTH: &str = "8.1.1 content-length";
const TUNNELS: &str = "8.5 CONNECT";
const METHODS: &str = "8.1 methods";

pub(crate) fn cases() -> Vec<Case> {
    [order(), lengths(), tunnels(), methods()].into_iter().flatten().collect()
}

fn trailers(stream: u32, ends: bool) -> Vec<u8> {
    headers(stream, &block(&[("x-sum", "7")]), ends)
}

fn order() -> Vec<Case> {
    let open = || vec![Step::Send(post_with(1, &[]))];
    let pseudo = |name: &str| headers(1, &block(&[(name, "x")]), true);
    let ended: &[Answer] = &[Stream(STREAM_CLOSED), Connection(STREAM_CLOSED)];
    let mut cases = vec![
        after(ORDER, "trailers", open(), [data(1, 5, false), trailers(1, true)].concat(), SERVED),
        after(ORDER, "trailers without content", open(), trailers(1, true), SERVED),
        after(ORDER, "empty trailers", open(), [data(1, 5, false), headers(1, &[], true)].concat(), SERVED),
        after(ORDER, "trailers that do not end the stream", open(), trailers(1, false), MALFORMED),
        after(ORDER, "a second head", open(), request(1, &GET, true), MALFORMED).deviation(Status(200)),
        after(
            ORDER,
            "DATA after trailers",
            vec![Step::Send(request(1, &[GET[0], GET[1], (":path", "/wait/60000/1"), GET[3]], false))],
            [trailers(1, true), data(1, 1, true)].concat(),
            ended,
        )
        .deviation(Connection(PROTOCOL_ERROR)),
        after(
            ORDER,
            "HEADERS after trailers",
            vec![Step::Send(request(1, &[GET[0], GET[1], (":path", "/wait/60000/1"), GET[3]], false))],
            [trailers(1, true), trailers(1, true)].concat(),
            ended,
        )
        .deviation(Connection(PROTOCOL_ERROR)),
    ];
    for name in [":method", ":path", ":scheme", ":authority", ":status", ":unknown"] {
        let mut case = after(ORDER, format!("{name} in trailers"), open(), pseudo(name), MALFORMED);
        if ![":status", ":unknown"].contains(&name) {
            case = case.deviation(Status(200));
        }
        cases.push(case);
    }
    cases
}

fn lengths() -> Vec<Case> {
    let open = |length: &str| vec![Step::Send(post_with(1, &[("content-length", length)]))];
    let upload =
        |rule: &'static str, length: &str, bytes: Vec<u8>, allowed| after(LENGTH, rule, open(length), bytes, allowed);
    let head = |rule: &'static str, length: &str, allowed| {
        case(LENGTH, rule, post_with(1, &[("content-length", length)]), allowed)
    };
    let twice = |first: &str, second: &str| post_with(1, &[("content-length", first), ("content-length", second)]);
    vec![
        upload("as announced", "10", data(1, 10, true), SERVED),
        upload("as announced in several frames", "10", [data(1, 4, false), data(1, 6, true)].concat(), SERVED),
        upload("padding does not count", "7", padded(DATA, END, 1, b"content", 50), SERVED),
        upload("as announced, with trailers", "3", [data(1, 3, false), trailers(1, true)].concat(), SERVED),
        upload("less than announced", "10", data(1, 9, true), MALFORMED),
        upload("more than announced", "10", data(1, 11, true), MALFORMED),
        upload(
            "more than announced in several frames",
            "10",
            [data(1, 10, false), data(1, 1, true)].concat(),
            MALFORMED,
        ),
        upload("less than announced, with trailers", "10", [data(1, 9, false), trailers(1, true)].concat(), MALFORMED),
        upload("0 announced and nothing sent", "0", data(1, 0, true), SERVED),
        upload("0 announced and one sent", "0", data(1, 1, true), MALFORMED),
        case(LENGTH, "announced, and the head ends", get_with(1, &[("content-length", "1")]), MALFORMED),
        case(LENGTH, "0 announced, and the head ends", get_with(1, &[("content-length", "0")]), SERVED),
        head("no number", "ten", MALFORMED),
        head("a negative number", "-1", MALFORMED),
        head("a number with a sign", "+1", MALFORMED),
        head("a list of numbers", "5, 6", MALFORMED),
        case(LENGTH, "empty", get_with(1, &[("content-length", "")]), MALFORMED),
        head("beyond 64 bits", "18446744073709551616", MALFORMED),
        case(LENGTH, "two that differ", twice("5", "6"), MALFORMED),
        case(LENGTH, "two that are equal", [twice("5", "5"), data(1, 5, true)].concat(), &[SERVED, MALFORMED].concat()),
    ]
}

fn tunnels() -> Vec<Case> {
    const METHOD: (&str, &str) = (":method", "CONNECT");
    const AUTHORITY: (&str, &str) = (":authority", "a.example:443");
    let connect = |more: &[(&str, &str)]| request(1, &[&[METHOD][..], more].concat(), true);
    vec![
        case(TUNNELS, "CONNECT is refused", connect(&[AUTHORITY]), &[Status(501), Status(405)]),
        case(TUNNELS, "CONNECT with :scheme", connect(&[(":scheme", "https"), AUTHORITY]), MALFORMED),
        case(TUNNELS, "CONNECT with :path", connect(&[(":path", "/"), AUTHORITY]), MALFORMED),
        case(TUNNELS, "CONNECT without :authority", connect(&[]), &[MALFORMED, &[Status(501)]].concat()),
        case(TUNNELS, "CONNECT with an empty :authority", connect(&[(":authority", "")]), MALFORMED),
        case(
            TUNNELS,
            ":protocol where it was not offered",
            connect(&[(":protocol", "websocket"), (":scheme", "https"), (":path", "/"), AUTHORITY]),
            &[MALFORMED, &[Status(501)]].concat(),
        ),
        case(TUNNELS, ":protocol with another method", get_with(1, &[]).with_protocol(), MALFORMED),
    ]
}

trait WithProtocol {
    fn with_protocol(self) -> Vec<u8>;
}

impl WithProtocol for Vec<u8> {
    /// The same request with `:protocol` in front.
    fn with_protocol(self) -> Vec<u8> {
        headers(1, &[&block(&[(":protocol", "websocket")])[..], &self[9..]].concat(), true)
    }
}

/// RFC 9110, as far as the driver carries it out.
fn methods() -> Vec<Case> {
    let of = |method: &str| request(1, &[(":method", method), GET[1], GET[2], GET[3]], true);
    vec![
        case(METHODS, "HEAD has no content", of("HEAD"), SERVED).bytes(0),
        case(
            METHODS,
            "OPTIONS of *",
            request(1, &[(":method", "OPTIONS"), GET[1], (":path", "*"), GET[3]], true),
            &[Status(404), Status(200)],
        ),
        case(METHODS, "a method of the application", of("PURGE"), SERVED),
        case(METHODS, "a response without content", get(1, "/status/304"), &[Status(304)]).bytes(0),
        case(METHODS, "a GET with content", [request(1, &GET, false), data(1, 10, true)].concat(), SERVED).bytes(10),
    ]
}

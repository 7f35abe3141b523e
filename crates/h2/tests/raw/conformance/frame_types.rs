//! RFC 9113, section 6, but for SETTINGS and WINDOW_UPDATE; and section 7.

use super::block::{
    ENHANCE_YOUR_CALM, FRAME_SIZE_ERROR, GET, PADDED, PRIORITY, PRIORITY_FLAG, PROTOCOL_ERROR, STREAM_CLOSED, block,
    get_with, padded, post_with,
};
use super::case::Answer::{Connection, Stream};
use super::case::{Answer, Case, FATAL, IGNORED, SERVED, Step, after, case};
use testkit::frames::{
    CONTINUATION, DATA, END, END_HEADERS, GOAWAY, HEADERS, PING, PUSH_PROMISE, RST_STREAM, data, frame, get, goaway,
    rst,
};

/// A frame of the wrong length that alters the state of the connection (section 4.2).
const WRONG_SIZE: &[Answer] = &[Connection(FRAME_SIZE_ERROR)];

pub(crate) fn cases() -> Vec<Case> {
    [data_frames(), headers_frames(), short_frames(), goaways(), continuations()].into_iter().flatten().collect()
}

fn open() -> Vec<Step> {
    vec![Step::Send(post_with(1, &[]))]
}

fn data_frames() -> Vec<Case> {
    const S: &str = "6.1 DATA";
    vec![
        case(S, "DATA on stream 0", data(0, 1, false), FATAL),
        after(S, "padding", open(), padded(DATA, END, 1, b"content", 200), SERVED),
        after(S, "padding of length 0", open(), padded(DATA, END, 1, b"content", 0), SERVED),
        after(S, "padding and no content", open(), padded(DATA, END, 1, b"", 255), SERVED),
        after(S, "padding as long as the payload", open(), frame(DATA, END | PADDED, 1, &[5, 0, 0, 0, 0]), FATAL),
        after(S, "padding longer than the payload", open(), frame(DATA, END | PADDED, 1, &[6, 0, 0, 0, 0]), FATAL),
        after(
            S,
            "padding without its length",
            open(),
            frame(DATA, END | PADDED, 1, &[]),
            &[Connection(FRAME_SIZE_ERROR), Connection(PROTOCOL_ERROR)],
        ),
        after(S, "an empty frame that ends", open(), data(1, 0, true), SERVED),
        after(
            S,
            "content in many frames",
            open(),
            [data(1, 9, false), data(1, 0, false), data(1, 9, true)].concat(),
            SERVED,
        ),
    ]
}

fn headers_frames() -> Vec<Case> {
    const S: &str = "6.2 HEADERS";
    let whole = block(&GET);
    let ends = END | END_HEADERS;
    let both = [&[7][..], &[0, 0, 0, 0, 9], &whole, &[0; 7]].concat();
    let short = |flags| frame(HEADERS, ends | flags, 1, &[0, 0, 0]);
    let size: &[Answer] = &[Connection(FRAME_SIZE_ERROR), Connection(PROTOCOL_ERROR)];
    vec![
        case(S, "HEADERS on stream 0", frame(HEADERS, ends, 0, &whole), FATAL),
        case(S, "padding", padded(HEADERS, ends, 1, &whole, 99), SERVED),
        case(S, "padding and priority", frame(HEADERS, ends | PADDED | PRIORITY_FLAG, 1, &both), SERVED),
        case(
            S,
            "padding as long as the whole payload",
            frame(HEADERS, ends | PADDED, 1, &[&[201][..], &[0; 200]].concat()),
            FATAL,
        ),
        case(
            S,
            "padding longer than the payload",
            frame(HEADERS, ends | PADDED, 1, &[&[255][..], &whole].concat()),
            FATAL,
        ),
        case(S, "padding without its length", frame(HEADERS, ends | PADDED, 1, &[]), size),
        case(S, "priority that is cut off", short(PRIORITY_FLAG), size),
        case(
            S,
            "padding that leaves no room for the priority",
            frame(HEADERS, ends | PADDED | PRIORITY_FLAG, 1, &[3, 0, 0, 0, 0, 9, 0]),
            size,
        ),
    ]
}

/// PRIORITY, RST_STREAM, PUSH_PROMISE and PING.
fn short_frames() -> Vec<Case> {
    const P: &str = "6.3 PRIORITY";
    const R: &str = "6.4 RST_STREAM";
    const PUSH: &str = "6.6 PUSH_PROMISE";
    const PINGS: &str = "6.7 PING";
    let promise = |stream| frame(PUSH_PROMISE, END_HEADERS, stream, &[&[0, 0, 0, 2][..], &block(&GET)].concat());
    let protocol = Connection(PROTOCOL_ERROR);
    // PRIORITY of another length is a stream error (section 6.3).
    let size_of_priority: &[Answer] = &[Stream(FRAME_SIZE_ERROR), Connection(FRAME_SIZE_ERROR)];
    vec![
        case(P, "PRIORITY on stream 0", frame(PRIORITY, 0, 0, &[0, 0, 0, 1, 9]), FATAL),
        after(P, "PRIORITY of 4 bytes", open(), frame(PRIORITY, 0, 1, &[0; 4]), size_of_priority).deviation(protocol),
        after(P, "PRIORITY of 6 bytes", open(), frame(PRIORITY, 0, 1, &[0; 6]), size_of_priority).deviation(protocol),
        case(R, "RST_STREAM on stream 0", rst(0, 8), FATAL),
        case(R, "RST_STREAM on an idle stream", rst(1, 8), FATAL),
        after(R, "RST_STREAM of 3 bytes", open(), frame(RST_STREAM, 0, 1, &[0; 3]), WRONG_SIZE).deviation(protocol),
        after(R, "RST_STREAM of 5 bytes", open(), frame(RST_STREAM, 0, 1, &[0; 5]), WRONG_SIZE).deviation(protocol),
        after(PUSH, "a client's PUSH_PROMISE", open(), promise(1), FATAL),
        case(PUSH, "a client's PUSH_PROMISE on stream 0", promise(0), FATAL),
        case(PINGS, "PING is answered", frame(PING, 0, 0, b"12345678"), IGNORED),
        case(PINGS, "an acknowledgement of nothing", frame(PING, END, 0, b"12345678"), IGNORED),
        case(PINGS, "PING on a stream", frame(PING, 0, 1, b"12345678"), FATAL),
        case(PINGS, "PING of 0 bytes", frame(PING, 0, 0, b""), WRONG_SIZE).deviation(protocol),
        case(PINGS, "PING of 7 bytes", frame(PING, 0, 0, b"1234567"), WRONG_SIZE).deviation(protocol),
        case(PINGS, "PING of 9 bytes", frame(PING, 0, 0, b"123456789"), WRONG_SIZE).deviation(protocol),
    ]
}

fn goaways() -> Vec<Case> {
    const S: &str = "6.8 GOAWAY";
    let with_data = frame(GOAWAY, 0, 0, &[&[0; 8][..], b"I have seen enough"].concat());
    vec![
        case(S, "GOAWAY on a stream", frame(GOAWAY, 0, 1, &[0; 8]), FATAL),
        case(S, "GOAWAY of 7 bytes", frame(GOAWAY, 0, 0, &[0; 7]), WRONG_SIZE).deviation(Connection(PROTOCOL_ERROR)),
        after(S, "what is under way is finished", vec![Step::Send(get(1, "/wait/300/10"))], goaway(0), SERVED)
            .without_probe(),
        after(S, "an upload goes on", open(), [goaway(0), data(1, 5, true)].concat(), SERVED).without_probe(),
        after(S, "with debug data", vec![Step::Send(get(1, "/wait/300/10"))], with_data, SERVED).without_probe(),
    ]
}

fn continuations() -> Vec<Case> {
    const S: &str = "6.10 CONTINUATION";
    let whole = block(&GET);
    let orphan = frame(CONTINUATION, END_HEADERS, 1, &whole);
    let empty = |count| frame(CONTINUATION, 0, 1, &[]).repeat(count);
    let begun = || frame(HEADERS, END, 1, &whole[..30]);
    let rest = || frame(CONTINUATION, END_HEADERS, 1, &whole[30..]);
    let orphaned: &[Answer] = &[Connection(PROTOCOL_ERROR), Connection(STREAM_CLOSED)];
    vec![
        case(S, "CONTINUATION on stream 0", frame(CONTINUATION, END_HEADERS, 0, &whole), FATAL),
        case(S, "CONTINUATION after a whole block", [get_with(1, &[]), orphan.clone()].concat(), orphaned),
        after(S, "CONTINUATION after DATA", open(), [data(1, 1, false), orphan.clone()].concat(), orphaned),
        case(S, "CONTINUATION after PRIORITY", [frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 1]), orphan].concat(), FATAL),
        case(
            S,
            "a block on stream 0 is not gone on with",
            [frame(HEADERS, END, 1, &whole[..30]), frame(CONTINUATION, END_HEADERS, 0, &whole[30..])].concat(),
            FATAL,
        ),
        case(S, "three empty frames within a block", [begun(), empty(3), rest()].concat(), SERVED),
        case(
            S,
            "a hundred empty frames within a block",
            [begun(), empty(100), rest()].concat(),
            &[Connection(ENHANCE_YOUR_CALM)],
        ),
    ]
}

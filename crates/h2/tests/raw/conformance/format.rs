//! RFC 9113, sections 4 and 5.5: the frame format, sizes, header blocks between frames, extensions.

use super::block::{
    COMPRESSION_ERROR, FRAME_SIZE_ERROR, GET, POST, PRIORITY, PROTOCOL_ERROR, block, get_with, headers, post_with,
};
use super::case::Answer::{Closed, Connection, Ignored, Stream};
use super::case::{Case, FATAL, IGNORED, SERVED, Step, TOO_LARGE, after, case};
use testkit::frames::{
    CONTINUATION, DATA, END, END_HEADERS, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, WINDOW_UPDATE, data, frame,
    goaway, rst, window,
};

const FORMAT: &str = "4.1 frame format";
const SIZE: &str = "4.2 frame size";
const FIELDS: &str = "4.3 field blocks";
const EXTENSIONS: &str = "5.5 extensions";

/// The largest payload that the server takes, bytes.
const MOST: usize = 16_384;

pub(crate) fn cases() -> Vec<Case> {
    [flags(), sizes(), interleaved(), extensions()].into_iter().flatten().collect()
}

fn flags() -> Vec<Case> {
    let reserved = |mut bytes: Vec<u8>| {
        bytes[5] |= 0x80;
        bytes
    };
    let open = || vec![Step::Send(post_with(1, &[]))];
    vec![
        case(FORMAT, "unknown flags of HEADERS", frame(HEADERS, 0x52 | END_HEADERS | END, 1, &block(&GET)), SERVED),
        after(FORMAT, "unknown flags of DATA", open(), frame(DATA, 0xf6 | END, 1, b"x"), SERVED),
        case(FORMAT, "unknown flags of PING", frame(PING, 0xfe, 0, b"flagged!"), IGNORED),
        case(FORMAT, "unknown flags of SETTINGS", frame(SETTINGS, 0xfe, 0, &[]), IGNORED),
        case(FORMAT, "unknown flags of WINDOW_UPDATE", frame(WINDOW_UPDATE, 0xff, 0, &[0, 0, 0, 1]), IGNORED),
        case(FORMAT, "unknown flags of PRIORITY", frame(PRIORITY, 0xff, 1, &[0, 0, 0, 0, 1]), IGNORED),
        after(FORMAT, "unknown flags of RST_STREAM", open(), frame(RST_STREAM, 0xff, 1, &[0, 0, 0, 8]), IGNORED),
        case(FORMAT, "the reserved bit of HEADERS", reserved(get_with(1, &[])), SERVED),
        case(FORMAT, "the reserved bit of PING", reserved(frame(PING, 0, 0, b"reserved")), IGNORED),
        after(FORMAT, "the reserved bit of DATA", open(), reserved(data(1, 5, true)), SERVED),
        case(FORMAT, "the reserved bit of an increment", frame(WINDOW_UPDATE, 0, 0, &[0x80, 0, 0, 1]), IGNORED),
    ]
}

fn sizes() -> Vec<Case> {
    let open = || vec![Step::Send(post_with(1, &[]))];
    let value = "v".repeat(15_000);
    let long = [&GET[..], &[("x-long", &*value)]].concat();
    let oversize = |kind, flags, stream| frame(kind, flags, stream, &vec![0; MOST + 1]);
    vec![
        after(SIZE, "DATA of the largest size", open(), data(1, MOST, true), SERVED),
        case(SIZE, "HEADERS of nearly the largest size", headers(1, &block(&long), true), SERVED),
        after(SIZE, "DATA that is too large", open(), data(1, MOST + 1, true), &[TOO_LARGE, &[Stream(6)]].concat()),
        case(SIZE, "HEADERS that is too large", oversize(HEADERS, END_HEADERS | END, 1), TOO_LARGE),
        case(SIZE, "SETTINGS that is too large", oversize(SETTINGS, 0, 0), TOO_LARGE),
        case(SIZE, "PING that is too large", oversize(PING, 0, 0), TOO_LARGE),
        case(SIZE, "an unknown frame that is too large", oversize(0xbb, 0, 0), TOO_LARGE),
        after(
            SIZE,
            "CONTINUATION that is too large",
            vec![Step::Send(frame(HEADERS, END, 1, &block(&GET[..2])))],
            oversize(CONTINUATION, END_HEADERS, 1),
            TOO_LARGE,
        ),
        case(SIZE, "16 MiB announced", vec![0xff, 0xff, 0xff, DATA, 0, 0, 0, 0, 1], TOO_LARGE),
        case(
            SIZE,
            "a frame of length 0 where content is due",
            frame(WINDOW_UPDATE, 0, 0, &[]),
            &[Connection(FRAME_SIZE_ERROR)],
        )
        .deviation(Connection(PROTOCOL_ERROR)),
    ]
}

/// A field block is one unit: nothing may stand between its frames.
fn interleaved() -> Vec<Case> {
    let whole = block(&GET);
    let (first, rest) = whole.split_at(20);
    let begun = || vec![Step::Send([post_with(1, &[]), frame(HEADERS, END, 3, first)].concat())];
    let between: [(&str, Vec<u8>); 11] = [
        ("DATA of another stream", data(1, 1, false)),
        ("DATA of its own stream", data(3, 1, false)),
        ("HEADERS of another stream", get_with(5, &[])),
        ("HEADERS of its own stream", headers(3, rest, true)),
        ("PRIORITY", frame(PRIORITY, 0, 3, &[0, 0, 0, 0, 1])),
        ("RST_STREAM", rst(3, 8)),
        ("SETTINGS", frame(SETTINGS, 0, 0, &[])),
        ("PING", frame(PING, 0, 0, b"12345678")),
        ("GOAWAY", goaway(0)),
        ("WINDOW_UPDATE", window(0, 1)),
        ("CONTINUATION of another stream", frame(CONTINUATION, END_HEADERS, 1, rest)),
    ];
    let broken = between.into_iter().map(|(what, bytes)| {
        let rule = format!("{what} within a field block");
        after(FIELDS, rule, begun(), [bytes, frame(CONTINUATION, END_HEADERS, 3, rest)].concat(), FATAL)
    });
    let pieces = |at: &[usize]| {
        let mut bytes = Vec::new();
        let mut from = 0;
        for (n, to) in at.iter().chain([&whole.len()]).enumerate() {
            let flags = if *to == whole.len() { END_HEADERS } else { 0 };
            let kind = if n == 0 { HEADERS } else { CONTINUATION };
            bytes.extend(frame(kind, flags | if n == 0 { END } else { 0 }, 1, &whole[from..*to]));
            from = *to;
        }
        bytes
    };
    let unreadable = headers(1, &[0xff, 0xff], true);
    broken
        .chain([
            case(FIELDS, "a block in two frames", pieces(&[20]), SERVED),
            case(FIELDS, "a block in five frames, cut within fields", pieces(&[1, 9, 10, 33]), SERVED),
            case(FIELDS, "a block whose first frame is empty", pieces(&[0]), SERVED),
            case(
                FIELDS,
                "a block whose last frame is empty",
                [frame(HEADERS, END, 1, &whole), frame(CONTINUATION, END_HEADERS, 1, &[])].concat(),
                SERVED,
            ),
            case(FIELDS, "a block that cannot be decoded", unreadable, &[Connection(COMPRESSION_ERROR)])
                .deviation(Connection(PROTOCOL_ERROR)),
            after(
                FIELDS,
                "trailers that cannot be decoded",
                vec![Step::Send(headers(1, &block(&POST), false))],
                headers(1, &[0xff, 0xff], true),
                &[Connection(COMPRESSION_ERROR)],
            )
            .deviation(Connection(PROTOCOL_ERROR)),
        ])
        .collect()
}

fn extensions() -> Vec<Case> {
    let unknown = |stream| frame(0xbb, 0xff, stream, b"unknown");
    let request_after = |bytes: Vec<u8>| [bytes, get_with(1, &[])].concat();
    let whole = block(&GET);
    vec![
        case(EXTENSIONS, "an unknown frame on the connection", request_after(unknown(0)), SERVED),
        case(EXTENSIONS, "an unknown frame on an idle stream", request_after(unknown(1)), SERVED),
        case(EXTENSIONS, "an unknown frame without content", request_after(frame(0xee, 0, 0, &[])), SERVED),
        after(
            EXTENSIONS,
            "an unknown frame on an open stream",
            vec![Step::Send(post_with(1, &[]))],
            [unknown(1), data(1, 5, true)].concat(),
            SERVED,
        ),
        after(
            EXTENSIONS,
            "an unknown frame on a closed stream",
            vec![Step::Send(get_with(1, &[])), Step::Over(1)],
            unknown(1),
            IGNORED,
        ),
        case(
            EXTENSIONS,
            "an unknown frame within a field block",
            [frame(HEADERS, END, 1, &whole[..9]), unknown(1), frame(CONTINUATION, END_HEADERS, 1, &whole[9..])]
                .concat(),
            FATAL,
        ),
        case(
            EXTENSIONS,
            "ALTSVC, ORIGIN and PRIORITY_UPDATE",
            request_after(
                [frame(0xa, 0, 0, &[0, 0]), frame(0xc, 0, 0, &[]), frame(0x10, 0, 0, &[0, 0, 0, 1, b'u', b'=', b'1'])]
                    .concat(),
            ),
            SERVED,
        ),
        case(
            EXTENSIONS,
            "an unknown setting",
            request_after(testkit::frames::settings(&[(0xfafa, 7), (0, 1)])),
            SERVED,
        ),
        case(
            EXTENSIONS,
            "GOAWAY with an unknown code",
            frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0xff, 0, 0, 0xaa]),
            &[Ignored, Closed],
        )
        .without_probe(),
    ]
}

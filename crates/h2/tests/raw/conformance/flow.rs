//! RFC 9113, sections 5.2 and 6.9: the windows of both sides.

use super::block::{FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, POST, PROTOCOL_ERROR, padded, post_with, request};
use super::case::Answer::{Connection, Stream};
use super::case::{Answer, Case, FATAL, IGNORED, SERVED, Step, after, case};
use testkit::frames::{DATA, END, INITIAL_WINDOW_SIZE, WINDOW_UPDATE, data, frame, get, settings, window};

const UPDATES: &str = "6.9 WINDOW_UPDATE";
const CLIENT: &str = "6.9.1 window of the client";
const SERVER: &str = "5.2 window of the server";
const INITIAL: &str = "6.9.2 initial window";

const MOST: u32 = (1 << 31) - 1;

pub(crate) fn cases() -> Vec<Case> {
    [updates(), window_of_client(), initial_window(), window_of_server()].into_iter().flatten().collect()
}

fn open() -> Vec<Step> {
    vec![Step::Send(post_with(1, &[]))]
}

fn updates() -> Vec<Case> {
    let size: &[Answer] = &[Connection(FRAME_SIZE_ERROR)];
    let protocol = Connection(PROTOCOL_ERROR);
    let stream_overflow: &[Answer] = &[Stream(FLOW_CONTROL_ERROR), Connection(FLOW_CONTROL_ERROR)];
    vec![
        case(UPDATES, "an increment of 0 for the connection", window(0, 0), FATAL),
        after(UPDATES, "an increment of 0 for a stream", open(), window(1, 0), &[Stream(PROTOCOL_ERROR), protocol]),
        case(UPDATES, "3 bytes", frame(WINDOW_UPDATE, 0, 0, &[0, 0, 1]), size).deviation(protocol),
        case(UPDATES, "5 bytes", frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 0, 1]), size).deviation(protocol),
        after(UPDATES, "5 bytes on a stream", open(), frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 0, 1]), size)
            .deviation(protocol),
        case(UPDATES, "the connection's window may be 2^31-1", window(0, MOST - 65_535), IGNORED),
        case(
            UPDATES,
            "the connection's window beyond 2^31-1",
            window(0, MOST - 65_534),
            &[Connection(FLOW_CONTROL_ERROR)],
        ),
        case(UPDATES, "twice the largest increment", window(0, MOST).repeat(2), &[Connection(FLOW_CONTROL_ERROR)]),
        after(UPDATES, "a stream's window may be 2^31-1", open(), window(1, MOST - 65_535), IGNORED),
        after(UPDATES, "a stream's window beyond 2^31-1", open(), window(1, MOST - 65_534), stream_overflow),
        after(
            UPDATES,
            "a stream's window beyond 2^31-1 in steps",
            open(),
            window(1, MOST / 2).repeat(3),
            stream_overflow,
        ),
    ]
}

/// The server sends what it may and no byte more.
fn window_of_client() -> Vec<Case> {
    let small = |case: Case, window| case.settings(&[(INITIAL_WINDOW_SIZE, window)]);
    let large = || vec![Step::Send(get(1, "/bytes/100000"))];
    vec![
        small(case(CLIENT, "a window of 0", get(1, "/bytes/10"), SERVED), 0).bytes(0).without_probe(),
        small(case(CLIENT, "a window of 1", get(1, "/bytes/10"), SERVED), 1).bytes(1),
        small(case(CLIENT, "a response without content needs none", get(1, "/status/204"), &[Answer::Status(204)]), 0)
            .without_probe(),
        after(
            CLIENT,
            "the window of the connection",
            large(),
            window(1, 50_000),
            &[Answer::Ignored, Answer::Status(200)],
        )
        .bytes(65_535)
        .without_probe(),
        after(
            CLIENT,
            "an update of the connection alone",
            [large(), vec![Step::Bytes(1, 65_535)]].into_iter().flatten().collect(),
            window(0, 50_000),
            IGNORED,
        )
        .bytes(65_535),
        after(
            CLIENT,
            "an update of both",
            [large(), vec![Step::Bytes(1, 65_535)]].into_iter().flatten().collect(),
            [window(0, 1000), window(1, 900)].concat(),
            IGNORED,
        )
        .bytes(66_435),
        small(
            after(
                CLIENT,
                "byte by byte",
                vec![Step::Send(get(1, "/bytes/10"))],
                window(1, 1).repeat(4),
                SERVED_OR_BEFORE,
            ),
            0,
        )
        .bytes(4)
        .without_probe(),
        small(
            after(
                CLIENT,
                "updates before the response",
                vec![Step::Send(get(1, "/wait/300/10"))],
                window(1, 6),
                SERVED,
            ),
            0,
        )
        .bytes(6)
        .without_probe(),
    ]
}

/// The head may have been heard before the last step.
const SERVED_OR_BEFORE: &[Answer] = &[Answer::Ignored, Answer::Status(200)];

fn initial_window() -> Vec<Case> {
    let change = |value| settings(&[(INITIAL_WINDOW_SIZE, value)]);
    let sent = |bytes| vec![Step::Send(get(1, "/bytes/100000")), Step::Bytes(1, bytes)];
    let begun = |case: Case, window| case.settings(&[(INITIAL_WINDOW_SIZE, window)]).without_probe();
    vec![
        begun(after(INITIAL, "a change opens streams", sent(10), change(30), IGNORED), 10).bytes(30),
        begun(after(INITIAL, "a smaller one takes nothing back", sent(100), change(10), IGNORED), 100).bytes(100),
        begun(
            after(
                INITIAL,
                "a negative window has to be made up for",
                sent(100),
                [change(10), window(1, 90)].concat(),
                IGNORED,
            ),
            100,
        )
        .bytes(100),
        begun(
            after(
                INITIAL,
                "a negative window is left by updates",
                sent(100),
                [change(10), window(1, 95)].concat(),
                IGNORED,
            ),
            100,
        )
        .bytes(105),
        begun(after(INITIAL, "the connection's window stays", sent(65_535), change(200_000), IGNORED), 65_535)
            .bytes(65_535),
        after(
            INITIAL,
            "a change that makes a window too large",
            vec![Step::Send([post_with(1, &[]), window(1, MOST - 65_535)].concat())],
            change(65_536),
            &[Connection(FLOW_CONTROL_ERROR)],
        ),
    ]
}

/// A client that sends more than it was given. The connection's window is 65,535 bytes until the server's first
/// WINDOW_UPDATE, which has come with the first response.
fn window_of_server() -> Vec<Case> {
    let waiting = |stream| request(stream, &[POST[0], POST[1], (":path", "/upload/60000"), POST[3]], false);
    let chunks = |stream, count| data(stream, 16_384, false).repeat(count);
    let begun = |frames: Vec<Vec<u8>>| vec![Step::Send(get(1, "/bytes/1")), Step::Over(1), Step::Send(frames.concat())];
    let stream_error: &[Answer] = &[Stream(FLOW_CONTROL_ERROR), Connection(FLOW_CONTROL_ERROR)];
    vec![
        after(SERVER, "a stream's window may be filled", begun(vec![waiting(3)]), chunks(3, 4), IGNORED).on(3),
        after(
            SERVER,
            "more than a stream's window",
            begun(vec![waiting(3), chunks(3, 4)]),
            data(3, 1, false),
            stream_error,
        )
        .on(3),
        after(
            SERVER,
            "padding counts",
            begun(vec![waiting(3), chunks(3, 3), data(3, 16_300, false)]),
            padded(DATA, 0, 3, b"x", 200),
            stream_error,
        )
        .on(3),
        after(
            SERVER,
            "an empty frame needs no window",
            begun(vec![waiting(3), chunks(3, 4)]),
            frame(DATA, END, 3, &[]),
            IGNORED,
        )
        .on(3),
        after(
            SERVER,
            "more than the connection's window",
            begun(vec![waiting(3), waiting(5), chunks(3, 3), chunks(5, 1)]),
            data(5, 1, false),
            &[Connection(FLOW_CONTROL_ERROR)],
        )
        .on(5)
        .config(|config| config.connection_window_bytes = 64 << 10),
    ]
}

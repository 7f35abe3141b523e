//! RFC 9113, section 5.1: every frame in every state of a stream.

use super::block::{GET, PRIORITY, PROTOCOL_ERROR, STREAM_CLOSED, block, get_with, headers, post_with, request};
use super::case::Answer::{Connection, Ignored, Status, Stream};
use super::case::{Answer, Case, FATAL, IGNORED, SERVED, Step, after};
use testkit::frames::{CANCEL, CONTINUATION, END_HEADERS, PUSH_PROMISE, data, frame, rst, window};

/// What ends a stream that takes nothing any more: a stream error, or one of the connection.
const CLOSED: &[Answer] = &[Stream(STREAM_CLOSED), Connection(STREAM_CLOSED)];
/// After END_STREAM or a reset a frame may have been under way: it is ignored for a while, or it is an error.
const LATE: &[Answer] = &[Ignored, Stream(STREAM_CLOSED), Connection(STREAM_CLOSED)];
const LATE_RESET: &[Answer] = &[Ignored, Connection(STREAM_CLOSED)];

const DATA: &str = "DATA";
const LAST: &str = "HEADERS that ends it";
const HEAD: &str = "HEADERS that does not end it";
const PROMISE: &str = "PUSH_PROMISE";

/// The answers to each frame in one state.
struct State {
    section: &'static str,
    name: &'static str,
    steps: fn() -> Vec<Step>,
    stream: u32,
    data: &'static [Answer],
    trailers: &'static [Answer],
    headers: &'static [Answer],
    reset: &'static [Answer],
    window: &'static [Answer],
    /// Which of these frames `h2` answers otherwise.
    known: &'static [(&'static str, Answer)],
}

/// PRIORITY is allowed in any state, CONTINUATION without HEADERS and a client's PUSH_PROMISE in none, and an
/// unknown frame is ignored in all.
pub(crate) fn cases() -> Vec<Case> {
    STATES.iter().flat_map(State::cases).chain(errors()).collect()
}

const STATES: [State; 8] = [
    State {
        section: "5.1 idle",
        name: "an idle stream",
        steps: Vec::new,
        stream: 1,
        data: FATAL,
        // A head without pseudo-header fields, and one that is none at all.
        trailers: super::case::MALFORMED,
        headers: SERVED,
        reset: FATAL,
        window: FATAL,
        known: &[],
    },
    State {
        section: "5.1 open",
        name: "an open stream",
        steps: || vec![Step::Send(post_with(1, &[]))],
        stream: 1,
        data: SERVED,
        trailers: SERVED,
        headers: super::case::MALFORMED,
        reset: IGNORED,
        window: IGNORED,
        known: &[],
    },
    State {
        section: "5.1 half-closed (remote)",
        name: "a stream that the client has ended",
        steps: || vec![Step::Send(testkit::frames::get(1, "/wait/60000/1"))],
        stream: 1,
        data: CLOSED,
        trailers: CLOSED,
        headers: CLOSED,
        reset: IGNORED,
        window: IGNORED,
        known: &[(DATA, FATAL[0]), (LAST, FATAL[0]), (HEAD, Stream(PROTOCOL_ERROR))],
    },
    State {
        section: "5.1 half-closed (local)",
        name: "a stream that the server has ended",
        steps: || vec![Step::Send(testkit::frames::request(1, "POST", "/bytes/10", &[], false)), Step::Over(1)],
        stream: 1,
        data: IGNORED,
        trailers: IGNORED,
        headers: super::case::MALFORMED,
        reset: IGNORED,
        window: IGNORED,
        known: &[],
    },
    State {
        section: "5.1 closed",
        name: "a stream that both have ended",
        steps: || vec![Step::Send(get_with(1, &[])), Step::Over(1)],
        stream: 1,
        data: CLOSED,
        trailers: CLOSED,
        headers: &[Stream(STREAM_CLOSED), Connection(STREAM_CLOSED), Connection(PROTOCOL_ERROR)],
        reset: LATE_RESET,
        window: LATE,
        known: &[(LAST, FATAL[0])],
    },
    State {
        section: "5.1 closed",
        name: "a stream that the client has reset",
        steps: || vec![Step::Send([post_with(1, &[]), rst(1, CANCEL)].concat())],
        stream: 1,
        data: CLOSED,
        trailers: CLOSED,
        headers: CLOSED,
        reset: LATE_RESET,
        window: LATE,
        known: &[(LAST, FATAL[0]), (HEAD, FATAL[0])],
    },
    State {
        section: "5.1 closed",
        name: "a stream that the server has reset",
        steps: || vec![Step::Send(post_with(1, &[("te", "gzip")])), Step::Over(1)],
        stream: 1,
        data: IGNORED,
        trailers: IGNORED,
        headers: IGNORED,
        reset: IGNORED,
        window: IGNORED,
        known: &[(PROMISE, Ignored)],
    },
    State {
        section: "5.1 idle",
        name: "an idle stream of the server",
        steps: Vec::new,
        stream: 2,
        data: FATAL,
        trailers: FATAL,
        headers: FATAL,
        reset: FATAL,
        window: FATAL,
        known: &[],
    },
];

impl State {
    fn cases(&self) -> Vec<Case> {
        let State { section, name, stream, .. } = *self;
        let end = if stream == 1 && name == "an open stream" { data(1, 0, true) } else { Vec::new() };
        let whole = |bytes: Vec<u8>| [bytes, end.clone()].concat();
        let trailers = block(&[("x-sum", "7")]);
        let frames: [(&str, Vec<u8>, &[Answer]); 9] = [
            (DATA, data(stream, 1, true), self.data),
            (LAST, headers(stream, &trailers, true), self.trailers),
            (HEAD, request(stream, &GET, self.headers == SERVED), self.headers),
            ("RST_STREAM", rst(stream, CANCEL), self.reset),
            ("WINDOW_UPDATE", whole(window(stream, 5)), if end.is_empty() { self.window } else { SERVED }),
            (
                "PRIORITY",
                whole(frame(PRIORITY, 0, stream, &[0, 0, 0, 0, 1])),
                if end.is_empty() { IGNORED } else { SERVED },
            ),
            ("an unknown frame", frame(0xbb, 0, stream, b"x"), IGNORED),
            (
                "CONTINUATION",
                frame(CONTINUATION, END_HEADERS, stream, &block(&GET)),
                &[Connection(PROTOCOL_ERROR), Connection(STREAM_CLOSED), Stream(STREAM_CLOSED)],
            ),
            (PROMISE, frame(PUSH_PROMISE, END_HEADERS, stream, &[&[0, 0, 0, 4][..], &block(&GET)].concat()), FATAL),
        ];
        let case = |(what, bytes, allowed)| {
            let mut case = after(section, format!("{what} on {name}"), (self.steps)(), bytes, allowed).on(stream);
            case.deviation = self.known.iter().find(|(frame, _)| *frame == what).map(|(_, answer)| *answer);
            case
        };
        frames.into_iter().map(case).collect()
    }
}

/// RFC 9113, section 5.4: errors keep to their stream, and resets are not answered by resets.
fn errors() -> Vec<Case> {
    const S: &str = "5.4 errors";
    let malformed = || request(3, &[(":method", "GET"), ("te", "gzip")], true);
    vec![
        after(
            S,
            "a stream error leaves an earlier stream alone",
            vec![Step::Send([post_with(1, &[]), malformed()].concat()), Step::Over(3)],
            data(1, 10, true),
            SERVED,
        ),
        after(S, "a stream error leaves a later stream alone", vec![Step::Send(malformed())], get_with(5, &[]), SERVED)
            .on(5),
        after(S, "RST_STREAM is not answered by RST_STREAM", vec![Step::Send(post_with(1, &[]))], rst(1, 1), IGNORED),
        after(S, "RST_STREAM with an unknown code", vec![Step::Send(post_with(1, &[]))], rst(1, 0xdead), IGNORED),
        after(
            S,
            "a reset of what is being sent",
            vec![Step::Send(testkit::frames::get(1, "/endless/10")), Step::Head(1)],
            rst(1, CANCEL),
            IGNORED,
        ),
        after(
            S,
            "a stream may be reset before its answer",
            vec![Step::Send(testkit::frames::get(1, "/wait/60000/1")), Step::Send(rst(1, CANCEL))],
            get_with(3, &[]),
            &[Status(200)],
        )
        .on(3),
    ]
}

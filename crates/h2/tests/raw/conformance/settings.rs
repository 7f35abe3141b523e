//! RFC 9113, section 6.5.

use super::block::{FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, PROTOCOL_ERROR, get_with};
use super::case::Answer::Connection;
use super::case::{Answer, Case, FATAL, IGNORED, SERVED, Step, after, case};
use testkit::frames::{
    ENABLE_PUSH, END, HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS, SETTINGS, frame, get, settings,
};

const S: &str = "6.5 SETTINGS";
const MAX_FRAME_SIZE: u16 = 5;
const MAX_HEADER_LIST_SIZE: u16 = 6;
const ENABLE_CONNECT_PROTOCOL: u16 = 8;

pub(crate) fn cases() -> Vec<Case> {
    let size: &[Answer] = &[Connection(FRAME_SIZE_ERROR)];
    let protocol = Connection(PROTOCOL_ERROR);
    let window: &[Answer] = &[Connection(FLOW_CONTROL_ERROR)];
    let one = |id, value| settings(&[(id, value)]);
    let then_get = |bytes: Vec<u8>, bytes_of: usize| [bytes, get(1, &format!("/bytes/{bytes_of}"))].concat();
    vec![
        case(S, "SETTINGS on a stream", frame(SETTINGS, 0, 1, &[]), FATAL),
        case(S, "an acknowledgement with content", frame(SETTINGS, END, 0, &[0; 6]), size).deviation(protocol),
        case(S, "5 bytes", frame(SETTINGS, 0, 0, &[0; 5]), size).deviation(protocol),
        case(S, "7 bytes", frame(SETTINGS, 0, 0, &[0; 7]), size).deviation(protocol),
        case(S, "no settings", settings(&[]), IGNORED),
        case(S, "ENABLE_PUSH of 2", one(ENABLE_PUSH, 2), FATAL),
        case(S, "ENABLE_PUSH of 0", one(ENABLE_PUSH, 0), IGNORED),
        case(S, "ENABLE_PUSH of 1", one(ENABLE_PUSH, 1), IGNORED),
        case(S, "INITIAL_WINDOW_SIZE of 2^31", one(INITIAL_WINDOW_SIZE, 1 << 31), window).deviation(protocol),
        case(S, "INITIAL_WINDOW_SIZE of 2^32-1", one(INITIAL_WINDOW_SIZE, u32::MAX), window).deviation(protocol),
        case(S, "INITIAL_WINDOW_SIZE of 2^31-1", one(INITIAL_WINDOW_SIZE, (1 << 31) - 1), IGNORED),
        case(S, "MAX_FRAME_SIZE of 16,383", one(MAX_FRAME_SIZE, 16_383), FATAL),
        case(S, "MAX_FRAME_SIZE of 2^24", one(MAX_FRAME_SIZE, 1 << 24), FATAL),
        case(S, "MAX_FRAME_SIZE of 2^24-1", one(MAX_FRAME_SIZE, (1 << 24) - 1), IGNORED),
        case(S, "MAX_CONCURRENT_STREAMS of 0", then_get(one(MAX_CONCURRENT_STREAMS, 0), 10), SERVED).bytes(10),
        case(S, "HEADER_TABLE_SIZE of 2^32-1", then_get(one(HEADER_TABLE_SIZE, u32::MAX), 10), SERVED).bytes(10),
        case(S, "MAX_HEADER_LIST_SIZE of 0", then_get(one(MAX_HEADER_LIST_SIZE, 0), 10), SERVED),
        case(S, "ENABLE_CONNECT_PROTOCOL of 2", one(ENABLE_CONNECT_PROTOCOL, 2), &[Answer::Ignored, protocol]),
        case(S, "an unknown setting of any value", then_get(one(0x7f7f, u32::MAX), 10), SERVED),
        case(
            S,
            "of equal settings the last holds",
            then_get(settings(&[(INITIAL_WINDOW_SIZE, 100), (INITIAL_WINDOW_SIZE, 1), (INITIAL_WINDOW_SIZE, 7)]), 10),
            SERVED,
        )
        .bytes(7),
        case(
            S,
            "one setting too many in a frame that is no multiple of 6",
            frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 1, 0, 4]),
            size,
        )
        .deviation(protocol),
        after(
            S,
            "settings are applied in order",
            vec![Step::Send(one(INITIAL_WINDOW_SIZE, 3)), Step::Send(one(INITIAL_WINDOW_SIZE, 5))],
            get_with(1, &[]),
            SERVED,
        )
        .bytes(5),
        case(S, "a hundred SETTINGS", then_get(one(INITIAL_WINDOW_SIZE, 9).repeat(100), 10), SERVED).bytes(9),
    ]
}

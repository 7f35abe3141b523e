//! RFC 9113, sections 5.1.1, 5.1.2 and 5.3: identifiers, concurrency, priorities.

use super::block::{
    GET, PRIORITY, PRIORITY_FLAG, PROTOCOL_ERROR, REFUSED_STREAM, STREAM_CLOSED, block, get_with, post_with,
};
use super::case::Answer::{Connection, Ignored, Stream};
use super::case::{Answer, Case, FATAL, IGNORED, SERVED, Step, after, case};
use testkit::frames::{CANCEL, END, END_HEADERS, HEADERS, data, frame, get, rst, window};

const IDS: &str = "5.1.1 identifiers";
const CONCURRENCY: &str = "5.1.2 concurrency";
const PRIORITIES: &str = "5.3 priorities";

pub(crate) fn cases() -> Vec<Case> {
    [identifiers(), concurrency(), priorities()].into_iter().flatten().collect()
}

fn identifiers() -> Vec<Case> {
    let served = |stream| vec![Step::Send(get_with(stream, &[])), Step::Over(stream)];
    let closed: &[Answer] =
        &[Connection(PROTOCOL_ERROR), Connection(STREAM_CLOSED), Stream(STREAM_CLOSED), Stream(PROTOCOL_ERROR)];
    vec![
        case(IDS, "a request on an even stream", get_with(2, &[]), FATAL),
        case(IDS, "a request on stream 0", get_with(0, &[]), FATAL),
        after(IDS, "a stream below one that is open", vec![Step::Send(post_with(5, &[]))], get_with(3, &[]), closed)
            .on(3),
        after(IDS, "a stream below one that was served", served(5), get_with(3, &[]), closed).on(3),
        after(IDS, "a stream that was used", served(1), get_with(1, &[]), closed),
        after(IDS, "DATA on a stream that was skipped", served(5), data(3, 1, true), closed).on(3),
        after(IDS, "RST_STREAM on a stream that was skipped", served(5), rst(3, CANCEL), &[closed, IGNORED].concat())
            .on(3),
        after(IDS, "WINDOW_UPDATE on a stream that was skipped", served(5), window(3, 1), &[closed, IGNORED].concat())
            .on(3),
        case(IDS, "the first stream need not be 1", get_with(77, &[]), SERVED).on(77),
        case(IDS, "the last stream there is", get_with(0x7fff_ffff, &[]), SERVED).on(0x7fff_ffff).without_probe(),
    ]
}

fn concurrency() -> Vec<Case> {
    let refused: &[Answer] = &[Stream(REFUSED_STREAM), Stream(PROTOCOL_ERROR)];
    let two = |case: Case| case.config(|config| config.max_concurrent_streams = 2);
    let waiting = |stream| get(stream, "/wait/60000/1");
    let full = || vec![Step::Send([waiting(1), waiting(3)].concat())];
    vec![
        two(after(CONCURRENCY, "one stream too many", full(), get_with(5, &[]), refused)).on(5).without_probe(),
        two(after(CONCURRENCY, "one upload too many", full(), post_with(5, &[]), refused)).on(5).without_probe(),
        two(after(
            CONCURRENCY,
            "DATA on a stream that was refused",
            [full(), vec![Step::Send(post_with(5, &[])), Step::Over(5)]].concat_steps(),
            data(5, 10, true),
            IGNORED,
        ))
        .deviation(Stream(STREAM_CLOSED))
        .on(5)
        .without_probe(),
        two(after(
            CONCURRENCY,
            "a place is free after a reset",
            full(),
            [rst(1, CANCEL), get_with(5, &[])].concat(),
            SERVED,
        ))
        .on(5),
        two(after(
            CONCURRENCY,
            "a place is free after a response",
            vec![Step::Send([waiting(1), get_with(3, &[])].concat()), Step::Over(3)],
            get_with(5, &[]),
            SERVED,
        ))
        .on(5),
        two(after(
            CONCURRENCY,
            "a refused head keeps the compression state",
            vec![Step::Send([waiting(1), waiting(3), indexing(5)].concat()), Step::Over(5), Step::Send(rst(3, CANCEL))],
            indexed(7),
            SERVED,
        ))
        .on(7),
    ]
}

/// A request that enters `/bytes/10` into the dynamic table.
fn indexing(stream: u32) -> Vec<u8> {
    let path = super::block::literal(0x40, b":path", b"/bytes/10");
    super::block::headers(stream, &[&[0x82, 0x87][..], &path, &block(&GET[3..])].concat(), true)
}

/// A request that takes it from there.
fn indexed(stream: u32) -> Vec<u8> {
    super::block::headers(stream, &[&[0x82, 0x87, 0xbe][..], &block(&GET[3..])].concat(), true)
}

/// What no crate gives: steps that follow one another.
trait ConcatSteps {
    fn concat_steps(self) -> Vec<Step>;
}

impl<const N: usize> ConcatSteps for [Vec<Step>; N] {
    fn concat_steps(self) -> Vec<Step> {
        self.into_iter().flatten().collect()
    }
}

/// Deprecated, and still to be read (RFC 9113, section 5.3.2).
fn priorities() -> Vec<Case> {
    let priority = |stream: u32, on: u32| frame(PRIORITY, 0, stream, &[&on.to_be_bytes()[..], &[15]].concat());
    let with_priority = |on: u32| {
        let payload = [&on.to_be_bytes()[..], &[200], &block(&GET)].concat();
        frame(HEADERS, END_HEADERS | END | PRIORITY_FLAG, 1, &payload)
    };
    // RFC 7540 made it a stream error; RFC 9113 says nothing of it any more.
    let itself: &[Answer] = &[Ignored, Stream(PROTOCOL_ERROR)];
    vec![
        case(PRIORITIES, "HEADERS with a priority", with_priority(0), SERVED),
        case(PRIORITIES, "HEADERS with an exclusive dependency", with_priority(0x8000_0003), SERVED),
        case(PRIORITIES, "HEADERS that depends on its own stream", with_priority(1), &[itself, SERVED].concat()),
        case(PRIORITIES, "PRIORITY before the request", [priority(1, 0), get_with(1, &[])].concat(), SERVED),
        case(
            PRIORITIES,
            "PRIORITY that depends on an idle stream",
            [priority(1, 99), get_with(1, &[])].concat(),
            SERVED,
        ),
        case(PRIORITIES, "PRIORITY that depends on its own stream", priority(1, 1), itself),
        case(PRIORITIES, "PRIORITY of a stream of the server", priority(2, 0), IGNORED),
        case(
            PRIORITIES,
            "streams that depend on each other",
            [priority(3, 5), priority(5, 3), get_with(7, &[])].concat(),
            SERVED,
        )
        .on(7),
    ]
}

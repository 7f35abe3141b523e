//! RFC 7541: indices, the dynamic table, integers and strings.

use super::block::{COMPRESSION_ERROR, GET, PROTOCOL_ERROR, block, get_with, headers, integer, literal};
use super::case::Answer::Connection;
use super::case::{Answer, Case, MALFORMED, SERVED, Step, after, case};
use testkit::frames::{CONTINUATION, END, END_HEADERS, HEADERS, frame};

const INDEX: &str = "HPACK 2.3.3 indices";
const TABLE: &str = "HPACK 4 dynamic table";
const INTEGER: &str = "HPACK 5.1 integers";
const STRING: &str = "HPACK 5.2 strings";
const FORMS: &str = "HPACK 6 representations";

/// `:method: GET`, `:scheme: https` and the rest as literals; the tables' own index of `:path` is left to the case.
const METHOD_SCHEME: [u8; 2] = [0x82, 0x87];

/// A decoding error is one of the connection (RFC 9113, section 4.3).
const BROKEN: &[Answer] = &[Connection(COMPRESSION_ERROR)];

pub(crate) fn cases() -> Vec<Case> {
    [indices(), table(), integers(), strings(), forms()].into_iter().flatten().collect()
}

/// A whole request with these bytes of HPACK behind it.
fn with(more: &[u8]) -> Vec<u8> {
    headers(1, &[&block(&GET)[..], more].concat(), true)
}

fn broken(section: &'static str, rule: &str, more: &[u8]) -> Case {
    case(section, rule, with(more), BROKEN).deviation(Connection(PROTOCOL_ERROR))
}

/// A request whose path is an entry of the dynamic table.
fn path_at(stream: u32, index: usize) -> Vec<u8> {
    let mut path = Vec::new();
    integer(&mut path, 0x80, 7, index);
    headers(stream, &[&METHOD_SCHEME[..], &path, &block(&GET[3..])].concat(), true)
}

/// A request that enters its path into the table, after these bytes.
fn enter(stream: u32, first: &[u8]) -> Vec<u8> {
    let path = literal(0x40, b":path", b"/bytes/10");
    headers(stream, &[first, &METHOD_SCHEME, &path, &block(&GET[3..])].concat(), true)
}

/// A change of the table's size.
fn resize(bytes: usize) -> Vec<u8> {
    let mut block = Vec::new();
    integer(&mut block, 0x20, 5, bytes);
    block
}

fn indices() -> Vec<Case> {
    let all_static: Vec<u8> = (15..=61)
        .filter(|index| ![57, 61, 28, 33].contains(index))
        .flat_map(|index: u8| {
            // The name of each entry with a value of our own.
            let mut field = Vec::new();
            integer(&mut field, 0, 4, usize::from(index));
            field.extend([1, b'1']);
            field
        })
        .collect();
    let entered = || vec![Step::Send(enter(1, &[])), Step::Over(1)];
    vec![
        case(INDEX, "the names of the static table", with(&without_host(&all_static)), SERVED),
        broken(INDEX, "index 62 of an empty table", &[0xbe]),
        broken(INDEX, "an index far beyond the table", &[0xff, 0xff, 0x7f]),
        broken(INDEX, "a name of index 62 of an empty table", &[0x7e, 1, b'x']),
        after(INDEX, "an entry of the dynamic table", entered(), path_at(3, 62), SERVED).on(3),
        after(INDEX, "one beyond the dynamic table", entered(), path_at(3, 63), BROKEN)
            .on(3)
            .deviation(Connection(PROTOCOL_ERROR)),
    ]
}

/// Entry 38 is `host`, which would differ from `:authority`.
fn without_host(fields: &[u8]) -> Vec<u8> {
    let mut host = Vec::new();
    integer(&mut host, 0, 4, 38);
    host.extend([1, b'1']);
    let at = fields.windows(host.len()).position(|window| window == host).expect("it is there");
    [&fields[..at], &fields[at + host.len()..]].concat()
}

fn table() -> Vec<Case> {
    let entered = || vec![Step::Send(enter(1, &[])), Step::Over(1)];
    let huge = literal(0x40, b"x-huge", &[b'v'; 5000]);
    let deviates = |case: Case| case.on(3).deviation(Connection(PROTOCOL_ERROR));
    let resized = |rule: &'static str, size: &[usize], allowed| {
        let first: Vec<u8> = size.iter().flat_map(|bytes| resize(*bytes)).collect();
        case(TABLE, rule, headers(1, &[first, block(&GET)].concat(), true), allowed)
    };
    vec![
        resized("a smaller table", &[100], SERVED),
        resized("a table of nothing", &[0], SERVED),
        resized("the largest table", &[4096], SERVED),
        resized("smaller, then larger", &[0, 4096], SERVED),
        resized("a table that is too large", &[4097], BROKEN).deviation(Connection(PROTOCOL_ERROR)),
        resized("a table far too large", &[1 << 30], BROKEN).deviation(Connection(PROTOCOL_ERROR)),
        broken(TABLE, "a size within a block", &[&resize(100)[..], &block(&[("x-test", "1")])].concat()),
        broken(TABLE, "a size at the end of a block", &resize(100)),
        deviates(after(
            TABLE,
            "an entry is gone with its table",
            entered(),
            headers(3, &[&resize(0)[..], &resize(4096), &METHOD_SCHEME, &[0xbe], &block(&GET[3..])].concat(), true),
            BROKEN,
        )),
        deviates(after(
            TABLE,
            "an entry larger than the table empties it",
            vec![
                Step::Send(enter(1, &[])),
                Step::Over(1),
                Step::Send(headers(5, &[&block(&GET)[..], &huge].concat(), true)),
                Step::Over(5),
            ],
            path_at(7, 62),
            BROKEN,
        ))
        .on(7),
        after(
            TABLE,
            "the oldest entry goes first",
            vec![
                Step::Send(headers(1, &[&block(&GET)[..], &literal(0x40, b"x-old", &[b'v'; 3000])].concat(), true)),
                Step::Send(headers(3, &[&block(&GET)[..], &literal(0x40, b"x-newer", &[b'v'; 3000])].concat(), true)),
                Step::Over(3),
                Step::Send(enter(5, &[])),
                Step::Over(5),
            ],
            path_at(7, 62),
            SERVED,
        )
        .on(7),
        after(
            TABLE,
            "a malformed request enters into the table",
            vec![
                Step::Send(headers(
                    1,
                    &[
                        &block(&[("te", "gzip")])[..],
                        &METHOD_SCHEME,
                        &literal(0x40, b":path", b"/bytes/10"),
                        &block(&GET[3..]),
                    ]
                    .concat(),
                    true,
                )),
                Step::Over(1),
            ],
            path_at(3, 62),
            SERVED,
        )
        .on(3),
        after(
            TABLE,
            "trailers enter into the table",
            vec![
                Step::Send(super::block::post_with(1, &[])),
                Step::Send(headers(1, &literal(0x40, b"x-sum", b"7"), true)),
                Step::Over(1),
            ],
            headers(3, &[&block(&GET)[..], &[0xbe]].concat(), true),
            SERVED,
        )
        .on(3),
        after(
            TABLE,
            "a head that is too large enters into the table",
            vec![
                Step::Send(headers(1, &[&block(&GET)[..], &literal(0, b"x-huge", &[b'v'; 16_000])].concat(), true)),
                Step::Send(get_with(3, &[])),
                Step::Over(3),
            ],
            headers(5, &[&METHOD_SCHEME[..], &block(&GET[2..])].concat(), true),
            SERVED,
        )
        .on(5),
    ]
}

fn integers() -> Vec<Case> {
    let path = |length: &[u8]| {
        let text = b"/bytes/10";
        headers(1, &[&METHOD_SCHEME[..], &[0x04], length, text, &block(&GET[3..])].concat(), true)
    };
    vec![
        case(INTEGER, "a length in one byte", path(&[9]), SERVED),
        broken(INTEGER, "a length beyond 32 bits", &[0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        broken(
            INTEGER,
            "an index beyond 64 bits",
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        ),
        broken(INTEGER, "an integer that does not end", &[0xff, 0x80, 0x80]),
        broken(INTEGER, "a length that is cut off", &[0x00, 0x7f]),
    ]
}

fn strings() -> Vec<Case> {
    // RFC 7541, appendix C.4: "no-cache" in Huffman code.
    let no_cache = [0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf];
    let coded = |code: &[u8]| [&[0x00, 1, b'x', 0x80 | code.len() as u8][..], code].concat();
    vec![
        case(STRING, "Huffman code", with(&coded(&no_cache)), SERVED),
        case(STRING, "Huffman code of nothing", with(&coded(&[])), SERVED),
        broken(STRING, "padding of 8 bits", &coded(&[&no_cache[..], &[0xff]].concat())),
        broken(STRING, "padding of zeros", &coded(&[0x18 & 0xf8])),
        broken(STRING, "the end-of-string symbol", &coded(&[0xff, 0xff, 0xff, 0xff])),
        broken(STRING, "the end-of-string symbol within", &coded(&[0xff, 0xff, 0xff, 0xfc, 0xa8, 0xeb])),
        broken(STRING, "a string longer than the block", &[0x00, 1, b'x', 20, b'v']),
        broken(STRING, "a name longer than the block", &[0x00, 20, b'x']),
        broken(STRING, "a field without a value", &[0x00, 1, b'x']),
        case(
            STRING,
            "a string over two frames",
            [
                frame(HEADERS, END, 1, &[&block(&GET)[..], &[0x00, 1, b'x', 10, b'v', b'v']].concat()),
                frame(CONTINUATION, END_HEADERS, 1, b"vvvvvvvv"),
            ]
            .concat(),
            SERVED,
        ),
    ]
}

fn forms() -> Vec<Case> {
    vec![
        broken(FORMS, "index 0", &[0x80]),
        case(FORMS, "a literal with indexing", with(&literal(0x40, b"x-test", b"1")), SERVED),
        case(FORMS, "a literal without indexing", with(&literal(0x00, b"x-test", b"1")), SERVED),
        case(FORMS, "a literal that is never indexed", with(&literal(0x10, b"x-test", b"1")), SERVED),
        case(FORMS, "an indexed name with a new value", with(&[0x0f, 0x04, 3, b'a', b'/', b'b']), SERVED),
        case(
            FORMS,
            "an indexed field of a response",
            headers(1, &[&[0x88][..], &block(&GET)].concat(), true),
            MALFORMED,
        ),
        case(
            FORMS,
            "a head of indices alone",
            headers(1, &[0x82, 0x84, 0x87, 0x41, 1, b'a'], true),
            &[Answer::Status(404)],
        ),
    ]
}

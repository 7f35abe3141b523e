//! RFC 9113, section 3.4: the connection preface.

use super::block::{GET, get_with, request};
use super::case::Answer::{Ignored, Status};
use super::case::{Case, HUNG_UP, SERVED, Step, after, case};
use testkit::frames::{END, PING, PREFACE, SETTINGS, WINDOW_UPDATE, frame, goaway, rst, settings};

const S: &str = "3.4 preface";

pub(crate) fn cases() -> Vec<Case> {
    let alone = |rule: &str, bytes: Vec<u8>, allowed| case(S, rule, bytes, allowed).without_greeting();
    let begun = |rule: &str, frames: Vec<u8>, allowed| alone(rule, [PREFACE, &frames].concat(), allowed);
    let mut wrong = PREFACE.to_vec();
    wrong[20] = b'X';
    let hello = [PREFACE, &settings(&[])].concat();
    vec![
        alone("preface, SETTINGS and a request in one segment", [hello.clone(), get_with(1, &[])].concat(), SERVED),
        begun("SETTINGS with values", [settings(&[(3, 10), (4, 70_000)]), get_with(1, &[])].concat(), SERVED),
        after(S, "a preface byte by byte", bytewise(&hello), get_with(1, &[]), SERVED).without_greeting(),
        alone("a wrong byte in the preface", [&wrong[..], &settings(&[])].concat(), HUNG_UP),
        alone("a preface of HTTP/1.1", b"GET / HTTP/1.1\r\nhost: a.example\r\n\r\n".to_vec(), HUNG_UP),
        alone("SETTINGS without the preface", [settings(&[]), get_with(1, &[])].concat(), HUNG_UP),
        begun("PING instead of SETTINGS", frame(PING, 0, 0, b"12345678"), HUNG_UP).deviation(Ignored),
        begun("HEADERS instead of SETTINGS", request(1, &GET, true), HUNG_UP).deviation(Status(200)),
        begun("WINDOW_UPDATE instead of SETTINGS", frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]), HUNG_UP)
            .deviation(Ignored),
        begun("RST_STREAM instead of SETTINGS", rst(1, 8), HUNG_UP),
        begun("GOAWAY instead of SETTINGS", goaway(0), HUNG_UP),
        begun("an unknown frame instead of SETTINGS", frame(0xbb, 0, 0, b"x"), HUNG_UP).deviation(Ignored),
        begun("SETTINGS on a stream", frame(SETTINGS, 0, 1, &[]), HUNG_UP),
        begun("an acknowledgement instead of SETTINGS", frame(SETTINGS, END, 0, &[]), HUNG_UP).deviation(Ignored),
        alone("a second preface", [&hello, PREFACE].concat(), &[HUNG_UP, super::case::TOO_LARGE].concat()),
    ]
}

fn bytewise(bytes: &[u8]) -> Vec<Step> {
    bytes.iter().map(|byte| Step::Send(vec![*byte])).collect()
}

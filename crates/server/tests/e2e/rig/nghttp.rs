//! `nghttp`: a client that takes pushes and shows every frame.

use super::server::Server;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// The events of one run, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    pub(crate) events: Vec<Event>,
    /// Paths of promised streams.
    promised: BTreeMap<u32, String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    Data {
        stream: u32,
        bytes: usize,
        end: bool,
    },
    GoAway,
    Promise {
        promised: u32,
    },
    /// A request of the client's own.
    Request {
        stream: u32,
        path: String,
    },
    Response {
        stream: u32,
        status: u16,
    },
}

impl Trace {
    /// Paths that were pushed with a 200.
    pub(crate) fn pushed(&self) -> BTreeSet<String> {
        let answered = self.promised.iter().filter(|(id, _)| self.status(**id) == Some(200));
        super::set(answered.map(|(_, path)| path.as_str()))
    }

    /// Paths that were promised, whatever came of it.
    pub(crate) fn promised(&self) -> BTreeSet<String> {
        super::set(self.promised.values().map(String::as_str))
    }

    pub(crate) fn promised_stream(&self, path: &str) -> Option<u32> {
        self.promised.iter().find(|(_, own)| *own == path).map(|(id, _)| *id)
    }

    /// Final status of a stream.
    pub(crate) fn status(&self, id: u32) -> Option<u16> {
        self.events.iter().rev().find_map(|event| match event {
            Event::Response { stream, status } if *stream == id => Some(*status),
            _ => None,
        })
    }

    /// Paths that the client asked for itself, the page first.
    pub(crate) fn requested(&self) -> Vec<&str> {
        let paths = self.events.iter().map(|event| match event {
            Event::Request { path, .. } => Some(path.as_str()),
            _ => None,
        });
        paths.flatten().collect()
    }

    pub(crate) fn has_early_hints(&self) -> bool {
        self.events.iter().any(|event| matches!(event, Event::Response { status: 103, .. }))
    }

    pub(crate) fn received(&self, id: u32) -> usize {
        let data = self.events.iter().map(|event| match event {
            Event::Data { stream, bytes, .. } if *stream == id => *bytes,
            _ => 0,
        });
        data.sum()
    }

    /// The index of a stream's last byte in the trace.
    pub(crate) fn end_of(&self, id: u32) -> Option<usize> {
        self.events.iter().position(|event| matches!(event, Event::Data { stream, end: true, .. } if *stream == id))
    }

    /// The index of a stream's first bytes in the trace.
    pub(crate) fn start_of(&self, id: u32) -> Option<usize> {
        self.events.iter().position(|event| matches!(event, Event::Data { stream, .. } if *stream == id))
    }

    /// The stream of the client's first request.
    pub(crate) fn page(&self) -> u32 {
        let first = self.events.iter().find_map(|event| match event {
            Event::Request { stream, .. } => Some(*stream),
            _ => None,
        });
        first.expect("a request was sent")
    }
}

/// Requests a path. `options` go before the URL; `-n` and `-v` are given.
pub(crate) fn get(server: &Server, path: &str, options: &[&str]) -> Trace {
    let output = Command::new("nghttp")
        .args(["-nv", "--timeout=30"])
        .args(options)
        .arg(server.url(path))
        .output()
        .expect("nghttp runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let trace = parse(&text);
    assert!(!trace.events.contains(&Event::GoAway), "the server gave up on nghttp:\n{text}");
    assert!(trace.status(trace.page()).is_some(), "nghttp got no answer:\n{text}");
    trace
}

/// Reads `nghttp -v`: the fields of a frame each on a line, then the frame's own line, then what is
/// special about it. A promise's fields stand under the stream that makes the promise.
fn parse(text: &str) -> Trace {
    let mut trace = Trace::default();
    let mut last_path = "";
    for line in text.lines().map(without_time) {
        if let Some(promised) = number(line, "promised_stream_id=") {
            trace.promised.insert(promised, last_path.to_owned());
            trace.events.push(Event::Promise { promised });
        } else if let Some((_, path)) = received(line, ":path: ") {
            last_path = path;
        } else if let Some((stream, status)) = received(line, ":status: ") {
            let status = status.parse().expect("a status");
            trace.events.push(Event::Response { stream, status });
        } else if line.starts_with("recv DATA frame ") {
            let bytes = number(line, "length=").expect("a length") as usize;
            let stream = number(line, "stream_id=").expect("a stream");
            let end = line.contains("flags=0x01") || line.contains("flags=0x09");
            trace.events.push(Event::Data { stream, bytes, end });
        } else if line.starts_with("send HEADERS frame ") {
            let stream = number(line, "stream_id=").expect("a stream");
            trace.events.push(Event::Request { stream, path: String::new() });
        } else if let Some(sent) = line.strip_prefix(":path: ") {
            if let Some(Event::Request { path, .. }) = trace.events.last_mut() {
                sent.clone_into(path);
            }
        } else if line.contains("(last_stream_id=") && !line.contains("error_code=NO_ERROR") {
            trace.events.push(Event::GoAway);
        }
    }
    trace
}

/// `[  0.004] recv DATA frame <...>` without its time.
fn without_time(line: &str) -> &str {
    let line = line.trim_start();
    line.split_once("] ").filter(|_| line.starts_with("[ ")).map_or(line, |(_, rest)| rest)
}

/// Stream and value of a received field, as in `recv (stream_id=13) :status: 200`.
fn received<'a>(line: &'a str, name: &str) -> Option<(u32, &'a str)> {
    let (_, value) = line.strip_prefix("recv ")?.split_once(name)?;
    Some((number(line, "stream_id=")?, value))
}

fn number(text: &str, key: &str) -> Option<u32> {
    let rest = text.split_once(key)?.1;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[test]
fn a_trace_is_read() {
    let trace = parse(
        "[  0.043] send HEADERS frame <length=38, flags=0x25, stream_id=13>\n          :path: /\n\
         [  0.044] recv (stream_id=13) :path: /a.css\n\
         [  0.044] recv PUSH_PROMISE frame <length=24, flags=0x04, stream_id=13>\n          ; END_HEADERS\n          \
         (padlen=0, promised_stream_id=2)\n[  0.044] recv (stream_id=13) :status: 200\n\
         [  0.044] recv (stream_id=2) :status: 404\n\
         [  0.044] recv DATA frame <length=34, flags=0x01, stream_id=13>\n          ; END_STREAM\n\
         [  0.044] recv DATA frame <length=7, flags=0x00, stream_id=2>\n\
         [  0.044] send GOAWAY frame <length=8, flags=0x00, stream_id=0>\n          \
         (last_stream_id=4, error_code=NO_ERROR(0x00), opaque_data(0)=[])\n",
    );
    assert_eq!((trace.page(), trace.status(13)), (13, Some(200)));
    assert_eq!(trace.requested(), ["/"]);
    assert_eq!(trace.promised(), super::set(["/a.css"]));
    assert_eq!(trace.pushed(), super::set([]));
    assert_eq!((trace.received(13), trace.received(2)), (34, 7));
    assert!(trace.end_of(13) < trace.start_of(2));
    assert!(!trace.events.contains(&Event::GoAway));
}

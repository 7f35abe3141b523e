//! A case: what is sent, and what may be answered.

use headstart_h2::Config;

use super::block::PROTOCOL_ERROR;

/// A kind of answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The socket is closed without GOAWAY.
    Closed,
    /// GOAWAY with this code, and the socket is closed.
    Connection(u32),
    /// None on this stream, and the connection serves on.
    Ignored,
    /// A response with this status, and the connection serves on.
    Status(u16),
    /// RST_STREAM with this code, and the connection serves on.
    Stream(u32),
}

use Answer::{Closed, Connection, Ignored, Status, Stream};

/// The request is served.
pub(crate) const SERVED: &[Answer] = &[Status(200)];
pub(crate) const IGNORED: &[Answer] = &[Ignored];
pub(crate) const FATAL: &[Answer] = &[Connection(PROTOCOL_ERROR)];
/// A malformed message (RFC 9113, section 8.1.1): a stream error, which an endpoint may treat as one of the
/// connection (section 5.4.2); a server may answer 400 first.
pub(crate) const MALFORMED: &[Answer] = &[Stream(PROTOCOL_ERROR), Connection(PROTOCOL_ERROR), Status(400)];

#[derive(Clone)]
pub(crate) enum Step {
    Send(Vec<u8>),
    /// Until END_STREAM or RST_STREAM was heard on this stream.
    Over(u32),
    /// Until there was a response head on this stream.
    Head(u32),
    /// Until the server has read what was sent so far.
    Pause,
    /// Until so many bytes of DATA were heard on a stream.
    Bytes(u32, usize),
}

#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) section: &'static str,
    pub(crate) rule: String,
    pub(crate) config: Config,
    /// Whether the client's preface is sent before the steps.
    pub(crate) greets: bool,
    pub(crate) settings: Vec<(u16, u32)>,
    pub(crate) steps: Vec<Step>,
    /// The stream that is looked at.
    pub(crate) stream: u32,
    /// Whether a request is made afterwards, to see that the connection serves on.
    pub(crate) probes: bool,
    pub(crate) allowed: Vec<Answer>,
    /// The answer of `h2` where it deviates.
    pub(crate) deviation: Option<Answer>,
    /// DATA that must have been heard on the stream in the end, bytes.
    pub(crate) bytes: Option<usize>,
}

/// A case of one send on a fresh connection, about stream 1.
pub(crate) fn case(section: &'static str, rule: impl Into<String>, bytes: Vec<u8>, allowed: &[Answer]) -> Case {
    after(section, rule, vec![], bytes, allowed)
}

/// The same after some steps.
pub(crate) fn after(
    section: &'static str,
    rule: impl Into<String>,
    mut steps: Vec<Step>,
    bytes: Vec<u8>,
    allowed: &[Answer],
) -> Case {
    steps.push(Step::Send(bytes));
    Case {
        section,
        rule: rule.into(),
        config: Config::default(),
        greets: true,
        settings: Vec::new(),
        steps,
        stream: 1,
        probes: true,
        allowed: allowed.to_vec(),
        deviation: None,
        bytes: None,
    }
}

impl Case {
    pub(crate) fn on(mut self, stream: u32) -> Self {
        self.stream = stream;
        self
    }

    pub(crate) fn without_greeting(mut self) -> Self {
        self.greets = false;
        self
    }

    pub(crate) fn without_probe(mut self) -> Self {
        self.probes = false;
        self
    }

    pub(crate) fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    pub(crate) fn settings(mut self, entries: &[(u16, u32)]) -> Self {
        self.settings = entries.to_vec();
        self
    }

    pub(crate) fn deviation(mut self, answer: Answer) -> Self {
        self.deviation = Some(answer);
        self
    }

    pub(crate) fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = Some(bytes);
        self
    }

    /// Whether an answer has to come on the stream, if perhaps after a PING was answered.
    pub(crate) fn waits_for_stream(&self) -> bool {
        !self.allowed.contains(&Ignored)
            && self.deviation != Some(Ignored)
            && self.allowed.iter().chain(&self.deviation).any(|answer| matches!(answer, Status(_) | Stream(_)))
    }

    /// Whether this is an answer that the case stands for.
    pub(crate) fn judge(&self, answer: Answer) -> Result<(), String> {
        match self.deviation {
            None if self.allowed.contains(&answer) => Ok(()),
            Some(known) if known == answer => Ok(()),
            Some(known) if self.allowed.contains(&answer) => {
                Err(format!("{answer:?}: the known deviation {known:?} is mended: correct the row and UPSTREAM.md"))
            }
            _ => Err(format!("{answer:?}, allowed {:?}", self.allowed)),
        }
    }
}

/// Any of the ways to end a connection for what is no HTTP/2.
pub(crate) const HUNG_UP: &[Answer] = &[Closed, Connection(PROTOCOL_ERROR)];
/// A frame that exceeds SETTINGS_MAX_FRAME_SIZE (RFC 9113, section 4.2).
pub(crate) const TOO_LARGE: &[Answer] = &[Connection(super::block::FRAME_SIZE_ERROR)];

//! Warnings of the library.

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

static ALL: LazyLock<Arc<Mutex<Vec<String>>>> = LazyLock::new(|| {
    let lines = Arc::default();
    tracing::subscriber::set_global_default(Recorder(Arc::clone(&lines))).unwrap();
    lines
});

/// Warnings since this was made, of all threads. Tests run in processes of their own, or each looks for words of its own.
pub(crate) struct Warnings {
    before: usize,
}

impl Warnings {
    pub(crate) fn start() -> Self {
        Warnings { before: ALL.lock().unwrap().len() }
    }

    /// Those that contain these words.
    pub(crate) fn said(&self, words: &str) -> Vec<String> {
        let all = ALL.lock().unwrap();
        all[self.before..].iter().filter(|line| line.contains(words)).cloned().collect()
    }
}

struct Recorder(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN && metadata.target().starts_with("headstart")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

//! What a browser sees of an application.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What one visit has seen. Two visits name the application's origin by the same words.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// By step: what it returned.
    pub(crate) returned: BTreeMap<String, String>,
    /// By step: how often the text of its page has each word.
    pub(crate) words: BTreeMap<String, BTreeMap<String, usize>>,
    /// By step and path: the statuses of what was fetched.
    pub(crate) statuses: BTreeMap<Fetched, BTreeSet<u64>>,
    /// By step and path: type, length and hash of what the browser holds of a script, a stylesheet or a picture.
    pub(crate) bodies: BTreeMap<Fetched, BTreeSet<String>>,
    /// By step and path: how often what a page pulls in was fetched.
    pub(crate) counts: BTreeMap<Fetched, usize>,
    /// Name, path and attributes.
    pub(crate) cookies: BTreeSet<String>,
    pub(crate) console: BTreeSet<String>,
}

/// What was fetched: the step, and the path with its query.
pub(crate) type Fetched = (String, String);

impl Seen {
    /// Takes in what the page's own clock says of what it fetched, and what the browser holds of it.
    pub(crate) fn add_fetched(&mut self, step: &str, origin: &Origin, entries: &Value) {
        for entry in entries.as_array().into_iter().flatten() {
            let [path, status, kind, body] = [0, 1, 2, 3].map(|at| &entry[at]);
            let key = (step.to_owned(), origin.left_out_of(path.as_str().unwrap_or_default()));
            self.statuses.entry(key.clone()).or_default().insert(status.as_u64().unwrap_or(0));
            if let Some(body) = body.as_str() {
                self.bodies.entry(key.clone()).or_default().insert(body.to_owned());
            }
            if matches!(kind.as_str(), Some("script" | "link" | "css" | "img")) {
                *self.counts.entry(key).or_default() += 1;
            }
        }
    }

    /// Takes in what a step returned, and the text of its page, if that is compared.
    pub(crate) fn add_step(&mut self, step: &str, origin: &Origin, returned: &Value, text: Option<&str>) {
        self.returned.insert(step.to_owned(), origin.left_out_of(&returned.to_string()));
        let text = text.map(|text| origin.left_out_of(text));
        let Some(text) = text else { return };
        let words = self.words.entry(step.to_owned()).or_default();
        let is_between = |c: char| c.is_whitespace() || "<>,;\"'&=(){}".contains(c);
        for word in text.split(is_between).filter(|word| !word.is_empty()) {
            *words.entry(word.to_owned()).or_default() += 1;
        }
    }

    pub(crate) fn requests(&self) -> usize {
        self.statuses.len()
    }
}

/// Where an application is visited: its scheme and port are not the same with the program and without.
pub(crate) struct Origin {
    pub(crate) base: String,
    pub(crate) port: String,
}

impl Origin {
    pub(crate) fn new(scheme: &str, port: u16) -> Self {
        Self { base: format!("{scheme}://127.0.0.1:{port}"), port: port.to_string() }
    }

    /// A text that says the same of each origin.
    pub(crate) fn left_out_of(&self, text: &str) -> String {
        let text = text.replace("https:", "http:").replace("https%3A", "http%3A").replace("wss:", "ws:");
        text.replace(&self.port, "PORT")
    }
}

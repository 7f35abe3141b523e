//! What a browser sees of an application, without what is different each time.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What one run has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// By step: what it returned, and the text of its page.
    pub(crate) steps: BTreeMap<String, (Value, String)>,
    /// By step and path: the statuses and lengths of what was fetched.
    pub(crate) fetched: BTreeMap<(String, String), BTreeSet<(u64, u64)>>,
    /// By step and path: how often what a page pulls in was fetched.
    pub(crate) assets: BTreeMap<(String, String), usize>,
    /// Name, path and attributes.
    pub(crate) cookies: BTreeSet<String>,
    pub(crate) console: BTreeSet<String>,
}

/// What differs from what is seen without the program.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    pub(crate) statuses: Vec<String>,
    pub(crate) bodies: Vec<String>,
    pub(crate) cookies: Vec<String>,
    pub(crate) console: Vec<String>,
    pub(crate) twice: Vec<String>,
}

impl Seen {
    /// Takes in what the page's own clock says of what it fetched.
    pub(crate) fn add_fetched(&mut self, step: &str, entries: &Value) {
        for entry in entries.as_array().into_iter().flatten() {
            let [path, status, length, kind] = [0, 1, 2, 3].map(|at| entry[at].clone());
            let key = (step.to_owned(), normal(path.as_str().unwrap_or_default()));
            let (status, length) = (status.as_u64().unwrap_or(0), length.as_u64().unwrap_or(0));
            self.fetched.entry(key.clone()).or_default().insert((status, length));
            if matches!(kind.as_str(), Some("script" | "link" | "css" | "img")) {
                *self.assets.entry(key).or_default() += 1;
            }
        }
    }

    /// What is different here from what `direct` has, but for the lengths of what is at the `varying` paths.
    pub(crate) fn differences(&self, direct: &Self, varying: &[&str]) -> Differences {
        let mut found = Differences::default();
        for (step, (returned, text)) in &direct.steps {
            match self.steps.get(step) {
                Some((other, _)) if other != returned => {
                    found.bodies.push(format!("{step}: {other}, not {returned}"));
                }
                Some((_, other)) if other != text => {
                    found.bodies.push(format!("{step}: {}", first_difference(other, text)));
                }
                Some(_) => {}
                None => found.bodies.push(format!("{step}: not reached")),
            }
        }
        for (key @ (step, path), theirs) in &direct.fetched {
            let Some(ours) = self.fetched.get(key) else { continue };
            let statuses = |all: &BTreeSet<(u64, u64)>| all.iter().map(|(status, _)| *status).collect::<BTreeSet<_>>();
            if statuses(ours) != statuses(theirs) {
                found.statuses.push(format!("{step}: {path}: {:?}, not {:?}", statuses(ours), statuses(theirs)));
            } else if self.assets.contains_key(key) && !varying.contains(&path.as_str()) && !same_lengths(ours, theirs)
            {
                found.bodies.push(format!("{step}: {path}: {ours:?}, not {theirs:?}"));
            }
        }
        for ((step, path), count) in &self.assets {
            let before = direct.assets.get(&(step.clone(), path.clone())).copied().unwrap_or(0);
            if *count > before.max(1) {
                found.twice.push(format!("{step}: {path}: {count} times, not {before}"));
            }
        }
        found.cookies = symmetric(&self.cookies, &direct.cookies);
        found.console = symmetric(&self.console, &direct.console);
        found
    }

    pub(crate) fn requests(&self) -> usize {
        self.fetched.len()
    }
}

/// Chromium gives no length, 0, of what it took from its memory, which is chance with and without the program.
fn same_lengths(ours: &BTreeSet<(u64, u64)>, theirs: &BTreeSet<(u64, u64)>) -> bool {
    let known =
        |all: &BTreeSet<(u64, u64)>| all.iter().filter(|(_, length)| *length > 0).copied().collect::<BTreeSet<_>>();
    let (ours, theirs) = (known(ours), known(theirs));
    ours.is_empty() || theirs.is_empty() || ours == theirs
}

fn symmetric(ours: &BTreeSet<String>, theirs: &BTreeSet<String>) -> Vec<String> {
    let more = ours.difference(theirs).map(|text| format!("only with the program: {text}"));
    more.chain(theirs.difference(ours).map(|text| format!("only without: {text}"))).collect()
}

fn first_difference(ours: &str, theirs: &str) -> String {
    let lines = ours.lines().zip(theirs.lines()).find(|(ours, theirs)| ours != theirs);
    let (ours, theirs) = lines.unwrap_or(("the end", "more"));
    format!("{:?}, not {:?}", ours.trim(), theirs.trim())
}

/// A text without origins, ports and tokens.
pub(crate) fn normal(text: &str) -> String {
    // An origin in the query of a URL.
    let text = text.replace("%3A", ":").replace("%2F", "/");
    let mut normal = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let end = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let tail = &piece[end.len()..];
        let is_token = end.len() >= 32 || (end.len() >= 4 && end.bytes().all(|byte| byte.is_ascii_digit()));
        let is_hex =
            end.len() >= 8 && end.bytes().all(|b| b.is_ascii_hexdigit()) && end.bytes().any(|b| b.is_ascii_digit());
        normal.push_str(match end {
            "https" => "http",
            "wss" => "ws",
            _ if is_token || is_hex => "#",
            other => other,
        });
        normal.push_str(tail);
    }
    normal
}

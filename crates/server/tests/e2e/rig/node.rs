//! Node's `http2`: a client that takes pushes, keeps cookies and a cache, and asks as browsers ask.

use super::server::Server;
use super::site::{Asset, Page};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

const SCRIPT: &str = include_str!("browser.mjs");

/// A client over its visits: its cookies and its cache.
#[derive(Clone, Default)]
pub(crate) struct Browser {
    pub(crate) cookies: Map<String, Value>,
    held: Vec<Value>,
}

/// The record of one visit.
#[derive(Debug)]
pub(crate) struct Visit(Value);

impl Browser {
    /// Opens a page on a connection of its own and loads all that it leads to.
    pub(crate) fn visit(&mut self, server: &Server, page: &Page) -> Visit {
        self.visit_with(server, page, &json!({}))
    }

    /// The same with options of `browser.mjs`.
    pub(crate) fn visit_with(&mut self, server: &Server, page: &Page, options: &Value) -> Visit {
        let mut visit = self.visits(server, page, options).remove(0);
        let (Value::Object(cookies), Value::Array(held)) = (visit.0["cookies"].take(), visit.0["held"].take()) else {
            panic!("browser.mjs prints cookies and what is held");
        };
        (self.cookies, self.held) = (cookies, held);
        visit
    }

    /// As many visits as `options.visits` says, each from what is held now; nothing is kept.
    pub(crate) fn visits(&self, server: &Server, page: &Page, options: &Value) -> Vec<Visit> {
        let task = json!({
            "origin": server.origin(),
            "ca": std::fs::read_to_string(&server.cert).expect("cert.pem"),
            "page": page.path,
            "assets": page.assets.iter().map(asset).collect::<Vec<_>>(),
            "cookies": self.cookies,
            "held": self.held,
            "options": options,
        });
        let Value::Array(visits) = run(&task) else { panic!("browser.mjs prints an array") };
        visits.into_iter().map(Visit).collect()
    }
}

impl Visit {
    pub(crate) fn status(&self) -> u64 {
        self.0["status"].as_u64().expect("a status")
    }

    /// Paths that came by push with a 200.
    pub(crate) fn pushed(&self) -> BTreeSet<String> {
        let pushed = self.0["pushed"].as_array().expect("pushes").iter();
        set_of(pushed.filter(|push| push["status"] == 200))
    }

    /// Paths that were promised, whatever came of it.
    pub(crate) fn promised(&self) -> BTreeSet<String> {
        set_of(self.0["pushed"].as_array().expect("pushes"))
    }

    /// Paths that had to be asked for.
    pub(crate) fn requested(&self) -> BTreeSet<String> {
        set_of(self.0["requested"].as_array().expect("requests"))
    }

    /// Paths named by the 103.
    pub(crate) fn hinted(&self) -> BTreeSet<String> {
        links(&self.0["hints"])
    }

    /// Paths named by `Link` on the response itself.
    pub(crate) fn linked(&self) -> BTreeSet<String> {
        links(&self.0["links"])
    }

    pub(crate) fn got_no_help(&self) -> bool {
        self.promised().is_empty() && self.hinted().is_empty() && self.linked().is_empty()
    }
}

fn asset(asset: &Asset) -> Value {
    json!({"path": asset.path, "parent": asset.parent, "destination": asset.destination, "cors": asset.cors})
}

fn run(task: &Value) -> Value {
    let output = evaluate(SCRIPT, task);
    serde_json::from_slice(&output)
        .unwrap_or_else(|error| panic!("{error} in what node printed: {}", String::from_utf8_lossy(&output)))
}

/// Runs a script with a task on its standard input; what it printed.
pub(crate) fn evaluate(script: &str, task: &Value) -> Vec<u8> {
    let mut child = Command::new("node")
        .args(["--input-type=module", "--eval", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("node runs");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(task.to_string().as_bytes()).expect("it reads its task");
    drop(stdin);
    let output = child.wait_with_output().expect("node ends");
    assert!(output.status.success(), "node: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn set_of<'a>(items: impl IntoIterator<Item = &'a Value>) -> BTreeSet<String> {
    super::set(items.into_iter().filter_map(|item| item["path"].as_str()))
}

fn links(values: &Value) -> BTreeSet<String> {
    let values = values.as_array().expect("links").iter().filter_map(Value::as_str);
    values.flat_map(preloads).collect()
}

/// Targets of the `rel=preload` and `rel=modulepreload` entries of a `Link` value of ours, where no
/// target holds a comma.
pub(crate) fn preloads(value: &str) -> Vec<String> {
    let entries = value.split(',').map(str::trim);
    let preloads = entries.filter(|entry| entry.contains("preload"));
    preloads.filter_map(|entry| Some(entry.strip_prefix('<')?.split_once('>')?.0.to_owned())).collect()
}

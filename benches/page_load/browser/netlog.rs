//! What Chromium asked for and was hinted: its network log.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// Of the connections with one server, without the icon that browsers ask for by themselves.
pub(crate) struct Log {
    /// Paths, in the order in which they were asked for.
    pub(crate) requested: Vec<String>,
    /// Paths that a 103 named.
    pub(crate) hinted: Vec<String>,
}

impl Log {
    /// Reads the file of `--log-net-log`.
    pub(crate) fn read(file: &Path, authority: &str) -> Result<Self, String> {
        let text = std::fs::read_to_string(file).map_err(|error| format!("the network log: {error}"))?;
        let log: Value = serde_json::from_str(&text).map_err(|error| format!("the network log: {error}"))?;
        let types = log["constants"]["logEventTypes"].as_object().ok_or("a network log without event types")?;
        let names: BTreeMap<u64, &str> =
            types.iter().filter_map(|(name, id)| Some((id.as_u64()?, name.as_str()))).collect();
        let mut read = Self { requested: Vec::new(), hinted: Vec::new() };
        let mut ours = Vec::new();
        for event in log["events"].as_array().into_iter().flatten() {
            let name = event["type"].as_u64().and_then(|id| names.get(&id)).copied().unwrap_or_default();
            let (source, params) = (&event["source"]["id"], &event["params"]);
            if name == "HTTP2_SESSION" && params["host"].as_str() == Some(authority) {
                ours.push(source.clone());
            }
            if ours.contains(source) {
                read.take(name, params);
            }
        }
        Ok(read)
    }

    fn take(&mut self, name: &str, params: &Value) {
        match name {
            "HTTP2_SESSION_SEND_HEADERS" => {
                let path = field(params, ":path").filter(|path| *path != "/favicon.ico");
                self.requested.extend(path.map(str::to_owned));
            }
            "HTTP2_SESSION_RECV_HEADERS" if field(params, ":status") == Some("103") => {
                // Several fields of one name stand in one entry.
                let links = field(params, "link").unwrap_or_default().split(['\0', ',']);
                let paths = links.filter_map(|link| Some(link.split_once('<')?.1.split_once('>')?.0.to_owned()));
                self.hinted.extend(paths);
            }
            _ => {}
        }
    }
}

/// Fields stand as `"name: value"`.
fn field<'a>(params: &'a Value, name: &str) -> Option<&'a str> {
    let mut lines = params["headers"].as_array()?.iter().filter_map(Value::as_str);
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let event = |kind: u8, source: u8, params: Value| serde_json::json!({ "type": kind, "source": { "id": source }, "params": params });
        let log = serde_json::json!({
            "constants": { "logEventTypes": {
                "HTTP2_SESSION": 1, "HTTP2_SESSION_SEND_HEADERS": 2, "HTTP2_SESSION_RECV_HEADERS": 3,
            } },
            "events": [
                event(1, 7, serde_json::json!({ "host": "localhost:1" })),
                event(1, 8, serde_json::json!({ "host": "localhost:2" })),
                event(2, 8, serde_json::json!({ "headers": [":path: /other"] })),
                event(2, 7, serde_json::json!({ "headers": [":method: GET", ":path: /"] })),
                event(3, 7, serde_json::json!({ "headers": [":status: 103", "link: </a>; rel=preload\0</b>; rel=preload"] })),
                event(3, 7, serde_json::json!({ "headers": [":status: 200", "link: </c>; rel=preload"] })),
                event(2, 7, serde_json::json!({ "headers": [":path: /favicon.ico"] })),
            ],
        });
        std::fs::write(file.path(), log.to_string()).unwrap();
        let log = Log::read(file.path(), "localhost:1").unwrap();
        assert_eq!((log.requested, log.hinted), (vec!["/".to_owned()], vec!["/a".to_owned(), "/b".to_owned()]));
    }
}

//! curl: HTTP/1.1, and HTTP/2 with push refused in its settings.

use super::server::Server;
use std::process::Command;

/// One response head; an interim one comes before the final one.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) version: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl Head {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Targets of `rel=preload` links.
    pub(crate) fn preloads(&self) -> Vec<String> {
        let links = self.fields.iter().filter(|(name, _)| name == "link");
        links.flat_map(|(_, value)| super::node::preloads(value)).collect()
    }
}

/// Heads of all responses to one request, the final one last, and the body.
pub(crate) fn get(server: &Server, path: &str, options: &[&str]) -> (Vec<Head>, Vec<u8>) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (heads, body) = (dir.path().join("heads"), dir.path().join("body"));
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "30", "--path-as-is", "--cacert"])
        .arg(&server.cert)
        .arg("--dump-header")
        .arg(&heads)
        .arg("--output")
        .arg(&body)
        .args(options)
        .arg(server.url(path))
        .output()
        .expect("curl runs");
    assert!(output.status.success(), "curl: {}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(heads).expect("heads are text");
    // A HEAD request or an empty body leaves no file.
    (parse(&text), std::fs::read(body).unwrap_or_default())
}

fn parse(text: &str) -> Vec<Head> {
    let mut heads: Vec<Head> = Vec::new();
    for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        if line.starts_with("HTTP/") {
            let mut words = line.split(' ');
            let version = words.next().unwrap_or_default().to_owned();
            let status = words.next().and_then(|word| word.parse().ok()).expect("a status");
            heads.push(Head { status, version, fields: Vec::new() });
        } else if let (Some(head), Some((name, value))) = (heads.last_mut(), line.split_once(':')) {
            head.fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    heads
}

#[test]
fn interim_and_final_heads_are_told_apart() {
    let heads = parse("HTTP/2 103 \r\nlink: </a.css>; rel=preload; as=style\r\n\r\nHTTP/2 200 \r\nDate: x\r\n\r\n");
    assert_eq!(heads.iter().map(|head| head.status).collect::<Vec<_>>(), [103, 200]);
    assert_eq!(heads[0].preloads(), ["/a.css"]);
    assert_eq!(heads[1].field("date"), Some("x"));
}

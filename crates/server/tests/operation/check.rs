//! `headstart check`.

use super::rig::Files;

#[test]
fn an_empty_file_is_one_that_works() {
    let files = Files::new();
    assert_eq!(files.check(""), (Some(0), vec!["x.toml: nothing is wrong: 1 listener, 1 site".to_owned()]));
    assert!(!files.path(".local").exists(), "nothing is made by looking");
}

#[test]
fn every_mistake_is_named_with_its_line_and_key() {
    let files = Files::new();
    files.write("site/index.html", "x");
    files.certify("a", "a.example");
    files.certify("b", "b.example");
    let (code, lines) = files.check(
        r#"listen = ["localhost:8443", "nowhere"]
wndow = 3

[learn]
half_life = "long"
min-networks = 3

[timeouts]
idle = "1ms"

[[site]]
hosts = ["a.example:443"]
root = "site"

[[site]]
root = "none"
path = "shop"
cert = "a.crt"
key = "b.key"

[[site]]
hosts = ["c.example"]
root = "site"
cert = "none.crt"
key = "a.key"

[tls]
cert = "a.crt"
min_version = "1.1"

[[rule]]
action = "push"
assets = "/[x"

[cookie
"#,
    );
    assert_eq!(code, Some(1), "{lines:#?}");
    let expected = [
        "x.toml:1:29: listen[2].address: \"nowhere\" is not of the form HOST:PORT",
        "x.toml:2:1: wndow: no such setting",
        "x.toml:5:13: learn.half_life: has to be a time, such as",
        "x.toml:6:1: learn.min-networks: no such setting; did you mean `min_networks`?",
        "x.toml:9:8: timeouts.idle: 1ms is out of range: 100ms to 365d",
        "x.toml:12:10: site[1].hosts: \"a.example:443\" has a port",
        "x.toml:16:8: site[2].root: cannot serve none",
        "x.toml:17:8: site[2].path: has to begin with a slash",
        "x.toml:18:8: site[2].cert: cannot use the certificate a.crt with the key b.key: the private key does not belong",
        "x.toml:24:8: site[3].cert: cannot read the certificate none.crt: No such file",
        "x.toml:28:8: tls.cert: needs its `key`",
        "x.toml:29:15: tls.min_version: \"1.1\" is not one of 1.2, 1.3",
        "x.toml:33:10: rule[1].assets: \"/[x\"",
        "x.toml:35:",
        "14 mistakes",
    ];
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "expected {expected:?}, got {line:?}\n{lines:#?}");
    }
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
}

#[test]
fn a_file_that_cannot_be_read_is_a_mistake() {
    let files = Files::new();
    let output = files.program().args(["check", "none.toml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("none.toml: cannot be read: No such file"), "{said}");
}

#[test]
fn the_same_mistakes_keep_the_server_from_starting() {
    let files = Files::new();
    files.write("x.toml", "[learn]\nwindow = \"long\"\nholdout = -1\n");
    let output = files.program().args(["--config", "x.toml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<_> = errors.lines().collect();
    assert_eq!(lines.len(), 2, "{errors}");
    assert!(lines[0].starts_with("headstart: x.toml:2:10: learn.window: "), "{errors}");
    assert!(lines[1].starts_with("headstart: x.toml:3:11: learn.holdout: "), "{errors}");
}

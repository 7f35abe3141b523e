//! `headstart digest`, as typed.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// Words typed, standard input; standard output, standard error and the exit code.
fn run(words: &str, input: &str) -> (String, String, i32) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_headstart"))
        .arg("digest")
        .args(words.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // A program that complains about its flags does not read.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("the program ends");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (text(output.stdout), text(output.stderr), output.status.code().expect("an exit code"))
}

fn check(words: &str, input: &str, expected: &str) {
    let (output, complaint, code) = run(words, input);
    assert_eq!((output.as_str(), complaint.as_str(), code), (expected, "", 0), "{words}");
}

/// One line that names the thing, and exit code 2.
fn check_error(words: &str, input: &str, names: &str) {
    let (output, complaint, code) = run(words, input);
    assert_eq!((output.as_str(), code), ("", 2), "{words}: {complaint}");
    assert!(complaint.contains(names), "{words}: {complaint}");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
}

const KEY: &str = "--key 30313233343536373839616263646566";

#[test]
fn encode() {
    check("encode --profile go-casper --n 1 --p 64", "/static/example.js\n", "JA\n");
    check("encode --profile go-casper --n 10 --p 64", "/static/example.js", "yQA\n");
    check("encode --profile h2o --capacity-bits 13", "/index.html\r\n\r\n/index.php\r\n", "AAAAAAAAAAAAAAAAAAAqA_g\n");
    check("encode --profile h2o", "/index.html\n/index.html\n", "AAAAAAAAAAAAAAAAAAAAqA\n");
    check("encode --profile cache-digest --p 128", "https://example.com/style.css\n", "AfdA\n");
    let urls = "https://example.com/style.css\nhttps://example.com/jquery.js\n";
    check("encode --profile kazuho-00 --p 256", urls, "010899021f\n");
    let item = "2103f6d9ff4c12959445ca5549c811683bf9c88e637b222dd2e0311154c4c85cf423ac\n";
    check("encode --profile bip158 --hex --key 10befdc16d281e40ecec65b7c9976ddc", item, "016cf7a0\n");
    check(&format!("encode --profile v1 --remainder-bits 7 {KEY}"), "", "E4I\n");
}

/// The hash of URL and ETag begins a53eb398509042d7: with one key and P = 128, value 82.
#[test]
fn a_url_and_its_etag_are_parted_by_a_tab() {
    let (text, _, _) = run("encode --profile cache-digest --p 128", "https://example.com/style.css\t\"deadbeef\"\n");
    check(&format!("decode --profile cache-digest --p 128 {text}"), "", &format!("{}\n", 0xa5 >> 1));
}

#[test]
fn decode() {
    check("decode --profile go-casper --n 4 --p 64 gU54MA", "", "65\n104\n134\n140\n");
    check("decode --profile h2o AAAAAAAAAAAAAAAAAAAAqA", "", "7700\n");
    check("decode --profile cache-digest --p 128 AfdA;complete", "", "93\n");
    check("decode --profile kazuho-00 --p 256 010899021f", "", "356\n373\n");
    check(&format!("decode --profile bip158 {KEY} 019dfca8"), "", "769941\n");
    // A value may begin with a hyphen.
    check("decode --profile go-casper --n 99 --p 64 -AA", "", "320\n");
}

#[test]
fn what_is_encoded_is_held() {
    for flags in [
        "--profile go-casper --n 10 --p 64".to_owned(),
        "--profile h2o --capacity-bits 15".to_owned(),
        "--profile cache-digest --p 65536".to_owned(),
        "--profile kazuho-00 --p 65536".to_owned(),
        format!("--profile bip158 --m 100 --p 6 {KEY}"),
        format!("--profile v1 --remainder-bits 20 {KEY}"),
    ] {
        let (text, _, code) = run(&format!("encode {flags}"), "/a.css\n/b.js\n");
        assert_eq!(code, 0);
        check(&format!("check {flags} {text}"), "/b.js\n/no.js\n/a.css\n", "held\nabsent\nheld\n");
    }
}

#[test]
fn bad_input_is_named() {
    check_error("encode --n 10 --p 64", "", "--profile");
    check_error("encode --profile gocasper", "", "gocasper");
    check_error("encode --profile go-casper --n 10 --p 100", "", "100");
    check_error("encode --profile go-casper --p 64", "", "--n");
    check_error("encode --profile cache-digest --p 100", "", "100");
    check_error("encode --profile h2o --capacity-bits 16", "", "16");
    check_error("encode --profile bip158", "", "--key");
    check_error("encode --profile bip158 --key 00", "", "--key");
    check_error(&format!("encode --profile bip158 --m 0 {KEY}"), "", "--m 0");
    check_error(&format!("encode --profile v1 {KEY}"), "", "--remainder-bits");
    check_error(&format!("encode --profile v1 --remainder-bits 32 {KEY}"), "", "32");
    check_error("encode --profile h2o --hex", "00\nxyz\n", "line 2");
    check_error("decode --profile h2o", "", "VALUE");
    check_error("decode --profile go-casper --n 4 --p 64 g*U", "", "g*U");
    check_error("decode --profile go-casper --n 4 --p 64 ___", "", "bit");
    check_error(&format!("decode --profile bip158 {KEY} 0g"), "", "0g");
    check_error(&format!("decode --profile v1 --remainder-bits 8 {KEY} E4I"), "", "other parameters");
}

#[test]
fn json_lines() {
    let lines = |words: &str, input: &[Value], code: i32| -> Vec<Value> {
        let input = input.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
        let (output, complaint, got) = run(words, &input);
        assert_eq!((complaint.as_str(), got), ("", code));
        output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let go = json!({ "profile": "go-casper", "n": 1, "p": 64, "keys": ["/static/example.js"] });
    let h2o = json!({ "profile": "h2o", "capacity-bits": 13, "keys": ["/index.html"] });
    assert_eq!(
        lines("encode --jsonl", &[go, h2o], 0),
        [json!({ "value": "JA" }), json!({ "value": "AAAAAAAAAAAAAAAAAAAAqA" })]
    );
    // What a line leaves out, the flags say; what cannot be decoded is an answer.
    let good = json!({ "value": "gU4" });
    let cut = json!({ "value": "____" });
    let answers = lines("decode --jsonl --profile go-casper --n 2 --p 64", &[good, cut], 0);
    assert_eq!(answers[0], json!({ "values": [65, 104] }));
    assert!(answers[1]["error"].as_str().expect("an error").contains("bit"));

    let ask = json!({ "value": "JA", "keys": ["/static/example.js", "/other.js"] });
    assert_eq!(lines("check --jsonl --profile go-casper --n 1 --p 64", &[ask], 0), [json!({ "held": [true, false] })]);
    let typo = json!({ "profile": "h2o", "capacity": 13 });
    let right = json!({ "profile": "h2o" });
    let answers = lines("encode --jsonl", &[typo, right], 2);
    assert!(answers[0]["error"].as_str().expect("an error").contains("capacity"));
    assert_eq!(answers[1], json!({ "value": "" }));
}

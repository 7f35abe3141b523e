//! What is packaged with the program fits it: metrics in the dashboard and the alerts, flags and variables in the examples.

use std::collections::BTreeSet;

use testkit::http1;

use super::rig::{Files, Program};

fn packaged(name: &str) -> String {
    let path = format!("{}/packaging/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Words that are names of metrics, without what Prometheus adds to those of counters and histograms.
fn metrics(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let metrics = words.filter(|word| word.starts_with("headstart_") || word.starts_with("process_"));
    let base = |word: &str| {
        let suffix = ["_total", "_bucket", "_sum", "_count"].into_iter().find_map(|suffix| word.strip_suffix(suffix));
        suffix.unwrap_or(word).to_owned()
    };
    metrics.map(base).collect()
}

#[test]
fn dashboard_and_alerts_name_metrics_that_there_are() {
    let files = Files::new();
    let mut command = files.program();
    command.args(["proxy", "http://127.0.0.1:9", "--listen", "http://127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    command.args(["--state-dir", "state"]);
    let program = Program::start(&mut command);
    let port = |part: &str| {
        let line = program.line(0, part);
        line.trim_end_matches('/').rsplit(':').next().and_then(|port| port.parse::<u16>().ok()).expect("a port")
    };
    // Families without a sample are not shown: one request makes those of the upstream.
    http1::get(("127.0.0.1", port("point a browser at")), "a.example", "/", &[]);
    let there = metrics(
        &http1::get(("127.0.0.1", port("operators see the dashboard at")), "127.0.0.1", "/metrics", &[]).text(),
    );
    assert!(there.len() > 30, "{there:?}");
    for name in ["grafana.json", "alerts.yaml"] {
        let named = metrics(&packaged(name));
        assert!(named.len() > 4, "{name}: {named:?}");
        let unknown: Vec<_> = named.difference(&there).collect();
        assert!(unknown.is_empty(), "{name} names {unknown:?}, which are not among {there:?}");
    }
    let dashboard: serde_json::Value = serde_json::from_str(&packaged("grafana.json")).expect("JSON");
    assert!(dashboard["panels"].as_array().is_some_and(|panels| panels.len() >= 10));
}

/// The variables of a YAML example are settings with values that can be used, and its command is one.
#[test]
fn compose_and_kubernetes_name_settings_that_there_are() {
    let files = Files::new();
    files.certify("tls", "localhost");
    for name in ["compose.yaml", "kubernetes.yaml"] {
        let text = packaged(name);
        let mut variables = Vec::new();
        for line in text.lines().map(str::trim) {
            let line = line.trim_start_matches("- ").trim_matches(['{', '}']);
            let (name, value) = match line.strip_prefix("name: HEADSTART_") {
                Some(rest) => rest.split_once(", value: ").unwrap_or((rest, "x")),
                None => match line.strip_prefix("HEADSTART_").and_then(|rest| rest.split_once(": ")) {
                    Some(pair) => pair,
                    None => continue,
                },
            };
            let value = value.trim_matches('"').replace("/state", "state").replace("/certificates/", "");
            variables.push((format!("HEADSTART_{name}"), value));
        }
        assert!(variables.len() >= 5, "{name}: {variables:?}");
        assert!(text.contains(r#"["proxy", "http://app:3000"]"#), "{name}");
        let mut command = files.program();
        files.write("x.toml", "[[site]]\nupstream = \"http://app:3000\"\n");
        let output = command.args(["check", "x.toml"]).envs(variables).output();
        let output = output.expect("the program starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{name}: {said}");
    }
}

#[test]
fn completions_and_manual_pages_know_the_flags() {
    let files = Files::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = files.program().args(["completions", shell]).output().expect("the program starts");
        let script = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && script.contains("min-networks") && script.contains("proxy"), "{shell}");
    }
    std::fs::create_dir(files.path("man")).expect("a directory");
    assert!(files.program().args(["man", "man"]).status().expect("the program starts").success());
    for (page, part) in [("headstart.1", "early"), ("headstart-serve.1", "min"), ("headstart-state-merge.1", "output")]
    {
        let text =
            std::fs::read_to_string(files.path("man").join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
        assert!(text.contains(part), "{page}: {text}");
    }
    let output = files.program().args(["man", "none"]).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(2));
}

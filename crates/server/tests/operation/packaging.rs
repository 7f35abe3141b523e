//! Files packaged with the program fit it: metrics in the dashboard and the alerts, flags and variables in the examples.

use std::collections::BTreeSet;

use testkit::http1;
use yaml_rust2::{Yaml, YamlLoader};

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

fn yaml(name: &str) -> Vec<Yaml> {
    YamlLoader::load_from_str(&packaged(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn words(list: &Yaml) -> Vec<&str> {
    list.as_vec().into_iter().flatten().filter_map(Yaml::as_str).collect()
}

/// The variables of an example are settings with values that can be used.
fn assert_settings(name: &str, variables: Vec<(String, String)>) {
    assert!(variables.len() >= 5, "{name}: {variables:?}");
    let files = Files::new();
    files.certify("tls", "localhost");
    files.write("x.toml", "[[site]]\nupstream = \"http://app:3000\"\n");
    let here = |value: String| value.replace("/state", "state").replace("/certificates/", "");
    let variables = variables.into_iter().map(|(name, value)| (name, here(value)));
    let output = files.program().args(["check", "x.toml"]).envs(variables).output().expect("the program starts");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn the_compose_file_starts_what_there_is() {
    let documents = yaml("compose.yaml");
    let [compose] = &documents[..] else { panic!("one document") };
    let service = &compose["services"]["headstart"];
    assert_eq!(words(&service["command"]), ["proxy", "http://app:3000"]);
    assert!(compose["services"]["app"].as_hash().is_some(), "the application that it names");
    let variables = service["environment"].as_hash().expect("a table").iter();
    let variables: Vec<_> = variables
        .map(|(name, value)| (name.as_str().expect("a name").to_owned(), value.as_str().expect("text").to_owned()))
        .collect();
    let listen = variables.iter().find(|(name, _)| name == "HEADSTART_LISTEN").expect("an address").1.clone();
    let (_, port) = listen.rsplit_once(':').expect("a port");
    assert!(words(&service["ports"]).iter().any(|mapped| mapped.ends_with(&format!(":{port}"))));
    for volume in words(&service["volumes"]).iter().filter_map(|volume| volume.split_once(':')) {
        let (source, _) = volume;
        assert!(
            source.starts_with("./")
                || compose["volumes"].as_hash().is_some_and(|all| all.contains_key(&Yaml::String(source.into())))
        );
    }
    assert_settings("compose.yaml", variables);
}

#[test]
fn the_kubernetes_file_fits_together() {
    let documents = yaml("kubernetes.yaml");
    let kind = |kind: &str| documents.iter().find(|document| document["kind"].as_str() == Some(kind)).expect("a kind");
    let deployment = &kind("Deployment")["spec"];
    let pod = &deployment["template"];
    assert_eq!(deployment["selector"]["matchLabels"]["app"], pod["metadata"]["labels"]["app"]);
    assert_eq!(kind("Service")["spec"]["selector"]["app"], pod["metadata"]["labels"]["app"]);
    let container = &pod["spec"]["containers"][0];
    assert_eq!(words(&container["args"]), ["proxy", "http://app:3000"]);
    let names = |list: &Yaml| -> BTreeSet<String> {
        list.as_vec().into_iter().flatten().filter_map(|item| item["name"].as_str()).map(str::to_owned).collect()
    };
    let ports = names(&container["ports"]);
    for port in kind("Service")["spec"]["ports"].as_vec().expect("a list") {
        assert!(ports.contains(port["targetPort"].as_str().expect("a name")), "{port:?}");
    }
    for probe in ["readinessProbe", "livenessProbe"] {
        // No token: the probe of a cluster has none.
        let get = &container[probe]["httpGet"];
        assert_eq!(get["path"].as_str(), Some("/health"));
        assert!(ports.contains(get["port"].as_str().expect("a name")));
    }
    let volumes = names(&pod["spec"]["volumes"]);
    assert_eq!(names(&container["volumeMounts"]), volumes);
    let variables = container["env"].as_vec().expect("a list").iter().map(|variable| {
        let value = variable["value"].as_str().unwrap_or("a secret");
        (variable["name"].as_str().expect("a name").to_owned(), value.to_owned())
    });
    assert_settings("kubernetes.yaml", variables.collect());
}

#[test]
fn health_needs_no_token_and_all_else_does() {
    let files = Files::new();
    files.write("s/index.html", "page");
    let mut command = files.program();
    command.args(["serve", "s", "--listen", "http://127.0.0.1:0", "--admin", "127.0.0.1:0", "--admin-token", "secret"]);
    let program = Program::start(command.arg("--no-state"));
    let line = program.line(0, "operators see the dashboard at");
    let port: u16 = line.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
    let get = |path: &str, fields: &[(&str, &str)]| http1::get(("127.0.0.1", port), "127.0.0.1", path, fields).status;
    assert_eq!(get("/health", &[]), 200);
    for path in ["/", "/metrics", "/state", "/explain?page=/"] {
        assert_eq!(get(path, &[]), 401, "{path}");
    }
    assert_eq!(get("/metrics", &[("authorization", "Bearer secret")]), 200);
}

/// The files that `cargo deb` packs are there, but for those that the release build and `cargo xtask packages` write.
#[test]
fn the_debian_package_names_files_that_there_are() {
    let manifest = include_str!("../../Cargo.toml");
    let assets = manifest.split("assets = [").nth(1).and_then(|rest| rest.split("\n]").next()).expect("a list");
    let sources: Vec<&str> = assets.lines().filter_map(|line| line.split('"').nth(1)).collect();
    assert!(sources.len() >= 5, "{sources:?}");
    for source in sources {
        let there = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(source).exists();
        assert!(there || source.starts_with("target/release/"), "{source}");
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

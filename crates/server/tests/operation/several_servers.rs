//! `docs/several-servers.md`: what its examples name is there, and the program takes what they set.

use std::process::Command;

use yaml_rust2::{Yaml, YamlLoader};

use super::rig::Files;

/// The code blocks of a language in the document.
fn blocks(language: &str) -> Vec<String> {
    let path = format!("{}/../../docs/several-servers.md", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let parts = text.split("\n```");
    let blocks = parts.filter_map(|part| part.strip_prefix(&format!("{language}\n")).map(str::to_owned));
    blocks.collect()
}

fn documents() -> Vec<Yaml> {
    let blocks = blocks("yaml");
    let parsed = blocks
        .iter()
        .flat_map(|block| YamlLoader::load_from_str(block).unwrap_or_else(|error| panic!("{error} in\n{block}")));
    parsed.collect()
}

/// What `headstart check` says of a configuration in a directory with a fleet's key; `environment` is set.
fn checked(text: &str, environment: &[(String, String)]) -> String {
    let files = Files::new();
    let key = |command: &mut Command| command.args(["fleet", "key", "new", "fleet.key"]).status();
    assert!(key(&mut files.program()).expect("it runs").success());
    files.write("checked.toml", text);
    let mut command = files.program();
    command.args(["check", "checked.toml"]).envs(environment.iter().cloned());
    let output = command.output().expect("it runs");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn text(value: &Yaml) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value:?}")).to_owned()
}

#[test]
fn its_configuration_has_a_fleet_without_a_mistake() {
    let block = blocks("toml").into_iter().find(|block| block.contains("[fleet]")).expect("a block");
    let start = block.find("[fleet]").expect("it is there");
    let rest = &block[start..];
    let fleet = rest.split("\n[").next().unwrap_or(rest).replace("/etc/headstart/", "");
    let said = checked(&fleet, &[]);
    assert!(said.contains("nothing is wrong"), "{said}");
}

#[test]
fn what_compose_and_kubernetes_set_is_taken() {
    let documents = documents();
    let compose = documents.iter().find(|document| !document["services"].is_badvalue()).expect("a file for compose");
    let web = &compose["services"]["web"];
    let secrets = web["secrets"].as_vec().expect("secrets");
    for secret in secrets {
        assert!(!compose["secrets"][&*text(secret)].is_badvalue(), "{secret:?} is not among the secrets");
    }
    let by_compose: Vec<(String, String)> = web["environment"]
        .as_hash()
        .expect("variables")
        .iter()
        .map(|(name, value)| (text(name), text(value)))
        .collect();
    let host = by_compose.iter().find(|(name, _)| name.ends_with("_URL")).map(|(_, url)| url.clone()).expect("a URL");
    let service = host.trim_start_matches("redis://").split(':').next().unwrap_or_default().to_owned();
    assert!(!compose["services"][&*service].is_badvalue(), "{service} is not among the services");

    let of_kind = |kind: &str| documents.iter().find(|document| document["kind"].as_str() == Some(kind));
    let pod = &of_kind("Deployment").expect("a deployment")["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let by_kubernetes: Vec<(String, String)> = container["env"]
        .as_vec()
        .expect("variables")
        .iter()
        .map(|variable| (text(&variable["name"]), text(&variable["value"])))
        .collect();
    let mounts = container["volumeMounts"].as_vec().expect("mounts");
    for mount in mounts {
        let volumes = pod["volumes"].as_vec().expect("volumes");
        assert!(volumes.iter().any(|volume| volume["name"] == mount["name"]), "{mount:?} mounts nothing");
    }
    let key = |variables: &[(String, String)]| {
        variables.iter().find(|(name, _)| name.ends_with("KEY_FILE")).map(|(_, path)| path.clone()).expect("a key file")
    };
    let path = key(&by_kubernetes);
    assert!(mounts.iter().any(|mount| path.starts_with(&text(&mount["mountPath"]))), "{path} is not mounted");
    assert!(secrets.iter().any(|secret| key(&by_compose) == format!("/run/secrets/{}", text(secret))));
    assert_eq!(of_kind("Service").expect("a service")["spec"]["sessionAffinity"].as_str(), Some("ClientIP"));

    for variables in [by_compose, by_kubernetes] {
        let here: Vec<(String, String)> = variables
            .into_iter()
            .map(|(name, value)| if name.ends_with("KEY_FILE") { (name, "fleet.key".into()) } else { (name, value) })
            .collect();
        assert_eq!(here.len(), 2);
        let said = checked("", &here);
        assert!(said.contains("nothing is wrong"), "{said}");
        // They are read: without the key the URL is a mistake.
        let url: Vec<_> = here.into_iter().filter(|(name, _)| !name.ends_with("KEY_FILE")).collect();
        assert!(checked("", &url).contains("key_file"));
    }
}

//! The workspace as cargo sees it: packages, their edges, their bench targets.

use crate::shell;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest: PathBuf,
    pub(crate) rust_version: Option<String>,
    pub(crate) published: bool,
    /// The fields that a registry shows and that its manifest does not have.
    pub(crate) unsaid: Vec<&'static str>,
    pub(crate) benches: Vec<String>,
    /// The root files of its library and programs, relative to the workspace.
    pub(crate) roots: Vec<String>,
    /// Names of the packages it depends on directly, in any way (normal, build, dev).
    pub(crate) direct: BTreeSet<String>,
    /// Names of all packages that end up in what is built from it, itself left out.
    pub(crate) linked: BTreeSet<String>,
}

/// Reads the members of the workspace, sorted by name, for this machine's platform.
pub(crate) fn members() -> Result<Vec<Package>, String> {
    let host = host()?;
    let args = ["metadata", "--format-version", "1", "--filter-platform", host.as_str()];
    let text = shell::output(&mut shell::cargo(args))?;
    let metadata = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    Ok(parse(&metadata))
}

fn parse(metadata: &Value) -> Vec<Package> {
    let names: BTreeMap<&str, &str> =
        list(&metadata["packages"]).map(|package| (text(&package["id"]), text(&package["name"]))).collect();
    // For each package the packages linked into it: its normal dependencies.
    let edges: BTreeMap<&str, Vec<&str>> = list(&metadata["resolve"]["nodes"])
        .map(|node| {
            (text(&node["id"]), list(&node["deps"]).filter(|dep| is_linked(dep)).map(|dep| text(&dep["pkg"])).collect())
        })
        .collect();
    let members: BTreeSet<&str> = list(&metadata["workspace_members"]).map(text).collect();
    let mut packages: Vec<Package> = list(&metadata["packages"])
        .filter(|package| members.contains(text(&package["id"])))
        .map(|package| Package {
            name: text(&package["name"]).to_owned(),
            manifest: PathBuf::from(text(&package["manifest_path"])),
            rust_version: package["rust_version"].as_str().map(str::to_owned),
            published: !package["publish"].is_array(),
            unsaid: unsaid(package),
            benches: list(&package["targets"])
                .filter(|target| list(&target["kind"]).any(|kind| kind == "bench"))
                .map(|target| text(&target["name"]).to_owned())
                .collect(),
            roots: roots(package),
            direct: list(&package["dependencies"]).map(|dep| text(&dep["name"]).to_owned()).collect(),
            linked: reachable(text(&package["id"]), &edges)
                .into_iter()
                .filter_map(|id| names.get(id).map(|name| (*name).to_owned()))
                .collect(),
        })
        .collect();
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    packages
}

/// Fields that are absent or empty. A program has no documentation on docs.rs.
fn unsaid(package: &Value) -> Vec<&'static str> {
    let is_library = list(&package["targets"]).any(|target| list(&target["kind"]).any(|kind| kind == "lib"));
    let all = ["categories", "description", "documentation", "keywords", "license", "readme", "repository"];
    let wanted = all.into_iter().filter(|field| is_library || *field != "documentation");
    wanted.filter(|field| text(&package[*field]).is_empty() && list(&package[*field]).next().is_none()).collect()
}

fn roots(package: &Value) -> Vec<String> {
    let code =
        list(&package["targets"]).filter(|target| list(&target["kind"]).any(|kind| kind == "lib" || kind == "bin"));
    let top = shell::root();
    let paths = code.map(|target| PathBuf::from(text(&target["src_path"])));
    paths.map(|path| path.strip_prefix(&top).unwrap_or(&path).to_string_lossy().replace('\\', "/")).collect()
}

fn is_linked(dep: &Value) -> bool {
    list(&dep["dep_kinds"]).any(|kind| kind["kind"].is_null())
}

/// The packages that can be reached from a package, itself left out unless a cycle leads back to it.
fn reachable<'a>(from: &'a str, edges: &BTreeMap<&str, Vec<&'a str>>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        for next in edges.get(id).into_iter().flatten() {
            if seen.insert(*next) {
                open.push(next);
            }
        }
    }
    seen
}

fn host() -> Result<String, String> {
    let version = shell::output(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc -vV names no host".to_owned())
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn follows_normal_edges_and_no_others() {
        let metadata = json!({
            "workspace_members": ["a#1"],
            "packages": [
                {"id": "a#1", "name": "a", "manifest_path": "a/Cargo.toml", "rust_version": "1.88", "publish": null,
                 "targets": [{"name": "speed", "kind": ["bench"]}, {"name": "a", "kind": ["lib"]}],
                 "categories": ["caching"], "description": "a", "documentation": "", "keywords": [], "license": "MIT",
                 "repository": "https://a.example/", "readme": null,
                 "dependencies": [{"name": "b"}, {"name": "d"}]},
                {"id": "b#1", "name": "b"}, {"id": "c#1", "name": "c"}, {"id": "d#1", "name": "d"},
            ],
            "resolve": {"nodes": [
                {"id": "a#1", "deps": [
                    {"pkg": "b#1", "dep_kinds": [{"kind": null}]}, {"pkg": "d#1", "dep_kinds": [{"kind": "dev"}]}]},
                {"id": "b#1", "deps": [{"pkg": "c#1", "dep_kinds": [{"kind": "build"}, {"kind": null}]}]},
                {"id": "c#1", "deps": [{"pkg": "b#1", "dep_kinds": [{"kind": null}]}]},
            ]},
        });
        let [a] = parse(&metadata).try_into().ok().expect("one member");
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(a.direct, set(&["b", "d"]));
        assert_eq!(a.linked, set(&["b", "c"]));
        assert_eq!(a.benches, ["speed"]);
        assert_eq!(a.unsaid, ["documentation", "keywords", "readme"]);
        assert!(a.published);
    }
}

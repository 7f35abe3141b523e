//! Where settings come from: flags, over the environment, over the file.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::place::Place;
use super::problems::Problems;
use super::tree::{self, Node};

/// What was typed: a path of keys (`["learn", "window"]`) and the value, with the name of the flag.
pub(crate) type Flag = (Vec<String>, Node);

/// Sections whose keys may stand in the environment, as `HEADSTART_LEARN_WINDOW`. Other variables with our prefix are
/// none of ours: Kubernetes makes some for every service that is called `headstart`.
const SECTIONS: [&str; 11] =
    ["admin", "cookie", "h2", "hint", "learn", "limits", "log", "push", "state", "timeouts", "tls"];

/// Variables with names of their own.
const SHORT: [(&str, &[&str]); 8] = [
    ("HEADSTART_ACCESS_LOG", &["log", "access"]),
    ("HEADSTART_ACCESS_LOG_FORMAT", &["log", "access_format"]),
    ("HEADSTART_ADMIN", &["admin", "listen"]),
    ("HEADSTART_LISTEN", &["listen"]),
    ("HEADSTART_CERT", &["tls", "cert"]),
    ("HEADSTART_KEY", &["tls", "key"]),
    ("HEADSTART_STATE", &["state", "file"]),
    ("HEADSTART_LOG", &["log", "filter"]),
];

/// Puts the layers on top of one another.
pub(crate) fn combine(
    file: Option<&Path>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    flags: Vec<Flag>,
    problems: &Problems,
) -> Node {
    let mut root = match file {
        Some(path) => match std::fs::read_to_string(path) {
            Ok(text) => tree::parse(path, text, problems),
            Err(error) => {
                problems.add(&Place::named(path.display().to_string()), "", format!("cannot be read: {error}"));
                Node::table("")
            }
        },
        None => Node::table(""),
    };
    let mut variables: Vec<_> =
        variables.into_iter().filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect();
    variables.sort();
    for (name, value) in variables {
        let Some(path) = variable(&name) else { continue };
        match value.into_string() {
            Ok(text) if text.is_empty() => {}
            Ok(text) => root.set(&path.iter().map(String::as_str).collect::<Vec<_>>(), Node::loose(&name, text)),
            Err(_) => problems.add(&Place::named(&name), "", "is not text"),
        }
    }
    for (path, node) in flags {
        root.set(&path.iter().map(String::as_str).collect::<Vec<_>>(), node);
    }
    root
}

/// The setting that an environment variable stands for.
fn variable(name: &str) -> Option<Vec<String>> {
    if let Some((_, path)) = SHORT.iter().find(|(short, _)| *short == name) {
        return Some(path.iter().map(|key| (*key).to_owned()).collect());
    }
    let (section, key) = name.strip_prefix("HEADSTART_")?.split_once('_')?;
    let section = section.to_ascii_lowercase();
    SECTIONS.contains(&&*section).then(|| vec![section, key.to_ascii_lowercase()])
}

/// The first file that is there of those that are looked for if none is named: the user's own, then the system's.
pub(crate) fn default_file(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let absolute = |name| variable(name).filter(|path| path.is_absolute());
    let home = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")));
    let places = [home, Some(PathBuf::from("/etc"))];
    places.into_iter().flatten().map(|place| place.join("headstart/headstart.toml")).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tree::Value;

    #[test]
    fn variables() {
        let path = |name| variable(name).map(|path| path.join("."));
        assert_eq!(path("HEADSTART_LEARN_HALF_LIFE").as_deref(), Some("learn.half_life"));
        assert_eq!(path("HEADSTART_STATE_DIR").as_deref(), Some("state.dir"));
        assert_eq!(path("HEADSTART_STATE").as_deref(), Some("state.file"));
        assert_eq!(path("HEADSTART_H2_MAX_STREAMS").as_deref(), Some("h2.max_streams"));
        assert_eq!(path("HEADSTART_PORT_443_TCP"), None);
        assert_eq!(path("HEADSTART_CONFIG"), None);
        assert_eq!(path("PATH"), None);
    }

    #[test]
    fn flags_go_over_the_environment_over_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("x.toml");
        std::fs::write(&file, "[learn]\nwindow = 1\nholdout = 2\nhalf_life = \"3d\"\n").unwrap();
        let variables = [("HEADSTART_LEARN_WINDOW", "4"), ("HEADSTART_LEARN_HOLDOUT", "5")];
        let flags = vec![(vec!["learn".to_owned(), "window".to_owned()], Node::loose("--window", "6"))];
        let problems = Problems::default();
        let root = combine(Some(&file), variables.map(|(n, v)| (n.into(), v.into())), flags, &problems);
        let Value::Table(entries) = root.value else { panic!() };
        let Value::Table(learn) = &entries["learn"].1.value else { panic!() };
        let shown: Vec<_> = learn.iter().map(|(key, (_, node))| format!("{key} {}", node.value.what())).collect();
        assert_eq!(shown, ["half_life \"3d\"", "holdout \"5\"", "window \"6\""]);
        assert_eq!(learn["window"].1.place.to_string(), "--window");
        assert_eq!(learn["holdout"].1.place.to_string(), "HEADSTART_LEARN_HOLDOUT");
        assert!(problems.into_sorted().is_empty());
    }

    #[test]
    fn a_file_that_is_not_there_is_a_problem() {
        let problems = Problems::default();
        combine(Some(Path::new("/none/x.toml")), [], Vec::new(), &problems);
        let problems = problems.into_sorted();
        assert!(problems[0].to_string().starts_with("/none/x.toml: cannot be read: No such file"));
    }

    #[test]
    fn the_default_file() {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().to_owned();
        let look = || default_file(|name| (name == "HOME").then(|| home.clone()));
        let file = home.join(".config/headstart/headstart.toml");
        assert_ne!(look().as_ref(), Some(&file));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "").unwrap();
        assert_eq!(look(), Some(file));
    }
}

//! Sources of settings: flags, over the environment, over the file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::place::Place;
use super::problems::{self, Problems};
use super::table;
use super::tree::{self, Node};

/// A flag as typed: a setting (`learn.window`) and the value, with the name of the flag.
pub(crate) type Flag = (String, Node);

/// All that settings come from.
pub(crate) struct Layers<'a> {
    pub(crate) file: Option<&'a Path>,
    /// The site named on the command line, which replaces the sites of the file.
    pub(crate) site: Option<Node>,
    /// The site that is served if no other is named.
    pub(crate) default_site: &'a dyn Fn() -> Option<Node>,
    pub(crate) variables: Vec<(OsString, OsString)>,
    pub(crate) flags: Vec<Flag>,
}

impl Layers<'_> {
    /// Puts the layers on top of one another.
    pub(crate) fn combine(self, problems: &Problems) -> Node {
        let mut root = read_file(self.file, problems);
        // An application that is named on the command line takes the place of the default, too.
        let has_application =
            self.flags.iter().any(|(path, _)| path.starts_with("site") && path.ends_with(".upstream"));
        let default_site =
            if self.site.is_none() && !has_application && !root.has("site") { (self.default_site)() } else { None };
        let mut set = |path: &str, node: Node| {
            let place = node.place.clone();
            if let Err(why) = root.set(path, node) {
                problems.add(&place, path, why);
            }
        };
        if let Some(site) = self.site.or(default_site) {
            set("site", site);
        }
        let names = Variables::of_the_table();
        let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value));
        let mut variables: Vec<_> = self.variables.into_iter().filter_map(text).collect();
        variables.sort();
        for (name, value) in variables {
            let Some(path) = names.setting(&name) else {
                if let Some(why) = names.unknown(&name) {
                    problems.add(&Place::named(&name), "", why);
                }
                continue;
            };
            match value.into_string() {
                Ok(text) if text.is_empty() => {}
                Ok(text) => set(path, Node::loose(&name, text)),
                Err(_) => problems.add(&Place::named(&name), "", "is not text"),
            }
        }
        for (path, node) in self.flags {
            set(&path, node);
        }
        root
    }
}

fn read_file(file: Option<&Path>, problems: &Problems) -> Node {
    let Some(path) = file else { return Node::table("") };
    match std::fs::read_to_string(path) {
        Ok(text) => tree::parse(path, text, problems),
        Err(error) => {
            problems.add(&Place::named(path.display().to_string()), "", format!("cannot be read: {error}"));
            Node::table("")
        }
    }
}

/// The settings that environment variables stand for.
struct Variables(BTreeMap<String, String>);

impl Variables {
    fn of_the_table() -> Self {
        let mut names = BTreeMap::new();
        for row in table::rows() {
            names.extend(row.variables().into_iter().map(|name| (name, row.path())));
        }
        Self(names)
    }

    fn setting(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The mistake in a variable that stands for no setting, if it is meant for this program.
    fn unknown(&self, name: &str) -> Option<String> {
        if !name.starts_with("HEADSTART_") || name == "HEADSTART_CONFIG" || is_of_a_service(name) {
            return None;
        }
        let near = problems::nearest_name(name, self.0.keys().map(String::as_str));
        let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
        Some(format!("no such setting{hint}"))
    }
}

/// Is it one of the variables that Kubernetes and Docker make for every service whose name begins with `headstart`?
fn is_of_a_service(name: &str) -> bool {
    let of_port = name.split_once("_PORT_").is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()));
    of_port
        || name.ends_with("_PORT")
        || name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.ends_with("_NAME")
        || name.contains("_ENV_")
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
        let names = Variables::of_the_table();
        let path = |name| names.setting(name);
        assert_eq!(path("HEADSTART_LEARN_HALF_LIFE"), Some("learn.half_life"));
        assert_eq!(path("HEADSTART_STATE_DIR"), Some("state.dir"));
        assert_eq!(path("HEADSTART_STATE"), Some("state.file"));
        assert_eq!(path("HEADSTART_H2_MAX_STREAMS"), Some("h2.max_streams"));
        assert_eq!(path("HEADSTART_LISTEN"), Some("listen"));
        assert_eq!(path("HEADSTART_LOG"), Some("log.filter"));
        for name in ["HEADSTART_PORT_443_TCP", "HEADSTART_CONFIG", "PATH"] {
            assert_eq!((path(name), names.unknown(name)), (None, None), "{name}");
        }
        for name in ["HEADSTART_SERVICE_HOST", "HEADSTART_ADMIN_SERVICE_PORT_HTTP", "HEADSTART_PORT"] {
            assert_eq!((path(name), names.unknown(name)), (None, None), "{name}");
        }
        assert_eq!(names.unknown("HEADSTART_FOO").as_deref(), Some("no such setting"));
        let near = names.unknown("HEADSTART_LEARN_WINDWO").unwrap();
        assert_eq!(near, "no such setting; did you mean HEADSTART_LEARN_WINDOW?");
    }

    #[test]
    fn flags_go_over_the_environment_over_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("x.toml");
        std::fs::write(&file, "[learn]\nwindow = 1\nholdout = 2\nhalf_life = \"3d\"\n").unwrap();
        let variables = [("HEADSTART_LEARN_WINDOW", "4"), ("HEADSTART_LEARN_HOLDOUT", "5")];
        let flags = vec![("learn.window".to_owned(), Node::loose("--window", "6"))];
        let problems = Problems::default();
        let variables = variables.map(|(name, value)| (name.into(), value.into())).into();
        let layers = Layers { file: Some(&file), site: None, default_site: &|| None, variables, flags };
        let root = layers.combine(&problems);
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
        read_file(Some(Path::new("/none/x.toml")), &problems);
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

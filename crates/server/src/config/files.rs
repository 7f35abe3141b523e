//! Settings of a site of files.

use std::path::PathBuf;

use super::place::At;
use super::section::Section;
use super::table;
use headstart_files::Config;

/// A directory, and how it is served.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) root: At<PathBuf>,
    pub(crate) config: Config,
}

impl PartialEq for Files {
    fn eq(&self, other: &Self) -> bool {
        self.root == other.root && format!("{:?}", self.config) == format!("{:?}", other.config)
    }
}

/// Reads the keys that go with `root`.
pub(super) fn read(section: &mut Section<'_>, root: At<PathBuf>) -> Files {
    let mut config = Config::default();
    table::site_fields().read_keys(section, &mut config.headers);
    table::files().read_keys(section, &mut config);
    Files { root, config }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::problems::Problems;
    use super::super::tree;
    use super::*;
    use headstart_files::{Dotfiles, Symlinks};

    fn check(text: &str) -> (Config, Vec<String>) {
        let problems = Problems::default();
        let mut root = Section::root(tree::parse(Path::new("x"), text.into(), &problems), &problems);
        let directory = root.get::<PathBuf>("root").expect("a root");
        let files = read(&mut root, directory);
        root.done();
        (files.config, problems.into_sorted().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn everything_that_can_be_said() {
        let (config, problems) = check(
            r#"
root = "x"
index = ["index.html", "index.htm"]
fallback = "app.html"
error_pages = { 404 = "404.html", 503 = "busy.html" }
compress = false
compress_from = "2KiB"
memory = "1MiB"
revalidate = 0
symlinks = "deny"
dotfiles = "serve"
media_types = { ".WASM" = "application/wasm" }
headers = { x-frame-options = "DENY" }
[cache_control]
"/z/**" = "no-store"
"*.css" = "max-age=60"
[[header]]
path = "*.js"
name = "x-a"
value = "b"
"#,
        );
        assert_eq!(problems, [""; 0]);
        assert_eq!(config.index, ["index.html", "index.htm"]);
        assert_eq!(config.fallback.as_deref(), Some("app.html"));
        assert_eq!(config.error_pages.len(), 2);
        assert!(config.compress.is_none() && config.compress_from == 2048 && config.max_memory == 1 << 20);
        assert_eq!(config.symlinks, Symlinks::Deny);
        assert_eq!(config.dotfiles, Dotfiles::Serve);
        assert_eq!(config.media_types["wasm"], "application/wasm");
        let first = &config.cache_control[0];
        assert!(first.0.matches("z/a.css") && first.1 == "no-store", "in the order of the file");
        assert_eq!(config.headers.len(), 2);
        assert!(config.headers[1].0.matches("a/b.js") && !config.headers[1].0.matches("b.css"));
    }

    #[test]
    fn mistakes() {
        for (text, expected) in [
            ("error_pages = { 200 = \"a\" }", "x:2:17: error_pages.200: is not the status"),
            ("error_pages = { 404 = \"../a\" }", "error_pages.404: \"../a\" is not the name of a file"),
            ("index = [\"/etc/passwd\"]", "index: \"/etc/passwd\" is not the name of a file"),
            ("cache_control = { \"[\" = \"x\" }", "is no pattern of paths"),
            ("headers = { content-length = \"1\" }", "headers.content-length: is set by the server"),
            ("headers = { \"a b\" = \"1\" }", "is not the name of a header field"),
            ("[[header]]\nname = \"a\"", "x:2:1: header[1]: needs a `name` and a `value`"),
            ("symlinks = \"maybe\"", "\"maybe\" is not one of deny, within, follow"),
        ] {
            let (_, problems) = check(&format!("root = \"x\"\n{text}"));
            assert!(problems.iter().any(|problem| problem.contains(expected)), "{text}: {problems:?}");
        }
    }
}

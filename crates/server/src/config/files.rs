//! What a site says of the files it serves.

use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};

use super::section::{At, Section};
use super::values::{Size, Wanted};
use headstart_coding::Levels;
use headstart_files::{Config, Dotfiles, Pattern, Symlinks};

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
    if let Some(index) = section.list::<String>("index") {
        config.index = index.into_iter().filter_map(|name| relative(section, name)).collect();
    }
    config.fallback = section.get::<String>("fallback").and_then(|name| relative(section, name));
    for (status, page) in section.pairs::<String>("error_pages") {
        let known = status.value.parse::<u16>().ok().filter(|status| (400..=599).contains(status));
        match known.and_then(|status| StatusCode::from_u16(status).ok()) {
            Some(status) => {
                config.error_pages.extend(relative(section, page).map(|page| (status, page)));
            }
            None => section.problem_at(&status, "is not the status of an error, 400 to 599"),
        }
    }
    // The first that matches counts, so the order in the file matters.
    for (pattern, value) in section.pairs::<HeaderValue>("cache_control") {
        config.cache_control.extend(parsed(section, &pattern).map(|pattern| (pattern, value.value)));
    }
    headers(section, &mut config);
    for (extension, value) in section.pairs::<HeaderValue>("media_types") {
        config.media_types.insert(extension.value.trim_start_matches('.').to_ascii_lowercase(), value.value);
    }
    config.precompressed = section.or("precompressed", config.precompressed);
    config.compress = section.or("compress", true).then(Levels::default);
    config.compress_from = section.or("compress_from", Size(config.compress_from)).0;
    config.max_memory = section.or("memory", Size(config.max_memory as u64)).bytes();
    config.max_file = section.or("max_file", Size(config.max_file)).0;
    let times = Duration::ZERO..=Duration::from_secs(3600);
    config.revalidate = section.within("revalidate", times).unwrap_or(config.revalidate);
    let symlinks = [("deny", Symlinks::Deny), ("within", Symlinks::Within), ("follow", Symlinks::Follow)];
    section.choose("symlinks", &mut config.symlinks, &symlinks);
    let dotfiles = [("deny", Dotfiles::Deny), ("well-known", Dotfiles::WellKnown), ("serve", Dotfiles::Serve)];
    section.choose("dotfiles", &mut config.dotfiles, &dotfiles);
    Files { root, config }
}

/// `headers` for all files, and `[[site.header]]` for some.
fn headers(section: &mut Section<'_>, config: &mut Config) {
    for (name, value) in section.pairs::<HeaderValue>("headers") {
        let field = field(section, &name);
        config.headers.extend(everything().zip(field).map(|(pattern, field)| (pattern, field, value.value)));
    }
    for mut header in section.sections("header").unwrap_or_default() {
        let pattern = if header.has("path") { header.value::<Pattern>("path") } else { everything() };
        let name = header.get::<String>("name");
        let value = header.get::<HeaderValue>("value");
        if let (Some(name), Some(value)) = (&name, value) {
            let field = field(&header, name);
            config.headers.extend(pattern.zip(field).map(|(pattern, field)| (pattern, field, value.value)));
        } else {
            header.problem("needs a `name` and a `value`");
        }
        header.done();
    }
}

fn everything() -> Option<Pattern> {
    "/**".parse().ok()
}

fn field(section: &Section<'_>, name: &At<String>) -> Option<HeaderName> {
    match name.value.parse::<HeaderName>() {
        Ok(field) if Config::reserved(&field) => {
            section.problem_at(name, "is set by the server itself: it frames the response, or says what its bytes are");
            None
        }
        Ok(field) => Some(field),
        Err(_) => {
            section.problem_at(name, format!("{:?} is not the name of a header field", name.value));
            None
        }
    }
}

fn parsed(section: &Section<'_>, pattern: &At<String>) -> Option<Pattern> {
    match pattern.value.parse() {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            section.problem_at(pattern, format!("{:?} is no pattern of paths: {error}", pattern.value));
            None
        }
    }
}

/// The name of a file below the directory.
fn relative(section: &Section<'_>, name: At<String>) -> Option<String> {
    let bad = |part: &str| matches!(part, "" | "." | "..");
    if name.value.split('/').any(bad) {
        section.problem_at(&name, format!("{:?} is not the name of a file below the directory", name.value));
        return None;
    }
    Some(name.value)
}

impl Wanted for Pattern {
    const WHAT: &'static str = "a pattern of paths, such as \"/blog/**\"";

    fn read(node: &super::tree::Node) -> Result<Self, Option<String>> {
        let text = String::read(node)?;
        text.parse().map_err(|error| Some(format!("{text:?} is no pattern of paths: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::problems::Problems;
    use super::super::tree;
    use super::*;

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

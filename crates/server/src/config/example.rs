//! The example file, `packaging/headstart.toml`, made of the table of settings.

use std::fmt::Write as _;

use super::setting::Row;
use super::table::{self, Chapter};

const HEAD: &str = "\
# The configuration of headstart, with every setting at its default unless a comment says otherwise.
# A server needs none of it: an empty file works. `headstart check FILE` finds every mistake, with its line.
#
# Times are seconds (15) or text with a unit (\"500ms\", \"15s\", \"10min\", \"12h\", \"7d\"); sizes are bytes or text (\"64MiB\").
# Paths are relative to the directory of this file. Every key can also be a flag (--set learn.window=20), and every key of
# a [section] a variable of the environment (HEADSTART_LEARN_WINDOW=20); flags go over variables, and both over this file.
";

/// Columns before the comment of a setting, and of a line in all.
const COMMENT: usize = 31;
const WIDTH: usize = 120;

/// The text of the file.
pub(crate) fn text() -> String {
    let mut text = HEAD.to_owned();
    for chapter in table::chapters() {
        add_chapter(&mut text, &chapter);
    }
    text
}

fn add_chapter(text: &mut String, chapter: &Chapter) {
    if let Some(title) = chapter.title {
        let rule = format!("# --- {title} ");
        let _ = write!(text, "\n{rule:-<WIDTH$}\n");
    }
    let start = if chapter.is_example { "# " } else { "" };
    text.push('\n');
    for line in chapter.about {
        let _ = writeln!(text, "# ({line})");
    }
    if !chapter.header.is_empty() {
        let _ = writeln!(text, "{start}{}", chapter.header);
    }
    for row in &chapter.rows {
        add_row(text, row, chapter.is_example);
    }
}

/// `key = value   # help`; without a default, or in an example, as a comment.
fn add_row(text: &mut String, row: &Row, is_example: bool) {
    let (value, start) = match &row.default {
        _ if !row.sample.is_empty() => (row.sample, "# "),
        Some(default) => (default.as_str(), if is_example { "# " } else { "" }),
        // It has a section of its own.
        None => return,
    };
    let setting = format!("{start}{} = {value}", row.key);
    let help = match row.otherwise {
        "" => row.help.to_owned(),
        otherwise => format!("{}; by default {otherwise}", row.help),
    };
    let setting = if help.is_empty() { setting } else { format!("{setting:<COMMENT$}# {help}") };
    if setting.chars().count() <= WIDTH {
        let _ = writeln!(text, "{setting}");
    } else {
        let _ = writeln!(text, "# ({help}:)\n{start}{} = {value}", row.key);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::problems::Problems;
    use crate::config::{Settings, tree};

    fn read(text: String) -> (Settings, Vec<String>) {
        let problems = Problems::default();
        let node = tree::parse(Path::new("x"), text, &problems);
        let settings = Settings::read(node, &problems, false);
        (settings, problems.into_sorted().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_example_is_made_of_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/headstart.toml");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, text()).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap();
        assert!(kept == text(), "UPDATE=1 cargo test -p headstart-server the_example_is_made_of_the_table");
    }

    #[test]
    fn the_example_says_the_defaults() {
        let (example, problems) = read(text());
        assert_eq!(problems, [""; 0]);
        let (default, _) = read(String::new());
        assert_eq!(example.needing_restart(&default), [""; 0]);
        assert_eq!(format!("{:?}", example.engine), format!("{:?}", default.engine));
        let listen = |settings: &Settings| {
            let shown = settings.listen.iter().map(|l| (l.socket.value.to_string(), l.tls, l.proxy_protocol.clone()));
            shown.collect::<Vec<_>>()
        };
        assert_eq!(listen(&example), listen(&default));
        assert_eq!(example.tls, default.tls);
    }

    /// Commented settings are settings as well: no key in the example is unknown, and no value is refused for its form.
    #[test]
    fn every_key_of_the_example_is_one() {
        let text = text();
        let uncommented: Vec<_> = text
            .lines()
            .map(|line| {
                let setting = line.strip_prefix("# ").filter(|rest| {
                    let key = rest.split([' ', '=']).next().unwrap_or_default();
                    rest.starts_with('[')
                        || (rest.contains(" = ") && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
                });
                setting.unwrap_or(line)
            })
            .collect();
        let (settings, problems) = read(uncommented.join("\n"));
        // The rules and the key of other files, an address beside the socket of systemd, and `ca` beside `insecure`.
        let expected = ["cannot read the rules", "cannot read eab.key", "not both", "contradicts `ca`"];
        for problem in &problems {
            assert!(expected.iter().any(|part| problem.contains(part)), "{problem}");
        }
        assert_eq!((settings.sites.len(), settings.rules.len()), (2, 2));
    }

    /// Every configuration of the documentation is one that can be read.
    #[test]
    fn configurations_of_the_documentation_are_understood() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
        let mut pages = 0;
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let blocks: Vec<String> = text
                .split("```toml")
                .skip(1)
                .map(|rest| rest.split("```").next().unwrap_or_default().replace("\n  ", "\n"))
                .collect();
            pages += usize::from(!blocks.is_empty());
            for block in blocks {
                let (settings, problems) = read(block);
                assert_eq!(problems, [""; 0], "{}", path.display());
                assert!(!settings.sites.is_empty(), "{}", path.display());
            }
        }
        assert!(pages >= 8, "{pages} pages with a configuration");
    }

    #[test]
    fn every_setting_has_a_help_and_one_row() {
        let mut seen = std::collections::BTreeSet::new();
        for row in table::rows() {
            assert!(seen.insert(row.path()), "{} has two rows", row.path());
            let own_section = row.default.is_none() && row.sample.is_empty() && row.flag.is_none();
            assert!(!row.help.is_empty() || own_section || row.section == "site.header", "{}", row.path());
        }
        assert!(seen.len() > 100);
    }
}

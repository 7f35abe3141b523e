//! A setting is written in the table of settings and nowhere else: its key, its flag and its variable are not spelled out
//! in other files of the program, and sections of the configuration are read by rows alone.

use super::{Finding, Source};

const PROGRAM: &str = "crates/server/src/";
const TABLE: &str = "crates/server/src/config/table/";

/// How the values of a section are read, by the rows of the table and by what stands behind `custom` rows.
const READERS: &[&str] =
    &["config/section.rs", "config/setting.rs", "config/fields.rs", "config/rules.rs", "config/table/"];
const READS: &[&str] = &[".get::<", "section.get(", "section.list", "root.get(", "root.list", ".pairs::<"];

pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let program = || sources.iter().filter(|source| source.path.starts_with(PROGRAM) && source.is("rs"));
    let table = program().filter(|source| source.path.starts_with(TABLE));
    let settings: Vec<Setting<'_>> = table.flat_map(|source| settings(&source.text)).collect();
    if settings.is_empty() {
        return vec![Finding::new(TABLE, "has no row")];
    }
    program().filter(|source| !source.path.starts_with(TABLE)).flat_map(|source| check_one(source, &settings)).collect()
}

/// What of a row may be written once.
#[derive(Debug, PartialEq)]
struct Setting<'a> {
    section: &'a str,
    key: &'a str,
    flag: Option<&'a str>,
}

/// The rows of a file of the table.
fn settings(text: &str) -> Vec<Setting<'_>> {
    let mut section = "";
    let mut found: Vec<Setting<'_>> = Vec::new();
    for line in code(text) {
        if let Some(name) = argument(line, "::new(\"") {
            section = name;
        }
        for row in [".value(\"", ".within(\"", ".checked(\"", ".size(\"", ".choice(\"", ".custom(\""] {
            found.extend(argument(line, row).map(|key| Setting { section, key, flag: None }));
        }
        if let (Some(flag), Some(last)) = (argument(line, ".flag(\""), found.last_mut()) {
            last.flag = Some(flag);
        }
    }
    found
}

/// The text between `before` and the next quote.
fn argument<'a>(line: &'a str, before: &str) -> Option<&'a str> {
    line.split_once(before)?.1.split_once('"').map(|(argument, _)| argument)
}

/// Lines of code with their comments, without the tests below.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().take_while(|line| *line != "#[cfg(test)]")
}

fn check_one(source: &Source, settings: &[Setting<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(code(&source.text)) {
        if line.trim_start().starts_with("//") {
            continue;
        }
        let mut find = |what: String| findings.push(Finding::new(format!("{}:{number}", source.path), what));
        if line.contains("\"HEADSTART_") && !line.contains("\"HEADSTART_CONFIG\"") && !line.contains("\"HEADSTART_\"") {
            find("names the variable of a setting: that belongs into its row (config/table)".to_owned());
        }
        for setting in settings {
            let path = format!("\"{}.{}\"", setting.section, setting.key);
            let flag = setting.flag.map(|flag| format!("\"--{flag}\""));
            if line.contains(&path) || flag.is_some_and(|flag| line.contains(&flag)) {
                find(format!("names {}.{}, which has a row (config/table)", setting.section, setting.key));
            }
        }
        let in_config = source.path.contains("/config/");
        let reads = in_config && READS.iter().any(|read| line.contains(read));
        if reads && !READERS.iter().any(|reader| source.path.contains(reader)) {
            find("reads a setting that has no row (config/table)".to_owned());
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "fn learn() {\n    Group::<Engine>::new(\"learn\")\n        .within(\"window\", A..=B, |to| &mut to.window)\n        \
                        .flag(\"window\", Takes::Value(\"TIME\"))\n        .value(\"holdout\", |to| &mut to.holdout)\n}\n";

    #[track_caller]
    fn check_file(path: &str, text: &str, finding: Option<&str>) {
        let source = |path: &str, text: &str| Source { path: format!("{PROGRAM}{path}"), text: text.to_owned() };
        let found = check(&[source("config/table/engine.rs", ROWS), source(path, text)]);
        assert_eq!(found.len(), usize::from(finding.is_some()), "{text}: {found:?}");
        if let (Some(found), Some(finding)) = (found.first(), finding) {
            assert!(found.to_string().contains(finding), "{found}");
        }
    }

    #[test]
    fn rows_are_found() {
        let expected = [
            Setting { section: "learn", key: "window", flag: Some("window") },
            Setting { section: "learn", key: "holdout", flag: None },
        ];
        assert_eq!(settings(ROWS), expected);
    }

    #[test]
    fn a_setting_is_written_in_the_table_alone() {
        check_file("serve.rs", "let window = settings.engine.window;\n", None);
        check_file("overrides.rs", "    (\"--window\", a),\n", Some("names learn.window"));
        check_file("overrides.rs", "    add(\"learn.holdout\", a);\n", Some("names learn.holdout"));
        check_file("args.rs", "#[arg(env = \"HEADSTART_LISTEN\")]\n", Some("variable of a setting"));
        check_file("args.rs", "#[arg(env = \"HEADSTART_CONFIG\")]\n", None);
        check_file("config/engine.rs", "let x = section.get::<u32>(\"x\");\n", Some("no row"));
        check_file("config/fields.rs", "let x = section.get::<u32>(\"x\");\n", None);
        check_file("config/engine.rs", "// section.get::<u32>(\"x\") is told here\n", None);
        check_file("overrides.rs", "#[cfg(test)]\nmod tests { (\"--window\", a); }\n", None);
    }
}

//! `cargo xtask fuzz`: runs cargo-fuzz on one target, or on each for a while.

use crate::shell;
use std::fs;

pub(crate) struct Options {
    target: Option<String>,
    seconds: u32,
}

impl Options {
    pub(crate) fn parse<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut options = Self { target: None, seconds: 60 };
        while let Some(word) = words.next() {
            match word {
                "--seconds" => {
                    let value = words.next().ok_or("--seconds needs a number")?;
                    options.seconds = value.parse().map_err(|_| format!("--seconds: `{value}` is not a number"))?;
                }
                flag if flag.starts_with('-') => return Err(format!("unknown flag `{flag}`")),
                target if options.target.is_none() => options.target = Some(target.to_owned()),
                extra => return Err(format!("unexpected argument `{extra}`")),
            }
        }
        Ok(options)
    }
}

pub(crate) fn run(options: &Options) -> Result<(), String> {
    let targets = targets()?;
    if !shell::is_on_path("cargo-fuzz") {
        return Err(
            "cargo-fuzz is not installed. Do: cargo install cargo-fuzz --locked; rustup toolchain install nightly"
                .into(),
        );
    }
    let chosen: Vec<&String> = match &options.target {
        None => targets.iter().collect(),
        Some(name) => {
            let known = || format!("no fuzz target `{name}`; there are: {}", targets.join(", "));
            vec![targets.iter().find(|target| *target == name).ok_or_else(known)?]
        }
    };
    for target in chosen {
        let limit = format!("-max_total_time={}", options.seconds);
        // The cargo that runs us is a fixed toolchain; cargo-fuzz needs nightly, chosen through rustup's proxy.
        let mut command = std::process::Command::new("cargo");
        command.current_dir(shell::root()).env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
        shell::step(target, command.args(["+nightly", "fuzz", "run", target, "--", &limit]))?;
    }
    Ok(())
}

/// Names of the `[[bin]]`s of the fuzz crate, as its manifest lists them.
fn targets() -> Result<Vec<String>, String> {
    let path = shell::root().join("fuzz/Cargo.toml");
    let manifest = fs::read_to_string(&path).map_err(|error| format!("fuzz/Cargo.toml: {error}"))?;
    Ok(bins(&manifest))
}

fn bins(manifest: &str) -> Vec<String> {
    let sections = manifest.split("[[bin]]").skip(1);
    let names = sections.filter_map(|section| section.lines().find_map(|line| line.trim().strip_prefix("name")));
    names.filter_map(|rest| rest.split('"').nth(1)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_from_the_manifest() {
        let manifest = "[package]\nname = \"fuzz\"\n\n[[bin]]\nname = \"one\"\npath = \"one.rs\"\n\n[[bin]]\npath = \"x\"\nname=\"two\"\n";
        assert_eq!(bins(manifest), ["one", "two"]);
    }

    #[test]
    fn flags_are_checked() {
        let parse = |words: &[&str]| Options::parse(words.iter().copied());
        assert!(parse(&["one", "--seconds", "5"]).is_ok_and(|o| o.seconds == 5 && o.target.as_deref() == Some("one")));
        for bad in [&["--seconds"][..], &["--seconds", "x"], &["--fast"], &["one", "two"]] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}

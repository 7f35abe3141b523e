//! `[learn]`, `[push]`, `[hint]`, `[cookie]`: what is learned and what is sent early.

use std::time::Duration;

use headstart::{Budget, CookieFormat, VerifyHeld};

use super::section::Section;
use super::values::Size;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);
const MILLISECOND: Duration = Duration::from_millis(1);

/// Settings of the engine. They hold until the next start.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Engine {
    pub(crate) half_life: Duration,
    pub(crate) window: Duration,
    /// By default 1 where only loopback addresses are served, else 3.
    pub(crate) min_networks: Option<u32>,
    pub(crate) holdout: u32,
    pub(crate) memory: Size,
    pub(crate) push_threshold: f32,
    pub(crate) max_pushes: u32,
    pub(crate) max_push_bytes: Size,
    pub(crate) hint_threshold: f32,
    pub(crate) max_hints: u32,
    pub(crate) cookie: CookieFormat,
    pub(crate) verify_held: Option<VerifyHeld>,
}

/// Reads the sections.
pub(super) fn read(root: &mut Section<'_>) -> Engine {
    let mut learn = root.section("learn");
    let half_life = learn.within("half_life", MINUTE..=365 * DAY).unwrap_or(DAY);
    let window = learn.within("window", MILLISECOND..=60 * MINUTE).unwrap_or(Duration::from_secs(15));
    let min_networks = learn.within("min_networks", 1..=16);
    let holdout = learn.or("holdout", 32);
    let memory = learn.within("memory", Size::mib(1)..=Size::mib(1 << 20)).unwrap_or(Size::mib(64));
    learn.done();

    let mut push = root.section("push");
    let push_threshold = push.within("threshold", 0.0..=1.0).unwrap_or(0.4);
    let budget = Budget::default();
    let max_pushes = push.within("max_per_page", 0..=1024).unwrap_or(budget.max_pushes as u32);
    let max_push_bytes = push.or("max_page_bytes", Size(budget.max_push_bytes));
    push.done();

    let mut hint = root.section("hint");
    let hint_threshold = hint.within("threshold", 0.0..=1.0).unwrap_or(0.25);
    let max_hints = hint.within("max_per_page", 0..=1024).unwrap_or(budget.max_hints as u32);
    hint.done();

    let mut section = root.section("cookie");
    let mut cookie = CookieFormat::default();
    if let Some(format) = section.get::<String>("format") {
        match cookie_format(&format.value) {
            Ok(found) => cookie = found,
            Err(why) => section.problem_at(&format, why),
        }
    }
    let mut verify_held = None;
    if let Some(verify) = section.get::<String>("verify") {
        match &*verify.value {
            "always" => verify_held = Some(VerifyHeld::Always),
            "mutable" => verify_held = Some(VerifyHeld::Mutable),
            "never" => verify_held = Some(VerifyHeld::Never),
            _ => section.problem_at(&verify, "has to be one of \"always\", \"mutable\", \"never\""),
        }
    }
    section.done();
    Engine {
        half_life,
        window,
        min_networks,
        holdout,
        memory,
        push_threshold,
        max_pushes,
        max_push_bytes,
        hint_threshold,
        max_hints,
        cookie,
        verify_held,
    }
}

/// `headstart`, `go-casper[:P:N]`, `h2o[:BITS]` or `off`.
fn cookie_format(text: &str) -> Result<CookieFormat, String> {
    let number = |text: &str| text.parse::<u32>().map_err(|_| format!("{text:?} is not a number"));
    let format = match text.split(':').collect::<Vec<_>>()[..] {
        ["headstart"] => CookieFormat::Headstart,
        ["go-casper"] => CookieFormat::GoCasper { keys: 10, p: 64 },
        ["go-casper", p, keys] => CookieFormat::GoCasper { keys: number(keys)?, p: number(p)? },
        ["h2o"] => CookieFormat::H2oCasper { capacity_bits: 13 },
        ["h2o", bits] => CookieFormat::H2oCasper { capacity_bits: number(bits)? },
        ["off"] => CookieFormat::Off,
        _ => return Err(format!("{text:?} is not one of headstart, go-casper[:P:N], h2o[:BITS], off")),
    };
    match headstart::Headstart::builder().memory_bytes(1 << 20).cookie(format).build() {
        Ok(_) => Ok(format),
        Err(error) => Err(format!("{text:?} cannot be used: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookie_formats() {
        assert_eq!(cookie_format("go-casper"), Ok(CookieFormat::GoCasper { keys: 10, p: 64 }));
        assert_eq!(cookie_format("go-casper:1024:80"), Ok(CookieFormat::GoCasper { keys: 80, p: 1024 }));
        assert_eq!(cookie_format("h2o:12"), Ok(CookieFormat::H2oCasper { capacity_bits: 12 }));
        assert_eq!(cookie_format("off"), Ok(CookieFormat::Off));
        assert!(cookie_format("go-casper:x:1").unwrap_err().contains("\"x\""));
        assert!(cookie_format("h2o:99").is_err());
        assert!(cookie_format("bloom").is_err());
    }
}

//! `[learn]`, `[push]`, `[hint]`, `[cookie]`, `[markup]`, `[edge]`, `[gain]`, `[beacon]`: what is learned and what is sent early.

use std::time::Duration;

use headstart::{Budget, CookieFormat, Markup, VerifyHeld};

use super::tree::Node;
use super::values::Wanted;

/// Settings of the engine. They hold until the next start.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Engine {
    pub(crate) half_life: Duration,
    pub(crate) window: Duration,
    /// By default 1 where every client is local, else 3.
    pub(crate) min_networks: Option<u32>,
    pub(crate) holdout: u32,
    /// Fields of a query that tell no pages apart, beside those that are known to name a campaign.
    pub(crate) campaign_fields: Vec<String>,
    pub(crate) memory_bytes: usize,
    pub(crate) push_threshold: f32,
    pub(crate) hint_threshold: f32,
    /// The budget of a page, unless its site says otherwise.
    pub(crate) budget: Budget,
    pub(crate) cookie: CookieFormat,
    pub(crate) verify_held: Option<VerifyHeld>,
    /// Uses of the markup of pages.
    pub(crate) markup: Markup,
    /// A cache in front keeps what one client is answered for others.
    pub(crate) shared_edge: bool,
    /// Hold-outs get help like others, to check the measurement of the gain.
    pub(crate) aa: bool,
    /// Pages carry tokens with which browsers may report what a view was like.
    pub(crate) beacon: bool,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            half_life: Duration::from_secs(24 * 3600),
            window: Duration::from_secs(15),
            min_networks: None,
            holdout: 32,
            campaign_fields: Vec::new(),
            memory_bytes: 64 << 20,
            push_threshold: 0.4,
            hint_threshold: 0.25,
            budget: Budget::default(),
            cookie: CookieFormat::default(),
            verify_held: None,
            markup: Markup::default(),
            shared_edge: false,
            aa: false,
            beacon: false,
        }
    }
}

/// `headstart`, `go-casper[:P:N]`, `h2o[:BITS]` or `off`.
impl Wanted for CookieFormat {
    const WHAT: &'static str = "the format of a cookie in quotes";

    fn read(node: &Node) -> Result<Self, Option<String>> {
        cookie_format(&String::read(node)?).map_err(Some)
    }

    fn show(&self) -> String {
        match self {
            Self::Headstart => "headstart".into(),
            Self::GoCasper { keys, p } => format!("go-casper:{p}:{keys}"),
            Self::H2oCasper { capacity_bits } => format!("h2o:{capacity_bits}"),
            _ => "off".into(),
        }
    }
}

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
        for text in ["headstart", "go-casper:64:10", "h2o:12", "off"] {
            assert_eq!(cookie_format(text).unwrap().show(), text);
        }
    }
}

//! User agents that are programs and not people.

/// Words of user agents that are programs, in lower case.
const BOTS: [&str; 24] = [
    "apache-httpclient",
    "bot",
    "check",
    "crawl",
    "curl",
    "facebookexternalhit",
    "feed",
    "fetch",
    "go-http",
    "headless",
    "java/",
    "libwww",
    "lighthouse",
    "monitor",
    "okhttp",
    "perl",
    "preview",
    "python",
    "rss",
    "ruby",
    "slurp",
    "spider",
    "validator",
    "wget",
];

/// Whether it says so itself, or says nothing.
pub(crate) fn is_bot(agent: &str) -> bool {
    let agent = agent.to_ascii_lowercase();
    agent.is_empty() || BOTS.iter().any(|word| agent.contains(word))
}

//! Rows of `[learn]`, `[push]`, `[hint]`, `[cookie]`, `[markup]`, `[edge]`, `[gain]` and `[beacon]`.

use std::time::Duration;

use headstart::VerifyHeld;

use crate::config::engine::Engine;
use crate::config::setting::{Group, Takes};
use crate::config::size::Size;

const MILLISECOND: Duration = Duration::from_millis(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

pub(in crate::config) fn learn() -> Group<Engine> {
    Group::<Engine>::new("learn")
        .within("half_life", MINUTE..=YEAR, |to| &mut to.half_life)
        .help("time in which the weight of a page view halves")
        .within("window", MILLISECOND..=HOUR, |to| &mut to.window)
        .help("time after a page request in which its assets are counted to it")
        .flag("window", Takes::Value("TIME"))
        .within("min_networks", 1..=16, |to| &mut to.min_networks)
        .help("networks that must have loaded a page before anything is sent early for it")
        .otherwise("1 if every client is local, else 3")
        .sample("3")
        .flag("min-networks", Takes::Value("N"))
        .value("holdout", |to| &mut to.holdout)
        .help("about one page view in N gets nothing early, as evidence of what the page needs by itself; 0 is none")
        .flag("holdout", Takes::Value("N"))
        .value("campaign_fields", |to| &mut to.campaign_fields)
        .help("fields of a query that tell no pages apart, beside utm_*, gclid, fbclid and their kind")
        .size("memory", Size::mib(1)..=Size::mib(1 << 20), |to| &mut to.memory_bytes)
        .help("bytes for what is learned")
}

pub(in crate::config) fn push() -> Group<Engine> {
    Group::<Engine>::new("push")
        .within("threshold", 0.0..=1.0, |to| &mut to.push_threshold)
        .help("lower bound of the probability that the page needs the asset")
        .within("max_per_page", 0..=1024, |to| &mut to.budget.max_pushes)
        .help("pushes of a page")
        .size("max_page_bytes", Size(0)..=Size(u64::MAX), |to| &mut to.budget.max_push_bytes)
        .help("bytes of these together")
}

pub(in crate::config) fn hint() -> Group<Engine> {
    Group::<Engine>::new("hint")
        .within("threshold", 0.0..=1.0, |to| &mut to.hint_threshold)
        .help("lower bound of the probability that the page needs the asset")
        .within("max_per_page", 0..=1024, |to| &mut to.budget.max_hints)
        .help("assets that are named in a 103 or in Link of a page")
}

pub(in crate::config) fn markup() -> Group<Engine> {
    Group::<Engine>::new("markup")
        .value("read", |to| &mut to.markup.read)
        .help("pages are read beside the path of the request, for how they ask for their assets")
        .value("attributes", |to| &mut to.markup.attributes)
        .help("hints carry the attributes that the page gives its assets; what it puts off is not hinted")
        .value("changes", |to| &mut to.markup.changes)
        .help("what the page names no longer is not sent")
        .value("cold_start", |to| &mut to.markup.cold_start)
        .help("a public page is helped from its first views on by what it says itself")
        .value("preconnect", |to| &mut to.markup.preconnect)
        .help("other origins that the page needs are named by rel=preconnect, four at most")
}

pub(in crate::config) fn edge() -> Group<Engine> {
    Group::<Engine>::new("edge")
        .value("shared", |to| &mut to.shared_edge)
        .help("a cache in front keeps responses for others: no cookie, nothing subtracted, no view held out")
}

pub(in crate::config) fn gain() -> Group<Engine> {
    Group::<Engine>::new("gain")
        .value("aa", |to| &mut to.aa)
        .help("hold-outs get help too and teach nothing: a check of the measurement, which has to find no difference")
}

pub(in crate::config) fn beacon() -> Group<Engine> {
    Group::<Engine>::new("beacon")
        .value("enabled", |to| &mut to.beacon)
        .help("browsers may report what a view was like, by a script that pages include; measurement, nothing is learned from it")
}

const VERIFY: &[(&str, Option<VerifyHeld>)] =
    &[("always", Some(VerifyHeld::Always)), ("mutable", Some(VerifyHeld::Mutable)), ("never", Some(VerifyHeld::Never))];

pub(in crate::config) fn cookie() -> Group<Engine> {
    Group::<Engine>::new("cookie")
        .value("format", |to| &mut to.cookie)
        .help("format of the cookie that says what a client holds: headstart, go-casper[:P:N], h2o[:BITS] or off")
        .details(
            "`headstart` is our own: keyed, bounded, and aware of changed files. `go-casper[:P:N]` is `x-go-casper` as the \
             Go library writes it after `casper.New(P, N)`, by default 64 and 10. `h2o[:BITS]` is `h2o_casper` as the \
             server H2O writes it with `capacity-bits`, by default 13. `off` is none: what a client holds is known on its \
             connection only.",
        )
        .flag("cookie", Takes::Value("FORMAT"))
        .choice("verify", VERIFY, |to| &mut to.verify_held)
        .help("whether what a client holds is compared with what would be sent now: always, mutable or never")
        .otherwise("mutable with an upstream, else always")
        .sample("\"always\"")
}

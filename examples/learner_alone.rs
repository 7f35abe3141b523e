//! The learner alone, on a log of JSON lines: what does a page need, and how sure is that? There is no clock: times are those of
//! the log. (The program's `headstart learn` reads the formats of access logs that there are.)
//!
//! `cargo run --package headstart-examples --example learner_alone [LOG]`

use std::error::Error;
use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime};

use headstart_learn::{
    Asset, CacheState, ClientClass, ClientId, Config, Destination, Fetch, Fetched, Freshness, Learner, Navigation,
    NetworkId, Page, Referrer, ReferrerPolicy, Site, Time,
};

/// A page, or an asset of the page that `referer` names.
#[derive(serde::Deserialize)]
struct Line {
    /// Seconds since 1970.
    ts: f64,
    ip: Ipv4Addr,
    path: String,
    /// As `Sec-Fetch-Dest` has it.
    dest: String,
    bytes: u64,
    referer: Option<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let log = std::env::args().nth(1).unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/log.jsonl").to_owned());
    let learner = Learner::new(Config::builder().min_networks(2).build()?);
    let site = learner.site("example.org").ok_or("there is no room for another site")?;
    let mut now = Time::default();
    for line in std::fs::read_to_string(log)?.lines() {
        let line: Line = serde_json::from_str(line)?;
        now = Time::from(SystemTime::UNIX_EPOCH + Duration::try_from_secs_f64(line.ts)?);
        report(&learner, site, now, &line);
    }
    learner.finish(now);

    for asset in learner.explain(now, site, Page::from("/"), ClientClass::Other).assets {
        println!("{} {:.2}, at least {:.2}: {:?}", asset.path, asset.probability, asset.lower_bound, asset.verdict);
    }
    let plan = learner.plan(now, site, Page::from("/"), ClientClass::Other);
    println!("{}", serde_json::to_string(&plan)?);
    Ok(())
}

/// Tells the learner of one line.
fn report(learner: &Learner, site: Site, now: Time, line: &Line) {
    let client = ClientId::new(u64::from(line.ip.to_bits()));
    let destination = Destination::from_name(&line.dest).unwrap_or_default();
    if destination == Destination::Document {
        let navigation = Navigation {
            site,
            page: Page::from(&*line.path),
            client,
            // A /24 is one network, and has one voice.
            network: NetworkId::new(u64::from(line.ip.to_bits() >> 8)),
            connection: None,
            class: ClientClass::Other,
            // A log does not say what a browser had in its cache.
            cache: CacheState::Unknown,
        };
        let visit = learner.navigate(now, &navigation);
        // The server answered with a page.
        learner.confirm(now, visit, ReferrerPolicy::Unknown);
        return;
    }
    let (path, cors, bytes) = (&*line.path, destination == Destination::Font, line.bytes);
    let asset = Asset { path, destination, cors, bytes, validator: 0, freshness: Freshness::Fresh, personal: false };
    let referrer = line.referer.as_deref().map_or(Referrer::Absent, Referrer::Path);
    let (asked, fetched) = (now, Fetched::Full(asset));
    learner.fetched(now, &Fetch { site, client, connection: None, referrer, asked, urgency: None, fetched });
}

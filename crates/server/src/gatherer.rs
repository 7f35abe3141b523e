//! From the lines of access logs to page views.
//!
//! Servers log a request when it ends, and some logs are coarse or shuffled within a
//! minute; so an asset may stand before the page that pulled it in. A view is
//! therefore put together from everything within the window on either side of its page, and
//! the window is longer by what the times of the log are off.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use crate::access_log::{Lacking, Line, Parsed};
use crate::assembly::{Assembly, Named, Request};
use crate::bots::is_bot;
use crate::disorder::Disorder;
use crate::identity::identity;
use crate::names::{NameId, Names};
use crate::tally::Tally;
use crate::target::{destination, is_icon, origin_form, split_url, without_query};
use crate::views::{Gone, Views};
use headstart::Headstart;

/// Selects the lines of a log that concern a site.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    /// Names of the site in Referers; empty for the one seen most.
    pub(crate) hosts: Vec<String>,
    /// Paths under these are assets whatever their extension.
    pub(crate) asset_prefixes: Vec<String>,
    /// Milliseconds.
    pub(crate) window: u64,
}

/// Assets that name one another: a stylesheet that imports one that imports one.
const MAX_DEPTH: usize = 16;

/// Collects lines, then puts them together as views.
pub(crate) struct Gatherer {
    scope: Scope,
    names: Names,
    requests: Vec<Request>,
    gone: Vec<Gone>,
    /// How often each host was a Referer.
    referers: HashMap<Box<str>, u64>,
    pub(crate) tally: Tally,
    disorder: Disorder,
    /// The last format seen that carries no Referer.
    pub(crate) lacking: Option<&'static Lacking>,
    networks: Option<Networks>,
}

/// Gives the network of an address its number.
pub(crate) type Networks = Box<dyn Fn(IpAddr) -> u64>;

impl Gatherer {
    pub(crate) fn new(scope: Scope) -> Self {
        Self {
            scope,
            names: Names::default(),
            requests: Vec::new(),
            gone: Vec::new(),
            referers: HashMap::new(),
            tally: Tally::default(),
            disorder: Disorder::new(),
            lacking: None,
            networks: None,
        }
    }

    /// Numbers networks so, and not by a hash of our own.
    pub(crate) fn with_networks(mut self, networks: Networks) -> Self {
        self.networks = Some(networks);
        self
    }

    /// Takes in one line of a log.
    pub(crate) fn add(&mut self, line: Parsed<'_>) {
        let line = match line {
            Parsed::Nothing => return,
            Parsed::Line(line) => line,
            Parsed::WithoutReferer(lacking) => {
                self.tally.lines += 1;
                self.tally.without_referer += 1;
                self.lacking = Some(lacking);
                return;
            }
            Parsed::Malformed => {
                self.tally.lines += 1;
                self.tally.malformed += 1;
                return;
            }
        };
        self.tally.lines += 1;
        self.disorder.add(line.time);
        if line.agent.as_deref().is_some_and(is_bot) {
            self.tally.bots += 1;
        } else if line.method != "GET" || !matches!(line.status, 200 | 304 | 404 | 410) {
            self.tally.unsuitable += 1;
        } else if matches!(line.status, 404 | 410) {
            self.gone(&line);
        } else {
            self.request(&line);
        }
    }

    fn gone(&mut self, line: &Line<'_>) {
        self.tally.gone += 1;
        let gone = Gone {
            time: line.time,
            network: self.network(&line.address),
            name: self.names.intern(origin_form(&line.target)),
            host: self.host(line),
        };
        self.gone.push(gone);
    }

    fn host(&mut self, line: &Line<'_>) -> Option<NameId> {
        line.host.as_deref().map(|host| self.names.intern(&host.to_ascii_lowercase()))
    }

    fn network(&self, address: &str) -> u64 {
        match address.parse() {
            Ok(address) if self.networks.is_some() => self.networks.as_ref().map_or(0, |networks| networks(address)),
            Ok(IpAddr::V4(address)) => identity(&[b"4", &u32::from(address).to_be_bytes()[..3]]),
            Ok(IpAddr::V6(address)) => identity(&[b"6", &address.octets()[..7]]),
            Err(_) => identity(&[b"name", address.as_bytes()]),
        }
    }

    fn request(&mut self, line: &Line<'_>) {
        let target = origin_form(&line.target);
        let path = without_query(target);
        if is_icon(path) {
            // Browsers ask for them by themselves, whatever the page says.
            self.tally.icons += 1;
            return;
        }
        let is_asset = self.scope.is_asset(path);
        self.tally.assets += u64::from(is_asset);
        self.tally.pages += u64::from(!is_asset);
        let referer = split_url(&line.referer).map(|(host, target)| {
            *self.referers.entry(host.to_ascii_lowercase().into()).or_default() += 1;
            Named {
                host: self.names.intern(&host.to_ascii_lowercase()),
                target: self.names.intern(target),
                path: self.names.intern(without_query(target)),
            }
        });
        let agent = line.agent.as_deref().unwrap_or_default();
        let request = Request {
            time: line.time,
            client: identity(&[line.address.as_bytes(), agent.as_bytes()]),
            network: self.network(&line.address),
            class: Headstart::class(agent),
            name: self.names.intern(target),
            path: self.names.intern(path),
            is_asset,
            bytes: line.bytes,
            not_modified: line.status == 304,
            host: self.host(line),
            referer,
        };
        self.requests.push(request);
    }

    /// Puts the views together.
    pub(crate) fn finish(mut self) -> Views {
        if self.scope.hosts.is_empty() {
            let most = self.referers.iter().max_by_key(|(host, count)| (**count, std::cmp::Reverse(*host)));
            self.scope.hosts.extend(most.map(|(host, _)| host.to_string()));
        }
        let hosts: HashSet<NameId> =
            self.scope.hosts.iter().filter_map(|host| self.names.find(&host.to_ascii_lowercase())).collect();
        // Logs of several sites say which line is whose; those of a server behind a proxy may name it in its own way.
        if self.requests.iter().any(|request| request.host.is_some_and(|host| hosts.contains(&host))) {
            let before = self.requests.len();
            self.requests.retain(|request| request.host.is_none_or(|host| hosts.contains(&host)));
            self.gone.retain(|gone| gone.host.is_none_or(|host| hosts.contains(&host)));
            self.tally.elsewhere = (before - self.requests.len()) as u64;
        }
        self.requests.sort_by_key(|request| request.time);
        self.tally.disorder = self.disorder.millis();
        let window = self.scope.window;
        let mut open = Assembly::new(window.saturating_add(self.tally.disorder));
        for request in self.requests.iter().filter(|request| !request.is_asset) {
            open.page(request);
        }
        let (mut waiting, mut left) = (Vec::new(), 0);
        for request in self.requests.iter().filter(|request| request.is_asset) {
            let Some(parent) = request.referer.filter(|parent| hosts.contains(&parent.host)) else {
                left += 1;
                continue;
            };
            if !open.asset_of_page(request, parent.target) {
                waiting.push((request, parent));
            }
        }
        // A request that names a stylesheet or script belongs to the view that fetched it; that may be nested.
        for _ in 0..MAX_DEPTH {
            let before = waiting.len();
            waiting.retain(|(request, parent)| !open.asset_of_asset(request, parent.target));
            if waiting.len() == before {
                break;
            }
        }
        waiting.retain(|(request, parent)| !open.asset_of_path(request, parent.path));
        self.tally.unattributed = left + waiting.len() as u64;
        let mut views = open.views;
        for view in &mut views {
            view.assets.sort_by_key(|asset| asset.time);
            view.time = view.assets.first().map_or(view.time, |first| view.time.min(first.time));
            // Assets may stand before their page, and times may be off: all that is the view's comes before its visit is over.
            let last = view.time.saturating_add(window.saturating_sub(1));
            for asset in &mut view.assets {
                asset.time = asset.time.min(last);
            }
        }
        views.sort_by_key(|view| view.time);
        self.gone.sort_by_key(|gone| gone.time);
        Views { list: views, gone: self.gone, names: self.names, hosts: self.scope.hosts, tally: self.tally }
    }
}

impl Scope {
    fn is_asset(&self, path: &str) -> bool {
        self.asset_prefixes.iter().any(|prefix| path.starts_with(prefix.as_str())) || destination(path).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access_log::{Format, Reader};
    use crate::assembly::View;
    use headstart::learn::ClientClass;

    fn gathered(lines: &[&str]) -> Views {
        let scope = Scope { window: 15_000, asset_prefixes: vec!["/render/".into()], ..Scope::default() };
        let mut gatherer = Gatherer::new(scope);
        let mut reader = Reader::new(Format::Auto);
        for line in lines {
            gatherer.add(reader.parse(line));
        }
        gatherer.finish()
    }

    fn line(second: u32, request: &str, referer: &str) -> String {
        format!(
            r#"10.0.0.1 - - [17/May/2015:10:05:{second:02} +0000] "GET {request} HTTP/1.1" 200 9 "{referer}" "Firefox""#
        )
    }

    /// Page and assets of each view.
    fn shape(views: &Views) -> Vec<(&str, Vec<&str>)> {
        let name = |id| views.names.get(id);
        let assets = |view: &View| view.assets.iter().map(|asset| name(asset.name)).collect();
        views.list.iter().map(|view| (name(view.page), assets(view))).collect()
    }

    #[test]
    fn views_are_put_together_across_the_order_of_lines() {
        let page = "http://x.example/p?q=1";
        let lines = [
            line(1, "/early.js", page),
            line(3, "/p?q=1", ""),
            line(4, "/s.css?v=2", page),
            line(5, "/font.woff2", "http://x.example/s.css?v=2"),
            line(6, "/render/7", page),
            line(7, "/s.css?v=2", page),
            line(19, "/late.png", page),
            line(20, "/foreign.png", "http://other.example/p"),
            line(21, "/p2", page),
        ];
        let views = gathered(&lines.each_ref().map(String::as_str));
        let assets = vec!["/early.js", "/s.css?v=2", "/font.woff2", "/render/7"];
        assert_eq!(shape(&views), [("/p?q=1", assets), ("/p2", vec![])]);
        assert_eq!(views.hosts, ["x.example"]);
        assert_eq!(views.tally.unattributed, 2);
    }

    #[test]
    fn what_is_passed_over_is_counted() {
        let lines = [
            "nonsense".to_owned(),
            line(1, "/p", "").replace("Firefox", "Googlebot/2.1"),
            line(2, "/p", "").replace("GET", "POST"),
            line(3, "/p", "").replace(" 200 ", " 404 "),
            line(4, "/p", ""),
        ];
        let views = gathered(&lines.each_ref().map(String::as_str));
        let tally = views.tally;
        assert_eq!((tally.lines, tally.malformed, tally.bots, tally.unsuitable, tally.pages), (5, 1, 1, 1, 1));
        assert_eq!((tally.gone, views.gone.first().map(|gone| views.names.get(gone.name))), (1, Some("/p")));
    }

    /// A page is told apart by its query, as it is live; what names the path alone belongs to it all the same.
    #[test]
    fn queries_and_phones_are_told_apart() {
        let phone = |line: String| line.replace("Firefox", "Chrome Mobile");
        let lines = [
            line(1, "/?p=1", ""),
            line(2, "/?p=2", ""),
            line(3, "/one.css", "http://x.example/?p=1"),
            line(4, "/two.css", "http://x.example/?p=2"),
            phone(line(5, "/?p=3", "")),
            phone(line(6, "/three.css", "http://x.example/")),
        ];
        let views = gathered(&lines.each_ref().map(String::as_str));
        let expected = [("/?p=1", vec!["/one.css"]), ("/?p=2", vec!["/two.css"]), ("/?p=3", vec!["/three.css"])];
        assert_eq!(shape(&views), expected);
        let classes: Vec<ClientClass> = views.list.iter().map(|view| view.class).collect();
        assert_eq!(classes, [ClientClass::Other, ClientClass::Other, ClientClass::Phone]);
    }

    /// A log of several sites: what was asked of another name is no page view of this one.
    #[test]
    fn lines_of_other_sites_are_left_out() {
        let of = |host: &str, line: String| format!("{host}:443 {line}");
        let page = "http://x.example/p";
        let lines = [
            of("x.example", line(1, "/p", "")),
            of("other.example", line(2, "/p2", "")),
            of("X.example", line(3, "/a.css", page)),
            of("other.example", line(4, "/b.css", page)),
        ];
        let views = gathered(&lines.each_ref().map(String::as_str));
        assert_eq!(shape(&views), [("/p", vec!["/a.css"])]);
        assert_eq!(views.tally.elsewhere, 2);
    }

    /// Twice the lines of one client take about twice the time: they took four times as long.
    #[test]
    fn a_log_of_one_client_is_read_in_linear_time() {
        let gather = |views: u64| {
            let mut gatherer = Gatherer::new(Scope { window: 15_000, ..Scope::default() });
            let line = |time: u64, target: String, referer: String| {
                Parsed::Line(Line {
                    address: "192.0.2.1".into(),
                    time,
                    method: "GET".into(),
                    target: target.into(),
                    status: 200,
                    referer: referer.into(),
                    agent: Some("Firefox".into()),
                    ..Line::default()
                })
            };
            for number in 0..views {
                let (time, page) = (number * 20_000, format!("/{}", number % 50));
                gatherer.add(line(time, page.clone(), String::new()));
                gatherer.add(line(time + 1, "/app.css".into(), format!("http://x.example{page}")));
            }
            let start = std::time::Instant::now();
            let found = gatherer.finish();
            assert_eq!(found.list.len() as u64, views);
            assert_eq!(found.tally.unattributed, 0);
            start.elapsed().as_secs_f64()
        };
        let best = |views: u64| (0..3).map(|_| gather(views)).fold(f64::INFINITY, f64::min);
        // On a machine that is busy with other things one comparison may fail, and not each.
        let is_linear = || best(16_000) < 8.0 * best(4_000);
        assert!((0..5).any(|_| is_linear()), "four times as much takes more than eight times as long");
    }

    #[test]
    fn times_are_shifted_together() {
        let lines = [line(1, "/p", ""), line(4, "/a.css", "http://x.example/p")];
        let mut views = gathered(&lines.each_ref().map(String::as_str));
        views.shift_to(1_000_000);
        let view = views.list.first().expect("one view");
        assert_eq!((view.time, view.assets.first().map(|asset| asset.time)), (997_000, Some(1_000_000)));
    }
}

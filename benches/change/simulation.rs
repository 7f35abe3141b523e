//! A site under simulated traffic, through the facade: requests and responses in the order of a clock of its own.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use headstart::{Builder, Decided, Headstart, PolicyExchange};

use super::browser::{Browser, Kind};
use super::outcome::Outcome;
use super::random::Random;
use super::visitor::{Referers, Visitor, Who};

/// Milliseconds.
pub(crate) const SECOND: u64 = 1_000;
pub(crate) const MINUTE: u64 = 60 * SECOND;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;

/// How long a request and the head of its response take.
const ROUND_TRIP: u64 = 40;

/// A server with its visitors.
pub(crate) struct Simulation {
    pub(crate) headstart: Headstart,
    pub(crate) random: Random,
    /// The files that the server does not have.
    pub(crate) gone: HashSet<Rc<str>>,
    /// The outcomes of the views that were shown, in order.
    outcomes: Vec<Outcome>,
    clock: Arc<AtomicU64>,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    steps: HashMap<u64, Step>,
    browsers: HashMap<u64, Browser>,
    views: HashMap<u64, View>,
    numbers: u64,
}

/// One event of one browser.
struct Step {
    browser: u64,
    what: What,
}

enum What {
    Navigate(Rc<Visitor>),
    Post(Rc<Visitor>),
    /// The page of a view is answered.
    Show(u64),
    Ask(Asked),
    /// The last byte of a response.
    End(PolicyExchange),
}

/// A file that is needed on a view.
struct Asked {
    path: Rc<str>,
    referer: Option<Rc<str>>,
    transfer: u64,
}

/// A view whose page has not been answered.
struct View {
    visitor: Rc<Visitor>,
    exchange: PolicyExchange,
    decided: Decided,
    hinted: Vec<Rc<str>>,
    needed: Vec<Rc<str>>,
}

impl Simulation {
    /// A server that knows nothing.
    pub(crate) fn new(seed: u64) -> Self {
        Self::with(seed, 1_700_000_000_000, |builder| builder)
    }

    /// A server that goes on where another was at `now`.
    pub(crate) fn restored(seed: u64, (now, snapshot): &(u64, Vec<u8>)) -> Self {
        Self::with(seed, *now, |builder| builder.snapshot(snapshot.clone()))
    }

    fn with(seed: u64, now: u64, settings: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = Arc::new(AtomicU64::new(now));
        let reading = Arc::clone(&clock);
        let builder = Headstart::builder()
            .secret([7; 32])
            .clock(move || UNIX_EPOCH + Duration::from_millis(reading.load(Ordering::Relaxed)));
        Simulation {
            headstart: settings(builder).build().expect("the settings are in range"),
            random: Random::new(seed),
            gone: HashSet::new(),
            outcomes: Vec::new(),
            clock,
            queue: BinaryHeap::new(),
            steps: HashMap::new(),
            browsers: HashMap::new(),
            views: HashMap::new(),
            numbers: 1 << 32,
        }
    }

    pub(crate) fn now(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// Time passes, and all that is due in it happens.
    pub(crate) fn pass(&mut self, millis: u64) {
        let until = self.now() + millis;
        while let Some(Reverse((time, number))) = self.queue.peek().copied().filter(|next| next.0.0 <= until) {
            self.queue.pop();
            self.clock.store(time, Ordering::Relaxed);
            if let Some(step) = self.steps.remove(&number) {
                self.take(step);
            }
        }
        self.clock.store(until, Ordering::Relaxed);
    }

    /// The snapshot of the learner, with the present time.
    pub(crate) fn snapshot(&mut self) -> (u64, Vec<u8>) {
        self.pass(MINUTE);
        self.headstart.finish();
        (self.now(), self.headstart.snapshot())
    }

    /// Somebody comes now.
    pub(crate) fn visit(&mut self, visitor: Visitor) {
        self.visit_in(0, visitor);
    }

    /// Somebody comes so many milliseconds from now.
    pub(crate) fn visit_in(&mut self, millis: u64, visitor: Visitor) {
        let (number, returns) = match visitor.who {
            Who::Stranger => (self.number(), false),
            Who::Client(number) => (number, true),
        };
        let address = visitor.address.unwrap_or_else(|| self.address());
        let kind = Kind { address, phone: visitor.phone, keeps_cookies: visitor.keeps_cookies };
        self.browsers.entry(number).or_insert_with(|| Browser::new(kind, returns));
        let visitor = Rc::new(visitor);
        for (path, after) in &visitor.elsewhere {
            let asked =
                Asked { path: Rc::clone(path), referer: visitor.elsewhere_referer.clone(), transfer: visitor.transfer };
            self.schedule(millis + after, number, What::Ask(asked));
        }
        let what = if visitor.posts { What::Post(visitor) } else { What::Navigate(visitor) };
        self.schedule(millis, number, what);
    }

    /// So many views, `every` milliseconds from one to the next. What became of them, in order.
    pub(crate) fn visits(
        &mut self,
        count: u64,
        every: u64,
        mut next: impl FnMut(&mut Random, u64) -> Visitor,
    ) -> Vec<Outcome> {
        self.outcomes.clear();
        for n in 0..count {
            let visitor = next(&mut self.random, n);
            self.visit(visitor);
            self.pass(every);
        }
        // The last ones are shown too.
        self.pass(SECOND);
        std::mem::take(&mut self.outcomes)
    }

    fn take(&mut self, Step { browser: number, what }: Step) {
        let Some(mut browser) = self.browsers.remove(&number) else { return };
        browser.pending -= 1;
        // In the table again before anything is scheduled for it.
        let mut next: Vec<(u64, What)> = Vec::new();
        match what {
            What::Navigate(visitor) => {
                let opened = browser.navigate(&self.headstart, &visitor.page);
                let needed = visitor.needs.iter().filter(|(path, _)| !browser.holds(path));
                let needed = needed.map(|(path, _)| Rc::clone(path)).collect();
                for path in &opened.hinted {
                    let referer = visitor.referer_of(&visitor.page);
                    next.push((
                        ROUND_TRIP,
                        What::Ask(Asked { path: Rc::clone(path), referer, transfer: visitor.transfer }),
                    ));
                }
                let view = self.number();
                next.push((ROUND_TRIP + visitor.thinks, What::Show(view)));
                let (exchange, decided, hinted) = (opened.exchange, opened.decided, opened.hinted);
                self.views.insert(view, View { visitor, exchange, decided, hinted, needed });
            }
            What::Post(visitor) => {
                let exchange = browser.post(&self.headstart, &visitor.page);
                next.push((visitor.transfer, What::End(exchange)));
                next.extend(needs(&visitor));
            }
            What::Show(view) => {
                let Some(mut view) = self.views.remove(&view) else { return };
                browser.show(&self.headstart, &mut view.exchange, view.visitor.referrer_policy());
                let held_out = view.decided.get().is_some_and(|counts| counts.held_out);
                next.push((ROUND_TRIP, What::End(view.exchange)));
                next.extend(needs(&view.visitor));
                if !view.visitor.bot {
                    let (hinted, needed) = (view.hinted, view.needed);
                    self.outcomes.push(Outcome { held_out, hinted, needed, label: view.visitor.label });
                }
            }
            What::Ask(Asked { path, referer, transfer }) => {
                if !browser.holds(&path) {
                    let found = !self.gone.contains(&path);
                    let exchange = browser.fetch(&self.headstart, &path, referer.as_deref(), found);
                    next.push((transfer, What::End(exchange)));
                }
            }
            What::End(exchange) => browser.end(&self.headstart, exchange),
        }
        self.browsers.insert(number, browser);
        for (after, what) in next {
            self.schedule(after, number, what);
        }
        let Some(browser) = self.browsers.get_mut(&number).filter(|browser| browser.pending == 0) else { return };
        if browser.returns {
            browser.disconnect();
        } else {
            self.browsers.remove(&number);
        }
    }

    fn schedule(&mut self, after: u64, browser: u64, what: What) {
        let number = self.number();
        if let Some(browser) = self.browsers.get_mut(&browser) {
            browser.pending += 1;
        }
        self.queue.push(Reverse((self.now() + after, number)));
        self.steps.insert(number, Step { browser, what });
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// One of a network of its own.
    fn address(&mut self) -> Ipv4Addr {
        Ipv4Addr::from((self.random.next() as u32) | 1 << 24)
    }
}

/// The requests of a page once it is there.
fn needs(visitor: &Visitor) -> impl Iterator<Item = (u64, What)> {
    visitor.needs.iter().map(|(path, after)| {
        let referer = visitor.referer_of(&visitor.page);
        (ROUND_TRIP + after, What::Ask(Asked { path: Rc::clone(path), referer, transfer: visitor.transfer }))
    })
}

impl Visitor {
    /// The `Referer` of a page's requests.
    fn referer_of(&self, page: &Rc<str>) -> Option<Rc<str>> {
        match self.referers {
            Referers::Full => Some(Rc::clone(page)),
            Referers::Origin => Some(Rc::from("/")),
            Referers::None => None,
        }
    }

    fn referrer_policy(&self) -> Option<&'static str> {
        match self.referers {
            Referers::Full => None,
            Referers::Origin => Some("strict-origin"),
            Referers::None => Some("no-referrer"),
        }
    }
}

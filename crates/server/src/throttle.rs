//! Warnings a few at a time: what somebody outside can cause often must not fill the disk.

use std::collections::HashMap;
use std::fmt::Arguments;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::{Event, Level, Metadata};
use tracing_subscriber::layer::{Context, Filter};

/// Lets through, of each kind of warning or error (each place in the code that makes some), [`BURST`] in every
/// [`WINDOW`], and says afterwards how many it kept back. Quieter events pass, for whoever asked for them wants all.
///
/// It remembers as many kinds as the program has, some dozens.
#[derive(Debug)]
pub(crate) struct Throttle {
    /// Writes the line about what was kept back.
    say: fn(Arguments<'_>),
    kinds: Mutex<HashMap<Identifier, Kind>>,
}

const BURST: u32 = 5;
const WINDOW: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Kind {
    since: Instant,
    /// In this window, those that were kept back included.
    seen: u32,
}

/// The treatment of an event.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Drop,
    /// Of its kind, so many were kept back in the window before.
    Pass {
        kept_back: u32,
    },
}

impl Throttle {
    pub(crate) fn new(say: fn(Arguments<'_>)) -> Self {
        Self { say, kinds: Mutex::default() }
    }

    fn judge(&self, kind: Identifier, now: Instant) -> Verdict {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = kinds.entry(kind).or_insert(Kind { since: now, seen: 0 });
        let mut kept_back = 0;
        if now.duration_since(kind.since) >= WINDOW {
            kept_back = kind.seen.saturating_sub(BURST);
            *kind = Kind { since: now, seen: 0 };
        }
        kind.seen = kind.seen.saturating_add(1);
        if kind.seen > BURST { Verdict::Drop } else { Verdict::Pass { kept_back } }
    }
}

impl<S> Filter<S> for Throttle {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        let metadata = event.metadata();
        if *metadata.level() > Level::WARN {
            return true;
        }
        match self.judge(metadata.callsite(), Instant::now()) {
            Verdict::Drop => false,
            Verdict::Pass { kept_back: 0 } => true,
            Verdict::Pass { kept_back } => {
                let (target, seconds) = (metadata.target(), WINDOW.as_secs());
                (self.say)(format_args!(
                    "{kept_back} more warnings of the next kind ({target}) were not shown; {BURST} are in {seconds} s"
                ));
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing::callsite::Callsite;

    use super::*;

    struct Place;

    impl Callsite for Place {
        fn set_interest(&self, _: tracing::subscriber::Interest) {}

        fn metadata(&self) -> &Metadata<'_> {
            unreachable!("not asked for")
        }
    }

    #[test]
    fn a_few_of_each_kind_in_a_window() {
        static FIRST: Place = Place;
        let throttle = Throttle::new(|_| {});
        let start = Instant::now();
        let judge = |after: u64| throttle.judge(Identifier(&FIRST), start + Duration::from_secs(after));
        for _ in 0..BURST {
            assert_eq!(judge(0), Verdict::Pass { kept_back: 0 });
        }
        for _ in 0..7 {
            assert_eq!(judge(9), Verdict::Drop);
        }
        assert_eq!(judge(10), Verdict::Pass { kept_back: 7 });
        assert_eq!(judge(21), Verdict::Pass { kept_back: 0 });
    }
}

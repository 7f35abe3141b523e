//! Bounds of the ledger, and that its figures outlive a process.

use headstart::learn::ClientClass;
use headstart_gain::{Arm, Weight};

use super::account::Fate;
use super::timings::Timings;
use super::*;

impl Ledger {
    /// Takes in a timed view of a page, on a day after the first.
    pub(crate) fn timed(&self, held_out: bool, class: ClientClass, returning: bool, time: Duration, day: u64) {
        let phone = class == ClientClass::Phone;
        let stratum = Stratum::of_code(u64::from(returning) << 2 | u64::from(phone) << 3).expect("a stratum");
        let arm = if held_out { Arm::HeldOut } else { Arm::Helped };
        let weight = Weight::from_probability(if held_out { 1.0 / 9.0 } else { 8.0 / 9.0 });
        let (fate, bytes) = (account::Fate::Timed(time), time.subsec_micros().into());
        let view = Closed { stratum, arm, weight, fate, bytes };
        let first = bytes % 3 > 0;
        let now = Duration::from_secs(day * 86_400);
        let mut state = self.lock();
        state.all_pages.shown(held_out);
        state.all_pages.add(&view, first, now);
        let page = state.pages.visit(day, now);
        page.figures.shown(held_out);
        page.figures.add(&Closed { stratum: stratum.of_page(), ..view }, first, now);
    }
}

#[test]
fn the_bounds_together_are_less_than_36_mib() {
    // Three outlets, two arms, each with all bins there are, ten bytes a bin.
    let figures = 3 * 2 * headstart_gain::BINS * 10;
    let page = size_of::<PageRecord>() + pages::HEAP_BYTES + figures + Timings::HEAP_BYTES;
    let all = MAX_PAGES * page + Clients::HEAP_BYTES;
    assert!(all < 36 << 20, "{all} bytes, {page} a page");
}

/// The figures of 1,024 pages with every stratum and, in each, every bin.
#[test]
fn the_gain_takes_less_than_20_mib_at_1024_pages() {
    let ledger = Ledger::new(None);
    let mut whole = Figures::default();
    let views = (0..headstart_gain::BINS).flat_map(|bin| (0..16).map(move |code| (bin, code)));
    let fill = |figures: &mut Figures, of_page: bool| {
        for (bin, code) in views.clone() {
            // No response is sent by a fourth outlet.
            let stratum = Stratum::of_code(code).filter(|stratum| stratum.outlet() != "other");
            let Some(stratum) = stratum else { continue };
            let stratum = if of_page { stratum.of_page() } else { stratum };
            let time = Duration::from_secs_f64(headstart_gain::bounds(bin).0 * 1.000_1);
            for arm in [Arm::Helped, Arm::HeldOut] {
                let view = Closed { stratum, arm, weight: Weight::ONE, fate: Fate::Timed(time), bytes: 1 };
                figures.add(&view, true, Duration::ZERO);
            }
        }
    };
    fill(&mut whole, true);
    let mut state = ledger.lock();
    fill(&mut state.all_pages, false);
    fill(&mut state.aa, false);
    for page in 0..1_100 {
        state.pages.visit(page, Duration::from_secs(page)).figures = whole.clone();
    }
    let figures = state.pages.figures_bytes() + state.all_pages.bytes() + state.aa.bytes();
    let all = figures + Clients::HEAP_BYTES + MAX_PAGES * size_of::<Figures>() + BrowserFigures::MAX_BYTES;
    assert!(all < 20 << 20, "{all} bytes");
    assert!(all > 10 << 20, "{all} bytes: the test fills what there is");
}

#[test]
fn figures_go_on_where_they_were_saved() {
    let ledger = Ledger::new(None);
    let key = ledger.page_key("a.example", "/");
    let timed = Figures::of((0..100).map(|view| (Arm::Helped, Duration::from_millis(view))));
    {
        let mut state = ledger.lock();
        state.pages.visit(key, Duration::ZERO).figures = timed.clone();
        state.all_pages.merge(&timed);
    }
    let bytes = ledger.save().to_bytes();
    let again = Ledger::new(Some(Saved::from_bytes(&bytes).unwrap()));
    assert_eq!(again.all_pages(), timed);
    assert_eq!(again.page("a.example", "/").map(|page| page.figures), Some(timed));
    assert_eq!(again.page("a.example", "/other").map(|page| page.figures), None);
}

/// Keys are saved with the figures: they are those of the parts hashed one after another, as the first version did it.
#[test]
fn a_page_has_the_key_that_was_saved() {
    use std::hash::Hasher as _;
    let ledger = Ledger::new(None);
    for path in ["/", "/a?b=c", &"/long".repeat(40), &"/x".repeat(60)] {
        let mut hasher = SipHasher13::new_with_key(&ledger.key);
        hasher.write_usize("a.example".len());
        hasher.write(b"a.example");
        hasher.write(path.as_bytes());
        assert_eq!(ledger.page_key("a.example", path), hasher.finish(), "{path}");
    }
}

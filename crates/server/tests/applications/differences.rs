//! What differs between the application by itself and through the program, and not from one visit to it by itself to the next.

use std::collections::{BTreeMap, BTreeSet};

use super::seen::{Fetched, Seen};

/// What differs from all that is seen without the program.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    pub(crate) statuses: Vec<String>,
    pub(crate) bodies: Vec<String>,
    pub(crate) cookies: Vec<String>,
    pub(crate) console: Vec<String>,
    pub(crate) twice: Vec<String>,
}

impl Differences {
    /// `direct` are visits to the application by itself. What is the same in all of them has to be the same in `through`; what
    /// is another in each may be another there.
    pub(crate) fn of(through: &Seen, direct: &[Seen]) -> Self {
        let steps: BTreeSet<&String> = direct.iter().flat_map(|seen| seen.returned.keys()).collect();
        let mut found = Self {
            bodies: values(&through.returned, &each(direct, |seen| &seen.returned)),
            cookies: members(&through.cookies, &each(direct, |seen| &seen.cookies)),
            console: members(&through.console, &each(direct, |seen| &seen.console)),
            ..Self::default()
        };
        for step in steps {
            let name = |lines: Vec<String>| lines.into_iter().map(move |line| format!("{step}: {line}"));
            let texts: Vec<_> = direct.iter().filter_map(|seen| seen.words.get(step)).collect();
            let ours = through.words.get(step).cloned().unwrap_or_default();
            found.bodies.extend(name(words(&ours, &texts)));
        }
        // By visit, not by step: what a page fetches when it is idle comes in one step or in the next.
        let paths = |seen: &Seen| -> BTreeSet<String> { seen.statuses.keys().map(|(_, path)| path.clone()).collect() };
        let theirs: Vec<BTreeSet<String>> = direct.iter().map(paths).collect();
        found.statuses.extend(members(&paths(through), &theirs.iter().collect::<Vec<_>>()));
        found.statuses.extend(values(&through.statuses, &each(direct, |seen| &seen.statuses)));
        found.bodies.extend(values(&through.bodies, &each(direct, |seen| &seen.bodies)));
        found.twice = more_often(&through.counts, &each(direct, |seen| &seen.counts));
        found
    }

    pub(crate) fn is_empty(&self) -> bool {
        let Self { statuses, bodies, cookies, console, twice } = self;
        [statuses, bodies, cookies, console, twice].into_iter().all(Vec::is_empty)
    }
}

fn each<'a, T>(direct: &'a [Seen], part: impl Fn(&'a Seen) -> &'a T) -> Vec<&'a T> {
    direct.iter().map(part).collect()
}

/// What is one value in all visits without the program is that value with it. Whether it is there at all is asked by
/// [`members`].
fn values<K: Ord + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(
    ours: &BTreeMap<K, V>,
    direct: &[&BTreeMap<K, V>],
) -> Vec<String> {
    let Some((first, others)) = direct.split_first() else { return Vec::new() };
    let always = first.iter().filter(|(key, value)| others.iter().all(|other| other.get(key) == Some(value)));
    let differing = always.filter_map(|(key, theirs)| {
        let ours = ours.get(key)?;
        (ours != theirs).then(|| format!("{key:?}: {ours:?}, not {theirs:?}"))
    });
    differing.collect()
}

/// What is there in all visits without the program is there with it; and no more comes on top of what one of them has than
/// each of them has of its own.
fn members(ours: &BTreeSet<String>, direct: &[&BTreeSet<String>]) -> Vec<String> {
    let is_always = |member: &String| direct.iter().all(|visit| visit.contains(member));
    let is_ever = |member: &String| direct.iter().any(|visit| visit.contains(member));
    let own = direct.iter().map(|visit| visit.iter().filter(|member| !is_always(member)).count()).max().unwrap_or(0);
    let lost =
        direct.iter().flat_map(|visit| visit.iter()).filter(|member| is_always(member) && !ours.contains(*member));
    let lost: BTreeSet<String> = lost.map(|member| format!("only without the program: {member}")).collect();
    let more: Vec<&String> = ours.iter().filter(|member| !is_ever(member)).collect();
    let more = if more.len() > own { more } else { Vec::new() };
    lost.into_iter().chain(more.into_iter().map(|member| format!("only with the program: {member}"))).collect()
}

/// The same of words that a text can have many times.
fn words(ours: &BTreeMap<String, usize>, direct: &[&BTreeMap<String, usize>]) -> Vec<String> {
    let count = |text: &BTreeMap<String, usize>, word: &String| text.get(word).copied().unwrap_or(0);
    let least = |word: &String| direct.iter().map(|text| count(text, word)).min().unwrap_or(0);
    let most = |word: &String| direct.iter().map(|text| count(text, word)).max().unwrap_or(0);
    let own = |text: &BTreeMap<String, usize>| text.iter().map(|(word, count)| count - least(word)).sum::<usize>();
    let all: BTreeSet<&String> = direct.iter().flat_map(|text| text.keys()).collect();
    let lost: Vec<&String> = all.into_iter().filter(|word| count(ours, word) < least(word)).collect();
    let more: Vec<&String> = ours.iter().filter(|(word, count)| **count > most(word)).map(|(word, _)| word).collect();
    let number: usize = more.iter().map(|word| count(ours, word) - most(word)).sum();
    let mut found = Vec::new();
    if !lost.is_empty() {
        found.push(format!("the text lacks {}", some(&lost)));
    }
    if number > direct.iter().map(|text| own(text)).max().unwrap_or(0) {
        found.push(format!("the text has more of {}", some(&more)));
    }
    found
}

fn some(words: &[&String]) -> String {
    let first: Vec<String> = words.iter().take(8).map(|word| format!("{word:?}")).collect();
    format!("{} ({} in all)", first.join(" "), words.len())
}

/// What a page pulls in is fetched once, or as often as without the program.
fn more_often(ours: &BTreeMap<Fetched, usize>, direct: &[&BTreeMap<Fetched, usize>]) -> Vec<String> {
    let most = |key: &Fetched| direct.iter().filter_map(|visit| visit.get(key)).copied().max().unwrap_or(1);
    let more = ours.iter().filter(|(key, count)| **count > most(key));
    more.map(|(key @ (step, path), count)| format!("{step}: {path}: {count} times, not {}", most(key))).collect()
}

/// A bed that sees no fault shows nothing, so each kind of fault is made up once before it is used.
pub(crate) fn prove() {
    let seen = |body: &str, text: &str, token: &str| {
        let origin = super::seen::Origin::new("http", 49_152);
        let mut seen = Seen::default();
        let entries = serde_json::json!([["/a.css", 200, "link", body], [format!("/{token}"), 200, "fetch", null]]);
        seen.add_fetched("step", &origin, &entries);
        seen.add_step("step", &origin, &serde_json::json!([200]), Some(text));
        seen
    };
    let direct = [seen("one", "<p>a word k1</p>", "k1"), seen("one", "<p>a word k2</p>", "k2")];
    let of = |through: &Seen| Differences::of(through, &direct);
    assert!(of(&seen("one", "<p>a word k3</p>", "k3")).is_empty(), "what differs by itself may differ");
    assert!(!of(&seen("", "<p>a word k3</p>", "k3")).bodies.is_empty(), "an empty body is another body");
    assert!(!of(&seen("one", "<p>a k3</p>", "k3")).bodies.is_empty(), "a word is lost");
    assert!(!of(&seen("one", "<p>a word k3 more</p>", "k3")).bodies.is_empty(), "a word too many");
    let mut through = seen("one", "<p>a word k3</p>", "k3");
    let origin = super::seen::Origin::new("https", 49_153);
    through.add_fetched(
        "step",
        &origin,
        &serde_json::json!([["/a.css", 500, "link", "one"], ["/b.css", 200, "link", null]]),
    );
    let found = of(&through);
    assert_eq!((found.statuses.len(), found.twice.len()), (3, 1), "{found:?}");
}

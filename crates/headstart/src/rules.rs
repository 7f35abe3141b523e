//! The operator's own rules: what is always or never sent early, and how much a site may send.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};
use headstart_learn::Destination;

use crate::assets::Named;
use crate::link;
use crate::request;

/// An operator's decisions that overrule the learner. In force at once:
/// [`Headstart::set_rules`](crate::Headstart::set_rules).
///
/// ```
/// use headstart::{Action, Budget, Rule, Rules};
///
/// # fn main() -> Result<(), headstart::RuleError> {
/// let rules = Rules::new()
///     .with(Rule::new(Action::Send, "/shop/**", "/assets/cart.css")?)
///     .with(Rule::new(Action::NeverPush, "**", "/video/**")?.hosts(["example.org"]))
///     .budget("example.org", Budget { max_pushes: 4, ..Budget::default() });
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Vec<Arc<Rule>>,
    budgets: HashMap<String, Budget>,
}

/// The action of a rule. "Never" wins over "always".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Always sent early, in the way that is open to the client; unless it holds it, is held out or saves data.
    Send,
    /// Always pushed to clients that take pushes; nothing to others.
    Push,
    /// Always named in 103 or `Link`, never pushed.
    Hint,
    /// Never pushed; it may be named in `Link`.
    NeverPush,
    /// Never named in 103 or `Link` of ours; it may be pushed. What the application writes itself stays.
    NeverHint,
    /// Never sent early by us.
    Never,
}

/// One rule: an action for some assets of some pages.
#[derive(Clone, Debug)]
pub struct Rule {
    action: Action,
    /// None named is all.
    hosts: Vec<String>,
    pages: GlobMatcher,
    assets: GlobMatcher,
    /// The asset that is always sent: one, and no pattern.
    always: Option<Named>,
}

/// How much a page of one site may send early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Pushes of one page. 16.
    pub max_pushes: usize,
    /// Bytes of these together. 1 MiB: stylesheets, fonts and scripts of a page come to 600 KB, and what does not fit
    /// waits a round trip for the client to ask. In [`push_window`](crate::h2::Config) a connection gets no more in all.
    pub max_push_bytes: u64,
    /// Assets named in a 103 or in `Link` of one page. 16.
    pub max_hints: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { max_pushes: 16, max_push_bytes: 1 << 20, max_hints: 16 }
    }
}

impl Rule {
    /// A rule for pages and assets whose paths (without query) match these patterns: `*` is anything within a
    /// segment, `**` over segments, `{a,b}` either. An asset that is always sent is one path, with its query, and
    /// its destination is told by its extension; see [`destination`](Rule::destination).
    ///
    /// # Errors
    ///
    /// For a pattern that is none, a path that is no path, or an asset of which nobody can tell what it is.
    pub fn new(action: Action, pages: &str, assets: &str) -> Result<Self, RuleError> {
        let mut rule = Rule { action, hosts: Vec::new(), pages: glob(pages)?, assets: glob(assets)?, always: None };
        if matches!(action, Action::Send | Action::Push | Action::Hint) {
            if !link::is_path(assets) || assets.contains(['*', '?', '[', '{']) && !is_query(assets) {
                return Err(RuleError::new(assets, "what is always sent is one path, that begins with /"));
            }
            let destination = request::destination(assets).unwrap_or(Destination::Fetch);
            rule.always = Some(Named { path: assets.into(), destination, cors: destination == Destination::Font });
        }
        Ok(rule)
    }

    /// The sites it is for: authorities as clients ask for them, or `*.example.org` for all below. By default all.
    pub fn hosts<H: AsRef<str>>(mut self, hosts: impl IntoIterator<Item = H>) -> Self {
        self.hosts = hosts.into_iter().map(|host| host.as_ref().to_ascii_lowercase()).collect();
        self
    }

    /// The destination of an asset that is always sent, where its extension does not tell.
    pub fn destination(mut self, destination: Destination) -> Self {
        if let Some(always) = &mut self.always {
            always.destination = destination;
        }
        self
    }

    fn is_for(&self, authority: &str, page: &str) -> bool {
        let host = |host: &String| match host.strip_prefix('*') {
            Some(below) => authority.ends_with(below),
            None => host == authority,
        };
        (self.hosts.is_empty() || self.hosts.iter().any(host)) && self.pages.is_match(page)
    }
}

impl Rules {
    /// None: the learner decides.
    pub fn new() -> Self {
        Rules::default()
    }

    /// Adds a rule. Their order does not matter.
    pub fn with(mut self, rule: Rule) -> Self {
        self.rules.push(Arc::new(rule));
        self
    }

    /// Gives one site (its authority, `example.org` or `example.org:8443`) a budget of its own.
    pub fn budget(mut self, authority: &str, budget: Budget) -> Self {
        self.budgets.insert(authority.to_ascii_lowercase(), budget);
        self
    }

    /// The rules that are for one page. O(rules).
    pub(crate) fn of_page(&self, authority: &str, page: &str) -> PageRules {
        let rules = self.rules.iter().filter(|rule| rule.is_for(authority, page)).cloned().collect();
        PageRules { rules, budget: self.budgets.get(authority).copied() }
    }
}

/// The rules of one page view.
#[derive(Default)]
pub(crate) struct PageRules {
    rules: Vec<Arc<Rule>>,
    pub(crate) budget: Option<Budget>,
}

/// The rules against an asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bans {
    pub(crate) push: bool,
    pub(crate) hint: bool,
}

impl PageRules {
    /// The assets that are always sent.
    pub(crate) fn always(&self) -> impl Iterator<Item = &Named> {
        self.rules.iter().filter_map(|rule| rule.always.as_ref())
    }

    /// O(rules of the page).
    pub(crate) fn bans(&self, path: &str) -> Bans {
        let bare = path.split('?').next().unwrap_or_default();
        let mut bans = Bans::default();
        for rule in &self.rules {
            let hit = match &rule.always {
                Some(always) => *always.path == *path,
                None => rule.assets.is_match(bare),
            };
            if hit {
                bans.push |= matches!(rule.action, Action::Hint | Action::NeverPush | Action::Never);
                bans.hint |= matches!(rule.action, Action::Push | Action::NeverHint | Action::Never);
            }
        }
        bans
    }
}

/// Whether what looks like a pattern is the query of a path.
fn is_query(path: &str) -> bool {
    path.split_once('?').is_some_and(|(path, _)| !path.contains(['*', '[', '{']))
}

fn glob(pattern: &str) -> Result<GlobMatcher, RuleError> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).backslash_escape(true).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| RuleError::new(pattern, &error.kind().to_string()))
}

/// Why something is no rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    text: Arc<str>,
    problem: Arc<str>,
}

impl RuleError {
    fn new(text: &str, problem: &str) -> Self {
        RuleError { text: text.into(), problem: problem.into() }
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.text, self.problem)
    }
}

impl std::error::Error for RuleError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn bans(rules: &[(Action, &str, &str)], page: &str, asset: &str) -> (bool, bool) {
        let rules = rules.iter().fold(Rules::new(), |rules, (action, pages, assets)| {
            rules.with(Rule::new(*action, pages, assets).unwrap())
        });
        let bans = rules.of_page("a.example", page).bans(asset);
        (bans.push, bans.hint)
    }

    #[test]
    fn patterns_are_of_paths() {
        let rules = [(Action::NeverPush, "/blog/*", "/img/**"), (Action::Never, "/admin/**", "**/*.js")];
        assert_eq!(bans(&rules, "/blog/a", "/img/x/y.png?v=1"), (true, false));
        assert_eq!(bans(&rules, "/blog/a/b", "/img/y.png"), (false, false));
        assert_eq!(bans(&rules, "/blog/a", "/css/y.css"), (false, false));
        assert_eq!(bans(&rules, "/admin/x", "/a/b.js"), (true, true));
    }

    #[test]
    fn never_wins() {
        let rules = [(Action::Send, "**", "/a.css"), (Action::Never, "/x", "/*.css")];
        assert_eq!(bans(&rules, "/", "/a.css"), (false, false));
        assert_eq!(bans(&rules, "/x", "/a.css"), (true, true));
        assert_eq!(bans(&[(Action::Push, "**", "/a.css")], "/", "/a.css"), (false, true));
        assert_eq!(bans(&[(Action::Hint, "**", "/a.css")], "/", "/a.css"), (true, false));
    }

    #[test]
    fn hosts_are_exact_or_below() {
        let rule = || Rule::new(Action::Never, "**", "**").unwrap();
        let hit = |hosts: &[&str], authority| rule().hosts(hosts).is_for(authority, "/");
        assert!(hit(&[], "any"));
        assert!(hit(&["A.example"], "a.example"));
        assert!(!hit(&["a.example"], "b.a.example"));
        assert!(hit(&["*.a.example"], "b.a.example"));
        assert!(!hit(&["*.a.example"], "xa.example"));
    }

    #[test]
    fn what_is_always_sent_is_one_known_thing() {
        let always = |path| Rule::new(Action::Send, "**", path).map(|rule| rule.always.unwrap());
        assert_eq!(always("/a.css").unwrap().destination, Destination::Style);
        assert_eq!(&*always("/a.css?v=1").unwrap().path, "/a.css?v=1");
        assert!(always("/f.woff2").unwrap().destination == Destination::Font);
        for path in ["a.css", "/*.css", "//b.example/a.css", "https://b.example/a.css", ""] {
            assert!(always(path).unwrap_err().to_string().contains("one path"), "{path}");
        }
        assert!(Rule::new(Action::Never, "/[", "**").unwrap_err().to_string().contains("/["));
    }

    #[test]
    fn budgets_are_of_sites() {
        let budget = Budget { max_pushes: 1, ..Budget::default() };
        let rules = Rules::new().budget("A.example", budget);
        assert_eq!(rules.of_page("a.example", "/").budget, Some(budget));
        assert_eq!(rules.of_page("b.example", "/").budget, None);
    }
}

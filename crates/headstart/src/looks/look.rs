//! One look at a page: what its markup says, in the words of hints.

use std::collections::HashMap;
use std::sync::Arc;

use headstart_learn::Destination;
use headstart_markup::{Asset, Crossorigin as Written, End, FetchPriority, Page, Role};

use crate::attributes::{Attributes, Crossorigin};
use crate::page_policy::PagePolicy;
use crate::referrer_policy;
use crate::statements::{Named, Statement};
use crate::view::Reason;

/// Most paths of one page that are kept.
const MAX_PATHS: usize = 256;
/// Most other origins that a page is connected to early.
const MAX_PRECONNECTS: usize = 4;

/// The result of one look at a page.
#[derive(Debug)]
pub(crate) struct Look {
    /// In the order of the document, each path once.
    pub(crate) statements: Vec<(Arc<str>, Statement)>,
    pub(crate) preconnects: Vec<(Box<str>, bool)>,
    pub(crate) policy: PagePolicy,
    pub(crate) whole: bool,
}

impl Look {
    /// `names`: whether the response is one that a stranger may see, so that it may name candidates of images that no
    /// traffic has shown.
    pub(crate) fn of(page: &Page, authority: &str, names: bool) -> Self {
        let mut look = Look {
            statements: Vec::new(),
            preconnects: preconnects(page),
            policy: PagePolicy::default(),
            whole: page.end == End::Whole,
        };
        for policy in &page.content_security_policies {
            look.policy.restrict(policy, authority);
        }
        let mut places: HashMap<Arc<str>, usize> = HashMap::new();
        for asset in &page.assets {
            let path: Arc<str> = (*asset.path).into();
            let candidates = asset.srcset.iter().flat_map(|srcset| &srcset.paths);
            let others = candidates.filter(|candidate| ***candidate != *path).map(|candidate| {
                let says =
                    if names { Statement::Candidate(Arc::clone(&path)) } else { Statement::Not(Reason::Inexpressible) };
                ((**candidate).into(), says)
            });
            let own = (Arc::clone(&path), statement(asset, names));
            for (path, says) in std::iter::once(own).chain(others) {
                let found = look.statements.len();
                let at = *places.entry(Arc::clone(&path)).or_insert(found);
                match look.statements.get_mut(at) {
                    // One element may put an asset off and another may want it now; the first of two hints counts.
                    Some((_, known)) => {
                        if matches!(known, Statement::Not(Reason::PutOff)) || is_preload_of(known, &says) {
                            *known = says;
                        } else if let (Statement::Hint(known), Statement::Hint(says)) = (known, says) {
                            // An element that waits for it is enough.
                            known.urgency = [known.urgency, says.urgency].into_iter().flatten().min();
                        }
                    }
                    None if found < MAX_PATHS => look.statements.push((path, says)),
                    None => look.whole = false,
                }
            }
        }
        look
    }
}

/// Whether a page's own preload is followed by the element that uses it, which says more.
fn is_preload_of(known: &Statement, says: &Statement) -> bool {
    match (known, says) {
        (Statement::Hint(known), Statement::Hint(says)) => {
            known.destination == says.destination && !known.attributes.nonce && says.attributes.nonce
        }
        _ => false,
    }
}

fn statement(asset: &Asset, names: bool) -> Statement {
    let Some(destination) = asset.role.as_str().and_then(destination) else {
        // A browser that preloads an icon, a manifest, svg for `<use>`, or for another document, fetches it twice.
        return Statement::Not(Reason::Inexpressible);
    };
    let srcset = asset.srcset.as_ref();
    if asset.incomplete || asset.alternative || (srcset.is_some() && !names) {
        return Statement::Not(Reason::Inexpressible);
    }
    if asset.is_put_off() {
        return Statement::Not(Reason::PutOff);
    }
    let module = asset.role == Role::Module;
    let attributes = Attributes {
        module,
        crossorigin: match asset.crossorigin {
            Written::Absent if asset.role == Role::Font => Crossorigin::Anonymous,
            Written::Absent => Crossorigin::Absent,
            Written::Anonymous => Crossorigin::Anonymous,
            Written::UseCredentials => Crossorigin::UseCredentials,
        },
        integrity: asset.integrity.clone(),
        media: asset.media.clone(),
        mime_type: asset.mime_type.clone(),
        fetch_priority: (asset.fetch_priority == FetchPriority::High).then_some("high"),
        referrer_policy: asset.referrer_policy.as_deref().and_then(referrer_policy::known).map(|(name, _)| name),
        srcset: srcset.map(|srcset| srcset.candidates.clone()),
        sizes: srcset.and_then(|srcset| srcset.sizes.clone()),
        nonce: asset.nonce,
    };
    if !attributes.can_be_written() {
        return Statement::Not(Reason::Inexpressible);
    }
    let essential =
        asset.blocking || asset.preload || (module && asset.in_head) || asset.fetch_priority == FetchPriority::High;
    Statement::Hint(Named { destination, attributes: Arc::new(attributes), essential, urgency: urgency(asset) })
}

/// The urgency that an element's own words give: what holds up the first paint; what holds up the parser further down; and
/// what nobody waits for. `None` where they do not tell: of a preload the element that uses it does, and of a module or an
/// image only what browsers make of it.
fn urgency(asset: &Asset) -> Option<u8> {
    match (asset.role, asset.fetch_priority) {
        _ if asset.preload => None,
        (_, FetchPriority::High) => Some(1),
        (Role::Stylesheet, _) if asset.blocking => Some(1),
        (Role::Script, _) if asset.blocking => Some(if asset.in_head { 1 } else { 2 }),
        (Role::Script | Role::Stylesheet, _) => Some(3),
        _ => None,
    }
}

fn destination(name: &str) -> Option<Destination> {
    match name {
        "fetch" => Some(Destination::Fetch),
        "font" => Some(Destination::Font),
        "image" => Some(Destination::Image),
        "script" => Some(Destination::Script),
        "style" => Some(Destination::Style),
        _ => None,
    }
}

/// Those that block first, then those that the page names itself, then those that most comes from.
fn preconnects(page: &Page) -> Vec<(Box<str>, bool)> {
    let mut wanted: Vec<_> =
        page.origins.iter().filter(|origin| origin.blocking || origin.preconnect || origin.assets > 0).collect();
    wanted.sort_by_key(|origin| (!origin.blocking, !origin.preconnect, std::cmp::Reverse(origin.assets)));
    let both = |origin: &headstart_markup::Origin| {
        // With credentials and without are two connections.
        let ways = [(origin.credentials, false), (origin.anonymous, true)];
        let name = origin.origin.clone();
        ways.into_iter().filter(|(wanted, _)| *wanted).map(move |(_, anonymous)| (name.clone(), anonymous))
    };
    wanted
        .into_iter()
        .filter(|origin| origin.origin.starts_with("https:"))
        .flat_map(both)
        .take(MAX_PRECONNECTS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use headstart_markup::{Location, read};

    fn look(html: &str) -> Look {
        let page = read(&Location::new("https", "a.example", "/").unwrap(), html.as_bytes());
        Look::of(&page, "a.example", true)
    }

    #[track_caller]
    fn link(html: &str, expected: &str) {
        let look = look(html);
        let Some((path, Statement::Hint(named))) = look.statements.first() else { panic!("{html}: {look:?}") };
        let value = crate::link::preload(path, named.destination, &named.attributes, None).unwrap();
        assert_eq!(value.to_str().unwrap(), expected, "{html}");
    }

    #[test]
    fn a_hint_says_what_the_page_says() {
        link("<link rel=stylesheet href=/a.css>", "</a.css>; rel=preload; as=style");
        link(
            "<script src=/a.js integrity=sha384-x crossorigin></script>",
            "</a.js>; rel=preload; as=script; crossorigin; integrity=\"sha384-x\"",
        );
        link("<script type=module src=/m.js></script>", "</m.js>; rel=modulepreload");
        link(
            "<script src=/a.js crossorigin=use-credentials></script>",
            "</a.js>; rel=preload; as=script; crossorigin=use-credentials",
        );
        link(
            "<img src=/a.png srcset='/a.png 1x, /b.png 2x' fetchpriority=high>",
            "</a.png>; rel=preload; as=image; imagesrcset=\"/a.png 1x, /b.png 2x\"; fetchpriority=high",
        );
        link(
            "<link rel=stylesheet href=/w.css media='(min-width: 600px)' referrerpolicy=origin>",
            "</w.css>; rel=preload; as=style; media=\"(min-width: 600px)\"; referrerpolicy=origin",
        );
        // Browsers take no notice of a policy that is none.
        for odd in ["nonsense", "' origin'", "''"] {
            link(&format!("<link rel=stylesheet href=/v.css referrerpolicy={odd}>"), "</v.css>; rel=preload; as=style");
        }
    }

    #[test]
    fn what_no_preload_expresses_or_the_page_puts_off_is_not_hinted() {
        let says = |html: &str| look(html).statements.into_iter().next().unwrap().1;
        for html in [
            "<svg><use href='/s.svg#a'/></svg>",
            "<link rel=icon href=/logo.png>",
            "<link rel=manifest href=/m.json>",
            "<iframe srcdoc='<img src=/a.png>'></iframe>",
            "<link rel=stylesheet href=/a.css media='\"'>",
        ] {
            let expected = if html.contains("media") { Reason::PutOff } else { Reason::Inexpressible };
            assert_eq!(says(html), Statement::Not(expected), "{html}");
        }
        for html in ["<img loading=lazy src=/a.png>", "<link rel=stylesheet media=print href=/p.css>"] {
            assert_eq!(says(html), Statement::Not(Reason::PutOff), "{html}");
        }
        // An asset that a second element wants at once is hinted.
        link("<img loading=lazy src=/a.png><img src=/a.png>", "</a.png>; rel=preload; as=image");
    }

    #[test]
    fn the_elements_tell_what_the_page_waits_for() {
        let urgency = |html: &str| match look(html).statements.into_iter().next() {
            Some((_, Statement::Hint(named))) => named.urgency,
            says => panic!("{html}: {says:?}"),
        };
        assert_eq!(urgency("<link rel=stylesheet href=/a.css>"), Some(1));
        assert_eq!(urgency("<head><script src=/a.js></script>"), Some(1));
        assert_eq!(
            urgency("<body><p>a</p><script src=/a.js></script>"),
            Some(2),
            "the parser waits, not what it has read"
        );
        for words in ["async", "defer"] {
            assert_eq!(urgency(&format!("<script {words} src=/a.js></script>")), Some(3), "{words}");
        }
        assert_eq!(urgency("<link rel=preload as=script href=/a.js>"), None, "the element that uses it is not there");
        assert_eq!(urgency("<link rel=preload as=script href=/a.js><script src=/a.js></script>"), Some(1));
        assert_eq!(urgency("<script async src=/a.js></script><script src=/a.js></script>"), Some(1));
        assert_eq!(urgency("<img src=/a.png>"), None, "browsers know better where it stands");
    }

    #[test]
    fn at_most_four_connections_those_that_block_first() {
        let html = "<img src=https://i.example/a.png><link rel=preconnect href=https://f.example crossorigin>\
                    <script src=https://s.example/a.js></script><img src=https://j.example/a><img src=https://k.example/a>";
        let origins = look(html).preconnects;
        assert_eq!(origins.len(), 4);
        assert_eq!(origins[0], ("https://s.example".into(), false));
        assert_eq!(origins[1], ("https://f.example".into(), true));
    }
}

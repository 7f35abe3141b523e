//! The pages that an operator is shown, and those that not even an operator is.

mod support;

use headstart_learn::*;
use proptest::prelude::*;
use support::*;

/// The paths of the pages that are shown, in order.
fn shown(world: &World, max: usize) -> Vec<String> {
    world.learner.pages(world.time(), max).shown.iter().map(|page| page.path.to_string()).collect()
}

#[test]
fn pages_come_by_weight_and_below_the_gate_as_a_number_only() {
    let mut world = World::new(eager(3));
    world.views(3, "/rare", &["/a.css"]);
    world.views(9, "/busy", &["/a.css", "/b.js"]);
    world.views(2, "/reset/3f9d-secret", &["/a.css"]);
    assert_eq!(shown(&world, 10), ["/busy", "/rare"]);
    assert_eq!(shown(&world, 1), ["/busy"]);
    let pages = world.learner.pages(world.time(), 1);
    assert_eq!((pages.passed, pages.hidden), (2, 1));
    let busy = pages.shown.first().expect("a page");
    assert_eq!((&*busy.authority, busy.visits, busy.assets), ("example.org", 9, 2));
    assert!(busy.weight > 8.9 && busy.weight <= 9.0, "{}", busy.weight);
    assert!(!format!("{pages:?}").contains("secret"));
}

#[test]
fn an_explanation_says_whether_the_page_may_be_named() {
    let mut world = World::new(eager(3));
    world.views(3, "/shown", &["/a.css"]);
    world.views(2, "/hidden", &["/a.css"]);
    assert!(world.explain("/shown").named);
    assert!(!world.explain("/hidden").named);
    assert!(!world.explain("/never").named);
}

#[test]
fn a_page_that_is_gone_is_not_shown() {
    let mut world = World::new(eager(1));
    world.views(3, "/old", &["/a.css"]);
    assert_eq!(shown(&world, 10), ["/old"]);
    world.gone("/old");
    assert_eq!(shown(&world, 10), Vec::<String>::new());
}

#[test]
fn a_higher_gate_hides_what_a_snapshot_names() {
    let mut world = World::new(eager(1));
    world.views(2, "/two", &["/a.css"]);
    world.views(4, "/four", &["/a.css"]);
    let bytes = world.learner.snapshot(world.time());
    let restored = World::with(Learner::restore(eager(3), &bytes).expect("a sound snapshot"));
    let pages = restored.learner.pages(world.time(), 10);
    assert_eq!(pages.shown.iter().map(|page| &*page.path).collect::<Vec<_>>(), ["/four"]);
    assert_eq!(pages.hidden, 1);
}

/// Pages of one directory, each with files of its own and some that several share.
#[derive(Clone, Debug)]
struct Sibling {
    needs: Vec<usize>,
    visits: usize,
}

fn siblings() -> impl Strategy<Value = Vec<Sibling>> {
    let sibling = (prop::collection::vec(0usize..6, 0..5), 1usize..30);
    prop::collection::vec(sibling.prop_map(|(needs, visits)| Sibling { needs, visits }), 1..9)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What is expected of a page that nobody has seen is what at least two others of its directory need, and no small part
    /// of them, however often each of these is visited.
    #[test]
    fn a_page_never_seen_is_given_what_several_of_its_siblings_need(pages in siblings(), rounds in any::<u64>()) {
        let mut world = World::new(eager(1));
        // In any order, as they come.
        let mut order: Vec<usize> = pages.iter().enumerate().flat_map(|(at, page)| vec![at; page.visits]).collect();
        let mut turn = rounds;
        for at in (1..order.len()).rev() {
            turn = turn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            order.swap(at, (turn >> 33) as usize % (at + 1));
        }
        // What came to be known late is said of a page when it is visited again.
        for at in order.into_iter().chain(0..pages.len()) {
            let own = format!("/own{at}.png");
            let shared: Vec<String> = pages[at].needs.iter().map(|n| format!("/shared{n}.css")).collect();
            let assets: Vec<&str> = shared.iter().map(String::as_str).chain([own.as_str()]).collect();
            world.views(1, &format!("/shop/{at}/index.html"), &assets);
            world.pass(60 * SECOND);
        }
        let planned = world.planned("/shop/new/index.html");
        let needed_by = |path: &str| pages.iter().enumerate().filter(|(at, page)| {
            path == format!("/own{at}.png") || page.needs.iter().any(|n| path == format!("/shared{n}.css"))
        }).count();
        for path in &planned {
            prop_assert!(needed_by(path) >= 2, "{path} of one page only: {pages:?}");
            prop_assert!(needed_by(path) * 4 >= pages.len(), "{path} of few pages: {pages:?}");
        }
        // And what they all need is given to it, once there are two of them.
        for n in 0..6 {
            let path = format!("/shared{n}.css");
            let all = pages.len() >= 2 && needed_by(&path) == pages.len();
            prop_assert!(!all || planned.contains(&path), "{path} of all pages: {pages:?} {planned:?}");
        }
    }
}

#[test]
fn a_page_that_is_visited_most_lends_nothing_of_its_own() {
    let mut world = World::new(eager(1));
    for n in 0..40 {
        world.views(3, "/blog/start", &["/blog.css", "/start.js", "/hero.png"]);
        if n % 10 == 0 {
            world.views(1, &format!("/blog/post{n}"), &["/blog.css", &format!("/photo{n}.png")]);
        }
        world.pass(60 * SECOND);
    }
    assert_eq!(world.planned("/blog/never-seen"), ["/blog.css"]);
    assert_eq!(world.planned("/blog/post99"), ["/blog.css"]);
    assert!(world.planned("/blog/start").len() == 3);
}

#[test]
fn queries_of_one_path_are_pages_of_their_own() {
    let mut world = World::new(eager(1));
    for n in 0..12 {
        world.views(4, "/", &["/style.css", "/slider.js", "/hero.png"]);
        for post in [n, n / 2, 0] {
            world.views(1, &format!("/?p={post}"), &["/style.css", "/post.css", &format!("/photo{post}.png")]);
        }
        world.pass(60 * SECOND);
    }
    let mut planned = world.planned("/?p=99");
    planned.sort();
    assert_eq!(planned, ["/post.css", "/style.css"]);
    assert_eq!(world.planned("/").len(), 3);
    assert_eq!(world.planned("/?utm_source=x"), world.planned("/"));
}

#[test]
fn the_second_view_of_a_page_with_a_query_is_helped() {
    // An application that takes a token out of its address while it loads: its assets name the path alone.
    let config = eager_builder(1).min_visits(1).build().expect("in range");
    let mut world = World::new(config);
    world.views(1, "/lab?token=a", &["/lab.js", "/chunk.js"]);
    assert_eq!(world.planned("/lab?token=a"), ["/lab.js", "/chunk.js"]);
    assert_eq!(world.planned("/lab?token=b"), ["/lab.js", "/chunk.js"], "until it has evidence of its own");
    world.views(1, "/lab?token=b", &["/lab.js", "/other.js"]);
    assert_eq!(world.planned("/lab?token=c"), ["/lab.js"]);
}

#[test]
fn what_each_page_has_of_its_own_costs_others_no_plan() {
    let mut world = World::new(eager(1));
    for n in 0..200 {
        world.views(2, &format!("/item/{n}"), &["/style.css", &format!("/pictures/{n}.png")]);
    }
    // Built once, then taken: the plan of a page not seen before is that of its template.
    let mut built = 0;
    let mut last = world.plan("/item/new");
    for n in 200..260 {
        world.views(1, &format!("/item/{n}"), &["/style.css", &format!("/pictures/{n}.png")]);
        // Within a minute.
        world.now -= 16 * SECOND;
        let next = world.plan("/item/new");
        built += usize::from(next.known().as_ptr() != last.known().as_ptr());
        last = next;
    }
    assert_eq!(world.planned("/item/new"), ["/style.css"]);
    assert!(built <= 12, "{built} plans for 60 views");
}

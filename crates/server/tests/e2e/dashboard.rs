//! The dashboard in a browser: it has data, and keeps up.

use crate::first_visits::teach;
use crate::rig::admin::Admin;
use crate::rig::node::Browser;
use crate::rig::server::{Home, PATIENCE, Server};
use crate::rig::site::{Page, Site};
use crate::rig::{chromium, relay, tools};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use testkit::browser::{Browser as Window, Engine, Launch};

const ONE_WAY: Duration = Duration::from_millis(15);

/// Page views, each by a client of its own that holds nothing. Most of the first ones are held out and a quarter of the last
/// ones, some 30 in all. 12 of each kind are needed.
const VIEWS: u32 = 90;

#[test]
fn the_dashboard_has_data_and_keeps_up() {
    if !tools::have(&["node"]) || !tools::have(chromium::programs()) {
        return;
    }
    let (site, home, fleet, home_of_other) = (Site::example(), Home::new(), Fleet::new(), Home::new());
    let mut server = fleet.start("web-1", &site, &home, &["--admin", "127.0.0.1:0", "--holdout", "2"]);
    let _other = fleet.start("web-2", &site, &home_of_other, &[]);
    let admin = Admin::of(&server);
    // A distance, so that asking costs something.
    server.port = relay::between(server.port, ONE_WAY);
    let page = site.page("/");
    learn(&server, &page);
    Browser::default().visits(&server, &page, &json!({"visits": VIEWS}));

    let profile = tempfile::tempdir().expect("a temporary directory");
    let session = Session::start(profile.path());
    session.open(&admin.url("/"));
    let before = number(&session, "#headline .card.wide .big");
    assert!(before >= u64::from(VIEWS), "{before} views");
    assert!(count(&session, "#gain path") == 2 && count(&session, "#gain circle.point") == 1, "what the help is worth");
    assert!(text(&session, "#gain").contains("95 % confidence interval"), "{}", text(&session, "#gain"));
    assert!(count(&session, "#activity rect.with") > 0 && count(&session, "#headline rect.ink") > 0, "columns");
    assert_eq!(text(&session, "#pages tbody th a"), "/");
    assert!(count(&session, "#pages .strip rect.ink") > 3, "chances of its assets");
    wait("the other server is named", || text(&session, "#fleet tbody").contains("web-2"));
    assert!(count(&session, "#fleet-gain path") == 2, "what the help is worth in the whole fleet");
    keep(&session, "overview");

    // What happens now is shown without loading the page again, and the reader's place is kept.
    session.run("document.querySelector('#pages thead a').focus();");
    Browser::default().visits(&server, &page, &json!({"visits": 3}));
    wait("the number of views grows", || number(&session, "#headline .card.wide .big") >= before + 3);
    assert_eq!(text(&session, "#live"), "live");
    assert_eq!(session.run("return document.activeElement.textContent;"), "Page");

    session.run("document.querySelector('#pages tbody th a').click();");
    wait("the page's own view opens", || count(&session, "#waterfall") == 1);
    assert!(count(&session, "#waterfall rect.with") > 5, "bars with help");
    assert!(count(&session, "#waterfall rect.without") > 5, "bars without help");
    assert_eq!(count(&session, "#assets tbody tr"), page.assets.len() as u64);
    session.resize(1200, 1900);
    keep(&session, "page");
    session.resize(420, 1600);
    let (inner, width) = ("document.documentElement.clientWidth", "document.documentElement.scrollWidth");
    assert_eq!(session.run(&format!("return {width} <= {inner};")), true, "nothing sticks out on a phone");
    keep(&session, "phone");
    is_readable(&server, admin, &page);
    let errors =
        session.run("return performance.getEntriesByType('resource').filter((e) => e.responseStatus >= 400).length;");
    assert_eq!(errors, 0, "all that the page names is there");
}

/// Looks for text that sticks out of the window, or that has a contrast below 4.5 to what is behind it.
const AUDIT: &str = r#"
    const parse = (text) => (text.match(/[\d.]+/g) || []).map(Number);
    const luminance = (color) => {
        const [r, g, b] = color.slice(0, 3).map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const color = parse(getComputedStyle(at).backgroundColor);
            if (color.length === 3 || color[3] >= 1) return color;
        }
        return [255, 255, 255];
    };
    const found = [];
    if (document.documentElement.scrollWidth > document.documentElement.clientWidth) found.push('the page is wider than the window');
    if (document.querySelectorAll('h1').length !== 1) found.push('there is not one h1');
    for (const element of document.body.querySelectorAll('*')) {
        if (![...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) continue;
        const box = element.getBoundingClientRect();
        if (!box.width || !box.height || element.closest('.skip')) continue;
        const style = getComputedStyle(element);
        const color = parse(element instanceof SVGElement ? style.fill : style.color);
        const [light, dark] = [luminance(color), luminance(ground(element))].sort((a, b) => b - a);
        const contrast = (light + 0.05) / (dark + 0.05);
        const name = `${element.tagName} "${element.textContent.trim().slice(0, 40)}"`;
        if (contrast < 4.5) found.push(`${name}: contrast ${contrast.toFixed(2)}`);
        if (!element.closest('.scroll') && (box.left < -0.5 || box.right > innerWidth + 0.5)) found.push(`${name} sticks out`);
    }
    return found;
"#;

/// Every page at the width of a phone and of a desk, in both colour schemes.
fn is_readable(server: &Server, admin: Admin, page: &Page) {
    let detail = format!("/page?host=127.0.0.1:{}&page={}", server.port, page.path);
    for (scheme, number) in [("dark", 0), ("light", 1)] {
        let profile = tempfile::tempdir().expect("a temporary directory");
        let session = Session::start_with(profile.path(), &format!("--blink-settings=preferredColorScheme={number}"));
        for (width, height) in [(360, 6000), (1280, 4000)] {
            session.resize(width, height);
            for (name, path) in [("overview", "/"), ("page", &detail), ("absent", "/page?host=x&page=/x")] {
                session.open(&admin.url(path));
                let dark = session.run("return matchMedia('(prefers-color-scheme: dark)').matches;");
                assert_eq!(dark, scheme == "dark");
                let found = session.run(AUDIT);
                if name != "absent" {
                    keep(&session, &format!("{name}-{width}-{scheme}"));
                }
                assert_eq!(found, json!([]), "{name} at {width} px, {scheme}");
            }
        }
        // An audit that finds nothing in this is none.
        session.run(
            "const bad = document.querySelector('main').appendChild(document.createElement('p'));
             bad.textContent = 'x';
             Object.assign(bad.style, { color: '#999', background: '#fff', width: '2000px' });",
        );
        assert_eq!(session.run(AUDIT).as_array().map(Vec::len), Some(3), "{scheme}");
    }
}

/// Servers that learn as one, and meet in a directory.
struct Fleet(tempfile::TempDir);

impl Fleet {
    fn new() -> Self {
        let fleet = Self(tempfile::tempdir().expect("a temporary directory"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_headstart"));
        let made = command.args(["fleet", "key", "new"]).arg(fleet.0.path().join("key")).output().expect("it runs");
        assert!(made.status.success(), "{made:?}");
        std::fs::create_dir(fleet.0.path().join("place")).expect("a directory");
        fleet
    }

    fn start(&self, name: &str, site: &Site, home: &Home, options: &[&str]) -> Server {
        let path = self.0.path().display();
        let settings = [
            format!("fleet.url=file://{path}/place"),
            format!("fleet.key_file={path}/key"),
            format!("fleet.name={name}"),
            "fleet.publish=1s".to_owned(),
        ];
        let settings = settings.iter().flat_map(|setting| ["--set", setting]);
        Server::start(site, home, &options.iter().copied().chain(settings).collect::<Vec<_>>())
    }
}

/// Lets the server learn a page by views that are no evidence of being held out or not.
fn learn(server: &Server, page: &Page) {
    teach(server, page);
    server.let_visits_end();
}

/// A browser whose failures are those of the test.
struct Session(RefCell<Window>);

impl Session {
    fn start(profile: &Path) -> Self {
        Self::start_with(profile, "--window-size=1200,1700")
    }

    fn start_with(profile: &Path, flag: &str) -> Self {
        let flags = [flag.to_owned()];
        let launch = Launch { engine: Engine::Chromium, profile, spki: "", prefix: &[], flags: &flags };
        Self(RefCell::new(Window::start(&launch).expect("the browser starts")))
    }

    fn open(&self, url: &str) {
        self.0.borrow_mut().open(url).expect("the page loads");
    }

    fn run(&self, script: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.0.borrow_mut().run(script) {
                Ok(value) => return value,
                // The page is being left for another.
                Err(error) if error.contains("context") && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(error) => panic!("{script}: {error}"),
            }
        }
    }

    fn resize(&self, width: u32, height: u32) {
        self.0.borrow_mut().resize(width, height).expect("the window changes");
    }

    fn screenshot(&self) -> Vec<u8> {
        self.0.borrow_mut().screenshot().expect("a picture")
    }
}

/// For people to look at.
fn keep(session: &Session, name: &str) {
    let picture = session.screenshot();
    assert!(picture.len() > 10_000, "a picture of something");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("dashboard-{name}.png"));
    std::fs::write(path, picture).expect("a picture is kept");
}

fn count(session: &Session, selector: &str) -> u64 {
    session.run(&format!("return document.querySelectorAll({selector:?}).length;")).as_u64().expect("a number")
}

fn text(session: &Session, selector: &str) -> String {
    let text = session.run(&format!("return (document.querySelector({selector:?}) || {{}}).textContent || '';"));
    text.as_str().expect("text").to_owned()
}

/// A number as it is written, without the spaces between thousands.
fn number(session: &Session, selector: &str) -> u64 {
    let digits: String = text(session, selector).chars().filter(char::is_ascii_digit).collect();
    digits.parse().expect("digits")
}

fn wait(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "not so: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

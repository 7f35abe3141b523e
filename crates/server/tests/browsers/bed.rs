//! The program before the application, at a distance, and a browser that visits its pages.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use testkit::browser::{Browser, Engine, Launch};
use testkit::tls::{self, Certificate};
use testkit::{Program, app, http2, relay};

use super::site::{BLANK, Page, Reports, answer};
use super::ways::Act;

/// One way between browser and program.
const ONE_WAY: Duration = Duration::from_millis(30);
/// How long a visit stays open, in seconds.
const WINDOW: u64 = 2;
/// Cold views from which the pages are learned; the first is also what each way looks like without help.
const LESSONS: usize = 4;
/// Tabs of one browser: each holds a page until its warnings have come.
const TABS: usize = 16;
/// Both browsers warn of an unused preload some five seconds after the load.
const UNUSED: Duration = Duration::from_millis(6_500);
/// What a page does after its load event.
const LATE: Duration = Duration::from_millis(700);

/// How often each path was asked for, and what the browser had to say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// By path.
    pub(crate) asked: BTreeMap<String, usize>,
    /// Warnings and errors on the console.
    pub(crate) console: Vec<String>,
    /// Directory and text of reports.
    pub(crate) reports: Vec<(String, String)>,
    /// Pages that did not load.
    pub(crate) failed: Vec<String>,
}

/// What is seen of all pages.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) agent: String,
    /// Before anything is learned.
    pub(crate) alone: Seen,
    /// By a browser that holds nothing.
    pub(crate) cold: Seen,
    /// By the same browser, started again.
    pub(crate) returning: Seen,
    /// `Link` of 103 and of 200, by directory.
    pub(crate) links: BTreeMap<String, (Vec<String>, Vec<String>)>,
}

struct Bed {
    engine: Engine,
    _program: Program,
    port: u16,
    certificate: Certificate,
    log: PathBuf,
    /// Lines of the log that were looked at.
    read: usize,
    reports: Reports,
    scratch: TempDir,
}

/// Teaches the program all pages in one browser, then visits them as a stranger and comes back.
pub(crate) fn run(engine: Engine, pages: &[Page]) -> Result<Results, String> {
    let mut bed = Bed::start(engine, pages);
    let mut agent = String::new();
    let mut alone = Seen::default();
    for lesson in 0..LESSONS {
        let profile = bed.profile(&format!("lesson-{lesson}"));
        let (seen, name) = bed.visit(&profile, pages, true, if lesson == 0 { UNUSED } else { LATE })?;
        if lesson == 0 {
            (alone, agent) = (seen, name);
        }
        std::thread::sleep(Duration::from_millis(WINDOW * 1000 + 500));
    }
    bed.forge(pages, &agent);
    let profile = bed.profile("visitor");
    let (cold, _) = bed.visit(&profile, pages, true, UNUSED)?;
    std::thread::sleep(Duration::from_millis(500));
    let (returning, _) = bed.visit(&profile, pages, false, UNUSED)?;
    let links = bed.links(pages, &agent);
    Ok(Results { agent, alone, cold, returning, links })
}

impl Bed {
    fn start(engine: Engine, pages: &[Page]) -> Self {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let certificate = Certificate::for_loopback(scratch.path());
        let reports = Reports::default();
        let upstream = app::serve(answer(pages.to_vec(), Reports::clone(&reports)));
        let log = scratch.path().join("access.json");
        let mut command = Command::new(env!("CARGO_BIN_EXE_headstart"));
        command.args(["proxy", &format!("http://{upstream}"), "--listen", "127.0.0.1:0", "--holdout", "0"]);
        command.args(["--window", &WINDOW.to_string(), "--access-log-format", "json", "--access-log"]).arg(&log);
        command.arg("--state-dir").arg(scratch.path().join("state"));
        command.arg("--cert").arg(&certificate.cert).arg("--key").arg(&certificate.key);
        let program = Program::start(command.stdin(Stdio::null()));
        // A site is an authority with its port: all visits go the same way.
        let port = relay::between(program.port("https"), ONE_WAY);
        Self { engine, _program: program, port, certificate, log, read: 0, reports, scratch }
    }

    fn profile(&self, name: &str) -> PathBuf {
        let profile = self.scratch.path().join(name);
        fs::create_dir_all(&profile).expect("a directory");
        profile
    }

    /// Visits all pages, some at a time, each in a tab of its own, and does there what a newcomer does; returns what was
    /// seen and the browser's name.
    fn visit(
        &mut self,
        profile: &Path,
        pages: &[Page],
        newcomer: bool,
        wait: Duration,
    ) -> Result<(Seen, String), String> {
        let mut seen = Seen::default();
        let mut agent = Value::Null;
        for some in pages.chunks(TABS) {
            let spki = &self.certificate.spki;
            let mut browser = Browser::start(&Launch { engine: self.engine, profile, spki, prefix: &[], flags: &[] })?;
            for page in some {
                browser.new_tab()?;
                let act = if newcomer { page.way.act } else { Act::Stay };
                if let Err(why) = self.load(&mut browser, page, act) {
                    seen.failed.push(format!("{}: {why}", page.dir));
                }
            }
            std::thread::sleep(wait);
            seen.console.extend(browser.console()?);
            agent = browser.run("return navigator.userAgent;")?;
            browser.close()?;
        }
        for path in self.asked() {
            *seen.asked.entry(path).or_default() += 1;
        }
        seen.reports = std::mem::take(&mut *self.reports.lock().expect("no panic under the lock"));
        Ok((seen, agent.as_str().unwrap_or_default().to_owned()))
    }

    /// Loads a page and acts.
    fn load(&self, browser: &mut Browser, page: &Page, act: Act) -> Result<(), String> {
        let url = |path: &str| format!("https://127.0.0.1:{}{path}", self.port);
        browser.open(&url(&page.path()))?;
        match act {
            Act::Stay | Act::Forged => Ok(()),
            Act::Reload => browser.reload(),
            Act::ForcedReload => browser.reload_without_cache(),
            Act::BackAndForward => {
                browser.open(&url(&format!("/{BLANK}")))?;
                for delta in [-1, 1, -1] {
                    browser.traverse(delta)?;
                    std::thread::sleep(LATE);
                }
                Ok(())
            }
            Act::Post => {
                browser.run("document.forms[0].submit();")?;
                std::thread::sleep(LATE);
                Ok(())
            }
        }
    }

    /// Asks for the assets of some pages as no page does, as often as a script may, from one network.
    fn forge(&mut self, pages: &[Page], agent: &str) {
        const TIMES: usize = 100;
        if pages.iter().all(|page| page.way.act != Act::Forged) {
            return;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            for page in pages.iter().filter(|page| page.way.act == Act::Forged) {
                let mut client = self.client().await;
                let referer = format!("https://127.0.0.1:{}{}", self.port, page.path());
                for _ in 0..TIMES {
                    let mut fields = http2::NAVIGATION.to_vec();
                    fields.push(("user-agent", agent));
                    client.send(http::Method::GET, &page.path(), &fields).await;
                    for (name, _) in page.way.assets {
                        for [mode, destination] in [["cors", "font"], ["no-cors", "image"], ["cors", "style"]] {
                            let fields = [
                                ("user-agent", agent),
                                ("referer", &referer),
                                ("sec-fetch-mode", mode),
                                ("sec-fetch-dest", destination),
                                ("sec-fetch-site", "same-origin"),
                            ];
                            client.send(http::Method::GET, &format!("{}{name}", page.path()), &fields).await;
                        }
                    }
                }
            }
        });
        // The visits that were forged end, and what they asked for is not counted.
        std::thread::sleep(Duration::from_millis(WINDOW * 1000 + 4_500));
        self.asked();
    }

    async fn client(&self) -> http2::Client {
        let socket = tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.expect("it listens");
        let config = tls::client(&[&self.certificate.der], &["h2"]);
        let io = tls::connect(&config, "127.0.0.1", socket).await.expect("TLS");
        let mut settings = h2::client::Builder::new();
        settings.enable_push(false);
        let origin = format!("https://127.0.0.1:{}", self.port);
        http2::Client::handshake(io, origin, &settings).await.expect("HTTP/2")
    }

    /// Paths of the responses since the last call.
    fn asked(&mut self) -> Vec<String> {
        // Lines are written beside the path of the response.
        std::thread::sleep(Duration::from_millis(500));
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().skip(self.read).collect();
        self.read += lines.len();
        let entries = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let gets = entries.filter(|entry| entry["method"] == "GET");
        gets.filter_map(|entry| entry["path"].as_str().map(str::to_owned)).collect()
    }

    /// What a stranger with this browser is told, 103 and 200 apart.
    fn links(&self, pages: &[Page], agent: &str) -> BTreeMap<String, (Vec<String>, Vec<String>)> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut links = BTreeMap::new();
            for page in pages {
                let mut client = self.client().await;
                let mut fields = http2::NAVIGATION.to_vec();
                fields.push(("user-agent", agent));
                let reply = client.send(http::Method::GET, &page.path(), &fields).await;
                links.insert(page.dir.clone(), (reply.hints.concat(), reply.links()));
            }
            links
        })
    }
}

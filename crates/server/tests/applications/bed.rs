//! An application, the program before it, and a browser that uses one or the other.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use testkit::browser::{Browser, Engine, Launch};
use testkit::tls::Certificate;
use testkit::{Program, http1};

use super::application::{Application, Step};
use super::differences::Differences;
use super::seen::{Origin, Seen};
use super::table::Row;

/// How long an application may take to start, and a step to be over.
const PATIENCE: Duration = Duration::from_secs(90);
/// Runs from which the program learns, before the one that is compared.
const LESSONS: usize = 1;
/// Visits to the application by itself: what differs between them may differ through the program.
const DIRECT: usize = 2;
/// Where something differs through the program, more visits tell whether that is chance, up to so many.
const MOST_DIRECT: usize = 5;
/// How long a visit stays open, in seconds.
const WINDOW: u64 = 3;

/// Uses the application without the program, and with it once it has learned, and compares.
pub(crate) fn compare(application: &Application) -> Result<Row, String> {
    let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
    let pristine = scratch.path().join("pristine");
    fs::create_dir(&pristine).map_err(|error| error.to_string())?;
    (application.prepare)(&pristine)?;
    let certificate = Certificate::for_loopback(scratch.path());
    let bed = Bed { application, scratch: scratch.path(), pristine, certificate: &certificate };
    let mut direct = Vec::new();
    for _ in 0..DIRECT {
        direct.push(bed.direct(direct.len())?);
    }

    let port = free_port()?;
    let program = Program::start(
        Command::new(env!("CARGO_BIN_EXE_headstart"))
            .args(["proxy", &format!("http://127.0.0.1:{port}"), "--listen", "127.0.0.1:0", "--holdout", "0"])
            .args(["--window", &WINDOW.to_string(), "--state-dir"])
            .arg(scratch.path().join("state"))
            .arg("--cert")
            .arg(&certificate.cert)
            .arg("--key")
            .arg(&certificate.key)
            .stdin(Stdio::null()),
    );
    let secure = Origin::new("https", program.port("https"));
    let mut through = Seen::default();
    for lesson in 0..=LESSONS {
        through = bed.run(&format!("lesson-{lesson}"), port, &secure, lesson == LESSONS)?;
        std::thread::sleep(Duration::from_secs(WINDOW + 1));
    }
    let hinted = program.lines().iter().filter(|line| line.contains("hinted")).count();
    let mut differences = Differences::of(&through, &direct);
    while !differences.is_empty() && direct.len() < MOST_DIRECT {
        direct.push(bed.direct(direct.len())?);
        differences = Differences::of(&through, &direct);
    }
    Ok(Row {
        name: application.name,
        version: application.version(),
        steps: application.steps.len(),
        requests: through.requests(),
        hinted,
        differences,
    })
}

struct Bed<'a> {
    application: &'a Application,
    scratch: &'a Path,
    pristine: PathBuf,
    certificate: &'a Certificate,
}

fn free_port() -> Result<u16, String> {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    address.map(|address| address.port()).map_err(|error| error.to_string())
}

impl Bed<'_> {
    /// A visit to the application by itself. Each is at a port of its own, for what an application makes of its origin differs
    /// with the program, too.
    fn direct(&self, visit: usize) -> Result<Seen, String> {
        let port = free_port()?;
        self.run(&format!("direct-{visit}"), port, &Origin::new("http", port), true)
    }

    /// One run of all steps by a new browser, with the application as it was prepared, at a port; `reads` says whether the
    /// bodies of what pages pull in are read, too.
    fn run(&self, name: &str, port: u16, origin: &Origin, reads: bool) -> Result<Seen, String> {
        let [data, profile] = [format!("{name}-data"), format!("{name}-profile")].map(|name| self.scratch.join(name));
        copy(&self.pristine, &data).map_err(|error| format!("{}: {error}", data.display()))?;
        fs::create_dir(&profile).map_err(|error| error.to_string())?;
        let mut started = Started((self.application.start)(&data, port)?);
        wait_for(port, &mut started.0)?;
        let launch = Launch {
            engine: Engine::Chromium,
            profile: &profile,
            spki: &self.certificate.spki,
            prefix: &[],
            flags: &[],
        };
        let mut browser = Browser::start(&launch)?;
        let mut seen = Seen::default();
        for step in self.application.steps {
            let taken = take(step, origin, reads, &mut browser, &mut seen);
            taken.map_err(|error| format!("{name}, {}: {error}", step.name))?;
        }
        for cookie in browser.cookies()? {
            let name = origin.left_out_of(cookie["name"].as_str().unwrap_or_default());
            // Not the program's own, nor one that may end before a slower run does.
            if !name.contains("headstart") && !is_about_to_end(&cookie) {
                let of = |key: &str| cookie[key].to_string();
                let said = [of("path"), of("httpOnly"), of("sameSite")].join(" ");
                seen.cookies.insert(format!("{name} {said}"));
            }
        }
        seen.console = browser.console()?.iter().map(|line| origin.left_out_of(without_phrase(line))).collect();
        browser.close()?;
        Ok(seen)
    }
}

/// Until it answers.
fn wait_for(port: u16, programs: &mut [Program]) -> Result<(), String> {
    let application = programs.last_mut().ok_or("nothing was started")?;
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if http1::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        if !application.is_alive() {
            return Err(format!("it ended:\n{}", application.printed()));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err(format!("it does not listen:\n{}", application.printed()))
}

/// The programs of an application. They are told to end, the last first, whatever happens: one that is killed leaves its
/// workers behind.
pub(crate) struct Started(pub(crate) Vec<Program>);

impl Drop for Started {
    fn drop(&mut self) {
        while let Some(mut program) = self.0.pop() {
            if program.is_alive() {
                program.signal("TERM");
                let _ = program.wait_for_end();
            }
        }
    }
}

/// Whether a cookie is kept for less than a minute.
fn is_about_to_end(cookie: &Value) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    cookie["expiry"].as_u64().is_some_and(|end| end < now.as_secs() + 60)
}

fn take(step: &Step, origin: &Origin, reads: bool, browser: &mut Browser, seen: &mut Seen) -> Result<(), String> {
    if let Some(path) = step.open {
        browser.open(&format!("{}{path}", origin.base))?;
    }
    // What opens is there before anything is done with it.
    if step.open.is_some() && step.until.contains("querySelector") && !step.act.contains("submit") {
        until(step.until, browser)?;
    }
    let returned = browser.run(step.act)?;
    until(step.until, browser)?;
    until("document.readyState === 'complete'", browser)?;
    // What it fetches once it is there comes in, too.
    browser.run(SETTLE)?;
    let text =
        if step.compares_text { browser.run("return document.documentElement.outerHTML;")? } else { Value::Null };
    seen.add_step(step.name, origin, &returned, text.as_str());
    let entries = browser.run(&format!("const reads = {reads}; {FETCHED}"))?;
    seen.add_fetched(step.name, origin, &entries);
    Ok(())
}

/// Waits until nothing more was fetched for half a second, for ten seconds at most.
const SETTLE: &str = "
    const count = () => performance.getEntriesByType('resource').length;
    for (let tries = 0, quiet = 0, before = count(); quiet < 5 && tries < 100; tries++) {
        await new Promise((go) => setTimeout(go, 100));
        quiet = count() === before ? quiet + 1 : 0;
        before = count();
    }
    return null;";

/// What the page's clock lists, and of what a page pulls in the body that the browser holds (which it fetches if it may hold
/// none): type, length, hash. Bodies that name their origin name none there.
const FETCHED: &str = "
    performance.setResourceTimingBufferSize(5000);
    const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
        .filter((entry) => new URL(entry.name).origin === location.origin);
    const held = async (url) => {
        const response = await fetch(url, {cache: 'force-cache'});
        let text = new TextDecoder('latin1').decode(await response.arrayBuffer());
        text = text.replaceAll('https:', 'http:').replaceAll('https%3A', 'http%3A').replaceAll(location.port, 'PORT');
        const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
        const hex = [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
        return [response.headers.get('content-type'), text.length, hex].join(' ');
    };
    const bodies = new Map();
    for (const entry of all) {
        if (reads && ['script', 'link', 'css', 'img'].includes(entry.initiatorType) && !bodies.has(entry.name)) {
            bodies.set(entry.name, await held(entry.name));
        }
    }
    return all.map((entry) => {
        const {pathname, search} = new URL(entry.name);
        return [pathname + search, entry.responseStatus, entry.initiatorType, bodies.get(entry.name) ?? null];
    });";

/// HTTP/2 has no reason phrase for the browser to show.
fn without_phrase(line: &str) -> &str {
    line.split_once(" (")
        .filter(|(start, _)| start.contains("responded with a status of"))
        .map_or(line, |(start, _)| start)
}

/// Waits for an expression to become true in whatever page is there.
fn until(expression: &str, browser: &mut Browser) -> Result<(), String> {
    let deadline = Instant::now() + PATIENCE;
    let script = format!("return {expression};");
    loop {
        // While one page gives way to the next, there is none.
        let answer = browser.run(&script);
        if matches!(answer, Ok(Value::Bool(true))) {
            return Ok(());
        }
        if Instant::now() > deadline {
            let page = browser.run("return [location.href, document.body.innerText.slice(0, 500)];");
            return Err(format!("{expression} is never true: {answer:?}; the page: {page:?}"));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::copy(&path, target)?;
        }
    }
    Ok(())
}

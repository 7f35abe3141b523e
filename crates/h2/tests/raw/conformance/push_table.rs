//! RFC 9113, section 8.4, and what other sections mean to a server that pushes. Beside these stand the tests of
//! `raw/push.rs`, `raw/defects.rs`, `raw/budget.rs` and `raw/order.rs`, which look at order and time.

use http::HeaderMap;

use headstart_policy::Promise;

use super::case::Step;
use super::push::{PushCase, push};
use crate::server::Script;
use testkit::frames::{
    CANCEL, ENABLE_PUSH, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS, data, get, goaway, request, rst, settings, window,
};

const IDS: &str = "8.4 promised ids";
const WANTED: &str = "8.4 ENABLE_PUSH";
const CROWD: &str = "8.4 concurrency";
const CANCELS: &str = "8.4 cancelled pushes";
const PARENTS: &str = "8.4 the page";
const REQUESTS: &str = "8.4 promised requests";
const WINDOWS: &str = "8.4 windows";
const ENDS: &str = "8.4 GOAWAY and shutdown";

const PAGE: &str = "/bytes/10";

pub(crate) fn cases() -> Vec<PushCase> {
    [identifiers(), wanted(), crowds(), cancels(), parents(), requests(), windows(), endings()]
        .into_iter()
        .flatten()
        .collect()
}

/// A site whose page pushes these many bytes each, one asset after another.
fn pushing<const N: usize>(bytes: [usize; N]) -> Script {
    let paths: Vec<String> = bytes.iter().enumerate().map(|(n, bytes)| format!("/bytes/{bytes}/{n}")).collect();
    Script::new().push(PAGE, paths)
}

fn page(stream: u32) -> Vec<u8> {
    get(stream, PAGE)
}

fn identifiers() -> Vec<PushCase> {
    let two_pages = || pushing([20, 30]).push("/bytes/11", ["/bytes/40", "/bytes/50"]);
    vec![
        push(IDS, "a page and its pushes", pushing([20, 30]), "1>2 1>4 1:200+10. 2:200+20. 4:200+30.").send(&[page(1)]),
        push(
            IDS,
            "two pages at once",
            two_pages(),
            "1>2 1>4 3>6 3>8 1:200+10. 2:200+20. 3:200+11. 4:200+30. 6:200+40. 8:200+50.",
        )
        .send(&[page(1), get(3, "/bytes/11")]),
        push(
            IDS,
            "two pages one after another",
            two_pages(),
            "1>2 1>4 9>6 9>8 1:200+10. 2:200+20. 4:200+30. 6:200+40. 8:200+50. 9:200+11.",
        )
        .send(&[page(1)])
        .then(Step::Over(4))
        .send(&[get(9, "/bytes/11")]),
        push(IDS, "a page on the last stream there is", pushing([20]), "2147483647>2 2:200+20. 2147483647:200+10.")
            .send(&[page(0x7fff_ffff)]),
        push(IDS, "a page without pushes takes no id", two_pages(), "3>2 3>4 1:200+9. 2:200+40. 3:200+11. 4:200+50.")
            .send(&[get(1, "/bytes/9")])
            .then(Step::Over(1))
            .send(&[get(3, "/bytes/11")]),
    ]
}

fn wanted() -> Vec<PushCase> {
    let off = || settings(&[(ENABLE_PUSH, 0)]);
    let on = || settings(&[(ENABLE_PUSH, 1)]);
    let site = || pushing([20]).push("/bytes/11", ["/bytes/40"]);
    vec![
        push(WANTED, "0 from the start", site(), "1:200+10.").settings(&[(ENABLE_PUSH, 0)]).send(&[page(1)]),
        push(WANTED, "1 from the start", site(), "1>2 1:200+10. 2:200+20.")
            .settings(&[(ENABLE_PUSH, 1)])
            .send(&[page(1)]),
        push(WANTED, "0, then 1 in one frame", site(), "1>2 1:200+10. 2:200+20.")
            .settings(&[(ENABLE_PUSH, 0), (ENABLE_PUSH, 1)])
            .send(&[page(1)]),
        push(WANTED, "1, then 0 in one frame", site(), "1:200+10.")
            .settings(&[(ENABLE_PUSH, 1), (ENABLE_PUSH, 0)])
            .send(&[page(1)]),
        push(WANTED, "0 just before the page", site(), "1:200+10.").send(&[off(), page(1)]),
        push(WANTED, "1 just before the page", site(), "1>2 1:200+10. 2:200+20.")
            .settings(&[(ENABLE_PUSH, 0)])
            .send(&[on(), page(1)]),
        push(WANTED, "0 between two pages", site(), "1>2 1:200+10. 2:200+20. 3:200+11.")
            .send(&[page(1)])
            .then(Step::Over(2))
            .send(&[off(), get(3, "/bytes/11")]),
        push(WANTED, "0 while a push is being sent", pushing([50]), "1>2 1:200+10. 2:200+50.")
            .settings(&[(INITIAL_WINDOW_SIZE, 20)])
            .send(&[page(1)])
            .then(Step::Bytes(2, 20))
            .send(&[off(), window(2, 30)]),
        push(WANTED, "0 while the page is made", slow(), "1:200+10.")
            .send(&[get(1, "/wait/500/10")])
            .then(Step::Pause)
            .send(&[off()])
            .noted(&["/wait/500/10 Unwanted /bytes/10"]),
        push(WANTED, "a hundred flips that end with 0", site(), "1:200+10.")
            .send(&[[on(), off()].concat().repeat(50), page(1)]),
    ]
}

/// A page that takes long and is waited for.
fn slow() -> Script {
    Script::new().push("/wait/500/10", [PAGE]).config(|config| config.promise_ahead_after = None)
}

fn crowds() -> Vec<PushCase> {
    let limit = |value| [(MAX_CONCURRENT_STREAMS, value)];
    let three = || pushing([20, 30, 40]);
    vec![
        push(CROWD, "none allowed", three(), "1:200+10.").settings(&limit(0)).send(&[page(1)]),
        push(CROWD, "one allowed", three(), "1>2 1:200+10. 2:200+20.").settings(&limit(1)).send(&[page(1)]),
        push(CROWD, "two allowed", three(), "1>2 1>4 1:200+10. 2:200+20. 4:200+30.")
            .settings(&limit(2))
            .send(&[page(1)]),
        push(CROWD, "as many as there are", three(), "1>2 1>4 1>6 1:200+10. 2:200+20. 4:200+30. 6:200+40.")
            .settings(&limit(3))
            .send(&[page(1)]),
        push(CROWD, "lowered to 0 before the page", three(), "1:200+10.").send(&[settings(&limit(0)), page(1)]),
        push(CROWD, "raised before the page", three(), "1>2 1:200+10. 2:200+20.")
            .settings(&limit(0))
            .send(&[settings(&limit(1)), page(1)]),
        push(
            CROWD,
            "a place is free when a push has ended",
            three().push("/bytes/11", ["/bytes/60"]),
            "1>2 3>4 1:200+10. 2:200+20. 3:200+11. 4:200+60.",
        )
        .settings(&limit(1))
        .send(&[page(1)])
        .then(Step::Over(2))
        .send(&[get(3, "/bytes/11")]),
        push(
            CROWD,
            "no place while a push is being sent",
            pushing([50]).push("/bytes/11", ["/bytes/60"]),
            "1>2 1:200+10. 2:200+20 3:200+11.",
        )
        .settings(&[(MAX_CONCURRENT_STREAMS, 1), (INITIAL_WINDOW_SIZE, 20)])
        .send(&[page(1)])
        .then(Step::Bytes(2, 20))
        .send(&[get(3, "/bytes/11")])
        .noted(&["request /bytes/11 push=false"]),
        push(
            CROWD,
            "a place is free when a push was cancelled",
            pushing([50]).push("/bytes/11", ["/bytes/15"]),
            "1>2 3>4 1:200+10. 2:200+20 3:200+11. 4:200+15.",
        )
        .settings(&[(MAX_CONCURRENT_STREAMS, 1), (INITIAL_WINDOW_SIZE, 20)])
        .send(&[page(1)])
        .then(Step::Bytes(2, 20))
        .send(&[rst(2, CANCEL), get(3, "/bytes/11")]),
        push(CROWD, "our own limit", three(), "1>2 1>4 1:200+10. 2:200+20. 4:200+30.")
            .config(|config| config.max_open_pushes = 2)
            .send(&[page(1)]),
    ]
}

fn cancels() -> Vec<PushCase> {
    let narrow = [(INITIAL_WINDOW_SIZE, 20)];
    let site = || pushing([50, 60]);
    vec![
        push(CANCELS, "before its content", site(), "1>2 1>4 1:200 2:200 4:200+60.")
            .settings(&[(INITIAL_WINDOW_SIZE, 0)])
            .send(&[page(1)])
            .then(Step::Head(4))
            .send(&[rst(2, CANCEL), window(4, 60)])
            .noted(&["Cancelled(Cancel) /bytes/50/0"]),
        push(CANCELS, "within its content", site(), "1>2 1>4 1:200+10. 2:200+20 4:200+60.")
            .settings(&narrow)
            .send(&[page(1)])
            .then(Step::Bytes(2, 20))
            .send(&[rst(2, CANCEL), window(4, 40)])
            .noted(&["Cancelled(Cancel) /bytes/50/0", "Finished /bytes/60/1"]),
        push(CANCELS, "after its end", pushing([20]), "1>2 1:200+10. 2:200+20.")
            .send(&[page(1)])
            .then(Step::Over(2))
            .send(&[rst(2, CANCEL)])
            .noted(&["Finished /bytes/20/0", "Cancelled(Cancel) /bytes/20/0"]),
        push(CANCELS, "with REFUSED_STREAM", site(), "1>2 1>4 1:200+10. 2:200+20 4:200+60.")
            .settings(&narrow)
            .send(&[page(1)])
            .then(Step::Bytes(2, 20))
            .send(&[rst(2, 7), window(4, 40)])
            .noted(&["Cancelled(Refused) /bytes/50/0"]),
        push(CANCELS, "all of a page's", site(), "1>2 1>4 1:200+10. 2:200+20 4:200+20")
            .settings(&narrow)
            .send(&[page(1)])
            .then(Step::Bytes(4, 20))
            .send(&[rst(2, CANCEL), rst(4, CANCEL)])
            .noted(&["Cancelled(Cancel) /bytes/50/0", "Cancelled(Cancel) /bytes/60/1", "ended /bytes/10 true"]),
        push(CANCELS, "twice", pushing([50]), "1>2 1:200+10. 2:200+20")
            .settings(&narrow)
            .send(&[page(1)])
            .then(Step::Bytes(2, 20))
            .send(&[rst(2, CANCEL), rst(2, CANCEL)])
            .noted(&["Cancelled(Cancel) /bytes/50/0"]),
        push(
            CANCELS,
            "as many as are suffered",
            pushing([50, 60]).push("/bytes/11", ["/bytes/70"]),
            "1>2 1>4 1:200+10. 2:200+20 3:200+11. 4:200+20",
        )
        .settings(&narrow)
        .config(|config| config.max_cancelled_pushes = 2)
        .send(&[page(1)])
        .then(Step::Bytes(4, 20))
        .send(&[rst(2, CANCEL), rst(4, CANCEL)])
        .then(Step::Pause)
        .send(&[get(3, "/bytes/11")])
        .noted(&["request /bytes/11 push=false"]),
    ]
}

fn parents() -> Vec<PushCase> {
    let narrow = [(INITIAL_WINDOW_SIZE, 5)];
    vec![
        push(
            PARENTS,
            "promised on while it is being made",
            Script::new().push("/wait/60000/10", [PAGE]),
            "1>2 2:200+10.",
        )
        .send(&[get(1, "/wait/60000/10")]),
        push(PARENTS, "reset before its pushes are ready", slow(), "3:200+1.")
            .send(&[get(1, "/wait/500/10")])
            .then(Step::Pause)
            .send(&[rst(1, CANCEL), get(3, "/bytes/1")])
            .noted(&["ended /wait/500/10 false"]),
        push(PARENTS, "reset within its content", pushing([20]), "1>2 1:200+5 2:200+20.")
            .settings(&narrow)
            .send(&[page(1)])
            .then(Step::Bytes(1, 5))
            .send(&[rst(1, CANCEL), window(2, 15)])
            .noted(&["ended /bytes/10 false", "Finished /bytes/20/0"]),
        push(PARENTS, "reset after its end", pushing([20]), "1>2 1:200+10. 2:200+20.")
            .send(&[page(1)])
            .then(Step::Over(1))
            .send(&[rst(1, CANCEL)]),
        push(PARENTS, "without content", Script::new().push("/status/204", [PAGE]), "1>2 1:204. 2:200+10.")
            .send(&[get(1, "/status/204")]),
        push(PARENTS, "answered with 304", Script::new().push("/status/304", [PAGE]), "1>2 1:304. 2:200+10.")
            .send(&[get(1, "/status/304")]),
        push(PARENTS, "a HEAD", pushing([20]), "1>2 1:200. 2:200+20.").send(&[request(1, "HEAD", PAGE, &[], true)]),
        push(PARENTS, "with trailers", Script::new().push("/trailers/10", [PAGE]), "1>2 1:200+10. 2:200+10.")
            .send(&[get(1, "/trailers/10")]),
        push(PARENTS, "that fails", Script::new().push("/fail", [PAGE]), "1!2").send(&[get(1, "/fail")]),
        push(PARENTS, "with an upload that goes on", Script::new().push("/upload/0", [PAGE]), "1>2 1:200+5. 2:200+10.")
            .send(&[request(1, "POST", "/upload/0", &[], false), data(1, 5, true)]),
        push(PARENTS, "with a 103", pushing([20]).hint(PAGE), "1>2 1:103+10. 2:200+20.").send(&[page(1)]),
    ]
}

fn promise(path: &str, fields: &[(&'static str, &'static str)]) -> Promise<String> {
    let headers: HeaderMap =
        fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    Promise { path: path.parse().unwrap(), headers, priority: None, tag: path.to_owned() }
}

fn requests() -> Vec<PushCase> {
    let of = |fields: &[(&'static str, &'static str)]| Script::new().promise(PAGE, vec![promise("/bytes/20", fields)]);
    let path = |path: &str| Script::new().promise(PAGE, vec![promise(path, &[]), promise("/bytes/20", &[])]);
    let served = "1>2 1:200+10. 2:200+20.";
    let both = "1>2 1>4 1:200+10. 2:200+10. 4:200+20.";
    vec![
        push(REQUESTS, "with content-length", of(&[("content-length", "5")]), served).send(&[page(1)]),
        push(REQUESTS, "with connection fields", of(&[("connection", "x-a"), ("x-a", "1")]), served).send(&[page(1)]),
        push(REQUESTS, "with credentials", of(&[("cookie", "a=1"), ("authorization", "b")]), served).send(&[page(1)]),
        push(REQUESTS, "the page itself", path(PAGE), both).send(&[page(1)]),
        push(REQUESTS, "another authority in the path", path("//b.example/x"), served)
            .send(&[page(1)])
            .noted(&["/bytes/10 Invalid //b.example/x"]),
        push(REQUESTS, "the same twice", path("/bytes/20"), served)
            .send(&[page(1)])
            .noted(&["/bytes/10 Repeated /bytes/20"]),
        push(REQUESTS, "what is missing", path("/status/404"), served)
            .send(&[page(1)])
            .noted(&["/bytes/10 NotAdmitted /status/404"]),
        push(REQUESTS, "what redirects", path("/status/302"), served).send(&[page(1)]),
        push(REQUESTS, "what fails", path("/fail"), served).send(&[page(1)]).noted(&["/bytes/10 Failed /fail"]),
        push(REQUESTS, "what panics", path("/panic"), served).send(&[page(1)]).noted(&["/bytes/10 Failed /panic"]),
        push(REQUESTS, "what breaks off", path("/broken/7"), "1>2 1>4 1:200+10. 2:200!2 4:200+20.")
            .send(&[page(1)])
            .noted(&["Failed /broken/7"]),
        push(REQUESTS, "a page without :authority", pushing([20]), "1:200+10.").send(&[super::block::request(
            1,
            &[(":method", "GET"), (":scheme", "https"), (":path", PAGE)],
            true,
        )]),
    ]
}

fn windows() -> Vec<PushCase> {
    let site = || pushing([50, 60]);
    vec![
        push(WINDOWS, "none at all", site(), "1>2 1>4 1:200 2:200 4:200")
            .settings(&[(INITIAL_WINDOW_SIZE, 0)])
            .send(&[page(1)]),
        push(WINDOWS, "opened for one push alone", site(), "1>2 1>4 1:200 2:200 4:200+60.")
            .settings(&[(INITIAL_WINDOW_SIZE, 0)])
            .send(&[page(1)])
            .then(Step::Head(4))
            .send(&[window(4, 1000)]),
        push(WINDOWS, "opened by SETTINGS", site(), "1>2 1>4 1:200+10. 2:200+50. 4:200+60.")
            .settings(&[(INITIAL_WINDOW_SIZE, 0)])
            .send(&[page(1)])
            .then(Step::Head(4))
            .send(&[settings(&[(INITIAL_WINDOW_SIZE, 100)])]),
        push(WINDOWS, "narrowed by SETTINGS and opened again", pushing([50]), "1>2 1:200+10. 2:200+50.")
            .settings(&[(INITIAL_WINDOW_SIZE, 20)])
            .send(&[page(1)])
            .then(Step::Bytes(2, 20))
            .send(&[settings(&[(INITIAL_WINDOW_SIZE, 0)]), window(2, 20), window(2, 30)]),
        push(
            WINDOWS,
            "the connection's is spent by the page",
            Script::new().push("/bytes/65535", [PAGE]),
            "1>2 1:200+65535. 2:200",
        )
        .send(&[get(1, "/bytes/65535")]),
        push(
            WINDOWS,
            "the connection's is given back",
            Script::new().push("/bytes/65535", [PAGE]),
            "1>2 1:200+65535. 2:200+10.",
        )
        .send(&[get(1, "/bytes/65535")])
        .then(Step::Over(1))
        .send(&[window(0, 10)]),
        push(
            WINDOWS,
            "a cancelled push gives back what it claimed",
            site(),
            "1>2 1>4 1:200+10. 2:200+20 3:200+30. 4:200+20",
        )
        .settings(&[(INITIAL_WINDOW_SIZE, 20)])
        .send(&[page(1)])
        .then(Step::Bytes(4, 20))
        .send(&[rst(2, CANCEL), rst(4, CANCEL), get(3, "/bytes/30"), window(3, 10)]),
        push(WINDOWS, "beyond 2^31-1 for a push", pushing([50]), "1>2 1:200+10. 2:200+20!3")
            .settings(&[(INITIAL_WINDOW_SIZE, 20)])
            .send(&[page(1)])
            .then(Step::Bytes(2, 20))
            .send(&[window(2, (1 << 31) - 1), window(2, (1 << 31) - 1)]),
    ]
}

fn endings() -> Vec<PushCase> {
    let narrow = [(INITIAL_WINDOW_SIZE, 20)];
    vec![
        push(ENDS, "GOAWAY before the page", pushing([20]), "1:200+10.").send(&[goaway(0), page(1)]),
        push(ENDS, "GOAWAY while the page is made", slow(), "1:200+10.")
            .send(&[get(1, "/wait/500/10")])
            .then(Step::Pause)
            .send(&[goaway(0)])
            .noted(&["/wait/500/10 Unwanted /bytes/10"]),
        push(ENDS, "GOAWAY that keeps the push", pushing([50]), "1>2 1:200+10. 2:200+50.")
            .settings(&narrow)
            .send(&[page(1)])
            .then(Step::Bytes(2, 20))
            .send(&[goaway(2), window(2, 30)])
            .noted(&["Finished /bytes/50/0"]),
        push(ENDS, "shutdown while a push is being sent", pushing([50]), "1>2 1:200+10. 2:200+20")
            .settings(&narrow)
            .send(&[page(1)])
            .then(Step::Bytes(2, 20))
            .shut_down(),
        push(ENDS, "the client hangs up within a push", pushing([50]), "1>2 1:200+10. 2:200+20")
            .settings(&narrow)
            .send(&[page(1)])
            .then(Step::Bytes(2, 20))
            .noted(&["Unfinished /bytes/50/0", "ended /bytes/10 true"]),
    ]
}

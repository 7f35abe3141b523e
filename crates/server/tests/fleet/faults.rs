//! What may become of an engine: each time requests are answered as before, one line says what is wrong and one that it is
//! over, and what was taught meanwhile is known to all in the end, once.

use std::time::Duration;

use testkit::engine::Redis;
use testkit::tls::Certificate;

use crate::rig::{Fleet, until};

pub(crate) const WRONG: &str = "goes on alone";
pub(crate) const OVER: &str = "can be reached again";

/// Breaks the engine at this URL, teaches meanwhile, mends it, and looks at what the other server has learned.
pub(crate) async fn through(fault: &'static str, url: &str, break_it: impl FnOnce(), mend_it: impl FnOnce()) {
    let fleet = Fleet::new(url);
    let (first, second) = (fleet.quick("web-1"), fleet.quick("web-2"));
    first.visit(1, "/", &["/style.css"]).await;
    until("the first visit is heard", Duration::from_secs(25), async || second.heard().await == 1).await;
    let before = first.slowest(300).await;
    break_it();
    until(fault, Duration::from_secs(40), async || first.count(WRONG) == 1 && second.count(WRONG) == 1).await;
    let during = first.slowest(300).await;
    for network in 2..=4 {
        first.visit(network, "/", &["/style.css"]).await;
    }
    let at_once = second.heard().await;
    assert!(at_once <= 1, "{fault}: {at_once} visits are heard of an engine that does not work");
    mend_it();
    until("it is over", Duration::from_secs(90), async || first.count(OVER) == 1 && second.count(OVER) == 1).await;
    until("all is heard", Duration::from_secs(40), async || second.heard().await >= 4).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(second.heard().await, 4, "{fault}: nothing is doubled");
    assert_eq!((first.count(WRONG), first.count(OVER)), (1, 1), "{fault}: one line each\n{}", first.program.printed());
    // By now its views are hinted, and are votes.
    let usual = before.max(first.slowest(300).await);
    assert!(during < 3 * usual + Duration::from_millis(20), "{fault}: {usual:?} became {during:?}");
}

pub(crate) async fn killed() {
    let redis = std::sync::Mutex::new(Redis::start(&[]));
    let url = redis.lock().expect("no panic").url();
    let (kill, start) = (|| redis.lock().expect("no panic").kill(), || redis.lock().expect("no panic").restart());
    through("killed", &url, kill, start).await;
}

pub(crate) async fn frozen() {
    let redis = Redis::start(&[]);
    through("frozen", &redis.url(), || redis.signal("STOP"), || redis.signal("CONT")).await;
}

pub(crate) async fn stopped_in_an_orderly_way() {
    let redis = std::sync::Mutex::new(Redis::start(&[]));
    let url = redis.lock().expect("no panic").url();
    let stop = || {
        redis.lock().expect("no panic").cli(&["SHUTDOWN", "NOSAVE"]);
    };
    through("stopped", &url, stop, || redis.lock().expect("no panic").restart()).await;
}

pub(crate) async fn full() {
    let redis = Redis::start(&["--maxmemory-policy", "noeviction"]);
    let set = |bytes: &str| assert_eq!(redis.cli(&["CONFIG", "SET", "maxmemory", bytes]), "OK");
    through("full", &redis.url(), || set("1"), || set("0")).await;
}

pub(crate) async fn another_password() {
    let redis = Redis::start(&[]);
    let lock = || {
        redis.cli(&["ACL", "SETUSER", "default", "resetpass", ">other"]);
        redis.cli(&["-a", "other", "CLIENT", "KILL", "TYPE", "normal"]);
    };
    let open = || {
        redis.cli(&["-a", "other", "ACL", "SETUSER", "default", "nopass"]);
    };
    through("another password", &redis.url(), lock, open).await;
}

/// Clients wait for as long as the pause lasts; it ends by itself.
pub(crate) async fn paused() {
    let redis = Redis::start(&[]);
    through("paused", &redis.url(), || assert_eq!(redis.cli(&["CLIENT", "PAUSE", "15000"]), "OK"), || {}).await;
}

/// The engine does nothing at all for a while.
pub(crate) async fn asleep() {
    let redis = Redis::start(&["--enable-debug-command", "yes"]);
    let mut sleep = None;
    let port = redis.port.to_string();
    let start = || {
        let words = ["-p", &port, "DEBUG", "SLEEP", "15"];
        sleep = std::process::Command::new("redis-cli").args(words).stdout(std::process::Stdio::null()).spawn().ok();
    };
    through("asleep", &redis.url(), start, || {}).await;
    assert!(sleep.expect("redis-cli runs").wait().expect("it ends").success());
}

/// Nothing is wrong for long enough to be said; what was there is gone.
pub(crate) async fn flushed_and_filled_with_garbage() {
    let redis = Redis::start(&[]);
    let fleet = Fleet::new(&redis.url());
    let (first, second) = (fleet.quick("web-1"), fleet.quick("web-2"));
    first.visit(1, "/", &["/style.css"]).await;
    until("the first visit is heard", Duration::from_secs(25), async || second.heard().await == 1).await;
    redis.cli(&["FLUSHALL"]);
    for garbage in ["", "garbage", "HSFLEET\u{1}\u{1}", "HSFLEET\u{7f}"] {
        redis.cli(&["XADD", "{headstart:default}:log", "*", "e", garbage]);
        redis.cli(&["XADD", "{headstart:default}:log", "*", "other", garbage]);
    }
    redis.cli(&["HSET", "{headstart:default}:nodes", "x/1", "garbage"]);
    first.visit(2, "/", &["/style.css"]).await;
    until("the second visit is heard", Duration::from_secs(25), async || second.heard().await == 2).await;
    let refused = async |reason: &str| {
        second.counter(&format!("headstart_fleet_refused_entries_total{{reason=\"{reason}\"}}")).await
    };
    // Another version's entry is told apart from what is none.
    assert_eq!((refused("garbage").await, refused("other_format").await), (7, 1));
    assert_eq!(second.count("is refused"), 2, "one line a reason:\n{}", second.program.printed());
}

/// Every key holds what no server writes: each server says so, serves, and comes back when that is gone.
pub(crate) async fn keys_of_other_kinds() {
    let redis = Redis::start(&[]);
    let spoil = || {
        redis.cli(&["FLUSHALL"]);
        for key in ["log", "nodes", "epoch", "base", "writer"] {
            redis.cli(&["SADD", &format!("{{headstart:default}}:{key}"), "a set"]);
        }
    };
    let mend = || {
        redis.cli(&["FLUSHALL"]);
    };
    through("keys of other kinds", &redis.url(), spoil, mend).await;
}

/// An engine behind TLS: those that trust its certificate learn as one, and one that does not says so and learns alone.
pub(crate) async fn a_certificate_that_not_all_trust() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name).display().to_string();
    Certificate::write(directory.path(), "engine", &["localhost"]);
    let (port, certificate, key) = (testkit::engine::free_port(), path("engine.crt"), path("engine.key"));
    let arguments = ["--tls-port", &port.to_string(), "--tls-cert-file", &certificate, "--tls-key-file", &key];
    let arguments = [&arguments[..], &["--tls-ca-cert-file", &certificate, "--tls-auth-clients", "no"]].concat();
    let _redis = Redis::start(&arguments);
    let fleet = Fleet::new(&format!("rediss://localhost:{port}"));
    let trusting = [("SSL_CERT_FILE", &*certificate)];
    let member = |name: &str, environment: &[(&str, &str)]| fleet.server_with(name, &["fleet.publish=1s"], environment);
    let (first, second, stranger) = (member("web-1", &trusting), member("web-2", &trusting), member("web-3", &[]));
    for network in 1..=4 {
        first.visit(network, "/", &["/style.css"]).await;
        stranger.visit(network, "/", &["/app.js"]).await;
    }
    until("the second hears the first", Duration::from_secs(25), async || second.heard().await == 4).await;
    until("the third learns alone", Duration::from_secs(25), async || stranger.hinted(9, "/").await == ["/app.js"])
        .await;
    until("one line says so", Duration::from_secs(25), async || stranger.count(WRONG) == 1).await;
    assert_eq!((first.count(WRONG), second.count(WRONG), stranger.heard().await), (0, 0, 0));
    let said = stranger.program.printed();
    assert!(said.contains("certificate"), "the reason is told: {said}");
}

pub(crate) async fn where_nobody_listens_or_speaks_tls() {
    let redis = Redis::start(&[]);
    let refused = format!("redis://127.0.0.1:{}", testkit::engine::free_port());
    let no_tls = redis.url().replace("redis://", "rediss://");
    let (nobody, plain) = (Fleet::new(&refused), Fleet::new(&no_tls));
    for member in [nobody.quick("web-1"), plain.quick("web-1")] {
        for network in 1..=4 {
            member.visit(network, "/", &["/style.css"]).await;
        }
        until("it learns alone", Duration::from_secs(25), async || member.hinted(9, "/").await == ["/style.css"]).await;
        until("one line says so", Duration::from_secs(25), async || member.count(WRONG) == 1).await;
        assert_eq!(member.counter("headstart_fleet_up").await, 0);
    }
}

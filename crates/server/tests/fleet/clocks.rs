//! Clocks that are set back.

use std::fs;
use std::process::Command;
use std::time::Duration;

use testkit::engine::Redis;
use testkit::tools;

use crate::rig::{Fleet, until};

/// Takes the place of the C library's clock: an hour back for as long as there is a file.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(id, now);
    const char *file = getenv("CLOCK_IS_BACK");
    if (id == CLOCK_REALTIME && file && access(file, F_OK) == 0) now->tv_sec -= 3600;
    return result;
}
"#;

pub(crate) async fn back_by_an_hour() {
    assert!(tools::have(&["cc"]), "no C compiler");
    let redis = Redis::start(&[]);
    let fleet = Fleet::new(&redis.url());
    let (source, shim, back) = (fleet.path("shim.c"), fleet.path("shim.so"), fleet.path("back"));
    fs::write(&source, SHIM).expect("a file");
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&shim).arg(&source).arg("-ldl").status();
    assert!(built.expect("cc runs").success());
    let (shim, file) = (shim.display().to_string(), back.display().to_string());
    let environment = [("LD_PRELOAD", &*shim), ("CLOCK_IS_BACK", &*file)];
    let first = fleet.server_with("web-1", &["fleet.publish=1s"], &environment);
    let second = fleet.quick("web-2");
    first.visit(1, "/", &["/style.css"]).await;
    second.visit(2, "/", &["/style.css"]).await;
    until("each hears the other", Duration::from_secs(25), async || {
        first.heard().await == 1 && second.heard().await == 1
    })
    .await;
    fs::write(&back, "").expect("a file");
    for network in 3..=5 {
        first.visit(network, "/", &["/style.css"]).await;
        second.visit(10 + network, "/", &["/style.css"]).await;
    }
    until("each hears the other still", Duration::from_secs(40), async || {
        first.heard().await >= 4 && second.heard().await >= 4
    })
    .await;
    fs::remove_file(&back).expect("a file");
    first.visit(20, "/", &["/style.css"]).await;
    until("and when it is right again", Duration::from_secs(40), async || second.heard().await >= 5).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!((first.heard().await, second.heard().await), (4, 5), "nothing is doubled");
    assert_eq!(first.hinted(30, "/").await, ["/style.css"]);
    assert_eq!(first.count("goes on alone") + second.count("goes on alone"), 0);
}

//! The programs that the tests drive: found, installed where that is possible, or named as missing.

use crate::shell;
use std::process::{Command, Stdio};

struct Tool {
    program: &'static str,
    /// The Debian package that holds it.
    package: &'static str,
    /// What goes untested without it.
    used_for: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool { program: "nghttp", package: "nghttp2-client", used_for: "push, seen by a client that takes it" },
    Tool { program: "node", package: "nodejs", used_for: "repeat visits of a client with cookies" },
    Tool { program: "nginx", package: "nginx-light", used_for: "an upstream of the proxy" },
    Tool { program: "curl", package: "curl", used_for: "HTTP/1.1, and HTTP/2 without push" },
    Tool { program: "chromium", package: "chromium", used_for: "early hints in a browser" },
    Tool { program: "chromedriver", package: "chromium-driver", used_for: "early hints in a browser" },
    Tool { program: "firefox-esr", package: "firefox-esr", used_for: "early hints in another browser" },
    Tool { program: "pebble", package: "pebble", used_for: "certificates by ACME" },
    Tool { program: "script", package: "bsdutils", used_for: "what a terminal shows" },
    Tool { program: "c++", package: "g++", used_for: "checking the fuzz targets" },
    Tool { program: "valgrind", package: "valgrind", used_for: "the codec's speed, in instructions" },
    Tool { program: "redis-server", package: "redis-server", used_for: "a fleet" },
    Tool { program: "redis-cli", package: "redis-tools", used_for: "a fleet" },
    Tool { program: "systemd-analyze", package: "systemd", used_for: "the units" },
    Tool { program: "systemd-socket-activate", package: "systemd", used_for: "sockets that systemd opens" },
];

/// What benchmarks compare with, and what they drive.
const PEERS: &[Tool] = &[
    Tool { program: "h2load", package: "nghttp2-client", used_for: "load on servers" },
    Tool { program: "nghttpd", package: "nghttp2-server", used_for: "a peer" },
    Tool { program: "nghttpx", package: "nghttp2-proxy", used_for: "a peer" },
    Tool { program: "nginx", package: "nginx-light", used_for: "a peer" },
    Tool { program: "h2o", package: "h2o", used_for: "a peer" },
    Tool { program: "apache2", package: "apache2", used_for: "a peer" },
    Tool { program: "caddy", package: "caddy", used_for: "a peer" },
    Tool { program: "node", package: "nodejs", used_for: "a peer" },
    Tool { program: "java", package: "default-jre-headless", used_for: "a peer, Jetty" },
    // No program, but what Java runs.
    Tool { program: "/usr/share/java/jetty9-http2-server.jar", package: "libjetty9-java", used_for: "a peer, Jetty" },
    Tool { program: "ip", package: "iproute2", used_for: "an emulated link of packets" },
    Tool { program: "chromium", package: "chromium", used_for: "page loads in a browser" },
    Tool { program: "chromedriver", package: "chromium-driver", used_for: "page loads in a browser" },
    Tool { program: "valgrind", package: "valgrind", used_for: "instruction counts" },
];

/// Installs what benchmarks can use, where that is possible, and names what is missing. Nothing here is needed: a
/// benchmark says itself what it had to leave out.
pub(crate) fn ensure_peers() {
    let missing = || PEERS.iter().filter(|tool| !shell::is_on_path(tool.program)).collect::<Vec<_>>();
    if !missing().is_empty() {
        install(&packages(&missing()));
    }
    for tool in missing() {
        println!("!! {} is missing (Debian package {}): left out: {}", tool.program, tool.package, tool.used_for);
    }
}

/// Makes sure that every tool is there.
///
/// As root on Debian the missing ones are installed. What is still missing is a failure under
/// `CI=true`; otherwise it is said loudly and the tests that need it say so again.
pub(crate) fn ensure() -> Result<(), String> {
    println!("== tools");
    if !missing().is_empty() {
        install(&packages(&missing()));
    }
    let missing = missing();
    if missing.is_empty() {
        println!("all {} are here", TOOLS.len());
        return Ok(());
    }
    for tool in &missing {
        println!("!! {} is missing (Debian package {}): NOT TESTED: {}", tool.program, tool.package, tool.used_for);
    }
    if shell::in_ci() {
        let names: Vec<_> = missing.iter().map(|tool| tool.program).collect();
        return Err(format!("missing tools: {}", names.join(", ")));
    }
    Ok(())
}

fn missing() -> Vec<&'static Tool> {
    TOOLS.iter().filter(|tool| !shell::is_on_path(tool.program)).collect()
}

fn packages(tools: &[&Tool]) -> Vec<&'static str> {
    tools.iter().map(|tool| tool.package).collect()
}

/// Tries to install packages of Debian; what came of it is seen by looking for what they hold.
pub(crate) fn install(packages: &[&str]) {
    if !shell::is_on_path("apt-get") || !is_root() {
        return;
    }
    println!("installing {}", packages.join(", "));
    if !apt_get("install", packages) && apt_get("update", &[]) {
        apt_get("install", packages);
    }
}

fn apt_get(verb: &str, packages: &[&str]) -> bool {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").args(["-qq", verb]);
    if verb == "install" {
        command.args(["--yes", "--no-install-recommends"]).args(packages);
    }
    command.stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

pub(crate) fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

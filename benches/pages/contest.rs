//! Who takes part, and how each is told of a site.
//!
//! Those without a handler that could think over a page pass requests for it on to an application that does.

use std::fmt::Write as _;

use crate::page_load::app::APP;
use crate::page_load::contest::{Contestant, Way};
use crate::page_load::lane::UPSTREAM;
use crate::page_load::site::Site;
use crate::page_load::told;
use crate::peers::Peer;

use super::site::PAGE;

/// Ours, with hints or pushes.
pub(super) const OURS: &str = "headstart";
/// Ours, with nothing sent early.
pub(super) const PLAIN: &str = "headstart, nothing sent early";
pub(super) const ORACLE: &str = "oracle";
pub(super) const NGINX: &str = "nginx";

/// Without what differs between servers.
const APPLICATION: Contestant = Contestant {
    name: "",
    peer: APP,
    extra: |_, _| String::new(),
    ways: &[Way::Plain],
    learns: None,
    thinks: true,
    proxies: false,
    deploys: false,
};

const PROXY: Contestant = Contestant { proxies: true, ..APPLICATION };

/// The first [`PAIRED`] are loaded in every round.
pub(super) const CONTESTANTS: &[Contestant] = &[
    Contestant {
        name: OURS,
        extra: |_, think| format!("headstart {think}"),
        ways: &[Way::Push, Way::Hints],
        learns: Some(Way::Hints),
        ..APPLICATION
    },
    Contestant { name: PLAIN, extra: |_, think| format!("headstart-nothing {think}"), ..APPLICATION },
    Contestant {
        name: ORACLE,
        extra: |site, think| format!("oracle {think} {}", site.shape),
        ways: &[Way::Push],
        ..APPLICATION
    },
    Contestant { name: NGINX, peer: told::NGINX_PUSH, extra: nginx, ..PROXY },
    Contestant { name: "axum", extra: |_, think| format!("axum {think}"), ..APPLICATION },
    Contestant {
        name: "node, told by hand",
        peer: told::NODE,
        extra: told::node,
        ways: &[Way::Push, Way::Hints],
        ..APPLICATION
    },
    Contestant { name: "h2o", peer: told::H2O_PUSH, extra: h2o, ..PROXY },
    Contestant {
        name: "caddy",
        peer: Peer { template: Some(include_str!("../peers/templates/Caddyfile-push")), ..told::CADDY_PUSH },
        extra: caddy,
        ..PROXY
    },
];

/// How many of [`CONTESTANTS`] are loaded in every round; the others are in every third.
pub(super) const PAIRED: usize = 4;

fn nginx(_: &Site, think: u64) -> String {
    let page = if think == 0 {
        "add_header cache-control \"private, no-cache\";".to_owned()
    } else {
        format!("proxy_pass http://{UPSTREAM};\nproxy_http_version 1.1;")
    };
    format!(
        "gzip_static on;\ngzip_vary on;\nlocation = {PAGE} {{\n{page}\n}}\n\
         location /data/ {{\nadd_header cache-control no-store;\n}}\n"
    )
}

fn h2o(_: &Site, think: u64) -> String {
    let mut text = String::new();
    let page = if think == 0 {
        format!("file.file: @root@{PAGE}\n        header.set: \"cache-control: private, no-cache\"")
    } else {
        format!("proxy.reverse.url: http://{UPSTREAM}{PAGE}")
    };
    let _ = writeln!(text, "      {PAGE}:\n        {page}");
    text.push_str("      /data:\n        header.set: \"cache-control: no-store\"\n        file.dir: @root@/data");
    text
}

fn caddy(_: &Site, think: u64) -> String {
    let page = if think == 0 {
        format!("\theader {PAGE} cache-control \"private, no-cache\"\n")
    } else {
        format!("\treverse_proxy {PAGE} {UPSTREAM}\n")
    };
    page + "\theader /data/* cache-control no-store\n"
}

//! Peers, and how each is told what to send with which page: all that a page is not drawn without.
//!
//! An operator who took the trouble would write this by hand, and anew after each deploy. Jetty alone learns by itself.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::hints::link;
use super::site::{Page, Site};
use crate::peers::{CADDY, H2O, NGHTTPD, NGINX, Peer, Program};

/// nginx with `http2_push`.
pub(crate) const NGINX_PUSH: Peer =
    Peer { template: Some(include_str!("../peers/templates/nginx-push.conf")), ..NGINX };

/// H2O with CASPer.
pub(crate) const H2O_PUSH: Peer = Peer { template: Some(include_str!("../peers/templates/h2o-push.conf")), ..H2O };

/// Caddy with `push`.
pub(crate) const CADDY_PUSH: Peer = Peer { template: Some(include_str!("../peers/templates/Caddyfile-push")), ..CADDY };

/// nghttpd with `--push`.
pub(crate) const NGHTTPD_PUSH: Peer = NGHTTPD;

/// Apache with `H2PushResource` and its push diary.
pub(crate) const APACHE: Peer = Peer {
    name: "apache",
    program: Program::OnPath("apache2"),
    template: Some(include_str!("../peers/templates/apache.conf")),
    args: &["-DFOREGROUND", "-f", "@config@"],
    env: &[],
};

/// Node's `http2` with a handler that pushes.
pub(crate) const NODE: Peer = Peer {
    name: "node",
    program: Program::OnPath("node"),
    template: Some(include_str!("../peers/templates/node.cjs")),
    args: &["@config@", "@root@", "@cert@", "@key@", "@address@", "@port@", "@extra@"],
    env: &[],
};

/// Jetty with `PushCacheFilter`, as Debian's libjetty9-java has it.
pub(crate) const JETTY: Peer = Peer {
    name: "jetty",
    program: Program::OnPath("java"),
    template: Some(include_str!("../peers/templates/jetty.xml")),
    args: &["-cp", JARS, "org.eclipse.jetty.xml.XmlConfiguration", "@config@"],
    env: &[],
};

/// What of it is needed.
const JARS: &str = concat!(
    "/usr/share/java/jetty9-alpn-java-server.jar:",
    "/usr/share/java/jetty9-alpn-server.jar:",
    "/usr/share/java/jetty9-http.jar:",
    "/usr/share/java/jetty9-http2-common.jar:",
    "/usr/share/java/jetty9-http2-hpack.jar:",
    "/usr/share/java/jetty9-http2-server.jar:",
    "/usr/share/java/jetty9-io.jar:",
    "/usr/share/java/jetty9-security.jar:",
    "/usr/share/java/jetty9-server.jar:",
    "/usr/share/java/jetty9-servlet.jar:",
    "/usr/share/java/jetty9-servlets.jar:",
    "/usr/share/java/jetty9-util.jar:",
    "/usr/share/java/jetty9-xml.jar:",
    "/usr/share/java/servlet-api.jar"
);

pub(crate) fn nginx(site: &Site, _: u64) -> String {
    each(site, |text, page| {
        let _ = writeln!(text, "location = {} {{\nadd_header cache-control \"private, no-cache\";", page.path);
        for asset in page.listed() {
            let _ = writeln!(text, "http2_push {};", asset.path);
        }
        text.push_str("}\n");
    })
}

pub(crate) fn h2o(site: &Site, _: u64) -> String {
    each(site, |text, page| {
        let links: Vec<String> = page.listed().map(link).collect();
        let _ = writeln!(
            text,
            "      {}:\n        mruby.handler: |\n          Proc.new do |env|\n            [399, {{ \"link\" => \"{}\" }}, []]\n          \
             end\n        file.file: @root@{}\n        header.set: \"cache-control: private, no-cache\"",
            page.path,
            links.join("\\n"),
            page.path
        );
    })
}

pub(crate) fn caddy(site: &Site, _: u64) -> String {
    each(site, |text, page| {
        let _ = writeln!(text, "\theader {} cache-control \"private, no-cache\"\n\tpush {} {{", page.path, page.path);
        for asset in page.listed() {
            let _ = writeln!(text, "\t\tGET {}", asset.path);
        }
        text.push_str("\t}\n");
    })
}

pub(crate) fn nghttpd(site: &Site, _: u64) -> String {
    each(site, |text, page| {
        let paths: Vec<&str> = page.listed().map(|asset| asset.path.as_str()).collect();
        let _ = write!(text, " --push={}={}", page.path, paths.join(","));
    })
}

pub(crate) fn apache(site: &Site, _: u64) -> String {
    each(site, |text, page| {
        let _ = writeln!(text, "<Location {}>\nHeader set cache-control \"private, no-cache\"", page.path);
        for asset in page.listed() {
            // A pushed resource is also named in the 103 of those who refuse pushes.
            let _ = writeln!(text, "H2PushResource add {}", asset.path);
        }
        text.push_str("</Location>\n");
    })
}

pub(crate) fn node(site: &Site, think: u64) -> String {
    let mut lists = Map::new();
    for page in &site.pages {
        let list = page.listed().map(|asset| json!({ "path": asset.path, "link": link(asset).replace(' ', "") }));
        lists.insert(page.path.clone(), list.collect());
    }
    format!("{think} {}", Value::Object(lists))
}

/// Writes something for each page, one after the other.
fn each(site: &Site, say: impl Fn(&mut String, &Page)) -> String {
    let mut text = String::new();
    for page in &site.pages {
        say(&mut text, page);
    }
    text
}

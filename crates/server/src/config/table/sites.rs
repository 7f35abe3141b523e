//! Rows of `[[site]]` and what belongs to it, and of `[[rule]]`.

use std::ops::RangeInclusive;
use std::time::Duration;

use headstart::Action;

use crate::config::entries::{HeaderEntry, ProxyEntry, RedirectEntry, RuleEntry, SiteEntry};
use crate::config::fields::{self, SiteField};
use crate::config::section::Section;
use crate::config::setting::{Group, Takes};
use crate::config::size::Size;
use headstart_coding::Levels;
use headstart_files::{Config, Dotfiles, Symlinks};
use headstart_proxy::{Balance, Caching};

const ANY_SIZE: RangeInclusive<Size> = Size(0)..=Size(u64::MAX);

pub(in crate::config) fn site() -> Group<SiteEntry> {
    Group::<SiteEntry>::new("site")
        .value("hosts", |to| &mut to.hosts)
        .help("\"*.example.org\" is all below; none: all names that no other site has")
        .sample("[\"example.org\", \"www.example.org\"]")
        .value("path", |to| &mut to.path)
        .help("only what begins with this")
        .sample("\"/\"")
        .value("cert", |to| &mut to.identity.cert)
        .help("certificate chain for these names, instead of that of [tls]; looked at for changes")
        .sample("\"example.org.pem\"")
        .value("key", |to| &mut to.identity.key)
        .help("private key of the certificate")
        .sample("\"example.org.key\"")
        .value("https", |to| &mut to.https)
        .help("true: requests without TLS are redirected to https:// (308), but for ACME's paths")
        .sample("false")
        .value("hsts", |to| &mut to.hsts)
        .help("true: browsers are told to use https:// alone for a year (Strict-Transport-Security)")
        .custom("redirect", |_, _, _| {}, |_| None)
        .within("max_pushes", 0..=1024, |to| &mut to.budget.pushes)
        .help("pushes of a page of these hosts, instead of those of [push]")
        .sample("16")
        .size("max_push_bytes", ANY_SIZE, |to| &mut to.budget.push_bytes)
        .help("bytes of these together")
        .sample("\"1MiB\"")
        .within("max_hints", 0..=1024, |to| &mut to.budget.hints)
        .help("hints of a page of these hosts, instead of those of [hint]")
        .sample("16")
}

pub(in crate::config) fn redirect() -> Group<RedirectEntry> {
    const STATUSES: [u32; 5] = [301, 302, 303, 307, 308];
    let known = |status: &u32| {
        if STATUSES.contains(status) { Ok(()) } else { Err(format!("{status} is not one of 301, 302, 303, 307, 308")) }
    };
    Group::<RedirectEntry>::new("site.redirect")
        .value("from", |to| &mut to.from)
        .help("`*` is any text without a slash, `**` any text")
        .sample("\"/blog/*/**\"")
        .value("to", |to| &mut to.to)
        .help("a path or a URL; $1 to $9 are what the stars caught; the query goes along")
        .sample("\"https://blog.example.org/$1/$2\"")
        .checked("status", known, |to| &mut to.status)
        .help("301, 302, 303, 307 or 308")
}

pub(in crate::config) fn directory() -> Group<SiteEntry> {
    Group::<SiteEntry>::new("site")
        .value("root", |to| &mut to.root)
        .help("the directory to serve")
        .sample("\"/srv/www\"")
}

pub(in crate::config) fn application() -> Group<SiteEntry> {
    Group::<SiteEntry>::new("site")
        .value("upstream", |to| &mut to.upstream)
        .help("an application, on one or several servers: http://, https://, h2c:// or unix:/path, with a path below it or not")
        .sample("[\"http://10.0.0.7:3000\"]")
}

pub(in crate::config) fn files() -> Group<Config> {
    const SYMLINKS: &[(&str, Symlinks)] =
        &[("deny", Symlinks::Deny), ("within", Symlinks::Within), ("follow", Symlinks::Follow)];
    const DOTFILES: &[(&str, Dotfiles)] =
        &[("deny", Dotfiles::Deny), ("well-known", Dotfiles::WellKnown), ("serve", Dotfiles::Serve)];
    Group::<Config>::new("site")
        .checked("index", |name: &String| fields::below_directory(name), |to| &mut to.index)
        .help("names that answer for a directory")
        .checked("fallback", |name: &String| fields::below_directory(name), |to| &mut to.fallback)
        .help("file that answers for paths without extension that name nothing")
        .sample("\"app.html\"")
        .custom("error_pages", fields::error_pages, |_| None)
        .help("files that answer with a status of 400 or more")
        .sample("{ 404 = \"404.html\" }")
        .custom("cache_control", fields::cache_control, |_| None)
        .help("Cache-Control by path: the first pattern that matches")
        .sample("{ \"/assets/**\" = \"public, max-age=31536000, immutable\", \"*.json\" = \"no-store\" }")
        .custom("media_types", fields::media_types, |_| None)
        .help("media types by extension")
        .sample("{ webmanifest = \"application/manifest+json\" }")
        .value("precompressed", |to| &mut to.precompressed)
        .help("send app.js.br, .zst or .gz in place of app.js")
        .custom("compress", compress, |of| Some(of.compress.is_some().to_string()))
        .help("compress text once, and keep it")
        .size("compress_from", ANY_SIZE, |to| &mut to.compress_from)
        .help("smaller files are not compressed")
        .size("memory", ANY_SIZE, |to| &mut to.max_memory)
        .help("bytes of files in memory")
        .size("max_file", ANY_SIZE, |to| &mut to.max_file)
        .help("larger files are streamed from disk")
        .within("revalidate", Duration::ZERO..=Duration::from_secs(3600), |to| &mut to.revalidate)
        .help("how old an answer from memory may be")
        .choice("symlinks", SYMLINKS, |to| &mut to.symlinks)
        .help("symbolic links: deny, within (the directory) or follow")
        .choice("dotfiles", DOTFILES, |to| &mut to.dotfiles)
        .help("names that begin with a dot, and what editors leave behind: deny, well-known or serve")
}

/// Fields of all that a site answers.
pub(in crate::config) fn site_fields() -> Group<Vec<SiteField>> {
    Group::<Vec<SiteField>>::new("site")
        .custom("headers", fields::headers, |_| None)
        .help("further fields of all responses of the site, errors and redirects too")
        .sample("{ x-content-type-options = \"nosniff\" }")
        .custom("header", |section, key, to| fields::header(section, key, &header(), to), |_| None)
}

fn compress(section: &mut Section<'_>, key: &'static str, to: &mut Config) {
    if let Some(at) = section.get::<bool>(key) {
        to.compress = at.value.then(Levels::default);
    }
}

pub(in crate::config) fn header() -> Group<HeaderEntry> {
    Group::<HeaderEntry>::new("site.header")
        .value("path", |to| &mut to.path)
        .help("all by default")
        .sample("\"*.js\"")
        .value("name", |to| &mut to.name)
        .sample("\"cross-origin-resource-policy\"")
        .value("value", |to| &mut to.value)
        .sample("\"same-origin\"")
}

pub(in crate::config) fn proxy() -> Group<ProxyEntry> {
    const SECOND: Duration = Duration::from_secs(1);
    const DAY: Duration = Duration::from_secs(24 * 3600);
    const BALANCE: &[(&str, Balance)] = &[("round_robin", Balance::RoundRobin), ("least_open", Balance::LeastOpen)];
    const CACHE: &[(&str, Caching)] =
        &[("off", Caching::Off), ("pushes", Caching::Pushes), ("assets", Caching::Assets), ("all", Caching::All)];
    let times = || SECOND / 100..=DAY;
    let long_times = || SECOND / 10..=DAY;
    Group::<ProxyEntry>::new("site.proxy")
        .value("name", |to| &mut to.name)
        .help("in logs and metrics; the first host by default")
        .sample("\"shop\"")
        .choice("balance", BALANCE, |to| &mut to.config.balance)
        .help("which server is asked next: round_robin or least_open")
        .value("host", |to| &mut to.config.host)
        .help("what the application is told as Host: preserve, server, or a name")
        .value("via", |to| &mut to.config.forwarding.via)
        .help("add Via to requests and responses")
        .value("trust", |to| &mut to.trust)
        .help("fields that applications believe and that are let through all the same, as a proxy in front writes them")
        .sample("[\"x-forwarded-host\"]")
        .checked("strip_prefix", |prefix: &String| stripped(prefix), |to| &mut to.strip_prefix)
        .help("what paths begin with here and not in the application (\"/shop\"), which is told X-Forwarded-Prefix")
        .sample("\"\"")
        .custom("request_headers", fields::request_headers, |_| None)
        .help("fields that the application is told, whatever the client said")
        .sample("{ x-served-by = \"headstart\" }")
        .custom("remove_request_headers", fields::removed_from_requests, |_| None)
        .help("fields that the application is not told")
        .sample("[\"x-internal\"]")
        .custom("remove_response_headers", fields::removed_from_responses, |_| None)
        .help("fields of the application that clients are not told")
        .sample("[\"x-powered-by\"]")
        .value("compress", |to| &mut to.compress)
        .help("compress text that the application sends as it is")
        .size("compress_from", ANY_SIZE, |to| &mut to.compression.from)
        .help("shorter responses are not compressed")
        .size("compress_memory", ANY_SIZE, |to| &mut to.compression.max_memory)
        .help("bytes for compressing, of all responses under way; beyond them responses go out as they are")
        .value("ca", |to| &mut to.ca)
        .help("certificates that are trusted instead of the public authorities, for https://")
        .sample("\"ca.pem\"")
        .value("insecure", |to| &mut to.insecure)
        .help("true: the certificates of the servers are not checked")
        .sample("false")
        .value("server_name", |to| &mut to.config.tls.server_name)
        .help("the name in the certificate, if not the host of the server")
        .sample("\"app.internal\"")
        .within("connect_timeout", times(), |to| &mut to.config.timeouts.connect)
        .help("to look up, connect and shake hands")
        .within("head_timeout", times(), |to| &mut to.config.timeouts.head)
        .help("from a request's head to that of the response")
        .within("body_timeout", times(), |to| &mut to.config.timeouts.body)
        .help("without a byte of content, either way")
        .within("idle_timeout", times(), |to| &mut to.config.timeouts.idle)
        .help("that an unused connection is kept")
        .within("tunnel_timeout", times(), |to| &mut to.config.timeouts.tunnel)
        .help("without a byte of a WebSocket, either way")
        .within("max_in_flight", 1..=1_000_000, |to| &mut to.config.limits.max_in_flight)
        .help("requests under way")
        .within("max_idle", 0..=1_000_000, |to| &mut to.config.limits.max_idle)
        .help("unused connections that are kept, for each server")
        .size("max_upload", ANY_SIZE, |to| &mut to.config.limits.max_upload)
        .help("no limit by default")
        .sample("\"10MiB\"")
        .size("max_head", Size::kib(1)..=Size::mib(16), |to| &mut to.config.limits.max_head_bytes)
        .help("bytes of a response's head")
        .within("retries", 0..=100, |to| &mut to.config.limits.retries)
        .help("other servers that are asked after a failure")
        .value("max_failures", |to| &mut to.config.health.max_failures)
        .help("failures in a row that put a server aside; 0 is never")
        .within("aside", long_times(), |to| &mut to.config.health.aside)
        .help("for how long")
        .checked("probe", |path: &String| probe_path(path), |to| &mut to.probe_path)
        .help("path that is asked for regularly; none by default")
        .sample("\"/health\"")
        .within("probe_interval", long_times(), |to| &mut to.probe.every)
        .help("how often")
        .within("probe_timeout", times(), |to| &mut to.probe.timeout)
        .help("how long an answer may take")
        .value("probe_status", |to| &mut to.probe.statuses)
        .help("good answers")
        .within("probe_falls", 1..=1000, |to| &mut to.probe.falls)
        .help("bad answers in a row that put a server aside")
        .within("probe_rises", 1..=1000, |to| &mut to.probe.rises)
        .help("good answers in a row that bring it back")
        .choice("cache", CACHE, |to| &mut to.config.cache)
        .help("what is answered from memory, as far as the application allows: off, pushes, assets or all")
        .flag("cache", Takes::Value("WHAT"))
}

fn stripped(prefix: &str) -> Result<(), String> {
    if prefix.is_empty() || (prefix.starts_with('/') && prefix.len() > 1) {
        Ok(())
    } else {
        Err("has to be a path of at least one segment, such as \"/shop\"".into())
    }
}

fn probe_path(path: &str) -> Result<(), String> {
    if path.starts_with('/') { Ok(()) } else { Err("has to be a path, which begins with a slash".into()) }
}

pub(in crate::config) fn rule() -> Group<RuleEntry> {
    const ACTIONS: &[(&str, Option<Action>)] = &[
        ("send", Some(Action::Send)),
        ("push", Some(Action::Push)),
        ("hint", Some(Action::Hint)),
        ("never_push", Some(Action::NeverPush)),
        ("never_hint", Some(Action::NeverHint)),
        ("never", Some(Action::Never)),
    ];
    Group::<RuleEntry>::new("rule")
        .choice("action", ACTIONS, |to| &mut to.action)
        .help("send, push, hint: always; never_push, never_hint, never")
        .sample("\"never_push\"")
        .value("pages", |to| &mut to.pages)
        .help("all by default; a list works too")
        .sample("\"/blog/**\"")
        .value("assets", |to| &mut to.assets)
        .help("patterns of paths, or what is always sent")
        .sample("[\"/video/**\", \"*.mp4\"]")
        .value("hosts", |to| &mut to.hosts)
        .help("all by default")
        .sample("[\"example.org\"]")
        .value("as", |to| &mut to.destination)
        .help("of what is always sent: what a preload is `as`, if the extension does not tell")
        .sample("\"style\"")
}

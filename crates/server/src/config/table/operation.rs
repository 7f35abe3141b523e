//! Rows of the file itself, `[tls]`, `[state]`, `[log]` and `[admin]`.

use std::path::PathBuf;
use std::time::Duration;

use crate::access_log_writer::Format;
use crate::config::entries::ListenEntry;
use crate::config::operation::{Acme, Admin, Log, State, Tls};
use crate::config::place::At;
use crate::config::section::Section;
use crate::config::setting::{Group, Takes};
use crate::log::LogFormat;

/// Keys of the file itself, which belong to no section.
#[derive(Debug, Default)]
pub(in crate::config) struct Root {
    /// Files with rules.
    pub(in crate::config) rules: Vec<At<PathBuf>>,
}

pub(in crate::config) fn root() -> Group<Root> {
    Group::<Root>::new("")
        .value("rules", |to| &mut to.rules)
        .help("files with further [[rule]] tables; this key belongs above all sections")
        .sample("[\"rules.toml\"]")
        // Its tables are read one by one, and have rows of their own.
        .custom("listen", |_, _, _| {}, |_| None)
        .help("address to listen on, HOST:PORT; `localhost` is 127.0.0.1 and ::1; `http://` in front is cleartext")
        .otherwise(ListenEntry::ADDRESS)
        .flag("listen", Takes::List("HOST:PORT"))
        .variable("HEADSTART_LISTEN")
}

const SECOND: Duration = Duration::from_secs(1);
const FRACTION: Duration = Duration::from_millis(100);
const DAY: Duration = Duration::from_secs(24 * 3600);

pub(in crate::config) fn tls() -> Group<Tls> {
    Group::<Tls>::new("tls")
        .value("cert", |to| &mut to.identity.cert)
        .help("certificate chain, PEM, for names that no site has a certificate for")
        .otherwise("a self-signed one for localhost, made once and kept")
        .sample("\"default.pem\"")
        .flag("cert", Takes::Value("FILE"))
        .variable("HEADSTART_CERT")
        .value("key", |to| &mut to.identity.key)
        .help("private key of the certificate, PEM")
        .sample("\"default.key\"")
        .flag("key", Takes::Value("FILE"))
        .variable("HEADSTART_KEY")
        .choice("min_version", &[("1.2", true), ("1.3", false)], |to| &mut to.allow_tls12)
        .help("the oldest version of TLS that is spoken: 1.2 or 1.3")
        .value("resumption", |to| &mut to.resumption)
        .help("whether clients may resume a session")
        .within("poll", FRACTION..=DAY, |to| &mut to.poll)
        .help("how often the files of certificates are looked at for changes")
        .custom("acme", read_acme, |_| None)
}

/// Reads `[tls.acme]`, if there is one.
fn read_acme(section: &mut Section<'_>, key: &'static str, to: &mut Tls) {
    if section.has(key) {
        let name = section.name_of(key);
        let mut section = section.section(key);
        let mut read = Acme { place: section.place().clone(), name, ..Acme::default() };
        acme().read_keys(&mut section, &mut read);
        section.done();
        to.acme = Some(read);
    }
}

pub(in crate::config) fn acme() -> Group<Acme> {
    Group::<Acme>::new("tls.acme")
        .value("domains", |to| &mut to.domains)
        .help("names that certificates are ordered for, by ACME; the terms of the authority are agreed to by that")
        .otherwise("the hosts of all sites without a certificate")
        .sample("[\"example.org\", \"www.example.org\"]")
        .flag("acme", Takes::List("NAME"))
        .value("contact", |to| &mut to.contact)
        .help("addresses of mail that the authority may write to")
        .sample("[\"ops@a.example\"]")
        .flag("acme-contact", Takes::List("EMAIL"))
        .value("directory", |to| &mut to.directory)
        .help("the authority: letsencrypt, letsencrypt-staging, or the URL of a directory")
        .otherwise("letsencrypt")
        .sample("\"letsencrypt-staging\"")
        .flag("acme-directory", Takes::Value("URL"))
        .value("ca", |to| &mut to.ca)
        .help("certificates that the authority itself is known by, instead of the public authorities")
        .sample("\"ca.pem\"")
        .value("binding_id", |to| &mut to.binding_id)
        .help("for authorities that bind accounts to customers (EAB): the identifier of the key that they gave you")
        .sample("\"kid-1\"")
        .value("binding_key", |to| &mut to.binding_key)
        .help("a file with that key, in base64url")
        .sample("\"eab.key\"")
        .within("retry", SECOND..=DAY, |to| &mut to.retry)
        .help("how long to wait after an order that failed; three times as long after each further one, 6h at most")
}

pub(in crate::config) fn state() -> Group<State> {
    Group::<State>::new("state")
        .value("dir", |to| &mut to.directory)
        .help("where the snapshot and the self-signed certificate are kept")
        .otherwise("$XDG_STATE_HOME/headstart or ~/.local/state/headstart")
        .sample("\"/var/lib/headstart\"")
        .flag("state-dir", Takes::Value("DIR"))
        .value("file", |to| &mut to.file)
        .help("snapshot of what was learned")
        .otherwise("`snapshot` in the state directory")
        .sample("\"snapshot\"")
        .flag("state", Takes::Value("FILE"))
        .variable("HEADSTART_STATE")
        .value("save", |to| &mut to.save)
        .help("false: neither read nor write a snapshot; what is learned ends with the program")
        .flag("no-state", Takes::Nothing("false"))
        .within("interval", FRACTION..=365 * DAY, |to| &mut to.interval)
        .help("time between snapshots; a crash loses at most this much")
        .flag("snapshot-interval", Takes::Value("TIME"))
}

pub(in crate::config) fn log() -> Group<Log> {
    Group::<Log>::new("log")
        .choice("format", &[("human", LogFormat::Human), ("json", LogFormat::Json)], |to| &mut to.format)
        .help("how lines about the program itself are written: human or json")
        .value("filter", |to| &mut to.filter)
        .help("which events of the libraries are written, in the notation of tracing-subscriber")
        .variable("HEADSTART_LOG")
        .value("views", |to| &mut to.views)
        .help("a line for each page view, on standard output")
        .value("access", |to| &mut to.access)
        .help("file for a line for each response; `-` is standard output; SIGHUP opens it again")
        .sample("\"access.log\"")
        .flag("access-log", Takes::Value("FILE"))
        .variable("HEADSTART_ACCESS_LOG")
        .choice("access_format", &[("combined", Format::Combined), ("json", Format::Json)], |to| &mut to.access_format)
        .help("format of the access log: combined or json")
        .flag("access-log-format", Takes::Value("FORMAT"))
        .variable("HEADSTART_ACCESS_LOG_FORMAT")
}

pub(in crate::config) fn admin() -> Group<Admin> {
    let not_empty = |token: &String| if token.is_empty() { Err("is empty".to_owned()) } else { Ok(()) };
    Group::<Admin>::new("admin")
        .checked("listen", |address: &String| host_and_port(address), |to| &mut to.listen)
        .help("address for operators: dashboard, metrics, health; loopback addresses only, unless there is a token")
        .otherwise("off")
        .sample("\"localhost:9180\"")
        .flag("admin", Takes::Value("HOST:PORT"))
        .variable("HEADSTART_ADMIN")
        .checked("token", not_empty, |to| &mut to.token)
        .help("what operators have to show: a bearer token, or the password that a browser asks for")
        .sample("\"...\"")
        .flag("admin-token", Takes::Value("TOKEN"))
        .value("hosts", |to| &mut to.hosts)
        .help("names by which browsers may reach the admin listener, besides addresses and localhost")
        .flag("admin-host", Takes::List("HOST"))
}

fn host_and_port(address: &str) -> Result<(), String> {
    match address.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(()),
        _ => Err(format!("{address:?} is not of the form HOST:PORT")),
    }
}

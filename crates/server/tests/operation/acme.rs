//! Certificates by ACME, from an authority of our own (Let's Encrypt's pebble) with its faults on.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use testkit::tls::{self, Certificate};
use testkit::{http1, tools};

use super::rig::{Files, Program};

/// Ports that are free now. Each side has to know the other's before it starts.
fn ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("its address").port())
}

/// An authority, and the DNS that it asks.
struct Authority {
    _dns: Program,
    _pebble: Program,
    management: u16,
    certificate: Certificate,
}

impl Authority {
    /// The names' resolver: the two ports of the program.
    fn start(files: &Files, port: u16, (http, https): (u16, u16), faults: &[(&str, &str)]) -> Self {
        let certificate = Certificate::write(&files.path(""), "authority", &["localhost", "127.0.0.1"]);
        let [dns, manage_dns, management] = ports();
        let mut command = Command::new("pebble-challtestsrv");
        command.args(["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""]);
        command.args(["-dns01", &format!("127.0.0.1:{dns}"), "-management", &format!("127.0.0.1:{manage_dns}")]);
        let names = Program::start(&mut command);
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": certificate.cert, "privateKey": certificate.key,
            "httpPort": http, "tlsPort": https,
            "externalAccountBindingRequired": files.path("eab.key").exists(),
            "externalAccountMACKeys": { "kid-1": BINDING_KEY },
        } });
        let path = files.write("pebble.json", config.to_string());
        let mut command = Command::new("pebble");
        command.arg("-config").arg(path).args(["-dnsserver", &format!("127.0.0.1:{dns}")]);
        command.env("PEBBLE_VA_NOSLEEP", "1").envs(faults.iter().copied());
        let pebble = Program::start(&mut command);
        pebble.line(0, "Listening on");
        Self { _dns: names, _pebble: pebble, management, certificate }
    }

    /// The certificate that all that it issues goes back to, DER.
    fn root(&self) -> Vec<u8> {
        let client = tls::client(&[&self.certificate.der], &["http/1.1"]);
        let socket = http1::connect(("127.0.0.1", self.management)).expect("it listens");
        let mut stream = tls::blocking(&client, "localhost", socket);
        stream.write_all(http1::head("localhost", "/roots/0", &[]).as_bytes()).expect("it reads");
        let (bytes, _) = http1::read_to_end(&mut stream);
        let reply = http1::Reply::parse(&bytes).expect("a response");
        let path = std::env::temp_dir().join(format!("headstart-root-{}.pem", self.management));
        fs::write(&path, &reply.body).expect("a file");
        let der = tls::read_certificate(&path);
        fs::remove_file(path).expect("a file");
        der
    }
}

/// The page that a client is shown that trusts `root`, or why the handshake failed.
fn page(port: u16, name: &str, root: &[u8]) -> Result<String, String> {
    let client = tls::client(&[root], &["http/1.1"]);
    let socket = TcpStream::connect(("127.0.0.1", port)).map_err(|error| error.to_string())?;
    let mut stream = tls::blocking(&client, name, socket);
    stream.write_all(http1::head(name, "/", &[]).as_bytes()).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    http1::Reply::parse(&bytes).map(|reply| reply.text()).ok_or_else(|| format!("{read:?}"))
}

/// The key of a customer of the authority.
const BINDING_KEY: &str = "l327agQxeUnsKC6cP1BR_UgYxo4zZdQiWVcqA7G7kSsxLXOcuzGbvC6WvVcN772i";

const NAMES: [&str; 2] = ["a.example.org", "b.example.org"];

fn configuration(files: &Files, authority: u16, (http, https): (u16, u16), more: &str) -> Program {
    files.write("s/index.html", "page");
    files.write(
        "x.toml",
        format!(
            r#"listen = ["127.0.0.1:{https}", "http://127.0.0.1:{http}"]
[tls.acme]
directory = "https://localhost:{authority}/dir"
contact = ["ops@example.org"]
ca = "authority.crt"
retry = "1s"
[state]
dir = "state"
save = false
[[site]]
hosts = ["a.example.org", "b.example.org"]
root = "s"
https = true
{more}"#
        ),
    );
    Program::start(files.program().args(["--config", "x.toml"]))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode() & 0o777
}

#[test]
fn names_get_certificates_that_are_kept_and_renewed() {
    if !tools::have(&["pebble", "pebble-challtestsrv"]) {
        return;
    }
    let files = Files::new();
    let [port, http, https] = ports();
    // Needed to start; the authority makes it anew.
    Certificate::write(&files.path(""), "authority", &["localhost", "127.0.0.1"]);
    let program = configuration(&files, port, (http, https), "");
    program.line(0, "2 to be ordered");
    // The authority is not there yet: each name is complained about, and its handshake refused.
    program.line(0, "no certificate for a.example.org from https://localhost:");
    let none = Certificate::write(&files.path(""), "nobody", &["nobody"]);
    let refused = page(https, NAMES[0], &none.der).expect_err("no certificate yet");
    assert!(refused.contains("alert") || refused.contains("Alert"), "{refused}");
    assert!(program.stop().0.success());

    // One nonce of four is refused.
    let authority = Authority::start(&files, port, (http, https), &[("PEBBLE_WFE_NONCEREJECT", "25")]);
    let program = configuration(&files, port, (http, https), "");
    for name in NAMES {
        program.line(0, &format!("the certificate for {name} was issued; it is valid until "));
    }
    let root = authority.root();
    for name in NAMES {
        assert_eq!(page(https, name, &root).expect(name), "page");
    }
    let directory = fs::read_dir(files.path("state/acme")).unwrap().next().unwrap().unwrap().path();
    assert_eq!((mode(&directory), mode(&directory.join("account.json"))), (0o700, 0o600));
    assert_eq!(mode(&directory.join("a.example.org.pem")), 0o600);
    assert!(program.stop().0.success());

    // A new start orders nothing that is there.
    let program = configuration(&files, port, (http, https), "");
    program.line(0, "0 to be ordered");
    assert_eq!(page(https, NAMES[1], &root).expect("at once"), "page");
    assert!(program.stop().0.success());

    // One that has less than a third of its time left is shown, and renewed meanwhile.
    let old = short_lived(NAMES[0]);
    fs::write(directory.join("a.example.org.pem"), &old).unwrap();
    let program = configuration(&files, port, (http, https), "");
    program.line(0, "0 to be ordered");
    program.line(0, "the certificate for a.example.org was renewed; it is valid until ");
    assert_eq!(page(https, NAMES[0], &root).expect("the new one"), "page");
    assert!(fs::read_to_string(directory.join("a.example.org.pem")).unwrap() != old);
    assert!(!program.printed().contains("b.example.org was"), "{}", program.printed());
}

/// Key and certificate of which most of the time is over.
fn short_lived(name: &str) -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    // Valid since long, and for some years: two thirds of it are over.
    params.not_before = rcgen::date_time_ymd(2000, 1, 1);
    params.not_after = rcgen::date_time_ymd(2030, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    key.serialize_pem() + &certificate.pem()
}

#[test]
fn an_account_is_bound_to_a_customer_where_the_authority_wants_it() {
    if !tools::have(&["pebble", "pebble-challtestsrv"]) {
        return;
    }
    let files = Files::new();
    let [port, http, https] = ports();
    files.write("eab.key", format!("{BINDING_KEY}\n"));
    let authority = Authority::start(&files, port, (http, https), &[("PEBBLE_WFE_NONCEREJECT", "0")]);

    let program = configuration(&files, port, (http, https), "");
    program.line(0, "no certificate for a.example.org from https://localhost:");
    assert!(program.printed().contains("xternal"), "it says what is wanted: {}", program.printed());
    assert!(program.stop().0.success());

    let text = fs::read_to_string(files.path("x.toml")).unwrap();
    let bound = text.replace("[state]", "binding_id = \"kid-1\"\nbinding_key = \"eab.key\"\n[state]");
    files.write("x.toml", bound);
    let program = Program::start(files.program().args(["--config", "x.toml"]));
    for name in NAMES {
        program.line(0, &format!("the certificate for {name} was issued"));
    }
    assert_eq!(page(https, NAMES[0], &authority.root()).unwrap(), "page");
}

#[test]
fn where_handshakes_do_not_reach_a_request_over_http_proves_the_name() {
    if !tools::have(&["pebble", "pebble-challtestsrv"]) {
        return;
    }
    let files = Files::new();
    let [port, http, https, elsewhere] = ports();
    // The authority looks for handshakes where nobody listens, and takes its time.
    let slow = [("PEBBLE_VA_NOSLEEP", "0"), ("PEBBLE_VA_SLEEPTIME", "2"), ("PEBBLE_WFE_NONCEREJECT", "0")];
    let authority = Authority::start(&files, port, (http, elsewhere), &slow);
    let program = configuration(&files, port, (http, https), "");
    for name in NAMES {
        program.line(0, &format!("the certificate for {name} was issued"));
    }
    assert_eq!(page(https, NAMES[0], &authority.root()).unwrap(), "page");
    // Without TLS everything else leads to https.
    assert_eq!(http1::get(("127.0.0.1", http), NAMES[0], "/.well-known/other", &[]).status, 308);
    assert_eq!(http1::get(("127.0.0.1", http), NAMES[0], "/.well-known/acme-challenge/none", &[]).status, 404);
}

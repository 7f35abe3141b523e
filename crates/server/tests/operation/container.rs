//! The command of the container image, run without a container.

use super::client::Client;
use super::rig::{Files, Program};

const CONTAINERFILE: &str = include_str!("../../packaging/Containerfile");

/// The words of `CMD` or `ENTRYPOINT`, which are JSON.
fn words(instruction: &str) -> Vec<String> {
    let lines: Vec<_> = CONTAINERFILE.lines().filter_map(|line| line.strip_prefix(instruction)).collect();
    let [words] = &lines[..] else { panic!("{instruction} once in the container file: {lines:?}") };
    serde_json::from_str(words).expect("the form that starts no shell")
}

#[tokio::test]
async fn the_image_starts_with_nothing_but_a_site() {
    assert_eq!(words("ENTRYPOINT"), ["/usr/bin/headstart"]);
    let files = Files::new();
    files.write("www/index.html", "page");
    std::fs::create_dir(files.path("state")).unwrap();
    let [www, state] = ["www", "state"].map(|name| files.path(name).to_str().expect("text").to_owned());
    // The image's own directories and port are elsewhere here.
    let here = |word: &String| word.replace("/srv/www", &www).replace(":8443", ":0");
    let command_words: Vec<_> = words("CMD").iter().map(here).collect();
    assert!(CONTAINERFILE.contains("EXPOSE 8443\n") && words("CMD").iter().any(|word| word.ends_with(":8443")));
    let mut command = files.program();
    // A system user has no home that is there.
    command.env_remove("HOME").env("HEADSTART_STATE_DIR", &state);
    assert!(CONTAINERFILE.contains("ENV HEADSTART_STATE_DIR="));
    let program = Program::start(command.args(command_words));
    let port = program.port("https");
    let pem = files.path("state/localhost.pem");
    let cert = pem_certificate(&std::fs::read(pem).expect("the self-signed certificate is in the state directory"));
    assert_eq!(Client::new(&[&cert]).get(port, "localhost", "/").await.1, "page");
    assert!(CONTAINERFILE.contains("STOPSIGNAL SIGTERM\n"));
    program.signal("TERM");
    assert!(program.wait().0.success());
    assert!(files.path("state/snapshot").is_file(), "what was learned outlives the container");
}

fn pem_certificate(pem: &[u8]) -> Vec<u8> {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject as _;
    CertificateDer::from_pem_slice(pem).expect("a certificate").to_vec()
}

//! The negative control: a server that does what each check is there to find. A suite that passes it shows nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::peers::{Peer, Program};
use bytes::Bytes;
use h2::server::SendResponse;
use http::{Request, Response};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::frames::{get, greeting};
use super::modes::{Ends, Mode, mode};
use super::site::{ASSETS, LARGE, PAGES, STREAMED};
use super::verdict::Check;
use super::wire::attack;
use super::{pushes, slow};

const FLAG: &str = "--be-careless";

/// The careless server as a process: this benchmark, started once more.
pub(crate) const CARELESS: Peer = Peer {
    name: "careless",
    program: Program::Ourselves,
    template: None,
    args: &[FLAG, "@address@:@port@", "@cert@", "@key@"],
    env: &[],
};

/// Modes that the careless server cannot stand, each with the check that has to find it.
pub(crate) fn modes() -> Vec<(Mode, Check)> {
    let ask = |name, path: &'static str| {
        mode(name, Ends::Held, move |stage| async move {
            attack(&stage, 1, true, greeting(&[]), async |wire| wire.send(&get(1, path)).await).await;
        })
    };
    let mut reset_all =
        mode("control: resets of endless pushes", Ends::Held, async |stage| pushes::reset_all(&stage).await);
    reset_all.pushes = true;
    let mut nothing = ask("control: no push", "/small.png");
    nothing.pushes = true;
    vec![
        (
            mode("control: pushes without bound", Ends::Held, async |stage| pushes::no_window(&stage).await),
            Check::Memory,
        ),
        (
            mode("control: no timer", Ends::Within(Duration::from_secs(1)), async |stage| {
                slow::begun(&stage, Vec::new()).await;
            }),
            Check::Ends,
        ),
        (reset_all, Check::Amplification),
        (nothing, Check::Pushes),
        (ask("control: a request that blocks", "/block"), Check::P99),
        (ask("control: a request that spoils", "/spoil"), Check::Failures),
        (ask("control: a request that kills", "/die"), Check::Well),
    ]
}

/// Turns this process into the careless server if it was started as one, and does not return then.
pub(crate) fn become_careless() {
    let words: Vec<String> = std::env::args().collect();
    if let [_, flag, address, cert, key] = &words[..]
        && flag == FLAG
    {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(serve(address, cert, key));
    }
}

async fn serve(address: &str, cert: &str, key: &str) {
    let chain = CertificateDer::pem_file_iter(cert).expect("a certificate").map(|cert| cert.expect("PEM")).collect();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key).expect("a key"))
        .expect("a certificate of the key");
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind(address).await.expect("an address");
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let Ok(io) = acceptor.accept(socket).await else { return };
            let Ok(mut connection) = h2::server::handshake(io).await else { return };
            while let Some(Ok((request, respond))) = connection.accept().await {
                answer(&request, respond);
            }
        });
    }
}

/// Everything at once, into memory; and commands that no server has.
fn answer(request: &Request<h2::RecvStream>, mut respond: SendResponse<Bytes>) {
    static BLOCKS: AtomicBool = AtomicBool::new(false);
    static SPOILED: AtomicBool = AtomicBool::new(false);
    let path = request.uri().path();
    match path {
        "/block" => BLOCKS.store(true, Ordering::Relaxed),
        "/spoil" => SPOILED.store(true, Ordering::Relaxed),
        "/die" => std::process::exit(3),
        _ => {}
    }
    if PAGES.iter().any(|page| page.path == path) && request.headers().contains_key("sec-fetch-mode") {
        for asset in ASSETS {
            let uri = format!("https://localhost{}", asset.path);
            let promised = Request::get(uri).body(()).expect("a request");
            if let Ok(mut push) = respond.push_request(promised)
                && let Ok(mut body) = push.send_response(Response::new(()), false)
            {
                let _ = body.send_data(vec![0; asset.bytes].into(), true);
            }
        }
    }
    if BLOCKS.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(300));
    }
    let spoiled = SPOILED.load(Ordering::Relaxed);
    let files = PAGES.iter().chain(&ASSETS).chain([&LARGE, &STREAMED]);
    let bytes = files.filter(|file| file.path == path && !spoiled).map(|file| file.bytes).next().unwrap_or(10);
    if let Ok(mut body) = respond.send_response(Response::new(()), false) {
        let _ = body.send_data(vec![0; bytes].into(), true);
    }
}

//! What those achieve who lie about page views: beacons that no page has issued a token for.

use crate::rig::admin::Admin;
use crate::rig::server::{Home, Server};
use crate::rig::site::{ONE, Site};
use bytes::Bytes;
use testkit::{http2, tls};

pub(crate) const OPTIONS: [&str; 4] = ["--admin", "127.0.0.1:0", "--set", "beacon.enabled=true"];

/// A counter of `/metrics`.
pub(crate) fn counter(admin: Admin, name: &str) -> u64 {
    let text = admin.get("/metrics").body;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0, |value| value.parse::<f64>().expect("a number") as u64)
}

pub(crate) fn taken(admin: Admin) -> u64 {
    counter(admin, "headstart_beacons_total{outcome=\"taken\"}")
}

/// Processor time of a process so far, in ticks.
fn ticks(id: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("it runs");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
    [11, 12].iter().map(|at| fields[*at].parse::<u64>().expect("ticks")).sum()
}

/// Beacons that no page has issued a token for, that are too large, or too many, change nothing and cost less than files.
#[test]
fn a_flood_of_forged_beacons_changes_nothing_and_costs_less_than_files() {
    const REQUESTS: usize = 3_000;
    let (site, home) = (Site::small(), Home::new());
    let server = Server::start(&site, &home, &OPTIONS);
    let admin = Admin::of(&server);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (files, beacons) = runtime.block_on(async {
        let socket = tokio::net::TcpStream::connect(("127.0.0.1", server.port)).await.expect("it listens");
        let config = tls::client(&[tls::read_certificate(&server.cert)], &["h2"]);
        let io = tls::connect(&config, "127.0.0.1", socket).await.expect("TLS");
        let client = http2::Client::handshake(io, server.origin(), &h2::client::Builder::new()).await.expect("HTTP/2");
        let (mut files, mut beacons) = (0, 0);
        // In turns, so that both meet the same conditions.
        for _ in 0..3 {
            let start = ticks(server.id());
            for _ in 0..REQUESTS / 3 {
                let request = http::Request::get(server.url(ONE)).body(()).expect("a request");
                assert!(send(&client, request, None).await.is_success());
            }
            let middle = ticks(server.id());
            for number in 0..REQUESTS / 3 {
                let url = server.url("/.well-known/headstart/beacon");
                let request = http::Request::post(url).body(()).expect("a request");
                let body = match number % 3 {
                    0 => format!("v=1&t={number:032}&lcp=1"),
                    1 => "x".repeat(10_000),
                    _ => "v=1&lcp=1".to_owned(),
                };
                assert!(send(&client, request, Some(body)).await.is_client_error());
            }
            files += middle - start;
            beacons += ticks(server.id()) - middle;
        }
        let large = http::Request::post(server.url("/.well-known/headstart/beacon")).body(()).expect("a request");
        assert!(send(&client, large, Some("x".repeat(20_000))).await.is_client_error());
        (files, beacons)
    });
    println!("{REQUESTS} files: {files} ticks, {REQUESTS} beacons: {beacons} ticks");
    assert!(beacons < files, "{beacons} ticks for beacons, {files} for files");
    assert_eq!(taken(admin), 0);
    assert!(!admin.get("/gain.jsonl").body.contains("\"browser\""), "no figure has changed");
    let refused = |name| counter(admin, &format!("headstart_beacons_total{{outcome=\"{name}\"}}"));
    assert_eq!(
        refused("forged") + refused("malformed") + refused("too_many") + refused("too_large"),
        REQUESTS as u64 + 1
    );
}

async fn send(client: &http2::Client, request: http::Request<()>, body: Option<String>) -> http::StatusCode {
    let mut requests = client.requests.clone();
    let (response, mut stream) = requests.send_request(request, body.is_none()).expect("a stream");
    if let Some(body) = body {
        // Who is refused before the end may have reset the stream.
        let _ = stream.send_data(Bytes::from(body), true);
    }
    let mut response = response.await.expect("a response");
    let _ = http2::read(response.body_mut()).await;
    response.status()
}

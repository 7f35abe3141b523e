//! Upstreams that speak HTTP/2: what one client does is no harm to another.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::poll_fn;
use h2::client::SendRequest;
use h2::{Reason, RecvStream};
use http::{HeaderMap, Request, Response, StatusCode};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use super::kit::{Front, PATIENCE};
use crate::Config;

/// Requests and faults that an HTTP/2 server has seen.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    requests: AtomicUsize,
    resets: AtomicUsize,
}

/// A server of HTTP/2 that answers by the path: `/N` with so many KiB, `/goaway` with GOAWAY, and so on.
async fn server() -> (SocketAddr, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::<Seen>::default();
    let shared = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            shared.connections.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(serve(socket, Arc::clone(&shared)));
        }
    });
    (address, seen)
}

async fn serve(socket: TcpStream, seen: Arc<Seen>) {
    let mut builder = h2::server::Builder::new();
    builder.max_concurrent_reset_streams(10_000).max_pending_accept_reset_streams(10_000);
    let Ok(mut connection) = builder.handshake::<_, Bytes>(socket).await else { return };
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let number = seen.requests.fetch_add(1, Ordering::SeqCst);
        if request.uri().path() == "/goaway" && number == 0 {
            // Says that it did nothing with this one, and takes no more.
            respond.send_reset(Reason::REFUSED_STREAM);
            connection.graceful_shutdown();
            continue;
        }
        let seen = Arc::clone(&seen);
        tokio::spawn(async move { answer(request, respond, &seen).await });
    }
}

async fn answer(request: Request<RecvStream>, mut respond: h2::server::SendResponse<Bytes>, seen: &Seen) {
    let path = request.uri().path().to_owned();
    if path == "/early" {
        let early = Response::builder().status(103).header("link", "</a.css>; rel=preload; as=style");
        respond.send_informational(early.body(()).unwrap()).unwrap();
        respond.send_informational(Response::builder().status(102).body(()).unwrap()).unwrap();
        sleep(Duration::from_millis(20)).await;
    }
    if path == "/413" {
        let refusal = Response::builder().status(413).body(()).unwrap();
        let mut send = respond.send_response(refusal, false).unwrap();
        send.send_data(Bytes::from_static(b"too large"), true).unwrap();
        return;
    }
    if path == "/never" {
        if poll_fn(|cx| respond.poll_reset(cx)).await.is_ok() {
            seen.resets.fetch_add(1, Ordering::SeqCst);
        }
        return;
    }
    let mut body = request.into_body();
    let mut uploaded = 0;
    while let Some(Ok(data)) = body.data().await {
        uploaded += data.len();
        body.flow_control().release_capacity(data.len()).unwrap();
    }
    let trailers = body.trailers().await.ok().flatten().map_or(0, |fields| fields.len());
    let kib: usize = path.trim_start_matches('/').parse().unwrap_or(0);
    let mut head = Response::builder().header("x-uploaded", uploaded).header("x-trailers", trailers);
    if path == "/many" {
        for number in 0..500 {
            head = head.header("x-field", number);
        }
    }
    let Ok(mut send) = respond.send_response(head.body(()).unwrap(), kib == 0) else { return };
    let mut left = kib << 10;
    while left > 0 {
        send.reserve_capacity(left.min(16 << 10));
        let capacity = poll_fn(|cx| {
            if send.poll_reset(cx).is_ready() {
                seen.resets.fetch_add(1, Ordering::SeqCst);
                return std::task::Poll::Ready(None);
            }
            send.poll_capacity(cx)
        });
        let Some(Ok(capacity)) = capacity.await else { return };
        let piece = capacity.min(left);
        left -= piece;
        if send.send_data(vec![7; piece].into(), left == 0).is_err() {
            return;
        }
    }
}

async fn front(address: SocketAddr, change: impl FnOnce(&mut Config)) -> Front {
    let mut config = Config::new(vec![format!("h2c://{address}").parse().unwrap()]);
    config.timeouts.head = PATIENCE;
    config.timeouts.body = PATIENCE;
    change(&mut config);
    Front::start(config).await
}

/// A client whose streams take `window` bytes unasked.
pub(super) async fn client(front: &Front, window: u32) -> SendRequest<Bytes> {
    let socket = TcpStream::connect(front.address).await.unwrap();
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(window).initial_connection_window_size(16 << 20);
    let (sender, connection) = builder.handshake::<_, Bytes>(socket).await.unwrap();
    tokio::spawn(async move { drop(connection.await) });
    sender
}

pub(super) fn get(path: &str) -> Request<()> {
    Request::get(format!("http://a.example{path}")).body(()).unwrap()
}

async fn whole(sender: &SendRequest<Bytes>, path: &str) -> (StatusCode, usize) {
    let mut sender = sender.clone().ready().await.unwrap();
    let (response, _) = sender.send_request(get(path), true).unwrap();
    let (head, mut body) = response.await.unwrap().into_parts();
    let mut bytes = 0;
    while let Some(data) = body.data().await {
        let data = data.unwrap();
        bytes += data.len();
        body.flow_control().release_capacity(data.len()).unwrap();
    }
    (head.status, bytes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_take_nothing_hold_up_nobody() {
    let (address, seen) = server().await;
    let front = front(address, |_| ()).await;
    let slow = client(&front, 1).await;
    let mut held = Vec::new();
    for _ in 0..40 {
        let mut sender = slow.clone().ready().await.unwrap();
        held.push(sender.send_request(get("/1024"), true).unwrap().0.await.unwrap());
    }
    let honest = client(&front, 1 << 20).await;
    for _ in 0..5 {
        let page = timeout(Duration::from_secs(3), whole(&honest, "/300")).await.expect("a page in time");
        assert_eq!(page, (StatusCode::OK, 300 << 10));
    }
    assert_eq!(seen.resets.load(Ordering::SeqCst), 0);
    drop(held);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resets_of_clients_are_not_all_passed_on() {
    let (address, seen) = server().await;
    let front = front(address, |_| ()).await;
    let begun = std::time::Instant::now();
    for _ in 0..20 {
        let rude = client(&front, 65_535).await;
        let mut streams = Vec::new();
        for _ in 0..20 {
            let mut sender = rude.clone().ready().await.unwrap();
            streams.push(sender.send_request(get("/2000"), true).unwrap());
        }
        sleep(Duration::from_millis(30)).await;
        drop(streams);
    }
    sleep(Duration::from_millis(200)).await;
    let (asked, resets) = (seen.requests.load(Ordering::SeqCst), seen.resets.load(Ordering::SeqCst));
    let connections = seen.connections.load(Ordering::SeqCst);
    let allowed = connections * (65 + begun.elapsed().as_secs() as usize * 8 + 8);
    assert!(resets <= allowed && asked > 100, "{resets} resets of {asked} requests on {connections}");
    let honest = client(&front, 1 << 20).await;
    assert_eq!(timeout(PATIENCE, whole(&honest, "/10")).await.unwrap(), (StatusCode::OK, 10 << 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_refused_or_never_saw_is_asked_again() {
    let (address, seen) = server().await;
    let front = front(address, |_| ()).await;
    let honest = client(&front, 1 << 20).await;
    for _ in 0..3 {
        assert_eq!(whole(&honest, "/goaway").await.0, StatusCode::OK);
    }
    assert_eq!(seen.connections.load(Ordering::SeqCst), 2, "GOAWAY opens another connection");
    assert!(front.proxy.stats().servers[0].healthy);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interim_responses_go_on() {
    let (address, _) = server().await;
    let front = front(address, |_| ()).await;
    let mut sender = client(&front, 65_535).await.ready().await.unwrap();
    let (mut response, _) = sender.send_request(get("/early"), true).unwrap();
    let mut interim = Vec::new();
    let head = poll_fn(|cx| {
        while let std::task::Poll::Ready(Some(Ok(early))) = response.poll_informational(cx) {
            interim.push((early.status().as_u16(), early.headers().get("link").is_some()));
        }
        std::pin::Pin::new(&mut response).poll(cx)
    });
    assert_eq!(timeout(PATIENCE, head).await.unwrap().unwrap().status(), StatusCode::OK);
    interim.sort_unstable();
    assert_eq!(interim, [(102, false), (103, true)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_go_through_with_their_trailers() {
    let (address, _) = server().await;
    let front = front(address, |_| ()).await;
    let mut sender = client(&front, 65_535).await.ready().await.unwrap();
    let post = Request::post("http://a.example/").body(()).unwrap();
    let (response, mut send) = sender.send_request(post, false).unwrap();
    send.send_data(vec![1; 300_000].into(), false).unwrap();
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "1".parse().unwrap());
    send.send_trailers(trailers).unwrap();
    let head = timeout(PATIENCE, response).await.unwrap().unwrap();
    assert_eq!(
        (&head.headers()["x-uploaded"], &head.headers()["x-trailers"]),
        (&"300000".parse().unwrap(), &"1".parse().unwrap())
    );

    let mut sender = sender.ready().await.unwrap();
    let post = Request::post("http://a.example/413").body(()).unwrap();
    let (response, mut send) = sender.send_request(post, false).unwrap();
    send.send_data(vec![1; 100_000].into(), false).unwrap();
    let refused = timeout(PATIENCE, response).await.unwrap().unwrap();
    assert_eq!(refused.status(), 413, "an answer before the end of the upload is passed on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_of_many_fields_goes_through() {
    let (address, _) = server().await;
    let front = front(address, |_| ()).await;
    let mut sender = client(&front, 65_535).await.ready().await.unwrap();
    let (response, _) = sender.send_request(get("/many"), true).unwrap();
    let head = timeout(PATIENCE, response).await.unwrap().unwrap();
    assert_eq!(head.headers().get_all("x-field").iter().count(), 500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_requests_use_several_connections() {
    let (address, seen) = server().await;
    let front = front(address, |_| ()).await;
    let senders = [client(&front, 1).await, client(&front, 1).await];
    let mut held = Vec::new();
    for sender in senders.iter().cycle().take(150) {
        let mut sender = sender.clone().ready().await.unwrap();
        held.push(sender.send_request(get("/never"), true).unwrap());
    }
    let asked = async {
        while seen.requests.load(Ordering::SeqCst) < 150 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, asked).await.unwrap();
    assert_eq!(seen.connections.load(Ordering::SeqCst), 3);
    drop(held);
}

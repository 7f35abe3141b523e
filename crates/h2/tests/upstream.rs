//! The defects D1 to D9 of `UPSTREAM.md` as the `h2` crate alone shows them, without the driver. They pass while
//! the defect is there. **One that fails after an update of `h2` says that the defect is mended**: its message
//! says what may be deleted.

use bytes::Bytes;
use h2::server::{Connection, SendResponse};
use http::{Request, Response};
use std::time::Duration;
use testkit::frames::{
    self, CANCEL, DATA, Frame, GOAWAY, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS, PREFACE, PUSH_PROMISE, RST_STREAM,
    get,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

type Server = Connection<DuplexStream, Bytes>;

/// A connection after preface, these settings, and GET / on stream 1.
async fn begin(pipe: usize, settings: &[(u16, u32)]) -> (Server, SendResponse<Bytes>, DuplexStream) {
    let (mut client, socket) = tokio::io::duplex(pipe);
    let hello = [PREFACE, &frames::settings(settings), &get(1, "/")].concat();
    client.write_all(&hello).await.unwrap();
    let mut server = h2::server::handshake(socket).await.unwrap();
    let (_, respond) = server.accept().await.unwrap().unwrap();
    (server, respond, client)
}

fn asset(path: &str) -> Request<()> {
    Request::get(format!("https://a.example{path}")).body(()).unwrap()
}

/// Drives the connection and answers what else is asked for.
fn drive(mut server: Server) -> JoinHandle<Result<(), h2::Error>> {
    tokio::spawn(async move {
        while let Some(asked) = server.accept().await {
            let (_, mut respond) = asked?;
            let mut body = respond.send_response(Response::new(()), false)?;
            body.send_data(Bytes::from(vec![0; 30_000]), true)?;
        }
        Ok(())
    })
}

/// The frames that the server sends until it is quiet.
async fn hear(client: &mut DuplexStream) -> Vec<Frame> {
    let mut heard = Vec::new();
    while let Ok(Ok(1..)) = timeout(Duration::from_millis(1), client.read_buf(&mut heard)).await {}
    Frame::all(&heard)
}

fn promised(heard: &[Frame]) -> Vec<u32> {
    heard.iter().filter(|frame| frame.kind == PUSH_PROMISE).map(|frame| frame.word(0)).collect()
}

fn bytes(heard: &[Frame], stream: u32) -> usize {
    heard.iter().filter(|frame| (frame.kind, frame.stream) == (DATA, stream)).map(|frame| frame.payload.len()).sum()
}

#[tokio::test(start_paused = true)]
async fn d1_promised_ids_leave_out_of_order() {
    let (mut server, mut first, mut client) = begin(1 << 16, &[]).await;
    client.write_all(&get(3, "/")).await.unwrap();
    let (_, mut second) = server.accept().await.unwrap().unwrap();
    let _a = (first.push_request(asset("/1")).unwrap(), first.push_request(asset("/2")).unwrap());
    let _b = second.push_request(asset("/3")).unwrap();
    drive(server);
    assert_eq!(promised(&hear(&mut client).await), [2, 6, 4], "mended: commit pages side by side (driver.rs)");
}

#[tokio::test(start_paused = true)]
async fn d2_goaway_among_queued_promises_panics() {
    // Stream window 1 MiB, a pipe that is full at once.
    let (server, mut page, mut client) = begin(256, &[(INITIAL_WINDOW_SIZE, 1 << 20)]).await;
    let mut body = page.send_response(Response::new(()), false).unwrap();
    body.send_data(Bytes::from(vec![0; 50_000]), false).unwrap();
    let task = drive(server);
    tokio::time::sleep(Duration::from_millis(1)).await;
    let mut pushes = Vec::new();
    for path in ["/1", "/2", "/3", "/4"] {
        let mut push = page.push_request(asset(path)).unwrap();
        pushes.push(push.send_response(Response::new(()), false).unwrap());
    }
    client.write_all(&frames::goaway(0)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;
    hear(&mut client).await;
    let panicked = task.await.is_err_and(|error| error.is_panic());
    // The mutex inside is poisoned: dropping the handles would panic, too.
    std::mem::forget((page, body, pushes));
    assert!(panicked, "mended: the read barrier (tap.rs) may go if D3 to D5 are mended, too");
}

#[tokio::test(start_paused = true)]
async fn d3_a_reset_that_meets_a_promise_without_response_closes_the_connection() {
    let (mut server, mut page, mut client) = begin(1 << 16, &[]).await;
    let mut push = page.push_request(asset("/1")).unwrap();
    // The promise is written, the response is not begun.
    assert!(timeout(Duration::from_millis(1), server.accept()).await.is_err());
    client.write_all(&frames::rst(2, CANCEL)).await.unwrap();
    let _body = push.send_response(Response::new(()), false).unwrap();
    let task = drive(server);
    let heard = hear(&mut client).await;
    assert!(heard.iter().any(|frame| frame.kind == GOAWAY), "mended: heads need not be awaited (wire.rs)");
    assert!(task.await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn d4_a_reset_for_a_push_held_back_closes_the_connection() {
    // MAX_CONCURRENT_STREAMS 1: the second push waits for the first to end.
    let (server, mut page, mut client) = begin(1 << 16, &[(MAX_CONCURRENT_STREAMS, 1)]).await;
    let mut pushes = Vec::new();
    for path in ["/1", "/2"] {
        let mut push = page.push_request(asset(path)).unwrap();
        pushes.push(push.send_response(Response::new(()), false).unwrap());
    }
    let task = drive(server);
    assert_eq!(promised(&hear(&mut client).await), [2, 4]);
    client.write_all(&frames::rst(4, CANCEL)).await.unwrap();
    let heard = hear(&mut client).await;
    assert!(heard.iter().any(|frame| frame.kind == GOAWAY), "mended: `Pushes::allow` need not count against it");
    assert!(task.await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn d5_a_cancelled_page_keeps_the_window_of_its_pushes() {
    let (mut server, mut page, mut client) = begin(1 << 20, &[]).await;
    for path in ["/1", "/2", "/3", "/4"] {
        let mut push = page.push_request(asset(path)).unwrap();
        let mut body = push.send_response(Response::new(()), false).unwrap();
        body.send_data(Bytes::from(vec![0; 20_000]), true).unwrap();
    }
    // The page is cancelled before anything is written; another is asked for.
    client.write_all(&[frames::rst(1, CANCEL), get(3, "/")].concat()).await.unwrap();
    let (_, mut next) = server.accept().await.unwrap().unwrap();
    drop(page);
    let mut body = next.send_response(Response::new(()), false).unwrap();
    body.send_data(Bytes::from(vec![0; 30_000]), true).unwrap();
    drive(server);
    let heard = hear(&mut client).await;
    assert!(promised(&heard).is_empty());
    assert_eq!(bytes(&heard, 3), 0, "mended: the read barrier (tap.rs) may go if D2 to D4 are mended, too");
}

#[tokio::test(start_paused = true)]
async fn d6_a_promise_whose_handle_is_dropped_is_never_reset() {
    let (server, mut page, mut client) = begin(1 << 16, &[]).await;
    drop(page.push_request(asset("/1")).unwrap());
    drive(server);
    let heard = hear(&mut client).await;
    assert_eq!(promised(&heard), [2]);
    let reset = heard.iter().any(|frame| (frame.kind, frame.stream) == (RST_STREAM, 2));
    assert!(!reset, "mended: a push that fails in `commit` may just be dropped");
}

#[tokio::test(start_paused = true)]
async fn d7_promises_on_pages_that_are_over() {
    let (server, mut page, mut client) = begin(1 << 16, &[]).await;
    page.send_response(Response::new(()), true).unwrap();
    let task = drive(server);
    hear(&mut client).await;
    let _late = page.push_request(asset("/late"));
    assert_eq!(promised(&hear(&mut client).await), [2], "mended: `poll_reset` in `commit` may go");
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn d8_a_refused_promise_takes_a_stream_id() {
    let (server, mut page, mut client) = begin(1 << 16, &[]).await;
    for _ in 0..5 {
        assert!(page.push_request(Request::post("https://a.example/").body(()).unwrap()).is_err());
    }
    // The streams of the refused ones are reserved and never freed: the next promise is the sixth.
    let _push = page.push_request(asset("/1")).unwrap();
    drive(server);
    let ids = promised(&hear(&mut client).await);
    assert_eq!(ids, [12], "mended: `promised_request` need not refuse what h2 refuses");
}

#[tokio::test(start_paused = true)]
async fn d9_one_byte_in_a_field_ends_all_streams() {
    let (server, mut page, mut client) = begin(1 << 16, &[]).await;
    let mut body = page.send_response(Response::new(()), false).unwrap();
    let task = drive(server);
    client.write_all(&frames::request(3, "GET", "/", &[("x-name", "a\u{1}b")], true)).await.unwrap();
    let heard = hear(&mut client).await;
    let goaway = heard.iter().find(|frame| frame.kind == GOAWAY).map(|frame| frame.word(4));
    assert_eq!(goaway, Some(1), "mended: the row of malformed fields in UPSTREAM.md may go");
    assert!(task.await.unwrap().is_err() && body.send_data(Bytes::from_static(b"x"), true).is_err());
}

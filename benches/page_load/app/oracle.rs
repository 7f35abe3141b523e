//! A server that knows the page, the visitor and the link: the least that a load can take.
//!
//! It pushes exactly what the page needs and a client may store, and sends one thing after another in the order of need, the
//! page first as soon as it is ready, and nothing that the page is drawn without before all that it is not. What may not be
//! stored comes in the same order, once it is asked for. It learns nothing, asks for no priority, and would be of no use
//! anywhere but here.

use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use h2::SendStream;
use h2::server::{Builder, SendResponse};
use http::header::{self, HeaderMap, HeaderValue};
use http::{Request, Response};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_rustls::server::TlsStream;

use super::files::Files;
use crate::page_load::site::{Asset, Page, Site};

const SLICE_BYTES: usize = 16 << 10;

/// Serves a connection to its end.
pub(super) async fn serve(mut stream: TlsStream<TcpStream>, files: Files, site: Arc<Site>) {
    // Little below, so that the page goes out as soon as it is ready.
    let _ = socket2::SockRef::from(stream.get_ref().0).set_tcp_notsent_lowat(SLICE_BYTES as u32);
    stream.get_mut().1.set_buffer_limit(Some(SLICE_BYTES));
    let mut builder = Builder::new();
    builder.max_send_buffer_size(2 * SLICE_BYTES);
    let Ok(mut connection) = builder.handshake::<_, Bytes>(stream).await else { return };
    let (queue, bodies) = unbounded_channel();
    tokio::spawn(send_in_order(bodies));
    while let Some(Ok((request, respond))) = connection.accept().await {
        // A client that has gone needs no answer.
        tokio::spawn(answer(request.map(drop), respond, files.clone(), Arc::clone(&site), queue.clone()));
    }
}

/// A body that waits for its turn.
struct Waiting {
    /// The place in the order of need; the page's is 0.
    place: usize,
    /// The page is not drawn without it.
    essential: bool,
    stream: SendStream<Bytes>,
    body: Bytes,
}

async fn answer(
    request: Request<()>,
    mut respond: SendResponse<Bytes>,
    files: Files,
    site: Arc<Site>,
    queue: UnboundedSender<Waiting>,
) -> Result<(), h2::Error> {
    let path = request.uri().path();
    let mut take = HeaderMap::new();
    take.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    let (mut place, mut essential) = (0, true);
    if let Some(page) = site.page(path) {
        let authority = request.uri().authority().map_or("", |authority| authority.as_str());
        for (place, asset) in in_order(page).filter(|(_, asset)| asset.may_be_stored()) {
            let promise = Request::builder().uri(format!("https://{authority}{}", asset.path)).body(());
            let mut pushed = respond.push_request(promise.expect("paths are well-formed"))?;
            let (head, body) = files.response(&asset.path, &take).into_parts();
            let stream = pushed.send_response(Response::from_parts(head, ()), false)?;
            let _ = queue.send(Waiting { place, essential: asset.renders, stream, body });
        }
        if !files.think.is_zero() {
            tokio::time::sleep(files.think).await;
        }
    } else if let Some((its, asset)) = site.pages.iter().flat_map(in_order).find(|(_, asset)| asset.path == path) {
        (place, essential) = (its, asset.renders);
    }
    let (head, body) = files.response(path, &take).into_parts();
    let stream = respond.send_response(Response::from_parts(head, ()), false)?;
    let _ = queue.send(Waiting { place, essential, stream, body });
    Ok(())
}

/// The assets of a page from 1 on: those that it is not drawn without, then the others.
fn in_order(page: &Page) -> impl Iterator<Item = (usize, &Asset)> {
    let others = page.assets.iter().filter(|asset| !asset.renders);
    (1..).zip(page.critical().chain(others))
}

/// Sends a slice of whatever comes first, again and again.
async fn send_in_order(mut bodies: UnboundedReceiver<Waiting>) {
    let mut waiting: Vec<Waiting> = Vec::new();
    let mut page_sent = false;
    loop {
        // While the page is not there, only what it is drawn with may stand in its way.
        let idle = waiting.first().is_none_or(|first| !page_sent && !first.essential);
        let came = if idle {
            let Some(body) = bodies.recv().await else { return };
            Some(body)
        } else {
            bodies.try_recv().ok()
        };
        if let Some(body) = came {
            page_sent |= body.place == 0;
            let at = waiting.partition_point(|other| other.place <= body.place);
            waiting.insert(at, body);
            continue;
        }
        let Some(Waiting { stream, body, .. }) = waiting.first_mut() else { continue };
        // A client that has it, or has gone, resets it.
        if send_slice(stream, body).await.unwrap_or(true) {
            waiting.remove(0);
        }
    }
}

/// Sends what there is room for; whether it was the last.
async fn send_slice(stream: &mut SendStream<Bytes>, body: &mut Bytes) -> Result<bool, h2::Error> {
    stream.reserve_capacity(body.len().min(SLICE_BYTES));
    let room = poll_fn(|cx| stream.poll_capacity(cx)).await.unwrap_or(Ok(0))?;
    let slice = body.split_to(room.min(body.len()).min(SLICE_BYTES));
    stream.send_data(slice, body.is_empty())?;
    Ok(body.is_empty())
}

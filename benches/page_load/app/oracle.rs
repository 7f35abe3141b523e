//! A server that knows the page, the visitor and the link: the least that a load can take.
//!
//! It pushes exactly what the page needs and sends one thing after another in the order of need, the page first as soon
//! as it is ready, and nothing that the page is drawn without before all that it is not. It learns nothing, asks for no
//! priority, and would be of no use anywhere but here.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use h2::SendStream;
use h2::server::{Builder, SendResponse};
use http::header::{self, HeaderMap, HeaderValue};
use http::{Request, Response};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
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
    while let Some(Ok((request, respond))) = connection.accept().await {
        let page = site.page(request.uri().path()).cloned();
        if let Some(page) = page {
            tokio::spawn(answer(request.map(drop), respond, files.clone(), page));
        }
    }
}

async fn answer(
    request: Request<()>,
    mut respond: SendResponse<Bytes>,
    files: Files,
    page: Page,
) -> Result<(), h2::Error> {
    let authority = request.uri().authority().map_or("", |authority| authority.as_str());
    let mut queue = VecDeque::new();
    let (essential, rest): (Vec<&Asset>, Vec<&Asset>) = page.assets.iter().partition(|asset| asset.renders);
    let mut take = HeaderMap::new();
    take.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    for asset in essential.iter().chain(&rest) {
        let promise = Request::builder().uri(format!("https://{authority}{}", asset.path)).body(());
        let mut pushed = respond.push_request(promise.expect("paths are well-formed"))?;
        let (head, body) = files.response(&asset.path, &take).into_parts();
        queue.push_back((pushed.send_response(Response::from_parts(head, ()), false)?, body));
    }
    let (ready, mut thought) = oneshot::channel();
    let think = files.think;
    tokio::spawn(async move {
        tokio::time::sleep(think).await;
        // Whoever waits for it may have gone with the connection.
        let _ = ready.send(());
    });
    let mut page_sent = false;
    loop {
        // While the page is not there, only what it is drawn with may stand in its way.
        let waits = queue.len() <= rest.len();
        if !page_sent && (think.is_zero() || waits || thought.try_recv().is_ok()) {
            if waits && !think.is_zero() {
                let _ = (&mut thought).await;
            }
            page_sent = true;
            let (head, body) = files.response(&page.path, &take).into_parts();
            queue.push_front((respond.send_response(Response::from_parts(head, ()), false)?, body));
        }
        let Some((stream, body)) = queue.front_mut() else { return Ok(()) };
        // A client that has it, or has gone, resets it.
        if send_slice(stream, body).await.unwrap_or(true) {
            queue.pop_front();
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

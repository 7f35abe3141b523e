//! A server straight on the `h2` crate, which sends in the order of that crate.
//!
//! It pushes to a client that takes pushes and sends a 103 to any other; one that wants neither ignores that.

use std::sync::Arc;

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use http::{Request, Response, StatusCode, header};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::files::{Files, is_page};
use crate::page_load::hints::link;
use crate::page_load::site::{Page, Site};

/// Serves a connection to its end.
pub(super) async fn serve(stream: TlsStream<TcpStream>, files: Files, site: Arc<Site>) {
    let Ok(mut connection) = Builder::new().handshake::<_, Bytes>(stream).await else { return };
    while let Some(Ok((request, respond))) = connection.accept().await {
        let page = site.page(request.uri().path()).cloned();
        // A client that has gone needs no answer.
        tokio::spawn(answer(request.map(drop), respond, files.clone(), page));
    }
}

async fn answer(
    request: Request<()>,
    mut respond: SendResponse<Bytes>,
    files: Files,
    page: Option<Page>,
) -> Result<(), h2::Error> {
    let path = request.uri().path();
    if let Some(page) = &page {
        // The crate does not tell whether the client takes pushes, only refuses to promise.
        if push(&request, &mut respond, &files, page).is_err() {
            let mut hints = Response::builder().status(StatusCode::EARLY_HINTS);
            for asset in page.listed() {
                hints = hints.header(header::LINK, link(asset));
            }
            respond.send_informational(hints.body(()).expect("fields are well-formed"))?;
        }
    }
    if is_page(path) && !files.think.is_zero() {
        tokio::time::sleep(files.think).await;
    }
    let (head, body) = files.response(path, request.headers()).into_parts();
    respond
        .send_response(Response::from_parts(head, ()), body.is_empty())
        .and_then(|mut stream| if body.is_empty() { Ok(()) } else { stream.send_data(body, true) })
}

/// Promises all that the page is not drawn without, and hands it over whole.
fn push(request: &Request<()>, respond: &mut SendResponse<Bytes>, files: &Files, page: &Page) -> Result<(), h2::Error> {
    let authority = request.uri().authority().map_or("", |authority| authority.as_str());
    for asset in page.listed() {
        let promise = Request::builder().uri(format!("https://{authority}{}", asset.path)).body(());
        let mut pushed = respond.push_request(promise.expect("paths are well-formed"))?;
        let (head, body) = files.response(&asset.path, &http::HeaderMap::new()).into_parts();
        pushed.send_response(Response::from_parts(head, ()), false)?.send_data(body, true)?;
    }
    Ok(())
}

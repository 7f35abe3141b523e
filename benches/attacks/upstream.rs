//! The application behind the proxy, in this process: the same site as that of files, from memory, over HTTP/1.1 and
//! HTTP/2. Uploads are read to their end.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::{StatusCode, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

use super::site::{ASSETS, File, LARGE, PAGES, STREAMED};

/// Starts it on a thread of its own, for as long as this process lives.
pub(crate) fn start() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).expect("a listener");
            let app = Router::new().fallback(answer);
            while let Ok((socket, _)) = listener.accept().await {
                let app = TowerToHyperService::new(app.clone());
                tokio::spawn(async move {
                    // A connection that breaks off is the proxy's to mend.
                    let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), app).await;
                });
            }
        });
    });
    address
}

async fn answer(request: Request) -> Response {
    static ZEROS: [u8; STREAMED.bytes] = [0; STREAMED.bytes];
    let path = request.uri().path().to_owned();
    if path == "/upload" {
        // One that is broken off is answered to nobody.
        let _ = axum::body::to_bytes(request.into_body(), usize::MAX).await;
        return Response::new(Body::from("taken"));
    }
    let file = PAGES.iter().chain(&ASSETS).chain([&LARGE, &STREAMED]).find(|file| file.path == path);
    let Some(File { bytes, .. }) = file else {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    let mut response = Response::new(Body::from(Bytes::from_static(&ZEROS[..*bytes])));
    let is_page = PAGES.iter().any(|page| page.path == path);
    let (media, caching) = match path.rsplit('.').next() {
        _ if is_page => ("text/html", "no-cache"),
        Some("css") => ("text/css", "public, max-age=3600"),
        Some("js") => ("text/javascript", "public, max-age=3600"),
        Some("bin") => ("application/octet-stream", "no-store"),
        _ => ("image/png", "public, max-age=3600"),
    };
    response.headers_mut().insert(header::CONTENT_TYPE, media.parse().expect("a media type"));
    response.headers_mut().insert(header::CACHE_CONTROL, caching.parse().expect("directives"));
    response
}

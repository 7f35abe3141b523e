//! A server of one's own on hyper-util, with the layer: the address comes from a closure, the request's own extension.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use headstart::Headstart;
use headstart::policy::Peer;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use testkit::http2::{Client, Reply};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer as _, ServiceExt as _};

async fn site(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (media, body) = match request.uri().path() {
        "/" => ("text/html", "<link rel=stylesheet href=/app.css>"),
        _ => ("text/css", "h1 {}"),
    };
    let response = Response::builder().header(CONTENT_TYPE, media).header(CACHE_CONTROL, "max-age=3600");
    Ok(response.body(Full::from(body)).unwrap())
}

/// How the address of a client gets to the layer.
#[derive(Clone, Copy)]
enum Told {
    ByPeer,
    ByClosure,
}

async fn serve(listener: TcpListener, told: Told) {
    let headstart = Headstart::builder().min_networks(1).holdout(0).build().unwrap();
    let mut layer = headstart.layer();
    if matches!(told, Told::ByClosure) {
        layer = layer.client_address(|head| Some(head.extensions.get::<SocketAddr>()?.ip()));
    }
    let service = layer.layer(tower::service_fn(site));
    loop {
        let (socket, remote) = listener.accept().await.unwrap();
        let service = service.clone().map_request(move |mut request: Request<Incoming>| {
            match told {
                Told::ByPeer => drop(request.extensions_mut().insert(Peer(remote))),
                Told::ByClosure => drop(request.extensions_mut().insert(remote)),
            }
            request
        });
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(TokioIo::new(socket), TowerToHyperService::new(service)).await;
        });
    }
}

async fn visit(address: SocketAddr) -> Reply {
    let socket = TcpStream::connect(address).await.unwrap();
    let mut client =
        Client::handshake(socket, format!("http://{address}"), &h2::client::Builder::new()).await.unwrap();
    let page = client.get("/").await;
    let referer = [("referer", format!("http://{address}/"))];
    client.send(http::Method::GET, "/app.css", &[("referer", &referer[0].1)]).await;
    page
}

#[tokio::test]
async fn the_layer_learns_and_links() {
    for told in [Told::ByPeer, Told::ByClosure] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, told));
        let mut linked = Vec::new();
        for _ in 0..3 {
            linked.push(visit(address).await.links());
        }
        assert!(linked[0].is_empty());
        assert_eq!(linked[2], ["</app.css>; rel=preload; as=style"]);
    }
}

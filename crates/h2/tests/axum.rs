//! An axum `Router` runs on the driver as it is, alone and under tower layers, to a client of the `h2` crate.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use axum::routing::{get, post};
use headstart_h2::RequestBody;
use headstart_policy::{Client, EarlyHints, Opening, Policy, Promise, Pushed};
use http::request::Parts;
use testkit::http2;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

fn router() -> Router {
    Router::new()
        .route("/", get(|State(title): State<&'static str>| async move { format!("<title>{title}</title>") }))
        .route("/assets/{name}", get(asset))
        .route("/length", post(|body: Bytes| async move { body.len().to_string() }))
        .route("/hints", get(hints))
        .route("/sleepy", get(|| tokio::time::sleep(Duration::from_millis(5))))
        .fallback(|| async { (StatusCode::NOT_FOUND, "nothing here") })
        .with_state("a page")
}

async fn asset(
    Path(name): Path<String>,
    request: Request<axum::body::Body>,
) -> ([(&'static str, &'static str); 1], String) {
    let pushed = request.extensions().get::<Pushed>().is_some();
    ([("x-pushed", if pushed { "1" } else { "0" })], format!("the asset {name}"))
}

async fn hints(request: Request<axum::body::Body>) -> String {
    let hints = request.extensions().get::<EarlyHints>().unwrap();
    let mut fields = HeaderMap::new();
    fields.insert(header::LINK, "</assets/app.css>; rel=preload; as=style".parse().unwrap());
    format!("hint sent: {}", hints.send(fields))
}

/// Pushes one asset with the page.
struct WithApp;

impl Policy for WithApp {
    type Exchange = ();
    type Tag = ();

    fn request(&mut self, client: Client, request: &mut Parts) -> Opening<(), ()> {
        let mut opening = Opening::new(());
        if client.push && request.uri.path() == "/" {
            let path = http::uri::PathAndQuery::from_static("/assets/app.css");
            opening.promises.push(Promise { path, headers: HeaderMap::new(), priority: None, tag: () });
        }
        opening
    }
}

/// Serves one loopback connection with a service and gives a client of it.
async fn client<S, B>(service: S) -> http2::Client
where
    S: tower_service::Service<Request<RequestBody>, Response = Response<B>, Future: Send> + Clone + Send + 'static,
    S::Error: std::fmt::Debug,
    B: http_body::Body<Data: Send, Error: std::fmt::Debug + Send> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (accepted, _) = listener.accept().await.unwrap();
    tokio::spawn(async move { headstart_h2::serve_connection(accepted, service, WithApp).await.is_ok() });
    http2::Client::handshake(socket, "http://a.example", &h2::client::Builder::new()).await.unwrap()
}

#[tokio::test]
async fn a_router_runs_unchanged() {
    let mut client = client(router()).await;
    let page = client.get("/").await;
    assert_eq!((page.status, page.text().as_str()), (StatusCode::OK, "<title>a page</title>"));
    assert_eq!(page.headers["content-length"], "21");
    assert_eq!(client.get("/sleepy").await.status, StatusCode::OK);
    let nothing = client.get("/nowhere").await;
    assert_eq!((nothing.status, nothing.text().as_str()), (StatusCode::NOT_FOUND, "nothing here"));
    let hinted = client.get("/hints").await;
    assert_eq!(hinted.text(), "hint sent: true");
    assert_eq!(hinted.hints, [["</assets/app.css>; rel=preload; as=style"]]);

    let upload = client.request(Method::POST, "/length", &[]);
    let (response, mut body) = client.requests.send_request(upload, false).unwrap();
    body.send_data(Bytes::from(vec![7; 50_000]), true).unwrap();
    assert_eq!(http2::read(response.await.unwrap().body_mut()).await.unwrap(), "50000");
}

#[tokio::test]
async fn what_is_pushed_comes_from_the_same_router() {
    let mut client = client(router()).await;
    let page = client.request(Method::GET, "/", &[]);
    let (mut response, _) = client.requests.send_request(page, true).unwrap();
    let mut promises = response.push_promises();
    let (asked, pushed) = promises.push_promise().await.unwrap().unwrap().into_parts();
    assert_eq!(asked.uri(), "http://a.example/assets/app.css");
    let mut pushed = pushed.await.unwrap();
    assert_eq!(pushed.headers()["x-pushed"], "1");
    assert_eq!(http2::read(pushed.body_mut()).await.unwrap(), "the asset app.css");
    assert_eq!(http2::read(response.await.unwrap().body_mut()).await.unwrap(), "<title>a page</title>");
    // Asked for by the client itself, it is not marked.
    assert_eq!(client.get("/assets/app.css").await.headers["x-pushed"], "0");
}

#[tokio::test]
async fn layers_stay_where_they_are() {
    async fn stamp(request: axum::extract::Request, next: axum::middleware::Next) -> axum::response::Response {
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-inner", "1".parse().unwrap());
        response
    }
    let inner = router().layer(axum::middleware::from_fn(stamp));
    // Outside the router: a layer that sees the driver's own body type.
    let service = inner
        .map_request(|mut request: Request<RequestBody>| {
            *request.uri_mut() = request.uri().to_string().replace("/old/", "/assets/").parse().unwrap();
            request
        })
        .map_response(|mut response: axum::response::Response| {
            response.headers_mut().insert("x-outer", "1".parse().unwrap());
            response
        });
    let asset = client(service).await.get("/old/a.js").await;
    assert_eq!(asset.text(), "the asset a.js");
    assert!(asset.headers.contains_key("x-inner") && asset.headers.contains_key("x-outer"));
}

/// A service that says when it is ready is asked: no request is given to one that is not.
#[tokio::test]
async fn a_service_with_a_limit_is_waited_for() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let service = tower::service_fn(move |_: Request<RequestBody>| {
        let (running, most) = (Arc::clone(&running), Arc::clone(&most));
        async move {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(3)).await;
            running.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, std::convert::Infallible>(Response::new("done".to_owned()))
        }
    });
    let limited = OneAtATime { service, turn: Arc::new(tokio::sync::Semaphore::new(1)), permit: None };
    let client = client(limited).await;
    let asked = (0..10).map(|_| {
        let mut client = client.clone();
        async move { client.get("/x").await.text() }
    });
    assert_eq!(futures_util::future::join_all(asked).await, vec!["done"; 10]);
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

type Turn = std::pin::Pin<Box<dyn Future<Output = tokio::sync::OwnedSemaphorePermit> + Send>>;

/// Lets one request in at a time, by `poll_ready`.
struct OneAtATime<S> {
    service: S,
    turn: std::sync::Arc<tokio::sync::Semaphore>,
    permit: Option<Result<tokio::sync::OwnedSemaphorePermit, Turn>>,
}

impl<S: Clone> Clone for OneAtATime<S> {
    fn clone(&self) -> Self {
        OneAtATime { service: self.service.clone(), turn: self.turn.clone(), permit: None }
    }
}

impl<S, R> tower_service::Service<R> for OneAtATime<S>
where
    S: tower_service::Service<R, Future: Send + 'static>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), S::Error>> {
        loop {
            match &mut self.permit {
                None => {
                    let turn = self.turn.clone();
                    self.permit = Some(Err(Box::pin(async move { turn.acquire_owned().await.unwrap() })));
                }
                Some(Err(turn)) => {
                    let permit = std::task::ready!(turn.as_mut().poll(cx));
                    self.permit = Some(Ok(permit));
                }
                Some(Ok(_)) => return self.service.poll_ready(cx),
            }
        }
    }

    fn call(&mut self, request: R) -> Self::Future {
        let permit = self.permit.take();
        assert!(matches!(permit, Some(Ok(_))), "called without poll_ready");
        let answer = self.service.call(request);
        Box::pin(async move {
            let answer = answer.await;
            drop(permit);
            answer
        })
    }
}

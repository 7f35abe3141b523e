//! A small application behind a [`Headstart`], and a client that does what it is told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use headstart::{Builder, Headstart, PageView};
use http::header::{self, HeaderName};
use http::{HeaderMap, Method, StatusCode};
use tokio::net::{TcpListener, TcpStream};

/// A response to a path: fields and body.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) fields: Vec<(HeaderName, String)>,
    pub(crate) body: String,
    pub(crate) assets: Option<headstart::Assets>,
    /// How long the application is at work on it.
    pub(crate) after: Duration,
}

impl Answer {
    pub(crate) fn html(body: &str) -> Self {
        Answer::new("text/html", body)
    }

    pub(crate) fn css(body: &str) -> Self {
        Answer::new("text/css", body).with(header::CACHE_CONTROL, "public, max-age=3600")
    }

    pub(crate) fn js(body: &str) -> Self {
        Answer::new("text/javascript", body).with(header::CACHE_CONTROL, "public, max-age=3600")
    }

    pub(crate) fn new(media: &str, body: &str) -> Self {
        let etag = format!("\"{:x}\"", body.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte)));
        let fields = vec![(header::CONTENT_TYPE, media.to_owned()), (header::ETAG, etag)];
        Answer { status: StatusCode::OK, fields, body: body.to_owned(), assets: None, after: Duration::ZERO }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.fields.retain(|(found, _)| *found != name);
        self.fields.push((name, value.to_owned()));
        self
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = StatusCode::from_u16(status).unwrap();
        self
    }

    pub(crate) fn after(mut self, ms: u64) -> Self {
        self.after = Duration::from_millis(ms);
        self
    }

    pub(crate) fn naming(mut self, assets: headstart::Assets) -> Self {
        self.assets = Some(assets);
        self
    }
}

type Site = Arc<Mutex<BTreeMap<String, Answer>>>;

/// A served application.
pub(crate) struct Server {
    pub(crate) headstart: Headstart,
    pub(crate) address: SocketAddr,
    site: Site,
    views: Arc<Mutex<Vec<PageView>>>,
    requests: Arc<Mutex<Vec<String>>>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
}

impl Server {
    /// One client may teach, nothing is held out; `settings` may change that.
    pub(crate) async fn start(settings: impl FnOnce(Builder) -> Builder, pages: &[(&str, Answer)]) -> Self {
        let views = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&views);
        let builder = Headstart::builder()
            .min_networks(1)
            .holdout(0)
            .on_page_view(move |view| seen.lock().unwrap().push(view.clone()));
        let headstart = settings(builder).build().unwrap();
        let site: Site = Arc::default();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let app = Router::new().fallback(answer).with_state((Arc::clone(&site), Arc::clone(&requests)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = headstart.serve(listener, None, app).with_graceful_shutdown(async {
            let _ = stopped.await;
        });
        tokio::spawn(serving.into_future());
        let server = Server { headstart, address, site, views, requests, stop: Some(stop) };
        for (path, answer) in pages {
            server.put(path, answer.clone());
        }
        server
    }

    pub(crate) fn put(&self, path: &str, answer: Answer) {
        self.site.lock().unwrap().insert(path.to_owned(), answer);
    }

    pub(crate) fn last_view(&self) -> PageView {
        self.views.lock().unwrap().last().expect("no page was shown").clone()
    }

    pub(crate) fn views(&self) -> Vec<PageView> {
        self.views.lock().unwrap().clone()
    }

    /// Paths for which the application was asked since the last call.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }

    /// Views of `page` by clients that fetch `assets` as a browser would, enough to be learned.
    pub(crate) async fn teach(&self, page: &str, assets: &[&str]) {
        for _ in 0..3 {
            self.visit(page, assets).await;
        }
        self.headstart.finish();
    }

    pub(crate) async fn visit(&self, page: &str, assets: &[&str]) {
        let mut client = Client::connect(self, Pushes::Refused).await;
        client.get(page).await;
        let referer = format!("http://{}{page}", self.address);
        for asset in assets {
            client.send(Method::GET, asset, &[("referer", &referer)]).await;
        }
    }

    pub(crate) fn shut_down(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }
}

async fn answer(State((site, requests)): State<(Site, Arc<Mutex<Vec<String>>>)>, request: Request) -> Response {
    let path = request.uri().path_and_query().unwrap().as_str().to_owned();
    requests.lock().unwrap().push(path.clone());
    let Some(answer) = site.lock().unwrap().get(&path).cloned() else {
        return (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "text/html")], "none").into_response();
    };
    tokio::time::sleep(answer.after).await;
    if request.headers().get(header::IF_NONE_MATCH).is_some() {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let mut response = (answer.status, answer.body).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    for (name, value) in answer.fields {
        response.headers_mut().append(name, value.parse().unwrap());
    }
    if let Some(assets) = answer.assets {
        response.extensions_mut().insert(assets);
    }
    response
}

/// Whether a client takes pushes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushes {
    Refused,
    Taken,
}

/// One HTTP/2 connection.
pub(crate) struct Client {
    send: h2::client::SendRequest<Bytes>,
    authority: String,
    pub(crate) cookie: Option<String>,
}

/// What came back for one request.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Paths that were pushed with it, in the order of their promises.
    pub(crate) pushed: Vec<String>,
    /// `Link` fields of each 103.
    pub(crate) hints: Vec<Vec<String>>,
}

impl Reply {
    pub(crate) fn links(&self) -> Vec<String> {
        links(&self.headers)
    }
}

fn links(headers: &HeaderMap) -> Vec<String> {
    headers.get_all(header::LINK).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

/// The paths in `Link` fields.
pub(crate) fn targets(links: &[String]) -> Vec<&str> {
    links.iter().map(|link| link.split(['<', '>']).nth(1).unwrap()).collect()
}

/// What a browser sends with a navigation.
pub(crate) const BROWSER: [(&str, &str); 4] = [
    ("accept", "text/html,application/xhtml+xml"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-site", "none"),
];

impl Client {
    pub(crate) async fn connect(server: &Server, pushes: Pushes) -> Self {
        let socket = TcpStream::connect(server.address).await.unwrap();
        let mut builder = h2::client::Builder::new();
        builder.enable_push(pushes == Pushes::Taken);
        let (send, connection) = builder.handshake(socket).await.unwrap();
        tokio::spawn(async move { connection.await.unwrap() });
        Client { send, authority: server.address.to_string(), cookie: None }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Reply {
        self.send(Method::GET, path, &[]).await
    }

    /// Asks for several paths at once, each with a `priority`; returns them in the order in which they were there.
    pub(crate) async fn race(&mut self, asked: &[(&'static str, &str)]) -> Vec<&'static str> {
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut fetches = Vec::new();
        for (path, priority) in asked {
            let request = http::Request::get(format!("http://{}{path}", self.authority)).header("priority", *priority);
            let (response, _) = self.send.send_request(request.body(()).unwrap(), true).unwrap();
            let (path, order) = (*path, Arc::clone(&order));
            fetches.push(tokio::spawn(async move {
                read(response.await.unwrap().body_mut()).await;
                order.lock().unwrap().push(path);
            }));
        }
        for fetch in fetches {
            fetch.await.unwrap();
        }
        std::mem::take(&mut *order.lock().unwrap())
    }

    /// Sends a request, keeps the cookie that comes back, takes all pushes to their end.
    pub(crate) async fn send(&mut self, method: Method, path: &str, fields: &[(&str, &str)]) -> Reply {
        let mut request = http::Request::builder().method(method).uri(format!("http://{}{path}", self.authority));
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let (mut response, _) = self.send.send_request(request.body(()).unwrap(), true).unwrap();
        let mut promises = response.push_promises();
        let mut hints = Vec::new();
        let response = std::future::poll_fn(|cx| {
            while let Poll::Ready(Some(interim)) = response.poll_informational(cx) {
                hints.push(links(interim.unwrap().headers()));
            }
            Pin::new(&mut response).poll(cx)
        })
        .await
        .unwrap();
        let (head, mut body) = response.into_parts();
        let body = read(&mut body).await;
        let mut pushed = Vec::new();
        while let Some(promise) = promises.push_promise().await {
            let (request, response) = promise.unwrap().into_parts();
            assert!(!request.headers().contains_key(header::COOKIE), "a promise carries no cookie");
            pushed.push(request.uri().path_and_query().unwrap().as_str().to_owned());
            let mut response = response.await.unwrap();
            read(response.body_mut()).await;
        }
        if let Some(field) = head.headers.get(header::SET_COOKIE) {
            self.cookie = field.to_str().unwrap().split(';').next().map(str::to_owned);
        }
        Reply { headers: head.headers, body, pushed, hints }
    }
}

async fn read(body: &mut h2::RecvStream) -> Bytes {
    let mut all = Vec::new();
    while let Some(part) = body.data().await {
        let part = part.unwrap();
        body.flow_control().release_capacity(part.len()).unwrap();
        all.extend_from_slice(&part);
    }
    all.into()
}

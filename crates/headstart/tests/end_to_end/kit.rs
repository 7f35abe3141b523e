//! A small application behind a [`Headstart`], and a client that does what it is told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use headstart::{Builder, Headstart, PageView};
use http::header::{self, HeaderName};
use http::{Method, StatusCode};
use testkit::http2;
pub(crate) use testkit::http2::{NAVIGATION as BROWSER, Reply, targets};
use tokio::io::{AsyncRead, AsyncWrite};
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

/// One HTTP/2 connection: the client of the testkit, and races.
pub(crate) struct Client(http2::Client, SocketAddr);

impl Client {
    pub(crate) async fn connect(server: &Server, pushes: Pushes) -> Self {
        Client::connect_to(server.address, pushes).await
    }

    pub(crate) async fn connect_to(address: SocketAddr, pushes: Pushes) -> Self {
        Client::over(TcpStream::connect(address).await.unwrap(), address, pushes).await
    }

    /// Speaks HTTP/2 through a stream.
    pub(crate) async fn over<T>(io: T, address: SocketAddr, pushes: Pushes) -> Self
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut settings = h2::client::Builder::new();
        settings.enable_push(pushes == Pushes::Taken);
        Client(http2::Client::handshake(io, format!("http://{address}"), &settings).await.unwrap(), address)
    }

    /// Asks for several paths at once, each with a `priority`; returns them in the order in which they were there.
    pub(crate) async fn race(&mut self, asked: &[(&'static str, &str)]) -> Vec<&'static str> {
        let authority = self.1;
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut fetches = Vec::new();
        for (path, priority) in asked {
            let request = http::Request::get(format!("http://{authority}{path}")).header("priority", *priority);
            let (response, _) = self.0.requests.send_request(request.body(()).unwrap(), true).unwrap();
            let (path, order) = (*path, Arc::clone(&order));
            fetches.push(tokio::spawn(async move {
                http2::read(response.await.unwrap().body_mut()).await.unwrap();
                order.lock().unwrap().push(path);
            }));
        }
        for fetch in fetches {
            fetch.await.unwrap();
        }
        std::mem::take(&mut *order.lock().unwrap())
    }
}

impl Deref for Client {
    type Target = http2::Client;

    fn deref(&self) -> &http2::Client {
        &self.0
    }
}

impl DerefMut for Client {
    fn deref_mut(&mut self) -> &mut http2::Client {
        &mut self.0
    }
}

//! A client of our own, for what h2load cannot do: it keeps a cookie, and it takes pushes.

use bytes::Bytes;
use h2::client::SendRequest;
use http::header::{COOKIE, REFERER, SET_COOKIE};
use http::{HeaderValue, Request, Response};
use tokio::net::TcpStream;

use crate::child::Child;
use crate::server::{ASSETS, SIZES};

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

/// One cleartext connection to a server.
pub(crate) struct Connection {
    pub(crate) requests: SendRequest<Bytes>,
    pub(crate) base: String,
}

impl Connection {
    pub(crate) async fn open(server: &Child) -> Self {
        let socket = TcpStream::connect(("127.0.0.1", server.port)).await.expect("a connection");
        socket.set_nodelay(true).expect("no delay");
        let window = (1 << 31) - 1;
        let (requests, connection) = h2::client::Builder::new()
            .initial_window_size(window)
            .initial_connection_window_size(window)
            .enable_push(true)
            .handshake(socket)
            .await
            .expect("a handshake");
        tokio::spawn(connection);
        Connection { requests, base: format!("http://127.0.0.1:{}", server.port) }
    }

    /// Asks, and reads the answer to its end.
    async fn get(&mut self, request: Request<()>) -> Response<usize> {
        self.requests = self.requests.clone().ready().await.expect("a stream");
        let (response, _) = self.requests.send_request(request, true).expect("a request");
        let (head, body) = response.await.expect("a response").into_parts();
        assert_eq!(head.status, 200);
        Response::from_parts(head, length(body).await)
    }
}

/// Reads a body to its end; its bytes.
pub(crate) async fn length(mut body: h2::RecvStream) -> usize {
    testkit::http2::read_length(&mut body).await.expect("a body")
}

/// Visits the pages of all sizes until the learner has nothing to add to the cookie, which then tells of all assets.
pub(crate) async fn earn_cookie(server: &Child) -> String {
    let mut connection = Connection::open(server).await;
    let mut cookie = String::new();
    for size in SIZES.iter().chain(&SIZES) {
        let page = format!("{}/{}/page.html", connection.base, size.bytes);
        let ask = |path: &str, cookie: &str| {
            let mut request = Request::get(path).body(()).expect("a request");
            let mut field = |name, value: &str| {
                request.headers_mut().insert(name, HeaderValue::from_str(value).expect("a field"));
            };
            field(REFERER, &page);
            if !cookie.is_empty() {
                field(COOKIE, cookie);
            }
            request
        };
        for path in std::iter::once(page.clone())
            .chain(ASSETS.map(|(name, _)| format!("{}/{}/{name}", connection.base, size.bytes)))
        {
            let response = connection.get(ask(&path, &cookie)).await;
            assert_eq!(*response.body(), size.bytes, "{path}");
            if let Some(field) = response.headers().get(SET_COOKIE) {
                let field = field.to_str().expect("a cookie");
                field.split(';').next().unwrap_or_default().clone_into(&mut cookie);
            }
        }
    }
    assert!(cookie.len() > 60, "the cookie tells of nothing: {cookie}");
    cookie
}

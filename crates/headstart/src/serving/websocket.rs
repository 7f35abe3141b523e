//! WebSockets over HTTP/2 (RFC 8441) for services that know them over HTTP/1.1 only, as all of hyper's do: an extended
//! CONNECT becomes an upgrade request on a connection in memory, and its two directions become the bodies of the
//! stream.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::future::{BoxFuture, Either, MapOk, TryFutureExt as _};
use headstart_h2::{Protocol, RequestBody};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use pin_project_lite::pin_project;
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncRead as _, AsyncWriteExt as _, ReadBuf, ReadHalf, WriteHalf};
use tower_service::Service;

/// Bytes buffered between the stream and the service in each direction.
const BUFFER: usize = 16 << 10;
const WEBSOCKET: &str = "websocket";
/// The text that a server appends to the key of a request before it hashes it (RFC 6455, section 1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

type BoxError = Box<dyn Error + Send + Sync>;

/// Lets a service take WebSockets over HTTP/2.
#[derive(Clone)]
pub(crate) struct Bridge<S>(pub(crate) S);

pin_project! {
    /// The body of a response, or the service's direction of a WebSocket.
    #[project = Projected]
    pub(crate) enum Bridged<B> {
        Plain { #[pin] body: B },
        // The service did not take the WebSocket.
        Refusal { body: Incoming },
        Tunnel { tunnel: Tunnel },
        Empty,
    }
}

/// The service's side of a WebSocket.
pub(crate) struct Tunnel {
    io: ReadHalf<TokioIo<Upgraded>>,
    buffer: BytesMut,
}

impl<S, B> Service<Request<RequestBody>> for Bridge<S>
where
    S: Service<Request<RequestBody>, Response = Response<B>>
        + Service<Request<Incoming>, Response = Response<B>, Error = <S as Service<Request<RequestBody>>>::Error>
        + Clone
        + Send
        + 'static,
    <S as Service<Request<Incoming>>>::Future: Send,
    <S as Service<Request<RequestBody>>>::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Bridged<B>>;
    type Error = <S as Service<Request<RequestBody>>>::Error;
    type Future = Either<
        MapOk<<S as Service<Request<RequestBody>>>::Future, fn(Response<B>) -> Response<Bridged<B>>>,
        BoxFuture<'static, Result<Self::Response, Self::Error>>,
    >;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        <S as Service<Request<RequestBody>>>::poll_ready(&mut self.0, cx)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        if request.method() != Method::CONNECT {
            let plain: fn(Response<B>) -> Response<Bridged<B>> =
                |response| response.map(|body| Bridged::Plain { body });
            return Either::Left(self.0.call(request).map_ok(plain));
        }
        let service = self.0.clone();
        Either::Right(Box::pin(async move {
            Ok(open(service, request).await.unwrap_or_else(|error| {
                tracing::debug!(%error, "a WebSocket could not be opened");
                empty(StatusCode::BAD_GATEWAY)
            }))
        }))
    }
}

/// Asks the service for the WebSocket.
async fn open<S, B>(service: S, request: Request<RequestBody>) -> Result<Response<Bridged<B>>, BoxError>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    if request.extensions().get::<Protocol>().is_none_or(|protocol| protocol.as_str() != WEBSOCKET) {
        return Ok(empty(StatusCode::NOT_IMPLEMENTED));
    }
    let (request, upload, key) = upgrade_request(request)?;
    let (near, far) = tokio::io::duplex(BUFFER);
    let server = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(far), TowerToHyperService::new(service))
        .with_upgrades();
    let (mut send, client) = hyper::client::conn::http1::handshake(TokioIo::new(near)).await?;
    // Ends when the upgrade is done, or with the stream: then there is no one left to send to.
    tokio::spawn(async move { tokio::join!(server, client.with_upgrades()) });
    let mut response = send.send_request(request).await?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Ok(response.map(|body| Bridged::Refusal { body }));
    }
    if !accepts(response.headers(), &key) {
        tracing::warn!(
            "a service answered 101 without the right Sec-WebSocket-Accept: its WebSocket is refused with 502"
        );
        return Ok(empty(StatusCode::BAD_GATEWAY));
    }
    let io = TokioIo::new(hyper::upgrade::on(&mut response).await?);
    let (download, sink) = tokio::io::split(io);
    tokio::spawn(send_up(upload, sink));
    let (mut head, _) = response.into_parts();
    head.status = StatusCode::OK;
    head.version = Version::HTTP_2;
    for name in [header::CONNECTION, header::UPGRADE, header::SEC_WEBSOCKET_ACCEPT] {
        head.headers.remove(name);
    }
    let tunnel = Tunnel { io: download, buffer: BytesMut::new() };
    Ok(Response::from_parts(head, Bridged::Tunnel { tunnel }))
}

/// Whether a 101 proves that its sender has read the request and speaks WebSocket (RFC 6455, section 4.1).
fn accepts(headers: &HeaderMap, key: &str) -> bool {
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    let accept = data_encoding::BASE64.encode(&digest);
    let is = |name, expected: &str| {
        headers.get(name).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(expected.as_bytes()))
    };
    headers.get(header::SEC_WEBSOCKET_ACCEPT).is_some_and(|value| value.as_bytes() == accept.as_bytes())
        && is(header::UPGRADE, WEBSOCKET)
}

/// The request as HTTP/1.1 knows it (RFC 6455, section 4.1), what the client sends, and the key of the request.
fn upgrade_request(request: Request<RequestBody>) -> Result<(Request<String>, RequestBody, String), BoxError> {
    let (head, upload) = request.into_parts();
    let mut key = [0; 16];
    getrandom::fill(&mut key)?;
    let path = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let mut upgrade = Request::get(path).body(String::new())?;
    let fields = upgrade.headers_mut();
    *fields = head.headers;
    if let Some(authority) = head.uri.authority() {
        fields.insert(header::HOST, HeaderValue::from_str(authority.as_str())?);
    }
    let key = data_encoding::BASE64.encode(&key);
    let own: [(HeaderName, &str); 3] =
        [(header::CONNECTION, "upgrade"), (header::UPGRADE, WEBSOCKET), (header::SEC_WEBSOCKET_KEY, &key)];
    for (name, value) in own {
        fields.insert(name, HeaderValue::from_str(value)?);
    }
    fields.entry(header::SEC_WEBSOCKET_VERSION).or_insert(HeaderValue::from_static("13"));
    Ok((upgrade, upload, key))
}

/// Hands on what the client sends until either side ends.
async fn send_up(upload: RequestBody, mut sink: WriteHalf<TokioIo<Upgraded>>) {
    let mut upload = std::pin::pin!(upload);
    while let Some(Ok(frame)) = std::future::poll_fn(|cx| http_body::Body::poll_frame(upload.as_mut(), cx)).await {
        if let Ok(data) = frame.into_data()
            && sink.write_all(&data).await.is_err()
        {
            return;
        }
    }
    // The client has ended its direction, or is gone.
    let _ = sink.shutdown().await;
}

fn empty<B>(status: StatusCode) -> Response<Bridged<B>> {
    let mut response = Response::new(Bridged::Empty);
    *response.status_mut() = status;
    response
}

impl Tunnel {
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.buffer.resize(BUFFER, 0);
        let mut read = ReadBuf::new(&mut self.buffer);
        let done = ready!(Pin::new(&mut self.io).poll_read(cx, &mut read));
        let count = read.filled().len();
        Poll::Ready(match done {
            Ok(()) if count == 0 => None,
            Ok(()) => Some(Ok(Frame::data(self.buffer.split_to(count).freeze()))),
            Err(error) => Some(Err(error.into())),
        })
    }
}

impl<B> http_body::Body for Bridged<B>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.project() {
            Projected::Plain { body } => body.poll_frame(cx).map_err(Into::into),
            Projected::Refusal { body } => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Projected::Tunnel { tunnel } => tunnel.poll_read(cx),
            Projected::Empty => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Bridged::Plain { body } => body.is_end_stream(),
            Bridged::Refusal { body } => body.is_end_stream(),
            Bridged::Tunnel { .. } => false,
            Bridged::Empty => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Bridged::Plain { body } => body.size_hint(),
            Bridged::Refusal { body } => body.size_hint(),
            Bridged::Tunnel { .. } => SizeHint::new(),
            Bridged::Empty => SizeHint::with_exact(0),
        }
    }
}

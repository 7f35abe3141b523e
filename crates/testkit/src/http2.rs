//! A client over HTTP/2 that keeps a cookie, takes pushes to their end and notes interim responses.

use std::pin::Pin;
use std::task::Poll;

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use http::{HeaderMap, Method, Request, StatusCode, header};
use tokio::io::{AsyncRead, AsyncWrite};

/// The fields that a browser sends with a navigation.
pub const NAVIGATION: [(&str, &str); 4] = [
    ("accept", "text/html,application/xhtml+xml"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-site", "none"),
];

/// One connection.
#[derive(Clone, Debug)]
pub struct Client {
    /// For requests that the methods here do not make.
    pub requests: SendRequest<Bytes>,
    origin: String,
    /// `name=value`, as the server set it last.
    pub cookie: Option<String>,
}

/// The response to one request.
#[derive(Debug)]
pub struct Reply {
    /// Of the final response.
    pub status: StatusCode,
    /// Of the final response.
    pub headers: HeaderMap,
    /// Of the final response.
    pub body: Bytes,
    /// Paths that were pushed with it, in the order of their promises.
    pub pushed: Vec<String>,
    /// `Link` fields of each 103.
    pub hints: Vec<Vec<String>>,
}

impl Reply {
    /// `Link` fields of the final response.
    pub fn links(&self) -> Vec<String> {
        links(&self.headers)
    }

    /// The body as text; what is no UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn links(headers: &HeaderMap) -> Vec<String> {
    headers.get_all(header::LINK).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
}

/// The targets in `Link` fields, one of each link-value (RFC 8288).
pub fn targets(links: &[String]) -> Vec<&str> {
    links.iter().flat_map(|field| field.split('<').skip(1)).filter_map(|link| link.split('>').next()).collect()
}

impl Client {
    /// Speaks HTTP/2 over a connection; `origin` is the scheme and authority that requests name.
    ///
    /// # Errors
    ///
    /// Those of the handshake.
    pub async fn handshake<T>(io: T, origin: impl Into<String>, settings: &Builder) -> Result<Self, h2::Error>
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (requests, connection) = settings.handshake(io).await?;
        tokio::spawn(async move {
            // What breaks shows in the requests.
            let _ = connection.await;
        });
        Ok(Self { requests, origin: origin.into(), cookie: None })
    }

    /// Asks for a path.
    ///
    /// # Panics
    ///
    /// If there is no response.
    pub async fn get(&mut self, path: &str) -> Reply {
        self.send(Method::GET, path, &[]).await
    }

    /// Sends a request without a body.
    ///
    /// # Panics
    ///
    /// If there is no response, or a promise carries a cookie.
    pub async fn send(&mut self, method: Method, path: &str, fields: &[(&str, &str)]) -> Reply {
        let request = self.request(method, path, fields);
        self.try_send(request).await.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Makes a request to this origin, with the cookie.
    ///
    /// # Panics
    ///
    /// If a field is not one.
    pub fn request(&self, method: Method, path: &str, fields: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.origin));
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        request.body(()).expect("a request")
    }

    /// Sends a request without a body, keeps the cookie that comes back, takes all pushes to their end.
    ///
    /// # Errors
    ///
    /// If there is no response, or not all of it.
    ///
    /// # Panics
    ///
    /// If a promise carries a cookie.
    pub async fn try_send(&mut self, request: Request<()>) -> Result<Reply, h2::Error> {
        let mut requests = self.requests.clone().ready().await?;
        let (mut response, _) = requests.send_request(request, true)?;
        let mut promises = response.push_promises();
        let mut hints = Vec::new();
        let response = std::future::poll_fn(|cx| {
            while let Poll::Ready(Some(interim)) = response.poll_informational(cx) {
                hints.push(interim.map(|interim| links(interim.headers())));
            }
            Pin::new(&mut response).poll(cx)
        })
        .await?;
        let hints = hints.into_iter().collect::<Result<_, _>>()?;
        let (head, mut body) = response.into_parts();
        let body = read(&mut body).await?;
        let mut pushed = Vec::new();
        while let Some(promise) = promises.push_promise().await {
            let (request, response) = promise?.into_parts();
            assert!(!request.headers().contains_key(header::COOKIE), "a promise carries no cookie");
            pushed.push(request.uri().path_and_query().map_or_else(String::new, ToString::to_string));
            read(response.await?.body_mut()).await?;
        }
        if let Some(field) = head.headers.get(header::SET_COOKIE) {
            self.cookie = field.to_str().ok().and_then(|field| field.split(';').next()).map(str::to_owned);
        }
        Ok(Reply { status: head.status, headers: head.headers, body, pushed, hints })
    }
}

/// Reads a body to its end, giving the window back as it comes.
///
/// # Errors
///
/// Those of the stream.
pub async fn read(body: &mut h2::RecvStream) -> Result<Bytes, h2::Error> {
    let mut all = Vec::new();
    while let Some(part) = body.data().await {
        let part = part?;
        body.flow_control().release_capacity(part.len())?;
        all.extend_from_slice(&part);
    }
    Ok(all.into())
}

/// The same, counting bytes and keeping none.
///
/// # Errors
///
/// Those of the stream.
pub async fn read_length(body: &mut h2::RecvStream) -> Result<usize, h2::Error> {
    let mut length = 0;
    while let Some(part) = body.data().await {
        let part = part?;
        body.flow_control().release_capacity(part.len())?;
        length += part.len();
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    #[test]
    fn targets_are_read_from_every_link() {
        let links = ["</a>; rel=preload, <https://b.example>; rel=preconnect".to_owned(), "</c>".to_owned()];
        assert_eq!(super::targets(&links), ["/a", "https://b.example", "/c"]);
    }
}

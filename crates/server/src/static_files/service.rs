//! The service itself: which file, from memory or from disk.

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version, header};
use tokio::task::JoinHandle;
use tower_service::Service;

use super::body::Body;
use super::cache::Cache;
use super::config::Config;
use super::load::{Loaded, load};
use super::open::Root;
use super::path::{Rejected, SitePath};
use super::representation::{Representation, Stamp};
use super::respond;

/// The page that answers for whatever is not there, if the site has one.
const NOT_FOUND_PAGE: &str = "404.html";

/// Serves the files below one directory. A clone shares the memory of the first.
#[derive(Clone)]
pub(crate) struct StaticFiles(Arc<Shared>);

struct Shared {
    root: Root,
    cache: Cache,
    config: Config,
}

impl StaticFiles {
    /// Serves `directory`. It may be replaced as a whole, or be a symbolic link that is turned to another directory.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is not a directory.
    pub(crate) fn new(directory: &Path, config: Config) -> io::Result<Self> {
        let directory: PathBuf = std::path::absolute(directory)?;
        std::fs::read_dir(&directory)?;
        Ok(Self(Arc::new(Shared { root: Root::new(directory), cache: Cache::new(config.max_memory), config })))
    }
}

impl<B> Service<Request<B>> for StaticFiles {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        let (head, _) = request.into_parts();
        if !names_its_host(&head) {
            let response = respond::message(StatusCode::BAD_REQUEST);
            return ResponseFuture::ready(respond::without_body_for_head(&head.method, response));
        }
        if head.method != Method::GET && head.method != Method::HEAD {
            return ResponseFuture::ready(respond::message(StatusCode::METHOD_NOT_ALLOWED));
        }
        let name = match SitePath::parse(head.uri.path()) {
            Ok(name) => name,
            Err(Rejected::Malformed) => {
                let response = respond::message(StatusCode::BAD_REQUEST);
                return ResponseFuture::ready(respond::without_body_for_head(&head.method, response));
            }
            Err(Rejected::Absent) => {
                return self.look_up(None, head.method, head.headers, head.uri);
            }
        };
        if let Some(representation) = self.0.in_memory(name.as_str()) {
            return ResponseFuture::ready(respond::file(&head.method, &head.headers, &representation));
        }
        self.look_up(Some(name), head.method, head.headers, head.uri)
    }
}

/// HTTP/1.1 asks for exactly one `Host` (RFC 9112, section 3.2), which hyper does not check. Pushes and HTTP/2
/// carry the authority in the URI.
fn names_its_host(head: &Parts) -> bool {
    head.version != Version::HTTP_11
        || head.uri.authority().is_some()
        || head.headers.get_all(header::HOST).iter().count() == 1
}

impl StaticFiles {
    /// Asks the disk, on a thread that may wait.
    fn look_up(&self, name: Option<SitePath>, method: Method, headers: HeaderMap, uri: Uri) -> ResponseFuture {
        let shared = Arc::clone(&self.0);
        let answer = move || shared.answer(name.as_ref(), &method, &headers, &uri);
        ResponseFuture(State::Loading(tokio::task::spawn_blocking(answer)))
    }
}

impl Shared {
    /// The file as it is kept in memory, if the disk still has the same. One `stat`.
    fn in_memory(&self, name: &str) -> Option<Arc<Representation>> {
        let representation = self.cache.get(name)?;
        let metadata = self.root.join(name).metadata().ok()?;
        (Stamp::of(&metadata) == representation.stamp).then_some(representation)
    }

    fn answer(&self, name: Option<&SitePath>, method: &Method, headers: &HeaderMap, uri: &Uri) -> Response<Body> {
        let loaded = name.map_or(Loaded::Absent, |name| self.load(name.as_str()));
        let response = match loaded {
            Loaded::File { representation, .. } => {
                return respond::file(method, headers, &representation);
            }
            Loaded::Directory => respond::add_slash(uri),
            Loaded::Absent => match self.load_page(NOT_FOUND_PAGE) {
                Some(page) => return respond::error_page(method, StatusCode::NOT_FOUND, &page),
                None => respond::message(StatusCode::NOT_FOUND),
            },
            Loaded::Forbidden => respond::message(StatusCode::FORBIDDEN),
            Loaded::Failed(error) => {
                eprintln!("headstart: cannot read {}: {error}", uri.path());
                respond::message(StatusCode::SERVICE_UNAVAILABLE)
            }
        };
        respond::without_body_for_head(method, response)
    }

    /// Reads a file and keeps what may be kept.
    fn load(&self, name: &str) -> Loaded {
        let loaded = load(&self.root, name, self.config.max_file, (self.config.now)());
        match &loaded {
            Loaded::File { representation, keep: Some(bytes) } => {
                self.cache.insert(name, Arc::clone(representation), *bytes);
            }
            _ => self.cache.remove(name),
        }
        loaded
    }

    fn load_page(&self, name: &str) -> Option<Arc<Representation>> {
        self.in_memory(name).or_else(|| match self.load(name) {
            Loaded::File { representation, .. } => Some(representation),
            _ => None,
        })
    }
}

/// The response, at once or as soon as the disk has answered.
pub(crate) struct ResponseFuture(State);

enum State {
    Ready(Option<Response<Body>>),
    Loading(JoinHandle<Response<Body>>),
}

impl ResponseFuture {
    fn ready(response: Response<Body>) -> Self {
        Self(State::Ready(Some(response)))
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let failed = || respond::message(StatusCode::INTERNAL_SERVER_ERROR);
        Poll::Ready(Ok(match &mut self.0 {
            State::Ready(response) => response.take().unwrap_or_else(failed),
            State::Loading(task) => ready!(Pin::new(task).poll(cx)).unwrap_or_else(|_| failed()),
        }))
    }
}

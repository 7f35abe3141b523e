//! The service itself: which file, from memory or from disk.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use tokio::task::JoinHandle;
use tower_service::Service;

use super::body::Body;
use super::cache::{Cache, CacheStats};
use super::config::Config;
use super::entry::{Entry, Selected};
use super::forms::Forms;
use super::head::Kind;
use super::load::{Loaded, Readers, load};
use super::open::{Found, Root};
use super::open_files::OpenFiles;
use super::path::{Rejected, SitePath};
use super::read_permits::ReadPermits;
use super::representation::Representation;
use super::respond;
use super::stamp::Modified;
use headstart_coding::Accepted;
use headstart_policy::{ClientAddress, FileContent, FileHeads, Peer};

/// Serves the files below one directory. A clone shares the memory of the first.
#[derive(Clone)]
pub struct StaticFiles(Arc<Shared>);

impl fmt::Debug for StaticFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticFiles").field("config", &self.0.config).finish_non_exhaustive()
    }
}

struct Shared {
    root: Root,
    cache: Cache,
    forms: Forms,
    permits: ReadPermits,
    files: Arc<OpenFiles>,
    config: Config,
    content: FileContent,
}

impl StaticFiles {
    /// How much is kept in memory.
    pub fn stats(&self) -> CacheStats {
        self.0.cache.stats()
    }

    /// Serves `directory`. It may be replaced as a whole, or be a symbolic link that is turned to another directory.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is not a directory.
    pub fn new(directory: &Path, config: Config) -> io::Result<Self> {
        let directory: PathBuf = std::path::absolute(directory)?;
        std::fs::read_dir(&directory)?;
        Ok(Self(Arc::new_cyclic(|shared| Shared {
            root: Root::new(directory, config.symlinks),
            cache: Cache::new(config.max_memory),
            forms: Forms::new(config.compress),
            permits: ReadPermits::default(),
            files: OpenFiles::new(Arc::clone(&config.descriptors)),
            config,
            content: FileContent::new(Beside(shared.clone())),
        })))
    }
}

/// The files beside a page, as long as they are served.
struct Beside(Weak<Shared>);

impl FileHeads for Beside {
    fn head(&self, path: &str) -> Option<HeaderMap> {
        let shared = self.0.upgrade()?;
        let path = path.split('?').next().unwrap_or_default();
        let name = SitePath::parse(path, shared.config.dotfiles).ok()?;
        let Ok(Found::File(_, metadata)) = shared.root.open(name.as_str()) else { return None };
        let modified = metadata.modified().ok().and_then(|time| Modified::new(time, (shared.config.now)()));
        Some(Kind::of(name.as_str(), &shared.config).fields(modified.as_ref()))
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
        let shared = &self.0;
        if !names_its_host(&head) {
            return self.refuse(StatusCode::BAD_REQUEST, head);
        }
        if let Some(response) = shared.preflight(&head) {
            return ResponseFuture::ready(response);
        }
        if head.method != Method::GET && head.method != Method::HEAD {
            return self.refuse(StatusCode::METHOD_NOT_ALLOWED, head);
        }
        let answer = match SitePath::parse(head.uri.path(), shared.config.dotfiles) {
            Ok(path) => shared.cached(path.as_str()).and_then(|entry| at_once(&entry, &head)),
            Err(Rejected::Malformed) => return self.refuse(StatusCode::BAD_REQUEST, head),
            Err(Rejected::Absent) => return self.refuse(StatusCode::NOT_FOUND, head),
        };
        match answer {
            Some(answer) => ResponseFuture::ready(shared.with_own_fields(&head, answer)),
            None => self.ask_disk(head, Shared::answer),
        }
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
    fn ask_disk(
        &self,
        head: Parts,
        answer: impl FnOnce(&Shared, &Parts) -> Response<Body> + Send + 'static,
    ) -> ResponseFuture {
        let shared = Arc::clone(&self.0);
        ResponseFuture(State::Loading(tokio::task::spawn_blocking(move || {
            let response = answer(&shared, &head);
            shared.with_own_fields(&head, response)
        })))
    }

    /// Answers with an error: at once, unless the site has a page for it that is not in memory. Those who try one hidden
    /// name after the other cost no more than that.
    fn refuse(&self, status: StatusCode, head: Parts) -> ResponseFuture {
        let shared = &self.0;
        let Some(name) = shared.config.error_pages.get(&status) else {
            let message = respond::without_body_for_head(&head.method, respond::message(status));
            return ResponseFuture::ready(shared.with_own_fields(&head, message));
        };
        let cached = shared.cached(name).map(|entry| entry.select(accepted(&entry, &head)));
        match cached {
            Some(Selected::Form(page)) => {
                let page = respond::error_page(&head.method, status, &page);
                ResponseFuture::ready(shared.with_own_fields(&head, page))
            }
            _ => self.ask_disk(head, move |shared, head| shared.error(status, head)),
        }
    }
}

impl Shared {
    /// The entry in memory for a path, if the disk still has the same.
    fn cached(&self, path: &str) -> Option<Arc<Entry>> {
        let entry = self.cache.get(path)?;
        entry.is_true(&self.root, (self.config.now)(), self.config.revalidate).then_some(entry)
    }

    /// The answer, whatever it takes. Waits for the disk.
    fn answer(&self, head: &Parts) -> Response<Body> {
        let Ok(path) = SitePath::parse(head.uri.path(), self.config.dotfiles) else {
            return self.error(StatusCode::NOT_FOUND, head);
        };
        let path = path.as_str();
        let loaded = match self.cached(path) {
            Some(entry) => return respond::file(&head.method, &head.headers, &self.form(path, &entry, head)),
            None => self.load(path, client(head)),
        };
        match loaded {
            Loaded::File { entry, .. } => respond::file(&head.method, &head.headers, &self.form(path, &entry, head)),
            Loaded::Directory => respond::without_body_for_head(&head.method, respond::add_slash(&head.uri)),
            Loaded::Absent => match self.fallback(path, head) {
                Some(form) => respond::file(&head.method, &head.headers, &form),
                None => self.error(StatusCode::NOT_FOUND, head),
            },
            Loaded::Forbidden => self.error(StatusCode::FORBIDDEN, head),
            Loaded::Busy => respond::busy(),
            Loaded::Failed(error) => {
                tracing::error!("cannot read {}: {error}", head.uri.path());
                self.error(StatusCode::SERVICE_UNAVAILABLE, head)
            }
        }
    }

    /// The site's own fields on a response that carries none of its files: redirects, errors, parts that are not there. A
    /// whole page is marked as the content of a file; other files are not, as that costs an allocation.
    fn with_own_fields(&self, head: &Parts, mut response: Response<Body>) -> Response<Body> {
        let is_html = |media: &HeaderValue| media.as_bytes().starts_with(b"text/html");
        if response.status() == StatusCode::OK && response.headers().get(header::CONTENT_TYPE).is_some_and(is_html) {
            response.extensions_mut().insert(self.content.clone());
        }
        let carries_file =
            [StatusCode::OK, StatusCode::PARTIAL_CONTENT, StatusCode::NOT_MODIFIED].contains(&response.status());
        if !carries_file && !self.config.headers.is_empty() {
            for (field, value) in self.own_fields(head.uri.path()) {
                if let Some(field) = field.filter(|field| !response.headers().contains_key(field)) {
                    response.headers_mut().insert(field, value);
                }
            }
        }
        response
    }

    /// Those that the operator gives to responses for this path, but for what is said of a content.
    fn own_fields(&self, path: &str) -> HeaderMap {
        let of_content = [header::CACHE_CONTROL, header::CONTENT_ENCODING, header::CONTENT_TYPE];
        let path = path.trim_start_matches('/');
        let matching = self.config.headers.iter().filter(|(pattern, field, _)| {
            !Config::reserved(field) && !of_content.contains(field) && pattern.matches(path)
        });
        let mut fields = HeaderMap::new();
        for (_, field, value) in matching {
            fields.insert(field.clone(), value.clone());
        }
        fields
    }

    /// The answer to a CORS preflight, if the fields of the site let other origins in.
    fn preflight(&self, head: &Parts) -> Option<Response<Body>> {
        let asks = head.method == Method::OPTIONS
            && head.headers.contains_key(header::ORIGIN)
            && head.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        let fields = asks.then(|| self.own_fields(head.uri.path()))?;
        fields.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN).then(|| respond::preflight(fields))
    }

    /// The shell of a single-page application. A path with an extension may be a file that is missing, unless a document
    /// is asked for.
    fn fallback(&self, path: &str, head: &Parts) -> Option<Arc<Representation>> {
        let name = self.config.fallback.as_deref()?;
        let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        if last.contains('.') && !is_navigation(head) { None } else { self.page(name, head) }
    }

    fn error(&self, status: StatusCode, head: &Parts) -> Response<Body> {
        let page = self.config.error_pages.get(&status).and_then(|name| self.page(name, head));
        match page {
            Some(page) => respond::error_page(&head.method, status, &page),
            None => respond::without_body_for_head(&head.method, respond::message(status)),
        }
    }

    /// A file that answers for paths other than its own.
    fn page(&self, name: &str, head: &Parts) -> Option<Arc<Representation>> {
        let entry = self.cached(name).or_else(|| match self.load(name, client(head)) {
            Loaded::File { entry, .. } => Some(entry),
            _ => None,
        })?;
        Some(self.form(name, &entry, head))
    }

    fn form(&self, name: &str, entry: &Arc<Entry>, head: &Parts) -> Arc<Representation> {
        self.forms.select(&self.cache, name, entry, accepted(entry, head))
    }

    /// Reads a file and keeps what may be kept.
    fn load(&self, path: &str, client: Option<IpAddr>) -> Loaded {
        let keep = |entry: &Arc<Entry>| self.cache.insert(path, Arc::clone(entry));
        let again = || self.cached(path);
        let readers = Readers { permits: &self.permits, files: &self.files, client, again: &again, keep: &keep };
        let loaded = load(&self.root, path, &self.config, readers);
        match &loaded {
            Loaded::File { entry, keep: true } => keep(entry),
            _ => self.cache.remove(path),
        }
        loaded
    }
}

/// The client whose share of the descriptors a request takes: as a trusted proxy names it, else the peer.
fn client(head: &Parts) -> Option<IpAddr> {
    let named = head.extensions.get::<ClientAddress>().map(|ClientAddress(address)| *address);
    named.or_else(|| head.extensions.get::<Peer>().map(|Peer(address)| address.ip()))
}

/// Does a browser ask for a document to show? By Fetch metadata, else by the types it takes.
fn is_navigation(head: &Parts) -> bool {
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    match text("sec-fetch-mode") {
        Some(mode) => mode == "navigate",
        None => text("accept").is_some_and(|accept| accept.contains("text/html")),
    }
}

/// The answer, if it is ready made.
fn at_once(entry: &Entry, head: &Parts) -> Option<Response<Body>> {
    match entry.select(accepted(entry, head)) {
        Selected::Form(form) => Some(respond::file(&head.method, &head.headers, &form)),
        Selected::ToMake(_) => None,
    }
}

/// The codings that may be used for this request and file.
fn accepted(entry: &Entry, head: &Parts) -> Accepted {
    if !entry.has_forms() || respond::asks_for_part(&head.method, &head.headers) {
        return Accepted::IDENTITY;
    }
    Accepted::read(&head.headers)
}

/// The response, at once or as soon as the disk has answered.
pub struct ResponseFuture(State);

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

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

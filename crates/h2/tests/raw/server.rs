//! The server's end: the driver with a site whose paths say what they do, and a policy that pushes as told.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use headstart_h2::{Config, Connection, Error, RequestBody};
use headstart_policy::{Attempt, Client, Opening, Outcome, Policy, Priority, Promise, Pushes};
use http::{HeaderMap, HeaderValue, Request, Response, header, request, response};
use http_body::SizeHint;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::site::{Body, site};
use testkit::Peer;

/// The questions and reports that policy and site received, one line each.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn note(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, line: &str) -> usize {
        self.lines().iter().filter(|noted| *noted == line).count()
    }

    /// Asserts that each exchange ended exactly once, and each promise had an outcome (a push that was sent
    /// whole may be cancelled after that).
    #[track_caller]
    pub(crate) fn assert_balanced(&self) {
        let lines = self.lines();
        let count = |holds: &dyn Fn(&str) -> bool| lines.iter().filter(|line| holds(line)).count();
        let begun = count(&|line| line.starts_with("request "));
        assert_eq!(count(&|line| line.starts_with("ended ")), begun, "{lines:#?}");
        let promised = count(&|line| line.contains(" promised "));
        let over = count(&|line| ["Finished ", "Failed ", "Unfinished "].iter().any(|how| line.starts_with(how)));
        let cancelled = count(&|line| line.starts_with("Cancelled("));
        assert!((over..=over + cancelled).contains(&promised), "{lines:#?}");
    }

    #[track_caller]
    pub(crate) fn assert_has(&self, line: &str) {
        assert_eq!(self.count(line), 1, "{line:?} once in {:#?}", self.lines());
    }
}

/// A server to be: what it pushes with which page, and its limits.
#[derive(Clone, Default)]
pub(crate) struct Script {
    pub(crate) config: Config,
    pages: HashMap<String, Vec<Promise<String>>>,
    /// Pages whose policy sends a 103 at once.
    hinted: Vec<String>,
    /// What the policy makes of the priority of a request.
    ranked: HashMap<String, Priority>,
    /// Promises made when the response is there instead of before.
    late: bool,
    log: Log,
}

impl Script {
    pub(crate) fn new() -> Self {
        Script::default()
    }

    pub(crate) fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Pushes these paths with a page.
    pub(crate) fn push<P: AsRef<str>>(self, page: &str, paths: impl IntoIterator<Item = P>) -> Self {
        let plain = |path: P| Promise {
            path: path.as_ref().parse().unwrap(),
            headers: HeaderMap::new(),
            priority: None,
            tag: path.as_ref().to_owned(),
        };
        let promises = paths.into_iter().map(plain).collect();
        self.promise(page, promises)
    }

    pub(crate) fn promise(mut self, page: &str, promises: Vec<Promise<String>>) -> Self {
        self.pages.insert(page.to_owned(), promises);
        self
    }

    pub(crate) fn hint(mut self, page: &str) -> Self {
        self.hinted.push(page.to_owned());
        self
    }

    /// Has the policy say how urgent a response is.
    pub(crate) fn rank(mut self, path: &str, urgency: u8) -> Self {
        self.ranked.insert(path.to_owned(), Priority { urgency, incremental: false });
        self
    }

    pub(crate) fn late(mut self) -> Self {
        self.late = true;
        self
    }

    pub(crate) fn log(&self) -> Log {
        self.log.clone()
    }

    /// Serves a pipe that holds `pipe` bytes a way, to a peer that has sent these settings.
    pub(crate) async fn start(&self, pipe: usize, settings: &[(u16, u32)]) -> Running<DuplexStream> {
        let (theirs, ours) = tokio::io::duplex(pipe);
        self.serve(theirs, ours, Duration::from_millis(1), settings).await
    }

    /// Serves a loopback socket. The runtime's time has to run.
    pub(crate) async fn start_tcp(&self, settings: &[(u16, u32)]) -> Running<tokio::net::TcpStream> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let theirs = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (ours, _) = listener.accept().await.unwrap();
        ours.set_nodelay(true).unwrap();
        self.serve(theirs, ours, Duration::from_millis(100), settings).await
    }

    pub(crate) async fn serve<C, S>(&self, theirs: C, ours: S, quiet: Duration, settings: &[(u16, u32)]) -> Running<C>
    where
        C: AsyncRead + AsyncWrite + Unpin,
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (stop, mut stopped) = mpsc::channel(1);
        let mut connection = Box::pin(self.connection(ours));
        let task = tokio::spawn(async move {
            tokio::select! {
                result = &mut connection => return result,
                Some(()) = stopped.recv() => connection.as_mut().graceful_shutdown(),
            }
            connection.await
        });
        let mut peer = Peer::new(theirs).patient(quiet);
        peer.greet(settings).await;
        Running { peer, log: self.log.clone(), task, stop }
    }

    /// The connection's future itself.
    pub(crate) fn connection<T>(
        &self,
        io: T,
    ) -> Connection<
        T,
        impl tower_service::Service<Request<RequestBody>, Response = Response<Body>, Error = io::Error, Future: Send>
        + Clone
        + Send
        + 'static,
        Body,
        Told,
    >
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let log = self.log.clone();
        let service = tower::service_fn(move |request| site(request, log.clone()));
        headstart_h2::serve_connection_with(self.config.clone(), io, service, Told(self.clone()))
    }
}

/// A server that runs, and its peer.
pub(crate) struct Running<C> {
    pub(crate) peer: Peer<C>,
    pub(crate) log: Log,
    pub(crate) task: JoinHandle<Result<(), Error>>,
    stop: mpsc::Sender<()>,
}

impl<C: AsyncRead + AsyncWrite + Unpin> Running<C> {
    pub(crate) async fn shut_down(&self) {
        self.stop.send(()).await.unwrap();
    }

    /// Hangs up and gives what the server's task ended with. Panics if the task did.
    pub(crate) async fn hang_up(self) -> (Result<(), Error>, Log) {
        drop(self.peer);
        let result = self.task.await.unwrap();
        self.log.assert_balanced();
        (result, self.log)
    }
}

/// The policy that does as the script says.
pub(crate) struct Told(Script);

impl Policy for Told {
    type Exchange = String;
    type Tag = String;

    fn request(&mut self, client: Client, request: &mut request::Parts) -> Opening<String, String> {
        let Told(script) = self;
        let path = request.uri.path().to_owned();
        script.log.note(format!("request {path} push={}", client.push));
        let mut opening = Opening::new(path.clone());
        opening.priority = script.ranked.get(&path).copied();
        if script.hinted.contains(&path) {
            let mut fields = HeaderMap::new();
            fields.insert(header::LINK, HeaderValue::from_static("</app.css>; rel=preload; as=style"));
            opening.early_hints = Some(fields);
        }
        if !script.late {
            opening.promises = script.pages.get(&path).cloned().unwrap_or_default();
        }
        opening
    }

    fn response(&mut self, page: &mut String, head: &mut response::Parts, _: &SizeHint) -> Pushes<String> {
        if head.headers.contains_key("x-push-nothing") {
            return Pushes::Drop;
        }
        Pushes::Keep(if self.0.late { self.0.pages.get(page).cloned().unwrap_or_default() } else { Vec::new() })
    }

    fn admit(&mut self, _: &mut String, _: &Promise<String>, head: &mut response::Parts, _: &SizeHint) -> bool {
        head.status.is_success()
    }

    fn promised(&mut self, page: &mut String, tag: &String) {
        self.0.log.note(format!("{page} promised {tag}"));
    }

    fn commit(&mut self, page: &mut String, _: &mut response::Parts, attempts: &[Attempt<String>]) {
        for Attempt { tag, refusal } in attempts {
            match refusal {
                None => assert!(self.0.log.count(&format!("{page} promised {tag}")) > 0, "{page} {tag}"),
                Some(refusal) => self.0.log.note(format!("{page} {refusal:?} {tag}")),
            }
        }
    }

    fn ended(&mut self, page: String, complete: bool) {
        self.0.log.note(format!("ended {page} {complete}"));
    }

    fn outcome(&mut self, tag: &String, outcome: Outcome) {
        self.0.log.note(match outcome {
            Outcome::Cancelled(code) => format!("Cancelled({code:?}) {tag}"),
            outcome => format!("{outcome:?} {tag}"),
        });
    }
}

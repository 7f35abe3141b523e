//! Whatever a client sends after its preface, however it is cut, and whether it reads or not: the driver does not
//! panic, the connection ends when the client does, and the policy is told of every exchange and promise once.

use crate::read;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use headstart_h2::{RequestBody, serve_connection};
use headstart_policy::{Attempt, Client, Opening, Outcome, Policy, Promise};
use http::{HeaderMap, Request, Response, request, response};
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// Preface and empty SETTINGS; what follows is the input's.
const HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[derive(Default)]
struct Book {
    begun: usize,
    ended: usize,
    promised: usize,
    outcomes: usize,
}

#[derive(Clone, Default)]
struct Pushing(Arc<Mutex<Book>>);

impl Policy for Pushing {
    type Exchange = ();
    type Tag = ();

    fn request(&mut self, client: Client, _: &mut request::Parts) -> Opening<(), ()> {
        self.0.lock().unwrap().begun += 1;
        let mut opening = Opening::new(());
        let paths = ["/asset", "/slow", "/later", "/fail"].into_iter().filter(|_| client.push);
        opening.promises.extend(paths.map(|path| Promise {
            path: path.parse().unwrap(),
            headers: HeaderMap::new(),
            priority: None,
            tag: (),
        }));
        opening
    }

    fn commit(&mut self, (): &mut (), _: &mut response::Parts, attempts: &[Attempt<()>]) {
        self.0.lock().unwrap().promised += attempts.iter().filter(|attempt| attempt.refusal.is_none()).count();
    }

    fn ended(&mut self, (): (), _: bool) {
        self.0.lock().unwrap().ended += 1;
    }

    fn outcome(&mut self, (): &(), outcome: Outcome) {
        // A push that was sent whole may be cancelled after all.
        if !matches!(outcome, Outcome::Cancelled(_)) {
            self.0.lock().unwrap().outcomes += 1;
        }
    }
}

async fn site(request: Request<RequestBody>) -> Result<Response<Full<Bytes>>, &'static str> {
    let bytes = match request.uri().path() {
        "/slow" => return std::future::pending().await,
        "/later" => {
            tokio::time::sleep(Duration::from_millis(10)).await;
            100
        }
        "/fail" => return Err("as asked"),
        path => {
            let length = path.len();
            // Most uploads are read, some are not.
            if length % 4 != 0 {
                let _ = request.into_body().collect().await;
            }
            length * 1000
        }
    };
    Ok(Response::new(Full::new(Bytes::from(vec![0; bytes]))))
}

/// Sends the input in pieces that it cuts itself, reading what has come after each if it says so.
async fn client(mut io: DuplexStream, mut input: &[u8]) {
    let mut heard = vec![0; 1 << 16];
    while let [cut, rest @ ..] = input {
        let (piece, rest) = rest.split_at(rest.len().min(usize::from(cut >> 1)));
        input = rest;
        let written = tokio::time::timeout(Duration::from_millis(5), io.write_all(piece)).await;
        if !matches!(written, Ok(Ok(()))) {
            return;
        }
        if cut & 1 == 1 {
            while let Ok(Ok(1..)) = tokio::time::timeout(Duration::from_millis(1), io.read(&mut heard)).await {}
        } else {
            tokio::task::yield_now().await;
        }
    }
}

/// One input.
pub fn run(bytes: &[u8]) {
    let Some(input) = read::<(u16, Vec<u8>)>(bytes) else { return };
    let (pipe, input) = input;
    let policy = Pushing::default();
    let book = Arc::clone(&policy.0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (mut theirs, ours) = tokio::io::duplex(usize::from(pipe).max(64));
        theirs.write_all(HELLO).await.unwrap();
        let server = serve_connection(ours, tower::service_fn(site), policy);
        let both = async { tokio::join!(server, client(theirs, &input)) };
        let ends = tokio::time::timeout(Duration::from_secs(600), both).await;
        assert!(ends.is_ok(), "the connection does not end");
    });
    let book = book.lock().unwrap();
    assert_eq!(book.begun, book.ended);
    assert!(book.outcomes <= book.promised);
}

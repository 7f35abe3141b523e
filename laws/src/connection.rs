//! A served connection in memory, for laws about what clients send.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use headstart::{Connection, Headstart, IpNet, Listener};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

/// Yields one connection from 127.0.0.1, and then none.
struct Once(Option<DuplexStream>);

impl Listener for Once {
    type Io = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, Connection)> {
        match self.0.take() {
            Some(io) => Ok((io, Connection::new(([127, 0, 0, 1], 7).into()))),
            None => std::future::pending().await,
        }
    }
}

/// A request as the service got it, with its content if that came whole.
pub(crate) struct Got {
    pub(crate) head: http::request::Parts,
    pub(crate) content: Option<Vec<u8>>,
}

/// What a service is asked and what the client hears when it sends these bytes and no more, until the server closes. Timers
/// run as soon as nothing else is to be done.
pub(crate) fn converse(headstart: &Headstart, balancers: &[IpNet], bytes: &[u8]) -> (Vec<Got>, Vec<u8>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let (mut client, server) = tokio::io::duplex(1 << 16);
        let got = Arc::<Mutex<Vec<Got>>>::default();
        let seen = Arc::clone(&got);
        let service = tower::service_fn(move |request: Request<headstart::Body>| {
            let seen = Arc::clone(&seen);
            async move {
                let (head, content) = request.into_parts();
                let content = content.collect().await.ok().map(|content| content.to_bytes().to_vec());
                seen.lock().expect("no panic under the lock").push(Got { head, content });
                Ok::<_, std::convert::Infallible>(Response::new(Full::new(bytes::Bytes::from_static(b"ok"))))
            }
        });
        let serving = headstart.serve(Once(Some(server)), None, service).proxy_protocol(balancers.iter().copied());
        let serving = tokio::spawn(serving.into_future());
        let (mut read, mut write) = tokio::io::split(&mut client);
        let mut heard = Vec::new();
        let speak = async {
            // It may close before it has heard all.
            let _ = write.write_all(bytes).await;
        };
        let listen = tokio::time::timeout(Duration::from_secs(120), read.read_to_end(&mut heard));
        let ((), listened) = tokio::join!(speak, listen);
        assert!(listened.is_ok(), "the connection does not end");
        serving.abort();
        let got = std::mem::take(&mut *got.lock().expect("no panic under the lock"));
        (got, heard)
    })
}

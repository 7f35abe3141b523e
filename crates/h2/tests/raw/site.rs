//! A site whose paths say what they do.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use headstart_h2::{Protocol, RequestBody};
use headstart_policy::{EarlyHints, Pushed};
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};

use crate::server::Log;

pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Notes when a handler's future is dropped before it was done.
struct Dropped(Log, String);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.note(format!("dropped {}", self.1));
    }
}

fn note_cookies(headers: &HeaderMap, log: &Log) {
    let cookies: Vec<_> = headers.get_all(header::COOKIE).iter().collect();
    if !cookies.is_empty() {
        log.note(format!("cookies {cookies:?}"));
    }
}

async fn sleep(ms: usize) {
    tokio::time::sleep(Duration::from_millis(ms as u64)).await;
}

/// A site whose paths are `/verb/number/anything`; what they do stands below. Other paths give an empty 404.
pub(crate) async fn site(mut request: Request<RequestBody>, log: Log) -> io::Result<Response<Body>> {
    let path = request.uri().path().to_owned();
    let pushed = if request.extensions().get::<Pushed>().is_some() { " pushed" } else { "" };
    log.note(format!("served {path}{pushed}"));
    if request.method() == Method::CONNECT {
        let protocol = request.extensions().get::<Protocol>().map(|protocol| protocol.as_str().to_owned());
        log.note(format!("tunnel {protocol:?}"));
    }
    note_cookies(request.headers(), &log);
    let mut words = path.split('/').skip(1);
    let verb = words.next().unwrap_or_default();
    let number: usize = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
    let second: usize = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
    let response = Response::builder();
    Ok(match verb {
        // A body of that many bytes, known beforehand.
        "bytes" => response.body(full(number)),
        // The same with an ETag that changes with the query.
        "tagged" => response.header(header::ETAG, format!("\"{:?}\"", request.uri().query())).body(full(number)),
        // The same after that many milliseconds: /wait/ms/bytes.
        "wait" => {
            let dropped = Dropped(log.clone(), path.clone());
            sleep(number).await;
            std::mem::forget(dropped);
            response.body(full(second))
        }
        // The same, but a handler sends a 103 first.
        "hint" => {
            let mut fields = HeaderMap::new();
            fields.insert(header::LINK, HeaderValue::from_static("</b.css>; rel=preload; as=style"));
            let hints = request.extensions().get::<EarlyHints>().unwrap().clone();
            log.note(format!("hint sent {}", hints.send(fields.clone())));
            log.note(format!("hint sent {}", hints.send(fields.clone())));
            sleep(number).await;
            response.body(full(second))
        }
        // Keeps the handle of 103 and uses it when the head is long out.
        "hint-too-late" => {
            let hints = request.extensions().get::<EarlyHints>().unwrap().clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                log.note(format!("hint sent {}", hints.send(HeaderMap::new())));
            });
            response.body(stalling(number, 100))
        }
        // That many bytes in chunks of 1,000, a millisecond apart.
        "drip" => response.body(stalling(number, 1)),
        // That many bytes in chunks of 1,000, all there.
        "pieces" => response.body(chunks(vec![Chunk::Data(1000); number / 1000])),
        // That many bytes that the handler itself takes for urgent.
        "urgent" => response.header("priority", "u=1").body(full(number)),
        // That many bytes at once, and no end.
        "endless" => response.body(chunks(vec![Chunk::Data(number), Chunk::Never])),
        // The same, and notes when it is asked for the first time.
        "noted" => {
            let body = full(number).map_frame(move |frame| {
                log.note(format!("opened {path}"));
                frame
            });
            response.body(body.boxed_unsync())
        }
        // That many bytes in chunks of 1,000, without end.
        "flood" => response.body(chunks(vec![Chunk::Data(1000); 1_000_000])),
        // That many milliseconds between chunks of 1,000, without end.
        "trickle" => response.body(chunks([Chunk::Data(1000), Chunk::Wait(number as u64)].repeat(100_000))),
        // That many bytes, then an error.
        "broken" => response.body(chunks(vec![Chunk::Data(number), Chunk::Fail])),
        "break-later" => response.body(chunks(vec![Chunk::Data(number), Chunk::Wait(5), Chunk::Fail])),
        "body-panics" => response.body(chunks(vec![Chunk::Data(number), Chunk::Panic])),
        // That many bytes of unknown length, then trailers.
        "trailers" => response.body(chunks(vec![Chunk::Data(number), Chunk::Trailers])),
        // That many bytes whose end comes by itself, a millisecond later.
        "end-later" => response.body(chunks(vec![Chunk::Data(number), Chunk::Wait(1)])),
        "status" => response.status(number as u16).body(full(second)),
        // What a careless handler sets.
        "connection" => response
            .header("connection", "close, x-internal")
            .header("x-internal", "secret")
            .header("keep-alive", "timeout=5")
            .header("transfer-encoding", "chunked")
            .body(full(number)),
        // The same after that many milliseconds: /wait-push-nothing/ms/bytes.
        "wait-push-nothing" => {
            sleep(number).await;
            response.header("x-push-nothing", "1").body(full(second))
        }
        "push-nothing" => response.header("x-push-nothing", "1").body(full(number)),
        // Reads the upload and answers with its length in the body's length.
        "upload" => {
            sleep(number).await;
            let body = request.body_mut().collect().await;
            match body {
                Ok(body) => response.body(full(body.to_bytes().len())),
                Err(error) => {
                    log.note(format!("upload broke: {error}"));
                    response.status(400).body(full(0))
                }
            }
        }
        // Answers at once with what is uploaded, as it comes.
        "echo" => response.body(request.into_body().map_err(io::Error::other).boxed_unsync()),
        // Answers at once and reads the upload all the same.
        "read-on" => {
            tokio::spawn(async move {
                if let Ok(body) = request.into_body().collect().await {
                    log.note(format!("read on {}", body.to_bytes().len()));
                }
            });
            response.body(full(0))
        }
        "wait-fail" => {
            sleep(number).await;
            return Err(io::Error::other("the database is gone"));
        }
        "fail" => return Err(io::Error::other("the database is gone")),
        "panic" => panic!("the handler at {path} panics"),
        _ => response.status(404).body(full(0)),
    }
    .unwrap())
}

fn full(bytes: usize) -> Body {
    Full::new(Bytes::from(vec![b'x'; bytes])).map_err(|never| match never {}).boxed_unsync()
}

fn stalling(bytes: usize, every_ms: u64) -> Body {
    let whole = bytes / 1000;
    let chunks_of = (0..whole).flat_map(|_| [Chunk::Data(1000), Chunk::Wait(every_ms)]);
    chunks(chunks_of.chain([Chunk::Data(bytes % 1000)]).collect())
}

/// A step of a scripted body.
#[derive(Clone, Copy)]
enum Chunk {
    Data(usize),
    Wait(u64),
    Trailers,
    Never,
    Fail,
    Panic,
}

fn chunks(steps: Vec<Chunk>) -> Body {
    let frames = stream::unfold(steps.into_iter(), |mut steps| async move {
        loop {
            let frame = match steps.next()? {
                Chunk::Data(0) => continue,
                Chunk::Data(bytes) => Ok(Frame::data(Bytes::from(vec![b'x'; bytes]))),
                Chunk::Wait(ms) => {
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                    continue;
                }
                Chunk::Trailers => {
                    let mut fields = HeaderMap::new();
                    fields.insert("x-sum", HeaderValue::from_static("7"));
                    Ok(Frame::trailers(fields))
                }
                Chunk::Never => std::future::pending().await,
                Chunk::Fail => Err(io::Error::other("the disk is on fire")),
                Chunk::Panic => panic!("the body panics"),
            };
            return Some((frame, steps));
        }
    });
    StreamBody::new(frames).boxed_unsync()
}

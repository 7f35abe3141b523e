//! What one connection can make the server hold, counted in the allocations of the thread that serves it. The
//! documentation of `Config` gives these numbers.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use headstart_h2::{Config, RequestBody};
use headstart_policy::{Client, Opening, Policy, Promise};
use http::{Method, Request, Response, request};
use http_body_util::Full;
use testkit::frames::{self, INITIAL_WINDOW_SIZE, PING, frame};

const STREAMS: u32 = 128;
static MEGABYTE: &[u8] = &[b'x'; 1 << 20];

/// POST with these fields besides the pseudo-fields.
fn post(stream: u32, fields: usize, value_bytes: usize) -> Vec<u8> {
    let value = "v".repeat(value_bytes);
    let names: Vec<String> = (0..fields).map(|n| format!("field-{n}")).collect();
    let fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), value.as_str())).collect();
    frames::long_head(stream, false, &frames::block("a.example", "POST", "/", &fields))
}

/// Says PING with these eight letters and reads until it is answered: all before it was read.
fn settle(socket: &mut TcpStream, word: &str) {
    socket.write_all(&frame(PING, 0, 0, word.as_bytes())).unwrap();
    let mut heard: Vec<u8> = Vec::new();
    let mut piece = [0; 4096];
    while !heard.windows(8).any(|bytes| bytes == word.as_bytes()) {
        let count = socket.read(&mut piece).unwrap();
        assert!(count > 0, "the server closed the connection");
        heard.extend(&piece[..count]);
    }
}

/// The most KiB that the serving thread held while a client said this. The service never answers a POST,
/// and answers the rest with a megabyte that is not its own.
fn held(settings: &'static [(u16, u32)], say: impl FnOnce(&mut TcpStream) + Send + 'static) -> u64 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = thread::spawn(move || {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        socket.write_all(&frames::greeting(settings)).unwrap();
        settle(&mut socket, "greeting");
        say(&mut socket);
        settle(&mut socket, "all read");
    });
    let (socket, _) = listener.accept().unwrap();
    socket.set_nonblocking(true).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let counted = allocation_counter::measure(|| {
        runtime.block_on(async {
            let socket = tokio::net::TcpStream::from_std(socket).unwrap();
            let service = tower::service_fn(|request: Request<RequestBody>| async move {
                if request.method() == Method::POST {
                    std::future::pending::<()>().await;
                }
                drop(request);
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(MEGABYTE))))
            });
            // The client leaves when it has been heard.
            headstart_h2::serve_connection(socket, service, Pushing).await.ok();
        });
    });
    client.join().unwrap();
    counted.bytes_max.div_ceil(1 << 10)
}

/// Pushes all it may with each GET.
struct Pushing;

impl Policy for Pushing {
    type Exchange = ();
    type Tag = ();

    fn request(&mut self, _: Client, request: &mut request::Parts) -> Opening<(), ()> {
        let mut opening = Opening::new(());
        if request.method == Method::GET {
            opening.promises = (0..32)
                .map(|n| format!("/{n}{}", request.uri.path()).parse().unwrap())
                .map(|path| Promise { path, headers: http::HeaderMap::new(), priority: None, tag: () })
                .collect();
        }
        opening
    }
}

fn heads(fields: usize, value_bytes: usize) -> u64 {
    held(&[], move |socket| {
        (0..STREAMS).for_each(|n| socket.write_all(&post(2 * n + 1, fields, value_bytes)).unwrap());
    })
}

fn uploads(fields: usize, value_bytes: usize) -> u64 {
    held(&[], move |socket| {
        for n in 0..STREAMS {
            socket.write_all(&post(2 * n + 1, fields, value_bytes)).unwrap();
            socket.write_all(&frames::data(2 * n + 1, 8190, false)).unwrap();
        }
    })
}

fn unread() -> u64 {
    held(&[(INITIAL_WINDOW_SIZE, 0)], move |socket| {
        for n in 0..STREAMS {
            socket.write_all(&frames::get(2 * n + 1, "/")).unwrap();
        }
    })
}

#[test]
fn a_connection_holds_what_its_limits_say() {
    assert_eq!(Config::default().max_concurrent_streams, STREAMS);
    let check = |what: &str, kib: u64, most: u64| {
        println!("{what}: {kib} KiB");
        assert!(kib <= most, "{what}: {kib} KiB, not {most} KiB");
    };
    check("a buffer that the thread keeps, and a connection", held(&[], |_| ()), 128);
    check("nothing asked", held(&[], |_| ()), 48);
    check("heads of one large field", heads(1, 15_000), 6 << 10);
    check("heads of many fields", heads(100, 120), 8 << 10);
    check("small heads", heads(0, 0), 1 << 10);
    check("uploads that nobody reads", uploads(0, 0), 3 << 10);
    check("uploads with heads of many fields", uploads(100, 120), 10 << 10);
    check("answers and pushes that nobody reads", unread(), 1 << 10);
}

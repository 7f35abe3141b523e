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

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const STREAMS: u32 = 128;
static MEGABYTE: &[u8] = &[b'x'; 1 << 20];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A field as a literal that is not kept (RFC 7541, section 6.2.2); the value is shorter than 16 KiB.
fn field(block: &mut Vec<u8>, name: &str, value: &[u8]) {
    block.extend([0, name.len() as u8]);
    block.extend(name.as_bytes());
    match value.len() {
        short @ 0..127 => block.push(short as u8),
        long => {
            let rest = long - 127;
            block.push(127);
            if rest >= 128 {
                block.extend([(rest % 128 + 128) as u8, (rest / 128) as u8]);
            } else {
                block.push(rest as u8);
            }
        }
    }
    block.extend(value);
}

/// POST with these fields besides the pseudo-fields.
fn post(stream: u32, fields: usize, value_bytes: usize) -> Vec<u8> {
    let mut block = vec![0x83, 0x87, 0x84, 0x41, 1, b'a'];
    for n in 0..fields {
        field(&mut block, &format!("field-{n}"), &vec![b'v'; value_bytes]);
    }
    let mut bytes = Vec::new();
    let mut parts = block.chunks(16_384).peekable();
    let mut kind = 1;
    while let Some(part) = parts.next() {
        bytes.extend(frame(kind, if parts.peek().is_none() { 4 } else { 0 }, stream, part));
        kind = 9;
    }
    bytes
}

/// Says PING with these eight letters and reads until it is answered: all before it was read.
fn settle(socket: &mut TcpStream, word: &str) {
    socket.write_all(&frame(6, 0, 0, word.as_bytes())).unwrap();
    let mut heard: Vec<u8> = Vec::new();
    let mut piece = [0; 4096];
    while !heard.windows(8).any(|bytes| bytes == word.as_bytes()) {
        let count = socket.read(&mut piece).unwrap();
        assert!(count > 0, "the server closed the connection");
        heard.extend(&piece[..count]);
    }
}

/// The most KiB that the serving thread held while a client said this. The service keeps what is POSTed, for ever,
/// and answers the rest with a megabyte that is not its own.
fn held(settings: &'static [u8], say: impl FnOnce(&mut TcpStream) + Send + 'static) -> u64 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = thread::spawn(move || {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        socket.write_all(&[PREFACE, &frame(4, 0, 0, settings), &frame(4, 1, 0, &[])].concat()).unwrap();
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
            socket.write_all(&frame(0, 0, 2 * n + 1, &[b'u'; 8190])).unwrap();
        }
    })
}

/// SETTINGS_INITIAL_WINDOW_SIZE of 0.
const NO_WINDOW: &[u8] = &[0, 4, 0, 0, 0, 0];

fn unread() -> u64 {
    held(NO_WINDOW, move |socket| {
        for n in 0..STREAMS {
            socket.write_all(&frame(1, 5, 2 * n + 1, &[0x82, 0x87, 0x84, 0x41, 1, b'a'])).unwrap();
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

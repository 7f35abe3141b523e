//! The cases of the facade with all that it does by default: learner, cookie, reading of pages, and a proxy below it.
//!
//! Requests go through [`Headstart::serve`]; what is counted is the runtime from a request to the end of its response.

use std::convert::Infallible;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use headstart::{Connection, Headstart, HttpService, Listener};
use headstart_benches::callgrind::measured;
use headstart_benches::in_memory::{Client, Pipe, Received, connect};
use headstart_proxy::{Cache, Config, Proxy};
use http::{Request, Response};
use http_body_util::Full;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::connection::{ROUNDS, WARM, answer};

/// Assets of the page that is planned for.
const PLAN: usize = 10;
const LESSONS: usize = 8;
const PROXIED_BYTES: usize = 10_000;

const NAVIGATION: [(&str, &str); 3] =
    [("accept", "text/html"), ("sec-fetch-dest", "document"), ("sec-fetch-mode", "navigate")];
const STYLE: [(&str, &str); 4] = [
    ("accept", "text/css"),
    ("sec-fetch-dest", "style"),
    ("sec-fetch-mode", "no-cors"),
    ("referer", "https://bench.example/100/page.html"),
];

/// What no proxy compresses.
const FONT: [(&str, &str); 4] = [
    ("accept", "*/*"),
    ("sec-fetch-dest", "font"),
    ("sec-fetch-mode", "cors"),
    ("referer", "https://bench.example/100/page.html"),
];

/// Bodies of so many bytes, as assets of a page.
pub(crate) fn body(bytes: usize) {
    let mut server = Server::new(service());
    let mut client = server.connect();
    let expected = Received { heads: 1, data_bytes: bytes, ended: 1, ..Received::default() };
    server.repeat(&mut client, &format!("/{bytes}/a.css"), &STYLE, expected);
}

/// Pages of 100 B, each with a 103 of [`PLAN`] assets.
pub(crate) fn plan() {
    let mut server = Server::new(service());
    let mut teacher = server.connect();
    for _ in 0..LESSONS {
        server.ask(&mut teacher, "/100/page.html", &NAVIGATION);
        for number in 0..PLAN {
            server.ask(&mut teacher, &format!("/3000/{}.css", letters(number)), &STYLE);
        }
    }
    // The last visit is learned with the next; and what a connection was sent is not sent again on it.
    server.ask(&mut teacher, "/100/page.html", &NAVIGATION);
    let mut client = server.connect();
    let expected = Received { heads: 2, data_bytes: 100, ended: 1, ..Received::default() };
    server.repeat(&mut client, "/100/page.html", &NAVIGATION, expected);
}

/// Assets that an application behind a proxy answers.
pub(crate) fn proxied() {
    let mut upstream = Upstream::start();
    let mut server = {
        let address = format!("http://{}", upstream.address).parse().expect("an address");
        let make = move || Proxy::new(Config::new(vec![address]), Cache::default()).expect("a proxy");
        Server::with(make)
    };
    let mut client = server.connect();
    let expected = Received { heads: 1, data_bytes: PROXIED_BYTES, ended: 1, ..Received::default() };
    server.repeat(&mut client, "/text.woff2", &FONT, expected);
    upstream.stop();
}

/// A name without a number, for what differs in a number alone is one asset under two names.
fn letters(number: usize) -> String {
    char::from(b'a' + number as u8).to_string().repeat(4)
}

fn service() -> impl HttpService {
    let bytes: Bytes = vec![b'x'; 1_000_000].into();
    tower::service_fn(move |request: Request<headstart::Body>| {
        let response: Response<Full<Bytes>> = answer(&bytes, request.uri().path());
        async move { Ok::<_, Infallible>(response) }
    })
}

/// The facade in front of a service, and the runtime that it runs on.
struct Server {
    runtime: tokio::runtime::Runtime,
    connections: UnboundedSender<Pipe>,
}

impl Server {
    fn new(service: impl HttpService) -> Self {
        Self::with(|| service)
    }

    fn with<S: HttpService>(make: impl FnOnce() -> S) -> Self {
        let hour = Duration::from_secs(3600);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let headstart = Headstart::builder()
            .min_networks(1)
            .holdout(0)
            .secret([7; 32])
            .h2(|config| {
                config.handshake_timeout = hour;
                config.header_timeout = hour;
                config.idle_timeout = hour;
                config.write_stall_timeout = hour;
            })
            .build()
            .expect("valid settings");
        let (connections, accepted) = unbounded_channel();
        let entered = runtime.enter();
        let service = make();
        drop(entered);
        runtime.spawn(headstart.serve(Accepted(accepted), None, service).into_future());
        Self { runtime, connections }
    }

    fn connect(&mut self) -> Client {
        let (client, pipe) = connect(false);
        self.connections.send(pipe).expect("the server runs");
        self.runtime.block_on(async {
            while client.received_bytes() == 0 {
                tokio::task::yield_now().await;
            }
        });
        client.acknowledge();
        client
    }

    /// Sends a request and waits for the end of its response.
    fn ask(&self, client: &mut Client, path: &str, fields: &[(&str, &str)]) -> Received {
        client.get(path, fields);
        self.answered(client)
    }

    fn answered(&self, client: &Client) -> Received {
        let mut received = Received::default();
        self.runtime.block_on(async {
            while received.ended == 0 {
                tokio::task::yield_now().await;
                received = received + client.take();
            }
        });
        received
    }

    fn repeat(&self, client: &mut Client, path: &str, fields: &[(&str, &str)], expected: Received) {
        for round in 0..WARM + ROUNDS {
            client.get(path, fields);
            let received = if round < WARM { self.answered(client) } else { measured(|| self.answered(client)) };
            assert_eq!(received, expected, "round {round}");
        }
    }
}

/// Connections in memory.
struct Accepted(UnboundedReceiver<Pipe>);

impl Listener for Accepted {
    type Io = Pipe;

    async fn accept(&mut self) -> io::Result<(Pipe, Connection)> {
        match self.0.recv().await {
            Some(pipe) => Ok((pipe, Connection::new(([192, 0, 2, 1], 443).into()))),
            None => std::future::pending().await,
        }
    }
}

/// The argument by which this program is the application behind the proxy.
pub(crate) const UPSTREAM: &str = "--upstream";

/// An application in a process of its own, whose instructions are not counted.
struct Upstream {
    child: Child,
    address: String,
}

impl Upstream {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().expect("a path"))
            .arg(UPSTREAM)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut address = String::new();
        let output = child.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut address).expect("it says where it listens");
        Self { child, address: address.trim().to_owned() }
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Answers every request on every connection, and says on standard output where.
pub(crate) fn be_upstream() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    // Ends with who started it.
    std::thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    for stream in listener.incoming().map_while(Result::ok) {
        std::thread::spawn(move || answer_all(stream));
    }
}

fn answer_all(mut stream: TcpStream) -> io::Result<()> {
    let body = "x".repeat(PROXIED_BYTES);
    let response = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: font/woff2\r\ncontent-length: {PROXIED_BYTES}\r\ncache-control: no-cache\r\n\
         etag: \"one\"\r\n\r\n{body}"
    );
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    while let Some(line) = lines.next().transpose()? {
        if line.is_empty() {
            stream.write_all(response.as_bytes())?;
        }
    }
    Ok(())
}

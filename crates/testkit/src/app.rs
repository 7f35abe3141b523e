//! An application behind a proxy: answers over HTTP/1.1 as a function says, on connections that are kept.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

/// A request as the application sees it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Fields, their names in lower case.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// The application's response.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Fields; `content-length` is added.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Serves on a free port of the loopback address until the test program ends; returns where.
///
/// # Panics
///
/// If no port is free.
pub fn serve(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || converse(socket, &*answer));
        }
    });
    address
}

/// Answers one request after another until the peer closes.
fn converse(socket: TcpStream, answer: &dyn Fn(&Request) -> Response) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut writer = socket.try_clone()?;
    let mut reader = BufReader::new(socket);
    while let Some(request) = read(&mut reader)? {
        let response = answer(&request);
        let mut head = format!("HTTP/1.1 {} -\r\n", response.status);
        for (name, value) in &response.fields {
            head.push_str(&[name, ": ", value, "\r\n"].concat());
        }
        if response.status != 304 {
            head.push_str(&["content-length: ", &response.body.len().to_string(), "\r\n"].concat());
        }
        let mut bytes = (head + "\r\n").into_bytes();
        if request.method != "HEAD" && response.status != 304 {
            bytes.extend_from_slice(&response.body);
        }
        writer.write_all(&bytes)?;
    }
    Ok(())
}

fn read(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut fields = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request { method, target, fields, body: Vec::new() };
    let length = request.field("content-length").and_then(|length| length.parse().ok()).unwrap_or(0_u64);
    if request.field("transfer-encoding").is_some() {
        read_chunks(reader, &mut request.body)?;
    } else {
        reader.take(length).read_to_end(&mut request.body)?;
    }
    Ok(Some(request))
}

fn read_chunks(reader: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let length = u64::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
        reader.take(length).read_to_end(body)?;
        reader.read_line(&mut line)?;
        if length == 0 {
            return Ok(());
        }
    }
}

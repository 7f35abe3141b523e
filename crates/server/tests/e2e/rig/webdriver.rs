//! As much of the WebDriver protocol as a page load needs: JSON over HTTP/1.1, one request a
//! connection.

use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running chromedriver. Killed when dropped.
pub(crate) struct Driver {
    child: Child,
    port: u16,
}

/// A browser under the driver's control. Ended when dropped.
pub(crate) struct Session<'a> {
    driver: &'a Driver,
    path: String,
}

impl Driver {
    pub(crate) fn start() -> Self {
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver runs");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let rest = line.split_once("started successfully on port ")?.1;
            rest.trim_end_matches('.').parse().ok()
        });
        // Kept read, so that the driver never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, port: port.expect("chromedriver says its port") }
    }

    /// Opens a browser with these command line flags.
    pub(crate) fn session(&self, flags: &[String]) -> Session<'_> {
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": flags},
        }}});
        let value = self.call("POST", "/session", &capabilities);
        let id = value["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {value}"));
        Session { driver: self, path: format!("/session/{id}") }
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        self.try_call(method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn try_call(&self, method: &str, path: &str, body: &Value) -> io::Result<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            self.port,
            body.len()
        );
        stream.write_all((head + &body).as_bytes())?;
        let answer: Value = serde_json::from_slice(&read_body(&mut BufReader::new(stream))?)?;
        match &answer["value"] {
            value if value["error"].is_null() => Ok(value.clone()),
            value => Err(io::Error::other(value["message"].to_string())),
        }
    }
}

impl Session<'_> {
    /// Loads a page; returns after its load event.
    pub(crate) fn open(&self, url: &str) {
        self.call("/url", &json!({"url": url}));
    }

    /// Runs the body of a function in the page and returns what it returns.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.call("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// The window as a PNG.
    pub(crate) fn screenshot(&self) -> Vec<u8> {
        let value = self.driver.call("GET", &format!("{}/screenshot", self.path), &Value::Null);
        let text = value.as_str().expect("a picture in base64");
        data_encoding::BASE64.decode(text.as_bytes()).expect("a picture in base64")
    }

    /// The size of the window.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        self.call("/window/rect", &json!({"width": width, "height": height}));
    }

    fn call(&self, path: &str, body: &Value) -> Value {
        self.driver.call("POST", &format!("{}{path}", self.path), body)
    }
}

/// Ends the browser in an orderly way, so that it writes its logs to the end.
impl Drop for Session<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.driver.try_call("DELETE", &self.path, &Value::Null) {
            eprintln!("the browser did not end: {error}");
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_body(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(body)
}

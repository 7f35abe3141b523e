//! As much of the WebDriver protocol as a page load needs: JSON over HTTP/1.1, one request a connection.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// How long a browser may take over anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// A chromedriver that runs. Killed when dropped.
pub(crate) struct Driver {
    child: Child,
    port: u16,
}

/// A browser under the driver's control. Ended when dropped, for it would outlive its driver.
pub(crate) struct Session<'a> {
    driver: &'a Driver,
    path: String,
    ended: bool,
}

impl Driver {
    /// Starts one by the command `prefix`; the calling thread has to be where that puts it.
    pub(crate) fn start(prefix: &[String]) -> Result<Self, String> {
        let [program, rest @ ..] = prefix else { return Err("nothing to run it by".into()) };
        let child = Command::new(program)
            .args(rest)
            .args(["chromedriver", "--port=0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("chromedriver: {error}"))?;
        let mut this = Self { child, port: 0 };
        let mut lines = this.child.stdout.take().into_iter().flat_map(|output| BufReader::new(output).lines());
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let rest = line.split_once("started successfully on port ")?.1;
            rest.trim_end_matches('.').parse().ok()
        });
        this.port = port.ok_or("chromedriver does not start")?;
        // Kept read, so that the driver never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(this)
    }

    /// Opens a browser with these flags.
    pub(crate) fn session(&self, flags: &[String]) -> Result<Session<'_>, String> {
        let options = json!({ "browserName": "chrome", "goog:chromeOptions": { "args": flags } });
        let opened = self.call("POST", "/session", &json!({ "capabilities": { "alwaysMatch": options } }))?;
        let id = opened["sessionId"].as_str().ok_or_else(|| format!("no session: {opened}"))?;
        Ok(Session { driver: self, path: format!("/session/{id}"), ended: false })
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let answer = self.exchange(method, path, body).map_err(|error| format!("{method} {path}: {error}"))?;
        match &answer["value"] {
            value if value["error"].is_null() => Ok(value.clone()),
            value => Err(format!("{method} {path}: {}", value["message"])),
        }
    }

    fn exchange(&self, method: &str, path: &str, body: &Value) -> io::Result<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n",
            self.port,
            body.len()
        );
        stream.write_all((head + &body).as_bytes())?;
        let mut stream = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            if line.trim_end().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let mut answer = vec![0; length];
        stream.read_exact(&mut answer)?;
        Ok(serde_json::from_slice(&answer)?)
    }
}

impl Session<'_> {
    /// Loads a page; returns after its load event.
    pub(crate) fn open(&self, url: &str) -> Result<(), String> {
        self.driver.call("POST", &format!("{}/url", self.path), &json!({ "url": url })).map(drop)
    }

    /// Runs the body of a function in the page; what it hands to its last argument, a function, is the result.
    pub(crate) fn run(&self, script: &str) -> Result<Value, String> {
        let body = json!({ "script": script, "args": [] });
        self.driver.call("POST", &format!("{}/execute/async", self.path), &body)
    }

    /// Ends the browser in an orderly way, so that it writes its log to the end.
    pub(crate) fn end(mut self) -> Result<(), String> {
        self.ended = true;
        self.driver.call("DELETE", &self.path, &Value::Null).map(drop)
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if !self.ended {
            // What went wrong before is what is reported.
            let _ = self.driver.call("DELETE", &self.path, &Value::Null);
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! Servers behind the program when it is a proxy: nginx, or an application in Node, with the same site.

use crate::PATIENCE;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running upstream. Ended when dropped.
#[derive(Debug)]
pub struct Upstream {
    child: Child,
    /// Its port on the loopback address.
    pub port: u16,
    _scratch: TempDir,
}

const NGINX: &str = r"
daemon off;
user root;
worker_processes 1;
pid @dir@/nginx.pid;
error_log stderr;
events { }
http {
    include /etc/nginx/mime.types;
    access_log off;
    client_body_temp_path @dir@/body;
    proxy_temp_path @dir@/proxy;
    fastcgi_temp_path @dir@/fastcgi;
    uwsgi_temp_path @dir@/uwsgi;
    scgi_temp_path @dir@/scgi;
    server {
        listen 127.0.0.1:@port@;
        @locations@
    }
}
";

const FILES: &str = r#"
        root @root@;
        location / { add_header Cache-Control "private, no-cache"; }
        location ~ "[.-][0-9a-f]{8}[.]" { add_header Cache-Control "public, max-age=31536000, immutable"; }
"#;

const NODE: &str = r"
const fs = require('fs'), http = require('http'), path = require('path');
const types = {css: 'text/css', html: 'text/html; charset=utf-8', js: 'text/javascript', svg: 'image/svg+xml',
    woff2: 'font/woff2', png: 'image/png', ico: 'image/x-icon', webp: 'image/webp'};
const server = http.createServer((request, response) => {
    const name = request.url.split('?')[0].replace(/\/$/, '/index.html');
    fs.readFile('@root@' + name, (error, bytes) => {
        const kept = /[.-][0-9a-f]{8}[.]/.test(name) ? 'public, max-age=31536000, immutable' : 'private, no-cache';
        response.writeHead(error ? 404 : 200, {'content-type': types[name.split('.').pop()] || 'text/plain', 'cache-control': kept});
        response.end(error ? 'not found' : bytes);
    });
});
// Sends back what it gets, in capitals.
server.on('upgrade', (request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.on('data', (data) => socket.write(data.toString().toUpperCase()));
    socket.on('error', () => {});
});
server.listen(@port@, '127.0.0.1');
";

impl Upstream {
    /// nginx with the files of a directory.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn nginx(root: &Path) -> Self {
        Self::nginx_with(&FILES.replace("@root@", &root.display().to_string()))
    }

    /// nginx with these `location` blocks.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn nginx_with(locations: &str) -> Self {
        Self::start("nginx", &NGINX.replace("@locations@", locations), |scratch, text| {
            let config = scratch.path().join("nginx.conf");
            fs::write(&config, text).expect("its configuration");
            let mut command = Command::new("nginx");
            command.arg("-p").arg(scratch.path()).arg("-c").arg(config);
            command
        })
    }

    /// An application in Node with the files of a directory, which also takes WebSockets.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn node(root: &Path) -> Self {
        Self::start("node", &NODE.replace("@root@", &root.display().to_string()), |_, text| {
            let mut command = Command::new("node");
            command.arg("--eval").arg(text);
            command
        })
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn start(name: &str, text: &str, command: impl FnOnce(&TempDir, &str) -> Command) -> Self {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its number").port();
        let text = text.replace("@dir@", &scratch.path().display().to_string()).replace("@port@", &port.to_string());
        let mut child =
            command(&scratch, &text).stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("the upstream starts");
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "{name} takes no connections");
            assert!(child.try_wait().expect("it can be waited for").is_none(), "{name} ended");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, port, _scratch: scratch }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        // nginx ends its worker on SIGTERM only.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

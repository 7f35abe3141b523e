//! The proxies that are compared, and what stands behind them. Where a text says `@extra@`, the address of the latter is
//! put.

use headstart_benches::peers::{Peer, Program};

/// Ours. What of the upstream may be kept in memory is not kept: this measures passing on.
pub(crate) const HEADSTART: Peer = Peer {
    name: "headstart",
    program: Program::Headstart,
    template: None,
    args: &[
        "proxy",
        "http://@extra@",
        "--cache",
        "off",
        "--listen",
        "@address@:@port@",
        "--cert",
        "@cert@",
        "--key",
        "@key@",
        "--state-dir",
        "@dir@",
        "--no-state",
    ],
    env: &[("TOKIO_WORKER_THREADS", "@workers@")],
};

/// Ours without reading pages beside their sending.
pub(crate) const WITHOUT_READING: Peer = Peer {
    name: "headstart, not reading",
    env: &[("TOKIO_WORKER_THREADS", "@workers@"), ("HEADSTART_MARKUP_READ", "false")],
    ..HEADSTART
};

/// The proxy of nginx.
pub(crate) const NGINX: Peer = Peer {
    name: "nginx",
    program: Program::OnPath("nginx"),
    template: Some(include_str!("../peers/templates/nginx-proxy.conf")),
    args: &["-p", "@dir@", "-c", "@config@"],
    env: &[],
};

/// The proxy of the nghttp2 project.
pub(crate) const NGHTTPX: Peer = Peer {
    name: "nghttpx",
    program: Program::OnPath("nghttpx"),
    template: None,
    args: &[
        "--conf=/dev/null",
        "--workers=@workers@",
        "--frontend=@address@,@port@",
        "--backend=@extra@",
        "--backend-connections-per-host=512",
        "--accesslog-file=/dev/null",
        "--errorlog-file=@dir@/error.log",
        "@key@",
        "@cert@",
    ],
    env: &[],
};

/// The proxy of Caddy.
pub(crate) const CADDY: Peer = Peer {
    name: "caddy",
    program: Program::OnPath("caddy"),
    template: Some(include_str!("../peers/templates/Caddyfile-proxy")),
    args: &["run", "--adapter", "caddyfile", "--config", "@config@"],
    env: &[("GOMAXPROCS", "@workers@"), ("XDG_DATA_HOME", "@dir@"), ("XDG_CONFIG_HOME", "@dir@")],
};

/// The proxy of H2O.
pub(crate) const H2O: Peer = Peer {
    name: "h2o",
    program: Program::OnPath("h2o"),
    template: Some(include_str!("../peers/templates/h2o-proxy.conf")),
    args: &["-c", "@config@"],
    env: &[],
};

/// Files of nginx, in clear.
pub(crate) const FILES: Peer = Peer {
    name: "nginx with files",
    program: Program::OnPath("nginx"),
    template: Some(include_str!("../peers/templates/nginx-upstream.conf")),
    args: &["-p", "@dir@", "-c", "@config@"],
    env: &[],
};

/// An application in Node that answers each path with the file of that name, from memory.
pub(crate) const NODE: Peer = Peer {
    name: "Node",
    program: Program::OnPath("node"),
    template: None,
    args: &[
        "--eval",
        "const fs = require('fs'), root = '@root@', files = new Map();
        for (const name of fs.readdirSync(root)) files.set('/' + name, fs.readFileSync(root + '/' + name));
        const types = {css: 'text/css', html: 'text/html'};
        const server = require('http').createServer((request, response) => {
            const file = files.get(request.url);
            const type = types[request.url.split('.').pop()];
            response.writeHead(file ? 200 : 404, {'content-type': type || 'text/plain', 'content-length': file ? file.length : 0});
            response.end(file);
        });
        server.keepAliveTimeout = 600000;
        server.listen(@port@, '@address@', 4096);",
    ],
    env: &[],
};

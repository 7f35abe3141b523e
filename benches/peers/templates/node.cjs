// Node: a handler that pushes what it is told to a client that takes pushes and sends a 103 to any other.
const fs = require('fs');
const http2 = require('http2');
const path = require('path');

const [root, cert, key, address, port, think, lists] = process.argv.slice(2);
const needed = JSON.parse(lists);
const types = {
  css: 'text/css',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript',
  json: 'application/json',
  png: 'image/png',
  svg: 'image/svg+xml',
  woff2: 'font/woff2',
};

const control = (file) => {
  if (file.endsWith('.html')) return 'private, no-cache';
  return file.startsWith('/data/') ? 'no-store' : 'public, max-age=31536000, immutable';
};

// What there is in compressed form goes out so; every client here takes gzip.
const send = (stream, file) => {
  const name = path.join(root, file);
  const gzip = fs.existsSync(`${name}.gz`);
  const head = { ':status': 200, 'content-type': types[file.split('.').pop()], 'cache-control': control(file) };
  stream.respond(gzip ? { ...head, 'content-encoding': 'gzip', vary: 'accept-encoding' } : head);
  stream.end(fs.readFileSync(gzip ? `${name}.gz` : name));
};

const server = http2.createSecureServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) });
server.on('stream', (stream, request) => {
  stream.on('error', () => {});
  const file = request[':path'];
  const content = path.normalize(path.join(root, file));
  if (!content.startsWith(root) || !fs.existsSync(content)) {
    stream.respond({ ':status': 404 }, { endStream: true });
    return;
  }
  const list = needed[file];
  if (list && stream.pushAllowed) {
    for (const { path: asset } of list) {
      stream.pushStream({ ':path': asset }, (error, push) => {
        if (error) return;
        push.on('error', () => {});
        send(push, asset);
      });
    }
  } else if (list) {
    stream.additionalHeaders({ ':status': 103, link: list.map((asset) => asset.link) });
  }
  const answer = () => {
    if (stream.destroyed) return;
    send(stream, file);
  };
  if (list && Number(think)) setTimeout(answer, Number(think));
  else answer();
});
server.listen(Number(port), address);

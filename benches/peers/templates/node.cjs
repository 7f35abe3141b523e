// Node: a handler that pushes what it is told to a client that takes pushes and sends a 103 to any other.
const fs = require('fs');
const http2 = require('http2');
const path = require('path');

const [root, cert, key, address, port, think, lists] = process.argv.slice(2);
const needed = JSON.parse(lists);
const types = { css: 'text/css', html: 'text/html; charset=utf-8', js: 'text/javascript', svg: 'image/svg+xml', woff2: 'font/woff2' };

const head = (file) => ({
  ':status': 200,
  'content-type': types[file.split('.').pop()],
  'cache-control': file.endsWith('.html') ? 'private, no-cache' : 'public, max-age=31536000, immutable',
});

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
        push.respond(head(asset));
        push.end(fs.readFileSync(path.join(root, asset)));
      });
    }
  } else if (list) {
    stream.additionalHeaders({ ':status': 103, link: list.map((asset) => asset.link) });
  }
  const answer = () => {
    if (stream.destroyed) return;
    stream.respond(head(file));
    stream.end(fs.readFileSync(content));
  };
  if (list && Number(think)) setTimeout(answer, Number(think));
  else answer();
});
server.listen(Number(port), address);

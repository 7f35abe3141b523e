// Loads one page over HTTP/2 as a browser would, and prints what happened as JSON.
//
// Reads from its standard input what to do:
//   origin, ca       where, and the certificate to trust
//   page, assets     the page and what it leads to: [{ path, parent, destination, cors }]
//   cookies, held    what earlier visits left: { name: value } and [path]
//   options          push (default true), referer (default true), method (default GET),
//                    headers (of the navigation), assetHeaders, visits (times to load the page
//                    from nothing, each on a connection of its own; default 1)
import http2 from 'node:http2';
import { readFileSync } from 'node:fs';

const task = JSON.parse(readFileSync(0, 'utf8'));
const { origin, assets } = task;
const options = { push: true, referer: true, method: 'GET', headers: {}, assetHeaders: {}, visits: 1, ...task.options };

class Visit {
  constructor(cookies, held, agent) {
    // Each visit is by a client of its own: a client is held out, or not, for a day.
    this.agent = agent;
    this.cookies = { ...cookies };
    this.held = new Set(held);
    this.asked = new Set();
    this.seen = { status: 0, pushed: [], refused: [], requested: [], hints: [], links: [], goaway: null };
    this.promised = new Map();
    this.session = http2.connect(origin, { ca: task.ca, settings: { enablePush: options.push } });
    this.session.on('goaway', (code) => { this.seen.goaway = code; });
    this.session.on('stream', (stream, headers) => this.accept(stream, headers[':path']));
  }

  // A pushed response: kept like any other.
  accept(stream, path) {
    const done = new Promise((resolve, reject) => {
      let status = 0;
      let bytes = 0;
      stream.on('push', (headers) => { status = headers[':status']; });
      stream.on('data', (chunk) => { bytes += chunk.length; });
      stream.on('error', reject);
      stream.on('end', () => {
        this.seen.pushed.push({ path, status, bytes });
        if (status === 200) this.held.add(path);
        resolve();
      });
    });
    this.promised.set(path, done);
  }

  request(headers) {
    return new Promise((resolve, reject) => {
      const end = !['POST', 'PUT'].includes(headers[':method']);
      const stream = this.session.request(headers, { endStream: end });
      let head = {};
      let bytes = 0;
      stream.on('headers', (interim) => {
        if (interim[':status'] === 103) this.seen.hints.push(...[interim.link ?? []].flat());
      });
      stream.on('response', (final) => { head = final; });
      stream.on('data', (chunk) => { bytes += chunk.length; });
      stream.on('error', reject);
      stream.on('end', () => resolve({ head, bytes }));
      if (!end) stream.end('a=b');
    });
  }

  async navigate() {
    const jar = Object.entries(this.cookies).map(([name, value]) => `${name}=${value}`).join('; ');
    const { head } = await this.request({
      ':method': options.method,
      ':path': task.page,
      accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
      'user-agent': this.agent,
      'sec-fetch-dest': 'document',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-site': 'none',
      'sec-fetch-user': '?1',
      ...(jar ? { cookie: jar } : {}),
      ...options.headers,
    });
    this.seen.status = head[':status'];
    this.seen.links = [head.link ?? []].flat();
    this.keep(head['set-cookie'] ?? []);
  }

  keep(lines) {
    for (const line of lines) {
      const [pair, ...attributes] = line.split(';');
      const name = pair.slice(0, pair.indexOf('=')).trim();
      const gone = attributes.some((attribute) => /^\s*max-age=0\s*$/i.test(attribute));
      if (gone) delete this.cookies[name];
      else this.cookies[name] = pair.slice(pair.indexOf('=') + 1).trim();
    }
  }

  // Everything that a document, a stylesheet or a module leads to, all at once as browsers do.
  async load(parent) {
    const children = assets.filter((asset) => asset.parent === parent && !this.asked.has(asset.path));
    for (const asset of children) this.asked.add(asset.path);
    await Promise.all(children.map((asset) => this.fetch(asset)));
  }

  async fetch(asset) {
    if (this.promised.has(asset.path)) {
      await this.promised.get(asset.path);
    }
    if (!this.held.has(asset.path)) {
      const { head, bytes } = await this.request({
        ':method': 'GET',
        ':path': asset.path,
        accept: '*/*',
        'user-agent': this.agent,
        'sec-fetch-dest': asset.destination,
        'sec-fetch-mode': asset.cors ? 'cors' : 'no-cors',
        'sec-fetch-site': 'same-origin',
        ...(options.referer ? { referer: origin + asset.parent } : {}),
        ...options.assetHeaders,
      });
      this.seen.requested.push({ path: asset.path, status: head[':status'], bytes });
      if (head[':status'] === 200) this.held.add(asset.path);
    }
    await this.load(asset.path);
  }

  async run() {
    await this.navigate();
    await this.load(task.page);
    await Promise.all(this.promised.values());
    await new Promise((resolve) => this.session.close(resolve));
    return { ...this.seen, cookies: this.cookies, held: [...this.held] };
  }
}

const visits = [];
for (let n = 0; n < options.visits; n += 1) {
  visits.push(await new Visit(task.cookies, task.held, `e2e-browser/1.${n}`).run());
}
console.log(JSON.stringify(visits));

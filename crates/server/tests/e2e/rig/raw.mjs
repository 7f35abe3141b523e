// Sends bytes over TLS as they are and prints what comes back within a second, or until the end.
// Reads from its standard input: { port, ca, protocol, bytes (latin1) }.
import tls from 'node:tls';
import { readFileSync } from 'node:fs';

const { port, ca, protocol, bytes } = JSON.parse(readFileSync(0, 'utf8'));
const socket = tls.connect({ host: '127.0.0.1', port, ca, ALPNProtocols: [protocol] });
const show = () => process.exit(0);
socket.on('secureConnect', () => {
  socket.write(Buffer.from(bytes, 'latin1'));
  setTimeout(show, 1000);
});
socket.on('data', (chunk) => process.stdout.write(chunk));
socket.on('end', show);
socket.on('error', show);

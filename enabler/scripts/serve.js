// Serves the built browser library to pages of any origin: it is public.
import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';

const FOLDER = new URL('../public/', import.meta.url);
/** Files with a hash in their name never change; the entry points are asked for again. */
const HASHED = /\.[A-Za-z0-9_-]{8}\.js$/;

const files = new Map(
  readdirSync(FOLDER)
    .filter((name) => name.endsWith('.js'))
    .map((name) => [`/${name}`, readFileSync(new URL(name, FOLDER))]),
);

const server = http.createServer({ keepAliveTimeout: 620_000 }, (request, response) => {
  const path = request.url.split('?', 1)[0];
  const file = files.get(path);
  response.setHeader('Access-Control-Allow-Origin', '*');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  if (!['GET', 'HEAD'].includes(request.method) || !file) {
    response.writeHead(file ? 405 : 404).end();
    return;
  }
  response.writeHead(200, {
    'Content-Type': 'text/javascript; charset=utf-8',
    'Content-Length': file.length,
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'Cache-Control': HASHED.test(path)
      ? 'public, max-age=31536000, immutable'
      : 'public, max-age=300',
  });
  response.end(file);
});
server.listen(Number(process.env.PORT ?? 8080));
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  setInterval(() => server.closeIdleConnections(), 100);
});

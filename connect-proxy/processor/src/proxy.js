// Passes requests to the processor and its answers back, unchanged; follows and retries nothing.
import http from 'node:http';
import https from 'node:https';
import { endToEnd, forProcessor } from './headers.js';
import { finder } from './routes.js';
import { LONGER_THAN_PROCESSOR_S } from './settings.js';

/** Bytes of all bodies that are held at once: an eighth of an application's memory on Connect. */
const MOST_HELD = 67_108_864;
/** Less than the processor and balancers in front of it keep an idle connection (75 s and 60 s). */
const IDLE_MS = 15_000;
const RECEIVE_MS = 10_000;
const RETRY_AFTER_S = 1;

class Refusal extends Error {
  constructor(status, code, message, cause) {
    super(message, { cause });
    Object.assign(this, { status, code });
  }
}

/** The server, which does not listen yet. `log` takes one record for each request that failed. */
export function createProxy(settings, table, log) {
  const find = finder(table);
  const agent = new https.Agent({ keepAlive: true, timeout: IDLE_MS, maxSockets: 1_000 });
  const bounds = {
    requestTimeout: RECEIVE_MS,
    headersTimeout: RECEIVE_MS,
    connectionsCheckingInterval: 1_000,
    keepAliveTimeout: 620_000, // Google's balancers wait 600 s: the proxy must not close first.
    maxHeaderSize: 65_536,
  };
  let held = 0;

  /** The whole body, in one buffer: as many small pieces it would take many times its size. */
  async function body(request, share) {
    const tooLarge = () => new Refusal(413, 'PayloadTooLarge', 'The request body is too large.');
    if (Number(request.headers['content-length'] ?? 0) > settings.maxBodyBytes) throw tooLarge();
    let kept = Buffer.alloc(0);
    let length = 0;
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      const after = length + chunk.length;
      if (after > settings.maxBodyBytes) throw tooLarge();
      if (after > kept.length) {
        const larger = Buffer.allocUnsafeSlow(Math.min(settings.maxBodyBytes, Math.max(2 * after, 1024)));
        held += larger.length - kept.length;
        share.bytes += larger.length - kept.length;
        if (held > MOST_HELD) throw new Refusal(503, 'Overloaded', 'Too many requests at once.');
        kept.copy(larger, 0, 0, length);
        kept = larger;
      }
      chunk.copy(kept, length);
      length = after;
    }
    return kept.subarray(0, length);
  }

  const away = (cause) => new Refusal(503, 'ProcessorUnavailable', 'The processor does not answer.', cause);

  /** Resolves once the processor's answer begins; rejects with a Refusal. */
  function forward(request, content, response) {
    return new Promise((resolve, reject) => {
      const { hostname, port, path } = settings.processor;
      const hasBody = content.length > 0 || ['POST', 'PUT', 'PATCH'].includes(request.method);
      const options = {
        agent, hostname, port, path: path + request.url, method: request.method, setDefaultHeaders: false,
        headers: forProcessor(request, hasBody ? content.length : undefined, settings),
      };
      const outgoing = https.request(options, resolve);
      const seconds = settings.deadlineS + LONGER_THAN_PROCESSOR_S;
      const late = new Refusal(504, 'DeadlineExceeded', 'The request took too long.');
      const timer = setTimeout(() => outgoing.destroy(late), seconds * 1_000);
      outgoing.on('error', (error) => reject(error instanceof Refusal ? error : away(error)));
      outgoing.on('close', () => clearTimeout(timer));
      outgoing.on('close', () => reject(away())); // Of no effect once the answer has begun.
      response.on('close', () => response.writableFinished || outgoing.destroy());
      outgoing.end(content);
    });
  }

  function shared(request, route) {
    const origin = request.headers.origin;
    if (!route?.methods.length || !settings.origins.includes(origin)) return {};
    return { 'Access-Control-Allow-Origin': origin, 'Access-Control-Expose-Headers': table.exposedHeaders };
  }

  function refuse(request, response, route, refusal) {
    const headers = { ...shared(request, route), Vary: 'Origin', 'Cache-Control': 'no-store' };
    const allowed = headers['Access-Control-Allow-Origin'];
    const wanted = request.headers['access-control-request-method'];
    if (refusal.status === 503 && request.method === 'OPTIONS' && allowed && wanted) {
      // A page is told of a 503 only if its preflight has passed; the answer is not remembered.
      headers['Access-Control-Allow-Methods'] = [...route.methods].sort().join(', ');
      headers['Access-Control-Allow-Headers'] = table.requestHeaders;
      response.writeHead(204, { ...headers, 'Access-Control-Max-Age': '0' }).end();
      return;
    }
    const { status: statusCode, code, message } = refusal;
    if (statusCode >= 500) headers['Retry-After'] = String(RETRY_AFTER_S);
    if (statusCode === 413) headers.Connection = 'close';
    headers['Content-Type'] = 'application/json';
    const content = JSON.stringify({ message, statusCode, errors: [{ code, message }] });
    response.writeHead(statusCode, http.STATUS_CODES[statusCode], headers).end(content);
    request.resume();
  }

  async function handle(request, response) {
    const route = find(request.url);
    const began = Date.now();
    const share = { bytes: 0 };
    response.on('close', () => (held -= share.bytes));
    try {
      if (!route) throw new Refusal(404, 'ResourceNotFound', 'There is nothing at this path.');
      const answer = await forward(request, await body(request, share), response);
      answer.on('error', () => response.destroy());
      response.sendDate = false;
      try {
        response.writeHead(answer.statusCode, answer.statusMessage, endToEnd(answer.rawHeaders));
      } catch (cause) {
        // A status or reason that no server may send.
        answer.destroy();
        throw away(cause);
      }
      answer.pipe(response);
    } catch (error) {
      if (response.headersSent || response.destroyed) {
        response.destroy();
        return;
      }
      const refusal = error instanceof Refusal ? error : new Refusal(400, 'InvalidOperation', 'The request cannot be passed on.');
      const { status, code, cause } = refusal;
      if (status >= 500) {
        log({ severity: 'WARNING', message: refusal.message, method: request.method, route: route.path, status, code,
          cause: cause?.code, durationMs: Date.now() - began });
      }
      refuse(request, response, route, refusal);
    }
  }

  const server = http.createServer(bounds, (request, response) => {
    if (request.method === 'GET' && request.url === '/health/live') {
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"status":"UP"}');
    } else {
      handle(request, response).catch(() => response.destroy());
    }
  });
  server.maxConnections = 2_000;
  return server;
}

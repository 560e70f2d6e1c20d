// What of a request and of an answer is passed on, and how the client's address is proven.
import { createHmac } from 'node:crypto';
import net from 'node:net';

export const CLIENT = 'X-Proxy-Client';

/** Of one connection only (RFC 9110, 7.6.1), as are those that `Connection` names. */
const HOP_BY_HOP = [
  'connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection',
  'te', 'trailer', 'transfer-encoding', 'upgrade',
];
/** Written anew: the processor's name, the body's length, and what no client may claim. */
const OURS = ['host', 'content-length', 'expect', CLIENT.toLowerCase()];

function* pairs(raw) {
  for (let i = 0; i < raw.length; i += 2) yield [raw[i], raw[i + 1]];
}

/** Headers as they came, in order and repeated where they were, without those of the connection. */
export function endToEnd(raw, dropped = []) {
  const gone = new Set([...HOP_BY_HOP, ...dropped]);
  for (const [name, value] of pairs(raw)) {
    if (name.toLowerCase() !== 'connection') continue;
    for (const each of value.split(',')) gone.add(each.trim().toLowerCase());
  }
  return [...pairs(raw)].filter(([name]) => !gone.has(name.toLowerCase())).flat();
}

/** Headers for the processor; `length` of the body is undefined where there is none. */
export function forProcessor(request, length, settings) {
  const address = clientAddress(request, settings.trustedProxies);
  return [
    ...endToEnd(request.rawHeaders, OURS),
    'Host', settings.processor.host,
    CLIENT, `${address} ${proof(settings.secret, `client ${address}`)}`,
    ...(length === undefined ? [] : ['Content-Length', String(length)]),
  ];
}

/** Proves to the processor that we say `text`; the secret itself is never sent. */
export function proof(secret, text) {
  return createHmac('sha256', secret).update(text).digest('hex');
}

/** The client in front of the platform's proxies, each of which appends whom it was called by. */
export function clientAddress(request, trustedProxies) {
  const told = (request.headers['x-forwarded-for'] ?? '').split(',').map((each) => each.trim()).filter(Boolean);
  const entry = trustedProxies > 0 ? told.at(-Math.min(trustedProxies, told.length || 1)) : undefined;
  return parsed(entry ?? '') ?? parsed(request.socket.remoteAddress ?? '') ?? '0.0.0.0';
}

function parsed(entry) {
  const found = /^(?:\[([^[\]]*)\]|([0-9.]+))(?::\d{1,5})?$/.exec(entry);
  const address = (found ? (found[1] ?? found[2]) : entry).replace(/%.*$/s, '');
  return net.isIP(address) ? address : undefined;
}

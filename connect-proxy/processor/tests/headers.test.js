import assert from 'node:assert/strict';
import test from 'node:test';
import { clientAddress, endToEnd } from '../src/headers.js';
import { finder } from '../src/routes.js';
import { loadSettings } from '../src/settings.js';

test('headers of the connection are left out, others keep order and spelling', () => {
  const raw = ['X-A', '1', 'Connection', 'close, X-B', 'x-b', '2', 'x-a', '3', 'TE', 'trailers'];
  assert.deepEqual(endToEnd(raw), ['X-A', '1', 'x-a', '3']);
});

test('the client is the entry that the first trusted proxy wrote', () => {
  const request = { headers: { 'x-forwarded-for': 'forged, 192.0.2.1:1, 10.0.0.1' }, socket: { remoteAddress: '10.0.0.2' } };
  assert.deepEqual([0, 1, 2, 3].map((n) => clientAddress(request, n)), ['10.0.0.2', '10.0.0.1', '192.0.2.1', '10.0.0.2']);
});

test('a path is one of the table, as it is written', () => {
  const find = finder({ paths: { '/orders/{id}': [], '/': [] } });
  assert.deepEqual(['/orders/a?x', '/', '/orders/', '/orders/..', '/orders/%2f', '/x'].map((each) => find(each)?.path),
    ['/orders/{id}', '/', undefined, undefined, undefined, undefined]);
});

test('every problem of the settings is listed', () => {
  assert.throws(() => loadSettings({}), /PROCESSOR_URL.*\nPROXY_SECRET.*\nALLOWED_ORIGINS/);
});

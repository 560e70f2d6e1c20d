// Fails where the library has grown over what a shopper should have to load.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const LIMIT = 9_000;
const built = new URL('../public/connector-enabler.es.js', import.meta.url);
const size = gzipSync(readFileSync(built), { level: 9 }).length;

console.log(`connector-enabler.es.js: ${size} bytes gzip, at most ${LIMIT}`);
process.exitCode = size > LIMIT ? 1 : 0;

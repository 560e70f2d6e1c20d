// Fails where the library has grown over what a shopper should have to load, and where a file that
// is loaded later imports the main one: see src/kit.ts.
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

/** Before anything is shown, that is without what the page loads later by `import()`. */
const LIMITS = { 'connector-enabler.es.js': 9_000, 'connector-enabler.umd.js': 14_000 };
const PUBLIC = new URL('../public/', import.meta.url);
const STATIC_IMPORT = /(?:^|[;}\n])\s*(?:import|export)\b[^;()]*?["'](\.\/[^"']+)["']/g;

/** The file and what it imports statically, each once. */
function loaded(name, known = new Map()) {
  if (known.has(name)) return known;
  const content = readFileSync(new URL(name, PUBLIC));
  known.set(name, gzipSync(content, { level: 9 }).length);
  for (const [, path] of content.toString().matchAll(STATIC_IMPORT)) loaded(path.slice(2), known);
  return known;
}

for (const [name, limit] of Object.entries(LIMITS)) {
  const size = [...loaded(name).values()].reduce((sum, each) => sum + each);
  console.log(`${name}: ${size} bytes gzip, at most ${limit}`);
  if (size > limit) process.exitCode = 1;
}

for (const name of readdirSync(PUBLIC).filter((each) => each.endsWith('.js') && !LIMITS[each])) {
  if (loaded(name).size > 1) {
    console.log(`${name} imports ${[...loaded(name).keys()].slice(1).join(', ')}`);
    process.exitCode = 1;
  }
}

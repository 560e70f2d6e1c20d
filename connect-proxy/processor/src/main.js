// Starts the proxy; ends it after SIGTERM once what has begun is answered.
import { readFileSync } from 'node:fs';
import { createProxy } from './proxy.js';
import { loadSettings } from './settings.js';

const log = (record) => console.log(JSON.stringify(record)); // Connect reads one JSON object a line
const table = JSON.parse(readFileSync(new URL('./routes.json', import.meta.url), 'utf8'));
let settings;
try {
  settings = loadSettings(process.env);
} catch (error) {
  log({ severity: 'ERROR', message: error.message });
  process.exit(2);
}
const server = createProxy(settings, table, log);
server.listen(settings.port, () => log({ severity: 'INFO', message: `Listening on port ${settings.port}` }));
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  setInterval(() => server.closeIdleConnections(), 100);
});

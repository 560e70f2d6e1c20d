// Verifies the processor behind the proxy. Changes nothing: Stripe's webhook goes on leading to the processor.
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { CLIENT, proof } from './headers.js';
import { LONGER_THAN_PROCESSOR_S, loadSettings } from './settings.js';

const PLATFORM_S = 300; // Connect ends a request to a service after five minutes.
const ASK_MS = 30_000;

function ask({ processor }, path, headers) {
  const { hostname, port } = processor;
  return new Promise((resolve, reject) => {
    const options = { hostname, port, path: processor.path + path, headers, timeout: ASK_MS };
    const request = https.get(options, async (answer) => {
      try {
        resolve({ status: answer.statusCode, body: Buffer.concat(await answer.toArray()).toString() });
      } catch (error) {
        reject(error);
      }
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', reject);
  });
}

/** Whether each check passed, with the reason: [passed, text] by and by. */
async function* checks(settings, version) {
  const ready = await ask(settings, '/health/ready');
  yield [ready.status === 200, `GET /health/ready of the processor answers ${ready.status}`];
  const forged = await ask(settings, '/health/ready', { [CLIENT]: `192.0.2.1 ${'0'.repeat(64)}` });
  yield [forged.status === 403, forged.status === 403
    ? 'the processor refuses client addresses that are not proven'
    : 'the processor believes or ignores client addresses: set PROXY_SECRET there'];
  const bearer = `Bearer ${proof(settings.secret, 'post-deploy')}`;
  const told = await ask(settings, '/operations/proxy', { Authorization: bearer });
  yield [told.status === 200, told.status === 200
    ? 'the processor has the same PROXY_SECRET'
    : `GET /operations/proxy answers ${told.status}: set the same PROXY_SECRET at the processor and here`];
  if (told.status !== 200) return;
  const { status, serviceUrl, requestDeadlineS, allowedOrigins } = JSON.parse(told.body);
  yield [status.version === version, `the processor is release ${status.version}, the proxy ${version}`];
  for (const each of status.checks) {
    yield [each.status === 'UP', `${each.name}: ${each.message ?? each.status}`];
  }
  const same = allowedOrigins.length === settings.origins.length && allowedOrigins.every((each) => settings.origins.includes(each));
  yield [same, same ? 'ALLOWED_ORIGINS agree' : `ALLOWED_ORIGINS differ; the processor has ${allowedOrigins}`];
  yield [requestDeadlineS === settings.deadlineS, `REQUEST_DEADLINE_S is ${requestDeadlineS} at the processor, ${settings.deadlineS} here`];
  const most = settings.deadlineS + LONGER_THAN_PROCESSOR_S;
  yield [most <= PLATFORM_S, `a request may take ${most} s, and the platform allows ${PLATFORM_S}`];
  const ours = settings.serviceUrl && new URL(settings.serviceUrl).host === (serviceUrl && new URL(serviceUrl).host);
  yield [!ours, ours
    ? "CONNECT_SERVICE_URL of the processor is the proxy's: set it to the processor's own, where Stripe delivers"
    : `Stripe delivers to the processor${serviceUrl ? `, at ${serviceUrl}` : ''}`];
}

let failed = false;
try {
  const table = JSON.parse(readFileSync(new URL('./routes.json', import.meta.url), 'utf8'));
  for await (const [passed, text] of checks(loadSettings(process.env), table.version)) {
    failed ||= !passed;
    console.log(`${passed ? 'ok    ' : 'FAILED'}  ${text}`);
  }
} catch (error) {
  failed = true;
  console.log(`FAILED  ${error.message}`);
}
console.log('Where the processor runs, `stripe-connector doctor` checks the rest.');
process.exit(failed ? 1 : 0);

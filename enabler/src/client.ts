/** The processor's routes as functions: status before body, retries, timeouts, typed errors. */

import type { Decoder } from './decode';
import { type Details, NetworkError, PaymentDeclined, ProcessorError } from './errors';
import * as responses from './responses';

/** How the processor is asked to start a payment. */
export interface StartOptions {
  /** Pay with this stored method. */
  storedPaymentMethodId?: string;
  /** The shopper agreed to have the method stored. */
  storePaymentMethod?: boolean;
  /** The one type of a component that offers no other. */
  paymentMethodType?: string;
  /** The wallet brings the addresses; the shop's customer takes part or not. */
  express?: { withCustomer: boolean };
}

export type Client = ReturnType<typeof createClient>;

/** A client for the enabler's session, or for another. */
export type CreateClient = (sessionId?: string) => Client;

const TRIES = 3;
const TIMEOUT_MS = 20_000;
const DELAY_MS = 400;
const LONGEST_DELAY_MS = 5_000;
/** 429: a neighbour behind the same address has guessed sessions; the answer says how long to wait. */
const BUSY = [429, 502, 503, 504];

/** A new name for an attempt; `randomUUID` is missing on pages without TLS. */
export function newCorrelationId(): string {
  return crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
}

/**
 * The calls of one attempt. Every one may be repeated: reading changes nothing, a cart has one
 * open payment however often it is started, and confirming records what Stripe says.
 */
export function createClient(
  processorUrl: string,
  sessionId: string | undefined,
  correlationId = newCorrelationId(),
) {
  const base = processorUrl.replace(/\/+$/, '');

  async function call<T>(
    method: string,
    path: string,
    decode: Decoder<T>,
    body?: object,
    extra?: Record<string, string>,
  ): Promise<T> {
    const headers: Record<string, string> = { 'X-Correlation-ID': correlationId, ...extra };
    if (sessionId) headers['X-Session-ID'] = sessionId;
    if (body) headers['Content-Type'] = 'application/json';
    const response = await withRetries(correlationId, base, () =>
      fetch(base + path, {
        method,
        headers,
        body: body ? JSON.stringify(body) : null,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      }),
    );
    const details = { status: response.status, correlationId };
    if (!response.ok) throw await refusal(response, base, details);
    try {
      return decode(response.status === 204 ? undefined : await response.json(), 'body');
    } catch (cause) {
      const message = `Malformed answer to ${path}.`;
      throw new ProcessorError(message, {
        ...details,
        code: 'malformed',
        cause,
        hint: addressHint(base),
      });
    }
  }

  const nothing = () => undefined;
  return {
    correlationId,
    config: () => call('GET', '/operations/config', responses.config),
    expressConfig: () => call('POST', '/express-config', responses.config, {}),
    elementConfig: (component: string) =>
      call('GET', `/config-element/${component}`, responses.elementConfig),
    /** The client secret of the customer's session at Stripe; undefined for guests. */
    customerSession: () =>
      call('GET', '/customer/session', (body) =>
        body === undefined ? undefined : responses.customerSession(body, 'body').sessionId,
      ),
    expressData: () => call('GET', '/express-payment-data', responses.expressData),
    startPayment: ({ express, ...options }: StartOptions) =>
      call(
        'POST',
        '/payments',
        responses.started,
        Object.keys(options).length ? options : undefined,
        express && {
          'X-Express-Checkout': 'true',
          ...(express.withCustomer && { 'X-Express-Customer-Session': 'true' }),
        },
      ),
    confirmPayment: (paymentReference: string, paymentIntent: string) =>
      call(
        'POST',
        `/confirmPayments/${encodeURIComponent(paymentReference)}`,
        responses.confirmation,
        { paymentIntent },
      ),
    storedPaymentMethods: () =>
      call('GET', '/stored-payment-methods', responses.storedPaymentMethods),
    removeStoredPaymentMethod: (id: string) =>
      call('DELETE', `/stored-payment-methods/${encodeURIComponent(id)}`, nothing),
  };
}

/** Sends again after a busy answer or none; resolves with the last answer. */
async function withRetries(
  correlationId: string,
  base: string,
  send: () => Promise<Response>,
): Promise<Response> {
  for (let tried = 1; ; tried++) {
    let wait = DELAY_MS * tried;
    try {
      const response = await send();
      if (tried === TRIES || !BUSY.includes(response.status)) return response;
      wait = Number(response.headers.get('Retry-After')) * 1000 || wait;
    } catch (cause) {
      if (tried === TRIES) {
        const details = { code: 'network', cause, correlationId, hint: networkHint(base) };
        throw new NetworkError('Processor unreachable.', details);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(wait, LONGEST_DELAY_MS)));
  }
}

/** The error that an answer of commercetools' shape tells, or that its status does. */
async function refusal(response: Response, base: string, details: Details): Promise<Error> {
  let message = `HTTP ${response.status}.`;
  let known: Details = { code: 'processor', hint: addressHint(base) };
  try {
    const body = responses.refusal(await response.json(), 'body');
    message = body.message;
    const hint =
      response.status === 401
        ? 'The session has expired, or is of another project: your server creates a new one.'
        : undefined;
    known = { code: 'processor', hint, ...body.errors[0] };
  } catch {
    // A proxy's page: only the status is known.
  }
  const Refusal = response.status === 402 ? PaymentDeclined : ProcessorError;
  return new Refusal(message, { ...details, ...known });
}

/** Browsers do not say why a request failed: these are the usual reasons. */
function networkHint(base: string): string {
  return location.protocol === 'https:' && base.startsWith('http:')
    ? `A page on https cannot call ${base}: the processor needs https, too.`
    : `Does the processor run at ${base}, and list ${location.origin} in ALLOWED_ORIGINS?`;
}

function addressHint(base: string): string {
  return `Is ${base} the processor's address? The answer is not one of the processor's.`;
}

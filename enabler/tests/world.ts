/** A shop page: a processor and a Stripe.js that keep the rules of the real ones. */

import type { PaymentIntent, StripeError } from '@stripe/stripe-js';
import { vi } from 'vitest';
import type { ConnectorError, EnablerOptions, PaymentResult } from '../src';
import * as library from '../src';

type Json = Record<string, unknown>;
type Handler = (event: never) => unknown;

export const PROCESSOR = 'https://processor.example';
export const SESSION = 'session-1';

export interface Call {
  method: string;
  path: string;
  headers: Headers;
  body: Json | undefined;
}

/** An intent with what tests do not care about left out. */
export function intentOf(fields: Partial<PaymentIntent>): PaymentIntent {
  return {
    id: 'pi_1',
    amount: 1234,
    currency: 'eur',
    capture_method: 'automatic',
    client_secret: 'pi_1_secret_1',
    last_payment_error: null,
    next_action: null,
    setup_future_usage: null,
    status: 'requires_payment_method',
    ...fields,
  } as PaymentIntent;
}

export class World {
  calls: Call[] = [];
  /** The cart's amount; starting a payment brings the intent up to it. */
  amount = 1234;
  intent = intentOf({});
  /** What the shopper's bank makes of the next confirmation. */
  bank: () => { paymentIntent?: PaymentIntent; error?: StripeError } = () => ({
    paymentIntent: this.become({ status: 'succeeded' }),
  });
  config: Json = {
    publishableKey: 'pk_test_1',
    stripeJsUrl: 'https://stripe.example/stripe.js',
    captureMethod: 'automatic',
    storedPaymentMethodsConfig: { isEnabled: true },
  };
  elementConfig: Json = {
    captureMethod: 'automatic',
    paymentElementOptions: '{}',
    layout: '{"type":"tabs"}',
    collectBillingAddress: 'auto',
    flowType: 'deferred',
  };
  started: Json = {};
  customer: Json | undefined;
  stored: Json[] = [];
  expressLines: Json[] = [];
  /** Answers instead of the processor's, first come first served; by method and path. */
  faults: Record<string, (() => Response)[]> = {};
  stripe = new FakeStripe(this);
  results: PaymentResult[] = [];
  errors: { error: ConnectorError; context: unknown }[] = [];

  constructor() {
    vi.stubGlobal('fetch', (url: string, init: RequestInit) => this.answer(url, init));
    window.Stripe = Object.assign((_key: string, options?: unknown) => {
      this.stripe.options = options;
      return this.stripe;
    }, {}) as never;
    document.body.innerHTML = '<div id="pay"></div>';
  }

  enabler(options: Partial<EnablerOptions> = {}, { Enabler } = library): library.Enabler {
    return new Enabler({
      processorUrl: `${PROCESSOR}/`,
      sessionId: SESSION,
      locale: 'en',
      onComplete: (result) => this.results.push(result),
      onError: (error, context) => this.errors.push({ error, context }),
      ...options,
    });
  }

  /** What was asked of one route, in order. */
  made(route: string): Call[] {
    return this.calls.filter(({ method, path }) => `${method} ${path}` === route);
  }

  become(fields: Partial<PaymentIntent>): PaymentIntent {
    this.intent = { ...this.intent, ...fields };
    return this.intent;
  }

  fail(route: string, ...answers: (() => Response)[]): void {
    this.faults[route] = answers;
  }

  private async answer(url: string, init: RequestInit): Promise<Response> {
    const path = url.slice(PROCESSOR.length);
    const method = init.method ?? 'GET';
    const body = typeof init.body === 'string' ? (JSON.parse(init.body) as Json) : undefined;
    this.calls.push({ method, path, headers: new Headers(init.headers), body });
    const fault = this.faults[`${method} ${path}`]?.shift();
    return fault ? fault() : this.route(method, path, body);
  }

  private route(method: string, path: string, body: Json | undefined): Response {
    const cartInfo = { amount: this.amount, currency: 'EUR' };
    switch (`${method} ${path}`) {
      case 'GET /operations/config':
      case 'POST /express-config':
        return Response.json(this.config);
      case 'GET /customer/session':
        return this.customer ? Response.json(this.customer) : new Response(null, { status: 204 });
      case 'GET /express-payment-data':
        return Response.json({
          totalPrice: { centAmount: this.amount, currencyCode: 'EUR', fractionDigits: 2 },
          lineItems: this.expressLines,
        });
      case 'POST /payments':
        this.become({
          amount: this.amount,
          setup_future_usage: body?.['storePaymentMethod']
            ? 'off_session'
            : this.intent.setup_future_usage,
        });
        return Response.json({
          clientSecret: this.intent.client_secret,
          paymentReference: 'payment-1',
          merchantReturnUrl: 'https://shop.example/done?step=3',
          cartId: 'cart-1',
          ...this.started,
        });
      case 'POST /confirmPayments/payment-1':
        if (body?.['paymentIntent'] !== this.intent.id) return refused(400, 'PaymentMismatch');
        return ['processing', 'requires_action'].includes(this.intent.status)
          ? Response.json({ outcome: 'pending' }, { status: 202 })
          : Response.json({ outcome: 'approved' });
      case 'GET /stored-payment-methods':
        return Response.json({ storedPaymentMethods: this.stored });
    }
    if (method === 'GET' && path.startsWith('/config-element/')) {
      return Response.json({ ...this.elementConfig, cartInfo });
    }
    if (method === 'DELETE' && path.startsWith('/stored-payment-methods/')) {
      this.stored = this.stored.filter(({ id }) => !path.endsWith(`/${String(id)}`));
      return Response.json({});
    }
    return refused(404, 'ResourceNotFound');
  }
}

/** An error in commercetools' shape. */
export function refused(status: number, code: string, fields: Json = {}): Response {
  const message = `Refused: ${code}`;
  return Response.json(
    { message, statusCode: status, errors: [{ code, message, ...fields }] },
    { status },
  );
}

export class FakeElement {
  readonly #handlers = new Map<string, Handler[]>();
  mounts = 0;
  destroyed = false;
  focused = false;
  available: Json | undefined;
  loadError: StripeError | undefined;
  /** Never ready. */
  slow = false;

  constructor(
    readonly type: string,
    readonly options: Json,
  ) {}

  on(event: string, handler: Handler): this {
    this.#handlers.set(event, [...(this.#handlers.get(event) ?? []), handler]);
    return this;
  }

  emit(event: string, detail: unknown = {}): void {
    for (const handler of this.#handlers.get(event) ?? []) handler(detail as never);
  }

  mount(): void {
    this.mounts++;
    if (this.slow) return;
    if (this.loadError) this.emit('loaderror', { error: this.loadError });
    else this.emit('ready', { availablePaymentMethods: this.available });
  }

  focus(): void {
    this.focused = true;
  }

  destroy(): void {
    // As Stripe.js says it.
    if (this.destroyed) throw new Error('This Element has already been destroyed.');
    this.destroyed = true;
  }
}

export class FakeElements {
  element: FakeElement | undefined;
  submits = 0;
  fetched = 0;
  invalid: StripeError | undefined;

  constructor(
    readonly options: Json,
    private readonly stripe: FakeStripe,
  ) {}

  create(type: string, options: Json): FakeElement {
    this.element = new FakeElement(type, options);
    this.element.loadError = this.stripe.loadError;
    this.element.slow = this.stripe.slow;
    this.element.available = this.stripe.wallets;
    return this.element;
  }

  async update(changes: Json): Promise<void> {
    Object.assign(this.options, changes);
  }

  async fetchUpdates(): Promise<Json> {
    this.fetched++;
    return {};
  }

  async submit(): Promise<Json> {
    this.submits++;
    return this.invalid ? { error: this.invalid } : { selectedPaymentMethod: 'card' };
  }
}

interface Confirmation {
  elements?: FakeElements;
  clientSecret: string;
  confirmParams: { return_url: string; payment_method_data?: { billing_details: Json } };
  redirect: string;
}

export class FakeStripe {
  options: unknown;
  groups: FakeElements[] = [];
  confirmations: Confirmation[] = [];
  retrieved: string[] = [];
  retrieveError: StripeError | undefined;
  loadError: StripeError | undefined;
  slow = false;
  wallets: Json | undefined = { applePay: true, googlePay: false };

  constructor(private readonly world: World) {}

  elements(options: Json): FakeElements {
    const group = new FakeElements({ ...options }, this);
    this.groups.push(group);
    return group;
  }

  get last(): FakeElements {
    const group = this.groups.at(-1);
    if (!group) throw new Error('No elements were made.');
    return group;
  }

  get element(): FakeElement {
    if (!this.last.element) throw new Error('No element was created.');
    return this.last.element;
  }

  async retrievePaymentIntent(clientSecret: string) {
    this.retrieved.push(clientSecret);
    return this.retrieveError
      ? { error: this.retrieveError }
      : { paymentIntent: this.world.intent };
  }

  async confirmPayment(confirmation: Confirmation) {
    this.confirmations.push(confirmation);
    const { elements } = confirmation;
    const { intent } = this.world;
    if (elements && !elements.submits) throw new Error('Call elements.submit() first.');
    if (elements?.options['mode']) {
      const wrong = Object.entries({
        amount: intent.amount,
        currency: intent.currency,
        captureMethod: intent.capture_method,
        setupFutureUsage: intent.setup_future_usage,
      }).filter(([name, value]) => elements.options[name] !== value);
      if (wrong.length) throw new Error(`Elements disagree with the intent: ${String(wrong)}`);
    }
    return this.world.bank();
  }
}

export const CARD_DECLINED: StripeError = {
  type: 'card_error',
  code: 'card_declined',
  decline_code: 'insufficient_funds',
  message: 'Your card has insufficient funds.',
};

/** What the page shows and says. */
export function page() {
  return {
    text: document.querySelector('#pay [role=alert], #pay p')?.textContent,
    button: document.querySelector<HTMLButtonElement>('#pay button'),
    group: document.querySelector<HTMLElement>('#pay .stripe-connector'),
  };
}

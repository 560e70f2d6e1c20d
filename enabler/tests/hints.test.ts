/** The mistakes that developers make first: each is an error of ours with a hint that fits. */

import { beforeEach, describe, expect, test, vi } from 'vitest';
import { ConnectorError, Enabler, type EnablerOptions } from '../src';
import { PROCESSOR, refused, World } from './world';

let world: World;

beforeEach(() => {
  sessionStorage.clear();
  world = new World();
  // Waiting takes no time.
  vi.stubGlobal('setTimeout', (run: () => void) => queueMicrotask(run));
});

const CONFIG = 'GET /operations/config';
const offline = () => {
  throw new TypeError('Failed to fetch');
};
const html = (status: number) => () => new Response('<!doctype html>', { status });

async function dropin(options: Partial<EnablerOptions> = {}) {
  return (await world.enabler(options).createDropinBuilder('embedded')).build();
}

/** What was thrown, as the error that it must be. */
async function failure(task: () => unknown): Promise<ConnectorError> {
  const thrown = await Promise.resolve()
    .then(task)
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  expect(thrown).toBeInstanceOf(ConnectorError);
  return thrown as ConnectorError;
}

const mount = async (selector = '#pay') => (await dropin()).mount(selector);

describe('reaching the processor', () => {
  test('no address', async () => {
    const error = await failure(() => new Enabler({} as EnablerOptions));
    expect(error).toMatchObject({ name: 'UsageError', code: 'processor_required' });
    expect(error.hint).toContain('Pass processorUrl');
  });

  test('an origin that is not allowed, which looks like a processor that is not there', async () => {
    world.fail(CONFIG, offline, offline, offline);
    const error = await failure(mount);
    expect(error).toMatchObject({ name: 'NetworkError', code: 'network' });
    expect(error.hint).toContain(PROCESSOR);
    expect(error.hint).toContain(`list ${location.origin} in ALLOWED_ORIGINS`);
  });

  test('http on a page with https', async () => {
    vi.stubGlobal('location', new URL('https://shop.example/checkout'));
    world.fail(CONFIG, offline, offline, offline);
    vi.stubGlobal('fetch', offline);
    const component = await dropin({ processorUrl: 'http://processor.example' });
    const error = await failure(() => component.mount('#pay'));
    expect(error).toMatchObject({ name: 'NetworkError', code: 'network' });
    expect(error.hint).toContain('A page on https cannot call http://processor.example');
  });

  test.each([
    ['a page of something else', html(404), 'processor'],
    ['a page for every address', html(200), 'malformed'],
    ['another service', () => Response.json({ ok: true }), 'malformed'],
  ])('a wrong address: %s', async (_name, answer, code) => {
    world.fail(CONFIG, answer);
    const error = await failure(mount);
    expect(error).toMatchObject({ name: 'ProcessorError', code });
    expect(error.hint).toContain(`Is ${PROCESSOR} the processor's address?`);
  });
});

describe('the session', () => {
  test('none', async () => {
    const error = await failure(() => dropin({ sessionId: '' }));
    expect(error).toMatchObject({ name: 'UsageError', code: 'session_required' });
    expect(error.hint).toContain('Pass sessionId');
  });

  test('unknown, when mounting', async () => {
    world.fail(CONFIG, () => refused(401, 'invalid_token'));
    const error = await failure(mount);
    expect(error).toMatchObject({ name: 'ProcessorError', status: 401, code: 'invalid_token' });
    expect(error.hint).toContain('session has expired, or is of another project');
  });

  test('expired, when paying', async () => {
    const component = await dropin();
    await component.mount('#pay');
    world.fail('POST /payments', () => refused(401, 'invalid_token'));
    await component.submit();
    expect(world.errors[0]?.error.hint).toContain('session has expired');
  });
});

describe('Stripe.js', () => {
  test('blocked', async () => {
    delete window.Stripe;
    vi.spyOn(document.head, 'append').mockImplementation((...nodes) => {
      queueMicrotask(() => (nodes[0] as HTMLElement).dispatchEvent(new Event('error')));
    });
    const error = await failure(mount);
    expect(error).toMatchObject({ name: 'NetworkError', code: 'stripe_js' });
    expect(error.hint).toMatch(/Content-Security-Policy.*https:\/\/stripe\.example\/stripe\.js/);
  });

  // https://github.com/stripe/stripe-php/issues/976: a secret key throws at once.
  test('a secret key', async () => {
    window.Stripe = (() => {
      throw new Error('You are using a secret key with Stripe.js');
    }) as never;
    const error = await failure(mount);
    expect(error).toMatchObject({ name: 'StripeJsError', code: 'integration' });
    expect(error.hint).toContain('STRIPE_PUBLISHABLE_KEY');
  });

  // https://github.com/flutter-stripe/flutter_stripe/issues/2171: the type has no code.
  test('a key that Stripe does not know', async () => {
    const message = 'Invalid API Key provided: pk_test_****';
    world.stripe.loadError = { type: 'invalid_request_error', message };
    const error = await failure(mount);
    expect(error).toMatchObject({ name: 'StripeJsError', code: 'invalid_request_error' });
    expect(error.hint).toContain('STRIPE_PUBLISHABLE_KEY');
  });

  test('a key of another account or mode', async () => {
    const component = await dropin();
    await component.mount('#pay');
    const message = 'No such payment_intent';
    world.stripe.retrieveError = {
      type: 'invalid_request_error',
      code: 'resource_missing',
      message,
    };
    await component.submit();
    expect(world.errors[0]?.error.hint).toContain('of the account and mode of STRIPE_SECRET_KEY');
  });

  test('another refusal has no hint', async () => {
    world.stripe.loadError = { type: 'invalid_request_error', message: 'Unknown parameter' };
    expect((await failure(mount)).hint).toBeUndefined();
  });

  test('used in a way that it refuses', async () => {
    const component = await dropin();
    await component.mount('#pay');
    world.bank = () => {
      throw new TypeError('Integration.');
    };
    await component.submit();
    expect(world.errors[0]?.error.hint).toContain('is the element still in the page?');
  });
});

describe('the page', () => {
  test('an element that is missing', async () => {
    const error = await failure(() => mount('#nowhere'));
    expect(error).toMatchObject({ name: 'UsageError', code: 'selector' });
    expect(error.message).toContain('#nowhere');
    expect(error.hint).toContain('when the page has this element');
  });

  test.each(['', '##', 'pay'])('the selector "%s"', async (selector) => {
    const error = await failure(() => mount(selector));
    expect(error).toMatchObject({ name: 'UsageError', code: 'selector' });
    expect(error.hint).toContain('a selector is one of CSS');
  });

  test.each([
    ['that is not in the page', () => document.createElement('div')],
    ['that getElementById did not find', () => null as never],
  ])('an element %s', async (_name, element) => {
    const error = await failure(async () => (await dropin()).mount(element()));
    expect(error).toMatchObject({ name: 'UsageError', code: 'selector' });
    expect(error.hint).toContain('when the page has this element');
  });

  test('a component that was destroyed', async () => {
    const component = await dropin();
    component.destroy();
    const error = await failure(() => component.mount('#pay'));
    expect(error).toMatchObject({ name: 'UsageError', code: 'destroyed' });
    expect(error.hint).toContain('use unmount()');
  });

  test('paying before it is mounted', async () => {
    await (await dropin()).submit();
    expect(world.errors[0]?.error).toMatchObject({ name: 'UsageError', code: 'not_mounted' });
    expect(world.errors[0]?.error.hint).toContain('Await mount() first');
  });

  test('another component in the same element', async () => {
    const first = await dropin();
    await first.mount('#pay');
    await (await dropin()).mount('#pay');
    await first.submit();
    expect(world.errors[0]?.error).toMatchObject({ name: 'UsageError', code: 'not_mounted' });
    expect(world.errors[0]?.error.hint).toContain('mount nothing else into the same element');
    expect(world.made('POST /payments')).toEqual([]);
  });

  test('the same component mounted twice is no mistake', async () => {
    const component = await dropin();
    await component.mount('#pay');
    await component.mount('#pay');
    await component.submit();
    expect(world.results).toMatchObject([{ state: 'success' }]);
  });

  test.each(['Deutsch!', 'de-'])('the locale %s is said in the console', async (locale) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    await (await dropin({ locale })).mount('#pay');
    const [error] = warn.mock.calls[0] ?? [];
    expect(error).toBeInstanceOf(ConnectorError);
    expect(error).toMatchObject({ code: 'locale', hint: expect.stringContaining('de-AT') });
    // The shopper can pay all the same.
    expect(world.stripe.element.mounts).toBe(1);
  });

  test.each(['de_AT', 'gsw', 'zh-Hant', ''])('the locale %s is none to warn of', async (locale) => {
    const warn = vi.spyOn(console, 'warn');
    await (await dropin({ locale })).mount('#pay');
    expect(warn).not.toHaveBeenCalled();
  });
});

describe('components', () => {
  test('a component that does not exist', async () => {
    const error = await failure(() => world.enabler().createComponentBuilder('cheque'));
    expect(error).toMatchObject({ name: 'UsageError', code: 'unsupported' });
    expect(error.hint).toContain('COMPONENTS');
  });

  test('stored methods that are switched off', async () => {
    world.config['storedPaymentMethodsConfig'] = { isEnabled: false };
    const error = await failure(() => world.enabler().createStoredPaymentMethodBuilder('card'));
    expect(error).toMatchObject({ name: 'UsageError', code: 'disabled' });
    expect(error.hint).toContain('STORED_PAYMENT_METHODS_ENABLED');
  });

  test('a stored method that is gone', async () => {
    const builder = await world.enabler().createStoredPaymentMethodBuilder('card');
    const error = await failure(() => builder.build({ id: 'gone' }).mount('#pay'));
    expect(error).toMatchObject({ name: 'UsageError', code: 'unavailable' });
    expect(error.hint).toContain('getStoredPaymentMethods()');
  });
});

describe('a file of the enabler that is not served', () => {
  test('of paying, which is told when the element is mounted', async () => {
    vi.resetModules();
    vi.doMock('../src/pay', () => {
      throw new TypeError('Failed to fetch');
    });
    const enabler = world.enabler({}, await import('../src'));
    const component = (await enabler.createDropinBuilder('embedded')).build();
    await expect(component.mount('#pay')).rejects.toMatchObject({
      name: 'NetworkError',
      code: 'enabler_file',
      hint: expect.stringContaining('enabler/public'),
    });
    vi.doUnmock('../src/pay');
  });

  test('of stored methods', async () => {
    vi.resetModules();
    vi.doMock('../src/stored', () => {
      throw new TypeError('Failed to fetch');
    });
    const enabler = world.enabler({}, await import('../src'));
    await expect(enabler.createStoredPaymentMethodBuilder('card')).rejects.toMatchObject({
      name: 'NetworkError',
      code: 'enabler_file',
      hint: expect.stringContaining('enabler/public'),
      shopperMessage: 'No connection. Nothing was charged. Please try again.',
    });
    vi.doUnmock('../src/stored');
  });
});

import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { ExpressOptions, ShippingOption } from '../src';
import { AmountChanged, PaymentCanceled, PaymentDeclined, UsageError } from '../src';
import { CARD_DECLINED, refused, World } from './world';

const DECLINED = 'Your card has insufficient funds. Nothing was charged. Please try another way.';

const euros = (centAmount: number) => ({ centAmount, currencyCode: 'EUR', fractionDigits: 2 });
const STANDARD: ShippingOption = { id: 'standard', name: 'Standard', amount: euros(490) };
const EXPRESS: ShippingOption = {
  id: 'express',
  name: 'Express',
  description: 'Tomorrow',
  isSelected: true,
  amount: euros(990),
};
const PARTIAL = { city: 'Berlin', state: '', postal_code: '10115', country: 'DE' };
const FULL = { ...PARTIAL, line1: 'Torstraße 1', line2: null };

let world: World;

beforeEach(() => {
  sessionStorage.clear();
  world = new World();
});

function host(options: Partial<ExpressOptions> = {}) {
  return {
    initialAmount: euros(1234),
    onPayButtonClick: vi.fn(async () => ({ sessionId: 'late-session' })),
    onShippingAddressSelected: vi.fn(async () => undefined),
    getShippingMethods: vi.fn(async () => [STANDARD, EXPRESS]),
    onShippingMethodSelected: vi.fn(async () => undefined),
    onPaymentSubmit: vi.fn(async () => undefined),
    ...options,
  };
}

/** Buttons on a page that has no session yet. */
async function mounted(page = host()) {
  const builder = await world
    .enabler({ sessionId: undefined as never })
    .createExpressBuilder('dropin');
  await builder.build(page).mount('#pay');
  return page;
}

function click() {
  const event = { resolve: vi.fn(), reject: vi.fn(), expressPaymentType: 'apple_pay' };
  world.stripe.element.emit('click', event);
  return event;
}

/** A question of the wallet, and its answer. */
async function ask(name: string, detail: object) {
  const event = { ...detail, resolve: vi.fn(), reject: vi.fn() };
  world.stripe.element.emit(name, event);
  await vi.waitFor(() =>
    expect(event.resolve.mock.calls.length + event.reject.mock.calls.length).toBe(1),
  );
  return event;
}

async function agree(detail: object = {}) {
  const event = {
    expressPaymentType: 'apple_pay',
    paymentFailed: vi.fn(),
    billingDetails: { name: 'Ada Lovelace', email: 'ada@example.com', address: FULL },
    shippingAddress: { name: 'Ada Lovelace', address: FULL },
    ...detail,
  };
  world.stripe.element.emit('confirm', event);
  await vi.waitFor(() => expect(world.results.length + world.errors.length).toBeGreaterThan(0));
  await vi.waitFor(() =>
    expect(document.querySelector('.stripe-connector')).toHaveProperty('ariaBusy', 'false'),
  );
  return event;
}

test('buttons are there without a session, for the initial amount', async () => {
  world.config['expressElementOptions'] = '{"buttonHeight":48}';
  await mounted(host({ allowedCountries: ['DE', 'AT'] }));
  expect(world.made('POST /express-config')).toHaveLength(1);
  expect(world.calls.every(({ headers }) => !headers.has('X-Session-ID'))).toBe(true);
  expect(world.stripe.last.options).toMatchObject({
    mode: 'payment',
    amount: 1234,
    currency: 'eur',
  });
  expect(world.stripe.element.options).toEqual({
    billingAddressRequired: true,
    shippingAddressRequired: true,
    allowedShippingCountries: ['DE', 'AT'],
    buttonHeight: 48,
  });
});

test.each([undefined, {}, { centAmount: '1', currencyCode: 'EUR', fractionDigits: 2 }])(
  'an initial amount of %j is refused at once',
  async (initialAmount) => {
    const builder = await world.enabler().createExpressBuilder('dropin');
    expect(() => builder.build(host({ initialAmount: initialAmount as never }))).toThrow(
      UsageError,
    );
  },
);

test('a click is answered at once, whenever the session comes', async () => {
  const page = await mounted(
    host({ onPayButtonClick: vi.fn(() => new Promise<never>(() => undefined)) }),
  );
  const event = click();
  expect(event.resolve).toHaveBeenCalledOnce();
  expect(page.onPayButtonClick).toHaveBeenCalledOnce();
});

describe('shipping', () => {
  test('an address gives rates, the chosen first, and today’s total', async () => {
    const page = await mounted();
    world.amount = 2224;
    world.expressLines = [{ name: 'Subtotal', amount: euros(1234), type: 'SUBTOTAL' }];
    click();
    const { resolve } = await ask('shippingaddresschange', {
      name: 'Ada Lovelace',
      address: PARTIAL,
    });
    expect(resolve).toHaveBeenCalledWith({
      shippingRates: [
        { id: 'express', displayName: 'Express', amount: 990, deliveryEstimate: 'Tomorrow' },
        { id: 'standard', displayName: 'Standard', amount: 490 },
      ],
      lineItems: [{ name: 'Subtotal', amount: 1234 }],
    });
    expect(page.onShippingAddressSelected).toHaveBeenCalledWith({
      address: {
        country: 'DE',
        firstName: 'Ada',
        lastName: 'Lovelace',
        postalCode: '10115',
        city: 'Berlin',
      },
    });
    expect(page.onShippingMethodSelected).toHaveBeenCalledWith({
      shippingMethod: { id: 'express' },
    });
    expect(world.stripe.last.options['amount']).toBe(2224);
    const [data] = world.made('GET /express-payment-data');
    expect(data?.headers.get('X-Session-ID')).toBe('late-session');
  });

  test('a rate is set and the total brought up to date', async () => {
    const page = await mounted();
    click();
    world.amount = 1724;
    await ask('shippingratechange', { shippingRate: { id: 'standard' } });
    expect(page.onShippingMethodSelected).toHaveBeenCalledWith({
      shippingMethod: { id: 'standard' },
    });
    expect(world.stripe.last.options['amount']).toBe(1724);
    expect(page.onPayButtonClick).toHaveBeenCalledOnce();
  });

  test('an address to which nothing is shipped is rejected, without an error', async () => {
    await mounted(host({ getShippingMethods: vi.fn(async () => []) }));
    click();
    const { reject } = await ask('shippingaddresschange', { name: '', address: PARTIAL });
    expect(reject).toHaveBeenCalledOnce();
    expect(world.errors).toEqual([]);
  });

  test('an error is reported once, with its cause', async () => {
    const down = new Error('down');
    await mounted(host({ onPayButtonClick: vi.fn(() => Promise.reject(down)) }));
    click();
    const { reject } = await ask('shippingaddresschange', { name: '', address: PARTIAL });
    expect(reject).toHaveBeenCalledOnce();
    expect(world.errors).toHaveLength(1);
    expect(world.errors[0]?.error.cause).toBe(down);
  });

  test('what an earlier press brings is of no interest', async () => {
    const sessions: ((value: { sessionId: string }) => void)[] = [];
    await mounted(
      host({
        onPayButtonClick: vi.fn(
          () => new Promise<{ sessionId: string }>((resolve) => sessions.push(resolve)),
        ),
      }),
    );
    click();
    const stale = { name: '', address: PARTIAL, resolve: vi.fn(), reject: vi.fn() };
    world.stripe.element.emit('shippingaddresschange', stale);
    world.stripe.element.emit('cancel');
    click();
    sessions[0]?.({ sessionId: 'old' });
    sessions[1]?.({ sessionId: 'new' });
    const { resolve } = await ask('shippingaddresschange', { name: '', address: PARTIAL });
    expect(resolve).toHaveBeenCalledOnce();
    expect(stale.resolve).not.toHaveBeenCalled();
    expect(stale.reject).not.toHaveBeenCalled();
  });
});

describe('agreeing', () => {
  test('pays with the addresses in the cart, and tells one callback once', async () => {
    const onComplete = vi.fn((result) => world.results.push(result));
    const enablers = vi.fn();
    const page = host({ onComplete });
    const enabler = world.enabler({ sessionId: undefined as never, onComplete: enablers });
    await (await enabler.createExpressBuilder('dropin')).build(page).mount('#pay');
    click();
    const event = await agree();
    expect(onComplete).toHaveBeenCalledOnce();
    expect(enablers).not.toHaveBeenCalled();
    expect(world.results).toEqual([
      {
        isSuccess: true,
        state: 'success',
        paymentReference: 'payment-1',
        method: { type: 'apple_pay' },
      },
    ]);
    expect(event.paymentFailed).not.toHaveBeenCalled();
    const address = {
      country: 'DE',
      firstName: 'Ada',
      lastName: 'Lovelace',
      streetName: 'Torstraße 1',
      postalCode: '10115',
      city: 'Berlin',
      email: 'ada@example.com',
    };
    expect(page.onPaymentSubmit).toHaveBeenCalledWith({
      shippingAddress: address,
      billingAddress: address,
      customerEmail: 'ada@example.com',
    });
    const [started] = world.made('POST /payments');
    expect(started?.headers.get('X-Session-ID')).toBe('late-session');
    expect(started?.headers.get('X-Express-Checkout')).toBe('true');
    expect(started?.headers.has('X-Express-Customer-Session')).toBe(false);
  });

  test('a customer of the shop takes part where the session is known', async () => {
    world.customer = { stripeCustomerId: 'cus_1', ephemeralKey: 'ek', sessionId: 'cuss' };
    const builder = await world.enabler().createExpressBuilder('dropin');
    await builder.build(host()).mount('#pay');
    click();
    await agree();
    const [started] = world.made('POST /payments');
    expect(started?.headers.get('X-Express-Customer-Session')).toBe('true');
  });

  test('a payment that is still processed is pending, not paid', async () => {
    world.bank = () => ({ paymentIntent: world.become({ status: 'processing' }) });
    await mounted();
    click();
    await agree();
    expect(world.results).toMatchObject([{ isSuccess: true, state: 'pending' }]);
  });

  test('a decline is reported with its reason, to wallet and page', async () => {
    world.bank = () => ({ error: CARD_DECLINED });
    await mounted();
    click();
    const event = await agree();
    expect(event.paymentFailed).toHaveBeenCalledWith({
      reason: 'fail',
      message: DECLINED,
    });
    expect(world.errors).toEqual([]);
    expect(world.results).toHaveLength(1);
    expect(world.results[0]).toHaveProperty('error', expect.any(PaymentDeclined));
  });

  test('an amount that the wallet did not show is not charged', async () => {
    await mounted();
    world.amount = 5000;
    click();
    const event = await agree();
    expect(world.errors[0]?.error).toBeInstanceOf(AmountChanged);
    expect(event.paymentFailed).toHaveBeenCalledOnce();
    expect(world.stripe.confirmations).toEqual([]);
    expect(world.stripe.last.options['amount']).toBe(5000);
  });
});

test('closing the wallet is reported once, and starts over', async () => {
  const page = await mounted();
  click();
  world.amount = 2000;
  await ask('shippingratechange', { shippingRate: { id: 'standard' } });
  world.stripe.element.emit('cancel');
  expect(world.errors.map(({ error }) => error)).toEqual([expect.any(PaymentCanceled)]);
  expect(world.errors[0]?.error).toMatchObject({
    name: 'CANCEL',
    code: 'canceled',
    shopperMessage: 'You closed the wallet. Nothing was charged.',
  });
  expect(document.querySelector('[role=status]')?.textContent).toContain('Nothing was charged.');
  expect(document.querySelector('[role=alert]')).toBeNull();
  expect(world.stripe.last.options['amount']).toBe(1234);
  click();
  expect(page.onPayButtonClick).toHaveBeenCalledTimes(2);
});

test('buttons that cannot be shown are reported to onError, and mounting does not reject', async () => {
  world.fail(
    'POST /express-config',
    () => refused(403, 'Forbidden'),
    () => refused(403, 'Forbidden'),
  );
  await mounted();
  expect(world.errors).toMatchObject([{ error: { name: 'ProcessorError', status: 403 } }]);
});

describe('on the payment page', () => {
  test('wallets pay the cart as it is', async () => {
    world.elementConfig = { ...world.elementConfig, captureMethod: 'manual' };
    world.become({ capture_method: 'manual' });
    const builder = await world.enabler().createComponentBuilder('expressCheckout');
    expect(builder.componentHasSubmit).toBe(false);
    const component = builder.build();
    await component.mount('#pay');
    expect(await component.isAvailable()).toBe(true);
    expect(world.stripe.element.options).toMatchObject({ shippingAddressRequired: false });
    expect(click().resolve).toHaveBeenCalledWith({});
    await agree({ shippingAddress: undefined });
    expect(world.results).toMatchObject([{ state: 'success' }]);
  });

  test('is not available in a browser without wallets', async () => {
    world.stripe.wallets = undefined;
    const component = (await world.enabler().createComponentBuilder('expressCheckout')).build();
    await component.mount('#pay');
    expect(await component.isAvailable()).toBe(false);
  });
});

test('a file that is missing is an error of ours, and asked for again', async () => {
  vi.resetModules();
  vi.doMock('../src/express', () => {
    throw new TypeError('Failed to fetch');
  });
  const builder = await world
    .enabler({}, await import('../src'))
    .createComponentBuilder('expressCheckout');
  const component = builder.build();
  await expect(component.mount('#pay')).rejects.toMatchObject({
    name: 'NetworkError',
    code: 'enabler_file',
    hint: expect.stringContaining('enabler/public'),
    shopperMessage: 'No connection. Nothing was charged. Please try again.',
  });
  vi.doUnmock('../src/express');
  vi.resetModules();
  await component.mount('#pay');
  expect(world.stripe.element.type).toBe('expressCheckout');
});
